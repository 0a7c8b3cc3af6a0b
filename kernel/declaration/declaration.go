// Package declaration knows the machine as data: every trigger with its rules, guards,
// updates and effects, every type and field of the state.
//
// [Read] takes it from the source of package kernel and insists on the one shape rules
// have there, guarded commands. The result is written to declaration.json by
// `go generate` and is what [Machine] gives at run time; documentation, diagrams, schemas,
// coverage and the commands of `kalahari kernel` all come from it, so none of them can
// drift from the rules that run.
package declaration

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Declaration is the whole machine.
type Declaration struct {
	Phases     []string    `json:"phases"`
	Regions    []Region    `json:"regions"`
	Triggers   []Trigger   `json:"triggers"`
	Effects    []Effect    `json:"effects"`
	State      []Field     `json:"state"`
	Types      []Type      `json:"types"`
	Invariants []Invariant `json:"invariants"`
	Functions  []Function  `json:"functions"`
}

// Region is one part of the machine, as a chapter describes it.
type Region struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	// Chapter is its number, empty for what is ours and not the reference's.
	Chapter string `json:"chapter,omitzero"`
}

// Kind says what a trigger is.
type Kind string

const (
	Input  Kind = "input"
	Signal Kind = "signal"
	// Extension is an input of ours that the reference does not have.
	Extension Kind = "extension"
)

// Trigger is an input or a signal.
type Trigger struct {
	Name   string  `json:"name"`
	Kind   Kind    `json:"kind"`
	Class  string  `json:"class"` // who may send it, as its documentation ends
	Region string  `json:"region"`
	Topic  string  `json:"topic"` // what its file is about
	File   string  `json:"file"`
	Doc    string  `json:"doc"`
	Fields []Field `json:"fields,omitzero"`
	Rules  []Rule  `json:"rules,omitzero"`
}

// Field is a member of a trigger, an effect, a record or the state.
type Field struct {
	Name string `json:"name"`
	// Type is in the chapters' notation: String, u64, Option<T>, Set<T>, Seq<T>, Map<K, V>.
	Type string `json:"type"`
	Doc  string `json:"doc,omitzero"`
	// Region and Initial are of a field of the state. What is not named initially has
	// the zero value of its type.
	Region  string `json:"region,omitzero"`
	Initial string `json:"initial,omitzero"`

	// GoName, and whether it is a column of the records of inputs, are known only right
	// after [Read].
	GoName string `json:"-"`
	Column bool   `json:"-"`
}

// Rule is one guarded command.
type Rule struct {
	Name string `json:"name"`
	// From are the phases the rule applies from, To where it leads. A rule that stands
	// for one per phase is PerPhase and has no To: it stays where it is.
	From     []string `json:"from"`
	To       string   `json:"to,omitzero"`
	PerPhase bool     `json:"per_phase,omitzero"`
	Doc      string   `json:"doc,omitzero"`
	Guards   []Guard  `json:"guards,omitzero"`
	// Updates are the statements that change the state, in order.
	Updates []string `json:"updates,omitzero"`
	// Effects are emitted in this order.
	Effects []Emission `json:"effects,omitzero"`
}

// Guard is one named precondition.
type Guard struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	// Reads are the fields of trigger and state it depends on, also through the
	// functions it calls.
	Reads Reads `json:"reads,omitzero"`
}

// Reads names fields.
type Reads struct {
	Trigger []string `json:"trigger,omitzero"`
	State   []string `json:"state,omitzero"`
}

// Emission is one effect of a rule with the source of its value.
type Emission struct {
	Effect string `json:"effect"`
	Source string `json:"source"`
}

// Effect is one kind of outgoing fact.
type Effect struct {
	Name        string  `json:"name"`
	Disposition string  `json:"disposition"`
	Region      string  `json:"region"`
	Doc         string  `json:"doc"`
	Fields      []Field `json:"fields,omitzero"`
}

// Type is a type that fields have.
type Type struct {
	Name string `json:"name"`
	// Kind is enum, record, newtype or union.
	Kind     string   `json:"kind"`
	Of       string   `json:"of,omitzero"`       // what a newtype is made of
	Variants []string `json:"variants,omitzero"` // of an enum; the first is the zero value
	Fields   []Field  `json:"fields,omitzero"`   // of a record
	Doc      string   `json:"doc,omitzero"`
}

// Invariant is a condition that every state should keep.
type Invariant struct {
	Name   string `json:"name"`
	Source string `json:"source"`
}

// Function is one that guards, updates or effects call.
type Function struct {
	Name   string `json:"name"` // Type.name for a method
	Doc    string `json:"doc,omitzero"`
	Source string `json:"source"`
}

//go:embed declaration.json
var generated []byte

// Machine is the declaration of the machine of this build.
var Machine = sync.OnceValue(func() *Declaration {
	d := new(Declaration)
	if err := json.Unmarshal(generated, d, json.RejectUnknownMembers(true)); err != nil {
		panic("declaration: the generated declaration cannot be read: " + err.Error())
	}
	return d
})

// Encode writes d with one trigger, effect, field, type or function a line, so that a
// change of a rule is a change of one line.
func (d *Declaration) Encode() ([]byte, error) {
	data, err := json.Marshal(d, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("{\n")
	for i, name := range []string{"phases", "regions", "triggers", "effects", "state", "types", "invariants", "functions"} {
		var elements []jsontext.Value
		if err := json.Unmarshal(members[name], &elements); err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, "%q: [", name)
		for j, e := range elements {
			if j > 0 {
				b.WriteString(",")
			}
			fmt.Fprintf(&b, "\n%s", e)
		}
		b.WriteString("\n]")
	}
	b.WriteString("\n}\n")
	return []byte(b.String()), nil
}

// Trigger finds a trigger by its name.
func (d *Declaration) Trigger(name string) (*Trigger, bool) {
	for i := range d.Triggers {
		if d.Triggers[i].Name == name {
			return &d.Triggers[i], true
		}
	}
	return nil, false
}

// Type finds a type by its name.
func (d *Declaration) Type(name string) (*Type, bool) {
	for i := range d.Types {
		if d.Types[i].Name == name {
			return &d.Types[i], true
		}
	}
	return nil, false
}

// Region finds a region by its name or the number of its chapter.
func (d *Declaration) Region(name string) (*Region, error) {
	var names []string
	for i, r := range d.Regions {
		if r.Name == name || r.Chapter != "" && r.Chapter == name {
			return &d.Regions[i], nil
		}
		names = append(names, r.Name)
	}
	return nil, fmt.Errorf("no region %q, there are %s", name, strings.Join(names, ", "))
}

// In lists the triggers of a region.
func (d *Declaration) In(region string) []Trigger {
	return slices.DeleteFunc(slices.Clone(d.Triggers), func(t Trigger) bool { return t.Region != region })
}

// FullNames are the names under which the reference reports a rule: the base name, or one
// for each phase with the phase appended.
func (r *Rule) FullNames() []string {
	if !r.PerPhase {
		return []string{r.Name}
	}
	names := make([]string, len(r.From))
	for i, phase := range r.From {
		names[i] = r.Name + phase
	}
	return names
}
