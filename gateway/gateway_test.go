package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

func TestOneCurlIsAnswered(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	status, v, h := s.do("POST", base+"/events", `{"text":"hello"}`, map[string]string{"content-type": "application/json", "prefer": "wait=10"})
	if status != http.StatusOK || v["terminal_outcome"] != "Completed" || v["result"].(map[string]any)["text"] != "hello" {
		t.Fatalf("%d %v", status, v)
	}
	if h.Get("Preference-Applied") != "wait=10" {
		t.Errorf("Preference-Applied is %q", h.Get("Preference-Applied"))
	}
}

func TestTheThreeModes(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	prompt := subjects.InputType("prompt")
	if status, v, _ := s.do("POST", base+"/events", `{"text":"a"}`, binary("b1", prompt)); status != http.StatusAccepted || v["duplicate"] != false {
		t.Errorf("binary: %d %v", status, v)
	}
	if status, v, _ := s.do("POST", base+"/events", `{"text":"a"}`, binary("b1", prompt)); status != http.StatusAccepted || v["duplicate"] != true {
		t.Errorf("again: %d %v", status, v)
	}
	structured := `{"specversion":"1.0","id":"s1","source":"/test","type":"com.example.unknown","datacontenttype":"application/json","data":{"body":"anything"}}`
	if status, v, _ := s.do("POST", base+"/events", structured, map[string]string{"content-type": "application/cloudevents+json", "prefer": "wait=10"}); status != http.StatusOK || v["terminal_outcome"] != "Completed" {
		t.Errorf("structured, of a foreign type: %d %v", status, v)
	}
	batch := `[` + structured + `,{"specversion":"1.0","id":"bad","source":"/test","type":"` + prompt + `","data":{}}]`
	status, raw, _ := s.raw("POST", base+"/events", batch, map[string]string{"content-type": "application/cloudevents-batch+json", "prefer": "wait=10"})
	var results []struct {
		ID      string         `json:"id"`
		Status  int            `json:"status"`
		Outcome map[string]any `json:"outcome"`
		Problem map[string]any `json:"problem"`
	}
	if err := json.Unmarshal(raw, &results); err != nil || status != http.StatusOK || len(results) != 2 {
		t.Fatalf("batch: %d %s %v", status, raw, err)
	}
	if results[0].Outcome["duplicate"] != true || results[1].Status != http.StatusConflict || results[1].Problem["kind"] != "InvalidInput" {
		t.Errorf("batch: %s", raw)
	}
}

func TestProblemsNameWhatIsWrong(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	prompt := subjects.InputType("prompt")
	for _, c := range []struct {
		what, path, body string
		header           map[string]string
		status           int
		code, names      string
	}{
		{"no id", base + "/events", `{}`, map[string]string{"ce-specversion": "1.0", "ce-source": "/t", "ce-type": "x"}, 400, "malformed_event", "id"},
		{"another version", base + "/events", `{}`, with(binary("1", "x"), "ce-specversion", "0.3"), 400, "malformed_event", "specversion"},
		{"no JSON", base + "/events", `{"text`, map[string]string{"content-type": "application/json"}, 400, "malformed_event", "data"},
		{"an illegal session", "/v1/namespaces/default/sessions/a.b/events", `{"text":"x"}`, map[string]string{"content-type": "application/json"}, 400, "malformed_name", "session"},
		{"a foreign namespace", "/v1/namespaces/other/sessions/s1/events", `{"text":"x"}`, map[string]string{"content-type": "application/json"}, 404, "namespace_not_served", ""},
		{"too large", base + "/events", `{"text":"` + strings.Repeat("x", gateway.DefaultMaxBody) + `"}`, map[string]string{"content-type": "application/json"}, 413, "too_large", ""},
		{"a prompt without text", base + "/events", `{}`, with(binary("2", prompt), "prefer", "wait=10"), 409, "refused", ""},
		{"an unknown command", base + "/events", `{}`, with(binary("3", "run.kalahari.command.nonsense.v1"), "prefer", "wait=10"), 409, "refused", ""},
	} {
		status, v, h := s.do("POST", c.path, c.body, c.header)
		if status != c.status || v["code"] != c.code || c.names != "" && v["field"] != c.names {
			t.Errorf("%s: %d %v", c.what, status, v)
		}
		if h.Get("Content-Type") != "application/problem+json" || v["title"] == "" || v["detail"] == "" {
			t.Errorf("%s: no problem document: %v %v", c.what, h, v)
		}
	}
	if status, v, _ := s.do("GET", "/v1/namespaces/default/sessions/nobody", "", nil); status != 404 || v["code"] != "session_not_found" {
		t.Errorf("an unknown session: %d %v", status, v)
	}
	if status, v, _ := s.do("GET", "/nowhere", "", nil); status != 404 || v["code"] != "not_found" {
		t.Errorf("an unknown path: %d %v", status, v)
	}
}

