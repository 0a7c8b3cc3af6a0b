package kernel

// The inputs and signals of chapter 02 with their rules, in the chapter's order.

// Ingest is an input of chapter 02.
type Ingest struct {
	SessionID      SessionId           `json:"session_id"`
	RuntimeID      AgentRuntimeId      `json:"runtime_id"`
	FenceToken     FenceToken          `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
	WorkID         WorkId              `json:"work_id"`
	Origin         WorkOrigin          `json:"origin"`
}

func (in *Ingest) step(k *Kernel, s *State) {
	switch {
	}
}

// PublishEvent is an input of chapter 02.
type PublishEvent struct {
	Kind RuntimeEventKind `json:"kind"`
}

func (in *PublishEvent) step(k *Kernel, s *State) {
	switch {
	}
}

// AcceptWithCompletion is an input of chapter 02.
type AcceptWithCompletion struct {
	InputID                    InputId `json:"input_id"`
	RequestImmediateProcessing bool    `json:"request_immediate_processing"`
	InterruptYielding          bool    `json:"interrupt_yielding"`
	WakeIfIdle                 bool    `json:"wake_if_idle"`
}

func (in *AcceptWithCompletion) step(k *Kernel, s *State) {
	switch {
	}
}

// AcceptWithoutWake is an input of chapter 02.
type AcceptWithoutWake struct {
	InputID InputId `json:"input_id"`
}

func (in *AcceptWithoutWake) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveAdmissionValidation is an input of chapter 02.
type ResolveAdmissionValidation struct {
	InputID                               string                             `json:"input_id"`
	InputKind                             AdmissionInputKind                 `json:"input_kind"`
	InputOrigin                           AdmissionInputOriginKind           `json:"input_origin"`
	Durability                            InputDurabilityKind                `json:"durability"`
	PeerHandlingModeValid                 bool                               `json:"peer_handling_mode_valid"`
	PeerResponseTerminalStructurallyValid bool                               `json:"peer_response_terminal_structurally_valid"`
	PeerResponseTerminalObservedStatus    PeerResponseTerminalObservedStatus `json:"peer_response_terminal_observed_status"`
}

func (in *ResolveAdmissionValidation) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveAdmissionIdempotency is an input of chapter 02.
type ResolveAdmissionIdempotency struct {
	InputID        string      `json:"input_id"`
	IdempotencyKey Opt[string] `json:"idempotency_key"`
}

func (in *ResolveAdmissionIdempotency) step(k *Kernel, s *State) {
	switch {
	}
}

// RegisterAcceptedIdempotency is an input of chapter 02.
type RegisterAcceptedIdempotency struct {
	InputID        string `json:"input_id"`
	IdempotencyKey string `json:"idempotency_key"`
}

func (in *RegisterAcceptedIdempotency) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveAdmissionPlan is an input of chapter 02.
type ResolveAdmissionPlan struct {
	InputID                     string                    `json:"input_id"`
	InputKind                   AdmissionInputKind        `json:"input_kind"`
	RequestedLane               Opt[InputLane]            `json:"requested_lane"`
	ContinuationKind            AdmissionContinuationKind `json:"continuation_kind"`
	SilentIntentMatch           bool                      `json:"silent_intent_match"`
	ExistingSupersededInputID   Opt[string]               `json:"existing_superseded_input_id"`
	RuntimeRunning              bool                      `json:"runtime_running"`
	ActiveTurnBoundaryAvailable bool                      `json:"active_turn_boundary_available"`
	WithoutWake                 bool                      `json:"without_wake"`
}

func (in *ResolveAdmissionPlan) step(k *Kernel, s *State) {
	switch {
	}
}

// QueueAccepted is an input of chapter 02.
type QueueAccepted struct {
	InputID string `json:"input_id"`
}

func (in *QueueAccepted) step(k *Kernel, s *State) {
	switch {
	}
}

// SteerAccepted is an input of chapter 02.
type SteerAccepted struct {
	InputID string `json:"input_id"`
}

func (in *SteerAccepted) step(k *Kernel, s *State) {
	switch {
	}
}

// ConsumeInput is an input of chapter 02.
type ConsumeInput struct {
	InputID string `json:"input_id"`
}

func (in *ConsumeInput) step(k *Kernel, s *State) {
	switch {
	}
}

// ConsumeOnAccept is an input of chapter 02.
type ConsumeOnAccept struct {
	InputID string `json:"input_id"`
}

func (in *ConsumeOnAccept) step(k *Kernel, s *State) {
	switch {
	}
}

// ChangeLane is an input of chapter 02.
type ChangeLane struct {
	InputID string    `json:"input_id"`
	NewLane InputLane `json:"new_lane"`
}

func (in *ChangeLane) step(k *Kernel, s *State) {
	switch {
	}
}

// PrioritizeInput is an input of chapter 02.
type PrioritizeInput struct {
	InputID string `json:"input_id"`
}

func (in *PrioritizeInput) step(k *Kernel, s *State) {
	switch {
	}
}

// DeferInputBehindBacklog is an input of chapter 02.
type DeferInputBehindBacklog struct {
	InputID string `json:"input_id"`
}

func (in *DeferInputBehindBacklog) step(k *Kernel, s *State) {
	switch {
	}
}

// StageForRun is an input of chapter 02.
type StageForRun struct {
	InputID string `json:"input_id"`
	RunID   string `json:"run_id"`
}

func (in *StageForRun) step(k *Kernel, s *State) {
	switch {
	}
}

// IncrementAttemptCount is an input of chapter 02.
type IncrementAttemptCount struct {
	InputID string `json:"input_id"`
}

func (in *IncrementAttemptCount) step(k *Kernel, s *State) {
	switch {
	}
}

// RollbackStaged is an input of chapter 02.
type RollbackStaged struct {
	InputID string    `json:"input_id"`
	Lane    InputLane `json:"lane"`
}

func (in *RollbackStaged) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveStagedRollback is an input of chapter 02.
type ResolveStagedRollback struct {
	InputID string    `json:"input_id"`
	Lane    InputLane `json:"lane"`
}

func (in *ResolveStagedRollback) step(k *Kernel, s *State) {
	switch {
	}
}

// MarkApplied is an input of chapter 02.
type MarkApplied struct {
	InputID string `json:"input_id"`
}

func (in *MarkApplied) step(k *Kernel, s *State) {
	switch {
	}
}

// MarkAppliedPendingConsumption is an input of chapter 02.
type MarkAppliedPendingConsumption struct {
	InputID string `json:"input_id"`
}

func (in *MarkAppliedPendingConsumption) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordBoundarySeq is an input of chapter 02.
type RecordBoundarySeq struct {
	InputID string `json:"input_id"`
	RunID   RunId  `json:"run_id"`
}

func (in *RecordBoundarySeq) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveLiveBoundaryContextReceipt is an input of chapter 02.
type ResolveLiveBoundaryContextReceipt struct {
	RunID   RunId  `json:"run_id"`
	InputID string `json:"input_id"`
}

func (in *ResolveLiveBoundaryContextReceipt) step(k *Kernel, s *State) {
	switch {
	}
}

// SupersedeInput is an input of chapter 02.
type SupersedeInput struct {
	InputID      string `json:"input_id"`
	SupersededBy string `json:"superseded_by"`
}

func (in *SupersedeInput) step(k *Kernel, s *State) {
	switch {
	}
}

// CoalesceInput is an input of chapter 02.
type CoalesceInput struct {
	InputID     string `json:"input_id"`
	AggregateID string `json:"aggregate_id"`
}

func (in *CoalesceInput) step(k *Kernel, s *State) {
	switch {
	}
}

// AbandonInput is an input of chapter 02.
type AbandonInput struct {
	InputID      string             `json:"input_id"`
	Reason       InputAbandonReason `json:"reason"`
	AttemptCount uint64             `json:"attempt_count"`
}

func (in *AbandonInput) step(k *Kernel, s *State) {
	switch {
	}
}

// NormalizeRecoveredInputLifecycle is an input of chapter 02.
type NormalizeRecoveredInputLifecycle struct {
	InputID                  string                      `json:"input_id"`
	Phase                    RecoveredInputObservedPhase `json:"phase"`
	AppliedBoundaryCommitted Opt[bool]                   `json:"applied_boundary_committed"`
}

func (in *NormalizeRecoveredInputLifecycle) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyRecoveredInputDurability is an input of chapter 02.
type ClassifyRecoveredInputDurability struct {
	InputID    string              `json:"input_id"`
	Durability InputDurabilityKind `json:"durability"`
}

func (in *ClassifyRecoveredInputDurability) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveInputPublicLifecycle is an input of chapter 02.
type ResolveInputPublicLifecycle struct {
	InputID string                      `json:"input_id"`
	Phase   RecoveredInputObservedPhase `json:"phase"`
}

func (in *ResolveInputPublicLifecycle) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveInputPublicTerminalOutcome is an input of chapter 02.
type ResolveInputPublicTerminalOutcome struct {
	InputID       string                      `json:"input_id"`
	Phase         RecoveredInputObservedPhase `json:"phase"`
	TerminalKind  Opt[InputTerminalKind]      `json:"terminal_kind"`
	AbandonReason Opt[InputAbandonReason]     `json:"abandon_reason"`
}

func (in *ResolveInputPublicTerminalOutcome) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyInputTerminality is an input of chapter 02.
type ClassifyInputTerminality struct {
	InputID       string                      `json:"input_id"`
	Phase         RecoveredInputObservedPhase `json:"phase"`
	TerminalKind  Opt[InputTerminalKind]      `json:"terminal_kind"`
	AbandonReason Opt[InputAbandonReason]     `json:"abandon_reason"`
}

func (in *ClassifyInputTerminality) step(k *Kernel, s *State) {
	switch {
	}
}

// AuthorizeStoredInputStateSeed is an input of chapter 02.
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
	}
}

// RecoverAdmittedInput is an input of chapter 02.
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
	}
}

// RecoverInputLifecycle is an input of chapter 02.
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
	}
}
