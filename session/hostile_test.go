package session

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// unescaped reports whether JSON writes text as it is.
func unescaped(t *testing.T, text string) bool {
	t.Helper()
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted) == `"`+text+`"`
}

// What appendEvent writes between quotes without looking: types of the catalogue, the
// namespace, the session, positions, times. Nothing of it needs an escape.
func TestNamesOfOursNeedNoEscapes(t *testing.T) {
	for _, e := range subjects.Catalogue() {
		if !unescaped(t, e.Type) || !unescaped(t, e.Name) {
			t.Errorf("%q or %q has to be escaped", e.Type, e.Name)
		}
	}
	for c := range 256 {
		token := string([]byte{byte(c)})
		if subjects.CheckToken("session", token) == nil && !unescaped(t, token) {
			t.Errorf("%q is legal in a session's name and has to be escaped", token)
		}
	}
}

// An event with whatever text of a producer's is one JSON object that says the same, in
// the feed and in the ledger's delta.
func FuzzAppendEvent(f *testing.F) {
	f.Add("cause", "correlation", "trace", `{"a":1}`)
	f.Add("\"\\\x00\n\u2028", "\u007f</script>", "\xff", `"\u0000"`)
	f.Add(strings.Repeat("\"", 4096), "é", "", `[]`)
	ns, err := subjects.NewNamespace("test", 4)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, cause, correlation, trace, data string) {
		value := jsontext.Value(data)
		if !value.IsValid() || subjects.TooDeep(value) {
			t.Skip("decoding refuses it")
		}
		text := func(s string) string { // decoding refuses anything else; it must be JSON all the same
			if utf8.ValidString(s) {
				return s
			}
			return ""
		}
		o := outgoing{
			Ordinal: 1, Name: "InputAccepted", ID: subjects.EventID("s", subjects.Position{Commit: 7}), Sequence: 3,
			Type: subjects.OutcomeType("InputAccepted"), Time: "2026-01-01T00:00:00Z", Fence: 9,
			Cause: cause, Correlation: correlation, TraceParent: trace, Data: value,
		}
		var e feedEvent
		if err := json.Unmarshal(o.appendEvent(nil, "s", ns.Source("s"), subjects.Position{Commit: 7}), &e); err != nil {
			t.Fatalf("%s: %v", o.appendEvent(nil, "s", ns.Source("s"), subjects.Position{Commit: 7}), err)
		}
		if e.Cause != text(cause) || e.Correlation != text(correlation) || e.TraceParent != text(trace) || e.ID != o.ID {
			t.Errorf("read back as %+v", e)
		}
		d := delta{Admit: []*entry{{
			ID: cause, Key: "k", Event: correlation, Type: trace, Data: value, Idempotency: cause, Supersession: trace, TraceState: correlation,
		}}}
		var table kernel.IDs
		r := record{Version: recordVersion, At: o.Time, Delta: d.append(nil, &table, time.Unix(0, 0))}
		if err := json.Unmarshal(table.AppendAll(nil), &r.IDs); err != nil {
			t.Fatal(err)
		}
		back, err := r.delta()
		if err != nil {
			t.Fatalf("%s %q: %v", r.Delta, r.IDs, err)
		}
		id := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
		if got := back.Admit[0]; got.ID != id(cause) || got.Event != id(correlation) || got.Type != text(trace) || got.Idempotency != id(cause) {
			t.Errorf("read back as %+v", got)
		}
	})
}
