package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// JetStream's answers to an append that are not in jetstream's list of codes.
const (
	codeWrongLast = 10071 // the subject's last sequence is another one
)

// Writer is one owner's end of a session's log. It is not safe for concurrent use: a
// session has one commit in flight.
type Writer struct {
	log     *Log
	session string
	subject string
	worker  string
	fence   uint64
	at      Position
	answer  chan ack    // to the try under way
	late    *time.Timer // ends it

	// AttemptTimeout bounds one try of an append, 0 means 5 s. A try that times out is
	// undecided and is repeated (PROTOCOL 4).
	AttemptTimeout time.Duration
	// Unknown is called, if set, when a try of an append ended undecided.
	Unknown func(err error)
}

// Writer returns the end of session's log for the owner with the given fence. at is the
// position its state was folded to.
func (l *Log) Writer(session, worker string, fence uint64, at Position) *Writer {
	return &Writer{log: l, session: session, subject: l.ns.Log(session), worker: worker, fence: fence, at: at}
}

// Position is the position of the last commit known stored.
func (w *Writer) Position() Position { return w.at }

// NextNumber is the number the next commit will have.
func (w *Writer) NextNumber() uint64 { return w.at.Number + 1 }

// Append stores one commit behind the writer's position and returns when it is known
// stored; then, and only then, may anything follow from it (PROTOCOL 3). The headers go with
// it; those of the writer are added to them.
//
// Every try is a compare-and-swap on the stream sequence folded (PROTOCOL 1) of the same
// bytes under the same id, until the outcome is decided (PROTOCOL 4). [*MovedError]: the
// log went on without this writer, which is final. [ErrTooLarge]: nothing was stored.
// [ErrUndecided]: the context ended first.
func (w *Writer) Append(ctx context.Context, header nats.Header, data []byte) error {
	m := Message{
		// Unique per fence, incarnation and counter (PROTOCOL 2).
		ID:     commitID(w.fence, w.worker, w.log.tries.Add(1)),
		Number: w.at.Number + 1, Fence: w.fence, Prev: w.at.Sequence, Data: data,
	}
	msg := &nats.Msg{Subject: w.subject, Header: m.addTo(header), Data: data}

	for try := 0; ; try++ {
		seq, err := w.publish(ctx, msg)
		if err == nil {
			w.at = Position{Number: m.Number, Sequence: seq, Fence: w.fence}
			return nil
		}
		if errors.Is(err, nats.ErrMaxPayload) || isCode(err, jetstream.JSErrCodeStreamMessageExceedsMaximum) {
			return fmt.Errorf("session %s: commit %d of %d bytes: %w", w.session, m.Number, len(data), ErrTooLarge)
		}
		if isCode(err, codeWrongLast) {
			seq, stored, err := w.refused(ctx, m.ID)
			switch {
			case stored:
				w.at = Position{Number: m.Number, Sequence: seq, Fence: w.fence}
				return nil
			case errors.Is(err, ErrMoved) || errors.Is(err, ErrBroken):
				return err
			}
			// The tail is where this writer left it, or could not be read: try again.
		} else if w.Unknown != nil {
			w.Unknown(err)
		}
		if err := pause(ctx, try); err != nil {
			return fmt.Errorf("session %s: commit %d: %w: %w", w.session, m.Number, ErrUndecided, err)
		}
	}
}

// refused resolves a wrong-last-sequence answer: "refused" is not "fenced" (PROTOCOL 4).
// An earlier try of the same bytes may have been stored although its ack was lost.
func (w *Writer) refused(ctx context.Context, id string) (seq uint64, stored bool, err error) {
	tail, err := w.log.Last(ctx, w.session)
	switch {
	case err != nil:
		return 0, false, err
	case tail != nil && tail.ID == id:
		return tail.Sequence, true, nil
	case tail == nil && w.at.Sequence == 0, tail != nil && tail.Sequence == w.at.Sequence:
		return 0, false, nil
	default:
		return 0, false, &MovedError{Session: w.session, Expected: w.at.Sequence, Tail: tail}
	}
}

func isCode(err error, code jetstream.ErrorCode) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == code
}

// pause waits before the next try: 5 ms doubling to 500 ms.
func pause(ctx context.Context, try int) error {
	timer := time.NewTimer(min(5*time.Millisecond<<min(try, 8), 500*time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
