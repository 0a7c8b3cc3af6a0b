package kernel

// Live channels (chapter 04): which channel a session is bound to, and what became of
// refreshes, closes, commands and control requests on it. The session ids here are plain
// keys; they are not compared with the machine's own session.

// ResolveLiveOpenAdmission decides whether a session may open a channel, and binds both
// if so. Every decision counts, refusals too. A bound session is refused even for its own
// channel. Runtime-internal, chapter 04.
type ResolveLiveOpenAdmission struct {
	SessionID   string             `json:"session_id"`
	ChannelID   string             `json:"channel_id"`
	LlmIdentity SessionLlmIdentity `json:"llm_identity"`
}

func (in *ResolveLiveOpenAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveLiveOpenAdmissionAccepted", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("session_not_active", !s.LiveActiveChannelBySession.has(in.SessionID)) &&
		k.guard("channel_not_bound", !s.LiveChannelSessionByChannel.has(in.ChannelID)):

		s.LiveOpenAdmissionSequence++
		s.LiveActiveChannelBySession.put(in.SessionID, in.ChannelID)
		s.LiveChannelSessionByChannel.put(in.ChannelID, in.SessionID)
		s.LiveChannelIdentityByChannel.put(in.ChannelID, in.LlmIdentity)
		k.emit(LiveOpenAdmissionResolved{
			SessionID: in.SessionID, ChannelID: in.ChannelID, BoundLlmIdentity: Some(in.LlmIdentity),
			Admitted: true, Sequence: s.LiveOpenAdmissionSequence,
		})

	case k.rule("ResolveLiveOpenAdmissionSessionAlreadyBound", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("session_active", s.LiveActiveChannelBySession.has(in.SessionID)):

		s.LiveOpenAdmissionSequence++
		k.emit(LiveOpenAdmissionResolved{
			SessionID: in.SessionID, ChannelID: in.ChannelID,
			Admitted: false, Rejection: Some(LiveOpenAdmissionRejectionAlreadyBound), Sequence: s.LiveOpenAdmissionSequence,
		})

	case k.rule("ResolveLiveOpenAdmissionChannelAlreadyBound", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("session_not_active", !s.LiveActiveChannelBySession.has(in.SessionID)) &&
		k.guard("channel_bound", s.LiveChannelSessionByChannel.has(in.ChannelID)):

		s.LiveOpenAdmissionSequence++
		k.emit(LiveOpenAdmissionResolved{
			SessionID: in.SessionID, ChannelID: in.ChannelID,
			Admitted: false, Rejection: Some(LiveOpenAdmissionRejectionChannelAlreadyBound), Sequence: s.LiveOpenAdmissionSequence,
		})

	}
}

// AbandonLiveOpenAdmission takes an admission back whose channel did not come up.
// Runtime-internal, chapter 04.
type AbandonLiveOpenAdmission struct {
	SessionID string `json:"session_id"`
	ChannelID string `json:"channel_id"`
}

func (in *AbandonLiveOpenAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("AbandonLiveOpenAdmission", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("session_binding_matches", holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID)) &&
		k.guard("channel_binding_matches", holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)):

		s.LiveOpenAdmissionSequence++
		s.LiveActiveChannelBySession.del(in.SessionID)
		s.LiveChannelSessionByChannel.del(in.ChannelID)
		s.LiveChannelIdentityByChannel.del(in.ChannelID)
		k.emit(LiveOpenAdmissionAbandoned{SessionID: in.SessionID, ChannelID: in.ChannelID, Sequence: s.LiveOpenAdmissionSequence})
	}
}

// RecordLiveRefreshQueued notes that a refresh of the channel was queued. The evidence
// number must advance. No binding is required. Runtime-internal, chapter 04.
type RecordLiveRefreshQueued struct {
	ChannelID               string `json:"channel_id"`
	QueueAcceptanceSequence uint64 `json:"queue_acceptance_sequence"`
}

func (in *RecordLiveRefreshQueued) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveRefreshQueued", registered5, Stay) &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("queue_acceptance_sequence_present", in.QueueAcceptanceSequence > 0) &&
		k.guard("queue_acceptance_sequence_advances", !s.LiveRefreshQueueAcceptanceSequenceByChannel.has(in.ChannelID) ||
			in.QueueAcceptanceSequence > s.LiveRefreshQueueAcceptanceSequenceByChannel[in.ChannelID]):

		s.LiveRefreshResultSequence++
		s.LiveRefreshQueueAcceptanceSequenceByChannel.put(in.ChannelID, in.QueueAcceptanceSequence)
		s.LiveRefreshStatusByChannel.put(in.ChannelID, LiveRefreshPublicStatusQueued)
		k.emit(LiveRefreshResultResolved{
			ChannelID: in.ChannelID, Status: LiveRefreshPublicStatusQueued,
			Sequence: s.LiveRefreshResultSequence, QueueAcceptanceSequence: in.QueueAcceptanceSequence,
		})
	}
}

