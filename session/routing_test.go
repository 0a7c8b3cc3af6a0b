package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

const (
	first  = "0190c0de-0000-7000-8000-000000000001"
	second = "0190c0de-0000-7000-8000-000000000002"
	third  = "0190c0de-0000-7000-8000-000000000003"
)

// A finite switch: pending, in force for its turns, over. A second request meanwhile is
// denied, which is a result (chapter 05, worked example 3). A restarted worker knows all
// of it.
func TestAFiniteSwitchLastsItsTurns(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.rejected("admit_model_routing_assistant_turn", `{}`, "Internal", "pending_finite")
	c.rejected("request_switch_turn", `{"request_id":"`+first+`","target_model":"m1","turns":2}`, "Internal", "baseline_known")
	c.applied("configure_model_routing_baseline", `{"baseline_model":"m0","realtime_capable":true}`)
	has(t, "accepted", c.applied("request_switch_turn", `{"request_id":"`+first+`","target_model":"m1","turns":2}`),
		map[string]any{"result": "Applied"})
	has(t, "pending", c.query("routing"), map[string]any{
		"baseline_model": "m0", "effective_model": "m0", "topology_epoch": 1,
		"pending_switch.request_id": first, "pending_switch.turns": 2, "pending_switch.phase": "PendingForBoundary",
		"active_finite_override": nil, "provider": nil,
	})
	has(t, "conflict", c.applied("request_switch_turn", `{"request_id":"`+second+`","target_model":"m2","turns":1}`),
		map[string]any{"result": "Denied", "reason": "ScopedOverrideConflict"})
	c.applied("admit_model_routing_assistant_turn", `{}`)

	stop()
	start(t, env, func(*worker.Config) {})
	has(t, "in force, another worker", c.query("routing"), map[string]any{
		"effective_model": "m1", "pending_switch": nil, "topology_epoch": 2,
		"active_finite_override.request_id": first, "active_finite_override.turns_remaining": 2,
	})
	c.applied("admit_model_routing_assistant_turn", `{}`)
	c.applied("admit_model_routing_assistant_turn", `{"session_id":"s1"}`)
	has(t, "over", c.query("routing"), map[string]any{"effective_model": "m0", "active_finite_override": nil, "topology_epoch": 3})
	has(t, "over", c.query("state"), map[string]any{
		"state.model_routing_switch_terminal": map[string]any{first: "ConsumedAndRestored", second: "Denied"},
	})
}

func TestASwitchMayNeedApproval(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.applied("configure_model_routing_baseline", `{"baseline_model":"m0"}`)
	for _, duration := range []string{`"turns":1`, `"until_changed":true,"target_capability_surface":{}`} {
		id := map[bool]string{true: first, false: second}[strings.HasPrefix(duration, `"turns"`)]
		request := `{"request_id":"` + id + `","target_model":"m1",` + duration + `,"approval":`
		c.rejected("request_switch_turn", request+`"DeniedByUser"}`, "Internal", "")
		has(t, duration, c.applied("request_switch_turn", request+`"DeniedByUser","approval_reason":"SafetyHold"}`),
			map[string]any{"result": "Denied", "reason": "DeniedDuringApproval", "approval_reason": "SafetyHold"})
		has(t, duration, c.applied("request_switch_turn", request+`"RequiredButUnavailable"}`),
			map[string]any{"result": "Denied", "reason": "ApprovalRequiredButUnavailable", "approval_reason": nil})
	}
	// A denied id stays denied, whatever becomes of it (chapter 05, switch turn).
	has(t, "denied once", c.applied("request_switch_turn", `{"request_id":"`+first+`","target_model":"m1","turns":1}`),
		map[string]any{"result": "Denied"})
	for _, bad := range []struct{ data, field string }{
		{`{"target_model":"m1","turns":1}`, "data.request_id"},
		{`{"request_id":"r","target_model":"m1","turns":1}`, "data.request_id"},
		{`{"request_id":"` + third + `","turns":1}`, "data.target_model"},
		{`{"request_id":"` + third + `","target_model":"m1"}`, "data.turns"},
		{`{"request_id":"` + third + `","target_model":"m1","turns":1,"until_changed":true}`, "data.turns"},
		{`{"request_id":"` + third + `","target_model":"m1","turns":-1}`, "data.turns"},
		{`{"request_id":"` + third + `","target_model":"m1","turns":1,"approval":"maybe"}`, "data.approval"},
		{`{"request_id":"` + third + `","target_model":"m1","turns":1,"approval_reason":"Whim"}`, "data.approval_reason"},
		{`{"request_id":"` + third + `","target_model":"m1","turns":1,"target_capability_surface":{}}`, "data.turns"},
		{`{"request_id":"` + third + `","target_model":"m1","until_changed":true}`, "data.target_capability_surface"},
		{`{"request_id":"` + third + `","target_model":"m1","until_changed":true,"target_capability_surface":{},"target_identity":{"model":"m2","provider":"OpenAI"}}`, "data.target_identity.model"},
		{`{"request_id":"` + third + `","target_model":"m1","turns":1,"trun":1}`, "data"},
		{`{"request_id":"` + third + `","target_model":"m1","turns":1,"session_id":"s2"}`, "data.session_id"},
	} {
		answer := c.rejected("request_switch_turn", bad.data, "InvalidInput", "")
		if reason, _ := answer["reason"].(string); !strings.HasPrefix(reason, bad.field) {
			t.Errorf("%s: the reason is %q, it has to name %s", bad.data, reason, bad.field)
		}
	}
	has(t, "after all", c.query("state"), map[string]any{"state.model_routing_pending_switch_request_id": first})
}

