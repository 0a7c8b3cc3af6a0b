package kv

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

func noise(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.Read(data)
	return data
}

func stored(t *testing.T, env *embeddedtest.Env) uint64 {
	t.Helper()
	return must[jetstream.Stream](t)(env.JS.Stream(t.Context(), subjects.ObjectStream(env.Namespace.BlobsBucket()))).CachedInfo().State.Msgs
}

// Rule 20: forward only. Rule 7: of any size.
func TestSnapshotsGoForward(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 2)
	s := open(t, env.JS, env.Namespace)
	ctx := t.Context()
	_, err := s.Snapshots.Read(ctx, "s")
	isErr(t, err, ErrNoSnapshot)
	var last Snapshot
	for commit, size := range []int{0, 10, MaxInline, MaxInline + 1, 3 << 20, 700 << 10, 5} {
		snap := Snapshot{Session: "s", Commit: uint64(commit + 1), Sequence: uint64(10 * (commit + 1)), Data: noise(size)}
		last = must[Snapshot](t)(s.Snapshots.Write(ctx, snap, last))
		snap.Revision, snap.blob = last.Revision, last.blob
		got := must[Snapshot](t)(s.Snapshots.Read(ctx, "s"))
		if !bytes.Equal(got.Data, snap.Data) {
			t.Fatalf("commit %d: %d bytes came back of %d", snap.Commit, len(got.Data), size)
		}
		if got.Data, snap.Data = nil, nil; fmt.Sprint(got) != fmt.Sprint(snap) {
			t.Fatalf("read %+v, wrote %+v", got, snap)
		}
	}
	if n := stored(t, env); n != 0 {
		t.Fatalf("replaced blobs left %d messages", n)
	}
	for _, back := range []Snapshot{
		{Commit: 6, Sequence: 60}, {Commit: 6, Sequence: 70}, {Commit: 8, Sequence: 70}, {Commit: 8, Sequence: 60}, {Commit: 7, Sequence: 71},
	} {
		back.Session = "s"
		_, err := s.Snapshots.Write(ctx, back, last)
		isErr(t, err, ErrBackwards)
	}
	// The same commit again, by another version of the kernel.
	again := must[Snapshot](t)(s.Snapshots.Write(ctx, Snapshot{Session: "s", Commit: 7, Sequence: 70, Data: []byte("v2")}, last))
	for _, stale := range []uint64{0, last.Revision, again.Revision + 1} {
		_, err := s.Snapshots.Write(ctx, Snapshot{Session: "s", Commit: 9, Sequence: 90}, Snapshot{Revision: stale})
		isErr(t, err, ErrMoved)
	}
	_, err = s.Snapshots.Write(ctx, Snapshot{Session: "not legal"}, Snapshot{})
	isErr(t, err, subjects.ErrToken)
	// Deleted by hand: absent, and can be written again.
	kv := must[jetstream.KeyValue](t)(env.JS.KeyValue(ctx, env.Namespace.SnapshotsBucket()))
	if err := kv.Delete(ctx, env.Namespace.SessionKey("s")); err != nil {
		t.Fatal(err)
	}
	_, err = s.Snapshots.Read(ctx, "s")
	isErr(t, err, ErrNoSnapshot)
	must[Snapshot](t)(s.Snapshots.Write(ctx, Snapshot{Session: "s", Commit: 1, Sequence: 1}, Snapshot{}))
}

// A fenced owner and its successor write the same bytes: whoever loses cleans up
// only after itself.
func TestLostSnapshotLeavesTheWinnersBlob(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	s := open(t, env.JS, env.Namespace)
	ctx := t.Context()
	snap := Snapshot{Session: "s", Commit: 1, Sequence: 1, Data: noise(MaxInline + 1)}
	slow, m := between(t, env)
	m.inject("$KV.", 1, nil)
	m.faults[0].handle = func(forward func() *nats.Msg) *nats.Msg {
		must[Snapshot](t)(s.Snapshots.Write(ctx, snap, Snapshot{})) // the successor is faster
		return forward()
	}
	_, err := slow.Snapshots.Write(ctx, snap, Snapshot{})
	isErr(t, err, ErrMoved)
	if got := must[Snapshot](t)(s.Snapshots.Read(ctx, "s")); !bytes.Equal(got.Data, snap.Data) {
		t.Fatal("the winner's snapshot is damaged")
	}
	// Its own chunks and record, and nothing of the loser.
	info := must[*jetstream.StreamInfo](t)(s.Blobs.raw.Info(ctx, jetstream.WithSubjectFilter(s.Blobs.meta.prefix+"*")))
	if len(info.State.Subjects) != 1 {
		t.Fatalf("%d blobs", len(info.State.Subjects))
	}
}

func TestSnapshotWithALostAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		s, m := between(t, env)
		m.inject("$KV.", 2, loseAnswer)
		snap := Snapshot{Session: "s", Commit: 1, Sequence: 1, Data: []byte("x")}
		last := must[Snapshot](t)(s.Snapshots.Write(t.Context(), snap, Snapshot{}))
		if got := must[Snapshot](t)(direct.Snapshots.Read(t.Context(), "s")); got.Revision != last.Revision {
			t.Fatalf("revision %d, not %d", got.Revision, last.Revision)
		}
		m.inject("$KV.", -1, loseAnswer)
		m.inject("STREAM.MSG.GET", -1, loseQuestion)
		_, err := s.Snapshots.Write(within(t, 10*time.Second), snap, last)
		isErr(t, err, context.DeadlineExceeded)
	})
}

func TestDamagedSnapshotIsSaid(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	s := open(t, env.JS, env.Namespace)
	ctx := t.Context()
	must[Snapshot](t)(s.Snapshots.Write(ctx, Snapshot{Session: "s", Commit: 1, Sequence: 1, Data: noise(MaxInline + 1)}, Snapshot{}))
	if err := s.Blobs.DeleteSession(ctx, "s"); err != nil {
		t.Fatal(err)
	}
	_, err := s.Snapshots.Read(ctx, "s")
	isErr(t, err, ErrCorrupt, ErrNoBlob)
	must[*jetstream.PubAck](t)(env.JS.Publish(ctx, subjects.KVSubject(env.Namespace.SnapshotsBucket(), "0.t"), []byte("x")))
	_, err = s.Snapshots.Read(ctx, "t")
	isErr(t, err, ErrCorrupt)
}