// RecordLiveCloseClosed notes that a channel is closed and unbinds it. An unbound or
// closed channel may be closed again as long as the evidence number advances.
// Runtime-internal, chapter 04.
type RecordLiveCloseClosed struct {
	SessionID                string `json:"session_id"`
	ChannelID                string `json:"channel_id"`
	CloseObservationSequence uint64 `json:"close_observation_sequence"`
}

func (in *RecordLiveCloseClosed) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveCloseClosed", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("close_observation_sequence_present", in.CloseObservationSequence > 0) &&
		k.guard("session_binding_matches_if_present", !s.LiveActiveChannelBySession.has(in.SessionID) ||
			s.LiveActiveChannelBySession[in.SessionID] == in.ChannelID) &&
		k.guard("channel_binding_matches_if_present", !s.LiveChannelSessionByChannel.has(in.ChannelID) ||
			s.LiveChannelSessionByChannel[in.ChannelID] == in.SessionID) &&
		k.guard("close_observation_sequence_advances", !s.LiveCloseObservationSequenceByChannel.has(in.ChannelID) ||
			in.CloseObservationSequence > s.LiveCloseObservationSequenceByChannel[in.ChannelID]):

		s.LiveCloseResultSequence++
		s.LiveCloseObservationSequenceByChannel.put(in.ChannelID, in.CloseObservationSequence)
		s.LiveCloseStatusByChannel.put(in.ChannelID, LiveClosePublicStatusClosed)
		s.LiveActiveChannelBySession.del(in.SessionID)
		s.LiveChannelSessionByChannel.del(in.ChannelID)
		s.LiveChannelIdentityByChannel.del(in.ChannelID)
		k.emit(LiveCloseResultResolved{
			ChannelID: in.ChannelID, Status: LiveClosePublicStatusClosed,
			Sequence: s.LiveCloseResultSequence, CloseObservationSequence: in.CloseObservationSequence,
		})
	}
}

// RecordLiveCommandAccepted notes that a command on the channel was accepted. All kinds
// share one evidence number. Runtime-internal, chapter 04.
type RecordLiveCommandAccepted struct {
	ChannelID                 string                `json:"channel_id"`
	Command                   LiveCommandPublicKind `json:"command"`
	CommandAcceptanceSequence uint64                `json:"command_acceptance_sequence"`
}

func (in *RecordLiveCommandAccepted) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveCommandAccepted", registered5, Stay) &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("command_acceptance_sequence_present", in.CommandAcceptanceSequence > 0) &&
		k.guard("command_acceptance_sequence_advances", !s.LiveCommandAcceptanceSequenceByChannel.has(in.ChannelID) ||
			in.CommandAcceptanceSequence > s.LiveCommandAcceptanceSequenceByChannel[in.ChannelID]):

		s.LiveCommandResultSequence++
		s.LiveCommandAcceptanceSequenceByChannel.put(in.ChannelID, in.CommandAcceptanceSequence)
		s.LiveCommandKindByChannel.put(in.ChannelID, in.Command)
		k.emit(LiveCommandResultResolved{
			ChannelID: in.ChannelID, Command: in.Command,
			Sequence: s.LiveCommandResultSequence, CommandAcceptanceSequence: in.CommandAcceptanceSequence,
		})
	}
}

// RecordLiveCommandRejected notes that a command was rejected, and what the public is
// told. Runtime-internal, chapter 04.
type RecordLiveCommandRejected struct {
	ChannelID string                     `json:"channel_id"`
	Command   LiveCommandPublicKind      `json:"command"`
	Rejection LiveCommandRejectionReason `json:"rejection"`
}

