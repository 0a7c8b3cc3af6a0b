package kernel

// Chapter 03, classifiers: questions about a turn, answered by an effect. They change
// nothing, and within their phases exactly one rule of each holds.

// ClassifyTurnTerminality asks whether the turn is over. Runtime-internal, chapter 03.
type ClassifyTurnTerminality struct{}

func (in *ClassifyTurnTerminality) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyTurnTerminalityTerminal", live3, Stay) &&
		k.guard("turn_phase_terminal", s.TurnPhase.terminal()):

		k.emit(TurnTerminalityClassified{Terminal: true})

	case k.rule("ClassifyTurnTerminalityNonTerminal", live3, Stay) &&
		k.guard("turn_phase_non_terminal", !s.TurnPhase.terminal()):

		k.emit(TurnTerminalityClassified{Terminal: false})
	}
}

// ClassifyLlmFailureRecovery asks what to do about a failed call of the model. No kind
// means that trying again cannot help. Attempt 0 is not refused here, unlike in
// [RecoverableFailure]. Runtime-internal, chapter 03.
type ClassifyLlmFailureRecovery struct {
	FailureKind  Opt[LlmRetryFailureKind] `json:"failure_kind"`
	RetryAttempt uint64                   `json:"retry_attempt"`
	MaxRetries   uint64                   `json:"max_retries"`
}

func (in *ClassifyLlmFailureRecovery) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyLlmFailureRecoveryRecover", live3, Stay) &&
		k.guard("failure_kind_recoverable_with_retries", in.recoverable() && in.RetryAttempt <= in.MaxRetries):

		k.emit(LlmFailureRecoveryClassified{Recovery: LlmFailureRecoveryKindRecover})

	case k.rule("ClassifyLlmFailureRecoveryExhausted", live3, Stay) &&
		k.guard("failure_kind_recoverable_retries_exhausted", in.recoverable() && in.RetryAttempt > in.MaxRetries):

		k.emit(LlmFailureRecoveryClassified{Recovery: LlmFailureRecoveryKindExhausted})

	case k.rule("ClassifyLlmFailureRecoveryFatal", live3, Stay) &&
		k.guard("failure_kind_not_recoverable", !in.recoverable()):

		k.emit(LlmFailureRecoveryClassified{Recovery: LlmFailureRecoveryKindFatal})
	}
}

func (in *ClassifyLlmFailureRecovery) recoverable() bool {
	return in.FailureKind.IsSome() && in.FailureKind.Value().recoverable()
}

// ClassifyAssistantOutput asks whether an answer of the model is something to go on
// with; one with nothing to see and nothing to do ends the turn. Runtime-internal,
// chapter 03.
type ClassifyAssistantOutput struct {
	HasVisibleOrActionable bool `json:"has_visible_or_actionable"`
}

func (in *ClassifyAssistantOutput) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyAssistantOutputEmptyTerminal", live3, Stay) &&
		k.guard("no_visible_or_actionable_output", !in.HasVisibleOrActionable):

		k.emit(AssistantOutputClassified{EmptyResponseTerminal: true})

	case k.rule("ClassifyAssistantOutputProceed", live3, Stay) &&
		k.guard("has_visible_or_actionable_output", in.HasVisibleOrActionable):

		k.emit(AssistantOutputClassified{EmptyResponseTerminal: false})
	}
}

// ClassifyCallTimeout asks what a timer that fired means: the limit of one call may be
// tried again, the limit of the turn is the end. Runtime-internal, chapter 03.
type ClassifyCallTimeout struct {
	Source    CallTimeoutSource `json:"source"`
	TimeoutMs uint64            `json:"timeout_ms"`
}

func (in *ClassifyCallTimeout) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyCallTimeoutRetryable", live3, Stay) &&
		k.guard("call_budget_source", in.Source == CallTimeoutSourceCallBudget):

		k.emit(CallTimeoutClassified{Verdict: CallTimeoutVerdictRetryableCallTimeout, TimeoutMs: in.TimeoutMs})

	case k.rule("ClassifyCallTimeoutTerminal", live3, Stay) &&
		k.guard("turn_budget_source", in.Source == CallTimeoutSourceTurnBudget):

		k.emit(CallTimeoutClassified{Verdict: CallTimeoutVerdictTerminalTurnBudget, TimeoutMs: in.TimeoutMs})
	}
}

