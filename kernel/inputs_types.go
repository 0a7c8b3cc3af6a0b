package kernel

// The types of chapter 02. The first variant of an enum is its zero value unless
// the chapter marks another default.

// AdmissionContinuationKind is an enum of chapter 02.
type AdmissionContinuationKind uint8

const (
	AdmissionContinuationKindOrdinary AdmissionContinuationKind = iota
	AdmissionContinuationKindWorkgraphAttention
)

// AdmissionExistingQueuedActionKind is an enum of chapter 02.
type AdmissionExistingQueuedActionKind uint8

const (
	AdmissionExistingQueuedActionKindNone AdmissionExistingQueuedActionKind = iota
	AdmissionExistingQueuedActionKindCoalesce
	AdmissionExistingQueuedActionKindSupersede
)

// AdmissionIdempotencyResultKind is an enum of chapter 02.
type AdmissionIdempotencyResultKind uint8

const (
	AdmissionIdempotencyResultKindAccept AdmissionIdempotencyResultKind = iota
	AdmissionIdempotencyResultKindDeduplicated
)

// AdmissionInputKind is an enum of chapter 02.
type AdmissionInputKind uint8

const (
	AdmissionInputKindPrompt AdmissionInputKind = iota
	AdmissionInputKindPeerMessage
	AdmissionInputKindPeerRequest
	AdmissionInputKindPeerResponseProgress
	AdmissionInputKindPeerResponseTerminal
	AdmissionInputKindFlowStep
	AdmissionInputKindExternalEvent
	AdmissionInputKindContinuation
	AdmissionInputKindOperation
)

// AdmissionInputOriginKind is an enum of chapter 02.
type AdmissionInputOriginKind uint8

const (
	AdmissionInputOriginKindOperator AdmissionInputOriginKind = iota
	AdmissionInputOriginKindPeer
	AdmissionInputOriginKindFlow
	AdmissionInputOriginKindSystem
	AdmissionInputOriginKindExternal
)

// AdmissionPeerResponseTerminalApplyIntent is an enum of chapter 02.
type AdmissionPeerResponseTerminalApplyIntent uint8

const (
	AdmissionPeerResponseTerminalApplyIntentAppendContextAndRun AdmissionPeerResponseTerminalApplyIntent = iota
)

// AdmissionPlanKind is an enum of chapter 02.
type AdmissionPlanKind uint8

const (
	AdmissionPlanKindQueued AdmissionPlanKind = iota
	AdmissionPlanKindConsumedOnAccept
)

// AdmissionPolicyApplyMode is an enum of chapter 02.
type AdmissionPolicyApplyMode uint8

const (
	AdmissionPolicyApplyModeStageRunStart AdmissionPolicyApplyMode = iota
	AdmissionPolicyApplyModeStageRunBoundary
	AdmissionPolicyApplyModeInjectNow
	AdmissionPolicyApplyModeIgnore
)

// AdmissionPolicyConsumePoint is an enum of chapter 02.
type AdmissionPolicyConsumePoint uint8

const (
	AdmissionPolicyConsumePointOnRunComplete AdmissionPolicyConsumePoint = iota
	AdmissionPolicyConsumePointOnAccept
	AdmissionPolicyConsumePointOnApply
	AdmissionPolicyConsumePointOnRunStart
	AdmissionPolicyConsumePointExplicitAck
)

// AdmissionPolicyDrainPolicy is an enum of chapter 02.
type AdmissionPolicyDrainPolicy uint8

const (
	AdmissionPolicyDrainPolicyQueueNextTurn AdmissionPolicyDrainPolicy = iota
	AdmissionPolicyDrainPolicySteerBatch
	AdmissionPolicyDrainPolicyImmediate
	AdmissionPolicyDrainPolicyIgnore
)

// AdmissionPolicyQueueMode is an enum of chapter 02.
type AdmissionPolicyQueueMode uint8

const (
	AdmissionPolicyQueueModeFifo AdmissionPolicyQueueMode = iota
	AdmissionPolicyQueueModeNone
	AdmissionPolicyQueueModeCoalesce
	AdmissionPolicyQueueModeSupersede
	AdmissionPolicyQueueModePriority
)

// AdmissionPolicyWakeMode is an enum of chapter 02.
type AdmissionPolicyWakeMode uint8

const (
	AdmissionPolicyWakeModeWakeIfIdle AdmissionPolicyWakeMode = iota
	AdmissionPolicyWakeModeInterruptYielding
	AdmissionPolicyWakeModeNone
)

