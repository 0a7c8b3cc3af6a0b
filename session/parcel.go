package session

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// parcel is an event on its way to another session's mailbox. It leaves on the cursor of
// everything the session lets out (PROTOCOL 32): after its commit is stored, and again by
// the next owner if this one is lost before the ack. Its id depends on its place among the
// outgoing messages and on nothing else, so the receiver takes it once.
type parcel struct {
	Ordinal uint64         `json:"n"`
	To      string         `json:"to"`
	MsgID   string         `json:"msg_id"`
	Event   jsontext.Value `json:"event"` // structured
}

func (p *parcel) outgoing() outgoing {
	return outgoing{Ordinal: p.Ordinal, To: p.To, ID: p.MsgID, Data: p.Event}
}

// maxEnvelope is what the attributes and headers of an event to a peer take at most of the
// mailbox's limit.
const maxEnvelope = 16 << 10

// post sends an event of the session to a peer. id tells it from the session's other
// events; "" makes one of its place.
func (s *Session) post(to, id string, ev *event.Event, data any, c cause) error {
	p := &s.next
	n := p.delta.Sent + 1
	if id == "" {
		id = "post." + strconv.FormatUint(n, 10)
	}
	ev.SetID(s.id + "/" + id)
	ev.SetSource(s.env.Namespace.Source(s.id))
	ev.SetSubject(to)
	ev.SetTime(p.now)
	if c.event != "" {
		ev.SetExtension(subjects.ExtCausationID, c.event)
	}
	if c.traceParent != "" {
		ev.SetExtension(subjects.ExtTraceParent, c.traceParent)
	}
	if c.traceState != "" {
		ev.SetExtension(subjects.ExtTraceState, c.traceState)
	}
	body := mustJSON(data)
	if limit := s.env.MaxInput - maxEnvelope; len(body) > limit {
		return &FieldError{"data", fmt.Sprintf("makes a message of %d bytes, %d are the most", len(body), limit)}
	}
	if err := ev.SetData(event.ApplicationJSON, []byte(body)); err != nil {
		return &FieldError{"data", err.Error()}
	}
	text, err := subjects.EncodeJSON(*ev)
	if err != nil {
		return &FieldError{"data", err.Error()}
	}
	p.delta.Sent = n
	out := parcel{Ordinal: n, To: to, MsgID: subjects.MsgID(to, *ev), Event: text}
	p.delta.Post = append(p.delta.Post, out)
	p.payload += len(text)
	p.out = append(p.out, out.outgoing())
	return nil
}

// letter is the message that carries a parcel, or the news that it came back.
func (o *outgoing) letter(ns subjects.Namespace, session string) *nats.Msg {
	if o.Returned != "" {
		return o.back(ns, session)
	}
	return &nats.Msg{
		Subject: ns.In(o.To),
		Header:  nats.Header{nats.MsgIdHdr: {o.ID}, "Content-Type": {subjects.MediaStructured}},
		Data:    o.Data,
	}
}

// undelivered is the data of the news that a parcel could not be delivered.
type undelivered struct {
	Ordinal   uint64 `json:"n"`
	To        string `json:"to"`
	Reason    string `json:"reason"`
	EventID   string `json:"event"`
	EventType string `json:"type"`
	RequestID string `json:"request_id,omitzero"`
}

// maxRefusals is how often a peer's mailbox may refuse an event before its sender gives
// up. Everything else the sender lets out waits behind it meanwhile.
const maxRefusals = 4

// codeStoreFailed: a limit of the subject or of the stream is reached (PROTOCOL 30).
const codeStoreFailed jetstream.ErrorCode = 10077

// refused counts the refusals of a peer's mailbox that is full, or too small for the event:
// the server has decided and not stored it. After the last the news goes back instead.
func (o *outgoing) refused(err error) {
	var api *jetstream.APIError
	if o.To == "" || o.Returned != "" || !errors.As(err, &api) ||
		api.ErrorCode != codeStoreFailed && api.ErrorCode != jetstream.JSErrCodeStreamMessageExceedsMaximum {
		return
	}
	if o.refusals++; o.refusals == maxRefusals {
		o.Returned = api.Description
	}
}

// back is the news for the sender. It goes through the sender's own mailbox, so that it is
// not lost with its owner.
func (o *outgoing) back(ns subjects.Namespace, session string) *nats.Msg {
	var head struct {
		ID      string `json:"id"`
		Type    string `json:"type"`
		Request string `json:"correlationid"`
	}
	err := json.Unmarshal(o.Data, &head)
	ev := event.New()
	ev.SetID(session + "/returned." + strconv.FormatUint(o.Ordinal, 10))
	ev.SetSource(ns.Source(session))
	ev.SetType(subjects.ReturnedType)
	data := mustJSON(undelivered{
		Ordinal: o.Ordinal, To: o.To, Reason: o.Returned,
		EventID: head.ID, EventType: head.Type, RequestID: head.Request,
	})
	err = errors.Join(err, ev.SetData(event.ApplicationJSON, []byte(data)))
	msg, encodeErr := subjects.EncodeStructured(ev, ns.Ctl(session))
	if err = errors.Join(err, encodeErr); err != nil {
		panic("session: news of a returned event: " + err.Error()) // both are ours
	}
	msg.Header[nats.MsgIdHdr] = []string{subjects.MsgID(session, ev)}
	return msg
}
