package kernel

// Chapter 01, session lifecycle: the deferred-session slot. A session that is staged but
// not yet built lives on a machine of its own, which never leaves Initializing.

// StageDeferredSession puts a session into the slot. Keeping a session alive without a
// comms name would keep something nobody can reach, so it is refused. Runtime-internal,
// chapter 01.
type StageDeferredSession struct {
	SessionID                       SessionId          `json:"session_id"`
	KeepAlive                       bool               `json:"keep_alive"`
	HasCommsName                    bool               `json:"has_comms_name"`
	LlmIdentity                     SessionLlmIdentity `json:"llm_identity"`
	MachineArchivedResumeAuthorized bool               `json:"machine_archived_resume_authorized"`
}

func (in *StageDeferredSession) step(k *Kernel, s *State) {
	switch {
	case k.rule("StageDeferredSession", Initializing, Initializing) &&
		k.guard("not_already_staged", s.StagedSessionPhase == StagedSessionPhaseNotStaged) &&
		k.guard("no_staged_session_id", s.StagedSessionID.IsNone()) &&
		k.guard("keep_alive_requires_comms_name", !in.KeepAlive || in.HasCommsName):

		s.StagedSessionPhase = StagedSessionPhaseStaged
		s.StagedSessionID = Some(in.SessionID)
		s.StagedSessionKeepAlive = Some(in.KeepAlive)
		s.StagedSessionLlmIdentity = Some(in.LlmIdentity)
		s.StagedSessionMachineArchivedResumeAuthorized = in.MachineArchivedResumeAuthorized
	}
}

// UpdateDeferredSessionKeepAlive changes whether the session in the slot is kept alive.
// Runtime-internal, chapter 01.
type UpdateDeferredSessionKeepAlive struct {
	SessionID    SessionId `json:"session_id"`
	KeepAlive    bool      `json:"keep_alive"`
	HasCommsName bool      `json:"has_comms_name"`
}

func (in *UpdateDeferredSessionKeepAlive) step(k *Kernel, s *State) {
	switch {
	case k.rule("UpdateDeferredSessionKeepAlive", Initializing, Initializing) &&
		k.guard("staged_or_promoting", s.StagedSessionPhase.open()) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)) &&
		k.guard("keep_alive_requires_comms_name", !in.KeepAlive || in.HasCommsName):

		s.StagedSessionKeepAlive = Some(in.KeepAlive)
	}
}

// open reports whether a slot in the phase can still be changed.
func (p StagedSessionPhase) open() bool {
	return p == StagedSessionPhaseStaged || p == StagedSessionPhasePromoting
}

// UpdateDeferredSessionLlmIdentity changes the model the session in the slot will talk
// to. Runtime-internal, chapter 01.
type UpdateDeferredSessionLlmIdentity struct {
	SessionID   SessionId          `json:"session_id"`
	LlmIdentity SessionLlmIdentity `json:"llm_identity"`
}

func (in *UpdateDeferredSessionLlmIdentity) step(k *Kernel, s *State) {
	switch {
	case k.rule("UpdateDeferredSessionLlmIdentity", Initializing, Initializing) &&
		k.guard("staged_or_promoting", s.StagedSessionPhase.open()) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.StagedSessionLlmIdentity = Some(in.LlmIdentity)
	}
}

// BeginDeferredSessionPromotion starts to build the staged session. Runtime-internal,
// chapter 01.
type BeginDeferredSessionPromotion struct {
	SessionID SessionId `json:"session_id"`
}

func (in *BeginDeferredSessionPromotion) step(k *Kernel, s *State) {
	switch {
	case k.rule("BeginDeferredSessionPromotion", Initializing, Initializing) &&
		k.guard("staged", s.StagedSessionPhase == StagedSessionPhaseStaged) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.StagedSessionPhase = StagedSessionPhasePromoting
	}
}

// AuthorizeDeferredSessionSystemContextAppend asks whether system context may still be
// added to the session in the slot. Runtime-internal, chapter 01.
type AuthorizeDeferredSessionSystemContextAppend struct {
	SessionID SessionId `json:"session_id"`
}

func (in *AuthorizeDeferredSessionSystemContextAppend) step(k *Kernel, s *State) {
	switch {
	case k.rule("AuthorizeDeferredSessionSystemContextAppendStaged", Initializing, Initializing) &&
		k.guard("staged", s.StagedSessionPhase == StagedSessionPhaseStaged) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

	case k.rule("AuthorizeDeferredSessionSystemContextAppendPromoting", Initializing, Initializing) &&
		k.guard("promoting", s.StagedSessionPhase == StagedSessionPhasePromoting) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):
	}
}

