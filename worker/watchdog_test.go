package worker_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/tracing"
	"github.com/kalahari-run/kalahari/worker"
)

// gauge remembers what the watchdog counted last; all else goes nowhere.
type gauge struct {
	*tracing.Telemetry // nil: silent
	mu                 sync.Mutex
	stuck              map[string]int
}

func (g *gauge) Stuck(byReason map[string]int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stuck = byReason
}

func (g *gauge) last() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stuck
}

// The watchdog says which sessions do not get on, for which reason, and when it is over.
func TestTheWatchdogReportsWhatWaitsAndWhy(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	g := &gauge{}
	w := fleet(t, env, 1, func(c *worker.Config) {
		c.Observer, c.StuckAfter, c.RetryDelay = g, 200*time.Millisecond, time.Hour
	})[0]
	desks := map[string]*desk{}
	for _, name := range []string{"fine", "paused", "slow", "failing", "asleep"} {
		desks[name] = newDesk(t, env, name)
	}
	desks["fine"].input("p", `{"text":"a"}`)
	desks["fine"].next("InputCompleted")
	desks["paused"].applied("pause", map[string]any{"reason": "by hand"})
	desks["paused"].input("p", `{"text":"a"}`)
	desks["slow"].input("p", `{"text":"a","echo":{"delay":"1m"}}`)
	desks["failing"].input("p", `{"text":"a","echo":{"fail":9}}`)
	desks["asleep"].applied("accept_without_wake", map[string]any{"input_id": "p", "input": map[string]any{"kind": "prompt", "data": map[string]any{"text": "x"}}})

	want := map[string]int{session.WaitsPaused: 1, session.WaitsRun: 1, session.WaitsRetry: 1, session.WaitsWake: 1}
	defer func() { t.Logf("the watchdog counted last: %v", g.last()) }()
	until(t, func() bool { return cmp.Equal(want, g.last()) })

	m := nats.NewMsg(env.Namespace.Control(string(w.Incarnation())))
	m.Header.Set(worker.HeaderQuery, worker.QueryStuck)
	answer, err := env.Conn.RequestMsg(m, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var told struct {
		Stuck []worker.Stuck `json:"stuck"`
	}
	if err := json.Unmarshal(answer.Data, &told); err != nil {
		t.Fatalf("%s: %v", answer.Data, err)
	}
	reasons := map[string]string{}
	for _, s := range told.Stuck {
		if s.InputID != "p" || s.Since.IsZero() || s.Detail == "" {
			t.Errorf("report: %+v", s)
		}
		reasons[s.Session] = s.Reason
	}
	if diff := cmp.Diff(map[string]string{
		"paused": session.WaitsPaused, "slow": session.WaitsRun, "failing": session.WaitsRetry, "asleep": session.WaitsWake,
	}, reasons); diff != "" {
		t.Errorf("stuck (-want +got):\n%s", diff)
	}
	var state session.StateReport
	desks["slow"].ask("state", nil, &state)
	if state.Oldest == nil || state.Oldest.Reason != session.WaitsRun {
		t.Errorf("the oldest input: %+v", state.Oldest)
	}

	desks["paused"].applied("resume", nil)
	desks["slow"].applied("interrupt", nil)
	desks["failing"].applied("reset", nil)
	desks["asleep"].applied("reset", nil)
	until(t, func() bool { return len(g.last()) == 0 })
}

// What a session cannot say itself the worker says: its log does not fold, its commit is
// not decided, its consumer brings nothing.
func TestTheWatchdogReportsSessionsThatCannotSpeak(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	g := &gauge{}
	fleet(t, env, 1, func(c *worker.Config) {
		c.Observer, c.StuckAfter, c.DrainTimeout = g, 200*time.Millisecond, 50*time.Millisecond
	})
	if _, err := env.JS.Publish(t.Context(), env.Namespace.Log("broken"), []byte("no commit of ours")); err != nil {
		t.Fatal(err)
	}
	newDesk(t, env, "broken").input("p", `{"text":"a"}`)
	until(t, func() bool { return g.last()[worker.StuckQuarantined] == 1 })

	mute := newDesk(t, env, "mute")
	mute.applied("pause", nil)
	mute.input("held", `{"text":"a"}`)
	mute.next("InputAccepted")
	open := closeLog(t, env)
	mute.input("unknown", `{"text":"a"}`)
	until(t, func() bool { return g.last()[worker.StuckSilent] == 1 })
	open()
	until(t, func() bool { return g.last()[worker.StuckSilent] == 0 })
	mute.applied("resume", nil)
	for mute.ended["unknown"] == "" {
		mute.next("InputCompleted")
	}

	resume := holdBack(t, env)
	mute.input("unseen", `{"text":"a"}`)
	until(t, func() bool { return g.last()[worker.StuckMailbox] == 1 })
	resume()
	until(t, func() bool { return g.last()[worker.StuckMailbox] == 0 })
	for mute.ended["unseen"] == "" {
		mute.next("InputCompleted")
	}
}

// holdBack makes the server keep what the mailboxes hold from all consumers there are.
func holdBack(t *testing.T, env *embeddedtest.Env) (resume func()) {
	t.Helper()
	mailbox, err := env.JS.Stream(t.Context(), env.Namespace.InStream(0))
	if err != nil {
		t.Fatal(err)
	}
	for name := range mailbox.ConsumerNames(t.Context()).Name() {
		if _, err := mailbox.PauseConsumer(t.Context(), name, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		for name := range mailbox.ConsumerNames(t.Context()).Name() {
			if _, err := mailbox.ResumeConsumer(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// closeLog makes commits find no stream that takes them, until it is opened again.
func closeLog(t *testing.T, env *embeddedtest.Env) (open func()) {
	t.Helper()
	log, err := env.JS.Stream(t.Context(), env.Namespace.LogStream(0))
	if err != nil {
		t.Fatal(err)
	}
	whole := log.CachedInfo().Config
	update := func(c jetstream.StreamConfig) {
		t.Helper()
		if _, err := env.JS.UpdateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	closed := whole
	closed.Subjects = []string{"elsewhere"}
	update(closed)
	return func() {
		t.Helper()
		update(whole)
	}
}

// However many sessions cannot say what they wait for, they are reported within seconds, not
// one after the other.
func TestManySilentSessionsAreReportedSoon(t *testing.T) {
	const sessions = 60 // half a second each
	env := embeddedtest.Provisioned(t, "test", 1)
	g := &gauge{}
	fleet(t, env, 1, func(c *worker.Config) {
		c.Observer, c.StuckAfter, c.DrainTimeout = g, 200*time.Millisecond, 50*time.Millisecond
	})
	accepted := outcomes(t, env, env.Namespace.FxName(0, "InputAccepted"))
	for i := range sessions {
		id := fmt.Sprint("s", i)
		publish(t, env, id, command("pause", "pause", map[string]any{}))
		publish(t, env, id, prompt("held", "x"))
	}
	for range sessions {
		next(t, accepted)
	}
	open := closeLog(t, env)
	for i := range sessions {
		publish(t, env, fmt.Sprint("s", i), prompt("unknown", "x"))
	}
	for soon := time.Now().Add(25 * time.Second); g.last()[worker.StuckSilent] != sessions; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(soon) { // one after the other takes thirty
			t.Fatal("they are not reported")
		}
	}
	open()
	until(t, func() bool { return g.last()[worker.StuckSilent] == 0 })
}

// That others keep coming hides no event that is not taken.
func TestASteadyStreamHidesNoEventThatWaits(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	g := &gauge{}
	fleet(t, env, 1, func(c *worker.Config) { c.Observer, c.StuckAfter = g, time.Second })
	d := newDesk(t, env, "s")
	d.input("p", `{"text":"a"}`)
	d.next("InputCompleted")
	holdBack(t, env)
	n := 0
	until(t, func() bool {
		n++
		d.input(fmt.Sprint("unseen", n), `{"text":"a"}`)
		return g.last()[worker.StuckMailbox] == 1
	})
}
