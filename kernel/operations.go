package kernel

// Chapter 04, operations: the life of one operation of this session, from its
// registration to its end. The machine keeps an operation that has ended, with its
// outcome and completion number, until it is evicted or collected.
//
// An operation id is a plain text here, the empty one included.

// RegisterOp admits a new operation if fewer than the given number are going on. A known
// id, also one that has ended and was not forgotten, and a full house are answers with a
// reason; a source that names the wrong things is a refusal. Runtime-internal,
// chapter 04.
type RegisterOp struct {
	OperationID   string               `json:"operation_id"`
	Kind          OperationKind        `json:"kind"`
	Source        Opt[OperationSource] `json:"source"`
	MaxConcurrent Opt[uint64]          `json:"max_concurrent"`
}

func (in *RegisterOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("RegisterOpAlreadyRegisteredRejected", registered5, Stay) &&
		k.guard("already_registered", s.OpStatuses.has(in.OperationID)):

		k.emit(in.rejected(s, OpRegistrationRejectReasonKindAlreadyRegistered))

	case k.rule("RegisterOpMaxConcurrentRejected", registered5, Stay) &&
		k.guard("not_already_registered", !s.OpStatuses.has(in.OperationID)) &&
		k.guard("operation_source_valid", sourceValid(in.Source)) &&
		k.guard("max_concurrent_present", in.MaxConcurrent.IsSome()) &&
		k.guard("max_concurrent_exceeded", s.ActiveOpCount >= in.MaxConcurrent.Value()):

		k.emit(in.rejected(s, OpRegistrationRejectReasonKindMaxConcurrentExceeded))

	case k.rule("RegisterOpAccepted", registered5, Stay) &&
		k.guard("not_already_registered", !s.OpStatuses.has(in.OperationID)) &&
		k.guard("operation_source_valid", sourceValid(in.Source)) &&
		k.guard("capacity_available", in.MaxConcurrent.IsNone() || s.ActiveOpCount < in.MaxConcurrent.Value()):

		s.OpStatuses.put(in.OperationID, OperationStatusProvisioning)
		s.OpKinds.put(in.OperationID, in.Kind)
		s.recordSource(in.OperationID, in.Source)
		s.OpPeerReady.put(in.OperationID, false)
		s.OpProgressCounts.put(in.OperationID, 0)
		s.ActiveOpCount++
		k.emit(OpRegistrationAdmissionResolved{
			OperationID:        in.OperationID,
			Result:             OpRegistrationAdmissionResultKindAccept,
			MaxConcurrentLimit: in.MaxConcurrent,
			ActiveOpCount:      s.ActiveOpCount,
		})
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
	}
}

func (in *RegisterOp) rejected(s *State, reason OpRegistrationRejectReasonKind) OpRegistrationAdmissionResolved {
	return OpRegistrationAdmissionResolved{
		OperationID:        in.OperationID,
		Result:             OpRegistrationAdmissionResultKindReject,
		RejectReason:       Some(reason),
		MaxConcurrentLimit: in.MaxConcurrent,
		ActiveOpCount:      s.ActiveOpCount,
	}
}

// sourceValid is SOURCE_OK of the chapter: a child names its session and nothing else, a
// backend peer its id and address and no session.
func sourceValid(source Opt[OperationSource]) bool {
	src, ok := source.Get()
	switch {
	case !ok:
		return true
	case src.Kind == OperationSourceKindSessionChild:
		return src.SessionID.IsSome() && src.PeerID.IsNone() && src.Address.IsNone()
	default:
		return src.SessionID.IsNone() && src.PeerID.IsSome() && src.Address.IsSome()
	}
}

// recordSource keeps an operation's source if there is one. An operation without one
// inherits that of an earlier operation of the same id: sources are never forgotten.
func (s *OpsState) recordSource(op string, source Opt[OperationSource]) {
	if src, ok := source.Get(); ok {
		s.OpSources.put(op, src)
	}
}

// StartOp records that an operation was provisioned and runs. Runtime-internal,
// chapter 04.
type StartOp struct {
	OperationID string `json:"operation_id"`
}

