package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
)

// sweeping is a worker of one shard that notes what its sweeps find and claims nothing: its
// backlog grows by one for each session.
func sweeping(t *testing.T, env *embeddedtest.Env) *life {
	t.Helper()
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	log, err := journal.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	mailboxes, err := session.OpenMailboxes(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	owners, err := store.Owners.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owners.Close)
	members, err := store.Members.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(members.Close)
	of := session.Env{Namespace: env.Namespace, JS: env.JS, Store: store, Log: log, Mailboxes: mailboxes}.WithDefaults()
	return &life{
		Worker: &Worker{ns: env.Namespace, log: slog.New(slog.NewTextHandler(t.Output(), nil))},
		env:    &of, me: kv.NewIncarnation("w"), store: store, owners: owners, members: members,
		behind: make(chan struct{}), // no turn comes
	}
}

func put(t *testing.T, env *embeddedtest.Env, subject string) {
	t.Helper()
	if _, err := env.JS.Publish(t.Context(), subject, []byte("x")); err != nil {
		t.Fatal(err)
	}
}

// Sessions whose last commit cannot be read keep none of their shard's others from being
// found, and the sweep tells of them.
func TestASweepGoesOnBehindABrokenSession(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	l := sweeping(t, env)
	const fine, broken = 20, 10
	for i := range fine {
		put(t, env, env.Namespace.In(fmt.Sprint("fine", i)))
	}
	for i := range broken {
		id := fmt.Sprint("broken", i)
		put(t, env, env.Namespace.In(id))
		put(t, env, env.Namespace.Log(id)) // no commit of ours
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel() // what it found gives up waiting
	if err := l.sweepShard(ctx, 0); err == nil {
		t.Error("the sweep does not tell that it could not read everything")
	}
	if n := l.backlog.Load(); n != fine {
		t.Errorf("%d of %d sessions are found", n, fine)
	}
}

// A sweep does not wait for each session's read in turn when nothing is answered.
func TestASweepGivesUpInAnOutage(t *testing.T) {
	empty := func() { runtime.GC(); runtime.GC() } // see TestActivationIsFoundAgain
	empty()
	defer empty()
	synctest.Test(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "test", 1)
		l := sweeping(t, env)
		for i := range 20 {
			put(t, env, env.Namespace.In(fmt.Sprint("s", i)))
		}
		log := "$JS.API.STREAM.MSG.GET." + env.Namespace.LogStream(0)
		if err := env.Server.Map(subjects.Mapping{Source: log, Destination: "lost"}); err != nil {
			t.Fatal(err)
		}
		lost, err := env.Conn.SubscribeSync("lost")
		if err != nil {
			t.Fatal(err)
		}
		if err := env.Conn.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := l.sweepShard(t.Context(), 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if n, _, err := lost.Pending(); err != nil || n != maxUnanswered {
			t.Errorf("it has asked %d times (%v), want %d", n, err, maxUnanswered)
		}
	})
}
