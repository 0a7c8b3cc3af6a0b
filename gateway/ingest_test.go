package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/kalahari-run/kalahari/client/clienttest"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// alone is a gateway without any fleet: what it takes stays in the mailbox.
func alone(t *testing.T, settings subjects.Settings, cfg gateway.Config) *site {
	t.Helper()
	return open(t, embeddedtest.ProvisionedWith(t, "default", 2, settings), cfg)
}

// next returns a function that waits for the next message on a subject.
func (s *site) next(subject string) func() *nats.Msg {
	s.Helper()
	sub, err := s.env.Conn.SubscribeSync(subject)
	if err == nil {
		err = s.env.Conn.Flush()
	}
	if err != nil {
		s.Fatal(err)
	}
	return func() *nats.Msg {
		s.Helper()
		m, err := sub.NextMsg(10 * time.Second)
		if err != nil {
			s.Fatal(err)
		}
		return m
	}
}

// stored is how many events the session's mailbox holds.
func (s *site) stored() uint64 {
	s.Helper()
	stream, err := s.env.JS.Stream(s.Context(), s.env.Namespace.InStream(s.env.Namespace.Shard("s1")))
	if err != nil {
		s.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

var promptType = subjects.InputType("prompt")

func TestFieldsAreChecked(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{})
	for _, c := range []struct {
		what, body string
		header     map[string]string
		field      string
	}{
		{"an unknown input", `{}`, binary("1", "run.kalahari.input.nonsense.v1"), "type"},
		{"an effect", `{}`, binary("2", "run.kalahari.effect.runtime_bound.v1"), "type"},
		{"a command of no version", `{}`, binary("3", "run.kalahari.command.retire"), "type"},
		{"a foreign subject", `{"text":"x"}`, with(binary("4", promptType), "ce-subject", "s2"), "subject"},
		{"a foreign subject of a command", `{}`, with(binary("5", subjects.CommandType("retire")), "ce-subject", "s2"), "subject"},
		{"a prompt of nothing", ``, binary("6", promptType), "data"},
		{"a prompt that is a string", `"hello"`, binary("7", promptType), "data"},
		{"a prompt that is no JSON", `hello`, with(binary("8", promptType), "content-type", "text/plain"), "data"},
		{"a bare list", `["hello"]`, map[string]string{"content-type": "application/json"}, "data"},
		{"an input that is a number", `5`, binary("9", subjects.InputType("peer_message")), "data"},
	} {
		status, v, _ := s.do("POST", base+"/events", c.body, c.header)
		if status != http.StatusBadRequest || v["code"] != "malformed_event" || v["field"] != c.field {
			t.Errorf("%s: %d %v", c.what, status, v)
		}
	}
	if n := s.stored(); n != 0 {
		t.Errorf("%d of them are stored", n)
	}
	for what, header := range map[string]map[string]string{
		"the session as subject":             with(binary("a", promptType), "ce-subject", "s1"),
		"another's event of another subject": with(binary("b", "com.example.thing"), "ce-subject", "issues/1"),
	} {
		if status, v, _ := s.do("POST", base+"/events", `{"text":"x"}`, header); status != http.StatusAccepted {
			t.Errorf("%s: %d %v", what, status, v)
		}
	}
}

// A command that nobody knows is a command: it goes past a full mailbox, and the session
// answers it.
func TestUnknownCommands(t *testing.T) {
	const unknown = "run.kalahari.command.nonsense.v1"
	s := alone(t, subjects.Settings{MailboxLimit: 1}, gateway.Config{})
	s.do("POST", base+"/events", `{"text":"x"}`, binary("1", promptType))
	next := s.next(s.env.Namespace.Ctl("s1"))
	if status, v, _ := s.do("POST", base+"/events", `{}`, binary("2", unknown)); status != http.StatusAccepted {
		t.Fatalf("past a full mailbox: %d %v", status, v)
	}
	if m := next(); m.Header.Get("ce-id") != "2" {
		t.Errorf("on the control subject: %v", m.Header)
	}
	s = serve(t, 1, subjects.Settings{})
	status, v, _ := s.do("POST", base+"/events", `{}`, with(binary("3", unknown), "prefer", "wait=10"))
	if status != http.StatusConflict || v["kind"] != "UnknownCommand" {
		t.Errorf("the session's answer: %d %v", status, v)
	}
}

func TestTraces(t *testing.T) {
	const parent, other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-11f7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	s := alone(t, subjects.Settings{}, gateway.Config{})
	next := s.next(s.env.Namespace.In("s1"))
	long := strings.Repeat("0", 5000)
	structured := func(id, parent string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/t","type":"x","traceparent":%q,"tracestate":"a=1"}`, id, parent)
	}
	cloudEvent := map[string]string{"content-type": subjects.MediaStructured}
	for i, c := range []struct {
		what          string
		body          string // in structured mode
		header        map[string]string
		parent, state string
	}{
		{"of the request", "", map[string]string{"traceparent": parent, "tracestate": "a=1"}, parent, "a=1"},
		{"of the event", "", map[string]string{"ce-traceparent": parent, "traceparent": other}, parent, ""},
		{"malformed, of the request", "", map[string]string{"traceparent": "nonsense", "tracestate": "a=1"}, "", ""},
		{"overlong, of the request", "", map[string]string{"traceparent": long}, "", ""},
		{"overlong but for its head", "", map[string]string{"traceparent": "cc" + parent[2:] + "-" + long}, "", ""},
		{"a malformed state", "", map[string]string{"traceparent": parent, "tracestate": "=,="}, parent, ""},
		{"malformed, of the event", "", map[string]string{"ce-traceparent": "nonsense", "ce-tracestate": "a=1"}, "", ""},
		{"overlong, of the event", "", map[string]string{"ce-traceparent": long, "ce-tracestate": long}, "", ""},
		{"malformed, of the event, and one of the request", "", map[string]string{"ce-traceparent": "nonsense", "traceparent": other}, other, ""},
		{"structured", structured("s1", parent), cloudEvent, parent, "a=1"},
		{"malformed, structured", structured("s2", "nonsense"), cloudEvent, "", ""},
	} {
		body, header := c.body, c.header
		if body == "" {
			body = `{"text":"x"}`
			for k, v := range binary(fmt.Sprint(i), promptType) {
				header[k] = v
			}
		}
		if status, v, _ := s.do("POST", base+"/events", body, header); status != http.StatusAccepted {
			t.Errorf("%s: %d %v", c.what, status, v)
			continue
		}
		ev, err := subjects.DecodeMsg(next())
		if err != nil {
			t.Fatal(err)
		}
		got, _ := ev.Extensions()["traceparent"].(string)
		state, _ := ev.Extensions()["tracestate"].(string)
		if got != c.parent || state != c.state {
			t.Errorf("%s: stored %q %q", c.what, got, state)
		}
	}
}

// A gateway that records spans publishes in one, and the event is born there, in the trace
// of its request; an event's own trace stays.
func TestAnEventIsBornInTheSpanOfItsPublishing(t *testing.T) {
	spans := tracetest.NewInMemoryExporter()
	tel, err := tracing.Setup(t.Context(), tracing.Options{Service: "gateway", SpanExporter: spans})
	if err != nil {
		t.Fatal(err)
	}
	defer tel.Shutdown(context.Background())
	s := alone(t, subjects.Settings{}, gateway.Config{Telemetry: tel})
	next := s.next(s.env.Namespace.In("s1"))
	const request, own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-11f7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var born []string
	for i, header := range []map[string]string{{"traceparent": request}, {"traceparent": request, "ce-traceparent": own}} {
		for k, v := range binary(fmt.Sprint(i), promptType) {
			header[k] = v
		}
		if status, v, _ := s.do("POST", base+"/events", `{"text":"x"}`, header); status != http.StatusAccepted {
			t.Fatalf("%d %v", status, v)
		}
		ev, err := subjects.DecodeMsg(next())
		if err != nil {
			t.Fatal(err)
		}
		parent, _ := ev.Extensions()["traceparent"].(string)
		born = append(born, parent)
	}
	if err := tel.TracerProvider().(interface{ ForceFlush(context.Context) error }).ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if born[1] != own {
		t.Errorf("the event's own trace became %q", born[1])
	}
	for _, span := range spans.GetSpans() {
		sc := span.SpanContext
		if strings.HasPrefix(span.Name, "publish ") && born[0] == fmt.Sprintf("00-%s-%s-01", sc.TraceID(), sc.SpanID()) {
			if sc.TraceID().String() != request[3:35] {
				t.Errorf("published in trace %s", sc.TraceID())
			}
			return
		}
	}
	t.Errorf("born in %q, which is no span of publishing", born[0])
}

// The same event fits in every mode.
func TestTheLimitIsTheDatas(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{})
	structured := func(n int) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":"s%d","source":"/t","type":"x","datacontenttype":"image/png","data_base64":%q}`,
			n, base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{255}, n)))
	}
	data := func(n int) string { return strings.Repeat("\xff", n) }
	image := func(id string) map[string]string { return with(binary(id, "x"), "content-type", "image/png") }
	const fits, large = 1 << 20, gateway.DefaultMaxBody + 1
	for what, c := range map[string]struct {
		body   string
		header map[string]string
		status int
	}{
		"binary":              {data(fits), image("b1"), 202},
		"structured":          {structured(fits), map[string]string{"content-type": subjects.MediaStructured}, 202},
		"a batch":             {"[" + structured(fits-1) + "," + structured(fits-2) + "]", map[string]string{"content-type": subjects.MediaBatch}, 200},
		"too much, binary":    {data(large), image("b2"), 413},
		"too much, in base64": {structured(large), map[string]string{"content-type": subjects.MediaStructured}, 413},
	} {
		if status, raw, _ := s.raw("POST", base+"/events", c.body, c.header); status != c.status {
			t.Errorf("%s: %d %s", what, status, raw)
		}
	}
}

