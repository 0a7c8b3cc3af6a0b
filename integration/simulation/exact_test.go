//go:build !wasip1

package simulation

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/integration/simulation/machine"
)

var (
	exact  = flag.Bool("exact", false, "run the seeds in a computer without chance: what fails there fails there again, step by step. About six times slower")
	chance = flag.Uint64("chance", 0, "with -exact: which of its possible runs a seed takes")
)

// runExactly runs n seeds in the machine, as many at a time as there are CPUs.
func runExactly(t *testing.T, n int) []*result {
	m := build(t)
	until := time.Now().Add(*budget)
	all := make([]*result, n)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, runtime.NumCPU()) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && time.Now().Before(until); i = int(next.Add(1)) - 1 {
				for try := range *tries {
					r, _, err := once(t.Context(), m, *from+uint64(i), *chance+uint64(try))
					if err != nil {
						t.Error(err)
						return
					}
					if all[i] = r; len(r.Failures) > 0 {
						break
					}
				}
			}
		})
	}
	workers.Wait()
	for i, r := range all {
		if r == nil {
			return all[:i]
		}
	}
	return all
}

func build(t *testing.T) *machine.Machine {
	t.Helper()
	m, err := machine.Build(t.Context(), ".", "test", "-c")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close(context.Background()) })
	return m
}

// once runs one seed in the machine.
func once(ctx context.Context, m *machine.Machine, seed, chance uint64) (*result, *machine.Outcome, error) {
	dir, err := os.MkdirTemp("", "simulation")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	o, err := m.Run(ctx, chance, dir, orders(seed, 1, 1)...)
	if err != nil {
		return nil, nil, fmt.Errorf("seed %d: %w", seed, err)
	}
	r := &result{Seed: seed, Failures: []string{"the simulation itself failed"}}
	if all := results(o.Stdout); len(all) == 1 {
		r = all[0]
	} else {
		r.Failures = append(r.Failures, fmt.Sprintf("exit %d\n%s\n%s", o.Exit, o.Stdout, o.Stderr))
	}
	r.Chance = chance
	return r, o, nil
}

// A seed is the same in the machine each time: every message with its time and all its
// bytes, every line of every log, every commit, how often the clock was read and how much
// chance was drawn. And it is another run with another chance: the comparison sees a
// difference when there is one.
func TestReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles the simulation for WebAssembly, which takes half a minute of CPU time")
	}
	m := build(t)
	for _, seed := range []uint64{1, 3, 7} { // 1 stores in files and restarts the server
		var first *result
		var outcome *machine.Outcome
		for try, chance := range []uint64{seed, seed, seed + 1} {
			r, o, err := once(t.Context(), m, seed, chance)
			switch {
			case err != nil:
				t.Fatal(err)
			case try == 0:
				first, outcome = r, o
				report(t, r)
			case try == 1:
				if diff := cmp.Diff(first, r); diff != "" {
					t.Errorf("seed %d differs from itself:\n%s", seed, diff)
				} else if diff := cmp.Diff(outcome, o); diff != "" {
					t.Errorf("seed %d: the machine's outcome differs:\n%s", seed, diff)
				}
			case r.Trace == first.Trace:
				t.Errorf("seed %d: another chance, and the same trace %016x", seed, r.Trace)
			}
		}
		t.Logf("seed %d: %d messages, trace %016x, the clock was read %d times, %d random bytes", seed, first.Carried, first.Trace, outcome.Readings, outcome.Drawn)
	}
}
