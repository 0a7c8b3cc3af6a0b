package kernel

// Chapter 01, session lifecycle: stopping the executor and interrupting its run.

// StopRuntimeExecutor asks the executor to stop. Where one may be at work the stop is
// deferred until it reports its exit; elsewhere nothing is awaited. Public command,
// chapter 01.
type StopRuntimeExecutor struct {
	Reason string `json:"reason"`
}

func (in *StopRuntimeExecutor) step(k *Kernel, s *State) {
	switch {
	case k.rule("StopRuntimeExecutorInitializing", Initializing, Initializing):

		s.stopWithoutExecutor()
		in.requestStop(k, "runtime executor stop requested")

	case k.rule("StopRuntimeExecutorIdle", Idle, Idle):

		s.stopWithoutExecutor()
		in.requestStop(k, "runtime executor stop requested")

	case k.rule("StopRuntimeExecutorRetired", Retired, Retired):

		s.stopWithoutExecutor()
		in.requestStop(k, "runtime executor stop requested")

	case k.rule("StopRuntimeExecutorAttached", Attached, Attached):

		s.RuntimeStopDeferred = true
		s.SilentIntentOverrides = nil
		in.requestStop(k, "runtime executor stopped")

	case k.rule("StopRuntimeExecutorRunning", Running, Running):

		s.RuntimeStopDeferred = s.CurrentRunID.IsSome()
		s.SilentIntentOverrides = nil
		in.requestStop(k, "runtime executor stopped")
	}
}

func (s *State) stopWithoutExecutor() {
	s.clearRun()
	s.RuntimeStopDeferred = false
	s.SilentIntentOverrides = nil
}

func (in *StopRuntimeExecutor) requestStop(k *Kernel, detail string) {
	k.emit(RuntimeNotice{Kind: RuntimeNoticeKindStop, Detail: detail})
	k.emit(RuntimeEffectFact{Kind: RuntimeEffectKindStopRuntimeExecutor, Reason: in.Reason})
}

// RuntimeExecutorExited reports that the executor is gone: the runtime is stopped, but a
// retired one stays retired. The registration falls back, except that of a session that
// is leaving, which must still meet its obligations. Runtime-internal, chapter 01.
type RuntimeExecutorExited struct{}

func (in *RuntimeExecutorExited) step(k *Kernel, s *State) {
	switch {
	case k.rule("RuntimeExecutorExitedFromAttached", Attached, Stopped):

		s.clearRun()
		s.RuntimeStopDeferred = false
		s.SilentIntentOverrides = nil
		s.releaseExecutor()
		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindExit, Detail: "runtime executor exited"})

	case k.rule("RuntimeExecutorExitedFromRunning", Running, Stopped):

		s.clearRun()
		s.RuntimeStopDeferred = false
		s.SilentIntentOverrides = nil
		s.releaseExecutor()
		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindExit, Detail: "runtime executor exited"})

	case k.rule("RuntimeExecutorExitedFromIdle", Idle, Stopped):

		s.RuntimeStopDeferred = false
		s.SilentIntentOverrides = nil
		s.releaseExecutor()
		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindExit, Detail: "runtime executor exited"})

	case k.rule("RuntimeExecutorExitedFromRetired", Retired, Retired):

		s.clearRun()
		s.RuntimeStopDeferred = false
		s.SilentIntentOverrides = nil
		s.releaseExecutor()
		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindExit, Detail: "runtime executor exited"})

	case k.rule("RuntimeExecutorExitedFromStopped", Stopped, Stopped):

		s.RuntimeStopDeferred = false
		s.releaseExecutor()
	}
}

// releaseExecutor is REG_Q of the chapter.
func (s *State) releaseExecutor() {
	if s.RegistrationPhase != RegistrationPhaseDraining {
		s.RegistrationPhase = RegistrationPhaseQueuing
	}
}

// InterruptCurrentRun breaks into the run in progress. It enters only by the interrupt
// path of the shell; no command may stage it. Runtime-internal, chapter 01.
type InterruptCurrentRun struct{}

func (in *InterruptCurrentRun) step(k *Kernel, s *State) {
	switch {
	case k.rule("InterruptCurrentRunAttached", Attached, Attached):

		k.emit(WakeInterrupt{})
		k.emit(RequestCancellationAtBoundary{})

	case k.rule("InterruptCurrentRun", Running, Running):

		k.emit(WakeInterrupt{})
		k.emit(RequestCancellationAtBoundary{})
	}
}

