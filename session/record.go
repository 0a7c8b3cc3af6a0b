package session

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// recordVersion is the version of the records below. Those of version 1 are read
// (PROTOCOL 36).
const recordVersion = 2

// The kinds of commits.
const (
	kindClaim   = "claim"   // a new owner's first word
	kindStep    = "step"    // inputs, runs, commands
	kindRelease = "release" // the owner's last word before it lets the key go
)

// body is a commit's data as recovery reads it.
type body struct {
	Events  jsontext.Value `json:"events"` // see feed: most of the body, and seldom read
	Record  record         `json:"record"`
	DataRef string         `json:"dataref,omitzero"` // the object that holds the body, if it was too large
	size    int            // in bytes, wherever it was
}

// feed reads the events.
func (b *body) feed() (events []feedEvent, err error) {
	if len(b.Events) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(b.Events, &events); err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	return events, nil
}

// record is our part of a commit. Nobody else reads it. Every commit carries one, and the
// servers copy it many times, so it is short: a step is its rule and the fields of its
// trigger in order ([kernel.StepWriter]), ids stand in a table and elsewhere by their
// number, what has its usual value is left out, an event is named by its number in the
// commit. Who wrote it is told by the commit's id. docs/record.md shows one.
//
// The parts are read when it is known that this worker knows the version.
type record struct {
	Version   int            `json:"v"`
	Kernel    int            `json:"kernel"`
	Kind      string         `json:"kind"`
	At        string         `json:"at"`
	Cursor    uint64         `json:"cursor"`
	Confirmed uint64         `json:"confirmed"`
	Steps     jsontext.Value `json:"steps"`
	Delta     jsontext.Value `json:"delta"`
	Out       jsontext.Value `json:"out,omitzero"`
	IDs       []string       `json:"ids,omitzero"`
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

// known refuses what this worker cannot fold.
func (r *record) known() error {
	if r.Version < 1 || r.Version > recordVersion || r.Kernel != kernel.Version {
		return fmt.Errorf("record of version %d, kernel %d; this worker knows up to %d, kernel %d", r.Version, r.Kernel, recordVersion, kernel.Version)
	}
	return nil
}

// steps calls take for every step: with its place, the rule that was taken, and what the
// rule took.
func (r *record) steps(take func(i int, rule string, t kernel.Trigger) error) error {
	if r.Version == 1 {
		return r.stepsV1(take)
	}
	steps := kernel.NewStepReader(r.Steps, r.IDs)
	i := 0
	for ; steps.Next(); i++ {
		if err := take(i, steps.Rule, steps.Trigger); err != nil {
			return err
		}
	}
	if err := steps.Err(); err != nil {
		return fmt.Errorf("step %d: %w", i, err)
	}
	return nil
}

// delta reads how the commit changed the ledger.
func (r *record) delta() (*delta, error) {
	var d delta
	if err := unmarshalIDs(r.Delta, r.IDs, &d); err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	for _, e := range d.Admit {
		if !e.At.IsZero() {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, r.At)
		if err != nil {
			return nil, fmt.Errorf("at: %w", err)
		}
		e.At = at
	}
	return &d, nil
}

// sent rebuilds the outgoing messages of a commit from its events and its delta.
func (b *body) sent(d *delta) ([]outgoing, error) {
	var out []outgoing
	for i := range d.Arm {
		out = append(out, d.Arm[i].outgoing())
	}
	for i := range d.Post {
		out = append(out, d.Post[i].outgoing())
	}
	var err error
	if b.Record.Version == 1 {
		out, err = b.eventsV1(out)
	} else {
		out, err = b.eventsOut(out, d.Sent)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b outgoing) int { return cmp.Compare(a.Ordinal, b.Ordinal) })
	return out, nil
}

// eventsOut adds the events to the messages that the delta carries. The messages of a
// commit are numbered without a gap and the last is the session's last so far, so the
// events, which are in order, have the numbers that the others leave.
func (b *body) eventsOut(others []outgoing, last uint64) ([]outgoing, error) {
	if len(b.Record.Out) == 0 {
		return others, nil
	}
	var named []leaving
	if err := json.Unmarshal(b.Record.Out, &named); err != nil {
		return nil, fmt.Errorf("out: %w", err)
	}
	n := uint64(len(named) + len(others))
	if last < n {
		return nil, fmt.Errorf("out: the commit lets %d messages out, the session %d so far", n, last)
	}
	taken := make(map[uint64]bool, len(others))
	for i := range others {
		at := others[i].Ordinal
		if at <= last-n || at > last || taken[at] {
			return nil, fmt.Errorf("out: a message numbered %d is none of the %d up to %d", at, n, last)
		}
		taken[at] = true
	}
	events, err := b.feed()
	if err != nil {
		return nil, err
	}
	out, ordinal := others, last-n
	for _, e := range named {
		if uint64(e.event) >= uint64(len(events)) {
			return nil, fmt.Errorf("out: the commit does not have the event %d, only %d events", e.event, len(events))
		}
		ordinal++
		for taken[ordinal] {
			ordinal++
		}
		o, err := events[e.event].outgoing(ordinal, e.mob)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// leaving is an event that leaves: for fx, or for a mob.
type leaving struct {
	event uint32
	mob   string
}

// UnmarshalJSON reads the number of the event, or a pair of it and the mob.
func (l *leaving) UnmarshalJSON(data []byte) error {
	if jsontext.Value(data).Kind() != '[' {
		return json.Unmarshal(data, &l.event)
	}
	var pair []jsontext.Value
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return fmt.Errorf("%d parts where a number and a mob belong", len(pair))
	}
	if err := json.Unmarshal(pair[0], &l.event); err != nil {
		return err
	}
	return json.Unmarshal(pair[1], &l.mob)
}

func (e *feedEvent) outgoing(ordinal uint64, mob string) (outgoing, error) {
	name, ok := subjects.EventName(e.Type)
	if !ok {
		return outgoing{}, fmt.Errorf("event %s has the unknown type %s", e.ID, e.Type)
	}
	return outgoing{
		Ordinal: ordinal, Mob: mob, ID: e.ID, Name: name, Type: e.Type, Time: e.Time, Fence: e.Fence, Sequence: e.Sequence,
		Cause: e.Cause, Correlation: e.Correlation, TraceParent: e.TraceParent, TraceState: e.TraceState, Data: e.Data,
	}, nil
}

// idReader decodes JSON in which strings may be numbers of a record's ids. Its options
// remember what they have learnt of the types, so readers are used again.
type idReader struct {
	ids     []string
	options json.Options
}

var idReaders = sync.Pool{New: func() any {
	r := &idReader{}
	r.options = json.WithUnmarshalers(json.UnmarshalFromFunc(func(dec *jsontext.Decoder, s *string) (err error) {
		*s, err = kernel.ReadString(dec, r.ids)
		return err
	}))
	return r
}}

func unmarshalIDs(data []byte, ids []string, v any) error {
	r := idReaders.Get().(*idReader)
	defer idReaders.Put(r)
	r.ids = ids
	err := json.Unmarshal(data, v, r.options)
	r.ids = nil
	return err
}
