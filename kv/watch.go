package kv

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	feedHeartbeat = time.Second         // the server says "nothing new" this often
	feedSilence   = 3 * feedHeartbeat   // without any word for so long the consumer is gone
	feedListing   = 10 * attemptTimeout // a listing that comes no nearer to its end is begun anew
)

// feed follows the keys of a bucket for one view. It trusts a watcher for
// exactly as long as the connection it was made on: after each reconnect, gap
// or silence it throws the watcher away and lists everything again (rule 23).
type feed struct {
	b       *bucket
	filter  string // of the keys
	view    viewer
	cancel  context.CancelFunc
	stopped sync.WaitGroup
	relist  chan struct{}
}

// viewer is what a feed keeps up to date. All calls come from one goroutine.
type viewer interface {
	blind(because error) // from now on the view may be stale
	listed(all []entry)  // the whole bucket, deleted keys left out
	changed(e entry)     // one key
	tick(time.Time)      // at least every feedHeartbeat, while not blind
	ended(because error) // the last call
}

func startFeed(ctx context.Context, b *bucket, v viewer) *feed {
	return startFeedOf(ctx, b, ">", v)
}

// startFeedOf follows the keys that match filter.
func startFeedOf(ctx context.Context, b *bucket, filter string, v viewer) *feed {
	ctx, cancel := context.WithCancel(ctx)
	f := &feed{b: b, filter: filter, view: v, cancel: cancel, relist: make(chan struct{}, 1)}
	f.stopped.Go(func() { f.run(ctx) })
	return f
}

func (f *feed) close() {
	f.cancel()
	f.stopped.Wait()
}

func (f *feed) refresh() {
	select {
	case f.relist <- struct{}{}:
	default:
	}
}

func (f *feed) run(ctx context.Context) {
	nc := f.b.js.Conn()
	status := nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.CLOSED)
	defer nc.RemoveStatusListener(status)
	for attempt := 0; ; attempt++ {
		var listed bool
		err := nats.ErrConnectionClosed
		if f.connected(ctx, status) {
			listed, err = f.follow(ctx, status)
		}
		f.view.blind(err)
		if listed {
			attempt = 0
		}
		if nc.IsClosed() || !pause(ctx, attempt) {
			f.view.ended(errors.Join(ctx.Err(), err))
			return
		}
	}
}

// connected waits for a connection: requests made without one are queued, and
// would leave consumers behind that nobody listens to.
func (f *feed) connected(ctx context.Context, status <-chan nats.Status) bool {
	look := time.NewTicker(feedHeartbeat) // a status may be dropped
	defer look.Stop()
	for !f.b.js.Conn().IsConnected() {
		select {
		case <-ctx.Done():
			return false
		case <-status:
		case <-look.C:
		}
		if f.b.js.Conn().IsClosed() {
			return false
		}
	}
	return true
}

// errAgain ends a watcher whose word is no longer taken.
var errAgain = errors.New("list again")

// follow lists the bucket, then follows it until the watcher is in doubt.
func (f *feed) follow(ctx context.Context, status <-chan nats.Status) (listed bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	nc := f.b.js.Conn()
	epoch := nc.Stats().Reconnects
	sub, err := nc.SubscribeSync(nc.NewInbox())
	if err != nil {
		return false, err
	}
	_ = sub.SetPendingLimits(-1, -1) // the server's flow control bounds it
	msgs := make(chan *nats.Msg)
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			m, err := sub.NextMsgWithContext(ctx)
			if err != nil {
				cancel()
				return
			}
			select {
			case msgs <- m:
			case <-ctx.Done():
				return
			}
		}
	})
	defer func() {
		cancel()
		_ = sub.Unsubscribe() // without interest the server drops the consumer
		reader.Wait()
	}()

	// A request queued on a broken connection is answered late: the epoch is
	// compared once it is.
	setup, done := context.WithTimeout(ctx, attemptTimeout)
	consumer, err := f.b.js.CreatePushConsumer(setup, f.b.stream, jetstream.ConsumerConfig{
		DeliverSubject: sub.Subject,
		DeliverPolicy:  jetstream.DeliverLastPerSubjectPolicy,
		FilterSubject:  f.b.prefix + f.filter,
		AckPolicy:      jetstream.AckNonePolicy,
		MaxDeliver:     1,
		FlowControl:    true,
		IdleHeartbeat:  feedHeartbeat,
		Replicas:       1,
		MemoryStorage:  true,
	})
	done()
	if err != nil {
		return false, fmt.Errorf("watch %s: %w", f.b.name, err)
	}
	all := map[string]entry{}
	arrive := func() {
		keys := make([]entry, 0, len(all))
		for _, e := range all {
			keys = append(keys, e)
		}
		all, listed = nil, true
		f.view.listed(keys)
	}
	if consumer.CachedInfo().NumPending == 0 {
		arrive()
	}
	nearer, heard := time.Now(), time.Now()
	least := uint64(math.MaxUint64) // messages still to be listed
	var last uint64                 // consumer sequence
	ticker := time.NewTicker(feedHeartbeat)
	defer ticker.Stop()
	for {
		if nc.Stats().Reconnects != epoch {
			return listed, errAgain
		}
		select {
		case <-ctx.Done():
			return listed, ctx.Err()
		case <-f.relist:
			return listed, errAgain
		case s := <-status:
			if s != nats.CONNECTED {
				return listed, errAgain
			}
		case now := <-ticker.C:
			if now.Sub(heard) > feedSilence || !listed && now.Sub(nearer) > feedListing {
				return listed, errAgain
			}
			if listed {
				f.view.tick(now)
			}
		case m := <-msgs:
			heard = time.Now()
			if m.Header.Get("Status") != "" {
				if err := answerControl(nc, m); err != nil {
					return listed, err
				}
				stalled := m.Header.Get("Nats-Consumer-Stalled") != ""
				if at := m.Header.Get("Nats-Last-Consumer"); at != "" && at != fmt.Sprint(last) {
					return listed, errAgain // the server sent what never came
				} else if at != "" && !stalled && !listed {
					arrive() // idle: what was still pending has expired meanwhile
				}
				continue
			}
			meta, err := m.Metadata()
			if err != nil || meta.Sequence.Consumer != last+1 {
				return listed, errAgain
			}
			last = meta.Sequence.Consumer
			if meta.NumPending < least {
				least, nearer = meta.NumPending, heard
			}
			e := newEntry(m.Subject[len(f.b.prefix):], meta.Sequence.Stream, m.Header, m.Data)
			switch {
			case listed:
				f.view.changed(e)
			case e.gone:
				delete(all, e.key)
			default:
				all[e.key] = e
			}
			if !listed && meta.NumPending == 0 {
				arrive()
			}
		}
	}
}

