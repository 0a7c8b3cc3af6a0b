package session

import (
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// A snapshot is read back whole, and JSON that came from outside to the letter.
func TestStateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, n := drawText(), rapid.Uint64()
		raw := rapid.Map(rapid.SampledFrom([]string{`{}`, `{ "a" :  "\u0041\/<" }`, `[1.50,12345678901234567890123]`, `"x"`}),
			func(s string) jsontext.Value { return jsontext.Value(s) })
		st := state{
			Version: stateVersion, Cursor: n.Draw(t, "cursor"), Fence: n.Draw(t, "fence"), Confirmed: n.Draw(t, "confirmed"),
			Ledger: newLedger(), Kernel: rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "kernel"),
		}
		st.Ledger.Sent = n.Draw(t, "sent")
		for range rapid.IntRange(0, 3).Draw(t, "live") {
			e := drawEntry(t)
			e.Data = raw.Draw(t, "raw")
			st.Ledger.Live[e.ID] = e
		}
		for range rapid.IntRange(0, 3).Draw(t, "unsent") {
			st.Unsent = append(st.Unsent, outgoing{
				Ordinal: n.Draw(t, "n"), Mob: text.Draw(t, "mob"), To: text.Draw(t, "to"), Returned: text.Draw(t, "returned"),
				Name: text.Draw(t, "name"), ID: text.Draw(t, "id"), Sequence: n.Draw(t, "sequence"), Type: text.Draw(t, "type"),
				Time: text.Draw(t, "time"), Fence: n.Draw(t, "fence"), Cause: text.Draw(t, "cause"), Correlation: text.Draw(t, "correlation"),
				TraceParent: text.Draw(t, "traceparent"), TraceState: text.Draw(t, "tracestate"), Data: raw.Draw(t, "data"),
				Schedule: text.Draw(t, "schedule"),
			})
		}
		if rapid.Bool().Draw(t, "trimmed") {
			st.Trimming = trimming{[]mark{{7, n.Draw(t, "mark")}}, []spilled{{8, text.Draw(t, "ref")}}}
			st.Ledger.Seen["k"] = seen{ID: text.Draw(t, "seen"), Blobs: drawBlobs(t)}
			st.Ledger.Blobs = map[string]held{"b": {Revision: n.Draw(t, "revision"), Users: 1}}
			st.Ledger.Dropped = []kv.Blob{{Ref: "c"}}
		}
		data, err := st.encode()
		if err != nil {
			t.Fatal(err)
		}
		var got state
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if diff := cmp.Diff(st, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(ledger{}, outgoing{}, kernel.Opt[kernel.InputLane]{},
			kernel.Opt[kernel.AdmissionPeerResponseTerminalApplyIntent]{})); diff != "" {
			t.Fatal(diff)
		}
	})
}
