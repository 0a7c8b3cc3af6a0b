package kernel

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// runLine is one trigger line of FORMAT; exactly one kind is given.
type runLine struct {
	Input  string         `json:"input,omitzero"`
	Signal string         `json:"signal,omitzero"`
	Fields jsontext.Value `json:"fields,omitzero"`
	Reset  bool           `json:"reset,omitzero"`
	State  jsontext.Value `json:"state,omitzero"`
}

// RunOutcome is one outcome line of FORMAT.
type RunOutcome struct {
	OK         bool                      `json:"ok"`
	Transition string                    `json:"transition,omitzero"`
	From       Phase                     `json:"from,omitzero"`
	To         Phase                     `json:"to,omitzero"`
	Effects    []RunEffect               `json:"effects,omitzero"`
	Changed    map[string]jsontext.Value `json:"changed,omitzero"`
	Rejected   bool                      `json:"rejected,omitzero"`
	Kind       string                    `json:"kind,omitzero"`
	Guards     []FailedGuard             `json:"guards,omitzero"` // empty if no rule applies in the phase
}

// RunEffect is one effect of an outcome line.
type RunEffect struct {
	Effect string         `json:"effect"`
	Fields jsontext.Value `json:"fields"`
}

// Runner answers the trigger lines of FORMAT one after the other.
type Runner struct {
	kernel *Kernel
	fields map[string]jsontext.Value // the present state, encoded field by field
}

// NewRunner returns a runner in the initial state.
func NewRunner() *Runner {
	r := &Runner{}
	r.Reset()
	return r
}

// Reset forgets everything.
func (r *Runner) Reset() {
	r.kernel = New()
	r.fields = stateFields(r.kernel.State())
}

// Overlay puts the given state fields over the present state.
func (r *Runner) Overlay(data []byte) error {
	st := r.kernel.state.Clone()
	if err := OverlayState(&st, data); err != nil {
		return err
	}
	r.kernel = Resume(st)
	r.fields = stateFields(&st)
	return nil
}

// Kernel is the kernel as the lines so far have left it.
func (r *Runner) Kernel() *Kernel { return r.kernel }

// Apply runs one trigger and tells what it did and which fields it changed.
func (r *Runner) Apply(t Trigger) (RunOutcome, error) {
	o := r.kernel.Apply(t)
	if !o.OK() {
		return RunOutcome{
			Rejected: true, Kind: o.Refusal.Kind.String(), Guards: append([]FailedGuard{}, o.Refusal.Guards...),
		}, nil
	}
	out := RunOutcome{
		OK: true, Transition: o.Transition(), From: o.From, To: o.To,
		Effects: []RunEffect{}, Changed: map[string]jsontext.Value{},
	}
	for _, e := range o.Effects {
		fields, err := MarshalEffect(e)
		if err != nil {
			return RunOutcome{}, fmt.Errorf("effect %s: %w", e.EffectName(), err)
		}
		out.Effects = append(out.Effects, RunEffect{e.EffectName(), fields})
	}
	now := stateFields(r.kernel.State())
	for name, value := range now {
		if !bytes.Equal(value, r.fields[name]) {
			out.Changed[name] = value
		}
	}
	r.fields = now
	return out, nil
}

// RunLines reads trigger lines from in and writes one outcome line each to out, as
// FORMAT says. A line that cannot be read is answered with an error line and does not
// stop the run; bad reports whether there was one.
func RunLines(in io.Reader, out io.Writer) (bad bool, err error) {
	r := NewRunner()
	lines, w := bufio.NewReader(in), bufio.NewWriter(out)
	for n := 1; ; n++ {
		line, readErr := lines.ReadBytes('\n')
		if readErr != nil && readErr != io.EOF {
			return bad, readErr
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			answer, lineErr := r.line(line)
			if lineErr != nil {
				bad = true
				answer = map[string]string{"error": fmt.Sprintf("line %d: %v", n, lineErr)}
			}
			if err := json.MarshalWrite(w, answer, encodeOptions); err != nil {
				return bad, err
			}
			if err := w.WriteByte('\n'); err != nil {
				return bad, err
			}
			// Someone may be at the other end, typing.
			if err := w.Flush(); err != nil {
				return bad, err
			}
		}
		if readErr == io.EOF {
			return bad, nil
		}
	}
}

func (r *Runner) line(data []byte) (any, error) {
	var l runLine
	if err := json.Unmarshal(data, &l, decodeOptions); err != nil {
		return nil, plain(err)
	}
	given := 0
	for _, present := range []bool{l.Input != "", l.Signal != "", l.Reset, l.State != nil} {
		if present {
			given++
		}
	}
	if given != 1 {
		return nil, errors.New(`a line has exactly one of "input", "signal", "reset":true and "state"`)
	}
	if l.Fields != nil && l.Input == "" && l.Signal == "" {
		return nil, errors.New(`"fields" are those of an "input" or "signal"`)
	}
	switch {
	case l.Reset:
		r.Reset()
		return map[string]bool{"reset": true}, nil
	case l.State != nil:
		if err := r.Overlay(l.State); err != nil {
			return nil, err
		}
		return map[string]bool{"state": true}, nil
	}
	name := l.Input + l.Signal
	if l.Fields == nil {
		l.Fields = jsontext.Value("{}")
	}
	t, err := UnmarshalTrigger(name, l.Fields)
	if err != nil {
		return nil, err
	}
	if IsExtension(t) {
		return nil, fmt.Errorf("%s is not a trigger of the reference machine", name)
	}
	if l.Signal != "" && !IsSignal(t) {
		return nil, fmt.Errorf("%s is an input, not a signal", name)
	}
	return r.Apply(t)
}

func stateFields(s *State) map[string]jsontext.Value {
	data, err := MarshalState(s)
	if err != nil {
		panic("kernel: a state could not be encoded: " + err.Error())
	}
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(data, &fields); err != nil {
		panic("kernel: an encoded state could not be read: " + err.Error())
	}
	return fields
}
