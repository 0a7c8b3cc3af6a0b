package kernel

// Chapter 01, session lifecycle: a session and its executor become known.

// Initialize ends the birth of a machine: nothing but this, Reset and recovery leads out
// of Initializing. Signal, chapter 01.
type Initialize struct{}

func (*Initialize) signal() {}

func (in *Initialize) step(k *Kernel, s *State) {
	switch {
	case k.rule("Initialize", Initializing, Idle):
	}
}

// RegisterSession binds the machine to a session. Another session than the present one
// replaces it and loses what was known of its model, but the runtime binding, the run
// and the executor stay. Public command, chapter 01.
type RegisterSession struct {
	SessionID SessionId `json:"session_id"`
}

func (in *RegisterSession) step(k *Kernel, s *State) {
	switch {
	case k.rule("RegisterSession", registered5, Stay) &&
		k.guard("new_session_binding", !s.SessionID.Is(in.SessionID)):

		s.SessionID = Some(in.SessionID)
		s.clearLlm()

	case k.rule("RegisterSessionIdempotent", registered5, Stay) &&
		k.guard("same_session_binding", s.SessionID.Is(in.SessionID)):
	}
}

// EnsureSessionWithExecutor claims the worker loop of the session. The session named is
// not compared, and none needs to be registered. Retired and Stopped accept the claim
// without granting it, even while the session is leaving: the caller sees by
// registration_phase that it has no executor. Public command, chapter 01.
type EnsureSessionWithExecutor struct {
	SessionID SessionId `json:"session_id"`
}

func (in *EnsureSessionWithExecutor) step(k *Kernel, s *State) {
	switch {
	case k.rule("EnsureSessionWithExecutorIdle", Idle, Attached) &&
		k.guard("not_draining", s.RegistrationPhase != RegistrationPhaseDraining):

		s.RegistrationPhase = RegistrationPhaseActive

	case k.rule("EnsureSessionWithExecutorAttached", Attached, Attached) &&
		k.guard("not_draining", s.RegistrationPhase != RegistrationPhaseDraining):

		s.RegistrationPhase = RegistrationPhaseActive
		s.RuntimeStopDeferred = false

	case k.rule("EnsureSessionWithExecutorRunning", Running, Running) &&
		k.guard("not_draining", s.RegistrationPhase != RegistrationPhaseDraining):

		s.RegistrationPhase = RegistrationPhaseActive

	case k.rule("EnsureSessionWithExecutorRetired", Retired, Retired):

	case k.rule("EnsureSessionWithExecutorStopped", Stopped, Stopped):
	}
}

// SetSilentIntents replaces the peer request intents that are accepted without a turn.
// The session named is not compared; a stopped runtime accepts the list and ignores it.
// Public command, chapter 01.
type SetSilentIntents struct {
	SessionID SessionId   `json:"session_id"`
	Intents   Set[string] `json:"intents"`
}

func (in *SetSilentIntents) step(k *Kernel, s *State) {
	switch {
	case k.rule("SetSilentIntentsIdle", Idle, Idle) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.SilentIntentOverrides = in.Intents.Clone()

	case k.rule("SetSilentIntentsAttached", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.SilentIntentOverrides = in.Intents.Clone()

	case k.rule("SetSilentIntentsRunning", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.SilentIntentOverrides = in.Intents.Clone()

	case k.rule("SetSilentIntentsRetired", Retired, Retired) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.SilentIntentOverrides = in.Intents.Clone()

	case k.rule("SetSilentIntentsStopped", Stopped, Stopped) &&
		k.guard("session_registered", s.SessionID.IsSome()):
	}
}

// Abort asks whether the comms drain of a session may be aborted; the shell does it.
// Public command, chapter 01.
type Abort struct {
	SessionID SessionId `json:"session_id"`
}

func (in *Abort) step(k *Kernel, s *State) {
	switch {
	case k.rule("Abort", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):
	}
}

// Wait asks whether the comms drain of a session may be waited for. Public command,
// chapter 01.
type Wait struct {
	SessionID SessionId `json:"session_id"`
}

func (in *Wait) step(k *Kernel, s *State) {
	switch {
	case k.rule("Wait", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):
	}
}

// AbortAll asks the same as Abort for every session there may be, so no registration is
// needed. Public command, chapter 01.
type AbortAll struct{}

func (in *AbortAll) step(k *Kernel, s *State) {
	switch {
	case k.rule("AbortAll", registered5, Stay):
	}
}

// EnsureDrainRunning asks for the task that drains comms into the session. Signal,
// chapter 01.
type EnsureDrainRunning struct{}

func (*EnsureDrainRunning) signal() {}

func (in *EnsureDrainRunning) step(k *Kernel, s *State) {
	switch {
	case k.rule("EnsureDrainRunningAttached", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		k.emit(SpawnDrainTask{})

	case k.rule("EnsureDrainRunningRunning", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		k.emit(SpawnDrainTask{})
	}
}
