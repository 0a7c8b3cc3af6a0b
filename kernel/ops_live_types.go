package kernel

// The types of chapter 04. The first variant of an enum is its zero value unless
// the chapter marks another default.

// DrainMode is an enum of chapter 04.
type DrainMode uint8

const (
	DrainModeTimed DrainMode = iota
	DrainModeAttachedSession
	DrainModePersistentHost
)

// LiveChannelDegradationReason is an enum of chapter 04.
type LiveChannelDegradationReason uint8

const (
	LiveChannelDegradationReasonUnknown LiveChannelDegradationReason = iota
	LiveChannelDegradationReasonRateLimited
	LiveChannelDegradationReasonProviderThrottled
	LiveChannelDegradationReasonNetworkUnstable
	LiveChannelDegradationReasonOther
)

// LiveChannelPublicStatus is an enum of chapter 04.
type LiveChannelPublicStatus uint8

const (
	LiveChannelPublicStatusIdle LiveChannelPublicStatus = iota
	LiveChannelPublicStatusOpening
	LiveChannelPublicStatusReady
	LiveChannelPublicStatusDegraded
	LiveChannelPublicStatusClosing
	LiveChannelPublicStatusClosed
)

// LiveChannelRequestPublicKind is an enum of chapter 04.
type LiveChannelRequestPublicKind uint8

const (
	LiveChannelRequestPublicKindStatus LiveChannelRequestPublicKind = iota
	LiveChannelRequestPublicKindClose
	LiveChannelRequestPublicKindRefresh
	LiveChannelRequestPublicKindWebrtcAnswer
)

// LiveChannelRequestRejectionPublicErrorClass is an enum of chapter 04.
type LiveChannelRequestRejectionPublicErrorClass uint8

const (
	LiveChannelRequestRejectionPublicErrorClassInvalidParams LiveChannelRequestRejectionPublicErrorClass = iota
	LiveChannelRequestRejectionPublicErrorClassInternalError
)

// LiveChannelRequestRejectionReason is an enum of chapter 04.
type LiveChannelRequestRejectionReason uint8

const (
	LiveChannelRequestRejectionReasonChannelNotFound LiveChannelRequestRejectionReason = iota
	LiveChannelRequestRejectionReasonNoAdapter
	LiveChannelRequestRejectionReasonInvalidToken
	LiveChannelRequestRejectionReasonInvalidPayload
	LiveChannelRequestRejectionReasonWebrtcAnswerError
	LiveChannelRequestRejectionReasonInternalHostError
)

// LiveClosePublicStatus is an enum of chapter 04.
type LiveClosePublicStatus uint8

const (
	LiveClosePublicStatusClosed LiveClosePublicStatus = iota
)

// LiveCommandPublicKind is an enum of chapter 04.
type LiveCommandPublicKind uint8

const (
	LiveCommandPublicKindSendInput LiveCommandPublicKind = iota
	LiveCommandPublicKindCommitInput
	LiveCommandPublicKindInterrupt
	LiveCommandPublicKindTruncateAssistantOutput
)

// LiveCommandRejectionPublicErrorClass is an enum of chapter 04.
type LiveCommandRejectionPublicErrorClass uint8

const (
	LiveCommandRejectionPublicErrorClassInvalidParams LiveCommandRejectionPublicErrorClass = iota
	LiveCommandRejectionPublicErrorClassInternalError
)

// LiveCommandRejectionReason is an enum of chapter 04.
type LiveCommandRejectionReason uint8

const (
	LiveCommandRejectionReasonChannelNotFound LiveCommandRejectionReason = iota
	LiveCommandRejectionReasonNoAdapter
	LiveCommandRejectionReasonChannelNotReady
	LiveCommandRejectionReasonUnsupportedCommand
	LiveCommandRejectionReasonAdapterError
	LiveCommandRejectionReasonInternalHostError
)

// LiveOpenAdmissionRejection is an enum of chapter 04.
type LiveOpenAdmissionRejection uint8

const (
	LiveOpenAdmissionRejectionAlreadyBound LiveOpenAdmissionRejection = iota
	LiveOpenAdmissionRejectionChannelAlreadyBound
)

// LiveRefreshPublicStatus is an enum of chapter 04.
type LiveRefreshPublicStatus uint8

const (
	LiveRefreshPublicStatusQueued LiveRefreshPublicStatus = iota
)

// LiveWebrtcAnswerAdmissionRejection is an enum of chapter 04.
type LiveWebrtcAnswerAdmissionRejection uint8

