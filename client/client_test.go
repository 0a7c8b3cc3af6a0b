package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/client/clienttest"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type rig struct {
	*embeddedtest.Env
	client *client.Client
	fleet  *clienttest.Fleet
	ctx    context.Context
}

func start(t testing.TB, settings subjects.Settings, opts ...client.Option) *rig {
	t.Helper()
	env := embeddedtest.ProvisionedWith(t, "acme", 2, settings)
	fleetConn, _ := embeddedtest.Connect(t, env.Server)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return &rig{Env: env, client: dial(t, env.Conn, opts...), fleet: clienttest.Start(t, fleetConn, env.Namespace), ctx: ctx}
}

func dial(t testing.TB, nc *nats.Conn, opts ...client.Option) *client.Client {
	t.Helper()
	c, err := client.New(nc, "acme", opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func prompt(id, text string) event.Event {
	ev := event.New()
	ev.SetID(id)
	ev.SetSource("/test")
	ev.SetType(subjects.InputType("prompt"))
	if err := ev.SetData(event.ApplicationJSON, map[string]string{"text": text}); err != nil {
		panic(err)
	}
	return ev
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	env := embeddedtest.Provisioned(t, "acme", 1)
	if _, err := client.New(env.Conn, "nobody"); !errors.Is(err, subjects.ErrNotProvisioned) {
		t.Errorf("unknown namespace: %v", err)
	}
	if _, err := client.New(env.Conn, "a.b"); !errors.As(err, new(*subjects.TokenError)) {
		t.Errorf("illegal namespace: %v", err)
	}
	for name, o := range map[string]client.Option{
		"source": client.WithSource(""), "timeout": client.WithTimeout(0), "silence": client.WithSilence(-1),
		"jetstream": client.WithJetStream(nil), "logger": client.WithLogger(nil),
	} {
		if _, err := client.New(env.Conn, "acme", o); err == nil {
			t.Errorf("%s: a useless option is taken", name)
		}
	}
}

func TestPublish(t *testing.T) {
	r := start(t, subjects.Settings{MailboxLimit: 2, MaxInput: 4 << 10})
	first, err := r.client.Publish(r.ctx, "s1", prompt("e1", "hi"))
	if err != nil || first.Duplicate || first.Sequence == 0 || first.EventID != "e1" {
		t.Fatalf("first: %+v, %v", first, err)
	}
	again, err := r.client.Publish(r.ctx, "s1", prompt("e1", "hi"))
	if err != nil || !again.Duplicate || again.Sequence != first.Sequence {
		t.Fatalf("again: %+v, %v", again, err)
	}
	if other, err := r.client.Publish(r.ctx, "s2", prompt("e1", "hi")); err != nil || other.Duplicate {
		t.Fatalf("the same event to another session: %+v, %v", other, err)
	}
	bare := event.New()
	bare.SetType(subjects.InputType("prompt"))
	made, err := r.client.Publish(r.ctx, "s1", bare)
	if err != nil || made.EventID == "" {
		t.Fatalf("without an id: %+v, %v", made, err)
	}
	if bare.ID() != "" {
		t.Error("the caller's event was changed")
	}
	if _, err := r.client.Publish(r.ctx, "s1", prompt("e3", "hi")); !errors.Is(err, client.ErrMailboxFull) {
		t.Errorf("full mailbox: %v", err)
	}
	if dup, err := r.client.Publish(r.ctx, "s1", prompt("e1", "hi")); err != nil || !dup.Duplicate {
		t.Errorf("a copy to a full mailbox: %+v, %v", dup, err)
	}
	stop := event.New()
	stop.SetType(subjects.CommandType("retire"))
	if _, err := r.client.Publish(r.ctx, "s1", stop, client.OnControl()); err != nil {
		t.Errorf("a command past a full mailbox: %v", err)
	}
	if _, err := r.client.Publish(r.ctx, "s1", prompt("e4", "hi"), client.OnControl()); err == nil {
		t.Error("an input was sent to control")
	}
	if _, err := r.client.Publish(r.ctx, "s3", prompt("e1", strings.Repeat("x", 5<<10))); !errors.Is(err, client.ErrTooLarge) {
		t.Errorf("too large for the stream: %v", err)
	}
	if _, err := r.client.Publish(r.ctx, "s3", prompt("e1", strings.Repeat("x", subjects.MaxBlob))); !errors.Is(err, client.ErrTooLarge) {
		t.Errorf("too large for the server: %v", err)
	}
	token := new(subjects.TokenError)
	if _, err := r.client.Publish(r.ctx, "s.3", prompt("e1", "hi")); !errors.As(err, &token) || token.Char != '.' {
		t.Errorf("illegal session: %v", err)
	}
	if _, err := r.client.Publish(r.ctx, "s3", event.Event{}); err == nil {
		t.Error("an event of nothing was sent")
	}
}

func TestPublishSaysWhatIsMissing(t *testing.T) {
	r := start(t, subjects.Settings{MailboxBytes: 1000})
	for i := 0; ; i++ {
		_, err := r.client.Publish(r.ctx, "s1", prompt(strconv.Itoa(i), "hi"))
		if err == nil && i < 20 {
			continue
		}
		if !errors.Is(err, client.ErrStreamFull) {
			t.Errorf("full stream: %v", err)
		}
		break
	}
	if err := r.client.Ready(r.ctx); err != nil {
		t.Errorf("ready: %v", err)
	}
	if err := r.JS.DeleteStream(r.ctx, r.Namespace.InStream(r.Namespace.Shard("s1"))); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.Publish(r.ctx, "s1", prompt("x", "hi")); !errors.Is(err, client.ErrUnavailable) || errors.Is(err, client.ErrUndecided) {
		t.Errorf("no stream: %v", err)
	}
	r.Conn.Close()
	if err := r.client.Ready(r.ctx); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("closed connection: %v", err)
	}
}

func TestPublishAndWait(t *testing.T) {
	for _, published := range []subjects.PublishedSet{subjects.PublishLifecycle, subjects.PublishNone} {
		t.Run(string(published), func(t *testing.T) {
			// An outcome that is not heard would be looked for after the test's time.
			r := start(t, subjects.Settings{Published: published}, client.WithSilence(time.Minute))
			if published == subjects.PublishNone {
				r.fleet.Silence()
			}
			r.fleet.Answer(clienttest.Echo)
			out, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e1", "hi"))
			if err != nil {
				t.Fatal(err)
			}
			want := &client.Outcome{
				Event: out.Event, Name: client.InputCompleted, InputID: "e1", RunID: "run-e1",
				TerminalOutcome: "Completed", Result: jsontext.Value(`{"text":"hi"}`),
			}
			if diff := cmp.Diff(want, out, cmp.Comparer(func(a, b client.Event) bool { return a.ID() == b.ID() })); diff != "" {
				t.Error(diff)
			}
			if !out.Completed() || out.Event.ID() != "s1/0.1" || out.Event.Position.String() != "0.1" {
				t.Errorf("outcome %s at %s", out.Event.ID(), out.Event.Position)
			}
			applied, err := r.client.Command(r.ctx, "s1", "retire", nil)
			if err != nil || applied.Name != client.CommandApplied || applied.Command != "retire" {
				t.Errorf("command: %+v, %v", applied, err)
			}
		})
	}
}

func TestManyWaitAtOnce(t *testing.T) {
	r := start(t, subjects.Settings{})
	r.fleet.Answer(clienttest.Echo)
	var group sync.WaitGroup
	for i := range 40 {
		group.Go(func() {
			id := "e" + strconv.Itoa(i)
			out, err := r.client.PublishAndWait(r.ctx, "s"+strconv.Itoa(i%4), prompt(id, id))
			if err != nil || string(out.Result) != `{"text":"`+id+`"}` {
				t.Errorf("%s: %+v, %v", id, out, err)
			}
		})
	}
	group.Wait()
}

func TestRefusals(t *testing.T) {
	r := start(t, subjects.Settings{})
	r.fleet.Answer(func(_ string, ev event.Event) []clienttest.Event {
		data := map[string]string{"input_id": ev.ID(), "command": "retire", "kind": "NotReady", "reason": "the session is Stopped", "guard": "is_open"}
		name := client.InputRejected
		if strings.HasPrefix(ev.Type(), subjects.TypePrefix+"command") {
			name = client.CommandRejected
		}
		return []clienttest.Event{{Name: name, Cause: ev.ID(), Data: data}}
	})
	_, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e1", "hi"))
	_, commandErr := r.client.Command(r.ctx, "s1", "retire", map[string]string{"session_id": "s1"})
	for name, err := range map[string]error{client.InputRejected: err, client.CommandRejected: commandErr} {
		rejected := new(client.RejectedError)
		if !errors.As(err, &rejected) {
			t.Fatalf("%s: %v", name, err)
		}
		if rejected.Kind != "NotReady" || rejected.Guard != "is_open" || rejected.Reason == "" || rejected.Outcome.Name != name {
			t.Errorf("%s: %+v", name, rejected)
		}
	}
}

// An outcome that is not heard is found.
func TestSilence(t *testing.T) {
	r := start(t, subjects.Settings{}, client.WithSilence(50*time.Millisecond))
	r.fleet.Silence()
	r.fleet.Answer(clienttest.Echo)
	out, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e1", "hi"))
	if err != nil || !out.Completed() {
		t.Errorf("input: %+v, %v", out, err)
	}
	if out, err = r.client.Command(r.ctx, "s1", "retire", nil); err != nil || !out.Completed() {
		t.Errorf("command: %+v, %v", out, err)
	}
}

func TestRefusalIsFoundInTheFeed(t *testing.T) {
	r := start(t, subjects.Settings{}, client.WithSilence(50*time.Millisecond))
	r.fleet.Silence()
	r.fleet.Inline(10) // the feed is in the object store
	r.fleet.Commit("s1", clienttest.Accepted("e0"))
	r.fleet.Answer(func(_ string, ev event.Event) []clienttest.Event {
		return []clienttest.Event{{Name: client.InputRejected, Cause: ev.ID(), Data: map[string]string{"input_id": ev.ID(), "kind": "NotReady"}}}
	})
	if _, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e1", "hi")); !errors.As(err, new(*client.RejectedError)) {
		t.Errorf("got %v", err)
	}
}

