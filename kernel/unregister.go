package kernel

// Chapter 01, session lifecycle: a session leaves, in two steps. The first opens three
// obligations, the shell reports each one met, and only then the second is accepted.

// BeginUnregisterSession closes the session to new executors and opens the three
// obligations. The caller names the whole binding it saw, so that nobody tears down a
// session that was bound anew meanwhile. Where the teardown begins decides what becomes
// of the durable records: those of a retired or stopped session stay. Runtime-internal,
// chapter 01.
type BeginUnregisterSession struct {
	SessionID      SessionId           `json:"session_id"`
	AgentRuntimeID Opt[AgentRuntimeId] `json:"agent_runtime_id"`
	FenceToken     Opt[FenceToken]     `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
}

func (in *BeginUnregisterSession) step(k *Kernel, s *State) {
	switch {
	case k.rule("BeginUnregisterSession", live3, Stay) &&
		bindingObserved(k, s, (*UnregisterSession)(in)) &&
		k.guard("not_already_draining", s.RegistrationPhase != RegistrationPhaseDraining):

		s.openDrainObligations()
		s.UnregisterTeardownRetainsSnapshot = false
		in.requestDrain(k)

	case k.rule("BeginUnregisterSessionRetainsSnapshot", Retired|Stopped, Stay) &&
		bindingObserved(k, s, (*UnregisterSession)(in)) &&
		k.guard("not_already_draining", s.RegistrationPhase != RegistrationPhaseDraining):

		s.openDrainObligations()
		s.UnregisterTeardownRetainsSnapshot = true
		in.requestDrain(k)
	}
}

func (s *State) openDrainObligations() {
	s.RegistrationPhase = RegistrationPhaseDraining
	s.UnregisterRuntimeLoopDrainPending = true
	s.UnregisterCommsDrainExitPending = true
	s.UnregisterCompletionWaiterDrainPending = true
}

func (in *BeginUnregisterSession) requestDrain(k *Kernel) {
	k.emit(RequestRuntimeLoopStopForUnregister{SessionID: in.SessionID})
	k.emit(RequestCommsDrainExitForUnregister{SessionID: in.SessionID})
	k.emit(RequestCompletionWaiterResolutionForUnregister{SessionID: in.SessionID})
}

// bindingObserved is BIND_OBS of the chapter: the session and every leg of its binding
// are as the caller saw them; an absent leg matches only an absent one.
func bindingObserved(k *Kernel, s *State, in *UnregisterSession) bool {
	return k.guard("session_matches_current", s.SessionID.Is(in.SessionID)) &&
		k.guard("runtime_binding_matches_observation", s.ActiveRuntimeID == in.AgentRuntimeID) &&
		k.guard("fence_binding_matches_observation", s.ActiveFenceToken == in.FenceToken) &&
		k.guard("generation_binding_matches_observation", s.ActiveRuntimeGeneration == in.Generation) &&
		k.guard("epoch_binding_matches_observation", s.ActiveRuntimeEpochID == in.RuntimeEpochID)
}

// RuntimeLoopStoppedForUnregister reports that the worker loop is gone.
// Runtime-internal, chapter 01.
type RuntimeLoopStoppedForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (in *RuntimeLoopStoppedForUnregister) step(k *Kernel, s *State) {
	switch {
	case k.rule("RuntimeLoopStoppedForUnregister", registered5, Stay) &&
		k.guard("session_matches_current", s.SessionID.Is(in.SessionID)) &&
		k.guard("unregister_draining", s.RegistrationPhase == RegistrationPhaseDraining) &&
		k.guard("obligation_open", s.UnregisterRuntimeLoopDrainPending):

		s.UnregisterRuntimeLoopDrainPending = false
	}
}

// CommsDrainExitedForUnregister reports that the comms drain is gone, or was given up.
// Runtime-internal, chapter 01.
type CommsDrainExitedForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (in *CommsDrainExitedForUnregister) step(k *Kernel, s *State) {
	switch {
	case k.rule("CommsDrainExitedForUnregister", registered5, Stay) &&
		k.guard("session_matches_current", s.SessionID.Is(in.SessionID)) &&
		k.guard("unregister_draining", s.RegistrationPhase == RegistrationPhaseDraining) &&
		k.guard("obligation_open", s.UnregisterCommsDrainExitPending):

		s.UnregisterCommsDrainExitPending = false
		if s.DrainPhase == DrainPhaseRunning {
			s.DrainPhase = DrainPhaseStopped
		}
	}
}

// CompletionWaitersResolvedForUnregister reports that nobody waits for a run of the
// session any more. Runtime-internal, chapter 01.
type CompletionWaitersResolvedForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (in *CompletionWaitersResolvedForUnregister) step(k *Kernel, s *State) {
	switch {
	case k.rule("CompletionWaitersResolvedForUnregister", registered5, Stay) &&
		k.guard("session_matches_current", s.SessionID.Is(in.SessionID)) &&
		k.guard("unregister_draining", s.RegistrationPhase == RegistrationPhaseDraining) &&
		k.guard("obligation_open", s.UnregisterCompletionWaiterDrainPending):

		s.UnregisterCompletionWaiterDrainPending = false
	}
}

// UnregisterSession ends the teardown: session, binding and run are forgotten and the
// machine is Idle, ready for another session. A deferred stop stays and then breaks an
// invariant (reducer semantics 8). Public command, chapter 01.
type UnregisterSession struct {
	SessionID      SessionId           `json:"session_id"`
	AgentRuntimeID Opt[AgentRuntimeId] `json:"agent_runtime_id"`
	FenceToken     Opt[FenceToken]     `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
}

