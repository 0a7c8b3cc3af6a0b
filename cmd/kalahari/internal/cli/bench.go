package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
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
	Inputs        int           `name:"inputs" help:"Inputs of each session. Default 20; 5000 for hot; 50 for roundtrip; 60 for failover; always 1 for cold and idle."`
	Concurrency   int           `name:"concurrency" short:"c" help:"Inputs under way at once: published and not stored (fanout, default 4096), or not ended (hot, default 1; roundtrip, default 16)."`
	Payload       int           `name:"payload" default:"64" help:"Bytes of an input's text."`
	Kind          string        `name:"kind" default:"prompt" help:"Kind of the inputs. Prompts have a run each; those of external_event that wait together share one."`
	Rate          float64       `name:"rate" help:"Inputs published in a second. Default: as fast as it goes; 200 for cold, 1000 for idle, 300 for failover and soak."`
	Warm          bool          `name:"warm" help:"Activate every session before the clock starts. Not for cold and idle."`
	ExecutorDelay time.Duration `name:"executor-delay" help:"How long every run takes. Not with --url."`
	Effects       bool          `name:"executor-effects" help:"The executor counts as one whose calls have outside effects: each is made once the commit that staged its run is stored. Always so in failover and soak. Not with --url."`
	Sync          string        `name:"sync" enum:"always,relaxed" default:"always" help:"When the server writes to the disk: always, before it acknowledges, or relaxed. Not with --url."`
	Published     string        `name:"published" enum:"lifecycle,all,none" default:"lifecycle" help:"What becomes a message of its own. Not with --url."`
	Shards        int           `name:"shards" default:"8" help:"Shards. Not with --url."`
	Workers       int           `name:"workers" help:"Workers. Default 1; 3 for failover and soak. Not with --url."`
	Embedded      bool          `name:"embedded" help:"Server and workers are part of this process, as in kalahari dev, not processes of their own. Not with --url, nor for idle, failover and soak."`
	Cores         int           `name:"cores" help:"Cores that each process may use at once. Default: half of the machine's, and all of them for a server with --sync always and with --embedded. Not with --url."`
	Hibernate     time.Duration `name:"hibernate-after" help:"How long a session that owes nothing stays in memory. Default: the worker's; 30s for idle, 1s for soak. Not with --url."`
	DataDir       string        `name:"data-dir" type:"existingdir" help:"Where the server's store is made, and removed afterwards. Default: the directory for temporary files."`
	ProfileDir    string        `name:"profile-dir" type:"existingdir" help:"Where CPU profiles of server, workers and this process go, for go tool pprof. Not with --url."`
	LogDir        string        `name:"log-dir" type:"existingdir" help:"Where the logs of server and workers go, debug lines and stacks as well. Not with --url."`
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

// Accept is the command bench accept.
type Accept struct {
	Bench
	Sessions int `name:"sessions" default:"1000" help:"Sessions."`
}

// Cold is the command bench cold.
type Cold struct {
	Bench
	Sessions int `name:"sessions" default:"1000" help:"New sessions."`
}

// Idle is the command bench idle.
type Idle struct {
	Bench
	Sessions int `name:"sessions" default:"1000" help:"Sessions."`
}

// Failover is the command bench failover.
type Failover struct {
	Bench
	Sessions int         `name:"sessions" default:"100" help:"Sessions."`
	Fault    bench.Fault `name:"fault" enum:"crash,pause" default:"crash" help:"What happens to a worker: crash (kill -9) or pause (it hangs)."`
}

// Soak is the command bench soak.
type Soak struct {
	Bench
	Sessions   int           `name:"sessions" default:"200" help:"Sessions."`
	Duration   time.Duration `name:"duration" default:"1m" help:"How long inputs are published."`
	FaultEvery time.Duration `name:"fault-every" default:"20s" help:"How often a worker crashes and another joins; -1s for never."`
}

// Run measures.
func (c Accept) Run(e *Env) error {
	return c.run(e, bench.Config{Workload: bench.Accept, Sessions: c.Sessions})
}

// Run measures.
func (c Cold) Run(e *Env) error {
	return c.run(e, bench.Config{Workload: bench.Cold, Sessions: c.Sessions})
}

// Run measures.
func (c Idle) Run(e *Env) error {
	return c.run(e, bench.Config{Workload: bench.Idle, Sessions: c.Sessions})
}

// Run measures.
func (c Failover) Run(e *Env) error {
	return c.run(e, bench.Config{Workload: bench.Failover, Sessions: c.Sessions, Fault: c.Fault})
}

// Run measures.
func (c Soak) Run(e *Env) error {
	return c.run(e, bench.Config{Workload: bench.Soak, Sessions: c.Sessions, Duration: c.Duration, FaultEvery: c.FaultEvery})
}

// Run measures.
func (c Fanout) Run(e *Env) error {
	return c.run(e, bench.Config{Workload: bench.Fanout, Sessions: c.Sessions})
}

// Run measures.
func (c Hot) Run(e *Env) error { return c.run(e, bench.Config{Workload: bench.Hot}) }

// Run measures.
func (c Roundtrip) Run(e *Env) error {
	return c.run(e, bench.Config{Workload: bench.Roundtrip, Sessions: c.Sessions})
}

