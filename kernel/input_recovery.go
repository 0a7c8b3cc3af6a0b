package kernel

// Chapter 02, inputs: how stored inputs come back after a crash. A row is normalized,
// sorted out by durability, and then put into the machine: RecoverAdmittedInput is the
// witness that stands for the admission of old, RecoverInputLifecycle restores the
// facts. AuthorizeStoredInputStateSeed guards the other direction, the writing of rows.

// NormalizeRecoveredInputLifecycle says in which phase an input that was stored in the
// observed phase continues. An applied input counts as consumed if the receipt of its
// boundary is stored, is queued again if it is not, and stays as it is if nobody
// looked; in none of these cases it counts as requeued. Ended inputs are refused:
// nothing is to be normalized. Runtime-internal, chapter 02.
type NormalizeRecoveredInputLifecycle struct {
	InputID                  string                      `json:"input_id"`
	Phase                    RecoveredInputObservedPhase `json:"phase"`
	AppliedBoundaryCommitted Opt[bool]                   `json:"applied_boundary_committed"`
}

func (in *NormalizeRecoveredInputLifecycle) step(k *Kernel, s *State) {
	switch {
	case k.rule("NormalizeRecoveredInputAcceptedQueue", notDestroyed, Stay) &&
		k.guard("accepted_phase", in.Phase == RecoveredInputObservedPhaseAccepted):

		k.emit(RecoveredInputLifecycleNormalized{
			InputID:       in.InputID,
			Phase:         InputPhaseQueued,
			Recovered:     true,
			Requeued:      true,
			HistoryReason: Some(RecoveredInputNormalizationReasonKindQueueAccepted),
		})

	case k.rule("NormalizeRecoveredInputStaged", notDestroyed, Stay) &&
		k.guard("staged_phase", in.Phase == RecoveredInputObservedPhaseStaged):

		k.emit(RecoveredInputLifecycleNormalized{
			InputID:       in.InputID,
			Phase:         InputPhaseQueued,
			Recovered:     true,
			Requeued:      true,
			HistoryReason: Some(RecoveredInputNormalizationReasonKindRollbackStaged),
		})

	case k.rule("NormalizeRecoveredInputAppliedCommitted", notDestroyed, Stay) &&
		k.guard("applied_phase", in.Phase.applied()) &&
		k.guard("boundary_committed_observed", in.AppliedBoundaryCommitted.Is(true)):

		k.emit(RecoveredInputLifecycleNormalized{
			InputID:       in.InputID,
			Phase:         InputPhaseConsumed,
			TerminalKind:  Some(InputTerminalKindConsumed),
			Recovered:     true,
			HistoryReason: Some(RecoveredInputNormalizationReasonKindBoundaryReceiptCommitted),
		})

	case k.rule("NormalizeRecoveredInputAppliedMissingReceipt", notDestroyed, Stay) &&
		k.guard("applied_phase", in.Phase.applied()) &&
		k.guard("boundary_missing_observed", in.AppliedBoundaryCommitted.Is(false)):

		k.emit(RecoveredInputLifecycleNormalized{
			InputID:       in.InputID,
			Phase:         InputPhaseQueued,
			Recovered:     true,
			HistoryReason: Some(RecoveredInputNormalizationReasonKindMissingBoundaryReceipt),
		})

	case k.rule("NormalizeRecoveredInputAppliedUnobservedReceipt", notDestroyed, Stay) &&
		k.guard("applied_phase", in.Phase.applied()) &&
		k.guard("boundary_receipt_unobserved", in.AppliedBoundaryCommitted.IsNone()):

		k.emit(RecoveredInputLifecycleNormalized{
			InputID:   in.InputID,
			Phase:     in.Phase.keptApplied(),
			Recovered: true,
		})

	case k.rule("NormalizeRecoveredInputQueued", notDestroyed, Stay) &&
		k.guard("queued_phase", in.Phase == RecoveredInputObservedPhaseQueued):

		k.emit(RecoveredInputLifecycleNormalized{
			InputID:   in.InputID,
			Phase:     InputPhaseQueued,
			Recovered: true,
		})
	}
}

func (p RecoveredInputObservedPhase) applied() bool {
	return p == RecoveredInputObservedPhaseApplied ||
		p == RecoveredInputObservedPhaseAppliedPendingConsumption
}

