package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/kalahari-run/kalahari/bench"
	"github.com/kalahari-run/kalahari/embedded"
)

// BenchTable is the command bench table.
type BenchTable struct {
	Sync     string        `name:"sync" enum:"always,relaxed" default:"always" help:"When the server writes to the disk: always, before it acknowledges, or relaxed."`
	DataDir  string        `name:"data-dir" type:"existingdir" help:"Where the server's stores are made, and removed afterwards. Default: the directory for temporary files."`
	Stall    time.Duration `name:"stall" default:"30s" help:"Give up when nothing ends for so long."`
	Cores    int           `name:"cores" help:"Cores that each process may use at once. Default: half of the machine's, and all of them for a server with --sync always and with --embedded."`
	Embedded bool          `name:"embedded" help:"Server, workers and load of each run are one process, as in kalahari dev, not processes of their own; without failover, which kills one."`
	Runs     int           `name:"runs" default:"1" help:"Measure each workload so often, and show the one in the middle, by inputs/s, by p99 at a given rate, or by the longest stall: the first after a rest is slower on some machines."`
}

// Run measures all workloads, each on a fleet of its own, and goes on after one that fails.
func (c BenchTable) Run(e *Env) error {
	sync, err := embedded.ParseSync(c.Sync)
	if err != nil {
		return err
	}
	if c.Runs < 1 {
		return fmt.Errorf("--runs %d: at least one", c.Runs)
	}
	rows := [][]string{{"workload", "inputs/s", "p50 ms", "p95 ms", "p99 ms", "CPU µs", "server", "worker", "raw/s", "of raw", "wrong"}}
	var reports []*bench.Report
	var errs []error
	run := bench.Run
	if c.Embedded {
		run = bench.RunAlone
	}
	ctx, stop := e.tidy()
	defer stop()
	for _, w := range bench.Suite(bench.Config{Sync: sync, Embedded: c.Embedded, Cores: c.Cores, DataDir: c.DataDir, Stall: c.Stall, Spawn: bench.Again("bench-child")}) {
		if ctx.Err() != nil {
			break // interrupted: the others would only be started and ended
		}
		_, _ = fmt.Fprintln(e.Err, w.Name) // progress, told to a person who may have left
		var runs []*bench.Report
		for range c.Runs {
			if ctx.Err() != nil {
				break
			}
			r, err := run(ctx, w.Config)
			errs = append(errs, err)
			if r != nil {
				runs = append(runs, r)
			}
		}
		if len(runs) == 0 {
			continue
		}
		r := middle(runs)
		reports = append(reports, r)
		rows = append(rows, row(w.Name, r))
	}
	if errors.Join(errs...) == nil {
		errs = append(errs, ctx.Err()) // it may have come between two runs
	}
	if e.JSON {
		return errors.Join(append(errs, e.print(reports))...)
	}
	return errors.Join(append(errs, e.table(rows))...)
}

// middle is the run in the middle: of two, the slower.
func middle(runs []*bench.Report) *bench.Report {
	slices.SortFunc(runs, func(a, b *bench.Report) int {
		switch {
		case a.Stall != nil && b.Stall != nil:
			return cmp.Compare(b.Stall.MaxMS, a.Stall.MaxMS)
		case a.Rate > 0: // they are all as fast
			return cmp.Compare(b.P99MS, a.P99MS)
		}
		return cmp.Compare(a.InputsPerS, b.InputsPerS)
	})
	return runs[(len(runs)-1)/2]
}

func row(name string, r *bench.Report) []string {
	f := func(v float64, places int) string { return strconv.FormatFloat(v, 'f', places, 64) }
	of := func(process string) string {
		us, ok := r.CPUByProcess[process]
		if !ok { // it is part of another
			return "-"
		}
		return f(us, 0)
	}
	p50, p95, p99 := r.P50MS, r.P95MS, r.P99MS
	if r.Stall != nil {
		name += ": stall"
		p50, p95, p99 = r.Stall.P50MS, r.Stall.P95MS, r.Stall.P99MS
	}
	ofRaw := "-"
	if r.RawCASPerS > 0 {
		ofRaw = f(r.InputsPerS/r.RawCASPerS, 2)
	}
	return []string{
		name, f(r.InputsPerS, 0), f(p50, 2), f(p95, 2), f(p99, 2), f(r.CPUPerInput, 0), of("server"),
		of("worker"), f(r.RawCASPerS, 0), ofRaw, strconv.Itoa(r.Duplicates + r.OrderViolations + r.NotCompleted + r.Missing),
	}
}

// Sweep is the command bench sweep.
type Sweep struct {
	Over    bench.Dimension `arg:"" enum:"sessions,shards,payload,workers" help:"What varies: sessions, shards, payload or workers."`
	Values  []int           `name:"values" help:"The values, ascending. Default: a range that shows how cost grows."`
	SVG     string          `name:"svg" type:"path" help:"Draw the result into this file."`
	Sync    string          `name:"sync" enum:"always,relaxed" default:"relaxed" help:"When the server writes to the disk."`
	Cores   int             `name:"cores" help:"Cores that each process may use at once. Default: half of the machine's, and all of them for a server with --sync always."`
	DataDir string          `name:"data-dir" type:"existingdir" help:"Where the server's stores are made, and removed afterwards. Default: the directory for temporary files."`
}

// Run measures fanout at each value.
func (c Sweep) Run(e *Env) error {
	sync, err := embedded.ParseSync(c.Sync)
	if err != nil {
		return err
	}
	if len(c.Values) == 0 {
		c.Values = c.Over.Values()
	}
	ctx, stop := e.tidy()
	defer stop()
	points, err := bench.Sweep(ctx, bench.Config{Sync: sync, Cores: c.Cores, DataDir: c.DataDir, Spawn: bench.Again("bench-child"), Progress: e.Err}, c.Over, c.Values)
	if len(points) == 0 {
		return err
	}
	if c.SVG != "" {
		caption := fmt.Sprintf("%d cores, sync %s", points[0].Report.CPUs, sync)
		err = errors.Join(err, os.WriteFile(c.SVG, []byte(bench.Plot(c.Over, points, caption)), 0o644))
	}
	if e.JSON {
		return errors.Join(err, e.print(points))
	}
	rows := [][]string{{string(c.Over), "inputs/s", "p50 ms", "p95 ms", "p99 ms", "CPU µs", "server", "worker", "raw/s", "of raw", "wrong"}}
	for _, p := range points {
		rows = append(rows, row(strconv.Itoa(p.Value), p.Report))
	}
	return errors.Join(err, e.table(rows))
}
