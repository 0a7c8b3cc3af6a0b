package subjects_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

// refused runs f, which must be denied by permission.
func refused(t *testing.T, denied chan error, what string, f func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for len(denied) > 0 { // what an earlier attempt left
		<-denied
	}
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	select {
	case <-denied:
		cancel()
		<-done
		return
	case err := <-done:
		if errors.Is(err, nats.ErrPermissionViolation) {
			return
		}
		select { // the server's word may come after the call returned
		case <-denied:
		case <-time.After(2 * time.Second):
			t.Errorf("%s is possible (%v)", what, err)
		}
	}
}

func TestProducerMay(t *testing.T) {
	t.Parallel()
	g := embeddedtest.Guard(t, "acme", 3)
	ctx, ns := t.Context(), g.Namespace
	nc, js, denied := g.As(t, "producer")
	for _, subject := range []string{ns.PublicIn("s"), ns.In("s"), ns.PublicCtl("s"), ns.Ctl("s"), ns.PublicIn("another-1"), ns.PublicIn("x")} {
		if ack, err := js.Publish(ctx, subject, nil); err != nil || !strings.HasPrefix(ack.Stream, "KALAHARI_acme_IN_") {
			t.Errorf("%s: %v %v", subject, ack, err)
		}
	}
	for what, subject := range map[string]string{
		"writing the log": ns.Log("s"), "writing fx": ns.Fx("s", "X"), "writing dead": ns.Dead("s"), "setting a timer": ns.Timer("s", "1"),
		"firing a timer": ns.Due("s"), "signalling a mob": ns.MobSignal("m", "X"), "writing deltas": ns.Live("s"), "querying": ns.Query("in", "state"),
		"writing an owner":   subjects.KVSubject(ns.OwnersBucket(), ns.SessionKey("s")),
		"writing a snapshot": subjects.KVSubject(ns.SnapshotsBucket(), ns.SessionKey("s")),
		"another namespace":  "kalahari.other.in.s", "its shards": "kalahari.other.0.in.s", "probing": ns.Probe("w"), "executing": ns.Exec("p"),
	} {
		refused(t, denied, what, func(ctx context.Context) error {
			return errors.Join(nc.PublishMsg(&nats.Msg{Subject: subject}), nc.FlushWithContext(ctx))
		})
	}
	for what, subject := range map[string]string{
		"listening to fx": ns.FxSession("s"), "to the log": ns.Log("s"), "to everything": "kalahari.>", "to others' answers": "_IN_worker.>", "to mailboxes": ns.In("s"),
	} {
		refused(t, denied, what, func(ctx context.Context) error {
			_, err := nc.SubscribeSync(subject)
			return errors.Join(err, nc.FlushWithContext(ctx))
		})
	}
	for what, stream := range map[string]string{"fx": ns.FxStream(0), "the log": ns.LogStream(0), "mailboxes": ns.InStream(0), "owners": subjects.KVStream(ns.OwnersBucket())} {
		refused(t, denied, "reading "+what, func(ctx context.Context) error {
			_, err := js.CreateConsumer(ctx, stream, jetstream.ConsumerConfig{})
			return err
		})
		refused(t, denied, "deleting "+what, func(ctx context.Context) error { return js.DeleteStream(ctx, stream) })
	}
}

