package worker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

func TestAFailingRunIsRetriedThenAbandoned(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	done := outcomes(t, env, env.Namespace.Fx("s1", "InputCompleted"))
	fleet(t, env, 1, func(c *worker.Config) { c.RetryDelay = time.Millisecond })

	for _, c := range []struct{ id, data, outcome, reason string }{
		{"fails-twice", `{"text":"a","echo":{"fail":2}}`, "Completed", ""},
		{"fails", `{"text":"b","echo":{"fail":9}}`, "Abandoned", "MaxAttemptsExhausted"},
		{"panics", `{"text":"c","echo":{"panic":9}}`, "Abandoned", "MaxAttemptsExhausted"},
		{"panics-once", `{"text":"d","echo":{"panic":1}}`, "Completed", ""},
		{"cancels", `{"text":"e","echo":{"cancel":true}}`, "Cancelled", "Cancelled"},
	} {
		ev := prompt(c.id, "")
		if err := ev.SetData("application/json", []byte(c.data)); err != nil {
			t.Fatal(err)
		}
		publish(t, env, "s1", ev)
		_, data := next(t, done)
		reason, _ := data["reason"].(string)
		if data["input_id"] != c.id || data["terminal_outcome"] != c.outcome || reason != c.reason {
			t.Errorf("%s: got %v, want %s %s", c.id, data, c.outcome, c.reason)
		}
	}
}

func TestARepeatedEventIsAnsweredOnce(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	all := outcomes(t, env, env.Namespace.FxSession("s1"))
	fleet(t, env, 1, nil)
	ev := prompt("p1", "hello")
	publish(t, env, "s1", ev)
	seen := map[string]int{}
	await := func(name string) map[string]any {
		for {
			e, data := next(t, all)
			n, _ := subjects.EventName(e.Type())
			seen[n]++
			if n == name {
				return data
			}
		}
	}
	await("InputCompleted")
	// Without the message id, as from a producer that knows nothing of it.
	msg, err := subjects.EncodeBinary(ev, env.Namespace.In("s1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.JS.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	if data := await("InputDeduplicated"); data["existing_input_id"] != "p1" {
		t.Errorf("deduplicated: %v", data)
	}
	// The second input with the same idempotency key, another event.
	one, two := prompt("k1", "one"), prompt("k2", "two")
	one.SetExtension(subjects.ExtIdempotencyKey, "key")
	two.SetExtension(subjects.ExtIdempotencyKey, "key")
	publish(t, env, "s1", one)
	publish(t, env, "s1", two)
	if data := await("InputDeduplicated"); data["existing_input_id"] != "k1" || data["input_id"] != "k2" {
		t.Errorf("deduplicated by key: %v", data)
	}
	for seen["InputCompleted"] < 2 { // it may have come before the answer to the other
		await("InputCompleted")
	}
	if seen["InputCompleted"] != 2 || seen["InputAccepted"] != 2 {
		t.Errorf("outcomes: %v", seen)
	}
}

func TestCommandsAreAnswered(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	all := outcomes(t, env, env.Namespace.FxSession("s1"))
	mob := outcomes(t, env, env.Namespace.MobSignals("m1"))
	fleet(t, env, 1, nil)
	await := func(names ...string) (string, map[string]any) {
		for {
			e, data := next(t, all)
			n, _ := subjects.EventName(e.Type())
			for _, name := range names {
				if n == name {
					return n, data
				}
			}
		}
	}
	bind := command("c1", "prepare_bindings", map[string]any{"agent_runtime_id": "rt1", "fence_token": 7, "generation": 1})
	bind.SetExtension("mob", "m1")
	publish(t, env, "s1", bind)
	if n, data := await("CommandApplied", "CommandRejected"); n != "CommandApplied" {
		t.Fatalf("prepare_bindings: %v", data)
	}
	signal := func() (string, map[string]any) {
		for {
			e, data := next(t, mob)
			if n, ok := subjects.EventName(e.Type()); ok && subjects.Public(n).Signal {
				return n, data
			}
		}
	}
	if _, data := signal(); data["agent_runtime_id"] != "rt1" || data["fence_token"] != float64(7) {
		t.Errorf("RuntimeBound: %v", data)
	}
	publish(t, env, "s1", command("c2", "prepare_bindings", map[string]any{"agent_runtime_id": "rt2", "fence_token": 7, "generation": 1}))
	if n, data := await("CommandApplied", "CommandRejected"); n != "CommandRejected" || data["guard"] == "" {
		t.Errorf("rebinding: %s %v", n, data)
	}
	publish(t, env, "s1", command("c3", "ingest", map[string]any{
		"runtime_id": "rt1", "fence_token": 7, "generation": 1, "work_id": "work1",
		"input": map[string]any{"kind": "prompt", "data": map[string]any{"text": "routed"}},
	}))
	if _, data := await("InputCompleted"); data["input_id"] != "work1" {
		t.Errorf("routed work: %v", data)
	}
	publish(t, env, "s1", command("c4", "retire", map[string]any{"sesion_id": "typo"}))
	if n, data := await("CommandApplied", "CommandRejected"); n != "CommandApplied" && data["reason"] == nil {
		t.Errorf("misspelt field: %s %v", n, data)
	}
	publish(t, env, "s1", command("c5", "retire", map[string]any{}))
	if n, data := await("CommandApplied"); n != "CommandApplied" {
		t.Errorf("retire: %v", data)
	}
	publish(t, env, "s1", prompt("late", "too late"))
	if _, data := await("InputRejected"); data["kind"] != "NotReady" {
		t.Errorf("after retire: %v", data)
	}
	publish(t, env, "s1", command("c6", "destroy", map[string]any{}))
	await("CommandApplied")
	names := map[string]bool{}
	for range 2 {
		n, _ := signal()
		names[n] = true
	}
	if !names["RuntimeRetired"] || !names["RuntimeDestroyed"] {
		t.Errorf("signals: %v", names)
	}
	publish(t, env, "s1", command("c7", "no_such_command", map[string]any{}))
	if _, data := await("CommandRejected"); data["kind"] != "UnknownCommand" {
		t.Errorf("unknown command: %v", data)
	}
}

func TestASessionHibernatesAndWakes(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	done := outcomes(t, env, env.Namespace.Fx("s1", "InputCompleted"))
	fleet(t, env, 2, func(c *worker.Config) { c.HibernateAfter = 50 * time.Millisecond })
	owners, err := env.JS.KeyValue(t.Context(), env.Namespace.OwnersBucket())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		publish(t, env, "s1", prompt(fmt.Sprint("p", i), "hi"))
		if _, data := next(t, done); data["input_id"] != fmt.Sprint("p", i) {
			t.Fatalf("round %d: %v", i, data)
		}
		until(t, func() bool {
			_, err := owners.Get(t.Context(), env.Namespace.SessionKey("s1"))
			return err != nil
		})
	}
	// Consumed inputs are purged before release.
	in, err := env.JS.Stream(t.Context(), env.Namespace.InStream(env.Namespace.Shard("s1")))
	if err != nil {
		t.Fatal(err)
	}
	info, err := in.Info(t.Context(), jetstream.WithSubjectFilter(env.Namespace.In("s1")))
	if err != nil {
		t.Fatal(err)
	}
	if n := info.State.Subjects[env.Namespace.In("s1")]; n != 0 {
		t.Errorf("%d messages left in the mailbox of a session at rest", n)
	}
}

