package kernel

// Chapter 06, endpoints: the session's own, and those of the peers it was given directly.
//
// The peers a session trusts are the direct ones and those of the mob overlay. The shell
// keeps no copy of what it has put in force: each accepted input asks it to reconcile with
// the whole of both sets, and where reconciling failed the same input is sent again. So
// adding what is there, and removing what is not, is a repair and not a refusal.

// PublishLocalEndpoint sets the session's own endpoint. The same one is announced again.
// Runtime-internal, chapter 06.
type PublishLocalEndpoint struct {
	Endpoint PeerEndpoint `json:"endpoint"`
}

func (in *PublishLocalEndpoint) step(k *Kernel, s *State) {
	switch {
	case k.rule("PublishLocalEndpoint", live3, Stay):

		s.LocalEndpoint = Some(in.Endpoint)
		k.emit(LocalEndpointChanged{Endpoint: Some(in.Endpoint)})
	}
}

// ClearLocalEndpoint takes the session's own endpoint back. Runtime-internal, chapter 06.
type ClearLocalEndpoint struct{}

func (in *ClearLocalEndpoint) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClearLocalEndpoint", live3, Stay) &&
		k.guard("local_endpoint_present", s.LocalEndpoint.IsSome()):

		s.LocalEndpoint = None[PeerEndpoint]()
		k.emit(LocalEndpointChanged{Endpoint: None[PeerEndpoint]()})
	}
}

// AddDirectPeerEndpoint adds a peer. Endpoints are the same only in all four fields: one
// peer may be there under two names. Runtime-internal, chapter 06.
type AddDirectPeerEndpoint struct {
	Endpoint PeerEndpoint `json:"endpoint"`
}

func (in *AddDirectPeerEndpoint) step(k *Kernel, s *State) {
	switch {
	case k.rule("AddDirectPeerEndpoint", live3, Stay) &&
		k.guard("endpoint_not_already_direct", !s.DirectPeerEndpoints.Has(in.Endpoint)):

		s.DirectPeerEndpoints.add(in.Endpoint)
		s.PeerProjectionEpoch++
		k.emit(PeerProjectionChanged{PeerProjectionEpoch: s.PeerProjectionEpoch})
		k.emit(s.reconcileCommsTrust())

	case k.rule("RepairAddDirectPeerEndpoint", live3, Stay) &&
		k.guard("endpoint_already_direct", s.DirectPeerEndpoints.Has(in.Endpoint)):

		k.emit(s.reconcileCommsTrust())
	}
}

// RemoveDirectPeerEndpoint removes a peer, by all four fields of its endpoint.
// Runtime-internal, chapter 06.
type RemoveDirectPeerEndpoint struct {
	Endpoint PeerEndpoint `json:"endpoint"`
}

func (in *RemoveDirectPeerEndpoint) step(k *Kernel, s *State) {
	switch {
	case k.rule("RemoveDirectPeerEndpoint", live3, Stay) &&
		k.guard("endpoint_present_in_direct", s.DirectPeerEndpoints.Has(in.Endpoint)):

		s.DirectPeerEndpoints.del(in.Endpoint)
		s.PeerProjectionEpoch++
		k.emit(PeerProjectionChanged{PeerProjectionEpoch: s.PeerProjectionEpoch})
		k.emit(s.reconcileCommsTrust())

	case k.rule("RepairRemoveDirectPeerEndpoint", live3, Stay) &&
		k.guard("endpoint_absent_from_direct", !s.DirectPeerEndpoints.Has(in.Endpoint)):

		k.emit(s.reconcileCommsTrust())
	}
}
