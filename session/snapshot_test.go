package session_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// Large commits make a snapshot due before there are many of them, so that what a new owner
// has to read stays as much. It counts what it reads.
func TestASnapshotIsDueAfterManyBytes(t *testing.T) {
	const limit, inputs, each = 100 << 10, 20, 30 << 10 // an input's text stands in its commit three times
	env := embeddedtest.Provisioned(t, "test", 1)
	e := stored(t, env)
	f := follow(t, env, env.Namespace.FxSession("s"))
	start(t, env, func(c *worker.Config) { c.SnapshotBytes = limit })
	snapshots, longest, last := 0, 0, uint64(0)
	for i := range inputs {
		id := fmt.Sprint("p", i)
		publish(t, env, "s", id, subjects.InputType("prompt"), `{"text":"`+strings.Repeat("x", each/3)+`"}`)
		f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == id })
		if snap, err := e.Store.Snapshots.Read(t.Context(), "s"); err == nil && snap.Commit != last {
			snapshots, last = snapshots+1, snap.Commit
		}
		tail, err := session.TailForTest(t.Context(), e, "s")
		if err != nil {
			t.Fatal(err)
		}
		longest = max(longest, tail)
	}
	if longest < each || longest > 2*limit {
		t.Errorf("up to %d bytes were behind the snapshot", longest)
	}
	if least, most := inputs*each/limit/2, inputs*each/limit+1; snapshots < least || snapshots > most {
		t.Errorf("%d snapshots, %d to %d were due", snapshots, least, most)
	}
}

// An owner that was replaced may store its last snapshot after its successor has read the one
// before. The successor goes on from it: otherwise none of its own would be stored as long as
// it has the session.
func TestALateSnapshotOfAnEarlierOwnerIsReplaced(t *testing.T) {
	const every = 4
	env := embeddedtest.Provisioned(t, "test", 1)
	e := stored(t, env)
	f := follow(t, env, env.Namespace.FxSession("s"))
	start(t, env, func(c *worker.Config) { c.SnapshotEvery = every })
	n := 0
	live := func(inputs int) kv.Snapshot {
		t.Helper()
		for range inputs {
			n++
			id := fmt.Sprint("p", n)
			publish(t, env, "s", id, subjects.InputType("prompt"), `{"text":"x"}`)
			f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == id })
		}
		snap, err := e.Store.Snapshots.Read(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		return snap
	}
	before := live(3 * every)
	if _, err := e.Store.Snapshots.Write(t.Context(), before, before); err != nil {
		t.Fatal(err)
	}
	if after := live(3 * every); after.Commit < before.Commit+every {
		t.Errorf("the snapshot is of commit %d still, after %d more inputs of commit %d", before.Commit, 3*every, after.Commit)
	}
	// One that was lost is as good as one that never was.
	loseSnapshot(t, env, "s")
	live(3 * every)
}

// A commit whose body is in the object store counts whole: it is read like any other.
func TestSpilledCommitsCount(t *testing.T) {
	const each = 240 << 10 // and the result 60 KiB, in three events
	env := embeddedtest.Provisioned(t, "test", 1)
	f := follow(t, env, env.Namespace.FxSession("s"))
	for i := range 2 {
		publish(t, env, "s", fmt.Sprint("p", i), subjects.InputType("flow_step"), `{"text":"`+strings.Repeat("x", each)+`"}`)
	}
	start(t, env, func(c *worker.Config) {
		c.Executor = pure{func(context.Context, *executor.Run) (*executor.Result, error) {
			return &executor.Result{Text: strings.Repeat("y", 60<<10)}, nil
		}}
	})
	f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "p1" })
	e := stored(t, env)
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) { // it comes behind the commit
		if _, err := e.Store.Snapshots.Read(t.Context(), "s"); err == nil {
			break
		} else if !errors.Is(err, kv.ErrNoSnapshot) || time.Now().After(late) {
			t.Fatalf("a large commit without a snapshot: %v", err)
		}
	}
	loseSnapshot(t, env, "s")
	if n, err := session.TailForTest(t.Context(), e, "s"); err != nil || n < 2*each {
		t.Errorf("%d bytes are behind the snapshot, %v", n, err)
	}
}

