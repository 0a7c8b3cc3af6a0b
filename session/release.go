package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
)

// release lets the session go: it hibernates, or its worker leaves. The key is an
// obligation and is deleted last, when nothing is owed (PROTOCOL 15).
//
// An empty End and a nil error mean that something came in between: the session goes on.
func (s *Session) release(ctx context.Context) (End, error) {
	s.intake.close()
	if !s.intake.empty() {
		return "", s.reopen(ctx)
	}
	if err := s.takeSnapshot(ctx); err != nil {
		s.log.WarnContext(ctx, "released without a snapshot", "error", err)
	}
	if err := s.removeConsumed(ctx); err != nil {
		// Awaited (PROTOCOL 27): a mailbox left full would refuse producers while
		// nobody is there to purge it.
		return "", errors.Join(err, s.reopen(ctx))
	}
	// After the purge, so that a log that ends with a release tells of an empty mailbox.
	s.begin()
	s.next.claim = true
	if err := s.commit(ctx, kindRelease); err != nil {
		return "", err
	}
	switch err := s.env.Store.Owners.Release(ctx, s.owner); {
	case errors.Is(err, kv.ErrMoved), errors.Is(err, kv.ErrNotOwned):
		return Lost, nil
	case err != nil:
		// Undecided: the key may stand. Whoever sees it takes it over.
		return HandedOver, err
	}
	// The activation consumer may have seen an input while the key still stood, and left
	// it to us: look once more, behind the cursor.
	waiting, err := s.inputWaits(ctx)
	if err != nil {
		s.log.WarnContext(ctx, "released without a last look at the mailbox", "error", err)
	}
	if !waiting {
		s.env.Telemetry.Hibernated()
		return Released, nil
	}
	owner, err := s.env.Store.Owners.Claim(ctx, s.id, s.owner.Incarnation)
	if err != nil {
		return Lost, nil // somebody else was faster
	}
	s.owner = owner
	if s.draining {
		return s.handOver(ctx)
	}
	s.fence.Store(owner.Fence)
	s.log = s.env.Logger.With("session", s.id, "fence", owner.Fence)
	return "", errAgain
}

// releasesAtOnce bounds how many sessions of a worker are let go at the same time: many
// fall idle together, and each takes half a dozen round trips.
const releasesAtOnce = 32

// turn is where a session that may leave waits until it is its turn to, nil if it may not.
func (s *Session) turn() chan<- struct{} {
	if !s.quiet && !s.draining || !s.owesNothing() {
		return nil
	}
	if sound, _ := s.intake.sound(); !sound && !s.draining {
		return nil
	}
	return s.env.releases
}

// endTurn lets another session leave.
func (s *Session) endTurn() {
	if s.hasTurn {
		s.hasTurn = false
		<-s.env.releases
	}
}

// handOver leaves a session that has work to another worker, at once: the key stands and
// names nobody. What is not confirmed published stands in the log; the next owner sends
// it.
func (s *Session) handOver(ctx context.Context) (End, error) {
	s.intake.close()
	switch err := s.env.Store.Owners.HandOver(ctx, s.owner); {
	case errors.Is(err, kv.ErrMoved):
		return Lost, nil
	case err != nil:
		// Undecided: the key may still name this worker, which is leaving.
		return HandedOver, err
	}
	return HandedOver, nil
}

// errAgain makes a session that claimed itself again start from the log.
var errAgain = errors.New("an input came while the session was released")

// reopen sets up the consumer again after a release that did not happen.
func (s *Session) reopen(ctx context.Context) error {
	s.intake.remove()
	in, err := s.open(ctx, s.cursor)
	if err != nil {
		return err
	}
	s.intake = in
	return nil
}

// inputWaits reports whether the mailbox holds anything behind the cursor, asking the
// stream's leader.
func (s *Session) inputWaits(ctx context.Context) (bool, error) {
	last, err := s.mailbox().GetLastMsgForSubject(ctx, s.env.Namespace.Mailbox(s.id))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("session %s: mailbox: %w", s.id, err)
	}
	return last.Sequence > s.cursor, nil
}
