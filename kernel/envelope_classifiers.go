package kernel

// Chapter 06, classifiers: what an envelope means. The transport only parses; what follows
// from a classification, being admitted or answered, is asked with other inputs.
//
// The phase decides how much a session hears. Idle, it hears of topology and of its
// supervisor; Attached or Running, everything; Retired or Stopped, only that peers have
// gone, so that none lingers in its list.

// ClassifyExternalEnvelope asks what an envelope of a peer means. Signal, chapter 06.
//
// The kind, and for requests and responses the class or status, choose the rule; fields
// the kind does not use are ignored, and so is FromPeer, a label for people. An envelope
// about topology needs the name of its subject, is never made silent by an override, and
// counts as a request of the inbox even if it came as a notice; only a real request has
// an id to answer.
type ClassifyExternalEnvelope struct {
	ItemID             string                    `json:"item_id"`
	FromPeer           string                    `json:"from_peer"`
	FromPeerID         PeerId                    `json:"from_peer_id"`
	EnvelopeKind       PeerIngressEnvelopeClass  `json:"envelope_kind"`
	RequestIntent      string                    `json:"request_intent"`
	RequestIntentClass PeerIngressRequestClass   `json:"request_intent_class"`
	LifecycleKind      PeerIngressLifecycleClass `json:"lifecycle_kind"`
	LifecyclePeerParam Opt[string]               `json:"lifecycle_peer_param"`
	ResponseStatus     PeerIngressResponseStatus `json:"response_status"`
	InReplyTo          string                    `json:"in_reply_to"`
}

func (*ClassifyExternalEnvelope) signal() {}

