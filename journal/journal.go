// Package journal is the commit log of a session: one JetStream message per commit on
// the session's log subject, appended by compare-and-swap.
//
// The log decides who owns a session's history. An append names the stream sequence it
// follows; the server stores it only if that is still the last one of the subject. So
// two owners can both try, and one history comes out. PROTOCOL rules are cited by their
// numbers where the code keeps them.
package journal

import (
	"errors"
	"fmt"
)

// ErrMoved says that the log has gone on without this writer: somebody else's commit
// stands where this one was to go. It is final for the writer (PROTOCOL 5).
var ErrMoved = errors.New("the log has moved")

// ErrUndecided says that the context ended before an append was decided. The commit may
// or may not be stored.
var ErrUndecided = errors.New("the append was not decided")

// ErrTooLarge says that a commit exceeds what one message can carry.
var ErrTooLarge = errors.New("the commit is too large")

// ErrBroken says that a log cannot be folded: a gap in the chain, a fence that went
// back, a record that cannot be read. The session is quarantined (PROTOCOL 6, 18).
var ErrBroken = errors.New("the log is broken")

// MovedError carries what stands in the log instead of a refused commit.
type MovedError struct {
	Session  string
	Expected uint64
	// Tail is the last commit of the log as a leader read saw it, nil if the subject is
	// empty.
	Tail *Message
}

func (e *MovedError) Error() string {
	if e.Tail == nil {
		return fmt.Sprintf("session %s: the log was expected to end at %d and is empty", e.Session, e.Expected)
	}
	return fmt.Sprintf("session %s: the log was expected to end at %d and ends at %d (commit %d, fence %d, %s)",
		e.Session, e.Expected, e.Tail.Sequence, e.Tail.Number, e.Tail.Fence, e.Tail.ID)
}

func (e *MovedError) Unwrap() error { return ErrMoved }

// BrokenError says what is wrong with a log.
type BrokenError struct {
	Session  string
	Sequence uint64 // stream sequence of the message at fault, 0 if one is missing
	Reason   string
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("session %s: log at %d: %s", e.Session, e.Sequence, e.Reason)
}

func (e *BrokenError) Unwrap() error { return ErrBroken }
