package session

import (
	"context"
	"time"

	"github.com/kalahari-run/kalahari/kernel"
)

// spared is the part of the ledger's Dropped that is not deleted yet. A session that
// comes late to its mailbox finds what was stored last of a blob, which may be for an event
// further back: if it forgot the first that names it and deleted what it found, it would
// have to refuse the other. So it deletes nothing before it has read all that was published
// until [Env.BlobGrace] after it let the blob go. An event that is published within that
// time of storing its blobs finds them, however little the session remembers.
//
// None of this is in the log. The next owner has the same blobs to delete, and spares them
// anew.
type spared struct {
	// ripe counts those of Dropped, from the first, that may be deleted, and marked those
	// that had been let go by the time since: they are ripe next.
	ripe, marked int
	since        time.Time
	// lookAt is when a session that nothing comes to looks whether anything will.
	lookAt time.Time
}

// maxSpared bounds what is spared, which the session has in memory and in its snapshots.
// When more is let go, the oldest is deleted early.
const maxSpared = 1024

// lookAgain is how soon a session looks again when something was there, at the latest.
const lookAgain = 5 * time.Second

// shift follows Dropped, whose first n are gone.
func (w *spared) shift(n int) {
	w.ripe -= n
	w.marked = max(0, w.marked-n)
}

// ripen finds what may be deleted: what is marked, if the log has the session behind all
// that was published in time. Then the rest is marked.
func (s *Session) ripen() {
	w, n := &s.spared, len(s.ledger.Dropped)
	if s.published.After(w.since.Add(s.env.BlobGrace)) {
		w.ripe = max(w.ripe, w.marked)
	}
	w.ripe = max(w.ripe, n-maxSpared)
	if s.kernel.Phase() == kernel.Destroyed { // what is still to come is refused
		w.ripe = n
	}
	switch {
	case w.ripe == n:
		w.marked, w.lookAt = 0, time.Time{}
	case w.marked <= w.ripe:
		w.marked, w.since = n, time.Now()
		w.lookAt = w.since.Add(s.env.BlobGrace)
	}
}

// lookBehind asks the mailbox whether it holds anything behind the cursor. If not, what is
// marked has been spared for long enough.
func (s *Session) lookBehind(ctx context.Context) {
	s.spared.lookAt = time.Now().Add(min(s.env.BlobGrace, lookAgain))
	if !s.intake.empty() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	switch waiting, err := s.inputWaits(ctx); {
	case err != nil:
		s.log.DebugContext(ctx, "mailbox not read for the sake of blobs", "error", err)
	case !waiting:
		s.spared.ripe = max(s.spared.ripe, s.spared.marked)
		s.sweepDropped()
	}
}

// spares reports whether the session has blobs that it will delete later.
func (s *Session) spares() bool { return len(s.ledger.Dropped) > s.spared.ripe }
