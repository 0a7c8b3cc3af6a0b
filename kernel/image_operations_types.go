package kernel

// Chapter 05, image operations: the types. The first variant of an enum is its zero
// value.

// RoutingImageOperationPhase is how far an operation has come. Requested,
// ProviderCallInFlight and ResultCommitted are never written.
type RoutingImageOperationPhase uint8

const (
	RoutingImageOperationPhaseRequested RoutingImageOperationPhase = iota
	// RoutingImageOperationPhasePlanResolved: begun, its model is known.
	RoutingImageOperationPhasePlanResolved
	// RoutingImageOperationPhaseScopedOverrideActive: it holds the session's model.
	RoutingImageOperationPhaseScopedOverrideActive
	RoutingImageOperationPhaseProviderCallInFlight
	RoutingImageOperationPhaseResultCommitted
	// RoutingImageOperationPhaseRestoringScopedOverride: it has ended and still holds the
	// session's model.
	RoutingImageOperationPhaseRestoringScopedOverride
	RoutingImageOperationPhaseTerminal
)

// RoutingImageTerminal is how an operation ended.
type RoutingImageTerminal uint8

const (
	RoutingImageTerminalGenerated RoutingImageTerminal = iota
	RoutingImageTerminalDenied
	RoutingImageTerminalEmptyResult
	RoutingImageTerminalRefusedByProvider
	RoutingImageTerminalSafetyFiltered
	RoutingImageTerminalFailed
	RoutingImageTerminalCancelled
	RoutingImageTerminalTimeout
	RoutingImageTerminalScopedRestoreFailed
)

// RoutingImageTerminalObservation is what the executor of an operation saw, before it is
// classified.
type RoutingImageTerminalObservation uint8

const (
	RoutingImageTerminalObservationGenerated RoutingImageTerminalObservation = iota
	RoutingImageTerminalObservationEmptyResult
	RoutingImageTerminalObservationProviderHttpError
	RoutingImageTerminalObservationProviderNativeError
	RoutingImageTerminalObservationExecutionFailed
	RoutingImageTerminalObservationBlobCommitFailed
)

// RoutingImageProviderErrorCode is what the provider said went wrong.
type RoutingImageProviderErrorCode uint8

const (
	RoutingImageProviderErrorCodeUnknown RoutingImageProviderErrorCode = iota
	RoutingImageProviderErrorCodeOpenAiContentFilter
	RoutingImageProviderErrorCodeOpenAiModelRefusal
	RoutingImageProviderErrorCodeGeminiSafety
	RoutingImageProviderErrorCodeGeminiModelRefusal
	RoutingImageProviderErrorCodeGeminiDeadlineExceeded
)

// RoutingProviderTextDisposition says what became of text the provider sent beside the
// image.
type RoutingProviderTextDisposition uint8

const (
	RoutingProviderTextDispositionNotEmitted RoutingProviderTextDisposition = iota
	RoutingProviderTextDispositionCaptured
	RoutingProviderTextDispositionEmittedButNotStored
)

// RoutingImageApprovalReason says why an operation needed approval.
type RoutingImageApprovalReason uint8

const (
	RoutingImageApprovalReasonCrossProvider RoutingImageApprovalReason = iota
	RoutingImageApprovalReasonCostExceedsThreshold
	RoutingImageApprovalReasonSafetyHold
	RoutingImageApprovalReasonRealtimeDetachRequired
)

// RoutingImagePlanDenialReason says why the planner denied an operation.
type RoutingImagePlanDenialReason uint8

const (
	RoutingImagePlanDenialReasonUnsupportedTarget RoutingImagePlanDenialReason = iota
	RoutingImagePlanDenialReasonUnsupportedCount
	RoutingImagePlanDenialReasonCapabilityPolicy
	RoutingImagePlanDenialReasonCostPolicy
	RoutingImagePlanDenialReasonSafetyPolicy
	RoutingImagePlanDenialReasonApprovalRequiredButUnavailable
	RoutingImagePlanDenialReasonDeniedDuringApproval
	RoutingImagePlanDenialReasonScopedOverrideConflict
	RoutingImagePlanDenialReasonRealtimeTransportConflict
	RoutingImagePlanDenialReasonProjectionUnsupported
)