func (in *StartOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("StartOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindStart.allowedIn(s.OpStatuses[in.OperationID])):

		s.OpStatuses.put(in.OperationID, OperationStatusRunning)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
	}
}

// CompleteOp ends an operation with its result. Of the payload of an ending only the
// variant is looked at, here as in the other endings. Runtime-internal, chapter 04.
type CompleteOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *CompleteOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("CompleteOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindComplete.allowedIn(s.OpStatuses[in.OperationID])) &&
		k.guard("outcome_matches_terminal", in.Outcome == OperationTerminalOutcomeKindCompleted) &&
		k.guard("payload_variant_matches_kind", in.Payload.Kind == OpCompleted):

		s.finish(in.OperationID, OperationStatusCompleted, in.Outcome, in.Payload)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
		k.emit(NotifyOpWatcher{OperationID: in.OperationID})
	}
}

// FailOp ends an operation with an error, also one that could not be provisioned.
// Runtime-internal, chapter 04.
type FailOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *FailOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("FailOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindFail.allowedIn(s.OpStatuses[in.OperationID])) &&
		k.guard("outcome_matches_terminal", in.Outcome == OperationTerminalOutcomeKindFailed) &&
		k.guard("payload_variant_matches_kind", in.Payload.Kind == OpFailed):

		s.finish(in.OperationID, OperationStatusFailed, in.Outcome, in.Payload)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
		k.emit(NotifyOpWatcher{OperationID: in.OperationID})
	}
}

// CancelOp ends an operation because nobody wants it any more. Runtime-internal,
// chapter 04.
type CancelOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *CancelOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("CancelOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindCancel.allowedIn(s.OpStatuses[in.OperationID])) &&
		k.guard("outcome_matches_terminal", in.Outcome == OperationTerminalOutcomeKindCancelled) &&
		k.guard("payload_variant_matches_kind", in.Payload.Kind == OpCancelled):

		s.finish(in.OperationID, OperationStatusCancelled, in.Outcome, in.Payload)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
		k.emit(NotifyOpWatcher{OperationID: in.OperationID})
	}
}

// AbortOp ends an operation before it ever ran. Runtime-internal, chapter 04.
type AbortOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *AbortOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("AbortOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindAbort.allowedIn(s.OpStatuses[in.OperationID])) &&
		k.guard("outcome_matches_terminal", in.Outcome == OperationTerminalOutcomeKindAborted) &&
		k.guard("payload_variant_matches_kind", in.Payload.Kind == OpAborted):

		s.finish(in.OperationID, OperationStatusAborted, in.Outcome, in.Payload)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
		k.emit(NotifyOpWatcher{OperationID: in.OperationID})
	}
}

// PeerReadyOp records, once, that the peer of a mob member can be spoken to. Other kinds
// have no peer. Runtime-internal, chapter 04.
type PeerReadyOp struct {
	OperationID string `json:"operation_id"`
}

func (in *PeerReadyOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerReadyOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("kind_is_mob_member_child", holds(s.OpKinds, in.OperationID, OperationKindMobMemberChild)) &&
		k.guard("not_already_peer_ready", !s.OpPeerReady[in.OperationID]) &&
		k.guard("from_status_valid", OpLifecycleActionKindPeerReady.allowedIn(s.OpStatuses[in.OperationID])):

		s.OpPeerReady.put(in.OperationID, true)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
	}
}

// ProgressReportedOp counts a report of progress; what it said is the shell's.
// Runtime-internal, chapter 04.
type ProgressReportedOp struct {
	OperationID string `json:"operation_id"`
}

func (in *ProgressReportedOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("ProgressReportedOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindProgressReported.allowedIn(s.OpStatuses[in.OperationID])):

		s.countProgress(in.OperationID)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
	}
}

// countProgress saturates, as counters in maps do (chapter 01, reducer semantics 5).
func (s *OpsState) countProgress(op string) {
	n := s.OpProgressCounts[op]
	s.OpProgressCounts.put(op, max(n, n+1))
}