func TestDuplicates(t *testing.T) {
	answer := func(_ string, ev event.Event) []clienttest.Event {
		if key, _ := ev.Extensions()[subjects.ExtIdempotencyKey].(string); key != "" {
			return []clienttest.Event{{Name: client.InputDeduplicated, Cause: ev.ID(), Data: map[string]string{"input_id": ev.ID(), "existing_input_id": key}}}
		}
		if _, ok := subjects.ParseCommandType(ev.Type()); ok {
			return []clienttest.Event{{Name: client.InputDeduplicated, Cause: ev.ID(), Data: map[string]string{"input_id": ev.ID(), "existing_input_id": ev.ID()}}}
		}
		return nil
	}
	keyed := func(id, key string) event.Event {
		ev := prompt(id, "hi")
		ev.SetExtension(subjects.ExtIdempotencyKey, key)
		return ev
	}
	t.Run("of a stored message", func(t *testing.T) {
		r := start(t, subjects.Settings{})
		if _, err := r.client.Publish(r.ctx, "s1", prompt("e1", "hi")); err != nil {
			t.Fatal(err)
		}
		r.fleet.Commit("s1", clienttest.Accepted("e1"), clienttest.Completed("e1", 7))
		out, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e1", "hi"))
		if err != nil || !out.Duplicate || string(out.Result) != "7" {
			t.Errorf("got %+v, %v", out, err)
		}
	})
	t.Run("of a stored message, refused", func(t *testing.T) {
		r := start(t, subjects.Settings{})
		if _, err := r.client.Publish(r.ctx, "s1", prompt("e1", "hi")); err != nil {
			t.Fatal(err)
		}
		r.fleet.Commit("s1", clienttest.Event{Name: client.InputRejected, Cause: "e1", Data: map[string]string{"kind": "NotReady"}})
		if _, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e1", "hi")); !errors.As(err, new(*client.RejectedError)) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of one that ended", func(t *testing.T) {
		r := start(t, subjects.Settings{})
		r.fleet.Commit("s1", clienttest.Accepted("e0"))
		r.fleet.Commit("s1", clienttest.Completed("e0", 7))
		r.fleet.Answer(answer)
		out, err := r.client.PublishAndWait(r.ctx, "s1", keyed("e1", "e0"))
		if err != nil || !out.Duplicate || out.InputID != "e0" || string(out.Result) != "7" {
			t.Errorf("got %+v, %v", out, err)
		}
	})
	t.Run("of one at work", func(t *testing.T) {
		r := start(t, subjects.Settings{})
		r.fleet.Commit("s1", clienttest.Accepted("e0"))
		r.fleet.Answer(func(session string, ev event.Event) []clienttest.Event {
			time.AfterFunc(100*time.Millisecond, func() { r.fleet.Commit("s1", clienttest.Completed("e0", 8)) })
			return answer(session, ev)
		})
		out, err := r.client.PublishAndWait(r.ctx, "s1", keyed("e1", "e0"))
		if err != nil || !out.Duplicate || out.InputID != "e0" || string(out.Result) != "8" {
			t.Errorf("got %+v, %v", out, err)
		}
	})
	t.Run("of one the feed has lost", func(t *testing.T) {
		r := start(t, subjects.Settings{})
		r.fleet.Commit("s1", clienttest.Accepted("e0"), clienttest.Completed("e0", 7))
		r.fleet.Commit("s1", clienttest.Accepted("other"))
		r.fleet.Trim("s1")
		r.fleet.Answer(answer)
		out, err := r.client.PublishAndWait(r.ctx, "s1", keyed("e1", "e0"))
		if err != nil || !out.Completed() || !out.Duplicate || out.RunID != "run-e0" || out.Result != nil || out.Event.ID() != "" {
			t.Errorf("got %+v, %v", out, err)
		}
	})
	t.Run("of one the session has forgotten", func(t *testing.T) {
		r := start(t, subjects.Settings{})
		r.fleet.Commit("s1", clienttest.Accepted("e0"), clienttest.Completed("e0", 7))
		r.fleet.Forget("s1", "e0")
		r.fleet.Answer(answer)
		out, err := r.client.PublishAndWait(r.ctx, "s1", keyed("e1", "e0"))
		if err != nil || string(out.Result) != "7" {
			t.Errorf("got %+v, %v", out, err)
		}
		if _, err := r.client.PublishAndWait(r.ctx, "s1", keyed("e2", "nowhere")); !errors.Is(err, client.ErrForgotten) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("of a command", func(t *testing.T) {
		r := start(t, subjects.Settings{})
		stop := event.New()
		stop.SetID("c1")
		stop.SetType(subjects.CommandType("retire"))
		r.fleet.Commit("s1", clienttest.Event{Name: client.CommandApplied, Cause: "c1", Data: map[string]any{"command": "retire", "report": 3}})
		r.fleet.Commit("s1", clienttest.Accepted("other"))
		r.fleet.Answer(answer)
		out, err := r.client.PublishAndWait(r.ctx, "s1", stop)
		if err != nil || !out.Duplicate || string(out.Report) != "3" {
			t.Errorf("got %+v, %v", out, err)
		}
		r.fleet.Trim("s1")
		stop.SetID("c2")
		if _, err := r.client.PublishAndWait(r.ctx, "s1", stop); !errors.Is(err, client.ErrForgotten) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWaitEnds(t *testing.T) {
	r := start(t, subjects.Settings{})
	ctx, end := context.WithCancelCause(r.ctx)
	timeIsUp := client.OnStored(func(client.Receipt) { end(context.DeadlineExceeded) })
	_, err := r.client.PublishAndWait(ctx, "s1", prompt("e1", "hi"), timeIsUp)
	pending := new(client.PendingError)
	if !errors.As(err, &pending) || !errors.Is(err, context.DeadlineExceeded) || pending.Receipt.Sequence == 0 {
		t.Errorf("time is up: %v", err)
	}
	closed := client.OnStored(func(client.Receipt) { r.client.Close() })
	if _, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e2", "hi"), closed); !errors.Is(err, client.ErrPending) || !errors.Is(err, client.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	if _, err := r.client.PublishAndWait(r.ctx, "s1", prompt("e3", "hi")); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := r.client.Ready(r.ctx); !errors.Is(err, client.ErrClosed) {
		t.Errorf("ready after Close: %v", err)
	}
}

// What is called after Close does nothing, not even for the moment it takes to find out.
func TestNothingHappensAfterClose(t *testing.T) {
	r := start(t, subjects.Settings{})
	r.client.Close()
	for i := range 50 {
		if _, err := r.client.Publish(r.ctx, "s1", prompt(strconv.Itoa(i), "hi")); !errors.Is(err, client.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
	if err := r.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	stream, err := r.JS.Stream(r.ctx, r.Namespace.InStream(r.Namespace.Shard("s1")))
	if err != nil {
		t.Fatal(err)
	}
	if n := stream.CachedInfo().State.LastSeq; n != 0 {
		t.Errorf("%d events were stored", n)
	}
}

// The connection drops while the session works, and the answer goes by unheard.
func TestConnectionDrops(t *testing.T) {
	env := embeddedtest.Provisioned(t, "acme", 2, embeddedtest.Listening())
	fleetConn, _ := embeddedtest.Connect(t, env.Server)
	fleet := clienttest.Start(t, fleetConn, env.Namespace)
	nc, err := nats.Connect(env.Server.ClientURL(), nats.ReconnectWait(300*time.Millisecond), nats.ReconnectJitter(0, 0), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	c := dial(t, nc, client.WithSilence(time.Minute))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()

	var once sync.Once
	fleet.Answer(func(_ string, ev event.Event) []clienttest.Event {
		once.Do(func() {
			if id, err := nc.GetClientID(); err == nil {
				_ = env.Server.NATS().DisconnectClientByID(id) // the check below sees to it
			}
			time.Sleep(50 * time.Millisecond)
		})
		return clienttest.Echo("", ev)
	})
	var seen []string
	var group sync.WaitGroup
	group.Go(func() {
		for ev, err := range c.Effects(ctx, "s1", client.EffectsOptions{}) {
			if err != nil {
				t.Error(err)
			}
			if seen = append(seen, ev.Name); len(seen) == 4 {
				return
			}
		}
	})
	for _, id := range []string{"e1", "e2"} {
		out, err := c.PublishAndWait(ctx, "s1", prompt(id, "hi"))
		if err != nil || !out.Completed() {
			t.Errorf("%s: %+v, %v", id, out, err)
		}
	}
	group.Wait()
	if nc.Stats().Reconnects == 0 {
		t.Error("the connection did not drop")
	}
	if diff := cmp.Diff([]string{"InputAccepted", "InputCompleted", "InputAccepted", "InputCompleted"}, seen); diff != "" {
		t.Error(diff)
	}
}

// Whoever may not listen on fx still hears.
func TestWithoutPermissionForFx(t *testing.T) {
	ns, err := subjects.NewNamespace("acme", 2)
	if err != nil {
		t.Fatal(err)
	}
	grants, err := ns.Permissions(subjects.RoleGateway, "")
	if err != nil {
		t.Fatal(err)
	}
	grants.Subscribe = []string{subjects.DefaultInbox + ".>"}
	s := embeddedtest.Run(t, embeddedtest.With(func(o *embedded.Options) {
		o.Adjust = func(so *server.Options) {
			so.Users = []*server.User{
				{Username: "root", Password: "x"},
				{Username: "gateway", Password: "x", Permissions: &server.Permissions{
					Publish:   &server.SubjectPermission{Allow: grants.Publish},
					Subscribe: &server.SubjectPermission{Allow: grants.Subscribe},
				}},
			}
		}
	}))
	root, js := embeddedtest.Connect(t, s, nats.UserInfo("root", "x"))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := subjects.Provision(ctx, js, ns, subjects.Settings{}); err != nil {
		t.Fatal(err)
	}
	clienttest.Start(t, root, ns).Answer(clienttest.Echo)
	nc, _ := embeddedtest.Connect(t, s, nats.UserInfo("gateway", "x"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	// An outcome that is not heard would be looked for after the test's time.
	c := dial(t, nc, client.WithSilence(time.Minute))
	wait := func(session, id string) {
		if out, err := c.PublishAndWait(ctx, session, prompt(id, "hi")); err != nil || !out.Completed() {
			t.Errorf("%s of %s: got %+v, %v", id, session, out, err)
		}
	}
	// Many learn at once that they may not.
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() { wait("at-once-"+strconv.Itoa(i), "e") })
	}
	group.Wait()
	for i := range 3 {
		wait("s1", strconv.Itoa(i))
	}
}

func names(t *testing.T, r *rig, session string, opts client.EffectsOptions, n int) (got []string, last client.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, 10*time.Second)
	defer cancel()
	for ev, err := range r.client.Effects(ctx, session, opts) {
		if err != nil {
			t.Fatalf("after %v: %v", got, err)
		}
		got, last = append(got, ev.Position.String()+" "+ev.Name), ev
		if len(got) == n {
			break
		}
	}
	return got, last
}

func TestEffects(t *testing.T) {
	r := start(t, subjects.Settings{})
	first := r.fleet.Commit("s1", clienttest.Accepted("a"), clienttest.Completed("a", 1))
	r.fleet.Commit("other", clienttest.Accepted("x"), clienttest.Accepted("y"))
	r.fleet.Commit("s1") // a commit without events
	r.fleet.Inline(10)
	third := r.fleet.Commit("s1", clienttest.Accepted("b"), clienttest.Completed("b", 2), clienttest.Accepted("c"))
	at := func(p subjects.Position, i int) string { p.Index = i; return p.String() }
	all := []string{
		at(first, 0) + " InputAccepted", at(first, 1) + " InputCompleted",
		at(third, 0) + " InputAccepted", at(third, 1) + " InputCompleted", at(third, 2) + " InputAccepted",
	}
	got, last := names(t, r, "s1", client.EffectsOptions{}, 5)
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("all: %s", diff)
	}
	if last.Extensions()[subjects.ExtSequence] != "5" || !jsontext.Value(last.JSON).IsValid() {
		t.Errorf("last: %v", last)
	}
	for i, from := range all[:4] {
		position, _, _ := strings.Cut(from, " ")
		for _, after := range []string{position, "s1/" + position} {
			got, _ := names(t, r, "s1", client.EffectsOptions{After: after}, 4-i)
			if diff := cmp.Diff(all[i+1:], got); diff != "" {
				t.Errorf("after %s: %s", after, diff)
			}
		}
	}
	got, _ = names(t, r, "s1", client.EffectsOptions{Types: []string{"InputCompleted"}}, 2)
	if diff := cmp.Diff([]string{all[1], all[3]}, got); diff != "" {
		t.Errorf("one type: %s", diff)
	}

	// What comes while one reads.
	ready := make(chan struct{})
	done := make(chan []string)
	go func() {
		got, _ := names(t, r, "s1", client.EffectsOptions{Latest: true, Opened: func(string) { close(ready) }}, 1)
		done <- got
	}()
	<-ready
	p := r.fleet.Commit("s1", clienttest.Completed("c", 3))
	if diff := cmp.Diff([]string{p.String() + " InputCompleted"}, <-done); diff != "" {
		t.Errorf("latest: %s", diff)
	}

	page, err := r.client.History(r.ctx, "s1", client.HistoryOptions{Limit: 2})
	if err != nil || len(page.Events) != 2 || page.Next != at(first, 1) {
		t.Errorf("history: %+v, %v", page, err)
	}
	if page, err = r.client.History(r.ctx, "s1", client.HistoryOptions{After: page.Next, Limit: 4}); err != nil || len(page.Events) != 4 || page.Next != "" {
		t.Errorf("history, next page: %+v, %v", page, err)
	}
	// A page has 256 KiB, or one event.
	long := clienttest.Event{Name: "RunOutput", Data: map[string]string{"content": strings.Repeat("x", 90<<10)}}
	wide := r.fleet.Commit("wide", long, long, long, long)
	for after, want := range map[string]string{"": at(wide, 1), at(wide, 1): ""} {
		if page, err = r.client.History(r.ctx, "wide", client.HistoryOptions{After: after}); err != nil || len(page.Events) != 2 || page.Next != want {
			t.Errorf("history, a wide page after %q: %d events, next %q, %v", after, len(page.Events), page.Next, err)
		}
	}
	vast := r.fleet.Commit("vast", clienttest.Event{Name: "RunOutput", Data: map[string]string{"content": strings.Repeat("x", 300<<10)}}, long)
	if page, err = r.client.History(r.ctx, "vast", client.HistoryOptions{}); err != nil || len(page.Events) != 1 || page.Next != at(vast, 0) {
		t.Errorf("history, an event larger than a page: %d events, next %q, %v", len(page.Events), page.Next, err)
	}
	if page, err = r.client.History(r.ctx, "nobody", client.HistoryOptions{}); err != nil || len(page.Events) != 0 || page.Next != "" {
		t.Errorf("history of nobody: %+v, %v", page, err)
	}
}

// A slow reader does not hold much of what it has not read, and misses nothing by that.
func TestASlowReaderOfLargeCommits(t *testing.T) {
	var log bytes.Buffer
	r := start(t, subjects.Settings{}, client.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	const commits = 20
	var want, got []string
	for i := range commits {
		// Of all sizes up to the largest, so that batches end in different places.
		large := clienttest.Event{Name: "RunOutput", Data: map[string]string{"content": strings.Repeat("x", (400-10*i)<<10)}}
		want = append(want, r.fleet.Commit("s1", large).String())
	}
	before := r.Conn.Stats().InBytes
	for ev, err := range r.client.Effects(r.ctx, "s1", client.EffectsOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		if got == nil {
			time.Sleep(300 * time.Millisecond) // for what would come
			if n := r.Conn.Stats().InBytes - before; n > 3<<20 {
				t.Errorf("%d bytes are here behind the first event", n)
			}
		}
		if got = append(got, ev.Position.String()); len(got) == commits {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(log.String(), "interrupted") {
		t.Error(log.String())
	}
}

func TestEffectsSayWhatIsWrong(t *testing.T) {
	r := start(t, subjects.Settings{})
	r.fleet.Commit("s1", clienttest.Accepted("a"), clienttest.Accepted("b"))
	r.fleet.Commit("other", clienttest.Accepted("x"))
	r.fleet.Commit("s1", clienttest.Accepted("c"))
	last := r.fleet.Commit("s1", clienttest.Accepted("d"))
	r.fleet.Trim("s1")
	for name, test := range map[string]struct {
		session string
		opts    client.EffectsOptions
		want    error
	}{
		"gap":                  {"s1", client.EffectsOptions{After: "0.0"}, client.ErrGap},
		"nonsense":             {"s1", client.EffectsOptions{After: "x"}, client.ErrPosition},
		"of another session":   {"s1", client.EffectsOptions{After: "other/0.0"}, client.ErrPosition},
		"beyond the end":       {"s1", client.EffectsOptions{After: "900.0"}, client.ErrPosition},
		"beyond the commit":    {"s1", client.EffectsOptions{After: subjects.Position{Commit: last.Commit, Index: 7}.String()}, client.ErrPosition},
		"no such type":         {"s1", client.EffectsOptions{Types: []string{"Nonsense"}}, client.ErrType},
		"a type that comes in": {"s1", client.EffectsOptions{Types: []string{"prompt"}}, client.ErrType},
		"an empty feed":        {"nobody", client.EffectsOptions{After: "3.0"}, client.ErrPosition},
		"an illegal session":   {"a b", client.EffectsOptions{}, subjects.ErrToken},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(r.ctx, 5*time.Second)
			defer cancel()
			test.opts.Opened = func(string) { t.Error("it was opened") }
			n := 0
			for _, err := range r.client.Effects(ctx, test.session, test.opts) {
				if n++; !errors.Is(err, test.want) {
					t.Errorf("got %v", err)
				}
			}
			if n != 1 {
				t.Errorf("%d pairs", n)
			}
		})
	}
	gap := new(client.GapError)
	if _, err := r.client.History(r.ctx, "s1", client.HistoryOptions{After: "0.1"}); !errors.As(err, &gap) || gap.Oldest != last {
		t.Errorf("history: %v", err)
	}
	if page, err := r.client.History(r.ctx, "s1", client.HistoryOptions{After: gap.Resume()}); err != nil || len(page.Events) != 1 || page.Events[0].Position != last {
		t.Errorf("behind the gap: %+v, %v", page, err)
	}
	ctx, cancel := context.WithTimeout(r.ctx, 50*time.Millisecond)
	defer cancel()
	for _, err := range r.client.Effects(ctx, "nobody", client.EffectsOptions{}) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("time is up: %v", err)
		}
	}
}

// A resume point may lie between two commits, before the first and behind the last too.
func TestResumeBetweenCommits(t *testing.T) {
	r := start(t, subjects.Settings{})
	opened := func(session, after string) []string {
		t.Helper()
		ctx, cancel := context.WithTimeout(r.ctx, 10*time.Second)
		defer cancel()
		open := false
		var got []string
		for ev, err := range r.client.Effects(ctx, session, client.EffectsOptions{After: after, Opened: func(at string) {
			open = at == after
			r.fleet.Commit(session, clienttest.Accepted("last"))
		}}) {
			if err != nil || !open {
				t.Fatalf("%s after %s: open %v, %v", session, after, open, err)
			}
			if got = append(got, ev.Extensions()[subjects.ExtCausationID].(string)); got[len(got)-1] == "last" {
				return got
			}
		}
		return got
	}
	if diff := cmp.Diff([]string{"last"}, opened("nobody", "0")); diff != "" {
		t.Errorf("an empty feed: %s", diff)
	}
	r.fleet.Commit("s1", clienttest.Accepted("a"), clienttest.Accepted("b"))
	second := r.fleet.Commit("s1", clienttest.Accepted("c"))
	if diff := cmp.Diff([]string{"a", "b", "c", "last"}, opened("s1", "0")); diff != "" {
		t.Errorf("the whole feed: %s", diff)
	}
	if diff := cmp.Diff([]string{"c", "last"}, opened("s1", strconv.FormatUint(second.Commit, 10))); diff != "" {
		t.Errorf("from the second commit: %s", diff)
	}
	end := r.fleet.Commit("s1", clienttest.Accepted("d")).Commit + 1
	if diff := cmp.Diff([]string{"last"}, opened("s1", strconv.FormatUint(end, 10))); diff != "" {
		t.Errorf("behind the end: %s", diff)
	}
	r.fleet.Trim("s1")
	for _, err := range r.client.Effects(r.ctx, "s1", client.EffectsOptions{After: "0"}) {
		if gap := new(client.GapError); !errors.As(err, &gap) || !strings.Contains(err.Error(), "follows 0 is gone") {
			t.Errorf("the beginning is gone: %v", err)
		}
	}
	for _, err := range r.client.Effects(r.ctx, "s1", client.EffectsOptions{After: "900"}) {
		if !errors.Is(err, client.ErrPosition) {
			t.Errorf("beyond the end: %v", err)
		}
	}
}

// A reader knows where it stands, also before its first event and between those it wants.
func TestWhereAReaderStands(t *testing.T) {
	r := start(t, subjects.Settings{})
	first := r.fleet.Commit("s1", clienttest.Accepted("a"))
	second := r.fleet.Commit("s1", clienttest.Accepted("b"))
	third := r.fleet.Commit("s1", clienttest.Completed("a", 1))
	begin, behindFirst, behindSecond := "0", strconv.FormatUint(second.Commit, 10), strconv.FormatUint(third.Commit, 10)
	end := strconv.FormatUint(third.Commit+1, 10)
	for _, test := range []struct {
		opts client.EffectsOptions
		want []string
	}{
		{client.EffectsOptions{}, []string{begin, behindFirst, behindSecond}},
		{client.EffectsOptions{After: first.String()}, []string{first.String(), behindFirst, behindSecond}},
		{client.EffectsOptions{After: behindSecond}, []string{behindSecond}},
		{client.EffectsOptions{Latest: true}, []string{end}},
	} {
		var got []string
		stands := func(after string) {
			if got = append(got, after); after == end {
				r.fleet.Commit("s1", clienttest.Completed("b", 2))
			}
		}
		opts := test.opts
		opts.Types, opts.Opened, opts.Passed = []string{"InputCompleted"}, stands, stands
		names(t, r, "s1", opts, 1)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v: %s", test.opts, diff)
		}
	}
}

// A reader of what comes asks once for the last commit, which may be large: where it stands is
// not asked again.
func TestTheLatestIsAskedForOnce(t *testing.T) {
	r := start(t, subjects.Settings{})
	r.fleet.Commit("s1", clienttest.Accepted("a"))
	asked, err := r.Conn.SubscribeSync("$JS.API.STREAM.MSG.GET." + r.Namespace.LogStream(r.Namespace.Shard("s1")))
	if err == nil {
		err = r.Conn.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	names(t, r, "s1", client.EffectsOptions{Latest: true, Opened: func(string) { r.fleet.Commit("s1", clienttest.Completed("a", 1)) }}, 1)
	if err := r.Conn.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := asked.Pending(); n != 1 || err != nil {
		t.Errorf("asked %d times, %v", n, err)
	}
}

// Who publishes in order goes on when the one before is stored.
func TestOnStored(t *testing.T) {
	r := start(t, subjects.Settings{MailboxLimit: 1})
	var told []client.Receipt
	note := client.OnStored(func(got client.Receipt) { told = append(told, got) })
	got, err := r.client.Publish(r.ctx, "s1", prompt("a", "x"), note)
	if err != nil || len(told) != 1 || told[0] != got {
		t.Errorf("stored: %v, %+v, %v", told, got, err)
	}
	if _, err := r.client.Publish(r.ctx, "s1", prompt("b", "x"), note); !errors.Is(err, client.ErrMailboxFull) || len(told) != 1 {
		t.Errorf("not stored: %v, %v", told, err)
	}
	ctx, cancel := context.WithCancel(r.ctx)
	_, err = r.client.PublishAndWait(ctx, "s2", prompt("a", "x"), client.OnStored(func(client.Receipt) { cancel() }))
	if !errors.Is(err, client.ErrPending) {
		t.Errorf("told before the outcome: %v", err)
	}
}

func TestCorruptFeed(t *testing.T) {
	r := start(t, subjects.Settings{})
	for session, msg := range map[string]*nats.Msg{
		"no-header": {Data: []byte(`{"events":[]}`)},
		"no-json":   {Header: nats.Header{subjects.HeaderPrev: {"0"}}, Data: []byte(`{"events":`)},
		"no-event":  {Header: nats.Header{subjects.HeaderPrev: {"0"}}, Data: []byte(`{"events":[{"type":"x"}]}`)},
		"no-blob":   {Header: nats.Header{subjects.HeaderPrev: {"0"}}, Data: []byte(`{"dataref":"sha256:` + strings.Repeat("0", 64) + `"}`)},
	} {
		msg.Subject = r.Namespace.Log(session)
		if _, err := r.JS.PublishMsg(r.ctx, msg); err != nil {
			t.Fatal(err)
		}
		if _, err := r.client.History(r.ctx, session, client.HistoryOptions{}); !errors.Is(err, client.ErrCorrupt) {
			t.Errorf("%s: %v", session, err)
		}
	}
}

func TestQueries(t *testing.T) {
	r := start(t, subjects.Settings{})
	r.fleet.Commit("s1", clienttest.Accepted("a"))
	var state struct {
		Session string `json:"session"`
		Commit  int    `json:"commit"`
	}
	if err := r.client.Query(r.ctx, "s1", "state", nil, &state); err != nil || state.Session != "s1" || state.Commit != 1 {
		t.Errorf("state: %+v, %v", state, err)
	}
	if err := r.client.Query(r.ctx, "nobody", "state", nil, nil); !errors.Is(err, client.ErrSessionNotFound) {
		t.Errorf("no session: %v", err)
	}
	if err := r.client.Query(r.ctx, "s1", "input", map[string]string{"input_id": "z"}, nil); !errors.Is(err, client.ErrInputNotFound) {
		t.Errorf("no input: %v", err)
	}
	query := new(client.QueryError)
	if err := r.client.Query(r.ctx, "s1", "weather", nil, nil); !errors.As(err, &query) || query.Code != client.CodeUnknownQuery {
		t.Errorf("no query: %v", err)
	}
	if err := r.client.Query(r.ctx, "s.1", "state", nil, nil); !errors.Is(err, subjects.ErrToken) {
		t.Errorf("illegal session: %v", err)
	}
	if _, err := r.client.Sessions(r.ctx, "abc", 0); !errors.Is(err, client.ErrCursor) {
		t.Errorf("a foreign cursor: %v", err)
	}
	if page, err := r.client.Sessions(r.ctx, "", 0); err != nil || len(page.Sessions) != 0 {
		t.Errorf("sessions: %+v, %v", page, err)
	}
	if members, err := r.client.Workers(r.ctx); err != nil || len(members) != 0 {
		t.Errorf("workers: %+v, %v", members, err)
	}
}

func TestQueryWithoutFleet(t *testing.T) {
	env := embeddedtest.Provisioned(t, "acme", 1)
	c := dial(t, env.Conn)
	if err := c.Query(context.Background(), "s1", "state", nil, nil); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// BenchmarkPublishAndWait compares the ways to hear of outcomes: many waits on one
// session share a watch, waits on many sessions have one each.
func BenchmarkPublishAndWait(b *testing.B) {
	for _, sessions := range []int{1, 64} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			r := start(b, subjects.Settings{})
			r.fleet.Answer(clienttest.Echo)
			ctx := context.Background()
			b.SetParallelism(32)
			b.ResetTimer()
			var mu sync.Mutex
			n := 0
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mu.Lock()
					n++
					i := n
					mu.Unlock()
					if _, err := r.client.PublishAndWait(ctx, "s"+strconv.Itoa(i%sessions), prompt(strconv.Itoa(i), "hi")); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