const (
	LiveWebrtcAnswerAdmissionRejectionTokenNotFound LiveWebrtcAnswerAdmissionRejection = iota
	LiveWebrtcAnswerAdmissionRejectionTokenExpired
	LiveWebrtcAnswerAdmissionRejectionTokenChannelMismatch
	LiveWebrtcAnswerAdmissionRejectionTokenAlreadyConsumed
	LiveWebrtcAnswerAdmissionRejectionChannelNotBound
)

// LiveWebrtcAnswerPublicStatus is an enum of chapter 04.
type LiveWebrtcAnswerPublicStatus uint8

const (
	LiveWebrtcAnswerPublicStatusAnswered LiveWebrtcAnswerPublicStatus = iota
)

// LiveWebsocketTokenAdmissionPublicErrorClass is an enum of chapter 04.
type LiveWebsocketTokenAdmissionPublicErrorClass uint8

const (
	LiveWebsocketTokenAdmissionPublicErrorClassInvalidToken LiveWebsocketTokenAdmissionPublicErrorClass = iota
)

// LiveWebsocketTokenAdmissionRejection is an enum of chapter 04.
type LiveWebsocketTokenAdmissionRejection uint8

const (
	LiveWebsocketTokenAdmissionRejectionTokenNotFound LiveWebsocketTokenAdmissionRejection = iota
	LiveWebsocketTokenAdmissionRejectionTokenExpired
	LiveWebsocketTokenAdmissionRejectionTokenChannelMismatch
	LiveWebsocketTokenAdmissionRejectionTokenAlreadyConsumed
	LiveWebsocketTokenAdmissionRejectionChannelNotBound
)

// OpLifecycleActionKind is a step in the life of an operation, as a question about it
// names it.
type OpLifecycleActionKind uint8

const (
	OpLifecycleActionKindStart OpLifecycleActionKind = iota
	OpLifecycleActionKindFail
	OpLifecycleActionKindPeerReady
	OpLifecycleActionKindProgressReported
	OpLifecycleActionKindComplete
	OpLifecycleActionKindAbort
	OpLifecycleActionKindCancel
	OpLifecycleActionKindRetireRequested
	OpLifecycleActionKindRetireCompleted
	OpLifecycleActionKindTerminate
)

// OpLifecycleRejectReasonKind is why a step in the life of an operation was refused.
type OpLifecycleRejectReasonKind uint8

const (
	OpLifecycleRejectReasonKindOperationNotFound OpLifecycleRejectReasonKind = iota
	OpLifecycleRejectReasonKindInvalidTransition
	OpLifecycleRejectReasonKindPeerNotExpected
	OpLifecycleRejectReasonKindAlreadyPeerReady
)

// OpRegistrationAdmissionResultKind is whether an operation was admitted.
type OpRegistrationAdmissionResultKind uint8

const (
	OpRegistrationAdmissionResultKindAccept OpRegistrationAdmissionResultKind = iota
	OpRegistrationAdmissionResultKindReject
)

// OpRegistrationRejectReasonKind is why an operation was not admitted.
type OpRegistrationRejectReasonKind uint8

const (
	OpRegistrationRejectReasonKindAlreadyRegistered OpRegistrationRejectReasonKind = iota
	OpRegistrationRejectReasonKindMaxConcurrentExceeded
)

// OperationCompletionFeedClass is whether the end of an operation goes into the feed.
type OperationCompletionFeedClass uint8

const (
	OperationCompletionFeedClassEmit OperationCompletionFeedClass = iota
	OperationCompletionFeedClassSuppress
)

// OperationCompletionWakeClass is whether the end of an operation wakes the session.
type OperationCompletionWakeClass uint8

const (
	OperationCompletionWakeClassWake OperationCompletionWakeClass = iota
	OperationCompletionWakeClassIgnore
)

// OperationDurabilityClass is whether the record of an operation outlives its end.
type OperationDurabilityClass uint8

const (
	OperationDurabilityClassRetain OperationDurabilityClass = iota
	OperationDurabilityClassDiscard
)

// OperationKind is what an operation is: a member of a mob, the job of a tool, or a
// place reserved for such a job.
type OperationKind uint8

const (
	OperationKindMobMemberChild OperationKind = iota
	OperationKindBackgroundToolOp
	OperationKindBackgroundToolCapacitySlot
)

// OperationPublicResultClass is what the public may know of an operation.
type OperationPublicResultClass uint8

const (
	OperationPublicResultClassMissingAuthority OperationPublicResultClass = iota
	OperationPublicResultClassRunning
	OperationPublicResultClassCompleted
	OperationPublicResultClassFailed
	OperationPublicResultClassCancelled
)

// OperationResult is what an operation has produced.
type OperationResult struct {
	ID         string `json:"id"`
	Content    string `json:"content"`
	IsError    bool   `json:"is_error"`
	DurationMs uint64 `json:"duration_ms"`
	TokensUsed uint64 `json:"tokens_used"`
}

