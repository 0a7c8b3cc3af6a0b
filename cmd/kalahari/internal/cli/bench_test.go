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
