package session_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// A snapshot does not stand for commits that were lost with their stream. One that was made
// anew is noticed, and also if it has been written to since: its commits lie before the place
// from which the log is read, and nobody would ever find them (PROTOCOL 18).
func TestASnapshotDoesNotHideALostLog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "test", 1)
		e := stored(t, env)
		stop := start(t, env, func(*worker.Config) {})
		for i := range 5 {
			publish(t, env, "s", fmt.Sprint("p", i), subjects.InputType("prompt"), `{"text":"x"}`)
		}
		settle(t, env, "s")
		stop()
		tail, err := e.Log.Last(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		snap, err := e.Store.Snapshots.Read(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}

		// What one session had is gone, the stream is not (PROTOCOL 8).
		stream := e.Log.Stream("s")
		if err := stream.Purge(t.Context(), jetstream.WithPurgeSubject(env.Namespace.Log("s"))); err != nil {
			t.Fatal(err)
		}
		if at, err := session.FoldForTest(t.Context(), e, "s"); err != nil || at.Commit != snap.Commit {
			t.Errorf("without its log at commit %d, %v; the snapshot is of %d", at.Commit, err, snap.Commit)
		}

		if err := env.JS.DeleteStream(t.Context(), env.Namespace.LogStream(0)); err != nil {
			t.Fatal(err)
		}
		if err := subjects.Provision(t.Context(), env.JS, env.Namespace, subjects.Settings{}); err != nil {
			t.Fatal(err)
		}
		if at, err := session.FoldForTest(t.Context(), e, "s"); !errors.Is(err, journal.ErrBroken) {
			t.Errorf("a stream made anew was folded to commit %d, %v", at.Commit, err)
		}
		w := e.Log.Writer("s", "w", tail.Fence, journal.Position{Number: snap.Commit})
		if err := w.Append(t.Context(), nil, tail.Data); err != nil {
			t.Fatal(err)
		}
		if at, err := session.FoldForTest(t.Context(), e, "s"); !errors.Is(err, journal.ErrBroken) {
			t.Errorf("with commit %d at %d it was folded to commit %d, %v", w.Position().Number, w.Position().Sequence, at.Commit, err)
		}
	})
}
