package session

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// Records of version 1 name the trigger of a step and all its fields, and what leaves by
// number, event id and mob; their deltas are those of today without ids. They are still
// read, never written.

// stepV1 is one step: trigger, rule taken, fields.
type stepV1 struct {
	trigger, rule string
	fields        jsontext.Value
}

func (s *stepV1) UnmarshalJSON(data []byte) error {
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

func (r *record) stepsV1(take func(i int, rule string, t kernel.Trigger) error) error {
	var steps []stepV1
	if err := json.Unmarshal(r.Steps, &steps); err != nil {
		return fmt.Errorf("steps: %w", err)
	}
	for i := range steps {
		t, err := kernel.UnmarshalTrigger(steps[i].trigger, steps[i].fields)
		if err != nil {
			return fmt.Errorf("step %d: %w", i, err)
		}
		if err := take(i, steps[i].rule, t); err != nil {
			return err
		}
	}
	return nil
}

// eventsV1 adds the events that leave.
func (b *body) eventsV1(out []outgoing) ([]outgoing, error) {
	if len(b.Record.Out) == 0 {
		return out, nil
	}
	feed, err := b.feed()
	if err != nil {
		return nil, err
	}
	events := make(map[string]*feedEvent, len(feed))
	for i := range feed {
		events[feed[i].ID] = &feed[i]
	}
	var named [][]jsontext.Value
	if err := json.Unmarshal(b.Record.Out, &named); err != nil {
		return nil, fmt.Errorf("out: %w", err)
	}
	for _, parts := range named {
		if len(parts) != 3 {
			return nil, fmt.Errorf("an outgoing message has 3 parts, got %d", len(parts))
		}
		var ordinal uint64
		if err := json.Unmarshal(parts[0], &ordinal); err != nil {
			return nil, err
		}
		var id, mob string
		if err := json.Unmarshal(parts[1], &id); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(parts[2], &mob); err != nil {
			return nil, err
		}
		e, ok := events[id]
		if !ok {
			return nil, fmt.Errorf("outgoing message %d names the event %s, which the commit does not have", ordinal, id)
		}
		o, err := e.outgoing(ordinal, mob)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}
