package kernel

// Chapter 06, the supervisor binding: which mob supervisor commands the session, and since
// which epoch.
//
// A binding comes with an obligation of the shell: the edge in the trust store must be
// published, and after a revocation taken away. Each obligation has a copy of the
// supervisor it is about; the feedback is in supervisor_trust.go. A session may be bound
// and revoked in any phase it is registered in, or never was: who may ask is decided
// before, by the admission inputs.

// BindSupervisor binds a session that has no supervisor. A revocation still under way is
// forgotten. Runtime-internal, chapter 06.
type BindSupervisor struct {
	Name             string `json:"name"`
	PeerID           string `json:"peer_id"`
	Address          string `json:"address"`
	SigningPublicKey string `json:"signing_public_key"`
	Epoch            uint64 `json:"epoch"`
}

func (in *BindSupervisor) step(k *Kernel, s *State) {
	switch {
	case k.rule("BindSupervisor", registered5, Stay) &&
		k.guard("supervisor_unbound", s.SupervisorBindingKind == SupervisorBindingKindUnbound):

		s.SupervisorBindingKind = SupervisorBindingKindBound
		s.setBoundSupervisor(supervisor(*in))
		s.setSupervisorPublishPending(supervisor(*in))
		s.clearSupervisorRevokePending()
		k.emit(supervisor(*in).publishTrustEdge(s))
	}
}

// AuthorizeSupervisor puts another supervisor, or the same in another epoch, in the place
// of the one in force. The epoch may be a lower one: this is also the way back if handing
// on has failed. Runtime-internal, chapter 06.
type AuthorizeSupervisor struct {
	Name             string `json:"name"`
	PeerID           string `json:"peer_id"`
	Address          string `json:"address"`
	SigningPublicKey string `json:"signing_public_key"`
	Epoch            uint64 `json:"epoch"`
}

func (in *AuthorizeSupervisor) step(k *Kernel, s *State) {
	switch {
	case k.rule("AuthorizeSupervisor", registered5, Stay) &&
		k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound):

		s.setBoundSupervisor(supervisor(*in))
		s.setSupervisorPublishPending(supervisor(*in))
		s.clearSupervisorRevokePending()
		k.emit(supervisor(*in).publishTrustEdge(s))
	}
}

// RevokeSupervisor unbinds the supervisor in force at once. Its trust edge is still there;
// what is needed to bind it again stays until the shell reports. Runtime-internal,
// chapter 06.
type RevokeSupervisor struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
}

func (in *RevokeSupervisor) step(k *Kernel, s *State) {
	switch {
	case k.rule("RevokeSupervisor", registered5, Stay) &&
		k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("peer_id_matches_current", s.SupervisorBoundPeerID.Is(in.PeerID)) &&
		k.guard("epoch_matches_current", s.SupervisorBoundEpoch.Is(in.Epoch)):

		s.SupervisorRevokePendingName = Some(s.SupervisorBoundName.Value())
		s.SupervisorRevokePendingPeerID = Some(in.PeerID)
		s.SupervisorRevokePendingAddress = Some(s.SupervisorBoundAddress.Value())
		s.SupervisorRevokePendingSigningPublicKey = Some(s.SupervisorBoundSigningPublicKey.Value())
		s.SupervisorRevokePendingEpoch = Some(in.Epoch)
		s.SupervisorBindingKind = SupervisorBindingKindUnbound
		s.clearBoundSupervisor()
		s.clearSupervisorPublishPending()
		k.emit(RevokeSupervisorTrustEdge{LocalEndpoint: s.LocalEndpoint, PeerID: in.PeerID, Epoch: in.Epoch})
	}
}

// supervisor is a supervisor in an epoch, as the inputs bring it and the state has it
// thrice: bound, to be published, being revoked.
type supervisor struct {
	Name             string
	PeerID           string
	Address          string
	SigningPublicKey string
	Epoch            uint64
}

// publishTrustEdge asks the shell to publish the edge to v.
func (v supervisor) publishTrustEdge(s *State) PublishSupervisorTrustEdge {
	return PublishSupervisorTrustEdge{
		LocalEndpoint:    s.LocalEndpoint,
		PeerID:           v.PeerID,
		Name:             v.Name,
		Address:          v.Address,
		SigningPublicKey: Some(v.SigningPublicKey),
		Epoch:            v.Epoch,
	}
}

func (s *State) setBoundSupervisor(v supervisor) {
	s.SupervisorBoundName = Some(v.Name)
	s.SupervisorBoundPeerID = Some(v.PeerID)
	s.SupervisorBoundAddress = Some(v.Address)
	s.SupervisorBoundSigningPublicKey = Some(v.SigningPublicKey)
	s.SupervisorBoundEpoch = Some(v.Epoch)
}

func (s *State) clearBoundSupervisor() {
	s.SupervisorBoundName = None[string]()
	s.SupervisorBoundPeerID = None[string]()
	s.SupervisorBoundAddress = None[string]()
	s.SupervisorBoundSigningPublicKey = None[string]()
	s.SupervisorBoundEpoch = None[uint64]()
}

func (s *State) setSupervisorPublishPending(v supervisor) {
	s.SupervisorPublishPendingName = Some(v.Name)
	s.SupervisorPublishPendingPeerID = Some(v.PeerID)
	s.SupervisorPublishPendingAddress = Some(v.Address)
	s.SupervisorPublishPendingSigningPublicKey = Some(v.SigningPublicKey)
	s.SupervisorPublishPendingEpoch = Some(v.Epoch)
}

func (s *State) clearSupervisorPublishPending() {
	s.SupervisorPublishPendingName = None[string]()
	s.SupervisorPublishPendingPeerID = None[string]()
	s.SupervisorPublishPendingAddress = None[string]()
	s.SupervisorPublishPendingSigningPublicKey = None[string]()
	s.SupervisorPublishPendingEpoch = None[uint64]()
}

// supervisorRevokePending is the supervisor being revoked; what is absent is empty.
func (s *State) supervisorRevokePending() supervisor {
	return supervisor{
		Name:             s.SupervisorRevokePendingName.Value(),
		PeerID:           s.SupervisorRevokePendingPeerID.Value(),
		Address:          s.SupervisorRevokePendingAddress.Value(),
		SigningPublicKey: s.SupervisorRevokePendingSigningPublicKey.Value(),
		Epoch:            s.SupervisorRevokePendingEpoch.Value(),
	}
}

func (s *State) clearSupervisorRevokePending() {
	s.SupervisorRevokePendingName = None[string]()
	s.SupervisorRevokePendingPeerID = None[string]()
	s.SupervisorRevokePendingAddress = None[string]()
	s.SupervisorRevokePendingSigningPublicKey = None[string]()
	s.SupervisorRevokePendingEpoch = None[uint64]()
}
