package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

const staged = `{"llm_identity":{"model":"m1","provider":"Gemini"}}`

// A staged session waits, whoever owns it, and its first input builds it with what was
// staged: the model, the baseline, the system context before the input.
func TestAStagedSessionIsBuiltByItsFirstInput(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	has(t, "keep-alive", c.rejected("stage_deferred_session", `{"keep_alive":true,`+staged[1:], "ValidationFailed", "keep_alive_requires_comms_name"),
		map[string]any{"reason": "keep-alive requires a comms name", "rule": "StageDeferredSession"})
	has(t, "staged", c.applied("stage_deferred_session", staged), map[string]any{"phase": "Staged", "keep_alive": false})
	c.rejected("stage_deferred_session", staged, "ValidationFailed", "not_already_staged")
	c.applied("update_deferred_session_keep_alive", `{"keep_alive":true,"has_comms_name":true}`)
	c.applied("update_deferred_session_llm_identity", `{"llm_identity":{"model":"m2","provider":"Gemini"}}`)
	c.applied("authorize_deferred_session_system_context_append", `{"key":"role","content":"You guess."}`)
	c.applied("authorize_deferred_session_system_context_append", `{"key":"place","content":"A desert."}`)
	c.applied("authorize_deferred_session_system_context_append", `{"key":"role","content":"You answer."}`)

	stop()
	stop = start(t, env, func(*worker.Config) {})
	has(t, "another worker", c.query("deferred"), map[string]any{
		"phase": "Staged", "keep_alive": true, "llm_identity.model": "m2",
		"system_context": []any{
			map[string]any{"key": "role", "content": "You answer."}, map[string]any{"key": "place", "content": "A desert."},
		},
	})
	has(t, "not built", c.query("state"), map[string]any{"phase": "Initializing", "state.session_id": nil})
	completed := outcomes(t, env, env.Namespace.Fx("s1", "InputCompleted"))
	publish(t, env, "s1", "p1", subjects.InputType("prompt"), `{"text":"hi"}`)
	for _, id := range []string{"deferred-context-role", "deferred-context-place", "p1"} {
		has(t, "in order", <-completed, map[string]any{"input_id": id, "terminal_outcome": "Completed"})
	}
	has(t, "built", c.query("state"), map[string]any{
		"phase": "Attached", "state.session_id": "s1", "state.staged_session_phase": "NotStaged",
		"state.input_phases": map[string]any{"deferred-context-role": "Consumed", "deferred-context-place": "Consumed", "p1": "Consumed"},
	})
	has(t, "model", c.query("routing"), map[string]any{"baseline_model": "m2", "provider": "Gemini"})
	has(t, "empty", c.query("deferred"), map[string]any{"phase": "NotStaged", "system_context": []any{}, "llm_identity": nil})
	c.rejected("stage_deferred_session", staged, "ValidationFailed", "")
	stop()
	start(t, env, func(*worker.Config) {})
	has(t, "built, another worker", c.query("state"), map[string]any{"phase": "Attached"})
}

// A promotion has one owner: while it is under way nothing else is taken, and it ends in
// a live session or back in the slot.
func TestAPromotionHasOneOwner(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.rejected("begin_deferred_session_promotion", `{}`, "ValidationFailed", "staged")
	c.applied("stage_deferred_session", staged)
	c.rejected("authorize_deferred_session_machine_archived_resume", `{}`, "ValidationFailed", "promoting")
	has(t, "begun", c.applied("begin_deferred_session_promotion", `{}`), map[string]any{"phase": "Promoting"})
	c.rejected("begin_deferred_session_promotion", `{}`, "ValidationFailed", "staged")
	rejected := outcomes(t, env, env.Namespace.Fx("s1", "InputRejected"))
	publish(t, env, "s1", "p1", subjects.InputType("prompt"), `{"text":"hi"}`)
	has(t, "input", <-rejected, map[string]any{"input_id": "p1", "kind": "NotReady"})
	c.rejected("retire", `{}`, "NotReady", "")
	stop()
	start(t, env, func(*worker.Config) {})
	has(t, "given up", c.applied("abandon_deferred_session_promotion", `{}`), map[string]any{"phase": "Staged"})
	c.applied("begin_deferred_session_promotion", `{}`)
	has(t, "resume", c.applied("authorize_deferred_session_machine_archived_resume", `{}`), map[string]any{"machine_archived_resume_authorized": true})
	has(t, "live", c.applied("finish_deferred_session_promotion", `{}`), map[string]any{"phase": "NotStaged"})
	has(t, "live", c.query("state"), map[string]any{"phase": "Attached", "state.registration_phase": "Active"})
}

