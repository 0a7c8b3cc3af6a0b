package cli_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/cmd/kalahari/internal/cli"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

// show returns what session show prints of a session of env, and a worker for it to ask.
func show(t *testing.T, env *embeddedtest.Env) func(session string, asJSON bool) (string, error) {
	t.Helper()
	host(t, env)
	return func(session string, asJSON bool) (string, error) {
		return output(t, cli.Show{Target: at(env), Session: session}, asJSON)
	}
}

// A session whose log does not fold has an owner or none all the same.
func TestShowTellsWhatItCan(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 1, embeddedtest.Listening())
	show := show(t, env)
	if _, err := env.JS.Publish(t.Context(), env.Namespace.Log("s1"), []byte("no commit")); err != nil {
		t.Fatal(err)
	}
	out, err := show("s1", false)
	if !strings.Contains(out, "owner     nobody") || strings.Contains(out, "phase") {
		t.Errorf("shown:\n%s", out)
	}
	if err == nil || !strings.Contains(err.Error(), "query state") || !strings.Contains(err.Error(), "query inputs") {
		t.Errorf("the error is %v", err)
	}
	out, err = show("s1", true)
	var answers map[string]jsontext.Value
	if json.Unmarshal([]byte(out), &answers) != nil || string(answers["state"]) != "null" || !strings.Contains(string(answers["owner"]), `"s1"`) || err == nil {
		t.Errorf("as JSON: %s%v", out, err)
	}
	if out, err := show("nobody", false); out != "" || err == nil || err.Error() != "session nobody: there is no such session" {
		t.Errorf("a session that is not there: %s%v", out, err)
	}
}

// Of inputs that no message could carry it shows the first, and says that there are more.
func TestShowCountsTheInputsItWasNotTold(t *testing.T) {
	const inputs = 1000
	env := embeddedtest.Provisioned(t, "default", 1, embeddedtest.Listening(), embeddedtest.With(func(o *embedded.Options) { o.MaxPayload = 320 << 10 }))
	accepted, err := env.Conn.SubscribeSync(env.Namespace.Fx("s1", "InputAccepted"))
	if err != nil {
		t.Fatal(err)
	}
	show := show(t, env)
	publish := func(id, eventType, data string) {
		if _, err := env.JS.PublishMsgAsync(&nats.Msg{
			Subject: env.Namespace.In("s1"), Data: []byte(data),
			Header: nats.Header{"ce-specversion": {"1.0"}, "ce-id": {id}, "ce-source": {"/test"}, "ce-type": {eventType}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	publish("hold", subjects.CommandType("pause"), `{}`)
	for i := range inputs {
		publish(fmt.Sprintf("%0256d", i), subjects.InputType("prompt"), `{"text":"x"}`)
	}
	for range inputs {
		if _, err := accepted.NextMsg(10 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
	out, err := show("s1", false)
	if err != nil {
		t.Fatal(err)
	}
	told := strings.Count(out, "\n"+strings.Repeat("0", 250))
	var more int
	if _, rest, ok := strings.Cut(out, "\nand "); ok {
		_, _ = fmt.Sscanf(rest, "%d more", &more)
	}
	if told == 0 || more == 0 || told+more != inputs || !strings.Contains(out, "oldest input") || !strings.Contains(out, "paused") {
		t.Errorf("%d inputs told, and %d more:\n%.2000s", told, more, out)
	}
}

// The rows of a session stand in the same order each time.
func TestShowHasItsRowsInOrder(t *testing.T) {
	target := hosted(t)
	run := func(command interface{ Run(*cli.Env) error }) string {
		t.Helper()
		out, err := output(t, command, false)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return out
	}
	run(cli.Publish{
		Target: target, Session: "s1", Source: "/kalahari/default/mobs/m1", Command: "prepare_bindings",
		Data: `{"session_id":"s1","agent_runtime_id":"rt1","fence_token":1,"generation":1}`, Wait: true, Timeout: 30 * time.Second,
	})
	run(cli.Publish{
		Target: target, Session: "s1", Source: "/test", Data: `{"text":"x","echo":{"delay":"1h"}}`, Timeout: 30 * time.Second,
	})
	run(cli.Watch{Target: target, Session: "s1", Types: []string{"TurnRunStarted"}, All: true, Count: 1})
	for range 40 { // the order of a map differs one time in eight
		out := run(cli.Show{Target: target, Session: "s1"})
		var names []string
		for line := range strings.Lines(out) {
			name, _, _ := strings.Cut(line, "  ")
			names = append(names, name)
		}
		if got := strings.Join(names, ","); !strings.Contains(got, "created,mob,current run,oldest input") {
			t.Fatalf("%s\n%s", got, out)
		}
	}
}