func (in *ClassifyExternalEnvelope) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyExternalEnvelopeMessageAttached", Attached, Attached) &&
		in.message(k, s):

		k.emit(in.messageClassified())

	case k.rule("ClassifyExternalEnvelopeMessageRunning", Running, Running) &&
		in.message(k, s):

		k.emit(in.messageClassified())

	case k.rule("ClassifyExternalEnvelopeRequestPeerAddedAttached", Attached, Attached) &&
		in.peerAddedRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleAdded, PeerIngressLifecycleClassPeerAdded, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerAddedIdle", Idle, Idle) &&
		in.peerAddedRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleAdded, PeerIngressLifecycleClassPeerAdded, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerAddedRunning", Running, Running) &&
		in.peerAddedRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleAdded, PeerIngressLifecycleClassPeerAdded, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerRetiredAttached", Attached, Attached) &&
		in.peerRetiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerRetiredIdle", Idle, Idle) &&
		in.peerRetiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerRetiredRetired", Retired, Retired) &&
		in.peerRetiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerRetiredStopped", Stopped, Stopped) &&
		in.peerRetiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerRetiredRunning", Running, Running) &&
		in.peerRetiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerUnwiredAttached", Attached, Attached) &&
		in.peerUnwiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerUnwiredIdle", Idle, Idle) &&
		in.peerUnwiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerUnwiredRetired", Retired, Retired) &&
		in.peerUnwiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerUnwiredStopped", Stopped, Stopped) &&
		in.peerUnwiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestPeerUnwiredRunning", Running, Running) &&
		in.peerUnwiredRequest(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, Some(in.ItemID)))

	case k.rule("ClassifyExternalEnvelopeRequestSupervisorSilentAttached", Attached, Attached) &&
		in.silentSupervisorRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassSilentRequest, PeerIngressAuthClassSupervisorBridgeExempt))

	case k.rule("ClassifyExternalEnvelopeRequestSupervisorSilentIdle", Idle, Idle) &&
		in.silentSupervisorRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassSilentRequest, PeerIngressAuthClassSupervisorBridgeExempt))

	case k.rule("ClassifyExternalEnvelopeRequestSupervisorSilentRunning", Running, Running) &&
		in.silentSupervisorRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassSilentRequest, PeerIngressAuthClassSupervisorBridgeExempt))

	case k.rule("ClassifyExternalEnvelopeRequestSilentAttached", Attached, Attached) &&
		in.silentRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassSilentRequest, PeerIngressAuthClassRequired))

	case k.rule("ClassifyExternalEnvelopeRequestSilentRunning", Running, Running) &&
		in.silentRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassSilentRequest, PeerIngressAuthClassRequired))

	case k.rule("ClassifyExternalEnvelopeRequestSupervisorAttached", Attached, Attached) &&
		in.supervisorRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassActionableRequest, PeerIngressAuthClassSupervisorBridgeExempt))

	case k.rule("ClassifyExternalEnvelopeRequestSupervisorIdle", Idle, Idle) &&
		in.supervisorRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassActionableRequest, PeerIngressAuthClassSupervisorBridgeExempt))

	case k.rule("ClassifyExternalEnvelopeRequestSupervisorRunning", Running, Running) &&
		in.supervisorRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassActionableRequest, PeerIngressAuthClassSupervisorBridgeExempt))

	case k.rule("ClassifyExternalEnvelopeRequestActionableAttached", Attached, Attached) &&
		in.actionableRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassActionableRequest, PeerIngressAuthClassRequired))

	case k.rule("ClassifyExternalEnvelopeRequestActionableRunning", Running, Running) &&
		in.actionableRequest(k, s):

		k.emit(in.requestClassified(PeerIngressInputClassActionableRequest, PeerIngressAuthClassRequired))

	case k.rule("ClassifyExternalEnvelopeLifecycleAddedIdle", Idle, Idle) &&
		in.peerAdded(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleAdded, PeerIngressLifecycleClassPeerAdded, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleAddedAttached", Attached, Attached) &&
		in.peerAdded(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleAdded, PeerIngressLifecycleClassPeerAdded, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleAddedRunning", Running, Running) &&
		in.peerAdded(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleAdded, PeerIngressLifecycleClassPeerAdded, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleRetiredIdle", Idle, Idle) &&
		in.peerRetired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleRetiredRetired", Retired, Retired) &&
		in.peerRetired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleRetiredStopped", Stopped, Stopped) &&
		in.peerRetired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleRetiredAttached", Attached, Attached) &&
		in.peerRetired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleRetiredRunning", Running, Running) &&
		in.peerRetired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleRetired, PeerIngressLifecycleClassPeerRetired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleUnwiredIdle", Idle, Idle) &&
		in.peerUnwired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleUnwiredRetired", Retired, Retired) &&
		in.peerUnwired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleUnwiredStopped", Stopped, Stopped) &&
		in.peerUnwired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleUnwiredAttached", Attached, Attached) &&
		in.peerUnwired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeLifecycleUnwiredRunning", Running, Running) &&
		in.peerUnwired(k, s):

		k.emit(in.topologyClassified(PeerIngressInputClassPeerLifecycleUnwired, PeerIngressLifecycleClassPeerUnwired, None[string]()))

	case k.rule("ClassifyExternalEnvelopeResponseAcceptedAttached", Attached, Attached) &&
		in.acceptedResponse(k, s):

		k.emit(in.responseClassified(PeerIngressInputClassResponseProgress, PeerIngressResponseTerminalityProgress))

	case k.rule("ClassifyExternalEnvelopeResponseAcceptedRunning", Running, Running) &&
		in.acceptedResponse(k, s):

		k.emit(in.responseClassified(PeerIngressInputClassResponseProgress, PeerIngressResponseTerminalityProgress))

	case k.rule("ClassifyExternalEnvelopeResponseCompletedAttached", Attached, Attached) &&
		in.completedResponse(k, s):

		k.emit(in.responseClassified(PeerIngressInputClassResponseTerminal, PeerIngressResponseTerminalityTerminalCompleted))

	case k.rule("ClassifyExternalEnvelopeResponseCompletedRunning", Running, Running) &&
		in.completedResponse(k, s):

		k.emit(in.responseClassified(PeerIngressInputClassResponseTerminal, PeerIngressResponseTerminalityTerminalCompleted))

	case k.rule("ClassifyExternalEnvelopeResponseFailedAttached", Attached, Attached) &&
		in.failedResponse(k, s):

		k.emit(in.responseClassified(PeerIngressInputClassResponseTerminal, PeerIngressResponseTerminalityTerminalFailed))

	case k.rule("ClassifyExternalEnvelopeResponseFailedRunning", Running, Running) &&
		in.failedResponse(k, s):

		k.emit(in.responseClassified(PeerIngressInputClassResponseTerminal, PeerIngressResponseTerminalityTerminalFailed))

	case k.rule("ClassifyExternalEnvelopeAckAttached", Attached, Attached) &&
		in.ack(k, s):

		k.emit(in.ackClassified())

	case k.rule("ClassifyExternalEnvelopeAckRunning", Running, Running) &&
		in.ack(k, s):

		k.emit(in.ackClassified())
	}
}

// The guards of each meaning.

func (in *ClassifyExternalEnvelope) message(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_message", in.EnvelopeKind == PeerIngressEnvelopeClassMessage)
}

func (in *ClassifyExternalEnvelope) peerAddedRequest(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_request_peer_added", in.requests(PeerIngressRequestClassMobPeerAdded)) &&
		k.guard("lifecycle_peer_subject_present", in.LifecyclePeerParam.Value() != "")
}

func (in *ClassifyExternalEnvelope) peerRetiredRequest(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_request_peer_retired", in.requests(PeerIngressRequestClassMobPeerRetired)) &&
		k.guard("lifecycle_peer_subject_present", in.LifecyclePeerParam.Value() != "")
}

func (in *ClassifyExternalEnvelope) peerUnwiredRequest(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_request_peer_unwired", in.requests(PeerIngressRequestClassMobPeerUnwired)) &&
		k.guard("lifecycle_peer_subject_present", in.LifecyclePeerParam.Value() != "")
}

func (in *ClassifyExternalEnvelope) silentSupervisorRequest(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_supervisor_silent_request", in.requests(PeerIngressRequestClassSupervisorBridge) && in.silent(s))
}

func (in *ClassifyExternalEnvelope) silentRequest(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_silent_request", in.requests(PeerIngressRequestClassOther) && in.silent(s))
}

func (in *ClassifyExternalEnvelope) supervisorRequest(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_supervisor_request", in.requests(PeerIngressRequestClassSupervisorBridge) && !in.silent(s))
}

func (in *ClassifyExternalEnvelope) actionableRequest(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_actionable_request", in.requests(PeerIngressRequestClassOther) && !in.silent(s))
}

func (in *ClassifyExternalEnvelope) peerAdded(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_lifecycle_added", in.tells(PeerIngressLifecycleClassPeerAdded)) &&
		k.guard("lifecycle_peer_subject_present", in.LifecyclePeerParam.Value() != "")
}

func (in *ClassifyExternalEnvelope) peerRetired(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_lifecycle_retired", in.tells(PeerIngressLifecycleClassPeerRetired)) &&
		k.guard("lifecycle_peer_subject_present", in.LifecyclePeerParam.Value() != "")
}

func (in *ClassifyExternalEnvelope) peerUnwired(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_lifecycle_unwired", in.tells(PeerIngressLifecycleClassPeerUnwired)) &&
		k.guard("lifecycle_peer_subject_present", in.LifecyclePeerParam.Value() != "")
}

func (in *ClassifyExternalEnvelope) acceptedResponse(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_response_accepted", in.responds(PeerIngressResponseStatusAccepted))
}

func (in *ClassifyExternalEnvelope) completedResponse(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_response_completed", in.responds(PeerIngressResponseStatusCompleted))
}

func (in *ClassifyExternalEnvelope) failedResponse(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_response_failed", in.responds(PeerIngressResponseStatusFailed))
}

func (in *ClassifyExternalEnvelope) ack(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("peer_ingress_ack", in.EnvelopeKind == PeerIngressEnvelopeClassAck)
}

func (in *ClassifyExternalEnvelope) requests(class PeerIngressRequestClass) bool {
	return in.EnvelopeKind == PeerIngressEnvelopeClassRequest && in.RequestIntentClass == class
}

func (in *ClassifyExternalEnvelope) tells(kind PeerIngressLifecycleClass) bool {
	return in.EnvelopeKind == PeerIngressEnvelopeClassLifecycle && in.LifecycleKind == kind
}

func (in *ClassifyExternalEnvelope) responds(status PeerIngressResponseStatus) bool {
	return in.EnvelopeKind == PeerIngressEnvelopeClassResponse && in.ResponseStatus == status
}

// silent reports whether the session takes requests of this intent without a turn.
func (in *ClassifyExternalEnvelope) silent(s *State) bool {
	return s.SilentIntentOverrides.Has(in.RequestIntent)
}

func (in *ClassifyExternalEnvelope) messageClassified() PeerIngressClassified {
	return PeerIngressClassified{
		Class:      PeerIngressInputClassActionableMessage,
		Actionable: true,
		Kind:       PeerIngressAdmittedKindMessage,
		Auth:       PeerIngressAuthClassRequired,
		FromPeerID: Some(in.FromPeerID),
	}
}

func (in *ClassifyExternalEnvelope) requestClassified(class PeerIngressInputClass, auth PeerIngressAuthClass) PeerIngressClassified {
	return PeerIngressClassified{
		Class:      class,
		Actionable: class == PeerIngressInputClassActionableRequest,
		Kind:       PeerIngressAdmittedKindRequest,
		Auth:       auth,
		FromPeerID: Some(in.FromPeerID),
		RequestID:  Some(in.ItemID),
	}
}

func (in *ClassifyExternalEnvelope) topologyClassified(class PeerIngressInputClass, kind PeerIngressLifecycleClass, requestID Opt[string]) PeerIngressClassified {
	return PeerIngressClassified{
		Class:         class,
		Actionable:    false,
		Kind:          PeerIngressAdmittedKindRequest,
		Auth:          PeerIngressAuthClassRequired,
		FromPeerID:    Some(in.FromPeerID),
		LifecycleKind: Some(kind),
		LifecyclePeer: Some(in.LifecyclePeerParam.Value()),
		RequestID:     requestID,
	}
}

func (in *ClassifyExternalEnvelope) responseClassified(class PeerIngressInputClass, terminality PeerIngressResponseTerminality) PeerIngressClassified {
	return PeerIngressClassified{
		Class:               class,
		Actionable:          true,
		Kind:                PeerIngressAdmittedKindResponse,
		Auth:                PeerIngressAuthClassRequired,
		FromPeerID:          Some(in.FromPeerID),
		RequestID:           Some(in.InReplyTo),
		ResponseTerminality: Some(terminality),
	}
}

func (in *ClassifyExternalEnvelope) ackClassified() PeerIngressClassified {
	return PeerIngressClassified{
		Class:      PeerIngressInputClassAck,
		Actionable: false,
		Kind:       PeerIngressAdmittedKindAck,
		Auth:       PeerIngressAuthClassRequired,
		FromPeerID: Some(in.FromPeerID),
		RequestID:  Some(in.InReplyTo),
	}
}

// ClassifyPlainEvent asks what an event from outside means, which no peer has sent.
// SourceName is never read. Signal, chapter 06.
type ClassifyPlainEvent struct {
	SourceName string `json:"source_name"`
}

func (*ClassifyPlainEvent) signal() {}

func (in *ClassifyPlainEvent) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyPlainEventAttached", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		k.emit(plainEventClassified())

	case k.rule("ClassifyPlainEventRunning", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		k.emit(plainEventClassified())
	}
}

