package kernel

// The effects of chapter 04.

// SubmitOpEvent says that the operation changed; every accepted step of its life does.
type SubmitOpEvent struct {
	OperationID string `json:"operation_id"`
}

func (SubmitOpEvent) EffectDisposition() Disposition { return Local }

// NotifyOpWatcher says that the operation has ended, for those who wait for it.
type NotifyOpWatcher struct {
	OperationID string `json:"operation_id"`
}

func (NotifyOpWatcher) EffectDisposition() Disposition { return Local }

// ExposeOperationPeer is declared by the chapter, and no rule emits it.
type ExposeOperationPeer struct {
	OperationID string `json:"operation_id"`
}

func (ExposeOperationPeer) EffectDisposition() Disposition { return Local }

// RetainTerminalRecord says that a stored record of an operation is kept.
type RetainTerminalRecord struct {
	OperationID string `json:"operation_id"`
}

func (RetainTerminalRecord) EffectDisposition() Disposition { return Local }

// DiscardRecoveredOperationRecord says that a stored record of an operation is dropped.
type DiscardRecoveredOperationRecord struct {
	OperationID string `json:"operation_id"`
}

func (DiscardRecoveredOperationRecord) EffectDisposition() Disposition { return Local }

// OperationTerminal answers [ClassifyOperationTerminality]: it has ended.
type OperationTerminal struct {
	OperationID string `json:"operation_id"`
}

func (OperationTerminal) EffectDisposition() Disposition { return Local }

// OperationNonTerminal answers [ClassifyOperationTerminality]: it has not ended, or
// never was.
type OperationNonTerminal struct {
	OperationID string `json:"operation_id"`
}

func (OperationNonTerminal) EffectDisposition() Disposition { return Local }

// OperationPublicResultClassified answers [ClassifyOperationPublicResult].
type OperationPublicResultClassified struct {
	OperationID string                     `json:"operation_id"`
	Result      OperationPublicResultClass `json:"result"`
}

func (OperationPublicResultClassified) EffectDisposition() Disposition { return Local }

// OperationCompletionFeedClassified answers [ClassifyOperationCompletionFeed].
type OperationCompletionFeedClassified struct {
	OperationID string                       `json:"operation_id"`
	Result      OperationCompletionFeedClass `json:"result"`
}

func (OperationCompletionFeedClassified) EffectDisposition() Disposition { return Local }

// OperationCompletionWakeClassified answers [ClassifyOperationCompletionWake].
type OperationCompletionWakeClassified struct {
	OperationID string                       `json:"operation_id"`
	Result      OperationCompletionWakeClass `json:"result"`
}

func (OperationCompletionWakeClassified) EffectDisposition() Disposition { return Local }

// OperationDurabilityClassified answers [ClassifyOperationDurability].
type OperationDurabilityClassified struct {
	OperationID string                   `json:"operation_id"`
	Result      OperationDurabilityClass `json:"result"`
}

func (OperationDurabilityClassified) EffectDisposition() Disposition { return Local }

// OperationTransitionIdempotentSuccess answers [ClassifyOperationTransitionIdempotence]:
// what was asked for has already happened.
type OperationTransitionIdempotentSuccess struct {
	OperationID string                `json:"operation_id"`
	Action      OpLifecycleActionKind `json:"action"`
	Status      OperationStatus       `json:"status"`
}

func (OperationTransitionIdempotentSuccess) EffectDisposition() Disposition { return Local }

// OperationTransitionNotIdempotent answers [ClassifyOperationTransitionIdempotence]: the
// refusal stands.
type OperationTransitionNotIdempotent struct {
	OperationID string                `json:"operation_id"`
	Action      OpLifecycleActionKind `json:"action"`
	Status      OperationStatus       `json:"status"`
}

func (OperationTransitionNotIdempotent) EffectDisposition() Disposition { return Local }

// EvictCompletedRecord asks for the record of a forgotten operation to be dropped.
type EvictCompletedRecord struct {
	OperationID string `json:"operation_id"`
}

func (EvictCompletedRecord) EffectDisposition() Disposition { return Local }

