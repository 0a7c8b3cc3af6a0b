package kernel

// The types of chapter 01. The first variant of an enum is its zero value unless
// the chapter marks another default.

// AgentRuntimeId is an opaque identifier of chapter 01.
type AgentRuntimeId string

// AuthBindingRef is a record of chapter 01.
type AuthBindingRef struct {
	RealmID   string      `json:"realm_id"`
	BindingID string      `json:"binding_id"`
	ProfileID Opt[string] `json:"profile_id"`
}

// DrainPhase is an enum of chapter 01.
type DrainPhase uint8

const (
	DrainPhaseInactive DrainPhase = iota
	DrainPhaseRunning
	DrainPhaseStopped
	DrainPhaseExitedRespawnable
)

// FenceToken is an opaque identifier of chapter 01.
type FenceToken uint64

// Generation is an opaque identifier of chapter 01.
type Generation uint64

// InputId is an opaque identifier of chapter 01.
type InputId string

// MobOperatorAccessRequestKind is an enum of chapter 01.
type MobOperatorAccessRequestKind uint8

const (
	MobOperatorAccessRequestKindInherit MobOperatorAccessRequestKind = iota
	MobOperatorAccessRequestKindEnable
	MobOperatorAccessRequestKindDisable
)

// MobToolCallerProvenance is a record of chapter 01.
type MobToolCallerProvenance struct {
	CallerSessionID Opt[string] `json:"caller_session_id"`
	CallerMobID     Opt[string] `json:"caller_mob_id"`
	CallerMemberID  Opt[string] `json:"caller_member_id"`
}

// OpaquePrincipalToken is an opaque identifier of chapter 01.
type OpaquePrincipalToken string

// PeerIngressOwnerKind is an enum of chapter 01.
type PeerIngressOwnerKind uint8

const (
	PeerIngressOwnerKindUnattached PeerIngressOwnerKind = iota
	PeerIngressOwnerKindSessionOwned
	PeerIngressOwnerKindMobOwned
)

// PreRunPhase is an enum of chapter 01.
type PreRunPhase uint8

const (
	PreRunPhaseIdle PreRunPhase = iota
	PreRunPhaseAttached
	PreRunPhaseRetired
)

// Provider is an enum of chapter 01.
type Provider uint8

const (
	ProviderAnthropic Provider = iota
	ProviderOpenAI
	ProviderGemini
	ProviderSelfHosted
	ProviderOther
)

// RegistrationPhase is an enum of chapter 01.
type RegistrationPhase uint8

const (
	RegistrationPhaseQueuing RegistrationPhase = iota
	RegistrationPhaseActive
	RegistrationPhaseDraining
)

// RunId is an opaque identifier of chapter 01.
type RunId string

// RuntimeCompletionCleanupAction is an enum of chapter 01.
type RuntimeCompletionCleanupAction uint8

const (
	RuntimeCompletionCleanupActionRetainRuntime RuntimeCompletionCleanupAction = iota
	RuntimeCompletionCleanupActionCleanupRuntime
)

// RuntimeCompletionFinalizationObservation is an enum of chapter 01.
type RuntimeCompletionFinalizationObservation uint8

const (
	RuntimeCompletionFinalizationObservationSucceeded RuntimeCompletionFinalizationObservation = iota
	RuntimeCompletionFinalizationObservationFailed
)

// RuntimeCompletionLiveSessionObservation is an enum of chapter 01.
type RuntimeCompletionLiveSessionObservation uint8

const (
	RuntimeCompletionLiveSessionObservationNotObserved RuntimeCompletionLiveSessionObservation = iota
	RuntimeCompletionLiveSessionObservationPresent
	RuntimeCompletionLiveSessionObservationAbsent
)

// RuntimeCompletionObservedOutcome is an enum of chapter 01.
type RuntimeCompletionObservedOutcome uint8

const (
	RuntimeCompletionObservedOutcomeCompleted RuntimeCompletionObservedOutcome = iota
	RuntimeCompletionObservedOutcomeCompletedWithoutResult
	RuntimeCompletionObservedOutcomeCallbackPending
	RuntimeCompletionObservedOutcomeCancelled
	RuntimeCompletionObservedOutcomeAbandoned
	RuntimeCompletionObservedOutcomeRuntimeApplyFailed
	RuntimeCompletionObservedOutcomeFinalizationFailed
	RuntimeCompletionObservedOutcomeRuntimeTerminated
)

// RuntimeCompletionPreAdmissionAction is an enum of chapter 01.
type RuntimeCompletionPreAdmissionAction uint8

const (
	RuntimeCompletionPreAdmissionActionRetainPreAdmission RuntimeCompletionPreAdmissionAction = iota
	RuntimeCompletionPreAdmissionActionReleasePreAdmission
)

// RuntimeCompletionResultClass is an enum of chapter 01.
type RuntimeCompletionResultClass uint8

