//go:build unix

package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// interactions are the states each request went through in the log of one session, as its
// asker or its peer followed it.
func interactions(r *report, session string) map[string][]string {
	r.w.t.Helper()
	all := map[string][]string{}
	for _, f := range r.facts(session, "PeerInteractionStateChanged", "InboundPeerInteractionStateChanged") {
		var data struct {
			CorrID   string `json:"corr_id"`
			NewState string `json:"new_state"`
		}
		if err := json.Unmarshal(f.Data, &data); err != nil {
			r.w.t.Fatal(err)
		}
		all[data.CorrID] = append(all[data.CorrID], data.NewState)
	}
	return all
}

// Two groups of sessions ask each other while the worker that hosts most of them is
// killed, twice. Each request is heard once and answered once, and each answer comes once.
func TestSessionsTalkWhileTheirWorkerIsKilled(t *testing.T) {
	const pairs, rounds = 12, 8
	w := begin(t, 2, subjects.Settings{})
	args := []string{"--executor-delay=20ms"}
	h := w.follow()
	a, b := w.worker("a", args...), w.worker("b", args...)
	w.ready(a, b)
	l := w.ledger()
	request := func(pair, round, side int) string {
		return fmt.Sprintf("018f0000-%04d-7000-8000-0000%04d%04d", pair, round, side)
	}
	ask := func(pair, round int) {
		t.Helper()
		ann, bob := fmt.Sprintf("ann%03d", pair), fmt.Sprintf("bob%03d", pair)
		for side, who := range [][2]string{{ann, bob}, {bob, ann}} {
			ev := command(fmt.Sprintf("ask-%d-%d", round, side), "send_request", fmt.Sprintf(
				`{"to":%q,"request_id":%q,"body":"round %d","timeout":"2m"}`, who[1], request(pair, round, side), round))
			if err := l.publish(t.Context(), who[0], ev); err != nil {
				t.Fatal(err)
			}
		}
	}
	ended := func() (n int) {
		for _, s := range append(names("ann", pairs), names("bob", pairs)...) {
			n += len(h.facts(s, "PeerInteractionCleanup"))
		}
		return n
	}
	for round := range rounds {
		for pair := range pairs {
			ask(pair, round)
		}
		switch round {
		case 2:
			w.until(20*time.Second, "answers come", func() bool { return ended() > 10 })
			a.kill()
			a = w.worker("a2", args...)
			w.ready(a)
		case 5:
			b.kill()
			b = w.worker("b2", args...)
			w.ready(b)
		}
	}
	const total = pairs * rounds * 2
	w.until(60*time.Second, "every request is over", func() bool { return ended() >= total })
	// Each request and each answer is an input, and each is run.
	w.until(60*time.Second, "every input ends", func() bool { return h.completed() >= 2*total })

	r := w.reread()
	w.checkFx(r)
	for pair := range pairs {
		sides := []string{fmt.Sprintf("ann%03d", pair), fmt.Sprintf("bob%03d", pair)}
		for side, session := range sides {
			mine, theirs := interactions(r, session), interactions(r, sides[1-side])
			for round := range rounds {
				id := request(pair, round, side)
				if got := mine[id]; !slices.Equal(got, []string{"Sent", "Completed"}) {
					t.Errorf("%s: request %s went %v", session, id, got)
				}
				if got := theirs[id]; !slices.Equal(got, []string{"Received", "Replied"}) {
					t.Errorf("%s: request %s went %v", sides[1-side], id, got)
				}
			}
			accepted, ended := map[string]int{}, map[string]int{}
			for _, f := range r.facts(session, "InputAccepted") {
				accepted[f.Fields.InputID]++
			}
			for _, f := range r.facts(session, "InputCompleted") {
				ended[f.Fields.InputID]++
			}
			// rounds requests of the peer and rounds answers, each once.
			if len(accepted) != 2*rounds || len(ended) != 2*rounds {
				t.Errorf("%s: %d inputs were admitted and %d ended, want %d", session, len(accepted), len(ended), 2*rounds)
			}
			for id, n := range accepted {
				if n != 1 || ended[id] != 1 {
					t.Errorf("%s: input %s was admitted %d times and ended %d times", session, id, n, ended[id])
				}
			}
			for _, f := range r.facts(session, "InputRejected", "CommandRejected", "PeerUndelivered") {
				t.Errorf("%s: %s %s", session, f.Name, f.Data)
			}
		}
	}
	if r.claims <= 2*pairs {
		t.Error("no session changed its owner")
	}
	t.Logf("%s; %d requests", r, total)
}