// For a mob a staged session is not there until it binds it: that builds it.
func TestAMobBuildsAStagedSessionByBindingIt(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.applied("stage_deferred_session", staged)
	outcome, answer := c.send("retire", `{"session_id":"s1"}`, "mob", "m1")
	if outcome != "CommandRejected" {
		t.Error(outcome)
	}
	has(t, "not there", answer, map[string]any{"kind": "NotFound", "code": "routed_session_not_registered"})
	has(t, "still staged", c.query("deferred"), map[string]any{"phase": "Staged"})
	outcome, answer = c.send("prepare_bindings", `{"session_id":"s1","agent_runtime_id":"rt1","fence_token":1,"generation":1}`, "mob", "m1")
	if outcome != "CommandApplied" {
		t.Error(outcome, answer)
	}
	has(t, "built", c.query("state"), map[string]any{"phase": "Attached", "mob": "m1", "state.active_runtime_id": "rt1", "state.staged_session_phase": "NotStaged"})
	has(t, "model", c.query("routing"), map[string]any{"effective_model": "m1"})
}

// A staged session can be archived or dropped; what comes then finds a new one.
func TestAStagedSessionCanGo(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.applied("stage_deferred_session", staged)
	large := strings.Repeat("x", 40<<10)
	c.applied("authorize_deferred_session_system_context_append", `{"key":"k","content":"`+large+`"}`)
	c.rejected("authorize_deferred_session_system_context_append", `{"key":"l","content":"`+large+`"}`, "InvalidInput", "")
	c.applied("authorize_deferred_session_system_context_append", `{"key":"k","content":"forgotten"}`)
	for i := range 63 {
		c.applied("authorize_deferred_session_system_context_append", fmt.Sprintf(`{"key":"k%d","content":"x"}`, i))
	}
	c.rejected("authorize_deferred_session_system_context_append", `{"key":"l","content":"x"}`, "InvalidInput", "")
	has(t, "closing", c.applied("begin_deferred_session_archive", `{}`), map[string]any{"phase": "Closing"})
	c.rejected("authorize_deferred_session_system_context_append", `{"key":"k","content":"late"}`, "ValidationFailed", "staged")
	has(t, "back", c.applied("restore_deferred_session_archive", `{}`), map[string]any{"phase": "Staged"})
	c.applied("begin_deferred_session_archive", `{}`)
	has(t, "archived", c.applied("finish_deferred_session_archive", `{}`), map[string]any{"phase": "NotStaged", "system_context": []any{}})
	c.applied("stage_deferred_session", staged)
	has(t, "dropped", c.applied("drop_deferred_session", `{}`), map[string]any{"phase": "NotStaged"})
	c.applied("set_silent_intents", `{"intents":[]}`)
	has(t, "new", c.query("state"), map[string]any{"phase": "Attached", "live_inputs": 0, "state.current_session_llm_identity": nil})
	for _, bad := range []struct{ name, data, field string }{
		{"stage_deferred_session", `{}`, "data.llm_identity"},
		{"stage_deferred_session", `{"llm_identity":{"provider":"OpenAI"}}`, "data.llm_identity"},
		{"stage_deferred_session", `{"session_id":"other","llm_identity":{"model":"m","provider":"OpenAI"}}`, "data.session_id"},
		{"update_deferred_session_keep_alive", `{}`, "data.keep_alive"},
		{"update_deferred_session_llm_identity", `{}`, "data.llm_identity"},
		{"authorize_deferred_session_system_context_append", `{"content":"x"}`, "data.key"},
		{"authorize_deferred_session_system_context_append", `{"key":"x"}`, "data.content"},
		{"drop_deferred_session", `{"session":"s1"}`, "data.session"},
	} {
		answer := c.rejected(bad.name, bad.data, "InvalidInput", "")
		if reason, _ := answer["reason"].(string); !strings.HasPrefix(reason, bad.field) {
			t.Errorf("%s %s: the reason is %q, it has to name %s", bad.name, bad.data, reason, bad.field)
		}
	}
}

