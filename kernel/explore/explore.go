// Package explore enumerates the states of the machine that a small alphabet of triggers
// reaches, on the code that runs in production, and checks the 15 invariants in each.
//
// It is exhaustive within its domain and no further: the domain ([Alphabet]) has one or two
// values of each type, and the depth bounds how many rules follow each other. A state in
// which an invariant is broken is reported with the shortest way to it and not left again:
// what follows from it says nothing new.
package explore

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// Options say what is explored.
type Options struct {
	// Region is a region of the machine by name or chapter.
	Region string
	// Depth is the most rules in a row.
	Depth int
	// MaxStates bounds the states kept, and so the memory: about 3 KiB each. 0 is no bound.
	MaxStates int
	// Check names the conditions that a state breaks; nil for the machine's invariants.
	Check func(*kernel.State) []string
}

// Step is one trigger of a trace and the rule that took it, the trigger as `kalahari kernel
// run` reads it (FORMAT.md).
type Step struct {
	Trigger string         `json:"trigger"`
	Fields  jsontext.Value `json:"fields,omitzero"`
	Rule    string         `json:"rule"`
}

// Violation is a rule that leads from a sound state to one that breaks an invariant.
type Violation struct {
	Invariant string `json:"invariant"`
	Rule      string `json:"rule"`
	// Expected says that chapter 01, reducer semantics 8, knows of it.
	Expected bool `json:"expected"`
	// Trace is the shortest way there from a new session.
	Trace []Step `json:"trace"`
}

// Report is what an exploration found.
type Report struct {
	Region  string `json:"region"`
	Depth   int    `json:"depth"`
	Letters int    `json:"letters"` // triggers of the alphabet, with their fields
	// Complete says that every state within the depth was seen; otherwise MaxStates ended it.
	Complete bool `json:"complete"`
	// CompleteDepth is to what depth every state was seen.
	CompleteDepth int `json:"complete_depth"`
	// Closed says that nothing new is reached at any depth.
	Closed      bool        `json:"closed"`
	States      int         `json:"states"`
	Transitions int         `json:"transitions"` // rules taken
	Refusals    int         `json:"refusals"`
	Rules       []string    `json:"rules"` // that were taken, by their base names
	Violations  []Violation `json:"violations"`
	Missing     []string    `json:"missing"` // known violations of this region's rules not met within the depth
	Seconds     float64     `json:"seconds"`
}

// Unexpected lists the violations that chapter 01 does not know.
func (r *Report) Unexpected() []Violation {
	return slices.DeleteFunc(slices.Clone(r.Violations), func(v Violation) bool { return v.Expected })
}

// node is a state that was reached, and how.
type node struct {
	state  kernel.State // dropped once it is expanded
	parent int
	letter int
	rule   string
	depth  int
}

// Run explores breadth first until everything within the depth is seen, the bound is
// reached, or ctx ends.
func Run(ctx context.Context, o Options) (*Report, error) {
	started := time.Now()
	region, err := declaration.Machine().Region(o.Region)
	if err != nil {
		return nil, err
	}
	letters, err := Alphabet(region.Name)
	if err != nil {
		return nil, err
	}
	if o.Check == nil {
		o.Check = (*kernel.State).Check
	}
	e := explorer{options: o, letters: letters, seen: map[[sha256.Size]byte]bool{}, rules: map[string]bool{}, broken: map[[2]string]bool{}}
	e.report = Report{Region: region.Name, Depth: o.Depth, Letters: len(letters), Complete: true, CompleteDepth: o.Depth, Closed: true}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	r := &e.report
	r.States = len(e.nodes)
	for rule := range e.rules {
		r.Rules = append(r.Rules, rule)
	}
	slices.Sort(r.Rules)
	for _, k := range knownIn(region.Name) {
		if !e.broken[[2]string{k.invariant, k.rule}] {
			r.Missing = append(r.Missing, k.rule+" breaks "+k.invariant)
		}
	}
	r.Seconds = time.Since(started).Seconds()
	return r, nil
}

type explorer struct {
	options Options
	letters []Letter
	nodes   []node
	seen    map[[sha256.Size]byte]bool
	rules   map[string]bool
	broken  map[[2]string]bool
	report  Report
}

func (e *explorer) run(ctx context.Context) error {
	if err := e.reach(kernel.NewState(), node{parent: -1}); err != nil {
		return err
	}
	for i := 0; i < len(e.nodes); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.nodes[i].depth == e.options.Depth {
			e.report.Closed = false
			break // breadth first: all that follow are as deep
		}
		k := kernel.Resume(e.nodes[i].state.Clone())
		for l := range e.letters {
			if e.full() {
				e.report.Complete, e.report.Closed = false, false
				e.report.CompleteDepth = e.nodes[i].depth
				return nil
			}
			// A refusal changes nothing: only what took a rule is replaced by a new copy.
			taken, err := e.try(k, i, l)
			if err != nil {
				return err
			}
			if taken {
				k = kernel.Resume(e.nodes[i].state.Clone())
			}
		}
		e.nodes[i].state = kernel.State{}
	}
	return nil
}

func (e *explorer) full() bool {
	return e.options.MaxStates > 0 && len(e.nodes) >= e.options.MaxStates
}

// try applies one letter to a copy of a state, and keeps that copy if it is new.
func (e *explorer) try(k *kernel.Kernel, from, letter int) (taken bool, err error) {
	out := k.Apply(e.letters[letter].trigger)
	if !out.OK() {
		e.report.Refusals++
		return false, nil
	}
	e.report.Transitions++
	e.rules[out.Rule] = true
	next := node{parent: from, letter: letter, rule: out.Rule, depth: e.nodes[from].depth + 1}
	broken := e.options.Check(k.State())
	if len(broken) == 0 {
		return true, e.reach(*k.State(), next)
	}
	for _, invariant := range broken {
		if key := [2]string{invariant, out.Transition()}; !e.broken[key] {
			e.broken[key] = true
			e.report.Violations = append(e.report.Violations, Violation{
				Invariant: invariant, Rule: out.Transition(), Expected: isKnown(invariant, out.Transition()),
				Trace: e.trace(next),
			})
		}
	}
	return true, nil
}

// reach keeps a state unless it was seen before.
func (e *explorer) reach(st kernel.State, n node) error {
	encoded, err := kernel.EncodeState(&st)
	if err != nil {
		return fmt.Errorf("explore: %w", err)
	}
	key := sha256.Sum256(encoded)
	if e.seen[key] {
		return nil
	}
	e.seen[key] = true
	n.state = st
	e.nodes = append(e.nodes, n)
	return nil
}

func (e *explorer) trace(n node) []Step {
	var steps []Step
	for n.parent >= 0 {
		l := e.letters[n.letter]
		steps = append(steps, Step{Trigger: l.Name, Fields: l.Fields, Rule: n.rule})
		n = e.nodes[n.parent]
	}
	slices.Reverse(steps)
	return steps
}
