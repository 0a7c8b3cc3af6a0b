//go:build unix

package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// ledger is what producers were promised: the inputs acknowledged, by session, in order.
type ledger struct {
	w  *world
	mu sync.Mutex
	// sent are the ids of prompts acknowledged, in the order of their publication.
	sent    map[string][]string
	asked   map[string]time.Time // by session/id: when it was published for the first time
	told    map[string]string    // by session/id: the outcome that a gateway answered with
	refused int                  // publications refused with a full mailbox, and repeated
	retried int                  // publications without an answer, or with another error, and repeated
	failure error                // the last of those errors
}

func (w *world) ledger() *ledger {
	return &ledger{w: w, sent: map[string][]string{}, asked: map[string]time.Time{}, told: map[string]string{}}
}

func newEvent(id, eventType, data string) event.Event {
	ev := event.New()
	ev.SetID(id)
	ev.SetSource("/integration")
	ev.SetType(eventType)
	if err := ev.SetData(event.ApplicationJSON, json.RawMessage(data)); err != nil {
		panic(err)
	}
	return ev
}

func prompt(id, text string) event.Event {
	return newEvent(id, subjects.InputType("prompt"), fmt.Sprintf(`{"text":%q}`, text))
}

func command(id, name, data string) event.Event {
	return newEvent(id, subjects.CommandType(name), data)
}

func (w *world) message(subject, session string, ev event.Event) *nats.Msg {
	w.t.Helper()
	m, err := subjects.EncodeBinary(ev, subject)
	if err != nil {
		w.t.Fatal(err)
	}
	m.Header.Set(nats.MsgIdHdr, subjects.MsgID(session, ev))
	return m
}

// publish publishes an event until it is acknowledged, always under the same message id.
func (l *ledger) publish(ctx context.Context, session string, ev event.Event) error {
	m := l.w.message(l.w.ns.In(session), session, ev)
	return l.insist(ctx, session, ev, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := l.w.js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0))
		return err
	})
}

// insist tries to send an event until that succeeds, and books it.
func (l *ledger) insist(ctx context.Context, session string, ev event.Event, send func(context.Context) error) error {
	l.mu.Lock()
	l.asked[session+"/"+ev.ID()] = time.Now()
	l.mu.Unlock()
	for {
		err := send(ctx)
		l.mu.Lock()
		switch {
		case err == nil:
			l.sent[session] = append(l.sent[session], ev.ID())
		case mailboxFull(err):
			l.refused++
		default:
			l.retried++
			l.failure = err
		}
		l.mu.Unlock()
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func mailboxFull(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == 10077
}

// prompts publishes prompts to sessions, a round over all of them at a time, with a pause
// between two rounds. Each session has one producer.
func (l *ledger) prompts(sessions []string, rounds int, pause time.Duration) {
	l.w.t.Helper()
	const producers = 16
	ctx, cancel := context.WithTimeout(l.w.t.Context(), time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for p := range producers {
		all.Go(func() {
			for round := range rounds {
				for i := p; i < len(sessions); i += producers {
					s := sessions[i]
					l.mu.Lock()
					n := len(l.sent[s])
					l.mu.Unlock()
					if err := l.publish(ctx, s, prompt(fmt.Sprintf("%s-%03d", s, n), "x")); err != nil {
						l.w.t.Errorf("publish to %s: %v", s, err)
						return
					}
				}
				if round < rounds-1 {
					time.Sleep(pause)
				}
			}
		})
	}
	all.Wait()
}

// sender publishes an event until it is acknowledged.
type sender func(ctx context.Context, session string, ev event.Event) error

// flow gives each session a producer that publishes one prompt after the other, with a
// pause after each acknowledgement, until stop is called. stop returns when what was begun
// is acknowledged.
func (l *ledger) flow(send sender, sessions []string, pause time.Duration) (stop func()) {
	stopping := make(chan struct{})
	var all sync.WaitGroup
	for _, s := range sessions {
		all.Go(func() {
			for i := 0; ; i++ {
				// None is given up before its time: what is not acknowledged may come all the same.
				ctx, cancel := context.WithTimeout(l.w.t.Context(), 3*time.Minute)
				err := send(ctx, s, prompt(fmt.Sprintf("%s-%05d", s, i), "x"))
				cancel()
				if l.w.t.Context().Err() != nil {
					return // the test has ended before its time
				}
				if err != nil {
					l.w.t.Errorf("publish to %s: %v", s, err)
					return
				}
				select {
				case <-stopping:
					return
				case <-time.After(pause):
				}
			}
		})
	}
	return func() {
		close(stopping)
		all.Wait()
	}
}

func (l *ledger) total() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ids := range l.sent {
		n += len(ids)
	}
	return n
}

func names(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%03d", prefix, i)
	}
	return all
}
