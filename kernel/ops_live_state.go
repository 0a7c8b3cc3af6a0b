package kernel

// OpsState is the part of the state that chapter 04 owns.
type OpsState struct {
	// DrainPhase: drain task state.
	DrainPhase DrainPhase `json:"drain_phase"`
	// DrainMode: mode of the last spawn; kept after stop.
	DrainMode Opt[DrainMode] `json:"drain_mode"`
	// OpStatuses: status per tracked op; its key set defines "tracked".
	OpStatuses Map[string, OperationStatus] `json:"op_statuses"`
	// OpCompletionSeq: completion number once terminal.
	OpCompletionSeq Map[string, uint64] `json:"op_completion_seq"`
	// CompletionSequenceClaims: all completion numbers ever handed out or recovered; never
	// shrinks.
	CompletionSequenceClaims Set[uint64] `json:"completion_sequence_claims"`
	// CompletionFeedSequences: feed row: completion number; survives evict/collect.
	CompletionFeedSequences Map[string, uint64] `json:"completion_feed_sequences"`
	// CompletionFeedKinds: feed row: kind.
	CompletionFeedKinds Map[string, OperationKind] `json:"completion_feed_kinds"`
	// CompletionFeedTerminalOutcomes: feed row: outcome kind.
	CompletionFeedTerminalOutcomes Map[string, OperationTerminalOutcomeKind] `json:"completion_feed_terminal_outcomes"`
	// CompletionFeedTerminalPayload: feed row: payload.
	CompletionFeedTerminalPayload Map[string, OpTerminalPayload] `json:"completion_feed_terminal_payload"`
	// OpTerminalOutcomes: outcome kind once terminal.
	OpTerminalOutcomes Map[string, OperationTerminalOutcomeKind] `json:"op_terminal_outcomes"`
	// OpTerminalPayload: full outcome once terminal.
	OpTerminalPayload Map[string, OpTerminalPayload] `json:"op_terminal_payload"`
	// OpKinds: kind given at registration or recovery.
	OpKinds Map[string, OperationKind] `json:"op_kinds"`
	// OpSources: origin, only if one was supplied. **Never deleted**.
	OpSources Map[string, OperationSource] `json:"op_sources"`
	// OpPeerReady: peer handoff already announced.
	OpPeerReady Map[string, bool] `json:"op_peer_ready"`
	// OpProgressCounts: number of progress reports.
	OpProgressCounts Map[string, uint64] `json:"op_progress_counts"`
	// ActiveOpCount: registered ops that are not terminal.
	ActiveOpCount uint64 `json:"active_op_count"`
	// WaitActive: a barrier is pending (at most one).
	WaitActive bool `json:"wait_active"`
	// WaitRequestID: id of the pending barrier.
	WaitRequestID Opt[WaitRequestId] `json:"wait_request_id"`
	// WaitRunID: run that waits.
	WaitRunID Opt[RunId] `json:"wait_run_id"`
	// WaitOperationIDs: members as op keys.
	WaitOperationIDs Set[string] `json:"wait_operation_ids"`
	// WaitOperationIDTokens: the same members as typed tokens.
	WaitOperationIDTokens Set[OperationId] `json:"wait_operation_id_tokens"`
	// NextCompletionSeq: the **last** completion number handed out (pre-incremented, so
	// the first op gets 1).
	NextCompletionSeq uint64 `json:"next_completion_seq"`
	// CompletionAgentAppliedCursor: feed position already turned into notices for the
	// agent.
	CompletionAgentAppliedCursor uint64 `json:"completion_agent_applied_cursor"`
	// CompletionRuntimeObservedCursor: feed position already looked at by the runtime
	// loop.
	CompletionRuntimeObservedCursor uint64 `json:"completion_runtime_observed_cursor"`
	// CompletionRuntimeInjectedCursor: feed position for which a wake-up input was
	// injected.
	CompletionRuntimeInjectedCursor uint64 `json:"completion_runtime_injected_cursor"`
	// SurfaceRequestPhases: phase of each tracked request.
	SurfaceRequestPhases Map[string, SurfaceRequestPhase] `json:"surface_request_phases"`
	// SurfaceRequestTerminalPolicies: policy recorded at admission.
	SurfaceRequestTerminalPolicies Map[string, SurfaceRequestTerminalPolicy] `json:"surface_request_terminal_policies"`
	// LiveOpenAdmissionSequence: counts every open admission decision and every
	// abandonment.
	LiveOpenAdmissionSequence uint64 `json:"live_open_admission_sequence"`
	// LiveActiveChannelBySession: session → its bound channel.
	LiveActiveChannelBySession Map[string, string] `json:"live_active_channel_by_session"`
	// LiveChannelSessionByChannel: channel → its session (inverse).
	LiveChannelSessionByChannel Map[string, string] `json:"live_channel_session_by_channel"`
	// LiveChannelIdentityByChannel: model identity the channel was opened with.
	LiveChannelIdentityByChannel Map[string, SessionLlmIdentity] `json:"live_channel_identity_by_channel"`
	// LiveRefreshResultSequence: counts refresh results.
	LiveRefreshResultSequence uint64 `json:"live_refresh_result_sequence"`
	// LiveRefreshQueueAcceptanceSequenceByChannel: last accepted refresh evidence number.
	LiveRefreshQueueAcceptanceSequenceByChannel Map[string, uint64] `json:"live_refresh_queue_acceptance_sequence_by_channel"`
	// LiveRefreshStatusByChannel: last refresh status.
	LiveRefreshStatusByChannel Map[string, LiveRefreshPublicStatus] `json:"live_refresh_status_by_channel"`
	// LiveCloseResultSequence: counts close results.
	LiveCloseResultSequence uint64 `json:"live_close_result_sequence"`
	// LiveCloseObservationSequenceByChannel: last close evidence number.
	LiveCloseObservationSequenceByChannel Map[string, uint64] `json:"live_close_observation_sequence_by_channel"`
	// LiveCloseStatusByChannel: set once closed.
	LiveCloseStatusByChannel Map[string, LiveClosePublicStatus] `json:"live_close_status_by_channel"`
	// LiveCommandResultSequence: counts accepted commands.
	LiveCommandResultSequence uint64 `json:"live_command_result_sequence"`
	// LiveCommandAcceptanceSequenceByChannel: last command evidence number (shared by all
	// command kinds).
	LiveCommandAcceptanceSequenceByChannel Map[string, uint64] `json:"live_command_acceptance_sequence_by_channel"`
	// LiveCommandKindByChannel: kind of the last accepted command.
	LiveCommandKindByChannel Map[string, LiveCommandPublicKind] `json:"live_command_kind_by_channel"`
	// LiveCommandRejectionSequence: counts command rejections.
	LiveCommandRejectionSequence uint64 `json:"live_command_rejection_sequence"`
	// LiveCommandRejectionReasonByChannel: last rejection reason.
	LiveCommandRejectionReasonByChannel Map[string, LiveCommandRejectionReason] `json:"live_command_rejection_reason_by_channel"`
	// LiveCommandRejectionPublicErrorClassByChannel: last public error class.
	LiveCommandRejectionPublicErrorClassByChannel Map[string, LiveCommandRejectionPublicErrorClass] `json:"live_command_rejection_public_error_class_by_channel"`
	// LiveChannelRequestRejectionSequence: counts control request rejections.
	LiveChannelRequestRejectionSequence uint64 `json:"live_channel_request_rejection_sequence"`
	// LiveChannelRequestRejectionReasonByChannel: last reason.
	LiveChannelRequestRejectionReasonByChannel Map[string, LiveChannelRequestRejectionReason] `json:"live_channel_request_rejection_reason_by_channel"`
	// LiveChannelRequestRejectionPublicErrorClassByChannel: last public error class.
	LiveChannelRequestRejectionPublicErrorClassByChannel Map[string, LiveChannelRequestRejectionPublicErrorClass] `json:"live_channel_request_rejection_public_error_class_by_channel"`
	// LiveWebrtcTokenIssueSequence: counts issued WebRTC tokens.
	LiveWebrtcTokenIssueSequence uint64 `json:"live_webrtc_token_issue_sequence"`
	// LiveWebrtcTokenChannelByToken: token → channel; never deleted.
	LiveWebrtcTokenChannelByToken Map[string, string] `json:"live_webrtc_token_channel_by_token"`
	// LiveWebrtcTokenExpiresAtMsByToken: token → expiry (ms since epoch); never deleted.
	LiveWebrtcTokenExpiresAtMsByToken Map[string, uint64] `json:"live_webrtc_token_expires_at_ms_by_token"`
	// LiveWebrtcConsumedTokens: burnt tokens; never shrinks.
	LiveWebrtcConsumedTokens Set[string] `json:"live_webrtc_consumed_tokens"`
	// LiveWebrtcAnswerAdmissionSequence: counts answer admission decisions.
	LiveWebrtcAnswerAdmissionSequence uint64 `json:"live_webrtc_answer_admission_sequence"`
	// LiveWebrtcAnswerResultSequence: counts answer results.
	LiveWebrtcAnswerResultSequence uint64 `json:"live_webrtc_answer_result_sequence"`
	// LiveWebrtcAnswerObservationSequenceByChannel: last answer evidence number.
	LiveWebrtcAnswerObservationSequenceByChannel Map[string, uint64] `json:"live_webrtc_answer_observation_sequence_by_channel"`
	// LiveWebrtcAnswerStatusByChannel: last answer status.
	LiveWebrtcAnswerStatusByChannel Map[string, LiveWebrtcAnswerPublicStatus] `json:"live_webrtc_answer_status_by_channel"`
	// LiveWebsocketTokenIssueSequence: counts issued WebSocket tokens.
	LiveWebsocketTokenIssueSequence uint64 `json:"live_websocket_token_issue_sequence"`
	// LiveWebsocketTokenChannelByToken: token → channel; never deleted.
	LiveWebsocketTokenChannelByToken Map[string, string] `json:"live_websocket_token_channel_by_token"`
	// LiveWebsocketTokenExpiresAtMsByToken: token → expiry; never deleted.
	LiveWebsocketTokenExpiresAtMsByToken Map[string, uint64] `json:"live_websocket_token_expires_at_ms_by_token"`
	// LiveWebsocketConsumedTokens: burnt tokens.
	LiveWebsocketConsumedTokens Set[string] `json:"live_websocket_consumed_tokens"`
	// LiveWebsocketTokenAdmissionSequence: counts token admission decisions.
	LiveWebsocketTokenAdmissionSequence uint64 `json:"live_websocket_token_admission_sequence"`
	// LiveChannelStatusResultSequence: counts status results.
	LiveChannelStatusResultSequence uint64 `json:"live_channel_status_result_sequence"`
	// LiveChannelStatusObservationSequenceByChannel: last status evidence number.
	LiveChannelStatusObservationSequenceByChannel Map[string, uint64] `json:"live_channel_status_observation_sequence_by_channel"`
	// LiveChannelStatusByChannel: last status.
	LiveChannelStatusByChannel Map[string, LiveChannelPublicStatus] `json:"live_channel_status_by_channel"`
	// SessionEventStreamOpenResultSequence: counts opens.
	SessionEventStreamOpenResultSequence uint64 `json:"session_event_stream_open_result_sequence"`
	// SessionEventStreamCloseResultSequence: counts close results (incl. "already
	// closed").
	SessionEventStreamCloseResultSequence uint64 `json:"session_event_stream_close_result_sequence"`
	// SessionEventStreamTerminalSequence: counts terminal facts.
	SessionEventStreamTerminalSequence uint64 `json:"session_event_stream_terminal_sequence"`
	// ActiveSessionEventStreams: open streams.
	ActiveSessionEventStreams Set[string] `json:"active_session_event_streams"`
	// ClosedSessionEventStreams: ended streams; never shrinks.
	ClosedSessionEventStreams Set[string] `json:"closed_session_event_streams"`
	// SessionEventStreamSessionIDs: stream → session; never deleted.
	SessionEventStreamSessionIDs Map[string, string] `json:"session_event_stream_session_ids"`
	// MobEventStreamOpenResultSequence: as above, mob streams.
	MobEventStreamOpenResultSequence  uint64      `json:"mob_event_stream_open_result_sequence"`
	MobEventStreamCloseResultSequence uint64      `json:"mob_event_stream_close_result_sequence"`
	MobEventStreamTerminalSequence    uint64      `json:"mob_event_stream_terminal_sequence"`
	ActiveMobEventStreams             Set[string] `json:"active_mob_event_streams"`
	ClosedMobEventStreams             Set[string] `json:"closed_mob_event_streams"`
}
