package kernel

// Chapter 01, session lifecycle: which runtime instance owns the session.

// PrepareBindings binds a runtime instance to the session. A leg of the binding that is
// present can be repeated but neither changed nor dropped, and absent ones be added:
// Reset clears the fence, Recycle and UnregisterSession clear all. A new binding leads
// from Idle to Attached without making an executor registered; repeating the exact one
// does nothing. One of generation and epoch must be given, since a runtime without
// either cannot be told from its successor. Public command, also routed from a mob,
// chapter 01.
type PrepareBindings struct {
	AgentRuntimeID AgentRuntimeId      `json:"agent_runtime_id"`
	FenceToken     FenceToken          `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
	SessionID      SessionId           `json:"session_id"`
}

func (in *PrepareBindings) step(k *Kernel, s *State) {
	switch {
	case k.rule("PrepareBindingsIdempotent", notDestroyed, Stay) &&
		k.guard("session_matches_current", s.SessionID.Is(in.SessionID)) &&
		k.guard("runtime_binding_exact", s.ActiveRuntimeID.Is(in.AgentRuntimeID)) &&
		k.guard("fence_binding_exact", s.ActiveFenceToken.Is(in.FenceToken)) &&
		k.guard("generation_binding_exact", s.ActiveRuntimeGeneration == in.Generation) &&
		k.guard("epoch_binding_exact", s.ActiveRuntimeEpochID == in.RuntimeEpochID) &&
		k.guard("typed_binding_identity_present", in.Generation.IsSome() || in.RuntimeEpochID.IsSome()):

	case k.rule("PrepareBindingsInitializing", Initializing, Initializing) && in.bindable(k, s):

		in.bind(k, s)

	case k.rule("PrepareBindingsIdle", Idle, Attached) && in.bindable(k, s):

		in.bind(k, s)

	case k.rule("PrepareBindingsAttached", Attached, Attached) && in.bindable(k, s):

		in.bind(k, s)

	case k.rule("PrepareBindingsRunning", Running, Running) && in.bindable(k, s):

		in.bind(k, s)

	case k.rule("PrepareBindingsRetired", Retired, Retired) && in.bindable(k, s):

		in.bind(k, s)

	case k.rule("PrepareBindingsStopped", Stopped, Stopped) && in.bindable(k, s):

		in.bind(k, s)
	}
}

func (in *PrepareBindings) bindable(k *Kernel, s *State) bool {
	return k.guard("session_matches_current", s.SessionID.Is(in.SessionID)) &&
		k.guard("runtime_binding_absent_or_same",
			s.ActiveRuntimeID.IsNone() || s.ActiveRuntimeID.Is(in.AgentRuntimeID)) &&
		k.guard("fence_binding_absent_or_same",
			s.ActiveFenceToken.IsNone() || s.ActiveFenceToken.Is(in.FenceToken)) &&
		k.guard("generation_binding_absent_or_same",
			s.ActiveRuntimeGeneration.IsNone() || s.ActiveRuntimeGeneration == in.Generation) &&
		k.guard("epoch_binding_absent_or_same",
			s.ActiveRuntimeEpochID.IsNone() || s.ActiveRuntimeEpochID == in.RuntimeEpochID) &&
		k.guard("typed_binding_identity_present", in.Generation.IsSome() || in.RuntimeEpochID.IsSome()) &&
		k.guard("runtime_binding_not_already_exact", !in.bound(s))
}

// bound reports whether the binding is exactly the one given.
func (in *PrepareBindings) bound(s *State) bool {
	return s.ActiveRuntimeID.Is(in.AgentRuntimeID) &&
		s.ActiveFenceToken.Is(in.FenceToken) &&
		s.ActiveRuntimeGeneration == in.Generation &&
		s.ActiveRuntimeEpochID == in.RuntimeEpochID
}

func (in *PrepareBindings) bind(k *Kernel, s *State) {
	s.ActiveRuntimeID = Some(in.AgentRuntimeID)
	s.ActiveFenceToken = Some(in.FenceToken)
	s.ActiveRuntimeGeneration = in.Generation
	s.ActiveRuntimeEpochID = in.RuntimeEpochID
	k.emit(RuntimeBound{AgentRuntimeID: in.AgentRuntimeID, FenceToken: in.FenceToken})
}

func (s *State) clearBinding() {
	s.ActiveRuntimeID = None[AgentRuntimeId]()
	s.ActiveFenceToken = None[FenceToken]()
	s.ActiveRuntimeGeneration = None[Generation]()
	s.ActiveRuntimeEpochID = None[RuntimeEpochId]()
}
