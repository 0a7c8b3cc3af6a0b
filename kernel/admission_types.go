package kernel

// Chapter 02, inputs: the types of admission. The first variant of an enum is its zero
// value.

// AdmissionContinuationKind tells why a continuation wakes the session.
type AdmissionContinuationKind uint8

const (
	// AdmissionContinuationKindOrdinary goes on with what is pending.
	AdmissionContinuationKindOrdinary AdmissionContinuationKind = iota
	// AdmissionContinuationKindWorkgraphAttention asks for a content turn of its own.
	AdmissionContinuationKindWorkgraphAttention
)

// AdmissionExistingQueuedActionKind is what an admitted input may do to one already queued.
// No plan of this version grants Supersede.
type AdmissionExistingQueuedActionKind uint8

const (
	AdmissionExistingQueuedActionKindNone AdmissionExistingQueuedActionKind = iota
	AdmissionExistingQueuedActionKindCoalesce
	AdmissionExistingQueuedActionKindSupersede
)

// AdmissionIdempotencyResultKind says whether an input is new or repeats an earlier one.
type AdmissionIdempotencyResultKind uint8

const (
	AdmissionIdempotencyResultKindAccept AdmissionIdempotencyResultKind = iota
	AdmissionIdempotencyResultKindDeduplicated
)

// AdmissionInputKind is the kind of work an input brings.
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

// AdmissionInputOriginKind says who sent an input. Flow and System are the runtime itself.
type AdmissionInputOriginKind uint8

const (
	AdmissionInputOriginKindOperator AdmissionInputOriginKind = iota
	AdmissionInputOriginKindPeer
	AdmissionInputOriginKindFlow
	AdmissionInputOriginKindSystem
	AdmissionInputOriginKindExternal
)

// AdmissionPeerResponseTerminalApplyIntent is what a run does with the final response of a
// peer.
type AdmissionPeerResponseTerminalApplyIntent uint8

const (
	AdmissionPeerResponseTerminalApplyIntentAppendContextAndRun AdmissionPeerResponseTerminalApplyIntent = iota
)

// AdmissionPlanKind says whether an admitted input waits for a run or is only recorded.
type AdmissionPlanKind uint8

const (
	AdmissionPlanKindQueued AdmissionPlanKind = iota
	AdmissionPlanKindConsumedOnAccept
)

// AdmissionPolicyApplyMode is where an input enters a run. No plan of this version says
// InjectNow.
type AdmissionPolicyApplyMode uint8

const (
	AdmissionPolicyApplyModeStageRunStart AdmissionPolicyApplyMode = iota
	AdmissionPolicyApplyModeStageRunBoundary
	AdmissionPolicyApplyModeInjectNow
	AdmissionPolicyApplyModeIgnore
)

// AdmissionPolicyConsumePoint is when an input counts as done. The plans of this version
// say only OnRunComplete and OnAccept.
type AdmissionPolicyConsumePoint uint8

const (
	AdmissionPolicyConsumePointOnRunComplete AdmissionPolicyConsumePoint = iota
	AdmissionPolicyConsumePointOnAccept
	AdmissionPolicyConsumePointOnApply
	AdmissionPolicyConsumePointOnRunStart
	AdmissionPolicyConsumePointExplicitAck
)

// AdmissionPolicyDrainPolicy is how waiting inputs are taken into a run. No plan of this
// version says Immediate.
type AdmissionPolicyDrainPolicy uint8

const (
	AdmissionPolicyDrainPolicyQueueNextTurn AdmissionPolicyDrainPolicy = iota
	AdmissionPolicyDrainPolicySteerBatch
	AdmissionPolicyDrainPolicyImmediate
	AdmissionPolicyDrainPolicyIgnore
)

// AdmissionPolicyQueueMode is how an input relates to others in its lane. No plan of this
// version says None or Supersede.
type AdmissionPolicyQueueMode uint8

