package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kalahari-run/kalahari/bench"
	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/subjects"
)

// Bench is the flags of all workloads.
type Bench struct {
	URL           string        `name:"url" help:"NATS servers of a fleet that runs already. Default: start a server and workers for this run."`
	Context       string        `name:"context" help:"Context of the nats CLI, instead of --url or beside it."`
	Namespace     string        `name:"namespace" short:"n" default:"default" help:"Namespace."`
	Inputs        int           `name:"inputs" help:"Inputs of each session. Default 20; 5000 for hot; 50 for roundtrip."`
	Concurrency   int           `name:"concurrency" short:"c" help:"Inputs under way at once: published and not stored (fanout, default 4096), or not ended (hot, default 1; roundtrip, default 16)."`
	Payload       int           `name:"payload" default:"64" help:"Bytes of an input's text."`
	Rate          float64       `name:"rate" help:"Inputs published in a second. Default: as fast as it goes."`
	Warm          bool          `name:"warm" help:"Activate every session before the clock starts."`
	ExecutorDelay time.Duration `name:"executor-delay" help:"How long every run takes. Not with --url."`
	Sync          string        `name:"sync" enum:"always,relaxed" default:"always" help:"When the server writes to the disk: always, before it acknowledges, or relaxed. Not with --url."`
	Published     string        `name:"published" enum:"lifecycle,all,none" default:"lifecycle" help:"What becomes a message of its own. Not with --url."`
	Shards        int           `name:"shards" default:"8" help:"Shards. Not with --url."`
	Workers       int           `name:"workers" default:"1" help:"Worker processes. Not with --url."`
	DataDir       string        `name:"data-dir" type:"existingdir" help:"Where the server's store is made, and removed afterwards. Default: the directory for temporary files."`
	ProfileDir    string        `name:"profile-dir" type:"existingdir" help:"Where CPU profiles of server and workers go, for go tool pprof. Not with --url."`
	Stall         time.Duration `name:"stall" default:"30s" help:"Give up when nothing ends for so long."`
}

// Fanout is the command bench fanout.
type Fanout struct {
	Bench
	Sessions int `name:"sessions" default:"1000" help:"Sessions."`
}

// Hot is the command bench hot.
type Hot struct{ Bench }

// Roundtrip is the command bench roundtrip.
type Roundtrip struct {
	Bench
	Sessions int `name:"sessions" default:"100" help:"Sessions."`
}

// Run measures.
func (c Fanout) Run(e *Env) error { return c.run(e, bench.Fanout, c.Sessions) }

// Run measures.
func (c Hot) Run(e *Env) error { return c.run(e, bench.Hot, 1) }

// Run measures.
func (c Roundtrip) Run(e *Env) error { return c.run(e, bench.Roundtrip, c.Sessions) }

func (c Bench) run(e *Env, workload bench.Workload, sessions int) error {
	sync, err := embedded.ParseSync(c.Sync)
	if err != nil {
		return err
	}
	cfg := bench.Config{
		Workload: workload, Server: connect.NATS{Server: c.URL, Context: c.Context}, Namespace: c.Namespace,
		Sessions: sessions, Inputs: c.Inputs, Concurrency: c.Concurrency, Payload: c.Payload, Rate: c.Rate, Warm: c.Warm,
		ExecutorDelay: c.ExecutorDelay, Sync: sync, Published: subjects.PublishedSet(c.Published), Shards: c.Shards,
		Workers: c.Workers, DataDir: c.DataDir, ProfileDir: c.ProfileDir, Spawn: bench.Again("bench-child"), Stall: c.Stall, Progress: e.Err,
	}
	if e.JSON {
		cfg.Progress = io.Discard
	}
	r, err := bench.Run(e.Context, cfg)
	if r == nil {
		return err
	}
	if e.JSON {
		return errors.Join(e.print(r), err)
	}
	return errors.Join(e.figures(r), err)
}

func (e *Env) figures(r *bench.Report) error {
	f := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	rows := [][]string{
		{"workload", f("%s: %d inputs of %d bytes over %d sessions", r.Workload, r.Inputs, r.Payload, r.Sessions)},
		{"throughput", f("%.0f inputs/s ended, %.0f inputs/s stored, in %.2f s", r.InputsPerS, r.StoredPerS, r.Seconds)},
		{"latency", f("p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.2f ms", r.P50MS, r.P95MS, r.P99MS, r.MaxMS)},
		{"CPU", f("%.1f µs per input", r.CPUPerInput)},
	}
	for _, role := range []string{"server", "worker", "bench"} {
		if us, ok := r.CPUByProcess[role]; ok {
			rows = append(rows, []string{"", f("%.1f µs %s", us, role)})
		}
	}
	rows = append(rows,
		[]string{"commits", f("%d, %.2f per input, %d bytes each", r.Commits, r.CommitsPerInput, r.CommitBytes)},
		[]string{"raw", f("%.0f compare-and-swap publishes/s of %d bytes, the same server", r.RawCASPerS, r.RawCASBytes)},
		[]string{"promises", f("%d duplicates, %d out of order, %d not completed, %d missing", r.Duplicates, r.OrderViolations, r.NotCompleted, r.Missing)},
	)
	return e.table(rows)
}

// BenchChild is a process of a bench run.
type BenchChild struct {
	Role string `arg:"" help:"server or worker; for people who look at the process list."`
}

// Run serves until standard input ends.
func (BenchChild) Run(e *Env) error { return bench.Serve(e.Context, e.In, e.Out) }
