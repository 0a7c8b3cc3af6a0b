package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/client/clienttest"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

// Large results and reports are in the answer to a batch while there is room, and can be had
// elsewhere otherwise. Small ones always are there.
func TestTheResultsOfABatchAreBounded(t *testing.T) {
	text := strings.Repeat("x", 70<<10)
	large, small := map[string]string{"text": text}, map[string]string{"text": "x"}
	s, fleet := play(t, gateway.Config{MaxResults: 150 << 10})
	status, up, _ := s.do("POST", base+"/blobs", `{"text":"`+text+`"}`, nil)
	if status != http.StatusCreated {
		t.Fatalf("%d %v", status, up)
	}
	fleet.Answer(func(_ string, ev cloudevents.Event) []clienttest.Event {
		said := map[bool]any{true: large, false: small}[strings.HasPrefix(ev.ID(), "large")]
		if _, command := subjects.CommandName(ev.Type()); command {
			return []clienttest.Event{{Name: "CommandApplied", Cause: ev.ID(), Data: map[string]any{"command": "retire", "report": said}}}
		}
		data := map[string]any{"input_id": ev.ID(), "terminal_outcome": "Completed", "result_ref": up["blob"]}
		if !strings.HasPrefix(ev.ID(), "large") {
			data = map[string]any{"input_id": ev.ID(), "terminal_outcome": "Completed", "result": said}
		}
		return []clienttest.Event{clienttest.Accepted(ev.ID()), {Name: "InputCompleted", Cause: ev.ID(), Data: data}}
	})
	for member, eventType := range map[string]string{"result": promptType, "report": subjects.CommandType("retire")} {
		var batch []string
		for _, id := range []string{"large-1", "large-2", "large-3", "small-1", "small-2"} {
			batch = append(batch, fmt.Sprintf(`{"specversion":"1.0","id":"%s-%s","source":"/test","type":%q,"data":{"text":"x"}}`, id, member, eventType))
		}
		status, raw, _ := s.batch("wait=20", batch...)
		var results []result
		if err := json.Unmarshal(raw, &results); err != nil || status != http.StatusOK {
			t.Fatalf("%s: %d %.300s %v", member, status, raw, err)
		}
		got := map[string]int{}
		for _, r := range results {
			switch said, _ := r.Outcome[member].(map[string]any); {
			case said["text"] == text:
				got["whole"]++
			case said["text"] == "x":
				got["small"]++
			case said["omitted_bytes"] == float64(len(text)+len(`{"text":""}`)), r.Outcome["result_ref"] == up["blob"] && said == nil:
				got["told"]++
			default:
				t.Errorf("%s: %.300v", member, r)
			}
		}
		if diff := cmp.Diff(map[string]int{"whole": 2, "small": 2, "told": 1}, got); diff != "" {
			t.Errorf("%s: %s", member, diff)
		}
	}
	// A wait for one input has its result whole.
	if status, v, _ := s.do("GET", base+"/inputs/large-1-result", "", map[string]string{"prefer": "wait=20"}); status != http.StatusOK || v["result"] == nil {
		t.Errorf("%d %.300v", status, v)
	}
}