// ClassifyTurnTerminalCauseClass asks which class a terminal cause is of, the first half
// of the way from the end of a turn to what surfaces are told. Only in Idle.
// Runtime-internal, chapter 03.
type ClassifyTurnTerminalCauseClass struct {
	CauseKind Opt[TurnTerminalCauseKind] `json:"cause_kind"`
}

func (in *ClassifyTurnTerminalCauseClass) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyTurnTerminalCauseClassMissing", Idle, Stay) &&
		k.guard("cause_missing", in.CauseKind.IsNone()):

		k.emit(in.resolved(TerminalCauseClassMissing))

	case k.rule("ClassifyTurnTerminalCauseClassUnknown", Idle, Stay) &&
		k.guard("cause_unknown", in.CauseKind.Is(TurnTerminalCauseKindUnknown)):

		k.emit(in.resolved(TerminalCauseClassUnknown))

	case k.rule("ClassifyTurnTerminalCauseClassBudgetExhausted", Idle, Stay) &&
		k.guard("cause_budget_exhausted", in.CauseKind.Is(TurnTerminalCauseKindBudgetExhausted)):

		k.emit(in.resolved(TerminalCauseClassBudgetExhausted))

	case k.rule("ClassifyTurnTerminalCauseClassTimeBudgetExceeded", Idle, Stay) &&
		k.guard("cause_time_budget_exceeded", in.CauseKind.Is(TurnTerminalCauseKindTimeBudgetExceeded)):

		k.emit(in.resolved(TerminalCauseClassTimeBudgetExceeded))

	case k.rule("ClassifyTurnTerminalCauseClassRetryExhausted", Idle, Stay) &&
		k.guard("cause_retry_exhausted", in.CauseKind.Is(TurnTerminalCauseKindRetryExhausted)):

		k.emit(in.resolved(TerminalCauseClassRetryExhausted))

	case k.rule("ClassifyTurnTerminalCauseClassStructuredOutputValidationFailed", Idle, Stay) &&
		k.guard("cause_structured_output_validation_failed",
			in.CauseKind.Is(TurnTerminalCauseKindStructuredOutputValidationFailed)):

		k.emit(in.resolved(TerminalCauseClassStructuredOutputValidationFailed))

	case k.rule("ClassifyTurnTerminalCauseClassOtherFailure", Idle, Stay) &&
		k.guard("cause_other_failure", in.CauseKind.IsSome() && in.CauseKind.Value().other()):

		k.emit(in.resolved(TerminalCauseClassOtherFailure))
	}
}

func (in *ClassifyTurnTerminalCauseClass) resolved(class TerminalCauseClass) TurnTerminalCauseClassResolved {
	return TurnTerminalCauseClassResolved{CauseKind: in.CauseKind, CauseClass: class}
}

// other reports whether the cause has no class of its own.
func (c TurnTerminalCauseKind) other() bool {
	switch c {
	case TurnTerminalCauseKindHookDenied, TurnTerminalCauseKindHookFailure,
		TurnTerminalCauseKindLlmFailure, TurnTerminalCauseKindToolFailure,
		TurnTerminalCauseKindTurnLimitReached, TurnTerminalCauseKindRuntimeApplyFailure,
		TurnTerminalCauseKindFatalFailure:
		return true
	default:
		return false
	}
}

// ResolveTurnSurfaceResult asks what surfaces are told of a turn that ended so. A turn
// stopped by its token or tool-call budget is a success, one stopped by its time budget
// a failure. Only in Idle. Runtime-internal, chapter 03.
type ResolveTurnSurfaceResult struct {
	Outcome    TurnTerminalOutcome `json:"outcome"`
	CauseClass TerminalCauseClass  `json:"cause_class"`
}

