package kernel

// Chapter 06, peers: the types of requests, streams, the drain and endpoints. The first
// variant of an enum is its zero value.

// PeerCorrelationId joins a request and its responses, and names the stream of an
// interaction. A UUID on every real path.
type PeerCorrelationId string

// OutboundPeerRequestState is how far a request to a peer has come. The last three are
// only announced: a request that ended is forgotten.
type OutboundPeerRequestState uint8

const (
	OutboundPeerRequestStateSent OutboundPeerRequestState = iota
	OutboundPeerRequestStateAcceptedProgress
	OutboundPeerRequestStateCompleted
	OutboundPeerRequestStateFailed
	OutboundPeerRequestStateTimedOut
)

// InboundPeerRequestState is how far a request of a peer has come. Replied is only
// announced.
type InboundPeerRequestState uint8

const (
	InboundPeerRequestStateReceived InboundPeerRequestState = iota
	InboundPeerRequestStateReplied
)

// PeerTerminalDisposition is what the last response to a request says.
type PeerTerminalDisposition uint8

const (
	PeerTerminalDispositionCompleted PeerTerminalDisposition = iota
	PeerTerminalDispositionFailed
)

// InteractionStreamState is what happened to a stream. It is only announced: the state has
// a set for each of the first two.
type InteractionStreamState uint8

const (
	InteractionStreamStateReserved InteractionStreamState = iota
	InteractionStreamStateAttached
	InteractionStreamStateCompleted
	InteractionStreamStateExpired
	InteractionStreamStateClosedEarly
)

// DrainExitReason says why the drain task ended.
type DrainExitReason uint8

const (
	DrainExitReasonIdleTimeout DrainExitReason = iota
	DrainExitReasonDismissed
	DrainExitReasonFailed
	DrainExitReasonAborted
	DrainExitReasonSessionShutdown
)

// TranscriptEditAdmissionKind is the verdict on editing the transcript.
type TranscriptEditAdmissionKind uint8

const (
	TranscriptEditAdmissionKindAdmissible TranscriptEditAdmissionKind = iota
	TranscriptEditAdmissionKindDeniedBusy
)

// PeerName is what a peer is called. The machine does not look into it.
type PeerName string

// PeerSigningKey is the public key a peer signs with.
type PeerSigningKey [32]byte

// PeerEndpoint is where a peer is reached. Two are equal only in all four fields.
type PeerEndpoint struct {
	Name       PeerName       `json:"name"`
	PeerID     PeerId         `json:"peer_id"`
	Address    PeerAddress    `json:"address"`
	SigningKey PeerSigningKey `json:"signing_key"`
}

// MobPeerOverlayCommandKind is what the command that comes with an overlay does to its
// peer.
type MobPeerOverlayCommandKind uint8

const (
	MobPeerOverlayCommandKindWire MobPeerOverlayCommandKind = iota
	MobPeerOverlayCommandKindUnwire
)
