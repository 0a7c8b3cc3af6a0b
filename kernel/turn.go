package kernel

// Chapter 03, the turn: one run drives one user-visible turn. The position of the turn
// is TurnPhase; it is independent of the lifecycle phase, and a turn that is over leaves
// the lifecycle Running until the run is closed. The steps of a turn stand in files of
// their own (turn_start, turn_round, turn_extraction, turn_failure, turn_cancel,
// turn_close); here is what they share.

// terminal reports whether the turn is over.
func (p TurnPhase) terminal() bool {
	return p == TurnPhaseCompleted || p == TurnPhaseFailed || p == TurnPhaseCancelled
}

// resettable reports whether a turn may start: there is none, or it is over. The other
// phases are those that can be cancelled.
func (p TurnPhase) resettable() bool { return p == TurnPhaseReady || p.terminal() }

// clearTurn forgets what a turn has gathered. It leaves RuntimeCompletionResultRunID:
// that belongs to the run, and the completion rules of chapter 01 still read it.
func (s *TurnState) clearTurn() {
	s.ToolCallsPending = 0
	s.PendingOpRefs = nil
	s.BarrierOperationIDs = nil
	s.HasBarrierOps = false
	s.BarrierSatisfied = false
	s.BoundaryCount = 0
	s.CancelAfterBoundary = false
	s.TerminalCauseKind = None[TurnTerminalCauseKind]()
	s.ExtractionAttempts = 0
	s.ExtractionActive = false
	s.MaxExtractionRetries = 0
	s.LlmRetryAttempt = 0
	s.LlmRetryMaxRetries = 0
	s.LlmRetrySelectedDelayMs = 0
	s.LlmRetryLastFailureKind = None[LlmRetryFailureKind]()
}

// completeTurn ends the turn well.
func (s *TurnState) completeTurn() {
	s.TurnPhase = TurnPhaseCompleted
	s.ExtractionActive = false
	s.TerminalOutcome = Some(TurnTerminalOutcomeCompleted)
}

// cancelTurn ends the turn because someone asked for it.
func (s *TurnState) cancelTurn() {
	s.TurnPhase = TurnPhaseCancelled
	s.ExtractionActive = false
	s.TerminalOutcome = Some(TurnTerminalOutcomeCancelled)
}

// cancelTurnAtBoundary honours a pending cancel request while a boundary is crossed.
func (s *TurnState) cancelTurnAtBoundary() {
	s.BoundaryCount++
	s.CancelAfterBoundary = false
	s.cancelTurn()
}

// failTurn ends the turn for a cause, which implies the outcome.
func (s *TurnState) failTurn(cause TurnTerminalCauseKind) {
	s.TurnPhase = TurnPhaseFailed
	s.ExtractionActive = false
	s.TerminalOutcome = Some(cause.outcome())
	s.TerminalCauseKind = Some(cause)
}

// outcome is how a turn that fails for the cause has ended: three causes have an outcome
// of their own.
func (c TurnTerminalCauseKind) outcome() TurnTerminalOutcome {
	switch c {
	case TurnTerminalCauseKindBudgetExhausted:
		return TurnTerminalOutcomeBudgetExhausted
	case TurnTerminalCauseKindTimeBudgetExceeded:
		return TurnTerminalOutcomeTimeBudgetExceeded
	case TurnTerminalCauseKindStructuredOutputValidationFailed:
		return TurnTerminalOutcomeStructuredOutputValidationFailed
	default:
		return TurnTerminalOutcomeFailed
	}
}

// cause is the terminal cause a failure from the source has. Unknown, and with it an
// absent source, counts as fatal.
func (f RunFailureSourceKind) cause() TurnTerminalCauseKind {
	switch f {
	case RunFailureSourceKindTokenBudgetExceeded, RunFailureSourceKindToolCallBudgetExceeded:
		return TurnTerminalCauseKindBudgetExhausted
	case RunFailureSourceKindTimeBudgetExceeded:
		return TurnTerminalCauseKindTimeBudgetExceeded
	case RunFailureSourceKindStructuredOutputValidationFailed, RunFailureSourceKindInvalidOutputSchema:
		return TurnTerminalCauseKindStructuredOutputValidationFailed
	case RunFailureSourceKindHookDenied:
		return TurnTerminalCauseKindHookDenied
	case RunFailureSourceKindHookTimeout, RunFailureSourceKindHookExecutionFailed,
		RunFailureSourceKindHookConfigInvalid:
		return TurnTerminalCauseKindHookFailure
	case RunFailureSourceKindLlm:
		return TurnTerminalCauseKindLlmFailure
	case RunFailureSourceKindToolError, RunFailureSourceKindInvalidToolAccess:
		return TurnTerminalCauseKindToolFailure
	case RunFailureSourceKindLlmRetryExhausted:
		return TurnTerminalCauseKindRetryExhausted
	case RunFailureSourceKindMaxTurnsReached:
		return TurnTerminalCauseKindTurnLimitReached
	default:
		return TurnTerminalCauseKindFatalFailure
	}
}
