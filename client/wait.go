package client

import (
	"context"
	"errors"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"
)

// The names of outcomes that end a wait.
const (
	InputCompleted    = "InputCompleted"
	InputDeduplicated = "InputDeduplicated"
	InputRejected     = "InputRejected"
	CommandApplied    = "CommandApplied"
	CommandRejected   = "CommandRejected"
)

// Outcome is what became of an input or command.
type Outcome struct {
	// Event is the outcome as the session published it. Its Position is where it stands
	// in the feed.
	Event Event
	// Name is InputCompleted or CommandApplied, and InputRejected or CommandRejected in a
	// [*RejectedError].
	Name string
	// Duplicate: the event repeated an earlier one, or one with the same idempotency key,
	// and this is the outcome of that.
	Duplicate bool

	// Of an input. InputID is the input that ended: of a duplicate, the first one.
	InputID string `json:"input_id"`
	RunID   string `json:"run_id"`
	// TerminalOutcome is Completed, Abandoned, Superseded, Coalesced or Cancelled.
	TerminalOutcome string `json:"terminal_outcome"`
	// Reason says more where there is more to say, of an Abandoned input above all.
	Reason string `json:"reason"`
	// Result is what the run answered, as JSON; nil if nothing.
	Result jsontext.Value `json:"result"`

	// Of a command.
	Command string         `json:"command"`
	Report  jsontext.Value `json:"report"`
}

// Completed tells whether an input ended well. A command that was applied did.
func (o *Outcome) Completed() bool {
	return o.Name == CommandApplied || o.Name == InputCompleted && o.TerminalOutcome == "Completed"
}

// PublishAndWait publishes an event and waits for what becomes of it.
func (c *Client) PublishAndWait(ctx context.Context, session string, ev event.Event, opts ...PublishOption) (*Outcome, error) {
	return nil, errors.ErrUnsupported
}

// Command sends a command on the session's control subject and waits for its answer.
// name is the snake_case name of the catalogue; data is encoded as JSON, nil is no data.
func (c *Client) Command(ctx context.Context, session, name string, data any) (*Outcome, error) {
	return nil, errors.ErrUnsupported
}