func (in *UnregisterSession) step(k *Kernel, s *State) {
	switch {
	case k.rule("UnregisterSessionIdle", Idle, Idle) && bindingObserved(k, s, in) && drained(k, s):

		s.forgetSession()

	case k.rule("UnregisterSessionAttached", Attached, Idle) && bindingObserved(k, s, in) && drained(k, s):

		s.forgetSession()

	case k.rule("UnregisterSessionRunning", Running, Idle) && bindingObserved(k, s, in) && drained(k, s):

		s.forgetSession()

	case k.rule("UnregisterSessionRetired", Retired, Idle) && bindingObserved(k, s, in) && drained(k, s):

		s.forgetSession()

	case k.rule("UnregisterSessionStopped", Stopped, Idle) && bindingObserved(k, s, in) && drained(k, s):

		s.forgetSession()
	}
}

// drained: the teardown has begun and all its obligations are met.
func drained(k *Kernel, s *State) bool {
	return k.guard("unregister_draining", s.RegistrationPhase == RegistrationPhaseDraining) &&
		k.guard("runtime_loop_drained", !s.UnregisterRuntimeLoopDrainPending) &&
		k.guard("comms_drain_exited", !s.UnregisterCommsDrainExitPending) &&
		k.guard("completion_waiters_drained", !s.UnregisterCompletionWaiterDrainPending)
}

func (s *State) forgetSession() {
	s.SessionID = None[SessionId]()
	s.clearBinding()
	s.clearRun()
	s.clearLlm()
	s.RegistrationPhase = RegistrationPhaseQueuing
	s.UnregisterTeardownRetainsSnapshot = false
}

// ResolveRuntimeOpsLifecycleDurability asks whether the durable records of a leaving
// session stay. The verdict is where the teardown began, whatever the phase is now; the
// question may also be asked before any teardown. Runtime-internal, chapter 01.
type ResolveRuntimeOpsLifecycleDurability struct {
	SessionID      SessionId           `json:"session_id"`
	AgentRuntimeID Opt[AgentRuntimeId] `json:"agent_runtime_id"`
	FenceToken     Opt[FenceToken]     `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
}

func (in *ResolveRuntimeOpsLifecycleDurability) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveRuntimeOpsLifecycleDurabilityIdle", Idle, Idle) &&
		bindingObserved(k, s, (*UnregisterSession)(in)):

		k.emit(in.resolved(s))

	case k.rule("ResolveRuntimeOpsLifecycleDurabilityAttached", Attached, Attached) &&
		bindingObserved(k, s, (*UnregisterSession)(in)):

		k.emit(in.resolved(s))

	case k.rule("ResolveRuntimeOpsLifecycleDurabilityRunning", Running, Running) &&
		bindingObserved(k, s, (*UnregisterSession)(in)):

		k.emit(in.resolved(s))

	case k.rule("ResolveRuntimeOpsLifecycleDurabilityRetired", Retired, Retired) &&
		bindingObserved(k, s, (*UnregisterSession)(in)):

		k.emit(in.resolved(s))

	case k.rule("ResolveRuntimeOpsLifecycleDurabilityStopped", Stopped, Stopped) &&
		bindingObserved(k, s, (*UnregisterSession)(in)):

		k.emit(in.resolved(s))
	}
}

func (in *ResolveRuntimeOpsLifecycleDurability) resolved(s *State) RuntimeOpsLifecycleDurabilityResolved {
	action := RuntimeOpsLifecycleDurabilityActionDeleteSnapshot
	if s.UnregisterTeardownRetainsSnapshot {
		action = RuntimeOpsLifecycleDurabilityActionRetainSnapshot
	}
	return RuntimeOpsLifecycleDurabilityResolved{
		SessionID:      in.SessionID,
		AgentRuntimeID: in.AgentRuntimeID,
		FenceToken:     in.FenceToken,
		Generation:     in.Generation,
		RuntimeEpochID: in.RuntimeEpochID,
		Action:         action,
	}
}
