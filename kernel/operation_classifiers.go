package kernel

// Chapter 04, operation classifiers: questions about an operation, answered by an effect
// from the fields of the question alone. They hold only in Idle: the shell asks them of
// a machine made for the one question.

// ClassifyOperationTerminality asks whether an operation of this status has ended.
// Runtime-internal, chapter 04.
type ClassifyOperationTerminality struct {
	OperationID string          `json:"operation_id"`
	Status      OperationStatus `json:"status"`
}

func (in *ClassifyOperationTerminality) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyOperationTerminalityTerminal", Idle, Stay) &&
		k.guard("status_terminal", in.Status.terminal()):

		k.emit(OperationTerminal{OperationID: in.OperationID})

	case k.rule("ClassifyOperationTerminalityNonTerminal", Idle, Stay) &&
		k.guard("status_non_terminal", !in.Status.terminal()):

		k.emit(OperationNonTerminal{OperationID: in.OperationID})
	}
}

// ClassifyOperationPublicResult asks what the public may know of a status; an operation
// that is not known has the status Absent. Runtime-internal, chapter 04.
type ClassifyOperationPublicResult struct {
	OperationID string          `json:"operation_id"`
	Status      OperationStatus `json:"status"`
}

func (in *ClassifyOperationPublicResult) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyOperationPublicResultMissingAuthority", Idle, Stay) &&
		k.guard("status_missing_authority", in.Status == OperationStatusAbsent):

		k.emit(OperationPublicResultClassified{OperationID: in.OperationID, Result: OperationPublicResultClassMissingAuthority})

	case k.rule("ClassifyOperationPublicResultRunning", Idle, Stay) &&
		k.guard("status_running",
			in.Status == OperationStatusProvisioning || in.Status == OperationStatusRunning || in.Status == OperationStatusRetiring):

		k.emit(OperationPublicResultClassified{OperationID: in.OperationID, Result: OperationPublicResultClassRunning})

	case k.rule("ClassifyOperationPublicResultCompleted", Idle, Stay) &&
		k.guard("status_completed", in.Status == OperationStatusCompleted):

		k.emit(OperationPublicResultClassified{OperationID: in.OperationID, Result: OperationPublicResultClassCompleted})

	case k.rule("ClassifyOperationPublicResultFailed", Idle, Stay) &&
		k.guard("status_failed", in.Status == OperationStatusFailed || in.Status == OperationStatusTerminated):

		k.emit(OperationPublicResultClassified{OperationID: in.OperationID, Result: OperationPublicResultClassFailed})

	case k.rule("ClassifyOperationPublicResultCancelled", Idle, Stay) &&
		k.guard("status_cancelled",
			in.Status == OperationStatusAborted || in.Status == OperationStatusCancelled || in.Status == OperationStatusRetired):

		k.emit(OperationPublicResultClassified{OperationID: in.OperationID, Result: OperationPublicResultClassCancelled})
	}
}

// ClassifyOperationTransitionIdempotence asks whether an action that was refused in this
// status has in effect already happened. Runtime-internal, chapter 04.
type ClassifyOperationTransitionIdempotence struct {
	OperationID string                `json:"operation_id"`
	Action      OpLifecycleActionKind `json:"action"`
	Status      OperationStatus       `json:"status"`
}

func (in *ClassifyOperationTransitionIdempotence) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyOperationTransitionIdempotentSuccess", Idle, Stay) &&
		k.guard("transition_idempotent", in.Action.idempotentIn(in.Status)):

		k.emit(OperationTransitionIdempotentSuccess{OperationID: in.OperationID, Action: in.Action, Status: in.Status})

	case k.rule("ClassifyOperationTransitionNotIdempotent", Idle, Stay) &&
		k.guard("transition_not_idempotent", !in.Action.idempotentIn(in.Status)):

		k.emit(OperationTransitionNotIdempotent{OperationID: in.OperationID, Action: in.Action, Status: in.Status})
	}
}

// idempotentIn is IDEMPOTENT of the chapter. The endings that carry an outcome of their
// own never are: the second could tell another story.
func (a OpLifecycleActionKind) idempotentIn(st OperationStatus) bool {
	switch a {
	case OpLifecycleActionKindStart:
		return st == OperationStatusRunning
	case OpLifecycleActionKindRetireRequested:
		return st == OperationStatusRetiring || st.terminal()
	case OpLifecycleActionKindPeerReady, OpLifecycleActionKindProgressReported,
		OpLifecycleActionKindRetireCompleted, OpLifecycleActionKindAbort:
		return st.terminal()
	default:
		return false
	}
}

// ClassifyOperationCompletionFeed asks whether the end of an operation of this kind goes
// into the feed. Runtime-internal, chapter 04.
type ClassifyOperationCompletionFeed struct {
	OperationID string        `json:"operation_id"`
	Kind        OperationKind `json:"kind"`
}

