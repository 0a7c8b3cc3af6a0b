package client

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// What callers branch on.
var (
	// ErrMailboxFull: the session has as many messages waiting as the namespace
	// allows. Nothing was stored; try again later.
	ErrMailboxFull = errors.New("the session's mailbox is full")

	// ErrStreamFull: the stream of the session's shard has reached a limit of its own, or the
	// NATS account one of its. Nothing was stored, and waiting helps only if somebody makes room.
	ErrStreamFull = errors.New("the stream is full")

	// ErrTooLarge: the event is larger than the namespace or the server takes.
	ErrTooLarge = errors.New("the event is too large")

	// ErrUnavailable: NATS, JetStream or the fleet does not answer. Unless the error is
	// [ErrUndecided] too, nothing was stored.
	ErrUnavailable = errors.New("unavailable")

	// ErrUndecided: no answer came, and the event may have been stored or may yet be.
	// Publishing the same event again is safe, and tells. Such an error is also
	// [ErrUnavailable].
	ErrUndecided = fmt.Errorf("outcome unknown: %w", ErrUnavailable)

	// ErrPending is what every [*PendingError] is.
	ErrPending = errors.New("the outcome is not known yet")

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

	// ErrCursor: a page of the directory was asked for with a cursor that none returned.
	ErrCursor = errors.New("no cursor of the directory")

	// ErrType: a reader asked for events of a type that no session publishes.
	ErrType = errors.New("no effect, outcome or output is called so")

	// ErrCorrupt: the feed holds something that is no commit.
	ErrCorrupt = errors.New("the feed is corrupt")

	// ErrBlobNotFound: the session has no such blob, or let it go.
	ErrBlobNotFound = errors.New("blob not found")

	// ErrBlobRef: a reference to a blob is not "sha256:<hex>".
	ErrBlobRef = errors.New("no reference to a blob")

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
// live with that goes on after Resume.
type GapError struct {
	Session string
	// After is where the reader wanted to go on.
	After subjects.Position
	// Oldest is the commit that the feed goes on with: the resume point before it is
	// lost.
	Oldest subjects.Position
}

func (e *GapError) Error() string {
	return fmt.Sprintf("feed of %s: what follows %s is gone, it goes on at %s", e.Session, spell(e.After), e.Oldest)
}

// Resume is the resume point behind the gap, for [EffectsOptions]: the feed goes on with
// the oldest commit that was left, or tells of another gap.
func (e *GapError) Resume() string {
	return spell(subjects.Position{Commit: e.Oldest.Commit, Index: whole})
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

// PendingError tells that an event is stored, and that the wait for its outcome ended
// before there was one: Cause is the context's error or [ErrClosed]. The session answers
// all the same; waiting goes on by publishing the same event again.
type PendingError struct {
	Session string
	Receipt Receipt
	Cause   error
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("session %s: event %q is stored, its outcome is not known yet: %v", e.Session, e.Receipt.EventID, e.Cause)
}

func (e *PendingError) Unwrap() error { return e.Cause }

// Is makes errors.Is(err, ErrPending) hold.
func (e *PendingError) Is(target error) bool { return target == ErrPending }

// The server's codes that callers are told apart by.
const (
	codeStoreFailed  jetstream.ErrorCode = 10077 // a limit of the subject or of the stream
	codeAccountFull  jetstream.ErrorCode = 10002
	codeTooLarge     jetstream.ErrorCode = 10054
	codeCopyUnderWay jetstream.ErrorCode = 10158 // a copy of the message is being stored
)

// unstored says what an error of a publication means.
func unstored(ctx context.Context, err error) error {
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api):
		return refusal(api)
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse),
		errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, nats.ErrConnectionDraining), errors.Is(err, nats.ErrReconnectBufExceeded):
		return fmt.Errorf("%w: %w", ErrUnavailable, err) // it was never sent, or nobody was there
	}
	return fmt.Errorf("%w: %w", ErrUndecided, ended(ctx, err))
}

func refusal(api *jetstream.APIError) error {
	switch {
	case api.ErrorCode == codeStoreFailed && strings.Contains(api.Description, "per subject"):
		return fmt.Errorf("%w: %w", ErrMailboxFull, api)
	case api.ErrorCode == codeAccountFull, api.ErrorCode == codeStoreFailed && strings.Contains(api.Description, "exceeded"):
		return fmt.Errorf("%w: %w", ErrStreamFull, api)
	case api.ErrorCode == codeTooLarge:
		return fmt.Errorf("%w: %w", ErrTooLarge, api)
	case api.ErrorCode == codeCopyUnderWay:
		return fmt.Errorf("%w: %w", ErrUndecided, api)
	case api.Code >= 500, api.ErrorCode == codeStoreFailed:
		return fmt.Errorf("%w: %w", ErrUnavailable, api)
	}
	return api
}

// unanswered says what an error of a request means that changes nothing.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ended(ctx, err)
	}
	var api *jetstream.APIError
	if errors.As(err, &api) && api.Code >= 500 {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	for _, e := range []error{
		nats.ErrTimeout, context.DeadlineExceeded, nats.ErrNoResponders, jetstream.ErrNoStreamResponse, jetstream.ErrJetStreamNotEnabled,
		jetstream.ErrJetStreamNotEnabledForAccount, nats.ErrDisconnected, nats.ErrConnectionClosed, nats.ErrConnectionDraining,
		nats.ErrReconnectBufExceeded, kv.ErrUndecided,
	} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	return err
}

// ended is why ctx ended, or err if it goes on.
func ended(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return context.Cause(ctx)
}