const (
	AdmissionPolicyQueueModeFifo AdmissionPolicyQueueMode = iota
	AdmissionPolicyQueueModeNone
	AdmissionPolicyQueueModeCoalesce
	AdmissionPolicyQueueModeSupersede
	AdmissionPolicyQueueModePriority
)

// AdmissionPolicyWakeMode is whom an input wakes. None is a mode, not an absent one.
type AdmissionPolicyWakeMode uint8

const (
	AdmissionPolicyWakeModeWakeIfIdle AdmissionPolicyWakeMode = iota
	// AdmissionPolicyWakeModeInterruptYielding interrupts a turn that yields; without one it wakes.
	AdmissionPolicyWakeModeInterruptYielding
	AdmissionPolicyWakeModeNone
)

// AdmissionQueueActionKind is what the shell does with an input in its lane. No plan of
// this version says EnqueueFront.
type AdmissionQueueActionKind uint8

const (
	AdmissionQueueActionKindNone AdmissionQueueActionKind = iota
	AdmissionQueueActionKindEnqueueTo
	AdmissionQueueActionKindEnqueueFront
)

// AdmissionRejectReasonKind says why an input is not admitted.
type AdmissionRejectReasonKind uint8

const (
	AdmissionRejectReasonKindDurabilityMissing AdmissionRejectReasonKind = iota
	AdmissionRejectReasonKindExternalDerivedDurabilityForbidden
	AdmissionRejectReasonKindDerivedDurabilityForbiddenForInputKind
	AdmissionRejectReasonKindPeerHandlingModeInvalid
	AdmissionRejectReasonKindPeerResponseTerminalInvalid
)

// AdmissionRoutingDisposition is which way an input goes. No plan of this version says
// Immediate.
type AdmissionRoutingDisposition uint8

const (
	AdmissionRoutingDispositionQueue AdmissionRoutingDisposition = iota
	AdmissionRoutingDispositionSteer
	AdmissionRoutingDispositionImmediate
	AdmissionRoutingDispositionDrop
)

// AdmissionRunApplyBoundary is the boundary of a run at which an input is applied. No plan
// of this version says Immediate.
type AdmissionRunApplyBoundary uint8

const (
	AdmissionRunApplyBoundaryRunStart AdmissionRunApplyBoundary = iota
	AdmissionRunApplyBoundaryRunCheckpoint
	AdmissionRunApplyBoundaryImmediate
)

// AdmissionRuntimeExecutionKind is what a run does with an input: a turn with its content,
// or going on with what is pending.
type AdmissionRuntimeExecutionKind uint8

const (
	AdmissionRuntimeExecutionKindContentTurn AdmissionRuntimeExecutionKind = iota
	AdmissionRuntimeExecutionKindResumePending
)

// AdmissionValidationResultKind is the verdict on the facts of an input.
type AdmissionValidationResultKind uint8

const (
	AdmissionValidationResultKindAccept AdmissionValidationResultKind = iota
	AdmissionValidationResultKindReject
)

// PeerResponseTerminalObservedStatus is the status a final peer response carries.
type PeerResponseTerminalObservedStatus uint8

const (
	// PeerResponseTerminalObservedStatusNotPeerTerminal is any other input.
	PeerResponseTerminalObservedStatusNotPeerTerminal PeerResponseTerminalObservedStatus = iota
	PeerResponseTerminalObservedStatusCompleted
	PeerResponseTerminalObservedStatusFailed
	// PeerResponseTerminalObservedStatusCancelled is always rejected.
	PeerResponseTerminalObservedStatusCancelled
)

// PostAdmissionSignalKind is how an accepted input wakes the loop, weakest first.
type PostAdmissionSignalKind uint8

const (
	PostAdmissionSignalKindWakeLoop PostAdmissionSignalKind = iota
	PostAdmissionSignalKindInterruptYielding
	PostAdmissionSignalKindRequestImmediateProcessing
)
