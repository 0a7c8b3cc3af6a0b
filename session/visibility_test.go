package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// differ tells how two states differ.
func differ(was, is any) string { return cmp.Diff(was, is) }

const (
	mcp   = `{"last_seen_provenance":{"kind":"Mcp","source_id":"srv"}}`
	tools = `{"tools":{
		"a":{"provenance":{"kind":"Mcp","source_id":"srv"}},
		"d":{"provenance":{"kind":"Mcp","source_id":"srv"},"deferrable":true},
		"e":{"provenance":{"kind":"Mcp","source_id":"srv"},"deferrable":true},
		"view_image":{"provenance":{"kind":"Builtin","source_id":"host"}}}}`
)

// Filters and deferred tools are staged, and in force from the next turn on (chapter 05,
// worked examples 1 and 2), whichever worker runs it.
func TestToolsAreStagedThenInForce(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	filter := `{"filter":{"Deny":["a"]},"witnesses":{"a":` + mcp + `}}`
	c.rejected("stage_persistent_filter", filter, "Internal", "filter_witnesses_match_machine_catalog")
	has(t, "offered", c.applied("replace_tool_catalogs", tools), map[string]any{"deferred": 2, "filter": 4})
	c.rejected("stage_persistent_filter", `{"filter":{"Deny":["b"]}}`, "Internal", "staged_filter_has_machine_catalog_witnesses")
	has(t, "staged", c.applied("stage_persistent_filter", filter), map[string]any{"staged_visibility_revision": 1})
	has(t, "requested", c.applied("request_deferred_tools", `{"authorities":{"d":`+mcp+`}}`), map[string]any{"staged_visibility_revision": 2})
	has(t, "more", c.applied("request_deferred_tools", `{"authorities":{"e":`+mcp+`}}`), map[string]any{"staged_visibility_revision": 3})
	c.rejected("request_deferred_tools", `{"authorities":{"a":`+mcp+`}}`, "Internal", "deferred_authorities_match_machine_catalog")
	has(t, "not yet", c.query("visibility"), map[string]any{
		"visibility_state.active_filter": "All", "visibility_state.active_revision": 0,
		"visibility_state.staged_requested_deferred_names": []string{"d", "e"},
	})

	stop()
	start(t, env, func(*worker.Config) {})
	publish(t, env, "s1", "p1", subjects.InputType("prompt"), `{"text":"hi"}`)
	settle(t, env, "s1")
	has(t, "in force", c.query("visibility"), map[string]any{
		"visibility_state.active_filter": map[string]any{"Deny": []string{"a"}}, "visibility_state.active_revision": 3,
		"visibility_state.active_requested_deferred_names": []string{"d", "e"},
	})
	// What a filter names stays in the catalog though the host offers nothing any more.
	has(t, "kept", c.applied("replace_tool_catalogs", `{"tools":{}}`), map[string]any{"deferred": 2, "filter": 1})
}

func TestPublishingIsWholeOrNot(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.applied("replace_tool_catalogs", tools)
	both := `"active_filter":{"Allow":["a","d"]},"staged_filter":{"Allow":["a","d"]},"active_revision":5,"staged_revision":5`
	before := c.query("state")["state"]
	// The first input is judged by the witnesses the session has: none.
	c.rejected("publish_committed_visible_set", `{"visibility_state":{`+both+`}}`, "ValidationFailed", "visibility_authority_matches_machine_catalog")
	// This one passes the first input and fails the second: a witness that no tool needs.
	c.rejected("publish_committed_visible_set",
		`{"visibility_state":{"active_revision":5,"staged_revision":5,"requested_witnesses":{"d":`+mcp+`}}}`,
		"Internal", "visibility_state_replacement_matches_fields")
	if diff := differ(before, c.query("state")["state"]); diff != "" {
		t.Errorf("a refused publish changed the session:\n%s", diff)
	}
	deferred := `"active_requested_deferred_names":["d"],"staged_requested_deferred_names":["d"],"requested_witnesses":{"d":` + mcp + `}`
	published := c.applied("publish_committed_visible_set", `{"visibility_state":{"active_revision":5,"staged_revision":5,`+deferred+`}}`)
	has(t, "published", published, map[string]any{
		"visibility_state.active_revision": 5, "visibility_state.active_requested_deferred_names": []string{"d"},
	})
	stop()
	start(t, env, func(*worker.Config) {})
	if diff := cmp.Diff(published, c.query("visibility")); diff != "" {
		t.Errorf("another worker (-published +found):\n%s", diff)
	}
	has(t, "minted on", c.applied("stage_persistent_filter", `{"filter":{"Allow":["a"]},"witnesses":{"a":`+mcp+`}}`),
		map[string]any{"staged_visibility_revision": 6})
	for _, bad := range []struct{ name, data, field string }{
		{"stage_persistent_filter", `{}`, "data.filter"},
		{"stage_persistent_filter", `{"filter":"Some"}`, "data.filter"},
		{"stage_persistent_filter", `{"filter":"All","witnesses":{"a":{"provenance":1}}}`, "data.witnesses"},
		{"request_deferred_tools", `{"authorities":{}}`, "data.authorities"},
		{"publish_committed_visible_set", `{}`, "data.visibility_state"},
		{"publish_committed_visible_set", `{"visibility_state":{"revision":1}}`, "data.visibility_state"},
		{"replace_tool_catalogs", `{}`, "data.tools"},
		{"replace_tool_catalogs", `{"tools":{"a":{}}}`, "data.tools.a.provenance"},
	} {
		answer := c.rejected(bad.name, bad.data, "InvalidInput", "")
		if reason, _ := answer["reason"].(string); !strings.HasPrefix(reason, bad.field) {
			t.Errorf("%s %s: the reason is %q, it has to name %s", bad.name, bad.data, reason, bad.field)
		}
	}
}

