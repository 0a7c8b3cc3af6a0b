package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"

	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// Run carries out a workload. If the report is not nil, it is what was measured up to the
// error.
func Run(ctx context.Context, cfg Config) (report *Report, err error) {
	if cfg, err = cfg.withDefaults(); err != nil {
		return nil, err
	}
	at := target{dial: cfg.Server, processes: map[string][]int{string(roleBench): {self()}}}
	if cfg.started() {
		if at.family, err = raise(ctx, cfg); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, at.family.end()) }()
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cfg.cores(roleBench)))
		at.dial = connect.NATS{Server: at.family.url}
		maps.Copy(at.processes, at.family.pids())
	}
	nc, err := at.dial.Dial("kalahari-bench")
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	b := &run{Config: cfg, target: at, nc: nc}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	return b.measure(ctx)
}

// target is what is measured.
type target struct {
	dial      connect.NATS
	processes map[string][]int // by role
	family    *family          // nil if the fleet is another's
	gone      time.Duration    // CPU time of workers that were killed
}

// run is one run under way.
type run struct {
	Config
	target
	nc       *nats.Conn
	js       jetstream.JetStream
	ns       subjects.Namespace
	settings subjects.Settings
	ledger   *ledger
	blobs    *kv.Blobs
	tokens   chan struct{} // Concurrency
	text     string
	data     []byte      // of an input
	header   nats.Header // of the input that is published now
	inbox    string      // what reply subjects begin with; the input's id follows

	mu        sync.Mutex
	failure   error // the first that happened
	stored    int
	storedAll time.Time
}

func (b *run) prepare(ctx context.Context) (err error) {
	if b.js, err = jetstream.New(b.nc); err != nil {
		return err
	}
	if b.ns, b.settings, err = (connect.Namespace{Namespace: b.Namespace}).Find(ctx, b.js); err != nil {
		return err
	}
	if b.blobs, err = kv.OpenBlobs(ctx, b.js, b.ns); err != nil {
		return err
	}
	warm := 0
	if b.Warm {
		warm = 1
	}
	inputs := b.Inputs
	if b.Workload == Soak {
		inputs = 0 // as many as come to be
	}
	name := "bench" + strings.ToLower(ulid.Make().String()[16:])
	b.ledger = newLedger(name, b.Sessions, warm, inputs)
	b.ledger.acks = b.Workload == Accept
	b.tokens = make(chan struct{}, b.Concurrency)
	b.text = strings.Repeat("x", b.Payload)
	b.data = []byte(`{"text":"` + b.text + `"}`)
	b.header = nats.Header{
		nats.MsgIdHdr:        {""},
		"ce-specversion":     {"1.0"},
		"ce-id":              {""},
		"ce-source":          {"/kalahari/bench"},
		"ce-type":            {subjects.InputType(b.Kind)},
		"ce-datacontenttype": {"application/json"},
	}
	return nil
}

// awaitsEnd tells whether an input is under way until it has ended, not only until it is
// stored.
func (b *run) awaitsEnd() bool { return b.Workload == Hot || b.Workload == Roundtrip }

func (b *run) failed() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failure
}

