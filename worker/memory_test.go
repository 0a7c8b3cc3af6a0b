package worker

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/kalahari-run/kalahari/ebb"
)

// Memory is given back once after a crowd has left, and not while it may come back.
func TestMemoryIsGivenBack(t *testing.T) {
	l := &life{}
	host := func(n int) {
		l.hosted = ebb.Map[string, *guest]{}
		for i := range n {
			l.hosted.Put(fmt.Sprint(i), &guest{})
		}
		l.crowd.grown(n)
	}
	collections := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumForcedGC
	}
	for i, step := range []struct {
		hosted int
		want   uint32 // collections it makes
	}{
		{4 * aCrowd, 0},
		{1, 0},
		{4 * aCrowd, 0},
		{aCrowd, 0},
		{aCrowd, 2},
		{aCrowd, 0},
		{aCrowd, 0},
		{aCrowd / 4, 0},
		{0, 2},
		{0, 0},
		{aCrowd - 1, 0},
		{0, 0},
		{0, 0},
	} {
		host(step.hosted)
		before := collections()
		l.giveBack()
		if got := collections() - before; got != step.want {
			t.Errorf("step %d, %d sessions: %d collections, want %d", i, step.hosted, got, step.want)
		}
		if l.hosted.Len() != step.hosted {
			t.Errorf("step %d: %d sessions are left of %d", i, l.hosted.Len(), step.hosted)
		}
	}
}

// A crowd that leaves is noticed once, until there is a larger one or memory was given back.
func TestCrowdLeavesOnce(t *testing.T) {
	var c crowd
	goes := func(from, to int) (noticed []int) {
		for n := 1; n <= from; n++ {
			c.grown(n)
		}
		for n := from - 1; n >= to; n-- {
			if c.leaves(n) {
				noticed = append(noticed, n)
			}
		}
		return noticed
	}
	for i, step := range []struct {
		from, to int
		want     []int
	}{
		{aCrowd - 1, 0, nil}, // no crowd
		{4 * aCrowd, aCrowd, []int{3 * aCrowd}},
		{4 * aCrowd, 0, nil}, // the same come and go
		{8 * aCrowd, 7 * aCrowd, nil},
		{8 * aCrowd, 0, []int{6 * aCrowd}},
	} {
		if got := goes(step.from, step.to); !slices.Equal(got, step.want) {
			t.Errorf("step %d: noticed at %v, want %v", i, got, step.want)
		}
	}
}
