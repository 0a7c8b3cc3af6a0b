package service

import (
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

var kept []byte

// A small heap is collected seldom, and however much is allocated the rule stays in force.
func TestTheCollectorIsSpared(t *testing.T) {
	t.Cleanup(func() { debug.SetGCPercent(100) })
	debug.SetGCPercent(100)
	cycles := func() uint64 {
		const gigabyte = 1 << 10
		s := []metrics.Sample{{Name: "/gc/cycles/automatic:gc-cycles"}}
		metrics.Read(s)
		before := s[0].Value.Uint64()
		for range gigabyte {
			kept = make([]byte, 1<<20)
		}
		metrics.Read(s)
		return s[0].Value.Uint64() - before
	}
	plain := cycles()
	adjust(100)
	spared := cycles()
	if spared == 0 || spared > 16 || plain < 4*spared {
		t.Errorf("a gigabyte was collected %d times, %d times without", spared, plain)
	}
}
