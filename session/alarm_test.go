package session_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// bubble runs a test in fake time. nats.go has timers in a pool of the whole process, and one
// of one bubble is fatal in another: the pool is emptied.
func bubble(t *testing.T, f func(t *testing.T)) {
	empty := func() { runtime.GC(); runtime.GC() }
	empty()
	defer empty()
	synctest.Test(t, f)
}

// A session hears of its deadlines whatever becomes of the one timer it has for them.
func TestADeadlineOutlivesItsTimer(t *testing.T) {
	subject := func(env *embeddedtest.Env) string { return env.Namespace.Timer("ann", "requests") }
	lost := func(t *testing.T, env *embeddedtest.Env) {
		t.Helper()
		st, err := env.JS.Stream(t.Context(), env.Namespace.TimeStream())
		if err != nil {
			t.Fatal(err)
		}
		if err := st.Purge(t.Context(), jetstream.WithPurgeSubject(subject(env))); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Minute)
	}
	lostAtRest := func(t *testing.T, env *embeddedtest.Env, _ *feed) {
		lost(t, env)
		publish(t, env, "ann", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	}
	lostAtWork := func(t *testing.T, env *embeddedtest.Env, _ *feed) {
		lost(t, env)
		send(t, env, "ann", "c2", "send_request", `{"to":"bob","request_id":"`+request2+`","intent":"ignore","timeout":"10s"}`)
	}
	// What an owner that was replaced still publishes takes the place of its successor's.
	replaced := func(after time.Duration) func(*testing.T, *embeddedtest.Env, *feed) {
		return func(t *testing.T, env *embeddedtest.Env, f *feed) {
			at := time.Now().Add(after).UTC().Format(time.RFC3339Nano)
			ev := event.New()
			ev.SetID("ann/requests.1")
			ev.SetSource(env.Namespace.Source("ann"))
			ev.SetType(subjects.DeadlineType)
			if err := ev.SetData(event.ApplicationJSON, []byte(`{"at":"`+at+`","generation":1}`)); err != nil {
				t.Fatal(err)
			}
			text, err := subjects.EncodeJSON(ev)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := env.JS.PublishMsg(t.Context(), &nats.Msg{Subject: subject(env), Data: text, Header: nats.Header{
				"Nats-Schedule": {"@at " + at}, "Nats-Schedule-Target": {env.Namespace.Due("ann")}, "Content-Type": {subjects.MediaStructured},
			}}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			if d := cmp.Diff([]string{"Sent"}, f.states("ann", "PeerInteractionStateChanged", request1)); d != "" {
				t.Error("before its time: ", d)
			}
			time.Sleep(30 * time.Second) // nothing else happens
		}
	}
	for name, c := range map[string]struct {
		hibernate time.Duration
		becomes   func(*testing.T, *embeddedtest.Env, *feed)
		requests  []string
	}{
		"it is lost, and the session rests":       {time.Second, lostAtRest, []string{request1}},
		"it is lost, and the session stays":       {time.Hour, lostAtWork, []string{request1, request2}},
		"one that is earlier stands in its place": {time.Hour, replaced(5 * time.Second), []string{request1}},
		"one that is later stands in its place":   {time.Hour, replaced(30 * time.Second), []string{request1}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				env, f := peers(t, func(cfg *worker.Config) { cfg.HibernateAfter = c.hibernate })
				send(t, env, "ann", "c1", "send_request", `{"to":"bob","request_id":"`+request1+`","intent":"ignore","timeout":"20s"}`)
				f.applied("ann", "c1")
				time.Sleep(2 * time.Second) // the timer is set
				c.becomes(t, env, f)
				for _, id := range c.requests {
					f.await("ann", "the end of "+id, func(h *happening) bool {
						return h.Name == "PeerInteractionStateChanged" && h.field("corr_id") == id && h.field("new_state") == "TimedOut"
					})
				}
				for _, id := range c.requests {
					if d := cmp.Diff([]string{"Sent", "TimedOut"}, f.states("ann", "PeerInteractionStateChanged", id)); d != "" {
						t.Error(d)
					}
				}
				refolds(t, env, "ann")
			})
		})
	}
}

// A timer that comes while no worker runs waits for one, for thirty days.
func TestATimerWaitsForAWorker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "test", 1)
		f := follow(t, env, "kalahari.test.*.fx.>")
		stop := start(t, env, func(*worker.Config) {})
		publish(t, env, "s", "p", subjects.InputType("prompt"), `{"text":"x"}`,
			subjects.ExtDeliverAt, time.Now().Add(time.Minute).UTC().Format(time.RFC3339Nano))
		settle(t, env, "s")
		stop()
		time.Sleep(2 * time.Minute)
		st, err := env.JS.Stream(t.Context(), env.Namespace.TimeStream())
		if err != nil {
			t.Fatal(err)
		}
		due, err := st.GetLastMsgForSubject(t.Context(), env.Namespace.Due("s"))
		if err != nil {
			t.Fatal(err)
		}
		if ttl, err := time.ParseDuration(due.Header.Get(jetstream.MsgTTLHeader)); err != nil || ttl < 30*24*time.Hour {
			t.Errorf("what is due is kept for %v, %v", ttl, err)
		}
		start(t, env, func(*worker.Config) {})
		f.await("s", "input", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "p" })
	})
}
