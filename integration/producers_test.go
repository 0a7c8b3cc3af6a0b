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
	refused int // publications refused with a full mailbox, and repeated
	retried int // publications without an answer, and repeated
}

func (w *world) ledger() *ledger { return &ledger{w: w, sent: map[string][]string{}} }

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
	for {
		attempt, cancel := context.WithTimeout(ctx, time.Second)
		_, err := l.w.js.PublishMsg(attempt, m, jetstream.WithRetryAttempts(0))
		cancel()
		l.mu.Lock()
		switch {
		case err == nil:
			l.sent[session] = append(l.sent[session], ev.ID())
		case mailboxFull(err):
			l.refused++
		default:
			l.retried++
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