// The authority over mobs is kept with the session, without its token leaving it.
func TestMobOperatorAuthorityIsKept(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.rejected("grant_mob_operator_manage_mob", `{"mob_id":"m1"}`, "ValidationFailed", "authority_present")
	granted := c.applied("resolve_mob_operator_create_authority",
		`{"request_kind":"Enable","principal_token":"tok-1","caller_provenance":{"caller_session_id":"s0","caller_mob_id":null,"caller_member_id":null},"audit_invocation_id":"inv"}`)
	has(t, "granted", granted, map[string]any{
		"authority_present": true, "can_create_mobs": true, "can_mutate_profiles": true, "managed_mob_scope": []any{},
		"caller_provenance.caller_session_id": "s0", "audit_invocation_id": "inv", "principal_token": nil,
	})
	c.applied("set_mob_operator_profile_mutation", `{"allowed":false}`)
	c.applied("grant_mob_operator_manage_mob", `{"mob_id":"m2"}`)
	c.applied("grant_mob_operator_manage_mob", `{"mob_id":"m1"}`)
	c.applied("set_mob_operator_spawn_profiles_in_mob", `{"mob_id":"m1","profiles":["old"]}`)
	c.applied("set_mob_operator_spawn_profiles_in_mob", `{"mob_id":"m1","profiles":["a","b"]}`)
	stop()
	start(t, env, func(*worker.Config) {})
	has(t, "another worker", c.query("mob_operator"), map[string]any{
		"authority_present": true, "can_create_mobs": true, "can_mutate_profiles": false,
		"managed_mob_scope": []any{"m1", "m2"}, "spawn_profile_scope": map[string]any{"m1": []any{"a", "b"}},
	})
	has(t, "the session itself is not touched", c.query("state"), map[string]any{"phase": "Initializing"})
	has(t, "restricted", c.applied("set_mob_operator_create_authority", `{"allowed":false}`), map[string]any{"can_create_mobs": false})
	has(t, "restored", c.applied("restore_mob_operator_authority", `{"principal_token":"tok-2","can_create_mobs":true,"managed_mob_scope":["m9"]}`),
		map[string]any{"can_create_mobs": true, "can_mutate_profiles": false, "managed_mob_scope": []any{"m9"}, "spawn_profile_scope": map[string]any{}})
	has(t, "taken away", c.applied("resolve_mob_operator_create_authority", `{"request_kind":"Inherit"}`),
		map[string]any{"authority_present": false, "can_create_mobs": false})
	c.rejected("set_mob_operator_create_authority", `{"allowed":true}`, "ValidationFailed", "authority_present")
	for _, bad := range []struct{ name, data, field string }{
		{"resolve_mob_operator_create_authority", `{}`, "data.request_kind"},
		{"resolve_mob_operator_create_authority", `{"request_kind":"Enable"}`, "data.principal_token"},
		{"restore_mob_operator_authority", `{}`, "data.principal_token"},
		{"set_mob_operator_create_authority", `{"allowed":"yes"}`, "data.allowed"},
		{"set_mob_operator_profile_mutation", `{}`, "data.allowed"},
		{"grant_mob_operator_manage_mob", `{}`, "data.mob_id"},
		{"set_mob_operator_spawn_profiles_in_mob", `{"mob_id":"m"}`, "data.profiles"},
	} {
		answer := c.rejected(bad.name, bad.data, "InvalidInput", "")
		if reason, _ := answer["reason"].(string); !strings.HasPrefix(reason, bad.field) {
			t.Errorf("%s %s: the reason is %q, it has to name %s", bad.name, bad.data, reason, bad.field)
		}
	}
	c.applied("register_session", `{}`)
	c.applied("destroy", `{}`)
	c.rejected("resolve_mob_operator_create_authority", `{"request_kind":"Disable"}`, "Destroyed", "")
}
