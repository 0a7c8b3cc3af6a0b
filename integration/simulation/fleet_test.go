package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// member is one place of the fleet: a worker process, and those that come after it.
type member struct {
	w     *world
	index int
	made  int
	mu    sync.Mutex
	link  *link
	stop  context.CancelFunc
	done  chan struct{}
	nc    *nats.Conn
}

// start starts a worker process. It goes on trying until it reaches the server.
func (m *member) start() {
	m.made++
	name := fmt.Sprintf("w%d-%d", m.index, m.made)
	l := m.w.net.link(name)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	m.mu.Lock()
	m.link, m.stop, m.done = l, cancel, done
	m.mu.Unlock()
	go func() {
		defer close(done)
		nc := m.w.connect(ctx, name, l, m.w.plan.tune.Ping)
		if nc == nil {
			return
		}
		m.mu.Lock()
		m.nc = nc
		m.mu.Unlock()
		defer nc.Close()
		w, err := worker.New(nc, m.w.ns, m.w.config(name))
		if err != nil {
			m.w.fail("worker %s: %v", name, err)
			return
		}
		if err := w.Run(ctx); err != nil {
			m.w.fail("worker %s: %v", name, err)
		}
	}()
}

// crash ends the process: nothing it does is seen any more.
func (m *member) crash(silently bool) {
	m.mu.Lock()
	l, nc, stop, done := m.link, m.nc, m.stop, m.done
	m.nc = nil
	m.mu.Unlock()
	l.kill(silently)
	stop()
	if nc != nil {
		nc.Close()
	}
	// What is left of it goes on for a while and is heard by nobody.
	m.w.ghosts.Go(func() { <-done })
}

// leave tells the worker to leave and waits for it.
func (m *member) leave() {
	m.mu.Lock()
	stop, done := m.stop, m.done
	m.mu.Unlock()
	stop()
	<-done
}

// suffer carries out the blows of one member in their time.
func (m *member) suffer(blows []blow) {
	for _, b := range blows {
		time.Sleep(time.Until(m.w.began.Add(b.at)))
		m.w.log.Info("blow", "worker", m.index, "kind", b.kind, "over", b.over)
		switch b.kind {
		case crash, vanish:
			m.crash(b.kind == vanish)
			time.Sleep(b.over)
			m.start()
		case hang:
			m.link.hang(b.over)
		case cut:
			m.link.cut()
		case leave:
			m.leave()
			time.Sleep(b.over)
			m.start()
		}
	}
}

// connect connects a party, and goes on trying.
func (w *world) connect(ctx context.Context, name string, to nats.InProcessConnProvider, ping time.Duration) *nats.Conn {
	for ctx.Err() == nil {
		nc, err := nats.Connect("", nats.InProcessServer(to), nats.Name(name), nats.MaxReconnects(-1),
			nats.ReconnectWait(50*time.Millisecond), nats.ReconnectJitter(0, 0), nats.PingInterval(ping), nats.Timeout(5*time.Second),
			nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
		if err == nil {
			return nc
		}
		time.Sleep(200 * time.Millisecond)
	}
	return nil
}

func (w *world) config(name string) worker.Config {
	t := w.plan.tune
	c := worker.Config{
		Name: name, Executor: &recorder{w: w}, Capacity: t.Capacity, Lease: t.Lease, DrainTimeout: 2 * time.Second,
		HibernateAfter: t.Hibernate, Retain: t.Retain, BlobGrace: t.BlobGrace, SnapshotEvery: t.SnapshotEvery, SnapshotBytes: t.SnapshotBytes, FeedHorizon: t.FeedHorizon,
		MaxExecutions: t.MaxExecutions, MailboxLimit: uint64(w.plan.settings.WithDefaults().MailboxLimit),
		Published: w.plan.settings.WithDefaults().Published, Observer: observer{w}, Logger: w.log.With("party", name),
	}
	if !t.Detector {
		c.Detector = worker.DetectorOff
	}
	return c
}

// recorder is the executor: echo, and a record of what was handed to it and of what it put
// out.
type recorder struct{ w *world }

// call is one executor call.
type call struct {
	session, run string
	fence        uint64
	pure         bool
}

// output is what one executor call put out.
type output struct{ session, run, text string }

func (r *recorder) Apply(ctx context.Context, run *executor.Run) (*executor.Result, error) {
	r.w.mu.Lock()
	r.w.calls = append(r.w.calls, call{run.Session, run.ID, run.Fence, r.Pure(run)})
	r.w.mu.Unlock()
	r.w.checkInputs(run)
	result, err := executor.Echo{}.Apply(ctx, run)
	if err != nil {
		return nil, err
	}
	for i := range run.Inputs {
		if st := r.w.plan.input(run.Session, run.Inputs[i].ID); st != nil {
			result.Text += strings.Repeat("~", st.swell)
		}
	}
	if run.CancelAtBoundary == nil && len(result.Text) > subjects.MaxInlineData {
		return result, nil // too large for a run that is not staged yet: the call is made again
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	r.w.outputs = append(r.w.outputs, output{run.Session, run.ID, result.Text})
	return result, nil
}

// Pure implements [executor.PureExecutor].
func (r *recorder) Pure(run *executor.Run) bool {
	return !slices.ContainsFunc(run.Inputs, func(in executor.Input) bool {
		st := r.w.plan.input(run.Session, in.ID)
		return st == nil || !st.pure
	})
}

// observer hears of quarantines, which nothing here may cause.
type observer struct{ w *world }

func (o observer) Quarantined() { o.w.fail("a session was quarantined") }

func (observer) Claimed(bool)                                 {}
func (observer) Hosting(int)                                  {}
func (observer) Stuck(map[string]int)                         {}
func (observer) InputAccepted()                               {}
func (observer) InputDeduplicated()                           {}
func (observer) InputRejected()                               {}
func (observer) InputEnded(kernel.InputPublicTerminalOutcome) {}
func (observer) CommandApplied()                              {}
func (observer) CommandRejected()                             {}
func (observer) DeadLettered()                                {}
func (observer) Committed(time.Duration, int)                 {}
func (observer) Refused()                                     {}
func (observer) UnknownOutcome()                              {}
func (observer) Recovered(time.Duration)                      {}
func (observer) RunEnded(error, time.Duration)                {}
func (observer) Hibernated()                                  {}
func (observer) MailboxLag(int, uint64)                       {}
func (observer) InputWaited(time.Duration)                    {}
func (observer) EffectsSent(int)                              {}
func (observer) EffectsConfirmed(int)                         {}
func (observer) EffectsGivenUp(int)                           {}

var _ slog.Handler = (*memory)(nil)
