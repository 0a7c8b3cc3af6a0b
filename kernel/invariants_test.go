package kernel_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/kernel"
)

// stateOf is the initial state with the given fields laid over it.
func stateOf(t testing.TB, fields string) kernel.State {
	t.Helper()
	st := kernel.NewState()
	if err := kernel.OverlayState(&st, []byte(fields)); err != nil {
		t.Fatal(err)
	}
	return st
}

// Each invariant of chapter 01, in the chapter's order, with states that break it and
// states that just keep it.
func TestInvariants(t *testing.T) {
	invariants := []struct {
		name         string
		broken, kept []string
	}{
		{
			name:   "fence_requires_bound_runtime",
			broken: []string{`{"active_fence_token":0}`},
			kept:   []string{`{"active_runtime_id":"R","active_runtime_generation":0,"active_fence_token":0}`},
		},
		{
			name:   "runtime_generation_requires_bound_runtime",
			broken: []string{`{"active_runtime_generation":0}`},
			kept:   []string{`{"active_runtime_id":"R","active_runtime_generation":0}`},
		},
		{
			name:   "runtime_epoch_requires_bound_runtime",
			broken: []string{`{"active_runtime_epoch_id":"e"}`},
			kept:   []string{`{"active_runtime_id":"R","active_runtime_epoch_id":"e"}`},
		},
		{
			name: "runtime_binding_identity_is_typed",
			broken: []string{
				`{"active_runtime_id":"R"}`,
				`{"active_runtime_id":"R","active_fence_token":1}`,
			},
			kept: []string{`{"active_runtime_id":"R","active_runtime_generation":0,"active_runtime_epoch_id":"e"}`},
		},
		{
			name:   "running_has_current_run",
			broken: []string{`{"lifecycle_phase":"Running"}`},
			kept:   []string{`{"lifecycle_phase":"Running","current_run_id":"r","pre_run_phase":"Idle"}`},
		},
		{
			name: "deferred_stop_requires_active_runtime_phase",
			broken: []string{
				`{"runtime_stop_deferred":true}`,
				`{"lifecycle_phase":"Idle","runtime_stop_deferred":true}`,
				`{"lifecycle_phase":"Retired","runtime_stop_deferred":true}`,
				`{"lifecycle_phase":"Stopped","runtime_stop_deferred":true}`,
				`{"lifecycle_phase":"Destroyed","runtime_stop_deferred":true}`,
			},
			kept: []string{
				`{"lifecycle_phase":"Attached","runtime_stop_deferred":true}`,
				`{"lifecycle_phase":"Running","runtime_stop_deferred":true,"current_run_id":"r","pre_run_phase":"Idle"}`,
			},
		},
		{
			name: "unregister_drain_obligations_require_draining",
			broken: []string{
				`{"unregister_runtime_loop_drain_pending":true}`,
				`{"unregister_comms_drain_exit_pending":true}`,
				`{"registration_phase":"Active","unregister_completion_waiter_drain_pending":true}`,
				`{"registration_phase":"Active","unregister_teardown_retains_snapshot":true}`,
			},
			kept: []string{
				`{"registration_phase":"Draining"}`,
				`{"registration_phase":"Draining","unregister_runtime_loop_drain_pending":true,
				  "unregister_comms_drain_exit_pending":true,"unregister_completion_waiter_drain_pending":true,
				  "unregister_teardown_retains_snapshot":true}`,
			},
		},
		{
			name: "current_run_only_while_running_or_retired",
			broken: []string{
				`{"current_run_id":"r","pre_run_phase":"Idle"}`,
				`{"lifecycle_phase":"Idle","current_run_id":"r","pre_run_phase":"Idle"}`,
				`{"lifecycle_phase":"Attached","current_run_id":"r","pre_run_phase":"Idle"}`,
				`{"lifecycle_phase":"Stopped","current_run_id":"r","pre_run_phase":"Idle"}`,
				`{"lifecycle_phase":"Destroyed","current_run_id":"r","pre_run_phase":"Idle"}`,
			},
			kept: []string{`{"lifecycle_phase":"Retired","current_run_id":"r","pre_run_phase":"Idle"}`},
		},
		{
			name: "current_run_has_pre_run_phase",
			broken: []string{
				`{"lifecycle_phase":"Retired","current_run_id":"r"}`,
				`{"lifecycle_phase":"Idle","pre_run_phase":"Idle"}`,
			},
			kept: []string{`{"lifecycle_phase":"Running","current_run_id":"","pre_run_phase":"Retired"}`},
		},
		{
			name: "staged_surface_ops_are_known_and_sequenced",
			broken: []string{
				`{"surface_staged_op":{"a":"Add"}}`,
				`{"surface_staged_op":{"a":"Add"},"known_surfaces":["a"]}`,
				`{"surface_staged_op":{"a":"Add"},"surface_staged_intent_sequence":{"a":1}}`,
				`{"surface_staged_op":{"a":"Add","b":"Add"},"known_surfaces":["a","b"],"surface_staged_intent_sequence":{"a":1}}`,
			},
			kept: []string{`{"surface_staged_op":{"a":"Add"},"known_surfaces":["a","b"],"surface_staged_intent_sequence":{"a":1,"b":2}}`},
		},
		{
			name: "staged_reload_surfaces_are_active",
			broken: []string{
				`{"reload_staged_surfaces":["a"]}`,
				`{"reload_staged_surfaces":["a","b"],"active_surfaces":["b","c"]}`,
			},
			kept: []string{`{"reload_staged_surfaces":["a"],"active_surfaces":["a","b"]}`},
		},
		{
			name: "peer_ingress_owner_consistency",
			broken: []string{
				`{"peer_ingress_comms_runtime_id":"c"}`,
				`{"peer_ingress_mob_id":"m"}`,
				`{"peer_ingress_owner_kind":"SessionOwned"}`,
				`{"peer_ingress_owner_kind":"SessionOwned","peer_ingress_comms_runtime_id":"c","peer_ingress_mob_id":"m"}`,
				`{"peer_ingress_owner_kind":"MobOwned","peer_ingress_comms_runtime_id":"c"}`,
				`{"peer_ingress_owner_kind":"MobOwned","peer_ingress_mob_id":"m"}`,
			},
			kept: []string{
				`{"peer_ingress_owner_kind":"SessionOwned","peer_ingress_comms_runtime_id":"c"}`,
				`{"peer_ingress_owner_kind":"MobOwned","peer_ingress_comms_runtime_id":"c","peer_ingress_mob_id":"m"}`,
			},
		},
		{
			name:   "supervisor_binding_consistency",
			broken: append(lacking("supervisor_bound", `"supervisor_binding_kind":"Bound"`), `{`+whole("supervisor_bound")+`}`, `{"supervisor_bound_epoch":0}`),
			kept:   []string{`{"supervisor_binding_kind":"Bound",` + whole("supervisor_bound") + `}`},
		},
		{
			name:   "supervisor_revoke_pending_consistency",
			broken: lacking("supervisor_revoke_pending", `"removal_timeout_ms":30000`),
			kept:   []string{`{` + whole("supervisor_revoke_pending") + `}`},
		},
		{
			name:   "supervisor_publish_pending_consistency",
			broken: lacking("supervisor_publish_pending", `"removal_timeout_ms":30000`),
			kept:   []string{`{` + whole("supervisor_publish_pending") + `}`},
		},
	}
	if st := kernel.NewState(); st.Check() != nil {
		t.Errorf("the initial state breaks %v", st.Check())
	}
	names := kernel.InvariantNames()
	for i, invariant := range invariants {
		t.Run(invariant.name, func(t *testing.T) {
			if names[i] != invariant.name {
				t.Fatalf("invariant %d is %s", i+1, names[i])
			}
			for _, fields := range invariant.broken {
				st := stateOf(t, fields)
				if diff := cmp.Diff([]string{invariant.name}, st.Check()); diff != "" {
					t.Errorf("%s (-want +got):\n%s", fields, diff)
				}
				var refused *kernel.InvariantError
				if _, err := kernel.FromState(st); !errors.As(err, &refused) || refused.Invariant != invariant.name {
					t.Errorf("%s: FromState answers %v", fields, err)
				}
			}
			for _, fields := range invariant.kept {
				st := stateOf(t, fields)
				if broken := st.Check(); broken != nil {
					t.Errorf("%s breaks %v", fields, broken)
				}
			}
		})
	}
	if len(names) != len(invariants) {
		t.Errorf("%d of %d invariants are tested", len(invariants), len(names))
	}
}

