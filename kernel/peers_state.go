package kernel

// PeersState is the part of the state that chapter 06 owns.
type PeersState struct {
	// PendingPeerRequests: outbound requests without a terminal.
	PendingPeerRequests Map[PeerCorrelationId, OutboundPeerRequestState] `json:"pending_peer_requests"`
	// InboundPeerRequests: inbound requests still to be answered.
	InboundPeerRequests Map[PeerCorrelationId, InboundPeerRequestState] `json:"inbound_peer_requests"`
	// InboundPeerRequestLanes: lane of each inbound request (default lane of the reply).
	InboundPeerRequestLanes Map[PeerCorrelationId, InputLane] `json:"inbound_peer_request_lanes"`
	// LastSessionContextUpdatedAtMs: monotonic watermark.
	LastSessionContextUpdatedAtMs uint64 `json:"last_session_context_updated_at_ms"`
	// ReservedInteractionStreams: live streams by state.
	ReservedInteractionStreams Set[PeerCorrelationId] `json:"reserved_interaction_streams"`
	// AttachedInteractionStreams: live streams by state.
	AttachedInteractionStreams Set[PeerCorrelationId] `json:"attached_interaction_streams"`
	// PeerIngressOwnerKind: who owns peer ingress.
	PeerIngressOwnerKind PeerIngressOwnerKind `json:"peer_ingress_owner_kind"`
	// PeerIngressCommsRuntimeID: comms runtime instance of the owner.
	PeerIngressCommsRuntimeID Opt[CommsRuntimeId] `json:"peer_ingress_comms_runtime_id"`
	// PeerIngressMobID: mob of a MobOwned ingress.
	PeerIngressMobID Opt[MobId] `json:"peer_ingress_mob_id"`
	// PeerIngressAuthorityPhase: public receive/dequeue phase.
	PeerIngressAuthorityPhase PeerIngressAuthorityPhaseClass `json:"peer_ingress_authority_phase"`
	// SupervisorBindingKind: supervisor bound or not.
	SupervisorBindingKind SupervisorBindingKind `json:"supervisor_binding_kind"`
	// SupervisorBoundName: bound supervisor.
	SupervisorBoundName Opt[string] `json:"supervisor_bound_name"`
	// SupervisorBoundPeerID: bound supervisor.
	SupervisorBoundPeerID Opt[string] `json:"supervisor_bound_peer_id"`
	// SupervisorBoundAddress: bound supervisor.
	SupervisorBoundAddress Opt[string] `json:"supervisor_bound_address"`
	// SupervisorBoundSigningPublicKey: bound supervisor.
	SupervisorBoundSigningPublicKey Opt[string] `json:"supervisor_bound_signing_public_key"`
	// SupervisorBoundEpoch: its epoch.
	SupervisorBoundEpoch Opt[uint64] `json:"supervisor_bound_epoch"`
	// SupervisorPublishPendingName: trust edge to be published.
	SupervisorPublishPendingName             Opt[string] `json:"supervisor_publish_pending_name"`
	SupervisorPublishPendingPeerID           Opt[string] `json:"supervisor_publish_pending_peer_id"`
	SupervisorPublishPendingAddress          Opt[string] `json:"supervisor_publish_pending_address"`
	SupervisorPublishPendingSigningPublicKey Opt[string] `json:"supervisor_publish_pending_signing_public_key"`
	// SupervisorPublishPendingEpoch: its epoch.
	SupervisorPublishPendingEpoch Opt[uint64] `json:"supervisor_publish_pending_epoch"`
	// SupervisorRevokePendingName: trust edge being revoked (and how to restore it).
	SupervisorRevokePendingName             Opt[string] `json:"supervisor_revoke_pending_name"`
	SupervisorRevokePendingPeerID           Opt[string] `json:"supervisor_revoke_pending_peer_id"`
	SupervisorRevokePendingAddress          Opt[string] `json:"supervisor_revoke_pending_address"`
	SupervisorRevokePendingSigningPublicKey Opt[string] `json:"supervisor_revoke_pending_signing_public_key"`
	// SupervisorRevokePendingEpoch: its epoch.
	SupervisorRevokePendingEpoch Opt[uint64] `json:"supervisor_revoke_pending_epoch"`
	// LocalEndpoint: this session's own endpoint.
	LocalEndpoint Opt[PeerEndpoint] `json:"local_endpoint"`
	// DirectPeerEndpoints: directly added peers.
	DirectPeerEndpoints Set[PeerEndpoint] `json:"direct_peer_endpoints"`
	// MobOverlayPeerEndpoints: peers handed down by the mob.
	MobOverlayPeerEndpoints Set[PeerEndpoint] `json:"mob_overlay_peer_endpoints"`
	// PeerProjectionEpoch: counts changes of either peer set.
	PeerProjectionEpoch uint64 `json:"peer_projection_epoch"`
	// MobOverlayEpoch: epoch of the overlay in force.
	MobOverlayEpoch uint64 `json:"mob_overlay_epoch"`
}
