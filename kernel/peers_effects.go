package kernel

// The effects of chapter 06.

// PeerIngressClassified is an effect of chapter 06, local.
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

// PeerResponseReplyClassified is an effect of chapter 06, local.
type PeerResponseReplyClassified struct {
	ResponseTerminality PeerIngressResponseTerminality `json:"response_terminality"`
}

func (PeerResponseReplyClassified) EffectDisposition() Disposition { return Local }

// PeerIngressReceiveResolved is an effect of chapter 06, local.
type PeerIngressReceiveResolved struct {
	Outcome             PeerIngressReceiveOutcomeClass           `json:"outcome"`
	AdmissionDiagnostic Opt[PeerIngressAdmissionDiagnosticClass] `json:"admission_diagnostic"`
	Phase               PeerIngressAuthorityPhaseClass           `json:"phase"`
}

func (PeerIngressReceiveResolved) EffectDisposition() Disposition { return Local }

// PeerIngressDequeueResolved is an effect of chapter 06, local.
type PeerIngressDequeueResolved struct {
	Phase PeerIngressAuthorityPhaseClass `json:"phase"`
}

func (PeerIngressDequeueResolved) EffectDisposition() Disposition { return Local }

// PublishSupervisorTrustEdge is an effect of chapter 06, external.
type PublishSupervisorTrustEdge struct {
	LocalEndpoint    Opt[PeerEndpoint] `json:"local_endpoint"`
	PeerID           string            `json:"peer_id"`
	Name             string            `json:"name"`
	Address          string            `json:"address"`
	SigningPublicKey Opt[string]       `json:"signing_public_key"`
	Epoch            uint64            `json:"epoch"`
}

func (PublishSupervisorTrustEdge) EffectDisposition() Disposition { return External }

// RevokeSupervisorTrustEdge is an effect of chapter 06, external.
type RevokeSupervisorTrustEdge struct {
	LocalEndpoint Opt[PeerEndpoint] `json:"local_endpoint"`
	PeerID        string            `json:"peer_id"`
	Epoch         uint64            `json:"epoch"`
}

func (RevokeSupervisorTrustEdge) EffectDisposition() Disposition { return External }

// PeerInteractionStateChanged is an effect of chapter 06, external.
type PeerInteractionStateChanged struct {
	CorrID   PeerCorrelationId        `json:"corr_id"`
	NewState OutboundPeerRequestState `json:"new_state"`
}

func (PeerInteractionStateChanged) EffectDisposition() Disposition { return External }

// PeerInteractionCleanup is an effect of chapter 06, external.
type PeerInteractionCleanup struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (PeerInteractionCleanup) EffectDisposition() Disposition { return External }

// InboundPeerInteractionStateChanged is an effect of chapter 06, external.
type InboundPeerInteractionStateChanged struct {
	CorrID   PeerCorrelationId       `json:"corr_id"`
	NewState InboundPeerRequestState `json:"new_state"`
}

func (InboundPeerInteractionStateChanged) EffectDisposition() Disposition { return External }

// SessionContextAdvanced is an effect of chapter 06, external.
type SessionContextAdvanced struct {
	UpdatedAtMs uint64 `json:"updated_at_ms"`
}

func (SessionContextAdvanced) EffectDisposition() Disposition { return External }

// InteractionStreamStateChanged is an effect of chapter 06, external.
type InteractionStreamStateChanged struct {
	CorrID   PeerCorrelationId      `json:"corr_id"`
	NewState InteractionStreamState `json:"new_state"`
}

func (InteractionStreamStateChanged) EffectDisposition() Disposition { return External }

// InteractionStreamCleanup is an effect of chapter 06, external.
type InteractionStreamCleanup struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (InteractionStreamCleanup) EffectDisposition() Disposition { return External }

// LocalEndpointChanged is an effect of chapter 06, external.
type LocalEndpointChanged struct {
	Endpoint Opt[PeerEndpoint] `json:"endpoint"`
}

func (LocalEndpointChanged) EffectDisposition() Disposition { return External }

// SupervisorBindAdmissionResolved is an effect of chapter 06, local.
type SupervisorBindAdmissionResolved struct {
	Result    SupervisorBindAdmissionResultKind `json:"result"`
	Rejection Opt[SupervisorBindRejectionKind]  `json:"rejection"`
}

func (SupervisorBindAdmissionResolved) EffectDisposition() Disposition { return Local }

// SupervisorBindMaterialAdmissionResolved is an effect of chapter 06, local.
type SupervisorBindMaterialAdmissionResolved struct {
	Verdict SupervisorBindMaterialAdmissionKind `json:"verdict"`
}

func (SupervisorBindMaterialAdmissionResolved) EffectDisposition() Disposition { return Local }

// TranscriptEditAdmissionResolved is an effect of chapter 06, local.
type TranscriptEditAdmissionResolved struct {
	Verdict TranscriptEditAdmissionKind `json:"verdict"`
}

func (TranscriptEditAdmissionResolved) EffectDisposition() Disposition { return Local }

// SupervisorAuthorizeAdmissionResolved is an effect of chapter 06, local.
type SupervisorAuthorizeAdmissionResolved struct {
	Result                   SupervisorAuthorizeAdmissionResultKind `json:"result"`
	Rejection                Opt[SupervisorAuthorizeRejectionKind]  `json:"rejection"`
	PreviousName             Opt[string]                            `json:"previous_name"`
	PreviousPeerID           Opt[string]                            `json:"previous_peer_id"`
	PreviousAddress          Opt[string]                            `json:"previous_address"`
	PreviousSigningPublicKey Opt[string]                            `json:"previous_signing_public_key"`
	PreviousEpoch            Opt[uint64]                            `json:"previous_epoch"`
}

func (SupervisorAuthorizeAdmissionResolved) EffectDisposition() Disposition { return Local }

// SupervisorBridgeCommandAdmissionResolved is an effect of chapter 06, local.
type SupervisorBridgeCommandAdmissionResolved struct {
	Result    SupervisorBridgeCommandAdmissionResultKind `json:"result"`
	Rejection Opt[SupervisorBridgeCommandRejectionKind]  `json:"rejection"`
}

func (SupervisorBridgeCommandAdmissionResolved) EffectDisposition() Disposition { return Local }

// PeerProjectionChanged is an effect of chapter 06, external.
type PeerProjectionChanged struct {
	PeerProjectionEpoch uint64 `json:"peer_projection_epoch"`
}

func (PeerProjectionChanged) EffectDisposition() Disposition { return External }

// CommsTrustReconcileRequested is an effect of chapter 06, external.
type CommsTrustReconcileRequested struct {
	LocalEndpoint           Opt[PeerEndpoint] `json:"local_endpoint"`
	PeerProjectionEpoch     uint64            `json:"peer_projection_epoch"`
	DirectPeerEndpoints     Set[PeerEndpoint] `json:"direct_peer_endpoints"`
	MobOverlayPeerEndpoints Set[PeerEndpoint] `json:"mob_overlay_peer_endpoints"`
}

func (CommsTrustReconcileRequested) EffectDisposition() Disposition { return External }
