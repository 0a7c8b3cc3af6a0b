package kernel

// Chapter 03, the turn and its classifiers: the types. The first variant of an enum is
// its zero value.

// CallTimeoutSource says which of two limits a timer stood for.
type CallTimeoutSource uint8

const (
	// CallTimeoutSourceCallBudget is the limit of one call of the model.
	CallTimeoutSourceCallBudget CallTimeoutSource = iota
	// CallTimeoutSourceTurnBudget is what was left of the time of the turn.
	CallTimeoutSourceTurnBudget
)

// CallTimeoutVerdict says what a timer that fired means.
type CallTimeoutVerdict uint8

const (
	CallTimeoutVerdictRetryableCallTimeout CallTimeoutVerdict = iota
	CallTimeoutVerdictTerminalTurnBudget
)

// ContentShape says what the admitted content of a run consists of. The first four
// belong to a conversation, the last two to an immediate append.
type ContentShape uint8

const (
	ContentShapeConversation ContentShape = iota
	ContentShapeConversationAndContext
	ContentShapeContext
	ContentShapeEmpty
	ContentShapeImmediateAppend
	ContentShapeImmediateContext
)

// LlmFailureRecoveryKind says what to do about a failed call of the model.
type LlmFailureRecoveryKind uint8

const (
	// LlmFailureRecoveryKindFatal: trying again cannot help.
	LlmFailureRecoveryKindFatal LlmFailureRecoveryKind = iota
	// LlmFailureRecoveryKindRecover: try again.
	LlmFailureRecoveryKindRecover
	// LlmFailureRecoveryKindExhausted: it would help, but there are no retries left.
	LlmFailureRecoveryKindExhausted
)

// LlmRetryFailureKind says how a call of the model failed, for failures after which
// trying again may help.
type LlmRetryFailureKind uint8

const (
	LlmRetryFailureKindRateLimited LlmRetryFailureKind = iota
	LlmRetryFailureKindNetworkTimeout
	LlmRetryFailureKindCallTimeout
	// LlmRetryFailureKindRetryableProviderError is any other error the provider calls
	// retryable, and an empty answer.
	LlmRetryFailureKindRetryableProviderError
)

// OperationId names an operation a tool call started; opaque.
type OperationId string

// RunFailureSourceKind says what made a run fail. Cause and outcome of the turn follow
// from it.
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

// RuntimeApplyFailureCause says at which point the runtime failed to carry a run out, as
// opposed to the turn failing by itself.
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

// SurfaceResultClass is how a turn ended, as surfaces are told.
type SurfaceResultClass uint8

const (
	SurfaceResultClassSuccess SurfaceResultClass = iota
	SurfaceResultClassHardFailure
	SurfaceResultClassCancelled
	// SurfaceResultClassMissingTerminal: there is no outcome, an internal error.
	SurfaceResultClassMissingTerminal
)

// TerminalCauseClass is a coarser [TurnTerminalCauseKind]; Missing stands for none.
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

// TurnCancellationReason says why a run was cancelled.
type TurnCancellationReason uint8

const (
	// TurnCancellationReasonObserved: the turn saw a cancel request. There is no other
	// reason yet.
	TurnCancellationReasonObserved TurnCancellationReason = iota
)

// TurnPrimitiveKind says what a run applies.
type TurnPrimitiveKind uint8

const (
	TurnPrimitiveKindNone TurnPrimitiveKind = iota
	// TurnPrimitiveKindConversationTurn talks to the model.
	TurnPrimitiveKindConversationTurn
	// TurnPrimitiveKindImmediateAppend appends to the conversation and is done.
	TurnPrimitiveKindImmediateAppend
	// TurnPrimitiveKindImmediateContextAppend appends to the context and is done.
	TurnPrimitiveKindImmediateContextAppend
)
