package kernel

// Chapter 02, inputs: the types of recovery. The first variant of an enum is its zero
// value.

// RecoveredInputKind is the kind of work of a stored input.
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

// RecoveredInputNormalizationReasonKind says why recovery changed the phase of an input.
type RecoveredInputNormalizationReasonKind uint8

const (
	RecoveredInputNormalizationReasonKindQueueAccepted RecoveredInputNormalizationReasonKind = iota
	RecoveredInputNormalizationReasonKindRollbackStaged
	RecoveredInputNormalizationReasonKindBoundaryReceiptCommitted
	RecoveredInputNormalizationReasonKindMissingBoundaryReceipt
)

// RecoveredInputObservedPhase is the phase a stored input was found in. Queued is the
// default; Accepted exists only outside the machine.
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

// RecoveredInputRecoveryDisposition says whether recovery keeps a stored input.
type RecoveredInputRecoveryDisposition uint8

const (
	RecoveredInputRecoveryDispositionRetain RecoveredInputRecoveryDisposition = iota
	RecoveredInputRecoveryDispositionDiscard
)

// RecoveredPeerResponseTerminalApplyIntent is the stored form of
// [AdmissionPeerResponseTerminalApplyIntent].
type RecoveredPeerResponseTerminalApplyIntent uint8

const (
	RecoveredPeerResponseTerminalApplyIntentAppendContextAndRun RecoveredPeerResponseTerminalApplyIntent = iota
)

// RecoveredRunApplyBoundary is the stored form of [AdmissionRunApplyBoundary].
type RecoveredRunApplyBoundary uint8

const (
	RecoveredRunApplyBoundaryRunStart RecoveredRunApplyBoundary = iota
	RecoveredRunApplyBoundaryRunCheckpoint
	RecoveredRunApplyBoundaryImmediate
)

// RecoveredRuntimeExecutionKind is the stored form of [AdmissionRuntimeExecutionKind].
type RecoveredRuntimeExecutionKind uint8

const (
	RecoveredRuntimeExecutionKindContentTurn RecoveredRuntimeExecutionKind = iota
	RecoveredRuntimeExecutionKindResumePending
)
