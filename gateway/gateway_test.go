package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

type site struct {
	*testing.T
	env *embeddedtest.Env
	url string
}

// serve starts a gateway, and workers, over a real server and a real listener.
func serve(t *testing.T, workers int, settings subjects.Settings) *site {
	t.Helper()
	env := embeddedtest.ProvisionedWith(t, "default", 2, settings)
	run := func(f func(context.Context) error) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- f(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	for i := range workers {
		nc, _ := embeddedtest.Connect(t, env.Server)
		w, err := worker.New(nc, env.Namespace, worker.Config{
			Name: fmt.Sprint("w", i), Executor: executor.Echo{}, RetryDelay: time.Millisecond, DrainTimeout: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		run(w.Run)
	}
	nc, _ := embeddedtest.Connect(t, env.Server)
	g, err := gateway.New(nc, gateway.Config{Heartbeat: 50 * time.Millisecond, StopTimeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	run(func(ctx context.Context) error { return g.Serve(ctx, l) })
	s := &site{t, env, "http://" + l.Addr().String()}
	for range 200 {
		if status, _, _ := s.do("GET", "/readyz", "", nil); status == http.StatusOK || workers == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return s
}

func (s *site) do(method, path, body string, header map[string]string) (int, map[string]any, http.Header) {
	s.Helper()
	status, raw, h := s.raw(method, path, body, header)
	var v map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &v); err != nil {
			s.Fatalf("%s %s: %d %s", method, path, status, raw)
		}
	}
	return status, v, h
}

func (s *site) raw(method, path, body string, header map[string]string) (int, []byte, http.Header) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, raw, resp.Header
}

const base = "/v1/namespaces/default/sessions/s1"

func binary(id, eventType string) map[string]string {
	return map[string]string{
		"ce-specversion": "1.0", "ce-id": id, "ce-source": "/test", "ce-type": eventType, "content-type": "application/json",
	}
}

func with(h map[string]string, more ...string) map[string]string {
	for i := 0; i+1 < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return h
}

func TestOneCurlIsAnswered(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	status, v, h := s.do("POST", base+"/events", `{"text":"hello"}`, map[string]string{"content-type": "application/json", "prefer": "wait=10"})
	if status != http.StatusOK || v["terminal_outcome"] != "Completed" || v["result"].(map[string]any)["text"] != "hello" {
		t.Fatalf("%d %v", status, v)
	}
	if h.Get("Preference-Applied") != "wait" {
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
		{"too large", base + "/events", `{"text":"` + strings.Repeat("x", 300<<10) + `"}`, map[string]string{"content-type": "application/json"}, 413, "too_large", ""},
		{"a prompt without text", base + "/events", `{}`, with(binary("2", prompt), "prefer", "wait=10"), 409, "refused", ""},
		{"an unknown command", base + "/events", `{}`, with(binary("3", "run.kalahari.command.nonsense.v1"), "prefer", "wait=10"), 409, "refused", ""},
		{"a strange wait", base + "/events", `{"text":"x"}`, map[string]string{"content-type": "application/json", "prefer": "wait=soon"}, 400, "bad_request", ""},
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

// events reads a stream of server-sent events.
func events(t *testing.T, body io.Reader, n int) (ids, names []string) {
	t.Helper()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<20)
	for len(names) < n && lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			ids = append(ids, id)
		}
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			names = append(names, name)
		}
	}
	return ids, names
}

func TestEffectsStreamAndResume(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	get := func(query, last string) io.ReadCloser {
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.url+base+"/effects"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			req.Header.Set("Last-Event-ID", last)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
			raw, _ := io.ReadAll(resp.Body)
			t.Fatalf("%d %s", resp.StatusCode, raw)
		}
		return resp.Body
	}
	stream := get("?types=InputAccepted,RunOutput,InputCompleted", "")
	defer stream.Close()
	for i := range 3 {
		s.do("POST", base+"/events", `{"text":"x"}`, with(binary(fmt.Sprint("e", i), subjects.InputType("prompt")), "prefer", "wait=10"))
	}
	ids, names := events(t, stream, 9)
	want := strings.Repeat("InputAccepted RunOutput InputCompleted ", 3)
	if strings.Join(names, " ")+" " != want {
		t.Fatalf("live: %v", names)
	}
	again := get("?types=InputAccepted,RunOutput,InputCompleted", ids[3])
	defer again.Close()
	resumed, _ := events(t, again, 5)
	if fmt.Sprint(resumed) != fmt.Sprint(ids[4:]) {
		t.Errorf("resumed after %s: %v, want %v", ids[3], resumed, ids[4:])
	}
	if status, v, _ := s.do("GET", base+"/effects?after=nonsense", "", nil); status != 400 {
		t.Errorf("a resume point that is none: %d %v", status, v)
	}
	if status, v, _ := s.do("GET", base+"/history?limit=4", "", nil); status != 200 || len(v["events"].([]any)) != 4 || v["next"] == "" {
		t.Errorf("history: %d %v", status, v)
	}
}

func TestEffectsOverWebSocket(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	conn, _, err := websocket.Dial(t.Context(), s.url+base+"/effects?types=InputCompleted", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	s.do("POST", base+"/events", `{"text":"x"}`, binary("e1", subjects.InputType("prompt")))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := conn.Read(ctx)
	if err != nil || !strings.Contains(string(data), `"InputCompleted"`) {
		t.Errorf("%s %v", data, err)
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
