package kernel

// Chapter 06, the owner of peer ingress: the session itself or the mob it is a member of,
// with the comms runtime instance that serves it. A session hands over to a mob; a mob
// never hands back but by detaching.

// AttachSessionIngress makes the session the owner, through the given comms runtime. To
// change the runtime, detach first. Runtime-internal, chapter 06.
type AttachSessionIngress struct {
	CommsRuntimeID CommsRuntimeId `json:"comms_runtime_id"`
}

func (in *AttachSessionIngress) step(k *Kernel, s *State) {
	switch {
	case k.rule("AttachSessionIngress", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("owner_allows_session_attach", s.PeerIngressOwnerKind == PeerIngressOwnerKindUnattached ||
			s.PeerIngressOwnerKind == PeerIngressOwnerKindSessionOwned &&
				s.PeerIngressCommsRuntimeID.Is(in.CommsRuntimeID) &&
				s.PeerIngressMobID.IsNone()):

		s.PeerIngressOwnerKind = PeerIngressOwnerKindSessionOwned
		s.PeerIngressCommsRuntimeID = Some(in.CommsRuntimeID)
		s.PeerIngressMobID = None[MobId]()
	}
}

// AttachMobIngress makes a mob the owner, through the given comms runtime, which need not
// be the one the session had. Runtime-internal, chapter 06.
type AttachMobIngress struct {
	CommsRuntimeID CommsRuntimeId `json:"comms_runtime_id"`
	MobID          MobId          `json:"mob_id"`
}

func (in *AttachMobIngress) step(k *Kernel, s *State) {
	switch {
	case k.rule("AttachMobIngress", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("owner_allows_mob_attach", s.PeerIngressOwnerKind == PeerIngressOwnerKindUnattached ||
			s.PeerIngressOwnerKind == PeerIngressOwnerKindSessionOwned ||
			s.PeerIngressOwnerKind == PeerIngressOwnerKindMobOwned &&
				s.PeerIngressCommsRuntimeID.Is(in.CommsRuntimeID) &&
				s.PeerIngressMobID.Is(in.MobID)):

		s.PeerIngressOwnerKind = PeerIngressOwnerKindMobOwned
		s.PeerIngressCommsRuntimeID = Some(in.CommsRuntimeID)
		s.PeerIngressMobID = Some(in.MobID)
	}
}

// DetachIngress leaves ingress without an owner, whoever it was. Runtime-internal,
// chapter 06.
type DetachIngress struct{}

func (in *DetachIngress) step(k *Kernel, s *State) {
	switch {
	case k.rule("DetachIngress", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.PeerIngressOwnerKind = PeerIngressOwnerKindUnattached
		s.PeerIngressCommsRuntimeID = None[CommsRuntimeId]()
		s.PeerIngressMobID = None[MobId]()
	}
}
