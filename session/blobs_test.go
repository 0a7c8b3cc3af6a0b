package session_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// payloads are the blobs of a session in the store, sorted.
func payloads(t *testing.T, env *embeddedtest.Env, id string) (refs []string) {
	t.Helper()
	store, err := env.JS.ObjectStore(t.Context(), env.Namespace.BlobsBucket())
	if err != nil {
		t.Fatal(err)
	}
	var all []*jetstream.ObjectInfo
	for {
		// The library's list never ends if an object goes while it is made.
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		all, err = store.List(ctx)
		cancel()
		if err == nil || errors.Is(err, jetstream.ErrNoObjectsFound) {
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) || t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
	for _, info := range all {
		if hash, ok := strings.CutPrefix(info.Name, id+"/"); ok && !strings.Contains(hash, "-") {
			refs = append(refs, "sha256:"+hash)
		}
	}
	slices.Sort(refs)
	return refs
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

func dial(t *testing.T, env *embeddedtest.Env, opts ...nats.Option) *client.Client {
	t.Helper()
	nc, _ := embeddedtest.Connect(t, env.Server, opts...)
	c, err := client.New(nc, env.Namespace.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func input(id, kind, data string, extensions ...string) event.Event {
	ev := event.New()
	ev.SetID(id)
	ev.SetSource("/test")
	ev.SetType(subjects.InputType(kind))
	ev.SetDataContentType(event.ApplicationJSON)
	ev.DataEncoded = []byte(data)
	for i := 0; i+1 < len(extensions); i += 2 {
		ev.SetExtension(extensions[i], extensions[i+1])
	}
	return ev
}

func image(text string, refs ...string) string {
	blocks := []string{fmt.Sprintf(`{"type":"text","text":%q}`, text)}
	for _, ref := range refs {
		blocks = append(blocks, fmt.Sprintf(`{"type":"image","blob":%q}`, ref))
	}
	return `{"content":[` + strings.Join(blocks, ",") + `]}`
}

// rejected is the kind and reason of a refusal.
func rejected(t *testing.T, err error) *client.RejectedError {
	t.Helper()
	var r *client.RejectedError
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return r
}

// Large data reach the executor as if they had been inline, images beside them, and a
// large result comes back; none of it is in the log.
func TestAnExecutorGetsWhatAnInputRefersTo(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	var run executor.Run
	result := fmt.Sprintf(`{"text":%q}`, strings.Repeat("r", 700<<10))
	start(t, env, func(c *worker.Config) {
		c.Executor = executor.Func(func(_ context.Context, r *executor.Run) (*executor.Result, error) {
			run = *r
			return &executor.Result{Content: []byte(result)}, nil
		})
	})
	c := dial(t, env)
	picture := bytes.Repeat([]byte{0, 1, 2}, 100<<10)
	ref, err := c.PutBlob(t.Context(), "s", picture)
	if err != nil {
		t.Fatal(err)
	}
	data := strings.Replace(image(strings.Repeat("long", 100<<10), ref), "{", `{"input_id":"mine",`, 1)
	out, err := c.PublishAndWait(t.Context(), "s", input("1", "prompt", data))
	if err != nil {
		t.Fatal(err)
	}
	in := run.Inputs[0]
	if in.ID != "mine" || string(in.Data) != data || len(in.Text) != 400<<10 || len(in.Blobs) != 1 || !bytes.Equal(in.Blobs[ref], picture) {
		t.Errorf("the executor got %s: %d bytes of data, %d of text, %d blobs", in.ID, len(in.Data), len(in.Text), len(in.Blobs))
	}
	if out.InputID != "mine" || string(out.Result) != result || out.ResultRef != kv.Ref([]byte(result)) {
		t.Errorf("the outcome has %d bytes, reference %q", len(out.Result), out.ResultRef)
	}
	info, err := env.JS.Stream(t.Context(), env.Namespace.LogStream(0))
	if err != nil {
		t.Fatal(err)
	}
	if n := info.CachedInfo().State.Bytes; n > 16<<10 {
		t.Errorf("the log has %d bytes", n)
	}
	if want := []string{ref, kv.Ref([]byte(data)), kv.Ref([]byte(result))}; len(payloads(t, env, "s")) != len(want) {
		t.Errorf("stored are %v, want %v", payloads(t, env, "s"), want)
	}
}

// A missing blob is refused by its name, and nothing runs.
func TestAMissingBlobIsRefusedByName(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(*worker.Config) {})
	c := dial(t, env)
	none := kv.Ref([]byte("none"))
	there, err := c.PutBlob(t.Context(), "s", []byte("there"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere, err := c.PutBlob(t.Context(), "s2", []byte("of another session"))
	if err != nil {
		t.Fatal(err)
	}
	foreign := input("f", "prompt", "", "dataref", none)
	foreign.SetType("com.example.large")
	for what, w := range map[string]struct {
		ev          event.Event
		kind, names string
	}{
		"data":                        {input("1", "prompt", "", "dataref", none), "BlobNotFound", none},
		"one of two images":           {input("2", "prompt", image("x", there, none)), "BlobNotFound", none},
		"another session's":           {input("3", "prompt", image("x", elsewhere)), "BlobNotFound", elsewhere},
		"of a foreign type":           {foreign, "BlobNotFound", none},
		"a misspelt reference":        {input("4", "prompt", "", "dataref", "cat.png"), "InvalidInput", "dataref"},
		"a reference of a wrong type": {input("5", "prompt", `{"content":[{"type":"image","blob":1}]}`), "InvalidInput", "data.content.0.blob"},
		"data twice":                  {input("6", "prompt", `{"text":"x"}`, "dataref", there), "InvalidInput", "dataref"},
		"data that is no prompt":      {input("7", "prompt", "", "dataref", there), "InvalidInput", "JSON"},
	} {
		_, err := c.PublishAndWait(t.Context(), "s", w.ev)
		if r := rejected(t, err); r.Kind != w.kind || !strings.Contains(r.Reason, w.names) {
			t.Errorf("%s: %v", what, r)
		}
	}
	command := input("8", "prompt", "", "dataref", there)
	command.SetType(subjects.CommandType("retire"))
	_, err = c.PublishAndWait(t.Context(), "s", command)
	if r := rejected(t, err); !strings.Contains(r.Reason, "dataref") {
		t.Errorf("a command: %v", r)
	}
	// Somebody else's reference is carried unchanged.
	theirs := input("9", "prompt", `{"a":1}`, "dataref", "https://example.com/large")
	theirs.SetType("com.example.large")
	if out, err := c.PublishAndWait(t.Context(), "s", theirs); err != nil || !out.Completed() {
		t.Errorf("a foreign reference: %+v, %v", out, err)
	}
}

// A blob stays for as long as the session remembers an input that refers to it, and no
// longer.
func TestBlobsGoWithTheInputsThatReferToThem(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(c *worker.Config) { c.Retain, c.BlobGrace = 4, time.Millisecond })
	c := dial(t, env)
	put := func(text string) string {
		t.Helper()
		ref, err := c.PutBlob(t.Context(), "s", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	say := func(id, data string) {
		t.Helper()
		if out, err := c.PublishAndWait(t.Context(), "s", input(id, "prompt", data)); err != nil || !out.Completed() {
			t.Fatalf("%s: %+v, %v", id, out, err)
		}
	}
	once, shared, again := put("once"), put("shared"), put("again")
	say("1", image("x", once, shared, again))
	say("2", image("x", shared))
	say("3", `{"text":"x"}`)
	again = put("again") // by somebody who has not published yet
	say("4", `{"text":"x"}`)
	if _, err := c.PublishAndWait(t.Context(), "s", input("refused", "prompt", image("x", put("refused"), kv.Ref(nil)))); err == nil {
		t.Fatal("a prompt with a missing image was taken")
	}
	want := []string{shared, again, put("refused")}
	slices.Sort(want)
	until(t, "the first prompt's own blob is gone", func() bool { return slices.Equal(payloads(t, env, "s"), want) })
	say("5", image("x", again))
	for i := range 4 {
		say(fmt.Sprint("more-", i), `{"text":"x"}`)
	}
	until(t, "all are gone", func() bool { return len(payloads(t, env, "s")) == 1 })
	// Only what was uploaded again and never used is left; a prompt takes it along.
	if _, err := c.PublishAndWait(t.Context(), "s", input("late", "prompt", image("x", once))); err == nil {
		t.Error("a blob that is gone was found")
	}
	say("last", image("x", put("refused"), put("once")))
	if _, err := c.Command(t.Context(), "s", "destroy", nil); err != nil {
		t.Fatal(err)
	}
	until(t, "a destroyed session has no blobs", func() bool { return len(payloads(t, env, "s")) == 0 })
	// A repeat that the server lets through is known, though its images are gone.
	known, err := env.Conn.SubscribeSync(env.Namespace.Fx("s", "InputDeduplicated"))
	if err != nil {
		t.Fatal(err)
	}
	repeat, err := subjects.EncodeBinary(input("last", "prompt", image("x", kv.Ref([]byte("refused")), kv.Ref([]byte("once")))), env.Namespace.In("s"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.JS.PublishMsg(t.Context(), repeat); err != nil {
		t.Fatal(err)
	}
	if _, err := known.NextMsg(10 * time.Second); err != nil {
		t.Errorf("a repeat is not known: %v", err)
	}
	after := put("after")
	_, err = c.PublishAndWait(t.Context(), "s", input("after", "prompt", image("x", after)))
	if r := rejected(t, err); r.Kind != "Destroyed" {
		t.Errorf("after its end: %v", r)
	}
	until(t, "nor gets any", func() bool { return len(payloads(t, env, "s")) == 0 })
}

// A blob of an input that travels in a command goes, too, if the input is refused.
func TestBlobsGoWithTheCommandThatIsRefused(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(c *worker.Config) { c.Retain, c.BlobGrace = 1, time.Millisecond })
	c := dial(t, env)
	command := func(name string, data map[string]any) error {
		t.Helper()
		_, err := c.Command(t.Context(), "s", name, data)
		return err
	}
	carried := func(refs ...string) map[string]any {
		return map[string]any{"kind": "prompt", "data": json.RawMessage(image("x", refs...))}
	}
	if err := command("pause", nil); err != nil {
		t.Fatal(err)
	}
	for what, refused := range map[string]func(ref string) error{
		"by its own": func(ref string) error {
			return command("accept_with_completion", map[string]any{"input": carried(ref, kv.Ref(nil))})
		},
		"with its work": func(ref string) error {
			return command("ingest", map[string]any{"runtime_id": "nobody", "fence_token": 7, "input": carried(ref)})
		},
	} {
		ref, err := c.PutBlob(t.Context(), "s", []byte(what))
		if err != nil {
			t.Fatal(err)
		}
		if err := refused(ref); err == nil {
			t.Fatalf("%s: it was not refused", what)
		}
		until(t, what+": it goes with what refers to it", func() bool {
			if err := command("pause", nil); err != nil {
				t.Fatal(err)
			}
			return len(payloads(t, env, "s")) == 0
		})
	}
}

// A blob is the same however the hash in its reference is spelled: it stays for the input that
// spells it in one way when the one that spells it in another is forgotten. An executor finds
// it as its input spells it.
func TestABlobIsOneInBothSpellings(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	got := make(chan map[string][]byte, 2)
	start(t, env, func(c *worker.Config) {
		c.Retain, c.BlobGrace = 2, time.Millisecond
		c.Executor = executor.Func(func(_ context.Context, r *executor.Run) (*executor.Result, error) {
			got <- r.Inputs[0].Blobs
			return &executor.Result{}, nil
		})
	})
	c := dial(t, env)
	ref, err := c.PutBlob(t.Context(), "s", []byte("picture"))
	if err != nil {
		t.Fatal(err)
	}
	upper := "sha256:" + strings.ToUpper(strings.TrimPrefix(ref, "sha256:"))
	if out, err := c.PublishAndWait(t.Context(), "s", input("upper", "prompt", image("x", upper))); err != nil || !out.Completed() {
		t.Fatalf("%+v, %v", out, err)
	}
	if blobs := <-got; string(blobs[upper]) != "picture" {
		t.Errorf("the executor got %v", blobs)
	}
	pause := func() {
		t.Helper()
		if _, err := c.Command(t.Context(), "s", "pause", nil); err != nil {
			t.Fatal(err)
		}
	}
	pause()
	if _, err := c.Publish(t.Context(), "s", input("lower", "prompt", image("x", ref))); err != nil {
		t.Fatal(err)
	}
	for range 3 { // and the first prompt is forgotten
		pause()
	}
	e := stored(t, env)
	until(t, "what was let go is deleted", func() bool {
		pause()
		f, err := session.FoldForTest(t.Context(), e, "s")
		if err != nil {
			t.Fatal(err)
		}
		return f.Dropped == 0
	})
	if there := payloads(t, env, "s"); !slices.Equal(there, []string{ref}) {
		t.Fatalf("stored are %v, the prompt that waits needs %s", there, ref)
	}
	if _, err := c.Command(t.Context(), "s", "resume", nil); err != nil {
		t.Fatal(err)
	}
	if blobs := <-got; string(blobs[ref]) != "picture" {
		t.Errorf("the executor got %v", blobs)
	}
}

// An input that is to come later keeps its blobs until then, whatever is forgotten
// meanwhile.
func TestADelayedInputKeepsItsBlobs(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	start(t, env, func(c *worker.Config) { c.Retain, c.BlobGrace = 1, time.Millisecond })
	c := dial(t, env)
	ref, err := c.PutBlob(t.Context(), "s", []byte("picture"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.PublishAndWait(t.Context(), "s", input("now", "prompt", image("x", ref))); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(2 * time.Second).Format(time.RFC3339Nano)
	if _, err := c.Publish(t.Context(), "s", input("later", "prompt", image("x", ref), "deliverat", at)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := c.PublishAndWait(t.Context(), "s", input(fmt.Sprint(i), "prompt", `{"text":"x"}`)); err != nil {
			t.Fatal(err)
		}
	}
	for ev, err := range c.Effects(t.Context(), "s", client.EffectsOptions{Types: []string{"InputCompleted", "InputRejected"}}) {
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(ev.JSON), `"later"`) {
			if ev.Name != "InputCompleted" {
				t.Errorf("%s", ev.JSON)
			}
			break
		}
	}
	for i := range 2 {
		if _, err := c.PublishAndWait(t.Context(), "s", input(fmt.Sprint("more", i), "prompt", `{"text":"x"}`)); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "it goes with the input", func() bool { return len(payloads(t, env, "s")) == 0 })
}

// An owner that is lost before it could delete what its session let go leaves that to the
// next one.
func TestTheNextOwnerDeletesWhatWasLetGo(t *testing.T) {
	ns, err := subjects.NewNamespace("test", 1)
	if err != nil {
		t.Fatal(err)
	}
	purge := "$JS.API.STREAM.PURGE." + subjects.ObjectStream(ns.BlobsBucket())
	s := embeddedtest.Run(t, embeddedtest.With(func(o *embedded.Options) {
		o.Adjust = func(so *server.Options) {
			so.Users = []*server.User{
				{Username: "any", Password: "x"},
				{Username: "keeps", Password: "x", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{purge}}}},
			}
		}
	}))
	may, mayNot := nats.UserInfo("any", "x"), nats.UserInfo("keeps", "x")
	nc, js := embeddedtest.Connect(t, s, may)
	if err := subjects.Provision(t.Context(), js, ns, subjects.Settings{}); err != nil {
		t.Fatal(err)
	}
	env := &embeddedtest.Env{Server: s, Namespace: ns, Conn: nc, JS: js}
	forgetful := func(c *worker.Config) {
		c.Retain, c.BlobGrace, c.DrainTimeout = 1, time.Millisecond, 50*time.Millisecond
	}
	stop := startAs(t, env, forgetful, mayNot, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	c := dial(t, env, may)
	ref, err := c.PutBlob(t.Context(), "s", []byte("picture"))
	if err != nil {
		t.Fatal(err)
	}
	for i, data := range []string{image("x", ref), `{"text":"x"}`, `{"text":"y"}`} {
		if _, err := c.PublishAndWait(t.Context(), "s", input(fmt.Sprint(i), "prompt", data)); err != nil {
			t.Fatal(err)
		}
	}
	if there := payloads(t, env, "s"); len(there) != 1 {
		t.Fatalf("the first owner could delete: %v", there)
	}
	startAs(t, env, forgetful, may)
	stop()
	until(t, "the next owner has deleted it", func() bool { return len(payloads(t, env, "s")) == 0 })
}

// A session that comes late to its mailbox, and remembers little, finds stored what was
// stored last. It lets that go with the first input that names it and has it for the second.
func TestABlobIsThereForWhoStoredItLater(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	c := dial(t, env)
	publish := func(ev event.Event) {
		t.Helper()
		if _, err := c.Publish(t.Context(), "s", ev); err != nil {
			t.Fatal(err)
		}
	}
	var picture, prompt string
	for i, data := range []string{"first", "second"} {
		var err error
		if picture, err = c.PutBlob(t.Context(), "s", []byte("picture")); err != nil {
			t.Fatal(err)
		}
		if prompt, err = c.PutBlob(t.Context(), "s", []byte(`{"text":"large"}`)); err != nil {
			t.Fatal(err)
		}
		publish(input(data+" picture", "prompt", image("x", picture)))
		publish(input(data+" prompt", "prompt", "", "dataref", prompt))
		for j := range 3 {
			publish(input(fmt.Sprint(i, j), "prompt", `{"text":"x"}`))
		}
	}
	one := func(c *worker.Config) { c.Retain, c.MailboxLimit = 1, 2 } // and takes few at a time
	stop := start(t, env, one)
	say := func(ev event.Event) {
		t.Helper()
		if out, err := c.PublishAndWait(t.Context(), "s", ev); err != nil || !out.Completed() {
			t.Errorf("%s: %+v, %v", ev.ID(), out, err)
		}
	}
	// Who publishes an event again is told what became of it.
	say(input("second picture", "prompt", image("x", picture)))
	say(input("second prompt", "prompt", "", "dataref", prompt))
	// Both have been let go again. What is named now stays; the rest is left to the next owner.
	say(input("third", "prompt", image("x", picture)))
	stop()
	e := stored(t, env)
	dropped := func() int {
		t.Helper()
		f, err := session.FoldForTest(t.Context(), e, "s")
		if err != nil {
			t.Fatal(err)
		}
		return f.Dropped
	}
	if there := payloads(t, env, "s"); len(there) != 2 || dropped() == 0 {
		t.Errorf("stored are %v, want both; %d are to be deleted", there, dropped())
	}
	start(t, env, func(c *worker.Config) {
		one(c)
		c.BlobGrace, c.HibernateAfter = time.Millisecond, 10*time.Millisecond
	})
	until(t, "nothing is left to delete", func() bool { return dropped() == 0 })
	if there := payloads(t, env, "s"); !slices.Equal(there, []string{picture}) {
		t.Errorf("stored are %v, want %s", there, picture)
	}
	for i := range 2 {
		say(input(fmt.Sprint("more", i), "prompt", `{"text":"x"}`))
	}
	until(t, "it is gone", func() bool { return len(payloads(t, env, "s")) == 0 })
}

// An input that is to come to a session that is destroyed by then keeps no blobs: who goes on
// from the commit that destroys it lets go what its owner does.
func TestADestroyedSessionHoldsNothingForLater(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	f := follow(t, env, env.Namespace.FxSession("s"))
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	publish(t, env, "s", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	send(t, env, "s", "end", "destroy", `{}`)
	publish(t, env, "s", "late", subjects.InputType("prompt"), image("x", putBlob(t, env, "s", []byte("late"))), "deliverat", later)
	send(t, env, "s", "last", "pause", `{}`)
	start(t, env, func(c *worker.Config) { c.SnapshotEvery, c.BlobGrace = 1, time.Hour })
	f.refused("s", "last")
	refolds(t, env, "s")
}
