package kernel

// Chapter 06, supervisor admission: whether a mob supervisor may bind to the session, hand
// it on, or command it. These inputs change nothing; a denial is an answer and not a
// refusal, except in Retired and Stopped, where nobody is asked.
//
// The sender is who the transport says it is, the supervisor who the command says it is.
// A sender that is not known is never the one in force.

// ResolveSupervisorBindAdmission asks whether a supervisor may bind. Only the one in force,
// in its own epoch and by its own hand, may bind again. Runtime-internal, chapter 06.
type ResolveSupervisorBindAdmission struct {
	SupervisorPeerID string      `json:"supervisor_peer_id"`
	SupervisorEpoch  uint64      `json:"supervisor_epoch"`
	SenderPeerID     Opt[string] `json:"sender_peer_id"`
}

func (in *ResolveSupervisorBindAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveSupervisorBindAdmissionBootstrap", live3, Stay) &&
		k.guard("supervisor_unbound", s.SupervisorBindingKind == SupervisorBindingKindUnbound):

		k.emit(SupervisorBindAdmissionResolved{Result: SupervisorBindAdmissionResultKindBootstrap})

	case k.rule("ResolveSupervisorBindAdmissionIdempotentAck", live3, Stay) &&
		supervisorNamed(k, s, in.SupervisorPeerID, in.SupervisorEpoch) &&
		k.guard("sender_peer_id_matches_current", in.SenderPeerID == s.SupervisorBoundPeerID):

		k.emit(SupervisorBindAdmissionResolved{Result: SupervisorBindAdmissionResultKindIdempotentAck})

	case k.rule("ResolveSupervisorBindAdmissionSenderMismatch", live3, Stay) &&
		supervisorNamed(k, s, in.SupervisorPeerID, in.SupervisorEpoch) &&
		k.guard("sender_peer_id_mismatch", in.SenderPeerID != s.SupervisorBoundPeerID):

		k.emit(SupervisorBindAdmissionResolved{
			Result:    SupervisorBindAdmissionResultKindReject,
			Rejection: Some(SupervisorBindRejectionKindSenderMismatch),
		})

	case k.rule("ResolveSupervisorBindAdmissionAlreadyBound", live3, Stay) &&
		k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("supervisor_binding_mismatch", !s.supervisedBy(in.SupervisorPeerID, in.SupervisorEpoch)):

		k.emit(SupervisorBindAdmissionResolved{
			Result:    SupervisorBindAdmissionResultKindReject,
			Rejection: Some(SupervisorBindRejectionKindAlreadyBound),
		})
	}
}

// ResolveSupervisorBindMaterialAdmission asks whether what a supervisor brings for a first
// binding is in order. The first thing that is not decides. Runtime-internal, chapter 06.
type ResolveSupervisorBindMaterialAdmission struct {
	AddressMatches          bool `json:"address_matches"`
	SenderMatchesSupervisor bool `json:"sender_matches_supervisor"`
	ExpectedPeerIDMatches   bool `json:"expected_peer_id_matches"`
	BootstrapTokenMatches   bool `json:"bootstrap_token_matches"`
}

func (in *ResolveSupervisorBindMaterialAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveSupervisorBindMaterialAdmissionAddressMismatch", live3, Stay) &&
		k.guard("address_mismatch", !in.AddressMatches):

		k.emit(SupervisorBindMaterialAdmissionResolved{Verdict: SupervisorBindMaterialAdmissionKindAddressMismatch})

	case k.rule("ResolveSupervisorBindMaterialAdmissionSenderMismatch", live3, Stay) &&
		k.guard("address_matches", in.AddressMatches) &&
		k.guard("sender_mismatch", !in.SenderMatchesSupervisor):

		k.emit(SupervisorBindMaterialAdmissionResolved{Verdict: SupervisorBindMaterialAdmissionKindSenderMismatch})

	case k.rule("ResolveSupervisorBindMaterialAdmissionInvalidPeerSpec", live3, Stay) &&
		k.guard("address_matches", in.AddressMatches) &&
		k.guard("sender_matches", in.SenderMatchesSupervisor) &&
		k.guard("expected_peer_id_mismatch", !in.ExpectedPeerIDMatches):

		k.emit(SupervisorBindMaterialAdmissionResolved{Verdict: SupervisorBindMaterialAdmissionKindInvalidPeerSpec})

	case k.rule("ResolveSupervisorBindMaterialAdmissionInvalidBootstrapToken", live3, Stay) &&
		k.guard("address_matches", in.AddressMatches) &&
		k.guard("sender_matches", in.SenderMatchesSupervisor) &&
		k.guard("expected_peer_id_matches", in.ExpectedPeerIDMatches) &&
		k.guard("bootstrap_token_mismatch", !in.BootstrapTokenMatches):

		k.emit(SupervisorBindMaterialAdmissionResolved{Verdict: SupervisorBindMaterialAdmissionKindInvalidBootstrapToken})

	case k.rule("ResolveSupervisorBindMaterialAdmissionAccept", live3, Stay) &&
		k.guard("address_matches", in.AddressMatches) &&
		k.guard("sender_matches", in.SenderMatchesSupervisor) &&
		k.guard("expected_peer_id_matches", in.ExpectedPeerIDMatches) &&
		k.guard("bootstrap_token_matches", in.BootstrapTokenMatches):

		k.emit(SupervisorBindMaterialAdmissionResolved{Verdict: SupervisorBindMaterialAdmissionKindAccept})
	}
}

// ResolveSupervisorAuthorizeAdmission asks whether the supervisor in force may hand the
// session on, to itself in a new epoch or to another. It must be the sender; the one
// named is the next, whose epoch may be newer or, oddly, the same. The answer has who is
// in force, to go back to if handing on fails. Runtime-internal, chapter 06.
type ResolveSupervisorAuthorizeAdmission struct {
	SupervisorPeerID string      `json:"supervisor_peer_id"`
	SupervisorEpoch  uint64      `json:"supervisor_epoch"`
	SenderPeerID     Opt[string] `json:"sender_peer_id"`
}

func (in *ResolveSupervisorAuthorizeAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveSupervisorAuthorizeAdmissionNotBound", live3, Stay) &&
		k.guard("supervisor_not_bound", s.SupervisorBindingKind != SupervisorBindingKindBound):

		k.emit(SupervisorAuthorizeAdmissionResolved{
			Result:    SupervisorAuthorizeAdmissionResultKindReject,
			Rejection: Some(SupervisorAuthorizeRejectionKindNotBound),
		})

	// A stale epoch is told before a wrong sender.
	case k.rule("ResolveSupervisorAuthorizeAdmissionStaleSupervisor", live3, Stay) &&
		k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("stale_supervisor_epoch", in.SupervisorEpoch < s.SupervisorBoundEpoch.Value()):

		k.emit(SupervisorAuthorizeAdmissionResolved{
			Result:    SupervisorAuthorizeAdmissionResultKindReject,
			Rejection: Some(SupervisorAuthorizeRejectionKindStaleSupervisor),
		})

	case k.rule("ResolveSupervisorAuthorizeAdmissionSenderMismatch", live3, Stay) &&
		k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("supervisor_epoch_not_stale", in.SupervisorEpoch >= s.SupervisorBoundEpoch.Value()) &&
		k.guard("sender_peer_id_mismatch", in.SenderPeerID != s.SupervisorBoundPeerID):

		k.emit(SupervisorAuthorizeAdmissionResolved{
			Result:    SupervisorAuthorizeAdmissionResultKindReject,
			Rejection: Some(SupervisorAuthorizeRejectionKindSenderMismatch),
		})

	case k.rule("ResolveSupervisorAuthorizeAdmissionIdempotentAck", live3, Stay) &&
		supervisorNamed(k, s, in.SupervisorPeerID, in.SupervisorEpoch) &&
		k.guard("sender_peer_id_matches_current", in.SenderPeerID == s.SupervisorBoundPeerID):

		k.emit(SupervisorAuthorizeAdmissionResolved{Result: SupervisorAuthorizeAdmissionResultKindIdempotentAck})

	case k.rule("ResolveSupervisorAuthorizeAdmissionProceed", live3, Stay) &&
		k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("supervisor_epoch_not_stale", in.SupervisorEpoch >= s.SupervisorBoundEpoch.Value()) &&
		k.guard("sender_peer_id_matches_current", in.SenderPeerID == s.SupervisorBoundPeerID) &&
		k.guard("not_idempotent", !s.supervisedBy(in.SupervisorPeerID, in.SupervisorEpoch)):

		k.emit(SupervisorAuthorizeAdmissionResolved{
			Result:                   SupervisorAuthorizeAdmissionResultKindProceed,
			PreviousName:             Some(s.SupervisorBoundName.Value()),
			PreviousPeerID:           Some(s.SupervisorBoundPeerID.Value()),
			PreviousAddress:          Some(s.SupervisorBoundAddress.Value()),
			PreviousSigningPublicKey: Some(s.SupervisorBoundSigningPublicKey.Value()),
			PreviousEpoch:            Some(s.SupervisorBoundEpoch.Value()),
		})
	}
}