// answerControl lets a server that waits for us go on.
func answerControl(nc *nats.Conn, m *nats.Msg) error {
	if m.Header.Get("Status") != "100" {
		return errAgain // the consumer is gone, or about to be
	}
	to := m.Reply // a flow control request
	if to == "" {
		to = m.Header.Get("Nats-Consumer-Stalled")
	}
	if to == "" {
		return nil
	}
	return nc.Publish(to, nil)
}

// Changes collects what changed in a view since it was last taken. It is level
// triggered: it holds the present state of everything that changed, once per
// key, so it is bounded by the number of keys and never blocks the view. It
// starts out with everything there is.
type Changes[K comparable, T any] struct {
	mu     sync.Mutex
	dirty  map[K]T
	wake   chan struct{}
	detach func()
}

// Wake has something to receive when there is something to take.
func (c *Changes[K, T]) Wake() <-chan struct{} { return c.wake }

// Take returns what changed since the last call, in no order.
func (c *Changes[K, T]) Take() []T {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]T, 0, len(c.dirty))
	for _, t := range c.dirty {
		all = append(all, t)
	}
	clear(c.dirty)
	return all
}

// Close stops collecting. It may be called more than once.
func (c *Changes[K, T]) Close() { c.detach() }

func (c *Changes[K, T]) add(k K, t T) {
	c.mu.Lock()
	c.dirty[k] = t
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// board is the part every view shares: its readiness and its subscribers.
type board[K comparable, T any] struct {
	mu     sync.RWMutex
	subs   map[*Changes[K, T]]struct{}
	since  time.Time // zero: blind
	first  chan struct{}
	closed chan struct{}
	err    error // why it was blind last
}

func newBoard[K comparable, T any]() board[K, T] {
	return board[K, T]{subs: map[*Changes[K, T]]struct{}{}, first: make(chan struct{}), closed: make(chan struct{})}
}

// subscribe expects the lock held.
func (b *board[K, T]) subscribe() *Changes[K, T] {
	c := &Changes[K, T]{dirty: map[K]T{}, wake: make(chan struct{}, 1)}
	c.detach = func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs, c)
	}
	b.subs[c] = struct{}{}
	return c
}

// notify expects the lock held.
func (b *board[K, T]) notify(k K, t T) {
	for c := range b.subs {
		c.add(k, t)
	}
}

// seeing expects the lock held.
func (b *board[K, T]) seeing() {
	if b.since = time.Now(); !isClosed(b.first) {
		close(b.first)
	}
}

func (b *board[K, T]) blind(because error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.since, b.err = time.Time{}, because
}

func (b *board[K, T]) ended(because error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.since, b.err = time.Time{}, because
	close(b.closed)
}

// Ready tells whether the view follows the bucket now, and since when. After a
// lost connection it is not ready until it has listed everything again.
func (b *board[K, T]) Ready() (since time.Time, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.since, !b.since.IsZero()
}

// Done is closed when the view has stopped for good: it was closed, its context
// ended, or the connection was closed.
func (b *board[K, T]) Done() <-chan struct{} { return b.closed }

// wait returns when the first listing is complete.
func (b *board[K, T]) wait(ctx context.Context) error {
	select {
	case <-b.first:
		return nil
	case <-b.closed:
		b.mu.RLock()
		defer b.mu.RUnlock()
		return b.err
	case <-ctx.Done():
		b.mu.RLock()
		defer b.mu.RUnlock()
		return errors.Join(ctx.Err(), b.err)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
