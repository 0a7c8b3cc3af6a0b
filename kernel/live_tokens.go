package kernel

// Tokens of live channels (chapter 04): issued for a bound channel, good once and until
// they expire. WebRTC and WebSocket tokens live in separate tables; the same text may
// stand in both. Tokens stay recorded for ever, and a token that was used wrongly is burnt.

// RecordLiveWebrtcTokenIssued notes a token for a WebRTC answer. Times are milliseconds
// since the epoch. Runtime-internal, chapter 04.
type RecordLiveWebrtcTokenIssued struct {
	SessionID  string `json:"session_id"`
	ChannelID  string `json:"channel_id"`
	Token      string `json:"token"`
	IssuedAtMs uint64 `json:"issued_at_ms"`
	TtlMs      uint64 `json:"ttl_ms"`
}

func (in *RecordLiveWebrtcTokenIssued) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveWebrtcTokenIssued", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("issued_at_present", in.IssuedAtMs > 0) &&
		k.guard("ttl_present", in.TtlMs > 0) &&
		k.guard("session_binding_matches", holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID)) &&
		k.guard("channel_binding_matches", holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("token_not_issued", !s.LiveWebrtcTokenChannelByToken.has(in.Token) && !s.LiveWebrtcConsumedTokens.Has(in.Token)):

		s.LiveWebrtcTokenIssueSequence++
		s.LiveWebrtcTokenChannelByToken.put(in.Token, in.ChannelID)
		s.LiveWebrtcTokenExpiresAtMsByToken.put(in.Token, in.IssuedAtMs+in.TtlMs)
		k.emit(LiveWebrtcTokenIssued{
			SessionID: in.SessionID, ChannelID: in.ChannelID, Token: in.Token,
			ExpiresAtMs: in.IssuedAtMs + in.TtlMs, Sequence: s.LiveWebrtcTokenIssueSequence,
		})
	}
}

// ResolveLiveWebrtcAnswerAdmission decides about an answer that shows a token. What is
// wrong with the token is said before what is wrong with the binding; the instant of
// expiry is still valid. Runtime-internal, chapter 04.
type ResolveLiveWebrtcAnswerAdmission struct {
	SessionID    string `json:"session_id"`
	ChannelID    string `json:"channel_id"`
	Token        string `json:"token"`
	ObservedAtMs uint64 `json:"observed_at_ms"`
}

func (in *ResolveLiveWebrtcAnswerAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveLiveWebrtcAnswerAdmissionAccepted", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("session_binding_matches", holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID)) &&
		k.guard("channel_binding_matches", holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("token_known", s.LiveWebrtcTokenChannelByToken.has(in.Token)) &&
		k.guard("token_not_consumed", !s.LiveWebrtcConsumedTokens.Has(in.Token)) &&
		k.guard("token_channel_matches", holds(s.LiveWebrtcTokenChannelByToken, in.Token, in.ChannelID)) &&
		k.guard("token_not_expired", in.ObservedAtMs <= s.LiveWebrtcTokenExpiresAtMsByToken[in.Token]):

		s.LiveWebrtcAnswerAdmissionSequence++
		s.LiveWebrtcConsumedTokens.add(in.Token)
		k.emit(LiveWebrtcAnswerAdmissionResolved{
			SessionID: in.SessionID, ChannelID: in.ChannelID, Token: in.Token,
			Admitted: true, Sequence: s.LiveWebrtcAnswerAdmissionSequence,
		})

	case k.rule("ResolveLiveWebrtcAnswerAdmissionChannelNotBound", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("binding_missing_or_mismatch", !holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID) ||
			!holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("no_token_state_rejection_pending", !s.LiveWebrtcTokenChannelByToken.has(in.Token) ||
			(holds(s.LiveWebrtcTokenChannelByToken, in.Token, in.ChannelID) && !s.LiveWebrtcConsumedTokens.Has(in.Token) &&
				in.ObservedAtMs <= s.LiveWebrtcTokenExpiresAtMsByToken[in.Token])):

		s.LiveWebrtcAnswerAdmissionSequence++
		k.emit(in.refused(s, LiveWebrtcAnswerAdmissionRejectionChannelNotBound))

	case k.rule("ResolveLiveWebrtcAnswerAdmissionTokenNotFound", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("session_binding_matches", holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID)) &&
		k.guard("channel_binding_matches", holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("token_unknown", !s.LiveWebrtcTokenChannelByToken.has(in.Token)):

		s.LiveWebrtcAnswerAdmissionSequence++
		k.emit(in.refused(s, LiveWebrtcAnswerAdmissionRejectionTokenNotFound))

	case k.rule("ResolveLiveWebrtcAnswerAdmissionTokenAlreadyConsumed", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("token_consumed", s.LiveWebrtcConsumedTokens.Has(in.Token)):

		s.LiveWebrtcAnswerAdmissionSequence++
		k.emit(in.refused(s, LiveWebrtcAnswerAdmissionRejectionTokenAlreadyConsumed))

	case k.rule("ResolveLiveWebrtcAnswerAdmissionTokenChannelMismatch", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("token_known", s.LiveWebrtcTokenChannelByToken.has(in.Token)) &&
		k.guard("token_not_consumed", !s.LiveWebrtcConsumedTokens.Has(in.Token)) &&
		k.guard("token_channel_mismatch", !holds(s.LiveWebrtcTokenChannelByToken, in.Token, in.ChannelID)):

		s.LiveWebrtcAnswerAdmissionSequence++
		s.LiveWebrtcConsumedTokens.add(in.Token)
		k.emit(in.refused(s, LiveWebrtcAnswerAdmissionRejectionTokenChannelMismatch))

	case k.rule("ResolveLiveWebrtcAnswerAdmissionTokenExpired", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("token_known", s.LiveWebrtcTokenChannelByToken.has(in.Token)) &&
		k.guard("token_not_consumed", !s.LiveWebrtcConsumedTokens.Has(in.Token)) &&
		k.guard("token_channel_matches", holds(s.LiveWebrtcTokenChannelByToken, in.Token, in.ChannelID)) &&
		k.guard("token_expired", in.ObservedAtMs > s.LiveWebrtcTokenExpiresAtMsByToken[in.Token]):

		s.LiveWebrtcAnswerAdmissionSequence++
		s.LiveWebrtcConsumedTokens.add(in.Token)
		k.emit(in.refused(s, LiveWebrtcAnswerAdmissionRejectionTokenExpired))

	}
}

func (in *ResolveLiveWebrtcAnswerAdmission) refused(s *State, why LiveWebrtcAnswerAdmissionRejection) LiveWebrtcAnswerAdmissionResolved {
	return LiveWebrtcAnswerAdmissionResolved{
		SessionID: in.SessionID, ChannelID: in.ChannelID, Token: in.Token, Rejection: Some(why),
		PublicErrorClass: Some(LiveChannelRequestRejectionPublicErrorClassInvalidParams), Sequence: s.LiveWebrtcAnswerAdmissionSequence,
	}
}

// RecordLiveWebrtcAnswerAccepted notes that the channel was answered. The machine does
// not require an admission before. Runtime-internal, chapter 04.
type RecordLiveWebrtcAnswerAccepted struct {
	SessionID                 string `json:"session_id"`
	ChannelID                 string `json:"channel_id"`
	AnswerObservationSequence uint64 `json:"answer_observation_sequence"`
}

func (in *RecordLiveWebrtcAnswerAccepted) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveWebrtcAnswerAccepted", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("answer_observation_sequence_present", in.AnswerObservationSequence > 0) &&
		k.guard("session_binding_matches", holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID)) &&
		k.guard("channel_binding_matches", holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("answer_observation_sequence_advances", !s.LiveWebrtcAnswerObservationSequenceByChannel.has(in.ChannelID) ||
			in.AnswerObservationSequence > s.LiveWebrtcAnswerObservationSequenceByChannel[in.ChannelID]):

		s.LiveWebrtcAnswerResultSequence++
		s.LiveWebrtcAnswerObservationSequenceByChannel.put(in.ChannelID, in.AnswerObservationSequence)
		s.LiveWebrtcAnswerStatusByChannel.put(in.ChannelID, LiveWebrtcAnswerPublicStatusAnswered)
		k.emit(LiveWebrtcAnswerResultResolved{
			ChannelID: in.ChannelID, Status: LiveWebrtcAnswerPublicStatusAnswered, Answered: true,
			Sequence: s.LiveWebrtcAnswerResultSequence, AnswerObservationSequence: in.AnswerObservationSequence,
		})
	}
}

// RecordLiveWebsocketTokenIssued notes a token for a WebSocket. Times are milliseconds
// since the epoch. Runtime-internal, chapter 04.
type RecordLiveWebsocketTokenIssued struct {
	SessionID  string `json:"session_id"`
	ChannelID  string `json:"channel_id"`
	Token      string `json:"token"`
	IssuedAtMs uint64 `json:"issued_at_ms"`
	TtlMs      uint64 `json:"ttl_ms"`
}

func (in *RecordLiveWebsocketTokenIssued) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordLiveWebsocketTokenIssued", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("issued_at_present", in.IssuedAtMs > 0) &&
		k.guard("ttl_present", in.TtlMs > 0) &&
		k.guard("session_binding_matches", holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID)) &&
		k.guard("channel_binding_matches", holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("token_not_issued", !s.LiveWebsocketTokenChannelByToken.has(in.Token) && !s.LiveWebsocketConsumedTokens.Has(in.Token)):

		s.LiveWebsocketTokenIssueSequence++
		s.LiveWebsocketTokenChannelByToken.put(in.Token, in.ChannelID)
		s.LiveWebsocketTokenExpiresAtMsByToken.put(in.Token, in.IssuedAtMs+in.TtlMs)
		k.emit(LiveWebsocketTokenIssued{
			SessionID: in.SessionID, ChannelID: in.ChannelID, Token: in.Token,
			ExpiresAtMs: in.IssuedAtMs + in.TtlMs, Sequence: s.LiveWebsocketTokenIssueSequence,
		})
	}
}

// ResolveLiveWebsocketTokenAdmission decides about a WebSocket that shows a token, as
// [ResolveLiveWebrtcAnswerAdmission] does, except that "not bound" is also said when no
// session is named. Runtime-internal, chapter 04.
type ResolveLiveWebsocketTokenAdmission struct {
	SessionID    string `json:"session_id"`
	ChannelID    string `json:"channel_id"`
	Token        string `json:"token"`
	ObservedAtMs uint64 `json:"observed_at_ms"`
}

func (in *ResolveLiveWebsocketTokenAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveLiveWebsocketTokenAdmissionAccepted", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("session_binding_matches", holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID)) &&
		k.guard("channel_binding_matches", holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("token_known", s.LiveWebsocketTokenChannelByToken.has(in.Token)) &&
		k.guard("token_not_consumed", !s.LiveWebsocketConsumedTokens.Has(in.Token)) &&
		k.guard("token_channel_matches", holds(s.LiveWebsocketTokenChannelByToken, in.Token, in.ChannelID)) &&
		k.guard("token_not_expired", in.ObservedAtMs <= s.LiveWebsocketTokenExpiresAtMsByToken[in.Token]):

		s.LiveWebsocketTokenAdmissionSequence++
		s.LiveWebsocketConsumedTokens.add(in.Token)
		k.emit(LiveWebsocketTokenAdmissionResolved{
			SessionID: in.SessionID, ChannelID: in.ChannelID, Token: in.Token,
			Admitted: true, Sequence: s.LiveWebsocketTokenAdmissionSequence,
		})

	case k.rule("ResolveLiveWebsocketTokenAdmissionChannelNotBound", registered5, Stay) &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("binding_missing_or_mismatch", !holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID) ||
			!holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("no_token_state_rejection_pending", !s.LiveWebsocketTokenChannelByToken.has(in.Token) ||
			(holds(s.LiveWebsocketTokenChannelByToken, in.Token, in.ChannelID) && !s.LiveWebsocketConsumedTokens.Has(in.Token) &&
				in.ObservedAtMs <= s.LiveWebsocketTokenExpiresAtMsByToken[in.Token])):

		s.LiveWebsocketTokenAdmissionSequence++
		k.emit(in.refused(s, LiveWebsocketTokenAdmissionRejectionChannelNotBound))

	case k.rule("ResolveLiveWebsocketTokenAdmissionTokenNotFound", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("session_binding_matches", holds(s.LiveActiveChannelBySession, in.SessionID, in.ChannelID)) &&
		k.guard("channel_binding_matches", holds(s.LiveChannelSessionByChannel, in.ChannelID, in.SessionID)) &&
		k.guard("token_unknown", !s.LiveWebsocketTokenChannelByToken.has(in.Token)):

		s.LiveWebsocketTokenAdmissionSequence++
		k.emit(in.refused(s, LiveWebsocketTokenAdmissionRejectionTokenNotFound))

	case k.rule("ResolveLiveWebsocketTokenAdmissionTokenAlreadyConsumed", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("token_consumed", s.LiveWebsocketConsumedTokens.Has(in.Token)):

		s.LiveWebsocketTokenAdmissionSequence++
		k.emit(in.refused(s, LiveWebsocketTokenAdmissionRejectionTokenAlreadyConsumed))

	case k.rule("ResolveLiveWebsocketTokenAdmissionTokenChannelMismatch", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("token_known", s.LiveWebsocketTokenChannelByToken.has(in.Token)) &&
		k.guard("token_not_consumed", !s.LiveWebsocketConsumedTokens.Has(in.Token)) &&
		k.guard("token_channel_mismatch", !holds(s.LiveWebsocketTokenChannelByToken, in.Token, in.ChannelID)):

		s.LiveWebsocketTokenAdmissionSequence++
		s.LiveWebsocketConsumedTokens.add(in.Token)
		k.emit(in.refused(s, LiveWebsocketTokenAdmissionRejectionTokenChannelMismatch))

	case k.rule("ResolveLiveWebsocketTokenAdmissionTokenExpired", registered5, Stay) &&
		k.guard("session_id_present", in.SessionID != "") &&
		k.guard("channel_id_present", in.ChannelID != "") &&
		k.guard("token_present", in.Token != "") &&
		k.guard("observed_at_present", in.ObservedAtMs > 0) &&
		k.guard("token_known", s.LiveWebsocketTokenChannelByToken.has(in.Token)) &&
		k.guard("token_not_consumed", !s.LiveWebsocketConsumedTokens.Has(in.Token)) &&
		k.guard("token_channel_matches", holds(s.LiveWebsocketTokenChannelByToken, in.Token, in.ChannelID)) &&
		k.guard("token_expired", in.ObservedAtMs > s.LiveWebsocketTokenExpiresAtMsByToken[in.Token]):

		s.LiveWebsocketTokenAdmissionSequence++
		s.LiveWebsocketConsumedTokens.add(in.Token)
		k.emit(in.refused(s, LiveWebsocketTokenAdmissionRejectionTokenExpired))

	}
}

func (in *ResolveLiveWebsocketTokenAdmission) refused(s *State, why LiveWebsocketTokenAdmissionRejection) LiveWebsocketTokenAdmissionResolved {
	return LiveWebsocketTokenAdmissionResolved{
		SessionID: in.SessionID, ChannelID: in.ChannelID, Token: in.Token, Rejection: Some(why),
		PublicErrorClass: Some(LiveWebsocketTokenAdmissionPublicErrorClassInvalidToken), Sequence: s.LiveWebsocketTokenAdmissionSequence,
	}
}
