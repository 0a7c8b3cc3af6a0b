//go:build linux && !race

package service

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// counter is a number that the kernel keeps under name, one a line.
func counter(t *testing.T, file, name string) int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if word := strings.Fields(lines.Text()); word[0] == name {
			n, err := strconv.Atoi(word[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s has no %s", file, name)
	return 0
}

// hugeBytes is how much of this process lies in huge pages.
func hugeBytes(t *testing.T) int {
	return counter(t, "/proc/self/smaps_rollup", "AnonHugePages:") << 10
}

// without is how often the kernel had none to give.
func without(t *testing.T) int { return counter(t, "/proc/vmstat", "thp_fault_fallback") }

func TestTheHeapHasHugePagesWhileTheProcessWorks(t *testing.T) {
	if !hugePagesOffered() {
		t.Skip("this machine leaves no huge pages to programs: see hugePagesOffered")
	}
	if os.Getenv("KALAHARI_TEST_FRESH") == "" { // what other tests left of their heap has no advice
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), "KALAHARI_TEST_FRESH=true")
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	const work = 64 << 20
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	t.Setenv("KALAHARI_HUGE_PAGES", "true")
	before, refused := hugeBytes(t), without(t)
	if err := PrepareHeap(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() { ballast = nil }()
	kept = make([]byte, work)
	for i := 0; i < work; i += 4096 {
		kept[i] = 1
	}
	if huge := hugeBytes(t) - before; huge < work/2 {
		if without(t) > refused {
			t.Skipf("the kernel has no huge pages left: %d of %d bytes lie in such", huge, work)
		}
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

func TestWhatTheTouchOfAPageTakes(t *testing.T) {
	if took := touch(); took <= 0 || took > time.Millisecond {
		t.Errorf("got %v", took)
	}
}

func TestHugePagesAreAskedForInWords(t *testing.T) {
	t.Setenv("KALAHARI_HUGE_PAGES", "maybe")
	if err := PrepareHeap(t.Context()); err == nil || !strings.Contains(err.Error(), "KALAHARI_HUGE_PAGES") {
		t.Errorf("got %v", err)
	}
}