// AuthorizeDeferredSessionMachineArchivedResume lets the promotion under way resume a
// session the machine archived. Runtime-internal, chapter 01.
type AuthorizeDeferredSessionMachineArchivedResume struct {
	SessionID SessionId `json:"session_id"`
}

func (in *AuthorizeDeferredSessionMachineArchivedResume) step(k *Kernel, s *State) {
	switch {
	case k.rule("AuthorizeDeferredSessionMachineArchivedResume", Initializing, Initializing) &&
		k.guard("promoting", s.StagedSessionPhase == StagedSessionPhasePromoting) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.StagedSessionMachineArchivedResumeAuthorized = true
	}
}

// AbandonDeferredSessionPromotion puts the session back into the slot. An authorisation
// to resume that was given meanwhile is not taken back. Runtime-internal, chapter 01.
type AbandonDeferredSessionPromotion struct {
	SessionID SessionId `json:"session_id"`
}

func (in *AbandonDeferredSessionPromotion) step(k *Kernel, s *State) {
	switch {
	case k.rule("AbandonDeferredSessionPromotion", Initializing, Initializing) &&
		k.guard("promoting", s.StagedSessionPhase == StagedSessionPhasePromoting) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.StagedSessionPhase = StagedSessionPhaseStaged
	}
}

// FinishDeferredSessionPromotion empties the slot: the session is live elsewhere now.
// Runtime-internal, chapter 01.
type FinishDeferredSessionPromotion struct {
	SessionID SessionId `json:"session_id"`
}

func (in *FinishDeferredSessionPromotion) step(k *Kernel, s *State) {
	switch {
	case k.rule("FinishDeferredSessionPromotion", Initializing, Initializing) &&
		k.guard("promoting", s.StagedSessionPhase == StagedSessionPhasePromoting) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.clearStaged()
	}
}

// BeginDeferredSessionArchive starts to archive the staged session. Runtime-internal,
// chapter 01.
type BeginDeferredSessionArchive struct {
	SessionID SessionId `json:"session_id"`
}

func (in *BeginDeferredSessionArchive) step(k *Kernel, s *State) {
	switch {
	case k.rule("BeginDeferredSessionArchive", Initializing, Initializing) &&
		k.guard("staged", s.StagedSessionPhase == StagedSessionPhaseStaged) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.StagedSessionPhase = StagedSessionPhaseClosing
	}
}

// RestoreDeferredSessionArchive puts the session back into the slot after archiving
// failed. Runtime-internal, chapter 01.
type RestoreDeferredSessionArchive struct {
	SessionID SessionId `json:"session_id"`
}

func (in *RestoreDeferredSessionArchive) step(k *Kernel, s *State) {
	switch {
	case k.rule("RestoreDeferredSessionArchive", Initializing, Initializing) &&
		k.guard("closing", s.StagedSessionPhase == StagedSessionPhaseClosing) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.StagedSessionPhase = StagedSessionPhaseStaged
	}
}

// FinishDeferredSessionArchive empties the slot: the session is archived.
// Runtime-internal, chapter 01.
type FinishDeferredSessionArchive struct {
	SessionID SessionId `json:"session_id"`
}

func (in *FinishDeferredSessionArchive) step(k *Kernel, s *State) {
	switch {
	case k.rule("FinishDeferredSessionArchive", Initializing, Initializing) &&
		k.guard("closing", s.StagedSessionPhase == StagedSessionPhaseClosing) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.clearStaged()
	}
}

// DropDeferredSession empties the slot whatever is going on in it. Runtime-internal,
// chapter 01.
type DropDeferredSession struct {
	SessionID SessionId `json:"session_id"`
}

func (in *DropDeferredSession) step(k *Kernel, s *State) {
	switch {
	case k.rule("DropDeferredSessionStaged", Initializing, Initializing) &&
		k.guard("staged", s.StagedSessionPhase == StagedSessionPhaseStaged) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.clearStaged()

	case k.rule("DropDeferredSessionPromoting", Initializing, Initializing) &&
		k.guard("promoting", s.StagedSessionPhase == StagedSessionPhasePromoting) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.clearStaged()

	case k.rule("DropDeferredSessionClosing", Initializing, Initializing) &&
		k.guard("closing", s.StagedSessionPhase == StagedSessionPhaseClosing) &&
		k.guard("session_matches", s.StagedSessionID.Is(in.SessionID)):

		s.clearStaged()
	}
}

// clearStaged is CLEAR_STAGED of the chapter.
func (s *State) clearStaged() {
	s.StagedSessionPhase = StagedSessionPhaseNotStaged
	s.StagedSessionID = None[SessionId]()
	s.StagedSessionKeepAlive = None[bool]()
	s.StagedSessionLlmIdentity = None[SessionLlmIdentity]()
	s.StagedSessionMachineArchivedResumeAuthorized = false
}