// CompletionFeedEntryRecovered says that a row of the feed is back.
type CompletionFeedEntryRecovered struct {
	OperationID     string                       `json:"operation_id"`
	Seq             uint64                       `json:"seq"`
	Kind            OperationKind                `json:"kind"`
	TerminalOutcome OperationTerminalOutcomeKind `json:"terminal_outcome"`
	TerminalPayload OpTerminalPayload            `json:"terminal_payload"`
}

func (CompletionFeedEntryRecovered) EffectDisposition() Disposition { return Local }

// CompletionProduced is declared by the chapter, and no rule emits it.
type CompletionProduced struct {
	Seq         uint64        `json:"seq"`
	OperationID OperationId   `json:"operation_id"`
	Kind        OperationKind `json:"kind"`
}

func (CompletionProduced) EffectDisposition() Disposition { return Local }

// AgentCompletionCursorAdvanced tells how far the agent has been told of the feed.
type AgentCompletionCursorAdvanced struct {
	Cursor uint64 `json:"cursor"`
}

func (AgentCompletionCursorAdvanced) EffectDisposition() Disposition { return Local }

// RuntimeObservedCompletionCursorAdvanced tells how far the runtime loop has looked at
// the feed.
type RuntimeObservedCompletionCursorAdvanced struct {
	Cursor uint64 `json:"cursor"`
}

func (RuntimeObservedCompletionCursorAdvanced) EffectDisposition() Disposition { return Local }

// RuntimeInjectedCompletionCursorAdvanced tells up to where the runtime loop has woken
// the session.
type RuntimeInjectedCompletionCursorAdvanced struct {
	Cursor uint64 `json:"cursor"`
}

func (RuntimeInjectedCompletionCursorAdvanced) EffectDisposition() Disposition { return Local }

// OpRegistrationAdmissionResolved answers [RegisterOp]; the count includes the operation
// if it was accepted.
type OpRegistrationAdmissionResolved struct {
	OperationID        string                              `json:"operation_id"`
	Result             OpRegistrationAdmissionResultKind   `json:"result"`
	RejectReason       Opt[OpRegistrationRejectReasonKind] `json:"reject_reason"`
	MaxConcurrentLimit Opt[uint64]                         `json:"max_concurrent_limit"`
	ActiveOpCount      uint64                              `json:"active_op_count"`
}

func (OpRegistrationAdmissionResolved) EffectDisposition() Disposition { return Local }

// OpLifecycleTransitionRejected says why an action was refused, and the status of the
// operation if it is known.
type OpLifecycleTransitionRejected struct {
	OperationID string                      `json:"operation_id"`
	Action      OpLifecycleActionKind       `json:"action"`
	Reason      OpLifecycleRejectReasonKind `json:"reason"`
	Status      Opt[OperationStatus]        `json:"status"`
}

func (OpLifecycleTransitionRejected) EffectDisposition() Disposition { return Local }

// WaitAllAdmissionResolved answers [ResolveWaitAllAdmission], with the id that stands in
// the way if there is one.
type WaitAllAdmissionResolved struct {
	WaitRequestID       WaitRequestId                `json:"wait_request_id"`
	Result              WaitAllAdmissionResultKind   `json:"result"`
	RejectReason        Opt[WaitAllRejectReasonKind] `json:"reject_reason"`
	RejectedOperationID Opt[string]                  `json:"rejected_operation_id"`
}

func (WaitAllAdmissionResolved) EffectDisposition() Disposition { return Local }

// WaitAllSatisfied says that all operations a run waited for have ended.
type WaitAllSatisfied struct {
	WaitRequestID WaitRequestId    `json:"wait_request_id"`
	RunID         RunId            `json:"run_id"`
	OperationIDs  Set[OperationId] `json:"operation_ids"`
}

func (WaitAllSatisfied) EffectDisposition() Disposition { return External }

// CollectCompletedResult says that a collected operation was forgotten.
type CollectCompletedResult struct{}

func (CollectCompletedResult) EffectDisposition() Disposition { return Local }

// SurfaceRequestAdmissionAccepted is an effect of chapter 04, local.
type SurfaceRequestAdmissionAccepted struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestAdmissionAccepted) EffectDisposition() Disposition { return Local }

// SurfaceRequestAdmissionDuplicate is an effect of chapter 04, local.
type SurfaceRequestAdmissionDuplicate struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestAdmissionDuplicate) EffectDisposition() Disposition { return Local }

