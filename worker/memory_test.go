package worker

import (
	"fmt"
	"runtime"
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
