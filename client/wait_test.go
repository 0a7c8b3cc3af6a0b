package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/kalahari-run/kalahari/client"
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