func (in *RecordLiveCommandRejected) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveCommandRejected", registered5, Stay) &&
		k.guard("channel_id_present", in.ChannelID != ""):

		s.LiveCommandRejectionSequence++
		s.LiveCommandRejectionReasonByChannel.put(in.ChannelID, in.Rejection)
		s.LiveCommandRejectionPublicErrorClassByChannel.put(in.ChannelID, in.Rejection.publicErrorClass())
		k.emit(LiveCommandRejectionResolved{
			ChannelID: in.ChannelID, Command: in.Command, Rejection: in.Rejection,
			PublicErrorClass: in.Rejection.publicErrorClass(), Sequence: s.LiveCommandRejectionSequence,
		})
	}
}

// RecordLiveChannelRequestRejected notes that a control request was rejected, and what
// the public is told. Runtime-internal, chapter 04.
type RecordLiveChannelRequestRejected struct {
	ChannelID string                            `json:"channel_id"`
	Request   LiveChannelRequestPublicKind      `json:"request"`
	Rejection LiveChannelRequestRejectionReason `json:"rejection"`
}

func (in *RecordLiveChannelRequestRejected) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveChannelRequestRejected", registered5, Stay) &&
		k.guard("channel_id_present", in.ChannelID != ""):

		s.LiveChannelRequestRejectionSequence++
		s.LiveChannelRequestRejectionReasonByChannel.put(in.ChannelID, in.Rejection)
		s.LiveChannelRequestRejectionPublicErrorClassByChannel.put(in.ChannelID, in.Rejection.publicErrorClass())
		k.emit(LiveChannelRequestRejectionResolved{
			ChannelID: in.ChannelID, Request: in.Request, Rejection: in.Rejection,
			PublicErrorClass: in.Rejection.publicErrorClass(), Sequence: s.LiveChannelRequestRejectionSequence,
		})
	}
}

// RecordLiveChannelStatus notes the channel's status. Reason and detail of a degradation
// are passed on and not stored; any status may follow any other. Runtime-internal,
// chapter 04.
type RecordLiveChannelStatus struct {
	ChannelID                 string                            `json:"channel_id"`
	Status                    LiveChannelPublicStatus           `json:"status"`
	StatusObservationSequence uint64                            `json:"status_observation_sequence"`
	DegradationReason         Opt[LiveChannelDegradationReason] `json:"degradation_reason"`
	DegradationDetail         Opt[string]                       `json:"degradation_detail"`
}

func (in *RecordLiveChannelStatus) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveChannelStatus", registered5, Stay) &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("status_observation_sequence_present", in.StatusObservationSequence > 0) &&
		k.guard("status_observation_sequence_advances", !s.LiveChannelStatusObservationSequenceByChannel.has(in.ChannelID) ||
			in.StatusObservationSequence > s.LiveChannelStatusObservationSequenceByChannel[in.ChannelID]) &&
		k.guard("degradation_fields_match_status", in.degradationFits()):

		s.LiveChannelStatusResultSequence++
		s.LiveChannelStatusObservationSequenceByChannel.put(in.ChannelID, in.StatusObservationSequence)
		s.LiveChannelStatusByChannel.put(in.ChannelID, in.Status)
		k.emit(LiveChannelStatusResolved{
			ChannelID: in.ChannelID, Status: in.Status, Sequence: s.LiveChannelStatusResultSequence,
			StatusObservationSequence: in.StatusObservationSequence,
			DegradationReason:         in.DegradationReason, DegradationDetail: in.DegradationDetail,
		})
	}
}

// degradationFits: a degraded channel says why, any other says nothing.
func (in *RecordLiveChannelStatus) degradationFits() bool {
	if in.Status == LiveChannelPublicStatusDegraded {
		return in.DegradationReason.IsSome()
	}
	return in.DegradationReason.IsNone() && in.DegradationDetail.IsNone()
}

// publicErrorClass is what the public is told of a rejected command: that it asked for
// what is not there, or that the host failed.
func (r LiveCommandRejectionReason) publicErrorClass() LiveCommandRejectionPublicErrorClass {
	switch r {
	case LiveCommandRejectionReasonChannelNotFound, LiveCommandRejectionReasonNoAdapter:
		return LiveCommandRejectionPublicErrorClassInvalidParams
	default:
		return LiveCommandRejectionPublicErrorClassInternalError
	}
}

// publicErrorClass is what the public is told of a rejected control request.
func (r LiveChannelRequestRejectionReason) publicErrorClass() LiveChannelRequestRejectionPublicErrorClass {
	if r == LiveChannelRequestRejectionReasonInternalHostError {
		return LiveChannelRequestRejectionPublicErrorClassInternalError
	}
	return LiveChannelRequestRejectionPublicErrorClassInvalidParams
}