// CancelAfterBoundary asks the executor to end the run at the next boundary. Public
// command, chapter 01.
type CancelAfterBoundary struct {
	Reason string `json:"reason"`
}

func (in *CancelAfterBoundary) step(k *Kernel, s *State) {
	switch {
	case k.rule("CancelAfterBoundaryAttached", Attached, Attached):

		k.emit(RequestCancellationAtBoundary{})
		k.emit(RuntimeEffectFact{Kind: RuntimeEffectKindCancelAfterBoundary, Reason: in.Reason})

	case k.rule("CancelAfterBoundary", Running, Running):

		k.emit(RequestCancellationAtBoundary{})
		k.emit(RuntimeEffectFact{Kind: RuntimeEffectKindCancelAfterBoundary, Reason: in.Reason})
	}
}

// ResolveUserInterruptPublicResult turns what an interrupt met into what its user is
// told. Nothing to interrupt counts as interrupted; a session on its way from staged to
// live is busy, unless the interrupt was accepted. It reads nothing of the state.
// Runtime-internal, chapter 01.
type ResolveUserInterruptPublicResult struct {
	Observation         UserInterruptObservationKind `json:"observation"`
	TargetPresent       bool                         `json:"target_present"`
	StagedPromotionBusy bool                         `json:"staged_promotion_busy"`
}

func (in *ResolveUserInterruptPublicResult) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveUserInterruptPublicResultAccepted", notDestroyed, Stay) &&
		k.guard("accepted", in.Observation == UserInterruptObservationKindAccepted):

		k.emit(UserInterruptPublicResultResolved{Result: UserInterruptPublicResultKindInterrupted})

	case k.rule("ResolveUserInterruptPublicResultNoop", notDestroyed, Stay) &&
		k.guard("not_promoting", !in.StagedPromotionBusy) &&
		k.guard("noop_state",
			in.Observation == UserInterruptObservationKindIdleNoop || in.Observation == UserInterruptObservationKindAttachedNoop):

		k.emit(UserInterruptPublicResultResolved{Result: UserInterruptPublicResultKindInterrupted})

	case k.rule("ResolveUserInterruptPublicResultStagedNoop", notDestroyed, Stay) &&
		k.guard("not_promoting", !in.StagedPromotionBusy) &&
		k.guard("staged_noop_state", in.Observation == UserInterruptObservationKindStagedNoop):

		k.emit(UserInterruptPublicResultResolved{Result: UserInterruptPublicResultKindStagedNoop})

	case k.rule("ResolveUserInterruptPublicResultDestroyedPresent", notDestroyed, Stay) &&
		k.guard("not_promoting", !in.StagedPromotionBusy) &&
		k.guard("destroyed", in.Observation == UserInterruptObservationKindDestroyed) &&
		k.guard("target_present", in.TargetPresent):

		k.emit(UserInterruptPublicResultResolved{Result: UserInterruptPublicResultKindInterrupted})

	case k.rule("ResolveUserInterruptPublicResultDestroyedMissing", notDestroyed, Stay) &&
		k.guard("not_promoting", !in.StagedPromotionBusy) &&
		k.guard("destroyed", in.Observation == UserInterruptObservationKindDestroyed) &&
		k.guard("target_missing", !in.TargetPresent):

		k.emit(UserInterruptPublicResultResolved{Result: UserInterruptPublicResultKindNotFound})

	case k.rule("ResolveUserInterruptPublicResultPromotingConflict", notDestroyed, Stay) &&
		k.guard("not_accepted", in.Observation != UserInterruptObservationKindAccepted) &&
		k.guard("promoting", in.StagedPromotionBusy):

		k.emit(UserInterruptPublicResultResolved{Result: UserInterruptPublicResultKindSessionBusy})

	case k.rule("ResolveUserInterruptPublicResultNotInterruptibleConflict", notDestroyed, Stay) &&
		k.guard("not_promoting", !in.StagedPromotionBusy) &&
		k.guard("not_interruptible", in.Observation == UserInterruptObservationKindNotInterruptible):

		k.emit(UserInterruptPublicResultResolved{Result: UserInterruptPublicResultKindConflict})
	}
}
