//go:build !wasip1

package simulation

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	tries    = flag.Int("tries", 1, "run each seed until it fails, so often at most; with -exact, each time with the next chance")
	messages = flag.String("messages", "", "with -seeds=1: write all messages that were carried to this file")
)

// The promises of docs/protocol.md hold for every seed: one history per session, one
// outcome per input, what is published is what the log says, nothing waits for ever.
func TestSimulation(t *testing.T) {
	if *stride > 0 {
		share(t)
		return
	}
	n := *seeds
	if testing.Short() {
		n = min(n, 10)
	}
	began := time.Now()
	var all []*result
	switch {
	case *exact:
		all = runExactly(t, n)
	case n == 1:
		r := run(t, *from)
		for try := 1; try < *tries && len(r.Failures) == 0; try++ {
			r = run(t, *from)
		}
		all = []*result{r}
	default:
		all = distribute(t, n, min(n, runtime.NumCPU()))
	}
	sum := result{Befell: map[string]int{}, Answers: map[string]int{}}
	for _, r := range all {
		report(t, r)
		sum.Fake += r.Fake
		sum.Carried += r.Carried
		sum.Claims += r.Claims
		sum.Slowest = max(sum.Slowest, r.Slowest)
		for k, v := range r.Answers {
			sum.Answers[k] += v
		}
		for k, v := range r.Befell {
			sum.Befell[k] += v
		}
	}
	t.Logf("%d of %d seeds, %s in %s, %d messages, %d claims, %v; the slowest settled after %s", len(all), n,
		sum.Fake.Round(time.Second), time.Since(began).Round(time.Second), sum.Carried, sum.Claims, sum.Answers, sum.Slowest)
	if testing.Verbose() {
		for _, k := range slices.Sorted(maps.Keys(sum.Befell)) {
			t.Logf("%6d %s", sum.Befell[k], k)
		}
	}
}

// report shows what a seed came to, if it failed or was run alone.
func report(t *testing.T, r *result) {
	t.Helper()
	if len(r.Failures) == 0 && *seeds > 1 {
		return
	}
	for _, text := range r.Failures {
		t.Errorf("seed %d: %s", r.Seed, text)
	}
	if len(r.Failures) > 0 || testing.Verbose() {
		t.Logf("the log of seed %d:\n%s", r.Seed, strings.Join(r.Log, "\n"))
	}
	if *messages != "" && *seeds == 1 {
		if err := os.WriteFile(*messages, []byte(strings.Join(r.Messages, "\n")+"\n"), 0o600); err != nil {
			t.Error(err)
		}
	}
	if len(r.Failures) > 0 {
		again := fmt.Sprintf("go test ./integration/simulation -run TestSimulation -from=%d -seeds=1 -trouble=%s -v", r.Seed, *trouble)
		switch {
		case *exact:
			t.Logf("seed %d exactly once more: %s -exact -chance=%d", r.Seed, again, r.Chance)
		default:
			t.Logf("seed %d once more: %s -tries=10; where each run can be repeated: %s -exact -tries=20", r.Seed, again, again)
		}
	}
	t.Logf("seed %d: %s fake, %d messages, trace %016x, %d claims, %v, settled after %s", r.Seed, r.Fake, r.Carried, r.Trace, r.Claims, r.Answers, r.Slowest)
}

// patience is how long a process may take for the seed at which its budget ended.
const patience = 3 * time.Minute

// distribute runs n seeds in processes of their own, since each keeps to one thread.
func distribute(t *testing.T, n, processes int) (all []*result) {
	var mu sync.Mutex
	var children sync.WaitGroup
	for p := range processes {
		children.Go(func() {
			orders := append(orders(*from+uint64(p), n-p, processes), fmt.Sprint("-budget=", *budget))
			// One that hangs is told to show where.
			ctx, cancel := context.WithTimeout(t.Context(), *budget+patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, os.Args[0], orders...)
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
			cmd.WaitDelay = 10 * time.Second
			out, err := cmd.CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			all = append(all, results(out)...)
			if err != nil {
				t.Errorf("a process of the simulation: %v\n%s", err, out[max(0, len(out)-20_000):])
			}
		})
	}
	children.Wait()
	slices.SortFunc(all, func(a, b *result) int { return int(a.Seed) - int(b.Seed) })
	return all
}

// orders are the arguments of a child that runs every stride-th of n seeds.
func orders(from uint64, n, stride int) []string {
	return []string{
		"-test.run=^TestSimulation$", fmt.Sprint("-from=", from), fmt.Sprint("-seeds=", n), fmt.Sprint("-stride=", stride),
		fmt.Sprint("-trouble=", *trouble),
	}
}

// results reads what a child reports.
func results(out []byte) (all []*result) {
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var r result
		if text, ok := strings.CutPrefix(lines.Text(), resultMark); ok && json.Unmarshal([]byte(text), &r) == nil {
			all = append(all, &r)
		}
	}
	return all
}
