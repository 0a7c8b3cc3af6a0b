package session

import (
	"fmt"
	"slices"
	"time"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
)

// Operations are work that outlives the run that began it (chapter 04). The machine owns
// their status, outcome and completion number; the ledger keeps what people read and the
// feed of those that ended. The reference gives them a machine, a lock and a document of
// their own beside the session; here they are part of the session, so its log is their
// persistence: nothing of them is lost with an owner, not even what is still running, a
// pending barrier, or how far the feed was read.
type operations struct {
	// Known are the operations the machine tracks.
	Known map[string]operation `json:"known,omitzero"`
	// Done are those of Known that ended, in completion order.
	Done []string `json:"done,omitzero"`
	// Feed are the last that ended and are told of, in completion order.
	Feed []executor.Completion `json:"feed,omitzero"`
}

// operation is what the machine does not keep of one.
type operation struct {
	DisplayName string    `json:"display_name"`
	SourceLabel string    `json:"source_label,omitzero"`
	CreatedAt   time.Time `json:"created_at"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	EndedAt     time.Time `json:"ended_at,omitzero"`
}

// operationChange is one change of a session's operations.
type operationChange struct {
	ID    string               `json:"id"`
	Known *operation           `json:"known,omitzero"`
	Done  bool                 `json:"done,omitzero"`
	Gone  bool                 `json:"gone,omitzero"` // evicted or collected
	Feed  *executor.Completion `json:"feed,omitzero"`
	Drop  bool                 `json:"drop,omitzero"` // the oldest of the feed
}

func (o *operations) apply(c *operationChange) {
	if c.Known != nil {
		put(&o.Known, c.ID, *c.Known)
	}
	if c.Done {
		o.Done = append(o.Done, c.ID)
	}
	if c.Gone {
		delete(o.Known, c.ID)
		o.Done = slices.DeleteFunc(o.Done, func(id string) bool { return id == c.ID })
	}
	if c.Feed != nil {
		o.Feed = append(o.Feed, *c.Feed)
	}
	if c.Drop {
		o.Feed = o.Feed[1:]
	}
}

func (s *Session) changeOperations(c operationChange) {
	s.change(func(d *delta) { d.Operations = append(d.Operations, c) })
}

// Bounds of a session's operations; the numbers that the reference has are its.
const (
	maxEnded    = 256      // ended operations that are remembered whole
	maxFeed     = 1024     // rows of the completion feed
	maxActive   = 4096     // operations that have not ended
	maxTerminal = 64 << 10 // bytes of one outcome

	maxFeedBytes = 128 << 10 // of the outcomes in the feed
)

// operationCommands are the operations' public ones (chapter 04, ops registry).
var operationCommands = map[string]handler{
	"register_operation":          (*Session).registerOperation,
	"start_operation":             onOperation(kernel.OpLifecycleActionKindStart),
	"report_operation_progress":   onOperation(kernel.OpLifecycleActionKindProgressReported),
	"announce_operation_peer":     onOperation(kernel.OpLifecycleActionKindPeerReady),
	"complete_operation":          onOperation(kernel.OpLifecycleActionKindComplete),
	"fail_operation":              onOperation(kernel.OpLifecycleActionKindFail),
	"cancel_operation":            onOperation(kernel.OpLifecycleActionKindCancel),
	"abort_operation":             onOperation(kernel.OpLifecycleActionKindAbort),
	"retire_operation":            onOperation(kernel.OpLifecycleActionKindRetireRequested),
	"finish_operation_retirement": onOperation(kernel.OpLifecycleActionKindRetireCompleted),
	"terminate_operations":        (*Session).terminateOperations,
	"collect_operations":          (*Session).collectOperations,
	"wait_all":                    (*Session).waitAllCommand,
	"cancel_wait_all":             (*Session).cancelWaitAllCommand,
	"advance_completion_cursor":   (*Session).advanceCursorCommand,
}

// operationReport is the report of a command about one operation.
type operationReport struct {
	OperationID string                 `json:"operation_id"`
	Status      kernel.OperationStatus `json:"status"`
	Epoch       string                 `json:"epoch"`
	// Seq is the completion number, once it ended.
	Seq uint64 `json:"seq,omitzero"`
}

func (s *Session) operationReport(id string) operationReport {
	st := s.kernel.State()
	return operationReport{
		OperationID: id, Status: st.OpStatuses[id], Epoch: s.ledger.Epoch, Seq: st.OpCompletionSeq[id],
	}
}

func (s *Session) registerOperation(c *command) (any, error) {
	arg := struct {
		sessionArg
		OperationID   string                             `json:"operation_id"`
		Kind          *kernel.OperationKind              `json:"kind"`
		DisplayName   string                             `json:"display_name"`
		SourceLabel   string                             `json:"source_label"`
		Source        kernel.Opt[kernel.OperationSource] `json:"source"`
		MaxConcurrent kernel.Opt[uint64]                 `json:"max_concurrent"`
	}{MaxConcurrent: kernel.Some[uint64](maxActive)}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	switch {
	case arg.Kind == nil:
		return nil, &FieldError{"data.kind", "is missing"}
	case len(arg.OperationID) > maxID:
		return nil, &FieldError{"data.operation_id", fmt.Sprintf("%d bytes long, %d are the most", len(arg.OperationID), maxID)}
	case len(arg.DisplayName) > maxID || len(arg.SourceLabel) > maxID:
		return nil, &FieldError{"data.display_name", fmt.Sprintf("and data.source_label: %d bytes are the most", maxID)}
	case arg.MaxConcurrent.Value() > maxActive:
		return nil, &FieldError{"data.max_concurrent", fmt.Sprintf("%d is the most", maxActive)}
	}
	id := arg.OperationID
	if id == "" {
		var err error
		if id, err = s.requestID("", c); err != nil {
			return nil, err
		}
	}
	o := s.apply(&kernel.RegisterOp{
		OperationID: id, Kind: *arg.Kind, Source: arg.Source, MaxConcurrent: arg.MaxConcurrent,
	}, c.cause)
	if !o.OK() {
		return nil, s.operationRefused(o)
	}
	verdict := o.Effects[0].(kernel.OpRegistrationAdmissionResolved)
	if reason, rejected := verdict.RejectReason.Get(); rejected {
		return nil, &refusal{kind: reason.String(), rule: o.Rule, reason: fmt.Sprintf(
			"operation %q: %d operations are active, %d may be", id, verdict.ActiveOpCount, arg.MaxConcurrent.Value())}
	}
	if s.ledger.Epoch == "" {
		s.change(func(d *delta) { d.Epoch = newEpoch() })
	}
	name := arg.DisplayName
	if name == "" {
		name = id
	}
	s.changeOperations(operationChange{ID: id, Known: &operation{
		DisplayName: name, SourceLabel: arg.SourceLabel, CreatedAt: s.next.now.UTC(),
	}})
	return s.operationReport(id), nil
}

// operationRefused is the refusal of a step by the machine: in the phase Destroyed, or of
// a malformed source.
func (s *Session) operationRefused(o kernel.Outcome) error {
	r := refused(rejectValidation, o.Refusal)
	if o.Refusal.Phase == kernel.Destroyed {
		r.kind = rejectDestroyed
	}
	return r
}

// operationActionArg is the data of the commands about one operation; each reads its part.
type operationActionArg struct {
	sessionArg
	OperationID string             `json:"operation_id"`
	Content     string             `json:"content"`
	IsError     bool               `json:"is_error"`
	DurationMs  kernel.Opt[uint64] `json:"duration_ms"`
	TokensUsed  uint64             `json:"tokens_used"`
	Error       string             `json:"error"`
	Reason      kernel.Opt[string] `json:"reason"`
	Message     string             `json:"message"` // of progress, for those who read the command
}

// onOperation makes the handler of one lifecycle action.
func onOperation(action kernel.OpLifecycleActionKind) handler {
	return func(s *Session, c *command) (any, error) {
		var arg operationActionArg
		if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
			return nil, err
		}
		if arg.OperationID == "" {
			return nil, &FieldError{"data.operation_id", "is missing"}
		}
		if n := len(arg.Content) + len(arg.Error) + len(arg.Reason.Value()); n > maxTerminal {
			return nil, &FieldError{"data", fmt.Sprintf("an outcome of %d bytes, %d are the most", n, maxTerminal)}
		}
		return s.actOnOperation(action, &arg, c)
	}
}

func (s *Session) actOnOperation(action kernel.OpLifecycleActionKind, arg *operationActionArg, c *command) (any, error) {
	id := arg.OperationID
	trigger, terminal := s.operationStep(action, arg)
	if o := s.apply(trigger, c.cause); !o.OK() {
		if err := s.actionRefused(id, action, o, c); err != nil {
			return nil, err
		}
		return s.operationReport(id), nil // it had come to that already
	}
	report := s.operationReport(id)
	if action == kernel.OpLifecycleActionKindStart {
		started := s.ledger.Operations.Known[id]
		started.StartedAt = s.next.now.UTC()
		s.changeOperations(operationChange{ID: id, Known: &started})
	}
	if terminal {
		s.finalize(id, c.cause)
	}
	return report, nil
}

// operationStep is the machine's input for an action, and whether it ends the operation.
func (s *Session) operationStep(action kernel.OpLifecycleActionKind, arg *operationActionArg) (t kernel.Trigger, terminal bool) {
	id := arg.OperationID
	switch action {
	case kernel.OpLifecycleActionKindStart:
		return &kernel.StartOp{OperationID: id}, false
	case kernel.OpLifecycleActionKindProgressReported:
		return &kernel.ProgressReportedOp{OperationID: id}, false
	case kernel.OpLifecycleActionKindPeerReady:
		return &kernel.PeerReadyOp{OperationID: id}, false
	case kernel.OpLifecycleActionKindRetireRequested:
		return &kernel.RetireRequestedOp{OperationID: id}, false
	case kernel.OpLifecycleActionKindComplete:
		took := arg.DurationMs.Value()
		if started := s.ledger.Operations.Known[id].StartedAt; arg.DurationMs.IsNone() && !started.IsZero() {
			took = uint64(max(0, s.next.now.Sub(started).Milliseconds()))
		}
		return &kernel.CompleteOp{
			OperationID: id, Outcome: kernel.OperationTerminalOutcomeKindCompleted,
			Payload: kernel.OpTerminalPayload{Kind: kernel.OpCompleted, Result: kernel.OperationResult{
				ID: id, Content: arg.Content, IsError: arg.IsError, DurationMs: took, TokensUsed: arg.TokensUsed,
			}},
		}, true
	case kernel.OpLifecycleActionKindFail:
		return &kernel.FailOp{
			OperationID: id, Outcome: kernel.OperationTerminalOutcomeKindFailed,
			Payload: kernel.OpTerminalPayload{Kind: kernel.OpFailed, Error: arg.Error},
		}, true
	case kernel.OpLifecycleActionKindCancel:
		return &kernel.CancelOp{
			OperationID: id, Outcome: kernel.OperationTerminalOutcomeKindCancelled,
			Payload: kernel.OpTerminalPayload{Kind: kernel.OpCancelled, Reason: arg.Reason},
		}, true
	case kernel.OpLifecycleActionKindAbort:
		return &kernel.AbortOp{
			OperationID: id, Outcome: kernel.OperationTerminalOutcomeKindAborted,
			Payload: kernel.OpTerminalPayload{Kind: kernel.OpAborted, Reason: arg.Reason},
		}, true
	case kernel.OpLifecycleActionKindRetireCompleted:
		return &kernel.RetireCompletedOp{
			OperationID: id, Outcome: kernel.OperationTerminalOutcomeKindRetired,
			Payload: kernel.OpTerminalPayload{Kind: kernel.OpRetired},
		}, true
	default:
		return &kernel.TerminateOp{
			OperationID: id, Outcome: kernel.OperationTerminalOutcomeKindTerminated,
			Payload: kernel.OpTerminalPayload{Kind: kernel.OpTerminated, Reason: kernel.Some(arg.Reason.Value())},
		}, true
	}
}

// actionRefused asks the machine why an action was refused. An action whose end had been
// reached before is a success (ClassifyOperationTransitionIdempotence).
func (s *Session) actionRefused(id string, action kernel.OpLifecycleActionKind, o kernel.Outcome, c *command) error {
	why := s.apply(&kernel.ResolveOpLifecycleTransitionRejection{OperationID: id, Action: action}, c.cause)
	if !why.OK() {
		return s.operationRefused(o)
	}
	verdict := why.Effects[0].(kernel.OpLifecycleTransitionRejected)
	if verdict.Reason == kernel.OpLifecycleRejectReasonKindInvalidTransition && idempotent(id, action, verdict.Status.Value()) {
		return nil
	}
	reason := fmt.Sprintf("%s of operation %q", action, id)
	if status, ok := verdict.Status.Get(); ok {
		reason += ", which is " + status.String()
	}
	r := refused(verdict.Reason.String(), o.Refusal)
	r.reason = reason
	return r
}

// idempotent asks a scratch machine: the classifiers answer in the phase Idle only.
func idempotent(id string, action kernel.OpLifecycleActionKind, status kernel.OperationStatus) bool {
	scratch := kernel.New()
	scratch.Apply(&kernel.Initialize{})
	o := scratch.Apply(&kernel.ClassifyOperationTransitionIdempotence{OperationID: id, Action: action, Status: status})
	if !o.OK() {
		return false
	}
	_, success := o.Effects[0].(kernel.OperationTransitionIdempotentSuccess)
	return success
}

// finalize does what follows the end of an operation (chapter 04, terminal steps).
func (s *Session) finalize(id string, c cause) {
	st := s.kernel.State()
	kind := st.OpKinds[id]
	known := s.ledger.Operations.Known[id]
	if kind == kernel.OperationKindBackgroundToolCapacitySlot {
		// Nobody reads the outcome of a reservation. The reference collects it; its number
		// would stay claimed for ever, as it does if the feed has an earlier operation of this
		// id that is not read by all.
		if o := s.apply(&kernel.ForgetOperation{OperationID: id}, c); !o.OK() {
			s.evict(id, c)
			return
		}
		s.changeOperations(operationChange{ID: id, Gone: true})
		return
	}
	known.EndedAt = s.next.now.UTC()
	row := executor.Completion{
		Seq: st.OpCompletionSeq[id], OperationID: id, Kind: kind, DisplayName: known.DisplayName,
		Outcome: st.OpTerminalOutcomes[id], Payload: st.OpTerminalPayload[id], EndedAt: known.EndedAt,
	}
	s.changeOperations(operationChange{ID: id, Known: &known, Done: true, Feed: &row})
	s.outcome("OperationEnded", operationEnded{Epoch: s.ledger.Epoch, Completion: row}, c)
	s.trySatisfy(c)
	s.trimFeed(c)
	if done := s.ledger.Operations.Done; len(done) > maxEnded {
		i := slices.IndexFunc(done, func(id string) bool { return !s.awaited(id) })
		s.evict(done[i], c) // a barrier holds fewer than are kept
	}
}

func (s *Session) evict(id string, c cause) {
	s.must(&kernel.EvictCompletedOp{OperationID: id}, c)
	s.changeOperations(operationChange{ID: id, Gone: true})
}

// trimFeed drops the oldest rows of a feed that has become too long or too large, with all
// that the machine keeps of their operations. No reader can read them any more, so all are
// past them.
func (s *Session) trimFeed(c cause) {
	size := 0
	for _, row := range s.ledger.Operations.Feed {
		size += payloadSize(&row.Payload)
	}
	for len(s.ledger.Operations.Feed) > maxFeed || size > maxFeedBytes && len(s.ledger.Operations.Feed) > 1 {
		row := s.ledger.Operations.Feed[0]
		st := s.kernel.State()
		if s.awaited(row.OperationID) {
			return
		}
		if st.OpCompletionSeq[row.OperationID] == row.Seq {
			s.evict(row.OperationID, c)
		}
		if st.CompletionAgentAppliedCursor < row.Seq {
			s.must(&kernel.AdvanceAgentCompletionCursor{Cursor: row.Seq}, c)
		}
		if st.CompletionRuntimeObservedCursor < row.Seq {
			s.must(&kernel.AdvanceRuntimeObservedCompletionCursor{Cursor: row.Seq}, c)
		}
		if st.CompletionRuntimeInjectedCursor < row.Seq {
			s.must(&kernel.AdvanceRuntimeInjectedCompletionCursor{Cursor: row.Seq}, c)
		}
		if _, again := st.OpStatuses[row.OperationID]; !again && st.CompletionFeedSequences[row.OperationID] == row.Seq {
			s.must(&kernel.ForgetOperation{OperationID: row.OperationID}, c)
		}
		s.changeOperations(operationChange{Drop: true})
		size -= payloadSize(&row.Payload)
	}
}

// payloadSize is the part of an outcome that has no bound of its own.
func payloadSize(p *kernel.OpTerminalPayload) int {
	return len(p.Result.Content) + len(p.Error) + len(p.Reason.Value())
}

// operationEnded is a row of the completion feed.
type operationEnded struct {
	Epoch string `json:"epoch"`
	executor.Completion
}

// terminateOperations ends every operation that has not ended, in the order of their ids.
func (s *Session) terminateOperations(c *command) (any, error) {
	var arg reasonArg
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	if err := s.mustLive(); err != nil {
		return nil, err
	}
	terminated := []string{}
	for _, id := range s.operationIDs() {
		t, _ := s.operationStep(kernel.OpLifecycleActionKindTerminate, &operationActionArg{OperationID: id, Reason: kernel.Some(arg.Reason)})
		if o := s.apply(t, c.cause); o.OK() {
			terminated = append(terminated, id)
			s.finalize(id, c.cause)
		}
	}
	return map[string][]string{"terminated": terminated}, nil
}

func (s *Session) operationIDs() []string {
	var ids []string
	for id := range s.kernel.State().OpStatuses {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// collectOperations hands out the ended operations in completion order and forgets them.
func (s *Session) collectOperations(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.mustLive(); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	collected := []operationOutcome{}
	for _, id := range slices.Clone(s.ledger.Operations.Done) {
		if s.awaited(id) {
			continue
		}
		collected = append(collected, operationOutcome{id, st.OpTerminalOutcomes[id], st.OpTerminalPayload[id]})
		s.must(&kernel.CollectCompletedOp{OperationID: id}, c.cause)
		s.changeOperations(operationChange{ID: id, Gone: true})
	}
	return map[string]any{"collected": collected}, nil
}

// operationOutcome is how an operation ended.
type operationOutcome struct {
	OperationID string                              `json:"operation_id"`
	Outcome     kernel.OperationTerminalOutcomeKind `json:"terminal_outcome"`
	Payload     kernel.OpTerminalPayload            `json:"payload"`
}
