package main

import (
	"bufio"
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The README's first command, as a process: a fleet, a first session answered, the page
// served, and an end on interrupt.
func TestDevAnswersItsFirstSession(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir() + "/kalahari"
	if err := os.Symlink(exe, bin); err != nil { // testscript's main answers to that name
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), bin, "dev", "--demo", "--sync", "relaxed",
		"--nats-port", "0", "--http", "127.0.0.1:0", "--data-dir", t.TempDir())
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	var url, server string
	answered := false
	lines := bufio.NewScanner(out)
	for !answered && lines.Scan() {
		line := lines.Text()
		if _, after, ok := strings.Cut(line, "gateway   "); ok {
			url = after
		}
		if _, after, ok := strings.Cut(line, "NATS      "); ok {
			server = after
		}
		answered = strings.Contains(line, "< Hello, Kalahari!")
	}
	if !answered {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("no answer came:\n%s", &stderr)
	}
	for _, path := range []string{"/", "/readyz", "/openapi.json", "/metrics"} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	// A page whose name was made to point to the loopback is not served.
	foreign, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	foreign.Host = "evil.example.com"
	if resp, err := http.DefaultClient.Do(foreign); err != nil {
		t.Error(err)
	} else if resp.Body.Close(); resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("for another host: %s", resp.Status)
	}
	// What looks at a fleet finds this one in order.
	for command, want := range map[string]string{
		"doctor":         "lead to the right one of 8 shards",
		"replay demo":    "each took the rule it took when it was committed",
		"session list":   "demo",
		"fleet":          "1 sessions owned",
		"replay -q demo": "Attached",
	} {
		look := exec.CommandContext(t.Context(), bin, strings.Fields(command)...)
		look.Env = append(os.Environ(), "NATS_URL="+server)
		if out, err := look.CombinedOutput(); err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, want %q in\n%s", command, err, want, out)
		}
	}
	// An operator holds a session, then all of them, and asks what does not get on.
	for _, step := range []struct{ command, want string }{
		{"session pause demo --reason upgrade", "CommandApplied"},
		{"publish demo --id held x", "held"},
		{"session show demo", "paused"},
		{"fleet --stuck", "every session gets on"}, // nobody waits for longer than the limit yet
		{"session resume demo", "CommandApplied"},
		{"session pause --all --reason upgrade", "are paused"},
		{"session resume --all", "goes on"},
	} {
		do := exec.CommandContext(t.Context(), bin, strings.Fields(step.command)...)
		do.Env = append(os.Environ(), "NATS_URL="+server)
		if out, err := do.CombinedOutput(); err != nil || !strings.Contains(string(out), step.want) {
			t.Errorf("%s: %v, want %q in\n%s", step.command, err, step.want, out)
		}
	}
	interrupted(t, bin, server)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until it ends
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v\n%s", err, &stderr)
	}
}

// interrupted interrupts a command that waits for an answer: whoever asked must not take that
// for one. A watch goes on until then, so it has done what it should.
func interrupted(t *testing.T, bin, server string) {
	t.Helper()
	run := func(command string) (*exec.Cmd, *bufio.Scanner) {
		t.Helper()
		c := exec.CommandContext(t.Context(), bin, strings.Fields(command)...)
		c.Env = append(os.Environ(), "NATS_URL="+server)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c, bufio.NewScanner(out)
	}
	end := func(c *exec.Cmd, want int) {
		t.Helper()
		if err := c.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		_ = c.Wait()
		if got := c.ProcessState.ExitCode(); got != want {
			t.Errorf("%s ended with %d after an interrupt, want %d", c, got, want)
		}
	}
	do := exec.CommandContext(t.Context(), bin, "session", "pause", "waits")
	do.Env = append(os.Environ(), "NATS_URL="+server)
	if out, err := do.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	publish, _ := run("publish waits x --wait")
	watch, events := run("watch waits --from-start --types InputAccepted")
	if !events.Scan() {
		t.Error("the watch ended by itself")
	}
	end(publish, 1)
	end(watch, 0)
}
