//go:build unix

package integration

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/kalahari-run/kalahari/subjects"
)

// call is one command of the catalogue as it is sent: what has to come before it, separated
// by semicolons, its data, and the answer, which is "applied" with the members of the report
// or "rejected" with kind, rule and guard.
type call struct{ before, data, want string }

const (
	anID      = `"3e0c4d0a-0000-4000-8000-000000000001"`
	hydrated  = `hydrate_session_llm_state {"current_identity":{"model":"m1","provider":"OpenAI"},"current_capability_surface":` + aSurface + `}`
	aSurface  = `{"supports_temperature":true,"supports_thinking":false,"supports_reasoning":false,"inline_video":false,"vision":true,"image_input":true,"image_tool_results":true,"supports_web_search":false,"image_generation":false,"realtime":false,"call_timeout_secs":null}`
	aBaseline = `configure_model_routing_baseline {"baseline_model":"m1"}`
	anImage   = aBaseline + `; begin_image_operation {"operation_id":` + anID + `,"target_model":"m2","requires_scoped_override":true}`
	anActive  = anImage + `; activate_image_operation_override {"operation_id":` + anID + `}`
	anEnd     = anActive + `; classify_image_operation_terminal {"operation_id":` + anID + `,"observation":"Generated"}`
	someTools = `replace_tool_catalogs {"tools":{"t":{"provenance":{"kind":"Builtin","source_id":"b"},"deferrable":true}}}`
	aStaged   = `stage_deferred_session {"llm_identity":{"model":"m","provider":"OpenAI"}}`
	aPromoted = aStaged + `; begin_deferred_session_promotion {}`
	anArchive = aStaged + `; begin_deferred_session_archive {}`
	aChild    = `register_operation {"kind":"MobMemberChild","operation_id":"op"}`
	aJob      = `register_operation {"kind":"BackgroundToolOp","operation_id":"op"}`
	aRunning  = aJob + `; start_operation {"operation_id":"op"}`
	anAsk     = `send_request {"to":"somebody","request_id":` + anID + `,"stream":true}`
	aMandate  = `resolve_mob_operator_create_authority {"request_kind":"Enable","principal_token":"p"}`
	aPrompt   = `{"kind":"prompt","data":{"text":"x"}}`
)