// keptApplied is the machine's phase for an applied one.
func (p RecoveredInputObservedPhase) keptApplied() InputPhase {
	if p == RecoveredInputObservedPhaseApplied {
		return InputPhaseApplied
	}
	return InputPhaseAppliedPendingConsumption
}

// ClassifyRecoveredInputDurability says whether a stored input is kept at recovery.
// A row that does not say is kept. Runtime-internal, chapter 02.
type ClassifyRecoveredInputDurability struct {
	InputID    string              `json:"input_id"`
	Durability InputDurabilityKind `json:"durability"`
}

func (in *ClassifyRecoveredInputDurability) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyRecoveredInputDurabilityDiscardEphemeral", notDestroyed, Stay) &&
		k.guard("ephemeral_durability", in.Durability == InputDurabilityKindEphemeral):

		k.emit(RecoveredInputDurabilityClassified{
			InputID:     in.InputID,
			Disposition: RecoveredInputRecoveryDispositionDiscard,
		})

	case k.rule("ClassifyRecoveredInputDurabilityRetainDurableDerivedOrMissing", notDestroyed, Stay) &&
		k.guard("retained_durability", in.Durability != InputDurabilityKindEphemeral):

		k.emit(RecoveredInputDurabilityClassified{
			InputID:     in.InputID,
			Disposition: RecoveredInputRecoveryDispositionRetain,
		})
	}
}

// AuthorizeStoredInputStateSeed judges the machine facts of a row before it is stored:
// an end must be told completely and only by its own details. It is asked of a fresh
// Idle machine. Runtime-internal, chapter 02.
type AuthorizeStoredInputStateSeed struct {
	InputID             string                      `json:"input_id"`
	Phase               RecoveredInputObservedPhase `json:"phase"`
	TerminalKind        Opt[InputTerminalKind]      `json:"terminal_kind"`
	SupersededBy        Opt[string]                 `json:"superseded_by"`
	AggregateID         Opt[string]                 `json:"aggregate_id"`
	AbandonReason       Opt[InputAbandonReason]     `json:"abandon_reason"`
	AbandonAttemptCount uint64                      `json:"abandon_attempt_count"`
	AttemptCount        uint64                      `json:"attempt_count"`
	RunID               Opt[string]                 `json:"run_id"`
	BoundarySequence    Opt[uint64]                 `json:"boundary_sequence"`
	AdmissionSequence   Opt[uint64]                 `json:"admission_sequence"`
	RecoveryLane        Opt[InputLane]              `json:"recovery_lane"`
}

func (in *AuthorizeStoredInputStateSeed) step(k *Kernel, s *State) {
	switch {
	case k.rule("AuthorizeStoredInputStateSeed", Idle, Stay) &&
		k.guard("stored_seed_terminal_payload_matches_phase",
			toldByItsEnd(in.Phase.end(), in.TerminalKind, in.SupersededBy, in.AggregateID, in.AbandonReason) &&
				(in.Phase.end().IsSome() || in.AbandonAttemptCount == 0)) &&
		k.guard("stored_seed_terminal_has_no_recovery_lane",
			in.Phase.end().IsNone() || in.RecoveryLane.IsNone()) &&
		k.guard("stored_seed_max_attempts_reason_matches_count",
			!in.AbandonReason.Is(InputAbandonReasonMaxAttemptsExhausted) || in.AbandonAttemptCount == in.AttemptCount) &&
		k.guard("stored_seed_max_attempts_reason_matches_policy",
			!in.AbandonReason.Is(InputAbandonReasonMaxAttemptsExhausted) || in.AttemptCount >= s.MaxStageAttempts):

		k.emit(StoredInputStateSeedAuthorized{InputID: in.InputID})
	}
}

// RecoverAdmittedInput vouches that a stored input was once admitted into the lane. The
// run semantics stored with it must fit its kind. WorkgraphAttention continuations are
// planned with ContentTurn and so do not pass: the reference has it that way.
// Runtime-internal, chapter 02.
type RecoverAdmittedInput struct {
	InputID                                string                                        `json:"input_id"`
	InputKind                              RecoveredInputKind                            `json:"input_kind"`
	RuntimeBoundary                        RecoveredRunApplyBoundary                     `json:"runtime_boundary"`
	RuntimeExecutionKind                   RecoveredRuntimeExecutionKind                 `json:"runtime_execution_kind"`
	RuntimePeerResponseTerminalApplyIntent Opt[RecoveredPeerResponseTerminalApplyIntent] `json:"runtime_peer_response_terminal_apply_intent"`
	Lane                                   InputLane                                     `json:"lane"`
}