// AdmissionQueueActionKind is an enum of chapter 02.
type AdmissionQueueActionKind uint8

const (
	AdmissionQueueActionKindNone AdmissionQueueActionKind = iota
	AdmissionQueueActionKindEnqueueTo
	AdmissionQueueActionKindEnqueueFront
)

// AdmissionRejectReasonKind is an enum of chapter 02.
type AdmissionRejectReasonKind uint8

const (
	AdmissionRejectReasonKindDurabilityMissing AdmissionRejectReasonKind = iota
	AdmissionRejectReasonKindExternalDerivedDurabilityForbidden
	AdmissionRejectReasonKindDerivedDurabilityForbiddenForInputKind
	AdmissionRejectReasonKindPeerHandlingModeInvalid
	AdmissionRejectReasonKindPeerResponseTerminalInvalid
)

// AdmissionRoutingDisposition is an enum of chapter 02.
type AdmissionRoutingDisposition uint8

const (
	AdmissionRoutingDispositionQueue AdmissionRoutingDisposition = iota
	AdmissionRoutingDispositionSteer
	AdmissionRoutingDispositionImmediate
	AdmissionRoutingDispositionDrop
)

// AdmissionRunApplyBoundary is an enum of chapter 02.
type AdmissionRunApplyBoundary uint8

const (
	AdmissionRunApplyBoundaryRunStart AdmissionRunApplyBoundary = iota
	AdmissionRunApplyBoundaryRunCheckpoint
	AdmissionRunApplyBoundaryImmediate
)

// AdmissionRuntimeExecutionKind is an enum of chapter 02.
type AdmissionRuntimeExecutionKind uint8

const (
	AdmissionRuntimeExecutionKindContentTurn AdmissionRuntimeExecutionKind = iota
	AdmissionRuntimeExecutionKindResumePending
)

// AdmissionValidationResultKind is an enum of chapter 02.
type AdmissionValidationResultKind uint8

const (
	AdmissionValidationResultKindAccept AdmissionValidationResultKind = iota
	AdmissionValidationResultKindReject
)

// InputAbandonReason is an enum of chapter 02.
type InputAbandonReason uint8

const (
	InputAbandonReasonRetired InputAbandonReason = iota
	InputAbandonReasonReset
	InputAbandonReasonStopped
	InputAbandonReasonDestroyed
	InputAbandonReasonCancelled
	InputAbandonReasonMaxAttemptsExhausted
)

// InputDurabilityKind is an enum of chapter 02.
type InputDurabilityKind uint8

const (
	InputDurabilityKindDurable InputDurabilityKind = iota
	InputDurabilityKindEphemeral
	InputDurabilityKindDerived
	InputDurabilityKindMissing
)

// InputLane is an enum of chapter 02.
type InputLane uint8

const (
	InputLaneQueue InputLane = iota
	InputLaneSteer
)

// InputPhase is an enum of chapter 02.
type InputPhase uint8

const (
	InputPhaseQueued InputPhase = iota
	InputPhaseStaged
	InputPhaseApplied
	InputPhaseAppliedPendingConsumption
	InputPhaseConsumed
	InputPhaseSuperseded
	InputPhaseCoalesced
	InputPhaseAbandoned
)

// InputPublicLifecycleState is an enum of chapter 02.
type InputPublicLifecycleState uint8

const (
	InputPublicLifecycleStateAccepted InputPublicLifecycleState = iota
	InputPublicLifecycleStateQueued
	InputPublicLifecycleStateStaged
	InputPublicLifecycleStateApplied
	InputPublicLifecycleStateAppliedPendingConsumption
	InputPublicLifecycleStateConsumed
	InputPublicLifecycleStateSuperseded
	InputPublicLifecycleStateCoalesced
	InputPublicLifecycleStateAbandoned
)

// InputPublicTerminalOutcome is an enum of chapter 02.
type InputPublicTerminalOutcome uint8

const (
	InputPublicTerminalOutcomeCompleted InputPublicTerminalOutcome = iota
	InputPublicTerminalOutcomeAbandoned
	InputPublicTerminalOutcomeSuperseded
	InputPublicTerminalOutcomeCoalesced
	InputPublicTerminalOutcomeCancelled
)

// InputTerminalKind is an enum of chapter 02.
type InputTerminalKind uint8

