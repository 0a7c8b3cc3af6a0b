package worker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// ends waits for the end of a worker.
func ends(t *testing.T, run func() error) error {
	t.Helper()
	left := make(chan error, 1)
	go func() { left <- run() }()
	select {
	case err := <-left:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the worker does not end")
		return nil
	}
}

// A worker whose connection has ended for good ends, so that its process is started again.
func TestAWorkerEndsWithItsConnection(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	nc, _ := embeddedtest.Connect(t, env.Server)
	w, err := worker.New(nc, env.Namespace, worker.Config{Executor: executor.Echo{}, DrainTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	err = ends(t, func() error {
		go func() {
			for w.Ready() != nil {
				time.Sleep(5 * time.Millisecond)
			}
			nc.Close()
		}()
		return w.Run(t.Context())
	})
	if !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("it ended with %v", err)
	}
}

// A lease that cannot be taken is refused at once: a worker would start over for ever.
func TestALeaseThatCannotBe(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	cfg := worker.Config{Executor: executor.Echo{}, Lease: kv.LeaseConfig{TTL: 10 * time.Second}} // it fences itself after 20 s
	if _, err := worker.New(env.Conn, env.Namespace, cfg); err == nil {
		t.Error("nothing is wrong with it")
	}
}

// A worker that cannot see who owns what yet leaves when it is told to.
func TestAWorkerLeavesBeforeItHasJoined(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	listing := "$JS.API.CONSUMER.CREATE.KV_" + env.Namespace.OwnersBucket() + ".>"
	if err := env.Server.Map(subjects.Mapping{Source: listing, Destination: "lost.>"}); err != nil {
		t.Fatal(err)
	}
	asked, err := env.Conn.SubscribeSync("lost.>")
	if err != nil {
		t.Fatal(err)
	}
	nc, _ := embeddedtest.Connect(t, env.Server)
	w, err := worker.New(nc, env.Namespace, worker.Config{Executor: executor.Echo{}, DrainTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	if err := ends(t, func() error {
		go func() {
			_, _ = asked.NextMsg(20 * time.Second)
			leave()
		}()
		return w.Run(ctx)
	}); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
