package kernel_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// taken collects the rules that transcripts and vectors have taken, by full name.
var (
	takenMu sync.Mutex
	taken   = map[string]int{}
)

func noteTaken(rule string) {
	takenMu.Lock()
	taken[rule]++
	takenMu.Unlock()
}

// TestMain checks, after a run of the whole suite, that no declared rule was left out.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && wholeSuite() {
		if missed := neverTaken(); len(missed) > 0 {
			fmt.Printf("%d rules are taken by no transcript and no vector:\n  %s\n", len(missed), strings.Join(missed, "\n  "))
			code = 1
		}
	}
	os.Exit(code)
}

// wholeSuite reports whether the flags leave no test out.
func wholeSuite() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

// neverTaken lists the declared rules that were not taken in any of their phases.
func neverTaken() []string {
	takenMu.Lock()
	defer takenMu.Unlock()
	var missed []string
	for _, t := range declaration.Machine().Triggers {
		for _, r := range t.Rules {
			if !slices.ContainsFunc(r.FullNames(), func(name string) bool { return taken[name] > 0 }) {
				missed = append(missed, r.Name+", for "+t.Name)
			}
		}
	}
	return missed
}
