package session

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/subjects"
)

// recordVersion is the version of the record below and of [state].
const recordVersion = 1

// The kinds of commits.
const (
	kindClaim   = "claim"   // a new owner's first word
	kindStep    = "step"    // inputs, runs, commands
	kindRelease = "release" // the owner's last word before it lets the key go
)

// body is a commit's data as recovery reads it.
type body struct {
	Events  []feedEvent `json:"events"`
	Record  record      `json:"record"`
	DataRef string      `json:"dataref,omitzero"` // the object that holds the body, if it was too large
}

// record is our part of a commit. Nobody else reads it.
type record struct {
	Version   int              `json:"v"`
	Kernel    int              `json:"kernel"`
	Kind      string           `json:"kind"`
	Worker    string           `json:"worker"`
	At        string           `json:"at"`
	Cursor    uint64           `json:"cursor"`
	Confirmed uint64           `json:"confirmed"`
	Steps     []step           `json:"steps"`
	Delta     delta            `json:"delta"`
	Out       []jsontext.Value `json:"out,omitzero"`
}

// feedEvent is an event of the feed, read back to publish it again.
type feedEvent struct {
	ID          string         `json:"id"`
	Type        string         `json:"type"`
	Time        string         `json:"time"`
	Fence       uint64         `json:"fence,string"`
	Sequence    uint64         `json:"sequence,string,omitzero"`
	Cause       string         `json:"causationid"`
	Correlation string         `json:"correlationid"`
	TraceParent string         `json:"traceparent"`
	TraceState  string         `json:"tracestate"`
	Data        jsontext.Value `json:"data"`
}

// step is one kernel step of a record: trigger, rule taken, fields.
type step struct {
	trigger, rule string
	fields        jsontext.Value
}

func (s *step) UnmarshalJSON(data []byte) error {
	var parts []jsontext.Value
	if err := json.Unmarshal(data, &parts); err != nil {
		return err
	}
	if len(parts) != 3 {
		return fmt.Errorf("a step has 3 parts, got %d", len(parts))
	}
	if err := json.Unmarshal(parts[0], &s.trigger); err != nil {
		return err
	}
	s.fields = parts[2]
	return json.Unmarshal(parts[1], &s.rule)
}

// sent rebuilds the outgoing messages of a commit from its events.
func (b *body) sent() ([]outgoing, error) {
	events := make(map[string]*feedEvent, len(b.Events))
	for i := range b.Events {
		events[b.Events[i].ID] = &b.Events[i]
	}
	out := make([]outgoing, 0, len(b.Record.Out))
	for _, raw := range b.Record.Out {
		var parts []jsontext.Value
		if err := json.Unmarshal(raw, &parts); err != nil || len(parts) != 3 {
			return nil, fmt.Errorf("outgoing message %s", raw)
		}
		var o outgoing
		if err := json.Unmarshal(parts[0], &o.Ordinal); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(parts[1], &o.ID); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(parts[2], &o.Mob); err != nil {
			return nil, err
		}
		e, ok := events[o.ID]
		if !ok {
			return nil, fmt.Errorf("outgoing message %d names the event %s, which the commit does not have", o.Ordinal, o.ID)
		}
		name, ok := subjects.EventName(e.Type)
		if !ok {
			return nil, fmt.Errorf("event %s has the unknown type %s", e.ID, e.Type)
		}
		o.Name, o.Type, o.Time, o.Fence, o.Sequence = name, e.Type, e.Time, e.Fence, e.Sequence
		o.Cause, o.Correlation, o.TraceParent, o.TraceState = e.Cause, e.Correlation, e.TraceParent, e.TraceState
		o.Data = e.Data
		out = append(out, o)
	}
	for i := range b.Record.Delta.Arm {
		out = append(out, b.Record.Delta.Arm[i].outgoing())
	}
	for i := range b.Record.Delta.Post {
		out = append(out, b.Record.Delta.Post[i].outgoing())
	}
	slices.SortFunc(out, func(a, b outgoing) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	return out, nil
}
