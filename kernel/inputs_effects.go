package kernel

// The effects of chapter 02.

// LiveBoundaryContextReceiptResolved is an effect of chapter 02, local.
type LiveBoundaryContextReceiptResolved struct {
	RunID            RunId                     `json:"run_id"`
	InputID          string                    `json:"input_id"`
	Boundary         AdmissionRunApplyBoundary `json:"boundary"`
	BoundarySequence uint64                    `json:"boundary_sequence"`
}

func (LiveBoundaryContextReceiptResolved) EffectDisposition() Disposition { return Local }

// ResolveAdmission is an effect of chapter 02, local.
type ResolveAdmission struct{}

func (ResolveAdmission) EffectDisposition() Disposition { return Local }

// SubmitAdmittedIngressEffect is an effect of chapter 02, local.
type SubmitAdmittedIngressEffect struct{}

func (SubmitAdmittedIngressEffect) EffectDisposition() Disposition { return Local }

// ResolveCompletionAsTerminated is an effect of chapter 02, local.
type ResolveCompletionAsTerminated struct{}

func (ResolveCompletionAsTerminated) EffectDisposition() Disposition { return Local }

// IngressAccepted is an effect of chapter 02, external.
type IngressAccepted struct{}

func (IngressAccepted) EffectDisposition() Disposition { return External }

// AdmissionResolved is an effect of chapter 02, local.
type AdmissionResolved struct {
	InputID                                string                                        `json:"input_id"`
	PolicyVersion                          uint64                                        `json:"policy_version"`
	PolicyApplyMode                        AdmissionPolicyApplyMode                      `json:"policy_apply_mode"`
	PolicyWakeMode                         AdmissionPolicyWakeMode                       `json:"policy_wake_mode"`
	PolicyQueueMode                        AdmissionPolicyQueueMode                      `json:"policy_queue_mode"`
	PolicyConsumePoint                     AdmissionPolicyConsumePoint                   `json:"policy_consume_point"`
	PolicyDrainPolicy                      AdmissionPolicyDrainPolicy                    `json:"policy_drain_policy"`
	PolicyRoutingDisposition               AdmissionRoutingDisposition                   `json:"policy_routing_disposition"`
	Lane                                   InputLane                                     `json:"lane"`
	Plan                                   AdmissionPlanKind                             `json:"plan"`
	QueueAction                            AdmissionQueueActionKind                      `json:"queue_action"`
	ExistingAction                         AdmissionExistingQueuedActionKind             `json:"existing_action"`
	ExistingInputID                        Opt[string]                                   `json:"existing_input_id"`
	RequiresActivePreAdmission             bool                                          `json:"requires_active_pre_admission"`
	RuntimeBoundary                        AdmissionRunApplyBoundary                     `json:"runtime_boundary"`
	RuntimeExecutionKind                   AdmissionRuntimeExecutionKind                 `json:"runtime_execution_kind"`
	RuntimePeerResponseTerminalApplyIntent Opt[AdmissionPeerResponseTerminalApplyIntent] `json:"runtime_peer_response_terminal_apply_intent"`
	RecordTranscript                       bool                                          `json:"record_transcript"`
	RequestImmediateProcessing             bool                                          `json:"request_immediate_processing"`
	InterruptYielding                      bool                                          `json:"interrupt_yielding"`
	WakeIfIdle                             bool                                          `json:"wake_if_idle"`
	ExecutionHandlingMode                  Opt[InputLane]                                `json:"execution_handling_mode"`
	LiveInterruptRequired                  bool                                          `json:"live_interrupt_required"`
}

func (AdmissionResolved) EffectDisposition() Disposition { return Local }

// AdmissionValidationResolved is an effect of chapter 02, local.
type AdmissionValidationResolved struct {
	InputID      string                         `json:"input_id"`
	Result       AdmissionValidationResultKind  `json:"result"`
	RejectReason Opt[AdmissionRejectReasonKind] `json:"reject_reason"`
}

