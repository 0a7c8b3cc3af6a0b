//go:build linux

package integration

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// What an acknowledgement means (PROTOCOL 35), as the kernel sees it: with `sync_interval:
// always` the server answers after fsync of the file that holds the message, and with
// JetStream's default before.
func TestAnAckWaitsForTheDisk(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	for _, c := range []struct {
		name, setting string
		synced        bool
	}{
		{"always", "sync_interval: always", true},
		{"relaxed", "sync_interval: 2m", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1)
			n := &node{w: w, name: "nats-server", addr: freeAddress(t), store: t.TempDir()}
			n.configure(`jetstream: {store_dir: %q, %s}`, n.store, c.setting)
			w.nodes, w.addr = []*node{n}, n.addr
			n.serve()
			w.open(subjects.Settings{})
			l := w.ledger()
			trace := n.trace(func() {
				for i := range 5 {
					if err := l.publish(t.Context(), "s", prompt(fmt.Sprintf("traced-%d", i), "x")); err != nil {
						t.Fatal(err)
					}
				}
			})
			for i := range 5 {
				stored, synced, acked := trace.story(fmt.Sprintf("traced-%d", i), fmt.Sprintf(`\"seq\":%d`, i+1))
				if stored < 0 || acked < stored {
					t.Fatalf("message %d: stored in line %d, acknowledged in line %d of the trace", i, stored, acked)
				}
				if got := synced > stored && synced < acked; got != c.synced {
					t.Errorf("message %d: stored in line %d, synced in line %d, acknowledged in line %d", i, stored, synced, acked)
				}
			}
		})
	}
}

// systemCalls are the lines of strace.
type systemCalls []string

// trace watches a server write, sync and answer.
func (n *node) trace(during func()) (calls systemCalls) {
	t := n.w.t
	t.Helper()
	file := filepath.Join(t.TempDir(), "trace")
	cmd := exec.Command("strace", "-f", "-y", "-s", "2048", "-e", "trace=write,writev,pwrite64,fsync,fdatasync",
		"-o", file, "-p", fmt.Sprint(n.cmd.Process.Pid))
	cmd.SysProcAttr = childAttributes()
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	attached := false
	for lines := bufio.NewScanner(said); !attached && lines.Scan(); {
		if strings.Contains(lines.Text(), "Operation not permitted") {
			_ = cmd.Wait() // it has failed
			t.Skip("strace may not attach to processes here")
		}
		attached = strings.Contains(lines.Text(), "attached")
	}
	during()
	time.Sleep(100 * time.Millisecond) // what follows the last answer does no harm
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it ends by the signal
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(data), "\n")
}

// story finds, from the call that stores a text on, the end of the next sync of a file
// of messages, and the call that answers. What is not there is -1.
func (calls systemCalls) story(text, answer string) (stored, synced, acked int) {
	at := func(from int, ok func(string) bool) int {
		if i := slices.IndexFunc(calls[from:], ok); i >= 0 {
			return from + i
		}
		return -1
	}
	block := func(line string) bool { return strings.Contains(line, ".blk>") }
	sync := func(line string) bool { return strings.Contains(line, "sync(") && block(line) }
	stored = at(0, func(line string) bool { return block(line) && !sync(line) && strings.Contains(line, text) })
	if stored < 0 {
		return stored, -1, -1
	}
	acked = at(stored, func(line string) bool { return strings.Contains(line, answer) && !block(line) })
	synced = at(stored, sync)
	if synced >= 0 && strings.Contains(calls[synced], "unfinished") {
		thread, _, _ := strings.Cut(calls[synced], " ")
		synced = at(synced+1, func(line string) bool {
			return strings.HasPrefix(line, thread+" ") && strings.Contains(line, "sync resumed")
		})
	}
	return stored, synced, acked
}
