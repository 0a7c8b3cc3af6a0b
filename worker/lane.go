package worker

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/kalahari-run/kalahari/session"
)

// lane publishes the effects of one shard, which are in one stream, to a server that writes
// every message to the disk before it acknowledges it ([Config.BatchEffects]). It does so
// once for an atomic batch. So when many messages are under way, what comes meanwhile waits
// and is sent together, as a batch if it is worth one.
type lane struct {
	s *sender

	mu      sync.Mutex
	under   int       // publications under way, a batch being one
	queue   []parcel  // what waits for them; if there is any, some are under way
	group   []parcel  // the batch under way
	plain   time.Time // until then no batches: one has failed
	refused bool      // the stream takes no batches
}

// parcel is a message on its way, and who is told what became of it.
type parcel struct {
	msg     *nats.Msg
	to      session.Sent
	ordinal uint64
}

const (
	// laneWindow is how many messages are under way before others wait for them.
	laneWindow = 32

	minBatch      = 16
	maxBatch      = 1000 // the server's limit
	maxBatchBytes = 256 << 10

	// plainAfter is how long a lane sends no batches after one that failed. The server
	// refuses a batch that holds a message it has, and what is sent again may be stored.
	plainAfter = 30 * time.Second
)

// codeBatchesRefused: the stream was provisioned without AllowAtomicPublish.
const codeBatchesRefused jetstream.ErrorCode = 10174

func (l *lane) send(p parcel) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) > 0 || l.group != nil || l.under >= laneWindow && !l.oneByOne() {
		p.msg = copied(p.msg)
		l.queue = append(l.queue, p)
		return
	}
	l.one(p)
}

// copied is a message that its sender does not write on again.
func copied(m *nats.Msg) *nats.Msg {
	return &nats.Msg{Subject: m.Subject, Header: nats.Header(http.Header(m.Header).Clone()), Data: m.Data}
}

// oneByOne reports whether batches are out of the question now. Like all below it is called
// under the lock.
func (l *lane) oneByOne() bool { return l.refused || time.Now().Before(l.plain) }

func (l *lane) one(p parcel) {
	l.under++
	if err := l.s.put(p.msg, sent{to: p.to, ordinal: p.ordinal, lane: l}); err != nil {
		l.under--
		l.s.leave(1)
		p.to.Decided(p.ordinal, err)
	}
}

// next sends what has waited for the last group.
func (l *lane) next() {
	for l.under == 0 && len(l.queue) > 0 {
		n, size := 0, 0
		for n < min(len(l.queue), maxBatch) && size < maxBatchBytes {
			size += len(l.queue[n].msg.Data)
			n++
		}
		group := l.queue[:n:n]
		if l.queue = l.queue[n:]; len(l.queue) == 0 {
			l.queue = nil
		}
		if n >= minBatch && !l.oneByOne() {
			l.batch(group)
			continue
		}
		for _, p := range group {
			l.one(p)
		}
	}
}

// batch sends a group that is stored as a whole or not at all.
func (l *lane) batch(group []parcel) {
	l.group = group
	l.under++
	id := nuid.Next()
	for i, p := range group {
		h := p.msg.Header
		h["Nats-Batch-Id"] = []string{id}
		h["Nats-Batch-Sequence"] = []string{strconv.Itoa(i + 1)}
		var err error
		if i < len(group)-1 {
			err = l.s.nc.PublishMsg(p.msg)
		} else {
			h["Nats-Batch-Commit"] = []string{"1"}
			err = l.s.put(p.msg, sent{lane: l})
		}
		if err != nil {
			l.over(err)
			return
		}
	}
}

// over ends the batch under way.
func (l *lane) over(err error) {
	over := l.group
	if err != nil {
		// Nor does anything leave that waits behind it: it would overtake what is sent again.
		over = append(over, l.queue...)
		l.queue = nil
	}
	l.s.leave(len(over))
	for _, p := range over {
		p.to.Decided(p.ordinal, err)
	}
	l.group = nil
	l.under--
	if err == nil {
		return
	}
	l.plain = time.Now().Add(plainAfter)
	var api *jetstream.APIError
	l.refused = errors.As(err, &api) && api.ErrorCode == codeBatchesRefused
}

// decided is what the sender calls when it knows.
func (l *lane) decided(m sent, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if m.to == nil {
		l.over(err)
	} else {
		l.under--
		l.s.leave(1)
		m.to.Decided(m.ordinal, err)
	}
	l.next()
}
