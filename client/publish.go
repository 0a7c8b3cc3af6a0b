package client

import (
	"context"
	"errors"

	"github.com/cloudevents/sdk-go/v2/event"
)

// Receipt is the server's word that an event is stored.
type Receipt struct {
	// Stream holds the mailbox.
	Stream string
	// Sequence is the event's place in that stream; of a duplicate, the first one's.
	Sequence uint64
	// Duplicate: the event was stored before, and this time it was not.
	Duplicate bool
	// EventID is the event's id, also if it was made up.
	EventID string
}

// PublishOption adjusts one publication.
type PublishOption func(*publication) error

type publication struct{ control bool }

// OnControl sends a command past the session's inputs: it is stored although the mailbox
// is full. It overtakes nothing that is stored already. Only commands may go there.
func OnControl() PublishOption {
	return func(p *publication) error {
		p.control = true
		return nil
	}
}

// Publish stores an event in a session's mailbox. When it returns without error the
// event is stored, and the session will answer it: with an outcome of its own
// ([Client.PublishAndWait] waits for that). That the session exists, or likes the event,
// is not promised.
//
// It tries once. [ErrMailboxFull], [ErrStreamFull], [ErrTooLarge], [ErrUnavailable] and
// [ErrUndecided] say what went wrong; a session that is no legal token is a
// *[subjects.TokenError].
//
// An event without an id gets one, an event without a source the client's. The
// caller's event is not changed.
func (c *Client) Publish(ctx context.Context, session string, ev event.Event, opts ...PublishOption) (Receipt, error) {
	return Receipt{}, errors.ErrUnsupported
}