func plainEventClassified() PeerIngressClassified {
	return PeerIngressClassified{
		Class:      PeerIngressInputClassPlainEvent,
		Actionable: true,
		Kind:       PeerIngressAdmittedKindPlainEvent,
		Auth:       PeerIngressAuthClassRequired,
	}
}

// ClassifyPeerResponseReply asks whether a reply of ours is the last one to a peer's
// request. It needs no session, and no phase but to be not destroyed. Signal, chapter 06.
type ClassifyPeerResponseReply struct {
	Status PeerIngressResponseStatus `json:"status"`
}

func (*ClassifyPeerResponseReply) signal() {}

func (in *ClassifyPeerResponseReply) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyPeerResponseReplyAccepted", notDestroyed, Stay) &&
		k.guard("peer_reply_status_accepted", in.Status == PeerIngressResponseStatusAccepted):

		k.emit(PeerResponseReplyClassified{ResponseTerminality: PeerIngressResponseTerminalityProgress})

	case k.rule("ClassifyPeerResponseReplyCompleted", notDestroyed, Stay) &&
		k.guard("peer_reply_status_completed", in.Status == PeerIngressResponseStatusCompleted):

		k.emit(PeerResponseReplyClassified{ResponseTerminality: PeerIngressResponseTerminalityTerminalCompleted})

	case k.rule("ClassifyPeerResponseReplyFailed", notDestroyed, Stay) &&
		k.guard("peer_reply_status_failed", in.Status == PeerIngressResponseStatusFailed):

		k.emit(PeerResponseReplyClassified{ResponseTerminality: PeerIngressResponseTerminalityTerminalFailed})
	}
}
