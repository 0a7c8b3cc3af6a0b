package worker_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// Each part of the fleet does all it has to with the grants of its role: a worker that
// hosts, a gateway's client with every call it has, a subscriber's with those that read.
func TestRolesAreEnough(t *testing.T) {
	g := embeddedtest.Guard(t, "test", 2)
	nc, _, workerDenied := g.As(t, "worker")
	w, err := worker.New(nc, g.Namespace, worker.Config{
		Name: "w", Executor: executor.Echo{}, DrainTimeout: 2 * time.Second, HibernateAfter: 20 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	until(t, func() bool { return w.Ready() == nil })

	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	as := func(role subjects.Role) (*client.Client, chan error) {
		t.Helper()
		nc, _, denied := g.As(t, string(role))
		c, err := client.New(nc, "test")
		if err != nil {
			t.Fatalf("%s: %v", role, err)
		}
		t.Cleanup(c.Close)
		return c, denied
	}
	gw, gatewayDenied := as(subjects.RoleGateway)
	out, err := gw.PublishAndWait(t.Context(), "s", prompt("p", "hello"))
	must("publish and wait", err)
	if out == nil || !out.Completed() {
		t.Fatalf("outcome: %+v", out)
	}
	large := prompt("large", "")
	must("data", large.SetData("application/json", append(append([]byte(`{"text":"`), bytes.Repeat([]byte("x"), 100<<10)...), `"}`...)))
	_, err = gw.PublishAndWait(t.Context(), "s", large)
	must("a large input", err)
	_, err = gw.Command(t.Context(), "s", "pause", nil)
	must("a command", err)
	ref, err := gw.PutBlob(t.Context(), "s", []byte("blob"))
	must("put a blob", err)
	_, err = gw.Blob(t.Context(), "s", ref)
	must("get it", err)
	_, err = gw.Wait(t.Context(), "s", "p")
	must("wait by id", err)
	page, err := gw.Sessions(t.Context(), "", 0)
	must("the directory", err)
	if len(page.Sessions) != 1 {
		t.Errorf("the directory: %+v", page)
	}
	workers, err := gw.Workers(t.Context())
	must("the fleet", err)
	if len(workers) != 1 {
		t.Errorf("the fleet: %+v", workers)
	}
	_, err = gw.Hold(t.Context())
	must("the hold", err)

	sub, subscriberDenied := as(subjects.RoleSubscriber)
	for _, c := range []*client.Client{gw, sub} {
		must("a query", c.Query(t.Context(), "s", "state", nil, nil))
		_, err = c.History(t.Context(), "s", client.HistoryOptions{})
		must("history", err)
		_, err = c.Wait(t.Context(), "s", "p")
		must("wait", err)
		n := 0
		for _, err := range c.Effects(t.Context(), "s", client.EffectsOptions{}) {
			must("effects", err)
			if err != nil || n == 3 {
				break
			}
			n++
		}
	}
	for name, denied := range map[string]chan error{"worker": workerDenied, "gateway": gatewayDenied, "subscriber": subscriberDenied} {
		select {
		case err := <-denied:
			t.Errorf("%s: denied on the way: %v", name, err)
		default:
		}
	}
}
