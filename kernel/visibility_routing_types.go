package kernel

// The types of chapter 05. The first variant of an enum is its zero value unless
// the chapter marks another default.

// RoutingApprovalParentKind is an enum of chapter 05.
type RoutingApprovalParentKind uint8

const (
	RoutingApprovalParentKindSwitchTurn RoutingApprovalParentKind = iota
	RoutingApprovalParentKindImageOperation
)

// RoutingApprovalPhase is an enum of chapter 05.
type RoutingApprovalPhase uint8

const (
	RoutingApprovalPhasePending RoutingApprovalPhase = iota
	RoutingApprovalPhasePresentedToUser
	RoutingApprovalPhaseApproved
	RoutingApprovalPhaseDenied
	RoutingApprovalPhaseSurfaceDetached
)

// RoutingDenialReason is an enum of chapter 05.
type RoutingDenialReason uint8

const (
	RoutingDenialReasonCapabilityPolicy RoutingDenialReason = iota
	RoutingDenialReasonApprovalRequiredButUnavailable
	RoutingDenialReasonDeniedDuringApproval
	RoutingDenialReasonScopedOverrideConflict
	RoutingDenialReasonRealtimeTransportConflict
)

// RoutingImageApprovalReason is an enum of chapter 05.
type RoutingImageApprovalReason uint8

const (
	RoutingImageApprovalReasonCrossProvider RoutingImageApprovalReason = iota
	RoutingImageApprovalReasonCostExceedsThreshold
	RoutingImageApprovalReasonSafetyHold
	RoutingImageApprovalReasonRealtimeDetachRequired
)

// RoutingImageOperationPhase is an enum of chapter 05.
type RoutingImageOperationPhase uint8

const (
	RoutingImageOperationPhaseRequested RoutingImageOperationPhase = iota
	RoutingImageOperationPhasePlanResolved
	RoutingImageOperationPhaseScopedOverrideActive
	RoutingImageOperationPhaseProviderCallInFlight
	RoutingImageOperationPhaseResultCommitted
	RoutingImageOperationPhaseRestoringScopedOverride
	RoutingImageOperationPhaseTerminal
)

// RoutingImagePlanDenialReason is an enum of chapter 05.
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

// RoutingImageProviderErrorCode is an enum of chapter 05.
type RoutingImageProviderErrorCode uint8

const (
	RoutingImageProviderErrorCodeUnknown RoutingImageProviderErrorCode = iota
	RoutingImageProviderErrorCodeOpenAiContentFilter
	RoutingImageProviderErrorCodeOpenAiModelRefusal
	RoutingImageProviderErrorCodeGeminiSafety
	RoutingImageProviderErrorCodeGeminiModelRefusal
	RoutingImageProviderErrorCodeGeminiDeadlineExceeded
)

// RoutingImageTerminal is an enum of chapter 05.
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

// RoutingImageTerminalObservation is an enum of chapter 05.
type RoutingImageTerminalObservation uint8

const (
	RoutingImageTerminalObservationGenerated RoutingImageTerminalObservation = iota
	RoutingImageTerminalObservationEmptyResult
	RoutingImageTerminalObservationProviderHttpError
	RoutingImageTerminalObservationProviderNativeError
	RoutingImageTerminalObservationExecutionFailed
	RoutingImageTerminalObservationBlobCommitFailed
)

// RoutingProviderTextDisposition is an enum of chapter 05.
type RoutingProviderTextDisposition uint8

const (
	RoutingProviderTextDispositionNotEmitted RoutingProviderTextDisposition = iota
	RoutingProviderTextDispositionCaptured
	RoutingProviderTextDispositionEmittedButNotStored
)

// RoutingSwitchApprovalReason is an enum of chapter 05.
type RoutingSwitchApprovalReason uint8

const (
	RoutingSwitchApprovalReasonCrossProvider RoutingSwitchApprovalReason = iota
	RoutingSwitchApprovalReasonCostExceedsThreshold
	RoutingSwitchApprovalReasonSafetyHold
	RoutingSwitchApprovalReasonUntilChangedFromModelOrigin
	RoutingSwitchApprovalReasonRealtimeDetachRequired
)

// RoutingSwitchTurnPhase is an enum of chapter 05.
type RoutingSwitchTurnPhase uint8

const (
	RoutingSwitchTurnPhaseRequested RoutingSwitchTurnPhase = iota
	RoutingSwitchTurnPhasePendingForBoundary
	RoutingSwitchTurnPhaseActiveFiniteOverride
	RoutingSwitchTurnPhaseApplyingPersistentReconfigure
	RoutingSwitchTurnPhaseTerminal
)

// RoutingSwitchTurnTerminal is an enum of chapter 05.
type RoutingSwitchTurnTerminal uint8

const (
	RoutingSwitchTurnTerminalDenied RoutingSwitchTurnTerminal = iota
	RoutingSwitchTurnTerminalConsumedAndRestored
	RoutingSwitchTurnTerminalPersistentReconfigureApplied
)

// SessionToolVisibilityDelta is a record of chapter 05.
type SessionToolVisibilityDelta struct {
	PreviousCapabilityBaseFilter ToolFilter `json:"previous_capability_base_filter"`
	CurrentCapabilityBaseFilter  ToolFilter `json:"current_capability_base_filter"`
	CommittedVisibleSetChanged   bool       `json:"committed_visible_set_changed"`
	RevisionBumped               bool       `json:"revision_bumped"`
}

// SessionToolVisibilityState is a record of chapter 05.
type SessionToolVisibilityState struct {
	CapabilityBaseFilter         ToolFilter                           `json:"capability_base_filter"`
	InheritedBaseFilter          ToolFilter                           `json:"inherited_base_filter"`
	ActiveFilter                 ToolFilter                           `json:"active_filter"`
	StagedFilter                 ToolFilter                           `json:"staged_filter"`
	ActiveRequestedDeferredNames Set[ToolName]                        `json:"active_requested_deferred_names"`
	StagedRequestedDeferredNames Set[ToolName]                        `json:"staged_requested_deferred_names"`
	ActiveRevision               uint64                               `json:"active_revision"`
	StagedRevision               uint64                               `json:"staged_revision"`
	RequestedWitnesses           Map[ToolName, ToolVisibilityWitness] `json:"requested_witnesses"`
	FilterWitnesses              Map[ToolName, ToolVisibilityWitness] `json:"filter_witnesses"`
}

// ToolName is an opaque identifier of chapter 05.
type ToolName string

// ToolProvenance is a record of chapter 05.
type ToolProvenance struct {
	Kind     ToolSourceKind `json:"kind"`
	SourceID string         `json:"source_id"`
}

// ToolSourceKind is an enum of chapter 05.
type ToolSourceKind uint8

const (
	ToolSourceKindBuiltin ToolSourceKind = iota
	ToolSourceKindShell
	ToolSourceKindComms
	ToolSourceKindMemory
	ToolSourceKindSchedule
	ToolSourceKindWorkGraph
	ToolSourceKindMob
	ToolSourceKindCallback
	ToolSourceKindMcp
	ToolSourceKindRustBundle
)

// ToolVisibilityWitness is a record of chapter 05.
type ToolVisibilityWitness struct {
	LastSeenProvenance Opt[ToolProvenance] `json:"last_seen_provenance"`
}
