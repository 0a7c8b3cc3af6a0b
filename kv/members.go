package kv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// Members is the bucket of leases: one key per worker incarnation, kept by a
// heartbeat, ended by the server when the heartbeat stays away.
type Members struct{ b *bucket }

// MemberInfo is what a worker tells about itself.
type MemberInfo struct {
	Incarnation Incarnation `json:"incarnation"`
	Name        string      `json:"name,omitempty"`
	Host        string      `json:"host,omitempty"`
	StartedAt   time.Time   `json:"started_at,omitzero"` // by its own clock; for people
	Version     string      `json:"version,omitempty"`
	Shards      int         `json:"shards,omitempty"`   // the namespace's N, as this worker knows it (rule 36)
	Capacity    int         `json:"capacity,omitempty"` // sessions it is willing to host
	Sessions    int         `json:"sessions"`           // sessions it hosts
	Draining    bool        `json:"draining,omitempty"`
	Stuck       int         `json:"stuck,omitempty"` // sessions whose oldest input has waited too long
	HTTP        string      `json:"http,omitempty"`  // address of its private port
}

// Defaults of [LeaseConfig] (rule 22). A lease must outlast a Raft election of
// four to nine seconds several times over: with six seconds, one killed server
// made a whole healthy fleet fence itself.
const (
	DefaultTTL       = 30 * time.Second
	DefaultHeartbeat = 3 * time.Second
	DefaultSelfFence = 20 * time.Second
)

// LeaseConfig times a lease. The zero value of a field is its default.
type LeaseConfig struct {
	// TTL is how long the key outlives its last heartbeat. Whole seconds.
	// Default 30 s.
	TTL time.Duration

	// Heartbeat is the time between two. Default 3 s.
	Heartbeat time.Duration

	// SelfFence is when a worker whose heartbeats go unanswered stops believing
	// in its own lease. Between Heartbeat and TTL. Default 20 s.
	SelfFence time.Duration
}

// Check returns what is wrong with c; [Members.Join] would, too.
func (c LeaseConfig) Check() error {
	_, err := c.withDefaults()
	return err
}

func (c LeaseConfig) withDefaults() (LeaseConfig, error) {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.TTL, DefaultTTL}, {&c.Heartbeat, DefaultHeartbeat}, {&c.SelfFence, DefaultSelfFence}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	switch {
	case c.TTL < time.Second || c.TTL%time.Second != 0:
		return c, fmt.Errorf("lease: TTL %s: whole seconds, at least one", c.TTL)
	case c.Heartbeat <= 0 || c.Heartbeat >= c.SelfFence || c.SelfFence >= c.TTL:
		return c, fmt.Errorf("lease: Heartbeat %s < SelfFence %s < TTL %s must hold", c.Heartbeat, c.SelfFence, c.TTL)
	}
	return c, nil
}

// memberRecord is the value of a lease. Watchers need the TTL for a deadline of
// their own (rule 23).
type memberRecord struct {
	MemberInfo
	TTL int64 `json:"ttl_ms"`
}

// Join takes a lease for info.Incarnation. Call [Lease.Run] at once: the lease
// is running already. It tries for SelfFence at most. [ErrIncarnationUsed] if the incarnation is not new (rule 9).
func (m *Members) Join(ctx context.Context, info MemberInfo, cfg LeaseConfig) (*Lease, error) {
	cfg, err := cfg.withDefaults()
	if err == nil {
		err = subjects.CheckToken("incarnation", string(info.Incarnation))
	}
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	l := &Lease{b: m.b, cfg: cfg, info: info, fenced: make(chan struct{}), left: make(chan struct{}), urgent: make(chan struct{}, 1), writing: make(chan struct{}, 1)}
	l.info.StartedAt = l.info.StartedAt.UTC()
	ctx, cancel := context.WithTimeout(ctx, cfg.SelfFence) // later it would be fenced at birth
	defer cancel()
	if err := l.beat(ctx, time.Now()); err != nil {
		if errors.Is(err, ErrMoved) {
			err = ErrIncarnationUsed
		}
		return nil, fmt.Errorf("join as %s: %w", info.Incarnation, err)
	}
	return l, nil
}

// Lease is this process's membership.
type Lease struct {
	b   *bucket
	cfg LeaseConfig

	fenced  chan struct{}
	left    chan struct{}
	urgent  chan struct{} // send a heartbeat now
	writing chan struct{} // a token: one write of the key at a time

	mu       sync.Mutex
	info     MemberInfo
	revision uint64
	lastAck  time.Time
	running  bool
	leave    bool
	cancel   context.CancelFunc // of the heartbeat under way
}

// Incarnation is whose lease it is.
func (l *Lease) Incarnation() Incarnation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.info.Incarnation
}

// Fenced is closed when the lease can no longer be believed: no heartbeat was
// acknowledged for SelfFence, or the key is gone or somebody else's. It is never
// opened again: the process stops what it hosts and goes on, if at all, as a new
// incarnation (rules 9, 22). No safety rests on it.
func (l *Lease) Fenced() <-chan struct{} { return l.fenced }

