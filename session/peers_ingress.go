package session

import (
	"fmt"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// The session is its own comms drain (chapter 06): what sessions send it stands in its
// mailbox, in order with everything else, and is taken out here. Each envelope is
// classified, received, dequeued and matched with the request it belongs to before it
// becomes an input.
//
// Peer inputs of other producers have been through a drain of theirs. Only a response that
// belongs to a pending request is matched with it.

// senderOf is the session that sent an event, "" if none did.
func senderOf(ns subjects.Namespace, ev *event.Event) string {
	from, ok := strings.CutPrefix(ev.Source(), ns.Source(""))
	if !ok || subjects.CheckToken("session", from) != nil {
		return ""
	}
	return from
}

// ofPeer tells whether an input is of a kind that peers send.
func (in *input) ofPeer() bool {
	switch in.Kind {
	case kernel.AdmissionInputKindPeerMessage, kernel.AdmissionInputKindPeerRequest,
		kernel.AdmissionInputKindPeerResponseProgress, kernel.AdmissionInputKindPeerResponseTerminal:
		return true
	default:
		return false
	}
}

func intentClass(intent string) kernel.PeerIngressRequestClass {
	switch intent {
	case "mob.peer_added":
		return kernel.PeerIngressRequestClassMobPeerAdded
	case "mob.peer_retired":
		return kernel.PeerIngressRequestClassMobPeerRetired
	case "mob.peer_unwired":
		return kernel.PeerIngressRequestClassMobPeerUnwired
	case "supervisor.bridge":
		return kernel.PeerIngressRequestClassSupervisorBridge
	default:
		return kernel.PeerIngressRequestClassOther
	}
}

// drained takes a peer's envelope out of the inbox; false means that it was refused, and
// answered. Inputs of other kinds pass.
func (s *Session) drained(in *input, c cause) (acceptOutcome, bool) {
	switch in.Kind {
	case kernel.AdmissionInputKindPeerMessage, kernel.AdmissionInputKindPeerRequest:
		if in.from == "" {
			break
		}
		if refused, ok := s.received(in, c); !ok || in.Kind == kernel.AdmissionInputKindPeerMessage {
			return refused, ok
		}
		return s.requested(in, c)
	case kernel.AdmissionInputKindPeerResponseProgress, kernel.AdmissionInputKindPeerResponseTerminal:
		_, pending := s.ledger.Asked[in.requestID]
		if in.own || in.from == "" && !pending {
			break
		}
		if in.from != "" {
			if refused, ok := s.received(in, c); !ok {
				return refused, false
			}
		}
		return s.responded(in, c)
	}
	return acceptOutcome{}, true
}

// received classifies an envelope of a session and passes it through the inbox.
func (s *Session) received(in *input, c cause) (acceptOutcome, bool) {
	envelope := &kernel.ClassifyExternalEnvelope{
		ItemID: in.requestID, FromPeer: in.from, FromPeerID: kernel.PeerId(peerID(s.env.Namespace, in.from)),
		RequestIntent: in.intent, RequestIntentClass: intentClass(in.intent), InReplyTo: in.requestID,
	}
	switch in.Kind {
	case kernel.AdmissionInputKindPeerMessage:
		envelope.EnvelopeKind = kernel.PeerIngressEnvelopeClassMessage
	case kernel.AdmissionInputKindPeerRequest:
		envelope.EnvelopeKind = kernel.PeerIngressEnvelopeClassRequest
	case kernel.AdmissionInputKindPeerResponseProgress:
		envelope.EnvelopeKind = kernel.PeerIngressEnvelopeClassResponse
	default:
		envelope.EnvelopeKind = kernel.PeerIngressEnvelopeClassResponse
		envelope.ResponseStatus = kernel.PeerIngressResponseStatusFailed
		if in.peerStatus == kernel.PeerResponseTerminalObservedStatusCompleted {
			envelope.ResponseStatus = kernel.PeerIngressResponseStatusCompleted
		}
	}
	if envelope.EnvelopeKind == kernel.PeerIngressEnvelopeClassRequest && envelope.RequestIntentClass != kernel.PeerIngressRequestClassOther {
		return s.rejectInput(in.ID, rejectInvalid, fmt.Sprintf("data.intent: %q is kept for mobs and supervisors", in.intent), "", c), false
	}
	o := s.apply(envelope, c)
	if !o.OK() {
		return s.refusedInput(in.ID, rejectNotReady, o.Refusal, c), false
	}
	class := o.Effects[0].(kernel.PeerIngressClassified)
	exempt := class.Auth == kernel.PeerIngressAuthClassSupervisorBridgeExempt
	queued := !s.lanes.empty()
	// Who may publish to a mailbox is the server's to decide, and it has: a session of the
	// namespace is trusted. An inbox is closed once its drain was stopped. It is full for
	// requests when too many are unanswered; for all else never: what is here has been stored.
	room := in.Kind != kernel.AdmissionInputKindPeerRequest || len(s.ledger.Owed) < maxOpenRequests
	o = s.must(&kernel.ResolvePeerIngressReceive{
		Kind: class.Kind, AuthRequired: !exempt, AuthExempt: exempt, Trusted: true, QueuedWorkPresent: queued,
		QueueClosed: s.kernel.State().DrainPhase == kernel.DrainPhaseStopped, QueueCapacityAvailable: room,
	}, c)
	if !o.OK() {
		return acceptOutcome{}, false
	}
	if outcome := o.Effects[0].(kernel.PeerIngressReceiveResolved).Outcome; outcome != kernel.PeerIngressReceiveOutcomeClassAdmitted {
		reason := "the session takes nothing from its peers"
		if !room {
			reason = fmt.Sprintf("%d requests of peers are unanswered, which is the most", maxOpenRequests)
		}
		return s.rejectInput(in.ID, outcome.String(), reason, o.Rule, c), false
	}
	o = s.must(&kernel.ResolvePeerIngressDequeue{Kind: class.Kind, Auth: class.Auth, QueuedWorkRemaining: queued}, c)
	return acceptOutcome{}, o.OK()
}

// requested notes a peer's request, to be answered.
func (s *Session) requested(in *input, c cause) (acceptOutcome, bool) {
	lane := in.lane.Value() // queue, if it names none
	o := s.apply(&kernel.PeerRequestReceived{CorrID: kernel.PeerCorrelationId(in.requestID), HandlingMode: lane}, c)
	if !o.OK() {
		return s.refusedInput(in.ID, rejectValidation, o.Refusal, c), false
	}
	s.changePeers(peerChange{ID: in.requestID, Owed: &owed{From: in.from, Input: in.ID}})
	return acceptOutcome{}, true
}

// unrequested closes a peer's request that was noted and is refused after all. Who refuses it
// declines it, so that nobody is left to answer it; it would count as unanswered for ever.
func (s *Session) unrequested(in *input, c cause) {
	o, ok := s.ledger.Owed[in.requestID]
	if !ok || in.Kind != kernel.AdmissionInputKindPeerRequest || o != (owed{From: in.from, Input: in.ID}) {
		return
	}
	s.must(&kernel.PeerResponseReplied{CorrID: kernel.PeerCorrelationId(in.requestID)}, c)
	s.changePeers(peerChange{ID: in.requestID, Paid: true})
}

// rejectResponse: the response belongs to no request that we wait for (chapter 06:
// PeerResponseRejected, dropped).
const rejectResponse = "PeerResponseRejected"

// responded matches a response with the request it answers.
func (s *Session) responded(in *input, c cause) (acceptOutcome, bool) {
	a, pending := s.ledger.Asked[in.requestID]
	if !pending || in.from != "" && in.from != a.To {
		return s.rejectInput(in.ID, rejectResponse, fmt.Sprintf("the request %q is not pending with this peer", in.requestID), "pending_exists", c), false
	}
	corr := kernel.PeerCorrelationId(in.requestID)
	if in.Kind == kernel.AdmissionInputKindPeerResponseProgress {
		if o := s.apply(&kernel.PeerResponseProgressArrived{CorrID: corr}, c); !o.OK() {
			return s.refusedInput(in.ID, rejectResponse, o.Refusal, c), false
		}
		return acceptOutcome{}, true
	}
	disposition := kernel.PeerTerminalDispositionFailed
	if in.peerStatus == kernel.PeerResponseTerminalObservedStatusCompleted {
		disposition = kernel.PeerTerminalDispositionCompleted
	}
	if o := s.apply(&kernel.PeerResponseTerminalArrived{CorrID: corr, Disposition: disposition}, c); !o.OK() {
		return s.refusedInput(in.ID, rejectResponse, o.Refusal, c), false
	}
	s.told(in.requestID, c)
	return acceptOutcome{}, true
}

// told closes what a request of ours kept open.
func (s *Session) told(id string, c cause) {
	s.changePeers(peerChange{ID: id, Told: true})
	corr := kernel.PeerCorrelationId(id)
	if s.kernel.State().AttachedInteractionStreams.Has(corr) {
		s.must(&kernel.InteractionStreamCompleted{CorrID: corr}, c)
	}
}

// declineRefused answers a peer's request that was not admitted, so that the peer need not
// wait for its deadline.
func (s *Session) declineRefused(in *input, r acceptOutcome) {
	if r.Outcome == outcomeRejected && in.from != "" && in.Kind == kernel.AdmissionInputKindPeerRequest && isUUID(in.requestID) {
		lane := ""
		if l, ok := in.lane.Get(); ok {
			lane = laneName(l)
		}
		s.decline(in.from, in.requestID, lane, peerFail{Code: r.Kind, Reason: r.Reason, Guard: r.Guard}, in.cause())
	}
}

// news takes an event the session sent itself.
func (s *Session) news(ev *event.Event) {
	if ev.Source() != s.env.Namespace.Source(s.id) {
		s.deadLetter(fmt.Sprintf("source: %q does not send this session events of type %s", ev.Source(), ev.Type()))
		return
	}
	var err error
	switch ev.Type() {
	case subjects.DeadlineType:
		var a alarm
		if err = json.Unmarshal(ev.Data(), &a); err == nil {
			s.rung(a, cause{event: ev.ID()})
		}
	case subjects.ReturnedType:
		var u undelivered
		if err = json.Unmarshal(ev.Data(), &u); err == nil {
			s.returned(u, eventKey(s.id, ev), cause{event: ev.ID()})
		}
	}
	if err != nil {
		s.deadLetter("data: " + err.Error())
	}
}

// returned ends a request that could not be delivered, and tells of any other event.
func (s *Session) returned(u undelivered, key string, c cause) {
	if s.seen(key) {
		return
	}
	s.change(func(d *delta) {
		d.Seen = append(d.Seen, seenKey{Key: key, What: seen{ID: u.EventID, Command: true}})
		d.Ended = append(d.Ended, key)
	})
	s.outcome("PeerUndelivered", peerUndelivered{
		To: u.To, Event: u.EventID, Type: u.EventType, RequestID: u.RequestID, Reason: u.Reason,
	}, c)
	a, pending := s.ledger.Asked[u.RequestID]
	if !pending || a.Generation != u.Ordinal {
		return
	}
	s.apply(&kernel.PeerRequestSendFailed{CorrID: kernel.PeerCorrelationId(u.RequestID)}, c)
	s.unanswered(u.RequestID, a, peerFail{Code: "undelivered", Reason: u.Reason}, c)
}

// unanswered closes a request that gets no answer and tells the session so, as an input
// like an answer: who asked is woken in every case.
func (s *Session) unanswered(id string, a asked, why peerFail, c cause) {
	s.told(id, c)
	if s.kernel.Phase()&(kernel.Attached|kernel.Running|kernel.Idle) == 0 {
		return // nobody is there to be told
	}
	ev := event.New()
	ev.SetID(fmt.Sprintf("%s/unanswered.%d", s.id, a.Generation))
	ev.SetSource(s.env.Namespace.Source(s.id))
	ev.SetType(subjects.InputType("peer_response_terminal"))
	ev.SetExtension(subjects.ExtCorrelationID, id)
	err := ev.SetData(event.ApplicationJSON, []byte(mustJSON(peerData{
		PeerID: peerID(s.env.Namespace, a.To), DisplayIdentity: a.To, RequestID: id, Status: "failed", Error: &why,
	})))
	var in *input
	if err == nil {
		in, err = decodeInput(s.id, &ev)
	}
	if err != nil {
		s.fail(fmt.Errorf("session %s: news of request %s: %w", s.id, id, err))
		return
	}
	in.At, in.Event, in.own = s.next.now, c.event, true
	s.admit(in)
}
