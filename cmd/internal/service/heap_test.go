package service

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

var kept []byte

// A small heap is collected seldom, however much is allocated, and not never.
func TestTheCollectorIsSpared(t *testing.T) {
	t.Setenv("GOGC", "100") // undone afterwards
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
	spareCollector()
	if ballast != nil {
		t.Error("GOGC is set and not heeded")
	}
	plain := cycles()
	os.Unsetenv("GOGC")
	spareCollector()
	defer func() { ballast = nil }()
	spared := cycles()
	if spared == 0 || spared > 20 || plain < 4*spared {
		t.Errorf("a gigabyte was collected %d times, %d times without", spared, plain)
	}
}