// SurfaceRequestNotFound is an effect of chapter 04, local.
type SurfaceRequestNotFound struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestNotFound) EffectDisposition() Disposition { return Local }

// SurfaceRequestTerminalPublish is an effect of chapter 04, local.
type SurfaceRequestTerminalPublish struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestTerminalPublish) EffectDisposition() Disposition { return Local }

// SurfaceRequestTerminalRespondWithoutPublish is an effect of chapter 04, local.
type SurfaceRequestTerminalRespondWithoutPublish struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestTerminalRespondWithoutPublish) EffectDisposition() Disposition { return Local }

// SurfaceRequestCancelled is an effect of chapter 04, local.
type SurfaceRequestCancelled struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestCancelled) EffectDisposition() Disposition { return Local }

// SurfaceRequestAlreadyCancelled is an effect of chapter 04, local.
type SurfaceRequestAlreadyCancelled struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestAlreadyCancelled) EffectDisposition() Disposition { return Local }

// SurfaceRequestAlreadyPublished is an effect of chapter 04, local.
type SurfaceRequestAlreadyPublished struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestAlreadyPublished) EffectDisposition() Disposition { return Local }

// SurfaceRequestAlreadyCompleted is an effect of chapter 04, local.
type SurfaceRequestAlreadyCompleted struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestAlreadyCompleted) EffectDisposition() Disposition { return Local }

// SurfaceRequestPublished is an effect of chapter 04, local.
type SurfaceRequestPublished struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestPublished) EffectDisposition() Disposition { return Local }

// SurfaceRequestAlreadyTerminal is an effect of chapter 04, local.
type SurfaceRequestAlreadyTerminal struct {
	RequestKey string              `json:"request_key"`
	Current    SurfaceRequestPhase `json:"current"`
}

func (SurfaceRequestAlreadyTerminal) EffectDisposition() Disposition { return Local }

// SurfaceRequestCancelledBeforePublish is an effect of chapter 04, local.
type SurfaceRequestCancelledBeforePublish struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestCancelledBeforePublish) EffectDisposition() Disposition { return Local }

// SurfaceRequestCompleted is an effect of chapter 04, local.
type SurfaceRequestCompleted struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestCompleted) EffectDisposition() Disposition { return Local }

// SurfaceRequestSupersededByCancel is an effect of chapter 04, local.
type SurfaceRequestSupersededByCancel struct {
	RequestKey string `json:"request_key"`
}

func (SurfaceRequestSupersededByCancel) EffectDisposition() Disposition { return Local }

// LiveRefreshResultResolved is an effect of chapter 04, local.
type LiveRefreshResultResolved struct {
	ChannelID               string                  `json:"channel_id"`
	Status                  LiveRefreshPublicStatus `json:"status"`
	Sequence                uint64                  `json:"sequence"`
	QueueAcceptanceSequence uint64                  `json:"queue_acceptance_sequence"`
}

func (LiveRefreshResultResolved) EffectDisposition() Disposition { return Local }

// LiveCloseResultResolved is an effect of chapter 04, local.
type LiveCloseResultResolved struct {
	ChannelID                string                `json:"channel_id"`
	Status                   LiveClosePublicStatus `json:"status"`
	Sequence                 uint64                `json:"sequence"`
	CloseObservationSequence uint64                `json:"close_observation_sequence"`
}

func (LiveCloseResultResolved) EffectDisposition() Disposition { return Local }

// LiveCommandResultResolved is an effect of chapter 04, local.
type LiveCommandResultResolved struct {
	ChannelID                 string                `json:"channel_id"`
	Command                   LiveCommandPublicKind `json:"command"`
	Sequence                  uint64                `json:"sequence"`
	CommandAcceptanceSequence uint64                `json:"command_acceptance_sequence"`
}

func (LiveCommandResultResolved) EffectDisposition() Disposition { return Local }

// LiveCommandRejectionResolved is an effect of chapter 04, local.
type LiveCommandRejectionResolved struct {
	ChannelID        string                               `json:"channel_id"`
	Command          LiveCommandPublicKind                `json:"command"`
	Rejection        LiveCommandRejectionReason           `json:"rejection"`
	PublicErrorClass LiveCommandRejectionPublicErrorClass `json:"public_error_class"`
	Sequence         uint64                               `json:"sequence"`
}

