package kernel

// Chapter 06, peer ingress: the types. The first variant of an enum is its zero value.

// CommsRuntimeId names one instance of a comms runtime; no two instances share one.
type CommsRuntimeId string

// MobId names a mob.
type MobId string

// PeerIngressEnvelopeClass is the kind of an envelope as it was sent.
type PeerIngressEnvelopeClass uint8

const (
	PeerIngressEnvelopeClassMessage PeerIngressEnvelopeClass = iota
	PeerIngressEnvelopeClassRequest
	// PeerIngressEnvelopeClassLifecycle is a notice about topology: a peer came or went.
	PeerIngressEnvelopeClassLifecycle
	PeerIngressEnvelopeClassResponse
	PeerIngressEnvelopeClassAck
)

// PeerIngressRequestClass is what the transport makes of the intent of a request. Three
// intents say as requests what lifecycle envelopes say as notices.
type PeerIngressRequestClass uint8

const (
	// PeerIngressRequestClassOther is every intent that is not one of those below.
	PeerIngressRequestClassOther PeerIngressRequestClass = iota
	PeerIngressRequestClassMobPeerAdded
	PeerIngressRequestClassMobPeerRetired
	PeerIngressRequestClassMobPeerUnwired
	// PeerIngressRequestClassSupervisorBridge is a command of a mob supervisor.
	PeerIngressRequestClassSupervisorBridge
)

// PeerIngressLifecycleClass is what happened to a peer.
type PeerIngressLifecycleClass uint8

const (
	PeerIngressLifecycleClassPeerAdded PeerIngressLifecycleClass = iota
	PeerIngressLifecycleClassPeerRetired
	PeerIngressLifecycleClassPeerUnwired
)

// PeerIngressResponseStatus is the status a response carries.
type PeerIngressResponseStatus uint8

const (
	// PeerIngressResponseStatusAccepted says that the peer is at work: another response will come.
	PeerIngressResponseStatusAccepted PeerIngressResponseStatus = iota
	PeerIngressResponseStatusCompleted
	PeerIngressResponseStatusFailed
)

// PeerIngressInputClass is what an item means to the session.
type PeerIngressInputClass uint8

const (
	PeerIngressInputClassActionableMessage PeerIngressInputClass = iota
	PeerIngressInputClassActionableRequest
	PeerIngressInputClassResponseProgress
	PeerIngressInputClassResponseTerminal
	PeerIngressInputClassPeerLifecycleAdded
	PeerIngressInputClassPeerLifecycleRetired
	PeerIngressInputClassPeerLifecycleUnwired
	// PeerIngressInputClassSilentRequest is a request with an intent that takes no turn.
	PeerIngressInputClassSilentRequest
	PeerIngressInputClassAck
	PeerIngressInputClassPlainEvent
)

// PeerIngressAdmittedKind is the kind of an item of the inbox. Notices about topology are
// requests here.
type PeerIngressAdmittedKind uint8

const (
	PeerIngressAdmittedKindMessage PeerIngressAdmittedKind = iota
	PeerIngressAdmittedKindRequest
	PeerIngressAdmittedKindResponse
	PeerIngressAdmittedKindAck
	// PeerIngressAdmittedKindPlainEvent is an event from outside, which no peer has sent.
	PeerIngressAdmittedKindPlainEvent
)

// PeerIngressAuthClass says whether the sender of an item must be trusted.
type PeerIngressAuthClass uint8

const (
	PeerIngressAuthClassRequired PeerIngressAuthClass = iota
	// PeerIngressAuthClassSupervisorBridgeExempt is for commands of a supervisor: the first of
	// them must come through before there is a trust edge, and all are checked later.
	PeerIngressAuthClassSupervisorBridgeExempt
)

// PeerIngressResponseTerminality says whether a response is the last one.
type PeerIngressResponseTerminality uint8

const (
	PeerIngressResponseTerminalityProgress PeerIngressResponseTerminality = iota
	PeerIngressResponseTerminalityTerminalCompleted
	PeerIngressResponseTerminalityTerminalFailed
)

// PeerIngressReceiveOutcomeClass is what became of an item at the inbox.
type PeerIngressReceiveOutcomeClass uint8

const (
	PeerIngressReceiveOutcomeClassAdmitted PeerIngressReceiveOutcomeClass = iota
	PeerIngressReceiveOutcomeClassDroppedUntrustedSender
	PeerIngressReceiveOutcomeClassDroppedSessionClosed
	PeerIngressReceiveOutcomeClassDroppedInboxFull
)

// PeerIngressAdmissionDiagnosticClass is how the sender stood when its item came in.
type PeerIngressAdmissionDiagnosticClass uint8

const (
	PeerIngressAdmissionDiagnosticClassTrustedAtAdmission PeerIngressAdmissionDiagnosticClass = iota
	PeerIngressAdmissionDiagnosticClassUntrustedAtAdmission
)

// PeerIngressAuthorityPhaseClass is how far the envelopes of peers have come, as snapshots
// show it.
type PeerIngressAuthorityPhaseClass uint8

const (
	// PeerIngressAuthorityPhaseClassAbsent : nothing has come yet.
	PeerIngressAuthorityPhaseClassAbsent PeerIngressAuthorityPhaseClass = iota
	// PeerIngressAuthorityPhaseClassReceived : something waits in the inbox.
	PeerIngressAuthorityPhaseClassReceived
	// PeerIngressAuthorityPhaseClassDropped : the last one was not trusted and the inbox is empty.
	PeerIngressAuthorityPhaseClassDropped
	// PeerIngressAuthorityPhaseClassDelivered : the last one was taken out.
	PeerIngressAuthorityPhaseClassDelivered
)
