package kernel

// The types of chapter 06. The first variant of an enum is its zero value unless
// the chapter marks another default.

// CommsRuntimeId is an opaque identifier of chapter 06.
type CommsRuntimeId string

// DrainExitReason is an enum of chapter 06.
type DrainExitReason uint8

const (
	DrainExitReasonIdleTimeout DrainExitReason = iota
	DrainExitReasonDismissed
	DrainExitReasonFailed
	DrainExitReasonAborted
	DrainExitReasonSessionShutdown
)

// InboundPeerRequestState is an enum of chapter 06.
type InboundPeerRequestState uint8

const (
	InboundPeerRequestStateReceived InboundPeerRequestState = iota
	InboundPeerRequestStateReplied
)

// InteractionStreamState is an enum of chapter 06.
type InteractionStreamState uint8

const (
	InteractionStreamStateReserved InteractionStreamState = iota
	InteractionStreamStateAttached
	InteractionStreamStateCompleted
	InteractionStreamStateExpired
	InteractionStreamStateClosedEarly
)

// MobId is an opaque identifier of chapter 06.
type MobId string

// MobPeerOverlayCommandKind is an enum of chapter 06.
type MobPeerOverlayCommandKind uint8

const (
	MobPeerOverlayCommandKindWire MobPeerOverlayCommandKind = iota
	MobPeerOverlayCommandKindUnwire
)

// OutboundPeerRequestState is an enum of chapter 06.
type OutboundPeerRequestState uint8

const (
	OutboundPeerRequestStateSent OutboundPeerRequestState = iota
	OutboundPeerRequestStateAcceptedProgress
	OutboundPeerRequestStateCompleted
	OutboundPeerRequestStateFailed
	OutboundPeerRequestStateTimedOut
)

// PeerCorrelationId is an opaque identifier of chapter 06.
type PeerCorrelationId string

// PeerEndpoint is a record of chapter 06.
type PeerEndpoint struct {
	Name       PeerName       `json:"name"`
	PeerID     PeerId         `json:"peer_id"`
	Address    PeerAddress    `json:"address"`
	SigningKey PeerSigningKey `json:"signing_key"`
}

// PeerIngressAdmissionDiagnosticClass is an enum of chapter 06.
type PeerIngressAdmissionDiagnosticClass uint8

const (
	PeerIngressAdmissionDiagnosticClassTrustedAtAdmission PeerIngressAdmissionDiagnosticClass = iota
	PeerIngressAdmissionDiagnosticClassUntrustedAtAdmission
)

// PeerIngressAdmittedKind is an enum of chapter 06.
type PeerIngressAdmittedKind uint8

const (
	PeerIngressAdmittedKindMessage PeerIngressAdmittedKind = iota
	PeerIngressAdmittedKindRequest
	PeerIngressAdmittedKindResponse
	PeerIngressAdmittedKindAck
	PeerIngressAdmittedKindPlainEvent
)

// PeerIngressAuthClass is an enum of chapter 06.
type PeerIngressAuthClass uint8

const (
	PeerIngressAuthClassRequired PeerIngressAuthClass = iota
	PeerIngressAuthClassSupervisorBridgeExempt
)

// PeerIngressAuthorityPhaseClass is an enum of chapter 06.
type PeerIngressAuthorityPhaseClass uint8

const (
	PeerIngressAuthorityPhaseClassAbsent PeerIngressAuthorityPhaseClass = iota
	PeerIngressAuthorityPhaseClassReceived
	PeerIngressAuthorityPhaseClassDropped
	PeerIngressAuthorityPhaseClassDelivered
)

// PeerIngressEnvelopeClass is an enum of chapter 06.
type PeerIngressEnvelopeClass uint8

const (
	PeerIngressEnvelopeClassMessage PeerIngressEnvelopeClass = iota
	PeerIngressEnvelopeClassRequest
	PeerIngressEnvelopeClassLifecycle
	PeerIngressEnvelopeClassResponse
	PeerIngressEnvelopeClassAck
)

// PeerIngressInputClass is an enum of chapter 06.
type PeerIngressInputClass uint8

const (
	PeerIngressInputClassActionableMessage PeerIngressInputClass = iota
	PeerIngressInputClassActionableRequest
	PeerIngressInputClassResponseProgress
	PeerIngressInputClassResponseTerminal
	PeerIngressInputClassPeerLifecycleAdded
	PeerIngressInputClassPeerLifecycleRetired
	PeerIngressInputClassPeerLifecycleUnwired
	PeerIngressInputClassSilentRequest
	PeerIngressInputClassAck
	PeerIngressInputClassPlainEvent
)

// PeerIngressLifecycleClass is an enum of chapter 06.
type PeerIngressLifecycleClass uint8

const (
	PeerIngressLifecycleClassPeerAdded PeerIngressLifecycleClass = iota
	PeerIngressLifecycleClassPeerRetired
	PeerIngressLifecycleClassPeerUnwired
)

