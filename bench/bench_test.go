package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// TestMain lets the test binary be the server and the workers of a run.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "bench-child" {
		if err := Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestPercentile(t *testing.T) {
	var values []time.Duration
	for i := range 100 {
		values = append(values, time.Duration(i+1))
	}
	for _, tt := range []struct {
		p    float64
		want time.Duration
	}{{0, 1}, {1, 1}, {50, 50}, {50.1, 51}, {95, 95}, {99, 99}, {99.9, 100}, {100, 100}} {
		if got := percentile(values, tt.p); got != tt.want {
			t.Errorf("p%v = %d, want %d", tt.p, got, tt.want)
		}
	}
	if percentile(nil, 50) != 0 || percentile(values[:1], 99) != 1 {
		t.Error("few values")
	}
}

func TestLedger(t *testing.T) {
	start := time.Now()
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	l := newLedger("b", 2, 1, 3)
	for session := range 2 {
		for n := range 4 {
			l.publish(session, n, at(n*10))
		}
	}
	end := func(session, n int, sequence uint64, ms int, first bool) {
		t.Helper()
		if got := l.end(l.id(session, n), sequence, true, at(ms)); got != first {
			t.Errorf("end(%d, %d) = %v", session, n, got)
		}
	}
	end(0, 0, 1, 5, true) // warm-up: no latency
	end(0, 1, 2, 12, true)
	end(0, 2, 3, 22, true)
	end(0, 2, 3, 23, false) // told again
	end(0, 2, 4, 23, false) // twice
	end(0, 3, 5, 32, true)
	end(1, 0, 1, 5, true)
	end(1, 2, 2, 24, true)
	end(1, 1, 3, 20, true) // after its successor
	for _, id := range []string{"", "c-0-0", "b-0", "b-2-0", "b-0-4", "b-0--1", "b-x-0"} {
		if l.end(id, 9, true, at(0)) {
			t.Errorf("%q was taken for one of ours", id)
		}
	}
	var r Report
	l.fill(&r, start)
	if r.Inputs != 6 || r.Duplicates != 1 || r.OrderViolations != 1 || r.NotCompleted != 0 || r.Missing != 1 {
		t.Errorf("%+v", r)
	}
	if r.P50MS != 2 || r.MaxMS != 10 || r.Seconds != 0.02 || r.InputsPerS != 250 {
		t.Errorf("%+v", r)
	}
	if !errors.Is(r.Err(), ErrBroken) {
		t.Errorf("broken promises are no error: %v", r.Err())
	}

	// The sequence alone may give a wrong order away.
	l = newLedger("b", 1, 0, 3)
	l.end(l.id(0, 0), 7, true, start)
	l.end(l.id(0, 1), 7, true, start)
	l.end(l.id(0, 2), 8, false, start)
	r = Report{}
	l.fill(&r, start)
	if r.OrderViolations != 1 || r.NotCompleted != 1 {
		t.Errorf("%+v", r)
	}
	if (&Report{}).Err() != nil {
		t.Error("nothing is wrong, yet an error")
	}

	// What was published again comes behind its successor, in its old place.
	l = newLedger("b", 1, 0, 4)
	l.publish(0, 0, start)
	l.publish(0, 1, start)
	l.publish(0, 2, start)
	l.end(l.id(0, 1), 8, true, start)
	l.end(l.id(0, 0), 7, true, start)
	r = Report{}
	l.fill(&r, start)
	if r.OrderViolations != 0 {
		t.Errorf("%+v", r)
	}
	// A run that is given up counts what it has sent.
	if r.Inputs != 3 || r.Missing != 1 {
		t.Errorf("%+v", r)
	}
}

