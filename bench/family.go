package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// Child says what a child process is to do. It reads it as JSON from its standard input,
// answers with one line on its standard output when it is ready, and ends when its
// standard input does: so it cannot outlive the run.
type Child struct {
	Role Role `json:"role"`
	// Cores the child may use at once.
	Cores int `json:"cores"`
	// Profile is the file for a CPU profile of the child's whole life, "" for none.
	Profile string `json:"profile,omitzero"`
	// Log makes the child write its log on its standard error.
	Log bool `json:"log,omitzero"`

	// Sync is how the server writes to the disk, which a worker may know.
	Sync embedded.Sync `json:"sync,omitzero"`

	// Of a server:
	DataDir string `json:"data_dir,omitzero"`

	// Of a whole run:
	Run *Config `json:"run,omitzero"`

	// Of a worker:
	URL       string `json:"url,omitzero"`
	Namespace string `json:"namespace,omitzero"`
	Name      string `json:"name,omitzero"`
	Delay     string `json:"delay,omitzero"` // a duration, as Go writes them
	Effects   bool   `json:"effects,omitzero"`
	Hibernate string `json:"hibernate,omitzero"`
}

// Role of a child process.
type Role string

// The roles.
const (
	RoleServer Role = "server"
	RoleWorker Role = "worker"
	RoleRun    Role = "run"   // of RunAlone
	roleBench  Role = "bench" // the parent
)

// ordered is how orders to children are written.
var ordered = jsonv1.FormatDurationAsNano(true)

// Spawn makes the command of a process that calls [Serve].
type Spawn func(ctx context.Context, role Role) (*exec.Cmd, error)

// Again is a Spawn that runs this very program with the given arguments and the role.
func Again(args ...string) Spawn {
	return func(ctx context.Context, role Role) (*exec.Cmd, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		return exec.CommandContext(ctx, self, append(args, string(role))...), nil
	}
}

// Serve is the life of a child process.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	var c Child
	if err := json.Unmarshal(line, &c, ordered); err != nil {
		return fmt.Errorf("child: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel() // standard input ends with the parent, however that ends
		for {
			if _, err := lines.ReadString('\n'); err != nil {
				return
			}
			// Each further line asks for memory that is not used to be given back, so that
			// what is left can be read off the process.
			runtime.GC() // what pools hold outlasts one collection
			debug.FreeOSMemory()
			if _, err := fmt.Fprintln(out, "freed"); err != nil {
				return
			}
		}
	}()
	runtime.GOMAXPROCS(c.Cores)
	if c.Profile != "" {
		stop, err := profile(c.Profile)
		if err != nil {
			return fmt.Errorf("child: %w", err)
		}
		defer stop()
	}
	log := slog.New(slog.DiscardHandler)
	if c.Log {
		log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return c.live(ctx, out, log)
}

// live does what the child is for until ctx ends.
func (c Child) live(ctx context.Context, out io.Writer, log *slog.Logger) error {
	switch c.Role {
	case RoleServer:
		return c.serve(ctx, out, log)
	case RoleWorker:
		return c.work(ctx, out, log)
	case RoleRun:
		return c.run(ctx, out)
	}
	return fmt.Errorf("child: there is no role %q", c.Role)
}

// profile writes a CPU profile to file until it is stopped.
func profile(file string) (stop func(), err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a profile cut short does not read
	}, nil
}

