package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// What is kept of the answers to a run's actions is bounded: questions are not kept, and
// what would be too much is refused.
func TestARunsAnswersAreBounded(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	e := stored(t, env)
	f := follow(t, env, "kalahari.test.*.fx.>")
	start(t, env, func(c *worker.Config) {
		c.Executor = executor.Func(func(ctx context.Context, run *executor.Run) (*executor.Result, error) {
			act := func(id, command, data string) (err error) {
				_, err = run.Host.Do(ctx, executor.Action{ID: id, Command: command, Data: jsontext.Value(data)})
				return err
			}
			var all sync.WaitGroup
			for g := range 32 {
				all.Go(func() {
					for i := range 128 {
						_ = act(fmt.Sprint(g, ".", i), "register_operation", `{"kind":"nonsense"}`)
					}
				})
			}
			all.Wait()
			var refused *executor.ActionError
			if err := act("more", "register_operation", `{"kind":"BackgroundToolOp"}`); !errors.As(err, &refused) || !strings.Contains(err.Error(), "4096") {
				t.Errorf("one more action: %v", err)
			}
			if err := act("question", "ops_lifecycle_registry", ""); err != nil {
				t.Errorf("a question: %v", err)
			}
			if kept, err := session.FoldForTest(ctx, e, "s"); err != nil || kept.Acted != 4096 {
				t.Errorf("%d answers are kept, %v", kept.Acted, err)
			}
			return &executor.Result{ConversationDigest: strings.Repeat("x", 100_000)}, nil
		})
	})
	publish(t, env, "s", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	done := f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" })
	receipt, err := env.Conn.Request(env.Namespace.Query("s", "receipt"), []byte(`{"run_id":"`+done.field("run_id")+`"}`), 5*time.Second)
	if err != nil || !strings.Contains(string(receipt.Data), `"conversation_digest":"xxx`) || len(receipt.Data) > 2000 {
		t.Errorf("the receipt: %.200s, %v", receipt.Data, err)
	}
}
