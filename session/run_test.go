package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// An executor may say by a number that no variant has why its run failed. The run has
// failed, and the log that says so can be folded.
func TestAnUndefinedFailureCanBeFolded(t *testing.T) {
	env, f := peers(t, func(c *worker.Config) {
		c.RetryDelay = time.Millisecond
		c.Executor = executor.Func(func(_ context.Context, r *executor.Run) (*executor.Result, error) {
			if r.Inputs[0].Text == "apply" {
				return nil, &executor.ApplyError{Cause: 55, Message: "m"}
			}
			return nil, &executor.TerminalError{Source: 200, Message: "m"}
		})
	})
	for _, kind := range []string{"apply", "terminal"} {
		publish(t, env, "s", kind, subjects.InputType("prompt"), `{"text":"`+kind+`"}`)
		f.await("s", "end of "+kind, func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == kind })
		if _, err := session.FoldForTest(t.Context(), stored(t, env), "s"); err != nil {
			t.Fatal(err)
		}
	}
}

// Once a stop is answered, a call that has not come back yet acts no more.
func TestAStoppedRunDoesNotAct(t *testing.T) {
	begun, stopped, acted := make(chan struct{}), make(chan struct{}), make(chan struct{})
	env, f := peers(t, func(c *worker.Config) {
		c.Executor = executor.Func(func(_ context.Context, r *executor.Run) (*executor.Result, error) {
			defer close(acted)
			close(begun)
			<-stopped
			for i := range 20 {
				time.Sleep(5 * time.Millisecond) // who meets a session that is busy may see its context's end first
				if _, err := r.Host.Do(context.Background(), executor.Action{
					ID: fmt.Sprint("a", i), Command: "send_message", Data: jsontext.Value(`{"to":"other","body":"x"}`),
				}); !errors.Is(err, executor.ErrRunOver) {
					t.Errorf("an action of a run that is over: %v", err)
				}
			}
			return nil, executor.ErrCancelled
		})
	})
	publish(t, env, "s", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	<-begun
	send(t, env, "s", "stop", "stop_runtime_executor", `{"reason":"enough"}`)
	f.applied("s", "stop")
	close(stopped)
	<-acted
	send(t, env, "s", "last", "set_silent_intents", `{"intents":[]}`)
	f.answer("s", "last")
	for _, h := range f.of("s", "CommandApplied", "CommandRejected") {
		if h.Data["command"] == "send_message" {
			t.Errorf("after the stop: %s %v", h.Name, h.Data)
		}
	}
}

// gaveUp counts how often sessions let their state go, by what the worker logs.
type gaveUp struct {
	slog.Handler
	times atomic.Int64
}

func (g *gaveUp) Enabled(context.Context, slog.Level) bool { return true }

func (g *gaveUp) WithAttrs([]slog.Attr) slog.Handler { return g }

func (g *gaveUp) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "session gives up its state" {
		g.times.Add(1)
	}
	return nil
}

// A run that was lost with its worker is not handed out before the mailbox is open: a server
// that sets up no consumer for a while costs no executions.
func TestARunWaitsForTheMailbox(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	f := follow(t, env, env.Namespace.FxSession("s"))
	consumers := func(most int) {
		t.Helper()
		if err := env.Server.NATS().GlobalAccount().UpdateJetStreamLimits(map[string]server.JetStreamAccountLimits{
			"": {MaxMemory: -1, MaxStore: -1, MaxStreams: -1, MaxConsumers: most},
		}); err != nil {
			t.Fatal(err)
		}
	}
	begun := make(chan struct{})
	stop := start(t, env, func(c *worker.Config) {
		c.DrainTimeout = time.Millisecond
		c.Executor = executor.Func(func(ctx context.Context, _ *executor.Run) (*executor.Result, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		})
	})
	publish(t, env, "s", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	<-begun
	var executions atomic.Uint64
	g := &gaveUp{Handler: slog.DiscardHandler}
	start(t, env, func(c *worker.Config) {
		c.Logger = slog.New(g)
		c.Executor = executor.Func(func(_ context.Context, r *executor.Run) (*executor.Result, error) {
			executions.Store(r.Execution)
			return &executor.Result{Text: "done"}, nil
		})
	})
	consumers(1)
	stop()
	until(t, "the session fails to open its mailbox a few times", func() bool { return g.times.Load() > 4 })
	if n := executions.Load(); n > 0 {
		t.Errorf("execution %d of a run whose session cannot open its mailbox", n)
	}
	consumers(-1)
	end := f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" })
	if n := executions.Load(); n != 2 || end.field("terminal_outcome") != "Completed" {
		t.Errorf("after execution %d: %v", n, end.Data)
	}
}
