package kernel

// Chapter 01, session lifecycle: what those who wait for a run are told. The three
// inputs ask for verdicts and change nothing; the shell asks them on previews.

// ResolveRuntimeCompletionResult asks how a run ended for those who wait for it. The
// machine believes in the end of a run only if the turn recorded it, except where the
// finalization failed: then the run in progress will do as well. Hence a machine
// terminal with a failed finalization has no verdict, nor has one whose cause is
// unknown. The end of the runtime itself belongs to no run and is the only verdict of a
// destroyed machine. Runtime-internal, chapter 01.
type ResolveRuntimeCompletionResult struct {
	RunID        Opt[RunId]                               `json:"run_id"`
	Terminal     RuntimeCompletionTerminalObservation     `json:"terminal"`
	Finalization RuntimeCompletionFinalizationObservation `json:"finalization"`
}

func (in *ResolveRuntimeCompletionResult) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveRuntimeCompletionResultCompleted", notDestroyed, Stay) &&
		in.recordedAndFinalized(k, s) &&
		k.guard("terminal_run_result", in.Terminal == RuntimeCompletionTerminalObservationRunResult):

		k.emit(in.resolved(s, RuntimeCompletionResultClassCompleted, RuntimeCompletionObservedOutcomeCompleted))

	case k.rule("ResolveRuntimeCompletionResultWithoutResult", notDestroyed, Stay) &&
		in.recordedAndFinalized(k, s) &&
		k.guard("terminal_no_result", in.Terminal == RuntimeCompletionTerminalObservationNoResult):

		k.emit(in.resolved(s, RuntimeCompletionResultClassCompletedWithoutResult, RuntimeCompletionObservedOutcomeCompletedWithoutResult))

	case k.rule("ResolveRuntimeCompletionResultCallbackPending", notDestroyed, Stay) &&
		in.recordedAndFinalized(k, s) &&
		k.guard("terminal_callback_pending", in.Terminal == RuntimeCompletionTerminalObservationCallbackPending):

		k.emit(in.resolved(s, RuntimeCompletionResultClassCallbackPending, RuntimeCompletionObservedOutcomeCallbackPending))

	case k.rule("ResolveRuntimeCompletionResultCancelled", notDestroyed, Stay) &&
		in.recordedAndFinalized(k, s) &&
		k.guard("terminal_machine", in.Terminal == RuntimeCompletionTerminalObservationMachineTerminal) &&
		k.guard("machine_cancelled", s.TerminalOutcome.Is(TurnTerminalOutcomeCancelled)):

		k.emit(in.resolved(s, RuntimeCompletionResultClassCancelled, RuntimeCompletionObservedOutcomeCancelled))

	case k.rule("ResolveRuntimeCompletionResultRuntimeApplyFailed", notDestroyed, Stay) &&
		in.recordedAndFinalized(k, s) &&
		in.machineFailed(k, s) &&
		k.guard("machine_runtime_apply_failed", s.TerminalCauseKind.Is(TurnTerminalCauseKindRuntimeApplyFailure)):

		k.emit(in.resolved(s, RuntimeCompletionResultClassAbandonedWithError, RuntimeCompletionObservedOutcomeRuntimeApplyFailed))

	case k.rule("ResolveRuntimeCompletionResultMachineFailed", notDestroyed, Stay) &&
		in.recordedAndFinalized(k, s) &&
		in.machineFailed(k, s) &&
		k.guard("machine_not_runtime_apply_failed", !s.TerminalCauseKind.Is(TurnTerminalCauseKindRuntimeApplyFailure)):

		k.emit(in.resolved(s, RuntimeCompletionResultClassAbandonedWithError, RuntimeCompletionObservedOutcomeAbandoned))

	case k.rule("ResolveRuntimeCompletionResultFinalizationFailureWithResult", notDestroyed, Stay) &&
		in.knownAndNotFinalized(k, s) &&
		k.guard("terminal_run_result", in.Terminal == RuntimeCompletionTerminalObservationRunResult):

		k.emit(in.resolved(s, RuntimeCompletionResultClassCompletedWithFinalizationFailure, RuntimeCompletionObservedOutcomeFinalizationFailed))

	case k.rule("ResolveRuntimeCompletionResultFinalizationFailureWithoutResult", notDestroyed, Stay) &&
		in.knownAndNotFinalized(k, s) &&
		k.guard("terminal_without_result", in.Terminal == RuntimeCompletionTerminalObservationNoResult ||
			in.Terminal == RuntimeCompletionTerminalObservationCallbackPending):

		k.emit(in.resolved(s, RuntimeCompletionResultClassAbandonedWithError, RuntimeCompletionObservedOutcomeRuntimeApplyFailed))

	case k.rule("ResolveRuntimeCompletionResultRuntimeTerminated", notDestroyed, Stay) &&
		in.runtimeTerminated(k, s):

		k.emit(in.resolved(s, RuntimeCompletionResultClassRuntimeTerminated, RuntimeCompletionObservedOutcomeRuntimeTerminated))

	case k.rule("ResolveRuntimeCompletionResultRuntimeTerminatedDestroyed", Destroyed, Stay) &&
		in.runtimeTerminated(k, s):

		k.emit(in.resolved(s, RuntimeCompletionResultClassRuntimeTerminated, RuntimeCompletionObservedOutcomeRuntimeTerminated))
	}
}

