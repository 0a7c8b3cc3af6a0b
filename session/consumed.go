package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// removedEach is how many messages are removed one by one. A purge of a subject is one
// request, but for each the server looks at every consumer of the stream, and there is one
// for every session of the shard: with 2,500 of them it takes 3 ms in which the shard stores
// nothing. To remove a message takes less than a tenth of a millisecond, however many sessions
// there are.
const removedEach = 32

// consumed is what a session has taken of its mailbox and not removed. The zero value is
// nothing.
type consumed struct {
	in, ctl bool     // something from the subject
	seqs    []uint64 // of the messages, at most removedEach
	by      string   // the consumer that brought them, "" if there were several, or it is not known
	many    bool     // there are more
}

// leftover is what the session's last owner may have left.
func leftover() consumed { return consumed{in: true, ctl: true} }

// add notes a message that was taken.
func (c *consumed) add(a arrival) {
	if !c.in && !c.ctl {
		c.by = a.consumer
	} else if c.by != a.consumer {
		c.by = ""
	}
	if strings.Contains(a.msg.Subject, ".ctl.") { // or a namespace of that name, which costs a request
		c.ctl = true
	} else {
		c.in = true
	}
	if len(c.seqs) == removedEach {
		c.seqs, c.many = nil, true
	}
	if !c.many {
		c.seqs = append(c.seqs, a.meta.Sequence.Stream)
	}
}

// removeConsumed removes what the session has taken, all of which is committed.
func (s *Session) removeConsumed(ctx context.Context) error {
	c := &s.consumed
	if c.many || s.removeEach(ctx) != nil {
		// A message that is gone already is an error there, and the purge decides.
		if err := s.purgeConsumed(ctx); err != nil {
			return err
		}
	}
	*c = consumed{seqs: c.seqs[:0]}
	return nil
}

// removeEach removes one message after the other.
func (s *Session) removeEach(ctx context.Context) error {
	// A sequence means what it meant for as long as the stream goes on. If the consumer had to
	// be set up anew, the server may have come back without what it stored last (PROTOCOL 18),
	// and another session's message may have the place: so the stream is asked.
	if !s.intake.brought(s.consumed.by) || !s.lives(ctx, s.consumed.by) {
		return s.removeFound(ctx)
	}
	for _, seq := range s.consumed.seqs {
		if err := s.mailbox().DeleteMsg(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// lives reports whether the consumer is known to live. If the server that we are connected
// to stores the stream, that is known without asking. Another one may have come back without
// what it stored last, if nobody else stores it: then the consumer is gone, and may not have
// been missed yet.
func (s *Session) lives(ctx context.Context, consumer string) bool {
	stream := s.mailbox()
	info := stream.CachedInfo()
	if info.Config.Replicas > 1 || info.Cluster != nil && info.Cluster.Leader == s.env.JS.Conn().ConnectedServerName() {
		return true
	}
	_, err := stream.Consumer(ctx, consumer)
	return err == nil
}

// removeFound removes what it finds up to the cursor, if that is not much.
func (s *Session) removeFound(ctx context.Context) error {
	found := 0
	for _, subject := range s.consumed.subjects(s) {
		for {
			m, err := s.mailbox().GetMsg(ctx, 1, jetstream.WithGetMsgSubject(subject))
			if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Sequence > s.cursor {
				break
			}
			if err != nil {
				return err
			}
			if found++; found > removedEach {
				return errMany
			}
			if err := s.mailbox().DeleteMsg(ctx, m.Sequence); err != nil {
				return err
			}
		}
	}
	return nil
}

var errMany = errors.New("there are too many to remove one by one")

// subjects are those of the session's mailbox that something was taken from.
func (c *consumed) subjects(s *Session) (all []string) {
	if c.in {
		all = append(all, s.env.Namespace.In(s.id))
	}
	if c.ctl {
		all = append(all, s.env.Namespace.Ctl(s.id))
	}
	return all
}

// purgeConsumed removes all up to the cursor.
func (s *Session) purgeConsumed(ctx context.Context) error {
	for _, subject := range s.consumed.subjects(s) {
		err := s.mailbox().Purge(ctx, jetstream.WithPurgeSubject(subject), jetstream.WithPurgeSequence(s.cursor+1))
		if err != nil {
			return fmt.Errorf("session %s: purge %s: %w", s.id, subject, err)
		}
	}
	return nil
}
