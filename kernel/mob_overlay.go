package kernel

// Chapter 06, the mob overlay: the peers a mob's supervisor hands down, always the whole
// set, under an epoch that only grows. The epoch in force with the peers in force is a
// repair, as with direct peers; with other peers it is refused. The guard
// stale_overlay_epoch is named for what it keeps out.

// AuthorizeSupervisorMobPeerOverlay is an overlay a supervisor sends with a command that
// wires or unwires one peer. The overlay must be what that command leads to, be meant for
// this session, and come from the supervisor in force. Runtime-internal, chapter 06.
//
// EndpointCount is the length of the list as sent, so a list that repeats an endpoint is
// refused.
type AuthorizeSupervisorMobPeerOverlay struct {
	SupervisorPeerID string                    `json:"supervisor_peer_id"`
	SupervisorEpoch  uint64                    `json:"supervisor_epoch"`
	RecipientPeerID  string                    `json:"recipient_peer_id"`
	OverlayEpoch     uint64                    `json:"overlay_epoch"`
	Endpoints        Set[PeerEndpoint]         `json:"endpoints"`
	EndpointCount    uint64                    `json:"endpoint_count"`
	CommandPeerID    string                    `json:"command_peer_id"`
	CommandEndpoint  PeerEndpoint              `json:"command_endpoint"`
	CommandKind      MobPeerOverlayCommandKind `json:"command_kind"`
}

func (in *AuthorizeSupervisorMobPeerOverlay) step(k *Kernel, s *State) {
	switch {
	case k.rule("AuthorizeSupervisorMobPeerOverlay", live3, Stay) &&
		supervisorNamed(k, s, in.SupervisorPeerID, in.SupervisorEpoch) &&
		in.overlayFits(k, s) &&
		k.guard("stale_overlay_epoch", in.OverlayEpoch > s.MobOverlayEpoch):

		s.MobOverlayPeerEndpoints = in.Endpoints.Clone()
		s.MobOverlayEpoch = in.OverlayEpoch
		s.PeerProjectionEpoch++
		k.emit(PeerProjectionChanged{PeerProjectionEpoch: s.PeerProjectionEpoch})
		k.emit(s.reconcileCommsTrust())

	case k.rule("RepairSupervisorMobPeerOverlay", live3, Stay) &&
		supervisorNamed(k, s, in.SupervisorPeerID, in.SupervisorEpoch) &&
		in.overlayFits(k, s) &&
		k.guard("overlay_epoch_current", in.OverlayEpoch == s.MobOverlayEpoch) &&
		k.guard("overlay_endpoints_match", in.Endpoints.Equal(s.MobOverlayPeerEndpoints)):

		k.emit(s.reconcileCommsTrust())
	}
}

// overlayFits are the guards on the recipient of an overlay and on its shape.
func (in *AuthorizeSupervisorMobPeerOverlay) overlayFits(k *Kernel, s *State) bool {
	return k.guard("local_endpoint_published", s.LocalEndpoint.IsSome()) &&
		k.guard("recipient_matches_local_peer", s.LocalEndpoint.Value().PeerID == PeerId(in.RecipientPeerID)) &&
		k.guard("overlay_endpoint_count_matches", uint64(len(in.Endpoints)) == in.EndpointCount) &&
		k.guard("overlay_peer_ids_unique", peerIDsUnique(in.Endpoints)) &&
		k.guard("command_peer_id_matches_endpoint", in.CommandEndpoint.PeerID == PeerId(in.CommandPeerID)) &&
		k.guard("command_peer_membership_matches_kind", in.membershipMatchesKind())
}

// membershipMatchesKind reports whether the overlay is what the command leads to: a wired
// peer is in it as the command has it, an unwired one is gone under any address.
func (in *AuthorizeSupervisorMobPeerOverlay) membershipMatchesKind() bool {
	if in.CommandKind == MobPeerOverlayCommandKindWire {
		return in.Endpoints.Has(in.CommandEndpoint)
	}
	return !hasPeer(in.Endpoints, PeerId(in.CommandPeerID))
}

// ApplyMobPeerOverlay is an overlay that comes from the session's own host and so needs no
// supervisor. Runtime-internal, chapter 06.
//
// Epoch 0 without peers is a repair on a fresh machine.
type ApplyMobPeerOverlay struct {
	Epoch     uint64            `json:"epoch"`
	Endpoints Set[PeerEndpoint] `json:"endpoints"`
}

func (in *ApplyMobPeerOverlay) step(k *Kernel, s *State) {
	switch {
	case k.rule("ApplyMobPeerOverlay", live3, Stay) &&
		k.guard("stale_overlay_epoch", in.Epoch > s.MobOverlayEpoch):

		s.MobOverlayPeerEndpoints = in.Endpoints.Clone()
		s.MobOverlayEpoch = in.Epoch
		s.PeerProjectionEpoch++
		k.emit(PeerProjectionChanged{PeerProjectionEpoch: s.PeerProjectionEpoch})
		k.emit(s.reconcileCommsTrust())

	case k.rule("RepairMobPeerOverlay", live3, Stay) &&
		k.guard("overlay_epoch_current", in.Epoch == s.MobOverlayEpoch) &&
		k.guard("overlay_endpoints_match", in.Endpoints.Equal(s.MobOverlayPeerEndpoints)):

		k.emit(s.reconcileCommsTrust())
	}
}

// reconcileCommsTrust asks the shell to put both sets of peers, as they are now, in force.
func (s *State) reconcileCommsTrust() CommsTrustReconcileRequested {
	return CommsTrustReconcileRequested{
		LocalEndpoint:           s.LocalEndpoint,
		PeerProjectionEpoch:     s.PeerProjectionEpoch,
		DirectPeerEndpoints:     s.DirectPeerEndpoints.Clone(),
		MobOverlayPeerEndpoints: s.MobOverlayPeerEndpoints.Clone(),
	}
}

// peerIDsUnique reports whether no two endpoints are of the same peer.
func peerIDsUnique(endpoints Set[PeerEndpoint]) bool {
	// In any order: the answer is the same and sorting would cost.
	seen := make(Set[PeerId], len(endpoints))
	for e := range endpoints {
		seen.add(e.PeerID)
	}
	return len(seen) == len(endpoints)
}

// hasPeer reports whether any endpoint is of the given peer.
func hasPeer(endpoints Set[PeerEndpoint], id PeerId) bool {
	// In any order: the answer is the same and sorting would cost.
	for e := range endpoints {
		if e.PeerID == id {
			return true
		}
	}
	return false
}
