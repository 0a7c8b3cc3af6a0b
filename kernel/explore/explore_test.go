package explore_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kernel/declaration"
	"github.com/kalahari-run/kalahari/kernel/explore"
)

func explored(t *testing.T, o explore.Options) *explore.Report {
	t.Helper()
	r, err := explore.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s to depth %d: %d letters, %d states, %d transitions, %d rules, complete %v, closed %v",
		r.Region, r.Depth, r.Letters, r.States, r.Transitions, len(r.Rules), r.Complete, r.Closed)
	return r
}

// Every violation that chapter 01 lists is found, each at its shortest, and no other.
func TestTheKnownViolationsOfTheLifecycleAreFound(t *testing.T) {
	depth := 8
	if testing.Short() {
		depth = 6 // the race detector makes it ten times as slow
	}
	r := explored(t, explore.Options{Region: "lifecycle", Depth: depth})
	// The longest of them take seven steps.
	if !r.Complete || len(r.Missing) > 0 && depth > 6 {
		t.Errorf("complete %v, not met: %v", r.Complete, r.Missing)
	}
	for _, v := range r.Unexpected() {
		t.Errorf("%s breaks %s: %v", v.Rule, v.Invariant, v.Trace)
	}
	lengths := map[string]int{}
	for _, v := range r.Violations {
		lengths[v.Rule] = len(v.Trace)
		replay(t, v)
	}
	// From a new session: initialize, prepare, request the stop, commit.
	for rule, want := range map[string]int{"CommitRunningToIdle": 4, "RollbackRunRunningToIdle": 4, "RecycleFromIdleOrRetired": 2} {
		if lengths[rule] != want {
			t.Errorf("%s: a trace of %d steps, want %d", rule, lengths[rule], want)
		}
	}
}

// replay runs a trace as `kalahari kernel run` would and wants the violation at its end
// and not before.
func replay(t *testing.T, v explore.Violation) {
	t.Helper()
	k := kernel.New()
	for i, step := range v.Trace {
		trigger, err := kernel.UnmarshalTrigger(step.Trigger, step.Fields)
		if err != nil {
			t.Fatal(err)
		}
		if out := k.Apply(trigger); out.Rule != step.Rule {
			t.Fatalf("%s: step %d took %q, the trace says %q", v.Rule, i, out.Rule, step.Rule)
		}
		broken, last := k.State().Check(), i == len(v.Trace)-1
		if last != (len(broken) > 0) || last && !slices.Contains(broken, v.Invariant) {
			t.Errorf("%s: after step %d of %d these are broken: %v", v.Rule, i+1, len(v.Trace), broken)
		}
	}
}

// The other regions keep all invariants as far as they are explored here.
func TestOtherRegionsKeepTheInvariants(t *testing.T) {
	for _, region := range declaration.Machine().Regions[1:] {
		r := explored(t, explore.Options{Region: region.Name, Depth: 6, MaxStates: 1500})
		for _, v := range r.Violations {
			t.Errorf("%s: %s breaks %s: %v", region.Name, v.Rule, v.Invariant, v.Trace)
		}
		if r.Transitions == 0 {
			t.Errorf("%s: nothing happened", region.Name)
		}
	}
}

// A condition that does not hold is found, by the shortest way.
func TestABrokenInvariantIsFound(t *testing.T) {
	r := explored(t, explore.Options{Region: "lifecycle", Depth: 5, Check: func(s *kernel.State) []string {
		if s.LifecyclePhase == kernel.Retired && s.CurrentRunID.IsSome() {
			return []string{"never_retired_with_a_run"}
		}
		return nil
	}})
	if len(r.Unexpected()) == 0 {
		t.Fatal("not found")
	}
	v := r.Violations[0]
	var path []string
	for _, s := range v.Trace {
		path = append(path, s.Trigger)
	}
	if got := strings.Join(path, " "); v.Invariant != "never_retired_with_a_run" || len(path) > 3 {
		t.Errorf("%s by %s, %s", v.Invariant, v.Rule, got)
	}
}

func TestABoundIsReported(t *testing.T) {
	r := explored(t, explore.Options{Region: "turn", Depth: 8, MaxStates: 300})
	if r.Complete || r.Closed || r.States != 300 {
		t.Errorf("complete %v, closed %v, %d states", r.Complete, r.Closed, r.States)
	}
	// A search that may go as deep as is claimed, and no further, ends by itself.
	shallow := explored(t, explore.Options{Region: "turn", Depth: r.CompleteDepth, MaxStates: 300})
	if r.CompleteDepth < 1 || !shallow.Complete || shallow.CompleteDepth != r.CompleteDepth {
		t.Errorf("every state to depth %d is said to be among 300; to that depth: complete %v, %d states",
			r.CompleteDepth, shallow.Complete, shallow.States)
	}
}

// What the exploration of the lifecycle leaves out must be read by nothing that stays in.
func TestWhatIsLeftOutIsApart(t *testing.T) {
	machine := declaration.Machine()
	own := map[string]bool{}
	left := []string{"deferred_session.go", "mob_operator.go"}
	for _, f := range machine.State {
		if strings.HasPrefix(f.Name, "staged_session") || strings.HasPrefix(f.Name, "mob_operator") {
			own[f.Name] = true
		}
	}
	if len(own) < 2 {
		t.Fatalf("their fields are called otherwise now: %v", own)
	}
	letters, err := explore.Alphabet("lifecycle")
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range machine.Triggers {
		in := slices.ContainsFunc(letters, func(l explore.Letter) bool { return l.Name == tr.Name })
		if in && slices.Contains(left, tr.File) {
			t.Errorf("%s is explored and should not be", tr.Name)
		}
		for _, r := range tr.Rules {
			for _, g := range r.Guards {
				for _, f := range g.Reads.State {
					if in && own[f] {
						t.Errorf("%s: guard %s reads %s", r.Name, g.Name, f)
					}
				}
			}
		}
	}
}
