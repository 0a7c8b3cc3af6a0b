//go:build unix

package integration

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// siege is a fleet under load while things happen to it, phase by phase. Each phase is over
// when every session has gone on behind it and what piled up meanwhile is done; what producers were told and what subscribers
// saw is checked in the end.
type siege struct {
	w        *world
	h        *history
	l        *ledger
	heard    *witness
	hosts    map[string]*host
	args     []string
	workers  []*process // those that are meant to live
	all      []*process // and those that did
	sessions []string
	phases   []phase
	stop     []func()
}

type phase struct {
	name     string
	from, to time.Time
}

// siege starts workers, each on its host if it has one.
func (w *world) siege(sessions []string, hosts map[string]*host, args []string, workers ...string) *siege {
	w.t.Helper()
	s := &siege{w: w, hosts: hosts, args: args, sessions: sessions}
	for _, name := range workers {
		s.worker(name)
	}
	w.ready(s.workers...)
	s.h, s.l, s.heard = w.follow(), w.ledger(), w.witness()
	return s
}

// worker starts one more, or one again.
func (s *siege) worker(name string) *process {
	s.w.t.Helper()
	p := s.w.workerOn(s.hosts[name], s.w.addr, name, s.args...)
	s.workers = append(slices.DeleteFunc(s.workers, func(p *process) bool { return p.name == name }), p)
	s.all = append(s.all, p)
	return p
}

// flow begins the load: one producer to a session.
func (s *siege) flow(pause time.Duration) {
	s.stop = append(s.stop, s.l.flow(s.l.publish, s.sessions, pause))
}

// post adds sessions whose producers use a gateway.
func (s *siege) post(url string, sessions []string, pause time.Duration) {
	s.stop = append(s.stop, s.l.flow(s.l.through(url), sessions, pause))
	s.sessions = append(slices.Clone(s.sessions), sessions...)
}

// phase lets something happen, and waits until it is over for everybody.
func (s *siege) phase(name string, happen func()) {
	s.w.t.Helper()
	from := time.Now()
	happen()
	if len(s.w.nodes) > 1 {
		s.w.whole()
	}
	s.progress("every session goes on after: " + name)
	waiting := s.l.total()
	s.w.until(90*time.Second, "what piled up is done after: "+name, func() bool { return s.h.completed() >= waiting })
	s.phases = append(s.phases, phase{name, from, time.Now()})
	s.w.t.Logf("%s: over after %s", name, time.Since(from).Round(time.Millisecond))
}

// progress waits until every session has gone on.
func (s *siege) progress(what string) {
	s.w.t.Helper()
	since := time.Now()
	var missing []string
	defer func() {
		if len(missing) > 0 {
			s.w.t.Logf("%s: not %v", what, missing)
		}
	}()
	s.w.until(90*time.Second, what, func() bool {
		_, missing = s.h.gaps(since, s.sessions, nil)
		return len(missing) == 0
	})
}

// busiest is the worker that owns most sessions.
func (s *siege) busiest() *process {
	return slices.MaxFunc(s.workers, func(a, b *process) int {
		return len(ownedBy(s.h, s.sessions, a)) - len(ownedBy(s.h, s.sessions, b))
	})
}

// end stops the load, checks everything, and tells how long inputs took in each phase.
func (s *siege) end() {
	s.w.t.Helper()
	for _, stop := range s.stop {
		stop()
	}
	s.w.until(time.Minute, "every input ends", func() bool { return s.h.completed() >= s.l.total() })
	r := s.l.verify()
	s.h.check(r)
	s.heard.check(r)
	for _, p := range s.all {
		for _, line := range p.lines("quarantined") {
			s.w.t.Errorf("%s: %s", p.name, line)
		}
	}
	var table strings.Builder
	out := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, c := range cells {
			_, _ = fmt.Fprint(out, c, "\t") // into a string
		}
		_, _ = fmt.Fprintln(out)
	}
	row("phase", "lasted", "inputs", "p50", "p99", "longest")
	for _, p := range s.phases {
		waits := s.l.waits(r, p.from, p.to)
		at := func(q int) time.Duration { return waits[(len(waits)-1)*q/100].Round(time.Millisecond) }
		if len(waits) == 0 {
			s.w.t.Errorf("%s: no input was published meanwhile", p.name)
			continue
		}
		row(p.name, p.to.Sub(p.from).Round(100*time.Millisecond), len(waits), at(50), at(99), at(100))
	}
	_ = out.Flush()
	s.w.t.Logf("%s; %d publications were repeated, %d outcomes told by the gateway; from the first attempt to publish until the outcome is stored:\n%s",
		r, s.l.retried, len(s.l.told), table.String())
}
