//go:build unix

package integration

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	binaries   string   // the directory of the programs under test
	buildFlags []string // under the race detector they are built with it too
)

func TestMain(m *testing.M) {
	if dir, inside := os.LookupEnv(apartVariable); inside {
		binaries = dir
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "integration: loopback interface: %v: %s\n", err, out)
			os.Exit(1)
		}
	} else if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(binaries)
		os.Exit(code)
	}))
}

// prepare builds the programs. For the long tests it goes on where networks can be made,
// and does not return.
func prepare() (err error) {
	if binaries, err = os.MkdirTemp("", "kalahari-integration-"); err != nil {
		return err
	}
	if err := build(); err != nil {
		return err
	}
	if isLong() && lackedByNetworks() == "" {
		if code, err := apart(); err == nil {
			os.Exit(code)
		}
	}
	return nil
}

func build() error {
	out, err := exec.Command("go", append(append([]string{"build"}, buildFlags...),
		"-o", binaries+"/", "../embedded/cmd/nats-server", "../cmd/worker", "../cmd/gateway")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// process is a child of the test. Only what the test started is ever signalled.
type process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	log    string // the file with what it wrote; go test -artifacts keeps it
	exited chan struct{}
	http   string // a worker's private port
}

// run starts a program of ours on a host of the test's network, or with nil on this machine.
func run(t *testing.T, on *host, name, program string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, log: filepath.Join(t.ArtifactDir(), name+"."+strconv.FormatInt(time.Now().UnixMicro(), 36)+".log"), exited: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		t.Fatal(err)
	}
	p.cmd = on.command(filepath.Join(binaries, program), args...)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.SysProcAttr = out, out, childAttributes()
	p.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "NATS_") || strings.HasPrefix(v, "KALAHARI_") || strings.HasPrefix(v, "OTEL_")
	})
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait() // the exit code is asked for where it matters
		_ = out.Close()
	}()
	t.Cleanup(func() {
		p.kill()
		if len(p.lines("DATA RACE")) > 0 {
			t.Errorf("%s: the race detector has found something", p.name)
		}
		if t.Failed() {
			p.tell()
		}
	})
	return p
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// kill is kill -9. It may be called more than once.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may have ended by itself
	<-p.exited
}

// lines are those of its log that contain text.
func (p *process) lines(text string) []string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, text) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

// tell shows the end of what it complained about.
func (p *process) tell() {
	var bad []string
	for _, line := range p.lines("") {
		if !strings.Contains(line, `"level":"INFO"`) && !strings.Contains(line, `"level":"DEBUG"`) && !strings.Contains(line, "[INF]") && !strings.Contains(line, "trying to connect to route") {
			bad = append(bad, line)
		}
	}
	p.t.Logf("%s:\n%s", p.name, strings.Join(bad[max(0, len(bad)-30):], "\n"))
}

// get asks a worker's private port.
func (p *process) get(path string) (status int, body string) {
	client := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(p.http + path)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	data, _ := io.ReadAll(resp.Body) // a worker that dies meanwhile has no metrics
	return resp.StatusCode, string(data)
}

// metric sums a counter of a worker over its labels.
func (p *process) metric(name string) (sum float64) {
	p.t.Helper()
	_, body := p.get("/metrics")
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, name); ok && (rest[0] == ' ' || rest[0] == '{') {
			fields := strings.Fields(line)
			v, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			if err != nil {
				p.t.Fatalf("%s: %s: %v", p.name, line, err)
			}
			sum += v
		}
	}
	return sum
}
