// Package worker is a member of the fleet: it holds a lease, claims sessions that need an
// owner, hosts them, takes over those of workers that died, and hands its own over when
// it leaves.
//
// Nothing here is needed for safety. The log decides who writes a session's history; the
// membership, the views of it, the detector and the sweeper decide only how soon a
// session that needs an owner gets one (PROTOCOL 14, 16, 17, 24, 31).
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/ebb"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// Defaults of [Config].
const (
	DefaultCapacity     = 20_000
	DefaultDrainTimeout = 20 * time.Second
	DefaultSweepEvery   = 30 * time.Second
	DefaultClaims       = 64
	DefaultStuckAfter   = 5 * time.Minute
)

// DetectorMode switches the fast failure detector.
type DetectorMode uint8

const (
	// DetectorOn is the default.
	DetectorOn DetectorMode = iota
	// DetectorOff leaves detection to the leases.
	DetectorOff
)

// Config of a worker. The zero value of a field is its default; Executor must be set.
type Config struct {
	// Name stands at the head of the incarnation's id. Default: the host's name.
	Name string
	// Version is shown to people.
	Version string
	// HTTP is the address of the worker's private port, shown to people.
	HTTP string
	// Executor is what runs are handed to.
	Executor executor.Executor
	// Capacity is how many sessions this worker is willing to host. Default 20,000.
	Capacity int
	// Lease times the membership. Default 30 s, heartbeat 3 s, self-fence 20 s.
	Lease kv.LeaseConfig
	// Detector switches the fast failure detector. Default on.
	Detector DetectorMode
	// DrainTimeout is how long runs may go on after the worker was told to leave; then
	// they are handed over. Default 20 s.
	DrainTimeout time.Duration
	// SweepEvery is the pause between two sweeps of a shard. Default 30 s.
	SweepEvery time.Duration
	// Claims bounds the claims under way at once. Default 64.
	Claims int

	// StuckAfter is how long the oldest input of a session may wait before the watchdog
	// reports the session. Default 5 min.
	StuckAfter time.Duration

	// What sessions are told; see [session.Env].
	HibernateAfter time.Duration
	Retain         int
	BlobGrace      time.Duration
	SnapshotEvery  uint64
	SnapshotBytes  int
	FeedHorizon    uint64
	MaxExecutions  uint64
	RetryDelay     time.Duration
	MailboxLimit   uint64
	MaxInput       int
	PauseExhausted bool
	// BatchEffects sends effects that have to wait for others as atomic batches. It pays where
	// every stored message is a sync of the disk (sync_interval: always, one replica) and
	// costs elsewhere. Default: each goes by itself.
	BatchEffects bool
	Published    subjects.PublishedSet

	// Observer takes the measurements; default none.
	Observer Observer
	// Trace makes spans; default none.
	Trace *tracing.Telemetry
	// Logger takes the log; default none.
	Logger *slog.Logger
}

// Observer takes the measurements of a worker and its sessions.
type Observer interface {
	session.Observer
	// Claimed is called when a session was won, from nobody or from a dead worker.
	Claimed(takeover bool)
	// Hosting is called with the number of sessions in memory when it changes.
	Hosting(sessions int)
	// Stuck is called with the number of sessions that do not get on, by reason.
	Stuck(byReason map[string]int)
	// MailboxLag is called by the worker that sweeps a shard: how many inputs of it the fleet
	// has not looked at. It is 0 once another sweeps the shard.
	MailboxLag(shard int, waiting uint64)
}

