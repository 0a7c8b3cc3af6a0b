package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/client/clienttest"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

// record is one server-sent event.
type record struct{ id, name, data string }

// stream opens a stream of server-sent events. read returns the next n of them.
func (s *site) stream(query, last string) (read func(n int) []record) {
	s.Helper()
	next := s.records(query, last)
	return func(n int) (all []record) {
		s.Helper()
		for len(all) < n {
			if r := next(); r.data != "" {
				all = append(all, r)
			}
		}
		return all
	}
}

// records opens a stream. next returns its next record, which may be an id and nothing else.
func (s *site) records(query, last string) (next func() record) {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", s.url+base+"/effects"+query, nil)
	if err != nil {
		s.Fatal(err)
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := s.client.Do(req)
	for err == nil && resp.StatusCode == http.StatusServiceUnavailable { // one before it may not be gone yet
		resp.Body.Close()
		time.Sleep(10 * time.Millisecond)
		resp, err = s.client.Do(req)
	}
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { cancel(); resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		raw, _ := io.ReadAll(resp.Body)
		s.Fatalf("%d %s", resp.StatusCode, raw)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	return func() (r record) {
		s.Helper()
		for {
			if !lines.Scan() {
				s.Fatalf("the stream ended: %v", lines.Err())
			}
			switch key, value, _ := strings.Cut(lines.Text(), ": "); {
			case lines.Text() == "" && r != record{}:
				return r
			case key == "id":
				r.id = value
			case key == "event":
				r.name = value
			case key == "data":
				r.data = value
			}
		}
	}
}

func ids(all []record) (ids []string) {
	for _, r := range all {
		ids = append(ids, r.id)
	}
	return ids
}

func names(all []record) (names []string) {
	for _, r := range all {
		names = append(names, r.name)
	}
	return names
}

func TestEffectsStreamAndResume(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	const types = "?types=InputAccepted,RunOutput,InputCompleted"
	live := s.stream(types, "")
	for i := range 3 {
		s.do("POST", base+"/events", `{"text":"x"}`, with(binary(fmt.Sprint("e", i), subjects.InputType("prompt")), "prefer", "wait=10"))
	}
	all := live(9)
	want := strings.Fields(strings.Repeat("InputAccepted RunOutput InputCompleted ", 3))
	if diff := cmp.Diff(want, names(all)); diff != "" {
		t.Fatalf("live: %s", diff)
	}
	if diff := cmp.Diff(ids(all[4:]), ids(s.stream(types, all[3].id)(5))); diff != "" {
		t.Errorf("resumed after %s: %s", all[3].id, diff)
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
	var told []map[string]any
	for len(told) == 0 || told[len(told)-1]["event"] == nil {
		_, data, err := conn.Read(ctx)
		var v map[string]any
		if err == nil {
			err = json.Unmarshal(data, &v)
		}
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, v)
	}
	if last := told[len(told)-1]; len(told) < 2 || told[0]["position"] != "0" || last["name"] != "InputCompleted" {
		t.Errorf("%v", told)
	}
}

// Whoever loses a stream before its first event misses nothing, whatever it asked for.
func TestAStreamHasAResumePointFromItsBeginning(t *testing.T) {
	for session, before := range map[string]int{"an empty feed": 0, "a feed": 2} {
		for _, query := range []string{"?latest&types=InputCompleted", "?latest", "?types=InputCompleted"} {
			t.Run(session+query, func(t *testing.T) {
				s, fleet := play(t, gateway.Config{})
				for i := range before {
					fleet.Commit("s1", clienttest.Accepted(fmt.Sprint(i)))
				}
				fleet.Commit("another", clienttest.Accepted("x"))
				at := s.records(query, "")()
				if at.id == "" || at.data != "" {
					t.Fatalf("it began with %v", at)
				}
				p := fleet.Commit("s1", clienttest.Completed("a", 1)) // it is away
				if got := s.stream(query, at.id)(1); got[0].id != p.String() {
					t.Errorf("resumed: %v, want %s", got, p)
				}
			})
		}
	}
}

// A reader of few types can go on behind the many events it did not want.
func TestAStreamTellsWhereItStands(t *testing.T) {
	s, fleet := play(t, gateway.Config{})
	const types = "?types=InputCompleted"
	next := s.records(types, "")
	begin := next()
	fleet.Commit("s1", clienttest.Accepted("a"))
	at := next() // with a heartbeat
	p := fleet.Commit("s1", clienttest.Completed("a", 1))
	if at.data != "" || at.id != fmt.Sprint(p.Commit) {
		t.Fatalf("it stands at %v, want %d", at, p.Commit)
	}
	if got := next(); got.id != p.String() {
		t.Errorf("got %v, want %s", got, p)
	}
	fleet.Trim("s1")
	if got := s.stream(types, at.id)(1); got[0].id != p.String() {
		t.Errorf("resumed: %v", got)
	}
	if got := s.stream(types, begin.id)(1); got[0].name != "gap" {
		t.Errorf("resumed before what is gone: %v", got)
	}
}

// The feed has no end, the answer to HEAD has.
func TestHeadOfEffectsEnds(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 2)
	g, err := gateway.New(env.Conn, gateway.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	// A client of HTTP sees the head and is content: it is the handler that must end.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	w := httptest.NewRecorder()
	g.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "HEAD", base+"/effects", nil))
	if ctx.Err() != nil {
		t.Fatal("it was ended by its client")
	}
	if w.Code != http.StatusOK || w.Body.Len() != 0 || w.Header().Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
}

