package kernel

// Chapter 03, the turn: closing it. RunCompleted, RunFailed and RunCancelled record how
// the run ended; the lifecycle leaves Running only with ServiceTurnCommitted here or
// with the commit, fail, cancel and rollback rules of chapter 01.

// AcknowledgeTerminal makes a turn that is over ready for the next one within the same
// run. Outcome is stored as given and not compared with the recorded one; the run, the
// phase before it and the cause of a failed apply stay. Runtime-internal, chapter 03.
type AcknowledgeTerminal struct {
	RunID   RunId               `json:"run_id"`
	Outcome TurnTerminalOutcome `json:"outcome"`
}

func (in *AcknowledgeTerminal) step(k *Kernel, s *State) {
	switch {
	case k.rule("AcknowledgeTerminal", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_terminal", s.TurnPhase.terminal()):

		s.TurnPhase = TurnPhaseReady
		s.PrimitiveKind = None[TurnPrimitiveKind]()
		s.AdmittedContentShape = None[ContentShape]()
		s.VisionEnabled = false
		s.ImageToolResultsEnabled = false
		s.TerminalOutcome = Some(in.Outcome)
		s.clearTurn()
	}
}

// RunCompleted records that the run's executor came back well. A turn that already
// failed or was cancelled stays so; the input is accepted all the same.
// Runtime-internal, chapter 03.
type RunCompleted struct {
	RunID RunId `json:"run_id"`
}

func (in *RunCompleted) step(k *Kernel, s *State) {
	switch {
	case k.rule("RunCompleted", Running, Running) &&
		k.guard("run_matches_binding", s.CurrentRunID.Is(in.RunID)):

		if !s.TurnPhase.terminal() {
			s.completeTurn()
		}
		s.RuntimeCompletionResultRunID = Some(in.RunID)
	}
}

// ServiceTurnCommitted closes a completed run that had no runtime loop and returns the
// lifecycle to the phase before it. The turn stays Completed until the next start. A
// failed, cancelled or acknowledged turn cannot be committed. Public command, chapter
// 03.
type ServiceTurnCommitted struct {
	RunID RunId `json:"run_id"`
}

func (in *ServiceTurnCommitted) step(k *Kernel, s *State) {
	switch {
	case k.rule("ServiceTurnCommittedRunningToIdle", Running, Idle) &&
		k.guard("pre_run_phase_matches_idle", s.PreRunPhase.Is(PreRunPhaseIdle)) &&
		in.committable(k, s):

		s.CurrentRunID = None[RunId]()
		s.PreRunPhase = None[PreRunPhase]()

	case k.rule("ServiceTurnCommittedRunningToAttached", Running, Attached) &&
		k.guard("pre_run_phase_matches_attached", s.PreRunPhase.Is(PreRunPhaseAttached)) &&
		in.committable(k, s):

		s.CurrentRunID = None[RunId]()
		s.PreRunPhase = None[PreRunPhase]()

	case k.rule("ServiceTurnCommittedRunningToRetired", Running, Retired) &&
		k.guard("pre_run_phase_matches_retired", s.PreRunPhase.Is(PreRunPhaseRetired)) &&
		in.committable(k, s):

		s.CurrentRunID = None[RunId]()
		s.PreRunPhase = None[PreRunPhase]()
	}
}

func (in *ServiceTurnCommitted) committable(k *Kernel, s *State) bool {
	return k.guard("run_matches_binding", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_completed",
			s.TurnPhase == TurnPhaseCompleted && s.TerminalOutcome.Is(TurnTerminalOutcomeCompleted))
}

// RunFailed records that the run failed, in any phase of the turn. With
// MachineTerminalFailureObserved the turn has already recorded why, and the input may
// neither bring a cause of its own nor come without a recorded one that makes sense.
//
// What is recorded is never overwritten, and outcome and cause are filled in
// independently: a turn that had completed keeps the outcome Completed beside the cause
// of the failure. Runtime-internal, chapter 03.
type RunFailed struct {
	RunID                          RunId                         `json:"run_id"`
	RuntimeApplyFailureCause       Opt[RuntimeApplyFailureCause] `json:"runtime_apply_failure_cause"`
	RuntimeApplyFailureMessage     Opt[string]                   `json:"runtime_apply_failure_message"`
	MachineTerminalFailureObserved bool                          `json:"machine_terminal_failure_observed"`
	TerminalFailureSource          Opt[RunFailureSourceKind]     `json:"terminal_failure_source"`
	Error                          string                        `json:"error"`
}

func (in *RunFailed) step(k *Kernel, s *State) {
	switch {
	case k.rule("RunFailed", Running, Running) &&
		k.guard("run_matches_binding", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("runtime_apply_failure_not_machine_terminal_failure",
			!in.MachineTerminalFailureObserved || in.RuntimeApplyFailureCause.IsNone()) &&
		k.guard("machine_terminal_failure_not_raw_source",
			!in.MachineTerminalFailureObserved || in.TerminalFailureSource.IsNone()) &&
		k.guard("machine_terminal_failure_requires_existing_outcome",
			!in.MachineTerminalFailureObserved || s.failureOutcomeRecorded()) &&
		k.guard("machine_terminal_failure_requires_existing_known_cause",
			!in.MachineTerminalFailureObserved || s.failureCauseRecorded()) &&
		k.guard("machine_terminal_failure_existing_outcome_matches_cause",
			!in.MachineTerminalFailureObserved || s.TerminalOutcome.Is(s.TerminalCauseKind.Value().outcome())) &&
		k.guard("terminal_failure_source_known_if_present",
			!in.TerminalFailureSource.Is(RunFailureSourceKindUnknown)):

		s.TurnPhase = TurnPhaseFailed
		s.ExtractionActive = false
		if s.TerminalOutcome.Or(TurnTerminalOutcomeNone) == TurnTerminalOutcomeNone {
			s.TerminalOutcome = Some(in.TerminalFailureSource.Value().cause().outcome())
		}
		if !s.failureCauseRecorded() {
			s.TerminalCauseKind = Some(in.cause())
		}
		s.LastRuntimeApplyFailureCause = in.RuntimeApplyFailureCause
		s.LastRuntimeApplyFailureMessage = in.RuntimeApplyFailureMessage
		s.RuntimeCompletionResultRunID = Some(in.RunID)
		k.emit(TurnRunFailed{
			RunID:             in.RunID,
			TerminalCauseKind: s.TerminalCauseKind.Value(),
			Error:             in.Error,
		})
		k.emit(PostAdmissionSignal{Signal: PostAdmissionSignalKindWakeLoop})
	}
}

// cause is why the run failed, if the turn has not recorded a cause.
func (in *RunFailed) cause() TurnTerminalCauseKind {
	if in.RuntimeApplyFailureCause.IsSome() {
		return TurnTerminalCauseKindRuntimeApplyFailure
	}
	return in.TerminalFailureSource.Value().cause()
}

// failureOutcomeRecorded reports whether the turn has an outcome, and one of a failure.
func (s *TurnState) failureOutcomeRecorded() bool {
	switch s.TerminalOutcome.Or(TurnTerminalOutcomeNone) {
	case TurnTerminalOutcomeNone, TurnTerminalOutcomeCompleted, TurnTerminalOutcomeCancelled:
		return false
	default:
		return true
	}
}

// failureCauseRecorded reports whether the turn has a cause, and a known one.
func (s *TurnState) failureCauseRecorded() bool {
	return s.TerminalCauseKind.Or(TurnTerminalCauseKindUnknown) != TurnTerminalCauseKindUnknown
}

// RunCancelled records that the run was cancelled. It overwrites the outcome of a turn
// that is already over, but not the cause. Runtime-internal, chapter 03.
type RunCancelled struct {
	RunID RunId `json:"run_id"`
}

func (in *RunCancelled) step(k *Kernel, s *State) {
	switch {
	case k.rule("RunCancelled", Running, Running) &&
		k.guard("run_matches_binding", s.CurrentRunID.Is(in.RunID)):

		s.cancelTurn()
		s.RuntimeCompletionResultRunID = Some(in.RunID)
	}
}
