package subjects_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"pgregory.net/rapid"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

func binary(pairs ...string) nats.Header {
	h := nats.Header{"ce-specversion": {"1.0"}, "ce-id": {"1"}, "ce-source": {"/s"}, "ce-type": {"t"}}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}

func TestDecodeBinary(t *testing.T) {
	t.Parallel()
	h := nats.Header{
		"CE-SpecVersion": {"1.0"}, "Ce-Id": {"a%20b%E2%82%AC%25"}, "ce-source": {"https://example.com/x?y=1"},
		"cE-tYPE": {"run.kalahari.input.prompt.v1"}, "ce-subject": {"s-1"}, "ce-time": {"2026-01-02T03:04:05.000000006+01:00"},
		"content-type": {"application/json"}, "ce-lane": {"steer"}, "Ce-CorrelationId": {`"quoted \"x\""`}, "Nats-Msg-Id": {"x"},
		"ce-dataschema": {"https://example.com/schema"}, "ce-empty": {""},
	}
	ev, err := subjects.Decode(h, []byte(`{"text":"hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{
		"id": ev.ID(), "source": ev.Source(), "type": ev.Type(), "subject": ev.Subject(), "time": ev.Time().UTC().Format(time.RFC3339Nano),
		"dct": ev.DataContentType(), "schema": ev.DataSchema(), "ext": ev.Extensions(), "data": string(ev.Data()),
	}
	want := map[string]any{
		"id": "a b€%", "source": "https://example.com/x?y=1", "type": "run.kalahari.input.prompt.v1", "subject": "s-1",
		"time": "2026-01-02T02:04:05.000000006Z", "dct": "application/json", "schema": "https://example.com/schema",
		"ext":  map[string]any{"lane": "steer", "correlationid": `quoted "x"`, "empty": ""},
		"data": `{"text":"hi"}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// The attribute of its own wins over the transport's header.
	ev, err = subjects.Decode(binary("Content-Type", "text/plain", "ce-datacontenttype", "application/xml"), nil)
	if err != nil || ev.DataContentType() != "application/xml" {
		t.Errorf("%q, %v", ev.DataContentType(), err)
	}
}

func TestDecodeStructured(t *testing.T) {
	t.Parallel()
	for body, check := range map[string]func(event.Event) bool{
		`{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a": 1},"n":-7,"b":true,"s":"x","gone":null}`: func(e event.Event) bool {
			return string(e.Data()) == `{"a": 1}` && cmp.Equal(e.Extensions(), map[string]any{"n": int32(-7), "b": true, "s": "x"})
		},
		`{"data":"<x/>","datacontenttype":"application/xml","specversion":"1.0","id":"1","source":"/s","type":"t"}`: func(e event.Event) bool {
			return string(e.Data()) == "<x/>" && !e.DataBase64
		},
		`{"data_base64":"AP8=","specversion":"1.0","id":"1","source":"/s","type":"t"}`: func(e event.Event) bool {
			return bytes.Equal(e.Data(), []byte{0, 255}) && e.DataBase64
		},
		`{"specversion":"1.0","id":"1","source":"/s","type":"t","data":"text"}`: func(e event.Event) bool {
			return string(e.Data()) == `"text"`
		},
	} {
		ev, err := subjects.Decode(nats.Header{"content-TYPE": {"Application/CloudEvents+JSON; charset=utf-8"}}, []byte(body))
		if err != nil || !check(ev) {
			t.Errorf("%s: %v %v", body, ev, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	structured := func(members string) (nats.Header, []byte) {
		return nats.Header{"Content-Type": {subjects.MediaStructured}},
			[]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t"` + members + `}`)
	}
	without := func(name string) nats.Header {
		h := binary()
		delete(h, "ce-"+name)
		return h
	}
	type message struct {
		h    nats.Header
		data []byte
	}
	s := func(members string) message { h, d := structured(members); return message{h, d} }
	for _, c := range []struct {
		what      string
		m         message
		attribute string
	}{
		{"nothing", message{}, "specversion"},
		{"only data", message{nats.Header{"Content-Type": {"application/json"}}, []byte(`{}`)}, "specversion"},
		{"no id", message{h: without("id")}, "id"},
		{"no source", message{h: without("source")}, "source"},
		{"no type", message{h: without("type")}, "type"},
		{"old version", message{h: func() nats.Header { h := binary(); h["ce-specversion"] = []string{"0.3"}; return h }()}, "specversion"},
		{"empty id", message{h: func() nats.Header { h := binary(); h["ce-id"] = []string{""}; return h }()}, "id"},
		{"blank id", message{h: func() nats.Header { h := binary(); h["ce-id"] = []string{"%20"}; return h }()}, "id"},
		{"id in two cases", message{h: binary("Ce-Id", "2")}, "id"},
		{"two ids", message{h: binary("ce-id", "2")}, "id"},
		{"lane twice", message{h: binary("ce-lane", "queue", "CE-LANE", "steer")}, "lane"},
		{"bad source", message{h: func() nats.Header { h := binary(); h["ce-source"] = []string{"http://[::1"}; return h }()}, "source"},
		{"bad time", message{h: binary("ce-time", "yesterday")}, "time"},
		{"relative schema", message{h: binary("ce-dataschema", "x")}, "dataschema"},
		{"bad media type", message{h: binary("ce-datacontenttype", "a/b/c")}, "datacontenttype"},
		{"control character", message{h: binary("ce-lane", "a%0Ab")}, "lane"},
		{"broken percent", message{h: binary("ce-lane", "100%")}, "lane"},
		{"not hex", message{h: binary("ce-lane", "100%zz")}, "lane"},
		{"not UTF-8", message{h: binary("ce-lane", "%FF")}, "lane"},
		{"bad extension name", message{h: binary("ce-my-lane", "x")}, "my-lane"},
		{"extension called data", message{h: binary("ce-data", "x")}, "data"},
		{"too long", message{h: binary("ce-lane", strings.Repeat("x", subjects.MaxAttribute+1))}, "lane"},
		{"a batch", message{nats.Header{"Content-Type": {subjects.MediaBatch}}, []byte(`[]`)}, ""},
		{"another format", message{nats.Header{"Content-Type": {"application/cloudevents+avro"}}, nil}, ""},
		{"content type twice", message{nats.Header{"Content-Type": {"a/b"}, "content-type": {"c/d"}}, nil}, "content-type"},
		{"not JSON", message{nats.Header{"Content-Type": {subjects.MediaStructured}}, []byte(`{`)}, ""},
		{"an array", message{nats.Header{"Content-Type": {subjects.MediaStructured}}, []byte(`[]`)}, ""},
		{"trailing", message{nats.Header{"Content-Type": {subjects.MediaStructured}}, []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t"}{}`)}, ""},
		{"id twice", s(`,"id":"2"`), ""},
		{"id a number", message{nats.Header{"Content-Type": {subjects.MediaStructured}}, []byte(`{"specversion":"1.0","id":1,"source":"/s","type":"t"}`)}, "id"},
		{"a fraction", s(`,"n":1.5`), "n"},
		{"too large", s(`,"n":4294967296`), "n"},
		{"an object", s(`,"n":{}`), "n"},
		{"upper case", s(`,"Lane":"x"`), "Lane"},
		{"two data", s(`,"data":1,"data_base64":"AA=="`), "data"},
		{"base64 a number", s(`,"data_base64":1`), "data_base64"},
		{"not base64", s(`,"data_base64":"*"`), "data_base64"},
		{"data not text", s(`,"datacontenttype":"text/plain","data":{}`), "data"},
	} {
		_, err := subjects.Decode(c.m.h, c.m.data)
		var de *subjects.DecodeError
		if !errors.As(err, &de) || !errors.Is(err, subjects.ErrDecode) || de.Attribute != c.attribute || de.Reason == "" {
			t.Errorf("%s: %v, want a DecodeError of %q", c.what, err, c.attribute)
		}
	}
}

func TestDecodeTakesHTTPHeaders(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	for k, v := range map[string]string{"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t", "content-type": "text/plain"} {
		h.Set(k, v)
	}
	ev, err := subjects.Decode(h, []byte("hi"))
	if err != nil || ev.DataContentType() != "text/plain" || string(ev.Data()) != "hi" {
		t.Errorf("%v %v", ev, err)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	one, two := sample("1"), sample("2")
	data, err := subjects.EncodeBatch([]event.Event{one, two})
	if err != nil {
		t.Fatal(err)
	}
	got, err := subjects.DecodeBatch(data, 2)
	if err != nil || len(got) != 2 || got[0].ID() != "1" || got[1].ID() != "2" {
		t.Fatalf("%v %v", got, err)
	}
	if got, err := subjects.DecodeBatch([]byte(" [ ] "), 0); err != nil || len(got) != 0 {
		t.Errorf("empty: %v %v", got, err)
	}
	for bad, want := range map[string]string{
		`{}`: "a batch is a JSON array", `[`: "not JSON", `[1]`: "event 0 of the batch", `[] 1`: "more after",
		strings.Replace(string(data), `"id":"2"`, `"id":""`, 1): "event 1 of the batch: cloudevent: id: must not be empty",
	} {
		if _, err := subjects.DecodeBatch([]byte(bad), 2); err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, subjects.ErrDecode) {
			t.Errorf("%s: %v, want %q", bad, err, want)
		}
	}
}

// What is behind the last event that is allowed is not even looked at.
func TestABatchOfTooMany(t *testing.T) {
	t.Parallel()
	data, err := subjects.EncodeBatch([]event.Event{sample("1"), sample("2")})
	if err != nil {
		t.Fatal(err)
	}
	more := strings.TrimSuffix(string(data), "]") + strings.Repeat(",{}", 400_000)
	if got, err := subjects.DecodeBatch([]byte(more), 2); !errors.Is(err, subjects.ErrBatch) || got != nil || !strings.Contains(err.Error(), "at most 2") {
		t.Errorf("%d events, %v", len(got), err)
	}
}

func sample(id string) event.Event {
	ev := event.New()
	ev.SetID(id)
	ev.SetSource("https://example.com/agents/7")
	ev.SetType(subjects.InputType("prompt"))
	ev.SetSubject("session-1")
	ev.SetTime(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	ev.SetExtension(subjects.ExtLane, "queue")
	ev.SetExtension(subjects.ExtTraceParent, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	_ = ev.SetData("application/json", json.RawMessage(`{"text":"good morning"}`))
	return ev
}

func TestEncodeRefusesAnInvalidEvent(t *testing.T) {
	t.Parallel()
	ev := sample("1")
	ev.Context.(*event.EventContextV1).Type = ""
	if _, err := subjects.EncodeBinary(ev, "x"); err == nil {
		t.Error("binary: no error")
	}
	if _, err := subjects.EncodeStructured(ev, "x"); err == nil {
		t.Error("structured: no error")
	}
	if _, err := subjects.EncodeBatch([]event.Event{ev}); err == nil {
		t.Error("batch: no error")
	}
}

func TestEncodeSpellsExtensionTypes(t *testing.T) {
	t.Parallel()
	ev := sample("1")
	ev.SetExtension("when", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	ev.SetExtension("yes", true)
	ev.SetExtension("bytes", []byte{255})
	ev.SetExtension("n", 7)
	ev.SetExtension("uri", *mustURL("https://example.com/a%20b"))
	m, err := subjects.EncodeBinary(ev, "x")
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{
		"ce-when": "2026-01-01T00:00:00Z", "ce-yes": "true", "ce-bytes": "/w==", "ce-n": "7", "ce-uri": "https://example.com/a%2520b",
	} {
		if got := m.Header[k]; len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", k, got, want)
		}
	}
}

// view is what must survive a journey. Extensions come back as text from binary
// mode; JSON data may be respelled by structured mode.
func view(ev event.Event) string {
	data := string(ev.Data())
	var compact bytes.Buffer
	if json.Compact(&compact, ev.Data()) == nil {
		data = compact.String()
	}
	return fmt.Sprintf("%q %q %q %q %q %q %q %q %v", ev.ID(), ev.Source(), ev.Type(), ev.Subject(), ev.DataSchema(),
		ev.DataContentType(), ev.Time().UTC().Format(time.RFC3339Nano), data, ev.Extensions())
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Run(t)
	nc, _ := embeddedtest.Connect(t, env)
	sub, err := nc.SubscribeSync("x")
	if err != nil {
		t.Fatal(err)
	}
	text := rapid.StringOfN(rapid.RuneFrom([]rune("abcXYZ019 %\"\\/.,;:=<>&?#äß€中🦁\u2028")), 1, 40, -1).
		Filter(func(s string) bool { return strings.TrimSpace(s) == s })
	rapid.Check(t, func(t *rapid.T) {
		ev := event.New()
		ev.SetID(text.Draw(t, "id"))
		ev.SetType(text.Draw(t, "type"))
		ev.SetSource("https://example.com/" + rapid.StringMatching(`[a-z0-9/_~-]{0,20}(\?[a-z]=[a-z0-9%]{0})?`).Draw(t, "source"))
		if rapid.Bool().Draw(t, "subject?") {
			ev.SetSubject(text.Draw(t, "subject"))
		}
		if rapid.Bool().Draw(t, "time?") {
			ev.SetTime(time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")).UTC())
		}
		for range rapid.IntRange(0, 4).Draw(t, "extensions") {
			name := rapid.StringMatching(`x[a-z0-9]{0,8}`).Draw(t, "name")
			ev.SetExtension(name, text.Draw(t, "value"))
		}
		switch rapid.IntRange(0, 6).Draw(t, "data") {
		case 0:
		case 1:
			_ = ev.SetData("application/json", map[string]string{"text": text.Draw(t, "text")})
		case 2:
			_ = ev.SetData("text/plain", []byte(text.Draw(t, "text")))
		case 3:
			_ = ev.SetData("application/octet-stream", rapid.SliceOfN(rapid.Byte(), 1, 30).Draw(t, "bytes"))
		case 5:
			_ = ev.SetData("application/vnd.x+json", []byte(`{"a" : "<b>"}`))
		case 6:
			ev.SetDataContentType("application/json")
			ev.DataEncoded = []byte{}
		case 4: // says JSON, is none
			ev.SetDataContentType("application/json")
			ev.DataEncoded = []byte("{" + text.Draw(t, "text"))
		}
		for mode, encode := range map[string]func(event.Event, string) (*nats.Msg, error){
			"binary": subjects.EncodeBinary, "structured": subjects.EncodeStructured,
		} {
			m, err := encode(ev, "x")
			if err != nil {
				t.Fatalf("%s: %v", mode, err)
			}
			if err := nc.PublishMsg(m); err != nil {
				t.Fatal(err)
			}
			if m, err = sub.NextMsg(5 * time.Second); err != nil {
				t.Fatal(err)
			}
			got, err := subjects.DecodeMsg(m)
			if err != nil {
				t.Fatalf("%s: %v\n%v\n%s", mode, err, m.Header, m.Data)
			}
			if w, g := view(ev), view(got); w != g {
				t.Fatalf("%s:\n sent %s\n got  %s\n%v\n%s", mode, w, g, m.Header, m.Data)
			}
			if subjects.MsgID("s", ev) != subjects.MsgID("s", got) {
				t.Fatalf("%s: the message id changed", mode)
			}
		}
	})
}

func TestMsgID(t *testing.T) {
	t.Parallel()
	ev := func(source, id string) event.Event {
		e := event.New()
		e.SetSource(source)
		e.SetID(id)
		return e
	}
	// printf '2:/sid' | sha256sum
	if got, want := subjects.MsgID("s-1", ev("/s", "id")), "s-1:"+sum("2:/sid"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	ids := map[string]bool{}
	for _, id := range []string{
		subjects.MsgID("s", ev("a", "bc")), subjects.MsgID("s", ev("ab", "c")), subjects.MsgID("t", ev("a", "bc")), subjects.MsgID("s", ev("a", "bd")),
	} {
		if ids[id] {
			t.Errorf("%s twice", id)
		}
		ids[id] = true
	}
}

func TestPositions(t *testing.T) {
	t.Parallel()
	p := subjects.Position{Commit: 18446744073709551615, Index: 3}
	id := subjects.EventID("s-1", p)
	if id != "s-1/18446744073709551615.3" {
		t.Error(id)
	}
	if s, got, err := subjects.ParseEventID(id); s != "s-1" || got != p || err != nil {
		t.Error(s, got, err)
	}
	for _, bad := range []string{"", "s", "s/", "s/1", "s/1.", "s/.1", "s/-1.1", "s/1.-1", "s/1.1.1", "s.x/1.1", "/1.1"} {
		if _, _, err := subjects.ParseEventID(bad); err == nil {
			t.Errorf("%q parsed", bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("", "1", "/s", "t", "lane", "queue", []byte(`{"a":1}`))
	f.Add(subjects.MediaStructured, "", "", "", "", "", []byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":1}`))
	f.Add(subjects.MediaStructured, "", "", "", "", "", []byte(`{"data":"x","datacontenttype":"text/plain","specversion":"1.0","id":"1","source":"/s","type":"t","n":5}`))
	f.Add("", "1", "/s", "t", "time", "9999-12-31T23:59:59-23:59", []byte(nil))
	f.Add("", "%ff", "/s", "t", "x", "%c3%28%00", []byte(strings.Repeat("[", 2000)+strings.Repeat("]", 2000)))
	f.Add("application/cloudevents+\xff", "1", "/s", "t", strings.Repeat("x", 5000), "", []byte(nil))
	f.Add("text/plain", "a%20b", "urn:x", "t", "time", "2026-01-01T00:00:00Z", []byte("\xff"))
	f.Fuzz(func(t *testing.T, contentType, id, source, typ, name, value string, data []byte) {
		h := nats.Header{"ce-specversion": {"1.0"}, "ce-id": {id}, "ce-source": {source}, "ce-type": {typ}, "ce-" + name: {value}}
		if contentType != "" {
			h["Content-Type"] = []string{contentType}
		}
		ev, err := subjects.Decode(h, data)
		if err != nil {
			if errors.Is(err, subjects.ErrBatch) {
				return
			}
			if !errors.Is(err, subjects.ErrDecode) || len(err.Error()) > 2*subjects.MaxReason {
				t.Fatalf("untyped, or long: %v", err)
			}
			return
		}
		// What was decoded can be sent on, in both modes, and is still the same.
		for _, encode := range []func(event.Event, string) (*nats.Msg, error){subjects.EncodeBinary, subjects.EncodeStructured} {
			m, err := encode(ev, "x")
			if err != nil {
				t.Fatalf("decoded, but: %v", err)
			}
			again, err := subjects.DecodeMsg(m)
			if err != nil {
				t.Fatalf("encoded, but: %v\n%v\n%s", err, m.Header, m.Data)
			}
			if ev.ID() != again.ID() || ev.Type() != again.Type() || ev.Subject() != again.Subject() || len(ev.Extensions()) != len(again.Extensions()) ||
				ev.Source() != again.Source() || !ev.Time().Equal(again.Time()) || !bytes.Equal(ev.Data(), again.Data()) {
				t.Fatalf("%s\n%s", view(ev), view(again))
			}
		}
	})
}

// A batch that was decoded is encoded as one that says the same.
func FuzzDecodeBatch(f *testing.F) {
	f.Add([]byte(`[]`))
	f.Add([]byte(`[{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":[1e999]}},{"specversion":"1.0","id":"2","source":"/s","type":"t","x":true,"n":-5,"data_base64":"/w=="}]`))
	f.Add([]byte(`[{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"9999-12-31T23:59:59-23:59","datacontenttype":"text/plain","data":"\u0000"}]`))
	f.Add([]byte(`[{"specversion":"1.0","id":"\ud800","source":"/s","type":"t"}]`))
	f.Add([]byte(`[` + strings.Repeat(`{"a":`, 10_000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		evs, err := subjects.DecodeBatch(data, 1000)
		if err != nil {
			if !errors.Is(err, subjects.ErrDecode) || len(err.Error()) > 2*subjects.MaxReason {
				t.Fatalf("untyped, or long: %v", err)
			}
			return
		}
		text, err := subjects.EncodeBatch(evs)
		if err != nil {
			t.Fatalf("decoded, but: %v", err)
		}
		again, err := subjects.DecodeBatch(text, 1000)
		if err != nil || len(again) != len(evs) {
			t.Fatalf("encoded, but: %v\n%s", err, text)
		}
		for i := range evs {
			if a, b := view(evs[i]), view(again[i]); a != b {
				t.Fatalf("%s\n%s", a, b)
			}
		}
	})
}

// The depth of JSON is that of its brackets outside strings.
func TestTooDeep(t *testing.T) {
	t.Parallel()
	nest := func(n int) string { return strings.Repeat(`[{"a\"[":`, n/2) + `"]}"` + strings.Repeat(`}]`, n/2) }
	for n, want := range map[int]bool{0: false, subjects.MaxDepth: false, subjects.MaxDepth + 2: true, 100_000: true} {
		if got := subjects.TooDeep([]byte(nest(n))); got != want {
			t.Errorf("%d levels: too deep %v", n, got)
		}
	}
	wide := `[` + strings.Repeat(`{"a":[]},`, 5000) + `"` + strings.Repeat("[", 5000) + `"]`
	if subjects.TooDeep([]byte(wide)) {
		t.Error("wide is not deep")
	}
}

func BenchmarkDecode(b *testing.B) {
	for mode, encode := range map[string]func(event.Event, string) (*nats.Msg, error){
		"binary": subjects.EncodeBinary, "structured": subjects.EncodeStructured,
	} {
		m, err := encode(sample("1"), "x")
		if err != nil {
			b.Fatal(err)
		}
		b.Run(mode, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := subjects.DecodeMsg(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	ev := sample("1")
	for mode, encode := range map[string]func(event.Event, string) (*nats.Msg, error){
		"binary": subjects.EncodeBinary, "structured": subjects.EncodeStructured,
	} {
		b.Run(mode, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := encode(ev, "x"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMsgID(b *testing.B) {
	ev := sample("1")
	b.ReportAllocs()
	for b.Loop() {
		_ = subjects.MsgID("session-1", ev)
	}
}
