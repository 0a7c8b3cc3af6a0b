package worker

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/session"
)

// The activation consumer of a shard: one durable for the fleet, headers only
// (PROTOCOL 31). A worker takes no more than it has room for, so that a full or stuck one
// does not keep sessions from the others.
const (
	activationDurable = "kalahari-activation"
	activationWait    = 5 * time.Second
	activationPending = 10_000
	activationBatch   = 64
)

func (l *life) activationConsumer(ctx context.Context, shard int) (jetstream.Consumer, error) {
	return l.js.CreateOrUpdateConsumer(ctx, l.ns.InStream(shard), jetstream.ConsumerConfig{
		Durable:       activationDurable,
		Description:   "Kalahari: tells the fleet which sessions have inputs",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       activationWait,
		MaxAckPending: activationPending,
		MaxDeliver:    -1,
		HeadersOnly:   true,
		DeliverPolicy: jetstream.DeliverAllPolicy,
	})
}

// activate claims the sessions of a shard that have inputs and no owner.
func (l *life) activate(ctx context.Context, shard int) {
	for try := 0; ctx.Err() == nil; try++ {
		cons, err := l.activationConsumer(ctx, shard)
		if err == nil {
			err = l.consumeActivations(ctx, cons)
		}
		if ctx.Err() != nil {
			return
		}
		l.log.WarnContext(ctx, "activation interrupted", "shard", shard, "error", err)
		if !sleep(ctx, min(100*time.Millisecond<<min(try, 5), 3*time.Second)) {
			return
		}
	}
}

func (l *life) consumeActivations(ctx context.Context, cons jetstream.Consumer) error {
	for {
		for l.room() == 0 {
			if !sleep(ctx, 200*time.Millisecond) {
				return ctx.Err()
			}
		}
		iter, err := cons.Messages(jetstream.PullMaxMessages(activationBatch), jetstream.PullExpiry(10*time.Second))
		if err != nil {
			return err
		}
		stopped := context.AfterFunc(ctx, iter.Stop)
		for l.room() > 0 {
			m, err := iter.Next()
			if err != nil {
				stopped()
				iter.Stop()
				if errors.Is(err, jetstream.ErrNoHeartbeat) {
					break
				}
				return err
			}
			l.activation(ctx, m)
		}
		stopped()
		iter.Stop()
	}
}

// activation looks at one mailbox message. It is acked once the session is in good hands;
// otherwise it comes again after the ack wait, to this worker or another.
func (l *life) activation(ctx context.Context, m jetstream.Msg) {
	_, _, id, err := l.ns.ParseSession(m.Subject())
	if err != nil {
		l.misplaced(ctx, m, err)
		return
	}
	meta, err := m.Metadata()
	if err != nil {
		l.log.WarnContext(ctx, "an activation without metadata", "subject", m.Subject(), "error", err)
		return
	}
	if l.vouch(id, meta.Sequence.Stream) {
		l.ack(m)
		return
	}
	// Noted before the view is read: the owner's key may vanish in between.
	l.entrusted.note(id)
	if owner, ok := l.owners.Lookup(id); ok && owner.Incarnation != l.me && l.members.Alive(owner.Incarnation) {
		l.ack(m)
		return
	}
	select {
	case l.claims <- struct{}{}:
	case <-ctx.Done():
		return
	}
	go func() {
		defer func() { <-l.claims }()
		if l.claim(ctx, id) {
			l.ack(m)
		}
	}()
}

func (l *life) ack(m jetstream.Msg) {
	if err := m.Ack(); err != nil {
		l.log.Debug("activation not acked, it comes again", "error", err)
	}
}

// misplaced files a message under DEAD that no session can own: an illegal token, or a
// shard that is not the session's (PROTOCOL 29).
func (l *life) misplaced(ctx context.Context, m jetstream.Msg, why error) {
	meta, err := m.Metadata()
	if err != nil {
		return
	}
	kind, shard, id, _ := l.ns.ParseSession(m.Subject())
	if kind == "" {
		l.log.WarnContext(ctx, "a message on a foreign subject", "subject", m.Subject())
		l.ack(m)
		return
	}
	seq := meta.Sequence.Stream
	raw, err := l.env.Mailboxes[shard].GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		l.ack(m)
		return
	}
	if err != nil {
		return
	}
	letter := session.DeadLetter(l.ns, id, &nats.Msg{Subject: m.Subject(), Header: raw.Header, Data: raw.Data}, seq, why.Error())
	letter.Header[nats.MsgIdHdr] = []string{"misplaced:" + strconv.Itoa(shard) + ":" + strconv.FormatUint(seq, 10)}
	if _, err := l.js.PublishMsg(ctx, letter); err != nil {
		l.log.WarnContext(ctx, "misplaced message not filed, it comes again", "error", err)
		return
	}
	if err := l.env.Mailboxes[shard].DeleteMsg(ctx, seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		l.log.WarnContext(ctx, "misplaced message not removed", "error", err)
	}
	l.ack(m)
}