const (
	RuntimeCompletionResultClassCompleted RuntimeCompletionResultClass = iota
	RuntimeCompletionResultClassCompletedWithoutResult
	RuntimeCompletionResultClassCallbackPending
	RuntimeCompletionResultClassCancelled
	RuntimeCompletionResultClassAbandonedWithError
	RuntimeCompletionResultClassCompletedWithFinalizationFailure
	RuntimeCompletionResultClassRuntimeTerminated
)

// RuntimeCompletionTerminalObservation is an enum of chapter 01.
type RuntimeCompletionTerminalObservation uint8

const (
	RuntimeCompletionTerminalObservationRunResult RuntimeCompletionTerminalObservation = iota
	RuntimeCompletionTerminalObservationNoResult
	RuntimeCompletionTerminalObservationCallbackPending
	RuntimeCompletionTerminalObservationMachineTerminal
	RuntimeCompletionTerminalObservationRuntimeTerminated
)

// RuntimeCompletionWaitFailureObservation is an enum of chapter 01.
type RuntimeCompletionWaitFailureObservation uint8

const (
	RuntimeCompletionWaitFailureObservationChannelClosed RuntimeCompletionWaitFailureObservation = iota
	RuntimeCompletionWaitFailureObservationAuthorityUnavailable
)

// RuntimeCompletionWaitFailurePublicErrorClass is an enum of chapter 01.
type RuntimeCompletionWaitFailurePublicErrorClass uint8

const (
	RuntimeCompletionWaitFailurePublicErrorClassInternalError RuntimeCompletionWaitFailurePublicErrorClass = iota
)

// RuntimeCompletionWaitFailurePublicReason is an enum of chapter 01.
type RuntimeCompletionWaitFailurePublicReason uint8

const (
	RuntimeCompletionWaitFailurePublicReasonCompletionChannelClosed RuntimeCompletionWaitFailurePublicReason = iota
	RuntimeCompletionWaitFailurePublicReasonCompletionAuthorityUnavailable
)

// RuntimeEffectKind is an enum of chapter 01.
type RuntimeEffectKind uint8

const (
	RuntimeEffectKindCancelAfterBoundary RuntimeEffectKind = iota
	RuntimeEffectKindStopRuntimeExecutor
)

// RuntimeEpochId is an opaque identifier of chapter 01.
type RuntimeEpochId string

// RuntimeIngressAdmission is an enum of chapter 01.
type RuntimeIngressAdmission uint8

const (
	RuntimeIngressAdmissionOpen RuntimeIngressAdmission = iota
	RuntimeIngressAdmissionNotReady
	RuntimeIngressAdmissionDestroyed
)

// RuntimeInputAdmission is an enum of chapter 01.
type RuntimeInputAdmission uint8

const (
	RuntimeInputAdmissionRejectsInput RuntimeInputAdmission = iota
	RuntimeInputAdmissionAcceptsInput
)

// RuntimeLifecycleObservedState is an enum of chapter 01.
type RuntimeLifecycleObservedState uint8

const (
	RuntimeLifecycleObservedStateInitializing RuntimeLifecycleObservedState = iota
	RuntimeLifecycleObservedStateIdle
	RuntimeLifecycleObservedStateAttached
	RuntimeLifecycleObservedStateRunning
	RuntimeLifecycleObservedStateRetired
	RuntimeLifecycleObservedStateStopped
	RuntimeLifecycleObservedStateDestroyed
)

// RuntimeLifecycleTerminality is an enum of chapter 01.
type RuntimeLifecycleTerminality uint8

const (
	RuntimeLifecycleTerminalityNonTerminal RuntimeLifecycleTerminality = iota
	RuntimeLifecycleTerminalityTerminal
)

// RuntimeLoopRunBinding is an enum of chapter 01.
type RuntimeLoopRunBinding uint8

const (
	RuntimeLoopRunBindingBlocked RuntimeLoopRunBinding = iota
	RuntimeLoopRunBindingAllocateNew
	RuntimeLoopRunBindingUsePrebound
)

// RuntimeNoticeKind is an enum of chapter 01.
type RuntimeNoticeKind uint8

const (
	RuntimeNoticeKindDrain RuntimeNoticeKind = iota
	RuntimeNoticeKindReset
	RuntimeNoticeKindStop
	RuntimeNoticeKindExit
	RuntimeNoticeKindRecover
)

// RuntimeOpsLifecycleDurabilityAction is an enum of chapter 01.
type RuntimeOpsLifecycleDurabilityAction uint8

const (
	RuntimeOpsLifecycleDurabilityActionRetainSnapshot RuntimeOpsLifecycleDurabilityAction = iota
	RuntimeOpsLifecycleDurabilityActionDeleteSnapshot
)

// RuntimePrepareAdmission is an enum of chapter 01.
type RuntimePrepareAdmission uint8

const (
	RuntimePrepareAdmissionNotReady RuntimePrepareAdmission = iota
	RuntimePrepareAdmissionReady
	RuntimePrepareAdmissionDestroyed
)

// RuntimeQueueAdmission is an enum of chapter 01.
type RuntimeQueueAdmission uint8

