package session

import (
	"fmt"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// Sessions talk to each other by publishing to each other's mailboxes (chapter 06): a
// message, a request, and the responses to a request, which are progress until one is
// terminal. The machine follows each request until its reply, on both sides; the ledger
// keeps who the other side is.

// asked is a request of ours without an answer.
type asked struct {
	To string `json:"to"`
	// Generation tells this request from earlier ones of the same id: what comes back of
	// those is stale. It is the ordinal of the message.
	Generation uint64    `json:"generation"`
	Deadline   time.Time `json:"deadline"`
}

// owed is a request of a peer that we have not answered.
type owed struct {
	From string `json:"from"`
	// Input is the input it became.
	Input string `json:"input"`
}

// peerChange is one change of what a session owes and is owed; the id is the request's.
type peerChange struct {
	ID     string    `json:"id"`
	Asked  *asked    `json:"asked,omitzero"`
	Told   bool      `json:"told,omitzero"` // the request has its answer, or never gets one
	Owed   *owed     `json:"owed,omitzero"`
	Paid   bool      `json:"paid,omitzero"`
	Stream time.Time `json:"stream,omitzero"` // reserved, until then
	Joined bool      `json:"joined,omitzero"` // the stream is not just reserved any more
}

func (l *ledger) applyPeers(c *peerChange) {
	if c.Told {
		delete(l.Asked, c.ID)
	}
	if c.Asked != nil {
		put(&l.Asked, c.ID, *c.Asked)
	}
	if c.Paid {
		delete(l.Owed, c.ID)
	}
	if c.Owed != nil {
		put(&l.Owed, c.ID, *c.Owed)
	}
	if c.Joined {
		delete(l.Streams, c.ID)
	}
	if !c.Stream.IsZero() {
		put(&l.Streams, c.ID, c.Stream)
	}
}

func (s *Session) changePeers(c peerChange) {
	s.change(func(d *delta) { d.Peers = append(d.Peers, c) })
}

// peerID is the id under which peers know a session: the UUIDv5 of its source, since peer
// ids are UUIDs and session ids need not be.
func peerID(ns subjects.Namespace, session string) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(ns.Source(session))).String()
}

// peerCommands are those a session speaks to its peers with.
var peerCommands = map[string]handler{
	"send_message":              (*Session).sendMessageCommand,
	"send_request":              (*Session).sendRequestCommand,
	"send_response":             (*Session).sendResponseCommand,
	"attach_interaction_stream": (*Session).attachStreamCommand,
	"close_interaction_stream":  (*Session).closeStreamCommand,
}

// Defaults and bounds of requests.
const (
	defaultRequestTimeout = 10 * time.Minute
	defaultStreamTTL      = time.Minute
	// maxOpenRequests bounds the requests a session waits for, those it has not answered, and
	// the streams that are reserved, each: they are kept with its state.
	maxOpenRequests = 4096
)

// speech is what a message, request or response says; the peer's executor gets it as it is.
type speech struct {
	Body    string         `json:"body,omitzero"`
	Content jsontext.Value `json:"content,omitzero"`
	Payload jsontext.Value `json:"payload,omitzero"`
}

// peerData is the data of an input that comes from a peer (chapter 02, 6.1).
type peerData struct {
	PeerID          string    `json:"peer_id"`
	DisplayIdentity string    `json:"display_identity"`
	RequestID       string    `json:"request_id"`
	Intent          string    `json:"intent,omitzero"`
	Status          string    `json:"status,omitzero"`
	Error           *peerFail `json:"error,omitzero"`
	speech
}

// peerFail says why a request failed without the peer having answered it.
type peerFail struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
	Guard  string `json:"guard,omitzero"`
}

// say posts an input of a peer kind to a session.
func (s *Session) say(to, kind, lane, id string, data peerData, c cause) error {
	ev := event.New()
	ev.SetType(subjects.InputType(kind))
	ev.SetExtension(subjects.ExtCorrelationID, data.RequestID)
	if lane != "" {
		ev.SetExtension(subjects.ExtLane, lane)
	}
	if kind == "peer_response_progress" {
		ev.SetExtension(subjects.ExtDurability, "ephemeral") // all others are durable
	}
	data.PeerID, data.DisplayIdentity = peerID(s.env.Namespace, s.id), s.id
	return s.post(to, id, &ev, data, c)
}

// address checks who is spoken to and in which lane.
func address(to, lane string) error {
	if err := subjects.CheckToken("session", to); err != nil {
		return &FieldError{"data.to", err.Error()}
	}
	return checkLane(lane)
}

func checkLane(lane string) error {
	if lane != "" && lane != "queue" && lane != "steer" {
		return &FieldError{"data.lane", fmt.Sprintf("%q is none of queue, steer", lane)}
	}
	return nil
}

// requestID takes the id of an interaction, or makes one. An action's is made of its own
// id, so that a run that is executed again knows it.
func (s *Session) requestID(given string, c *command) (string, error) {
	switch {
	case given == "" && c.action != "":
		return uuid.NewSHA1(uuid.NameSpaceURL, []byte(s.env.Namespace.Source(s.id)+"/"+c.event)).String(), nil
	case given == "":
		return uuid.Must(uuid.NewV7()).String(), nil
	case !isUUID(given):
		return "", &FieldError{"data.request_id", fmt.Sprintf("%q is not a UUID", given)}
	}
	return given, nil
}

