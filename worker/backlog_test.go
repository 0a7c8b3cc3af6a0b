package worker_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// stubborn is an executor that answers nobody until it is opened.
type stubborn struct{ open chan struct{} }

func (x stubborn) Apply(ctx context.Context, run *executor.Run) (*executor.Result, error) {
	select {
	case <-x.open:
		return executor.Echo{}.Apply(ctx, run)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A session whose executor does not answer stops taking inputs: the mailbox fills and
// refuses the producer. A command still reaches it, other sessions go on, and once the
// executor answers every accepted input ends.
func TestABacklogIsBounded(t *testing.T) {
	const limit = 20
	env := embeddedtest.ProvisionedWith(t, "test", 1, subjects.Settings{MailboxLimit: limit})
	ns := env.Namespace
	accepted := outcomes(t, env, ns.Fx("slow", "InputAccepted"))
	rejected := outcomes(t, env, ns.Fx("slow", "InputRejected"))
	commands := outcomes(t, env, ns.Fx("slow", "CommandApplied"))
	completed := outcomes(t, env, ns.Fx("slow", "InputCompleted"))
	x := stubborn{make(chan struct{})}
	fleet(t, env, 1, func(c *worker.Config) {
		c.Executor, c.MailboxLimit = x, limit
	})
	stored := 0
	offer := func() (refused bool) {
		ev := prompt(fmt.Sprintf("p%d", stored), "x")
		msg, err := subjects.EncodeBinary(ev, ns.In("slow"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = env.JS.PublishMsg(t.Context(), msg, jetstream.WithRetryAttempts(0))
		var api *jetstream.APIError
		if errors.As(err, &api) && api.ErrorCode == 10077 {
			return true
		}
		if err != nil {
			t.Fatal(err)
		}
		stored++
		return false
	}
	fill := func() {
		// Refused for good: once the session takes nothing more and has purged what it took.
		for quiet := 0; quiet < 20; {
			if offer() {
				quiet++
				time.Sleep(10 * time.Millisecond)
			} else {
				quiet = 0
			}
		}
	}
	fill()
	until(t, func() bool { return len(accepted) >= limit }) // a slow machine may refuse before the session takes anything
	fill()
	if n := len(accepted); n < limit || n > limit+1 || len(rejected) > 0 {
		t.Errorf("%d inputs accepted and %d refused, of %d stored; the bound is %d", n, len(rejected), stored, limit)
	}
	send := func(id, name string) {
		msg, err := subjects.EncodeBinary(command(id, name, map[string]any{}), ns.Ctl("slow"))
		if err == nil {
			_, err = env.JS.PublishMsg(t.Context(), msg)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	// Commands come through, however many inputs lie before them; what is over twice the
	// bound is refused, and not lost.
	for i := range 4 {
		send(fmt.Sprintf("pause-%d", i), "pause")
		next(t, commands)
		fill()
	}
	if n := len(accepted); n > 2*limit || n+len(rejected) < stored-2*limit {
		t.Errorf("%d accepted and %d refused, of %d stored", n, len(rejected), stored)
	}
	send("resume", "resume")
	next(t, commands)
	close(x.open)
	all := map[string]int{}
	for len(all)+len(rejected) < stored {
		_, data := next(t, completed)
		if all[data["input_id"].(string)]++; data["terminal_outcome"] != "Completed" {
			t.Fatalf("%v", data)
		}
	}
	if len(completed) > 0 || len(all)+len(rejected) != stored {
		t.Errorf("%d ended, %d refused, of %d", len(all), len(rejected), stored)
	}
}

// A command reaches a session whose mailbox is full also while its runs end one after the
// other and somebody asks for its state all the time: neither puts off the look for it.
func TestACommandReachesASessionThatIsFullAndBusy(t *testing.T) {
	const limit = 100
	env := embeddedtest.ProvisionedWith(t, "test", 1, subjects.Settings{MailboxLimit: limit})
	var runs atomic.Int64
	fleet(t, env, 1, func(c *worker.Config) {
		c.MailboxLimit = limit
		c.Executor = executor.Func(func(ctx context.Context, run *executor.Run) (*executor.Result, error) {
			runs.Add(1)
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			return executor.Echo{}.Apply(ctx, run)
		})
	})
	d := newDesk(t, env, "busy")
	send := func(ev event.Event, subject string) error {
		msg, err := subjects.EncodeBinary(ev, subject)
		if err != nil {
			t.Fatal(err)
		}
		_, err = env.JS.PublishMsg(t.Context(), msg, jetstream.WithRetryAttempts(0))
		return err
	}
	for i, refused := 0, 0; refused < 20; i++ {
		if err := send(prompt(fmt.Sprintf("p%d", i), "x"), env.Namespace.In("busy")); err != nil {
			refused++
			time.Sleep(10 * time.Millisecond)
		}
	}
	before := runs.Load()
	if err := send(command("pause", "pause", map[string]any{}), env.Namespace.Ctl("busy")); err != nil {
		t.Fatal(err)
	}
	answered := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-answered:
				return
			case <-time.After(20 * time.Millisecond):
				_, _ = env.Conn.Request(env.Namespace.Query("busy", "state"), nil, time.Second) // it only disturbs
			}
		}
	})
	d.next("CommandApplied")
	close(answered)
	asking.Wait()
	// In the mailbox lay a hundred inputs before it.
	if n := runs.Load() - before; n > limit/2 {
		t.Errorf("the command came after %d runs", n)
	}
}

// Who only asks does not keep a session awake.
func TestASessionThatIsAskedRestsAllTheSame(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	fleet(t, env, 1, func(c *worker.Config) { c.HibernateAfter = 500 * time.Millisecond })
	d := newDesk(t, env, "asked")
	d.input("p", `{"text":"a"}`)
	d.next("InputCompleted")
	owners, err := env.JS.KeyValue(t.Context(), env.Namespace.OwnersBucket())
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		if _, err := env.Conn.Request(env.Namespace.Query("asked", "state"), nil, 5*time.Second); err != nil {
			t.Fatal(err)
		}
		_, err := owners.Get(t.Context(), env.Namespace.SessionKey("asked"))
		return errors.Is(err, jetstream.ErrKeyNotFound)
	})
}