// supervisorFields are the five fields that describe a supervisor.
var supervisorFields = []string{`_name":"n"`, `_peer_id":"p"`, `_address":"a"`, `_signing_public_key":"k"`, `_epoch":0`}

// whole has all fields of a supervisor.
func whole(prefix string) string {
	fields := ""
	for i, f := range supervisorFields {
		if i > 0 {
			fields += ","
		}
		fields += `"` + prefix + f
	}
	return fields
}

// lacking has, for each field of a supervisor, an object without it.
func lacking(prefix, rest string) []string {
	var objects []string
	for i := range supervisorFields {
		object := "{" + rest
		for j, f := range supervisorFields {
			if i != j {
				object += `,"` + prefix + f
			}
		}
		objects = append(objects, object+"}")
	}
	return objects
}

// Of several broken invariants the refusal names the first in declaration order.
func TestFirstBrokenInvariantIsNamed(t *testing.T) {
	st := stateOf(t, `{"lifecycle_phase":"Idle","peer_ingress_mob_id":"m","current_run_id":"r","active_fence_token":1}`)
	want := []string{
		"fence_requires_bound_runtime",
		"current_run_only_while_running_or_retired",
		"current_run_has_pre_run_phase",
		"peer_ingress_owner_consistency",
	}
	if diff := cmp.Diff(want, st.Check()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err := kernel.FromState(st)
	if want := "RecoveredStateInvariantRejected: a state in phase Idle breaks fence_requires_bound_runtime"; err == nil || err.Error() != want {
		t.Errorf("FromState answers %v", err)
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	st := stateOf(t, `{"lifecycle_phase":"Running","current_run_id":"r","pre_run_phase":"Idle","surface_staged_op":{"a":"Reload","b":"Add"},
		"known_surfaces":["a","b"],"surface_staged_intent_sequence":{"a":1,"b":2},"reload_staged_surfaces":["a"],"active_surfaces":["a"]}`)
	if n := testing.AllocsPerRun(100, func() { st.Check() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The rules of the reference that can break an invariant (chapter 01, reducer
// semantics 8), each reached from the initial state. They are taken all the same; the
// kernel can go on from the result but not be rebuilt from it.
func TestRulesThatBreakInvariants(t *testing.T) {
	const session, run = kernel.SessionId("s"), kernel.RunId("r")
	sequence := func(parts ...[]kernel.Trigger) []kernel.Trigger { return slices.Concat(parts...) }
	do := func(triggers ...kernel.Trigger) []kernel.Trigger { return triggers }

	// Where a run may come from, a stop it does not wait for, and how it may end.
	idle := do(&kernel.Initialize{}, &kernel.RegisterSession{SessionID: session})
	runFromIdle := sequence(idle, do(&kernel.Prepare{SessionID: session, RunID: run}))
	runFromRetired := sequence(idle, do(&kernel.Retire{SessionID: session}, &kernel.DrainQueuedRun{RunID: run}))
	stop := do(&kernel.StopRuntimeExecutor{Reason: "bye"})
	turn := do(&kernel.StartConversationRun{RunID: run, PrimitiveKind: kernel.TurnPrimitiveKindConversationTurn})
	failed := sequence(turn, do(&kernel.FatalFailure{RunID: run, TerminalFailureSource: kernel.RunFailureSourceKindLlm}))
	cancelled := sequence(turn, do(&kernel.CancelNow{RunID: run}, &kernel.CancellationObserved{RunID: run}))
	commit := do(&kernel.Commit{InputID: "i", RunID: run})
	fail := do(&kernel.Fail{RunID: run})
	cancel := do(&kernel.CancelRun{RunID: run})
	rollback := do(&kernel.RollbackRun{RunID: run})
	attached := sequence(idle, do(&kernel.EnsureSessionWithExecutor{SessionID: session}))
	unregister := do(
		&kernel.BeginUnregisterSession{SessionID: session},
		&kernel.RuntimeLoopStoppedForUnregister{SessionID: session},
		&kernel.CommsDrainExitedForUnregister{SessionID: session},
		&kernel.CompletionWaitersResolvedForUnregister{SessionID: session},
		&kernel.UnregisterSession{SessionID: session},
	)

	breaking := map[string][]kernel.Trigger{
		"RecycleFromIdleOrRetired":    sequence(runFromIdle, do(&kernel.Retire{SessionID: session}, &kernel.Recycle{})),
		"CommitRunningToIdle":         sequence(runFromIdle, stop, commit),
		"FailRunningToIdle":           sequence(runFromIdle, stop, failed, fail),
		"CancelRunningToIdle":         sequence(runFromIdle, stop, cancelled, cancel),
		"RollbackRunRunningToIdle":    sequence(runFromIdle, stop, rollback),
		"CommitRunningToRetired":      sequence(runFromRetired, stop, commit),
		"FailRunningToRetired":        sequence(runFromRetired, stop, failed, fail),
		"CancelRunningToRetired":      sequence(runFromRetired, stop, cancelled, cancel),
		"RollbackRunRunningToRetired": sequence(runFromRetired, stop, rollback),
		"UnregisterSessionAttached":   sequence(attached, stop, unregister),
		"UnregisterSessionRunning":    sequence(attached, do(&kernel.Prepare{SessionID: session, RunID: run}), stop, unregister),
	}
	for rule, invariant := range mayBreak {
		t.Run(rule, func(t *testing.T) {
			k := kernel.New()
			for i, trigger := range breaking[rule] {
				if broken := k.State().Check(); broken != nil {
					t.Fatalf("step %d finds %v broken", i, broken)
				}
				o := k.Apply(trigger)
				if !o.OK() {
					t.Fatalf("step %d: %v", i, o.Refusal)
				}
				if last := i == len(breaking[rule])-1; last != (o.Rule == rule) {
					t.Fatalf("step %d takes %s", i, o.Rule)
				}
			}
			if diff := cmp.Diff([]string{invariant}, k.State().Check()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var refused *kernel.InvariantError
			if _, err := kernel.FromState(k.State().Clone()); !errors.As(err, &refused) || refused.Invariant != invariant {
				t.Errorf("FromState answers %v", err)
			}
			if o := kernel.Resume(k.State().Clone()).Apply(&kernel.Destroy{SessionID: session}); !o.OK() {
				t.Errorf("after Resume: %v", o.Refusal)
			}
		})
	}
	if len(breaking) != len(mayBreak) {
		t.Errorf("%d sequences for %d rules", len(breaking), len(mayBreak))
	}
}