// trimmed plays a session whose first commits are gone, and returns the position of the
// oldest event that is left.
func trimmed(t *testing.T, fleet *clienttest.Fleet, session string) (oldest subjects.Position) {
	t.Helper()
	fleet.Commit(session, clienttest.Accepted("a"))
	fleet.Commit(session, clienttest.Completed("a", 1))
	oldest = fleet.Commit(session, clienttest.Accepted("b"), clienttest.Completed("b", 2))
	fleet.Trim(session)
	return oldest
}

func TestEffectsGoOnBehindAGap(t *testing.T) {
	s, fleet := play(t, gateway.Config{})
	oldest := trimmed(t, fleet, "s1")
	got := s.stream("", "0.0")(3)
	if diff := cmp.Diff([]string{"gap", "InputAccepted", "InputCompleted"}, names(got)); diff != "" {
		t.Fatal(diff)
	}
	var told struct{ After, Oldest, Position string }
	if err := json.Unmarshal([]byte(got[0].data), &told, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if told.After != "0.0" || told.Oldest != oldest.String() || told.Position != got[0].id {
		t.Errorf("the gap: %+v", got[0])
	}
	// Whoever saw the gap and no more misses nothing and is not told again.
	if rest := s.stream("", got[0].id)(2); !slices.Equal(rest, got[1:]) {
		t.Errorf("resumed behind the gap: %v, want %v", rest, got[1:])
	}
	// What comes later is a gap of its own.
	trimmed(t, fleet, "s1")
	if again := s.stream("", got[0].id)(3); again[0].name != "gap" || again[0].id == got[0].id {
		t.Errorf("a second gap: %v", again)
	}
}

func TestAWebSocketGoesOnBehindAGap(t *testing.T) {
	s, fleet := play(t, gateway.Config{})
	trimmed(t, fleet, "s1")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	dial := func(after string) (read func() map[string]any) {
		conn, _, err := websocket.Dial(ctx, s.url+base+"/effects?after="+after, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.CloseNow() })
		return func() (v map[string]any) {
			for len(v) < 2 { // a position alone is where it stands
				_, data, err := conn.Read(ctx)
				if v = nil; err == nil {
					err = json.Unmarshal(data, &v)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			return v
		}
	}
	read := dial("0.0")
	gap := read()
	if gap["gap"] == nil {
		t.Fatalf("no gap: %v", gap)
	}
	next := read()
	if next["name"] != "InputAccepted" {
		t.Errorf("behind the gap: %v", next)
	}
	if diff := cmp.Diff(next, dial(gap["position"].(string))()); diff != "" {
		t.Errorf("resumed behind the gap: %s", diff)
	}
}

// The answer begins when the feed stands at its place: what is sent from then on is seen.
func TestEffectsBeginWhenTheFeedIsOpen(t *testing.T) {
	s, fleet := play(t, gateway.Config{})
	fleet.Commit("s1", clienttest.Accepted("a"))
	read := s.stream("?latest", "")
	p := fleet.Commit("s1", clienttest.Completed("a", 1))
	if got := read(1); got[0].id != p.String() {
		t.Errorf("got %v, want %s", got, p)
	}
}

// A feed that cannot be opened is no stream, however long it takes to find out.
func TestEffectsWithoutNATS(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 2)
	s := open(t, env, gateway.Config{Timeout: 500 * time.Millisecond})
	env.Server.Close()
	status, v, _ := s.do("GET", base+"/effects", "", nil)
	if status != http.StatusServiceUnavailable || v["code"] != "unavailable" {
		t.Errorf("%d %v", status, v)
	}
}

func TestTooManyStreams(t *testing.T) {
	s, _ := play(t, gateway.Config{MaxStreams: 1})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	conn, _, err := websocket.Dial(ctx, s.url+base+"/effects", nil)
	if err != nil {
		t.Fatal(err)
	}
	status, v, h := s.do("GET", base+"/effects", "", nil)
	if status != http.StatusServiceUnavailable || v["code"] != "too_many_streams" || h.Get("Retry-After") == "" {
		t.Errorf("one too many: %d %v", status, v)
	}
	_ = conn.CloseNow()
	for !s.streams("") { // the gateway notices when it does
		if ctx.Err() != nil {
			t.Fatal("the place is not given back")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// streams tells whether a stream can be opened.
func (s *site) streams(query string) bool {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), "GET", s.url+base+"/effects"+query, nil)
	if err != nil {
		s.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// deadlines is a writer that notes the deadlines it was given.
type deadlines struct {
	*httptest.ResponseRecorder
	all     []time.Time
	last    time.Time
	written func()
}

func (d *deadlines) Write(b []byte) (int, error) {
	d.written()
	return d.ResponseRecorder.Write(b)
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.all, d.last = append(d.all, t), t
	return nil
}

// The next request on the same connection has all the time it needs.
func TestAStreamLeavesNoDeadlineBehind(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 2)
	g, err := gateway.New(env.Conn, gateway.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder(), written: cancel}
	g.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", base+"/effects", nil))
	if len(w.all) < 2 || !w.last.IsZero() {
		t.Errorf("the last deadline is %v", w.last)
	}
}