func TestBlobs(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	b := open(t, env.JS, env.Namespace).Blobs
	ctx := t.Context()
	blobs := map[string][]Blob{}
	data := [][]byte{{}, []byte("x"), noise(100 << 10), noise(1 << 20)}
	for _, session := range []string{"a", "ab"} {
		for _, d := range data {
			var last Blob
			for range 2 {
				blob := must[Blob](t)(b.Put(ctx, session, d))
				if blob.Ref != Ref(d) || blob.Size != uint64(len(d)) || blob.Revision <= last.Revision {
					t.Fatalf("%d bytes are %+v after %+v", len(d), blob, last)
				}
				last = blob
				if got := must[Blob](t)(b.Stat(ctx, session, blob.Ref)); got != blob {
					t.Fatalf("there is %+v, not %+v", got, blob)
				}
				if got := must[[]byte](t)(b.Get(ctx, session, blob.Ref)); !bytes.Equal(got, d) {
					t.Fatalf("%s: %d bytes of %d", blob.Ref, len(got), len(d))
				}
			}
			blobs[session] = append(blobs[session], last)
		}
	}
	first := blobs["a"][0]
	for _, session := range []string{"b", "ab-"} { // blobs are a session's own (rule 38)
		_, err := b.Get(ctx, session, first.Ref)
		isErr(t, err, ErrNoBlob)
	}
	for range 2 {
		if err := b.Delete(ctx, "a", first); err != nil {
			t.Fatal(err)
		}
		_, err := b.Get(ctx, "a", first.Ref)
		isErr(t, err, ErrNoBlob)
		_, err = b.Stat(ctx, "a", first.Ref)
		isErr(t, err, ErrNoBlob)
	}
	must[Blob](t)(b.Put(ctx, "a", data[0])) // again after a deletion
	for _, ref := range []string{"", "sha256:", "sha256:zz", "md5:" + first.Ref[7:], first.Ref + "00"} {
		_, err := b.Get(ctx, "a", ref)
		isErr(t, err, ErrRef)
		_, err = b.Stat(ctx, "a", ref)
		isErr(t, err, ErrRef)
	}
	// A commit of the same bytes is another object.
	body := must[string](t)(b.PutBody(ctx, "a", data[2]))
	must[string](t)(b.PutBody(ctx, "a", data[2]))
	if err := b.Delete(ctx, "a", must[Blob](t)(b.Stat(ctx, "a", body))); err != nil {
		t.Fatal(err)
	}
	_, err := b.Get(ctx, "a", body)
	isErr(t, err, ErrNoBlob)
	if got := must[[]byte](t)(b.Body(ctx, "a", body)); !bytes.Equal(got, data[2]) {
		t.Fatalf("the commit is %d bytes", len(got))
	}
	if err := b.DeleteSession(ctx, "a"); err != nil {
		t.Fatal(err)
	}
	for _, blob := range blobs["a"] {
		_, err = b.Get(ctx, "a", blob.Ref)
		isErr(t, err, ErrNoBlob)
	}
	for _, blob := range blobs["ab"] {
		must[[]byte](t)(b.Get(ctx, "ab", blob.Ref))
	}
	if err := b.DeleteSession(ctx, "ab"); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, env); n != 0 {
		t.Fatalf("deletions left %d messages", n)
	}
	// What lost its chunks is repaired by the next upload.
	ref := must[Blob](t)(b.Put(ctx, "a", data[2])).Ref
	if err := b.raw.Purge(ctx, jetstream.WithPurgeSubject("$O."+env.Namespace.BlobsBucket()+".C.*")); err != nil {
		t.Fatal(err)
	}
	_, err = b.Get(ctx, "a", ref)
	isErr(t, err, ErrCorrupt)
	must[Blob](t)(b.Put(ctx, "a", data[2]))
	must[[]byte](t)(b.Get(ctx, "a", ref))
	// Other clients read what we write, and we what they write.
	store := must[jetstream.ObjectStore](t)(env.JS.ObjectStore(ctx, env.Namespace.BlobsBucket()))
	name := subjects.BlobName("a", ref[len(refScheme):])
	if got := must[[]byte](t)(store.GetBytes(ctx, name)); !bytes.Equal(got, data[2]) {
		t.Fatalf("another client reads %d bytes", len(got))
	}
	if err := store.Delete(ctx, name); err != nil {
		t.Fatal(err)
	}
	_, err = b.Get(ctx, "a", ref)
	isErr(t, err, ErrNoBlob)
	must[Blob](t)(b.Put(ctx, "a", data[2]))
	info := must[*jetstream.ObjectInfo](t)(store.PutBytes(ctx, name, data[3][:10]))
	if _, err = b.Get(ctx, "a", ref); info.Size != 10 || !errors.Is(err, ErrCorrupt) {
		t.Fatalf("another content under the same name: %v", err)
	}
}

// A producer stores a payload again while the owner, who knows only the first upload,
// deletes it: in whichever order, the producer's stays.
func TestADeletionLeavesALaterUpload(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	b := open(t, env.JS, env.Namespace).Blobs
	ctx := t.Context()
	data := noise(300 << 10)
	known := must[Blob](t)(b.Put(ctx, "s", data))
	must[Blob](t)(b.Put(ctx, "s", data))
	if err := b.Delete(ctx, "s", known); err != nil {
		t.Fatal(err)
	}
	must[[]byte](t)(b.Get(ctx, "s", known.Ref))
	slow, m := between(t, env)
	for _, step := range []struct {
		subject string
		before  bool // it is stored before the step is taken
	}{{"STREAM.MSG.GET.", true}, {"STREAM.MSG.GET.", false}, {"STREAM.PURGE.", true}, {"STREAM.PURGE.", false}} {
		known = must[Blob](t)(b.Stat(ctx, "s", known.Ref))
		m.heal()
		m.inject(step.subject, 1, func(forward func() *nats.Msg) *nats.Msg {
			if step.before {
				must[Blob](t)(b.Put(ctx, "s", data))
				return forward()
			}
			answer := forward()
			must[Blob](t)(b.Put(ctx, "s", data))
			return answer
		})
		if err := slow.Blobs.Delete(ctx, "s", known); err != nil {
			t.Fatal(err)
		}
		if got, err := b.Get(ctx, "s", known.Ref); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%+v: %d bytes are left, %v", step, len(got), err)
		}
	}
	if err := b.Delete(ctx, "s", must[Blob](t)(b.Stat(ctx, "s", known.Ref))); err != nil {
		t.Fatal(err)
	}
	if n := stored(t, env); n != 0 {
		t.Fatalf("%d messages are left", n)
	}
}

