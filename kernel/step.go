package kernel

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A step in the log is an array: the rule that was taken, then the fields of its trigger
// in the order of their declaration. The rule's name tells the trigger, since no two
// triggers have a rule of the same name. Fields at the end that hold their zero value
// (false, 0, "", null, the first variant) are left out, and strings may be numbers of
// [IDs]:
//
//	["StageForRun",0,2]
//
// A field may be added to a trigger behind the others, and is zero in the steps of before.
// Any other change of the order is a new [Version]; a test holds it.

// StepWriter writes steps, and with them the table of their ids.
type StepWriter struct {
	// Steps are the steps so far, a JSON array without its brackets.
	Steps []byte
	// IDs are those of the steps. More may be added.
	IDs IDs

	end int // behind the last field that is not zero
	err error
}

// Add writes that a trigger was taken by a rule.
func (w *StepWriter) Add(rule string, t Trigger) error {
	if len(w.Steps) > 0 {
		w.Steps = append(w.Steps, ',')
	}
	w.Steps = append(w.Steps, `["`...)
	w.Steps = append(w.Steps, rule...)
	w.Steps = append(w.Steps, '"')
	w.end = len(w.Steps)
	t.write(w)
	w.Steps = append(w.Steps[:w.end], ']')
	return w.err
}

// Reset makes the writer begin anew.
func (w *StepWriter) Reset() {
	w.Steps, w.err = w.Steps[:0], nil
	w.IDs.Reset()
}

// is says whether the field just written is more than its zero value.
func (w *StepWriter) is(more bool) {
	if more {
		w.end = len(w.Steps)
	}
}

func (w *StepWriter) text(s string) {
	w.Steps = w.IDs.Append(append(w.Steps, ','), s)
	w.is(s != "")
}

func (w *StepWriter) number(n uint64) {
	w.Steps = strconv.AppendUint(append(w.Steps, ','), n, 10)
	w.is(n != 0)
}

func (w *StepWriter) flag(v bool) {
	w.Steps = strconv.AppendBool(append(w.Steps, ','), v)
	w.is(v)
}

// variant refuses a value that no variant has: the step could never be read again.
func (w *StepWriter) variant(v uint8, of *enumTexts) {
	if err := of.check(v); err != nil {
		w.err = errors.Join(w.err, err)
	}
	w.Steps = append(w.Steps, `,"`...)
	w.Steps = append(w.Steps, of.text(v)...)
	w.Steps = append(w.Steps, '"')
	w.is(v != 0)
}

// value writes what is no scalar. It is never left out.
func (w *StepWriter) value(v any) {
	data, err := json.Marshal(v, encodeOptions)
	w.Steps = append(append(w.Steps, ','), data...)
	w.err = errors.Join(w.err, err)
	w.is(true)
}

// none writes an option that is absent. One that holds a value is more than its zero
// value, whatever it holds.
func (w *StepWriter) none() { w.Steps = append(w.Steps, `,null`...) }

// StepReader reads the steps of a record.
type StepReader struct {
	// Rule is the rule that the present step says was taken, Trigger what it took.
	Rule    string
	Trigger Trigger

	dec jsontext.Decoder
	ids []string
	err error
}

// NewStepReader reads a JSON array of steps that refer to the given ids.
func NewStepReader(steps []byte, ids []string) *StepReader {
	r := &StepReader{ids: ids}
	r.dec.Reset(bytes.NewBuffer(steps))
	r.enter()
	return r
}

// Next reads a step and reports whether there was one.
func (r *StepReader) Next() bool {
	if r.err != nil || r.dec.PeekKind() == ']' {
		return false
	}
	r.enter()
	rule := r.quoted()
	trigger, ok := triggerOf[string(rule)]
	if !ok {
		r.fail(fmt.Errorf("unknown rule %q", rule))
		return false
	}
	r.Rule, r.Trigger = string(rule), newTrigger[trigger]()
	r.Trigger.read(r)
	if r.err == nil {
		end, err := r.dec.ReadToken()
		if err == nil && end.Kind() != ']' {
			err = errors.New("more fields than it has")
		}
		r.fail(err)
	}
	if r.err != nil {
		r.err = fmt.Errorf("%s: %w", trigger, r.err)
	}
	return r.err == nil
}

// Err says why there are no more steps, nil if they have been read.
func (r *StepReader) Err() error { return r.err }

func (r *StepReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *StepReader) enter() {
	t, err := r.dec.ReadToken()
	if err == nil && t.Kind() != '[' {
		err = fmt.Errorf("%s where an array belongs", t.Kind())
	}
	r.fail(err)
}

// next reads one field, nil if it is left out.
func (r *StepReader) next() jsontext.Value {
	if r.err != nil || r.dec.PeekKind() == ']' {
		return nil
	}
	v, err := r.dec.ReadValue()
	r.fail(err)
	return v
}

// quoted reads a string that needs no escapes, such as all names are.
func (r *StepReader) quoted() []byte {
	v := r.next()
	if n := len(v); n >= 2 && v[0] == '"' {
		return v[1 : n-1]
	}
	r.fail(fmt.Errorf("%q where a name belongs", v))
	return nil
}

func readText[T ~string](r *StepReader, to *T) {
	if r.err != nil || r.dec.PeekKind() == ']' {
		return
	}
	s, err := ReadString(&r.dec, r.ids)
	*to = T(s)
	r.fail(err)
}

func readNumber[T ~uint64](r *StepReader, to *T) {
	if v := r.next(); v != nil {
		n, err := strconv.ParseUint(string(v), 10, 64)
		*to = T(n)
		r.fail(err)
	}
}

func readFlag(r *StepReader, to *bool) {
	switch v := r.next(); string(v) {
	case "true":
		*to = true
	case "", "false":
	default:
		r.fail(fmt.Errorf("%s is no bool", v))
	}
}

func readVariant[T any, P interface {
	*T
	UnmarshalText([]byte) error
}](r *StepReader, to *T) {
	if r.err == nil && r.dec.PeekKind() != ']' {
		if text := r.quoted(); r.err == nil {
			r.fail(P(to).UnmarshalText(text))
		}
	}
}

func readValue[T any](r *StepReader, to *T) {
	switch v := r.next(); {
	case v != nil:
		r.fail(unmarshalChecked(v, to, optionalMembers))
	case r.err == nil:
		r.fail(errors.New("fewer fields than it has"))
	}
}

func readOption[T comparable](r *StepReader, to *Opt[T], read func(*StepReader, *T)) {
	if r.err != nil {
		return
	}
	switch r.dec.PeekKind() {
	case ']':
	case 'n':
		r.next()
	default:
		var some T
		read(r, &some)
		*to = Some(some)
	}
}

// ReadString reads a JSON string, or the number of one of ids.
func ReadString(dec *jsontext.Decoder, ids []string) (string, error) {
	t, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	switch t.Kind() {
	case '"':
		return t.String(), nil
	case '0':
		i, err := strconv.ParseUint(t.String(), 10, 32)
		if err != nil || i >= uint64(len(ids)) {
			return "", fmt.Errorf("%s is the number of none of %d ids", t, len(ids))
		}
		return ids[i], nil
	}
	return "", fmt.Errorf("%s where a string belongs", t.Kind())
}
