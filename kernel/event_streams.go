package kernel

// RPC event streams (chapter 04): streams of a session's or a mob's events that a remote
// reader opened. A stream id is usable once in the life of the machine.

// RecordSessionEventStreamOpened notes that a stream of a session's events was opened.
// Runtime-internal, chapter 04.
type RecordSessionEventStreamOpened struct {
	StreamID  string `json:"stream_id"`
	SessionID string `json:"session_id"`
}

func (in *RecordSessionEventStreamOpened) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordSessionEventStreamOpened", registered5, Stay) &&
		k.guard("stream_id_present", in.StreamID != "") &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("stream_not_active", !s.ActiveSessionEventStreams.Has(in.StreamID)) &&
		k.guard("stream_not_closed", !s.ClosedSessionEventStreams.Has(in.StreamID)):

		s.SessionEventStreamOpenResultSequence++
		s.ActiveSessionEventStreams.add(in.StreamID)
		s.SessionEventStreamSessionIDs.put(in.StreamID, in.SessionID)
		k.emit(SessionEventStreamOpenResolved{StreamID: in.StreamID, SessionID: in.SessionID, Opened: true, Sequence: s.SessionEventStreamOpenResultSequence})
	}
}

// RecordSessionEventStreamTerminated notes that a stream ended by itself: its transport did,
// or its reader fell behind or went away. Runtime-internal, chapter 04.
type RecordSessionEventStreamTerminated struct {
	StreamID    string                                `json:"stream_id"`
	Observation RpcEventStreamTerminalObservationKind `json:"observation"`
	Detail      Opt[string]                           `json:"detail"`
}

func (in *RecordSessionEventStreamTerminated) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordSessionEventStreamTerminated", registered5, Stay) &&
		k.guard("stream_id_present", in.StreamID != "") &&
		k.guard("stream_active", s.ActiveSessionEventStreams.Has(in.StreamID)) &&
		k.guard("session_binding_recorded", s.SessionEventStreamSessionIDs.has(in.StreamID)) &&
		k.guard("terminal_detail_matches_observation", in.Observation.fits(in.Detail)):

		s.SessionEventStreamTerminalSequence++
		s.ActiveSessionEventStreams.del(in.StreamID)
		s.ClosedSessionEventStreams.add(in.StreamID)
		k.emit(SessionEventStreamTerminalResolved{
			StreamID: in.StreamID, SessionID: s.SessionEventStreamSessionIDs[in.StreamID],
			Reason:    in.Observation.reason(),
			ErrorCode: in.Observation.errorCode(), Detail: in.Detail, Sequence: s.SessionEventStreamTerminalSequence,
		})
	}
}

// ResolveSessionEventStreamClose closes a stream at its reader's wish. Closing one that was
// never opened is refused; there is no effect that says so. Runtime-internal, chapter 04.
type ResolveSessionEventStreamClose struct {
	StreamID string `json:"stream_id"`
}

func (in *ResolveSessionEventStreamClose) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveSessionEventStreamCloseActive", registered5, Stay) &&
		k.guard("stream_id_present", in.StreamID != "") &&
		k.guard("stream_active", s.ActiveSessionEventStreams.Has(in.StreamID)) &&
		k.guard("session_binding_recorded", s.SessionEventStreamSessionIDs.has(in.StreamID)):

		s.SessionEventStreamCloseResultSequence++
		s.SessionEventStreamTerminalSequence++
		s.ActiveSessionEventStreams.del(in.StreamID)
		s.ClosedSessionEventStreams.add(in.StreamID)
		k.emit(SessionEventStreamCloseResolved{StreamID: in.StreamID, Closed: true, Sequence: s.SessionEventStreamCloseResultSequence})
		k.emit(SessionEventStreamTerminalResolved{
			StreamID: in.StreamID, SessionID: s.SessionEventStreamSessionIDs[in.StreamID],
			Reason:   RpcEventStreamTerminalReasonExplicitClose,
			Sequence: s.SessionEventStreamTerminalSequence,
		})

	case k.rule("ResolveSessionEventStreamCloseAlreadyClosed", registered5, Stay) &&
		k.guard("stream_id_present", in.StreamID != "") &&
		k.guard("stream_not_active", !s.ActiveSessionEventStreams.Has(in.StreamID)) &&
		k.guard("stream_closed", s.ClosedSessionEventStreams.Has(in.StreamID)):

		s.SessionEventStreamCloseResultSequence++
		k.emit(SessionEventStreamCloseResolved{
			StreamID: in.StreamID, Closed: true, AlreadyClosed: true, Sequence: s.SessionEventStreamCloseResultSequence,
		})

	}
}

// RecordMobEventStreamOpened notes that a stream of a mob's events was opened.
// Runtime-internal, chapter 04.
type RecordMobEventStreamOpened struct {
	StreamID string `json:"stream_id"`
}