func (in *ResolveRuntimeCompletionResult) recordedAndFinalized(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("run_correlated", in.RunID.IsSome() && s.RuntimeCompletionResultRunID == in.RunID) &&
		k.guard("finalization_succeeded", in.Finalization == RuntimeCompletionFinalizationObservationSucceeded)
}

func (in *ResolveRuntimeCompletionResult) knownAndNotFinalized(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("run_correlated", in.RunID.IsSome() &&
			(s.RuntimeCompletionResultRunID == in.RunID || s.CurrentRunID == in.RunID)) &&
		k.guard("finalization_failed", in.Finalization == RuntimeCompletionFinalizationObservationFailed)
}

func (in *ResolveRuntimeCompletionResult) machineFailed(k *Kernel, s *State) bool {
	return k.guard("terminal_machine", in.Terminal == RuntimeCompletionTerminalObservationMachineTerminal) &&
		k.guard("machine_failed", s.TerminalOutcome.Value().failure()) &&
		k.guard("machine_failure_cause_known", s.failureCauseKnown())
}

func (in *ResolveRuntimeCompletionResult) runtimeTerminated(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("no_run_result", in.RunID.IsNone()) &&
		k.guard("finalization_succeeded", in.Finalization == RuntimeCompletionFinalizationObservationSucceeded) &&
		k.guard("terminal_runtime_terminated", in.Terminal == RuntimeCompletionTerminalObservationRuntimeTerminated)
}

// failure reports whether a turn that ended so did not reach its goal. A cancelled one
// was not to reach it.
func (o TurnTerminalOutcome) failure() bool {
	switch o {
	case TurnTerminalOutcomeFailed, TurnTerminalOutcomeBudgetExhausted,
		TurnTerminalOutcomeTimeBudgetExceeded, TurnTerminalOutcomeStructuredOutputValidationFailed:
		return true
	default:
		return false
	}
}

// resolved is the verdict together with the owner of the run, which comes back later as
// the observation of ResolveRuntimeCompletionCleanup.
func (in *ResolveRuntimeCompletionResult) resolved(
	s *State, class RuntimeCompletionResultClass, outcome RuntimeCompletionObservedOutcome,
) RuntimeCompletionResultResolved {
	return RuntimeCompletionResultResolved{
		SessionID:         s.SessionID.Value(),
		AgentRuntimeID:    s.ActiveRuntimeID,
		FenceToken:        s.ActiveFenceToken,
		RuntimeGeneration: s.ActiveRuntimeGeneration,
		RuntimeEpochID:    s.ActiveRuntimeEpochID,
		RunID:             in.RunID,
		ResultClass:       class,
		CleanupOutcome:    outcome,
	}
}