func TestOrderAndExactlyOnceOverThreeWorkers(t *testing.T) {
	const sessions, inputs = 50, 20
	env := embeddedtest.Provisioned(t, "test", 4)
	done := outcomes(t, env, "kalahari.test.*.fx.*.InputCompleted")
	fleet(t, env, 3, nil)
	for i := range inputs {
		for s := range sessions {
			publish(t, env, fmt.Sprint("s", s), prompt(fmt.Sprint("p", i), "x"))
		}
	}
	got := map[string]int{}
	for range sessions * inputs {
		e, data := next(t, done)
		want := fmt.Sprint("p", got[e.Subject()])
		if data["input_id"] != want || data["terminal_outcome"] != "Completed" {
			t.Fatalf("session %s: got %v, want %s", e.Subject(), data, want)
		}
		got[e.Subject()]++
	}
}

func TestAnInputIsAdmittedNoEarlierThanItSays(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	done := outcomes(t, env, env.Namespace.Fx("s1", "InputCompleted"))
	rejected := outcomes(t, env, env.Namespace.Fx("s1", "InputRejected"))
	fleet(t, env, 2, nil)
	at := time.Now().Add(1200 * time.Millisecond)
	later := prompt("later", "later")
	later.SetExtension(subjects.ExtDeliverAt, at.UTC().Format(time.RFC3339Nano))
	publish(t, env, "s1", later)
	publish(t, env, "s1", prompt("now", "now"))
	if _, data := next(t, done); data["input_id"] != "now" {
		t.Errorf("first came %v", data)
	}
	if _, data := next(t, done); data["input_id"] != "later" {
		t.Errorf("second came %v", data)
	}
	if early := time.Until(at); early > 0 {
		t.Errorf("it came %s too early", early)
	}
	never := prompt("never", "never")
	never.SetExtension(subjects.ExtDeliverAt, "tomorrow")
	publish(t, env, "s1", never)
	if _, data := next(t, rejected); data["input_id"] != "never" {
		t.Errorf("a time that is none: %v", data)
	}
}