// RetireRequestedOp asks a running operation to come to its end by itself.
// Runtime-internal, chapter 04.
type RetireRequestedOp struct {
	OperationID string `json:"operation_id"`
}

func (in *RetireRequestedOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("RetireRequestedOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindRetireRequested.allowedIn(s.OpStatuses[in.OperationID])):

		s.OpStatuses.put(in.OperationID, OperationStatusRetiring)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
	}
}

// RetireCompletedOp ends an operation that has retired; it need not have been asked to.
// Runtime-internal, chapter 04.
type RetireCompletedOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *RetireCompletedOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("RetireCompletedOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindRetireCompleted.allowedIn(s.OpStatuses[in.OperationID])) &&
		k.guard("outcome_matches_terminal", in.Outcome == OperationTerminalOutcomeKindRetired) &&
		k.guard("payload_variant_matches_kind", in.Payload.Kind == OpRetired):

		s.finish(in.OperationID, OperationStatusRetired, in.Outcome, in.Payload)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
		k.emit(NotifyOpWatcher{OperationID: in.OperationID})
	}
}

// TerminateOp ends an operation because its owner ends. Runtime-internal, chapter 04.
type TerminateOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *TerminateOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("TerminateOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("from_status_valid", OpLifecycleActionKindTerminate.allowedIn(s.OpStatuses[in.OperationID])) &&
		k.guard("outcome_matches_terminal", in.Outcome == OperationTerminalOutcomeKindTerminated) &&
		k.guard("payload_variant_matches_kind", in.Payload.Kind == OpTerminated):

		s.finish(in.OperationID, OperationStatusTerminated, in.Outcome, in.Payload)
		k.emit(SubmitOpEvent{OperationID: in.OperationID})
		k.emit(NotifyOpWatcher{OperationID: in.OperationID})
	}
}

// finish is FINISH of the chapter: it ends an operation and hands out the next completion
// number. A capacity slot takes a number too, but no row of the feed. An operation without
// a kind, which no rule makes, counts as one of the first kind, as any missing key does.
func (s *OpsState) finish(op string, status OperationStatus, outcome OperationTerminalOutcomeKind, payload OpTerminalPayload) {
	s.OpStatuses.put(op, status)
	s.OpTerminalOutcomes.put(op, outcome)
	s.OpTerminalPayload.put(op, payload)
	s.ActiveOpCount--
	s.NextCompletionSeq++
	s.OpCompletionSeq.put(op, s.NextCompletionSeq)
	s.CompletionSequenceClaims.add(s.NextCompletionSeq)
	if kind := s.OpKinds[op]; kind.inFeed() {
		s.putFeedRow(op, s.NextCompletionSeq, kind, outcome, payload)
	}
}

// ResolveOpLifecycleTransitionRejection asks why one of the inputs above was refused. It
// is refused itself if the action would be legal, as it is when the input failed on its
// outcome or payload. Runtime-internal, chapter 04.
type ResolveOpLifecycleTransitionRejection struct {
	OperationID string                `json:"operation_id"`
	Action      OpLifecycleActionKind `json:"action"`
}