// PeerIngressReceiveOutcomeClass is an enum of chapter 06.
type PeerIngressReceiveOutcomeClass uint8

const (
	PeerIngressReceiveOutcomeClassAdmitted PeerIngressReceiveOutcomeClass = iota
	PeerIngressReceiveOutcomeClassDroppedUntrustedSender
	PeerIngressReceiveOutcomeClassDroppedSessionClosed
	PeerIngressReceiveOutcomeClassDroppedInboxFull
)

// PeerIngressRequestClass is an enum of chapter 06.
type PeerIngressRequestClass uint8

const (
	PeerIngressRequestClassOther PeerIngressRequestClass = iota
	PeerIngressRequestClassMobPeerAdded
	PeerIngressRequestClassMobPeerRetired
	PeerIngressRequestClassMobPeerUnwired
	PeerIngressRequestClassSupervisorBridge
)

// PeerIngressResponseStatus is an enum of chapter 06.
type PeerIngressResponseStatus uint8

const (
	PeerIngressResponseStatusAccepted PeerIngressResponseStatus = iota
	PeerIngressResponseStatusCompleted
	PeerIngressResponseStatusFailed
)

// PeerIngressResponseTerminality is an enum of chapter 06.
type PeerIngressResponseTerminality uint8

const (
	PeerIngressResponseTerminalityProgress PeerIngressResponseTerminality = iota
	PeerIngressResponseTerminalityTerminalCompleted
	PeerIngressResponseTerminalityTerminalFailed
)

// PeerName is an opaque identifier of chapter 06.
type PeerName string

// PeerSigningKey is an opaque identifier of chapter 06.
type PeerSigningKey [32]byte

// PeerTerminalDisposition is an enum of chapter 06.
type PeerTerminalDisposition uint8

const (
	PeerTerminalDispositionCompleted PeerTerminalDisposition = iota
	PeerTerminalDispositionFailed
)

// SupervisorAuthorizeAdmissionResultKind is an enum of chapter 06.
type SupervisorAuthorizeAdmissionResultKind uint8

const (
	SupervisorAuthorizeAdmissionResultKindProceed SupervisorAuthorizeAdmissionResultKind = iota
	SupervisorAuthorizeAdmissionResultKindIdempotentAck
	SupervisorAuthorizeAdmissionResultKindReject
)

// SupervisorAuthorizeRejectionKind is an enum of chapter 06.
type SupervisorAuthorizeRejectionKind uint8

const (
	SupervisorAuthorizeRejectionKindNotBound SupervisorAuthorizeRejectionKind = iota
	SupervisorAuthorizeRejectionKindStaleSupervisor
	SupervisorAuthorizeRejectionKindSenderMismatch
)

// SupervisorBindAdmissionResultKind is an enum of chapter 06.
type SupervisorBindAdmissionResultKind uint8

const (
	SupervisorBindAdmissionResultKindBootstrap SupervisorBindAdmissionResultKind = iota
	SupervisorBindAdmissionResultKindIdempotentAck
	SupervisorBindAdmissionResultKindReject
)

// SupervisorBindMaterialAdmissionKind is an enum of chapter 06.
type SupervisorBindMaterialAdmissionKind uint8

const (
	SupervisorBindMaterialAdmissionKindAccept SupervisorBindMaterialAdmissionKind = iota
	SupervisorBindMaterialAdmissionKindAddressMismatch
	SupervisorBindMaterialAdmissionKindSenderMismatch
	SupervisorBindMaterialAdmissionKindInvalidPeerSpec
	SupervisorBindMaterialAdmissionKindInvalidBootstrapToken
)

// SupervisorBindRejectionKind is an enum of chapter 06.
type SupervisorBindRejectionKind uint8

const (
	SupervisorBindRejectionKindAlreadyBound SupervisorBindRejectionKind = iota
	SupervisorBindRejectionKindSenderMismatch
)

// SupervisorBridgeCommandAdmissionResultKind is an enum of chapter 06.
type SupervisorBridgeCommandAdmissionResultKind uint8

const (
	SupervisorBridgeCommandAdmissionResultKindAccept SupervisorBridgeCommandAdmissionResultKind = iota
	SupervisorBridgeCommandAdmissionResultKindReject
)

// SupervisorBridgeCommandRejectionKind is an enum of chapter 06.
type SupervisorBridgeCommandRejectionKind uint8

const (
	SupervisorBridgeCommandRejectionKindNotBound SupervisorBridgeCommandRejectionKind = iota
	SupervisorBridgeCommandRejectionKindStaleSupervisor
	SupervisorBridgeCommandRejectionKindSenderMismatch
)

// TranscriptEditAdmissionKind is an enum of chapter 06.
type TranscriptEditAdmissionKind uint8

const (
	TranscriptEditAdmissionKindAdmissible TranscriptEditAdmissionKind = iota
	TranscriptEditAdmissionKindDeniedBusy
)
