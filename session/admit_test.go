package session_test

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// An event that has been admitted is known by its id, whatever data it is repeated with. If it
// were refused for them, there would be two outcomes under one id.
func TestARepeatWithOtherDataIsNotRefused(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(*worker.Config) {})
	f := follow(t, env, env.Namespace.FxSession("s"))
	publish(t, env, "s", "e", subjects.InputType("prompt"), `{"text":"x"}`)
	f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" })
	others := []string{`no JSON`, `{"nothing":1}`, `{"text":1}`, strings.Repeat("[", 2*subjects.MaxDepth) + strings.Repeat("]", 2*subjects.MaxDepth)}
	for _, data := range others {
		publish(t, env, "s", "e", subjects.InputType("prompt"), data)
	}
	publish(t, env, "s", "e", subjects.InputType("prompt"), "", "dataref", "cat.png")
	publish(t, env, "s", "e", subjects.InputType("unheard_of"), `{}`)
	publish(t, env, "s", "last", subjects.InputType("prompt"), `{"text":"x"}`)
	f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "last" })
	if refused, known := f.of("s", "InputRejected"), f.of("s", "InputDeduplicated"); len(refused) > 0 || len(known) != len(others)+2 {
		t.Errorf("%d repeats were answered as such, refused were %v", len(known), refused)
	}
}

// In structured mode a producer may write a key as a number, and is understood as in binary
// mode, where there are only texts.
func TestAnExtensionMayBeANumber(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(*worker.Config) {})
	f := follow(t, env, env.Namespace.FxSession("s"))
	publish(t, env, "s", "text", subjects.InputType("prompt"), `{"text":"x"}`, "idempotencykey", "7")
	for _, event := range []string{
		`"id":"number","idempotencykey":7`,
		`"id":"lane","lane":7`,
	} {
		_, err := env.JS.PublishMsg(t.Context(), &nats.Msg{
			Subject: env.Namespace.In("s"), Header: nats.Header{"Content-Type": {subjects.MediaStructured}},
			Data: []byte(`{"specversion":"1.0","source":"/test","type":"` + subjects.InputType("prompt") + `",` + event + `,"data":{"text":"x"}}`),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	known := f.await("s", "answer", func(h *happening) bool { return h.Cause == "number" })
	if known.Name != "InputDeduplicated" || known.field("existing_input_id") != "text" {
		t.Errorf("the same key as a number: %s %v", known.Name, known.Data)
	}
	refused := f.await("s", "answer", func(h *happening) bool { return h.Cause == "lane" })
	if refused.Name != "InputRejected" || !strings.Contains(refused.field("reason"), "lane") {
		t.Errorf("a lane that is a number: %s %v", refused.Name, refused.Data)
	}
}
