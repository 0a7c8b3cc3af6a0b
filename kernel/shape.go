package kernel

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// The decoder takes null for the zero value of any type and lets members be absent. In
// FORMAT null is the absent option and nothing else, and what is left out is an error, so
// that a slip is not taken for a value.

// shape is what FORMAT asks of a JSON value beyond what the decoder checks.
type shape struct {
	// optional: the value may be null.
	optional bool
	// names are the members of a record in order, members their shapes.
	names   []string
	members map[string]*shape
	// element is the shape of the elements of a set and of the values of a map.
	element *shape
}

var shapes sync.Map // reflect.Type -> *shape

func shapeOf(t reflect.Type) *shape {
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	s := newShape(t)
	shapes.Store(t, s)
	return s
}

func newShape(t reflect.Type) *shape {
	if opt, ok := reflect.Zero(t).Interface().(interface{ of() reflect.Type }); ok {
		s := *shapeOf(opt.of())
		s.optional = true
		return &s
	}
	s := &shape{}
	if column, ok := reflect.Zero(t).Interface().(interface{ element() reflect.Type }); ok {
		s.element = shapeOf(column.element())
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		// A union has no tags: it encodes itself.
		for _, f := range reflect.VisibleFields(t) {
			if name, ok := f.Tag.Lookup("json"); ok {
				s.addMember(name, shapeOf(f.Type))
			}
		}
	case reflect.Map:
		s.element = shapeOf(t.Elem())
		if t.Elem() == reflect.TypeFor[struct{}]() { // a set: the elements are the keys
			s.element = shapeOf(t.Key())
		}
	case reflect.Slice:
		s.element = shapeOf(t.Elem())
	}
	return s
}

func (s *shape) addMember(name string, member *shape) {
	if s.members == nil {
		s.members = map[string]*shape{}
	}
	s.names = append(s.names, name)
	s.members[name] = member
}

// completeness is which members of a record may be left out.
type completeness int

const (
	// anyMember may be left out: an overlay.
	anyMember completeness = iota
	// optionalMembers may be left out, as the reference does inside of fields.
	optionalMembers
	// noMember may be left out: the fields of a trigger or effect, a whole state.
	noMember
)

// check reads one value, which the decoder has accepted, and returns an error that names
// the field if something is null or left out that may not be.
func (s *shape) check(dec *jsontext.Decoder, may completeness) error {
	switch kind := dec.PeekKind(); {
	case kind == 'n' && !s.optional:
		if err := dec.SkipValue(); err != nil {
			return err
		}
		return fmt.Errorf("null is no value%s", at(dec, " of field "))
	case kind == '{' && s.members != nil:
		return s.checkMembers(dec, may)
	case (kind == '{' || kind == '[') && s.element != nil:
		return s.checkElements(dec, kind == '{')
	default:
		return dec.SkipValue()
	}
}

func (s *shape) checkMembers(dec *jsontext.Decoder, may completeness) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(s.names))
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		name := token.String()
		seen[name] = true
		if err := s.members[name].check(dec, optionalMembers); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	var missing []string
	for _, name := range s.names {
		required := may == noMember || may == optionalMembers && !s.members[name].optional
		if required && !seen[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing field %s%s", strings.Join(missing, ", "), at(dec, " of "))
	}
	return nil
}

func (s *shape) checkElements(dec *jsontext.Decoder, keyed bool) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != '}' && dec.PeekKind() != ']' {
		if keyed {
			if err := dec.SkipValue(); err != nil {
				return err
			}
		}
		if err := s.element.check(dec, optionalMembers); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// at is the field read last, by its path, after the given word; nothing for the whole.
func at(dec *jsontext.Decoder, word string) string {
	if path := dec.StackPointer(); path != "" {
		return word + strings.TrimPrefix(string(path), "/")
	}
	return ""
}