// failures counts the snapshots that the log says were not taken.
type failures struct {
	slog.Handler
	n *atomic.Int32
}

func (failures) Enabled(context.Context, slog.Level) bool { return true }

func (f failures) WithAttrs([]slog.Attr) slog.Handler { return f }

func (f failures) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "snapshot not taken" {
		f.n.Add(1)
	}
	return nil
}

// A session whose snapshots cannot be stored goes on, and its mailbox is purged all the same:
// with a full one it would refuse its producers. It does not try at every commit.
func TestAMailboxIsPurgedWithoutSnapshots(t *testing.T) {
	const limit = 8
	env := embeddedtest.ProvisionedWith(t, "test", 1, subjects.Settings{MailboxLimit: limit})
	bucket, err := env.JS.Stream(t.Context(), "KV_"+env.Namespace.SnapshotsBucket())
	if err != nil {
		t.Fatal(err)
	}
	cfg := bucket.CachedInfo().Config
	cfg.MaxMsgSize = 1
	if _, err := env.JS.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	f := follow(t, env, env.Namespace.FxSession("s"))
	var failed atomic.Int32
	start(t, env, func(c *worker.Config) {
		c.MailboxLimit = limit
		c.SnapshotEvery = 16 // after one that failed the third commit tries again
		c.Logger = slog.New(failures{slog.DiscardHandler, &failed})
	})
	const commits = 32 // and the claim; half of them are before the first snapshot
	for i := range commits {
		id := fmt.Sprint("p", i)
		publish(t, env, "s", id, subjects.InputType("prompt"), `{"text":"x"}`)
		f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == id })
	}
	if _, err := stored(t, env).Store.Snapshots.Read(t.Context(), "s"); !errors.Is(err, kv.ErrNoSnapshot) {
		t.Errorf("the snapshot that could not be stored: %v", err)
	}
	if n := failed.Load(); n == 0 || n > commits/3 {
		t.Errorf("%d snapshots were tried in some %d commits", n, commits)
	}
}

// With a snapshot the mailbox is purged long before it is half full.
func TestAMailboxIsPurgedWithASnapshot(t *testing.T) {
	const limit, inputs = 640, 60 // a sixteenth is 40
	env := embeddedtest.ProvisionedWith(t, "test", 1, subjects.Settings{MailboxLimit: limit})
	f := follow(t, env, env.Namespace.FxSession("s"))
	start(t, env, func(c *worker.Config) { c.MailboxLimit, c.SnapshotEvery = limit, 8 })
	for i := range inputs {
		id := fmt.Sprint("p", i)
		publish(t, env, "s", id, subjects.InputType("prompt"), `{"text":"x"}`)
		f.await("s", "end", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == id })
	}
	in, err := env.JS.Stream(t.Context(), env.Namespace.InStream(0))
	if err != nil {
		t.Fatal(err)
	}
	if n := in.CachedInfo().State.Msgs; n >= 40 {
		t.Errorf("%d of %d inputs are in the mailbox still", n, inputs)
	}
}

// An event is carried unchanged, also by a snapshot: who signs it signs its bytes.
func TestASnapshotKeepsDataToTheLetter(t *testing.T) {
	const data = `{ "text" : "\u0041\/<", "n": 1.50 }`
	env := embeddedtest.Provisioned(t, "test", 1)
	got := make(chan string, 1)
	adjust := func(c *worker.Config) {
		c.Executor = executor.Func(func(_ context.Context, r *executor.Run) (*executor.Result, error) {
			got <- string(r.Inputs[0].Data)
			return &executor.Result{}, nil
		})
	}
	stop := start(t, env, adjust)
	f := follow(t, env, env.Namespace.FxSession("s"))
	send(t, env, "s", "c", "pause", `{}`)
	publish(t, env, "s", "e", "com.example.hook", data)
	f.await("s", "input", func(h *happening) bool { return h.Name == "InputAccepted" })
	stop()
	if _, err := stored(t, env).Store.Snapshots.Read(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	start(t, env, adjust)
	send(t, env, "s", "d", "resume", `{}`)
	if is := <-got; is != data {
		t.Errorf("the executor got %s, sent was %s", is, data)
	}
}
