package kernel

// Chapter 06, ingress: whether a classified envelope enters the inbox, and what it leaves
// behind when it is taken out.
//
// The inbox and its trust store are the shell's; it hands in what it observed. What stays
// here is the authority phase: what snapshots show of the last envelope a peer sent. Plain
// events never move it.

// SetPeerIngressContext opens the command that sets up peer ingress: it only asks whether
// there is a session. KeepAlive is the shell's to read. Public command, chapter 06.
type SetPeerIngressContext struct {
	KeepAlive bool `json:"keep_alive"`
}

func (in *SetPeerIngressContext) step(k *Kernel, s *State) {
	switch {
	case k.rule("SetPeerIngressContext", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):
	}
}

// ResolvePeerIngressReceive asks whether an item enters the inbox. A closed or a full
// inbox decides before trust does; a plain event has no sender to trust.
// Runtime-internal, chapter 06.
type ResolvePeerIngressReceive struct {
	Kind                   PeerIngressAdmittedKind `json:"kind"`
	AuthRequired           bool                    `json:"auth_required"`
	AuthExempt             bool                    `json:"auth_exempt"`
	Trusted                bool                    `json:"trusted"`
	QueuedWorkPresent      bool                    `json:"queued_work_present"`
	QueueClosed            bool                    `json:"queue_closed"`
	QueueCapacityAvailable bool                    `json:"queue_capacity_available"`
}

func (in *ResolvePeerIngressReceive) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolvePeerIngressReceiveClosed", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("queue_closed", in.QueueClosed):

		k.emit(PeerIngressReceiveResolved{
			Outcome: PeerIngressReceiveOutcomeClassDroppedSessionClosed,
			Phase:   s.PeerIngressAuthorityPhase,
		})

	case k.rule("ResolvePeerIngressReceiveFull", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("queue_open", !in.QueueClosed) &&
		k.guard("queue_full", !in.QueueCapacityAvailable):

		k.emit(PeerIngressReceiveResolved{
			Outcome: PeerIngressReceiveOutcomeClassDroppedInboxFull,
			Phase:   s.PeerIngressAuthorityPhase,
		})

	case k.rule("ResolvePeerIngressReceivePlainEvent", registered5, Stay) &&
		in.queueAccepts(k, s) &&
		k.guard("plain_event", in.Kind == PeerIngressAdmittedKindPlainEvent):

		k.emit(PeerIngressReceiveResolved{
			Outcome: PeerIngressReceiveOutcomeClassAdmitted,
			Phase:   s.PeerIngressAuthorityPhase,
		})

	case k.rule("ResolvePeerIngressReceiveTrusted", registered5, Stay) &&
		in.queueAccepts(k, s) &&
		k.guard("external_entry", in.Kind != PeerIngressAdmittedKindPlainEvent) &&
		k.guard("trusted_sender", in.Trusted):

		s.PeerIngressAuthorityPhase = PeerIngressAuthorityPhaseClassReceived
		k.emit(PeerIngressReceiveResolved{
			Outcome:             PeerIngressReceiveOutcomeClassAdmitted,
			AdmissionDiagnostic: Some(PeerIngressAdmissionDiagnosticClassTrustedAtAdmission),
			Phase:               s.PeerIngressAuthorityPhase,
		})

	case k.rule("ResolvePeerIngressReceiveAuthExemptUntrusted", registered5, Stay) &&
		in.queueAccepts(k, s) &&
		in.untrusted(k) &&
		k.guard("auth_exempt", in.AuthExempt):

		s.PeerIngressAuthorityPhase = PeerIngressAuthorityPhaseClassReceived
		k.emit(PeerIngressReceiveResolved{
			Outcome:             PeerIngressReceiveOutcomeClassAdmitted,
			AdmissionDiagnostic: Some(PeerIngressAdmissionDiagnosticClassUntrustedAtAdmission),
			Phase:               s.PeerIngressAuthorityPhase,
		})

	case k.rule("ResolvePeerIngressReceiveAuthOpenUntrusted", registered5, Stay) &&
		in.queueAccepts(k, s) &&
		in.untrusted(k) &&
		k.guard("auth_required_disabled", !in.AuthRequired) &&
		k.guard("auth_not_exempt", !in.AuthExempt):

		s.PeerIngressAuthorityPhase = PeerIngressAuthorityPhaseClassReceived
		k.emit(PeerIngressReceiveResolved{
			Outcome:             PeerIngressReceiveOutcomeClassAdmitted,
			AdmissionDiagnostic: Some(PeerIngressAdmissionDiagnosticClassUntrustedAtAdmission),
			Phase:               s.PeerIngressAuthorityPhase,
		})

	// The item is dropped, but what waits in the inbox was received.
	case k.rule("ResolvePeerIngressReceiveUntrustedQueuedDrop", registered5, Stay) &&
		in.queueAccepts(k, s) &&
		in.untrusted(k) &&
		k.guard("auth_required", in.AuthRequired) &&
		k.guard("auth_not_exempt", !in.AuthExempt) &&
		k.guard("queued_work_present", in.QueuedWorkPresent):

		s.PeerIngressAuthorityPhase = PeerIngressAuthorityPhaseClassReceived
		k.emit(PeerIngressReceiveResolved{
			Outcome:             PeerIngressReceiveOutcomeClassDroppedUntrustedSender,
			AdmissionDiagnostic: Some(PeerIngressAdmissionDiagnosticClassUntrustedAtAdmission),
			Phase:               s.PeerIngressAuthorityPhase,
		})

	case k.rule("ResolvePeerIngressReceiveUntrustedEmptyDrop", registered5, Stay) &&
		in.queueAccepts(k, s) &&
		in.untrusted(k) &&
		k.guard("auth_required", in.AuthRequired) &&
		k.guard("auth_not_exempt", !in.AuthExempt) &&
		k.guard("queued_work_empty", !in.QueuedWorkPresent):

		s.PeerIngressAuthorityPhase = PeerIngressAuthorityPhaseClassDropped
		k.emit(PeerIngressReceiveResolved{
			Outcome:             PeerIngressReceiveOutcomeClassDroppedUntrustedSender,
			AdmissionDiagnostic: Some(PeerIngressAdmissionDiagnosticClassUntrustedAtAdmission),
			Phase:               s.PeerIngressAuthorityPhase,
		})
	}
}

