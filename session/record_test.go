package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// logV1 is the log of a session as a worker wrote it that knew version 1 only: two inputs
// one by one, a release, a new owner, four inputs at once. It ends within a run, with
// messages that are not known to be sent.
func logV1(tb testing.TB) [][]byte {
	tb.Helper()
	data, err := os.ReadFile("testdata/log.v1.jsonl")
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.Split(bytes.TrimSpace(data), []byte("\n"))
}

// rewritten is a commit of version 1 as it is written today.
func rewritten(tb testing.TB, data []byte) []byte {
	tb.Helper()
	b, err := readBody(context.Background(), nil, "hello", data)
	if err != nil {
		tb.Fatal(err)
	}
	var whole struct {
		Events jsontext.Value `json:"events"`
	}
	if err := json.Unmarshal(data, &whole); err != nil {
		tb.Fatal(err)
	}
	r := &b.Record
	var w kernel.StepWriter
	if err := r.steps(func(_ int, rule string, t kernel.Trigger) error { return w.Add(rule, t) }); err != nil {
		tb.Fatal(err)
	}
	d, err := r.delta()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := b.sent(d)
	if err != nil {
		tb.Fatal(err)
	}
	events, err := b.feed()
	if err != nil {
		tb.Fatal(err)
	}
	for i := range out {
		out[i].index = slices.IndexFunc(events, func(e feedEvent) bool { return e.ID == out[i].ID })
	}
	at, err := time.Parse(time.RFC3339Nano, r.At)
	if err != nil {
		tb.Fatal(err)
	}
	now := record{
		Version: recordVersion, Kernel: r.Kernel, Kind: r.Kind, At: r.At, Cursor: r.Cursor, Confirmed: r.Confirmed,
		Steps: slices.Concat([]byte("["), w.Steps, []byte("]")), Delta: d.append(nil, &w.IDs, at), Out: appendOut(nil, out),
	}
	if err := json.Unmarshal(w.IDs.AppendAll(nil), &now.IDs); err != nil {
		tb.Fatal(err)
	}
	return mustJSON(map[string]any{"events": whole.Events, "record": now})
}

func foldAll(tb testing.TB, commits [][]byte) *folded {
	tb.Helper()
	f := &folded{kernel: kernel.New(), ledger: newLedger()}
	foldInto(tb, f, commits)
	return f
}

func foldInto(tb testing.TB, f *folded, commits [][]byte) {
	tb.Helper()
	for i, data := range commits {
		if _, err := f.commit(tb.Context(), nil, "hello", &journal.Message{Sequence: uint64(i + 1), Data: data}); err != nil {
			tb.Fatal(err)
		}
	}
}

