package kernel

// The effects of chapter 01.

// RuntimeBound is an effect of chapter 01, routed.
type RuntimeBound struct {
	AgentRuntimeID AgentRuntimeId `json:"agent_runtime_id"`
	FenceToken     FenceToken     `json:"fence_token"`
}

func (RuntimeBound) EffectDisposition() Disposition { return Routed }

// RuntimeRetired is an effect of chapter 01, routed.
type RuntimeRetired struct {
	AgentRuntimeID AgentRuntimeId `json:"agent_runtime_id"`
	FenceToken     FenceToken     `json:"fence_token"`
}

func (RuntimeRetired) EffectDisposition() Disposition { return Routed }

// RuntimeDestroyed is an effect of chapter 01, routed.
type RuntimeDestroyed struct {
	AgentRuntimeID AgentRuntimeId `json:"agent_runtime_id"`
	FenceToken     FenceToken     `json:"fence_token"`
}

func (RuntimeDestroyed) EffectDisposition() Disposition { return Routed }

// RequestCancellationAtBoundary is an effect of chapter 01, local.
type RequestCancellationAtBoundary struct{}

func (RequestCancellationAtBoundary) EffectDisposition() Disposition { return Local }

// WakeInterrupt is an effect of chapter 01, local.
type WakeInterrupt struct{}

func (WakeInterrupt) EffectDisposition() Disposition { return Local }

// RuntimeNotice is an effect of chapter 01, external.
type RuntimeNotice struct {
	Kind   RuntimeNoticeKind `json:"kind"`
	Detail string            `json:"detail"`
}

func (RuntimeNotice) EffectDisposition() Disposition { return External }

// RuntimeEffectFact is an effect of chapter 01, local.
type RuntimeEffectFact struct {
	Kind   RuntimeEffectKind `json:"kind"`
	Reason string            `json:"reason"`
}

func (RuntimeEffectFact) EffectDisposition() Disposition { return Local }

// RuntimeCompletionResultResolved is an effect of chapter 01, local.
type RuntimeCompletionResultResolved struct {
	SessionID         SessionId                        `json:"session_id"`
	AgentRuntimeID    Opt[AgentRuntimeId]              `json:"agent_runtime_id"`
	FenceToken        Opt[FenceToken]                  `json:"fence_token"`
	RuntimeGeneration Opt[Generation]                  `json:"runtime_generation"`
	RuntimeEpochID    Opt[RuntimeEpochId]              `json:"runtime_epoch_id"`
	RunID             Opt[RunId]                       `json:"run_id"`
	ResultClass       RuntimeCompletionResultClass     `json:"result_class"`
	CleanupOutcome    RuntimeCompletionObservedOutcome `json:"cleanup_outcome"`
}

func (RuntimeCompletionResultResolved) EffectDisposition() Disposition { return Local }

// RuntimeCompletionCleanupResolved is an effect of chapter 01, local.
type RuntimeCompletionCleanupResolved struct {
	SessionID          SessionId                           `json:"session_id"`
	Action             RuntimeCompletionCleanupAction      `json:"action"`
	PreAdmissionAction RuntimeCompletionPreAdmissionAction `json:"pre_admission_action"`
}

func (RuntimeCompletionCleanupResolved) EffectDisposition() Disposition { return Local }

// RuntimeCompletionWaitFailureResolved is an effect of chapter 01, local.
type RuntimeCompletionWaitFailureResolved struct {
	SessionID          SessionId                                    `json:"session_id"`
	Failure            RuntimeCompletionWaitFailureObservation      `json:"failure"`
	PreAdmissionAction RuntimeCompletionPreAdmissionAction          `json:"pre_admission_action"`
	PublicErrorClass   RuntimeCompletionWaitFailurePublicErrorClass `json:"public_error_class"`
	PublicReason       RuntimeCompletionWaitFailurePublicReason     `json:"public_reason"`
	Resumable          bool                                         `json:"resumable"`
}

func (RuntimeCompletionWaitFailureResolved) EffectDisposition() Disposition { return Local }

// RuntimeOpsLifecycleDurabilityResolved is an effect of chapter 01, local.
type RuntimeOpsLifecycleDurabilityResolved struct {
	SessionID      SessionId                           `json:"session_id"`
	AgentRuntimeID Opt[AgentRuntimeId]                 `json:"agent_runtime_id"`
	FenceToken     Opt[FenceToken]                     `json:"fence_token"`
	Generation     Opt[Generation]                     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId]                 `json:"runtime_epoch_id"`
	Action         RuntimeOpsLifecycleDurabilityAction `json:"action"`
}

