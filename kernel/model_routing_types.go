package kernel

// Chapter 05, model routing: the types. The first variant of an enum is its zero value.

// RoutingSwitchTurnPhase is how far a pending switch has come. Only PendingForBoundary
// and ApplyingPersistentReconfigure are ever written: what comes after is told by the
// override and the terminal.
type RoutingSwitchTurnPhase uint8

const (
	RoutingSwitchTurnPhaseRequested RoutingSwitchTurnPhase = iota
	// RoutingSwitchTurnPhasePendingForBoundary: a finite switch waits for the next turn.
	RoutingSwitchTurnPhasePendingForBoundary
	RoutingSwitchTurnPhaseActiveFiniteOverride
	// RoutingSwitchTurnPhaseApplyingPersistentReconfigure: the shell exchanges the model.
	RoutingSwitchTurnPhaseApplyingPersistentReconfigure
	RoutingSwitchTurnPhaseTerminal
)

// RoutingSwitchTurnTerminal is how a switch ended.
type RoutingSwitchTurnTerminal uint8

const (
	RoutingSwitchTurnTerminalDenied RoutingSwitchTurnTerminal = iota
	RoutingSwitchTurnTerminalConsumedAndRestored
	RoutingSwitchTurnTerminalPersistentReconfigureApplied
)

// RoutingDenialReason says why a switch or an image operation was denied. The machine
// writes ApprovalRequiredButUnavailable, DeniedDuringApproval and ScopedOverrideConflict.
type RoutingDenialReason uint8

const (
	RoutingDenialReasonCapabilityPolicy RoutingDenialReason = iota
	RoutingDenialReasonApprovalRequiredButUnavailable
	RoutingDenialReasonDeniedDuringApproval
	RoutingDenialReasonScopedOverrideConflict
	RoutingDenialReasonRealtimeTransportConflict
)

// RoutingSwitchApprovalReason says why a switch needed approval.
type RoutingSwitchApprovalReason uint8

const (
	RoutingSwitchApprovalReasonCrossProvider RoutingSwitchApprovalReason = iota
	RoutingSwitchApprovalReasonCostExceedsThreshold
	RoutingSwitchApprovalReasonSafetyHold
	RoutingSwitchApprovalReasonUntilChangedFromModelOrigin
	RoutingSwitchApprovalReasonRealtimeDetachRequired
)

// RoutingApprovalPhase is how far an approval has come. Only Approved and Denied are ever
// written.
type RoutingApprovalPhase uint8

const (
	RoutingApprovalPhasePending RoutingApprovalPhase = iota
	RoutingApprovalPhasePresentedToUser
	RoutingApprovalPhaseApproved
	RoutingApprovalPhaseDenied
	RoutingApprovalPhaseSurfaceDetached
)

// RoutingApprovalParentKind says what an approval is for.
type RoutingApprovalParentKind uint8

const (
	RoutingApprovalParentKindSwitchTurn RoutingApprovalParentKind = iota
	RoutingApprovalParentKindImageOperation
)