// Whoever renews a payload while it is deleted has it, or is told that it is gone.
func TestADeletionLeavesWhatIsRenewed(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	b := open(t, env.JS, env.Namespace).Blobs
	ctx := t.Context()
	data := noise(300 << 10)
	slow, m := between(t, env)
	for _, step := range []struct {
		subject string
		before  bool // it is renewed before the step is taken
		gone    bool
	}{
		{subject: "STREAM.MSG.GET.", before: true},
		{subject: "STREAM.MSG.GET."},
		{subject: "STREAM.PURGE.", before: true},
		{subject: "STREAM.PURGE.", gone: true},
	} {
		known := must[Blob](t)(b.Put(ctx, "s", data))
		var renewed Blob
		var err error
		m.heal()
		m.inject(step.subject, 1, func(forward func() *nats.Msg) *nats.Msg {
			if step.before {
				renewed, err = b.Renew(ctx, "s", known)
				return forward()
			}
			answer := forward()
			renewed, err = b.Renew(ctx, "s", known)
			return answer
		})
		if err := slow.Blobs.Delete(ctx, "s", known); err != nil {
			t.Fatal(err)
		}
		if step.gone {
			if !errors.Is(err, ErrNoBlob) || stored(t, env) != 0 {
				t.Errorf("%+v: renewed with error %v; %d messages are left", step, err, stored(t, env))
			}
			continue
		}
		got, lost := b.Get(ctx, "s", known.Ref)
		if err != nil || renewed.Revision <= known.Revision || renewed.Size != known.Size || lost != nil || !bytes.Equal(got, data) {
			t.Errorf("%+v: of %+v became %+v, %v; %d bytes are left, %v", step, known, renewed, err, len(got), lost)
		}
	}
}

// Who writes to the object store may say of a blob what it likes. Readers go by the size in its
// record, and hold no more in memory.
func TestABlobIsNotLargerThanItSays(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	s, m := between(t, env)
	ctx := t.Context()
	blob := must[Blob](t)(s.Blobs.Put(ctx, "s", noise(10*chunkSize)))
	name := subjects.BlobName("s", blob.Ref[len(refScheme):])
	for _, size := range []uint64{0, 1, chunkSize, 10*chunkSize + 1} {
		e, info, err := s.Blobs.record(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		info.Size = size
		must[uint64](t)(s.Blobs.meta.cas(ctx, recordOf(name, must[[]byte](t)(json.Marshal(info)), e.seq)))
		before := m.count("STREAM.MSG.GET.")
		_, err = s.Blobs.Get(ctx, "s", blob.Ref)
		isErr(t, err, ErrCorrupt)
		if n := m.count("STREAM.MSG.GET.") - before; size <= chunkSize && n > 2*(1+2) { // it is looked at twice
			t.Errorf("of %d bytes said, %d messages were read", size, n)
		}
	}
}

// A blob survives whatever the network does to its upload.
func TestBlobsOverABadNetwork(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		s, m := between(t, env)
		data := noise(5*chunkSize + 1)
		for i, subject := range []string{".C.", ".M.", ".C."} {
			m.heal()
			m.inject(subject, 2+i, loseAnswer)
			blob := must[Blob](t)(s.Blobs.Put(t.Context(), "s", data))
			if got := must[[]byte](t)(direct.Blobs.Get(t.Context(), "s", blob.Ref)); !bytes.Equal(got, data) {
				t.Fatalf("%d bytes of %d", len(got), len(data))
			}
			m.inject("STREAM.PURGE", 2, loseAnswer)
			if err := s.Blobs.Delete(t.Context(), "s", blob); err != nil {
				t.Fatal(err)
			}
		}
		if n := stored(t, env); n != 0 {
			t.Fatalf("%d messages are left", n)
		}
	})
}

