package kernel

// Chapter 06, peers: the effects of requests, streams, the context and endpoints.

// PeerInteractionStateChanged announces how far a request to a peer has come.
type PeerInteractionStateChanged struct {
	CorrID   PeerCorrelationId        `json:"corr_id"`
	NewState OutboundPeerRequestState `json:"new_state"`
}

func (PeerInteractionStateChanged) EffectDisposition() Disposition { return External }

// PeerInteractionCleanup asks for the channel of a request that ended to be dropped.
type PeerInteractionCleanup struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (PeerInteractionCleanup) EffectDisposition() Disposition { return External }

// InboundPeerInteractionStateChanged announces how far a request of a peer has come.
type InboundPeerInteractionStateChanged struct {
	CorrID   PeerCorrelationId       `json:"corr_id"`
	NewState InboundPeerRequestState `json:"new_state"`
}

func (InboundPeerInteractionStateChanged) EffectDisposition() Disposition { return External }

// InteractionStreamStateChanged announces what happened to a stream.
type InteractionStreamStateChanged struct {
	CorrID   PeerCorrelationId      `json:"corr_id"`
	NewState InteractionStreamState `json:"new_state"`
}

func (InteractionStreamStateChanged) EffectDisposition() Disposition { return External }

// InteractionStreamCleanup asks for the channel of a stream that ended to be dropped.
type InteractionStreamCleanup struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (InteractionStreamCleanup) EffectDisposition() Disposition { return External }

// SessionContextAdvanced announces the new watermark of the context.
type SessionContextAdvanced struct {
	UpdatedAtMs uint64 `json:"updated_at_ms"`
}

func (SessionContextAdvanced) EffectDisposition() Disposition { return External }

// TranscriptEditAdmissionResolved says whether the transcript may be edited.
type TranscriptEditAdmissionResolved struct {
	Verdict TranscriptEditAdmissionKind `json:"verdict"`
}

func (TranscriptEditAdmissionResolved) EffectDisposition() Disposition { return Local }

// LocalEndpointChanged announces the session's own endpoint, also if it is as before.
type LocalEndpointChanged struct {
	Endpoint Opt[PeerEndpoint] `json:"endpoint"`
}

func (LocalEndpointChanged) EffectDisposition() Disposition { return External }

// PeerProjectionChanged announces that a set of peers has changed.
type PeerProjectionChanged struct {
	PeerProjectionEpoch uint64 `json:"peer_projection_epoch"`
}

func (PeerProjectionChanged) EffectDisposition() Disposition { return External }

// CommsTrustReconcileRequested asks the shell to trust exactly these peers, of those that
// come from here. It is stale once the projection epoch has moved.
type CommsTrustReconcileRequested struct {
	LocalEndpoint           Opt[PeerEndpoint] `json:"local_endpoint"`
	PeerProjectionEpoch     uint64            `json:"peer_projection_epoch"`
	DirectPeerEndpoints     Set[PeerEndpoint] `json:"direct_peer_endpoints"`
	MobOverlayPeerEndpoints Set[PeerEndpoint] `json:"mob_overlay_peer_endpoints"`
}

func (CommsTrustReconcileRequested) EffectDisposition() Disposition { return External }
