package session

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// timer is an event that is to come no earlier than a time: an input its producer
// postponed, or a deadline of the session's own. It is armed as a scheduled message once its commit is stored, on the same cursor as
// everything that leaves the session (PROTOCOL 32); when it fires, the fleet forwards the
// event to the mailbox again.
type timer struct {
	Ordinal uint64         `json:"n"`
	ID      string         `json:"id"` // a token; the same event arms the same timer
	At      time.Time      `json:"at"`
	Event   jsontext.Value `json:"event"` // structured
}

// maxTimer bounds how far ahead an input may be scheduled.
const maxTimer = 366 * 24 * time.Hour

// dueFor is for how long an event that is due waits to be forwarded to its mailbox, if no
// worker runs or the mailbox is full.
const dueFor = "720h"

// forwarding is what the headers of a forwarded event take at most.
const forwarding = 512

// DueID is the message id under which what has fired is forwarded to a session's mailbox; at
// is its place in the TIME stream.
func DueID(session string, at uint64) string { return session + ":due:" + strconv.FormatUint(at, 10) }

// fired reports whether the message being taken was forwarded, when a timer had fired.
func (s *Session) fired() bool {
	return strings.HasPrefix(s.taking.Header.Get(nats.MsgIdHdr), s.id+":due:")
}

// postponed arms a timer for an event that is not due yet, and reports whether it did. What
// has fired is due: the server fires by its own clock, and as long as ours is behind it would
// do so again at once, each time with a commit.
func (s *Session) postponed(ev *event.Event) (bool, error) {
	text := extension(ev, subjects.ExtDeliverAt)
	if text == "" || s.fired() {
		return false, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return false, &FieldError{subjects.ExtDeliverAt, fmt.Sprintf("%q is no RFC 3339 time", text)}
	}
	wait := at.Sub(s.next.now)
	switch {
	case wait <= 0:
		return false, nil
	case wait > maxTimer:
		return false, &FieldError{subjects.ExtDeliverAt, fmt.Sprintf("%s is more than %s ahead", text, maxTimer)}
	}
	data, err := subjects.EncodeJSON(*ev)
	if err != nil {
		return false, &FieldError{"", err.Error()}
	}
	// It comes back to the mailbox in structured mode, in which data that are no JSON grow:
	// what the mailbox would not take then must not be taken now.
	if limit := s.env.MaxInput - forwarding; len(data) > limit {
		return false, &FieldError{subjects.ExtDeliverAt, fmt.Sprintf("the event takes %d bytes in structured mode, %d are the most for one that waits", len(data), limit)}
	}
	s.arm(eventKey(s.id, ev), at, data)
	return true, nil
}

// arm sets a timer. One of the same id is replaced.
func (s *Session) arm(id string, at time.Time, event jsontext.Value) {
	p := &s.next
	p.delta.Sent++
	t := timer{Ordinal: p.delta.Sent, ID: id, At: at.UTC(), Event: event}
	p.delta.Arm = append(p.delta.Arm, t)
	p.payload += len(event)
	p.out = append(p.out, t.outgoing())
}

func (t *timer) outgoing() outgoing {
	return outgoing{Ordinal: t.Ordinal, ID: t.ID, Schedule: stamp(t.At), Data: t.Event}
}

// schedule is the message that arms a timer.
func (o *outgoing) schedule(ns subjects.Namespace, session string) *nats.Msg {
	return &nats.Msg{
		Subject: ns.Timer(session, o.ID),
		Header: nats.Header{
			"Nats-Schedule":        {"@at " + o.Schedule},
			"Nats-Schedule-Target": {ns.Due(session)},
			"Nats-Schedule-TTL":    {dueFor},
			"Content-Type":         {subjects.MediaStructured},
		},
		Data: o.Data,
	}
}
