package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/cmd/internal/fleet"
	"github.com/kalahari-run/kalahari/cmd/kalahari/internal/cli"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
)

// hosted is a namespace with one worker, whose executor is the echo.
func hosted(t *testing.T) cli.Target {
	t.Helper()
	env := embeddedtest.Provisioned(t, "default", 1, embeddedtest.Listening())
	host(t, env)
	return at(env)
}

// host starts a worker for env, and waits until it serves.
func host(t *testing.T, env *embeddedtest.Env) {
	t.Helper()
	w, err := fleet.Worker{
		Capacity: 100, HibernateAfter: time.Minute, DrainTimeout: time.Millisecond, StuckAfter: time.Minute,
		LeaseTTL: 30 * time.Second, Heartbeat: 3 * time.Second, SelfFence: 20 * time.Second,
	}.Build(fleet.Member{
		Conn: env.Conn, Namespace: env.Namespace, Settings: env.Settings, Name: "w1", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	running := fleet.Start(context.WithoutCancel(t.Context()), w)
	t.Cleanup(func() {
		if err := running.Stop(); err != nil {
			t.Errorf("worker: %v", err)
		}
	})
	for w.Ready() != nil {
		time.Sleep(5 * time.Millisecond)
	}
}

// at is where a command finds env.
func at(env *embeddedtest.Env) cli.Target {
	var target cli.Target
	target.NATS.Server, target.Namespace.Namespace = env.Server.ClientURL(), env.Namespace.Name()
	return target
}

// output is what a command prints.
func output(t *testing.T, command interface{ Run(*cli.Env) error }, asJSON bool) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := command.Run(&cli.Env{Context: t.Context(), JSON: asJSON, In: strings.NewReader(""), Out: &out, Err: &out})
	return out.String(), err
}

// What --wait prints is the outcome of the event itself, whatever else its run did, however
// often it was published, and wherever its data and its answer had to go.
func TestPublishWaitsForTheOutcome(t *testing.T) {
	target := hosted(t)
	prompt := cli.Publish{Target: target, Session: "s1", Source: "/test", Wait: true, Timeout: 30 * time.Second}
	with := func(change func(*cli.Publish)) cli.Publish {
		c := prompt
		change(&c)
		return c
	}
	long := strings.Repeat("long ", 64<<10) // 320 KiB: more than a mailbox takes
	for _, test := range []struct {
		name    string
		command cli.Publish
		want    string
	}{
		{"a prompt", with(func(c *cli.Publish) { c.ID, c.Text = "a", "hello" }), "hello\n"},
		{"again", with(func(c *cli.Publish) { c.ID, c.Text = "a", "hello" }), "hello\n"},
		{"again, unheeded", with(func(c *cli.Publish) { c.ID, c.Text, c.Wait = "a", "hello", false }), "event a was stored before, as message 1 of KALAHARI_default_IN_0\n"},
		{"a key", with(func(c *cli.Publish) { c.Text, c.Key = "first", "k" }), "first\n"},
		{"the key again", with(func(c *cli.Publish) { c.Text, c.Key = "second", "k" }), "first\n"},
		{"a request, which the run answers by an action", with(func(c *cli.Publish) {
			c.Kind, c.Data = "peer_request", `{"request_id":"018f4e2a-0000-7000-8000-000000000001","intent":"ask","body":"what"}`
		}), "what\n"},
		{"a long text", with(func(c *cli.Publish) { c.Text = long }), long + "\n"},
		{"a command", with(func(c *cli.Publish) { c.Command = "resume" }), `CommandApplied {"command":"resume","report":{"paused":false,"inputs_waiting":0}}` + "\n"},
	} {
		got, err := output(t, test.command, false)
		if err != nil || got != test.want {
			t.Errorf("%s: %v, got %.200q, want %.200q", test.name, err, got, test.want)
		}
	}
	for _, refused := range []cli.Publish{
		with(func(c *cli.Publish) { c.Data = `[]` }),
		with(func(c *cli.Publish) { c.Command, c.Data = "resume", `{"unknown":1}` }),
	} {
		got, err := output(t, refused, false)
		if !errors.Is(err, cli.ErrSaid) || !strings.Contains(got, "Rejected {") {
			t.Errorf("a refused event: %v, %q", err, got)
		}
	}
}

// As JSON, an answer that went to the object store is in the outcome's data.
func TestPublishPrintsALargeAnswerAsJSON(t *testing.T) {
	long := strings.Repeat("long ", 64<<10)
	got, err := output(t, cli.Publish{Target: hosted(t), Session: "s1", Text: long, Source: "/test", Wait: true, Timeout: 30 * time.Second}, true)
	if err != nil {
		t.Fatal(err)
	}
	var printed struct {
		Session, ID, Type, Stream, Outcome string
		Sequence                           uint64
		Data                               struct {
			TerminalOutcome string `json:"terminal_outcome"`
			Result          struct{ Text string }
		}
	}
	if err := json.Unmarshal([]byte(got), &printed); err != nil {
		t.Fatalf("%v: %.200s", err, got)
	}
	if printed.Outcome != "InputCompleted" || printed.Sequence != 1 || printed.Data.TerminalOutcome != "Completed" || printed.Data.Result.Text != long {
		t.Errorf("got %.300s", got)
	}
}
