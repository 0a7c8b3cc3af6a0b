// Package executor is what a session hands a run to: the contract, and the executors
// that come with Kalahari.
//
// A session stages a batch of inputs, commits that, and then calls [Executor.Apply] once
// (chapter 02, 6.17); that of a [PureExecutor] may come before the commit. The call happens
// at least once per run: if a worker dies while it is under way, the next owner calls again
// with the same [Run.Key]. An executor with outside effects uses that key to do them once.
package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// Executor carries out runs. Apply may be called for many sessions at once, never twice
// at once for one session by the same worker, unless an earlier call does not heed its
// context: a session that had to let its state go, or comes back to the worker, does not
// wait for it.
type Executor interface {
	// Apply carries out one run. A nil error means the run is done and the result is to
	// be committed. [ErrCancelled], [*ApplyError] and [*TerminalError] say how it ended
	// otherwise; any other error counts as an ApplyError of cause ExecutorInternal. A
	// panic does too.
	//
	// The context ends when the run is to stop: hard cancel, loss of the session, drain
	// of the worker.
	Apply(ctx context.Context, run *Run) (*Result, error)
}

// Func makes an executor of a function.
type Func func(ctx context.Context, run *Run) (*Result, error)

// Apply calls f.
func (f Func) Apply(ctx context.Context, run *Run) (*Result, error) { return f(ctx, run) }

// Run is one unit of work for an executor: the run primitive of chapter 02, 6.8.
type Run struct {
	Namespace string
	Session   string
	// ID is the run's id, a UUIDv7.
	ID string
	// Fence is the owner's fence token. It never decreases for a session, so an outside
	// system that keeps the highest one seen can refuse a stale owner.
	Fence uint64
	// Attempt counts the stagings of the batch's first input, from 1.
	Attempt uint64
	// Execution counts the calls for this very run, from 1; more than one means that an
	// earlier owner of the session was lost while the run was under way.
	Execution uint64
	// Key is the idempotency key: equal for all executions of one run.
	Key string

	// Model is the model the session's routing puts this run on, as it stands when the
	// executor is called; "" if nobody has said (chapter 05). The questions
	// session_model_routing_status and resolved_session_llm_capabilities tell more.
	Model string

	// CancelAtBoundary is closed when the run is to end at its next boundary. An executor
	// that works in rounds looks between two of them, and returns [ErrCancelled]; one that
	// does not is cancelled when it comes back. Nil if nobody can ask.
	CancelAtBoundary <-chan struct{}

	Boundary kernel.AdmissionRunApplyBoundary
	Kind     kernel.AdmissionRuntimeExecutionKind
	// Inputs are the contributing inputs, in batch order.
	Inputs []Input
	// Completions are the operations of the session that ended and that no run has been
	// told of yet, oldest first. A run that succeeds has taken note of them.
	Completions []Completion
	// Host reaches the session while the run is in progress.
	Host Host
}

// Completion is an operation that ended (chapter 04, completion feed).
type Completion struct {
	Seq         uint64                              `json:"seq"`
	OperationID string                              `json:"operation_id"`
	Kind        kernel.OperationKind                `json:"kind"`
	DisplayName string                              `json:"display_name"`
	Outcome     kernel.OperationTerminalOutcomeKind `json:"terminal_outcome"`
	Payload     kernel.OpTerminalPayload            `json:"payload"`
	EndedAt     time.Time                           `json:"ended_at"`
}

// Input is one contributing input of a run.
type Input struct {
	ID   string
	Kind kernel.AdmissionInputKind
	// Type is the CloudEvents type the input arrived with.
	Type string
	// Data is the event's data as JSON. Data that was not JSON is a JSON string.
	Data jsontext.Value
	// Text is the plain text of the input where it has one: a prompt's text, the text
	// blocks of its content, an external event's body.
	Text string
	// Blobs is the content of what Data refers to, images above all, by reference
	// ("sha256:<hex>"): what a content block names in its member "blob".
	Blobs map[string][]byte
	// Lane is the lane the input waited in.
	Lane kernel.InputLane
	// HandlingMode is the lane the executor is to treat it as, where the plan says so.
	HandlingMode kernel.Opt[kernel.InputLane]
}

// Terminal says how a successful run ended (chapter 02, 6.17).
type Terminal uint8

const (
	// RunResult: there is a result.
	RunResult Terminal = iota
	// NoPendingBoundary: there was nothing to do.
	NoPendingBoundary
	// CallbackPending: the run waits for an external tool.
	CallbackPending
)

// Result is what a successful run produced.
type Result struct {
	// Text is the answer, empty if there is none.
	Text string
	// Content is the answer as content blocks; if nil, Text stands for it.
	Content jsontext.Value
	// Usage is what the run cost, as the executor counts it; optional.
	Usage    *Usage
	Terminal Terminal
	// ToolName and ToolArgs name the callback a CallbackPending run waits for.
	ToolName string
	ToolArgs jsontext.Value
	// ConversationDigest is the SHA-256 of the conversation after the run, in hex;
	// optional.
	ConversationDigest string
	MessageCount       uint64
	// Actions are carried out in order in the commit that ends the run: all of them happen
	// if the run's result does. A refused one is told on the feed; the run succeeds all the
	// same.
	Actions []Action
}

// Usage is what a run cost.
type Usage struct {
	InputTokens  uint64 `json:"input_tokens"`
	OutputTokens uint64 `json:"output_tokens"`
}

// ErrCancelled reports that the run was cancelled. Its inputs end as Cancelled.
var ErrCancelled = errors.New("run cancelled")

// ApplyError reports a run that failed. Its inputs are tried again until their attempts
// are used up.
type ApplyError struct {
	Cause   kernel.RuntimeApplyFailureCause
	Message string
}

func (e *ApplyError) Error() string { return fmt.Sprintf("%s: %s", e.Cause, e.Message) }

// TerminalError reports a run whose turn ended in a failure of its own, such as an
// exhausted budget.
type TerminalError struct {
	Source  kernel.RunFailureSourceKind
	Message string
}

func (e *TerminalError) Error() string { return fmt.Sprintf("%s: %s", e.Source, e.Message) }

// Call calls x and turns a panic into an error, so that one bad run cannot take a
// worker's other sessions with it.
func Call(ctx context.Context, x Executor, run *Run) (res *Result, err error) {
	defer func() {
		if p := recover(); p != nil {
			res, err = nil, &ApplyError{
				Cause:   kernel.RuntimeApplyFailureCauseExecutorInternal,
				Message: fmt.Sprintf("executor panicked: %v", p),
			}
		}
	}()
	res, err = x.Apply(ctx, run)
	if err == nil && res == nil {
		err = &ApplyError{
			Cause:   kernel.RuntimeApplyFailureCauseExecutorInternal,
			Message: "executor returned neither a result nor an error",
		}
	}
	return clean(res, err)
}
