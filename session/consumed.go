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
	by      string   // the consumer that brought them, "" if there were several
	untold  bool     // there is more than seqs says, or may be
}

// leftover is what the session's last owner may have left.
func leftover() consumed { return consumed{in: true, ctl: true, untold: true} }

// add notes a message that was taken.
func (c *consumed) add(a arrival) {
	if strings.Contains(a.msg.Subject, ".ctl.") { // or a namespace of that name, which costs a purge
		c.ctl = true
	} else {
		c.in = true
	}
	switch {
	case c.untold:
		return
	case len(c.seqs) == removedEach:
		c.seqs, c.untold = nil, true
		return
	case len(c.seqs) == 0:
		c.by = a.consumer
	case c.by != a.consumer:
		c.by = ""
	}
	c.seqs = append(c.seqs, a.meta.Sequence.Stream)
}

// removeConsumed removes what the session has taken, all of which is committed.
func (s *Session) removeConsumed(ctx context.Context) error {
	c := &s.consumed
	if c.untold || s.removeEach(ctx) != nil {
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
	c := &s.consumed
	// A sequence means what it meant for as long as the stream goes on. If the consumer had to
	// be set up anew, the server may have come back without what it stored last (PROTOCOL 18),
	// and another session's message may have the place.
	sure := s.intake.brought(c.by)
	for _, seq := range c.seqs {
		if !sure {
			m, err := s.mailbox().GetMsg(ctx, seq)
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if _, _, id, _ := s.env.Namespace.ParseSession(m.Subject); id != s.id {
				continue
			}
		}
		if err := s.mailbox().DeleteMsg(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// purgeConsumed removes all up to the cursor, from the subjects that something was taken from.
func (s *Session) purgeConsumed(ctx context.Context) error {
	for _, p := range []struct {
		took    bool
		subject string
	}{{s.consumed.in, s.env.Namespace.In(s.id)}, {s.consumed.ctl, s.env.Namespace.Ctl(s.id)}} {
		if !p.took {
			continue
		}
		err := s.mailbox().Purge(ctx, jetstream.WithPurgeSubject(p.subject), jetstream.WithPurgeSequence(s.cursor+1))
		if err != nil {
			return fmt.Errorf("session %s: purge %s: %w", s.id, p.subject, err)
		}
	}
	return nil
}