func TestAFullMailboxIs429(t *testing.T) {
	s := serve(t, 0, subjects.Settings{MailboxLimit: 5})
	var status int
	for i := range 10 {
		var v map[string]any
		var h http.Header
		status, v, h = s.do("POST", base+"/events", `{"text":"x"}`, binary(fmt.Sprint(i), subjects.InputType("prompt")))
		if status == http.StatusTooManyRequests {
			if i != 5 || h.Get("Retry-After") == "" || v["code"] != "mailbox_full" {
				t.Errorf("event %d: %v %v", i, v, h)
			}
			break
		}
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("ten events into a mailbox of five: %d", status)
	}
	// A command has a bound of its own.
	if status, v, _ := s.do("POST", base+"/events", `{}`, binary("stop", subjects.CommandType("retire"))); status != http.StatusAccepted {
		t.Errorf("a command: %d %v", status, v)
	}
	if status, v, _ := s.do("GET", "/readyz", "", nil); status != http.StatusServiceUnavailable || !strings.Contains(v["detail"].(string), "no worker") {
		t.Errorf("ready without a worker: %d %v", status, v)
	}
}

func TestQueries(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	s.do("POST", base+"/events", `{"text":"x"}`, with(binary("e1", subjects.InputType("prompt")), "prefer", "wait=10"))
	if status, v, _ := s.do("GET", base, "", nil); status != 200 || v["phase"] != "Attached" {
		t.Errorf("state: %d %v", status, v)
	}
	if status, v, _ := s.do("GET", base+"/inputs/e1", "", nil); status != 200 || v["terminal_outcome"] != "Completed" {
		t.Errorf("input: %d %v", status, v)
	}
	if status, v, _ := s.do("GET", base+"/inputs/none", "", nil); status != 404 || v["code"] != "input_not_found" {
		t.Errorf("no input: %d %v", status, v)
	}
	if status, v, _ := s.do("GET", base+"/inputs", "", nil); status != 200 || len(v["inputs"].([]any)) != 0 {
		t.Errorf("inputs: %d %v", status, v)
	}
	for _, c := range []struct {
		query  string
		status int
		field  string
		want   any
	}{
		{"runtime_state", 200, "runtime_state", "Attached"},
		{"receipt?args=%7B%22sequence%22:0%7D", 200, "boundary", "RunStart"},
		{"receipt?args=%7B%22sequence%22:9%7D", 404, "code", "receipt_not_found"},
		{"receipt?args=9", 400, "field", "args"},
		{"input?args=%7B%7D", 400, "code", "bad_request"},
		{"weather", 404, "code", "unknown_query"},
	} {
		if status, v, _ := s.do("GET", base+"/queries/"+c.query, "", nil); status != c.status || v[c.field] != c.want {
			t.Errorf("query %s: %d %v", c.query, status, v)
		}
	}
	for range 100 {
		if _, v, _ := s.do("GET", "/v1/namespaces/default/sessions", "", nil); len(v["sessions"].([]any)) == 1 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if status, v, _ := s.do("GET", "/v1/namespaces/default/sessions", "", nil); status != 200 || len(v["sessions"].([]any)) != 1 {
		t.Errorf("sessions: %d %v", status, v)
	}
	if status, v, _ := s.do("GET", "/v1/namespaces/default/workers", "", nil); status != 200 || len(v["workers"].([]any)) != 1 {
		t.Errorf("workers: %d %v", status, v)
	}
}

func TestOpenAPIHasEveryRoute(t *testing.T) {
	s := serve(t, 0, subjects.Settings{})
	_, doc, _ := s.do("GET", "/openapi.json", "", nil)
	documented := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for method := range item.(map[string]any) {
			documented[strings.ToUpper(method)+" "+path] = true
		}
	}
	for _, r := range gateway.Routes() {
		if !documented[r] {
			t.Errorf("%s is not in openapi.json", r)
		}
		delete(documented, r)
	}
	for r := range documented {
		t.Errorf("openapi.json has %s, which is no route", r)
	}
	if status, raw, _ := s.raw("GET", "/", "", nil); status != 200 || !strings.Contains(string(raw), "EventSource") {
		t.Errorf("the page: %d", status)
	}
}

func FuzzEvents(f *testing.F) {
	f.Add("application/json", "1", "x", `{"text":"x"}`)
	f.Add("application/cloudevents+json", "", "", `{"specversion":"1.0","id":"a","source":"b","type":"c","data":{}}`)
	f.Add("application/cloudevents-batch+json", "", "", `[{}]`)
	f.Fuzz(func(t *testing.T, media, id, eventType, body string) {
		req, err := http.NewRequest("POST", "http://x"+base+"/events", strings.NewReader(body))
		if err != nil {
			t.Skip("no request")
		}
		req.Header["Content-Type"] = []string{media}
		if id != "" {
			req.Header["Ce-Id"], req.Header["Ce-Type"] = []string{id}, []string{eventType}
			req.Header["Ce-Source"], req.Header["Ce-Specversion"] = []string{"/f"}, []string{"1.0"}
		}
		// Reading an event never panics, whatever comes.
		_, _ = gateway.DecodeForTest(req, []byte(body))
	})
}