func TestPrefer(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{MaxWait: 70 * time.Millisecond})
	for i, c := range []struct{ prefer, applied string }{
		{"wait=0.05", "wait=0.05"},
		{`respond-async, Wait = "0.05"; x=y`, "wait=0.05"},
		{"wait=3600", "wait=0.07"}, // what the gateway allows
		{"wait=0.05, wait=0.06", "wait=0.05"},
		{"wait=0", ""},
		{"", ""},
		// RFC 7240: what cannot be honoured is ignored.
		{"wait=soon", ""},
		{"wait=-1", ""},
		{"wait=nan", ""},
		{"wait", ""},
	} {
		status, v, h := s.do("POST", base+"/events", `{"text":"x"}`, with(binary(fmt.Sprint(i), promptType), "prefer", c.prefer))
		if status != http.StatusAccepted || v["sequence"] == 0.0 || h.Get("Preference-Applied") != c.applied {
			t.Errorf("%q: %d %v %v", c.prefer, status, v, h)
		}
	}
}

// Whoever waits while the gateway is told to stop learns that the event is stored.
func TestAWaitEndsWithTheGateway(t *testing.T) {
	for mode, header := range map[string]map[string]string{
		"single": with(binary("e1", promptType), "prefer", "wait=60"),
		"batch":  {"content-type": subjects.MediaBatch, "prefer": "wait=60"},
	} {
		t.Run(mode, func(t *testing.T) {
			s := alone(t, subjects.Settings{}, gateway.Config{})
			next := s.next(s.env.Namespace.In("s1"))
			go func() {
				next()
				s.stop()
			}()
			body, want := `{"text":"x"}`, http.StatusAccepted
			if mode == "batch" {
				body, want = `[{"specversion":"1.0","id":"e1","source":"/test","type":"x"}]`, http.StatusOK
			}
			status, raw, h := s.raw("POST", base+"/events", body, header)
			if status != want || !strings.Contains(string(raw), `"id":"e1","sequence":1`) || h.Get("Preference-Applied") != "" {
				t.Errorf("%d %s %v", status, raw, h)
			}
		})
	}
}