// run measures what cfg says, as the flags have it.
func (c Bench) run(e *Env, cfg bench.Config) error {
	sync, err := embedded.ParseSync(c.Sync)
	if err != nil {
		return err
	}
	cfg.Server, cfg.Namespace = connect.NATS{Server: c.URL, Context: c.Context}, c.Namespace
	cfg.Inputs, cfg.Concurrency, cfg.Payload, cfg.Kind, cfg.Rate, cfg.Warm = c.Inputs, c.Concurrency, c.Payload, c.Kind, c.Rate, c.Warm
	cfg.ExecutorDelay, cfg.ExecutorEffects, cfg.HibernateAfter, cfg.Sync, cfg.Published = c.ExecutorDelay, c.Effects, c.Hibernate, sync, subjects.PublishedSet(c.Published)
	cfg.Shards, cfg.Workers, cfg.Embedded, cfg.Cores = c.Shards, c.Workers, c.Embedded, c.Cores
	cfg.DataDir, cfg.ProfileDir, cfg.LogDir = c.DataDir, c.ProfileDir, c.LogDir
	cfg.Spawn, cfg.Stall, cfg.Progress = bench.Again("bench-child"), c.Stall, e.Err
	if e.JSON {
		cfg.Progress = io.Discard
	}
	ctx, stop := e.tidy()
	defer stop()
	r, err := bench.Run(ctx, cfg)
	if r == nil {
		return err
	}
	if e.JSON {
		return errors.Join(e.print(r), err)
	}
	return errors.Join(e.table(figures(r)), err)
}

// tidy is a context for runs that leave no store behind: they end in order when the terminal
// goes as well, and go on when who reads their progress does.
func (e *Env) tidy() (ctx context.Context, stop context.CancelFunc) {
	signal.Ignore(syscall.SIGPIPE)
	if signal.Ignored(syscall.SIGHUP) { // nohup
		return e.Context, func() {}
	}
	return signal.NotifyContext(e.Context, syscall.SIGHUP)
}

// figures are a report as a table. What was not measured has no row.
func figures(r *bench.Report) [][]string {
	f := func(format string, args ...any) string { return fmt.Sprintf(format, args...) }
	executor := "" // of another's fleet, nobody knows
	if r.Workers > 0 {
		executor = map[bool]string{true: ", by an executor with effects", false: ", by an executor without effects"}[r.Effects]
	}
	ended := f("%.0f inputs/s ended, ", r.InputsPerS)
	if r.Workload == bench.Accept {
		ended = "" // that is what the run does not wait for
	}
	rows := [][]string{
		{"workload", f("%s: %d inputs (%s) of %d bytes over %d sessions%s", r.Workload, r.Inputs, r.Kind, r.Payload, r.Sessions, executor)},
		{"throughput", f("%s%.0f inputs/s stored, in %.2f s", ended, r.StoredPerS, r.Seconds)},
		{"latency", f("p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, max %.2f ms", r.P50MS, r.P95MS, r.P99MS, r.MaxMS)},
		{"CPU", f("%.1f µs per input", r.CPUPerInput)},
	}
	for _, role := range []string{"server", "worker", "bench"} {
		if us, ok := r.CPUByProcess[role]; ok && !r.Embedded {
			rows = append(rows, []string{"", f("%.1f µs %s", us, role)})
		}
	}
	if len(r.CPUByProcess) == 0 {
		rows = rows[:len(rows)-1] // there is no /proc
	}
	if r.Embedded {
		rows = append(rows, []string{"cores", f("%d; server, worker and load are one process, which may use %d at once", r.CPUs, r.Cores)})
	} else if r.Cores > 0 {
		rows = append(rows, []string{"cores", f("%d; the server may use %d at once, any other process %d", r.CPUs, r.ServerCores, r.Cores)})
	}
	if s := r.Stall; s != nil {
		rows = append(rows, []string{"stall", f("of %d sessions of the worker that failed (%s), %d with inputs: p50 %.0f ms, p95 %.0f ms, p99 %.0f ms, max %.0f ms",
			s.Sessions, s.Fault, s.Stalled, s.P50MS, s.P95MS, s.P99MS, s.MaxMS)})
	}
	if m := r.Rest; m != nil {
		rows = append(rows,
			[]string{"active", f("%.1f KiB a session: %.1f worker, %.1f server", m.Active["all"]/1024, m.Active["worker"]/1024, m.Active["server"]/1024)},
			[]string{"at rest", f("%.1f KiB a session: %.1f worker, %.1f server; %.1f KiB on disk", m.AtRest["all"]/1024, m.AtRest["worker"]/1024, m.AtRest["server"]/1024, m.Disk/1024)})
	}
	if p := r.Proof; p != nil {
		rows = append(rows, []string{"proof", f("%d crashes; %d commits in whole chains, %d claims; %d events without a gap, %d published again; %d things wrong",
			p.Crashes, p.Commits, p.Claims, p.Events, p.Repeats, p.Count)})
		for _, wrong := range p.Wrong {
			rows = append(rows, []string{"", wrong})
		}
	}
	if r.Commits > 0 {
		rows = append(rows, []string{"commits", f("%d, %.2f per input, %d bytes each", r.Commits, r.CommitsPerInput, r.CommitBytes)})
	}
	if r.RawCASPerS > 0 {
		rows = append(rows, []string{"raw", f("%.0f compare-and-swap publishes/s of %d bytes, the same server", r.RawCASPerS, r.RawCASBytes)})
	}
	return append(rows, []string{"promises", f("%d duplicates, %d out of order, %d not completed, %d missing", r.Duplicates, r.OrderViolations, r.NotCompleted, r.Missing)})
}

// BenchChild is a process of a bench run.
type BenchChild struct {
	Role string `arg:"" help:"server or worker; for people who look at the process list."`
}

// Run serves until standard input ends.
func (BenchChild) Run(e *Env) error { return bench.Serve(e.Context, e.In, e.Out) }
