// Package fleet starts the members of a fleet the way the flags say, for the programs that
// are one member and for those that are several.
package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
	"github.com/kalahari-run/kalahari/worker"
)

// Executor chooses what runs are handed to.
type Executor struct {
	Executor      string        `name:"executor" env:"KALAHARI_EXECUTOR" enum:"echo" default:"echo" help:"What runs are handed to: echo answers with the text of its inputs."`
	ExecutorDelay time.Duration `name:"executor-delay" env:"KALAHARI_EXECUTOR_DELAY" help:"How long every run of the echo executor takes."`
	Effects       bool          `name:"executor-effects" env:"KALAHARI_EXECUTOR_EFFECTS" help:"The echo executor counts as one whose calls have outside effects, as an agent's have: each is made once the commit that staged its run is stored."`
}

// Build makes the executor.
func (e Executor) Build() (executor.Executor, error) {
	switch e.Executor {
	case "echo", "":
		return executor.Echo{Delay: e.ExecutorDelay, Effects: e.Effects}, nil
	}
	return nil, fmt.Errorf("there is no executor %q", e.Executor)
}

// Worker is what a worker can be told.
type Worker struct {
	Executor       `embed:""`
	Capacity       int           `name:"capacity" env:"KALAHARI_CAPACITY" default:"20000" help:"Sessions this worker is willing to host."`
	HibernateAfter time.Duration `name:"hibernate-after" env:"KALAHARI_HIBERNATE_AFTER" default:"1m" help:"How long a session that owes nothing stays in memory."`
	DrainTimeout   time.Duration `name:"drain-timeout" env:"KALAHARI_DRAIN_TIMEOUT" default:"20s" help:"How long runs may go on after SIGTERM; then others take them over."`
	LeaseTTL       time.Duration `name:"lease-ttl" env:"KALAHARI_LEASE_TTL" default:"30s" help:"How long the lease outlives its last heartbeat. Whole seconds."`
	Heartbeat      time.Duration `name:"heartbeat" env:"KALAHARI_HEARTBEAT" default:"3s" help:"Time between two heartbeats."`
	SelfFence      time.Duration `name:"self-fence" env:"KALAHARI_SELF_FENCE" default:"20s" help:"When a worker whose heartbeats go unanswered stops believing in its lease."`
	StuckAfter     time.Duration `name:"stuck-after" env:"KALAHARI_STUCK_AFTER" default:"5m" help:"How long the oldest input of a session may wait before the session is reported as stuck."`
	BatchEffects   bool          `name:"batch-effects" env:"KALAHARI_BATCH_EFFECTS" help:"Effects that have to wait go in atomic batches: faster where the server syncs every message to the disk (sync_interval: always, one node), slower elsewhere."`
	PauseExhausted bool          `name:"pause-exhausted" env:"KALAHARI_PAUSE_EXHAUSTED" help:"A session pauses itself when an input has used up its attempts, until it is resumed."`
	Detector       string        `name:"detector" env:"KALAHARI_DETECTOR" enum:"on,off" default:"on" help:"The fast failure detector: on or off. Off, only leases tell who died."`
}

// Member is what the process around a worker gives it.
type Member struct {
	Conn      *nats.Conn
	Namespace subjects.Namespace
	Settings  subjects.Settings
	Name      string // "": the host's name
	Version   string
	HTTP      string
	Log       *slog.Logger
	Telemetry *tracing.Telemetry
}

// Build makes the worker.
func (w Worker) Build(m Member) (*worker.Worker, error) {
	x, err := w.Executor.Build()
	if err != nil {
		return nil, err
	}
	cfg := worker.Config{
		Name: m.Name, Version: m.Version, HTTP: m.HTTP, Executor: x, Capacity: w.Capacity,
		HibernateAfter: w.HibernateAfter, DrainTimeout: w.DrainTimeout, StuckAfter: w.StuckAfter, PauseExhausted: w.PauseExhausted,
		BatchEffects: w.BatchEffects,
		Lease:        kv.LeaseConfig{TTL: w.LeaseTTL, Heartbeat: w.Heartbeat, SelfFence: w.SelfFence},
		Published:    m.Settings.Published, MaxInput: int(m.Settings.MaxInput),
		MailboxLimit: uint64(max(0, m.Settings.MailboxLimit)), Logger: m.Log,
	}
	if w.Detector == "off" {
		cfg.Detector = worker.DetectorOff
	}
	if m.Telemetry != nil {
		member := m.Telemetry.Member(m.Namespace)
		cfg.Observer, cfg.Trace = member, member
	}
	return worker.New(m.Conn, m.Namespace, cfg)
}

// Running is a worker that runs.
type Running struct {
	*worker.Worker
	cancel context.CancelFunc
	done   chan struct{}
	err    error
}

// Start runs w until ctx ends or Stop is called.
func Start(ctx context.Context, w *worker.Worker) *Running {
	ctx, cancel := context.WithCancel(ctx)
	r := &Running{Worker: w, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		r.err = w.Run(ctx)
	}()
	return r
}

// Stop drains the worker, waits, and returns what its Run returned. It may be called more
// than once.
func (r *Running) Stop() error {
	r.cancel()
	<-r.done
	return r.err
}
