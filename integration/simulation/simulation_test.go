package simulation

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
)

var (
	seeds   = flag.Int("seeds", 240, "how many seeds to run")
	from    = flag.Uint64("from", 1, "the first seed")
	budget  = flag.Duration("budget", 75*time.Second, "start no further seed after this time")
	trouble = flag.Duration("trouble", time.Minute, "how long the faults go on, in fake time")
	tries   = flag.Int("tries", 1, "with -seeds=1: run the seed until it fails, so often at most")
	stride  = flag.Int("stride", 0, "internal: this process runs every stride-th seed, and reports to its parent")
)

func TestMain(m *testing.M) {
	flag.Parse()
	ats.Register() // its ticker must not be started inside a bubble
	os.Exit(m.Run())
}

// result is what one seed came to.
type result struct {
	Seed     uint64
	Failures []string
	Log      []string
	Trace    uint64
	Carried  int
	Fake     time.Duration
	Slowest  time.Duration // from the end of the trouble until the last input had ended
	Claims   int
	Befell   map[string]int
	Answers  map[string]int
}

// The promises of docs/protocol.md hold for every seed: one history per session, one
// outcome per input, what is published is what the log says, nothing waits for ever.
func TestSimulation(t *testing.T) {
	switch {
	case *stride > 0:
		share()
	case *seeds == 1:
		r := run(*from)
		for try := 1; try < *tries && len(r.Failures) == 0; try++ {
			r = run(*from)
		}
		report(t, r)
	default:
		n := *seeds
		if testing.Short() {
			n = min(n, 10)
		}
		distribute(t, n, min(n, runtime.NumCPU()))
	}
}

// run runs one seed in a bubble of its own.
func run(seed uint64) (r *result) {
	// One thread: what the goroutines do then depends on little but the seed.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	// A timer pool of nats.go is shared by the process, and a timer of one bubble is fatal
	// in another: the pool is emptied in between.
	runtime.GC()
	runtime.GC()
	ok := testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: fmt.Sprint("seed ", seed), F: func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, seed)
		synctest.Test(t, func(t *testing.T) { r = simulate(t, newPlan(seed, *trouble)) })
	}}})
	if r == nil {
		r = &result{Seed: seed}
	}
	if !ok && len(r.Failures) == 0 {
		r.Failures = []string{"the simulation itself failed; see above"}
	}
	return r
}

// report shows what a seed came to.
func report(t *testing.T, r *result) {
	t.Helper()
	for _, text := range r.Failures {
		t.Errorf("seed %d: %s", r.Seed, text)
	}
	if len(r.Failures) > 0 {
		t.Logf("seed %d once more: go test ./integration/simulation -run TestSimulation -from=%d -seeds=1 -tries=10 -trouble=%s -v", r.Seed, r.Seed, *trouble)
	}
	if len(r.Failures) > 0 || *seeds == 1 && testing.Verbose() {
		t.Logf("the log of seed %d:\n%s", r.Seed, strings.Join(r.Log, "\n"))
	}
	t.Logf("seed %d: %s fake, %d messages, trace %016x, %d claims, %v, settled after %s", r.Seed, r.Fake, r.Carried, r.Trace, r.Claims, r.Answers, r.Slowest)
}

const resultMark = "RESULT "

// share runs the seeds of this process and tells its parent what they came to.
func share() {
	debug.SetGCPercent(400)
	until := time.Now().Add(*budget)
	for i := 0; i < *seeds && time.Now().Before(until); i += *stride {
		seed := *from + uint64(i)
		fmt.Printf("\nSEED %d\n", seed)
		r := run(seed)
		if len(r.Failures) == 0 {
			r.Log = nil
		}
		line, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		fmt.Printf("\n%s%s\n", resultMark, line)
	}
}

// distribute runs n seeds in processes of their own, since each keeps to one thread.
func distribute(t *testing.T, n, processes int) {
	began := time.Now()
	var mu sync.Mutex
	var all []*result
	var children sync.WaitGroup
	for p := range processes {
		children.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSimulation$", fmt.Sprint("-from=", *from+uint64(p)),
				fmt.Sprint("-seeds=", n-p), fmt.Sprint("-stride=", processes), fmt.Sprint("-budget=", *budget), fmt.Sprint("-trouble=", *trouble))
			out, err := cmd.CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			lines := bufio.NewScanner(bytes.NewReader(out))
			lines.Buffer(nil, 64<<20)
			for lines.Scan() {
				var r result
				if text, ok := strings.CutPrefix(lines.Text(), resultMark); ok && json.Unmarshal([]byte(text), &r) == nil {
					all = append(all, &r)
				}
			}
			if err != nil {
				t.Errorf("a process of the simulation: %v\n%s", err, out[max(0, len(out)-20_000):])
			}
		})
	}
	children.Wait()
	slices.SortFunc(all, func(a, b *result) int { return int(a.Seed) - int(b.Seed) })
	sum := result{Befell: map[string]int{}, Answers: map[string]int{}}
	for _, r := range all {
		if len(r.Failures) > 0 {
			report(t, r)
		}
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
