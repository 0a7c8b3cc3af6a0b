package kernel_test

import (
	"bufio"
	"maps"
	"os"
	"path"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// refusals are the cases of one rule: a scene in which all its guards hold, and for each
// guard a change of that scene after which it is the only one that does not. A state is
// given by what differs from the initial one. It may be one that no trigger leads to:
// what is shown is what the guard says, not how a session gets there.
type refusals struct {
	Rule    string                    `json:"rule"`
	Trigger string                    `json:"trigger"`
	State   jsontext.Value            `json:"state"`
	Fields  map[string]jsontext.Value `json:"fields"`
	Alone   []refusal                 `json:"alone"`
}

type refusal struct {
	Guard  string                    `json:"guard"`
	State  jsontext.Value            `json:"state,omitzero"`
	Fields map[string]jsontext.Value `json:"fields,omitzero"`
}

// readRefusals reads testdata/refusals.jsonl, a line a rule.
func readRefusals(t *testing.T) []refusals {
	t.Helper()
	f, err := os.Open("testdata/refusals.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []refusals
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r refusals
		if err := json.Unmarshal(lines.Bytes(), &r, json.RejectUnknownMembers(true)); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// scene is the kernel and the trigger of a rule's scene with a change made to it.
func (r *refusals) scene(t *testing.T, change refusal) (*kernel.Kernel, kernel.Trigger) {
	t.Helper()
	st := kernel.NewState()
	for _, overlay := range []jsontext.Value{r.State, change.State} {
		if overlay == nil {
			continue
		}
		if err := kernel.OverlayState(&st, overlay); err != nil {
			t.Fatalf("%s %s: %v", r.Rule, change.Guard, err)
		}
	}
	fields := maps.Clone(r.Fields)
	maps.Copy(fields, change.Fields)
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Rule, change.Guard, err)
	}
	trigger, err := kernel.UnmarshalTrigger(r.Trigger, data)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Rule, change.Guard, err)
	}
	return kernel.Resume(st), trigger
}

// failing names the guards of a rule that do not hold.
func (r *refusals) failing(t *testing.T, reports []kernel.RuleReport) []string {
	t.Helper()
	i := slices.IndexFunc(reports, func(report kernel.RuleReport) bool { return report.Rule == r.Rule })
	if i < 0 || !reports[i].Applies {
		t.Fatalf("%s: its phase does not apply", r.Rule)
	}
	var guards []string
	for _, g := range reports[i].Guards {
		if !g.Held {
			guards = append(guards, g.Guard)
		}
	}
	return guards
}

// Each guard refuses where all the others hold, and the refusal names it where no other
// rule takes the trigger.
func TestEveryGuardRefusesAlone(t *testing.T) {
	for _, r := range readRefusals(t) {
		k, trigger := r.scene(t, refusal{})
		if failing := r.failing(t, k.Explain(trigger)); len(failing) > 0 {
			t.Errorf("%s: in its own scene %v do not hold", r.Rule, failing)
		}
		for _, c := range r.Alone {
			k, trigger := r.scene(t, c)
			reports := k.Explain(trigger)
			if failing := r.failing(t, reports); !slices.Equal(failing, []string{c.Guard}) {
				t.Errorf("%s: %v do not hold, want %s alone", r.Rule, failing, c.Guard)
			}
			taken := slices.ContainsFunc(reports, func(report kernel.RuleReport) bool { return report.Holds() })
			out := k.Apply(trigger)
			if out.OK() != taken {
				t.Errorf("%s without %s: %+v", r.Rule, c.Guard, out)
			}
			if !taken && !slices.Contains(out.Refusal.Guards, kernel.FailedGuard{Rule: r.Rule, Guard: c.Guard}) {
				t.Errorf("%s: the refusal does not name %s: %v", r.Rule, c.Guard, out.Refusal)
			}
		}
	}
}

