package worker_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/worker"
)

// A worker asks each shard's consumer for as much as it has room for, so it gets more than it
// can take. What it has no room for goes to the others, and not only after the ack wait.
func TestAFullWorkerKeepsNothingFromTheOthers(t *testing.T) {
	empty := func() { runtime.GC(); runtime.GC() } // see TestActivationIsFoundAgain
	empty()
	defer empty()
	synctest.Test(t, func(t *testing.T) {
		const shards = 8
		env := embeddedtest.Provisioned(t, "test", shards)
		ns := env.Namespace
		x := stubborn{make(chan struct{})}
		fleet(t, env, 1, func(c *worker.Config) {
			c.Capacity, c.Executor, c.SweepEvery = 1, x, time.Hour
		})
		accepted := outcomes(t, env, ns.Fx("guest", "InputAccepted"))
		publish(t, env, "guest", prompt("p", "x"))
		next(t, accepted)
		fleet(t, env, 1, func(c *worker.Config) {
			c.Executor, c.SweepEvery = executor.Echo{}, time.Hour
		})
		done := outcomes(t, env, "kalahari.test.*.fx.*.InputCompleted")
		for i, seen := 0, map[int]bool{}; len(seen) < shards; i++ {
			if id := fmt.Sprint("s", i); !seen[ns.Shard(id)] {
				seen[ns.Shard(id)] = true
				publish(t, env, id, prompt("p", "x"))
			}
		}
		late := time.After(2 * time.Second) // the ack wait is five
		for n := range shards {
			select {
			case <-done:
			case <-late:
				t.Fatalf("%d of %d sessions are kept waiting", shards-n, shards)
			}
		}
	})
}
