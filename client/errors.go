package client

import (
	"errors"
	"fmt"

	"github.com/kalahari-run/kalahari/subjects"
)

// What callers branch on.
var (
	// ErrMailboxFull: the session has as many messages waiting as the namespace
	// allows. Nothing was stored; try again later.
	ErrMailboxFull = errors.New("the session's mailbox is full")

	// ErrStreamFull: the stream of the session's shard has reached a limit of its own.
	// Nothing was stored, and waiting helps only if somebody makes room.
	ErrStreamFull = errors.New("the stream is full")

	// ErrTooLarge: the event is larger than the namespace or the server takes.
	ErrTooLarge = errors.New("the event is too large")

	// ErrUnavailable: NATS, JetStream or the fleet does not answer. Unless the error is
	// [ErrUndecided] too, nothing was stored.
	ErrUnavailable = errors.New("unavailable")

	// ErrUndecided: no answer came, and the event may have been stored or may yet be.
	// Publishing the same event again is safe, and tells. Such an error is also
	// [ErrUnavailable].
	ErrUndecided = errors.New("outcome unknown")

	// ErrClosed: the client was closed.
	ErrClosed = errors.New("the client is closed")

	// ErrSessionNotFound: nothing was ever sent to the session, or nothing that it
	// could take. The error is a [*QueryError].
	ErrSessionNotFound = errors.New("session not found")

	// ErrInputNotFound: the session has no such input, or has forgotten it. The error is
	// a [*QueryError].
	ErrInputNotFound = errors.New("input not found")

	// ErrGap is what every [*GapError] is.
	ErrGap = errors.New("the feed has a gap")

	// ErrPosition: a resume point is malformed, or no place in this session's feed.
	ErrPosition = errors.New("no position of this feed")

	// ErrCorrupt: the feed holds something that is no commit.
	ErrCorrupt = errors.New("the feed is corrupt")

	// ErrForgotten: the event was published before and has ended, and what became of it
	// is no longer known.
	ErrForgotten = errors.New("the outcome is forgotten")
)

// RejectedError is the answer of a session that refused an input or a command. It is
// final: the same event gets no other answer.
type RejectedError struct {
	Session string
	// Event is the id of the refused event.
	Event string
	// Kind is the class of the refusal: InvalidInput, NotReady, ValidationFailed,
	// UnknownCommand, ...
	Kind string
	// Reason is for people. For a refusal of the machine it names the rules.
	Reason string
	// Guard is the first guard that did not hold, if the machine refused.
	Guard string
	// Outcome is the whole answer: InputRejected or CommandRejected.
	Outcome *Outcome
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("session %s refused %q: %s: %s", e.Session, e.Event, e.Kind, e.Reason)
}

// GapError tells that the feed no longer has what follows a resume point: the log was
// trimmed behind a snapshot. What is missing cannot be read any more; a reader that can
// live with that goes on with an empty After.
type GapError struct {
	Session string
	// After is where the reader wanted to go on.
	After subjects.Position
	// Oldest is the commit that the feed goes on with: the resume point before it is
	// lost.
	Oldest subjects.Position
}

func (e *GapError) Error() string {
	return fmt.Sprintf("feed of %s: what follows %s is gone, it goes on at %s", e.Session, e.After, e.Oldest)
}

// Is makes errors.Is(err, ErrGap) hold.
func (e *GapError) Is(target error) bool { return target == ErrGap }

// The codes of query errors.
const (
	CodeSessionNotFound = "session_not_found"
	CodeInputNotFound   = "input_not_found"
	CodeUnknownQuery    = "unknown_query"
	CodeBadRequest      = "bad_request"
	CodeInternal        = "internal"
)

// QueryError is the fleet's answer to a question it could not answer.
type QueryError struct {
	Session string
	Query   string
	Code    string
	Message string
}

func (e *QueryError) Error() string {
	return fmt.Sprintf("query %s of session %s: %s (%s)", e.Query, e.Session, e.Message, e.Code)
}

// Is makes errors.Is hold for [ErrSessionNotFound] and [ErrInputNotFound].
func (e *QueryError) Is(target error) bool {
	switch target {
	case ErrSessionNotFound:
		return e.Code == CodeSessionNotFound
	case ErrInputNotFound:
		return e.Code == CodeInputNotFound
	}
	return false
}

func classify(err error) error { return err }
