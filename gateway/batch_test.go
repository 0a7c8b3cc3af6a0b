package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

type result struct {
	ID      string         `json:"id"`
	Status  int            `json:"status"`
	Receipt map[string]any `json:"receipt"`
	Outcome map[string]any `json:"outcome"`
	Problem map[string]any `json:"problem"`
}

func (s *site) batch(wait string, events ...string) (status int, raw []byte, h http.Header) {
	s.Helper()
	return s.raw("POST", base+"/events", "["+strings.Join(events, ",")+"]", map[string]string{"content-type": subjects.MediaBatch, "prefer": wait})
}

func event(id, data string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/test","type":%q,"data":%s}`, id, promptType, data)
}

// An event must not overtake one that could not be stored.
func TestABatchStopsAtTheFirstFailure(t *testing.T) {
	for _, wait := range []string{"", "wait=60"} {
		s := alone(t, subjects.Settings{MailboxLimit: 2}, gateway.Config{})
		next := s.next(s.env.Namespace.In("s1"))
		status, raw, h := s.batch(wait, event("a", `{"text":"x"}`), event("b", `{"text":"x"}`), event("c", `{"text":"x"}`), event("d", `{"text":"x"}`))
		var problem struct {
			Code    string   `json:"code"`
			Results []result `json:"results"`
		}
		if err := json.Unmarshal(raw, &problem); err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		if status != http.StatusTooManyRequests || problem.Code != "mailbox_full" || h.Get("Retry-After") == "" || h.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%q: %d %s %v", wait, status, raw, h)
		}
		var got []string
		for _, r := range problem.Results {
			got = append(got, fmt.Sprint(r.ID, " ", r.Status, " ", r.Receipt != nil, " ", r.Problem["code"]))
		}
		want := []string{"a 202 true <nil>", "b 202 true <nil>", "c 429 false mailbox_full", "d 424 false not_tried"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", wait, diff)
		}
		// The third was sent, the fourth was not: a copy of the first comes next.
		s.do("POST", base+"/events", `{"text":"x"}`, binary("a", promptType))
		for _, id := range []string{"a", "b", "c", "a"} {
			if m := next(); m.Header.Get("ce-id") != id {
				t.Errorf("%q: published %s, want %s", wait, m.Header.Get("ce-id"), id)
			}
		}
	}
}

func TestABatchWithAMalformedEventIsNotTaken(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{})
	for name, bad := range map[string]string{"data": event("b", `"x"`), "id": `{"specversion":"1.0"}`} {
		status, raw, _ := s.batch("", event("a", `{"text":"x"}`), bad)
		if status != http.StatusBadRequest || !strings.Contains(string(raw), `"field":"`+name+`"`) || !strings.Contains(string(raw), "event 1 of the batch") {
			t.Errorf("%d %s", status, raw)
		}
	}
	if n := s.stored(); n != 0 {
		t.Errorf("%d events are stored", n)
	}
}

// Each event is published once, in order, and all are waited for.
func TestABatchThatIsWaitedFor(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	next := s.next(s.env.Namespace.In("s1"))
	status, raw, h := s.batch("wait=10", event("a", `{"text":"x"}`), event("b", `{}`), event("c", `{"text":"z"}`))
	var results []result
	if err := json.Unmarshal(raw, &results); err != nil || status != http.StatusOK || len(results) != 3 {
		t.Fatalf("%d %s %v", status, raw, err)
	}
	if h.Get("Preference-Applied") != "wait=10" {
		t.Errorf("%v", h)
	}
	if results[0].Outcome["duplicate"] != false || results[0].Outcome["input_id"] != "a" || results[2].Outcome["terminal_outcome"] != "Completed" {
		t.Errorf("%s", raw)
	}
	if results[1].Status != http.StatusConflict || results[1].Problem["kind"] != "InvalidInput" {
		t.Errorf("the refused one: %s", raw)
	}
	s.do("POST", base+"/events", `{"text":"x"}`, binary("d", promptType))
	for _, id := range []string{"a", "b", "c", "d"} {
		if m := next(); m.Header.Get("ce-id") != id {
			t.Errorf("published %s, want %s", m.Header.Get("ce-id"), id)
		}
	}
}

func TestABatchOfTooMany(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{MaxBatch: 2})
	if status, raw, _ := s.batch("", event("a", `{"text":"x"}`), event("b", `{"text":"x"}`)); status != http.StatusOK {
		t.Errorf("as many as are allowed: %d %s", status, raw)
	}
	status, raw, _ := s.batch("", event("c", `{"text":"x"}`), event("d", `{"text":"x"}`), `{"what follows":"is not read"}`)
	if status != http.StatusRequestEntityTooLarge || !strings.Contains(string(raw), `"code":"too_large"`) || !strings.Contains(string(raw), "at most 2") {
		t.Errorf("%d %s", status, raw)
	}
	if n := s.stored(); n != 2 {
		t.Errorf("%d events are stored", n)
	}
}