func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = "worker"
		if host, err := os.Hostname(); err == nil && subjects.CheckToken("worker", host) == nil {
			c.Name = host
		}
	}
	if c.Capacity == 0 {
		c.Capacity = DefaultCapacity
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = DefaultDrainTimeout
	}
	if c.SweepEvery == 0 {
		c.SweepEvery = DefaultSweepEvery
	}
	if c.StuckAfter == 0 {
		c.StuckAfter = DefaultStuckAfter
	}
	if c.Claims == 0 {
		c.Claims = DefaultClaims
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Worker is one process's place in the fleet. Make one with [New], call Run once.
type Worker struct {
	cfg Config
	nc  *nats.Conn
	js  jetstream.JetStream
	ns  subjects.Namespace
	log *slog.Logger
	now atomic.Pointer[life] // nil between two incarnations
}

// New returns a worker of the namespace, which must be provisioned.
func New(nc *nats.Conn, ns subjects.Namespace, cfg Config) (*Worker, error) {
	if cfg.Executor == nil {
		return nil, errors.New("worker: no executor is configured")
	}
	if err := subjects.CheckToken("worker", cfg.withDefaults().Name); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	if cfg.Capacity < 0 {
		return nil, fmt.Errorf("worker: Capacity (--capacity) must not be negative, and is %d", cfg.Capacity)
	}
	if err := cfg.Lease.Check(); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	cfg = cfg.withDefaults()
	return &Worker{cfg: cfg, nc: nc, js: js, ns: ns, log: cfg.Logger}, nil
}

// ErrNotReady says that the worker takes no work, and why.
var ErrNotReady = errors.New("not ready")

// Ready returns nil while the worker takes work.
func (w *Worker) Ready() error {
	l := w.now.Load()
	if l == nil {
		return fmt.Errorf("%w: no lease yet", ErrNotReady)
	}
	return l.ready()
}

// Incarnation is the worker's present name in the fleet, "" between two.
func (w *Worker) Incarnation() kv.Incarnation {
	if l := w.now.Load(); l != nil {
		return l.me
	}
	return ""
}

// Run takes part in the fleet until ctx ends; then it drains: it stops claiming, lets
// runs end for DrainTimeout, releases what owes nothing, leaves the rest to others, and
// gives up its lease. A worker that lost its lease goes on under a new incarnation
// (PROTOCOL 9).
func (w *Worker) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := w.live(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		if w.nc.IsClosed() { // for good: no incarnation will have another
			return fmt.Errorf("worker: %w; last: %w", nats.ErrConnectionClosed, err)
		}
		w.log.ErrorContext(ctx, "the worker starts over as a new incarnation", "error", err)
		if !errors.Is(err, kv.ErrFenced) && !sleep(ctx, time.Second) {
			return nil
		}
	}
	return nil
}

// life is one incarnation of a worker.
type life struct {
	*Worker
	me      kv.Incarnation
	env     *session.Env
	store   *kv.Store
	lease   *kv.Lease
	owners  *kv.OwnerView
	members *kv.MemberView
	holds   *kv.HoldView
	claims  chan struct{} // bounds claims under way
	behind  chan struct{} // bounds those of them that nobody has just asked for
	joined  time.Time
	stuck   atomic.Pointer[stuckList]

	backlog    atomic.Int64 // what waits for one of claims, or has it
	heirless   sync.Map     // sessions of dead workers that wait for their turn to be claimed
	inheriting atomic.Bool  // inherit is about to begin
	entrusted  entrusted
	suspects   suspects

	mu          sync.Mutex
	hosted      ebb.Map[string, *guest]
	crowd       crowd
	quarantined map[string]quarantine
	leaving     bool
	guests      sync.WaitGroup
}

// live is one incarnation from joining to leaving. It returns nil if ctx ended it.
func (w *Worker) live(ctx context.Context) (err error) {
	lanes := 0
	if w.cfg.BatchEffects {
		lanes = w.ns.Shards()
	}
	sender, err := newSender(w.nc, lanes)
	if err != nil {
		return err
	}
	defer sender.close()
	inbox, err := session.OpenInbox(w.js)
	if err != nil {
		return err
	}
	defer inbox.Close()
	log, err := journal.Open(ctx, w.js, w.ns)
	if err != nil {
		return err
	}
	defer log.Close()
	l, err := w.prepare(ctx, sender, inbox, log)
	if err != nil {
		return err
	}
	defer l.close()
	// The members of this incarnation outlive ctx: drain still needs the lease.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts sync.WaitGroup
	part := func(f func(context.Context)) {
		parts.Add(1)
		go func() {
			defer parts.Done()
			f(inner)
		}()
	}
	defer parts.Wait()
	defer stop()

	// Before it joins: the others count on every member for its share of what dead workers
	// leave, so one that cannot serve must not be one.
	services, err := l.serve(ctx, inner)
	if err != nil {
		return err
	}
	defer l.stop(ctx, services)
	defer w.now.Store(nil)
	if err := l.join(ctx); err != nil {
		return err
	}
	part(func(ctx context.Context) {
		if err := l.lease.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			w.log.WarnContext(ctx, "lease ended", "error", err)
		}
	})
	taking, stopTaking := context.WithCancel(inner)
	defer stopTaking()
	for shard := range w.ns.Shards() {
		part(func(context.Context) { l.activate(taking, shard) })
	}
	part(func(context.Context) { l.watch(taking) })
	part(func(context.Context) { l.sweep(taking) })
	part(func(context.Context) { l.timers(taking) })
	part(l.watchdog)
	if w.cfg.Detector == DetectorOn {
		part(func(context.Context) { l.detect(taking) })
	}
	w.now.Store(l)
	w.log.InfoContext(ctx, "worker joined", "worker", l.me, "namespace", w.ns.String(), "capacity", w.cfg.Capacity)

	select {
	case <-l.lease.Fenced():
		// Nothing of this incarnation may go on believing (PROTOCOL 22). What it holds
		// is for others to take over.
		stopTaking()
		l.abandon()
		return kv.ErrFenced
	case <-ctx.Done():
		stopTaking()
		l.leave()
		return nil
	}
}

