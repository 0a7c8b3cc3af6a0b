package kernel_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/kernel"
)

// A line that FORMAT does not allow is answered by an error that names what is wrong with
// it, leaves the machine alone, and the lines after it are answered as if it were not there.
func TestBadLines(t *testing.T) {
	const before = `{"signal":"Initialize","fields":{}}`
	const after = `{"input":"RegisterSession","fields":{"session_id":"s"}}`
	const registered = `{"ok":true,"transition":"RegisterSessionIdle","from":"Idle","to":"Idle","effects":[],"changed":{"session_id":"s"}}`
	for _, c := range []struct{ line, wants string }{
		// Fields that are missing, unknown, of another type, or null without being optional.
		{`{"input":"RegisterSession"}`, "session_id"},
		{`{"input":"RegisterSession","fields":{}}`, "missing field session_id"},
		{`{"input":"Prepare","fields":{"run_id":"r"}}`, "missing field session_id"},
		{`{"input":"BeginUnregisterSession","fields":{"session_id":"s","agent_runtime_id":null,"fence_token":null,"generation":null}}`, "missing field runtime_epoch_id"},
		{`{"input":"RegisterSession","fields":{"session_id":"s","bogus":1}}`, "unknown field bogus"},
		{`{"input":"RegisterSession","fields":{"session_id":"s","session_id":"t"}}`, "session_id"},
		{`{"input":"RegisterSession","fields":{"session_id":5}}`, "field session_id: number is no SessionId"},
		{`{"input":"RegisterSession","fields":{"session_id":null}}`, "null is no value of field session_id"},
		{`{"input":"RegisterSession","fields":null}`, "null"},
		{`{"input":"RegisterSession","fields":[]}`, "RegisterSession"},
		{`{"input":"AcceptWithCompletion","fields":{"input_id":"i","request_immediate_processing":null,"interrupt_yielding":false,"wake_if_idle":false}}`, "request_immediate_processing"},
		{`{"input":"PublishEvent","fields":{"kind":null}}`, "kind"},
		{`{"input":"PublishEvent","fields":{"kind":"Nothing"}}`, "Nothing"},
		{`{"input":"SetSilentIntents","fields":{"session_id":"s","intents":null}}`, "intents"},
		{`{"input":"SetSilentIntents","fields":{"session_id":"s","intents":["a",null]}}`, "null is no value of field intents/1"},
		{`{"input":"SetSilentIntents","fields":{"session_id":"s","intents":["a",1]}}`, "field intents/1: number is no string"},
		{`{"input":"SetSilentIntents","fields":{"session_id":"s","intents":{}}}`, "field intents: object is no array"},
		{`{"input":"UpdateDeferredSessionLlmIdentity","fields":{"session_id":"s","llm_identity":{"model":"m","self_hosted_server_id":null,"provider_params_repr":null,"auth_binding":null}}}`, "missing field provider of llm_identity"},
		{`{"input":"UpdateDeferredSessionLlmIdentity","fields":{"session_id":"s","llm_identity":{"model":"m","provider":"OpenAI","self_hosted_server_id":null,"provider_params_repr":null,"auth_binding":{"realm_id":null,"binding_id":"b","profile_id":null}}}}`, "llm_identity/auth_binding/realm_id"},
		{`{"input":"RestoreMobOperatorAuthority","fields":{"principal_token":"p","can_create_mobs":true,"can_mutate_profiles":true,"managed_mob_scope":[],"spawn_profile_scope":{"m":null},"caller_provenance":null,"audit_invocation_id":null}}`, "spawn_profile_scope/m"},
		// Numbers outside of u64, or not written as integers.
		{`{"signal":"BoundaryApplied","fields":{"revision":18446744073709551616}}`, "field revision: 18446744073709551616 is no u64"},
		{`{"signal":"BoundaryApplied","fields":{"revision":-1}}`, "revision"},
		{`{"signal":"BoundaryApplied","fields":{"revision":1.5}}`, "revision"},
		{`{"signal":"BoundaryApplied","fields":{"revision":"1"}}`, "revision"},
		{`{"signal":"BoundaryApplied","fields":{"revision":null}}`, "revision"},
		// Names.
		{`{"input":"Nonsense","fields":{}}`, "Nonsense"},
		{`{"signal":"Nonsense","fields":{}}`, "Nonsense"},
		{`{"signal":"Reset","fields":{}}`, "not a signal"},
		{`{"input":"ForgetRun","fields":{"run_id":"r"}}`, "ForgetRun"},
		// Overlays.
		{`{"state":null}`, "null"},
		{`{"state":[]}`, "state"},
		{`{"state":{"lifecycle_phase":null}}`, "lifecycle_phase"},
		{`{"state":{"lifecycle_phase":"Nowhere"}}`, "Nowhere"},
		{`{"state":{"input_phases":[]}}`, "field input_phases: array is no object"},
		{`{"state":{"session_id":"t","no_such_field":1}}`, "unknown field no_such_field"},
		{`{"state":{"session_id":"t","registration_phase":null}}`, "registration_phase"},
		{`{"state":{"session_id":"t","input_phases":null}}`, "input_phases"},
		{`{"state":{"session_id":"t","input_attempt_counts":{"a":null}}}`, "input_attempt_counts/a"},
		{`{"state":{"current_session_capability_base_filter":{"Deny":["a",null]}}}`, "current_session_capability_base_filter"},
		// Lines that are none.
		{`{}`, "exactly one"},
		{`{"reset":false}`, "exactly one"},
		{`{"reset":1}`, "reset"},
		{`{"reset":true,"fields":{}}`, "fields"},
		{`{"input":"Reset","signal":"Initialize"}`, "exactly one"},
		{`{"input":"Reset","field":{}}`, "field"},
		{`{"input":"Reset","fields":{}} {"reset":true}`, "after top-level value"},
		{`["input","Reset"]`, "array is no object"},
		{`null`, "exactly one"},
		{`nonsense`, "invalid"},
	} {
		var out bytes.Buffer
		bad, err := kernel.RunLines(strings.NewReader(before+"\n\n"+c.line+"\n"+after), &out)
		if err != nil {
			t.Fatalf("%s: %v", c.line, err)
		}
		answers := strings.Split(strings.TrimSpace(out.String()), "\n")
		if !bad || len(answers) != 3 {
			t.Errorf("%s: bad %v, answers %q", c.line, bad, answers)
			continue
		}
		said := strings.ReplaceAll(answers[1], `\"`, `"`)
		if !strings.HasPrefix(said, `{"error":"line 3: `) || !strings.Contains(said, c.wants) {
			t.Errorf("%s\nis answered %s\nwhich does not say %s", c.line, answers[1], c.wants)
		}
		if answers[2] != registered {
			t.Errorf("%s: the next line is answered %s", c.line, answers[2])
		}
	}
}