func (in *RecoverAdmittedInput) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecoverAdmittedInput", registered5, Stay) &&
		k.guard("recovered_execution_kind_matches_input",
			(in.InputKind == RecoveredInputKindContinuation) ==
				(in.RuntimeExecutionKind == RecoveredRuntimeExecutionKindResumePending)) &&
		k.guard("recovered_terminal_intent_matches_input",
			(in.InputKind == RecoveredInputKindPeerResponseTerminal) ==
				in.RuntimePeerResponseTerminalApplyIntent.IsSome()) &&
		k.guard("recovered_immediate_boundary_uses_steer_lane",
			in.RuntimeBoundary != RecoveredRunApplyBoundaryImmediate || in.Lane == InputLaneSteer):

		s.RecoveredAdmittedInputs.add(in.InputID)
		s.RecoveredAdmittedLanes.put(in.InputID, in.Lane)
	}
}

// RecoverInputLifecycle restores the machine facts of a stored input. It overwrites
// what is tracked of the id, so replaying it does no harm. A queued input needs its
// order token or a normalization that explains why it has none; then it goes to the
// back. The order of prioritized inputs is not protected: the counter for the front is
// not restored. Runtime-internal, chapter 02.
type RecoverInputLifecycle struct {
	InputID                   string                                     `json:"input_id"`
	Phase                     InputPhase                                 `json:"phase"`
	TerminalKind              Opt[InputTerminalKind]                     `json:"terminal_kind"`
	SupersededBy              Opt[string]                                `json:"superseded_by"`
	AggregateID               Opt[string]                                `json:"aggregate_id"`
	AbandonReason             Opt[InputAbandonReason]                    `json:"abandon_reason"`
	AbandonAttemptCount       uint64                                     `json:"abandon_attempt_count"`
	AttemptCount              uint64                                     `json:"attempt_count"`
	RunID                     Opt[string]                                `json:"run_id"`
	BoundarySequence          Opt[uint64]                                `json:"boundary_sequence"`
	AdmissionSequence         Opt[uint64]                                `json:"admission_sequence"`
	AdmissionSequenceRecovery Opt[RecoveredInputNormalizationReasonKind] `json:"admission_sequence_recovery"`
	RecoveryLane              Opt[InputLane]                             `json:"recovery_lane"`
	Lane                      Opt[InputLane]                             `json:"lane"`
}

func (in *RecoverInputLifecycle) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecoverInputLifecycle", registered5, Stay) &&
		k.guard("recovered_lifecycle_has_admission_witness",
			in.Phase.end().IsSome() || s.RecoveredAdmittedInputs.Has(in.InputID)) &&
		k.guard("recovered_recovery_lane_matches_witness",
			(in.Phase.end().IsSome() && in.RecoveryLane.IsNone()) ||
				(in.Phase.end().IsNone() && s.recoveredInto(in.InputID, in.RecoveryLane))) &&
		k.guard("recovered_current_lane_matches_phase",
			(in.Phase != InputPhaseQueued && in.Lane.IsNone()) ||
				(in.Phase == InputPhaseQueued && s.recoveredInto(in.InputID, in.Lane) && in.Lane == in.RecoveryLane)) &&
		k.guard("recovered_queued_order_has_witness",
			in.Phase != InputPhaseQueued || in.AdmissionSequence.IsSome() ||
				in.AdmissionSequenceRecovery.Is(RecoveredInputNormalizationReasonKindQueueAccepted) ||
				in.AdmissionSequenceRecovery.Is(RecoveredInputNormalizationReasonKindRollbackStaged) ||
				in.AdmissionSequenceRecovery.Is(RecoveredInputNormalizationReasonKindMissingBoundaryReceipt)) &&
		k.guard("recovered_order_recovery_matches_missing_sequence",
			in.AdmissionSequenceRecovery.IsNone() ||
				(in.Phase == InputPhaseQueued && in.AdmissionSequence.IsNone())) &&
		k.guard("recovered_terminal_payload_matches_phase",
			toldByItsEnd(in.Phase.end(), in.TerminalKind, in.SupersededBy, in.AggregateID, in.AbandonReason)) &&
		k.guard("recovered_max_attempts_reason_matches_count",
			!in.AbandonReason.Is(InputAbandonReasonMaxAttemptsExhausted) || in.AbandonAttemptCount == in.AttemptCount) &&
		k.guard("recovered_max_attempts_reason_matches_policy",
			!in.AbandonReason.Is(InputAbandonReasonMaxAttemptsExhausted) || in.AttemptCount >= s.MaxStageAttempts):

		s.InputPhases.put(in.InputID, in.Phase)
		putOpt(&s.InputTerminalKind, in.InputID, in.TerminalKind)
		putOpt(&s.InputSupersededBy, in.InputID, in.SupersededBy)
		putOpt(&s.InputAggregateID, in.InputID, in.AggregateID)
		putOpt(&s.InputAbandonReason, in.InputID, in.AbandonReason)
		putOpt(&s.InputAbandonAttemptCount, in.InputID, in.abandonAttempts())
		s.InputAttemptCounts.put(in.InputID, in.AttemptCount)
		putOpt(&s.InputRunAssociations, in.InputID, in.RunID)
		putOpt(&s.InputBoundarySequences, in.InputID, in.BoundarySequence)
		in.restoreOrder(s)
		putOpt(&s.InputLane, in.InputID, in.Lane)
		putOpt(&s.InputRecoveryLanes, in.InputID, in.RecoveryLane)
		k.emit(InputLifecycleNotice{})
	}
}

