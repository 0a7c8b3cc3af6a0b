package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

// commander sends commands to one session and reads their answers, as a program with
// nothing but a NATS connection does.
type commander struct {
	t       *testing.T
	env     *embeddedtest.Env
	session string
	answers chan *nats.Msg
	sent    int
}

func command(t *testing.T, env *embeddedtest.Env, session string) *commander {
	t.Helper()
	c := &commander{t: t, env: env, session: session, answers: make(chan *nats.Msg, 1024)}
	for _, name := range []string{"CommandApplied", "CommandRejected"} {
		sub, err := env.Conn.ChanSubscribe(env.Namespace.Fx(session, name), c.answers)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = sub.Unsubscribe() })
	}
	if err := env.Conn.FlushTimeout(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	return c
}

// send sends one command and returns the outcome's name and data.
func (c *commander) send(name, data string, extensions ...string) (outcome string, answer map[string]any) {
	c.t.Helper()
	c.sent++
	publish(c.t, c.env, c.session, fmt.Sprintf("command-%s-%d", name, c.sent), subjects.CommandType(name), data, extensions...)
	deadline := time.After(20 * time.Second)
	for {
		select {
		case m := <-c.answers:
			ev, err := subjects.DecodeMsg(m)
			if err != nil {
				c.t.Fatal(err)
			}
			answer = nil
			if err := json.Unmarshal(ev.Data(), &answer); err != nil {
				c.t.Fatal(err)
			}
			if answer["action"] != nil {
				continue // of a run, not ours
			}
			if answer["command"] != name {
				c.t.Fatalf("%s was answered with %v", name, answer)
			}
			outcome, _ = subjects.EventName(ev.Type())
			return outcome, answer
		case <-deadline:
			c.t.Fatalf("%s was not answered", name)
		}
	}
}

// applied sends a command that has to be carried out, and returns its report.
func (c *commander) applied(name, data string) map[string]any {
	c.t.Helper()
	outcome, answer := c.send(name, data)
	if outcome != "CommandApplied" {
		c.t.Fatalf("%s %s: %s %v", name, data, outcome, answer)
	}
	report, _ := answer["report"].(map[string]any)
	return report
}

// rejected sends a command that has to be refused, with that kind and, unless it is
// empty, that guard.
func (c *commander) rejected(name, data, kind, guard string) map[string]any {
	c.t.Helper()
	outcome, answer := c.send(name, data)
	said, _ := answer["guard"].(string)
	if outcome != "CommandRejected" || answer["kind"] != kind || guard != "" && said != guard {
		c.t.Errorf("%s %s: got %s %v, want kind %s, guard %s", name, data, outcome, answer, kind, guard)
	}
	return answer
}

// query asks a question about the session.
func (c *commander) query(name string) map[string]any {
	c.t.Helper()
	m, err := c.env.Conn.Request(c.env.Namespace.Query(c.session, name), nil, 10*time.Second)
	if err != nil {
		c.t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		c.t.Fatalf("%s: %s: %v", name, m.Data, err)
	}
	return answer
}

// has checks members of an answer; a nested member is named by its path.
func has(t *testing.T, what string, answer map[string]any, want map[string]any) {
	t.Helper()
	for path, value := range want {
		var got any = answer
		for _, name := range strings.Split(path, ".") {
			m, _ := got.(map[string]any)
			got = m[name]
		}
		if fmt.Sprint(got) != fmt.Sprint(value) {
			t.Errorf("%s: %s is %v, want %v\n%v", what, path, got, value, answer)
		}
	}
}

// outcomes reads the data of what a session publishes on a subject.
func outcomes(t *testing.T, env *embeddedtest.Env, subject string) <-chan map[string]any {
	t.Helper()
	all := make(chan map[string]any, 1024)
	sub, err := env.Conn.Subscribe(subject, func(m *nats.Msg) {
		var data map[string]any
		if ev, err := subjects.DecodeMsg(m); err == nil && json.Unmarshal(ev.Data(), &data) == nil {
			all <- data
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	if err := env.Conn.FlushTimeout(5 * time.Second); err != nil {
		t.Fatal(err)
	}
	return all
}
