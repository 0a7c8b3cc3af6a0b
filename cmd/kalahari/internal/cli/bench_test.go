package cli

import (
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/bench"
)

// What people read says whether the executor has effects, where that is known, and nothing
// of what was not measured.
func TestFigures(t *testing.T) {
	text := func(r bench.Report) (all string) {
		for _, row := range figures(&r) {
			all += strings.Join(row, " ") + "\n"
		}
		return all
	}
	started := text(bench.Report{Workload: bench.Hot, Workers: 1, Effects: true, Commits: 2, RawCASPerS: 3, CPUByProcess: map[string]float64{"bench": 0}})
	for _, want := range []string{"by an executor with effects\n", "ended, ", "µs bench", "commits 2,", "raw 3 "} {
		if !strings.Contains(started, want) {
			t.Errorf("%q is not in\n%s", want, started)
		}
	}
	if pure := text(bench.Report{Workload: bench.Hot, Workers: 1}); !strings.Contains(pure, "by an executor without effects\n") {
		t.Error(pure)
	}
	for _, no := range []string{"executor", "ended", "CPU", "commits", "raw"} {
		if theirs := text(bench.Report{Workload: bench.Accept}); strings.Contains(theirs, no) {
			t.Errorf("%q is in\n%s", no, theirs)
		}
	}
}

// A table shows the run in the middle, whatever a workload is measured for.
func TestMiddle(t *testing.T) {
	fast := func(v float64) *bench.Report { return &bench.Report{InputsPerS: v, P99MS: 1} }
	paced := func(p99 float64) *bench.Report { return &bench.Report{InputsPerS: 200, Rate: 200, P99MS: p99} }
	stalled := func(ms float64) *bench.Report {
		return &bench.Report{InputsPerS: 300, Rate: 300, Stall: &bench.Stall{MaxMS: ms}}
	}
	for _, runs := range [][]*bench.Report{
		{fast(3), fast(1), fast(2)},
		{fast(3), fast(2)},
		{fast(2)},
		{paced(3), paced(1), paced(2)},
		{stalled(1), stalled(3), stalled(2)},
	} {
		if r := middle(runs); r.InputsPerS != 2 && r.P99MS != 2 && (r.Stall == nil || r.Stall.MaxMS != 2) {
			t.Errorf("of %d runs %+v", len(runs), r)
		}
	}
}
