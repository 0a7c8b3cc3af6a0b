package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/subjects/schema"
)

type jsonObject = map[string]any

// sample is a value that a schema takes, with every member it names, and one of another
// kind, which it does not take; nil if it takes anything.
func sample(t *testing.T, s, defs jsonObject) (right, wrong any) {
	t.Helper()
	if ref, ok := s["$ref"].(string); ok {
		return sample(t, defs[strings.TrimPrefix(ref, "#/$defs/")].(jsonObject), defs)
	}
	if of, ok := s["oneOf"].([]any); ok {
		return sample(t, of[len(of)-1].(jsonObject), defs)
	}
	if c, ok := s["const"]; ok {
		return c, []int{5}
	}
	switch all := s["enum"].(type) {
	case []any:
		return all[0], 5
	case []string:
		return all[0], 5
	}
	switch s["type"] {
	case "string":
		if s["format"] == "uuid" {
			return "3e0c4d0a-0000-4000-8000-000000000001", 5
		}
		return "x", 5
	case "boolean":
		return true, "x"
	case "integer":
		return 1, "x"
	case "array":
		element, _ := sample(t, s["items"].(jsonObject), defs)
		return []any{element}, 5
	case "object":
		members := jsonObject{}
		properties, _ := s["properties"].(jsonObject)
		for name, of := range properties {
			members[name], _ = sample(t, of.(jsonObject), defs)
		}
		if more, ok := s["additionalProperties"].(jsonObject); ok {
			members["x"], _ = sample(t, more, defs)
		}
		return members, 5
	}
	if len(s) > 0 {
		t.Fatalf("a schema of another kind: %v", s)
	}
	return "anything", nil
}

// The catalogue says what a command takes, a session refuses what is not there
// (TestEveryCommandIsAnswered sends it), and here whoever carries a command out reads each
// field that is there, in its type. So schemas, documents and handlers agree. Each field is
// sent before one that nobody reads: where decoding stops tells whether it was taken, and
// nothing is carried out.
func TestHandlersReadWhatTheCatalogueSays(t *testing.T) {
	const nobodys = "nobodys"
	schemas := schema.Events()
	stops := func(name, field string, value any, others string) (at, reason string) {
		t.Helper()
		data := fmt.Sprintf("{%q:%s,%s%q:0}", field, mustJSON(value), others, nobodys)
		s := &Session{id: "x", kernel: kernel.New()}
		s.kernel.Apply(&kernel.Initialize{})
		s.kernel.Apply(&kernel.RegisterSession{SessionID: "x"})
		_, err := handlerOf(name)(s, &command{name: name, data: []byte(data)})
		var wrong *FieldError
		var question *QueryError
		switch {
		case errors.As(err, &wrong):
			return strings.TrimPrefix(wrong.Field, "data."), wrong.Reason
		case errors.As(err, &question): // "arguments.<field>: <reason>"
			at, reason, _ := strings.Cut(strings.TrimPrefix(question.Message, "arguments."), ": ")
			return at, reason
		}
		t.Errorf("%s %s: %v is no refusal of a field", name, data, err)
		return "", ""
	}
	checked := 0
	for _, c := range subjects.Catalogue() {
		name, ok := subjects.ParseCommandType(c.Type)
		if !ok {
			continue
		}
		s := schemas[c.Type]
		defs, _ := s["$defs"].(jsonObject)
		properties := s["properties"].(jsonObject)
		for _, field := range slices.Sorted(maps.Keys(properties)) {
			right, wrong := sample(t, properties[field].(jsonObject), defs)
			others := ""
			for _, f := range c.Data {
				if !f.Optional && f.Name != field {
					value, _ := sample(t, properties[f.Name].(jsonObject), defs)
					others += fmt.Sprintf("%q:%s,", f.Name, mustJSON(value))
				}
			}
			if at, reason := stops(name, field, right, others); at != nobodys {
				t.Errorf("%s: %s of %s is not read: %s: %s", name, field, mustJSON(right), at, reason)
			}
			if wrong != nil {
				at, reason := stops(name, field, wrong, others)
				if first, _, _ := strings.Cut(at, "."); first != field || strings.Contains(reason, json.ErrUnknownName.Error()) {
					t.Errorf("%s: %s takes %s (%s: %s)", name, field, mustJSON(wrong), at, reason)
				}
			}
			checked++
		}
	}
	if checked < 200 {
		t.Errorf("%d fields were looked at", checked)
	}
}
