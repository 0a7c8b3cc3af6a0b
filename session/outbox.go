package session

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// Sender publishes messages to streams in the order given and tells later, for each,
// whether it is stored. All sessions of a worker share one.
type Sender interface {
	// Send starts to publish msg, the nth of a session. to is told once what became of it, not
	// always from another goroutine. Send blocks while too much is under way. When it
	// returns, msg is the caller's again.
	Send(msg *nats.Msg, to Sent, n uint64)
	// SendEffect is Send for what goes to the fx stream of a shard. Effects are in order
	// among themselves, and need not be with what else is sent.
	SendEffect(shard int, msg *nats.Msg, to Sent, n uint64)
}

// Sent is told what became of messages.
type Sent interface {
	// Decided says that the nth message is known stored, or why it is not known to be.
	Decided(n uint64, err error)
}

// outbox publishes what a session lets out, behind its commits (PROTOCOL 32): in order,
// at least once, with stable ids and contents. It remembers what is not yet confirmed.
//
// After a failed publication nothing more is sent until everything under way is decided;
// then it starts again at the first message that is not confirmed. What overtook a lost
// message is put right by its sequence on fx; messages to mobs have none, and are read in
// the order they stand in the stream: so one is under way at a time.
type outbox struct {
	send  Sender
	from  origin
	count Observer

	mu       sync.Mutex
	waiting  []outgoing // not confirmed, in order; the first `under` are under way
	acked    []bool     // of those under way
	under    int
	pending  int    // under way and undecided
	toMob    uint64 // the message to a mob that is under way, 0 if none is
	broken   bool
	retry    *time.Timer
	closed   bool
	idle     chan struct{} // closed when waiting becomes empty; nil if nobody waits for that
	sent     atomic.Uint64 // the contiguous confirmed prefix
	changing sync.Mutex    // held while messages are handed to send, so order holds
}

// retryAfter is how long a failed publication waits before it starts again.
const retryAfter = 250 * time.Millisecond

func newOutbox(send Sender, ns subjects.Namespace, session string, count Observer) *outbox {
	return &outbox{send: send, from: newOrigin(ns, session), count: count}
}

// confirmed is how many of the session's outgoing messages are known published: the
// contiguous acked prefix, never what was merely seen last.
func (o *outbox) confirmed() uint64 { return o.sent.Load() }

// reset makes the outbox continue behind the given confirmed prefix.
func (o *outbox) reset(confirmed uint64) { o.sent.Store(confirmed) }

// publish adds the messages of a commit that is known stored. They are the outbox's from
// then on.
func (o *outbox) publish(out []outgoing) {
	if len(out) == 0 {
		return
	}
	o.mu.Lock()
	o.waiting = join(o.waiting, out)
	if !o.closed {
		o.count.EffectsSent(len(out))
	}
	o.mu.Unlock()
	o.flush()
}

func (o *outbox) flush() {
	o.changing.Lock()
	defer o.changing.Unlock()
	on := eventSheets.Get().(*sheet)
	defer eventSheets.Put(on)
	for {
		o.mu.Lock()
		if o.closed || o.broken || o.under == len(o.waiting) {
			o.mu.Unlock()
			return
		}
		next := &o.waiting[o.under] // not written to before it is decided
		if next.Mob != "" {
			if o.toMob != 0 {
				o.mu.Unlock()
				return
			}
			o.toMob = next.Ordinal
		}
		o.under++
		o.pending++
		o.acked = append(o.acked, false)
		o.mu.Unlock()
		msg := next.message(&o.from, on)
		if next.effect() {
			o.send.SendEffect(o.from.shard, msg, o, next.Ordinal)
		} else {
			o.send.Send(msg, o, next.Ordinal)
		}
	}
}

// Decided implements [Sent].
func (o *outbox) Decided(ordinal uint64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	o.pending--
	switch i := int(ordinal - o.sent.Load() - 1); {
	case err != nil:
		o.broken = true
		if i >= 0 && i < len(o.waiting) {
			o.waiting[i].refused(err)
		}
	case i >= 0 && i < len(o.acked):
		o.acked[i] = true
	}
	n := 0
	for n < len(o.acked) && o.acked[n] {
		n++
	}
	if n > 0 {
		o.sent.Add(uint64(n))
		o.count.EffectsConfirmed(n)
		o.under -= n
		o.acked = append(o.acked[:0], o.acked[n:]...)
		o.waiting = o.waiting[n:]
		if len(o.waiting) == 0 {
			o.waiting = nil
			if o.idle != nil {
				close(o.idle)
				o.idle = nil
			}
		}
	}
	if err == nil && ordinal == o.toMob {
		o.toMob = 0
		if o.under < len(o.waiting) {
			time.AfterFunc(0, o.flush) // not from here: it may wait for what is decided next
		}
	}
	if o.broken && o.pending == 0 && o.retry == nil {
		o.retry = time.AfterFunc(retryAfter, o.again)
	}
}

// again starts over at the first message that is not confirmed.
func (o *outbox) again() {
	o.mu.Lock()
	o.retry = nil
	if o.closed {
		o.mu.Unlock()
		return
	}
	o.broken, o.under, o.acked, o.toMob = false, 0, o.acked[:0], 0
	o.mu.Unlock()
	o.flush()
}

// unsent copies what is not confirmed, for a snapshot.
func (o *outbox) unsent() (confirmed uint64, unsent []outgoing) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sent.Load(), append([]outgoing(nil), o.waiting...)
}

// drained returns a channel that is closed once nothing is left to confirm.
func (o *outbox) drained() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.waiting) == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if o.idle == nil {
		o.idle = make(chan struct{})
	}
	return o.idle
}

// close stops publishing. What is under way may still arrive; what is not confirmed is
// the next owner's to send.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.count.EffectsGivenUp(len(o.waiting))
	}
	o.closed = true
	if o.retry != nil {
		o.retry.Stop()
		o.retry = nil
	}
}
