package worker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/session"
)

// timersDurable forwards what fired: a fired schedule is not delivered to core
// subscribers, and a mailbox cannot hold schedules, so the fleet shares one durable
// consumer over the due subjects.
const timersDurable = "kalahari-timers"

// maxRefused bounds the fired events that are on their way or wait to be tried again, those
// of full mailboxes among them; beyond it no timer of the namespace is forwarded.
const maxRefused = 100_000

// maxRefusalDelay is the longest time until one is tried again.
const maxRefusalDelay = time.Minute

func (l *life) timers(ctx context.Context) {
	for try := 0; ctx.Err() == nil; try++ {
		since := time.Now()
		err := l.forwardTimers(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(since) > time.Minute {
			try = 0
		}
		l.log.WarnContext(ctx, "timers interrupted", "error", err)
		if !sleep(ctx, min(100*time.Millisecond<<min(try, 5), 3*time.Second)) {
			return
		}
	}
}

func (l *life) forwardTimers(ctx context.Context) error {
	cons, err := l.js.CreateOrUpdateConsumer(ctx, l.ns.TimeStream(), jetstream.ConsumerConfig{
		Durable:        timersDurable,
		Description:    "Kalahari: forwards fired timers to the mailboxes",
		FilterSubjects: l.ns.EachShard(l.ns.DueShard),
		AckPolicy:      jetstream.AckExplicitPolicy,
		AckWait:        10 * time.Second,
		MaxAckPending:  maxRefused,
		MaxDeliver:     -1,
	})
	if err != nil {
		return err
	}
	iter, err := cons.Messages(jetstream.PullMaxMessages(64), jetstream.PullExpiry(30*time.Second))
	if err != nil {
		return err
	}
	stopped := context.AfterFunc(ctx, iter.Stop)
	defer stopped()
	defer iter.Stop()
	for {
		m, err := iter.Next()
		if err != nil {
			// Also if the consumer is silent: it may be gone, and of that nobody tells one who was
			// not connected then.
			return err
		}
		l.forwardTimer(ctx, m)
	}
}

// forwardTimer publishes a fired event to its mailbox. A mailbox that is full now is tried
// again later (PROTOCOL 34); one that will not take the event is not.
func (l *life) forwardTimer(ctx context.Context, m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		return
	}
	_, _, id, err := l.ns.ParseSession(m.Subject())
	if err != nil {
		l.log.WarnContext(ctx, "a timer of nobody", "subject", m.Subject(), "error", err)
		l.ack(m.Reply())
		return
	}
	msg := &nats.Msg{Subject: l.ns.In(id), Data: m.Data(), Header: nats.Header{
		nats.MsgIdHdr:  {session.DueID(id, meta.Sequence.Stream)},
		"Content-Type": {m.Headers().Get("Content-Type")},
	}}
	_, err = l.js.PublishMsg(ctx, msg)
	if errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum) || errors.Is(err, nats.ErrMaxPayload) {
		err = l.buryTimer(ctx, m, id, meta.Sequence.Stream, err)
	}
	if err != nil {
		l.log.WarnContext(ctx, "timer not forwarded, trying again", "session", id, "error", err)
		// Rarer and rarer: what is tried again comes before what has just fired. If this is
		// lost, the ack wait brings it back.
		_ = m.NakWithDelay(min(time.Second<<min(meta.NumDelivered-1, 6), maxRefusalDelay))
		return
	}
	l.ack(m.Reply())
}

// buryTimer files a fired event under DEAD that is larger than its mailbox takes by now: it
// was accepted when more was allowed.
func (l *life) buryTimer(ctx context.Context, m jetstream.Msg, id string, seq uint64, why error) error {
	reason := fmt.Sprintf("the event was postponed, and its %d bytes of data are too much for the mailbox now that it is due: %v", len(m.Data()), why)
	letter := session.DeadLetter(l.ns, id, &nats.Msg{Subject: m.Subject(), Header: m.Headers(), Data: m.Data()}, seq, reason)
	letter.Header[nats.MsgIdHdr] = []string{"due:" + id + ":" + strconv.FormatUint(seq, 10)}
	if _, err := l.js.PublishMsg(ctx, letter); err != nil {
		return fmt.Errorf("dead letter not stored: %w", err)
	}
	l.log.WarnContext(ctx, "event refused", "session", id, "reason", reason)
	l.observe(func(o Observer) { o.DeadLettered() })
	return nil
}
