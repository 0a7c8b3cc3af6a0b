package kernel

// Chapter 03, the turn: cancelling it, now or at the next boundary.

// CancelNow asks the turn to stop as soon as the loop sees it. Asking twice changes
// nothing. Runtime-internal, chapter 03.
type CancelNow struct {
	RunID RunId `json:"run_id"`
}

func (in *CancelNow) step(k *Kernel, s *State) {
	switch {
	case k.rule("CancelNow", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_cancellable", !s.TurnPhase.resettable()):

		s.TurnPhase = TurnPhaseCancelling
	}
}

// RequestCancelAfterBoundary lets the round finish and cancels at its boundary.
// Runtime-internal, chapter 03.
type RequestCancelAfterBoundary struct {
	RunID RunId `json:"run_id"`
}

func (in *RequestCancelAfterBoundary) step(k *Kernel, s *State) {
	switch {
	case k.rule("RequestCancelAfterBoundary", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_cancellable", !s.TurnPhase.resettable()):

		s.CancelAfterBoundary = true
	}
}

// CancellationObserved says that the loop saw the cancel and stopped. No boundary is
// crossed, and a request to cancel at one stays. Runtime-internal, chapter 03.
type CancellationObserved struct {
	RunID RunId `json:"run_id"`
}

func (in *CancellationObserved) step(k *Kernel, s *State) {
	switch {
	case k.rule("CancellationObserved", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_cancelling", s.TurnPhase == TurnPhaseCancelling):

		s.cancelTurn()
		k.emit(TurnRunCancelled{RunID: in.RunID, Reason: TurnCancellationReasonObserved})
	}
}

// ForceCancelNoRun cancels a turn that has no run. The invariant running_has_current_run
// forbids the state it asks for, so in practice it is always refused. Runtime-internal,
// chapter 03.
type ForceCancelNoRun struct{}

func (in *ForceCancelNoRun) step(k *Kernel, s *State) {
	switch {
	case k.rule("ForceCancelNoRun", Running, Running) &&
		k.guard("no_run_bound", s.CurrentRunID.IsNone()) &&
		k.guard("turn_ready", s.TurnPhase == TurnPhaseReady):

		s.cancelTurn()
	}
}
