package kernel

// Chapter 01, session lifecycle: a runtime is retired, set back, recovered or destroyed.

// Retire closes the session to new work; what is queued may still be done. The session
// named is not compared. A run in progress stays recorded, but its ends need Running, so
// only Reset, a stop, UnregisterSession or Destroy let go of it properly. Public command,
// also routed from a mob, chapter 01.
type Retire struct {
	SessionID SessionId `json:"session_id"`
}

func (in *Retire) step(k *Kernel, s *State) {
	switch {
	case k.rule("RetireRequestedFromIdle", live3, Retired) &&
		k.guard("runtime_binding_present", s.ActiveRuntimeID.IsSome() && s.ActiveFenceToken.IsSome()):

		s.RuntimeStopDeferred = false
		k.emit(RuntimeRetired{AgentRuntimeID: s.ActiveRuntimeID.Value(), FenceToken: s.ActiveFenceToken.Value()})

	case k.rule("RetireRequestedFromIdleUnbound", live3, Retired) &&
		k.guard("runtime_binding_absent", s.ActiveRuntimeID.IsNone() || s.ActiveFenceToken.IsNone()):

		s.RuntimeStopDeferred = false

	case k.rule("RetireAlreadyRetired", Retired, Retired) &&
		k.guard("runtime_binding_present", s.ActiveRuntimeID.IsSome() && s.ActiveFenceToken.IsSome()):

		k.emit(RuntimeRetired{AgentRuntimeID: s.ActiveRuntimeID.Value(), FenceToken: s.ActiveFenceToken.Value()})

	case k.rule("RetireAlreadyRetiredUnbound", Retired, Retired) &&
		k.guard("runtime_binding_absent", s.ActiveRuntimeID.IsNone() || s.ActiveFenceToken.IsNone()):
	}
}

// Reset returns a runtime at rest to Idle. Of the binding only the fence goes, so that
// the same runtime can be bound again with a new one; the session and the executor's
// registration stay. Public command, chapter 01.
type Reset struct{}

func (in *Reset) step(k *Kernel, s *State) {
	switch {
	case k.rule("Reset", Initializing|Idle|Attached|Retired, Idle):

		s.CurrentRunID = None[RunId]()
		s.ActiveFenceToken = None[FenceToken]()
		s.PreRunPhase = None[PreRunPhase]()
		s.RuntimeStopDeferred = false
		s.SilentIntentOverrides = nil
		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindReset, Detail: "runtime reset"})
	}
}

// Recycle lets go of the runtime so that another can take the session. The phase
// remembered for the end of a run is not cleared with the run: recycling a session that
// was retired while running breaks an invariant (reducer semantics 8). Public command,
// chapter 01.
type Recycle struct{}

func (in *Recycle) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecycleFromIdleOrRetired", Idle|Retired, Idle) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.clearBinding()
		s.CurrentRunID = None[RunId]()
		k.emit(InitiateRecycle{})

	case k.rule("RecycleFromAttached", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.clearBinding()
		s.CurrentRunID = None[RunId]()
		k.emit(InitiateRecycle{})
	}
}

// Recover announces that a runtime at rest was recovered. The recovery itself is
// RecoverRuntimeAuthority, on a fresh machine. Public command, chapter 01.
type Recover struct{}

func (in *Recover) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecoverInitializing", Initializing, Initializing):

		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindRecover, Detail: "runtime recovered"})

	case k.rule("RecoverIdle", Idle, Idle):

		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindRecover, Detail: "runtime recovered"})

	case k.rule("RecoverAttached", Attached, Attached):

		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindRecover, Detail: "runtime recovered"})

	case k.rule("RecoverRetired", Retired, Retired):

		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindRecover, Detail: "runtime recovered"})

	case k.rule("RecoverStopped", Stopped, Stopped):

		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindRecover, Detail: "runtime recovered"})
	}
}

// RecoverRuntimeAuthority puts a fresh machine where a durable record says the session
// was. A run is demanded where the phase has one and forbidden where it has none, and a
// binding must be whole: no leg without a runtime, no runtime without an identity.
// Runtime-internal, chapter 01.
type RecoverRuntimeAuthority struct {
	SessionID             SessionId                     `json:"session_id"`
	State                 RuntimeLifecycleObservedState `json:"state"`
	AgentRuntimeID        Opt[AgentRuntimeId]           `json:"agent_runtime_id"`
	FenceToken            Opt[FenceToken]               `json:"fence_token"`
	RuntimeGeneration     Opt[Generation]               `json:"runtime_generation"`
	RuntimeEpochID        Opt[RuntimeEpochId]           `json:"runtime_epoch_id"`
	CurrentRunID          Opt[RunId]                    `json:"current_run_id"`
	PreRunPhase           Opt[PreRunPhase]              `json:"pre_run_phase"`
	SilentIntentOverrides Set[string]                   `json:"silent_intent_overrides"`
}

