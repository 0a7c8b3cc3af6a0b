package service

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapFloor is how many bytes a process allocates between two collections, at least; a
// quarter of GOMEMLIMIT if that is less. A fleet member keeps little and allocates much: by
// the runtime's own rule, that the heap may double, 30 MB of sessions are marked ten times a
// second, which is a tenth of its time.
const heapFloor = 128 << 20

// SpareCollector makes the garbage collector wait for heapFloor, whatever lives. Beyond that
// much the runtime's rule holds. It does nothing if GOGC is set; GOMEMLIMIT is heeded in any
// case.
func SpareCollector() {
	if _, set := os.LookupEnv("GOGC"); !set {
		adjust(100)
	}
}

// adjust sets the percentage of growth for what lives now, and again after every collection.
func adjust(was int) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := 100
	floor := min(heapFloor, uint64(debug.SetMemoryLimit(-1))/4)
	if n := live[0].Value.Uint64(); n < floor {
		percent = int(floor * 100 / max(n, 1<<20))
	}
	if percent > was+was/8 || percent < was-was/8 {
		debug.SetGCPercent(percent)
		was = percent
	}
	// What nothing refers to is finalized by the next collection.
	runtime.SetFinalizer(&struct{ _ [16]byte }{}, func(any) { adjust(was) })
}
