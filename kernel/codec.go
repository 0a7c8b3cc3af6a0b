package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The JSON of the machine is FORMAT: snake_case fields, every field present, sets as
// sorted arrays, map keys sorted, 64-bit numbers exact.
var (
	encodeOptions = json.JoinOptions(json.Deterministic(true))
	decodeOptions = json.JoinOptions(json.RejectUnknownMembers(true))
)

// quick is implemented by those effects that are made of scalars: their encoders are
// generated, since every commit carries them.
type quick interface{ appendFields([]byte) []byte }

// AppendEffect appends the fields of e as a JSON object. Its name is not part of it.
func AppendEffect(b []byte, e Effect) ([]byte, error) {
	if q, ok := e.(quick); ok {
		return q.appendFields(b), nil
	}
	data, err := json.Marshal(e, encodeOptions)
	return append(b, data...), err
}

// MarshalTrigger encodes the fields of t as a JSON object. Its name is not part of it.
// For the form of the log see [StepWriter].
func MarshalTrigger(t Trigger) ([]byte, error) { return json.Marshal(t, encodeOptions) }

// MarshalEffect encodes the fields of e as a JSON object. Its name is not part of it.
func MarshalEffect(e Effect) ([]byte, error) { return AppendEffect(nil, e) }

// appendText appends a JSON string. Invalid UTF-8 is replaced.
func appendText(b []byte, s string) []byte {
	if Plain(s) {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	quoted, err := jsontext.AppendQuote(b, s)
	if err != nil {
		quoted, _ = jsontext.AppendQuote(b, strings.ToValidUTF8(s, "\uFFFD"))
	}
	return quoted
}

// Plain reports whether JSON writes s as it is, between quotes. Nearly all ids are plain, and
// to look is several times faster than to quote.
func Plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// MarshalState encodes every field of s as one flat JSON object.
func MarshalState(s *State) ([]byte, error) { return json.Marshal(s, encodeOptions) }

// UnmarshalTrigger decodes the trigger of the given name. Every field must be present
// and none may be unknown; the error names the field.
func UnmarshalTrigger(name string, fields []byte) (Trigger, error) {
	make, ok := newTrigger[name]
	if !ok {
		return nil, fmt.Errorf("unknown input or signal %q", name)
	}
	t := make()
	if err := unmarshalWhole(fields, t); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// UnmarshalEffect decodes the effect of the given name, as strictly as
// [UnmarshalTrigger].
func UnmarshalEffect(name string, fields []byte) (Effect, error) {
	make, ok := newEffect[name]
	if !ok {
		return nil, fmt.Errorf("unknown effect %q", name)
	}
	e := make()
	if err := unmarshalWhole(fields, e); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return reflect.ValueOf(e).Elem().Interface().(Effect), nil
}

// UnmarshalState decodes a whole state. Every field must be present and none may be
// unknown: a state of another version of the machine is not silently completed.
func UnmarshalState(data []byte) (State, error) {
	var s State
	s.ready()
	if err := unmarshalWhole(data, &s); err != nil {
		return State{}, fmt.Errorf("state: %w", err)
	}
	return s, nil
}

// OverlayState decodes the fields present in data over s. It is for setting a scene in
// tests and reproductions.
func OverlayState(s *State, data []byte) error {
	s.ready()
	if err := unmarshalChecked(data, s, anyMember); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// TriggerNames lists every input and signal the machine knows, sorted.
func TriggerNames() []string { return sortedNames(newTrigger) }

// EffectNames lists every effect the machine knows, sorted.
func EffectNames() []string { return sortedNames(newEffect) }

func sortedNames[V any](registry map[string]V) []string {
	names := make([]string, 0, len(registry))
	for name := range registry {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// unmarshalWhole decodes an object into the struct at v and insists that it is whole.
func unmarshalWhole(data []byte, v any) error { return unmarshalChecked(data, v, noMember) }

func unmarshalChecked(data []byte, v any, may completeness) error {
	if err := json.Unmarshal(data, v, decodeOptions); err != nil {
		return plain(err)
	}
	return shapeOf(reflect.TypeOf(v).Elem()).check(jsontext.NewDecoder(bytes.NewReader(data)), may)
}

// plain retells the decoder's error in the words of FORMAT, without types of Go: which
// field it is and what is wrong with it.
func plain(err error) error {
	e, ok := err.(*json.SemanticError)
	if !ok || e.GoType == nil {
		return err
	}
	field := strings.TrimPrefix(string(e.JSONPointer), "/")
	if errors.Is(e.Err, json.ErrUnknownName) {
		return fmt.Errorf("unknown field %s", field)
	}
	if field != "" {
		field = "field " + field + ": "
	}
	if e.Err != nil && e.JSONValue == nil {
		return fmt.Errorf("%s%w", field, e.Err)
	}
	due := e.GoType.Name()
	switch {
	case due == "uint64":
		due = "u64"
	case e.GoType.Kind() == reflect.Slice:
		due = "array"
	case e.GoType.Kind() == reflect.Map, shapeOf(e.GoType).members != nil:
		due = "object"
	}
	found := e.JSONKind.String()
	switch {
	case e.JSONValue != nil:
		found = string(e.JSONValue)
	case e.JSONKind == '{':
		found = "object"
	case e.JSONKind == '[':
		found = "array"
	}
	return fmt.Errorf("%s%s is no %s", field, found, due)
}