var calls = map[string]call{
	"ensure_session_with_executor":         {"", "{}", "applied"},
	"register_session":                     {"", "{}", "applied"},
	"unregister_session":                   {"register_session {}", "{}", "applied durability inputs_abandoned"},
	"set_silent_intents":                   {"", `{"intents":["a"]}`, "applied"},
	"cancel_after_boundary":                {"", `{"reason":"r"}`, "applied"},
	"stop_runtime_executor":                {"", `{"reason":"r"}`, "applied inputs_abandoned phase"},
	"commit_service_turn_terminal_receipt": {"", "{}", "rejected Internal"},
	"contains_session":                     {"", "{}", "applied contains"},
	"session_has_executor":                 {"", "{}", "applied has_executor"},
	"session_has_comms":                    {"", "{}", "applied has_comms"},
	"ops_lifecycle_registry":               {"", `{"after":0}`, "applied active completions cursors epoch operations watermark"},
	"prepare_bindings":                     {"", `{"agent_runtime_id":"rt","fence_token":7,"generation":1}`, "applied agent_runtime_id epoch_id fence_token generation runtime_epoch_id runtime_id session_id"},
	"prepare_local_session_bindings":       {"", "{}", "applied agent_runtime_id epoch_id fence_token generation runtime_epoch_id runtime_id session_id"},
	"input_state":                          {"register_session {}", `{"input_id":"nobody"}`, "applied input"},
	"list_active_inputs":                   {"register_session {}", "{}", "applied input_ids"},
	"reconfigure_session_llm_identity":     {"ensure_session_with_executor {}; prepare_bindings {}; " + hydrated, `{"target_identity":{"model":"m2","provider":"OpenAI"},"target_capability_surface":` + aSurface + "}", "applied active_visibility_revision capability_changed committed_visible_set_changed current_capability_base_filter current_capability_surface current_identity previous_capability_base_filter previous_capability_surface previous_identity revision_bumped"},
	"stage_persistent_filter":              {someTools, `{"filter":{"Deny":["t"]},"witnesses":{"t":{"last_seen_provenance":{"kind":"Builtin","source_id":"b"}}}}`, "applied staged_visibility_revision"},
	"request_deferred_tools":               {someTools, `{"authorities":{"t":{"last_seen_provenance":{"kind":"Builtin","source_id":"b"}}}}`, "applied staged_visibility_revision"},
	"publish_committed_visible_set":        {"register_session {}", `{"visibility_state":{"active_revision":0}}`, "applied visibility_state"},
	"set_peer_ingress_context":             {"register_session {}", `{"keep_alive":true,"comms_runtime_id":"c"}`, "applied spawned"},
	"notify_drain_exited":                  {`register_session {}; set_peer_ingress_context {"keep_alive":true,"comms_runtime_id":"c"}`, `{"reason":"Failed"}`, "applied"},
	"abort_all":                            {"", "{}", "applied"},
	"abort":                                {"", "{}", "applied"},
	"wait":                                 {"abort {}", "{}", "applied drain_phase"},
	"ingest":                               {"prepare_bindings {}", `{"work_id":"w","input":` + aPrompt + "}", "applied input_id lane outcome plan signal work_id"},
	"publish_event":                        {"", `{"kind":"Topology"}`, "applied"},
	"retire":                               {"", "{}", "applied inputs_abandoned inputs_pending_drain"},
	"recycle":                              {"", "{}", "applied inputs_transferred"},
	"reset":                                {"", "{}", "applied inputs_abandoned"},
	"recover":                              {"", "{}", "applied details inputs_abandoned inputs_recovered inputs_requeued"},
	"destroy":                              {"", "{}", "applied inputs_abandoned"},
	"runtime_state":                        {"register_session {}", "{}", "applied raw_phase runtime_id runtime_state"},
	"resolved_session_llm_capabilities":    {"prepare_bindings {}; " + hydrated, "{}", "applied capabilities llm_identity status"},
	"configure_model_routing_baseline":     {"", `{"baseline_model":"m1"}`, "applied"},
	"session_model_routing_status":         {aBaseline, "{}", "applied active_finite_override active_operation_override baseline_model baseline_realtime effective_model pending_switch provider topology_epoch"},
	"request_switch_turn":                  {aBaseline, `{"request_id":` + anID + `,"target_model":"m2","turns":1}`, "applied result"},
	"admit_model_routing_assistant_turn":   {aBaseline + `; request_switch_turn {"request_id":` + anID + `,"target_model":"m2","turns":1}`, "{}", "applied"},
	"begin_image_operation":                {aBaseline, `{"operation_id":` + anID + `,"target_model":"m2","requires_scoped_override":true}`, "applied phase result"},
	"deny_image_operation_plan":            {aBaseline, `{"operation_id":` + anID + `,"reason":"CostPolicy"}`, "applied phase"},
	"activate_image_operation_override":    {anImage, `{"operation_id":` + anID + "}", "applied phase"},
	"classify_image_operation_terminal":    {anActive, `{"operation_id":` + anID + `,"observation":"Generated"}`, "applied operation_id provider_text terminal"},
	"complete_image_operation":             {anEnd, `{"operation_id":` + anID + `,"terminal":"Generated"}`, "applied phase"},
	"restore_image_operation_override":     {anEnd + `; complete_image_operation {"operation_id":` + anID + `,"terminal":"Generated"}`, `{"operation_id":` + anID + "}", "applied phase"},
	"load_boundary_receipt":                {"register_session {}", `{"run_id":"r","sequence":0}`, "applied receipt"},
	"accept_with_completion":               {"", `{"input":` + aPrompt + "}", "applied completion input_id lane outcome plan signal"},
	"accept_without_wake":                  {"", `{"input":` + aPrompt + "}", "applied input_id lane outcome plan signal"},
	"interrupt":                            {"register_session {}", "{}", "applied observation result"},
	"pause":                                {"", `{"reason":"r"}`, "applied hold inputs_waiting paused"},
	"resume":                               {"pause {}", "{}", "applied inputs_waiting paused"},
	"hydrate_session_llm_state":            {"prepare_bindings {}", `{"current_identity":{"model":"m1","provider":"OpenAI"}}`, "applied"},
	"replace_tool_catalogs":                {"", `{"tools":{"t":{"provenance":{"kind":"Builtin","source_id":"b"}}}}`, "applied deferred filter"},
	"send_message":                         {"", `{"to":"somebody","body":"hello"}`, "applied request_id to"},
	"send_request":                         {"", `{"to":"somebody","request_id":` + anID + `,"stream":true}`, "applied deadline request_id to"},
	"send_response":                        {"register_session {}", `{"request_id":` + anID + `,"status":"Completed"}`, "rejected ValidationFailed PeerResponseReplied inbound_exists"},
	"attach_interaction_stream":            {anAsk, `{"request_id":` + anID + "}", "applied"},
	"close_interaction_stream":             {anAsk + `; attach_interaction_stream {"request_id":` + anID + "}", `{"request_id":` + anID + "}", "applied"},
	"register_operation":                   {"", `{"kind":"BackgroundToolOp","operation_id":"op"}`, "applied epoch operation_id status"},
	"start_operation":                      {aJob, `{"operation_id":"op"}`, "applied epoch operation_id status"},
	"report_operation_progress":            {aRunning, `{"operation_id":"op","message":"m"}`, "applied epoch operation_id status"},
	"announce_operation_peer":              {aChild + `; start_operation {"operation_id":"op"}`, `{"operation_id":"op"}`, "applied epoch operation_id status"},
	"complete_operation":                   {aRunning, `{"operation_id":"op","content":"c"}`, "applied epoch operation_id seq status"},
	"fail_operation":                       {aRunning, `{"operation_id":"op","error":"e"}`, "applied epoch operation_id seq status"},
	"cancel_operation":                     {aRunning, `{"operation_id":"op"}`, "applied epoch operation_id seq status"},
	"abort_operation":                      {aJob, `{"operation_id":"op"}`, "applied epoch operation_id seq status"},
	"retire_operation":                     {aChild + `; start_operation {"operation_id":"op"}`, `{"operation_id":"op"}`, "applied epoch operation_id status"},
	"finish_operation_retirement":          {aChild + `; start_operation {"operation_id":"op"}; retire_operation {"operation_id":"op"}`, `{"operation_id":"op"}`, "applied epoch operation_id seq status"},
	"terminate_operations":                 {aRunning, "{}", "applied terminated"},
	"collect_operations":                   {aRunning + `; complete_operation {"operation_id":"op"}`, "{}", "applied collected"},
	"wait_all":                             {aRunning + `; complete_operation {"operation_id":"op"}`, `{"run_id":"r","operation_ids":["op"]}`, "applied outcomes wait_request_id"},
	"cancel_wait_all":                      {aRunning, "{}", "rejected ValidationFailed CancelWaitAll wait_is_active"},
	"advance_completion_cursor":            {aRunning + `; complete_operation {"operation_id":"op"}`, `{"consumer":"agent","cursor":1}`, "applied agent_applied runtime_injected runtime_observed"},
	"stage_deferred_session":               {"", `{"llm_identity":{"model":"m","provider":"OpenAI"}}`, "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"update_deferred_session_keep_alive":   {aStaged, `{"keep_alive":false}`, "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"update_deferred_session_llm_identity": {aStaged, `{"llm_identity":{"model":"m2","provider":"OpenAI"}}`, "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"authorize_deferred_session_system_context_append":   {aStaged, `{"key":"k","content":"c"}`, "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"begin_deferred_session_promotion":                   {aStaged, "{}", "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"authorize_deferred_session_machine_archived_resume": {aPromoted, "{}", "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"abandon_deferred_session_promotion":                 {aPromoted, "{}", "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"finish_deferred_session_promotion":                  {aPromoted, "{}", "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"begin_deferred_session_archive":                     {aStaged, "{}", "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"restore_deferred_session_archive":                   {anArchive, "{}", "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"finish_deferred_session_archive":                    {anArchive, "{}", "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"drop_deferred_session":                              {aStaged, "{}", "applied keep_alive llm_identity machine_archived_resume_authorized phase system_context"},
	"resolve_mob_operator_create_authority":              {"", `{"request_kind":"Enable","principal_token":"p"}`, "applied audit_invocation_id authority_present caller_provenance can_create_mobs can_mutate_profiles managed_mob_scope spawn_profile_scope"},
	"restore_mob_operator_authority":                     {"", `{"principal_token":"p","spawn_profile_scope":{"m":["p"]}}`, "applied audit_invocation_id authority_present caller_provenance can_create_mobs can_mutate_profiles managed_mob_scope spawn_profile_scope"},
	"set_mob_operator_create_authority":                  {aMandate, `{"allowed":true}`, "applied audit_invocation_id authority_present caller_provenance can_create_mobs can_mutate_profiles managed_mob_scope spawn_profile_scope"},
	"set_mob_operator_profile_mutation":                  {aMandate, `{"allowed":true}`, "applied audit_invocation_id authority_present caller_provenance can_create_mobs can_mutate_profiles managed_mob_scope spawn_profile_scope"},
	"grant_mob_operator_manage_mob":                      {aMandate, `{"mob_id":"m"}`, "applied audit_invocation_id authority_present caller_provenance can_create_mobs can_mutate_profiles managed_mob_scope spawn_profile_scope"},
	"set_mob_operator_spawn_profiles_in_mob":             {aMandate + `; grant_mob_operator_manage_mob {"mob_id":"m"}`, `{"mob_id":"m","profiles":["p"]}`, "applied audit_invocation_id authority_present caller_provenance can_create_mobs can_mutate_profiles managed_mob_scope spawn_profile_scope"},
}

// Every command of the catalogue, sent through every door to a fleet of two workers and a
// gateway, is answered once: carried out with its report, or refused with kind and reason.
// A field that is not its own, one that is missing and another session's id are refused by
// name, on every command; the same event again is not carried out again; and a destroyed
// session answers too.
func TestEveryCommandIsAnswered(t *testing.T) {
	t.Parallel()
	w := begin(t, 4, subjects.Settings{})
	a, b := w.worker("a"), w.worker("b")
	w.ready(a, b)
	_, url := w.gateway(nil)
	taken := schemas(t)

	// sent are the commands by session and event id, and what is to be answered.
	type sent struct{ session, id, name, want string }
	var all []sent
	n := 0
	send := func(door, session, name, data, want string) event.Event {
		t.Helper()
		n++
		ev := command(fmt.Sprint("c", n), name, data)
		all = append(all, sent{session, ev.ID(), name, want})
		if door != "http" {
			subject := w.ns.In(session)
			if door == "ctl" {
				subject = w.ns.Ctl(session)
			}
			if _, err := w.js.PublishMsg(t.Context(), w.message(subject, session, ev)); err != nil {
				t.Fatal(err)
			}
			return ev
		}
		body, err := json.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
			fmt.Sprintf("%s/v1/namespaces/%s/sessions/%s/events", url, w.ns.Name(), session), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", event.ApplicationCloudEventsJSON)
		req.Header.Set("Prefer", "wait=20")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		status := http.StatusConflict
		if strings.HasPrefix(want, "applied") {
			status = http.StatusOK
		}
		if err != nil || want != "" && resp.StatusCode != status {
			t.Errorf("%s %s over HTTP: %d %s %v, want %d", name, data, resp.StatusCode, answer, err, status)
		}
		return ev
	}
	for _, c := range subjects.Catalogue() {
		name, ok := subjects.ParseCommandType(c.Type)
		if !ok {
			continue
		}
		call, known := calls[name]
		if !known {
			t.Errorf("%s is not in the table", name)
			continue
		}
		var data map[string]any
		if err := json.Unmarshal([]byte(call.data), &data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := taken[c.Type].Validate(data); err != nil {
			t.Errorf("%s: its schema refuses %s: %v", name, call.data, err)
		}
		prepare := func(session string) {
			t.Helper()
			for _, step := range strings.Split(call.before, "; ") {
				if before, data, ok := strings.Cut(step, " "); ok {
					send("in", session, before, data, "applied ~")
				}
			}
		}
		// What is refused before it is looked at, on a session of its own.
		wrong := "wrong-" + name
		prepare(wrong)
		without := func(field string, more map[string]any) string {
			rest := maps.Clone(data)
			delete(rest, field)
			maps.Copy(rest, more)
			text, err := json.Marshal(rest)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		send("ctl", wrong, name, without("", map[string]any{"nobodys": 1}), "rejected InvalidInput data.nobodys")
		send("in", wrong, name, without("", map[string]any{"session_id": "other"}), "rejected InvalidInput session_id")
		for _, f := range c.Data {
			if !f.Optional {
				send("in", wrong, name, without(f.Name, nil), "rejected InvalidInput "+f.Name)
			}
		}
		for _, door := range []string{"in", "ctl", "http"} {
			session := door + "-" + name
			prepare(session)
			ev := send(door, session, name, call.data, call.want)
			// Again, under another message id, so that the stream keeps it.
			m := w.message(w.ns.In(session), session, ev)
			m.Header.Set("Nats-Msg-Id", "again-"+session)
			if _, err := w.js.PublishMsg(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			send("in", session, "destroy", `{}`, "")
			send(door, session, name, call.data, "")
		}
	}
	h := w.follow()
	answered := func() (missing []string) {
		for _, s := range all {
			if !slices.ContainsFunc(h.facts(s.session, "CommandApplied", "CommandRejected"), func(f fact) bool { return f.Cause == s.id }) {
				missing = append(missing, s.session+": "+s.name)
			}
		}
		return missing
	}
	w.until(time.Minute, "everything is answered", func() bool { return len(answered()) == 0 })
	for _, s := range all {
		var answers []fact
		for _, f := range h.facts(s.session, "CommandApplied", "CommandRejected") {
			if f.Cause == s.id {
				answers = append(answers, f)
			}
		}
		if len(answers) != 1 || answers[0].Fields.Command != s.name {
			t.Errorf("%s: %d answers to %s", s.session, len(answers), s.name)
			continue
		}
		got, text := answer(t, answers[0])
		switch want := s.want; {
		case want == "": // of a session that is destroyed: only that it is answered
		case want == "applied ~": // whatever its report
			if !strings.HasPrefix(got, "applied") {
				t.Errorf("%s: %s: %s", s.session, s.name, text)
			}
		case strings.HasPrefix(want, "rejected InvalidInput "):
			field := strings.TrimPrefix(want, "rejected InvalidInput ")
			if !strings.HasPrefix(got, "rejected InvalidInput") || !strings.Contains(text, field) {
				t.Errorf("%s: %s: %s, want %s", s.session, s.name, text, want)
			}
		case got != want:
			t.Errorf("%s: %s: got %q, want %q: %s", s.session, s.name, got, want, text)
		}
	}
}

// answer is an answer as the table has it.
func answer(t *testing.T, f fact) (short, whole string) {
	t.Helper()
	var data struct {
		Report       map[string]any
		Kind, Reason string
		Rule, Guard  string
	}
	if err := json.Unmarshal(f.Data, &data); err != nil {
		t.Fatal(err)
	}
	if f.Name == "CommandApplied" {
		return strings.Join(append([]string{"applied"}, slices.Sorted(maps.Keys(data.Report))...), " "), string(f.Data)
	}
	if data.Kind == "" || data.Reason == "" {
		t.Errorf("a refusal without kind or reason: %s", f.Data)
	}
	return strings.TrimSpace(fmt.Sprintf("rejected %s %s %s", data.Kind, data.Rule, data.Guard)), string(f.Data)
}
