package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/subjects"
)

// publish sends the inputs from..to of every session, one round after the other.
func (b *run) publish(ctx context.Context, from, to int, rate float64) error {
	start, sent := time.Now(), 0
	for n := from; n < to; n++ {
		for session := range b.Sessions {
			due := time.Time{}
			if rate > 0 {
				due = start.Add(time.Duration(float64(sent) / rate * float64(time.Second)))
				if err := pause(ctx, time.Until(due)); err != nil {
					return err
				}
			}
			if err := b.token(ctx); err != nil {
				return err
			}
			if due.IsZero() {
				due = time.Now()
			}
			b.ledger.publish(session, n, due)
			m, err := b.message(ctx, session, n)
			if err == nil {
				err = b.nc.PublishMsg(m)
			}
			if err != nil {
				return fmt.Errorf("publish: %w", err)
			}
			sent++
		}
	}
	return nil
}

// token waits until another input may be under way.
func (b *run) token(ctx context.Context) error {
	select {
	case b.tokens <- struct{}{}:
		return b.failed()
	default:
	}
	for {
		select {
		case b.tokens <- struct{}{}:
			return b.failed()
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(b.Stall):
			if err := b.failed(); err != nil {
				return err
			}
			return fmt.Errorf("nothing moved for %v with %d inputs under way", b.Stall, b.Concurrency)
		}
	}
}

// message makes the n-th input of a session, in binary mode. As the SDK does, it stores data
// of more than [subjects.MaxInlineData] as a blob first.
func (b *run) message(ctx context.Context, session, n int) (*nats.Msg, error) {
	name, id := b.ledger.session(session), b.ledger.id(session, n)
	// The connection has copied the headers when it has taken the message.
	b.header[nats.MsgIdHdr][0], b.header["ce-id"][0] = id, id
	m := &nats.Msg{Subject: b.ns.In(name), Reply: b.inbox + id, Header: b.header}
	if b.Payload <= subjects.MaxInlineData {
		m.Data = b.data
		return m, nil
	}
	// Its own id makes it a blob of its own.
	blob, err := b.blobs.Put(ctx, name, []byte(`{"text":"`+id+b.text[len(id):]+`"}`))
	m.Header["ce-"+subjects.ExtDataRef] = []string{blob.Ref}
	return m, err
}

// awaitAnswers takes the server's answers to what is published: as jetstream's asynchronous
// publish does, without a future and a timer for each, which would count as the system's. An
// answer that never comes is noticed when nothing moves any more, at the latest when all
// inputs have ended.
func (b *run) awaitAnswers() (stop func(), err error) {
	b.inbox = b.nc.NewInbox() + "."
	answers, err := b.nc.Subscribe(b.inbox+"*", func(m *nats.Msg) {
		_, err := journal.ParseAck(m)
		b.answered(strings.TrimPrefix(m.Subject, b.inbox), err)
	})
	if err != nil {
		return nil, fmt.Errorf("answers: %w", err)
	}
	stop = func() { _ = answers.Unsubscribe() }              // the connection may be gone
	if err := answers.SetPendingLimits(-1, -1); err != nil { // Concurrency bounds them
		stop()
		return nil, fmt.Errorf("answers: %w", err)
	}
	return stop, nil
}

// answered notes whether an input is stored.
func (b *run) answered(id string, err error) {
	at := time.Now()
	if err != nil {
		b.broken(fmt.Errorf("publish %s: %w", id, err))
	} else {
		b.ledger.stored(id, at)
	}
	b.mu.Lock()
	b.stored++
	b.storedAll = at
	b.mu.Unlock()
	if !b.awaitsEnd() {
		<-b.tokens
	}
}
