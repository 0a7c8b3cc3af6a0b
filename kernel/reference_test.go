package kernel_test

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// reference is testdata/reference.json: every name of the reference machine.
type reference struct {
	Phases   []string `json:"phases"`
	Triggers []struct {
		Name   string            `json:"name"`
		Kind   string            `json:"kind"`
		Fields map[string]string `json:"fields"`
	} `json:"triggers"`
	Rules []struct {
		Name     string   `json:"name"`
		Trigger  string   `json:"trigger"`
		Kind     string   `json:"kind"`
		From     []string `json:"from"`
		To       string   `json:"to"`
		PerPhase bool     `json:"per_phase"`
		Guards   []string `json:"guards"`
		Effects  []string `json:"effects"`
	} `json:"rules"`
	Effects []struct {
		Name        string            `json:"name"`
		Disposition string            `json:"disposition"`
		Fields      map[string]string `json:"fields"`
	} `json:"effects"`
	State []struct {
		Name    string         `json:"name"`
		Type    string         `json:"type"`
		Initial jsontext.Value `json:"initial"`
	} `json:"state"`
	Types []struct {
		Name     string            `json:"name"`
		Kind     string            `json:"kind"`
		Of       string            `json:"of"`
		Default  string            `json:"default"`
		Variants []string          `json:"variants"`
		Fields   map[string]string `json:"fields"`
	} `json:"types"`
	Invariants  []string `json:"invariants"`
	SurfaceOnly []string `json:"surface_only"`
}