// LastAck is when the last acknowledged heartbeat was *sent*: the server's TTL
// runs from no earlier than that.
func (l *Lease) LastAck() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lastAck
}

// Update changes what the worker tells about itself. The next heartbeat carries
// it; when Draining changes a heartbeat is sent at once. The incarnation stays.
func (l *Lease) Update(change func(*MemberInfo)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.info
	change(&l.info)
	l.info.Incarnation, l.info.StartedAt = before.Incarnation, l.info.StartedAt.UTC()
	if l.info.Draining != before.Draining {
		select {
		case l.urgent <- struct{}{}:
		default:
		}
	}
}

// Run sends heartbeats until ctx ends or [Lease.Leave] was called (nil), or the
// lease is lost ([ErrFenced]). It leaves the key to expire; Leave deletes it.
func (l *Lease) Run(ctx context.Context) error {
	l.mu.Lock()
	if l.running {
		l.mu.Unlock()
		return errors.New("lease: Run was called before")
	}
	l.running = true
	l.mu.Unlock()

	ctx, cancel := context.WithCancel(ctx)
	// The heartbeat may hang on a dead socket; the deadline must not hang with it.
	lost := make(chan error, 1)
	var beats sync.WaitGroup
	beats.Go(func() { lost <- l.beats(ctx) })
	defer beats.Wait()
	defer cancel()
	for {
		l.mu.Lock()
		due := time.Until(l.lastAck.Add(l.cfg.SelfFence))
		l.mu.Unlock()
		if due <= 0 {
			close(l.fenced)
			return fmt.Errorf("%w: no heartbeat acknowledged for %s", ErrFenced, l.cfg.SelfFence)
		}
		deadline := time.NewTimer(due)
		select {
		case <-deadline.C:
			continue // unless it was acknowledged meanwhile, this is it
		case err := <-lost:
			deadline.Stop()
			if err == nil || ctx.Err() != nil {
				return nil
			}
			close(l.fenced)
			return err
		case <-l.left:
			deadline.Stop()
			return nil
		}
	}
}

// beats returns nil when there is nothing more to do, an error when the lease
// is known to be lost.
func (l *Lease) beats(ctx context.Context) error {
	for {
		l.mu.Lock()
		wait := time.NewTimer(time.Until(l.lastAck.Add(l.cfg.Heartbeat)))
		l.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-l.left:
		case <-wait.C:
		case <-l.urgent:
		}
		wait.Stop()
		if ctx.Err() != nil || isClosed(l.left) {
			return nil
		}
		// Until the self-fence cancels ctx, a heartbeat without an answer is
		// repeated with the same bytes; it counts from its first copy, since any
		// of them may be the one that was stored.
		switch err := l.beat(ctx, time.Now()); {
		case err == nil:
		case errors.Is(err, ErrMoved):
			return fmt.Errorf("%w: %w", ErrFenced, err)
		case l.b.js.Conn().IsClosed():
			return fmt.Errorf("%w: %w", ErrFenced, err)
		default:
			if isClosed(l.left) || !pause(ctx, 10) {
				return nil
			}
		}
	}
}

// beat writes the key, for the first time or again: a raw publish with TTL and
// expected revision (rule 21).
func (l *Lease) beat(ctx context.Context, now time.Time) error {
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l.mu.Lock()
	if l.leave {
		l.mu.Unlock()
		return context.Canceled
	}
	l.cancel = cancel
	w := write{key: string(l.info.Incarnation), id: newID(), expected: l.revision, ttl: l.cfg.TTL}
	info := l.info
	l.mu.Unlock()
	var err error
	if w.value, err = json.Marshal(memberRecord{info, l.cfg.TTL.Milliseconds()}); err != nil {
		return err
	}
	revision, err := l.b.cas(ctx, w)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.revision, l.lastAck = revision, now
	return nil
}

// Leave stops the heartbeats and deletes the key, so that everybody sees a clean
// exit at once. Run then returns nil. A key that is gone already is no error; an
// outcome that stays unknown is [ErrUndecided], and Leave may be called again.
func (l *Lease) Leave(ctx context.Context) error {
	l.mu.Lock()
	if !l.leave {
		l.leave = true
		close(l.left)
	}
	if l.cancel != nil {
		l.cancel()
	}
	key, expected := string(l.info.Incarnation), l.revision
	l.mu.Unlock()
	select {
	case l.writing <- struct{}{}:
		defer func() { <-l.writing }()
	case <-ctx.Done():
		return fmt.Errorf("leave as %s: %w", key, ctx.Err())
	}
	l.mu.Lock()
	expected = max(expected, l.revision)
	l.mu.Unlock()
	for {
		_, err := l.b.cas(ctx, write{key: key, id: "leave-" + key, expected: expected, remove: true, ttl: markerTTL})
		var lost *lostError
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &lost):
			return fmt.Errorf("leave as %s: %w", key, err)
		case lost.found.gone:
			return nil
		}
		expected = lost.found.seq // the heartbeat that was cut short was stored
	}
}