// prepare opens what an incarnation works with.
func (w *Worker) prepare(ctx context.Context, sender *sender, inbox *session.Inbox, log *journal.Log) (*life, error) {
	store, err := kv.Open(ctx, w.js, w.ns)
	if err != nil {
		return nil, err
	}
	mailboxes, err := session.OpenMailboxes(ctx, w.js, w.ns)
	if err != nil {
		return nil, err
	}
	l := &life{
		Worker: w, me: kv.NewIncarnation(w.cfg.Name), store: store,
		claims: make(chan struct{}, w.cfg.Claims), behind: make(chan struct{}, max(1, w.cfg.Claims*3/4)), joined: time.Now(),
		quarantined: map[string]quarantine{},
	}
	env := session.Env{
		Namespace: w.ns, JS: w.js, Store: store, Log: log, Mailboxes: mailboxes, Inbox: inbox, Sender: sender,
		Executor: w.cfg.Executor, Published: w.cfg.Published, Trace: w.cfg.Trace, Logger: w.log.With("worker", string(l.me)),
		HibernateAfter: w.cfg.HibernateAfter, Retain: w.cfg.Retain, BlobGrace: w.cfg.BlobGrace, SnapshotEvery: w.cfg.SnapshotEvery,
		SnapshotBytes: w.cfg.SnapshotBytes, FeedHorizon: w.cfg.FeedHorizon, MaxExecutions: w.cfg.MaxExecutions, RetryDelay: w.cfg.RetryDelay,
		MailboxLimit: w.cfg.MailboxLimit, MaxInput: w.cfg.MaxInput, PauseExhausted: w.cfg.PauseExhausted,
	}
	if w.cfg.Observer != nil {
		env.Telemetry = w.cfg.Observer
	}
	env = env.WithDefaults()
	l.env = &env
	// The views live as long as the incarnation, not as long as the caller's context; their
	// first listing is waited for no longer than that.
	views, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, giveUp)()
	if l.owners, err = store.Owners.Watch(views); err == nil {
		if l.members, err = store.Members.Watch(views); err == nil {
			// Known before the first session is claimed, so that it reaches those too.
			l.holds, err = store.Holds.Watch(views, l.nudge)
		}
	}
	if err != nil {
		l.close()
		return nil, err
	}
	env.Held = l.holds.Current
	return l, nil
}

func (l *life) close() {
	if l.holds != nil {
		l.holds.Close()
	}
	if l.members != nil {
		l.members.Close()
	}
	if l.owners != nil {
		l.owners.Close()
	}
}

// join takes the lease. It runs from then on.
func (l *life) join(ctx context.Context) (err error) {
	host, _ := os.Hostname()
	l.lease, err = l.store.Members.Join(ctx, kv.MemberInfo{
		Incarnation: l.me, Name: l.cfg.Name, Host: host, StartedAt: l.joined, Version: l.cfg.Version,
		Shards: l.ns.Shards(), Capacity: l.cfg.Capacity, HTTP: l.cfg.HTTP,
	}, l.cfg.Lease)
	return err
}

func (l *life) ready() error {
	if _, ok := l.owners.Ready(); !ok {
		return fmt.Errorf("%w: the view of session owners is not current", ErrNotReady)
	}
	if _, ok := l.members.Ready(); !ok {
		return fmt.Errorf("%w: the view of the fleet is not current", ErrNotReady)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving {
		return fmt.Errorf("%w: draining", ErrNotReady)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
