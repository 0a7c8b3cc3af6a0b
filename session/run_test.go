package session_test

import (
	"context"
	"testing"
	"time"

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
