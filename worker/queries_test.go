package worker_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// A session in trouble is one with much in it. What no message can carry is left out of the
// answers about it, and the rest is told.
func TestWhatASessionHasTooMuchOfIsLeftOut(t *testing.T) {
	const largest, inputs = 320 << 10, 1000
	env := embeddedtest.Provisioned(t, "test", 1, embeddedtest.With(func(o *embedded.Options) { o.MaxPayload = largest }))
	fleet(t, env, 1, nil)
	d := newDesk(t, env, "s1")
	d.applied("pause", map[string]any{"reason": "upgrade"})
	id := func(i int) string { return fmt.Sprintf("%0256d", i) }
	more := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			ev := prompt(id(i), "x")
			msg, err := subjects.EncodeBinary(ev, env.Namespace.In("s1"))
			if err != nil {
				t.Fatal(err)
			}
			msg.Header.Set(nats.MsgIdHdr, subjects.MsgID("s1", ev))
			if _, err := env.JS.PublishMsgAsync(msg); err != nil {
				t.Fatal(err)
			}
		}
		for i := from; i < to; i++ {
			d.next("InputAccepted")
		}
	}
	more(0, inputs)

	var state session.StateReport
	d.ask("state", nil, &state)
	if state.Phase.String() == "" || state.LiveInputs != inputs || len(state.Holds) != 1 || state.Oldest == nil || state.Oldest.InputID != id(0) {
		t.Errorf("state: %+v", state)
	}
	if text := string(state.State); !strings.HasPrefix(text, `{"omitted_bytes":`) || len(text) > 40 {
		t.Errorf("every field of the machine: %.100s", text)
	}
	var list session.InputsReport
	d.ask("inputs", nil, &list)
	if n := len(list.Inputs); n < inputs/2 || n+list.Omitted != inputs || list.Omitted == 0 {
		t.Fatalf("%d inputs, and %d omitted", n, list.Omitted)
	}
	for i, in := range list.Inputs {
		if in.InputID != id(i) {
			t.Fatalf("input %d is %s", i, in.InputID)
		}
	}
	// Ids alone are shorter: they fit until there are more of them.
	more(inputs, 2*inputs)
	var active session.ActiveInputsReport
	d.ask("list_active_inputs", nil, &active)
	if n := len(active.InputIDs); n <= len(list.Inputs) || n+active.Omitted != 2*inputs || active.Omitted == 0 {
		t.Fatalf("%d ids, and %d omitted", n, active.Omitted)
	}
	for i, got := range active.InputIDs {
		if got != id(i) {
			t.Fatalf("id %d is %s", i, got)
		}
	}
}

// The same question about the same state gets the same bytes.
func TestAnswersAreTheSameBytes(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	fleet(t, env, 1, nil)
	d := newDesk(t, env, "s1")
	tools, witnesses := map[string]any{}, map[string]any{}
	for i := range 8 {
		name := fmt.Sprint("tool", i)
		provenance := map[string]any{"kind": "Mcp", "source_id": "srv"}
		tools[name] = map[string]any{"provenance": provenance, "deferrable": true}
		witnesses[name] = map[string]any{"last_seen_provenance": provenance}
	}
	d.applied("replace_tool_catalogs", map[string]any{"tools": tools})
	d.applied("stage_persistent_filter", map[string]any{"filter": "All", "witnesses": witnesses})
	for _, query := range []string{"owner", "visibility", "nonsense"} {
		var first string
		for range 16 {
			m, err := env.Conn.Request(env.Namespace.Query("s1", query), nil, 5*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = string(m.Data)
			}
			if again := string(m.Data); again != first {
				t.Fatalf("%s:\n%s\n%s", query, first, again)
			}
		}
	}
}

// An owner that holds its lease and answers nothing keeps nobody from what it has committed.
func TestAHungOwnerLeavesNoQuestionUnanswered(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	fleet(t, env, 1, func(c *worker.Config) {
		c.HibernateAfter, c.Detector = 50*time.Millisecond, worker.DetectorOff
	})
	d := newDesk(t, env, "s")
	d.input("p", `{"text":"a"}`)
	d.next("InputCompleted")
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		_, err := store.Owners.Read(t.Context(), "s")
		return errors.Is(err, kv.ErrNotOwned)
	})
	hung := kv.NewIncarnation("hung")
	asked, err := env.Conn.SubscribeSync(env.Namespace.Control(string(hung)))
	if err != nil {
		t.Fatal(err)
	}
	lease, err := store.Members.Join(t.Context(), kv.MemberInfo{Incarnation: hung}, kv.LeaseConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lease.Leave(t.Context()) }()
	if _, err := store.Owners.Claim(t.Context(), "s", hung); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { // until the worker knows of the owner
		m, err := env.Conn.Request(env.Namespace.Query("s", "input"), []byte(`{"input_id":"p"}`), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if code := m.Header.Get(micro.ErrorCodeHeader); code != "" {
			t.Fatalf("%s: %s", code, m.Data)
		}
		n, _, err := asked.Pending()
		return err == nil && n > 0
	})
}
