//go:build linux && !race

package service

import (
	"bufio"
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hugeBytes is how much of this process lies in huge pages.
func hugeBytes(t *testing.T) int {
	t.Helper()
	f, err := os.Open("/proc/self/smaps_rollup")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), "AnonHugePages:"); ok {
			n, err := strconv.Atoi(strings.Fields(kb)[0])
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("smaps_rollup has no AnonHugePages")
	return 0
}

func TestTheHeapHasHugePagesWhileTheProcessWorks(t *testing.T) {
	if !hugePagesOffered() {
		t.Skip("this machine leaves no huge pages to programs: see hugePagesOffered")
	}
	const work = 64 << 20
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	t.Setenv("KALAHARI_HUGE_PAGES", "true")
	before := hugeBytes(t)
	if err := PrepareHeap(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() { ballast = nil }()
	kept = make([]byte, work)
	for i := 0; i < work; i += 4096 {
		kept[i] = 1
	}
	if huge := hugeBytes(t) - before; huge < work/2 {
		t.Errorf("%d of %d bytes lie in huge pages", huge, work)
	}
	kept = nil

	restrained := func() bool {
		v, err := unix.PrctlRetInt(unix.PR_GET_THP_DISABLE, 0, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return v == 1
	}
	for end := time.Now().Add(30 * time.Second); !restrained(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a process that rests has huge pages")
		}
	}
	for end := time.Now().Add(30 * time.Second); restrained(); {
		if time.Now().After(end) {
			t.Fatal("a process that works has no huge pages")
		}
		kept = make([]byte, 1<<20)
		runtime.Gosched()
	}
}

func TestHugePagesAreAskedForInWords(t *testing.T) {
	t.Setenv("KALAHARI_HUGE_PAGES", "maybe")
	if err := PrepareHeap(t.Context()); err == nil || !strings.Contains(err.Error(), "KALAHARI_HUGE_PAGES") {
		t.Errorf("got %v", err)
	}
}
