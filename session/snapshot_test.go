package session_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
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
