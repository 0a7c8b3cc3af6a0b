//go:build unix

package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// An executor that panics is tried again, with its inputs rolled back, and given up in the
// end; the session and its worker go on.
func TestAPanickingExecutorIsRetriedThenGivenUp(t *testing.T) {
	t.Parallel()
	w := begin(t, 1, subjects.Settings{})
	h := w.follow()
	a := w.worker("a")
	w.ready(a)
	for _, c := range []struct{ id, echo, outcome, reason string }{
		{"panics", `{"panic":9}`, "Abandoned", "MaxAttemptsExhausted"},
		{"panics-once", `{"panic":1}`, "Completed", ""},
		{"fails", `{"fail":9}`, "Abandoned", "MaxAttemptsExhausted"},
		{"goes on", `{}`, "Completed", ""},
	} {
		before := len(h.facts("s"))
		ev := newEvent(c.id, subjects.InputType("prompt"), fmt.Sprintf(`{"text":"x","echo":%s}`, c.echo))
		if _, err := w.js.PublishMsg(t.Context(), w.message(w.ns.In("s"), "s", ev)); err != nil {
			t.Fatal(err)
		}
		var ended []fact
		w.until(20*time.Second, c.id+" ends", func() bool {
			ended = nil
			for _, f := range h.facts("s", "InputCompleted") {
				if f.Fields.InputID == c.id {
					ended = append(ended, f)
				}
			}
			return len(ended) > 0
		})
		if f := ended[0].Fields; len(ended) != 1 || f.Outcome != c.outcome || f.Reason != c.reason {
			t.Errorf("%s: ended %d times, %s %s; want %s %s", c.id, len(ended), f.Outcome, f.Reason, c.outcome, c.reason)
		}
		staged := 0
		for _, f := range h.facts("s")[before:] {
			if f.Name == "InputStaged" && f.Fields.InputID == c.id {
				staged++
			}
		}
		want := map[string]int{"panics": 3, "panics-once": 2, "fails": 3, "goes on": 1}[c.id]
		if staged != want {
			t.Errorf("%s: %d attempts, want %d", c.id, staged, want)
		}
	}
	if !a.alive() {
		t.Error("the worker is gone")
	}
}

func (p *process) alive() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// A session at rest owns nothing, and wakes by its next input wherever there is room.
func TestASessionHibernatesAndWakesOnAnotherWorker(t *testing.T) {
	t.Parallel()
	w := begin(t, 2, subjects.Settings{})
	args := []string{"--hibernate-after=200ms"}
	a := w.worker("a", args...)
	w.ready(a)
	h, l := w.follow(), w.ledger()
	sessions := names("s", 30)
	round := func() {
		t.Helper()
		l.prompts(sessions, 2, 0)
		w.until(20*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
		w.atRest()
	}
	round()
	for shard := range w.ns.Shards() {
		s, err := w.js.Stream(t.Context(), w.ns.InStream(shard))
		if err != nil {
			t.Fatal(err)
		}
		if n := s.CachedInfo().State.Msgs; n != 0 {
			t.Errorf("shard %d: %d messages are left in mailboxes at rest", shard, n)
		}
	}
	// The first worker leaves for good; what it knew is in the snapshots and the logs.
	a.kill()
	b := w.worker("b", args...)
	w.ready(b)
	round()
	round()
	r := l.verify()
	for _, s := range sessions {
		if !b.of(r.owner(s)) {
			t.Errorf("%s: the last commit is by %s", s, r.owner(s))
		}
	}
	if r.claims < 3*len(sessions) {
		t.Errorf("%d claims: a session was not let go between the rounds", r.claims)
	}
	// Counted behind the last look at the mailbox, so later than the key is gone; and not
	// at all if that look found the next round's inputs. After the last round nothing comes.
	w.until(20*time.Second, "every hibernation of the last round is counted", func() bool {
		return int(b.metric("kalahari_hibernations_total")) >= len(sessions)
	})
	t.Log(r)
}
