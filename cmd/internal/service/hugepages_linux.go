//go:build linux && !race

package service

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// hugeHeap is how much of the heap may lie in huge pages, in bytes: the room that the
	// allocator fills first. It takes address space, and 2 MB of the runtime's tables.
	hugeHeap = 1 << 30
	// busyRate is from how many bytes allocated in a second on a process works.
	busyRate = 4 << 20
	// dearTouch is from when on the first touch of a page of 4 KiB is dear. It takes well
	// under a microsecond as a rule, and 14 where this was found out.
	dearTouch = 4 * time.Microsecond
)

// hugePages lets the heap have huge pages while this process works, until ctx ends. Go's
// runtime does not ask for them. A fleet member touches fresh memory with every input, and
// under some hypervisors the first touch of a page takes longer than all that is done with
// it; elsewhere small pages are no worse, or better (docs/performance.md).
//
// While it rests it has none, or the kernel would put back, page by page, what the runtime
// has given back of a heap that was larger once: khugepaged fills what has gaps.
func hugePages(ctx context.Context) {
	if restrain(false) != nil {
		return
	}
	room := make([]byte, hugeHeap)
	if unix.Madvise(room, unix.MADV_HUGEPAGE) != nil {
		return
	}
	debug.FreeOSMemory() // frees the room, which keeps the advice
	go restrainAtRest(ctx, time.Second)
}

// hugePagesOffered is false where there are none, where the kernel gives them unasked, and
// where so much address space may not be had: to ask for it would end the process.
func hugePagesOffered() bool {
	var space unix.Rlimit
	mode, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	strict, errStrict := os.ReadFile("/proc/sys/vm/overcommit_memory")
	return err == nil && strings.Contains(string(mode), "[madvise]") &&
		errStrict == nil && strings.TrimSpace(string(strict)) != "2" &&
		unix.Getrlimit(unix.RLIMIT_AS, &space) == nil && space.Cur == math.MaxUint64 && strconv.IntSize == 64
}

// pagesAreDear is whether this machine takes [dearTouch] to let a page be touched.
func pagesAreDear() bool { return touch() >= dearTouch }

// touch is how long the first touch of a page takes, 0 if that cannot be told.
func touch() time.Duration {
	const rounds, pages, size = 8, 16, 4096
	room, err := unix.Mmap(-1, 0, rounds*pages*size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return 0
	}
	defer func() { _ = unix.Munmap(room) }() // it is ours, and whole
	best := time.Hour                        // whoever else has the processor makes a round longer, never shorter
	for fresh := room; len(fresh) > 0; fresh = fresh[pages*size:] {
		began := time.Now()
		for i := 0; i < pages*size; i += size {
			fresh[i] = 1
		}
		best = min(best, time.Since(began))
	}
	return best / pages
}

// restrainAtRest looks at the pace of allocation, each time for the next.
func restrainAtRest(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	limit := uint64(busyRate * every.Seconds())
	for before, resting := allocated(), false; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := allocated()
		if rests := now-before < limit; rests != resting && restrain(rests) == nil {
			resting = rests
		}
		before = now
	}
}

func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// restrain takes huge pages from the whole process, or allows them again, whatever was
// advised. Those that it has stay.
func restrain(on bool) error {
	var disable uintptr
	if on {
		disable = 1
	}
	return unix.Prctl(unix.PR_SET_THP_DISABLE, disable, 0, 0, 0)
}
