package worker_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// fire stores an event that is due for a session.
func fire(t *testing.T, env *embeddedtest.Env, session, id string) {
	t.Helper()
	fireEvent(t, env, session, prompt(id, "x"))
}

func fireEvent(t *testing.T, env *embeddedtest.Env, session string, ev event.Event) {
	t.Helper()
	data, err := subjects.EncodeJSON(ev)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.JS.PublishMsgAsync(&nats.Msg{
		Subject: env.Namespace.Due(session), Data: data, Header: nats.Header{"Content-Type": {"application/cloudevents+json"}},
	}); err != nil {
		t.Fatal(err)
	}
}

// What has fired for a session that takes nothing more, however much it is, holds up no other
// session's.
func TestAFullMailboxHoldsUpNoOtherTimers(t *testing.T) {
	const limit = 2
	env := embeddedtest.ProvisionedWith(t, "test", 1, subjects.Settings{MailboxLimit: limit})
	ns := env.Namespace
	fleet(t, env, 1, func(c *worker.Config) { c.MailboxLimit = limit })
	paused := outcomes(t, env, ns.Fx("full", "SessionPaused"))
	publish(t, env, "full", command("pause", "pause", map[string]string{}))
	select {
	case <-paused:
	case <-time.After(20 * time.Second):
		t.Fatal("the session does not pause")
	}
	for i := range 1100 {
		fire(t, env, "full", fmt.Sprint("t", i))
	}
	done := outcomes(t, env, ns.Fx("other", "InputCompleted"))
	fire(t, env, "other", "t")
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("what fired for another session is not forwarded")
	}
}

// What was postponed when larger events were allowed, and is larger than what its mailbox takes
// by the time it is due, ends under DEAD; it is not tried for as long as it lasts.
func TestWhatFiresAndIsTooLargeIsFiled(t *testing.T) {
	const limit = 2048
	env := embeddedtest.Provisioned(t, "test", 1)
	ns := env.Namespace
	if err := subjects.Provision(t.Context(), env.JS, ns, subjects.Settings{MaxInput: limit}); err != nil {
		t.Fatal(err)
	}
	dead, done := outcomes(t, env, ns.Dead("s")), outcomes(t, env, ns.Fx("s", "InputCompleted"))
	fleet(t, env, 1, func(c *worker.Config) { c.MaxInput = limit })
	fireEvent(t, env, "s", prompt("large", strings.Repeat("x", limit)))
	fire(t, env, "s", "small")
	if _, data := next(t, done); data["input_id"] != "small" {
		t.Errorf("%v", data)
	}
	select {
	case m := <-dead:
		if !strings.Contains(m.Header.Get(subjects.HeaderReason), "bytes") || m.Header.Get("Kalahari-Subject") != ns.Due("s") {
			t.Errorf("filed as %v", m.Header)
		}
		if ev, err := subjects.Decode(m.Header, m.Data); err != nil || ev.ID() != "large" {
			t.Errorf("filed is %v, %v", ev, err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it is not filed")
	}
	until(t, func() bool {
		cons, err := env.JS.Consumer(t.Context(), ns.TimeStream(), "kalahari-timers")
		if err != nil {
			t.Fatal(err)
		}
		info := cons.CachedInfo()
		return info.NumAckPending == 0 && info.NumPending == 0
	})
}

// Timers go on when their consumer was lost while nobody was connected who could be told.
func TestTimersOutliveTheirConsumer(t *testing.T) {
	empty := func() { runtime.GC(); runtime.GC() } // see TestActivationIsFoundAgain
	empty()
	defer empty()
	synctest.Test(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "test", 1)
		way := &line{to: env.Server}
		conn, err := nats.Connect("nats://127.0.0.1:1", nats.SkipHostLookup(), nats.SetCustomDialer(way),
			nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		w := start(t, env, conn, func(c *worker.Config) { c.Name = "w" })
		until(t, func() bool { return w.Ready() == nil })
		done := outcomes(t, env, env.Namespace.Fx("s", "InputCompleted"))
		fire(t, env, "s", "first")
		next(t, done)
		way.lead(nil)
		synctest.Wait()
		if err := env.JS.DeleteConsumer(t.Context(), env.Namespace.TimeStream(), "kalahari-timers"); err != nil {
			t.Fatal(err)
		}
		way.lead(env.Server)
		fire(t, env, "s", "second")
		late := time.After(10 * time.Minute)
		for id := ""; id != "second"; { // the other's outcome may be published again
			select {
			case m := <-done:
				ev, err := subjects.DecodeMsg(m)
				if err != nil {
					t.Fatal(err)
				}
				id = fmt.Sprint(ev.Extensions()[subjects.ExtCausationID])
			case <-late:
				t.Fatal("what fires is not forwarded any more")
			}
		}
	})
}

// What has fired is due, also to a worker whose clock is behind the server's.
func TestWhatHasFiredIsNotPostponedAgain(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	done := outcomes(t, env, env.Namespace.Fx("s", "InputCompleted"))
	fleet(t, env, 1, nil)
	ev := prompt("p", "x")
	ev.SetExtension(subjects.ExtDeliverAt, time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano))
	fireEvent(t, env, "s", ev)
	if _, data := next(t, done); data["input_id"] != "p" {
		t.Errorf("%v", data)
	}
}
