//go:build unix

package integration

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/subjects"
)

// Operations survive the kill of their session's owner: the barrier that waits for two of
// them is answered once, by the next owner, and epoch, feed and the three cursors are what
// they were.
func TestOperationsSurviveTheKillOfTheirOwner(t *testing.T) {
	t.Parallel()
	w := begin(t, 1, subjects.Settings{})
	h := w.follow()
	a := w.worker("a")
	w.ready(a)
	n := 0
	send := func(name, data string) (id string) {
		t.Helper()
		n++
		ev := command(fmt.Sprint("c", n), name, data)
		if _, err := w.js.PublishMsg(t.Context(), w.message(w.ns.In("s"), "s", ev)); err != nil {
			t.Fatal(err)
		}
		return ev.ID()
	}
	answers := func(id string) (all []fact) {
		for _, f := range h.facts("s", "CommandApplied", "CommandRejected") {
			if f.Cause == id {
				all = append(all, f)
			}
		}
		return all
	}
	applied := func(name, data string) {
		t.Helper()
		id := send(name, data)
		w.until(20*time.Second, name+" is answered", func() bool { return len(answers(id)) > 0 })
		if f := answers(id)[0]; f.Name != "CommandApplied" {
			t.Fatalf("%s: %s", name, f.Data)
		}
	}
	type registry struct {
		Epoch       string            `json:"epoch"`
		Watermark   uint64            `json:"watermark"`
		Active      int               `json:"active"`
		Completions []json.RawMessage `json:"completions"`
		Cursors     map[string]uint64 `json:"cursors"`
	}
	ask := func() (r registry) {
		t.Helper()
		w.until(20*time.Second, "the operations are told", func() bool {
			m, err := w.nc.Request(w.ns.Query("s", "operations"), nil, 2*time.Second)
			r = registry{}
			return err == nil && json.Unmarshal(m.Data, &r) == nil && r.Epoch != ""
		})
		return r
	}
	for _, op := range []string{"early", "one", "two"} {
		applied("register_operation", fmt.Sprintf(`{"kind":"BackgroundToolOp","operation_id":%q}`, op))
		applied("start_operation", fmt.Sprintf(`{"operation_id":%q}`, op))
	}
	applied("complete_operation", `{"operation_id":"early"}`)
	barrier := send("wait_all", `{"operation_ids":["one","two"],"run_id":"r"}`)
	applied("complete_operation", `{"operation_id":"one","content":"1"}`)
	for i, consumer := range []string{"agent", "runtime_observed", "runtime_injected"} {
		applied("advance_completion_cursor", fmt.Sprintf(`{"consumer":%q,"cursor":%d}`, consumer, i%2+1))
	}
	before := ask()
	if before.Watermark != 2 || before.Active != 1 || before.Cursors["runtime_observed"] != 2 {
		t.Fatalf("before the kill: %+v", before)
	}
	b := w.worker("b")
	w.ready(b)
	a.kill()
	applied("publish_event", `{"kind":"Projection"}`) // the next owner is there
	if diff := cmp.Diff(before, ask()); diff != "" {
		t.Errorf("the next owner's operations (-before +after):\n%s", diff)
	}
	if len(answers(barrier)) != 0 {
		t.Errorf("the barrier was answered before its time: %s", answers(barrier)[0].Data)
	}
	applied("complete_operation", `{"operation_id":"two","content":"2"}`)
	w.until(20*time.Second, "the barrier is answered", func() bool { return len(answers(barrier)) > 0 })
	applied("publish_event", `{"kind":"Projection"}`) // whatever else it had to say is said
	got := answers(barrier)
	if len(got) != 1 || got[0].Name != "CommandApplied" {
		t.Errorf("the barrier: %d answers, %v", len(got), got)
	}
	if after := ask(); after.Epoch != before.Epoch || after.Watermark != 3 || after.Active != 0 {
		t.Errorf("in the end: %+v", after)
	}
}