// A report that no message could carry is left out of the answer; what comes behind it is
// published all the same, and the query has it all.
func TestALargeReportIsLeftOut(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	var offered, names, seen []string
	for i := range 900 {
		name := fmt.Sprintf(`"%0100d"`, i)
		names = append(names, name)
		seen = append(seen, name+`:`+mcp)
		offered = append(offered, name+`:{"provenance":{"kind":"Mcp","source_id":"srv"},"deferrable":true}`)
	}
	list := func(all []string) string { return strings.Join(all, ",") }
	c.applied("replace_tool_catalogs", `{"tools":{`+list(offered)+`}}`)
	c.applied("stage_persistent_filter", `{"filter":{"Allow":[`+list(names)+`]},"witnesses":{`+list(seen)+`}}`)
	c.applied("request_deferred_tools", `{"authorities":{`+list(seen)+`}}`)
	completed := outcomes(t, env, env.Namespace.Fx("s1", "InputCompleted"))
	publish(t, env, "s1", "p1", subjects.InputType("prompt"), `{"text":"hi"}`)
	<-completed
	report := c.applied("publish_committed_visible_set", `{"visibility_state":{}}`)
	if n, _ := report["omitted_bytes"].(float64); n < 512<<10 || len(report) != 1 {
		t.Errorf("the report: %.200v", report)
	}
	has(t, "behind it", c.applied("stage_persistent_filter", `{"filter":"All"}`), map[string]any{"staged_visibility_revision": 3})
	has(t, "whole", c.query("visibility"), map[string]any{"visibility_state.active_revision": 2, "visibility_state.staged_filter": "All"})
}

// A model that cannot read images in tool results takes view_image away, and the visible
// set gets a new revision (chapter 05, worked example 5).
func TestAnotherModelMayTakeViewImage(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	sees := `{"model":"sees","provider":"Anthropic"}`
	reconfigure := `{"target_identity":{"model":"blind","provider":"SelfHosted","self_hosted_server_id":"lab"},"target_capability_surface":{"supports_thinking":true}`
	c.rejected("reconfigure_session_llm_identity", reconfigure+`}`, "ValidationFailed", "runtime_is_bound")
	c.applied("prepare_bindings", `{"agent_runtime_id":"rt1","fence_token":1,"generation":1}`)
	c.applied("replace_tool_catalogs", tools)
	has(t, "unknown", c.query("capabilities"), map[string]any{"status": "Unresolved", "capabilities": nil, "llm_identity": nil})
	c.applied("hydrate_session_llm_state", `{"current_identity":`+sees+`,"current_capability_surface":{"image_tool_results":true}}`)
	has(t, "known", c.query("capabilities"), map[string]any{"status": "Resolved", "capabilities.image_tool_results": true})
	// A field of the plan stands against what the session would have planned.
	c.rejected("reconfigure_session_llm_identity", reconfigure+`,"previous_identity":{"model":"other"}}`, "ValidationFailed", "previous_identity_matches_current")
	c.rejected("reconfigure_session_llm_identity", reconfigure+`,"next_active_visibility_revision":9}`, "ValidationFailed", "visibility_reconfigure_plan_matches")
	report := c.applied("reconfigure_session_llm_identity", reconfigure+`,"previous_identity":`+sees+`}`)
	has(t, "report", report, map[string]any{
		"previous_identity.model": "sees", "current_identity.model": "blind",
		"committed_visible_set_changed": true, "active_visibility_revision": 1,
		"current_capability_base_filter": map[string]any{"Deny": []string{"view_image"}},
	})
	stop()
	start(t, env, func(*worker.Config) {})
	has(t, "another worker", c.query("capabilities"), map[string]any{
		"llm_identity.model": "blind", "llm_identity.self_hosted_server_id": "lab", "capabilities.supports_thinking": true,
	})
	has(t, "revision", c.query("visibility"), map[string]any{
		"visibility_state.active_revision":        1,
		"visibility_state.capability_base_filter": map[string]any{"Deny": []string{"view_image"}},
	})
	for _, bad := range []struct{ name, data, field string }{
		{"reconfigure_session_llm_identity", `{"target_capability_surface":{}}`, "data.target_identity"},
		{"reconfigure_session_llm_identity", `{"target_identity":{"model":"m"},"target_capability_surface":{}}`, "data.target_identity"},
		{"reconfigure_session_llm_identity", `{"target_identity":` + sees + `}`, "data.target_capability_surface"},
		{"reconfigure_session_llm_identity", reconfigure + `,"next_identity":1}`, "data"},
		{"hydrate_session_llm_state", `{"current_identity":{"provider":"Other"}}`, "data.current_identity"},
		{"hydrate_session_llm_state", `{}`, "data.current_identity"},
	} {
		answer := c.rejected(bad.name, bad.data, "InvalidInput", "")
		if reason, _ := answer["reason"].(string); !strings.HasPrefix(reason, bad.field) {
			t.Errorf("%s %s: the reason is %q, it has to name %s", bad.name, bad.data, reason, bad.field)
		}
	}
	c.applied("stop_runtime_executor", `{"reason":"test"}`)
	c.rejected("reconfigure_session_llm_identity", reconfigure+`}`, "NotReady", "")
}
