package kernel

// Chapter 02, inputs: what its rules tell the shell and the surfaces. SubmitRunPrimitive
// and RecordTerminalOutcome, which they also emit, stand with chapter 01.

// LiveBoundaryContextReceiptResolved numbers an input injected into a running turn: the shell
// stores the receipt under this boundary sequence.
type LiveBoundaryContextReceiptResolved struct {
	RunID            RunId                     `json:"run_id"`
	InputID          string                    `json:"input_id"`
	Boundary         AdmissionRunApplyBoundary `json:"boundary"`
	BoundarySequence uint64                    `json:"boundary_sequence"`
}

func (LiveBoundaryContextReceiptResolved) EffectDisposition() Disposition { return Local }

// ResolveAdmission asks the shell to take ingested work through admission.
type ResolveAdmission struct{}

func (ResolveAdmission) EffectDisposition() Disposition { return Local }

// SubmitAdmittedIngressEffect is declared by the reference but emitted by no rule.
type SubmitAdmittedIngressEffect struct{}

func (SubmitAdmittedIngressEffect) EffectDisposition() Disposition { return Local }

// ResolveCompletionAsTerminated is declared by the reference but emitted by no rule.
type ResolveCompletionAsTerminated struct{}

func (ResolveCompletionAsTerminated) EffectDisposition() Disposition { return Local }

// IngressAccepted tells surfaces that an input was taken in.
type IngressAccepted struct{}

func (IngressAccepted) EffectDisposition() Disposition { return External }

// AdmissionResolved is the whole plan for an input: policy, lane, and what the run and the
// loop are to do with it.
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

// AdmissionValidationResolved is the verdict on the facts of an input.
type AdmissionValidationResolved struct {
	InputID      string                         `json:"input_id"`
	Result       AdmissionValidationResultKind  `json:"result"`
	RejectReason Opt[AdmissionRejectReasonKind] `json:"reject_reason"`
}

func (AdmissionValidationResolved) EffectDisposition() Disposition { return Local }

// AdmissionIdempotencyResolved says whether an input repeats an earlier one, and which.
type AdmissionIdempotencyResolved struct {
	InputID         string                         `json:"input_id"`
	Result          AdmissionIdempotencyResultKind `json:"result"`
	ExistingInputID Opt[string]                    `json:"existing_input_id"`
}

func (AdmissionIdempotencyResolved) EffectDisposition() Disposition { return Local }

// RecoveredInputLifecycleNormalized says how a stored input continues. Recovered is always
// true and Abandoned always false: this version gives up no input at recovery.
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

// RecoveredInputDurabilityClassified says whether recovery keeps a stored input.
type RecoveredInputDurabilityClassified struct {
	InputID     string                            `json:"input_id"`
	Disposition RecoveredInputRecoveryDisposition `json:"disposition"`
}

func (RecoveredInputDurabilityClassified) EffectDisposition() Disposition { return Local }

// InputPublicLifecycleResolved names the public state of an input.
type InputPublicLifecycleResolved struct {
	InputID string                    `json:"input_id"`
	Phase   InputPublicLifecycleState `json:"phase"`
}

func (InputPublicLifecycleResolved) EffectDisposition() Disposition { return Local }

// InputPublicTerminalOutcomeResolved names the public outcome of an input, none if it has not
// ended.
type InputPublicTerminalOutcomeResolved struct {
	InputID         string                          `json:"input_id"`
	TerminalOutcome Opt[InputPublicTerminalOutcome] `json:"terminal_outcome"`
}

func (InputPublicTerminalOutcomeResolved) EffectDisposition() Disposition { return Local }

// InputBehavioralTerminalityResolved says whether an input has ended.
type InputBehavioralTerminalityResolved struct {
	InputID  string `json:"input_id"`
	Terminal bool   `json:"terminal"`
}

func (InputBehavioralTerminalityResolved) EffectDisposition() Disposition { return Local }

// StoredInputStateSeedAuthorized allows the shell to store the row of an input.
type StoredInputStateSeedAuthorized struct {
	InputID string `json:"input_id"`
}

func (StoredInputStateSeedAuthorized) EffectDisposition() Disposition { return Local }

// PostAdmissionSignal tells the shell how to wake the loop.
type PostAdmissionSignal struct {
	Signal PostAdmissionSignalKind `json:"signal"`
}

func (PostAdmissionSignal) EffectDisposition() Disposition { return Local }

// ReadyForRun is declared by the reference but emitted by no rule.
type ReadyForRun struct{}

func (ReadyForRun) EffectDisposition() Disposition { return Local }

// InputLifecycleNotice tells surfaces that an input changed its phase or claimed its key.
type InputLifecycleNotice struct{}

func (InputLifecycleNotice) EffectDisposition() Disposition { return External }

// CompletionResolved is declared by the reference but emitted by no rule.
type CompletionResolved struct{}

func (CompletionResolved) EffectDisposition() Disposition { return Local }

// IngressNotice tells surfaces of an event of the runtime.
type IngressNotice struct{}

func (IngressNotice) EffectDisposition() Disposition { return External }

// RecordRunAssociation has the shell record in which run an input was staged.
type RecordRunAssociation struct{}

func (RecordRunAssociation) EffectDisposition() Disposition { return Local }

// RecordBoundarySequence has the shell record at which boundary an input was applied.
type RecordBoundarySequence struct{}

func (RecordBoundarySequence) EffectDisposition() Disposition { return Local }