// A log of version 1 is read as it was, and one of today that says the same comes to the
// same, in less than half of the bytes.
func TestRecordsOfVersion1(t *testing.T) {
	before := logV1(t)
	var now [][]byte
	for _, data := range before {
		now = append(now, rewritten(t, data))
	}
	was, is := foldAll(t, before), foldAll(t, now)
	if was.kernel.Phase() != kernel.Running || was.cursor != 6 || was.confirmed != 10 || len(was.unsent) != 13 ||
		was.ledger.Sequence != 23 || len(was.ledger.Receipts) != 4 || len(was.ledger.Live) != 2 {
		t.Errorf("phase %s, cursor %d, confirmed %d, %d unsent, ledger %+v", was.kernel.Phase(), was.cursor, was.confirmed, len(was.unsent), was.ledger)
	}
	if diff := cmp.Diff(was.kernel.State(), is.kernel.State(), cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("the states differ:\n%s", diff)
	}
	was.kernel, is.kernel = nil, nil
	if diff := cmp.Diff(was, is, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(folded{}, "kernel", "seen", "tail")); diff != "" {
		t.Errorf("what they come to differs:\n%s", diff)
	}
	// What the last commit confirms need not be read for that.
	f := &folded{kernel: kernel.New(), ledger: newLedger(), settled: confirmedBy(&journal.Message{Data: now[len(now)-1]})}
	var gone []byte
	for i, data := range now {
		var b map[string]jsontext.Value
		if err := json.Unmarshal(data, &b); err != nil {
			t.Fatal(err)
		}
		if gone == nil && string(b["events"]) != "[]" { // the oldest that has any
			gone, b["events"] = data, jsontext.Value(`[]`)
			now = slices.Clone(now)
			now[i] = mustJSON(b)
		}
	}
	if gone == nil {
		t.Fatal("no commit has an event")
	}
	foldInto(t, f, now)
	if f.settled != 10 || !reflect.DeepEqual(f.unsent, is.unsent) || f.confirmed != is.confirmed {
		t.Errorf("confirmed up to %d, then %d, and %d unsent, not %d", f.settled, f.confirmed, len(f.unsent), len(is.unsent))
	}
	records := func(commits [][]byte) (n int) {
		for _, data := range commits {
			var b struct {
				Record jsontext.Value `json:"record"`
			}
			if err := json.Unmarshal(data, &b); err != nil {
				t.Fatal(err)
			}
			n += len(b.Record)
		}
		return n
	}
	if v1, v2 := records(before), records(now); 2*v2 > v1 {
		t.Errorf("records of version 1 take %d bytes, of version 2 %d", v1, v2)
	}
}

// A worker folds no record that it does not know, and says so (PROTOCOL 36). Nothing of it is
// read, so it may look like anything.
func TestRecordsOfOtherVersions(t *testing.T) {
	for text, reason := range map[string]string{
		`{"events":[],"record":{"v":3,"kernel":1,"steps":7,"delta":"none","cursor":1}}`:           "record of version 3, kernel 1",
		`{"events":[],"record":{"v":0,"kernel":1,"steps":[],"delta":{}}}`:                         "record of version 0, kernel 1",
		`{"events":[],"record":{"v":2,"kernel":2,"steps":[],"delta":{}}}`:                         "record of version 2, kernel 2",
		`{"events":[],"record":{"v":2,"kernel":1,"steps":[["Nonsense"]],"delta":{}}}`:             "step 0: unknown rule",
		`{"events":[],"record":{"v":2,"kernel":1,"steps":[["StageForRun",0]],"delta":{}}}`:        "step 0: StageForRun: 0 is the number of none of 0 ids",
		`{"events":[],"record":{"v":2,"kernel":1,"steps":[["Commit"]],"delta":{}}}`:               "unknown rule",
		`{"events":[],"record":{"v":2,"kernel":1,"steps":[],"delta":{"ended":[0]}}}`:              "0 is the number of none of 0 ids",
		`{"events":[],"record":{"v":1,"kernel":1,"steps":[["Initialize"]],"delta":{}}}`:           "3 parts",
		`{"events":[],"record":{"v":2,"kernel":1,"steps":[],"delta":{"sent":9},"out":[0]}}`:       "does not have the event 0",
		`{"events":[{}],"record":{"v":2,"kernel":1,"steps":[],"delta":{"sent":0},"out":[0]}}`:     "lets 1 messages out",
		`{"events":[{}],"record":{"v":2,"kernel":1,"steps":[],"delta":{"sent":1},"out":[-1]}}`:    "out: ",
		`{"events":[{}],"record":{"v":2,"kernel":1,"steps":[],"delta":{"sent":1},"out":[[0]]}}`:   "1 parts",
		`{"events":[{}],"record":{"v":2,"kernel":1,"steps":[],"delta":{"sent":1},"out":["0.1"]}}`: "out: ",
	} {
		f := &folded{kernel: kernel.New(), ledger: newLedger()}
		_, err := f.commit(t.Context(), nil, "s", &journal.Message{Sequence: 1, Data: []byte(text)})
		var broken *journal.BrokenError
		if !errors.As(err, &broken) || !strings.Contains(broken.Reason, reason) {
			t.Errorf("%s\n%v, want %s", text, err, reason)
		}
	}
}

