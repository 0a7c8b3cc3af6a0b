package session_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// settings that make a session live through everything quickly: retention, snapshots,
// trims.
func quick(c *worker.Config) {
	c.Retain, c.SnapshotEvery, c.FeedHorizon = 20, 7, 14
	c.RetryDelay, c.BlobGrace = time.Millisecond, time.Millisecond
}

func start(t *testing.T, env *embeddedtest.Env, adjust func(*worker.Config)) (stop func()) {
	t.Helper()
	return startAs(t, env, adjust)
}

func startAs(t *testing.T, env *embeddedtest.Env, adjust func(*worker.Config), opts ...nats.Option) (stop func()) {
	t.Helper()
	nc, _ := embeddedtest.Connect(t, env.Server, opts...)
	cfg := worker.Config{Name: "w", Executor: executor.Echo{}, DrainTimeout: 5 * time.Second}
	adjust(&cfg)
	w, err := worker.New(nc, env.Namespace, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	for w.Ready() != nil {
		time.Sleep(5 * time.Millisecond)
	}
	return stop
}

func stored(t *testing.T, env *embeddedtest.Env) *session.Env {
	t.Helper()
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	log, err := journal.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	e := session.Env{Namespace: env.Namespace, JS: env.JS, Store: store, Log: log}.WithDefaults()
	return &e
}

func publish(t *testing.T, env *embeddedtest.Env, id, eventID, eventType, data string, extensions ...string) {
	t.Helper()
	publishAs(t, env, "/test", id, eventID, eventType, data, extensions...)
}

// publishAs publishes what a source of that name would.
func publishAs(t *testing.T, env *embeddedtest.Env, source, id, eventID, eventType, data string, extensions ...string) {
	t.Helper()
	ev := event.New()
	ev.SetID(eventID)
	ev.SetSource(source)
	ev.SetType(eventType)
	for i := 0; i+1 < len(extensions); i += 2 {
		ev.SetExtension(extensions[i], extensions[i+1])
	}
	ev.SetDataContentType(event.ApplicationJSON)
	ev.DataEncoded = []byte(data)
	msg, err := subjects.EncodeBinary(ev, env.Namespace.In(id))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.JS.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}

func putBlob(t *testing.T, env *embeddedtest.Env, id string, data []byte) (ref string) {
	t.Helper()
	blobs, err := kv.OpenBlobs(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	b, err := blobs.Put(t.Context(), id, data)
	if err != nil {
		t.Fatal(err)
	}
	return b.Ref
}

// random drives a session through inputs of all kinds, failures, repeats and commands.
func random(t *testing.T, env *embeddedtest.Env, id string, rng *rand.Rand, n int) {
	t.Helper()
	kinds := []string{"prompt", "peer_message", "peer_request", "peer_response_progress", "flow_step", "external_event", "continuation", "operation"}
	for i := range n {
		eventID := fmt.Sprint("e", i)
		if rng.IntN(8) == 0 && i > 0 {
			eventID = fmt.Sprint("e", rng.IntN(i))
		}
		data, does := fmt.Sprintf(`{"text":"t%d"}`, i), rng.IntN(16)
		switch roll := rng.IntN(12); {
		case roll == 0:
			data = fmt.Sprintf(`{"text":"t%d","echo":{"fail":%d}}`, i, rng.IntN(5))
		case roll == 1:
			data = fmt.Sprintf(`{"text":"t%d","echo":{"cancel":true}}`, i)
		case roll < 6 && does > 8:
			blob := putBlob(t, env, id, []byte{byte(rng.IntN(6))})
			data = fmt.Sprintf(`{"content":[{"type":"text","text":"t%d"},{"type":"image","blob":%q}]}`, i, blob)
		}
		var ext []string
		if does > 8 && rng.IntN(8) == 0 {
			ext, data = append(ext, "dataref", putBlob(t, env, id, []byte(data))), ""
		}
		if rng.IntN(4) == 0 {
			ext = append(ext, "idempotencykey", fmt.Sprint("k", rng.IntN(6)))
		}
		if rng.IntN(4) == 0 {
			ext = append(ext, "lane", []string{"queue", "steer"}[rng.IntN(2)])
		}
		if rng.IntN(3) == 0 {
			ext = append(ext, "supersessionkey", "s")
		}
		switch does {
		case 0:
			publish(t, env, id, "c"+eventID, subjects.CommandType("set_silent_intents"), `{"intents":["a","b"]}`)
		case 1:
			publish(t, env, id, "c"+eventID, subjects.CommandType("cancel_after_boundary"), `{}`)
		case 2:
			publish(t, env, id, "c"+eventID, subjects.CommandType("recover"), `{}`)
		case 3:
			publish(t, env, id, "c"+eventID, subjects.CommandType("reset"), `{}`)
			publish(t, env, id, "d"+eventID, subjects.CommandType("prepare_bindings"), `{"agent_runtime_id":"r","fence_token":1,"generation":1}`, "mob", "m")
		case 4:
			name, data := chapter05(rng)
			publish(t, env, id, "c"+eventID, subjects.CommandType(name), data)
		case 5:
			publish(t, env, id, "c"+eventID, subjects.CommandType("pause"), `{"reason":"random"}`)
			publish(t, env, id, eventID, subjects.InputType("prompt"), data, ext...)
			publish(t, env, id, "d"+eventID, subjects.CommandType("resume"), `{}`)
		case 6:
			publish(t, env, id, "c"+eventID, subjects.CommandType("interrupt"), `{}`)
		case 7:
			publish(t, env, id, "c"+eventID, subjects.CommandType("recycle"), `{}`)
		case 8:
			publish(t, env, id, "c"+eventID, subjects.CommandType("unregister_session"), `{}`)
			publish(t, env, id, "d"+eventID, subjects.CommandType("ensure_session_with_executor"), `{}`)
		default:
			publish(t, env, id, eventID, subjects.InputType(kinds[rng.IntN(len(kinds))]), data, ext...)
		}
	}
}

// chapter05 is one command on tools, models, images or mobs. Some are refused.
func chapter05(rng *rand.Rand) (name, data string) {
	all := [][2]string{
		{"configure_model_routing_baseline", `{"baseline_model":"m0"}`},
		{"request_switch_turn", `{"request_id":"` + first + `","target_model":"m1","turns":2}`},
		{"admit_model_routing_assistant_turn", `{}`},
		{"begin_image_operation", `{"operation_id":"` + second + `","target_model":"img","requires_scoped_override":true}`},
		{"activate_image_operation_override", `{"operation_id":"` + second + `"}`},
		{"replace_tool_catalogs", tools},
		{"stage_persistent_filter", `{"filter":{"Deny":["a"]},"witnesses":{"a":` + mcp + `}}`},
		{"request_deferred_tools", `{"authorities":{"d":` + mcp + `}}`},
		{"resolve_mob_operator_create_authority", `{"request_kind":"Enable","principal_token":"t"}`},
		{"grant_mob_operator_manage_mob", `{"mob_id":"m1"}`},
		{"resolve_mob_operator_create_authority", `{"request_kind":"Disable"}`},
		{"stage_deferred_session", staged},
		{"authorize_deferred_session_system_context_append", `{"key":"k","content":"c"}`},
	}
	one := all[rng.IntN(len(all))]
	return one[0], one[1]
}

// settle waits until a session has no live inputs, has taken all that was published and makes
// no more commits.
func settle(t *testing.T, env *embeddedtest.Env, id string) session.StateReport {
	t.Helper()
	return calm(t, env, id, 2, func(r *session.StateReport) bool { return r.LiveInputs == 0 })
}

// calm waits until a session is seen at one commit so many times in a row, as it should be, with
// all taken that was published.
func calm(t *testing.T, env *embeddedtest.Env, id string, times int, as func(*session.StateReport) bool) (last session.StateReport) {
	t.Helper()
	seen := 0
	until(t, "session "+id+" comes to rest", func() bool {
		m, err := env.Conn.Request(env.Namespace.Query(id, "state"), nil, 5*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		var r session.StateReport
		if err := json.Unmarshal(m.Data, &r); err != nil {
			t.Fatalf("%s: %v", m.Data, err)
		}
		in, err := env.JS.Stream(t.Context(), env.Namespace.InStream(env.Namespace.Shard(id)))
		if err != nil {
			t.Fatal(err)
		}
		msg, err := in.GetLastMsgForSubject(t.Context(), env.Namespace.In(id))
		taken := errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && msg.Sequence <= r.Cursor
		switch {
		case !taken || !as(&r):
			seen = 0
		case r.Commit != last.Commit:
			seen = 1
		default:
			seen++
		}
		last = r
		return seen >= times
	})
	return last
}

// What a session is can be rebuilt: from its snapshot and the tail, and as long as the
// log is whole, from the log alone. All three agree with what its owner held.
func TestARebuiltSessionIsTheSession(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			env := embeddedtest.Provisioned(t, "test", 1)
			stop := start(t, env, func(c *worker.Config) {
				quick(c)
				c.FeedHorizon = 1 << 30 // nothing is trimmed
			})
			random(t, env, "s1", rand.New(rand.NewPCG(seed, 1)), 120)
			live := settle(t, env, "s1")
			e := stored(t, env)
			fromSnapshot, err := session.FoldForTest(t.Context(), e, "s1")
			if err != nil {
				t.Fatal(err)
			}
			state, err := kernel.MarshalState(&fromSnapshot.State)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(fields(t, live.State), fields(t, state)); diff != "" {
				t.Errorf("the fold is not what the owner holds (-owner +fold):\n%s", diff)
			}
			until(t, "what was let go is deleted", func() bool { return len(payloads(t, env, "s1")) == len(fromSnapshot.Blobs) })
			stop()
			snapshots, err := env.JS.KeyValue(t.Context(), env.Namespace.SnapshotsBucket())
			if err != nil {
				t.Fatal(err)
			}
			atRest, err := session.FoldForTest(t.Context(), e, "s1")
			if err != nil {
				t.Fatal(err)
			}
			// What is stored is what is held, and nothing is left that was let go.
			if there := payloads(t, env, "s1"); atRest.Dropped != 0 || len(there) == 0 || !slices.Equal(there, atRest.Blobs) {
				t.Errorf("stored are %d blobs %v, held %d %v; %d are to be deleted", len(there), there, len(atRest.Blobs), atRest.Blobs, atRest.Dropped)
			}
			if err := snapshots.Purge(t.Context(), env.Namespace.SessionKey("s1")); err != nil {
				t.Fatal(err)
			}
			fromLog, err := session.FoldForTest(t.Context(), e, "s1")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(atRest, fromLog, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("log and snapshot disagree (-snapshot +log):\n%s", diff)
			}
		})
	}
}

