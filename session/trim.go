package session

import (
	"context"
	"slices"

	"github.com/kalahari-run/kalahari/journal"
)

// trimming is what a session must know to trim its log. It stands in the snapshots: a
// session that hibernates makes a handful of commits in a tenure, and the horizon of the
// feed takes it many tenures.
type trimming struct {
	// Marks are commits of earlier snapshots, oldest first: the log may be trimmed to one
	// of them once it lies behind the horizon.
	Marks []mark `json:"marks,omitzero"`
	// Bodies are the commits whose bodies are in the object store, oldest first.
	Bodies []spilled `json:"bodies,omitzero"`
}

type mark struct {
	Commit   uint64 `json:"commit"`
	Sequence uint64 `json:"sequence"`
}

// spilled is a commit that was too large for its message.
type spilled struct {
	Commit uint64 `json:"commit"`
	Ref    string `json:"ref"`
}

// marksAt are the marks of a snapshot taken at the given position, and the one to which the
// log may be trimmed once that snapshot is stored; its commit is 0 if there is none. A
// handful is kept: they are a quarter of the horizon apart.
func (t *trimming) marksAt(at journal.Position, horizon uint64) (marks []mark, to mark) {
	marks = slices.Clone(t.Marks)
	if n := len(marks); n == 0 || at.Number-marks[n-1].Commit >= max(1, horizon/4) {
		marks = append(marks, mark{at.Number, at.Sequence})
	}
	for len(marks) > 0 && at.Number-marks[0].Commit >= horizon {
		marks, to = marks[1:], marks[0]
	}
	return marks, to
}

// trim removes the commits before a mark. The snapshot that no longer has the mark is known
// stored (PROTOCOL 8, 20). If it fails, the next mark does for this one too.
func (s *Session) trim(ctx context.Context, to mark) {
	if to.Commit == 0 {
		return
	}
	// Exclusive: the commit of the mark itself stays.
	if err := s.env.Log.Trim(ctx, s.id, to.Sequence); err != nil {
		s.log.WarnContext(ctx, "log not trimmed", "error", err)
		return
	}
	// Their bodies go a mark later, for readers that were sent the commit just before.
	t := &s.trimming
	for len(t.Bodies) > 0 && t.Bodies[0].Commit+s.env.FeedHorizon/4 < to.Commit {
		if err := s.env.Store.Blobs.DeleteBody(ctx, s.id, t.Bodies[0].Ref); err != nil {
			s.log.WarnContext(ctx, "body of a trimmed commit not deleted", "error", err)
			return
		}
		t.Bodies = t.Bodies[1:]
	}
}

// spill notes that the body of the last commit is in the object store.
func (t *trimming) spill(commit uint64, ref string) {
	if ref != "" {
		t.Bodies = append(t.Bodies, spilled{commit, ref})
	}
}
