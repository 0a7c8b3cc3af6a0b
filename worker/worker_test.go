package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// fleet starts n workers on env and stops them with the test.
func fleet(t *testing.T, env *embeddedtest.Env, n int, adjust func(*worker.Config)) []*worker.Worker {
	t.Helper()
	var all []*worker.Worker
	for i := range n {
		nc, _ := embeddedtest.Connect(t, env.Server)
		all = append(all, start(t, env, nc, func(c *worker.Config) {
			if c.Name = fmt.Sprintf("w%d", i); adjust != nil {
				adjust(c)
			}
		}))
	}
	for _, w := range all {
		until(t, func() bool { return w.Ready() == nil })
	}
	return all
}

// start starts a worker on a connection of its own and stops it with the test.
func start(t *testing.T, env *embeddedtest.Env, nc *nats.Conn, adjust func(*worker.Config)) *worker.Worker {
	t.Helper()
	cfg := worker.Config{
		Executor: executor.Echo{}, DrainTimeout: 2 * time.Second,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	adjust(&cfg)
	w, err := worker.New(nc, env.Namespace, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

func until(t *testing.T, ok func() bool) {
	t.Helper()
	for range 1000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come true within ten seconds")
}

func prompt(id, text string) event.Event {
	ev := event.New()
	ev.SetID(id)
	ev.SetSource("/test")
	ev.SetType(subjects.InputType("prompt"))
	if err := ev.SetData(event.ApplicationJSON, map[string]string{"text": text}); err != nil {
		panic(err)
	}
	return ev
}

func command(id, name string, data any) event.Event {
	ev := event.New()
	ev.SetID(id)
	ev.SetSource("/test")
	ev.SetType(subjects.CommandType(name))
	if err := ev.SetData(event.ApplicationJSON, data); err != nil {
		panic(err)
	}
	return ev
}

func publish(t *testing.T, env *embeddedtest.Env, session string, ev event.Event) {
	t.Helper()
	msg, err := subjects.EncodeBinary(ev, env.Namespace.In(session))
	if err != nil {
		t.Fatal(err)
	}
	msg.Header.Set(nats.MsgIdHdr, subjects.MsgID(session, ev))
	if _, err := env.JS.PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
}

// outcomes subscribes to everything the namespace publishes on fx.
func outcomes(t *testing.T, env *embeddedtest.Env, filter string) <-chan *nats.Msg {
	t.Helper()
	ch := make(chan *nats.Msg, 1<<16)
	sub, err := env.Conn.ChanSubscribe(filter, ch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := env.Conn.FlushWithContext(ctx); err != nil {
		t.Fatal(err)
	}
	return ch
}

func next(t *testing.T, ch <-chan *nats.Msg) (event.Event, map[string]any) {
	t.Helper()
	select {
	case m := <-ch:
		ev, err := subjects.DecodeMsg(m)
		if err != nil {
			t.Fatalf("%s: %v", m.Subject, err)
		}
		var data map[string]any
		if err := json.Unmarshal(ev.Data(), &data); err != nil {
			t.Fatal(err)
		}
		return ev, data
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within ten seconds")
		panic("unreachable")
	}
}

func TestAPromptIsAnswered(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	done := outcomes(t, env, env.Namespace.Fx("s1", "InputCompleted"))
	fleet(t, env, 1, nil)
	publish(t, env, "s1", prompt("p1", "hello"))
	ev, data := next(t, done)
	if data["terminal_outcome"] != "Completed" || data["input_id"] != "p1" {
		t.Errorf("got %v", data)
	}
	if got := data["result"].(map[string]any)["text"]; got != "hello" {
		t.Errorf("echo answered %q", got)
	}
	if ev.Extensions()["causationid"] != "p1" {
		t.Errorf("causationid is %v", ev.Extensions()["causationid"])
	}
}

// With less than no room a worker would be a member that takes nothing and tells nobody.
func TestANegativeCapacityIsRefused(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	_, err := worker.New(env.Conn, env.Namespace, worker.Config{Executor: executor.Echo{}, Capacity: -1})
	if err == nil || !strings.Contains(err.Error(), "--capacity") {
		t.Errorf("got %v", err)
	}
}