func (in *RecordMobEventStreamOpened) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordMobEventStreamOpened", registered5, Stay) &&
		k.guard("stream_id_present", in.StreamID != "") &&
		k.guard("stream_not_active", !s.ActiveMobEventStreams.Has(in.StreamID)) &&
		k.guard("stream_not_closed", !s.ClosedMobEventStreams.Has(in.StreamID)):

		s.MobEventStreamOpenResultSequence++
		s.ActiveMobEventStreams.add(in.StreamID)
		k.emit(MobEventStreamOpenResolved{StreamID: in.StreamID, Opened: true, Sequence: s.MobEventStreamOpenResultSequence})
	}
}

// RecordMobEventStreamTerminated notes that a stream ended by itself: its transport did,
// or its reader fell behind or went away. Runtime-internal, chapter 04.
type RecordMobEventStreamTerminated struct {
	StreamID    string                                `json:"stream_id"`
	Observation RpcEventStreamTerminalObservationKind `json:"observation"`
	Detail      Opt[string]                           `json:"detail"`
}

func (in *RecordMobEventStreamTerminated) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordMobEventStreamTerminated", registered5, Stay) &&
		k.guard("stream_id_present", in.StreamID != "") &&
		k.guard("stream_active", s.ActiveMobEventStreams.Has(in.StreamID)) &&
		k.guard("terminal_detail_matches_observation", in.Observation.fits(in.Detail)):

		s.MobEventStreamTerminalSequence++
		s.ActiveMobEventStreams.del(in.StreamID)
		s.ClosedMobEventStreams.add(in.StreamID)
		k.emit(MobEventStreamTerminalResolved{
			StreamID: in.StreamID, Reason: in.Observation.reason(),
			ErrorCode: in.Observation.errorCode(), Detail: in.Detail, Sequence: s.MobEventStreamTerminalSequence,
		})
	}
}

// ResolveMobEventStreamClose closes a stream at its reader's wish. Closing one that was
// never opened is refused; there is no effect that says so. Runtime-internal, chapter 04.
type ResolveMobEventStreamClose struct {
	StreamID string `json:"stream_id"`
}

func (in *ResolveMobEventStreamClose) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveMobEventStreamCloseActive", registered5, Stay) &&
		k.guard("stream_id_present", in.StreamID != "") &&
		k.guard("stream_active", s.ActiveMobEventStreams.Has(in.StreamID)):

		s.MobEventStreamCloseResultSequence++
		s.MobEventStreamTerminalSequence++
		s.ActiveMobEventStreams.del(in.StreamID)
		s.ClosedMobEventStreams.add(in.StreamID)
		k.emit(MobEventStreamCloseResolved{StreamID: in.StreamID, Closed: true, Sequence: s.MobEventStreamCloseResultSequence})
		k.emit(MobEventStreamTerminalResolved{
			StreamID: in.StreamID, Reason: RpcEventStreamTerminalReasonExplicitClose,
			Sequence: s.MobEventStreamTerminalSequence,
		})

	case k.rule("ResolveMobEventStreamCloseAlreadyClosed", registered5, Stay) &&
		k.guard("stream_id_present", in.StreamID != "") &&
		k.guard("stream_not_active", !s.ActiveMobEventStreams.Has(in.StreamID)) &&
		k.guard("stream_closed", s.ClosedMobEventStreams.Has(in.StreamID)):

		s.MobEventStreamCloseResultSequence++
		k.emit(MobEventStreamCloseResolved{
			StreamID: in.StreamID, Closed: true, AlreadyClosed: true, Sequence: s.MobEventStreamCloseResultSequence,
		})

	}
}

// fits: a stream whose transport ended has nothing more to say; any other end has a
// detail.
func (o RpcEventStreamTerminalObservationKind) fits(detail Opt[string]) bool {
	return (o == RpcEventStreamTerminalObservationKindTransportEnded) == detail.IsNone()
}

func (o RpcEventStreamTerminalObservationKind) reason() RpcEventStreamTerminalReason {
	if o == RpcEventStreamTerminalObservationKindTransportEnded {
		return RpcEventStreamTerminalReasonRemoteEnd
	}
	return RpcEventStreamTerminalReasonTerminalError
}

func (o RpcEventStreamTerminalObservationKind) errorCode() Opt[RpcEventStreamTerminalErrorCode] {
	switch o {
	case RpcEventStreamTerminalObservationKindNotificationQueueOverflow:
		return Some(RpcEventStreamTerminalErrorCodeStreamQueueOverflow)
	case RpcEventStreamTerminalObservationKindNotificationReceiverGone:
		return Some(RpcEventStreamTerminalErrorCodeStreamReceiverGone)
	default:
		return None[RpcEventStreamTerminalErrorCode]()
	}
}