func (in *ClassifyOperationCompletionFeed) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyOperationCompletionFeedSuppress", Idle, Stay) &&
		k.guard("capacity_slot", in.Kind == OperationKindBackgroundToolCapacitySlot):

		k.emit(OperationCompletionFeedClassified{OperationID: in.OperationID, Result: OperationCompletionFeedClassSuppress})

	case k.rule("ClassifyOperationCompletionFeedEmit", Idle, Stay) &&
		k.guard("public_completion_kind", in.Kind.inFeed()):

		k.emit(OperationCompletionFeedClassified{OperationID: in.OperationID, Result: OperationCompletionFeedClassEmit})
	}
}

// ClassifyOperationCompletionWake asks whether the end of an operation of this kind wakes
// a session that has nothing to do. A mob member speaks for itself. Runtime-internal,
// chapter 04.
type ClassifyOperationCompletionWake struct {
	OperationID string        `json:"operation_id"`
	Kind        OperationKind `json:"kind"`
}

func (in *ClassifyOperationCompletionWake) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyOperationCompletionWakeWake", Idle, Stay) &&
		k.guard("background_tool_completion", in.Kind == OperationKindBackgroundToolOp):

		k.emit(OperationCompletionWakeClassified{OperationID: in.OperationID, Result: OperationCompletionWakeClassWake})

	case k.rule("ClassifyOperationCompletionWakeIgnore", Idle, Stay) &&
		k.guard("non_wake_completion",
			in.Kind == OperationKindMobMemberChild || in.Kind == OperationKindBackgroundToolCapacitySlot):

		k.emit(OperationCompletionWakeClassified{OperationID: in.OperationID, Result: OperationCompletionWakeClassIgnore})
	}
}

// ClassifyOperationDurability asks whether the record of an operation of this kind is kept
// when it has ended. Runtime-internal, chapter 04.
type ClassifyOperationDurability struct {
	OperationID string        `json:"operation_id"`
	Kind        OperationKind `json:"kind"`
}

func (in *ClassifyOperationDurability) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyOperationDurabilityDiscard", Idle, Stay) &&
		k.guard("capacity_slot", in.Kind == OperationKindBackgroundToolCapacitySlot):

		k.emit(OperationDurabilityClassified{OperationID: in.OperationID, Result: OperationDurabilityClassDiscard})

	case k.rule("ClassifyOperationDurabilityRetain", Idle, Stay) &&
		k.guard("durable_kind", in.Kind.durable()):

		k.emit(OperationDurabilityClassified{OperationID: in.OperationID, Result: OperationDurabilityClassRetain})
	}
}

func (kind OperationKind) durable() bool {
	return kind == OperationKindBackgroundToolOp || kind == OperationKindMobMemberChild
}

// ClassifyRecoveredOperationRecord asks what becomes of a stored record: what has ended is
// kept, what was going on is dropped with the process it went on in. A record that is
// neither, because it misses a witness of its end or has one too many, is refused and
// recovery fails. A capacity slot is dropped whatever else it says, so the last rule does
// not ask for the kind. Runtime-internal, chapter 04.
type ClassifyRecoveredOperationRecord struct {
	OperationID               string          `json:"operation_id"`
	Status                    OperationStatus `json:"status"`
	Kind                      OperationKind   `json:"kind"`
	TerminalOutcomePresent    bool            `json:"terminal_outcome_present"`
	TerminalPayloadPresent    bool            `json:"terminal_payload_present"`
	CompletionSequencePresent bool            `json:"completion_sequence_present"`
}

func (in *ClassifyRecoveredOperationRecord) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyRecoveredOperationRecordCapacitySlotDiscard", Idle, Stay) &&
		k.guard("capacity_slot", in.Kind == OperationKindBackgroundToolCapacitySlot):

		k.emit(DiscardRecoveredOperationRecord{OperationID: in.OperationID})

	case k.rule("ClassifyRecoveredOperationRecordRetain", Idle, Stay) &&
		k.guard("durable_kind", in.Kind.durable()) &&
		k.guard("status_terminal", in.Status.terminal()) &&
		k.guard("terminal_witnesses_present",
			in.TerminalOutcomePresent && in.TerminalPayloadPresent && in.CompletionSequencePresent):

		k.emit(RetainTerminalRecord{OperationID: in.OperationID})

	case k.rule("ClassifyRecoveredOperationRecordDiscard", Idle, Stay) &&
		k.guard("status_non_terminal", !in.Status.terminal()) &&
		k.guard("no_terminal_witnesses",
			!in.TerminalOutcomePresent && !in.TerminalPayloadPresent && !in.CompletionSequencePresent):

		k.emit(DiscardRecoveredOperationRecord{OperationID: in.OperationID})
	}
}
