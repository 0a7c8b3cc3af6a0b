package kernel

// Chapter 01, session lifecycle: a run takes the session and gives it back. What happens
// within a run is chapter 03.

// Prepare begins a run in a session at rest and remembers the phase to return to. The
// session named is not compared. Neither a session that is leaving nor a deferred stop
// holds it up. Runtime-internal, chapter 01.
type Prepare struct {
	SessionID SessionId `json:"session_id"`
	RunID     RunId     `json:"run_id"`
}

func (in *Prepare) step(k *Kernel, s *State) {
	switch {
	case k.rule("PrepareIdle", Idle, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.beginRun(in.RunID, PreRunPhaseIdle)
		k.emit(SubmitRunPrimitive{})

	case k.rule("PrepareAttached", Attached, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.beginRun(in.RunID, PreRunPhaseAttached)
		k.emit(SubmitRunPrimitive{})
	}
}

// DrainQueuedRun begins a run in a retired session, which takes no new work but still
// does what is queued. Signal, chapter 01.
type DrainQueuedRun struct {
	RunID RunId `json:"run_id"`
}

func (*DrainQueuedRun) signal() {}

func (in *DrainQueuedRun) step(k *Kernel, s *State) {
	switch {
	case k.rule("DrainQueuedRunRetired", Retired, Running):

		s.beginRun(in.RunID, PreRunPhaseRetired)
		k.emit(SubmitRunPrimitive{})
	}
}

func (s *State) beginRun(run RunId, from PreRunPhase) {
	s.CurrentRunID = Some(run)
	s.PreRunPhase = Some(from)
	s.RuntimeCompletionResultRunID = None[RunId]()
}

func (s *State) clearRun() {
	s.CurrentRunID = None[RunId]()
	s.PreRunPhase = None[PreRunPhase]()
}

// Commit ends a run whose results are kept. It looks at neither the turn nor the input
// named. Like the other three ends of a run it keeps a deferred stop, which breaks an
// invariant unless the run came from Attached (reducer semantics 8). Runtime-internal,
// chapter 01.
type Commit struct {
	InputID InputId `json:"input_id"`
	RunID   RunId   `json:"run_id"`
}

func (in *Commit) step(k *Kernel, s *State) {
	switch {
	case k.rule("CommitRunningToIdle", Running, Idle) &&
		k.guard("pre_run_phase_matches_idle", s.PreRunPhase.Is(PreRunPhaseIdle)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)):

		s.clearRun()

	case k.rule("CommitRunningToAttached", Running, Attached) &&
		k.guard("pre_run_phase_matches_attached", s.PreRunPhase.Is(PreRunPhaseAttached)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)):

		s.clearRun()

	case k.rule("CommitRunningToRetired", Running, Retired) &&
		k.guard("pre_run_phase_matches_retired", s.PreRunPhase.Is(PreRunPhaseRetired)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)):

		s.clearRun()
	}
}

// Fail ends a run whose turn failed for a known cause. Runtime-internal, chapter 01.
type Fail struct {
	RunID RunId `json:"run_id"`
}

func (in *Fail) step(k *Kernel, s *State) {
	switch {
	case k.rule("FailRunningToIdle", Running, Idle) &&
		k.guard("pre_run_phase_matches_idle", s.PreRunPhase.Is(PreRunPhaseIdle)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_failed_with_cause", s.TurnPhase == TurnPhaseFailed && s.failureCauseKnown()):

		s.clearRun()
		k.emit(RecordTerminalOutcome{})

	case k.rule("FailRunningToAttached", Running, Attached) &&
		k.guard("pre_run_phase_matches_attached", s.PreRunPhase.Is(PreRunPhaseAttached)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_failed_with_cause", s.TurnPhase == TurnPhaseFailed && s.failureCauseKnown()):

		s.clearRun()
		k.emit(RecordTerminalOutcome{})

	case k.rule("FailRunningToRetired", Running, Retired) &&
		k.guard("pre_run_phase_matches_retired", s.PreRunPhase.Is(PreRunPhaseRetired)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_failed_with_cause", s.TurnPhase == TurnPhaseFailed && s.failureCauseKnown()):

		s.clearRun()
		k.emit(RecordTerminalOutcome{})
	}
}

// failureCauseKnown reports whether the turn recorded a cause that says something.
func (s *State) failureCauseKnown() bool {
	return s.TerminalCauseKind.IsSome() && !s.TerminalCauseKind.Is(TurnTerminalCauseKindUnknown)
}

// CancelRun ends a run whose turn was cancelled. Runtime-internal, chapter 01.
type CancelRun struct {
	RunID RunId `json:"run_id"`
}

func (in *CancelRun) step(k *Kernel, s *State) {
	switch {
	case k.rule("CancelRunningToIdle", Running, Idle) &&
		k.guard("pre_run_phase_matches_idle", s.PreRunPhase.Is(PreRunPhaseIdle)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_cancelled", s.turnCancelled()):

		s.clearRun()
		k.emit(RecordTerminalOutcome{})

	case k.rule("CancelRunningToAttached", Running, Attached) &&
		k.guard("pre_run_phase_matches_attached", s.PreRunPhase.Is(PreRunPhaseAttached)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_cancelled", s.turnCancelled()):

		s.clearRun()
		k.emit(RecordTerminalOutcome{})

	case k.rule("CancelRunningToRetired", Running, Retired) &&
		k.guard("pre_run_phase_matches_retired", s.PreRunPhase.Is(PreRunPhaseRetired)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_cancelled", s.turnCancelled()):

		s.clearRun()
		k.emit(RecordTerminalOutcome{})
	}
}

func (s *State) turnCancelled() bool {
	return s.TurnPhase == TurnPhaseCancelled && s.TerminalOutcome.Is(TurnTerminalOutcomeCancelled)
}

// RollbackRun ends a run as if it had never begun. Runtime-internal, chapter 01.
type RollbackRun struct {
	RunID RunId `json:"run_id"`
}

func (in *RollbackRun) step(k *Kernel, s *State) {
	switch {
	case k.rule("RollbackRunRunningToIdle", Running, Idle) &&
		k.guard("pre_run_phase_matches_idle", s.PreRunPhase.Is(PreRunPhaseIdle)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)):

		s.clearRun()

	case k.rule("RollbackRunRunningToAttached", Running, Attached) &&
		k.guard("pre_run_phase_matches_attached", s.PreRunPhase.Is(PreRunPhaseAttached)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)):

		s.clearRun()

	case k.rule("RollbackRunRunningToRetired", Running, Retired) &&
		k.guard("pre_run_phase_matches_retired", s.PreRunPhase.Is(PreRunPhaseRetired)) &&
		k.guard("current_run_id_matches_binding", s.CurrentRunID.Is(in.RunID)):

		s.clearRun()
	}
}