func (LiveCommandRejectionResolved) EffectDisposition() Disposition { return Local }

// LiveChannelRequestRejectionResolved is an effect of chapter 04, local.
type LiveChannelRequestRejectionResolved struct {
	ChannelID        string                                      `json:"channel_id"`
	Request          LiveChannelRequestPublicKind                `json:"request"`
	Rejection        LiveChannelRequestRejectionReason           `json:"rejection"`
	PublicErrorClass LiveChannelRequestRejectionPublicErrorClass `json:"public_error_class"`
	Sequence         uint64                                      `json:"sequence"`
}

func (LiveChannelRequestRejectionResolved) EffectDisposition() Disposition { return Local }

// LiveWebrtcTokenIssued is an effect of chapter 04, local.
type LiveWebrtcTokenIssued struct {
	SessionID   string `json:"session_id"`
	ChannelID   string `json:"channel_id"`
	Token       string `json:"token"`
	ExpiresAtMs uint64 `json:"expires_at_ms"`
	Sequence    uint64 `json:"sequence"`
}

func (LiveWebrtcTokenIssued) EffectDisposition() Disposition { return Local }

// LiveWebrtcAnswerAdmissionResolved is an effect of chapter 04, local.
type LiveWebrtcAnswerAdmissionResolved struct {
	SessionID        string                                           `json:"session_id"`
	ChannelID        string                                           `json:"channel_id"`
	Token            string                                           `json:"token"`
	Admitted         bool                                             `json:"admitted"`
	Rejection        Opt[LiveWebrtcAnswerAdmissionRejection]          `json:"rejection"`
	PublicErrorClass Opt[LiveChannelRequestRejectionPublicErrorClass] `json:"public_error_class"`
	Sequence         uint64                                           `json:"sequence"`
}

func (LiveWebrtcAnswerAdmissionResolved) EffectDisposition() Disposition { return Local }

// LiveWebrtcAnswerResultResolved is an effect of chapter 04, local.
type LiveWebrtcAnswerResultResolved struct {
	ChannelID                 string                       `json:"channel_id"`
	Status                    LiveWebrtcAnswerPublicStatus `json:"status"`
	Answered                  bool                         `json:"answered"`
	Sequence                  uint64                       `json:"sequence"`
	AnswerObservationSequence uint64                       `json:"answer_observation_sequence"`
}

func (LiveWebrtcAnswerResultResolved) EffectDisposition() Disposition { return Local }

// LiveWebsocketTokenIssued is an effect of chapter 04, local.
type LiveWebsocketTokenIssued struct {
	SessionID   string `json:"session_id"`
	ChannelID   string `json:"channel_id"`
	Token       string `json:"token"`
	ExpiresAtMs uint64 `json:"expires_at_ms"`
	Sequence    uint64 `json:"sequence"`
}

func (LiveWebsocketTokenIssued) EffectDisposition() Disposition { return Local }

// LiveWebsocketTokenAdmissionResolved is an effect of chapter 04, local.
type LiveWebsocketTokenAdmissionResolved struct {
	SessionID        string                                           `json:"session_id"`
	ChannelID        string                                           `json:"channel_id"`
	Token            string                                           `json:"token"`
	Admitted         bool                                             `json:"admitted"`
	Rejection        Opt[LiveWebsocketTokenAdmissionRejection]        `json:"rejection"`
	PublicErrorClass Opt[LiveWebsocketTokenAdmissionPublicErrorClass] `json:"public_error_class"`
	Sequence         uint64                                           `json:"sequence"`
}

func (LiveWebsocketTokenAdmissionResolved) EffectDisposition() Disposition { return Local }

// LiveOpenAdmissionResolved is an effect of chapter 04, local.
type LiveOpenAdmissionResolved struct {
	SessionID        string                          `json:"session_id"`
	ChannelID        string                          `json:"channel_id"`
	BoundLlmIdentity Opt[SessionLlmIdentity]         `json:"bound_llm_identity"`
	Admitted         bool                            `json:"admitted"`
	Rejection        Opt[LiveOpenAdmissionRejection] `json:"rejection"`
	Sequence         uint64                          `json:"sequence"`
}