// Every guard of the declaration has its case, or a reason why there can be none.
func TestNoGuardIsForgotten(t *testing.T) {
	have := map[string]bool{}
	for _, r := range readRefusals(t) {
		for _, c := range r.Alone {
			have[r.Rule+" "+c.Guard] = true
		}
	}
	unused := maps.Clone(impliedGuards)
	total, implied := 0, 0
	for _, trigger := range declaration.Machine().Triggers {
		for _, r := range trigger.Rules {
			for _, g := range r.Guards {
				name := r.Name + " " + g.Name
				total++
				pattern, why := whyNeverAlone(name)
				if why != "" {
					implied++
					delete(unused, pattern)
				}
				switch {
				case why != "" && have[name]:
					t.Errorf("%s has a case and is said to have none: %s", name, why)
				case why == "" && !have[name]:
					t.Errorf("%s: testdata/refusals.jsonl has no case in which it alone refuses", name)
				}
				delete(have, name)
			}
		}
	}
	for name := range have {
		t.Errorf("a case of %s, which is not declared", name)
	}
	for pattern := range unused {
		t.Errorf("a reason for %s, which is not declared", pattern)
	}
	t.Logf("%d guards: %d refuse alone, %d cannot", total, total-implied, implied)
}

func whyNeverAlone(guard string) (pattern, why string) {
	for pattern, why := range impliedGuards {
		if ok, err := path.Match(pattern, guard); ok || err != nil {
			return pattern, why
		}
	}
	return "", ""
}

// impliedGuards are the guards, as patterns of rule and guard, that are never the only
// one to refuse, with the reason. The reference has them all the same.
var impliedGuards = map[string]string{
	"ResolveRuntimeCompletionResultRuntimeApplyFailed machine_failure_cause_known": "machine_runtime_apply_failed wants one known cause",
	"ResolveStagedRollback* input_tracked":                                         "input_staged wants a phase of the input, so it is tracked",
	"ResolveTurnSurfaceResult*HardFailure cause_any":                               "every class there is passes",
	"RunFailed machine_terminal_failure_requires_existing_outcome":                 "existing_outcome_matches_cause wants the outcome of the cause, and every cause has a failure for one",
	"RecoverableFailure failure_kind_recoverable":                                  "every kind there is passes",

	"ResolveLive*AdmissionAccepted token_known":             "token_channel_matches wants an entry of the token in the same map",
	"ResolveLive*AdmissionTokenExpired token_known":         "token_channel_matches wants an entry of the token in the same map",
	"ResolveLive*AdmissionTokenExpired observed_at_present": "token_expired wants a time behind another, so it is not 0",

	"*Op op_registered":                                                    "an operation that is not registered has the status Absent, which the guard on the status refuses",
	"RecoverOpRecord recovered_status_terminal":                            "terminal_outcome_matches_status wants the status of an outcome, and those are terminal",
	"ResolveWaitAllAdmissionDuplicateRejected duplicate_witness_requested": "duplicate_witness_repeated wants it twice in the same sequence",
	"ResolveWaitAllAdmissionNotFoundRejected operation_missing":            "the witness is requested and missing, so one is missing",

	"RequestDeferredTools deferred_authorities_have_identity": "deferred_authorities_match_machine_catalog wants identified authorities",
	"CommitDeferredNames deferred_authorities_have_identity":  "deferred_authorities_match_machine_catalog wants identified authorities",

	"PublishCommittedVisibleSet* *_deferred_authorities_cover_names":               "a name without an authority has no identity either, see have_identity",
	"PublishCommittedVisibleSet* *_deferred_authorities_have_identity":             "cover_names gives each name an authority, and visibility_authority_matches_machine_catalog wants those identified",
	"ReplaceVisibilityState equal_revision_requires_equal_active_and_staged_input": "visibility_state_replacement_matches_fields says the same",
	"ReplaceVisibilityState *_deferred_authorities_cover_names":                    "visibility_state_replacement_matches_fields wants authorities for exactly the names",
	"ReplaceVisibilityState *_deferred_authorities_are_name_scoped":                "visibility_state_replacement_matches_fields wants authorities for exactly the names",
	"ReplaceVisibilityState *_deferred_authorities_have_identity":                  "visibility_state_replacement_matches_fields wants identified authorities",
}