// sendReport is the report of what was sent. It says that it will be delivered, not that it
// has been.
type sendReport struct {
	To        string    `json:"to"`
	RequestID string    `json:"request_id"`
	Deadline  time.Time `json:"deadline,omitzero"`
}

func (s *Session) sendMessageCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		To        string `json:"to"`
		Lane      string `json:"lane"`
		RequestID string `json:"request_id"`
		speech
	}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	id, err := s.requestID(arg.RequestID, c)
	if err == nil {
		err = address(arg.To, arg.Lane)
	}
	if err == nil {
		err = s.mustBeRegistered()
	}
	if err == nil {
		err = s.mustLive()
	}
	if err == nil {
		err = s.say(arg.To, "peer_message", arg.Lane, "", peerData{RequestID: id, speech: arg.speech}, c.cause)
	}
	return sendReport{To: arg.To, RequestID: id}, err
}

// sendRequestCommand asks a peer. The request has a deadline, so that it gets an answer in
// any case: the peer's, or that there is none.
func (s *Session) sendRequestCommand(c *command) (any, error) {
	arg := struct {
		sessionArg
		To        string `json:"to"`
		Intent    string `json:"intent"`
		Lane      string `json:"lane"`
		RequestID string `json:"request_id"`
		Timeout   string `json:"timeout"`
		Stream    bool   `json:"stream"`
		StreamTTL string `json:"stream_ttl"`
		speech
	}{}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	if err := address(arg.To, arg.Lane); err != nil {
		return nil, err
	}
	id, err := s.requestID(arg.RequestID, c)
	if err != nil {
		return nil, err
	}
	if intentClass(arg.Intent) != kernel.PeerIngressRequestClassOther {
		return nil, &FieldError{"data.intent", fmt.Sprintf("%q is kept for mobs and supervisors", arg.Intent)}
	}
	timeout, err := span("data.timeout", arg.Timeout, defaultRequestTimeout)
	if err != nil {
		return nil, err
	}
	ttl, err := span("data.stream_ttl", arg.StreamTTL, defaultStreamTTL)
	if err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	corr := kernel.PeerCorrelationId(id)
	st := s.kernel.State()
	if _, pending := st.PendingPeerRequests[corr]; pending {
		return nil, s.try(&kernel.PeerRequestSent{CorrID: corr}, c)
	}
	if arg.Stream && (st.ReservedInteractionStreams.Has(corr) || st.AttachedInteractionStreams.Has(corr)) {
		return nil, s.try(&kernel.InteractionStreamReserved{CorrID: corr}, c)
	}
	if err := s.mustLive(); err != nil {
		return nil, err
	}
	if len(s.ledger.Asked) >= maxOpenRequests || arg.Stream && len(s.ledger.Streams) >= maxOpenRequests {
		return nil, &refusal{kind: rejectNotReady, reason: fmt.Sprintf("%d requests or reserved streams are open, which is the most", maxOpenRequests)}
	}
	data := peerData{RequestID: id, Intent: arg.Intent, speech: arg.speech}
	if err := s.say(arg.To, "peer_request", arg.Lane, "", data, c.cause); err != nil {
		return nil, err
	}
	a := asked{To: arg.To, Generation: s.next.delta.Sent, Deadline: s.next.now.Add(timeout).UTC()}
	s.must(&kernel.PeerRequestSent{CorrID: corr}, c.cause)
	s.changePeers(peerChange{ID: id, Asked: &a})
	s.alarm(a.Deadline)
	if arg.Stream {
		s.must(&kernel.InteractionStreamReserved{CorrID: corr}, c.cause)
		until := s.next.now.Add(ttl).UTC()
		s.changePeers(peerChange{ID: id, Stream: until})
		s.alarm(until)
	}
	return sendReport{To: arg.To, RequestID: id, Deadline: a.Deadline}, nil
}