// An overlay replaces what a field held and keeps the others; numbers keep all their bits.
func TestOverlayAndLargeNumbers(t *testing.T) {
	for _, c := range []struct{ lines, wants string }{
		{
			`{"state":{"lifecycle_phase":"Idle","session_id":"s","input_phases":{"a":"Queued","b":"Staged"},"input_lane":{"a":"Queue"}}}
{"state":{"input_phases":{"b":"Staged"},"next_admission_seq":18446744073709551614}}
{"input":"ChangeLane","fields":{"input_id":"a","new_lane":"Steer"}}
{"input":"DeferInputBehindBacklog","fields":{"input_id":"a"}}`,
			`{"state":true}
{"state":true}
{"ok":false,"rejected":true,"kind":"GuardRejected","guards":[{"transition":"ChangeLane","guard":"input_tracked"}]}
{"ok":true,"transition":"DeferInputBehindBacklogIdle","from":"Idle","to":"Idle","effects":[],"changed":{"input_admission_seq":{"a":18446744073709551614},"next_admission_seq":18446744073709551615}}`,
		},
		{
			`{"state":{"lifecycle_phase":"Idle","input_phases":{"a":"Staged"},"input_attempt_counts":{"a":18446744073709551615}}}
{"input":"IncrementAttemptCount","fields":{"input_id":"a"}}
{"input":"IncrementAttemptCount","fields":{"input_id":"b"}}`,
			`{"state":true}
{"ok":true,"transition":"IncrementAttemptCountIdle","from":"Idle","to":"Idle","effects":[],"changed":{}}
{"ok":false,"rejected":true,"kind":"GuardRejected","guards":[{"transition":"IncrementAttemptCount","guard":"input_tracked"}]}`,
		},
		// A record that was there does not shine through the one laid over it.
		{
			`{"state":{"mob_operator_caller_provenance":{"caller_session_id":"s","caller_mob_id":"m","caller_member_id":"x"}}}
{"state":{"mob_operator_caller_provenance":{"caller_session_id":"t"}}}
{"input":"RestoreMobOperatorAuthority","fields":{"principal_token":"p","can_create_mobs":false,"can_mutate_profiles":false,"managed_mob_scope":[],"spawn_profile_scope":{},"caller_provenance":{"caller_session_id":"t","caller_mob_id":null,"caller_member_id":null},"audit_invocation_id":null}}`,
			`{"state":true}
{"state":true}
{"ok":true,"transition":"RestoreMobOperatorAuthority","from":"Initializing","to":"Initializing","effects":[],"changed":{"mob_operator_authority_present":true,"mob_operator_principal_token":"p"}}`,
		},
		{
			`{"state":{"lifecycle_phase":"Attached"}}
{"reset":true}
{"input":"InterruptCurrentRun"}
{"input":"RuntimeState","fields":{"runtime_id":"r"}}`,
			`{"state":true}
{"reset":true}
{"ok":false,"rejected":true,"kind":"GuardRejected","guards":[]}
{"ok":false,"rejected":true,"kind":"NoMatchingTransition","guards":[]}`,
		},
	} {
		var out bytes.Buffer
		bad, err := kernel.RunLines(strings.NewReader(c.lines), &out)
		if got := strings.TrimSpace(out.String()); err != nil || bad || got != c.wants {
			t.Errorf("bad %v, %v\n%s\nis answered\n%s\nand not\n%s", bad, err, c.lines, got, c.wants)
		}
	}
}
