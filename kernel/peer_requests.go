package kernel

// Chapter 06, peer requests: what this session has asked of its peers and has no last
// answer to, and what its peers have asked and have no answer to yet.
//
// An observation may come in after the session was unregistered. The rules named
// ...AfterUnregister accept it and do nothing; they hold in Idle without a session, so
// also on a machine that never had one.

// PeerRequestSent records a request to a peer. Runtime-internal, chapter 06.
type PeerRequestSent struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerRequestSent) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerRequestSent", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("not_already_pending", !s.PendingPeerRequests.has(in.CorrID)):

		s.PendingPeerRequests.put(in.CorrID, OutboundPeerRequestStateSent)
		k.emit(PeerInteractionStateChanged{CorrID: in.CorrID, NewState: OutboundPeerRequestStateSent})

	case k.rule("PeerRequestSentAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// PeerResponseProgressArrived records that the peer is at work; it may say so again and
// again. Runtime-internal, chapter 06.
type PeerResponseProgressArrived struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerResponseProgressArrived) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerResponseProgressArrived", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("pending_exists", s.PendingPeerRequests.has(in.CorrID)):

		s.PendingPeerRequests.put(in.CorrID, OutboundPeerRequestStateAcceptedProgress)
		k.emit(PeerInteractionStateChanged{CorrID: in.CorrID, NewState: OutboundPeerRequestStateAcceptedProgress})

	case k.rule("PeerResponseProgressArrivedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// PeerResponseTerminalArrived records the last answer to a request. Runtime-internal,
// chapter 06.
type PeerResponseTerminalArrived struct {
	CorrID      PeerCorrelationId       `json:"corr_id"`
	Disposition PeerTerminalDisposition `json:"disposition"`
}

func (in *PeerResponseTerminalArrived) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerResponseTerminalArrivedCompleted", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("pending_exists", s.PendingPeerRequests.has(in.CorrID)) &&
		k.guard("completed", in.Disposition == PeerTerminalDispositionCompleted):

		s.PendingPeerRequests.del(in.CorrID)
		k.emit(PeerInteractionStateChanged{CorrID: in.CorrID, NewState: OutboundPeerRequestStateCompleted})
		k.emit(PeerInteractionCleanup{CorrID: in.CorrID})

	case k.rule("PeerResponseTerminalArrivedFailed", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("pending_exists", s.PendingPeerRequests.has(in.CorrID)) &&
		k.guard("failed", in.Disposition == PeerTerminalDispositionFailed):

		s.PendingPeerRequests.del(in.CorrID)
		k.emit(PeerInteractionStateChanged{CorrID: in.CorrID, NewState: OutboundPeerRequestStateFailed})
		k.emit(PeerInteractionCleanup{CorrID: in.CorrID})

	case k.rule("PeerResponseTerminalArrivedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// PeerResponseRejected ends a request whose answer made no sense. Runtime-internal,
// chapter 06.
type PeerResponseRejected struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerResponseRejected) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerResponseRejected", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("pending_exists", s.PendingPeerRequests.has(in.CorrID)):

		s.PendingPeerRequests.del(in.CorrID)
		k.emit(PeerInteractionStateChanged{CorrID: in.CorrID, NewState: OutboundPeerRequestStateFailed})
		k.emit(PeerInteractionCleanup{CorrID: in.CorrID})

	case k.rule("PeerResponseRejectedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// PeerRequestTimedOut ends a request whose answer did not come in time. Runtime-internal,
// chapter 06.
type PeerRequestTimedOut struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerRequestTimedOut) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerRequestTimedOut", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("pending_exists", s.PendingPeerRequests.has(in.CorrID)):

		s.PendingPeerRequests.del(in.CorrID)
		k.emit(PeerInteractionStateChanged{CorrID: in.CorrID, NewState: OutboundPeerRequestStateTimedOut})
		k.emit(PeerInteractionCleanup{CorrID: in.CorrID})

	case k.rule("PeerRequestTimedOutAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// PeerRequestSendFailed ends a request that never left. Runtime-internal, chapter 06.
type PeerRequestSendFailed struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerRequestSendFailed) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerRequestSendFailed", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("pending_exists", s.PendingPeerRequests.has(in.CorrID)):

		s.PendingPeerRequests.del(in.CorrID)
		k.emit(PeerInteractionStateChanged{CorrID: in.CorrID, NewState: OutboundPeerRequestStateFailed})
		k.emit(PeerInteractionCleanup{CorrID: in.CorrID})

	case k.rule("PeerRequestSendFailedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// PeerRequestReceived records a peer's request; the reply goes out on the lane the request
// came in on unless it says otherwise. Runtime-internal, chapter 06.
type PeerRequestReceived struct {
	CorrID       PeerCorrelationId `json:"corr_id"`
	HandlingMode InputLane         `json:"handling_mode"`
}

func (in *PeerRequestReceived) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerRequestReceived", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("not_already_inbound", !s.InboundPeerRequests.has(in.CorrID)):

		s.InboundPeerRequests.put(in.CorrID, InboundPeerRequestStateReceived)
		s.InboundPeerRequestLanes.put(in.CorrID, in.HandlingMode)
		k.emit(InboundPeerInteractionStateChanged{CorrID: in.CorrID, NewState: InboundPeerRequestStateReceived})

	case k.rule("PeerRequestReceivedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}

// PeerResponseReplied records the last reply to a peer's request. Unlike an outbound
// request, an inbound one holds no channel to clean up. Runtime-internal, chapter 06.
type PeerResponseReplied struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerResponseReplied) step(k *Kernel, s *State) {
	switch {
	case k.rule("PeerResponseReplied", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("inbound_exists", s.InboundPeerRequests.has(in.CorrID)):

		s.InboundPeerRequests.del(in.CorrID)
		s.InboundPeerRequestLanes.del(in.CorrID)
		k.emit(InboundPeerInteractionStateChanged{CorrID: in.CorrID, NewState: InboundPeerRequestStateReplied})

	case k.rule("PeerResponseRepliedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}
