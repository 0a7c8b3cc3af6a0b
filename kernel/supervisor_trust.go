package kernel

// Chapter 06, supervisor trust: what the shell reports about the trust edges it was asked
// to publish and to revoke. A report counts only if it is about the obligation at hand, by
// peer and epoch.

// RequestSupervisorTrustPublish asks for the edge of the supervisor in force once more; it
// must be named in full. Runtime-internal, chapter 06.
type RequestSupervisorTrustPublish struct {
	Name             string `json:"name"`
	PeerID           string `json:"peer_id"`
	Address          string `json:"address"`
	SigningPublicKey string `json:"signing_public_key"`
	Epoch            uint64 `json:"epoch"`
}

func (in *RequestSupervisorTrustPublish) step(k *Kernel, s *State) {
	switch {
	case k.rule("RequestSupervisorTrustPublish", registered5, Stay) &&
		k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("name_matches_current", s.SupervisorBoundName.Is(in.Name)) &&
		k.guard("peer_id_matches_current", s.SupervisorBoundPeerID.Is(in.PeerID)) &&
		k.guard("address_matches_current", s.SupervisorBoundAddress.Is(in.Address)) &&
		k.guard("signing_public_key_matches_current", s.SupervisorBoundSigningPublicKey.Is(in.SigningPublicKey)) &&
		k.guard("epoch_matches_current", s.SupervisorBoundEpoch.Is(in.Epoch)):

		s.setSupervisorPublishPending(supervisor(*in))
		k.emit(supervisor(*in).publishTrustEdge(s))
	}
}

// SupervisorTrustEdgePublished reports that the edge is there. Runtime-internal (feedback),
// chapter 06.
type SupervisorTrustEdgePublished struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
}

func (in *SupervisorTrustEdgePublished) step(k *Kernel, s *State) {
	switch {
	case k.rule("SupervisorTrustEdgePublished", registered5, Stay) &&
		publishObliged(k, s, in.PeerID, in.Epoch):

		s.clearSupervisorPublishPending()
	}
}

// SupervisorTrustEdgePublishFailed reports that the edge could not be published. The
// binding stays; undoing it is up to the shell. Reason is never read. Runtime-internal
// (feedback), chapter 06.
type SupervisorTrustEdgePublishFailed struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
	Reason string `json:"reason"`
}

func (in *SupervisorTrustEdgePublishFailed) step(k *Kernel, s *State) {
	switch {
	case k.rule("SupervisorTrustEdgePublishFailed", registered5, Stay) &&
		publishObliged(k, s, in.PeerID, in.Epoch):

		s.clearSupervisorPublishPending()
	}
}

// SupervisorTrustEdgeRevoked reports that the edge is gone. Runtime-internal (feedback),
// chapter 06.
type SupervisorTrustEdgeRevoked struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
}

func (in *SupervisorTrustEdgeRevoked) step(k *Kernel, s *State) {
	switch {
	case k.rule("SupervisorTrustEdgeRevoked", registered5, Stay) &&
		revokeObliged(k, s, in.PeerID, in.Epoch):

		s.clearSupervisorRevokePending()
	}
}

// SupervisorTrustEdgeRevokeFailed reports that the edge could not be taken away. The
// supervisor is bound again, since it is still trusted; as its edge is there, there is
// nothing to publish. Reason is never read. Runtime-internal (feedback), chapter 06.
type SupervisorTrustEdgeRevokeFailed struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
	Reason string `json:"reason"`
}

func (in *SupervisorTrustEdgeRevokeFailed) step(k *Kernel, s *State) {
	switch {
	case k.rule("SupervisorTrustEdgeRevokeFailed", registered5, Stay) &&
		revokeObliged(k, s, in.PeerID, in.Epoch):

		s.SupervisorBindingKind = SupervisorBindingKindBound
		s.setBoundSupervisor(s.supervisorRevokePending())
		s.clearSupervisorRevokePending()
	}
}

// publishObliged are the guards that a report is about the edge to be published.
func publishObliged(k *Kernel, s *State, peerID string, epoch uint64) bool {
	return k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("peer_id_matches_current", s.SupervisorBoundPeerID.Is(peerID)) &&
		k.guard("epoch_matches_current", s.SupervisorBoundEpoch.Is(epoch)) &&
		k.guard("peer_id_matches_pending_publish", s.SupervisorPublishPendingPeerID.Is(peerID)) &&
		k.guard("epoch_matches_pending_publish", s.SupervisorPublishPendingEpoch.Is(epoch))
}

// revokeObliged are the guards that a report is about the edge being revoked.
func revokeObliged(k *Kernel, s *State, peerID string, epoch uint64) bool {
	return k.guard("supervisor_unbound", s.SupervisorBindingKind == SupervisorBindingKindUnbound) &&
		k.guard("peer_id_matches_pending_revoke", s.SupervisorRevokePendingPeerID.Is(peerID)) &&
		k.guard("epoch_matches_pending_revoke", s.SupervisorRevokePendingEpoch.Is(epoch))
}
