package worker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// What has fired for a session that takes nothing more, however much it is, holds up no other
// session's.
func TestAFullMailboxHoldsUpNoOtherTimers(t *testing.T) {
	const limit = 2
	env := embeddedtest.ProvisionedWith(t, "test", 1, subjects.Settings{MailboxLimit: limit})
	ns := env.Namespace
	fleet(t, env, 1, func(c *worker.Config) { c.MailboxLimit = limit })
	paused := outcomes(t, env, ns.Fx("full", "SessionPaused"))
	publish(t, env, "full", command("pause", "pause", map[string]string{}))
	select {
	case <-paused:
	case <-time.After(20 * time.Second):
		t.Fatal("the session does not pause")
	}
	fire := func(session, id string) {
		data, err := subjects.EncodeJSON(prompt(id, "x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := env.JS.PublishMsgAsync(&nats.Msg{
			Subject: ns.Due(session), Data: data, Header: nats.Header{"Content-Type": {"application/cloudevents+json"}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1100 {
		fire("full", fmt.Sprint("t", i))
	}
	done := outcomes(t, env, ns.Fx("other", "InputCompleted"))
	fire("other", "t")
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("what fired for another session is not forwarded")
	}
}
