package kernel

// InputsState is the part of the state that chapter 02 owns: facts by input id. Payloads,
// histories and the physical queues are the shell's. No other chapter touches these
// fields, so nothing here is cleared by a reset or a teardown, and nothing is collected:
// a key goes only where a rule of this chapter deletes it. The facts that nearly every input
// has are columns of its record, those that few have are maps of their own.
type InputsState struct {
	// InputPhases: life-cycle phase; an input with a key is tracked. Keys are never deleted.
	InputPhases Column[InputPhase, phaseFact] `json:"input_phases"`
	// InputTerminalKind: terminal class.
	InputTerminalKind Column[InputTerminalKind, terminalKindFact] `json:"input_terminal_kind"`
	// InputSupersededBy: id of the superseding input.
	InputSupersededBy Map[string, string] `json:"input_superseded_by"`
	// InputAggregateID: id of the input it was coalesced into.
	InputAggregateID Map[string, string] `json:"input_aggregate_id"`
	// InputAbandonReason: why abandoned.
	InputAbandonReason Map[string, InputAbandonReason] `json:"input_abandon_reason"`
	// InputAbandonAttemptCount: attempts at abandonment.
	InputAbandonAttemptCount Map[string, uint64] `json:"input_abandon_attempt_count"`
	// InputAttemptCounts: number of stagings; absent = 0; never reset by live rules.
	InputAttemptCounts Column[uint64, attemptsFact] `json:"input_attempt_counts"`
	// MaxStageAttempts: retry limit; no rule changes it.
	MaxStageAttempts uint64 `json:"max_stage_attempts"`
	// InputRunAssociations: run the input was last staged for.
	InputRunAssociations Column[string, runFact] `json:"input_run_associations"`
	// InputBoundarySequences: boundary sequence at which it was applied.
	InputBoundarySequences Column[uint64, boundarySequenceFact] `json:"input_boundary_sequences"`
	// LiveBoundaryContextSequenceByRun: per-run counter of live-boundary injections.
	LiveBoundaryContextSequenceByRun Map[RunId, uint64] `json:"live_boundary_context_sequence_by_run"`
	// NextAdmissionSeq: next back-of-queue order token.
	NextAdmissionSeq uint64 `json:"next_admission_seq"`
	// NextPriorityAdmissionSeq: next front-of-queue order token (counts down).
	NextPriorityAdmissionSeq uint64 `json:"next_priority_admission_seq"`
	// InputAdmissionSeq: order token; ascending = queue order.
	InputAdmissionSeq Column[uint64, admissionSequenceFact] `json:"input_admission_seq"`
	// InputLane: current lane membership; absent = not queued.
	InputLane Column[InputLane, laneFact] `json:"input_lane"`
	// InputRecoveryLanes: lane witness; survives staging, dropped at terminal.
	InputRecoveryLanes Column[InputLane, recoveryLaneFact] `json:"input_recovery_lanes"`
	// AdmissionAuthorizedLanes: lane granted by ResolveAdmissionPlan; never deleted.
	AdmissionAuthorizedLanes Column[InputLane, authorizedLaneFact] `json:"admission_authorized_lanes"`
	// AdmissionAuthorizedPlans: plan granted; never deleted.
	AdmissionAuthorizedPlans Column[AdmissionPlanKind, authorizedPlanFact] `json:"admission_authorized_plans"`
	// AdmissionAuthorizedExistingActions: by the new input, what it may do to an existing
	// one; used once.
	AdmissionAuthorizedExistingActions Map[string, AdmissionExistingQueuedActionKind] `json:"admission_authorized_existing_actions"`
	// AdmissionAuthorizedExistingTargets: id of the new input to id of the existing one.
	AdmissionAuthorizedExistingTargets Map[string, string] `json:"admission_authorized_existing_targets"`
	// AdmissionIdempotencyInputs: idempotency key to input id; never deleted.
	AdmissionIdempotencyInputs Map[string, string] `json:"admission_idempotency_inputs"`
	// RecoveredAdmittedInputs: ids accepted by RecoverAdmittedInput; never deleted.
	RecoveredAdmittedInputs Set[string] `json:"recovered_admitted_inputs"`
	// RecoveredAdmittedLanes: lane accepted by RecoverAdmittedInput.
	RecoveredAdmittedLanes Map[string, InputLane] `json:"recovered_admitted_lanes"`
}