func TestUnavailableAndUndecided(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{Timeout: time.Second})
	ns := s.env.Namespace
	if err := s.env.JS.DeleteStream(t.Context(), ns.InStream(ns.Shard("s1"))); err != nil {
		t.Fatal(err)
	}
	post := func(want, prefer string) map[string]any {
		t.Helper()
		status, v, h := s.do("POST", base+"/events", `{"text":"x"}`, map[string]string{"content-type": "application/json", "prefer": prefer})
		if status != http.StatusServiceUnavailable || v["code"] != want || h.Get("Retry-After") == "" || h.Get("Preference-Applied") != "" {
			t.Errorf("%d %v %v", status, v, h)
		}
		return v
	}
	// Nobody is there: nothing is stored.
	post("unavailable", "")
	post("unavailable", "wait=10")
	// Somebody is, and says nothing: who knows.
	s.next(ns.In("s1"))
	for _, prefer := range []string{"", "wait=0.1"} {
		v := post("undecided", prefer)
		if v["id"] == nil || v["source"] != "/gateway" {
			t.Errorf("the producer cannot repeat it: %v", v)
		}
	}
}

// The wait bounds the outcome, and not the storing, which takes longer for large data.
func TestAWaitThatEndsWhileTheDataAreStored(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{})
	body := `{"text":"` + strings.Repeat("x", 3<<20) + `"}`
	status, v, _ := s.do("POST", base+"/events", body, with(binary("e1", promptType), "prefer", "wait=0.005"))
	if status != http.StatusAccepted || v["sequence"] == nil || s.stored() != 1 {
		t.Errorf("%d %v", status, v)
	}
}

