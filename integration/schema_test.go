//go:build unix

package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// schemas are those in docs/schemas, ready to validate.
func schemas(t *testing.T) map[string]*jsonschema.Resolved {
	t.Helper()
	all := map[string]*jsonschema.Resolved{}
	for _, e := range subjects.Catalogue() {
		text, err := os.ReadFile(filepath.Join("../docs/schemas", e.Type+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var s jsonschema.Schema
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatalf("%s: %v", e.Type, err)
		}
		if all[e.Type], err = s.Resolve(nil); err != nil {
			t.Fatalf("%s: %v", e.Type, err)
		}
	}
	return all
}

// leaves tells whether events of a type leave a session: then every member is declared.
func leaves(eventType string) bool {
	_, named := subjects.EventName(eventType)
	return named
}

// What sessions really publish is what the schemas say, and so is what they take.
func TestEventsMatchTheirSchemas(t *testing.T) {
	t.Parallel()
	all := schemas(t)
	seen := map[string]int{}
	check := func(eventType string, data []byte) {
		t.Helper()
		s := all[eventType]
		if s == nil {
			t.Errorf("%s has no schema", eventType)
			return
		}
		var v any
		if err := json.Unmarshal(data, &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %s: %v", eventType, data, err)
		}
		members, _ := v.(map[string]any)
		for name := range members {
			if p := s.Schema().Properties; p[name] == nil && leaves(eventType) {
				t.Errorf("%s: the schema does not know the member %q", eventType, name)
			}
		}
		seen[eventType]++
	}
	w := begin(t, 2, subjects.Settings{Published: subjects.PublishAll})
	w.ready(w.worker("a"))
	h := w.follow()
	send := func(session string, ev event.Event) {
		t.Helper()
		check(ev.Type(), ev.Data())
		if _, err := w.js.PublishMsg(t.Context(), w.message(w.ns.In(session), session, ev)); err != nil {
			t.Fatal(err)
		}
	}
	mob := func(ev event.Event) event.Event {
		ev.SetExtension("mob", "m")
		return ev
	}
	const asked = "0b0e7a4e-0f3c-4b62-9d2c-6c7a9f6f0001"
	keyed := func(ev event.Event) event.Event {
		ev.SetExtension(subjects.ExtIdempotencyKey, "k")
		return ev
	}
	send("s", keyed(prompt("p-1", "hello")))
	send("s", keyed(prompt("p-1-again", "hello")))
	send("s", newEvent("p-2", subjects.InputType("prompt"), `{"text":"x","echo":{"fail":9}}`))
	send("s", newEvent("p-3", subjects.InputType("prompt"), `{"text":"x","echo":{"cancel":true}}`))
	send("s", newEvent("bad", subjects.InputType("prompt"), `{"content":[{"type":"image","blob":"sha256:`+strings.Repeat("0", 64)+`"}]}`))
	send("s", command("c-1", "send_message", `{"to":"t","body":"hi"}`))
	send("s", command("c-2", "send_request", `{"to":"t","request_id":"`+asked+`","intent":"ask","body":"well?"}`))
	send("t", command("c-3", "send_response", `{"request_id":"`+asked+`","status":"Completed","body":"well"}`))
	send("s", command("c-4", "register_operation", `{"kind":"BackgroundToolOp","operation_id":"o"}`))
	send("s", command("c-5", "start_operation", `{"operation_id":"o"}`))
	send("s", command("c-6", "complete_operation", `{"operation_id":"o","content":"done"}`))
	send("s", command("c-7", "pause", `{"reason":"lunch"}`))
	send("s", command("c-8", "resume", `{}`))
	send("s", command("c-9", "complete_operation", `{"operation_id":"none"}`))
	send("s", command("c-10", "publish_event", `{"kind":"RunLifecycle"}`))
	send("s", mob(command("c-11", "prepare_bindings", `{"agent_runtime_id":"r","fence_token":1,"generation":1,"session_id":"s"}`)))
	send("s", command("c-12", "retire", `{}`))
	send("s", prompt("late", "too late"))
	send("s", command("c-13", "destroy", `{}`))
	w.until(30*time.Second, "the last command is answered", func() bool {
		for _, f := range h.facts("s", "CommandApplied", "CommandRejected") {
			if f.Cause == "c-13" {
				return true
			}
		}
		return false
	})
	for shard := range w.ns.Shards() {
		err := w.read(w.ns.LogStream(shard), func(m jetstream.Msg) error {
			check(subjects.CommitType, m.Data())
			var body struct {
				Events []struct {
					Type string          `json:"type"`
					Data json.RawMessage `json:"data"`
				} `json:"events"`
			}
			if err := json.Unmarshal(m.Data(), &body); err != nil {
				return err
			}
			for _, e := range body.Events {
				check(e.Type, e.Data)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"InputAccepted", "InputDeduplicated", "InputRejected", "InputStaged", "InputApplied", "InputCompleted", "CommandApplied", "CommandRejected",
		"OperationEnded", "SessionPaused", "SessionResumed",
	} {
		if seen[subjects.OutcomeType(name)] == 0 {
			t.Errorf("no %s was published", name)
		}
	}
	effects := 0
	for eventType := range seen {
		if strings.Contains(eventType, ".effect.") {
			effects++
		}
	}
	if effects < 8 {
		t.Errorf("only %d kinds of effects were published", effects)
	}
	t.Log(fmt.Sprint(len(seen)), "types of", len(all))
}
