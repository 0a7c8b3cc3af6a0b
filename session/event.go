package session

import (
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// cause is what an event follows from: the input or command, and its trace.
type cause struct {
	event       string
	correlation string
	traceParent string
	traceState  string
}

func (e *entry) cause() cause {
	return cause{event: e.Event, correlation: e.Correlation, traceParent: e.TraceParent, traceState: e.TraceState}
}

// outgoing is one message that leaves the session after its commit is stored: an event
// for fx or a signal for the mob (PROTOCOL 32).
type outgoing struct {
	// Ordinal numbers the session's outgoing messages from 1.
	Ordinal uint64 `json:"n"`
	// Mob is the mob a signal or an answer goes to, "" for an fx event.
	Mob string `json:"mob,omitzero"`
	// To is the session a peer message goes to; ID is then its message id.
	To string `json:"to,omitzero"`
	// Returned says why the peer's mailbox does not take it.
	Returned string `json:"returned,omitzero"`
	refusals int
	index    int    // of the event, in the commit under construction
	Name     string `json:"name"`
	ID       string `json:"id"`
	// Sequence is the event's fx sequence, 0 for a signal that is not published there.
	Sequence    uint64         `json:"sequence,omitzero"`
	Type        string         `json:"type"`
	Time        string         `json:"time"`
	Fence       uint64         `json:"fence"`
	Cause       string         `json:"cause,omitzero"`
	Correlation string         `json:"correlation,omitzero"`
	TraceParent string         `json:"traceparent,omitzero"`
	TraceState  string         `json:"tracestate,omitzero"`
	Data        jsontext.Value `json:"data"`
	// Schedule is set for a timer: when it fires.
	Schedule string `json:"schedule,omitzero"`
}

// origin is what all messages of a session have in common.
type origin struct {
	ns      subjects.Namespace
	session string
	shard   int
	source  string
	fx      string // what the subjects of its published events begin with
}

func newOrigin(ns subjects.Namespace, session string) origin {
	return origin{
		ns: ns, session: session, shard: ns.Shard(session), source: ns.Source(session),
		fx: strings.TrimSuffix(ns.FxSession(session), "*"),
	}
}

// effect tells whether the message goes to fx.
func (o *outgoing) effect() bool { return o.Schedule == "" && o.To == "" && o.Mob == "" }

// message is the CloudEvent in binary mode, written on a sheet if it is an event. Id and
// content are the same however often it is sent.
func (o *outgoing) message(from *origin, on *sheet) *nats.Msg {
	if o.Schedule != "" {
		return o.schedule(from.ns, from.session)
	}
	if o.To != "" {
		return o.letter(from.ns, from.session)
	}
	on.msg.Subject = from.fx + o.Name
	if o.Mob != "" {
		on.msg.Subject = from.ns.MobSignal(o.Mob, o.Name)
	}
	on.msg.Data = o.Data
	on.set(eventMsgID, o.ID)
	on.set(eventID, o.ID)
	on.set(eventSource, from.source)
	on.set(eventType, o.Type)
	on.set(eventSubject, from.session)
	on.set(eventTime, o.Time)
	on.set(eventFence, strconv.FormatUint(o.Fence, 10))
	on.extension(eventCause, o.Cause)
	on.extension(eventCorrelation, o.Correlation)
	on.extension(eventTraceParent, o.TraceParent)
	on.extension(eventTraceState, o.TraceState)
	sequence := ""
	if o.Sequence != 0 {
		sequence = strconv.FormatUint(o.Sequence, 10)
	}
	on.extension(eventSequence, sequence)
	return &on.msg
}

// appendEvent writes an event in the JSON event format, as the feed carries it. Names and
// ids of ours are made of characters that JSON does not escape.
func (o *outgoing) appendEvent(b []byte, session, source string, at subjects.Position) []byte {
	b = append(b, `{"specversion":"1.0","id":"`...)
	b = append(b, session...)
	b = append(b, '/')
	b = strconv.AppendUint(b, at.Commit, 10)
	b = append(b, '.')
	b = strconv.AppendInt(b, int64(at.Index), 10)
	b = append(b, `","source":"`...)
	b = append(b, source...)
	b = append(b, `","type":"`...)
	b = append(b, o.Type...)
	b = append(b, `","subject":"`...)
	b = append(b, session...)
	b = append(b, `","time":"`...)
	b = append(b, o.Time...)
	b = append(b, `","datacontenttype":"application/json","fence":"`...)
	b = strconv.AppendUint(b, o.Fence, 10)
	b = append(b, '"')
	if o.Sequence != 0 {
		b = append(b, `,"sequence":"`...)
		b = strconv.AppendUint(b, o.Sequence, 10)
		b = append(b, '"')
	}
	b = appendMember(b, subjects.ExtCausationID, o.Cause)
	b = appendMember(b, subjects.ExtCorrelationID, o.Correlation)
	b = appendMember(b, subjects.ExtTraceParent, o.TraceParent)
	b = appendMember(b, subjects.ExtTraceState, o.TraceState)
	b = append(b, `,"data":`...)
	b = append(b, o.Data...)
	return append(b, '}')
}

func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

func appendString(b []byte, s string) []byte {
	if kernel.Plain(s) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	quoted, err := jsontext.AppendQuote(b, s)
	if err != nil { // invalid UTF-8, which decoding has refused
		return append(b, `""`...) // behind what was there, not behind what was begun
	}
	return quoted
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// The data of outcomes and outputs (WIRE, events out).
type (
	inputAccepted struct {
		InputID string `json:"input_id"`
		Lane    string `json:"lane"`
		Plan    string `json:"plan"`
	}
	inputDeduplicated struct {
		InputID         string `json:"input_id"`
		ExistingInputID string `json:"existing_input_id"`
	}
	inputRejected struct {
		InputID string `json:"input_id"`
		Kind    string `json:"kind"`
		Reason  string `json:"reason"`
		Guard   string `json:"guard,omitzero"`
	}
	inputStaged struct {
		InputID string `json:"input_id"`
		RunID   string `json:"run_id"`
		Attempt uint64 `json:"attempt"`
	}
	inputApplied struct {
		InputID          string `json:"input_id"`
		RunID            string `json:"run_id"`
		BoundarySequence uint64 `json:"boundary_sequence"`
	}
	inputCompleted struct {
		InputID         string         `json:"input_id"`
		RunID           string         `json:"run_id,omitzero"`
		TerminalOutcome string         `json:"terminal_outcome"`
		Reason          string         `json:"reason,omitzero"`
		Result          jsontext.Value `json:"result,omitzero"`
		ResultRef       string         `json:"result_ref,omitzero"` // instead of a large result
	}
	peerUndelivered struct {
		To        string `json:"to"`
		Event     string `json:"event"`
		Type      string `json:"type"`
		RequestID string `json:"request_id,omitzero"`
		Reason    string `json:"reason"`
	}
	sessionResumed struct {
		InputsWaiting int `json:"inputs_waiting"`
	}
	runOutput struct {
		RunID      string         `json:"run_id"`
		Content    jsontext.Value `json:"content,omitzero"`
		ContentRef string         `json:"content_ref,omitzero"` // instead of large content
		Usage      any            `json:"usage,omitzero"`
	}
	commandApplied struct {
		Command string `json:"command"`
		Report  any    `json:"report"`
		Action  string `json:"action,omitzero"`
	}
	commandRejected struct {
		Command string `json:"command"`
		Kind    string `json:"kind"`
		Reason  string `json:"reason"`
		Phase   string `json:"phase,omitzero"`
		Rule    string `json:"rule,omitzero"`
		Guard   string `json:"guard,omitzero"`
		// Code is the consumer error code of a routed command.
		Code   string `json:"code,omitzero"`
		Action string `json:"action,omitzero"`
	}
)

// mustJSON encodes one of the structs above, which cannot fail: their values are strings,
// numbers and JSON that was valid when it came in. The members of maps, which reports of
// commands have, come in one order.
func mustJSON(v any) jsontext.Value {
	data, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic("session: event data: " + err.Error())
	}
	return data
}
