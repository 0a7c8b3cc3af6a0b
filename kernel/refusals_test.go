package kernel_test

import (
	"maps"
	"path"
	"slices"
	"testing"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// failing names the guards of a rule that do not hold.
func failing(t *testing.T, rule string, reports []kernel.RuleReport) []string {
	t.Helper()
	i := slices.IndexFunc(reports, func(r kernel.RuleReport) bool { return r.Rule == rule })
	if i < 0 || !reports[i].Applies {
		t.Fatalf("%s: its phase does not apply", rule)
	}
	var guards []string
	for _, g := range reports[i].Guards {
		if !g.Held {
			guards = append(guards, g.Guard)
		}
	}
	return guards
}

// Every rule takes its scene. Each of its guards refuses where all the others hold, and
// the refusal names it where no other rule takes the trigger.
func TestEveryGuardRefusesAlone(t *testing.T) {
	for _, s := range readScenes(t) {
		st, trigger := s.set(t, kernel.NewState(), refusal{})
		k := kernel.Resume(st)
		if failing := failing(t, s.Rule, k.Explain(trigger)); len(failing) > 0 {
			t.Errorf("%s: in its own scene %v do not hold", s.Rule, failing)
		} else if out := k.Apply(trigger); out.Rule != s.Rule {
			t.Errorf("%s: its scene is taken by %s", s.Rule, out.Rule)
		}
		for _, otherwise := range s.Alone {
			st, trigger := s.set(t, kernel.NewState(), otherwise)
			k := kernel.Resume(st)
			reports := k.Explain(trigger)
			if failing := failing(t, s.Rule, reports); !slices.Equal(failing, []string{otherwise.Guard}) {
				t.Errorf("%s: %v do not hold, want %s alone", s.Rule, failing, otherwise.Guard)
			}
			taken := slices.ContainsFunc(reports, func(r kernel.RuleReport) bool { return r.Holds() })
			out := k.Apply(trigger)
			if out.OK() != taken {
				t.Errorf("%s without %s: %+v", s.Rule, otherwise.Guard, out)
			}
			if !taken && !slices.Contains(out.Refusal.Guards, kernel.FailedGuard{Rule: s.Rule, Guard: otherwise.Guard}) {
				t.Errorf("%s: the refusal does not name %s: %v", s.Rule, otherwise.Guard, out.Refusal)
			}
		}
	}
}

// Every rule of the declaration has its scene, and every guard its case or a reason why
// there can be none.
func TestNoGuardIsForgotten(t *testing.T) {
	rules, have := map[string]bool{}, map[string]bool{}
	for _, s := range readScenes(t) {
		rules[s.Rule] = true
		for _, r := range s.Alone {
			have[s.Rule+" "+r.Guard] = true
		}
	}
	unused := maps.Clone(impliedGuards)
	total, implied := 0, 0
	for _, trigger := range declaration.Machine().Triggers {
		for _, r := range trigger.Rules {
			if !rules[r.Name] {
				t.Errorf("%s: testdata/scenes.jsonl has no scene", r.Name)
			}
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
					t.Errorf("%s: testdata/scenes.jsonl has no case in which it alone refuses", name)
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
	"RecoverOpRecord terminal_outcome_present":                             "terminal_outcome_matches_status wants an outcome",
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
