package kernel

// The types of chapter 03. The first variant of an enum is its zero value unless
// the chapter marks another default.

// CallTimeoutSource is an enum of chapter 03.
type CallTimeoutSource uint8

const (
	CallTimeoutSourceCallBudget CallTimeoutSource = iota
	CallTimeoutSourceTurnBudget
)

// CallTimeoutVerdict is an enum of chapter 03.
type CallTimeoutVerdict uint8

const (
	CallTimeoutVerdictRetryableCallTimeout CallTimeoutVerdict = iota
	CallTimeoutVerdictTerminalTurnBudget
)

// ContentShape is an enum of chapter 03.
type ContentShape uint8

const (
	ContentShapeConversation ContentShape = iota
	ContentShapeConversationAndContext
	ContentShapeContext
	ContentShapeEmpty
	ContentShapeImmediateAppend
	ContentShapeImmediateContext
)

// ExternalToolSurfaceBaseState is an enum of chapter 03.
type ExternalToolSurfaceBaseState uint8

const (
	ExternalToolSurfaceBaseStateAbsent ExternalToolSurfaceBaseState = iota
	ExternalToolSurfaceBaseStateActive
	ExternalToolSurfaceBaseStateRemoving
	ExternalToolSurfaceBaseStateRemoved
)

// ExternalToolSurfaceDeltaOperation is an enum of chapter 03.
type ExternalToolSurfaceDeltaOperation uint8

const (
	ExternalToolSurfaceDeltaOperationNone ExternalToolSurfaceDeltaOperation = iota
	ExternalToolSurfaceDeltaOperationAdd
	ExternalToolSurfaceDeltaOperationRemove
	ExternalToolSurfaceDeltaOperationReload
)

// ExternalToolSurfaceDeltaPhase is an enum of chapter 03.
type ExternalToolSurfaceDeltaPhase uint8

const (
	ExternalToolSurfaceDeltaPhaseNone ExternalToolSurfaceDeltaPhase = iota
	ExternalToolSurfaceDeltaPhasePending
	ExternalToolSurfaceDeltaPhaseApplied
	ExternalToolSurfaceDeltaPhaseDraining
	ExternalToolSurfaceDeltaPhaseFailed
	ExternalToolSurfaceDeltaPhaseForced
)

// ExternalToolSurfaceFailureCause is an enum of chapter 03.
type ExternalToolSurfaceFailureCause uint8

const (
	ExternalToolSurfaceFailureCausePendingFailed ExternalToolSurfaceFailureCause = iota
	ExternalToolSurfaceFailureCauseSurfaceDraining
	ExternalToolSurfaceFailureCauseSurfaceUnavailable
)

// LlmFailureRecoveryKind is an enum of chapter 03.
type LlmFailureRecoveryKind uint8

const (
	LlmFailureRecoveryKindFatal LlmFailureRecoveryKind = iota
	LlmFailureRecoveryKindRecover
	LlmFailureRecoveryKindExhausted
)

// LlmRetryFailureKind is an enum of chapter 03.
type LlmRetryFailureKind uint8

const (
	LlmRetryFailureKindRateLimited LlmRetryFailureKind = iota
	LlmRetryFailureKindNetworkTimeout
	LlmRetryFailureKindCallTimeout
	LlmRetryFailureKindRetryableProviderError
)

// McpServerId is an opaque identifier of chapter 03.
type McpServerId string

// McpServerState is an enum of chapter 03.
type McpServerState uint8

const (
	McpServerStatePendingConnect McpServerState = iota
	McpServerStateConnected
	McpServerStateFailed
	McpServerStateDisconnected
)

// OperationId is an opaque identifier of chapter 03.
type OperationId string

// RunFailureSourceKind is an enum of chapter 03.
type RunFailureSourceKind uint8

