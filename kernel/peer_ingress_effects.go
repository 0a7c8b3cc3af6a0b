package kernel

// Chapter 06, peer ingress: the effects.

// PeerIngressClassified says what an item means. FromPeerID is absent for plain events
// only; RequestID is the item of a request itself, and what a response or an ack replies
// to.
type PeerIngressClassified struct {
	Class               PeerIngressInputClass               `json:"class"`
	Actionable          bool                                `json:"actionable"`
	Kind                PeerIngressAdmittedKind             `json:"kind"`
	Auth                PeerIngressAuthClass                `json:"auth"`
	FromPeerID          Opt[PeerId]                         `json:"from_peer_id"`
	LifecycleKind       Opt[PeerIngressLifecycleClass]      `json:"lifecycle_kind"`
	LifecyclePeer       Opt[string]                         `json:"lifecycle_peer"`
	RequestID           Opt[string]                         `json:"request_id"`
	ResponseTerminality Opt[PeerIngressResponseTerminality] `json:"response_terminality"`
}

func (PeerIngressClassified) EffectDisposition() Disposition { return Local }

// PeerResponseReplyClassified says whether a reply of ours is the last one.
type PeerResponseReplyClassified struct {
	ResponseTerminality PeerIngressResponseTerminality `json:"response_terminality"`
}

func (PeerResponseReplyClassified) EffectDisposition() Disposition { return Local }

// PeerIngressReceiveResolved says whether an item enters the inbox. The diagnostic is
// absent where trust was not looked at.
type PeerIngressReceiveResolved struct {
	Outcome             PeerIngressReceiveOutcomeClass           `json:"outcome"`
	AdmissionDiagnostic Opt[PeerIngressAdmissionDiagnosticClass] `json:"admission_diagnostic"`
	Phase               PeerIngressAuthorityPhaseClass           `json:"phase"`
}

func (PeerIngressReceiveResolved) EffectDisposition() Disposition { return Local }

// PeerIngressDequeueResolved has the authority phase after an item was taken out.
type PeerIngressDequeueResolved struct {
	Phase PeerIngressAuthorityPhaseClass `json:"phase"`
}

func (PeerIngressDequeueResolved) EffectDisposition() Disposition { return Local }