func (in *ResolveTurnSurfaceResult) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveTurnSurfaceResultNoneMissingTerminal", Idle, Stay) &&
		k.guard("outcome_none", in.Outcome == TurnTerminalOutcomeNone):

		k.emit(in.resolved(SurfaceResultClassMissingTerminal))

	case k.rule("ResolveTurnSurfaceResultCompletedSuccess", Idle, Stay) &&
		k.guard("outcome_completed", in.Outcome == TurnTerminalOutcomeCompleted) &&
		k.guard("cause_absent_or_unknown", in.CauseClass.absentOrUnknown()):

		k.emit(in.resolved(SurfaceResultClassSuccess))

	case k.rule("ResolveTurnSurfaceResultCompletedFailure", Idle, Stay) &&
		k.guard("outcome_completed", in.Outcome == TurnTerminalOutcomeCompleted) &&
		k.guard("cause_specific_failure", in.CauseClass.specificFailure()):

		k.emit(in.resolved(SurfaceResultClassHardFailure))

	case k.rule("ResolveTurnSurfaceResultFailedHardFailure", Idle, Stay) &&
		k.guard("outcome_failed", in.Outcome == TurnTerminalOutcomeFailed) &&
		k.guard("cause_any", in.CauseClass.absentOrUnknown() || in.CauseClass.specificFailure()):

		k.emit(in.resolved(SurfaceResultClassHardFailure))

	case k.rule("ResolveTurnSurfaceResultCancelledCancelled", Idle, Stay) &&
		k.guard("outcome_cancelled", in.Outcome == TurnTerminalOutcomeCancelled) &&
		k.guard("cause_absent_or_unknown", in.CauseClass.absentOrUnknown()):

		k.emit(in.resolved(SurfaceResultClassCancelled))

	case k.rule("ResolveTurnSurfaceResultCancelledFailure", Idle, Stay) &&
		k.guard("outcome_cancelled", in.Outcome == TurnTerminalOutcomeCancelled) &&
		k.guard("cause_specific_failure", in.CauseClass.specificFailure()):

		k.emit(in.resolved(SurfaceResultClassHardFailure))

	case k.rule("ResolveTurnSurfaceResultBudgetExhaustedSuccess", Idle, Stay) &&
		k.guard("outcome_budget_exhausted", in.Outcome == TurnTerminalOutcomeBudgetExhausted) &&
		k.guard("cause_budget_exhausted", in.CauseClass == TerminalCauseClassBudgetExhausted):

		k.emit(in.resolved(SurfaceResultClassSuccess))

	case k.rule("ResolveTurnSurfaceResultBudgetExhaustedFailure", Idle, Stay) &&
		k.guard("outcome_budget_exhausted", in.Outcome == TurnTerminalOutcomeBudgetExhausted) &&
		k.guard("cause_not_budget_exhausted", in.CauseClass != TerminalCauseClassBudgetExhausted):

		k.emit(in.resolved(SurfaceResultClassHardFailure))

	case k.rule("ResolveTurnSurfaceResultTimeBudgetExceededHardFailure", Idle, Stay) &&
		k.guard("outcome_time_budget_exceeded", in.Outcome == TurnTerminalOutcomeTimeBudgetExceeded) &&
		k.guard("cause_any", in.CauseClass.absentOrUnknown() || in.CauseClass.specificFailure()):

		k.emit(in.resolved(SurfaceResultClassHardFailure))

	case k.rule("ResolveTurnSurfaceResultStructuredOutputValidationFailedHardFailure", Idle, Stay) &&
		k.guard("outcome_structured_output_validation_failed",
			in.Outcome == TurnTerminalOutcomeStructuredOutputValidationFailed) &&
		k.guard("cause_any", in.CauseClass.absentOrUnknown() || in.CauseClass.specificFailure()):

		k.emit(in.resolved(SurfaceResultClassHardFailure))
	}
}

func (in *ResolveTurnSurfaceResult) resolved(class SurfaceResultClass) TurnSurfaceResultResolved {
	return TurnSurfaceResultResolved{Outcome: in.Outcome, CauseClass: in.CauseClass, SurfaceClass: class}
}

// absentOrUnknown reports whether the class says nothing of a failure.
func (c TerminalCauseClass) absentOrUnknown() bool {
	return c == TerminalCauseClassMissing || c == TerminalCauseClassUnknown
}

// specificFailure reports whether the class names a failure.
func (c TerminalCauseClass) specificFailure() bool {
	switch c {
	case TerminalCauseClassBudgetExhausted, TerminalCauseClassTimeBudgetExceeded,
		TerminalCauseClassRetryExhausted, TerminalCauseClassStructuredOutputValidationFailed,
		TerminalCauseClassOtherFailure:
		return true
	default:
		return false
	}
}
