package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// acks brings the server's answers to the writers that wait for them. It does what a
// request of the library does, for half the time: one subscription for all, and no context,
// timer, channel and general JSON decoder for each commit.
type acks struct {
	nc    *nats.Conn
	inbox string // what reply subjects begin with; a number follows
	sub   *nats.Subscription

	mu      sync.Mutex
	last    uint64 // number of the last try
	waiting map[uint64]chan<- ack
}

// ack is what became of a try.
type ack struct {
	try uint64
	seq uint64 // in the stream
	err error
}

func newAcks(nc *nats.Conn) (*acks, error) {
	a := &acks{nc: nc, inbox: nc.NewInbox() + ".", waiting: map[uint64]chan<- ack{}}
	var err error
	if a.sub, err = nc.Subscribe(a.inbox+"*", a.arrived); err != nil {
		return nil, fmt.Errorf("acknowledgements: %w", err)
	}
	return a, nil
}

// send publishes a try whose answer will come on answer, which must have room for it.
func (a *acks) send(msg *nats.Msg, answer chan<- ack) (try uint64, err error) {
	a.mu.Lock()
	a.last++
	try = a.last
	a.waiting[try] = answer
	a.mu.Unlock()
	msg.Reply = a.inbox + strconv.FormatUint(try, 36)
	if err := a.nc.PublishMsg(msg); err != nil {
		a.forget(try)
		return 0, err
	}
	return try, nil
}

// forget gives up on a try. Its answer may be on its way already.
func (a *acks) forget(try uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, try)
}

func (a *acks) arrived(m *nats.Msg) {
	try, err := strconv.ParseUint(strings.TrimPrefix(m.Subject, a.inbox), 36, 64)
	if err != nil {
		return // no answer to anything sent
	}
	a.mu.Lock()
	answer, ok := a.waiting[try]
	delete(a.waiting, try)
	a.mu.Unlock()
	if !ok {
		return
	}
	seq, err := ParseAck(m)
	select {
	case answer <- ack{try, seq, err}:
	default: // nobody has taken that of an earlier try; this one is as good as lost
	}
}

var errNoAck = errors.New("the answer to a publish is no acknowledgement")

// ParseAck reads the server's answer to a publish: the sequence the message was stored at, or
// why it was not. [nats.ErrNoResponders] if no stream takes it, a [*jetstream.APIError] if the
// stream refused it.
func ParseAck(m *nats.Msg) (uint64, error) {
	if len(m.Data) == 0 {
		return 0, nats.ErrNoResponders // what the server says when no stream listens
	}
	// The usual answer: {"stream":"KALAHARI_ns_LOG_3","seq":123}
	if rest, ok := bytes.CutPrefix(m.Data, []byte(`{"stream":"`)); ok {
		if _, rest, ok = bytes.Cut(rest, []byte(`","seq":`)); ok {
			if digits, ok := bytes.CutSuffix(rest, []byte("}")); ok {
				if seq, err := strconv.ParseUint(string(digits), 10, 64); err == nil && seq > 0 {
					return seq, nil
				}
			}
		}
	}
	var answer struct {
		Stream   string              `json:"stream"`
		Sequence uint64              `json:"seq"`
		Error    *jetstream.APIError `json:"error"`
	}
	switch err := json.Unmarshal(m.Data, &answer); {
	case err != nil:
		return 0, fmt.Errorf("publish acknowledgement: %w", err)
	case answer.Error != nil:
		return 0, answer.Error
	case answer.Stream == "" || answer.Sequence == 0:
		return 0, errNoAck
	}
	return answer.Sequence, nil
}

// publish tries msg once.
func (w *Writer) publish(ctx context.Context, msg *nats.Msg) (uint64, error) {
	timeout := w.AttemptTimeout
	if timeout == 0 {
		timeout = 5 * time.Second
	}
	if w.answer == nil {
		w.answer, w.late = make(chan ack, 1), time.NewTimer(timeout)
	} else {
		w.late.Reset(timeout)
		select {
		case <-w.answer: // of a try that had been given up
		default:
		}
	}
	defer w.late.Stop()
	try, err := w.log.acks.send(msg, w.answer)
	if err != nil {
		return 0, err
	}
	for {
		select {
		case a := <-w.answer:
			if a.try == try {
				return a.seq, a.err
			}
		case <-w.late.C:
			w.log.acks.forget(try)
			return 0, nats.ErrTimeout
		case <-ctx.Done():
			w.log.acks.forget(try)
			return 0, ctx.Err()
		}
	}
}