// queueAccepts are the guards that every item admitted for its own sake passes.
func (in *ResolvePeerIngressReceive) queueAccepts(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("queue_open", !in.QueueClosed) &&
		k.guard("queue_capacity_available", in.QueueCapacityAvailable)
}

// untrusted are the guards for an item from a sender that is not trusted.
func (in *ResolvePeerIngressReceive) untrusted(k *Kernel) bool {
	return k.guard("external_entry", in.Kind != PeerIngressAdmittedKindPlainEvent) &&
		k.guard("untrusted_sender", !in.Trusted)
}

// ResolvePeerIngressDequeue says that an item was taken out of the inbox.
// Runtime-internal, chapter 06.
type ResolvePeerIngressDequeue struct {
	Kind                PeerIngressAdmittedKind `json:"kind"`
	Auth                PeerIngressAuthClass    `json:"auth"`
	QueuedWorkRemaining bool                    `json:"queued_work_remaining"`
}

func (in *ResolvePeerIngressDequeue) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolvePeerIngressDequeuePlainEvent", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("plain_event", in.Kind == PeerIngressAdmittedKindPlainEvent):

		k.emit(PeerIngressDequeueResolved{Phase: s.PeerIngressAuthorityPhase})

	case k.rule("ResolvePeerIngressDequeueAuthExemptExternal", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("external_entry", in.Kind != PeerIngressAdmittedKindPlainEvent) &&
		k.guard("auth_exempt", in.Auth == PeerIngressAuthClassSupervisorBridgeExempt):

		k.emit(PeerIngressDequeueResolved{Phase: s.PeerIngressAuthorityPhase})

	case k.rule("ResolvePeerIngressDequeueRequiredRemaining", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("external_entry", in.Kind != PeerIngressAdmittedKindPlainEvent) &&
		k.guard("auth_required", in.Auth == PeerIngressAuthClassRequired) &&
		k.guard("queued_work_remaining", in.QueuedWorkRemaining):

		s.PeerIngressAuthorityPhase = PeerIngressAuthorityPhaseClassReceived
		k.emit(PeerIngressDequeueResolved{Phase: s.PeerIngressAuthorityPhase})

	case k.rule("ResolvePeerIngressDequeueRequiredEmpty", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("external_entry", in.Kind != PeerIngressAdmittedKindPlainEvent) &&
		k.guard("auth_required", in.Auth == PeerIngressAuthClassRequired) &&
		k.guard("queued_work_empty", !in.QueuedWorkRemaining):

		s.PeerIngressAuthorityPhase = PeerIngressAuthorityPhaseClassDelivered
		k.emit(PeerIngressDequeueResolved{Phase: s.PeerIngressAuthorityPhase})
	}
}