// What has come otherwise than it should is told, even when all inputs have ended.
func TestWhatIsBrokenIsTold(t *testing.T) {
	b := &run{ledger: newLedger("b", 1, 0, 1)}
	if err := b.settle(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	b.broken(errNotJSON)
	if err := b.settle(t.Context(), 0); !errors.Is(err, errNotJSON) {
		t.Errorf("%v", err)
	}
}

func TestParseStat(t *testing.T) {
	const line = "42 (a (b) c) S 1 42 42 0 -1 4194560 1000 0 0 0 250 50 7 8 20 0 9 0 100 1 2"
	d, err := parseStat([]byte(line))
	if err != nil || d != 3*time.Second {
		t.Errorf("%v, %v", d, err)
	}
	for _, bad := range []string{"", "42 (a) S 1", "42 (a S 1 2 3 4 5 6 7 8 9 10 11 12 13 14"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestConfig(t *testing.T) {
	spawn := Again("bench-child")
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{}, "no workload"},
		{Config{Workload: Fanout}, "neither a server"},
		{Config{Workload: Hot, Sessions: 2, Spawn: spawn}, "one session"},
		{Config{Workload: Fanout, Inputs: -1, Spawn: spawn}, "inputs must be positive"},
		{Config{Workload: Fanout, Rate: -1, Spawn: spawn}, "rate"},
		{Config{Workload: Fanout, Cores: -1, Spawn: spawn}, "cores must be positive"},
		{Config{Workload: Cold, Inputs: 2, Spawn: spawn}, "one input"},
		{Config{Workload: Cold, Warm: true, Spawn: spawn}, "not active before"},
		{Config{Workload: Idle, Warm: true, Spawn: spawn}, "not active before"},
		{Config{Workload: Failover, Workers: 1, Spawn: spawn}, "two workers"},
		{Config{Workload: Soak, Server: connect.NATS{Server: "nats://127.0.0.1:1"}}, "processes of its own"},
		{Config{Workload: Idle, Embedded: true}, "not within one"},
		{Config{Workload: Failover, Embedded: true}, "not within one"},
		{Config{Workload: Fanout, Embedded: true, Server: connect.NATS{Server: "nats://127.0.0.1:1"}}, "a fleet that runs"},
	} {
		if _, err := Run(t.Context(), tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.cfg, err)
		}
	}
}

// The processes of a run share the machine. A server that waits for the disk has all of it.
func TestCores(t *testing.T) {
	all, half := runtime.NumCPU(), max(1, runtime.NumCPU()/2)
	for _, tt := range []struct {
		cfg                   Config
		server, worker, bench int
	}{
		{Config{Sync: embedded.SyncRelaxed}, half, half, half},
		{Config{Sync: embedded.SyncAlways}, all, half, half},
		{Config{Sync: embedded.SyncAlways, Cores: 7}, 7, 7, 7},
		{Config{Sync: embedded.SyncRelaxed, Embedded: true}, all, all, all},
	} {
		if s, w, b := tt.cfg.cores(RoleServer), tt.cfg.cores(RoleWorker), tt.cfg.cores(roleBench); s != tt.server || w != tt.worker || b != tt.bench {
			t.Errorf("%s, %d: %d, %d and %d cores", tt.cfg.Sync, tt.cfg.Cores, s, w, b)
		}
	}
	is := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(is)
	if err := Serve(t.Context(), strings.NewReader(fmt.Sprintf(`{"role":"none","cores":%d}`+"\n", is+1)), io.Discard); err == nil {
		t.Error("a child without a role")
	}
	if got := runtime.GOMAXPROCS(0); got != is+1 {
		t.Errorf("a child uses %d cores, and is to use %d", got, is+1)
	}
}

// A sweep's values are counted in, and a large one is not taken for the default.
func TestSweepValues(t *testing.T) {
	for _, over := range []Dimension{OverSessions, OverShards, OverPayload, OverWorkers} {
		for _, v := range []int{0, -1} {
			if _, err := Sweep(t.Context(), Config{}, over, []int{v}); err == nil || !strings.Contains(err.Error(), "must be positive") {
				t.Errorf("%s %d: %v", over, v, err)
			}
		}
	}
	var cfg Config
	if err := OverPayload.set(&cfg, 1<<40); err != nil || cfg.Sessions != 1 {
		t.Errorf("%d sessions, %v", cfg.Sessions, err)
	}
}

