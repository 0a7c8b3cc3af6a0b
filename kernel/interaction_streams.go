package kernel

// Chapter 06, interaction streams: the channels on which a caller follows one interaction.
// A stream is reserved, attached by its consumer, and gone once it ends; its id is then
// free again. The shell owns the time a reservation lives.
//
// As with peer requests, observations of an unregistered session are accepted and do
// nothing.

// InteractionStreamReserved records a stream nobody reads yet. Runtime-internal,
// chapter 06.
type InteractionStreamReserved struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamReserved) step(k *Kernel, s *State) {
	switch {
	case k.rule("InteractionStreamReserved", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("not_reserved", !s.ReservedInteractionStreams.Has(in.CorrID)) &&
		k.guard("not_attached", !s.AttachedInteractionStreams.Has(in.CorrID)):

		s.ReservedInteractionStreams.add(in.CorrID)
		k.emit(InteractionStreamStateChanged{CorrID: in.CorrID, NewState: InteractionStreamStateReserved})

	case k.rule("InteractionStreamReservedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// InteractionStreamAttached records that the consumer of a reserved stream is there.
// Runtime-internal, chapter 06.
type InteractionStreamAttached struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamAttached) step(k *Kernel, s *State) {
	switch {
	case k.rule("InteractionStreamAttached", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("is_reserved", s.ReservedInteractionStreams.Has(in.CorrID)):

		s.ReservedInteractionStreams.del(in.CorrID)
		s.AttachedInteractionStreams.add(in.CorrID)
		k.emit(InteractionStreamStateChanged{CorrID: in.CorrID, NewState: InteractionStreamStateAttached})

	case k.rule("InteractionStreamAttachedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// InteractionStreamCompleted records that a stream has delivered its end. A stream that is
// only reserved cannot be completed. Runtime-internal, chapter 06.
type InteractionStreamCompleted struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamCompleted) step(k *Kernel, s *State) {
	switch {
	case k.rule("InteractionStreamCompleted", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("is_attached", s.AttachedInteractionStreams.Has(in.CorrID)):

		s.AttachedInteractionStreams.del(in.CorrID)
		k.emit(InteractionStreamStateChanged{CorrID: in.CorrID, NewState: InteractionStreamStateCompleted})
		k.emit(InteractionStreamCleanup{CorrID: in.CorrID})

	case k.rule("InteractionStreamCompletedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// InteractionStreamExpired records that no consumer came in time. Runtime-internal,
// chapter 06.
type InteractionStreamExpired struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamExpired) step(k *Kernel, s *State) {
	switch {
	case k.rule("InteractionStreamExpired", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("is_reserved", s.ReservedInteractionStreams.Has(in.CorrID)):

		s.ReservedInteractionStreams.del(in.CorrID)
		k.emit(InteractionStreamStateChanged{CorrID: in.CorrID, NewState: InteractionStreamStateExpired})
		k.emit(InteractionStreamCleanup{CorrID: in.CorrID})

	case k.rule("InteractionStreamExpiredAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// InteractionStreamClosedEarly records that the consumer went away before the end.
// Runtime-internal, chapter 06.
type InteractionStreamClosedEarly struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamClosedEarly) step(k *Kernel, s *State) {
	switch {
	case k.rule("InteractionStreamClosedEarly", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("is_attached", s.AttachedInteractionStreams.Has(in.CorrID)):

		s.AttachedInteractionStreams.del(in.CorrID)
		k.emit(InteractionStreamStateChanged{CorrID: in.CorrID, NewState: InteractionStreamStateClosedEarly})
		k.emit(InteractionStreamCleanup{CorrID: in.CorrID})

	case k.rule("InteractionStreamClosedEarlyAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}
