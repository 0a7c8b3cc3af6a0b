package gateway_test

import (
	"fmt"
	"testing"

	"github.com/kalahari-run/kalahari/client/clienttest"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/gateway"
)

func eventIDs(page map[string]any) (ids []string) {
	for _, ev := range page["events"].([]any) {
		ids = append(ids, ev.(map[string]any)["id"].(string))
	}
	return ids
}

func TestHistoryGoesOnBehindAGap(t *testing.T) {
	s, fleet := play(t, gateway.Config{})
	oldest := trimmed(t, fleet, "s1")
	status, page, _ := s.do("GET", base+"/history?after=0.0&limit=1", "", nil)
	if status != 200 || fmt.Sprint(eventIDs(page)) != fmt.Sprintf("[s1/%s]", oldest) || page["next"] != oldest.String() {
		t.Fatalf("%d %v", status, page)
	}
	gap, _ := page["gap"].(map[string]any)
	if gap["after"] != "0.0" || gap["oldest"] != oldest.String() {
		t.Errorf("the gap: %v", gap)
	}
	status, again, _ := s.do("GET", base+"/history?after="+fmt.Sprint(gap["position"]), "", nil)
	if status != 200 || len(eventIDs(again)) != 2 || again["gap"] != nil || again["next"] != "" {
		t.Errorf("behind the gap: %d %v", status, again)
	}
}

// History is read from the feed, and needs no fleet.
func TestHistoryWithoutAFleet(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 2)
	clienttest.Start(t, env.Conn, env.Namespace).Commit("s1", clienttest.Accepted("a"), clienttest.Completed("a", 1))
	env.Conn.Close()
	s := open(t, env, gateway.Config{})
	if status, page, _ := s.do("GET", base+"/history?types=InputCompleted", "", nil); status != 200 || len(eventIDs(page)) != 1 || page["next"] != "" {
		t.Errorf("%d %v", status, page)
	}
}

func TestHistoryOfNobody(t *testing.T) {
	s, _ := play(t, gateway.Config{})
	if status, v, _ := s.do("GET", base+"/history", "", nil); status != 404 || v["code"] != "session_not_found" {
		t.Errorf("%d %v", status, v)
	}
	bare := open(t, embeddedtest.Provisioned(t, "default", 2), gateway.Config{})
	if status, page, _ := bare.do("GET", base+"/history", "", nil); status != 200 || len(eventIDs(page)) != 0 {
		t.Errorf("and no fleet to ask: %d %v", status, page)
	}
}