func readReference(t testing.TB) *reference {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	ref := new(reference)
	if err := json.Unmarshal(data, ref, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	return ref
}

// facts are what one side says, by what it says it of.
type facts map[string]string

func (f facts) add(value any, of string, args ...any) {
	f[fmt.Sprintf(of, args...)] = fmt.Sprint(value)
}

// TestAgreesWithTheReference compares everything that has a name: what the machine
// declares must be what the reference declares, no more and no less, but for the triggers
// that are ours.
func TestAgreesWithTheReference(t *testing.T) {
	ref, machine := readReference(t), declaration.Machine()
	want, got := facts{}, facts{}

	want.add(ref.Phases, "phases")
	got.add(machine.Phases, "phases")
	want.add(ref.Invariants, "invariants")
	var invariants []string
	for _, i := range machine.Invariants {
		invariants = append(invariants, i.Name)
	}
	got.add(invariants, "invariants")

	for _, trigger := range ref.Triggers {
		want.add(trigger.Kind, "trigger %s", trigger.Name)
		want.fields(trigger.Fields, "trigger "+trigger.Name)
	}
	surfaceOnly := facts{}
	for _, name := range ref.SurfaceOnly {
		surfaceOnly[name] = ""
	}
	order := map[string][]string{}
	for _, r := range ref.Rules {
		order[r.Trigger] = append(order[r.Trigger], r.Name)
		want.rule(r.Trigger, r.Name, r.From, r.To, r.PerPhase, r.Guards, r.Effects)
	}
	for trigger, rules := range order {
		want.add(rules, "rules of %s, in order", trigger)
	}

	for _, trigger := range machine.Triggers {
		if trigger.Kind == declaration.Extension {
			continue
		}
		got.add(trigger.Kind, "trigger %s", trigger.Name)
		got.declared(trigger.Fields, "trigger "+trigger.Name)
		var rules []string
		for _, r := range trigger.Rules {
			rules = append(rules, r.Name)
			var guards, effects []string
			for _, g := range r.Guards {
				guards = append(guards, g.Name)
			}
			for _, e := range r.Effects {
				effects = append(effects, e.Effect)
			}
			got.rule(trigger.Name, r.Name, r.From, r.To, r.PerPhase, guards, effects)
		}
		if rules != nil {
			got.add(rules, "rules of %s, in order", trigger.Name)
		}
		if _, ok := surfaceOnly[trigger.Name]; ok != (trigger.Class == "Surface-only") {
			t.Errorf("%s: class %q", trigger.Name, trigger.Class)
		}
	}

	for _, e := range ref.Effects {
		want.add(e.Disposition, "effect %s", e.Name)
		want.fields(e.Fields, "effect "+e.Name)
	}
	for _, e := range machine.Effects {
		got.add(e.Disposition, "effect %s", e.Name)
		got.declared(e.Fields, "effect "+e.Name)
	}

	st := kernel.NewState()
	data, err := kernel.MarshalState(&st)
	if err != nil {
		t.Fatal(err)
	}
	var initial map[string]jsontext.Value
	if err := json.Unmarshal(data, &initial); err != nil {
		t.Fatal(err)
	}
	for _, f := range ref.State {
		want.add(f.Type, "state %s", f.Name)
		want.add(f.Initial, "state %s, initially", f.Name)
	}
	for _, f := range machine.State {
		got.add(f.Type, "state %s", f.Name)
		got.add(initial[f.Name], "state %s, initially", f.Name)
	}

	for _, typ := range ref.Types {
		want.add(typ.Kind, "type %s", typ.Name)
		switch typ.Kind {
		case "enum", "union":
			want.add(sorted(typ.Variants), "type %s, variants", typ.Name)
			want.add(typ.Default, "type %s, zero value", typ.Name)
		case "newtype":
			want.add(typ.Of, "type %s, made of", typ.Name)
		default:
			want.fields(typ.Fields, "type "+typ.Name)
		}
	}
	for _, typ := range machine.Types {
		switch typ.Kind {
		case "enum", "union":
			got.add(typ.Kind, "type %s", typ.Name)
			got.add(sorted(typ.Variants), "type %s, variants", typ.Name)
			got.add(typ.Variants[0], "type %s, zero value", typ.Name)
		case "newtype":
			got.add(typ.Kind, "type %s", typ.Name)
			got.add(typ.Of, "type %s, made of", typ.Name)
		case "record":
			got.add("struct", "type %s", typ.Name)
			got.declared(typ.Fields, "type "+typ.Name)
		}
	}

	var differences []string
	for of, w := range want {
		if g, ok := got[of]; !ok {
			differences = append(differences, fmt.Sprintf("%s: %s is missing here", of, w))
		} else if g != w {
			differences = append(differences, fmt.Sprintf("%s: the reference has %s, here is %s", of, w, g))
		}
	}
	for of, g := range got {
		if _, ok := want[of]; !ok {
			differences = append(differences, fmt.Sprintf("%s: %s is not in the reference", of, g))
		}
	}
	if len(differences) > 0 {
		slices.Sort(differences)
		t.Errorf("%d differences:\n%s", len(differences), strings.Join(differences, "\n"))
	}
}

func (f facts) rule(trigger, name string, from []string, to string, perPhase bool, guards, effects []string) {
	// The order in which the reference lists phases says nothing: one of them holds.
	f.add(sorted(from), "rule %s of %s, from", name, trigger)
	if perPhase {
		to = "per phase"
	}
	f.add(to, "rule %s of %s, to", name, trigger)
	f.add(guards, "rule %s of %s, guards", name, trigger)
	f.add(effects, "rule %s of %s, effects", name, trigger)
}

func (f facts) fields(fields map[string]string, of string) {
	for name, typ := range fields {
		f.add(typ, "%s, field %s", of, name)
	}
}

func (f facts) declared(fields []declaration.Field, of string) {
	for _, field := range fields {
		f.add(field.Type, "%s, field %s", of, field.Name)
	}
}

func sorted(names []string) []string {
	return slices.Sorted(slices.Values(names))
}

// The declaration that programs use is that of this source.
func TestDeclarationIsFresh(t *testing.T) {
	d, err := declaration.Read(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	now, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadFile("declaration/declaration.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(now, committed) {
		t.Error("declaration.json is not what the rules say: run go generate in kernel")
	}
}
