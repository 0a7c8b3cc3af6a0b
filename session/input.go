package session

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// FieldError says which attribute or data field of an input cannot be accepted.
type FieldError struct {
	Field  string
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// entry is what a session keeps of an accepted input beside the kernel's facts: the
// payload for the run, and what the run primitive is built from (chapter 02, 6.1, 6.8).
// It is written once, at admission, and dropped when the input ends.
type entry struct {
	ID     string                    `json:"id"`
	Key    string                    `json:"key"` // of the event, for deduplication
	Event  string                    `json:"event"`
	Type   string                    `json:"type"`
	Kind   kernel.AdmissionInputKind `json:"kind"`
	Data   jsontext.Value            `json:"data,omitzero"`
	IsText bool                      `json:"is_text,omitzero"` // data was no JSON and is kept as a string
	// DataRef names the blob that holds the data, instead of Data.
	DataRef string `json:"dataref,omitzero"`
	// Blobs are all that the input refers to, DataRef first.
	Blobs []kv.Blob `json:"blobs,omitzero"`
	// ContextOnly: it brings context and nothing to answer.
	ContextOnly bool `json:"context_only,omitzero"`

	Idempotency  string `json:"idempotency,omitzero"`
	Supersession string `json:"supersession,omitzero"`
	Correlation  string `json:"correlation,omitzero"`
	TraceParent  string `json:"traceparent,omitzero"`
	TraceState   string `json:"tracestate,omitzero"`

	// The run semantics granted by the plan.
	Boundary     kernel.AdmissionRunApplyBoundary                            `json:"boundary,omitzero"`
	Execution    kernel.AdmissionRuntimeExecutionKind                        `json:"execution,omitzero"`
	Intent       kernel.Opt[kernel.AdmissionPeerResponseTerminalApplyIntent] `json:"intent,omitzero"`
	HandlingMode kernel.Opt[kernel.InputLane]                                `json:"handling_mode,omitzero"`
	Lane         kernel.InputLane                                            `json:"lane"`
	At           time.Time                                                   `json:"at"`
}

// input is one decoded input event with the facts admission asks for (chapter 02, 6.2).
type input struct {
	*entry
	origin       kernel.AdmissionInputOriginKind
	durability   kernel.InputDurabilityKind
	lane         kernel.Opt[kernel.InputLane]
	wake         wakeMode
	continuation kernel.AdmissionContinuationKind
	intent       string
	requestID    string
	from         string // the session that sent it
	own          bool   // the session tells itself
	handlingMode string // as the data gives it, before it is read as a lane
	peerValid    bool
	peerStatus   kernel.PeerResponseTerminalObservedStatus
	mentions     []mention // the blobs its content names
	accepted     bool
}

// inputData is the part of an input's data that admission and the run primitive read.
// All other fields travel to the executor untouched.
type inputData struct {
	InputID          string         `json:"input_id"`
	Text             *string        `json:"text"`
	Content          jsontext.Value `json:"content"`
	HandlingMode     string         `json:"handling_mode"`
	ContinuationKind string         `json:"continuation_kind"`
	Reason           string         `json:"reason"`
	Body             string         `json:"body"`
	Intent           string         `json:"intent"`
	RequestID        string         `json:"request_id"`
	PeerID           string         `json:"peer_id"`
	DisplayIdentity  string         `json:"display_identity"`
	RuntimeID        *string        `json:"runtime_id"`
	Status           string         `json:"status"`
	StepID           string         `json:"step_id"`
	ContextAppend    jsontext.Value `json:"context_append"`
	TurnAppend       jsontext.Value `json:"turn_append"`
}

var inputKinds = map[string]struct {
	kind   kernel.AdmissionInputKind
	origin kernel.AdmissionInputOriginKind
}{
	"prompt":                 {kernel.AdmissionInputKindPrompt, kernel.AdmissionInputOriginKindOperator},
	"peer_message":           {kernel.AdmissionInputKindPeerMessage, kernel.AdmissionInputOriginKindPeer},
	"peer_request":           {kernel.AdmissionInputKindPeerRequest, kernel.AdmissionInputOriginKindPeer},
	"peer_response_progress": {kernel.AdmissionInputKindPeerResponseProgress, kernel.AdmissionInputOriginKindPeer},
	"peer_response_terminal": {kernel.AdmissionInputKindPeerResponseTerminal, kernel.AdmissionInputOriginKindPeer},
	"flow_step":              {kernel.AdmissionInputKindFlowStep, kernel.AdmissionInputOriginKindFlow},
	"external_event":         {kernel.AdmissionInputKindExternalEvent, kernel.AdmissionInputOriginKindExternal},
	"continuation":           {kernel.AdmissionInputKindContinuation, kernel.AdmissionInputOriginKindSystem},
	"operation":              {kernel.AdmissionInputKindOperation, kernel.AdmissionInputOriginKindSystem},
}

// decodeInput reads an input event. An event of a type that is not ours is an
// external_event that carries it unchanged, so a producer that knows nothing of us
// works.
func decodeInput(session string, ev *event.Event) (*input, error) {
	kindName, ours := subjects.ParseInputType(ev.Type())
	if !ours {
		if subjects.Reserved(ev.Type()) {
			return nil, &FieldError{"type", fmt.Sprintf("%q is reserved and no input or command", ev.Type())}
		}
		kindName = "external_event"
	}
	kind, ok := inputKinds[kindName]
	if !ok {
		return nil, &FieldError{"type", fmt.Sprintf("unknown input kind %q", kindName)}
	}
	if s := ev.Subject(); s != "" && ours && s != session {
		return nil, &FieldError{"subject", fmt.Sprintf("%q is not the session %q", s, session)}
	}
	in := &input{
		entry: &entry{
			ID: ev.ID(), Key: eventKey(session, ev), Event: ev.ID(), Type: ev.Type(), Kind: kind.kind,
			Idempotency:  extension(ev, subjects.ExtIdempotencyKey),
			Supersession: extension(ev, subjects.ExtSupersessionKey),
			Correlation:  extension(ev, subjects.ExtCorrelationID),
			TraceParent:  extension(ev, subjects.ExtTraceParent),
			TraceState:   extension(ev, subjects.ExtTraceState),
		},
		origin: kind.origin, peerValid: true,
	}
	var data inputData
	if err := in.readData(ev, ours, &data); err != nil {
		return nil, err
	}
	if ours && data.InputID != "" {
		in.ID = data.InputID
	}
	if len(in.ID) > maxID {
		return nil, &FieldError{"id", fmt.Sprintf("%d bytes long, %d are the most", len(in.ID), maxID)}
	}
	if err := in.readDurability(ev); err != nil {
		return nil, err
	}
	if err := in.readLane(ev, &data); err != nil {
		return nil, err
	}
	if !ours {
		return in, nil
	}
	if in.Kind == kernel.AdmissionInputKindPrompt && data.Text == nil && data.Content == nil {
		return nil, &FieldError{"data", `a prompt has "text" or "content"`}
	}
	var err error
	if in.mentions, err = contentBlobs(data.Content); err != nil {
		return nil, err
	}
	in.intent = data.Intent
	in.ContextOnly = in.Kind == kernel.AdmissionInputKindContinuation && given(data.ContextAppend) && !given(data.TurnAppend)
	if err := in.readContinuation(&data); err != nil {
		return nil, err
	}
	return in, in.readPeer(&data)
}

// maxID bounds input ids: they are keys of the session's state.
const maxID = 256

func eventKey(session string, ev *event.Event) string {
	return strings.TrimPrefix(subjects.MsgID(session, *ev), session+":")
}

// extension is the text of an extension, "" if the event has none of the name. In binary mode
// all are text; in structured mode a producer may have written a number or a boolean, and its
// key must not be passed over for that.
func extension(ev *event.Event, name string) string {
	value, ok := ev.Extensions()[name]
	if !ok {
		return ""
	}
	text, err := subjects.FormatExtension(value)
	if err != nil {
		return "" // no event that was read from a message has such a value
	}
	return text
}

// readData takes the event's data as JSON. Data of a foreign event that is not JSON, or too
// deep, is kept as a JSON string; ours must be a JSON object.
func (in *input) readData(ev *event.Event, ours bool, data *inputData) error {
	raw := ev.Data()
	value := jsontext.Value(raw)
	switch {
	case len(raw) == 0:
		if ours && in.Kind == kernel.AdmissionInputKindPrompt {
			return &FieldError{"data", "is missing"}
		}
		in.Data = jsontext.Value("{}")
		return nil
	case subjects.TooDeep(raw) && ours:
		return errDepth
	case !subjects.TooDeep(raw) && value.IsValid():
		in.Data = append(jsontext.Value(nil), value...)
	case ours:
		return &FieldError{"data", "is not JSON"}
	default:
		in.Data, in.IsText = asText(raw), true
		return nil
	}
	if in.Data.Kind() != '{' {
		if ours {
			return &FieldError{"data", "is not a JSON object"}
		}
		return nil
	}
	if err := json.Unmarshal(in.Data, data); err != nil {
		if !ours {
			// A foreign event may use our field names for other things.
			*data = inputData{}
			return nil
		}
		var semantic *json.SemanticError
		if errors.As(err, &semantic) {
			return &FieldError{"data" + strings.ReplaceAll(string(semantic.JSONPointer), "/", "."), "has the wrong type"}
		}
		return &FieldError{"data", err.Error()}
	}
	return nil
}

// errDepth refuses data that a commit could carry and nobody could read back.
var errDepth = &FieldError{"data", fmt.Sprintf("is nested more than %d levels", subjects.MaxDepth)}

// asText is data that is not JSON, as a JSON string.
func asText(raw []byte) jsontext.Value { return mustJSON(strings.ToValidUTF8(string(raw), "\uFFFD")) }

// given reports whether a member is there and not null.
func given(v jsontext.Value) bool { return len(v) > 0 && v.Kind() != 'n' }

func (in *input) readDurability(ev *event.Event) error {
	switch d := extension(ev, subjects.ExtDurability); d {
	case "", "durable":
		in.durability = kernel.InputDurabilityKindDurable
	case "ephemeral":
		in.durability = kernel.InputDurabilityKindEphemeral
	case "derived":
		in.durability = kernel.InputDurabilityKindDerived
	default:
		return &FieldError{subjects.ExtDurability, fmt.Sprintf("%q is none of durable, ephemeral, derived", d)}
	}
	return nil
}

func (in *input) readLane(ev *event.Event, data *inputData) error {
	in.handlingMode = data.HandlingMode
	lane, field := extension(ev, subjects.ExtLane), subjects.ExtLane
	if lane == "" {
		lane, field = data.HandlingMode, "data.handling_mode"
	}
	switch lane {
	case "queue":
		in.lane = kernel.Some(kernel.InputLaneQueue)
	case "steer":
		in.lane = kernel.Some(kernel.InputLaneSteer)
	case "":
		// These two kinds always ask for a lane, queue unless they say otherwise
		// (chapter 02, 6.1).
		if in.Kind == kernel.AdmissionInputKindExternalEvent || in.Kind == kernel.AdmissionInputKindContinuation {
			in.lane = kernel.Some(kernel.InputLaneQueue)
		}
	default:
		return &FieldError{field, fmt.Sprintf("%q is none of queue, steer", lane)}
	}
	return nil
}

func (in *input) readContinuation(data *inputData) error {
	switch data.ContinuationKind {
	case "", "ordinary":
		in.continuation = kernel.AdmissionContinuationKindOrdinary
	case "workgraph_attention":
		in.continuation = kernel.AdmissionContinuationKindWorkgraphAttention
	default:
		return &FieldError{"data.continuation_kind", fmt.Sprintf("%q is none of ordinary, workgraph_attention", data.ContinuationKind)}
	}
	return nil
}

// readPeer derives the peer facts of chapter 02, 6.2.
func (in *input) readPeer(data *inputData) error {
	in.requestID = data.RequestID
	if len(in.requestID) > maxID {
		return &FieldError{"data.request_id", fmt.Sprintf("%d bytes long, %d are the most", len(in.requestID), maxID)}
	}
	if in.Kind != kernel.AdmissionInputKindPeerResponseTerminal {
		return nil
	}
	switch data.Status {
	case "completed":
		in.peerStatus = kernel.PeerResponseTerminalObservedStatusCompleted
	case "failed":
		in.peerStatus = kernel.PeerResponseTerminalObservedStatusFailed
	case "cancelled":
		in.peerStatus = kernel.PeerResponseTerminalObservedStatusCancelled
	default:
		return &FieldError{"data.status", fmt.Sprintf("%q is none of completed, failed, cancelled", data.Status)}
	}
	in.peerValid = (data.RuntimeID == nil || strings.TrimSpace(*data.RuntimeID) != "") &&
		plain(data.PeerID) && isUUID(strings.TrimSpace(data.PeerID)) &&
		plain(data.DisplayIdentity) &&
		isUUID(data.RequestID)
	return nil
}

// peerHandlingModeValid is false for a progress note that names a handling mode
// (chapter 02, 6.2).
func (in *input) peerHandlingModeValid() bool {
	return in.Kind != kernel.AdmissionInputKindPeerResponseProgress || in.handlingMode == ""
}

// plain reports whether s is not blank and has no control characters.
func plain(s string) bool {
	return strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, unicode.IsControl)
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
				return false
			}
		}
	}
	return true
}

// text is the plain text of an input: what echo answers, what a log line shows.
func (e *entry) text() string {
	if e.IsText {
		var s string
		if err := json.Unmarshal(e.Data, &s); err == nil {
			return s
		}
		return ""
	}
	var data inputData
	if e.Data.Kind() != '{' || json.Unmarshal(e.Data, &data) != nil {
		return ""
	}
	switch {
	case data.Text != nil:
		return *data.Text
	case data.Content != nil:
		return contentText(data.Content)
	case data.Body != "":
		return strings.TrimSpace(data.Body)
	default:
		return data.Reason
	}
}

// contentText joins the text blocks of a content value, which is a string or a list of
// blocks.
func contentText(content jsontext.Value) string {
	var s string
	if content.Kind() == '"' && json.Unmarshal(content, &s) == nil {
		return s
	}
	var blocks []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal(content, &blocks) != nil {
		return ""
	}
	var texts []string
	for _, b := range blocks {
		if b.Type == "text" {
			texts = append(texts, b.Text)
		}
	}
	return strings.Join(texts, "\n")
}