// An outcome is answered although its result cannot be read: a problem would say that the
// event is not stored, and the prompt would run again.
func TestAnOutcomeWhoseResultCannotBeRead(t *testing.T) {
	s, fleet := play(t, gateway.Config{})
	if err := s.env.JS.DeleteStream(t.Context(), subjects.ObjectStream(s.env.Namespace.BlobsBucket())); err != nil {
		t.Fatal(err)
	}
	ref := kv.Ref([]byte("large"))
	fleet.Answer(func(_ string, ev cloudevents.Event) []clienttest.Event {
		return []clienttest.Event{clienttest.Accepted(ev.ID()), {Name: "InputCompleted", Cause: ev.ID(), Data: map[string]string{
			"input_id": ev.ID(), "terminal_outcome": "Completed", "result_ref": ref,
		}}}
	})
	for _, again := range []bool{false, true} {
		status, v, _ := s.do("POST", base+"/events", `{"text":"x"}`, with(binary("e1", promptType), "prefer", "wait=20"))
		if status != http.StatusOK || v["terminal_outcome"] != "Completed" || v["result_ref"] != ref || v["result"] != nil {
			t.Errorf("again %v: %d %v", again, status, v)
		}
	}
}

// slow sends a head and a body that trickles and does not end, and returns the answer.
func (s *site) slow(head string) *http.Response {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	// It fails if nothing comes, which is what a server without a limit does.
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		s.Fatal(err)
	}
	if _, err := conn.Write([]byte(head + "\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"text\":")); err != nil {
		s.Fatal(err)
	}
	var trickle sync.WaitGroup
	trickle.Go(func() {
		for range 10 {
			time.Sleep(20 * time.Millisecond)
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
		}
	})
	s.Cleanup(trickle.Wait)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func TestASlowBody(t *testing.T) {
	// The answer has as long as the body: it must be enough for a process that is held up.
	s := alone(t, subjects.Settings{}, gateway.Config{BodyTimeout: 700 * time.Millisecond})
	t.Run("routes", func(t *testing.T) {
		for _, route := range []string{"/events", "/blobs"} {
			t.Run(route, func(t *testing.T) {
				t.Parallel()
				if resp := s.in(t).slow("POST " + base + route + " HTTP/1.1"); resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
					t.Errorf("%v", resp)
				}
			})
		}
	})
	// A body where none is wanted is not waited for.
	if resp := s.slow("GET /livez HTTP/1.1"); resp.StatusCode != http.StatusOK {
		t.Errorf("%v", resp)
	}
	// The time is the body's, and not that of what follows.
	status, v, h := s.do("POST", base+"/events", `{"text":"x"}`, with(binary("1", promptType), "prefer", "wait=0.9"))
	if status != http.StatusAccepted || h.Get("Preference-Applied") == "" {
		t.Errorf("a wait: %d %v", status, v)
	}
}
