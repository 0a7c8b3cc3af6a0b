package subjects_test

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

func namespace(t testing.TB, name string, shards int) subjects.Namespace {
	t.Helper()
	ns, err := subjects.NewNamespace(name, shards)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

func TestProvisionAndDiscover(t *testing.T) {
	t.Parallel()
	s := embeddedtest.Run(t)
	_, js := embeddedtest.Connect(t, s)
	ctx := t.Context()
	if _, _, err := subjects.Discover(ctx, js, "acme"); !errors.Is(err, subjects.ErrNotProvisioned) {
		t.Fatalf("before: %v", err)
	}
	ns := namespace(t, "acme", 3)
	if err := subjects.Provision(ctx, js, ns, subjects.Settings{MailboxLimit: 7, FxAge: time.Hour, LogBytes: 1 << 30}); err != nil {
		t.Fatal(err)
	}
	want := subjects.Settings{MailboxLimit: 7, FxAge: time.Hour, LogBytes: 1 << 30}.WithDefaults()
	got, settings, err := subjects.Discover(ctx, js, "acme")
	if err != nil || got != ns {
		t.Fatalf("Discover = %v, %v", got, err)
	}
	if d := cmp.Diff(want, settings); d != "" {
		t.Error(d)
	}
	// What the server made of it is what we asked for, and explains itself.
	for _, def := range ns.Definitions(want) {
		st, err := js.Stream(ctx, def.Name)
		if err != nil {
			t.Fatalf("%s: %v", def.Name, err)
		}
		have := st.CachedInfo().Config
		for k := range have.Metadata {
			if strings.HasPrefix(k, "_nats.") {
				delete(have.Metadata, k)
			}
		}
		if d := cmp.Diff(def, have); d != "" {
			t.Errorf("%s: %s", def.Name, d)
		}
		if have.Description == "" || have.Metadata[subjects.MetaShards] != "3" {
			t.Errorf("%s does not explain itself: %+v", def.Name, have)
		}
	}
	// The buckets are buckets to nats.go.
	for _, bucket := range []string{ns.WorkersBucket(), ns.OwnersBucket(), ns.SnapshotsBucket(), ns.DirectoryBucket()} {
		kv, err := js.KeyValue(ctx, bucket)
		if err != nil {
			t.Fatalf("%s: %v", bucket, err)
		}
		if _, err := kv.Create(ctx, ns.SessionKey("s-1"), []byte("x")); err != nil {
			t.Errorf("%s: %v", bucket, err)
		}
		if st, err := kv.Status(ctx); err != nil || st.TTL() != 0 || st.History() != 1 {
			t.Errorf("%s: TTL %v, history %d, %v", bucket, st.TTL(), st.History(), err)
		}
	}
	os, err := js.ObjectStore(ctx, ns.BlobsBucket())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.PutBytes(ctx, subjects.BlobName("s-1", "abc"), []byte("blob")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.GetBytes(ctx, subjects.BlobName("s-1", "abc")); err != nil || string(b) != "blob" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestProvisionAgainKeepsAndChanges(t *testing.T) {
	t.Parallel()
	env := embeddedtest.ProvisionedWith(t, "acme", 1, subjects.Settings{MailboxLimit: 7, Published: subjects.PublishAll})
	ctx, js, ns := t.Context(), env.JS, env.Namespace

	// An operator's own touches stay.
	in, err := js.Stream(ctx, ns.InStream(0))
	if err != nil {
		t.Fatal(err)
	}
	touched := in.CachedInfo().Config
	touched.Compression = jetstream.S2Compression
	touched.Metadata["team"] = "blue"
	if _, err := js.UpdateStream(ctx, touched); err != nil {
		t.Fatal(err)
	}

	// Zero keeps, non-zero changes.
	if err := subjects.Provision(ctx, js, ns, subjects.Settings{DeadAge: 48 * time.Hour, MaxConsumers: 100_000}); err != nil {
		t.Fatal(err)
	}
	_, settings, err := subjects.Discover(ctx, js, ns.Name())
	if err != nil {
		t.Fatal(err)
	}
	want := subjects.Settings{MailboxLimit: 7, Published: subjects.PublishAll, DeadAge: 48 * time.Hour, MaxConsumers: 100_000}.WithDefaults()
	if d := cmp.Diff(want, settings); d != "" {
		t.Error(d)
	}
	in, _ = js.Stream(ctx, ns.InStream(0))
	c := in.CachedInfo().Config
	if c.MaxMsgsPerSubject != 7 || c.MaxConsumers != 100_000 || c.Compression != jetstream.S2Compression || c.Metadata["team"] != "blue" {
		t.Errorf("IN: %+v", c)
	}
	dead, _ := js.Stream(ctx, ns.DeadStream())
	if got := dead.CachedInfo().Config.MaxAge; got != 48*time.Hour {
		t.Errorf("DEAD: max age %s", got)
	}
	if err := subjects.Verify(ctx, js, ns, subjects.Settings{}); err != nil {
		t.Error(err)
	}
	var drift *subjects.DriftError
	if err := subjects.Verify(ctx, js, ns, subjects.Settings{MailboxLimit: 8}); !errors.As(err, &drift) || len(drift.Drifts) != 1 {
		t.Errorf("Verify with another bound: %v", err)
	}
}

func TestProvisionReportsDrift(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "acme", 2)
	ctx, js, ns := t.Context(), env.JS, env.Namespace

	var drift *subjects.DriftError
	err := subjects.Provision(ctx, js, namespace(t, "acme", 4), subjects.Settings{})
	if !errors.As(err, &drift) || drift.Drifts[0] != (subjects.Drift{Stream: "KV_kalahari_acme_directory", Field: "shards", Have: "2", Want: "4"}) {
		t.Fatalf("another shard count: %v", err)
	}

	change := func(name string, f func(*jetstream.StreamConfig)) {
		t.Helper()
		st, err := js.Stream(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		c := st.CachedInfo().Config
		f(&c)
		if _, err := js.UpdateStream(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	change(ns.LogStream(1), func(c *jetstream.StreamConfig) { c.MaxAge, c.AllowDirect = time.Hour, true })
	change(ns.InStream(0), func(c *jetstream.StreamConfig) {
		c.DiscardNewPerSubject, c.Discard = false, jetstream.DiscardOld
	})
	change(ns.FxStream(0), func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }) // governed: not drift
	err = subjects.Provision(ctx, js, ns, subjects.Settings{})
	if !errors.As(err, &drift) {
		t.Fatal(err)
	}
	want := []subjects.Drift{
		{ns.InStream(0), "discard", "DiscardOld", "DiscardNew"},
		{ns.InStream(0), "discard_new_per_subject", "false", "true"},
		{ns.LogStream(1), "allow_direct", "true", "false"},
		{ns.LogStream(1), "max_age", "1h0m0s", "0s"},
	}
	if d := cmp.Diff(want, drift.Drifts); d != "" {
		t.Error(d)
	}
	fx, _ := js.Stream(ctx, ns.FxStream(0))
	if fx.CachedInfo().Config.MaxAge != time.Hour {
		t.Error("something was changed in spite of the drift")
	}
	if !strings.Contains(err.Error(), "KALAHARI_acme_LOG_1: max_age is 1h0m0s, must be 0s") {
		t.Errorf("unreadable: %v", err)
	}
}

func TestProvisionByManyAtOnce(t *testing.T) {
	t.Parallel()
	s := embeddedtest.Run(t)
	ns, other := namespace(t, "acme", 2), namespace(t, "acme", 3)
	var (
		wg   sync.WaitGroup
		errs [6]error
	)
	for i := range errs {
		_, js := embeddedtest.Connect(t, s)
		which := ns
		if i%2 == 1 {
			which = other
		}
		wg.Go(func() { errs[i] = subjects.Provision(t.Context(), js, which, subjects.Settings{}) })
	}
	wg.Wait()
	_, js := embeddedtest.Connect(t, s)
	won, _, err := subjects.Discover(t.Context(), js, "acme")
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range errs {
		mine := ns
		if i%2 == 1 {
			mine = other
		}
		var drift *subjects.DriftError
		if mine == won && err != nil || mine != won && !errors.As(err, &drift) {
			t.Errorf("%d shards, while %d won: %v", mine.Shards(), won.Shards(), err)
		}
	}
	if err := subjects.Verify(t.Context(), js, won, subjects.Settings{}); err != nil {
		t.Error(err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	s := embeddedtest.Run(t)
	_, js := embeddedtest.Connect(t, s)
	for field, bad := range map[string]subjects.Settings{
		"Replicas":     {Replicas: 6},
		"MailboxLimit": {MailboxLimit: subjects.Unlimited},
		"MaxConsumers": {MaxConsumers: -1},
		"MaxInput":     {MaxInput: 10},
		"MaxCommit":    {MaxInput: 1 << 20},
		"FxAge":        {FxAge: time.Second},
		"Duplicates":   {Duplicates: time.Millisecond},
		"published":    {Published: "some"},
	} {
		err := subjects.Provision(t.Context(), js, namespace(t, "acme", 1), bad)
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, _, err := subjects.Discover(t.Context(), js, "acme"); !errors.Is(err, subjects.ErrNotProvisioned) {
		t.Error(err)
	}
}

// The definitions keep what the protocol needs of them.
func TestStreamsBehave(t *testing.T) {
	t.Parallel()
	env := embeddedtest.ProvisionedWith(t, "acme", 2, subjects.Settings{MailboxLimit: 3})
	ctx, js, ns := t.Context(), env.JS, env.Namespace

	for i := range 3 {
		if _, err := js.Publish(ctx, ns.PublicIn("s"), nil, jetstream.WithMsgID("s:"+string(rune('a'+i)))); err != nil {
			t.Fatal(err)
		}
	}
	_, err := js.Publish(ctx, ns.PublicIn("s"), nil)
	var api *jetstream.APIError
	if !errors.As(err, &api) || api.ErrorCode != 10077 {
		t.Errorf("a full mailbox answers %v, want API error 10077", err)
	}
	if ack, err := js.Publish(ctx, ns.In("s"), nil, jetstream.WithMsgID("s:a")); err != nil || !ack.Duplicate {
		t.Errorf("a repeated publish into a full mailbox: %+v, %v", ack, err)
	}
	if _, err := js.Publish(ctx, ns.PublicCtl("s"), nil); err != nil {
		t.Errorf("control behind a full mailbox: %v", err)
	}
	if _, err := js.Publish(ctx, ns.In("t"), nil); err != nil {
		t.Errorf("another session beside a full mailbox: %v", err)
	}
	_, err = js.Publish(ctx, ns.In("big"), make([]byte, subjects.DefaultMaxInput+1))
	if !errors.As(err, &api) || api.ErrorCode != 10054 {
		t.Errorf("an input too large answers %v, want API error 10054", err)
	}
	if _, err := js.Publish(ctx, ns.Log("s"), nil, jetstream.WithExpectLastSequencePerSubject(0)); err != nil {
		t.Error(err)
	}
	_, err = js.Publish(ctx, ns.Log("s"), nil, jetstream.WithExpectLastSequencePerSubject(0))
	if !errors.As(err, &api) || api.ErrorCode != 10071 {
		t.Errorf("a second first commit answers %v, want API error 10071", err)
	}
	// The names of queries and mobs do not run into the streams.
	for _, subject := range []string{ns.Query("due", "state"), ns.Query("dead", "state"), ns.Query("in", "state")} {
		if _, err := js.Publish(ctx, subject, nil, jetstream.WithRetryAttempts(0)); !errors.Is(err, jetstream.ErrNoStreamResponse) {
			t.Errorf("%s: a stream took it: %v", subject, err)
		}
	}
	if ack, err := js.Publish(ctx, ns.MobSignal("timer", "RuntimeBound"), nil); err != nil || ack.Stream != ns.MobStream() {
		t.Errorf("%v, %v", ack, err)
	}
}

func TestTimersFireIntoTheirStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "acme", 2)
		ctx, js, ns := t.Context(), env.JS, env.Namespace
		at := time.Now().Add(time.Hour)
		m := nats.NewMsg(ns.Timer("s", "7"))
		m.Header.Set("Nats-Schedule", "@at "+at.UTC().Format(time.RFC3339Nano))
		m.Header.Set("Nats-Schedule-Target", ns.Due("s"))
		m.Header.Set("Nats-Schedule-TTL", "1h")
		if _, err := js.PublishMsg(ctx, m); err != nil {
			t.Fatal(err)
		}
		c, err := js.OrderedConsumer(ctx, ns.TimeStream(), jetstream.OrderedConsumerConfig{FilterSubjects: ns.EachShard(ns.DueShard)})
		if err != nil {
			t.Fatal(err)
		}
		due, err := c.Next(jetstream.FetchMaxWait(2 * time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if late := time.Since(at); due.Subject() != ns.Due("s") || late < 0 || late > time.Second {
			t.Errorf("%s came %s late", due.Subject(), late)
		}
		if ttl := due.Headers().Get("Nats-TTL"); ttl != "1h0m0s" && ttl != "1h" {
			t.Errorf("the fired message has TTL %q", ttl)
		}
	})
}

func BenchmarkProvision(b *testing.B) {
	for _, shards := range []int{8, 64} {
		b.Run(strconv.Itoa(shards), func(b *testing.B) {
			for b.Loop() {
				s := embeddedtest.Run(b)
				_, js := embeddedtest.Connect(b, s)
				if err := subjects.Provision(b.Context(), js, namespace(b, "acme", shards), subjects.Settings{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
