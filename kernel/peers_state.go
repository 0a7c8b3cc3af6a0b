package kernel

// PeersState is the part of the state that chapter 06 owns: what the session owes its
// peers and its supervisor, and who they are. Nothing here is cleared when the session is
// unregistered, retired, stopped, reset or recovered. The drain's two fields are in
// [OpsState].
type PeersState struct {
	// PendingPeerRequests: outbound requests without a terminal.
	PendingPeerRequests Map[PeerCorrelationId, OutboundPeerRequestState] `json:"pending_peer_requests"`
	// InboundPeerRequests: inbound requests still to be answered.
	InboundPeerRequests Map[PeerCorrelationId, InboundPeerRequestState] `json:"inbound_peer_requests"`
	// InboundPeerRequestLanes: lane of each inbound request, the default lane of its reply.
	// Same keys as InboundPeerRequests.
	InboundPeerRequestLanes Map[PeerCorrelationId, InputLane] `json:"inbound_peer_request_lanes"`
	// ReservedInteractionStreams: streams nobody reads yet.
	ReservedInteractionStreams Set[PeerCorrelationId] `json:"reserved_interaction_streams"`
	// AttachedInteractionStreams: streams with a consumer, none of them reserved.
	AttachedInteractionStreams Set[PeerCorrelationId] `json:"attached_interaction_streams"`
	// LastSessionContextUpdatedAtMs: watermark of the last change of the context.
	LastSessionContextUpdatedAtMs uint64 `json:"last_session_context_updated_at_ms"`

	// PeerIngressOwnerKind: who owns peer ingress.
	PeerIngressOwnerKind PeerIngressOwnerKind `json:"peer_ingress_owner_kind"`
	// PeerIngressCommsRuntimeID: comms runtime instance of the owner.
	PeerIngressCommsRuntimeID Opt[CommsRuntimeId] `json:"peer_ingress_comms_runtime_id"`
	// PeerIngressMobID: mob of a MobOwned ingress.
	PeerIngressMobID Opt[MobId] `json:"peer_ingress_mob_id"`
	// PeerIngressAuthorityPhase: how far the envelopes of peers have come.
	PeerIngressAuthorityPhase PeerIngressAuthorityPhaseClass `json:"peer_ingress_authority_phase"`

	// SupervisorBindingKind: whether a supervisor is bound.
	SupervisorBindingKind SupervisorBindingKind `json:"supervisor_binding_kind"`
	// SupervisorBound: the supervisor in force, all five present or none.
	SupervisorBoundName             Opt[string] `json:"supervisor_bound_name"`
	SupervisorBoundPeerID           Opt[string] `json:"supervisor_bound_peer_id"`
	SupervisorBoundAddress          Opt[string] `json:"supervisor_bound_address"`
	SupervisorBoundSigningPublicKey Opt[string] `json:"supervisor_bound_signing_public_key"`
	SupervisorBoundEpoch            Opt[uint64] `json:"supervisor_bound_epoch"`

	// SupervisorPublishPending: the trust edge to be published, all five or none. Only while
	// bound.
	SupervisorPublishPendingName             Opt[string] `json:"supervisor_publish_pending_name"`
	SupervisorPublishPendingPeerID           Opt[string] `json:"supervisor_publish_pending_peer_id"`
	SupervisorPublishPendingAddress          Opt[string] `json:"supervisor_publish_pending_address"`
	SupervisorPublishPendingSigningPublicKey Opt[string] `json:"supervisor_publish_pending_signing_public_key"`
	SupervisorPublishPendingEpoch            Opt[uint64] `json:"supervisor_publish_pending_epoch"`

	// SupervisorRevokePending: the trust edge being revoked and who to bind again if that
	// fails, all five or none.
	SupervisorRevokePendingName             Opt[string] `json:"supervisor_revoke_pending_name"`
	SupervisorRevokePendingPeerID           Opt[string] `json:"supervisor_revoke_pending_peer_id"`
	SupervisorRevokePendingAddress          Opt[string] `json:"supervisor_revoke_pending_address"`
	SupervisorRevokePendingSigningPublicKey Opt[string] `json:"supervisor_revoke_pending_signing_public_key"`
	SupervisorRevokePendingEpoch            Opt[uint64] `json:"supervisor_revoke_pending_epoch"`

	// LocalEndpoint: this session's own endpoint.
	LocalEndpoint Opt[PeerEndpoint] `json:"local_endpoint"`
	// DirectPeerEndpoints: directly added peers.
	DirectPeerEndpoints Set[PeerEndpoint] `json:"direct_peer_endpoints"`
	// MobOverlayPeerEndpoints: peers handed down by the mob.
	MobOverlayPeerEndpoints Set[PeerEndpoint] `json:"mob_overlay_peer_endpoints"`
	// PeerProjectionEpoch: counts the changes of either peer set.
	PeerProjectionEpoch uint64 `json:"peer_projection_epoch"`
	// MobOverlayEpoch: epoch of the overlay in force.
	MobOverlayEpoch uint64 `json:"mob_overlay_epoch"`
}