const (
	RunFailureSourceKindUnknown RunFailureSourceKind = iota
	RunFailureSourceKindLlm
	RunFailureSourceKindStoreError
	RunFailureSourceKindToolError
	RunFailureSourceKindMcpError
	RunFailureSourceKindSessionNotFound
	RunFailureSourceKindTokenBudgetExceeded
	RunFailureSourceKindTimeBudgetExceeded
	RunFailureSourceKindToolCallBudgetExceeded
	RunFailureSourceKindMaxTokensReached
	RunFailureSourceKindContentFiltered
	RunFailureSourceKindMaxTurnsReached
	RunFailureSourceKindCancelled
	RunFailureSourceKindInvalidStateTransition
	RunFailureSourceKindOperationNotFound
	RunFailureSourceKindDepthLimitExceeded
	RunFailureSourceKindConcurrencyLimitExceeded
	RunFailureSourceKindConfigError
	RunFailureSourceKindInvalidToolAccess
	RunFailureSourceKindInternalError
	RunFailureSourceKindBuildError
	RunFailureSourceKindAuthReauthRequired
	RunFailureSourceKindCallbackPending
	RunFailureSourceKindStructuredOutputValidationFailed
	RunFailureSourceKindInvalidOutputSchema
	RunFailureSourceKindHookDenied
	RunFailureSourceKindHookTimeout
	RunFailureSourceKindHookExecutionFailed
	RunFailureSourceKindHookConfigInvalid
	RunFailureSourceKindTerminalFailure
	RunFailureSourceKindNoPendingBoundary
	RunFailureSourceKindLlmRetryExhausted
)

// RuntimeApplyFailureCause is an enum of chapter 03.
type RuntimeApplyFailureCause uint8

const (
	RuntimeApplyFailureCauseUnknown RuntimeApplyFailureCause = iota
	RuntimeApplyFailureCausePrimitiveRejected
	RuntimeApplyFailureCauseRuntimeContextApply
	RuntimeApplyFailureCauseRuntimeTurn
	RuntimeApplyFailureCauseHookDenied
	RuntimeApplyFailureCauseHookRuntimeFailure
	RuntimeApplyFailureCauseExecutorStopped
	RuntimeApplyFailureCauseExecutorControlFailed
	RuntimeApplyFailureCauseExecutorInternal
)

// SurfacePendingOp is an enum of chapter 03.
type SurfacePendingOp uint8

const (
	SurfacePendingOpNone SurfacePendingOp = iota
	SurfacePendingOpAdd
	SurfacePendingOpReload
)

// SurfacePhase is an enum of chapter 03.
type SurfacePhase uint8

const (
	SurfacePhaseOperating SurfacePhase = iota
	SurfacePhaseShutdown
)

// SurfaceResultClass is an enum of chapter 03.
type SurfaceResultClass uint8

const (
	SurfaceResultClassSuccess SurfaceResultClass = iota
	SurfaceResultClassHardFailure
	SurfaceResultClassCancelled
	SurfaceResultClassMissingTerminal
)

// SurfaceStagedOp is an enum of chapter 03.
type SurfaceStagedOp uint8

const (
	SurfaceStagedOpNone SurfaceStagedOp = iota
	SurfaceStagedOpAdd
	SurfaceStagedOpRemove
	SurfaceStagedOpReload
)

// TerminalCauseClass is an enum of chapter 03.
type TerminalCauseClass uint8

const (
	TerminalCauseClassMissing TerminalCauseClass = iota
	TerminalCauseClassUnknown
	TerminalCauseClassBudgetExhausted
	TerminalCauseClassTimeBudgetExceeded
	TerminalCauseClassRetryExhausted
	TerminalCauseClassStructuredOutputValidationFailed
	TerminalCauseClassOtherFailure
)

// TurnCancellationReason is an enum of chapter 03.
type TurnCancellationReason uint8

const (
	TurnCancellationReasonObserved TurnCancellationReason = iota
)

// TurnPrimitiveKind is an enum of chapter 03.
type TurnPrimitiveKind uint8

const (
	TurnPrimitiveKindNone TurnPrimitiveKind = iota
	TurnPrimitiveKindConversationTurn
	TurnPrimitiveKindImmediateAppend
	TurnPrimitiveKindImmediateContextAppend
)
