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

// sweep finds sessions that are owed an owner and have none (PROTOCOL 17): inputs past
// the log's cursor, or the key of a dead worker. One worker sweeps a shard. It is part of
// correctness: activation and takeover work on views that may be stale, and rely on it.
func (l *life) sweep(ctx context.Context) {
	swept := make([]bool, l.ns.Shards())
	tick := time.NewTicker(l.cfg.SweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for shard := range l.ns.Shards() {
				if !l.elected("shard/" + strconv.Itoa(shard)) {
					if swept[shard] {
						l.observe(func(o Observer) { o.MailboxLag(shard, 0) })
					}
					swept[shard] = false
					continue
				}
				swept[shard] = true
				l.tellLag(ctx, shard)
				if err := l.sweepShard(ctx, shard); err != nil && ctx.Err() == nil {
					l.log.WarnContext(ctx, "sweep interrupted", "shard", shard, "error", err)
				}
			}
		}
	}
}

// tellLag measures how many inputs of a shard the fleet has not looked at.
func (l *life) tellLag(ctx context.Context, shard int) {
	if l.cfg.Observer == nil {
		return
	}
	cons, err := l.env.Mailboxes[shard].Consumer(ctx, activationDurable)
	if err != nil {
		l.log.WarnContext(ctx, "mailbox lag not known", "shard", shard, "error", err)
		return
	}
	l.cfg.Observer.MailboxLag(shard, cons.CachedInfo().NumPending)
}

// sweepShard looks at every mailbox of a shard. A session that cannot be read does not end it;
// the error says how many there were.
func (l *life) sweepShard(ctx context.Context, shard int) error {
	for _, inc := range l.owners.Incarnations() {
		if l.alive(ctx, inc) {
			continue
		}
		for _, owner := range l.owners.ByIncarnation(inc) {
			if l.ns.Shard(owner.Session) == shard && !l.here(owner.Session) {
				l.takeOver(ctx, owner.Session)
			}
		}
	}
	unread, unanswered := 0, 0 // mailboxes; the latter in a row
	for _, filter := range []string{l.ns.InShard(shard), l.ns.CtlShard(shard)} {
		info, err := l.env.Mailboxes[shard].Info(ctx, jetstream.WithSubjectFilter(filter))
		if err != nil {
			return err
		}
		for subject := range info.State.Subjects {
			_, _, id, err := l.ns.ParseSession(subject)
			if err != nil || l.here(id) {
				continue // misplaced messages are the activation consumer's
			}
			if owner, ok := l.owners.Lookup(id); ok && l.alive(ctx, owner.Incarnation) && owner.Incarnation != l.me {
				continue
			}
			waits, err := l.inputWaits(ctx, subject, id)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				// One session that cannot be read must not keep the others from being found.
				l.log.WarnContext(ctx, "session not swept", "session", id, "error", err)
				unread++
				if !outage(err) {
					unanswered = 0
				} else if unanswered++; unanswered == maxUnanswered {
					return fmt.Errorf("given up after %d reads in a row without an answer: %w", unanswered, err)
				}
				continue
			}
			unanswered = 0
			if waits {
				l.log.InfoContext(ctx, "sweeper found a session without an owner", "session", id)
				l.inBackground(ctx, func() { l.lookAfter(ctx, id) })
			}
		}
	}
	if unread > 0 {
		return fmt.Errorf("%d mailboxes not swept", unread)
	}
	return nil
}

// maxUnanswered is how many reads in a row may go without an answer before a sweep gives its
// shard up: each takes its whole time-out, and the next sweep looks at everything again.
const maxUnanswered = 3

// outage reports whether a read failed for want of JetStream, and not for what was read.
func outage(err error) bool {
	for _, cause := range []error{context.DeadlineExceeded, nats.ErrTimeout, nats.ErrNoResponders, nats.ErrConnectionClosed} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return errors.As(err, new(*jetstream.APIError))
}

// inputWaits reports whether a mailbox subject holds anything past the session's cursor.
func (l *life) inputWaits(ctx context.Context, subject, id string) (bool, error) {
	last, err := l.env.Mailboxes[l.ns.Shard(id)].GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	cursor, err := session.Cursor(ctx, l.env, id)
	return last.Sequence > cursor, err
}
