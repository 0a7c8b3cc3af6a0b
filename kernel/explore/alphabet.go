package explore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// Letter is one trigger with its fields.
type Letter struct {
	Name   string
	Fields jsontext.Value

	trigger kernel.Trigger
}

// maxProduct bounds the letters made of one trigger by combining all values of all its
// fields. A trigger with more gets the combinations that differ from two base ones in one
// field each.
const maxProduct = 32

// frame leads to the phases in which the rules of other regions apply.
var frame = []Letter{
	{Name: "Initialize", Fields: jsontext.Value(`{}`)},
	{Name: "RegisterSession", Fields: jsontext.Value(`{"session_id":"a"}`)},
	{Name: "EnsureSessionWithExecutor", Fields: jsontext.Value(`{"session_id":"a"}`)},
	{Name: "Prepare", Fields: jsontext.Value(`{"run_id":"r1","session_id":"a"}`)},
	{Name: "Commit", Fields: jsontext.Value(`{"input_id":"a","run_id":"r1"}`)},
	{Name: "Retire", Fields: jsontext.Value(`{"session_id":"a"}`)},
}

// turnEnds make a turn fail or be cancelled, which Fail and CancelRun ask for.
var turnEnds = []Letter{
	{Name: "StartImmediateAppend", Fields: jsontext.Value(`{"run_id":"r1"}`)},
	{Name: "FatalFailure", Fields: jsontext.Value(`{"error":"a","run_id":"r1","terminal_failure_source":"Llm"}`)},
	{Name: "CancelNow", Fields: jsontext.Value(`{"run_id":"r1"}`)},
	{Name: "CancellationObserved", Fields: jsontext.Value(`{"run_id":"r1"}`)},
}

// Alphabet lists the letters that a region is explored with: every trigger of the region
// that can change the state, over the domain of its fields, and a few of other regions
// without which nothing would happen in it.
func Alphabet(region string) ([]Letter, error) {
	machine := declaration.Machine()
	letters := slices.Clone(frame)
	if region == "lifecycle" {
		letters = slices.Clone(turnEnds)
	}
	for i := range machine.Triggers {
		t := &machine.Triggers[i]
		if t.Region != region || !changes(t) || slices.Contains(apart, t.File) {
			continue
		}
		for _, fields := range combine(machine, t.Fields) {
			data, err := json.Marshal(fields, json.Deterministic(true))
			if err != nil {
				return nil, fmt.Errorf("explore: %s: %w", t.Name, err)
			}
			letters = append(letters, Letter{Name: t.Name, Fields: data})
		}
	}
	for i := range letters {
		l := &letters[i]
		var err error
		if l.trigger, err = kernel.UnmarshalTrigger(l.Name, l.Fields); err != nil {
			return nil, fmt.Errorf("explore: %s %s: %w", l.Name, l.Fields, err)
		}
	}
	return letters, nil
}

// changes tells whether any rule of a trigger can change the state; the others only
// classify.
func changes(t *declaration.Trigger) bool {
	return slices.ContainsFunc(t.Rules, func(r declaration.Rule) bool {
		return len(r.Updates) > 0 || !r.PerPhase && !slices.Equal(r.From, []string{r.To})
	})
}

// apart are the files of the lifecycle region whose triggers change fields that nothing else
// there and no invariant reads: exploring them beside the rest would only multiply its
// states by theirs.
var apart = []string{"deferred_session.go", "mob_operator.go"}

type object = map[string]any

// combine gives the values of an object's fields. The first is of all first values.
func combine(machine *declaration.Declaration, fields []declaration.Field) []object {
	domains := make([][]any, len(fields))
	product := 1
	for i, f := range fields {
		domains[i] = domain(machine, f.Type)
		product = min(product*len(domains[i]), maxProduct+1)
	}
	at := func(choice []int) object {
		o := object{}
		for i, f := range fields {
			o[f.Name] = domains[i][choice[i]]
		}
		return o
	}
	if product <= maxProduct {
		var all []object
		for choice := make([]int, len(fields)); ; {
			all = append(all, at(choice))
			i := 0
			for ; i < len(fields); i++ {
				if choice[i]++; choice[i] < len(domains[i]) {
					break
				}
				choice[i] = 0
			}
			if i == len(fields) {
				return all
			}
		}
	}
	first, last := make([]int, len(fields)), make([]int, len(fields))
	for i := range fields {
		last[i] = len(domains[i]) - 1
	}
	all := []object{at(first), at(last)}
	for _, base := range [][]int{first, last} {
		for i := range fields {
			for v := range domains[i] {
				if v != first[i] && v != last[i] || base[i] != v && len(fields) > 1 {
					choice := slices.Clone(base)
					choice[i] = v
					all = append(all, at(choice))
				}
			}
		}
	}
	return all
}

// domain has the values of a type: every variant of an enum, one name of most kinds, two
// where it matters whether they are the same.
func domain(machine *declaration.Declaration, typ string) []any {
	head, elements := declaration.Notation(typ)
	switch head {
	case "String", "string":
		return []any{"a"}
	case "bool":
		return []any{false, true}
	case "u64":
		return []any{1, 2}
	case "bytes32":
		return []any{strings.Repeat("00", 32)}
	case "RunId":
		return []any{"r1", "r2"}
	case "Option":
		return append([]any{nil}, domain(machine, elements[0])...)
	case "Set", "Seq":
		return []any{[]any{}, []any{domain(machine, elements[0])[0]}}
	case "Map":
		return []any{object{}, object{fmt.Sprint(domain(machine, elements[0])[0]): domain(machine, elements[1])[0]}}
	}
	t, ok := machine.Type(head)
	if !ok {
		return []any{nil} // refused when it is decoded
	}
	switch t.Kind {
	case "enum":
		var all []any
		for _, v := range t.Variants {
			all = append(all, v)
		}
		return all
	case "record":
		var all []any
		for _, o := range combine(machine, t.Fields)[:1] {
			all = append(all, o)
		}
		return all
	case "newtype":
		return domain(machine, t.Of)[:1]
	}
	// The two unions, as FORMAT.md writes them.
	if head == "ToolFilter" {
		return []any{"All", object{"Allow": []any{"a"}}, object{"Deny": []any{"a"}}}
	}
	return []any{
		"Retired",
		object{"Completed": domain(machine, "OperationResult")[0]},
		object{"Failed": object{"error": "a"}},
		object{"Aborted": object{"reason": nil}},
		object{"Cancelled": object{"reason": "a"}},
		object{"Terminated": object{"reason": "a"}},
	}
}