func (RuntimeOpsLifecycleDurabilityResolved) EffectDisposition() Disposition { return Local }

// UserInterruptPublicResultResolved is an effect of chapter 01, local.
type UserInterruptPublicResultResolved struct {
	Result UserInterruptPublicResultKind `json:"result"`
}

func (UserInterruptPublicResultResolved) EffectDisposition() Disposition { return Local }

// SubmitRunPrimitive is an effect of chapter 01, local.
type SubmitRunPrimitive struct{}

func (SubmitRunPrimitive) EffectDisposition() Disposition { return Local }

// ApplyControlPlaneCommand is an effect of chapter 01, local.
type ApplyControlPlaneCommand struct{}

func (ApplyControlPlaneCommand) EffectDisposition() Disposition { return Local }

// InitiateRecycle is an effect of chapter 01, local.
type InitiateRecycle struct{}

func (InitiateRecycle) EffectDisposition() Disposition { return Local }

// RuntimeLifecycleStateClassified is an effect of chapter 01, local.
type RuntimeLifecycleStateClassified struct {
	State            RuntimeLifecycleObservedState `json:"state"`
	Terminality      RuntimeLifecycleTerminality   `json:"terminality"`
	InputAdmission   RuntimeInputAdmission         `json:"input_admission"`
	QueueAdmission   RuntimeQueueAdmission         `json:"queue_admission"`
	PrepareAdmission RuntimePrepareAdmission       `json:"prepare_admission"`
	IngressAdmission RuntimeIngressAdmission       `json:"ingress_admission"`
}

func (RuntimeLifecycleStateClassified) EffectDisposition() Disposition { return Local }

// RuntimeLifecycleDurabilityClassified is an effect of chapter 01, local.
type RuntimeLifecycleDurabilityClassified struct {
	State        RuntimeLifecycleObservedState `json:"state"`
	DurableState RuntimeLifecycleObservedState `json:"durable_state"`
}

func (RuntimeLifecycleDurabilityClassified) EffectDisposition() Disposition { return Local }

// RuntimeLoopQueueAdmissionClassified is an effect of chapter 01, local.
type RuntimeLoopQueueAdmissionClassified struct {
	State           RuntimeLifecycleObservedState `json:"state"`
	CurrentRunBound bool                          `json:"current_run_bound"`
	QueueAdmission  RuntimeQueueAdmission         `json:"queue_admission"`
	RunBinding      RuntimeLoopRunBinding         `json:"run_binding"`
}

func (RuntimeLoopQueueAdmissionClassified) EffectDisposition() Disposition { return Local }

// VisibleRuntimePhaseResolved is an effect of chapter 01, local.
type VisibleRuntimePhaseResolved struct {
	PublishControl   bool                          `json:"publish_control"`
	SelectedRawPhase RuntimeLifecycleObservedState `json:"selected_raw_phase"`
	VisiblePhase     RuntimeLifecycleObservedState `json:"visible_phase"`
}

func (VisibleRuntimePhaseResolved) EffectDisposition() Disposition { return Local }

// SilentIntentApplied is an effect of chapter 01, external.
type SilentIntentApplied struct{}

func (SilentIntentApplied) EffectDisposition() Disposition { return External }

// RecordTerminalOutcome is an effect of chapter 01, local.
type RecordTerminalOutcome struct{}

func (RecordTerminalOutcome) EffectDisposition() Disposition { return Local }

// SpawnDrainTask is an effect of chapter 01, local.
type SpawnDrainTask struct{}

func (SpawnDrainTask) EffectDisposition() Disposition { return Local }

// RequestRuntimeLoopStopForUnregister is an effect of chapter 01, external.
type RequestRuntimeLoopStopForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (RequestRuntimeLoopStopForUnregister) EffectDisposition() Disposition { return External }

// RequestCommsDrainExitForUnregister is an effect of chapter 01, external.
type RequestCommsDrainExitForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (RequestCommsDrainExitForUnregister) EffectDisposition() Disposition { return External }

// RequestCompletionWaiterResolutionForUnregister is an effect of chapter 01, external.
type RequestCompletionWaiterResolutionForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (RequestCompletionWaiterResolutionForUnregister) EffectDisposition() Disposition {
	return External
}