func (LiveOpenAdmissionResolved) EffectDisposition() Disposition { return Local }

// LiveOpenAdmissionAbandoned is an effect of chapter 04, local.
type LiveOpenAdmissionAbandoned struct {
	SessionID string `json:"session_id"`
	ChannelID string `json:"channel_id"`
	Sequence  uint64 `json:"sequence"`
}

func (LiveOpenAdmissionAbandoned) EffectDisposition() Disposition { return Local }

// SessionEventStreamOpenResolved is an effect of chapter 04, local.
type SessionEventStreamOpenResolved struct {
	StreamID  string `json:"stream_id"`
	SessionID string `json:"session_id"`
	Opened    bool   `json:"opened"`
	Sequence  uint64 `json:"sequence"`
}

func (SessionEventStreamOpenResolved) EffectDisposition() Disposition { return Local }

// SessionEventStreamTerminalResolved is an effect of chapter 04, local.
type SessionEventStreamTerminalResolved struct {
	StreamID  string                               `json:"stream_id"`
	SessionID string                               `json:"session_id"`
	Reason    RpcEventStreamTerminalReason         `json:"reason"`
	ErrorCode Opt[RpcEventStreamTerminalErrorCode] `json:"error_code"`
	Detail    Opt[string]                          `json:"detail"`
	Sequence  uint64                               `json:"sequence"`
}

func (SessionEventStreamTerminalResolved) EffectDisposition() Disposition { return Local }

// SessionEventStreamCloseResolved is an effect of chapter 04, local.
type SessionEventStreamCloseResolved struct {
	StreamID      string `json:"stream_id"`
	Closed        bool   `json:"closed"`
	AlreadyClosed bool   `json:"already_closed"`
	Sequence      uint64 `json:"sequence"`
}

func (SessionEventStreamCloseResolved) EffectDisposition() Disposition { return Local }

// MobEventStreamOpenResolved is an effect of chapter 04, local.
type MobEventStreamOpenResolved struct {
	StreamID string `json:"stream_id"`
	Opened   bool   `json:"opened"`
	Sequence uint64 `json:"sequence"`
}

func (MobEventStreamOpenResolved) EffectDisposition() Disposition { return Local }

// MobEventStreamTerminalResolved is an effect of chapter 04, local.
type MobEventStreamTerminalResolved struct {
	StreamID  string                               `json:"stream_id"`
	Reason    RpcEventStreamTerminalReason         `json:"reason"`
	ErrorCode Opt[RpcEventStreamTerminalErrorCode] `json:"error_code"`
	Detail    Opt[string]                          `json:"detail"`
	Sequence  uint64                               `json:"sequence"`
}

func (MobEventStreamTerminalResolved) EffectDisposition() Disposition { return Local }

// MobEventStreamCloseResolved is an effect of chapter 04, local.
type MobEventStreamCloseResolved struct {
	StreamID      string `json:"stream_id"`
	Closed        bool   `json:"closed"`
	AlreadyClosed bool   `json:"already_closed"`
	Sequence      uint64 `json:"sequence"`
}

func (MobEventStreamCloseResolved) EffectDisposition() Disposition { return Local }

// LiveChannelStatusResolved is an effect of chapter 04, local.
type LiveChannelStatusResolved struct {
	ChannelID                 string                            `json:"channel_id"`
	Status                    LiveChannelPublicStatus           `json:"status"`
	Sequence                  uint64                            `json:"sequence"`
	StatusObservationSequence uint64                            `json:"status_observation_sequence"`
	DegradationReason         Opt[LiveChannelDegradationReason] `json:"degradation_reason"`
	DegradationDetail         Opt[string]                       `json:"degradation_detail"`
}

func (LiveChannelStatusResolved) EffectDisposition() Disposition { return Local }

// RealtimeTranscriptAppended is an effect of chapter 04, local.
type RealtimeTranscriptAppended struct {
	ChannelID string                     `json:"channel_id"`
	ItemID    string                     `json:"item_id"`
	Text      string                     `json:"text"`
	Role      RealtimeTranscriptRoleKind `json:"role"`
	Lane      RealtimeTranscriptLaneKind `json:"lane"`
	Sequence  uint64                     `json:"sequence"`
}

func (RealtimeTranscriptAppended) EffectDisposition() Disposition { return Local }
