package kernel

// Chapter 03, the turn: failures of the model that are tried again, and what ends the
// turn as failed.

// RecoverableFailure parks the turn until the model is asked again. RetryAttempt counts
// from one and need not follow the previous one. The machine ignores Error.
// Runtime-internal, chapter 03.
type RecoverableFailure struct {
	RunID           RunId               `json:"run_id"`
	FailureKind     LlmRetryFailureKind `json:"failure_kind"`
	RetryAttempt    uint64              `json:"retry_attempt"`
	MaxRetries      uint64              `json:"max_retries"`
	SelectedDelayMs uint64              `json:"selected_delay_ms"`
	Error           string              `json:"error"`
}

func (in *RecoverableFailure) step(k *Kernel, s *State) {
	switch {
	// Despite its name turn_non_terminal also refuses Ready, ApplyingPrimitive,
	// ErrorRecovery and Cancelling.
	case k.rule("RecoverableFailure", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_non_terminal", s.TurnPhase.working()) &&
		k.guard("retry_attempt_present", in.RetryAttempt > 0) &&
		k.guard("failure_kind_recoverable", in.FailureKind.recoverable()) &&
		k.guard("retries_remaining", in.RetryAttempt <= in.MaxRetries):

		s.TurnPhase = TurnPhaseErrorRecovery
		s.LlmRetryAttempt = in.RetryAttempt
		s.LlmRetryMaxRetries = in.MaxRetries
		s.LlmRetrySelectedDelayMs = in.SelectedDelayMs
		s.LlmRetryLastFailureKind = Some(in.FailureKind)
	}
}

// working reports whether the turn is in the middle of a round.
func (p TurnPhase) working() bool {
	switch p {
	case TurnPhaseCallingLlm, TurnPhaseWaitingForOps, TurnPhaseDrainingBoundary, TurnPhaseExtracting:
		return true
	default:
		return false
	}
}

// recoverable reports whether asking the model again may help. Today that is so for
// every kind there is.
func (f LlmRetryFailureKind) recoverable() bool {
	switch f {
	case LlmRetryFailureKindRateLimited, LlmRetryFailureKindNetworkTimeout,
		LlmRetryFailureKindCallTimeout, LlmRetryFailureKindRetryableProviderError:
		return true
	default:
		return false
	}
}

// RetryRequested goes back to the model after the delay, for the attempt that was
// scheduled last. Runtime-internal, chapter 03.
type RetryRequested struct {
	RunID        RunId  `json:"run_id"`
	RetryAttempt uint64 `json:"retry_attempt"`
}

func (in *RetryRequested) step(k *Kernel, s *State) {
	switch {
	case k.rule("RetryRequested", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_error_recovery", s.TurnPhase == TurnPhaseErrorRecovery) &&
		k.guard("retry_attempt_matches", in.RetryAttempt == s.LlmRetryAttempt):

		s.TurnPhase = TurnPhaseCallingLlm
		k.emit(TurnCheckCompaction{})
	}
}

// FatalFailure ends the turn for a cause and with an outcome that follow from the
// source. The turn limit is not taken from here: it has an input that carries the
// count. Runtime-internal, chapter 03.
type FatalFailure struct {
	RunID                 RunId                `json:"run_id"`
	TerminalFailureSource RunFailureSourceKind `json:"terminal_failure_source"`
	Error                 string               `json:"error"`
}

func (in *FatalFailure) step(k *Kernel, s *State) {
	switch {
	case k.rule("FatalFailure", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_not_terminal", !s.TurnPhase.terminal()) &&
		k.guard("terminal_failure_source_known", in.TerminalFailureSource != RunFailureSourceKindUnknown) &&
		k.guard("turn_limit_uses_counted_input", in.TerminalFailureSource != RunFailureSourceKindMaxTurnsReached):

		s.failTurn(in.TerminalFailureSource.cause())
		k.emit(TurnRunFailed{
			RunID:             in.RunID,
			TerminalCauseKind: in.TerminalFailureSource.cause(),
			Error:             in.Error,
		})
	}
}

// TurnLimitReached ends a turn that took all its rounds. Runtime-internal, chapter 03.
type TurnLimitReached struct {
	RunID     RunId  `json:"run_id"`
	TurnCount uint64 `json:"turn_count"`
	MaxTurns  uint64 `json:"max_turns"`
}

func (in *TurnLimitReached) step(k *Kernel, s *State) {
	switch {
	case k.rule("TurnLimitReached", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_not_terminal", !s.TurnPhase.terminal()) &&
		k.guard("turn_limit_reached", in.TurnCount >= in.MaxTurns):

		s.failTurn(TurnTerminalCauseKindTurnLimitReached)
		k.emit(TurnRunFailed{
			RunID:             in.RunID,
			TerminalCauseKind: TurnTerminalCauseKindTurnLimitReached,
			Error:             "TurnLimitReached",
		})
	}
}

// BudgetExhausted ends a turn that used up its tokens or tool calls. To surfaces such a
// turn is a success, see [ResolveTurnSurfaceResult]. Runtime-internal, chapter 03.
type BudgetExhausted struct {
	RunID RunId `json:"run_id"`
}

func (in *BudgetExhausted) step(k *Kernel, s *State) {
	switch {
	case k.rule("BudgetExhausted", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_not_terminal", !s.TurnPhase.terminal()):

		s.failTurn(TurnTerminalCauseKindBudgetExhausted)
		k.emit(TurnRunFailed{
			RunID:             in.RunID,
			TerminalCauseKind: TurnTerminalCauseKindBudgetExhausted,
			Error:             "BudgetExhausted",
		})
	}
}

// TimeBudgetExceeded ends a turn that ran out of time. Runtime-internal, chapter 03.
type TimeBudgetExceeded struct {
	RunID RunId `json:"run_id"`
}

func (in *TimeBudgetExceeded) step(k *Kernel, s *State) {
	switch {
	case k.rule("TimeBudgetExceeded", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_not_terminal", !s.TurnPhase.terminal()):

		s.failTurn(TurnTerminalCauseKindTimeBudgetExceeded)
		k.emit(TurnRunFailed{
			RunID:             in.RunID,
			TerminalCauseKind: TurnTerminalCauseKindTimeBudgetExceeded,
			Error:             "TimeBudgetExceeded",
		})
	}
}
