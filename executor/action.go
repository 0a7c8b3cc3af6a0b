package executor

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// Action is something a run does to its own session: any command a producer could send,
// such as send_request or register_operation.
type Action struct {
	// ID names the action within its run, 1 to 128 bytes. An action happens once in a run's
	// life: if the session's owner is lost and the run executed again, doing it again gets
	// the answer of the first time. Actions of a [Result] need none.
	ID string
	// Command is the command's snake_case name.
	Command string
	// Data is the command's data, a JSON object; nil is an empty one.
	Data jsontext.Value
}

// Host is the session as its run in progress reaches it.
type Host interface {
	// Do carries out an action between two commits of the session and returns its report
	// once the commit that has it is known stored. A refusal is an [*ActionError]. An
	// action that is answered later (wait_all) holds the caller until then. Do may be
	// called from several goroutines.
	//
	// After [ErrRunOver] nothing is known of the action; the run has no say any more.
	Do(ctx context.Context, a Action) (report jsontext.Value, err error)
}

// ErrRunOver says that the run is not in progress any more, or not here.
var ErrRunOver = errors.New("the run is over, or its session has left this worker")

// ActionError is the refusal of an action, as CommandRejected tells it.
type ActionError struct {
	Command, Kind, Reason string
	// Phase, Rule and Guard are the machine's, where it refused.
	Phase, Rule, Guard string
}

func (e *ActionError) Error() string {
	return fmt.Sprintf("%s: %s: %s", e.Command, e.Kind, e.Reason)
}