// That sessions stay in memory as long as they are to is no stall, however long that is.
func TestSessionsRestWhenTheirTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &run{Config: Config{Sessions: 3, HibernateAfter: time.Hour, Stall: time.Second}}
		start := time.Now()
		owned := func() int {
			if time.Since(start) < time.Hour {
				return 3
			}
			return 0
		}
		if err := b.rested(t.Context(), start, owned); err != nil {
			t.Error(err)
		}
		if err := b.rested(t.Context(), start, func() int { return 1 }); !errors.Is(err, ErrBroken) {
			t.Errorf("one stays for ever: %v", err)
		}
	})
}

// onLine calls a function when what is written begins with a text.
type onLine struct {
	text string
	call func()
}

func (o onLine) Write(p []byte) (int, error) {
	if strings.HasPrefix(string(p), o.text) {
		o.call()
	}
	return len(p), nil
}

// A worker that dies by itself is told, though another does its work.
func TestAWorkerThatDiesIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	var victim *exec.Cmd
	spawn := func(ctx context.Context, role Role) (cmd *exec.Cmd, err error) {
		victim, err = Again("bench-child")(ctx, role)
		return victim, err
	}
	kill := func() { _ = victim.Process.Kill() } // what follows tells whether it was
	_, err := Run(t.Context(), Config{
		Workload: Roundtrip, Sessions: 4, Inputs: 5, Workers: 2, Shards: 1, Raw: time.Millisecond,
		Sync: embedded.SyncRelaxed, DataDir: t.TempDir(), Spawn: spawn, Progress: onLine{"publishing", kill},
	})
	if err == nil || !strings.Contains(err.Error(), "worker process: signal: killed") {
		t.Errorf("%v", err)
	}
}

