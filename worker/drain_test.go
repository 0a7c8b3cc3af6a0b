package worker_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// A worker that leaves lets no session wait until it has left, which may take as long as its
// longest run: also not one that gets an input just as it is let go.
func TestNoInputWaitsForAWorkerThatLeaves(t *testing.T) {
	const sessions = 200
	env := embeddedtest.Provisioned(t, "test", 1)
	ns := env.Namespace
	x := stubborn{make(chan struct{})}
	nc, _ := embeddedtest.Connect(t, env.Server)
	w, err := worker.New(nc, ns, worker.Config{
		Name: "old", DrainTimeout: time.Hour,
		Executor: executor.Func(func(ctx context.Context, run *executor.Run) (*executor.Result, error) {
			if run.Session == "long" {
				return x.Apply(ctx, run)
			}
			return executor.Echo{}.Apply(ctx, run)
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() { left <- w.Run(ctx) }()
	defer func() {
		leave()
		close(x.open)
		if err := <-left; err != nil {
			t.Error(err)
		}
	}()
	done := outcomes(t, env, ns.FxName(0, "InputCompleted"))
	started := outcomes(t, env, ns.Fx("long", "InputAccepted"))
	publish(t, env, "long", prompt("p", "x"))
	next(t, started)
	for i := range sessions {
		publish(t, env, fmt.Sprint("s", i), prompt("first", "x"))
	}
	for range sessions {
		next(t, done)
	}
	fleet(t, env, 1, nil)
	bucket := "$KV." + ns.OwnersBucket() + "."
	keys := outcomes(t, env, bucket+">")
	leave()
	for n, sent := 0, map[string]bool{}; n < sessions; {
		select {
		case m := <-keys:
			_, id, err := ns.ParseSessionKey(m.Subject[len(bucket):])
			if err != nil {
				t.Fatal(err)
			}
			if m.Header.Get("KV-Operation") != "DEL" || sent[id] {
				continue
			}
			sent[id] = true
			ev := prompt("again", "x")
			msg, err := subjects.EncodeBinary(ev, ns.In(id))
			if err != nil {
				t.Fatal(err)
			}
			msg.Header.Set(nats.MsgIdHdr, subjects.MsgID(id, ev))
			if _, err := env.JS.PublishMsgAsync(msg); err != nil { // at once
				t.Fatal(err)
			}
		case m := <-done:
			ev, err := subjects.DecodeMsg(m)
			if err != nil {
				t.Fatal(err)
			}
			if ev.Extensions()[subjects.ExtCausationID] == "again" {
				n++
			}
		case <-time.After(15 * time.Second):
			t.Fatalf("%d of %d inputs wait", sessions-n, sessions)
		}
	}
}
