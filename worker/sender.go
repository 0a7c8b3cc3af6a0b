package worker

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/session"
)

// sender publishes the outgoing messages of all sessions to JetStream, asynchronously and
// in order, and never again by itself (PROTOCOL 32): who sent a message that was not stored
// decides what comes next. It does what jetstream's asynchronous publish does, for half the
// time and without a future, a timer and a decoded acknowledgement for each message.
type sender struct {
	nc     *nats.Conn
	inbox  string // what reply subjects begin with; a number follows
	answer *nats.Subscription
	stop   chan struct{}
	ended  sync.WaitGroup

	lanes []lane // of the shards; none if effects go as all else does

	mu      sync.Mutex
	room    sync.Cond // there is room in the window
	taken   int       // of the window
	last    uint64    // the number of the last message
	waiting map[uint64]sent
}

// sent is a message whose answer is awaited.
type sent struct {
	at      time.Time
	to      session.Sent
	ordinal uint64 // what to knows it by
	lane    *lane  // of an effect; to is nil for a batch of them
}

const (
	sendWindow  = 16 << 10 // messages under way at once
	sendTimeout = 5 * time.Second
)

// newSender makes a sender with that many lanes for effects.
func newSender(nc *nats.Conn, lanes int) (*sender, error) {
	s := &sender{
		nc: nc, inbox: nc.NewInbox() + ".", stop: make(chan struct{}), waiting: map[uint64]sent{},
		lanes: make([]lane, lanes),
	}
	for i := range s.lanes {
		s.lanes[i].s = s
	}
	s.room.L = &s.mu
	var err error
	if s.answer, err = nc.Subscribe(s.inbox+"*", s.answered); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	// The window bounds what may wait here.
	if err := s.answer.SetPendingLimits(-1, -1); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	s.ended.Add(1)
	go s.expire()
	return s, nil
}

// close ends the sender. What is under way is not waited for, and not told.
func (s *sender) close() {
	_ = s.answer.Unsubscribe() // the connection may be gone
	close(s.stop)
	s.ended.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.waiting)
	s.taken = 0
	s.room.Broadcast()
}

// Send implements [session.Sender].
func (s *sender) Send(m *nats.Msg, to session.Sent, ordinal uint64) {
	s.mu.Lock()
	s.enter()
	n := s.enlist(sent{to: to, ordinal: ordinal})
	s.mu.Unlock()
	if err := s.publish(m, n); err != nil {
		s.leave(1)
		to.Decided(ordinal, err)
	}
}

// SendEffect implements [session.Sender].
func (s *sender) SendEffect(shard int, m *nats.Msg, to session.Sent, ordinal uint64) {
	if len(s.lanes) == 0 {
		s.Send(m, to, ordinal)
		return
	}
	s.mu.Lock()
	s.enter()
	s.mu.Unlock()
	s.lanes[shard].send(parcel{m, to, ordinal})
}

// enter waits for room in the window, and takes it. It expects the lock held.
func (s *sender) enter() {
	for s.taken >= sendWindow {
		s.room.Wait()
	}
	s.taken++
}

func (s *sender) leave(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left(n)
}

// left gives room back. It expects the lock held.
func (s *sender) left(n int) {
	s.taken -= n
	for range n {
		s.room.Signal()
	}
}

// enlist numbers a message whose answer is awaited. It expects the lock held.
func (s *sender) enlist(as sent) (n uint64) {
	as.at = time.Now()
	s.last++
	s.waiting[s.last] = as
	return s.last
}

// put publishes a message whose answer is awaited.
func (s *sender) put(m *nats.Msg, as sent) error {
	s.mu.Lock()
	n := s.enlist(as)
	s.mu.Unlock()
	return s.publish(m, n)
}

func (s *sender) publish(m *nats.Msg, n uint64) error {
	m.Reply = s.inbox + strconv.FormatUint(n, 36)
	err := s.nc.PublishMsg(m)
	if err != nil {
		s.mu.Lock()
		delete(s.waiting, n)
		s.mu.Unlock()
	}
	return err
}

func (s *sender) answered(m *nats.Msg) {
	n, err := strconv.ParseUint(strings.TrimPrefix(m.Subject, s.inbox), 36, 64)
	if err != nil {
		return // no answer to anything sent
	}
	_, err = journal.ParseAck(m)
	s.decided(n, err)
}

// decided tells the sender of message n what became of it, once.
func (s *sender) decided(n uint64, err error) {
	s.mu.Lock()
	m, ok := s.waiting[n]
	delete(s.waiting, n)
	if ok && m.lane == nil {
		s.left(1)
	}
	s.mu.Unlock()
	switch {
	case !ok:
	case m.lane != nil:
		m.lane.decided(m, err)
	default:
		m.to.Decided(m.ordinal, err)
	}
}

var errNoAnswer = errors.New("no acknowledgement in time")

// expire gives up on messages that are not answered: their outcome stays unknown.
func (s *sender) expire() {
	defer s.ended.Done()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case now := <-tick.C:
			var late []uint64
			s.mu.Lock()
			for n, m := range s.waiting {
				if now.Sub(m.at) >= sendTimeout {
					late = append(late, n)
				}
			}
			s.mu.Unlock()
			for _, n := range late {
				s.decided(n, errNoAnswer)
			}
		}
	}
}
