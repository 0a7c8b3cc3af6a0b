package bench

import (
	"errors"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/kalahari-run/kalahari/subjects"
)

func TestReadCommit(t *testing.T) {
	endings, err := readCommit([]byte(`{"events":[{"id":"s/1.0","type":"t","data":{}},` +
		`{"specversion":"1.0","id":"s/1.1","type":"run.kalahari.outcome.input_completed.v1","data":{"a":1}}],"record":{"x":[1]}}`))
	if err != nil || len(endings) != 1 || endings[0].index != 1 || string(endings[0].data) != `{"a":1}` {
		t.Errorf("%v, %v", endings, err)
	}
	if endings, err := readCommit([]byte(`{"events":[],"record":{}}`)); err != nil || len(endings) != 0 {
		t.Errorf("%v, %v", endings, err)
	}
	_, err = readCommit([]byte(`{"dataref":"sha256:00"}`))
	if elsewhere := (*elsewhereError)(nil); !errors.As(err, &elsewhere) || elsewhere.ref != "sha256:00" {
		t.Errorf("%v", err)
	}
	for _, bad := range []string{
		``, `{`, `{}`, `{"record":{}}`, `{"events":{}}`, `{"events":[{]}`, `{"events":[{"id":"a"}`, `{"events":[{"id":"a]}`,
		`{"events":[{"id":"a"}{"id":"b"}]}`, `{"events":[{"id","a"}]}`, `{"events":[{"id":}]}`, `{"events":[{"id":[1}`, `{"events":[1]}`,
		`{"events":[{"id":"a\"}]}`, `{"dataref":1}`, `{"dataref":"a`,
	} {
		if endings, err := readCommit([]byte(bad)); err == nil {
			t.Errorf("%s was read: %v", bad, endings)
		}
	}
}

func TestReadOutcome(t *testing.T) {
	for _, tt := range []struct {
		data, input string
		completed   bool
	}{
		{`{"input_id":"b-1-2","terminal_outcome":"Completed"}`, "b-1-2", true},
		{`{"x":{"input_id":"no"},"terminal_outcome":"Abandoned" , "input_id":"\u0062\"-1"}`, `b"-1`, false},
		{`{"input_id":"b"}`, "b", false},
		{`{}`, "", false},
	} {
		if input, completed, err := readOutcome([]byte(tt.data)); err != nil || input != tt.input || completed != tt.completed {
			t.Errorf("%s: %q, %v, %v", tt.data, input, completed, err)
		}
	}
	for _, bad := range []string{``, `[]`, `{"input_id":1}`, `{"input_id":"b"`, `{"input_id":"b" "terminal_outcome":"Completed"}`} {
		if input, _, err := readOutcome([]byte(bad)); err == nil {
			t.Errorf("%s was read: %q", bad, input)
		}
	}
}

// hostile are values that look like what the reader searches for.
func hostile() *rapid.Generator[any] {
	text := rapid.StringOf(rapid.SampledFrom([]rune(`"\{}[]:, ` + "\n\u2028é\x00a")))
	text = rapid.OneOf(text, rapid.SampledFrom([]string{
		"type", "data", "events", `"type":"` + subjects.OutcomeType("InputCompleted") + `"`, subjects.OutcomeType("InputRejected"),
		`\"},{"type":"` + subjects.OutcomeType("InputCompleted") + `","data":{}}],"record":{`, `\\`, `\`,
	}))
	return rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.SampledFrom([]any{nil, true, false, 0, -1.5e-7, []any{}, map[string]any{}}),
		rapid.Map(rapid.MapOfN(text, text, 0, 4), func(m map[string]string) any { return m }),
		rapid.Map(rapid.SliceOfN(rapid.MapOfN(text, rapid.SliceOfN(text, 0, 3), 0, 3), 0, 3), func(l []map[string][]string) any { return l }),
	)
}

// What a decoder finds that reads everything is what readCommit finds, however the payloads
// look and the JSON is laid out.
func TestReadCommitAsADecoderDoes(t *testing.T) {
	types := []string{subjects.OutcomeType("InputAccepted"), "t", "", subjects.OutcomeType(terminal[0]), subjects.OutcomeType(terminal[2])}
	rapid.Check(t, func(t *rapid.T) {
		var events []map[string]any
		for range rapid.IntRange(0, 5).Draw(t, "events") {
			e := map[string]any{"type": rapid.SampledFrom(types).Draw(t, "type")}
			for _, name := range rapid.SliceOfN(rapid.SampledFrom([]string{"data", "id", "source", "typ", "a\"b\\"}), 0, 4).Draw(t, "members") {
				e[name] = hostile().Draw(t, "value")
			}
			events = append(events, e)
		}
		body, err := json.Marshal(struct {
			Events []map[string]any `json:"events"`
			Record any              `json:"record"`
		}{events, hostile().Draw(t, "record")},
			jsontext.Multiline(rapid.Bool().Draw(t, "lines")), jsontext.EscapeForJS(rapid.Bool().Draw(t, "escaped")), jsontext.SpaceAfterComma(rapid.Bool().Draw(t, "spaces")))
		if err != nil {
			t.Fatal(err)
		}
		var whole struct {
			Events []struct {
				Type string         `json:"type"`
				Data jsontext.Value `json:"data"`
			} `json:"events"`
		}
		if err := json.Unmarshal(body, &whole); err != nil {
			t.Fatal(err)
		}
		var want []ending
		for i, e := range whole.Events {
			if name, _ := subjects.EventName(e.Type); slices.Contains(terminal, name) {
				want = append(want, ending{i, e.Data})
			}
		}
		same := func(a, b ending) bool { return a.index == b.index && string(a.data) == string(b.data) }
		if got, err := readCommit(body); err != nil || !slices.EqualFunc(got, want, same) {
			t.Fatalf("%s:\n%v, %v, want %v", body, got, err, want)
		}
		// Cut off, it is read whole, where the cut is behind the events, or not at all.
		cut := rapid.IntRange(0, len(body)-1).Draw(t, "cut")
		if got, err := readCommit(body[:cut]); err == nil && !slices.EqualFunc(got, want, same) {
			t.Fatalf("%s:\n%v, want %v", body[:cut], got, want)
		}
	})
}