// abandonAttempts is the attempt count of an abandoned input and of no other.
func (in *RecoverInputLifecycle) abandonAttempts() Opt[uint64] {
	if in.AbandonReason.IsSome() {
		return Some(in.AbandonAttemptCount)
	}
	return None[uint64]()
}

// restoreOrder gives the input its old order token, and later inputs only tokens above
// it; a new token if recovery explains that the old one is missing; otherwise none.
func (in *RecoverInputLifecycle) restoreOrder(s *State) {
	token, ok := in.AdmissionSequence.Get()
	switch {
	case ok:
		s.InputAdmissionSeq.put(in.InputID, token)
		if s.NextAdmissionSeq <= token {
			s.NextAdmissionSeq = token + 1
		}
	case in.AdmissionSequenceRecovery.IsSome():
		s.orderLast(in.InputID)
	default:
		s.InputAdmissionSeq.del(in.InputID)
	}
}

// recoveredInto reports whether RecoverAdmittedInput vouched for exactly this lane.
func (s *InputsState) recoveredInto(id string, lane Opt[InputLane]) bool {
	return lane.IsSome() && holds(s.RecoveredAdmittedLanes, id, lane.Value())
}

// toldByItsEnd reports whether the details of an end are exactly those that belong to
// it; an input without an end has none.
func toldByItsEnd(
	end, kind Opt[InputTerminalKind],
	supersededBy, aggregateID Opt[string],
	abandonReason Opt[InputAbandonReason],
) bool {
	return kind == end &&
		supersededBy.IsSome() == end.Is(InputTerminalKindSuperseded) &&
		aggregateID.IsSome() == end.Is(InputTerminalKindCoalesced) &&
		abandonReason.IsSome() == end.Is(InputTerminalKindAbandoned)
}

// end is the way an input of the phase has ended, none if it has not.
func (p InputPhase) end() Opt[InputTerminalKind] {
	switch p {
	case InputPhaseConsumed:
		return Some(InputTerminalKindConsumed)
	case InputPhaseSuperseded:
		return Some(InputTerminalKindSuperseded)
	case InputPhaseCoalesced:
		return Some(InputTerminalKindCoalesced)
	case InputPhaseAbandoned:
		return Some(InputTerminalKindAbandoned)
	default:
		return None[InputTerminalKind]()
	}
}

// end is the way an input observed in the phase has ended, none if it has not.
func (p RecoveredInputObservedPhase) end() Opt[InputTerminalKind] {
	switch p {
	case RecoveredInputObservedPhaseConsumed:
		return Some(InputTerminalKindConsumed)
	case RecoveredInputObservedPhaseSuperseded:
		return Some(InputTerminalKindSuperseded)
	case RecoveredInputObservedPhaseCoalesced:
		return Some(InputTerminalKindCoalesced)
	case RecoveredInputObservedPhaseAbandoned:
		return Some(InputTerminalKindAbandoned)
	default:
		return None[InputTerminalKind]()
	}
}