// ResolveRuntimeCompletionCleanup asks, after an outcome was delivered, whether the
// runtime it came from is to be cleaned up. The observation must still be of the bound
// runtime; the session this machine holds is not consulted. An abandoned or cancelled
// run costs the runtime only if no live session uses it. Runtime-internal, chapter 01.
type ResolveRuntimeCompletionCleanup struct {
	SessionID                    SessionId                               `json:"session_id"`
	ObservationSessionID         SessionId                               `json:"observation_session_id"`
	ObservationAgentRuntimeID    Opt[AgentRuntimeId]                     `json:"observation_agent_runtime_id"`
	ObservationFenceToken        Opt[FenceToken]                         `json:"observation_fence_token"`
	ObservationRuntimeGeneration Opt[Generation]                         `json:"observation_runtime_generation"`
	ObservationRuntimeEpochID    Opt[RuntimeEpochId]                     `json:"observation_runtime_epoch_id"`
	Outcome                      RuntimeCompletionObservedOutcome        `json:"outcome"`
	ArchivedByAuthority          bool                                    `json:"archived_by_authority"`
	LiveSession                  RuntimeCompletionLiveSessionObservation `json:"live_session"`
}

func (in *ResolveRuntimeCompletionCleanup) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveRuntimeCompletionCleanupArchived", notDestroyed, Stay) &&
		in.current(k, s) &&
		k.guard("archived_by_generated_authority", in.ArchivedByAuthority):

		k.emit(in.resolved(RuntimeCompletionCleanupActionCleanupRuntime))

	case k.rule("ResolveRuntimeCompletionCleanupRuntimeTerminated", notDestroyed, Stay) &&
		in.current(k, s) &&
		k.guard("not_archived", !in.ArchivedByAuthority) &&
		k.guard("runtime_terminated", in.Outcome == RuntimeCompletionObservedOutcomeRuntimeTerminated):

		k.emit(in.resolved(RuntimeCompletionCleanupActionCleanupRuntime))

	case k.rule("ResolveRuntimeCompletionCleanupFinalizationFailed", notDestroyed, Stay) &&
		in.current(k, s) &&
		k.guard("not_archived", !in.ArchivedByAuthority) &&
		k.guard("finalization_failed", in.Outcome == RuntimeCompletionObservedOutcomeFinalizationFailed):

		k.emit(in.resolved(RuntimeCompletionCleanupActionCleanupRuntime))

	case k.rule("ResolveRuntimeCompletionCleanupRuntimeApplyFailed", notDestroyed, Stay) &&
		in.current(k, s) &&
		k.guard("not_archived", !in.ArchivedByAuthority) &&
		k.guard("runtime_apply_failed", in.Outcome == RuntimeCompletionObservedOutcomeRuntimeApplyFailed):

		k.emit(in.resolved(RuntimeCompletionCleanupActionCleanupRuntime))

	case k.rule("ResolveRuntimeCompletionCleanupAbandonedWithoutLiveSession", notDestroyed, Stay) &&
		in.current(k, s) &&
		k.guard("not_archived", !in.ArchivedByAuthority) &&
		k.guard("abandoned", in.Outcome == RuntimeCompletionObservedOutcomeAbandoned) &&
		k.guard("live_absent", in.LiveSession == RuntimeCompletionLiveSessionObservationAbsent):

		k.emit(in.resolved(RuntimeCompletionCleanupActionCleanupRuntime))

	case k.rule("ResolveRuntimeCompletionCleanupCancelledWithoutLiveSession", notDestroyed, Stay) &&
		in.current(k, s) &&
		k.guard("not_archived", !in.ArchivedByAuthority) &&
		k.guard("cancelled", in.Outcome == RuntimeCompletionObservedOutcomeCancelled) &&
		k.guard("live_absent", in.LiveSession == RuntimeCompletionLiveSessionObservationAbsent):

		k.emit(in.resolved(RuntimeCompletionCleanupActionCleanupRuntime))

	case k.rule("ResolveRuntimeCompletionCleanupRetain", notDestroyed, Stay) &&
		in.current(k, s) &&
		k.guard("not_archived", !in.ArchivedByAuthority) &&
		k.guard("cleanup_outcome_absent", in.leavesRuntimeUsable()):

		k.emit(in.resolved(RuntimeCompletionCleanupActionRetainRuntime))
	}
}

