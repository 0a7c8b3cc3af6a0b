package simulation

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
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
	Chance   uint64 // in the machine: which of the seed's runs
	Failures []string
	Log      []string
	Messages []string // everything that was carried: when, on which connection and way, what
	Trace    uint64   // a hash of everything that was carried, logged and committed
	Carried  int
	Fake     time.Duration
	Slowest  time.Duration // from the end of the trouble until the last input had ended
	Claims   int
	Befell   map[string]int
	Answers  map[string]int
}

// run runs one seed in a bubble of its own.
func run(t *testing.T, seed uint64) *result {
	// One thread: what the goroutines do then depends on little but the seed.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	// A timer pool of nats.go is shared by the process, and a timer of one bubble is fatal
	// in another: the pool is emptied in between.
	runtime.GC()
	runtime.GC()
	r := &result{Seed: seed, Failures: []string{"the simulation itself failed; see above"}}
	t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, seed)
		synctest.Test(t, func(t *testing.T) { r = simulate(t, newPlan(seed, *trouble)) })
	})
	return r
}

const resultMark = "RESULT "

// share runs the seeds of this process and tells its parent what they came to.
func share(t *testing.T) {
	debug.SetGCPercent(400)
	until := time.Now().Add(*budget)
	for i := 0; i < *seeds && time.Now().Before(until); i += *stride {
		seed := *from + uint64(i)
		fmt.Printf("\nSEED %d\n", seed)
		r := run(t, seed)
		if len(r.Failures) == 0 && *seeds > 1 {
			r.Log, r.Messages = nil, nil
		}
		line, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		fmt.Printf("\n%s%s\n", resultMark, line)
	}
}
