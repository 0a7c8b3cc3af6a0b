package worker

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// sender publishes the outgoing messages of all sessions, asynchronously and in order,
// with the library's own retries off (PROTOCOL 32).
type sender struct {
	js jetstream.JetStream

	mu      sync.Mutex
	waiting map[*nats.Msg]func(error)
}

const (
	sendWindow  = 16 << 10 // messages under way at once
	sendTimeout = 5 * time.Second
)

func newSender(nc *nats.Conn) (*sender, error) {
	s := &sender{waiting: map[*nats.Msg]func(error){}}
	js, err := jetstream.New(nc,
		jetstream.WithPublishAsyncMaxPending(sendWindow),
		jetstream.WithPublishAsyncTimeout(sendTimeout),
		jetstream.WithPublishAsyncAckHandler(func(_ jetstream.JetStream, m *nats.Msg, _ *jetstream.PubAck) { s.done(m, nil) }),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, m *nats.Msg, err error) { s.done(m, err) }),
	)
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	s.js = js
	return s, nil
}

// Send implements [session.Sender].
func (s *sender) Send(m *nats.Msg, done func(error)) {
	s.mu.Lock()
	s.waiting[m] = done
	s.mu.Unlock()
	if _, err := s.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0), jetstream.WithStallWait(sendTimeout)); err != nil {
		s.done(m, err)
	}
}

func (s *sender) done(m *nats.Msg, err error) {
	s.mu.Lock()
	done := s.waiting[m]
	delete(s.waiting, m)
	s.mu.Unlock()
	if done != nil {
		done(err)
	}
}