func (in *RecoverRuntimeAuthority) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecoverRuntimeAuthorityInitializing", Initializing, Initializing) &&
		k.guard("observed_initializing", in.State == RuntimeLifecycleObservedStateInitializing) &&
		k.guard("no_run_binding", in.CurrentRunID.IsNone() && in.PreRunPhase.IsNone()) &&
		in.bindingWhole(k):

		in.recover(s)

	case k.rule("RecoverRuntimeAuthorityIdle", Initializing, Idle) &&
		k.guard("observed_idle", in.State == RuntimeLifecycleObservedStateIdle) &&
		k.guard("no_run_binding", in.CurrentRunID.IsNone() && in.PreRunPhase.IsNone()) &&
		in.bindingWhole(k):

		in.recover(s)

	case k.rule("RecoverRuntimeAuthorityAttached", Initializing, Attached) &&
		k.guard("observed_attached", in.State == RuntimeLifecycleObservedStateAttached) &&
		k.guard("no_run_binding", in.CurrentRunID.IsNone() && in.PreRunPhase.IsNone()) &&
		in.bindingWhole(k):

		in.recover(s)

	case k.rule("RecoverRuntimeAuthorityRunning", Initializing, Running) &&
		k.guard("observed_running", in.State == RuntimeLifecycleObservedStateRunning) &&
		k.guard("run_binding_complete", in.CurrentRunID.IsSome() && in.PreRunPhase.IsSome()) &&
		in.bindingWhole(k):

		in.recover(s)

	case k.rule("RecoverRuntimeAuthorityRetired", Initializing, Retired) &&
		k.guard("observed_retired", in.State == RuntimeLifecycleObservedStateRetired) &&
		k.guard("run_binding_pair", in.CurrentRunID.IsSome() == in.PreRunPhase.IsSome()) &&
		in.bindingWhole(k):

		in.recover(s)

	case k.rule("RecoverRuntimeAuthorityStopped", Initializing, Stopped) &&
		k.guard("observed_stopped", in.State == RuntimeLifecycleObservedStateStopped) &&
		k.guard("no_run_binding", in.CurrentRunID.IsNone() && in.PreRunPhase.IsNone()) &&
		in.bindingWhole(k):

		in.recover(s)

	case k.rule("RecoverRuntimeAuthorityDestroyed", Initializing, Destroyed) &&
		k.guard("observed_destroyed", in.State == RuntimeLifecycleObservedStateDestroyed) &&
		k.guard("no_run_binding", in.CurrentRunID.IsNone() && in.PreRunPhase.IsNone()) &&
		in.bindingWhole(k):

		in.recover(s)
	}
}

func (in *RecoverRuntimeAuthority) bindingWhole(k *Kernel) bool {
	return k.guard("fence_requires_runtime", in.FenceToken.IsNone() || in.AgentRuntimeID.IsSome()) &&
		k.guard("generation_requires_runtime", in.RuntimeGeneration.IsNone() || in.AgentRuntimeID.IsSome()) &&
		k.guard("epoch_requires_runtime", in.RuntimeEpochID.IsNone() || in.AgentRuntimeID.IsSome()) &&
		k.guard("binding_identity_present_when_runtime_bound",
			in.AgentRuntimeID.IsNone() || in.RuntimeGeneration.IsSome() || in.RuntimeEpochID.IsSome())
}

func (in *RecoverRuntimeAuthority) recover(s *State) {
	s.SessionID = Some(in.SessionID)
	s.ActiveRuntimeID = in.AgentRuntimeID
	s.ActiveFenceToken = in.FenceToken
	s.ActiveRuntimeGeneration = in.RuntimeGeneration
	s.ActiveRuntimeEpochID = in.RuntimeEpochID
	s.CurrentRunID = in.CurrentRunID
	s.PreRunPhase = in.PreRunPhase
	s.RuntimeStopDeferred = false
	s.SilentIntentOverrides = in.SilentIntentOverrides.Clone()
}

// Destroy ends the machine for good. The session named is not compared. Outside
// Initializing no binding is needed; a missing one is announced by its zero values.
// Session and binding stay readable. Public command, also routed from a mob, chapter 01.
type Destroy struct {
	SessionID SessionId `json:"session_id"`
}

func (in *Destroy) step(k *Kernel, s *State) {
	switch {
	case k.rule("DestroyInitializing", Initializing, Destroyed) &&
		k.guard("runtime_is_bound", s.ActiveRuntimeID.IsSome()):

		s.endRuntime()
		k.emit(RuntimeDestroyed{AgentRuntimeID: s.ActiveRuntimeID.Value(), FenceToken: s.ActiveFenceToken.Value()})

	case k.rule("Destroy", registered5, Destroyed):

		s.endRuntime()
		s.UnregisterRuntimeLoopDrainPending = false
		s.UnregisterCommsDrainExitPending = false
		s.UnregisterCompletionWaiterDrainPending = false
		s.UnregisterTeardownRetainsSnapshot = false
		k.emit(RuntimeDestroyed{AgentRuntimeID: s.ActiveRuntimeID.Value(), FenceToken: s.ActiveFenceToken.Value()})
	}
}

func (s *State) endRuntime() {
	s.clearRun()
	s.RuntimeStopDeferred = false
	s.SilentIntentOverrides = nil
	s.RegistrationPhase = RegistrationPhaseQueuing
}
