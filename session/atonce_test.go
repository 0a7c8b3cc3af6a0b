package session_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// pure is an executor whose calls have no effects, unless an input's text begins with "act".
type pure struct {
	executor.Func
}

func (pure) Pure(run *executor.Run) bool {
	if run.Inputs[0].Text == "panic in Pure" {
		panic("asked to")
	}
	return !strings.HasPrefix(run.Inputs[0].Text, "act")
}

// commits tells how many a session has made.
func commits(t *testing.T, env *embeddedtest.Env, id string) uint64 {
	t.Helper()
	at, err := session.FoldForTest(t.Context(), stored(t, env), id)
	if err != nil {
		t.Fatal(err)
	}
	return at.Commit
}

// Runs that were staged before a worker came are over in one commit if their calls are pure,
// in the order they were sent, with the same events as otherwise.
func TestPureRunsShareACommit(t *testing.T) {
	const prompts = 20
	tell := func(id string, effects bool) (told []string, commitsMade uint64) {
		env := embeddedtest.Provisioned(t, "test", 1)
		f := follow(t, env, env.Namespace.FxSession(id))
		for i := range prompts {
			publish(t, env, id, fmt.Sprint("p", i), subjects.InputType("prompt"), fmt.Sprintf(`{"text":"t%d"}`, i))
		}
		start(t, env, func(c *worker.Config) { c.Executor = executor.Echo{Effects: effects} })
		last := fmt.Sprint("p", prompts-1)
		f.await(id, "last end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == last })
		for _, h := range f.of(id, "InputStaged", "InputApplied", "InputCompleted") {
			told = append(told, h.Name+" "+h.field("input_id")+" "+h.field("terminal_outcome"))
		}
		return told, commits(t, env, id)
	}
	atOnce, few := tell("s", false)
	staged, many := tell("s", true)
	if diff := cmp.Diff(staged, atOnce); diff != "" {
		t.Errorf("runs with effects, and pure ones:\n%s", diff)
	}
	if few > 4 || many < prompts {
		t.Errorf("%d runs took %d commits, with effects %d", prompts, few, many)
	}
}

// A pure call that fails is tried again and then given up like any other, one whose executor
// does not know whether it is pure is made after the commit, one whose result is too large is
// made again there, and one that reaches for its session is refused.
func TestPureCallsThatAreNotJustDone(t *testing.T) {
	var calls atomic.Int64
	env, f := peers(t, func(c *worker.Config) {
		c.Executor = pure{func(ctx context.Context, run *executor.Run) (*executor.Result, error) {
			if run.Session != "other" {
				calls.Add(1)
			}
			switch run.Inputs[0].Text {
			case "fail":
				return nil, &executor.ApplyError{Cause: kernel.RuntimeApplyFailureCauseRuntimeTurn, Message: "asked to"}
			case "panic":
				panic("asked to")
			case "cancel":
				return nil, executor.ErrCancelled
			case "large":
				return &executor.Result{Text: strings.Repeat("x", subjects.MaxInlineData)}, nil
			case "reach", "act: reach":
				if _, err := run.Host.Do(ctx, executor.Action{ID: "a", Command: "send_message", Data: []byte(`{"to":"other","body":"hello"}`)}); err != nil {
					return nil, err
				}
			}
			return &executor.Result{Text: "ok"}, nil
		}}
	})
	for text, want := range map[string]struct {
		outcome string
		calls   int64
	}{
		"plain":         {"Completed", 1},
		"fail":          {"Abandoned", 3},
		"panic":         {"Abandoned", 3},
		"cancel":        {"Cancelled", 1},
		"large":         {"Completed", 2},
		"reach":         {"Abandoned", 3},
		"act: reach":    {"Completed", 1},
		"panic in Pure": {"Completed", 1},
	} {
		calls.Store(0)
		id := strings.NewReplacer(" ", "", ":", "").Replace(text)
		publish(t, env, id, "p", subjects.InputType("prompt"), `{"text":"`+text+`"}`)
		end := f.await(id, "end", func(h *happening) bool { return h.Name == "InputCompleted" })
		if got := end.field("terminal_outcome"); got != want.outcome || calls.Load() != want.calls {
			t.Errorf("%s: %s after %d calls, not %s after %d", text, got, calls.Load(), want.outcome, want.calls)
		}
	}
}

// A pure call may have actions in its result, and is told of operations that ended; a run
// with effects behind it waits for its commit and gets its turn.
func TestPureRunsAndOthersTakeTurns(t *testing.T) {
	var seen atomic.Value
	env, f := peers(t, func(c *worker.Config) {
		c.Executor = pure{func(ctx context.Context, run *executor.Run) (*executor.Result, error) {
			res, err := executor.Echo{}.Apply(ctx, run)
			if n := len(run.Completions); n > 0 && err == nil {
				seen.Store(run.Completions[n-1].DisplayName)
			}
			if run.Inputs[0].Text == "send" {
				res.Actions = append(res.Actions, executor.Action{Command: "send_message", Data: []byte(`{"to":"other","body":"hello"}`)})
			}
			return res, err
		}}
	})
	for i, text := range []string{"one", "act two", "three", "act four", "act five", "send"} {
		publish(t, env, "s", fmt.Sprint("p", i), subjects.InputType("prompt"), `{"text":"`+text+`"}`)
	}
	f.await("other", "message", func(h *happening) bool { return h.Name == "InputCompleted" })
	var order []string
	for _, h := range f.of("s", "InputCompleted") {
		order = append(order, h.field("input_id"))
	}
	if diff := cmp.Diff([]string{"p0", "p1", "p2", "p3", "p4", "p5"}, order); diff != "" {
		t.Error(diff)
	}
	for i, command := range []string{"register_operation", "start_operation", "complete_operation"} {
		data := `{"operation_id":"a"}`
		if i == 0 {
			data = `{"operation_id":"a","kind":"BackgroundToolOp","display_name":"dig"}`
		}
		send(t, env, "s", command, command, data)
		f.applied("s", command)
	}
	until(t, "a run is told of it", func() bool { return seen.Load() != nil })
	if seen.Load() != "dig" {
		t.Errorf("told of %v", seen.Load())
	}
	at, err := session.FoldForTest(t.Context(), stored(t, env), "s")
	if err != nil {
		t.Fatal(err)
	}
	refolds(t, env, "s")
	if at.Acted != 0 {
		t.Errorf("%d answers to actions are kept after their runs", at.Acted)
	}
}

// What an executor does to the data it is given is its own affair: they stand in the commit
// as they were sent.
func TestExecutorsOwnWhatTheyAreGiven(t *testing.T) {
	const sent = `{ "z" : 1, "text" : "hello",   "a" : 2 }`
	tidies := func(_ context.Context, run *executor.Run) (*executor.Result, error) {
		if err := run.Inputs[0].Data.Canonicalize(); err != nil {
			return nil, err
		}
		return &executor.Result{Content: run.Inputs[0].Data}, nil
	}
	for name, x := range map[string]executor.Executor{"pure": pure{tidies}, "effects": executor.Func(tidies)} {
		env := embeddedtest.Provisioned(t, "test", 1)
		f := follow(t, env, env.Namespace.FxSession("s"))
		start(t, env, func(c *worker.Config) { c.Executor, c.SnapshotEvery = x, 1 })
		for i := range 3 {
			publish(t, env, "s", fmt.Sprint("p", i), subjects.InputType("prompt"), sent)
		}
		f.await("s", "last end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "p2" })
		refolds(t, env, "s")
		for _, data := range session.AdmittedForTest(t.Context(), stored(t, env), "s") {
			if string(data) != sent {
				t.Errorf("%s: admitted is %s", name, data)
			}
		}
	}
}

// What waits for a run gets its answer in the commit that the run fills.
func TestARunThatFillsItsCommitLeavesNobodyWaiting(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	f := follow(t, env, env.Namespace.FxSession("s"))
	for i := range 2 {
		publish(t, env, "s", fmt.Sprint("p", i), subjects.InputType("prompt"), `{"text":"`+strings.Repeat("x", session.DefaultCommitBytes/2)+`"}`)
	}
	var first sync.Once
	start(t, env, func(c *worker.Config) {
		c.Executor = pure{func(context.Context, *executor.Run) (*executor.Result, error) {
			var res executor.Result
			first.Do(func() {
				res.Actions = []executor.Action{
					{Command: "register_operation", Data: []byte(`{"operation_id":"a","kind":"BackgroundToolOp"}`)},
					{Command: "wait_all", Data: []byte(`{"operation_ids":["a"]}`)},
				}
			})
			return &res, nil
		}}
	})
	f.await("s", "last end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "p1" })
	var in []string // which commits
	for _, h := range f.of("s", "InputCompleted", "CommandRejected") {
		commit, _, _ := strings.Cut(h.ID, ".")
		in = append(in, commit)
	}
	if len(in) != 3 || in[0] != in[1] || in[1] == in[2] {
		t.Errorf("the first run's end, its answer and the second's end are in commits %q", in)
	}
}
