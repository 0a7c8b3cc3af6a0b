//go:build unix

package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

func TestExactlyOnceAndInOrderUnderLoad(t *testing.T) {
	w := begin(t, 4, subjects.Settings{})
	w.ready(w.worker("a"), w.worker("b"), w.worker("c"))
	h, l := w.follow(), w.ledger()
	started := time.Now()
	l.prompts(names("s", 200), 15, 0)
	w.until(60*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
	took := time.Since(started)
	r := l.verify()
	owners := map[string]int{}
	for s := range r.sessions {
		name, _, _ := strings.Cut(r.owner(s), "-")
		owners[name]++
	}
	if len(owners) != 3 {
		t.Errorf("the sessions are with %v, want all three workers", owners)
	}
	t.Logf("%s: %.0f inputs/s with every write synced; sessions by worker %v", r, float64(l.total())/took.Seconds(), owners)
}

func TestTwoWorkersRaceForTheSameSessions(t *testing.T) {
	w := begin(t, 2, subjects.Settings{})
	h, l := w.follow(), w.ledger()
	// Several inputs wait for each session, so that both workers hear of it.
	sessions := names("s", 500)
	l.prompts(sessions, 3, 0)
	started := time.Now()
	// Neither has room for all, so that both take part however late one of them starts.
	a, b := w.worker("a", "--capacity=400"), w.worker("b", "--capacity=400")
	w.ready(a, b)
	w.until(60*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
	took := time.Since(started)
	r := l.verify()
	with := map[string]int{}
	for _, s := range sessions {
		owners := map[string]bool{}
		for _, c := range r.commits(s) {
			owners[c.worker] = true
		}
		if len(owners) != 1 {
			t.Errorf("%s was owned by %v", s, owners)
		}
		name, _, _ := strings.Cut(r.owner(s), "-")
		with[name]++
	}
	if len(with) != 2 {
		t.Errorf("the sessions are with %v: nobody raced", with)
	}
	t.Logf("%s: all done %s after the workers started; sessions by worker %v", r, took.Round(time.Millisecond), with)
}