func (AdmissionValidationResolved) EffectDisposition() Disposition { return Local }

// AdmissionIdempotencyResolved is an effect of chapter 02, local.
type AdmissionIdempotencyResolved struct {
	InputID         string                         `json:"input_id"`
	Result          AdmissionIdempotencyResultKind `json:"result"`
	ExistingInputID Opt[string]                    `json:"existing_input_id"`
}

func (AdmissionIdempotencyResolved) EffectDisposition() Disposition { return Local }

// RecoveredInputLifecycleNormalized is an effect of chapter 02, local.
type RecoveredInputLifecycleNormalized struct {
	InputID       string                                     `json:"input_id"`
	Phase         InputPhase                                 `json:"phase"`
	TerminalKind  Opt[InputTerminalKind]                     `json:"terminal_kind"`
	Recovered     bool                                       `json:"recovered"`
	Abandoned     bool                                       `json:"abandoned"`
	Requeued      bool                                       `json:"requeued"`
	HistoryReason Opt[RecoveredInputNormalizationReasonKind] `json:"history_reason"`
}

func (RecoveredInputLifecycleNormalized) EffectDisposition() Disposition { return Local }

// RecoveredInputDurabilityClassified is an effect of chapter 02, local.
type RecoveredInputDurabilityClassified struct {
	InputID     string                            `json:"input_id"`
	Disposition RecoveredInputRecoveryDisposition `json:"disposition"`
}

func (RecoveredInputDurabilityClassified) EffectDisposition() Disposition { return Local }

// InputPublicLifecycleResolved is an effect of chapter 02, local.
type InputPublicLifecycleResolved struct {
	InputID string                    `json:"input_id"`
	Phase   InputPublicLifecycleState `json:"phase"`
}

func (InputPublicLifecycleResolved) EffectDisposition() Disposition { return Local }

// InputPublicTerminalOutcomeResolved is an effect of chapter 02, local.
type InputPublicTerminalOutcomeResolved struct {
	InputID         string                          `json:"input_id"`
	TerminalOutcome Opt[InputPublicTerminalOutcome] `json:"terminal_outcome"`
}

func (InputPublicTerminalOutcomeResolved) EffectDisposition() Disposition { return Local }

// InputBehavioralTerminalityResolved is an effect of chapter 02, local.
type InputBehavioralTerminalityResolved struct {
	InputID  string `json:"input_id"`
	Terminal bool   `json:"terminal"`
}

func (InputBehavioralTerminalityResolved) EffectDisposition() Disposition { return Local }

// StoredInputStateSeedAuthorized is an effect of chapter 02, local.
type StoredInputStateSeedAuthorized struct {
	InputID string `json:"input_id"`
}

func (StoredInputStateSeedAuthorized) EffectDisposition() Disposition { return Local }

// PostAdmissionSignal is an effect of chapter 02, local.
type PostAdmissionSignal struct {
	Signal PostAdmissionSignalKind `json:"signal"`
}

func (PostAdmissionSignal) EffectDisposition() Disposition { return Local }

// ReadyForRun is an effect of chapter 02, local.
type ReadyForRun struct{}

func (ReadyForRun) EffectDisposition() Disposition { return Local }

// InputLifecycleNotice is an effect of chapter 02, external.
type InputLifecycleNotice struct{}

func (InputLifecycleNotice) EffectDisposition() Disposition { return External }

// CompletionResolved is an effect of chapter 02, local.
type CompletionResolved struct{}

func (CompletionResolved) EffectDisposition() Disposition { return Local }

// IngressNotice is an effect of chapter 02, external.
type IngressNotice struct{}

func (IngressNotice) EffectDisposition() Disposition { return External }

// RecordRunAssociation is an effect of chapter 02, local.
type RecordRunAssociation struct{}

func (RecordRunAssociation) EffectDisposition() Disposition { return Local }

// RecordBoundarySequence is an effect of chapter 02, local.
type RecordBoundarySequence struct{}

func (RecordBoundarySequence) EffectDisposition() Disposition { return Local }
