package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// A session that has an input does not wait until all those of a dead worker have been taken
// over, which takes as long as there are many of them.
func TestAnInputDoesNotWaitForTheDead(t *testing.T) {
	// nats.go has timers in a pool of the whole process, and one of one bubble is fatal in
	// another: the pool is emptied.
	empty := func() { runtime.GC(); runtime.GC() }
	empty()
	defer empty()
	synctest.Test(t, func(t *testing.T) {
		const crowd, claims = 200, 4
		env := embeddedtest.Provisioned(t, "test", 2)
		store, err := kv.Open(t.Context(), env.JS, env.Namespace)
		if err != nil {
			t.Fatal(err)
		}
		dead, fresh := kv.NewIncarnation("dead"), ""
		for i, owned := 0, 0; owned < crowd || fresh == ""; i++ {
			switch id := fmt.Sprint("s", i); {
			case env.Namespace.Shard(id) == 1:
				fresh = id
			default:
				if _, err := store.Owners.Claim(t.Context(), id, dead); err != nil {
					t.Fatal(err)
				}
				owned++
			}
		}
		// None of them can be recovered: their shard's log does not answer.
		log := "$JS.API.STREAM.MSG.GET." + env.Namespace.LogStream(0)
		if err := env.Server.Map(subjects.Mapping{Source: log, Destination: "lost"}); err != nil {
			t.Fatal(err)
		}
		lost, err := env.Conn.SubscribeSync("lost")
		if err != nil {
			t.Fatal(err)
		}
		nc, _ := embeddedtest.Connect(t, env.Server)
		w, err := worker.New(nc, env.Namespace, worker.Config{
			Executor: executor.Echo{}, Claims: claims, SweepEvery: time.Hour, DrainTimeout: time.Second,
			Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- w.Run(ctx) }()
		defer func() {
			leave()
			if err := <-left; err != nil {
				t.Error(err)
			}
		}()
		// It has begun with them, and as many as it does at a time take five seconds.
		for range claims / 2 {
			if _, err := lost.NextMsg(time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		done := outcomes(t, env, env.Namespace.Fx(fresh, "InputCompleted"))
		publish(t, env, fresh, prompt("p", "x"))
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Errorf("the input waited behind %d sessions of a dead worker", crowd)
		}
	})
}

// What a dead worker has left goes to members that have room: one that is full is not elected
// for it, and one that is full before it has taken all it was elected for leaves the rest to
// the others. It does not matter that the worker is known to be dead already when it claims.
func TestAFullWorkerTakesNothingOver(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	members, err := store.Members.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer members.Close()
	join := func(capacity int) {
		fleet(t, env, 1, func(c *worker.Config) {
			c.Capacity, c.SweepEvery, c.Lease.Heartbeat = capacity, time.Hour, 200*time.Millisecond
		})
	}
	dead := kv.NewIncarnation("dead")
	bequeath := func(of string) (ids []string) {
		for i := range 16 {
			id := fmt.Sprint(of, i)
			if _, err := store.Owners.Claim(t.Context(), id, dead); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		return ids
	}
	taken := func(ids []string) {
		t.Helper()
		for _, id := range ids {
			until(t, func() bool {
				owner, err := store.Owners.Read(t.Context(), id)
				return errors.Is(err, kv.ErrNotOwned) || err == nil && owner.Incarnation != dead && owner.Incarnation != ""
			})
		}
	}

	join(3)
	publish(t, env, "guest", prompt("p", "x"))
	until(t, func() bool {
		all := members.All()
		return len(all) == 1 && all[0].Sessions == 1
	})
	join(100)
	until(t, func() bool { return len(members.All()) == 2 })
	taken(bequeath("some"))
	until(t, func() bool {
		return slices.ContainsFunc(members.All(), func(m kv.MemberInfo) bool { return m.Sessions == m.Capacity })
	})
	taken(bequeath("more"))
}