// Messages keep their numbers, whatever else leaves between them.
func TestOutgoingNumbers(t *testing.T) {
	event := func(i int) map[string]any {
		return map[string]any{"id": fmt.Sprint("s/7.", i), "type": subjects.OutcomeType("InputAccepted"), "fence": "1", "data": struct{}{}}
	}
	b := body{Events: mustJSON([]any{event(0), event(1), event(2)})}
	b.Record.Version, b.Record.Out = recordVersion, appendOut(nil, []outgoing{{index: 0}, {Schedule: "@at"}, {index: 2}, {index: 2, Mob: `a"b`}, {To: "s2"}})
	got, err := b.sent(&delta{Sent: 14, Arm: []timer{{Ordinal: 11}}, Post: []parcel{{Ordinal: 14, To: "s2"}}})
	if err != nil {
		t.Fatalf("%s: %v", b.Record.Out, err)
	}
	var told []string
	for _, o := range got {
		told = append(told, fmt.Sprint(o.Ordinal, o.ID, o.Mob, o.To))
	}
	if want := []string{"10s/7.0", "11", "12s/7.2", `13s/7.2a"b`, "14s2"}; len(told) != 5 || told[0] != want[0] || told[2] != want[2] || told[3] != want[3] || told[4] != want[4] {
		t.Errorf("%s: %q, want %q", b.Record.Out, told, want)
	}
	if got, err := b.sent(&delta{Sent: 14, Arm: []timer{{Ordinal: 2}}, Post: []parcel{{Ordinal: 14, To: "s2"}}}); err == nil {
		t.Errorf("a timer numbered outside of its commit: %+v", got)
	}
}

// Whatever stands in a log, it is folded or refused: nothing panics.
func FuzzRecord(f *testing.F) {
	for _, data := range logV1(f)[:6] {
		f.Add(data)
		f.Add(rewritten(f, data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte("dataref")) {
			return // it is elsewhere
		}
		b, err := readBody(t.Context(), nil, "s", data)
		if err != nil || b.DataRef != "" || b.Record.known() != nil {
			return
		}
		if err := b.Record.steps(func(int, string, kernel.Trigger) error { return nil }); err != nil {
			return
		}
		if d, err := b.Record.delta(); err == nil {
			_, _ = b.sent(d)
		}
	})
}

// BenchmarkFold folds the same log in both versions.
func BenchmarkFold(b *testing.B) {
	v1 := logV1(b)
	var v2 [][]byte
	for _, data := range v1 {
		v2 = append(v2, rewritten(b, data))
	}
	for name, commits := range map[string][][]byte{"v1": v1, "v2": v2} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				foldAll(b, commits)
			}
		})
	}
}

// BenchmarkRecord writes the steps and the deltas of a log.
func BenchmarkRecord(b *testing.B) {
	type commit struct {
		rules    []string
		triggers []kernel.Trigger
		delta    *delta
		at       time.Time
	}
	var commits []commit
	for _, data := range logV1(b) {
		body, err := readBody(b.Context(), nil, "hello", data)
		if err != nil {
			b.Fatal(err)
		}
		var c commit
		if err := body.Record.steps(func(_ int, rule string, t kernel.Trigger) error {
			c.rules, c.triggers = append(c.rules, rule), append(c.triggers, t)
			return nil
		}); err != nil {
			b.Fatal(err)
		}
		if c.delta, err = body.Record.delta(); err != nil {
			b.Fatal(err)
		}
		if c.at, err = time.Parse(time.RFC3339Nano, body.Record.At); err != nil {
			b.Fatal(err)
		}
		commits = append(commits, c)
	}
	var p pending
	var buffer []byte
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range commits {
			for i, t := range c.triggers {
				p.record(t, c.rules[i])
			}
			buffer = c.delta.append(buffer[:0], &p.open().log.IDs, c.at)
			buffer = p.page.log.IDs.AppendAll(buffer)
			p.done()
		}
	}
}
