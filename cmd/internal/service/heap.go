package service

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
)

// PrepareHeap suits the heap of a process to a fleet member that begins: huge pages, where
// they help, and a collector that is spared. KALAHARI_HUGE_PAGES, true or false, decides
// instead of a look at the machine. ctx is the process's. An error names the variable.
func PrepareHeap(ctx context.Context) error {
	var huge bool
	if v := os.Getenv("KALAHARI_HUGE_PAGES"); v == "" {
		huge = hugePagesOffered() && pagesAreDear()
	} else if asked, err := strconv.ParseBool(v); err != nil {
		return fmt.Errorf("KALAHARI_HUGE_PAGES: %q is neither true nor false", v)
	} else {
		huge = asked && hugePagesOffered()
	}
	if huge {
		hugePages(ctx)
	}
	spareCollector()
	return nil
}

// ballast counts as live memory to the garbage collector and is never touched, so it takes
// address space and no memory.
var ballast []byte

// ballastSize in bytes.
const ballastSize = 64 << 20

// spareCollector makes the garbage collector wait for twice [ballastSize] more garbage. A
// fleet member keeps little and allocates much: by the runtime's own rule, that the heap may
// double, 30 MB of sessions are marked ten times a second, which is a tenth of its time. It
// does nothing if GOGC is set, or if GOMEMLIMIT leaves little room.
func spareCollector() {
	if _, set := os.LookupEnv("GOGC"); !set && debug.SetMemoryLimit(-1) >= 8*ballastSize {
		ballast = make([]byte, ballastSize)
	}
}
