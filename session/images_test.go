package session_test

import (
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/worker"
)

// An image operation that holds the session's model (chapter 05, worked example 4), over
// the loss of its worker.
func TestAnImageOperationHoldsTheModel(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	one, two := `{"operation_id":"`+first+`"`, `{"operation_id":"`+second+`"`
	begin := `,"target_model":"img","requires_scoped_override":true}`
	c.rejected("begin_image_operation", one+begin, "Internal", "operation_in_operation_conflict")
	c.applied("configure_model_routing_baseline", `{"baseline_model":"m0"}`)
	has(t, "begun", c.applied("begin_image_operation", one+begin), map[string]any{"result": "Accepted", "phase": "PlanResolved"})
	c.rejected("complete_image_operation", one+`,"terminal":"Generated"}`, "Internal", "operation_active")
	c.rejected("activate_image_operation_override", two+`}`, "Internal", "operation_plan_resolved")
	has(t, "active", c.applied("activate_image_operation_override", one+`}`), map[string]any{"phase": "ScopedOverrideActive"})
	has(t, "conflict", c.applied("begin_image_operation", two+begin),
		map[string]any{"result": "Denied", "phase": "Terminal", "reason": "ScopedOverrideConflict"})

	stop()
	stop = start(t, env, func(*worker.Config) {})
	has(t, "held, another worker", c.query("routing"), map[string]any{
		"effective_model": "img", "active_operation_override.operation_id": first, "topology_epoch": 2,
	})
	c.rejected("restore_image_operation_override", one+`}`, "Internal", "")
	has(t, "classified", c.applied("classify_image_operation_terminal",
		one+`,"observation":"ProviderHttpError","http_status_code":504,"error_code":"GeminiSafety","provider_text":"Captured"}`),
		map[string]any{"terminal": "Timeout", "provider_text": "Captured"})
	c.rejected("complete_image_operation", one+`,"terminal":"Failed"}`, "Internal", "terminal_classified")
	has(t, "completed", c.applied("complete_image_operation", one+`,"terminal":"Timeout","terminal_payload":{"after_ms":7}}`),
		map[string]any{"phase": "RestoringScopedOverride"})
	has(t, "restored", c.applied("restore_image_operation_override", one+`}`), map[string]any{"phase": "Terminal"})
	c.rejected("restore_image_operation_override", one+`}`, "Internal", "")

	stop()
	start(t, env, func(*worker.Config) {})
	has(t, "given back", c.query("routing"), map[string]any{"effective_model": "m0", "active_operation_override": nil, "topology_epoch": 3})
	has(t, "recorded", c.query("state"), map[string]any{
		"state.model_routing_image_terminals":         map[string]any{first: "Timeout", second: "Denied"},
		"state.model_routing_image_terminal_payloads": map[string]any{first: `{"after_ms":7,"terminal":"timeout"}`},
	})
}

func TestAnImageOperationWithoutOverride(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(*worker.Config) {})
	c := command(t, env, "s1")
	c.applied("configure_model_routing_baseline", `{"baseline_model":"m0"}`)
	id := `{"operation_id":"` + first + `"`
	has(t, "begun", c.applied("begin_image_operation", id+`,"target_model":"img","approval":"Approved"}`), map[string]any{"result": "Accepted"})
	c.rejected("activate_image_operation_override", id+`}`, "Internal", "operation_requires_scoped_override")
	has(t, "classified", c.applied("classify_image_operation_terminal", id+`,"observation":"Generated"}`), map[string]any{"terminal": "Generated"})
	has(t, "completed", c.applied("complete_image_operation", id+`,"terminal":"Generated"}`), map[string]any{"phase": "Terminal"})

	denied := `{"operation_id":"` + second + `"`
	has(t, "denied", c.applied("deny_image_operation_plan", denied+`,"reason":"CostPolicy"}`), map[string]any{"phase": "Terminal"})
	c.rejected("deny_image_operation_plan", denied+`,"reason":"CostPolicy"}`, "Internal", "operation_not_recorded")
	has(t, "denial", c.query("state"), map[string]any{
		"state.model_routing_image_plan_denials":      map[string]any{second: "CostPolicy"},
		"state.model_routing_image_terminal_payloads": map[string]any{first: `{"terminal":"generated"}`, second: `{"terminal":"denied","reason":{"reason":"cost_policy"}}`},
	})
	has(t, "denied by the user", c.applied("begin_image_operation",
		`{"operation_id":"`+third+`","target_model":"img","approval":"DeniedByUser","approval_reason":"CrossProvider"}`),
		map[string]any{"result": "Denied", "reason": "DeniedDuringApproval", "approval_reason": "CrossProvider"})

	for _, bad := range []struct{ name, data, field string }{
		{"begin_image_operation", `{"operation_id":"o","target_model":"img"}`, "data.operation_id"},
		{"begin_image_operation", id + `}`, "data.target_model"},
		{"deny_image_operation_plan", id + `}`, "data.reason"},
		{"deny_image_operation_plan", id + `,"reason":"Whim"}`, "data.reason"},
		{"activate_image_operation_override", `{}`, "data.operation_id"},
		{"classify_image_operation_terminal", id + `}`, "data.observation"},
		{"classify_image_operation_terminal", id + `,"observation":"Generated","http_status_code":500}`, "data.http_status_code"},
		{"classify_image_operation_terminal", id + `,"observation":"EmptyResult","error_code":"GeminiSafety"}`, "data.error_code"},
		{"classify_image_operation_terminal", id + `,"observation":"EmptyResult","provider_text":"UnsupportedByBackend"}`, "data.provider_text"},
		{"complete_image_operation", id + `}`, "data.terminal"},
		{"complete_image_operation", id + `,"terminal":"Failed","terminal_payload":{"terminal":"generated"}}`, "data.terminal_payload.terminal"},
		{"restore_image_operation_override", `{"operation_id":7}`, "data.operation_id"},
	} {
		answer := c.rejected(bad.name, bad.data, "InvalidInput", "")
		if reason, _ := answer["reason"].(string); !strings.HasPrefix(reason, bad.field) {
			t.Errorf("%s %s: the reason is %q, it has to name %s", bad.name, bad.data, reason, bad.field)
		}
	}
}