func fields(t *testing.T, state []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(state, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// loseSnapshot leaves a session its log alone.
func loseSnapshot(t *testing.T, env *embeddedtest.Env, id string) {
	t.Helper()
	snapshots, err := env.JS.KeyValue(t.Context(), env.Namespace.SnapshotsBucket())
	if err != nil {
		t.Fatal(err)
	}
	if err := snapshots.Purge(t.Context(), env.Namespace.SessionKey(id)); err != nil {
		t.Fatal(err)
	}
}

// A session without owner and snapshot is believed to be new. If it is not, the claim is
// refused, the log is read, and its history goes on.
func TestASessionOnlyLooksNew(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	publish(t, env, "s1", "e1", subjects.InputType("prompt"), `{"text":"hi"}`)
	settle(t, env, "s1")
	stop()
	loseSnapshot(t, env, "s1")
	before, err := session.FoldForTest(t.Context(), stored(t, env), "s1")
	if err != nil {
		t.Fatal(err)
	}
	stop = start(t, env, func(*worker.Config) {})
	publish(t, env, "s1", "e1", subjects.InputType("prompt"), `{"text":"hi"}`)
	publish(t, env, "s1", "e2", subjects.InputType("prompt"), `{"text":"again"}`)
	settle(t, env, "s1")
	stop()
	after, err := session.FoldForTest(t.Context(), stored(t, env), "s1")
	if err != nil || after.Commit <= before.Commit {
		t.Fatalf("commit %d follows commit %d, %v", after.Commit, before.Commit, err)
	}
	if n := len(session.AdmittedForTest(t.Context(), stored(t, env), "s1")); n != 2 {
		t.Errorf("%d inputs were admitted", n)
	}
}

// An owner that is lost right behind a session's first commit has not entered the session in
// the directory. The next one does.
func TestTheNextOwnerEnlistsASession(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	publish(t, env, "s1", "e1", subjects.InputType("prompt"), `{"text":"hi"}`)
	settle(t, env, "s1")
	directory := stored(t, env).Store.Directory
	entered := func() (e kv.SessionEntry) {
		t.Helper()
		until(t, "the session is in the directory", func() bool {
			var err error
			e, err = directory.Get(t.Context(), "s1")
			return err == nil
		})
		return e
	}
	before := entered()
	stop()
	loseSnapshot(t, env, "s1")
	entries, err := env.JS.KeyValue(t.Context(), env.Namespace.DirectoryBucket())
	if err != nil {
		t.Fatal(err)
	}
	if err := entries.Purge(t.Context(), env.Namespace.SessionKey("s1")); err != nil {
		t.Fatal(err)
	}
	stop = start(t, env, func(*worker.Config) {})
	publish(t, env, "s1", "e2", subjects.InputType("prompt"), `{"text":"again"}`)
	if after := entered(); after != before {
		t.Errorf("entered as %+v, before as %+v", after, before)
	}
	// Where the entry stands, it is not written again.
	settle(t, env, "s1")
	stop()
	loseSnapshot(t, env, "s1")
	was, err := entries.Get(t.Context(), env.Namespace.SessionKey("s1"))
	if err != nil {
		t.Fatal(err)
	}
	stop = start(t, env, func(*worker.Config) {})
	publish(t, env, "s1", "e3", subjects.InputType("prompt"), `{"text":"more"}`)
	settle(t, env, "s1")
	stop()
	if is, err := entries.Get(t.Context(), env.Namespace.SessionKey("s1")); err != nil || is.Revision() != was.Revision() {
		t.Errorf("the entry was written again: %v, %v", is, err)
	}
}

// A step that no longer takes the rule it took is not passed over: the session is
// quarantined, its key stands, and nothing is appended.
func TestADivergingLogIsQuarantined(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(c *worker.Config) { c.SnapshotEvery = 1 << 30 })
	publish(t, env, "s1", "e1", subjects.InputType("prompt"), `{"text":"hi"}`)
	settle(t, env, "s1")
	stop()
	loseSnapshot(t, env, "s1")
	e := stored(t, env)
	tail, err := e.Log.Last(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	// Somebody writes a commit that claims a rule the machine does not take.
	forged := strings.Replace(string(tail.Data), `"steps":[]`, `"steps":[["PrepareIdle","s1","r"]]`, 1)
	if forged == string(tail.Data) {
		t.Fatalf("the release commit has steps: %s", tail.Data)
	}
	w := e.Log.Writer("s1", "forger", tail.Fence, journal.Position{Number: tail.Number, Sequence: tail.Sequence, Fence: tail.Fence})
	if err := w.Append(t.Context(), nats.Header{}, []byte(forged)); err != nil {
		t.Fatal(err)
	}
	start(t, env, func(*worker.Config) {})
	publish(t, env, "s1", "e2", subjects.InputType("prompt"), `{"text":"again"}`)
	owners, err := env.JS.KeyValue(t.Context(), env.Namespace.OwnersBucket())
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, err := owners.Get(t.Context(), env.Namespace.SessionKey("s1")); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody claimed the session")
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	after, err := e.Log.Last(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	if after.Number != tail.Number+1 {
		t.Errorf("the log went on to commit %d", after.Number)
	}
	if _, err := owners.Get(t.Context(), env.Namespace.SessionKey("s1")); err != nil {
		t.Errorf("the key of a quarantined session: %v", err)
	}
}

// An interrupt that was answered stands, also if the owner is lost before its executor has
// come back: the next owner does not hand the run out again.
func TestAnInterruptOutlivesItsOwner(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	told, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	stop := start(t, env, func(c *worker.Config) {
		c.DrainTimeout = time.Millisecond
		c.Executor = executor.Func(func(ctx context.Context, _ *executor.Run) (*executor.Result, error) {
			close(told)
			<-release // it does not heed its context
			return nil, ctx.Err()
		})
	})
	answers, err := env.Conn.SubscribeSync(env.Namespace.FxSession("s1"))
	if err != nil {
		t.Fatal(err)
	}
	await := func(name string) map[string]any {
		t.Helper()
		for {
			m, err := answers.NextMsg(10 * time.Second)
			if err != nil {
				t.Fatalf("%s does not come: %v", name, err)
			}
			if strings.HasSuffix(m.Subject, "."+name) {
				return fields(t, m.Data)
			}
		}
	}
	publish(t, env, "s1", "p", subjects.InputType("prompt"), `{"text":"hi"}`)
	<-told
	publish(t, env, "s1", "c", subjects.CommandType("interrupt"), `{}`)
	await("CommandApplied")
	stop()
	start(t, env, func(c *worker.Config) {
		c.Executor = executor.Func(func(context.Context, *executor.Run) (*executor.Result, error) {
			t.Error("the interrupted run is handed out again")
			return &executor.Result{}, nil
		})
	})
	if ended := await("InputCompleted"); ended["terminal_outcome"] != "Cancelled" {
		t.Errorf("ended: %v", ended)
	}
}

// A session whose log was written in version 1 goes on where it was: what was not known to
// be sent is sent, the run is handed out again, and the log goes on in the version of today.
func TestALogOfVersion1GoesOn(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	data, err := os.ReadFile("testdata/log.v1.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 { // what it has consumed
		publish(t, env, "hello", fmt.Sprint("before", i), subjects.InputType("prompt"), `{"text":"hi"}`)
	}
	e := stored(t, env)
	w := e.Log.Writer("hello", "before", 1, journal.Position{})
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for _, line := range lines {
		if err := w.Append(t.Context(), nats.Header{}, []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	sent, err := env.Conn.SubscribeSync(env.Namespace.FxSession("hello"))
	if err != nil {
		t.Fatal(err)
	}
	stop := start(t, env, func(*worker.Config) {})
	publish(t, env, "hello", "e1", subjects.InputType("prompt"), `{"text":"again"}`)
	live := settle(t, env, "hello")
	stop()
	report, commits, _, err := replay(t, stored(t, env), "hello")
	if err != nil || commits <= len(lines) || report.Phase != live.Phase || report.Cursor != 7 {
		t.Errorf("%d commits, %+v: %v", commits, report, err)
	}
	var sequences []string
	for {
		m, err := sent.NextMsg(time.Second)
		if err != nil {
			break
		}
		sequences = append(sequences, m.Header.Get("ce-sequence"))
	}
	for i, s := range sequences {
		if s != fmt.Sprint(11+i) {
			t.Errorf("the events sent have the sequences %q", sequences)
			break
		}
	}
	if n := len(sequences); n <= 13 {
		t.Errorf("%d events were sent, 13 were due and more came", n)
	}
}
