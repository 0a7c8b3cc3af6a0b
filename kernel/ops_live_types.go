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

// OpLifecycleActionKind is an enum of chapter 04.
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

// OpLifecycleRejectReasonKind is an enum of chapter 04.
type OpLifecycleRejectReasonKind uint8

const (
	OpLifecycleRejectReasonKindOperationNotFound OpLifecycleRejectReasonKind = iota
	OpLifecycleRejectReasonKindInvalidTransition
	OpLifecycleRejectReasonKindPeerNotExpected
	OpLifecycleRejectReasonKindAlreadyPeerReady
)

// OpRegistrationAdmissionResultKind is an enum of chapter 04.
type OpRegistrationAdmissionResultKind uint8

const (
	OpRegistrationAdmissionResultKindAccept OpRegistrationAdmissionResultKind = iota
	OpRegistrationAdmissionResultKindReject
)

// OpRegistrationRejectReasonKind is an enum of chapter 04.
type OpRegistrationRejectReasonKind uint8

const (
	OpRegistrationRejectReasonKindAlreadyRegistered OpRegistrationRejectReasonKind = iota
	OpRegistrationRejectReasonKindMaxConcurrentExceeded
)

// OperationCompletionFeedClass is an enum of chapter 04.
type OperationCompletionFeedClass uint8

const (
	OperationCompletionFeedClassEmit OperationCompletionFeedClass = iota
	OperationCompletionFeedClassSuppress
)

// OperationCompletionWakeClass is an enum of chapter 04.
type OperationCompletionWakeClass uint8

const (
	OperationCompletionWakeClassWake OperationCompletionWakeClass = iota
	OperationCompletionWakeClassIgnore
)

// OperationDurabilityClass is an enum of chapter 04.
type OperationDurabilityClass uint8

const (
	OperationDurabilityClassRetain OperationDurabilityClass = iota
	OperationDurabilityClassDiscard
)

// OperationKind is an enum of chapter 04.
type OperationKind uint8

const (
	OperationKindMobMemberChild OperationKind = iota
	OperationKindBackgroundToolOp
	OperationKindBackgroundToolCapacitySlot
)

// OperationPublicResultClass is an enum of chapter 04.
type OperationPublicResultClass uint8

const (
	OperationPublicResultClassMissingAuthority OperationPublicResultClass = iota
	OperationPublicResultClassRunning
	OperationPublicResultClassCompleted
	OperationPublicResultClassFailed
	OperationPublicResultClassCancelled
)

// OperationResult is a record of chapter 04.
type OperationResult struct {
	ID         string `json:"id"`
	Content    string `json:"content"`
	IsError    bool   `json:"is_error"`
	DurationMs uint64 `json:"duration_ms"`
	TokensUsed uint64 `json:"tokens_used"`
}

// OperationSource is a record of chapter 04.
type OperationSource struct {
	Kind      OperationSourceKind `json:"kind"`
	SessionID Opt[SessionId]      `json:"session_id"`
	PeerID    Opt[PeerId]         `json:"peer_id"`
	Address   Opt[PeerAddress]    `json:"address"`
}

// OperationSourceKind is an enum of chapter 04.
type OperationSourceKind uint8

const (
	OperationSourceKindSessionChild OperationSourceKind = iota
	OperationSourceKindBackendPeer
)

// OperationStatus is an enum of chapter 04.
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

// OperationTerminalOutcomeKind is an enum of chapter 04.
type OperationTerminalOutcomeKind uint8

const (
	OperationTerminalOutcomeKindCompleted OperationTerminalOutcomeKind = iota
	OperationTerminalOutcomeKindFailed
	OperationTerminalOutcomeKindAborted
	OperationTerminalOutcomeKindCancelled
	OperationTerminalOutcomeKindRetired
	OperationTerminalOutcomeKindTerminated
)

// PeerAddress is an opaque identifier of chapter 04.
type PeerAddress string

// PeerId is an opaque identifier of chapter 04.
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

// WaitAllAdmissionResultKind is an enum of chapter 04.
type WaitAllAdmissionResultKind uint8

const (
	WaitAllAdmissionResultKindAccept WaitAllAdmissionResultKind = iota
	WaitAllAdmissionResultKindReject
)

// WaitAllRejectReasonKind is an enum of chapter 04.
type WaitAllRejectReasonKind uint8

const (
	WaitAllRejectReasonKindDuplicateOperation WaitAllRejectReasonKind = iota
	WaitAllRejectReasonKindWaitAlreadyActive
	WaitAllRejectReasonKindOperationNotFound
)

// WaitRequestId is an opaque identifier of chapter 04.
type WaitRequestId string
