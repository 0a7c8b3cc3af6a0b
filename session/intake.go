package session

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/trace"

	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// catchUp is for how long a stream is seen to end too early before that is taken for
// certain: the leader of a replicated one may have to catch up with what it has agreed to. A
// session that folds its log again for it loses the run in progress, and one that is
// quarantined stays so.
const catchUp = 5 * time.Second

// Mailboxes are the IN streams of a namespace, by shard.
type Mailboxes []jetstream.Stream

// OpenMailboxes opens the IN streams of ns. They must exist.
func OpenMailboxes(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) (Mailboxes, error) {
	var all Mailboxes
	for shard := range ns.Shards() {
		st, err := js.Stream(ctx, ns.InStream(shard))
		if err != nil {
			return nil, fmt.Errorf("mailbox stream %s: %w", ns.InStream(shard), err)
		}
		all = append(all, st)
	}
	return all, nil
}

func (s *Session) mailbox() jetstream.Stream {
	return s.env.Mailboxes[s.env.Namespace.Shard(s.id)]
}

// checkMailbox notices a mailbox stream that has regressed behind the cursor: what it
// holds now would never be delivered (PROTOCOL 18).
func (s *Session) checkMailbox(ctx context.Context, cursor uint64) error {
	if cursor == 0 {
		return nil
	}
	end, err := endOf(ctx, s.mailbox(), cursor)
	if err != nil {
		return fmt.Errorf("session %s: mailbox: %w", s.id, err)
	}
	if end < cursor {
		return &journal.BrokenError{
			Session: s.id,
			Reason:  fmt.Sprintf("the cursor is %d, the mailbox stream ends at %d: it has regressed", cursor, end),
		}
	}
	return nil
}

// endOf is the last sequence of a stream that had the given one. If it is an earlier one, the
// stream has regressed.
func endOf(ctx context.Context, stream jetstream.Stream, had uint64) (uint64, error) {
	for since := time.Now(); ; {
		info, err := stream.Info(ctx)
		switch {
		case err != nil:
			return 0, err
		case info.State.LastSeq >= had, time.Since(since) >= catchUp:
			return info.State.LastSeq, nil
		}
		if !sleep(ctx, time.Second) {
			return 0, ctx.Err()
		}
	}
}

// take takes one mailbox message into the commit. Whatever it is, the session goes on
// behind it: what cannot be taken is filed under DEAD with the reason.
func (s *Session) take(a arrival) {
	m, meta := a.msg, a.meta
	seq := meta.Sequence.Stream
	if seq <= s.next.cursor {
		return // seen: the consumer was set up anew
	}
	s.next.cursor = seq
	s.next.inputs++
	s.next.published = meta.Timestamp
	s.env.Telemetry.InputWaited(s.now().Sub(meta.Timestamp))
	s.consumed.add(a)
	s.taking = m
	defer func() { s.taking = nil }()
	if size := len(m.Data); size > s.env.MaxInput {
		s.deadLetter(fmt.Sprintf("the event has %d bytes of data, %d are the most", size, s.env.MaxInput))
		return
	}
	ev, err := subjects.Decode(m.Header, m.Data)
	if err != nil {
		s.deadLetter(err.Error())
		return
	}
	if ev.Type() == subjects.DeadlineType || ev.Type() == subjects.ReturnedType {
		s.news(&ev)
		return
	}
	if name, ok := subjects.CommandName(ev.Type()); ok {
		s.commandEvent(name, &ev)
		return
	}
	if m.Subject == s.env.Namespace.Ctl(s.id) {
		s.deadLetter(fmt.Sprintf("type: %q is no command; the control subject takes commands only", ev.Type()))
		return
	}
	s.admitEvent(&ev)
}

// letter is a mailbox message on its way to DEAD.
type letter struct {
	msg    *nats.Msg
	seq    uint64
	reason string
}

// deadLetter files the message being taken under DEAD, before the commit that passes
// over it.
func (s *Session) deadLetter(reason string) {
	s.env.Telemetry.DeadLettered()
	born := tracing.FromExtensions(s.taking.Header.Get("ce-"+subjects.ExtTraceParent), "")
	s.log.WarnContext(trace.ContextWithSpanContext(context.Background(), born), "event refused", "reason", reason)
	s.next.dead = append(s.next.dead, letter{s.taking, s.next.cursor, reason})
}

// bury stores a dead letter. Its id is the message's place in the mailbox, so that doing
// it twice stores one.
func (s *Session) bury(ctx context.Context, l letter) error {
	msg := DeadLetter(s.env.Namespace, s.id, l.msg, l.seq, l.reason)
	msg.Header[nats.MsgIdHdr] = []string{"dead:" + s.id + ":" + strconv.FormatUint(l.seq, 10)}
	for try := 0; ; try++ {
		_, err := s.env.JS.PublishMsg(ctx, msg)
		if err == nil {
			return nil
		}
		s.log.WarnContext(ctx, "dead letter not stored, trying again", "error", err)
		if !sleep(ctx, min(50*time.Millisecond<<min(try, 6), 2*time.Second)) {
			return ctx.Err()
		}
	}
}