// Whatever an executor returns, the session can commit it and go on.
type nasty struct{}

func (nasty) Apply(_ context.Context, run *executor.Run) (*executor.Result, error) {
	switch run.Inputs[0].Text {
	case "text":
		return &executor.Result{Text: "a\xffb\x00"}, nil
	case "content":
		return &executor.Result{Content: []byte(`{"a":`)}, nil
	case "content no UTF-8":
		return &executor.Result{Content: []byte("\"\xff\"")}, nil
	case "deep":
		return &executor.Result{Content: []byte(deep(5000))}, nil
	case "callback":
		return &executor.Result{Terminal: executor.CallbackPending, ToolName: "\xff", ToolArgs: []byte("nonsense")}, nil
	case "digest":
		return &executor.Result{Text: "x", ConversationDigest: "\xff"}, nil
	case "error":
		return nil, errors.New("the model says \xff\xfe" + string(make([]byte, 1<<20)))
	case "terminal":
		return nil, &executor.TerminalError{Message: "\xff" + string(make([]byte, 1<<20))}
	case "panic":
		panic("\xff")
	case "actions":
		return &executor.Result{Text: "x", Actions: []executor.Action{
			{Command: "send_message", Data: []byte(`{"to":"other","body":`)},
			{Command: "\xff", Data: []byte("\xff")},
			{ID: "\xff", Command: "send_message", Data: []byte(`{"to":"other","payload":` + deep(5000) + `}`)},
		}}, nil
	}
	return executor.Echo{}.Apply(context.Background(), run)
}

func TestHostileExecutor(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	seen := outcomes(t, env, env.Namespace.FxSession("s"))
	fleet(t, env, 1, func(c *worker.Config) { c.Executor, c.RetryDelay = nasty{}, time.Millisecond })
	for _, what := range []string{"text", "content", "content no UTF-8", "deep", "callback", "digest", "error", "terminal", "panic", "actions", "echo"} {
		publish(t, env, "s", prompt(what, what))
		if names := marked(t, seen, what, true); names == nil {
			t.Fatalf("%s: the session does not go on", what)
		}
	}
	checkFeed(t, env, "s")
}