func (in *ResolveOpLifecycleTransitionRejection) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveOpLifecycleTransitionNotFoundRejected", registered5, Stay) &&
		k.guard("op_not_registered", !s.OpStatuses.has(in.OperationID)):

		k.emit(OpLifecycleTransitionRejected{
			OperationID: in.OperationID,
			Action:      in.Action,
			Reason:      OpLifecycleRejectReasonKindOperationNotFound,
		})

	case k.rule("ResolveOpLifecycleTransitionPeerNotExpectedRejected", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("action_peer_ready", in.Action == OpLifecycleActionKindPeerReady) &&
		k.guard("kind_not_mob_member_child", !holds(s.OpKinds, in.OperationID, OperationKindMobMemberChild)):

		k.emit(in.rejected(s, OpLifecycleRejectReasonKindPeerNotExpected))

	case k.rule("ResolveOpLifecycleTransitionAlreadyPeerReadyRejected", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("action_peer_ready", in.Action == OpLifecycleActionKindPeerReady) &&
		k.guard("kind_is_mob_member_child", holds(s.OpKinds, in.OperationID, OperationKindMobMemberChild)) &&
		k.guard("already_peer_ready", s.OpPeerReady[in.OperationID]):

		k.emit(in.rejected(s, OpLifecycleRejectReasonKindAlreadyPeerReady))

	case k.rule("ResolveOpLifecycleTransitionInvalidRejected", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("peer_ready_special_rejections_absent",
			in.Action != OpLifecycleActionKindPeerReady ||
				holds(s.OpKinds, in.OperationID, OperationKindMobMemberChild) && !s.OpPeerReady[in.OperationID]) &&
		k.guard("from_status_invalid", !in.Action.allowedIn(s.OpStatuses[in.OperationID])):

		k.emit(in.rejected(s, OpLifecycleRejectReasonKindInvalidTransition))
	}
}

// rejected answers for an operation that is known, with the status it has.
func (in *ResolveOpLifecycleTransitionRejection) rejected(s *State, reason OpLifecycleRejectReasonKind) OpLifecycleTransitionRejected {
	return OpLifecycleTransitionRejected{
		OperationID: in.OperationID,
		Action:      in.Action,
		Reason:      reason,
		Status:      Some(s.OpStatuses[in.OperationID]),
	}
}

// RecoverOpRecord puts an operation that has ended back from a stored snapshot. The
// recovered completion number may lie beyond the last one handed out and then moves it.
// Runtime-internal, chapter 04.
type RecoverOpRecord struct {
	OperationID        string                            `json:"operation_id"`
	Status             OperationStatus                   `json:"status"`
	Kind               OperationKind                     `json:"kind"`
	Source             Opt[OperationSource]              `json:"source"`
	PeerReady          bool                              `json:"peer_ready"`
	ProgressCount      uint64                            `json:"progress_count"`
	TerminalOutcome    Opt[OperationTerminalOutcomeKind] `json:"terminal_outcome"`
	TerminalPayload    Opt[OpTerminalPayload]            `json:"terminal_payload"`
	CompletionSequence Opt[uint64]                       `json:"completion_sequence"`
}

func (in *RecoverOpRecord) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecoverOpRecord", registered5, Stay) &&
		k.guard("not_already_registered", !s.OpStatuses.has(in.OperationID)) &&
		k.guard("recovered_status_terminal", in.Status.terminal()) &&
		k.guard("terminal_outcome_present", in.TerminalOutcome.IsSome()) &&
		k.guard("terminal_payload_present", in.TerminalPayload.IsSome()) &&
		k.guard("completion_sequence_present", in.CompletionSequence.IsSome()) &&
		k.guard("operation_source_valid", sourceValid(in.Source)) &&
		k.guard("completion_sequence_unclaimed", !s.CompletionSequenceClaims.Has(in.CompletionSequence.Value())) &&
		k.guard("terminal_outcome_matches_status",
			in.TerminalOutcome.IsSome() && in.TerminalOutcome.Value().status() == in.Status) &&
		k.guard("terminal_payload_variant_matches_status", in.TerminalPayload.Value().outcome().status() == in.Status):

		s.OpStatuses.put(in.OperationID, in.Status)
		s.OpKinds.put(in.OperationID, in.Kind)
		s.recordSource(in.OperationID, in.Source)
		s.OpPeerReady.put(in.OperationID, in.PeerReady)
		s.OpProgressCounts.put(in.OperationID, in.ProgressCount)
		s.OpTerminalOutcomes.put(in.OperationID, in.TerminalOutcome.Value())
		s.OpTerminalPayload.put(in.OperationID, in.TerminalPayload.Value())
		s.OpCompletionSeq.put(in.OperationID, in.CompletionSequence.Value())
		s.CompletionSequenceClaims.add(in.CompletionSequence.Value())
		if in.Kind.inFeed() {
			s.putFeedRow(in.OperationID, in.CompletionSequence.Value(), in.Kind, in.TerminalOutcome.Value(), in.TerminalPayload.Value())
		}
		s.NextCompletionSeq = max(s.NextCompletionSeq, in.CompletionSequence.Value())
		k.emit(RetainTerminalRecord{OperationID: in.OperationID})
	}
}

