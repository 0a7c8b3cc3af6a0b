package client

import (
	"context"
	"errors"
	"iter"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/subjects"
)

// Event is one event of a session's feed.
type Event struct {
	event.Event
	// Position is where the event stands in the feed: the resume point behind it.
	Position subjects.Position
	// Name is the PascalCase name of the effect, outcome or output.
	Name string
	// JSON is the event in the JSON event format, as it stands in the feed.
	JSON jsontext.Value
}

// EffectsOptions say what to read of a feed. The zero value is everything it still has,
// and all that comes.
type EffectsOptions struct {
	// After is a resume point, "<commit>.<i>" or a whole event id: the feed goes on
	// behind it. "" starts with the oldest commit that is left.
	After string
	// Latest starts behind what is committed now. It is for readers without a resume
	// point: with After it is an error.
	Latest bool
	// Types keeps events of these names ("InputCompleted") or types only. Default all.
	Types []string
}

// Effects reads a session's feed.
func (c *Client) Effects(ctx context.Context, session string, opts EffectsOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) { yield(Event{}, errors.ErrUnsupported) }
}
