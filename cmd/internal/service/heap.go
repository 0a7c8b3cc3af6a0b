package service

import (
	"os"
	"runtime/debug"
)

// ballast counts as live memory to the garbage collector and is never touched, so it takes
// address space and no memory.
var ballast []byte

// ballastSize in bytes.
const ballastSize = 64 << 20

// SpareCollector makes the garbage collector wait for twice [ballastSize] more garbage. A
// fleet member keeps little and allocates much: by the runtime's own rule, that the heap may
// double, 30 MB of sessions are marked ten times a second, which is a tenth of its time. It
// does nothing if GOGC is set, or if GOMEMLIMIT leaves little room.
func SpareCollector() {
	if _, set := os.LookupEnv("GOGC"); !set && debug.SetMemoryLimit(-1) >= 8*ballastSize {
		ballast = make([]byte, ballastSize)
	}
}
