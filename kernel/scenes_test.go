package kernel_test

import (
	"bufio"
	"maps"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// scene is a state and a trigger which one rule takes, and for each of the rule's guards
// a change after which it is the only one that does not hold. A state is given by what
// differs from the initial one. It may be one that no trigger leads to: what is shown is
// what rule and guard say, not how a session gets there.
type scene struct {
	Rule    string                    `json:"rule"`
	Trigger string                    `json:"trigger"`
	State   jsontext.Value            `json:"state"`
	Fields  map[string]jsontext.Value `json:"fields"`
	Alone   []refusal                 `json:"alone"`
}

// refusal is what a scene has otherwise when a guard refuses alone.
type refusal struct {
	Guard  string                    `json:"guard"`
	State  jsontext.Value            `json:"state"`
	Fields map[string]jsontext.Value `json:"fields"`
}

// readScenes reads testdata/scenes.jsonl, which has a line for every rule.
func readScenes(tb testing.TB) []scene {
	tb.Helper()
	f, err := os.Open("testdata/scenes.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var all []scene
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var s scene
		if err := json.Unmarshal(lines.Bytes(), &s, json.RejectUnknownMembers(true)); err != nil {
			tb.Fatal(err)
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

// set lays the scene, with what is otherwise, over a state and makes the trigger.
func (s *scene) set(tb testing.TB, st kernel.State, otherwise refusal) (kernel.State, kernel.Trigger) {
	tb.Helper()
	for _, overlay := range []jsontext.Value{s.State, otherwise.State} {
		if overlay == nil {
			continue
		}
		if err := kernel.OverlayState(&st, overlay); err != nil {
			tb.Fatalf("%s %s: %v", s.Rule, otherwise.Guard, err)
		}
	}
	fields := maps.Clone(s.Fields)
	maps.Copy(fields, otherwise.Fields)
	data, err := json.Marshal(fields)
	if err != nil {
		tb.Fatalf("%s %s: %v", s.Rule, otherwise.Guard, err)
	}
	trigger, err := kernel.UnmarshalTrigger(s.Trigger, data)
	if err != nil {
		tb.Fatalf("%s %s: %v", s.Rule, otherwise.Guard, err)
	}
	return st, trigger
}
