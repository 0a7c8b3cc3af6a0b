//go:build unix

package integration

import (
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// Every write whose answer can be missed, with each way to miss it (PROTOCOL 4, 11, 32).
// All of it happens to one fleet at work, which must not notice.
func TestEveryUnknownOutcomeIsResolved(t *testing.T) {
	t.Parallel()
	w := begin(t, 2, subjects.Settings{})
	p := w.proxy()

	under := func(prefix string) func(publication) bool {
		return func(pub publication) bool { return strings.HasPrefix(pub.subject, prefix) }
	}
	logs := func(pub publication) bool {
		kind, _, _, err := w.ns.ParseSession(pub.subject)
		return err == nil && kind == subjects.KindLog
	}
	fx := func(pub publication) bool { return strings.Contains(pub.subject, ".fx.") }
	owners := "$KV." + w.ns.OwnersBucket() + "."
	deletion := func(pub publication) bool { return strings.Contains(pub.body, "KV-Operation: DEL") }
	claim := func(pub publication) bool { return under(owners)(pub) && !deletion(pub) }
	release := func(pub publication) bool { return under(owners)(pub) && deletion(pub) }

	cases := []struct {
		name  string
		same  bool // it is published again with the same bytes
		made  *trouble
		count int32
	}{
		{"a commit's answer is lost", true, p.make(3, loseAnswer, logs), 3},
		{"a commit is lost", true, p.make(3, loseRequest, logs), 3},
		{"a commit's answer is late", true, p.make(3, lateAnswer, logs), 3},
		{"the connection breaks behind a commit", true, p.make(2, cutBehind, logs), 2},
		{"a claim's answer is lost", false, p.make(2, loseAnswer, claim), 2},
		{"a claim is lost", false, p.make(2, loseRequest, claim), 2},
		{"the connection breaks behind a claim", false, p.make(1, cutBehind, claim), 1},
		{"a release's answer is lost", false, p.make(2, loseAnswer, release), 2},
		{"a release is lost", false, p.make(2, loseRequest, release), 2},
		{"an effect's answer is lost", true, p.make(3, loseAnswer, fx), 3},
		{"an effect is lost", true, p.make(3, loseRequest, fx), 3},
		{"a snapshot's answer is lost", false, p.make(2, loseAnswer, under("$KV."+w.ns.SnapshotsBucket()+".")), 2},
		{"a removal's answer is lost", false, p.make(2, loseAnswer, under("$JS.API.STREAM.MSG.DELETE.")), 2},
		{"a removal is lost", false, p.make(2, loseRequest, under("$JS.API.STREAM.MSG.DELETE.")), 2},
		{"a purge's answer is lost", false, p.make(2, loseAnswer, under("$JS.API.STREAM.PURGE.")), 2}, // behind a removal's
		{"a heartbeat's answer is lost", false, p.make(2, loseAnswer, under("$KV."+w.ns.WorkersBucket()+".")), 2},
	}

	args := []string{"--hibernate-after=300ms", "--executor-delay=10ms"}
	a, b := w.workerAt(p.addr(), "a", args...), w.workerAt(p.addr(), "b", args...)
	w.ready(a, b)
	h, l := w.follow(), w.ledger()
	taken := func() bool {
		for _, c := range cases {
			if c.made.taken.Load() < c.count {
				return false
			}
		}
		return true
	}
	sessions := names("s", 40)
	for round := 0; round < 10 && (round < 3 || !taken()); round++ {
		l.prompts(sessions, 2, 20*time.Millisecond)
		w.until(60*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
		time.Sleep(600 * time.Millisecond) // sessions go to rest, and the next round wakes them
	}
	for _, c := range cases {
		if n := c.made.taken.Load(); n != c.count {
			t.Errorf("%s: it was to happen %d times and happened %d times", c.name, c.count, n)
		}
		if n := c.made.repeated.Load(); c.same && n == 0 {
			t.Errorf("%s: nothing was published again with the same bytes", c.name)
		}
	}
	unknown := a.metric("kalahari_appends_unknown_total") + b.metric("kalahari_appends_unknown_total")
	if unknown == 0 {
		t.Error("no worker counted an append of unknown outcome")
	}
	r := l.verify()
	w.atRest()
	t.Logf("%s; %.0f appends of unknown outcome", r, unknown)
}

// atRest waits until nobody owns anything any more: an owner key is an obligation, and one
// left behind by a lost answer would stand for ever (PROTOCOL 15).
func (w *world) atRest() {
	w.t.Helper()
	owners, err := w.js.KeyValue(w.t.Context(), w.ns.OwnersBucket())
	if err != nil {
		w.t.Fatal(err)
	}
	w.until(40*time.Second, "every session is released", func() bool {
		keys, err := owners.ListKeys(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		n := 0
		for range keys.Keys() {
			n++
		}
		return n == 0
	})
}