// ResolveSupervisorBridgeCommandAdmission asks whether a supervisor may command the
// session. Its epoch must be the one in force: a newer one is stale too.
// Runtime-internal, chapter 06.
type ResolveSupervisorBridgeCommandAdmission struct {
	SupervisorPeerID string      `json:"supervisor_peer_id"`
	SupervisorEpoch  uint64      `json:"supervisor_epoch"`
	SenderPeerID     Opt[string] `json:"sender_peer_id"`
}

func (in *ResolveSupervisorBridgeCommandAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveSupervisorBridgeCommandAdmissionAccepted", live3, Stay) &&
		supervisorNamed(k, s, in.SupervisorPeerID, in.SupervisorEpoch) &&
		k.guard("sender_peer_id_matches_current", in.SenderPeerID == s.SupervisorBoundPeerID):

		k.emit(SupervisorBridgeCommandAdmissionResolved{Result: SupervisorBridgeCommandAdmissionResultKindAccept})

	case k.rule("ResolveSupervisorBridgeCommandAdmissionNotBound", live3, Stay) &&
		k.guard("supervisor_not_bound", s.SupervisorBindingKind != SupervisorBindingKindBound):

		k.emit(SupervisorBridgeCommandAdmissionResolved{
			Result:    SupervisorBridgeCommandAdmissionResultKindReject,
			Rejection: Some(SupervisorBridgeCommandRejectionKindNotBound),
		})

	case k.rule("ResolveSupervisorBridgeCommandAdmissionStaleSupervisor", live3, Stay) &&
		k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("supervisor_binding_mismatch", !s.supervisedBy(in.SupervisorPeerID, in.SupervisorEpoch)):

		k.emit(SupervisorBridgeCommandAdmissionResolved{
			Result:    SupervisorBridgeCommandAdmissionResultKindReject,
			Rejection: Some(SupervisorBridgeCommandRejectionKindStaleSupervisor),
		})

	case k.rule("ResolveSupervisorBridgeCommandAdmissionSenderMismatch", live3, Stay) &&
		supervisorNamed(k, s, in.SupervisorPeerID, in.SupervisorEpoch) &&
		k.guard("sender_peer_id_mismatch", in.SenderPeerID != s.SupervisorBoundPeerID):

		k.emit(SupervisorBridgeCommandAdmissionResolved{
			Result:    SupervisorBridgeCommandAdmissionResultKindReject,
			Rejection: Some(SupervisorBridgeCommandRejectionKindSenderMismatch),
		})
	}
}

// supervisorNamed are the guards that a command names the supervisor in force.
func supervisorNamed(k *Kernel, s *State, peerID string, epoch uint64) bool {
	return k.guard("supervisor_bound", s.SupervisorBindingKind == SupervisorBindingKindBound) &&
		k.guard("supervisor_peer_id_matches_current", s.SupervisorBoundPeerID.Is(peerID)) &&
		k.guard("supervisor_epoch_matches_current", s.SupervisorBoundEpoch.Is(epoch))
}

// supervisedBy reports whether the fields of the binding name the given supervisor.
func (s *State) supervisedBy(peerID string, epoch uint64) bool {
	return s.SupervisorBoundPeerID.Is(peerID) && s.SupervisorBoundEpoch.Is(epoch)
}