func (in *ResolveRuntimeCompletionCleanup) current(k *Kernel, s *State) bool {
	return k.guard("observation_matches_session", in.ObservationSessionID == in.SessionID) &&
		k.guard("observation_matches_runtime_binding",
			s.ActiveRuntimeID == in.ObservationAgentRuntimeID &&
				s.ActiveFenceToken == in.ObservationFenceToken &&
				s.ActiveRuntimeGeneration == in.ObservationRuntimeGeneration &&
				s.ActiveRuntimeEpochID == in.ObservationRuntimeEpochID)
}

func (in *ResolveRuntimeCompletionCleanup) leavesRuntimeUsable() bool {
	switch in.Outcome {
	case RuntimeCompletionObservedOutcomeCompleted, RuntimeCompletionObservedOutcomeCompletedWithoutResult,
		RuntimeCompletionObservedOutcomeCallbackPending:
		return true
	case RuntimeCompletionObservedOutcomeAbandoned, RuntimeCompletionObservedOutcomeCancelled:
		return in.LiveSession != RuntimeCompletionLiveSessionObservationAbsent
	default:
		return false
	}
}

func (in *ResolveRuntimeCompletionCleanup) resolved(action RuntimeCompletionCleanupAction) RuntimeCompletionCleanupResolved {
	return RuntimeCompletionCleanupResolved{
		SessionID:          in.SessionID,
		Action:             action,
		PreAdmissionAction: RuntimeCompletionPreAdmissionActionReleasePreAdmission,
	}
}

// ResolveRuntimeCompletionWaitFailure asks what to tell someone whose wait for a run
// broke: an internal error, after which the wait cannot be resumed. Runtime-internal,
// chapter 01.
type ResolveRuntimeCompletionWaitFailure struct {
	SessionID SessionId                               `json:"session_id"`
	Failure   RuntimeCompletionWaitFailureObservation `json:"failure"`
}

func (in *ResolveRuntimeCompletionWaitFailure) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveRuntimeCompletionWaitFailureChannelClosed", notDestroyed, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("session_matches", s.SessionID.Value() == in.SessionID) &&
		k.guard("channel_closed", in.Failure == RuntimeCompletionWaitFailureObservationChannelClosed):

		k.emit(in.resolved(RuntimeCompletionWaitFailurePublicReasonCompletionChannelClosed))

	case k.rule("ResolveRuntimeCompletionWaitFailureAuthorityUnavailable", notDestroyed, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("session_matches", s.SessionID.Value() == in.SessionID) &&
		k.guard("authority_unavailable", in.Failure == RuntimeCompletionWaitFailureObservationAuthorityUnavailable):

		k.emit(in.resolved(RuntimeCompletionWaitFailurePublicReasonCompletionAuthorityUnavailable))
	}
}

func (in *ResolveRuntimeCompletionWaitFailure) resolved(reason RuntimeCompletionWaitFailurePublicReason) RuntimeCompletionWaitFailureResolved {
	return RuntimeCompletionWaitFailureResolved{
		SessionID:          in.SessionID,
		Failure:            in.Failure,
		PreAdmissionAction: RuntimeCompletionPreAdmissionActionReleasePreAdmission,
		PublicErrorClass:   RuntimeCompletionWaitFailurePublicErrorClassInternalError,
		PublicReason:       reason,
		Resumable:          false,
	}
}
