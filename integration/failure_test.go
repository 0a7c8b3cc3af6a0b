//go:build unix

package integration

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// shortLease makes a lease expire within a test.
var shortLease = []string{"--lease-ttl=3s", "--heartbeat=500ms", "--self-fence=2s"}

func TestAKilledWorkersSessionsGoOnElsewhere(t *testing.T) {
	for _, c := range []struct {
		name    string
		args    []string
		claimed time.Duration // until its sessions progress, as promised
	}{
		{"the detector sees it", nil, 2 * time.Second},
		{"its lease runs out", append([]string{"--detector=off"}, shortLease...), 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, 2, subjects.Settings{})
			args := append([]string{"--executor-delay=150ms"}, c.args...)
			dead := w.worker("dead", args...)
			w.ready(dead, w.worker("b", args...), w.worker("c", args...))
			h, l := w.follow(), w.ledger()
			sessions := names("s", 45)
			l.prompts(sessions, 8, 0)
			w.until(20*time.Second, "runs are under way", func() bool { return h.completed() >= 2*len(sessions) })

			owned := ownedBy(h, sessions, dead)
			killed := time.Now()
			dead.kill()
			var gaps []time.Duration
			w.until(3*c.claimed, "the dead worker's sessions go on", func() bool {
				var missing []string
				gaps, missing = h.gaps(killed, owned, dead)
				return len(missing) == 0
			})
			w.until(30*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
			r := l.verify()
			if r.outcomes["Completed"] != l.total() {
				t.Errorf("not every input completed: %v", r.outcomes)
			}
			t.Logf("%s; %d sessions taken over: first after %s, half after %s, last after %s (promised: %s)", r, len(gaps),
				gaps[0].Round(time.Millisecond), gaps[len(gaps)/2].Round(time.Millisecond), gaps[len(gaps)-1].Round(time.Millisecond), c.claimed)
		})
	}
}

// A worker that hangs keeps its connection and answers nothing: two neighbours agree that it
// is gone long before its lease ends.
func TestAHungWorkersSessionsGoOnElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("waits ten seconds for silence to count")
	}
	t.Parallel()
	w := begin(t, 2, subjects.Settings{})
	hung := w.worker("hung", "--executor-delay=150ms")
	w.ready(hung, w.worker("b"), w.worker("c"))
	h, l := w.follow(), w.ledger()
	sessions := names("s", 30)
	l.prompts(sessions, 8, 0)
	var owned []string
	w.until(20*time.Second, "runs are under way", func() bool {
		owned = ownedBy(h, sessions, hung)
		return h.completed() >= len(sessions) && len(owned) > 0
	})
	since := time.Now()
	hung.signal(syscall.SIGSTOP)
	var gaps []time.Duration
	w.until(25*time.Second, "its sessions go on elsewhere", func() bool {
		var missing []string
		gaps, missing = h.gaps(since, owned, hung)
		return len(missing) == 0
	})
	hung.signal(syscall.SIGCONT)
	w.until(30*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
	t.Logf("%s; %d sessions taken over: first after %s, last after %s (promised: 15s; the lease: 30s)", l.verify(), len(gaps),
		gaps[0].Round(time.Millisecond), gaps[len(gaps)-1].Round(time.Millisecond))
}

// ownedBy are the sessions with work left that p owns.
func ownedBy(h *history, sessions []string, p *process) []string {
	return slices.DeleteFunc(slices.Clone(sessions), func(s string) bool { return !p.of(h.owner(s)) })
}