const (
	InputTerminalKindConsumed InputTerminalKind = iota
	InputTerminalKindSuperseded
	InputTerminalKindCoalesced
	InputTerminalKindAbandoned
)

// PeerResponseTerminalObservedStatus is an enum of chapter 02.
type PeerResponseTerminalObservedStatus uint8

const (
	PeerResponseTerminalObservedStatusNotPeerTerminal PeerResponseTerminalObservedStatus = iota
	PeerResponseTerminalObservedStatusCompleted
	PeerResponseTerminalObservedStatusFailed
	PeerResponseTerminalObservedStatusCancelled
)

// PostAdmissionSignalKind is an enum of chapter 02.
type PostAdmissionSignalKind uint8

const (
	PostAdmissionSignalKindWakeLoop PostAdmissionSignalKind = iota
	PostAdmissionSignalKindInterruptYielding
	PostAdmissionSignalKindRequestImmediateProcessing
)

// RecoveredInputKind is an enum of chapter 02.
type RecoveredInputKind uint8

const (
	RecoveredInputKindPrompt RecoveredInputKind = iota
	RecoveredInputKindPeerMessage
	RecoveredInputKindPeerRequest
	RecoveredInputKindPeerResponseProgress
	RecoveredInputKindPeerResponseTerminal
	RecoveredInputKindFlowStep
	RecoveredInputKindExternalEvent
	RecoveredInputKindContinuation
	RecoveredInputKindOperation
)

// RecoveredInputNormalizationReasonKind is an enum of chapter 02.
type RecoveredInputNormalizationReasonKind uint8

const (
	RecoveredInputNormalizationReasonKindQueueAccepted RecoveredInputNormalizationReasonKind = iota
	RecoveredInputNormalizationReasonKindRollbackStaged
	RecoveredInputNormalizationReasonKindBoundaryReceiptCommitted
	RecoveredInputNormalizationReasonKindMissingBoundaryReceipt
)

// RecoveredInputObservedPhase is an enum of chapter 02.
type RecoveredInputObservedPhase uint8

const (
	RecoveredInputObservedPhaseQueued RecoveredInputObservedPhase = iota
	RecoveredInputObservedPhaseAccepted
	RecoveredInputObservedPhaseStaged
	RecoveredInputObservedPhaseApplied
	RecoveredInputObservedPhaseAppliedPendingConsumption
	RecoveredInputObservedPhaseConsumed
	RecoveredInputObservedPhaseSuperseded
	RecoveredInputObservedPhaseCoalesced
	RecoveredInputObservedPhaseAbandoned
)

// RecoveredInputRecoveryDisposition is an enum of chapter 02.
type RecoveredInputRecoveryDisposition uint8

const (
	RecoveredInputRecoveryDispositionRetain RecoveredInputRecoveryDisposition = iota
	RecoveredInputRecoveryDispositionDiscard
)

// RecoveredPeerResponseTerminalApplyIntent is an enum of chapter 02.
type RecoveredPeerResponseTerminalApplyIntent uint8

const (
	RecoveredPeerResponseTerminalApplyIntentAppendContextAndRun RecoveredPeerResponseTerminalApplyIntent = iota
)

// RecoveredRunApplyBoundary is an enum of chapter 02.
type RecoveredRunApplyBoundary uint8

const (
	RecoveredRunApplyBoundaryRunStart RecoveredRunApplyBoundary = iota
	RecoveredRunApplyBoundaryRunCheckpoint
	RecoveredRunApplyBoundaryImmediate
)

// RecoveredRuntimeExecutionKind is an enum of chapter 02.
type RecoveredRuntimeExecutionKind uint8

const (
	RecoveredRuntimeExecutionKindContentTurn RecoveredRuntimeExecutionKind = iota
	RecoveredRuntimeExecutionKindResumePending
)

// RuntimeEventKind is an enum of chapter 02.
type RuntimeEventKind uint8

const (
	RuntimeEventKindInputLifecycle RuntimeEventKind = iota
	RuntimeEventKindRunLifecycle
	RuntimeEventKindRuntimeStateChange
	RuntimeEventKindTopology
	RuntimeEventKindProjection
)

// WorkId is an opaque identifier of chapter 02.
type WorkId string

// WorkOrigin is an enum of chapter 02.
type WorkOrigin uint8

const (
	WorkOriginExternal WorkOrigin = iota
	WorkOriginInternal
	WorkOriginIngest
)