func (c Child) serve(ctx context.Context, out io.Writer, log *slog.Logger) error {
	s, err := embedded.Start(ctx, embedded.Options{Name: "kalahari-bench", Port: embedded.RandomPort, DataDir: c.DataDir, Sync: c.Sync, Logger: log})
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err := fmt.Fprintln(out, s.ClientURL()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (c Child) work(ctx context.Context, out io.Writer, log *slog.Logger) error {
	delay, err := time.ParseDuration(c.Delay)
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	hibernate, err := time.ParseDuration(c.Hibernate)
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	nc, err := connect.NATS{Server: c.URL}.Await(ctx, "kalahari-worker/"+c.Name, log)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ns, settings, err := (connect.Namespace{Namespace: c.Namespace}).Find(ctx, js)
	if err != nil {
		return err
	}
	w, err := worker.New(nc, ns, worker.Config{
		Name: c.Name, Executor: executor.Echo{Delay: delay, Effects: c.Effects}, Published: settings.Published, DrainTimeout: time.Second,
		HibernateAfter: hibernate, Capacity: 1 << 20, BatchEffects: c.Sync == embedded.SyncAlways, Logger: log,
	})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for w.Ready() != nil {
		select {
		case err := <-done:
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
	if _, err := fmt.Fprintln(out, "ready"); err != nil {
		return err
	}
	return <-done
}

// family is what a run has started: processes, or lodgers in the order they came.
type family struct {
	url     string
	dir     string
	server  *child
	workers []*child
	lodgers []*lodger
	hired   int
}

// raise starts a server and its workers.
func raise(ctx context.Context, cfg Config) (f *family, err error) {
	f = &family{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.end())
		}
	}()
	if f.dir, err = os.MkdirTemp(cfg.DataDir, "kalahari-bench-"); err != nil {
		return f, err
	}
	f.server, f.url, err = f.start(ctx, cfg, "server", Child{Role: RoleServer, DataDir: f.dir, Sync: cfg.Sync})
	if err != nil {
		return f, err
	}
	if err = provision(ctx, cfg, f.url); err != nil {
		return f, err
	}
	for range cfg.Workers {
		if err := f.hire(ctx, cfg); err != nil {
			return f, err
		}
	}
	return f, nil
}

// hire starts another worker.
func (f *family) hire(ctx context.Context, cfg Config) error {
	f.hired++
	name := "bench-" + strconv.Itoa(f.hired)
	file := "worker-" + strconv.Itoa(f.hired)
	w, _, err := f.start(ctx, cfg, file, Child{
		Role: RoleWorker, Sync: cfg.Sync, URL: f.url, Namespace: cfg.Namespace,
		Name: name, Delay: cfg.ExecutorDelay.String(), Effects: cfg.ExecutorEffects, Hibernate: cfg.HibernateAfter.String(),
	})
	if w != nil {
		w.name = name
		f.workers = append(f.workers, w)
	}
	return err
}

// start starts a process, or a lodger and no process, and waits until it says that it is
// ready. Files of it are called file.
func (f *family) start(ctx context.Context, cfg Config, file string, what Child) (c *child, line string, err error) {
	if !cfg.Embedded {
		what.Profile = cfg.profile(file)
		return bear(ctx, cfg, file, startTimeout, what)
	}
	l, line, err := lodge(ctx, cfg, file, what)
	if err == nil {
		f.lodgers = append(f.lodgers, l)
	}
	return nil, line, err
}

func provision(ctx context.Context, cfg Config, url string) error {
	nc, err := connect.NATS{Server: url}.Dial("kalahari-bench")
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ns, err := subjects.NewNamespace(cfg.Namespace, cfg.Shards)
	if err != nil {
		return err
	}
	return subjects.Provision(ctx, js, ns, subjects.Settings{Published: cfg.Published})
}

// profile is where a process's CPU profile goes, "" if none is wanted.
func (c Config) profile(name string) string {
	if c.ProfileDir == "" {
		return ""
	}
	return filepath.Join(c.ProfileDir, name+".pprof")
}

// pids are the processes by role.
func (f *family) pids() map[string][]int {
	pids := map[string][]int{}
	if f.server != nil {
		pids["server"] = []int{f.server.cmd.Process.Pid}
	}
	for _, w := range f.workers {
		pids["worker"] = append(pids["worker"], w.cmd.Process.Pid)
	}
	return pids
}

// end stops what was started, workers first, and removes the store.
func (f *family) end() error {
	var errs []error
	for _, l := range slices.Backward(f.lodgers) {
		errs = append(errs, l.end())
	}
	for _, w := range f.workers {
		errs = append(errs, w.end())
	}
	if f.server != nil {
		errs = append(errs, f.server.end())
	}
	if f.dir != "" {
		errs = append(errs, os.RemoveAll(f.dir))
	}
	return errors.Join(errs...)
}

// child is one process.
type child struct {
	role    Role
	name    string // of a worker
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	answers <-chan string // the lines it writes
	said    *tail
	log     *os.File // of what it says, nil for none
	killed  bool
}

// bear starts a process and waits for the first that it says.
func bear(ctx context.Context, cfg Config, file string, patience time.Duration, what Child) (*child, string, error) {
	cmd, err := cfg.Spawn(context.WithoutCancel(ctx), what.Role) // it is ended by end
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", what.Role, err)
	}
	what.Cores = cfg.cores(what.Role)
	c := &child{role: what.Role, cmd: cmd, said: &tail{}}
	cmd.Stderr = c.said
	if cfg.LogDir != "" {
		what.Log = true
		if c.log, err = os.Create(filepath.Join(cfg.LogDir, file+".log")); err != nil {
			return nil, "", fmt.Errorf("%s: %w", what.Role, err)
		}
		cmd.Stderr = io.MultiWriter(c.said, c.log)
	}
	if c.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	order, err := json.Marshal(what, ordered)
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("%s: %w", what.Role, err)
	}
	c.answers = linesOf(stdout)
	line := ""
	if _, err = c.stdin.Write(append(order, '\n')); err == nil {
		line, err = first(ctx, c.answers, patience)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s process: %w", what.Role, errors.Join(err, c.end()))
	}
	return c, line, nil
}

// linesOf are the lines that are read, until there is no more.
func linesOf(r io.Reader) <-chan string {
	lines := make(chan string, 1)
	go func() {
		defer close(lines)
		for words := bufio.NewScanner(r); words.Scan(); {
			lines <- words.Text()
		}
	}()
	return lines
}

// first is the first line that somebody says.
func first(ctx context.Context, lines <-chan string, patience time.Duration) (string, error) {
	select {
	case line, ok := <-lines:
		if !ok {
			return "", errors.New("ended before it was ready")
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	case <-time.After(patience):
		return "", fmt.Errorf("not ready after %v", patience)
	}
}

const (
	startTimeout = 30 * time.Second
	endTimeout   = 15 * time.Second
)

// kill is kill -9.
func (c *child) kill() error {
	c.killed = true
	return c.cmd.Process.Kill()
}

// free makes the process give back the memory it does not use, and waits for that.
func (c *child) free(ctx context.Context) error {
	if _, err := c.stdin.Write([]byte{'\n'}); err != nil {
		return fmt.Errorf("%s process: %w", c.role, err)
	}
	select {
	case _, ok := <-c.answers:
		if !ok {
			return fmt.Errorf("%s process ended: %s", c.role, c.said)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end closes the process's standard input and waits for its end.
func (c *child) end() error {
	_ = c.stdin.Close() // it may have ended
	late := time.AfterFunc(endTimeout, func() { _ = c.cmd.Process.Kill() })
	defer late.Stop()
	err := c.cmd.Wait()
	if c.log != nil {
		_ = c.log.Close() // nothing is held back
	}
	if err != nil && !c.killed {
		return fmt.Errorf("%s process: %w %s", c.role, err, c.said)
	}
	return nil
}

// tail keeps the end of what a process says.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - 4096; over > 0 {
		t.buf = t.buf[over:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
