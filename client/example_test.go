package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

func Example() {
	nc, stop := fleet() // nats.Connect, in a program of one's own
	defer stop()
	c, err := client.New(nc, "acme")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ev := event.New()
	ev.SetID("question-1") // publishing it twice is asking once
	ev.SetSource("/example")
	ev.SetType(subjects.InputType("prompt"))
	if err := ev.SetData(event.ApplicationJSON, map[string]string{"text": "hello"}); err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := c.PublishAndWait(ctx, "session-1", ev)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.TerminalOutcome, out.InputID)
	// Output: Completed question-1
}

func ExampleClient_Effects() {
	nc, stop := fleet()
	defer stop()
	c, err := client.New(nc, "acme")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	ev := event.New()
	ev.SetType(subjects.InputType("prompt"))
	if err := ev.SetData(event.ApplicationJSON, map[string]string{"text": "hello"}); err != nil {
		log.Fatal(err)
	}
	if _, err := c.Publish(ctx, "session-1", ev); err != nil {
		log.Fatal(err)
	}
	after := "" // where an earlier reader stopped
	for ev, err := range c.Effects(ctx, "session-1", client.EffectsOptions{
		After: after, Types: []string{"InputAccepted", "InputCompleted"},
	}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ev.Name)
		after = ev.Position.String() // kept, the next reader goes on here
		if ev.Name == client.InputCompleted {
			break
		}
	}
	// Output:
	// InputAccepted
	// InputCompleted
}

func ExampleClient_Query() {
	nc, stop := fleet()
	defer stop()
	c, err := client.New(nc, "acme")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	var state struct {
		Phase string `json:"phase"`
	}
	err = c.Query(context.Background(), "nobody", "state", nil, &state)
	fmt.Println(errors.Is(err, client.ErrSessionNotFound))
	// Output: true
}

func ExampleClient_Command() {
	nc, stop := fleet()
	defer stop()
	c, err := client.New(nc, "acme")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	out, err := c.Command(ctx, "session-1", "set_silent_intents", map[string]any{"intents": []string{"ping"}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.Name, out.Command)

	_, err = c.Command(ctx, "session-1", "interrupt_current_run", nil)
	var refused *client.RejectedError
	fmt.Println(errors.As(err, &refused))
	// Output:
	// CommandApplied set_silent_intents
	// true
}

func ExampleClient_PutBlob() {
	nc, stop := fleet()
	defer stop()
	c, err := client.New(nc, "acme")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	image, err := c.PutBlob(ctx, "session-1", []byte("\x89PNG..."))
	if err != nil {
		log.Fatal(err)
	}
	ev := event.New()
	ev.SetType(subjects.InputType("prompt"))
	if err := ev.SetData(event.ApplicationJSON, map[string]any{"content": []any{
		map[string]string{"type": "text", "text": "what is it?"},
		map[string]string{"type": "image", "blob": image, "media_type": "image/png"},
	}}); err != nil {
		log.Fatal(err)
	}
	out, err := c.PublishAndWait(ctx, "session-1", ev)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.TerminalOutcome)
	// Output: Completed
}

func ExampleClient_Wait() {
	nc, stop := fleet()
	defer stop()
	c, err := client.New(nc, "acme")
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	ev := event.New()
	ev.SetID("question-1")
	ev.SetType(subjects.InputType("prompt"))
	if err := ev.SetData(event.ApplicationJSON, map[string]string{"text": "hello"}); err != nil {
		log.Fatal(err)
	}
	if _, err := c.Publish(ctx, "session-1", ev); err != nil {
		log.Fatal(err)
	}
	// Later, in another process, which knows the id and nothing else.
	out, err := c.Wait(ctx, "session-1", "question-1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.TerminalOutcome)
	// Output: Completed
}

// fleet is a server, a namespace and a worker, for the length of an example.
func fleet() (nc *nats.Conn, stop func()) {
	check := func(err error) {
		if err != nil {
			log.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "kalahari")
	check(err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	s, err := embedded.Start(ctx, embedded.Options{DontListen: true, DataDir: dir, Sync: embedded.SyncRelaxed})
	check(err)
	nc, err = s.Connect()
	check(err)
	js, err := jetstream.New(nc)
	check(err)
	ns, err := subjects.NewNamespace("acme", 1)
	check(err)
	check(subjects.Provision(ctx, js, ns, subjects.Settings{}))
	workerConn, err := s.Connect()
	check(err)
	w, err := worker.New(workerConn, ns, worker.Config{Executor: executor.Echo{}, Detector: worker.DetectorOff})
	check(err)
	running, end := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(running) }()
	for w.Ready() != nil {
		time.Sleep(time.Millisecond)
	}
	return nc, func() {
		end()
		<-ended
		workerConn.Close()
		nc.Close()
		s.Close()
		cancel()
		_ = os.RemoveAll(dir) // a temporary directory
	}
}