// span reads a duration that a timer can hold.
func span(field, text string, otherwise time.Duration) (time.Duration, error) {
	if text == "" {
		return otherwise, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > maxTimer {
		return 0, &FieldError{field, fmt.Sprintf("%q is no duration up to %s, such as 30s", text, maxTimer)}
	}
	return d, nil
}

// mustLive refuses what no rule of the machine guards in the phases in which it accepts
// nothing.
func (s *Session) mustLive() error {
	if phase := s.kernel.Phase(); phase&(kernel.Initializing|kernel.Destroyed) != 0 {
		kind := rejectNotReady
		if phase == kernel.Destroyed {
			kind = rejectDestroyed
		}
		return &refusal{kind: kind, reason: "the session is " + phase.String(), phase: phase.String()}
	}
	return nil
}

// sendResponseCommand answers a peer's request, with progress or for good.
func (s *Session) sendResponseCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		RequestID string                            `json:"request_id"`
		Status    *kernel.PeerIngressResponseStatus `json:"status"`
		Lane      string                            `json:"lane"`
		speech
	}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	switch {
	case !isUUID(arg.RequestID):
		return nil, &FieldError{"data.request_id", fmt.Sprintf("%q is not a UUID", arg.RequestID)}
	case arg.Status == nil:
		return nil, missing("status")
	}
	if err := checkLane(arg.Lane); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	owed, ok := s.ledger.Owed[arg.RequestID]
	corr := kernel.PeerCorrelationId(arg.RequestID)
	if !ok {
		if err := s.try(&kernel.PeerResponseReplied{CorrID: corr}, c); err != nil {
			return nil, err
		}
		return nil, &refusal{kind: rejectNotFound, reason: fmt.Sprintf("no session waits for the request %q", arg.RequestID)}
	}
	o := s.apply(&kernel.ClassifyPeerResponseReply{Status: *arg.Status}, c.cause)
	if !o.OK() {
		return nil, refused(rejectValidation, o.Refusal)
	}
	if err := s.mustLive(); err != nil {
		return nil, err
	}
	data := peerData{RequestID: arg.RequestID, speech: arg.speech}
	if o.Effects[0].(kernel.PeerResponseReplyClassified).ResponseTerminality == kernel.PeerIngressResponseTerminalityProgress {
		return sendReport{To: owed.From, RequestID: arg.RequestID},
			s.say(owed.From, "peer_response_progress", "", "", data, c.cause)
	}
	lane := arg.Lane
	if lane == "" {
		lane = laneName(s.kernel.State().InboundPeerRequestLanes[corr])
	}
	data.Status = statusName(*arg.Status)
	if err := s.say(owed.From, "peer_response_terminal", lane, "", data, c.cause); err != nil {
		return nil, err
	}
	s.must(&kernel.PeerResponseReplied{CorrID: corr}, c.cause)
	s.changePeers(peerChange{ID: arg.RequestID, Paid: true})
	return sendReport{To: owed.From, RequestID: arg.RequestID}, nil
}

func laneName(l kernel.InputLane) string {
	if l == kernel.InputLaneSteer {
		return "steer"
	}
	return "queue"
}

func statusName(st kernel.PeerIngressResponseStatus) string {
	if st == kernel.PeerIngressResponseStatusCompleted {
		return "completed"
	}
	return "failed"
}

// failOwed answers a peer's request whose input ended without an answer.
func (s *Session) failOwed(e *entry, outcome, reason string) {
	owed, ok := s.ledger.Owed[e.Correlation]
	if !ok || owed.Input != e.ID {
		return
	}
	c := e.cause()
	corr := kernel.PeerCorrelationId(e.Correlation)
	lane := laneName(s.kernel.State().InboundPeerRequestLanes[corr])
	if o := s.apply(&kernel.PeerResponseReplied{CorrID: corr}, c); !o.OK() {
		return // destroyed: the asker's deadline answers it
	}
	s.changePeers(peerChange{ID: e.Correlation, Paid: true})
	s.decline(owed.From, e.Correlation, lane, peerFail{Code: outcome, Reason: reason}, c)
}

// decline answers a request with a failure of ours.
func (s *Session) decline(to, request, lane string, why peerFail, c cause) {
	err := s.say(to, "peer_response_terminal", lane, "", peerData{RequestID: request, Status: "failed", Error: &why}, c)
	if err != nil {
		// A namespace whose messages are that small. The asker's deadline answers it.
		s.log.Warn("a peer's request is not answered", "request", request, "peer", to, "error", err)
	}
}

func (s *Session) attachStreamCommand(c *command) (any, error) {
	id, err := s.readStream(c)
	if err != nil {
		return nil, err
	}
	if err := s.try(&kernel.InteractionStreamAttached{CorrID: kernel.PeerCorrelationId(id)}, c); err != nil {
		return nil, err
	}
	s.changePeers(peerChange{ID: id, Joined: true})
	if _, pending := s.ledger.Asked[id]; !pending {
		// The answer has come before the reader: there is nothing more to read.
		return nil, s.try(&kernel.InteractionStreamCompleted{CorrID: kernel.PeerCorrelationId(id)}, c)
	}
	return nil, nil
}

func (s *Session) closeStreamCommand(c *command) (any, error) {
	id, err := s.readStream(c)
	if err != nil {
		return nil, err
	}
	return nil, s.try(&kernel.InteractionStreamClosedEarly{CorrID: kernel.PeerCorrelationId(id)}, c)
}

func (s *Session) readStream(c *command) (string, error) {
	var arg struct {
		sessionArg
		RequestID string `json:"request_id"`
	}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return "", err
	}
	if !isUUID(arg.RequestID) {
		return "", &FieldError{"data.request_id", fmt.Sprintf("%q is not a UUID", arg.RequestID)}
	}
	return arg.RequestID, s.mustBeRegistered()
}

// readAs decodes a command's data and checks the session it may name.
func (s *Session) readAs(c *command, into any, arg *sessionArg) error {
	if err := c.read(into); err != nil {
		return err
	}
	return arg.check(s.id)
}