// A soak whose workers cannot be replaced ends there, not when its time is over.
func TestASoakThatCannotGoOnEnds(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	born, none := 0, errors.New("no more workers")
	spawn := func(ctx context.Context, role Role) (*exec.Cmd, error) {
		if born++; born > 3 { // the server and two workers
			return nil, none
		}
		return Again("bench-child")(ctx, role)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := Run(ctx, Config{
		Workload: Soak, Sessions: 4, Rate: 100, Duration: time.Hour, FaultEvery: 100 * time.Millisecond, Workers: 2, Shards: 1,
		Sync: embedded.SyncRelaxed, DataDir: t.TempDir(), Spawn: spawn,
	})
	if !errors.Is(err, none) || ctx.Err() != nil {
		t.Errorf("%v", err)
	}
}

// A fleet that runs is measured without a trace, but for the sessions. Nothing is said about
// its executors. An outcome that comes when all inputs have ended is noticed.
func TestAFleetThatRuns(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 1, embeddedtest.Listening())
	w, err := worker.New(env.Conn, env.Namespace, worker.Config{Name: "w", Executor: executor.Echo{}, Published: env.Settings.Published})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() {
		if err := w.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	again := func() {
		fx, err := env.JS.Stream(ctx, env.Namespace.FxStream(0))
		if err != nil {
			t.Error(err)
			return
		}
		m, err := fx.GetLastMsgForSubject(ctx, env.Namespace.FxName(0, terminal[0]))
		if err == nil {
			_, err = env.JS.PublishMsg(ctx, &nats.Msg{Subject: m.Subject, Header: nats.Header{"ce-sequence": {"999"}}, Data: m.Data})
		}
		if err != nil {
			t.Error(err)
		}
	}
	r, err := Run(ctx, Config{
		Workload: Fanout, Sessions: 2, Inputs: 2, Raw: 300 * time.Millisecond, Server: connect.NATS{Server: env.Server.ClientURL()},
		ExecutorDelay: time.Hour, ExecutorEffects: true, Progress: onLine{"measuring", again},
	})
	if !errors.Is(err, ErrBroken) || r == nil || r.Duplicates != 1 {
		t.Fatalf("%v %+v", err, r)
	}
	if r.Effects || r.DelayMS != 0 {
		t.Errorf("what was not asked is known: %+v", r)
	}
	fx, err := env.JS.Stream(ctx, env.Namespace.FxStream(0))
	if err != nil {
		t.Fatal(err)
	}
	for name := range fx.ConsumerNames(ctx).Name() {
		t.Errorf("the consumer %s is left behind", name)
	}
	for name := range env.JS.StreamNames(ctx).Name() {
		if strings.HasPrefix(name, "KALAHARI_BENCH_") {
			t.Errorf("the stream %s is left behind", name)
		}
	}
}

// A suite within one process has all workloads but those that look at processes.
func TestSuite(t *testing.T) {
	embedded := map[string]bool{}
	for _, w := range Suite(Config{Embedded: true}) {
		embedded[w.Name] = true
		if _, err := w.Config.withDefaults(); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
	}
	for _, w := range Suite(Config{}) {
		if w.Config.Workload == Failover == embedded[w.Name] {
			t.Errorf("%s, embedded: %t", w.Name, embedded[w.Name])
		}
	}
}

// A fleet that cannot begin within this process says why, and leaves nothing behind.
func TestALodgerThatCannotStart(t *testing.T) {
	dir := t.TempDir()
	_, err := Run(t.Context(), Config{Workload: Fanout, Embedded: true, Namespace: "no.dots", DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "no.dots") {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Config{Workload: Fanout, Embedded: true, DataDir: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A run within a process that is started for it is as good as one in this process.
func TestRunAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	cfg := Config{
		Workload: Fanout, Sessions: 10, Inputs: 3, Embedded: true, Shards: 2, Sync: embedded.SyncRelaxed, DataDir: t.TempDir(),
		Raw: 50 * time.Millisecond, Stall: 9 * time.Second, ExecutorDelay: 20 * time.Millisecond, Spawn: Again("bench-child"),
	}
	r, err := RunAlone(t.Context(), cfg)
	if err != nil || r.Inputs != 30 || !r.Embedded || r.P50MS < 20 || r.RawCASPerS <= 0 || r.Commits == 0 {
		t.Errorf("%v %+v", err, r)
	}
	cfg.Inputs = -1
	if _, err := RunAlone(t.Context(), cfg); err == nil || err.Error() != "inputs must be positive, not -1" {
		t.Errorf("%v", err)
	}
	cfg.Inputs = 3
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	cfg.ExecutorDelay = time.Minute // the end comes before an answer
	if _, err := RunAlone(ctx, cfg); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(cfg.DataDir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestRun measures a small fleet of real processes, and one within this process.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("starts processes")
	}
	for _, cfg := range []Config{
		{Workload: Fanout, Sessions: 20, Inputs: 5, Embedded: true, Workers: 2},
		{Workload: Fanout, Sessions: 20, Inputs: 5, Warm: true},
		{Workload: Hot, Inputs: 50, Concurrency: 8, Published: subjects.PublishNone},
		{Workload: Roundtrip, Sessions: 5, Inputs: 10, Rate: 1000, Workers: 2},
		{Workload: Accept, Sessions: 20, Inputs: 5},
		{Workload: Cold, Sessions: 20, Inputs: 1},
		{Workload: Idle, Sessions: 20, Inputs: 1, HibernateAfter: 5 * time.Second},
		{Workload: Failover, Sessions: 12, Inputs: 30},
		{Workload: Soak, Sessions: 30, Inputs: 10, Rate: 100, Duration: 3 * time.Second, FaultEvery: time.Second, Workers: 2, Warm: true},
	} {
		name, processes := string(cfg.Workload), 3
		if cfg.Embedded {
			name, processes = name+" embedded", 1
		}
		t.Run(name, func(t *testing.T) {
			cfg.Spawn, cfg.Sync, cfg.Shards, cfg.DataDir = Again("bench-child"), embedded.SyncRelaxed, 2, t.TempDir()
			cfg.Raw, cfg.Stall, cfg.LogDir = 50*time.Millisecond, 10*time.Second, t.TempDir()
			was := runtime.GOMAXPROCS(0)
			r, err := Run(t.Context(), cfg)
			if is := runtime.GOMAXPROCS(0); is != was {
				t.Errorf("the test may use %d cores after the run, and %d before", is, was)
			}
			if err != nil {
				t.Fatalf("%v\n%+v", err, r)
			}
			if want := max(1, cfg.Sessions) * cfg.Inputs; r.Inputs != want || r.InputsPerS <= 0 || r.P50MS <= 0 || r.P99MS < r.P50MS ||
				r.RawCASPerS <= 0 || r.Commits == 0 || r.CommitBytes == 0 || r.StoredPerS <= 0 {
				t.Errorf("%+v", r)
			}
			if us := r.CPUByProcess; runtime.GOOS == "linux" && (len(us) != processes || r.CPUPerInput < us["worker"] || r.CPUPerInput < us["bench"]) {
				t.Errorf("CPU time of some processes is not known: %v of %v", us, r.CPUPerInput)
			}
			switch cfg.Workload {
			case Idle:
				if r.Rest == nil || r.Rest.Active["all"] <= 0 || r.Rest.Disk <= 0 {
					t.Errorf("%+v", r.Rest)
				}
			case Failover:
				if r.Stall == nil || r.Stall.Sessions == 0 || r.Stall.MaxMS < 500 {
					t.Errorf("a crash that nobody noticed: %+v", r.Stall)
				}
			case Soak:
				if p := r.Proof; p == nil || p.Crashes == 0 || p.Commits < r.Inputs || p.Events < 5*r.Inputs || p.Claims <= cfg.Sessions {
					t.Errorf("%+v", p)
				}
			}
			for file, says := range map[string]string{"server": "Server is ready", "worker-1": "worker joined"} {
				log, err := os.ReadFile(filepath.Join(cfg.LogDir, file+".log"))
				if err != nil || !strings.Contains(string(log), says) {
					t.Errorf("%s.log does not say %q: %v", file, says, err)
				}
			}
			left, err := os.ReadDir(cfg.DataDir)
			if err != nil || len(left) != 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// A witness that has not read all there is proves nothing.
func TestTheWitnessReadsToTheEnd(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 1)
	w := newWitness(&run{Config: Config{Stall: 10 * time.Millisecond}, js: env.JS, ns: env.Namespace})
	w.quiet = time.Millisecond
	h := nats.Header{subjects.HeaderCommit: {"1"}, subjects.HeaderFence: {"1"}, subjects.HeaderPrev: {"0"}}
	if _, err := env.JS.PublishMsg(t.Context(), &nats.Msg{Subject: env.Namespace.Log("s"), Header: h}); err != nil {
		t.Fatal(err)
	}
	if err := w.caughtUp(t.Context()); err == nil || !strings.Contains(err.Error(), "up to 0 of 1") {
		t.Errorf("nothing was read: %v", err)
	}
	w.b.Stall = time.Minute
	stop, err := w.watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := w.caughtUp(t.Context()); err != nil || w.verdict().Commits != 1 {
		t.Errorf("%v, %+v", err, w.verdict())
	}
}

// A witness sees what is wrong with a chain and with what is published.
func TestWitness(t *testing.T) {
	w := newWitness(nil)
	for _, c := range []struct {
		now  link
		prev uint64
		ok   bool
	}{
		{link{1, 5, 1}, 0, true},
		{link{2, 9, 1}, 5, true},
		{link{2, 9, 1}, 5, true}, // read again
		{link{3, 12, 4}, 9, true},
		{link{5, 20, 4}, 12, false}, // a number is missing
		{link{6, 25, 4}, 19, false}, // another predecessor
		{link{7, 30, 3}, 25, false}, // an older fence
	} {
		if err := w.chained("s", c.now, c.prev); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, e := range []struct {
		n  uint64
		id string
		ok bool
	}{{1, "a", true}, {3, "c", true}, {2, "b", true}, {2, "b", true}, {3, "x", false}, {5, "e", true}} {
		if err := w.published("s", e.n, e.id); (err == nil) != e.ok {
			t.Errorf("%+v: %v", e, err)
		}
	}
	p := w.verdict()
	if p.Commits != 6 || p.Claims != 2 || p.Events != 4 || p.Repeats != 2 || p.Count != 1 || !strings.Contains(p.Wrong[0], "sequence 4") {
		t.Errorf("%+v", p)
	}
	if !errors.Is(p.err(), ErrBroken) {
		t.Error("what is wrong is no error")
	}
}