// OperationSource is where an operation comes from: a child session, or a peer and its
// address.
type OperationSource struct {
	Kind      OperationSourceKind `json:"kind"`
	SessionID Opt[SessionId]      `json:"session_id"`
	PeerID    Opt[PeerId]         `json:"peer_id"`
	Address   Opt[PeerAddress]    `json:"address"`
}

// OperationSourceKind tells the two kinds of an [OperationSource] apart.
type OperationSourceKind uint8

const (
	OperationSourceKindSessionChild OperationSourceKind = iota
	OperationSourceKindBackendPeer
)

// OperationStatus is how far an operation has come. Absent stands for one that is not
// known and is never stored.
type OperationStatus uint8

const (
	OperationStatusAbsent OperationStatus = iota
	OperationStatusProvisioning
	OperationStatusRunning
	OperationStatusRetiring
	OperationStatusCompleted
	OperationStatusFailed
	OperationStatusAborted
	OperationStatusCancelled
	OperationStatusRetired
	OperationStatusTerminated
)

// OperationTerminalOutcomeKind is how an operation ended; each has the [OperationStatus]
// of the same name.
type OperationTerminalOutcomeKind uint8

const (
	OperationTerminalOutcomeKindCompleted OperationTerminalOutcomeKind = iota
	OperationTerminalOutcomeKindFailed
	OperationTerminalOutcomeKindAborted
	OperationTerminalOutcomeKindCancelled
	OperationTerminalOutcomeKindRetired
	OperationTerminalOutcomeKindTerminated
)

// PeerAddress is where a peer can be reached.
type PeerAddress string

// PeerId names a peer.
type PeerId string

// RealtimeTranscriptLaneKind is an enum of chapter 04.
type RealtimeTranscriptLaneKind uint8

const (
	RealtimeTranscriptLaneKindDisplay RealtimeTranscriptLaneKind = iota
	RealtimeTranscriptLaneKindSpoken
)

// RealtimeTranscriptRoleKind is an enum of chapter 04.
type RealtimeTranscriptRoleKind uint8

const (
	RealtimeTranscriptRoleKindUser RealtimeTranscriptRoleKind = iota
	RealtimeTranscriptRoleKindAssistant
)

// RpcEventStreamTerminalErrorCode is an enum of chapter 04.
type RpcEventStreamTerminalErrorCode uint8

const (
	RpcEventStreamTerminalErrorCodeStreamQueueOverflow RpcEventStreamTerminalErrorCode = iota
	RpcEventStreamTerminalErrorCodeStreamReceiverGone
)

// RpcEventStreamTerminalObservationKind is an enum of chapter 04.
type RpcEventStreamTerminalObservationKind uint8

const (
	RpcEventStreamTerminalObservationKindTransportEnded RpcEventStreamTerminalObservationKind = iota
	RpcEventStreamTerminalObservationKindNotificationQueueOverflow
	RpcEventStreamTerminalObservationKindNotificationReceiverGone
)

// RpcEventStreamTerminalReason is an enum of chapter 04.
type RpcEventStreamTerminalReason uint8

const (
	RpcEventStreamTerminalReasonRemoteEnd RpcEventStreamTerminalReason = iota
	RpcEventStreamTerminalReasonTerminalError
	RpcEventStreamTerminalReasonExplicitClose
)

// SurfaceRequestPhase is an enum of chapter 04.
type SurfaceRequestPhase uint8

const (
	SurfaceRequestPhasePending SurfaceRequestPhase = iota
	SurfaceRequestPhasePublished
	SurfaceRequestPhaseCancelled
	SurfaceRequestPhaseCompleted
)

// SurfaceRequestTerminalPolicy is an enum of chapter 04.
type SurfaceRequestTerminalPolicy uint8

const (
	SurfaceRequestTerminalPolicyRespondWithoutPublish SurfaceRequestTerminalPolicy = iota
	SurfaceRequestTerminalPolicyPublishOnSuccess
)

// WaitAllAdmissionResultKind is whether a barrier could be opened.
type WaitAllAdmissionResultKind uint8

const (
	WaitAllAdmissionResultKindAccept WaitAllAdmissionResultKind = iota
	WaitAllAdmissionResultKindReject
)

// WaitAllRejectReasonKind is why a barrier cannot be opened.
type WaitAllRejectReasonKind uint8

const (
	WaitAllRejectReasonKindDuplicateOperation WaitAllRejectReasonKind = iota
	WaitAllRejectReasonKindWaitAlreadyActive
	WaitAllRejectReasonKindOperationNotFound
)

// WaitRequestId names a barrier.
type WaitRequestId string
