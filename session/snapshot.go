package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

const (
	// snapshotShare is how many times as large as the last snapshot the commits behind it may
	// become: what is written is then an eighth more at most, and a session with little to
	// remember is soon taken over.
	snapshotShare = 8
	// snapshotLeast is how much of commits is worth a snapshot, however small.
	snapshotLeast = 256 << 10

	// What was consumed is purged when it is a half of the mailbox's bound, with a snapshot a
	// sixteenth (PROTOCOL 27).
	purgeShare, purgeShareAtSnapshot = 2, 16
)

// snapshotDue reports whether the log behind the last snapshot is long enough for another.
func (s *Session) snapshotDue(number uint64) bool {
	worth := max(snapshotLeast, snapshotShare*s.snapshotSize)
	return number-s.snapshot.Commit >= s.env.SnapshotEvery || s.tail >= min(s.env.SnapshotBytes, worth)
}

// snapshotIfDue takes a snapshot, and with it trims the log behind it and purges the mailbox
// behind the cursor if that is worth its while. A failure is not fatal: the log has
// everything. Another is tried some commits later, as a large state takes its time to write.
func (s *Session) snapshotIfDue(ctx context.Context) {
	s.sincePurge += s.next.inputs
	taken := false
	number := s.writer.Position().Number
	if s.snapshotDue(number) && number >= s.snapshotAgain {
		err := s.takeSnapshot(ctx)
		if taken = err == nil; !taken {
			s.snapshotAgain = number + s.env.SnapshotEvery/8 + 1
			s.log.WarnContext(ctx, "snapshot not taken", "error", err)
		}
	}
	// The bound counts what is not purged (PROTOCOL 27), and the cursor is in the log: a session
	// without a snapshot would refuse its producers in the end.
	since := uint64(s.sincePurge)
	if taken && since >= s.env.MailboxLimit/purgeShareAtSnapshot || since >= s.env.MailboxLimit/purgeShare {
		s.purgeMailbox(ctx)
	}
}

// takeSnapshot writes the state at the last commit, forward only (PROTOCOL 20), and trims
// the log behind it, leaving the feed its horizon.
func (s *Session) takeSnapshot(ctx context.Context) error {
	at := s.writer.Position()
	ks, err := kernel.EncodeState(s.kernel.State())
	if err != nil {
		return fmt.Errorf("session %s: kernel state: %w", s.id, err)
	}
	confirmed, unsent := s.outbox.unsent()
	marks, to := s.trimming.marksAt(at, s.env.FeedHorizon)
	st := state{
		Version: stateVersion, Cursor: s.cursor, Fence: at.Fence,
		Confirmed: confirmed, Unsent: unsent, Ledger: s.ledger, Kernel: ks,
		Trimming: trimming{Marks: marks, Bodies: s.trimming.Bodies},
	}
	data, err := st.encode()
	if err != nil {
		return fmt.Errorf("session %s: snapshot: %w", s.id, err)
	}
	snap, err := s.env.Store.Snapshots.Write(ctx, kv.Snapshot{
		Session: s.id, Commit: at.Number, Sequence: at.Sequence, Data: data,
	}, s.snapshot)
	if err != nil {
		if errors.Is(err, kv.ErrMoved) || errors.Is(err, kv.ErrBackwards) {
			// Somebody else writes snapshots of this session: ask whose it is.
			s.Doubt()
			s.lookAtSnapshot(ctx)
		}
		return fmt.Errorf("session %s: snapshot: %w", s.id, err)
	}
	s.snapshot, s.snapshotSize, s.tail, s.trimming.Marks = snap, len(data), 0, marks
	s.trim(ctx, to)
	return nil
}

// lookAtSnapshot finds what stands where the last one was. If it is of a commit that is known
// stored here, it is of an earlier owner, who stored it after this one had read: the next
// replaces it. A newer one is of a newer owner, and stays.
func (s *Session) lookAtSnapshot(ctx context.Context) {
	stands, err := s.env.Store.Snapshots.Read(ctx, s.id)
	switch {
	case errors.Is(err, kv.ErrNoSnapshot):
		s.snapshot = kv.Snapshot{}
	case err == nil && stands.Commit <= s.writer.Position().Number:
		stands.Data = nil
		s.snapshot = stands
	}
}

// purgeMailbox removes what the session has consumed. The cursor is committed.
func (s *Session) purgeMailbox(ctx context.Context) {
	s.sincePurge = 0
	if err := s.removeConsumed(ctx); err != nil {
		s.log.WarnContext(ctx, "mailbox not purged", "error", err)
	}
}