func (b *run) measure(ctx context.Context) (*Report, error) {
	stop, err := b.receive(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	endAnswers, err := b.awaitAnswers()
	if err != nil {
		return nil, err
	}
	defer endAnswers()
	if b.Warm {
		b.say("activating %d sessions", b.Sessions)
		if err := b.publish(ctx, 0, 1, 0); err != nil {
			return nil, err
		}
		if err := b.settle(ctx, b.Sessions); err != nil {
			return nil, err
		}
	}

	before, err := b.logs(ctx)
	if err != nil {
		return nil, err
	}
	if file := b.profile("bench"); file != "" {
		stop, err := profile(file)
		if err != nil {
			return nil, err
		}
		defer stop()
	}
	cpu := b.cpu()
	b.mu.Lock()
	b.stored = 0
	b.mu.Unlock()
	start := time.Now()
	var extra Report // what the workload adds
	err = b.work(ctx, &extra)
	used := b.cpu()
	report := b.report(start, cpu, used)
	report.Rest, report.Stall, report.Proof = extra.Rest, extra.Stall, extra.Proof
	if err == nil && b.Workload == Accept {
		err = b.settle(ctx, b.total()) // accepted is not all: the promises are checked as well
		report = b.report(start, cpu, used)
	}
	if err != nil {
		return report, err
	}
	after, err := b.logs(ctx)
	if err != nil {
		return report, err
	}
	report.Commits = after.last - before.last
	report.CommitsPerInput = round(float64(report.Commits)/float64(report.Inputs), 3)
	if after.held > 0 {
		report.CommitBytes = int(after.bytes / after.held)
	}

	if b.ProfileDir != "" {
		return report, report.Err() // the profile is to show the workload alone
	}
	b.say("measuring the server itself")
	report.RawCASBytes = max(256, int(float64(report.CommitBytes)*min(1, report.CommitsPerInput)))
	if report.RawCASPerS, err = b.raw(ctx, report.RawCASBytes); err != nil {
		return report, fmt.Errorf("raw publishes: %w", err)
	}
	b.ledger.promises(report) // an input may have ended again meanwhile
	return report, report.Err()
}

// total is how many inputs the run has, the warm-up among them.
func (b *run) total() int { return b.Sessions * b.ledger.inputs }

// work is the workload itself.
func (b *run) work(ctx context.Context, extra *Report) (err error) {
	switch b.Workload {
	case Soak:
		extra.Proof, err = b.soak(ctx)
		return err
	case Failover:
		extra.Stall, err = b.failover(ctx)
		return err
	case Idle:
		extra.Rest, err = b.idle(ctx)
		return err
	}
	b.say("publishing %d inputs to %d sessions", b.Sessions*b.Inputs, b.Sessions)
	if err := b.publish(ctx, b.ledger.measured, b.ledger.inputs, b.Rate); err != nil {
		return err
	}
	if b.Workload == Accept {
		return b.settled(ctx, "nothing was stored", b.Sessions*b.Inputs, b.storedSoFar)
	}
	if err := b.settle(ctx, b.total()); err != nil {
		return err
	}
	return b.settled(ctx, "answers to publishes do not come", b.Sessions*b.Inputs, b.storedSoFar)
}

func (b *run) report(start time.Time, cpu, used map[string]time.Duration) *Report {
	r := &Report{
		Workload: b.Workload, Sessions: b.Sessions, Payload: b.Payload, Kind: b.Kind, Concurrency: b.Concurrency, Rate: b.Rate,
		Warm: b.Warm, Shards: b.ns.Shards(), Published: string(b.settings.Published), CPUs: runtime.NumCPU(), CPUByProcess: map[string]float64{},
	}
	if b.started() { // nothing is known of another's executors
		r.Workers, r.Embedded, r.Sync, r.DelayMS, r.Effects = b.Workers, b.Embedded, b.Sync.String(), ms(b.ExecutorDelay), b.ExecutorEffects
		r.Cores, r.ServerCores = b.cores(RoleWorker), b.cores(RoleServer)
	}
	b.ledger.fill(r, start)
	for role := range used {
		us := float64((used[role] - cpu[role]).Microseconds()) / float64(r.Inputs)
		r.CPUByProcess[role] = round(us, 1)
		r.CPUPerInput += us
	}
	r.CPUPerInput = round(r.CPUPerInput, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	r.StoredPerS = round(float64(b.stored)/b.storedAll.Sub(start).Seconds(), 1)
	return r
}

func (b *run) storedSoFar() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stored
}

// settle waits until that many inputs have ended.
func (b *run) settle(ctx context.Context, want int) error {
	return b.settled(ctx, "nothing ended", want, b.ledger.progress)
}

// settled waits until progress has come to what is wanted, as long as there is any.
func (b *run) settled(ctx context.Context, otherwise string, want int, progress func() int) error {
	moved, seen := time.Now(), progress()
	for {
		if err := b.failed(); err != nil {
			return err // also of what has come otherwise than it should, when all is there
		}
		if seen >= want {
			return nil
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
		if now := progress(); now != seen {
			moved, seen = time.Now(), now
		} else if time.Since(moved) > b.Stall {
			return fmt.Errorf("%w: %s for %v, %d of %d are missing", ErrBroken, otherwise, b.Stall, want-seen, want)
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// logged is how far the logs of the namespace go, and what they hold.
type logged struct{ last, held, bytes uint64 }

func (b *run) logs(ctx context.Context) (logged, error) {
	var l logged
	for shard := range b.ns.Shards() {
		s, err := b.js.Stream(ctx, b.ns.LogStream(shard))
		if err != nil {
			return l, fmt.Errorf("log of shard %d: %w", shard, err)
		}
		state := s.CachedInfo().State
		l.last += state.LastSeq
		l.held += state.Msgs
		l.bytes += state.Bytes
	}
	return l, nil
}

func (b *run) say(format string, args ...any) {
	_, _ = fmt.Fprintf(b.Progress, format+"\n", args...) // told to a person who may have left
}
