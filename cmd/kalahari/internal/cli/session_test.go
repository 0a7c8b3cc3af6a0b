package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/cmd/kalahari/internal/cli"
)

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
