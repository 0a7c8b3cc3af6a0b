package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// A session that makes a few commits and hibernates, over and over, does not keep them all:
// its log goes behind the horizon, and with it what a commit had in the object store.
func TestALogIsTrimmedOverManyTenures(t *testing.T) {
	const horizon = 12
	env := embeddedtest.Provisioned(t, "test", 1)
	e := stored(t, env)
	start(t, env, func(c *worker.Config) {
		c.FeedHorizon, c.HibernateAfter = horizon, time.Millisecond
		c.Executor = executor.Func(func(ctx context.Context, run *executor.Run) (*executor.Result, error) {
			res, err := executor.Echo{}.Apply(ctx, run)
			if err == nil && run.Inputs[0].ID == "p0" { // what is refused makes a commit of some 700 KiB
				for range 1000 {
					res.Actions = append(res.Actions, executor.Action{Command: strings.Repeat("x", 250)})
				}
			}
			return res, err
		})
	})
	live := func(i int) {
		t.Helper()
		publish(t, env, "s", fmt.Sprint("p", i), subjects.InputType("prompt"), `{"text":"x"}`)
		until(t, "the session rests", func() bool {
			at, err := session.FoldForTest(t.Context(), e, "s")
			if err != nil {
				return false // the log went on meanwhile
			}
			if _, taken := at.State.InputPhases.Lookup(fmt.Sprint("p", i)); !taken {
				return false
			}
			_, err = e.Store.Owners.Read(t.Context(), "s")
			return errors.Is(err, kv.ErrNotOwned)
		})
	}
	bodies := func() int {
		t.Helper()
		store, err := env.JS.ObjectStore(t.Context(), env.Namespace.BlobsBucket())
		if err != nil {
			t.Fatal(err)
		}
		status, err := store.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return int(status.Size())
	}
	live(0)
	if bodies() == 0 {
		t.Fatal("no commit has its body in the object store")
	}
	for i := range 10 {
		live(i + 1)
	}
	first, err := e.Log.From(t.Context(), "s", 1)
	if err != nil {
		t.Fatal(err)
	}
	tail, err := e.Log.Last(t.Context(), "s")
	if err != nil {
		t.Fatal(err)
	}
	if kept := tail.Number - first.Number; first.Number == 1 || kept < horizon || kept > 2*horizon {
		t.Errorf("commits %d to %d are left, the horizon is %d", first.Number, tail.Number, horizon)
	}
	if n := bodies(); n != 0 {
		t.Errorf("%d bytes of trimmed commits are left", n)
	}
}
