package session_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

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
