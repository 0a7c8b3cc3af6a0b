package client_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/client/clienttest"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// What is nearly a command is to a session an input that it refuses: whoever waits is told so.
func TestACommandWithoutItsVersion(t *testing.T) {
	env := embeddedtest.Provisioned(t, "acme", 1)
	nc, _ := embeddedtest.Connect(t, env.Server)
	w, err := worker.New(nc, env.Namespace, worker.Config{Executor: executor.Echo{}, DrainTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	running, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(running) }()
	t.Cleanup(func() { end(); <-ended })
	c := dial(t, env.Conn)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ev := event.New()
	ev.SetID("e1")
	ev.SetSource("/test")
	ev.SetType(subjects.TypePrefix + "command.retire")
	if _, err := c.PublishAndWait(ctx, "s1", ev); !errors.As(err, new(*client.RejectedError)) {
		t.Errorf("got %v", err)
	}
	// On the control subject nobody would answer.
	if _, err := c.Publish(ctx, "s1", ev, client.OnControl()); err == nil {
		t.Error("it was sent to control")
	}
}

// A wait that cannot keep up with the outcomes of what its input did finds its own, and does so
// at once: before it has even begun to listen there are more than it is kept.
func TestAWaitThatFallsBehind(t *testing.T) {
	r := start(t, subjects.Settings{}, client.WithSilence(time.Minute))
	heard := make(chan struct{})
	sub, err := r.Conn.Subscribe(r.Namespace.Fx("s1", client.InputCompleted), func(*nats.Msg) { close(heard) })
	if err == nil {
		err = r.Conn.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	events := []clienttest.Event{clienttest.Accepted("e1")}
	for range 40 { // actions of the run, whose cause is its input
		events = append(events, clienttest.Event{Name: client.CommandApplied, Cause: "e1", Data: map[string]any{"command": "send_message", "report": struct{}{}}})
	}
	events = append(events, clienttest.Completed("e1", 7))
	out, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e1", "hi"), client.OnStored(func(client.Receipt) {
		r.fleet.Commit("s1", events...)
		<-heard
		time.Sleep(50 * time.Millisecond) // the client's own subscription is a moment behind, perhaps
	}))
	if err != nil || string(out.Result) != "7" {
		t.Errorf("got %+v, %v", out, err)
	}
}

// What is left of an outcome when the feed is not: where it stood is known.
func TestWhereAForgottenOutcomeStood(t *testing.T) {
	r := start(t, subjects.Settings{})
	r.fleet.Commit("s1", clienttest.Accepted("e0"))
	at := r.fleet.Commit("s1", clienttest.Completed("e0", 7))
	r.fleet.Commit("s1", clienttest.Accepted("other"))
	r.fleet.Trim("s1")
	out, err := r.client.Wait(r.ctx, "s1", "e0")
	if err != nil || out.Event.ID() != "" || out.Event.Position != at {
		t.Errorf("got %+v, %v; want %s", out, err, at)
	}
}

// A namespace in an account whose storage is used up is as full as one whose stream is.
func TestTheAccountIsFull(t *testing.T) {
	r := start(t, subjects.Settings{})
	full := map[string]server.JetStreamAccountLimits{"": {MaxMemory: -1, MaxStore: 1, MaxStreams: -1, MaxConsumers: -1}}
	if err := r.Server.NATS().GlobalAccount().UpdateJetStreamLimits(full); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Publish(r.ctx, "s1", prompt("e1", "hi")); !errors.Is(err, client.ErrStreamFull) {
		t.Errorf("got %v", err)
	}
}

// Whoever knows nothing but the id of its event gets the outcome of the input that the event
// joined, be it over, forgotten by the session, or at work.
func TestWaitForAnEventThatJoinedAnInput(t *testing.T) {
	joined := func(id string) clienttest.Event {
		return clienttest.Event{Name: client.InputDeduplicated, Cause: id, Data: map[string]string{"input_id": id, "existing_input_id": "e0"}}
	}
	for _, forgotten := range []bool{false, true} {
		r := start(t, subjects.Settings{}, client.WithSilence(time.Minute))
		r.fleet.Commit("s1", clienttest.Accepted("e0"), clienttest.Completed("e0", 7))
		r.fleet.Commit("s1", joined("e1"))
		r.fleet.Commit("s1", clienttest.Accepted("other"))
		if forgotten {
			r.fleet.Forget("s1", "e0")
		}
		out, err := r.client.Wait(r.ctx, "s1", "e1")
		if err != nil || !out.Duplicate || out.InputID != "e0" || string(out.Result) != "7" {
			t.Errorf("over, forgotten %v: %+v, %v", forgotten, out, err)
		}
	}
	r := start(t, subjects.Settings{}, client.WithSilence(50*time.Millisecond))
	r.fleet.Commit("s1", clienttest.Accepted("e0"))
	var group sync.WaitGroup
	group.Go(func() {
		out, err := r.client.Wait(r.ctx, "s1", "e1")
		if err != nil || !out.Duplicate || out.InputID != "e0" || string(out.Result) != "8" {
			t.Errorf("at work: %+v, %v", out, err)
		}
	})
	r.fleet.Commit("s1", joined("e1"))
	r.fleet.Commit("s1", clienttest.Completed("e0", 8), joined("e0"))
	group.Wait()
	if out, err := r.client.Wait(r.ctx, "s1", "e0"); err != nil || out.Duplicate {
		t.Errorf("an input that somebody repeated: %+v, %v", out, err)
	}
}
