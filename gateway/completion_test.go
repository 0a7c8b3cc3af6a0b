package gateway_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

// Whoever waits for an input, wherever and whenever, gets the one outcome it has. These
// tests run a real server, worker and gateways.

const slow = `{"text":"slow","echo":{"delay":"700ms"}}`

// post publishes an event and waits.
func (s *site) post(id, data, wait string, more ...string) (int, map[string]any) {
	s.Helper()
	h := with(binary(id, subjects.InputType("prompt")), more...)
	if wait != "" {
		h["prefer"] = "wait=" + wait
	}
	status, v, _ := s.do("POST", base+"/events", data, h)
	return status, v
}

// once holds that the session's feed has exactly one terminal outcome of each input.
func (s *site) once(inputs ...string) {
	s.Helper()
	_, page, _ := s.do("GET", base+"/history?types=InputCompleted&limit=1000", "", nil)
	count := map[string]int{}
	for _, e := range page["events"].([]any) {
		count[e.(map[string]any)["data"].(map[string]any)["input_id"].(string)]++
	}
	for _, id := range inputs {
		if count[id] != 1 {
			s.Errorf("%s has %d terminal outcomes", id, count[id])
		}
	}
	if len(count) != len(inputs) {
		s.Errorf("outcomes are of %v, want %v", count, inputs)
	}
}

// same holds two answers to be the same outcome.
func (s *site) same(what string, a, b map[string]any) {
	s.Helper()
	strip := func(m map[string]any) map[string]any {
		out := map[string]any{}
		for k, v := range m {
			if k != "duplicate" {
				out[k] = v
			}
		}
		return out
	}
	if diff := cmp.Diff(strip(a), strip(b)); diff != "" || a["run_id"] == nil {
		s.Errorf("%s: not the same outcome:\n%s", what, diff)
	}
}

func TestAWaiterComesBack(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	if status, v := s.post("e1", slow, "0.05"); status != 202 {
		t.Fatalf("the wait did not end first: %d %v", status, v)
	}
	status, v := s.post("e1", slow, "20") // by the event
	if status != 200 || v["terminal_outcome"] != "Completed" || v["duplicate"] != true {
		t.Errorf("by the event: %d %v", status, v)
	}
	status, byID, h := s.do("GET", base+"/inputs/e1", "", map[string]string{"prefer": "wait=20"})
	if status != 200 || h.Get("Preference-Applied") != "wait=20" {
		t.Errorf("by the id: %d %v", status, byID)
	}
	s.same("by the id", v, byID)
	s.once("e1")
}

func TestTwoProducersOfOneInput(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	other := open(t, s.env, gateway.Config{})
	answers := make([]map[string]any, 6)
	var group sync.WaitGroup
	for i := range answers {
		site := []*site{s, other}[i%2]
		group.Go(func() {
			id, key := "same", "none" // the same event, and different ones with one key
			if i >= 4 {
				id, key = fmt.Sprint("keyed-", i), "k"
			}
			h := with(binary(id, subjects.InputType("prompt")), "prefer", "wait=20")
			if key == "k" {
				h["ce-idempotencykey"] = key
			}
			var status int
			if status, answers[i], _ = site.do("POST", base+"/events", slow, h); status != http.StatusOK {
				t.Errorf("%d: %d %v", i, status, answers[i])
			}
		})
	}
	group.Wait()
	for i := range 3 {
		s.same("one event", answers[0], answers[i+1])
	}
	s.same("one key", answers[4], answers[5])
	first := answers[4]["input_id"].(string)
	s.once("same", first)
}

func TestAWaiterWhoseSessionIsDestroyed(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	var group sync.WaitGroup
	for _, id := range []string{"running", "queued"} {
		if status, v := s.post(id, `{"text":"x","echo":{"delay":"1m"}}`, ""); status != 202 {
			t.Fatalf("%d %v", status, v)
		}
		group.Go(func() {
			status, v, _ := s.do("GET", base+"/inputs/"+id, "", map[string]string{"prefer": "wait=15"})
			if status != 200 || v["terminal_outcome"] != "Abandoned" || v["reason"] != "Destroyed" {
				t.Errorf("%s: %d %v", id, status, v)
			}
		})
	}
	status, v, _ := s.do("POST", base+"/events", `{}`, with(binary("end", subjects.CommandType("destroy")), "prefer", "wait=15"))
	if status != 200 {
		t.Errorf("destroy: %d %v", status, v)
	}
	group.Wait()
	s.once("running", "queued")
}

func TestAWaiterOutlivesItsGateway(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	doomed := open(t, s.env, gateway.Config{})
	stored := make(chan struct{})
	gone := make(chan map[string]any)
	go func() {
		close(stored)
		_, v := doomed.post("e1", slow, "20")
		gone <- v
	}()
	<-stored
	// The gateway stops in the middle of the wait, once the session is at work.
	for {
		if status, _, _ := s.do("GET", base+"/inputs/e1", "", nil); status == 200 {
			break
		}
	}
	doomed.stop()
	if v := <-gone; v["id"] != "e1" || v["terminal_outcome"] != nil {
		t.Errorf("the gateway that stopped answered %v", v)
	}
	_, byID, _ := s.do("GET", base+"/inputs/e1", "", map[string]string{"prefer": "wait=20"})
	if byID["terminal_outcome"] != "Completed" {
		t.Errorf("elsewhere: %v", byID)
	}
	_, byEvent := s.post("e1", slow, "20")
	s.same("elsewhere, by the event", byID, byEvent)
	s.once("e1")
}

func TestAWaiterOfAnInputThatHadEnded(t *testing.T) {
	s := serve(t, 1, subjects.Settings{Duplicates: 1e9}) // a second: the session has to remember
	_, first := s.post("e1", `{"text":"x"}`, "20")
	for i := range 20 {
		s.post(fmt.Sprint("more-", i), `{"text":"x"}`, "20")
	}
	other := open(t, s.env, gateway.Config{})
	for _, by := range []*site{s, other} {
		_, again := by.post("e1", `{"text":"x"}`, "20")
		s.same("by the event", first, again)
		_, byID, _ := by.do("GET", base+"/inputs/e1", "", map[string]string{"prefer": "wait=20"})
		s.same("by the id", first, byID)
	}
	status, v, _ := s.do("GET", base+"/inputs/nobody", "", map[string]string{"prefer": "wait=0.1"})
	if status != 404 || v["code"] != "input_not_found" {
		t.Errorf("an input that nobody published: %d %v", status, v)
	}
}
