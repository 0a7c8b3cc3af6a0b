package worker_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// A mailbox stream that comes back without what its sessions have taken is noticed by the one
// that is hosted as by the one that is claimed: what is stored up to their cursors would be
// passed over without a word (PROTOCOL 18).
func TestSessionsNoticeThatTheirMailboxHasRegressed(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	g := &gauge{}
	fleet(t, env, 1, func(c *worker.Config) {
		c.Observer, c.StuckAfter, c.HibernateAfter = g, 200*time.Millisecond, 500*time.Millisecond
	})
	resting := newDesk(t, env, "resting")
	for _, id := range []string{"a", "b"} {
		resting.input(id, `{"text":"a"}`)
		resting.next("InputCompleted")
	}
	owners, err := env.JS.KeyValue(t.Context(), env.Namespace.OwnersBucket())
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		_, err := owners.Get(t.Context(), env.Namespace.SessionKey("resting"))
		return errors.Is(err, jetstream.ErrKeyNotFound)
	})
	hosted := newDesk(t, env, "hosted")
	hosted.applied("pause", nil)
	for _, id := range []string{"a", "b"} {
		hosted.input(id, `{"text":"a"}`)
		hosted.next("InputAccepted")
	}

	if err := env.JS.DeleteStream(t.Context(), env.Namespace.InStream(0)); err != nil {
		t.Fatal(err)
	}
	if err := subjects.Provision(t.Context(), env.JS, env.Namespace, subjects.Settings{}); err != nil {
		t.Fatal(err)
	}
	// What is stored now has a place that both have passed.
	resting.input("c", `{"text":"a"}`)
	for end := time.Now().Add(time.Minute); g.last()[worker.StuckQuarantined] < 2; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("noticed: %v", g.last())
		}
	}
}