// EvictCompletedOp forgets an operation that has ended, to make room. Runtime-internal,
// chapter 04.
type EvictCompletedOp struct {
	OperationID string `json:"operation_id"`
}

func (in *EvictCompletedOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("EvictCompletedOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("op_terminal", s.OpStatuses[in.OperationID].terminal()):

		s.forget(in.OperationID)
		k.emit(EvictCompletedRecord{OperationID: in.OperationID})
	}
}

// CollectCompletedOp forgets an operation that has ended and whose outcome was fetched.
// Runtime-internal, chapter 04.
type CollectCompletedOp struct {
	OperationID string `json:"operation_id"`
}

func (in *CollectCompletedOp) step(k *Kernel, s *State) {
	switch {
	case k.rule("CollectCompletedOp", registered5, Stay) &&
		k.guard("op_registered", s.OpStatuses.has(in.OperationID)) &&
		k.guard("op_terminal", s.OpStatuses[in.OperationID].terminal()):

		s.forget(in.OperationID)
		k.emit(CollectCompletedResult{})
	}
}

// forget is FORGET of the chapter. The source, the row of the feed and the claim to the
// completion number outlive the operation.
func (s *OpsState) forget(op string) {
	s.OpStatuses.del(op)
	s.OpKinds.del(op)
	s.OpPeerReady.del(op)
	s.OpProgressCounts.del(op)
	s.OpTerminalOutcomes.del(op)
	s.OpTerminalPayload.del(op)
	s.OpCompletionSeq.del(op)
}

// terminal is TERMINAL of the chapter. Absent is no end: such an operation never was.
func (st OperationStatus) terminal() bool {
	switch st {
	case OperationStatusCompleted, OperationStatusFailed, OperationStatusAborted,
		OperationStatusCancelled, OperationStatusRetired, OperationStatusTerminated:
		return true
	default:
		return false
	}
}

// allowedIn is ACTION_OK of the chapter: whether an operation of this status can take the
// action.
func (a OpLifecycleActionKind) allowedIn(st OperationStatus) bool {
	switch a {
	case OpLifecycleActionKindStart, OpLifecycleActionKindAbort:
		return st == OperationStatusProvisioning
	case OpLifecycleActionKindRetireRequested:
		return st == OperationStatusRunning
	case OpLifecycleActionKindPeerReady, OpLifecycleActionKindProgressReported,
		OpLifecycleActionKindComplete, OpLifecycleActionKindRetireCompleted:
		return st == OperationStatusRunning || st == OperationStatusRetiring
	default:
		return st == OperationStatusProvisioning || st == OperationStatusRunning || st == OperationStatusRetiring
	}
}

// status is the status of an operation that ended this way.
func (o OperationTerminalOutcomeKind) status() OperationStatus {
	switch o {
	case OperationTerminalOutcomeKindCompleted:
		return OperationStatusCompleted
	case OperationTerminalOutcomeKindFailed:
		return OperationStatusFailed
	case OperationTerminalOutcomeKindAborted:
		return OperationStatusAborted
	case OperationTerminalOutcomeKindCancelled:
		return OperationStatusCancelled
	case OperationTerminalOutcomeKindRetired:
		return OperationStatusRetired
	default:
		return OperationStatusTerminated
	}
}

// outcome is the kind of ending the variant stands for.
func (p OpTerminalPayload) outcome() OperationTerminalOutcomeKind {
	switch p.Kind {
	case OpCompleted:
		return OperationTerminalOutcomeKindCompleted
	case OpFailed:
		return OperationTerminalOutcomeKindFailed
	case OpAborted:
		return OperationTerminalOutcomeKindAborted
	case OpCancelled:
		return OperationTerminalOutcomeKindCancelled
	case OpTerminated:
		return OperationTerminalOutcomeKindTerminated
	default:
		return OperationTerminalOutcomeKindRetired
	}
}
