package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A bench removes its store whoever leaves: who reads its progress, or the terminal. After
// the latter, a table begins no further run.
func TestABenchLeavesNothingBehind(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir() + "/kalahari"
	if err := os.Symlink(exe, bin); err != nil { // testscript's main answers to that name
		t.Fatal(err)
	}
	// Under nohup SIGHUP is ignored, by children too; what is handled here is not.
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(hup) })
	for _, c := range []struct {
		name, args string
		exit       int
		then       func(*testing.T, *os.Process, io.ReadCloser)
	}{
		{"the reader leaves", "bench hot --inputs 5 --sync relaxed", 0, func(t *testing.T, _ *os.Process, r io.ReadCloser) {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}},
		{"the terminal goes", "bench table --sync relaxed", 1, func(t *testing.T, p *os.Process, r io.ReadCloser) {
			if err := p.Signal(syscall.SIGHUP); err != nil {
				t.Error(err)
			}
			if rest, err := io.ReadAll(r); err != nil || strings.Contains(string(rest), "roundtrip") {
				t.Errorf("it goes on: %s, %v", rest, err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store := t.TempDir()
			cmd := exec.CommandContext(t.Context(), bin, append(strings.Fields(c.args), "--data-dir", store)...)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			cmd.Stderr = w
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = w.Close() // it is the child's
			killer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
			defer killer.Stop()
			said, err := bufio.NewReaderSize(r, 16).ReadString('\n')
			if err != nil {
				t.Errorf("%q, %v", said, err)
			}
			c.then(t, cmd.Process, r)
			if err := cmd.Wait(); cmd.ProcessState.ExitCode() != c.exit {
				t.Errorf("%v, not exit status %d", err, c.exit)
			}
			left, err := os.ReadDir(store)
			if err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
