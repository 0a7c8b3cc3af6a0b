package session

import (
	"fmt"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// The mob seam (chapter 01): a mob asks its members' sessions to bind, to take work, to
// retire and to be destroyed. A routed command names its mob; the answer, like the signals
// of the session, goes to the mob's subjects, on the cursor of everything that leaves the
// session (PROTOCOL 32): each request gets exactly one, whoever owns the session.

// routes are the commands a mob may route, and the fields the composition binds for each
// beside the session's id, which the subject names.
var routes = map[string][]string{
	"prepare_bindings": {"agent_runtime_id", "fence_token", "generation"},
	"ingest":           {"runtime_id", "fence_token", "generation", "work_id", "origin"},
	"retire":           {},
	"destroy":          {},
}

// The consumer error codes that are not the machine's own.
const (
	codeProjectionFailed     = "consumer_projection_failed"
	codeUnsupportedInput     = "meerkat_consumer_surface_unsupported_input"
	codeSessionNotRegistered = "routed_session_not_registered"
	codeRawInternalInput     = "routed_raw_internal_input_rejected"
	codeGuardRejected        = "dsl_guard_rejected"
)

// route checks a command that a mob has routed, before it is carried out; any other passes.
func (s *Session) route(c *command, ev *event.Event) error {
	mob, err := mobOf(s.env.Namespace, ev)
	if err != nil || mob == "" {
		return err
	}
	c.mob = mob
	fields, known := routes[c.name]
	switch {
	case c.name == "interrupt":
		return routeRefusal(rejectInvalid, codeRawInternalInput, "an interrupt does not come through the mob seam")
	case !known:
		return routeRefusal(rejectInvalid, codeUnsupportedInput, "the mob seam has no route for "+c.name)
	}
	// Being bound is how a member comes to life. To work for it, to retire or to destroy
	// it, it must be there, and not just as the trace of something it refused.
	st := s.kernel.State()
	binds, unborn := c.name == "prepare_bindings", st.LifecyclePhase == kernel.Initializing
	if !binds && (unborn || !s.ledger.Met) || !unborn && st.SessionID.IsNone() {
		return routeRefusal(rejectNotFound, codeSessionNotRegistered, "the session is not registered")
	}
	var given map[string]jsontext.Value
	if err := json.Unmarshal(c.data, &given); err != nil {
		return routeRefusal(rejectInvalid, codeProjectionFailed, "data: is not a JSON object")
	}
	for _, name := range fields {
		if v, ok := given[name]; !ok || v.Kind() == 'n' {
			return routeRefusal(rejectInvalid, codeProjectionFailed, "data."+name+": is missing, the route binds it")
		}
	}
	if v, ok := given["runtime_epoch_id"]; ok && v.Kind() != 'n' {
		return routeRefusal(rejectInvalid, codeProjectionFailed, "data.runtime_epoch_id: the route does not carry it")
	}
	return nil
}

func routeRefusal(kind, code, reason string) *refusal {
	return &refusal{kind: kind, code: code, reason: reason}
}

// consumerCode is how the seam spells a refusal.
func consumerCode(r *refusal, field *FieldError) string {
	switch {
	case field != nil:
		return codeProjectionFailed
	case r == nil || r.code == "":
		return codeGuardRejected // refused on the machine's behalf
	default:
		return r.code
	}
}

// mobOf is the mob a routed command comes from: the extension "mob", or the mob of a
// source /kalahari/<ns>/mobs/<mob>. If both are given they must agree: an answer goes to
// one mob.
func mobOf(ns subjects.Namespace, ev *event.Event) (string, error) {
	mob := extension(ev, "mob")
	source, ok := strings.CutPrefix(ev.Source(), "/kalahari/"+ns.Name()+"/mobs/")
	switch {
	case !ok:
	case mob == "":
		mob = source
	case mob != source:
		return "", &FieldError{"mob", fmt.Sprintf("%q is not the mob %q of the source", mob, source)}
	}
	if mob == "" {
		return "", nil
	}
	if err := subjects.CheckToken("mob", mob); err != nil {
		return "", &FieldError{"mob", err.Error()}
	}
	return mob, nil
}
