package bench

import (
	"bytes"
	"errors"
	"fmt"
	"iter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/subjects"
)

// ending is an event of a commit that ends an input.
type ending struct {
	index int    // among the commit's events
	data  []byte // of the event
}

// elsewhereError says that the commit's body is an object of the blob store.
type elsewhereError struct{ ref string }

func (e *elsewhereError) Error() string { return "the body is elsewhere, at " + e.ref }

// readCommit reads the outcomes of inputs out of a commit. What the load generator spends
// counts as the system's, so it decodes no other event, and does not look at the record
// behind them.
func readCommit(body []byte) ([]ending, error) {
	s := scanner{rest: body}
	s.expect('{')
	switch name := s.name(); string(name) {
	case `"events"`:
	case `"dataref"`:
		e := &elsewhereError{}
		if err := json.Unmarshal(s.value(), &e.ref); err != nil {
			return nil, fmt.Errorf("dataref: %w", err)
		}
		return nil, e
	default:
		return nil, fmt.Errorf("the commit begins with %q", name)
	}
	var endings []ending
	s.expect('[')
	for i := 0; s.more(i, ']'); i++ {
		if data, ends := s.event(); ends {
			endings = append(endings, ending{i, data})
		}
	}
	if s.bad {
		return nil, errNotJSON
	}
	return endings, nil
}

// terminalTypes are the types of the events that end an input, as JSON.
var terminalTypes = func() map[string]bool {
	types := map[string]bool{}
	for _, name := range terminal {
		types[`"`+subjects.OutcomeType(name)+`"`] = true
	}
	return types
}()

// event reads an event and tells whether it ends an input.
func (s *scanner) event() (data []byte, ends bool) {
	for name := range s.members() {
		value := s.value()
		switch string(name) {
		case `"type"`:
			ends = terminalTypes[string(value)]
		case `"data"`:
			data = value
		}
	}
	return data, ends
}

// readOutcome reads what the data of an ending says. Without an input_id it is nobody's.
func readOutcome(data []byte) (input string, completed bool, err error) {
	s := scanner{rest: data}
	id := []byte(`""`)
	for name := range s.members() {
		value := s.value()
		switch string(name) {
		case `"input_id"`:
			id = value
		case `"terminal_outcome"`:
			completed = string(value) == `"Completed"`
		}
	}
	if s.bad {
		return "", false, errNotJSON
	}
	id, err = jsontext.AppendUnquote(nil, id)
	if err != nil {
		return "", false, fmt.Errorf("input_id: %w", err)
	}
	return string(id), completed, nil
}

var errNotJSON = errors.New("it is not JSON")

// scanner finds where the values of JSON begin and end. It does not judge what is in
// between: what it skips may be wrong in itself.
type scanner struct {
	rest []byte
	bad  bool // something else was expected, or the end came early
}

// peek is the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	for i, c := range s.rest {
		switch c {
		case ' ', '\t', '\r', '\n':
		default:
			s.rest = s.rest[i:]
			return c
		}
	}
	s.rest = nil
	return 0
}

func (s *scanner) expect(c byte) {
	if s.peek() != c {
		s.bad = true
		return
	}
	s.rest = s.rest[1:]
}

// more tells whether an array or object goes on behind its first n items, and steps over
// the comma or the end.
func (s *scanner) more(n int, end byte) bool {
	if s.peek() == end {
		s.rest = s.rest[1:]
		return false
	}
	if n > 0 {
		s.expect(',')
	}
	return !s.bad
}

// members are the names of an object's members, with their quotes. Whoever ranges over them
// reads each one's value.
func (s *scanner) members() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		s.expect('{')
		for n := 0; s.more(n, '}'); n++ {
			if !yield(s.name()) {
				return
			}
		}
	}
}

// name reads a member's name and the colon.
func (s *scanner) name() []byte {
	if s.peek() != '"' {
		s.bad = true
		return nil
	}
	name := s.value()
	s.expect(':')
	return name
}

// value reads any value as it is written.
func (s *scanner) value() []byte {
	n := 0
	switch s.peek() {
	case '"':
		n = stringEnd(s.rest)
	case '{', '[':
		n = nestedEnd(s.rest)
	default:
		n = bytes.IndexAny(s.rest, ",]} \t\r\n")
	}
	if n <= 0 {
		s.bad = true
		return nil
	}
	value := s.rest[:n]
	s.rest = s.rest[n:]
	return value
}

// stringEnd is the length of the string that b begins with, 0 if it does not end.
func stringEnd(b []byte) int {
	for i := 1; ; i++ {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return 0
		}
		i += n
		// A quote behind an odd number of backslashes belongs to the string.
		escapes := i
		for b[escapes-1] == '\\' {
			escapes--
		}
		if (i-escapes)%2 == 0 {
			return i + 1
		}
	}
}

// nestedEnd is the length of the array or object that b begins with, 0 if it does not end.
func nestedEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := stringEnd(b[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}