// An upload and a deletion leave nothing behind, wherever an answer is missing on the way: what
// no record names any more is never found again.
func TestNoChunksAreLeftBehind(t *testing.T) {
	noLeader := func(func() *nats.Msg) *nats.Msg {
		return &nats.Msg{Data: []byte(`{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}}`)}
	}
	for _, fault := range []struct {
		name   string
		handle func(func() *nats.Msg) *nats.Msg
	}{{"no answer", loseQuestion}, {"no leader", noLeader}} {
		for _, subject := range []string{"STREAM.MSG.GET.", "STREAM.PURGE."} {
			for after := range 3 {
				t.Run(fmt.Sprint(fault.name, " to ", subject, after), func(t *testing.T) {
					bubble(t, func(t *testing.T, env *embeddedtest.Env, _ *Store) {
						s, m := between(t, env)
						data := noise(3 * chunkSize)
						// As who needs it does: again, until it is done.
						insist := func(do func() error) {
							t.Helper()
							m.heal()
							var n atomic.Int64
							m.inject(subject, -1, func(forward func() *nats.Msg) *nats.Msg {
								if n.Add(1) == int64(after+1) {
									return fault.handle(forward)
								}
								return forward()
							})
							for range 5 {
								if do() == nil {
									return
								}
							}
							t.Fatal("it never succeeds")
						}
						var blob Blob
						insist(func() (err error) { blob, err = s.Blobs.Put(t.Context(), "s", data); return err })
						insist(func() error { return s.Blobs.Delete(t.Context(), "s", blob) })
						if n := stored(t, env); n != 0 {
							t.Errorf("%d messages are left", n)
						}
					})
				})
			}
		}
	}
	t.Run("an upload that is given up", func(t *testing.T) {
		bubble(t, func(t *testing.T, env *embeddedtest.Env, _ *Store) {
			s, m := between(t, env)
			ctx, giveUp := context.WithCancel(t.Context())
			var n atomic.Int64
			m.inject(".C.", -1, func(forward func() *nats.Msg) *nats.Msg {
				if n.Add(1) == 3 {
					giveUp()
				}
				return forward()
			})
			_, err := s.Blobs.Put(ctx, "s", noise(5*chunkSize))
			isErr(t, err, context.Canceled)
			time.Sleep(time.Minute)
			if n := stored(t, env); n != 0 {
				t.Errorf("%d messages are left", n)
			}
		})
	})
}

func TestDirectoryPages(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 4)
	d := open(t, env.JS, env.Namespace).Directory
	ctx := t.Context()
	if p := must[Page](t)(d.List(ctx, "", 0)); len(p.Sessions) != 0 || p.Next != "" {
		t.Fatalf("%+v", p)
	}
	began := time.Now().UTC().Truncate(time.Millisecond)
	const n = 250
	for i := range n {
		if err := d.Put(ctx, SessionEntry{Session: fmt.Sprintf("s%d", i), CreatedAt: began}); err != nil {
			t.Fatal(err)
		}
	}
	for _, limit := range []int{0, 1, 7, 125, n, n + 1, 5000} {
		seen := map[string]bool{}
		for cursor, pages := "", 0; ; pages++ {
			p := must[Page](t)(d.List(ctx, cursor, limit))
			for _, s := range p.Sessions {
				seen[s.Session] = true
			}
			if cursor = p.Next; cursor == "" {
				break
			}
			if pages > n {
				t.Fatal("it never ends")
			}
		}
		if len(seen) != n {
			t.Fatalf("limit %d: %d sessions", limit, len(seen))
		}
		if limit == 0 {
			limit = 100
		}
	}
	_, err := d.Get(ctx, "nobody")
	isErr(t, err, ErrNoSession)
	if _, err := d.List(ctx, "x", 1); err == nil {
		t.Fatal("a foreign cursor was taken")
	}
	// The first creation time stays; what is unchanged is not written.
	before := must[uint64](t)(messagesLast(ctx, env))
	if err := d.Put(ctx, SessionEntry{Session: "s3", CreatedAt: began.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if after := must[uint64](t)(messagesLast(ctx, env)); after != before {
		t.Fatal("written again")
	}
	if err := d.Put(ctx, SessionEntry{Session: "s3", CreatedAt: began.Add(time.Hour), Mob: "m"}); err != nil {
		t.Fatal(err)
	}
	if got := must[SessionEntry](t)(d.Get(ctx, "s3")); got != (SessionEntry{"s3", began, "m"}) {
		t.Fatalf("%+v", got)
	}
	isErr(t, d.Put(ctx, SessionEntry{Session: "no.dots"}), subjects.ErrToken)
}

func messagesLast(ctx context.Context, env *embeddedtest.Env) (uint64, error) {
	s, err := env.JS.Stream(ctx, subjects.KVStream(env.Namespace.DirectoryBucket()))
	if err != nil {
		return 0, err
	}
	return s.CachedInfo().State.LastSeq, nil
}