// Until changed moves identity, capabilities and baseline together. If the machine
// refuses the new model, the request leaves no trace.
func TestASwitchUntilChangedIsWholeOrNot(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.applied("configure_model_routing_baseline", `{"baseline_model":"m0"}`)
	request := `{"request_id":"` + first + `","target_model":"m1","until_changed":true,"target_capability_surface":{"image_tool_results":true}}`
	before := c.query("state")["state"]
	// Attached, but bound to no runtime: the reconfigure in the middle is refused.
	answer := c.rejected("request_switch_turn", request, "Internal", "runtime_is_bound")
	has(t, "refused", answer, map[string]any{"rule": "ReconfigureSessionLlmIdentityAttached", "phase": "Attached"})
	if diff := differ(before, c.query("state")["state"]); diff != "" {
		t.Errorf("a refused switch changed the session:\n%s", diff)
	}
	c.applied("prepare_bindings", `{"agent_runtime_id":"rt1","fence_token":1,"generation":1}`)
	c.rejected("request_switch_turn", request, "Internal", "previous_identity_matches_current")
	c.applied("hydrate_session_llm_state", `{"current_identity":{"model":"m0","provider":"OpenAI","auth_binding":{"realm_id":"r","binding_id":"b","profile_id":null}}}`)
	has(t, "switched", c.applied("request_switch_turn", request), map[string]any{"result": "Applied"})
	stop()
	start(t, env, func(*worker.Config) {})
	has(t, "baseline", c.query("routing"), map[string]any{
		"baseline_model": "m1", "effective_model": "m1", "pending_switch": nil, "provider": "OpenAI",
	})
	has(t, "identity", c.query("capabilities"), map[string]any{
		"llm_identity.model": "m1", "llm_identity.auth_binding.realm_id": "r",
		"status": "Resolved", "capabilities.image_tool_results": true,
	})
	has(t, "terminal", c.query("state"), map[string]any{
		"state.model_routing_switch_terminal": map[string]any{first: "PersistentReconfigureApplied"},
	})
}

// The executor is told the model, and decides about it by actions of its run: an agent
// counts its own turns.
func TestARunKnowsAndChangesItsModel(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	models := make(chan string, 16)
	start(t, env, func(cfg *worker.Config) {
		cfg.Executor = executor.Func(func(ctx context.Context, run *executor.Run) (*executor.Result, error) {
			models <- run.Model
			_, err := run.Host.Do(ctx, executor.Action{ID: "turn", Command: "admit_model_routing_assistant_turn"})
			var refused *executor.ActionError
			if errors.As(err, &refused) && refused.Guard != "pending_finite" {
				return nil, err
			}
			status, err := run.Host.Do(ctx, executor.Action{ID: "status", Command: "session_model_routing_status"})
			return &executor.Result{Content: status}, err
		})
	})
	c := command(t, env, "s1")
	completed := outcomes(t, env, env.Namespace.Fx("s1", "InputCompleted"))
	for i, want := range []struct{ command, data, model, after string }{
		{"set_silent_intents", `{"intents":[]}`, "", ""},
		{"configure_model_routing_baseline", `{"baseline_model":"m0"}`, "m0", "m0"},
		{"request_switch_turn", `{"request_id":"` + first + `","target_model":"m1","turns":1}`, "m0", "m1"},
		{"set_silent_intents", `{"intents":[]}`, "m1", "m0"},
		{"set_silent_intents", `{"intents":[]}`, "m0", "m0"},
	} {
		c.applied(want.command, want.data)
		id := fmt.Sprint("p", i)
		publish(t, env, "s1", id, subjects.InputType("prompt"), `{"text":"hi"}`)
		if got := <-models; got != want.model {
			t.Errorf("%s ran on %q, want %q", id, got, want.model)
		}
		has(t, id, <-completed, map[string]any{"input_id": id, "result.effective_model": want.after})
	}
}