func TestSubscriberMay(t *testing.T) {
	t.Parallel()
	g := embeddedtest.Guard(t, "acme", 3)
	ctx, ns := t.Context(), g.Namespace
	rootConn, root, _ := g.As(t, "root")
	for i := range 3 {
		for _, subject := range []string{ns.Log("s"), ns.Fx("s", "InputCompleted"), ns.MobSignal("m", "RuntimeBound")} {
			if _, err := root.Publish(ctx, subject, []byte{byte('0' + i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := rootConn.Subscribe(ns.QueryAll(), func(m *nats.Msg) { _ = m.Respond([]byte("{}")) }); err != nil {
		t.Fatal(err)
	}
	if err := rootConn.Flush(); err != nil {
		t.Fatal(err)
	}

	nc, js, denied := g.As(t, "subscriber")
	got, _, err := subjects.Discover(ctx, js, "acme")
	if err != nil || got != ns {
		t.Fatalf("Discover: %v %v", got, err)
	}
	shard := ns.Shard("s")
	for stream, filter := range map[string]string{
		ns.LogStream(shard): ns.Log("s"), ns.FxStream(shard): ns.FxSession("s"), ns.MobStream(): ns.MobSignals("m"),
	} {
		c, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{FilterSubjects: []string{filter}})
		if err != nil {
			t.Errorf("%s: %v", stream, err)
			continue
		}
		it, err := c.Messages()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			m, err := it.Next()
			if err != nil || string(m.Data()) != string(rune('0'+i)) {
				t.Errorf("%s: message %d: %v %v", stream, i, m, err)
			}
		}
		it.Stop()
	}
	live, err := nc.SubscribeSync(ns.Live("s"))
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := rootConn.Publish(ns.Live("s"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := live.NextMsg(5 * time.Second); err != nil {
		t.Errorf("live: %v", err)
	}
	if _, err := nc.Request(ns.Query("s", "state"), nil, 5*time.Second); err != nil {
		t.Errorf("query: %v", err)
	}
	select {
	case err := <-denied:
		t.Errorf("denied on the way: %v", err)
	default:
	}
	for what, subject := range map[string]string{
		"publishing an input": ns.PublicIn("s"), "a sharded one": ns.In("s"), "a command": ns.Ctl("s"), "a commit": ns.Log("s"), "an event": ns.Fx("s", "X"),
		"a signal": ns.MobSignal("m", "X"), "a worker's key": subjects.KVSubject(ns.WorkersBucket(), "w"),
	} {
		refused(t, denied, what, func(ctx context.Context) error {
			return errors.Join(nc.PublishMsg(&nats.Msg{Subject: subject}), nc.FlushWithContext(ctx))
		})
	}
	refused(t, denied, "purging the log", func(ctx context.Context) error {
		_, err := nc.RequestWithContext(ctx, "$JS.API.STREAM.PURGE."+ns.LogStream(0), nil)
		return err
	})
}

// A worker does all it has to with its own grants, and a gateway too.
func TestWorkerMay(t *testing.T) {
	t.Parallel()
	g := embeddedtest.Guard(t, "acme", 3)
	ctx, ns := t.Context(), g.Namespace
	nc, js, denied := g.As(t, "worker")
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, subject := range []string{ns.In("s"), ns.Ctl("s"), ns.Log("s"), ns.Fx("s", "X"), ns.Dead("s"), ns.MobSignal("m", "X"), ns.Due("s")} {
		_, err := js.Publish(ctx, subject, nil)
		must(subject, err)
	}
	for _, bucket := range []string{ns.WorkersBucket(), ns.OwnersBucket(), ns.SnapshotsBucket(), ns.DirectoryBucket()} {
		kv, err := js.KeyValue(ctx, bucket)
		must(bucket, err)
		rev, err := kv.Create(ctx, "0.k", nil)
		must("create", err)
		_, err = kv.Update(ctx, "0.k", []byte("x"), rev)
		must("update", err)
		_, err = kv.Get(ctx, "0.k")
		must("get", err)
		w, err := kv.Watch(ctx, "0.*")
		must("watch", err)
		if e := <-w.Updates(); e == nil || e.Key() != "0.k" {
			t.Errorf("watch: %v", e)
		}
		must("stop", w.Stop())
		must("delete", kv.Delete(ctx, "0.k"))
	}
	blobs, err := js.ObjectStore(ctx, ns.BlobsBucket())
	must("blobs", err)
	_, err = blobs.PutBytes(ctx, "s/abc", []byte("blob"))
	must("put", err)
	_, err = blobs.GetBytes(ctx, "s/abc")
	must("get", err)
	must("delete", blobs.Delete(ctx, "s/abc"))

	shard := ns.Shard("s")
	durable, err := js.CreateOrUpdateConsumer(ctx, ns.InStream(shard), jetstream.ConsumerConfig{Durable: "activator", AckPolicy: jetstream.AckExplicitPolicy, HeadersOnly: true})
	must("activator", err)
	m, err := durable.Next(jetstream.FetchMaxWait(5 * time.Second))
	must("next", err)
	must("ack", m.DoubleAck(ctx))
	in, err := js.Stream(ctx, ns.InStream(shard))
	must("stream", err)
	_, err = in.GetLastMsgForSubject(ctx, ns.In("s"))
	must("leader read", err)
	must("purge", in.Purge(ctx, jetstream.WithPurgeSubject(ns.In("s"))))
	timer := nats.NewMsg(ns.Timer("s", "1"))
	timer.Header.Set("Nats-Schedule", "@at "+time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	timer.Header.Set("Nats-Schedule-Target", ns.Due("s"))
	_, err = js.PublishMsg(ctx, timer)
	must("timer", err)

	// Two workers and a client talk.
	if _, err := nc.Subscribe(ns.Query("s", "state"), func(m *nats.Msg) { _ = m.Respond([]byte("{}")) }); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Subscribe(ns.Probe("w1"), func(m *nats.Msg) { _ = m.Respond(nil) }); err != nil {
		t.Fatal(err)
	}
	must("flush", nc.Flush())
	_, err = nc.RequestWithContext(ctx, ns.Probe("w1"), nil)
	must("probe", err)
	gw, gjs, gdenied := g.As(t, "gateway")
	_, err = gw.RequestWithContext(ctx, ns.Query("s", "state"), nil)
	must("a gateway's query", err)
	_, err = gjs.Publish(ctx, ns.PublicIn("s"), nil)
	must("a gateway's input", err)
	dir, err := gjs.KeyValue(ctx, ns.DirectoryBucket())
	must("a gateway's directory", err)
	_, err = dir.Get(ctx, subjects.NamespaceKey)
	must("a gateway's get", err)
	gblobs, err := gjs.ObjectStore(ctx, ns.BlobsBucket())
	must("a gateway's blobs", err)
	_, err = gblobs.PutBytes(ctx, "s/def", []byte("blob"))
	must("a gateway's put", err)
	for _, d := range []chan error{denied, gdenied} {
		select {
		case err := <-d:
			t.Errorf("denied on the way: %v", err)
		default:
		}
	}
	refused(t, gdenied, "a gateway writing the directory", func(ctx context.Context) error {
		_, err := dir.Put(ctx, "0.x", nil)
		return err
	})
	refused(t, gdenied, "a gateway writing the log", func(ctx context.Context) error {
		_, err := gjs.Publish(ctx, ns.Log("s"), nil)
		return err
	})
	refused(t, denied, "a worker deleting a stream", func(ctx context.Context) error { return js.DeleteStream(ctx, ns.LogStream(0)) })
	refused(t, denied, "a worker in another namespace", func(ctx context.Context) error {
		_, err := js.Publish(ctx, "kalahari.other.0.log.s", nil)
		return err
	})
}

func TestOperatorStaysInItsNamespace(t *testing.T) {
	t.Parallel()
	g := embeddedtest.Guard(t, "acme", 3)
	_, js, denied := g.As(t, "operator")
	if err := subjects.Verify(t.Context(), js, g.Namespace, subjects.Settings{}); err != nil {
		t.Error(err)
	}
	refused(t, denied, "another namespace", func(ctx context.Context) error {
		return subjects.Provision(ctx, js, namespace(t, "other", 1), subjects.Settings{})
	})
	if err := js.DeleteStream(t.Context(), g.Namespace.DeadStream()); err != nil {
		t.Error(err)
	}
}

func TestUnknownRole(t *testing.T) {
	t.Parallel()
	if _, err := namespace(t, "acme", 1).Permissions("king", ""); err == nil {
		t.Error("a king")
	}
	if got := (subjects.Permissions{}).Config(""); strings.Count(got, `deny: [">"]`) != 2 {
		t.Errorf("nothing granted must mean nothing allowed:\n%s", got)
	}
}