func TestAWorkerStoppedPastItsLeaseIsFencedOnReturn(t *testing.T) {
	t.Parallel()
	w := begin(t, 2, subjects.Settings{})
	args := append([]string{"--executor-delay=100ms"}, shortLease...)
	stopped, b := w.worker("stopped", args...), w.worker("b", args...)
	w.ready(stopped, b)
	h, l := w.follow(), w.ledger()
	sessions := names("s", 40)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.prompts(sessions, 20, 150*time.Millisecond)
	}()
	w.until(20*time.Second, "runs are under way", func() bool { return h.completed() > 80 })
	owned, since := ownedBy(h, sessions, stopped), time.Now()
	if len(owned) == 0 {
		t.Fatal("it owns nothing that could be taken from it")
	}
	stopped.signal(syscall.SIGSTOP)
	w.until(20*time.Second, "its sessions go on elsewhere", func() bool {
		_, missing := h.gaps(since, owned, stopped)
		return len(missing) == 0
	})
	<-done
	stopped.signal(syscall.SIGCONT)
	w.until(10*time.Second, "it comes back as another incarnation", func() bool {
		return len(stopped.lines("starts over as a new incarnation")) > 0 && len(stopped.lines(`"msg":"worker joined"`)) == 2
	})
	// It hosts sessions again, under its new name, as soon as it has asked for new ones.
	l.prompts(sessions, 2, 0)
	for round := range 30 {
		fresh := names(fmt.Sprintf("n%d-", round), 10)
		l.prompts(fresh, 2, 0)
		w.until(30*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
		if len(ownedBy(h, fresh, stopped)) > 0 {
			break
		}
	}
	r := l.verify()
	refused := stopped.metric("kalahari_appends_refused_total")
	again := 0
	for s := range r.sessions {
		if stopped.of(r.owner(s)) {
			again++
		}
	}
	if again == 0 {
		t.Error("the worker that came back hosts nothing")
	}
	t.Logf("%s; the stopped worker held %d sessions, %.0f of its appends were refused on return, it hosts %d sessions again", r, len(owned), refused, again)
}

func TestTheServerIsKilledAndRestartedUnderLoad(t *testing.T) {
	w := begin(t, 2, subjects.Settings{})
	w.ready(w.worker("a"), w.worker("b"))
	h, l := w.follow(), w.ledger()
	const sessions, inputs = 60, 30
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.prompts(names("s", sessions), inputs, 50*time.Millisecond)
	}()
	var away []time.Duration
	for range 2 {
		time.Sleep(700 * time.Millisecond)
		w.nodes[0].kill()
		killed, before := time.Now(), h.completed()
		w.nodes[0].serve()
		// Commits that wait for an answer that was lost let all inputs pile up for 5 s: then
		// there may be no more of them than these.
		w.until(30*time.Second, "the fleet goes on", func() bool { return h.completed() >= min(before+sessions+1, sessions*inputs) })
		away = append(away, time.Since(killed).Round(time.Millisecond))
	}
	<-done
	w.until(40*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
	t.Logf("%s; %d publications were repeated; from each kill until the fleet made progress: %v", l.verify(), l.retried, away)
}

func TestADrainingWorkerLosesNothing(t *testing.T) {
	w := begin(t, 2, subjects.Settings{})
	args := []string{"--executor-delay=50ms", "--drain-timeout=5s"}
	leaving, b := w.worker("leaving", args...), w.worker("b", args...)
	w.ready(leaving, b)
	h, l := w.follow(), w.ledger()
	sessions := names("s", 60)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.prompts(sessions, 20, 50*time.Millisecond)
	}()
	w.until(20*time.Second, "runs are under way", func() bool { return h.completed() > 200 })
	owned := ownedBy(h, sessions, leaving)
	told := time.Now()
	leaving.signal(syscall.SIGTERM)
	select {
	case <-leaving.exited:
	case <-time.After(10 * time.Second):
		t.Fatal("it did not leave within twice its drain timeout")
	}
	left := time.Since(told)
	if code := leaving.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it left with exit code %d", code)
	}
	<-done
	w.until(30*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
	gaps, missing := h.gaps(told, owned, leaving)
	r := l.verify()
	if len(missing) > 0 {
		t.Errorf("nobody took over %v", missing)
	}
	for s := range r.sessions {
		if leaving.of(r.owner(s)) && r.commits(s)[len(r.commits(s))-1].at.After(told.Add(left)) {
			t.Errorf("%s: the worker that left still writes", s)
		}
	}
	t.Logf("%s; it left after %s; %d sessions moved over, half after %s, the last after %s", r, left.Round(time.Millisecond),
		len(gaps), gaps[len(gaps)/2].Round(time.Millisecond), gaps[len(gaps)-1].Round(time.Millisecond))
}
