package session_test

import (
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
)

// happening is a published event as the tests look at it.
type happening struct {
	ID      string
	Subject string
	Name    string
	Cause   string
	Data    map[string]any
}

func (h *happening) field(name string) string {
	s, _ := h.Data[name].(string)
	return s
}

// feed collects what is published under a subject, once per event.
type feed struct {
	t    *testing.T
	mu   sync.Mutex
	seen map[string]bool
	all  []happening
}

func follow(t *testing.T, env *embeddedtest.Env, filter string) *feed {
	t.Helper()
	f := &feed{t: t, seen: map[string]bool{}}
	sub, err := env.Conn.Subscribe(filter, func(m *nats.Msg) {
		ev, err := subjects.DecodeMsg(m)
		if err != nil {
			t.Errorf("%s: %v", m.Subject, err)
			return
		}
		h := happening{ID: ev.ID(), Subject: ev.Subject(), Cause: "", Data: map[string]any{}}
		h.Name, _ = subjects.EventName(ev.Type())
		h.Cause, _ = ev.Extensions()[subjects.ExtCausationID].(string)
		if err := json.Unmarshal(ev.Data(), &h.Data); err != nil {
			t.Error(err)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if !f.seen[ev.ID()] {
			f.seen[ev.ID()] = true
			f.all = append(f.all, h)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	if err := env.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return f
}

// of are the events of a session, of some names if any are given.
func (f *feed) of(id string, names ...string) []happening {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []happening
	for _, h := range f.all {
		if h.Subject == id && (len(names) == 0 || slices.Contains(names, h.Name)) {
			all = append(all, h)
		}
	}
	return all
}

// await waits for an event of a session.
func (f *feed) await(id, what string, is func(*happening) bool) happening {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		for _, h := range f.of(id) {
			if is(&h) {
				return h
			}
		}
		if time.Now().After(deadline) {
			all := f.of(id)
			f.t.Fatalf("session %s: no %s within a minute; the last of %d events are %v", id, what, len(all), all[max(0, len(all)-20):])
		}
	}
}

// answer waits for the answer to a command.
func (f *feed) answer(id, event string) happening {
	f.t.Helper()
	return f.await(id, "answer to "+event, func(h *happening) bool {
		return h.Cause == event && (h.Name == "CommandApplied" || h.Name == "CommandRejected")
	})
}

// applied waits for the report of a command.
func (f *feed) applied(id, event string) map[string]any {
	f.t.Helper()
	h := f.answer(id, event)
	if h.Name != "CommandApplied" {
		f.t.Fatalf("session %s: %s was refused: %v", id, event, h.Data)
	}
	report, _ := h.Data["report"].(map[string]any)
	return report
}

// refused waits for the refusal of a command.
func (f *feed) refused(id, event string) map[string]any {
	f.t.Helper()
	h := f.answer(id, event)
	if h.Name != "CommandRejected" {
		f.t.Fatalf("session %s: %s was carried out: %v", id, event, h.Data)
	}
	return h.Data
}

// states are the values an effect's new_state took for one interaction.
func (f *feed) states(id, effect, corr string) []string {
	var all []string
	for _, h := range f.of(id, effect) {
		if h.field("corr_id") == corr {
			all = append(all, h.field("new_state"))
		}
	}
	return all
}

func send(t *testing.T, env *embeddedtest.Env, id, event, name, data string, extensions ...string) {
	t.Helper()
	publish(t, env, id, event, subjects.CommandType(name), data, extensions...)
}

// refolds checks that the session is what its log says, kernel state and ledger.
func refolds(t *testing.T, env *embeddedtest.Env, id string) {
	t.Helper()
	live := settle(t, env, id)
	e := stored(t, env)
	f, err := session.FoldForTest(t.Context(), e, id)
	if err != nil {
		t.Fatal(err)
	}
	state, err := kernel.MarshalState(&f.State)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fields(t, live.State), fields(t, state)); diff != "" {
		t.Errorf("%s: the fold is not what the owner holds (-owner +fold):\n%s", id, diff)
	}
	snapshots, err := env.JS.KeyValue(t.Context(), env.Namespace.SnapshotsBucket())
	if err != nil {
		t.Fatal(err)
	}
	if err := snapshots.Purge(t.Context(), env.Namespace.SessionKey(id)); err != nil {
		t.Fatal(err)
	}
	whole, err := session.FoldForTest(t.Context(), e, id)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, id, f, whole)
}

// agree compares what a snapshot and the log behind it came to with what the log alone did. How
// much of it is known to be published stands in the snapshot only.
func agree(t *testing.T, id string, f, whole session.Folded) {
	t.Helper()
	f.Unsent, whole.Unsent, f.Confirmed, whole.Confirmed = 0, 0, 0, 0
	if diff := cmp.Diff(f, whole, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s: snapshot and log disagree (-snapshot +log):\n%s", id, diff)
	}
}