const (
	RuntimeQueueAdmissionBlocksQueue RuntimeQueueAdmission = iota
	RuntimeQueueAdmissionProcessesQueue
)

// SessionId is an opaque identifier of chapter 01.
type SessionId string

// SessionLlmCapabilitySurface is a record of chapter 01.
type SessionLlmCapabilitySurface struct {
	SupportsTemperature bool        `json:"supports_temperature"`
	SupportsThinking    bool        `json:"supports_thinking"`
	SupportsReasoning   bool        `json:"supports_reasoning"`
	InlineVideo         bool        `json:"inline_video"`
	Vision              bool        `json:"vision"`
	ImageInput          bool        `json:"image_input"`
	ImageToolResults    bool        `json:"image_tool_results"`
	SupportsWebSearch   bool        `json:"supports_web_search"`
	ImageGeneration     bool        `json:"image_generation"`
	Realtime            bool        `json:"realtime"`
	CallTimeoutSecs     Opt[uint64] `json:"call_timeout_secs"`
}

// SessionLlmCapabilitySurfaceStatus is an enum of chapter 01.
type SessionLlmCapabilitySurfaceStatus uint8

const (
	SessionLlmCapabilitySurfaceStatusUnresolved SessionLlmCapabilitySurfaceStatus = iota
	SessionLlmCapabilitySurfaceStatusResolved
)

// SessionLlmIdentity is a record of chapter 01.
type SessionLlmIdentity struct {
	Model              string              `json:"model"`
	Provider           Provider            `json:"provider"`
	SelfHostedServerID Opt[string]         `json:"self_hosted_server_id"`
	ProviderParamsRepr Opt[string]         `json:"provider_params_repr"`
	AuthBinding        Opt[AuthBindingRef] `json:"auth_binding"`
}

// StagedSessionPhase is an enum of chapter 01.
type StagedSessionPhase uint8

const (
	StagedSessionPhaseNotStaged StagedSessionPhase = iota
	StagedSessionPhaseStaged
	StagedSessionPhasePromoting
	StagedSessionPhaseClosing
)

// SupervisorBindingKind is an enum of chapter 01.
type SupervisorBindingKind uint8

const (
	SupervisorBindingKindUnbound SupervisorBindingKind = iota
	SupervisorBindingKindBound
)

// TurnPhase is an enum of chapter 01.
type TurnPhase uint8

const (
	TurnPhaseReady TurnPhase = iota
	TurnPhaseApplyingPrimitive
	TurnPhaseCallingLlm
	TurnPhaseWaitingForOps
	TurnPhaseDrainingBoundary
	TurnPhaseExtracting
	TurnPhaseErrorRecovery
	TurnPhaseCancelling
	TurnPhaseCompleted
	TurnPhaseFailed
	TurnPhaseCancelled
)

// TurnTerminalCauseKind is an enum of chapter 01.
type TurnTerminalCauseKind uint8

const (
	TurnTerminalCauseKindUnknown TurnTerminalCauseKind = iota
	TurnTerminalCauseKindHookDenied
	TurnTerminalCauseKindHookFailure
	TurnTerminalCauseKindLlmFailure
	TurnTerminalCauseKindToolFailure
	TurnTerminalCauseKindStructuredOutputValidationFailed
	TurnTerminalCauseKindBudgetExhausted
	TurnTerminalCauseKindTimeBudgetExceeded
	TurnTerminalCauseKindRetryExhausted
	TurnTerminalCauseKindTurnLimitReached
	TurnTerminalCauseKindRuntimeApplyFailure
	TurnTerminalCauseKindFatalFailure
)

// TurnTerminalOutcome is an enum of chapter 01.
type TurnTerminalOutcome uint8

const (
	TurnTerminalOutcomeNone TurnTerminalOutcome = iota
	TurnTerminalOutcomeCompleted
	TurnTerminalOutcomeFailed
	TurnTerminalOutcomeCancelled
	TurnTerminalOutcomeBudgetExhausted
	TurnTerminalOutcomeTimeBudgetExceeded
	TurnTerminalOutcomeStructuredOutputValidationFailed
)

// UserInterruptObservationKind is an enum of chapter 01.
type UserInterruptObservationKind uint8

const (
	UserInterruptObservationKindAccepted UserInterruptObservationKind = iota
	UserInterruptObservationKindIdleNoop
	UserInterruptObservationKindAttachedNoop
	UserInterruptObservationKindStagedNoop
	UserInterruptObservationKindDestroyed
	UserInterruptObservationKindNotInterruptible
)

// UserInterruptPublicResultKind is an enum of chapter 01.
type UserInterruptPublicResultKind uint8

const (
	UserInterruptPublicResultKindInterrupted UserInterruptPublicResultKind = iota
	UserInterruptPublicResultKindStagedNoop
	UserInterruptPublicResultKindNotFound
	UserInterruptPublicResultKindSessionBusy
	UserInterruptPublicResultKindConflict
)
