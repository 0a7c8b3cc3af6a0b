package worker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/kv"
)

// The fast failure detector (PROTOCOL 24). Ring neighbours ask each other's private
// subject; when a process is killed its connection closes and the server answers "no
// responders". A process that hangs answers nothing, and so does one behind a bad link:
// that takes longer and two askers. Both are hints: being wrong costs a repeated executor
// call, never a second history.
const (
	probeEvery   = 250 * time.Millisecond
	probeTimeout = 200 * time.Millisecond
	// A neighbour is gone after this many refusals in a row over at least that time.
	goneAfter = 4
	goneOver  = time.Second
	// A neighbour is gone after silence of this length, if another asker says the same.
	silentOver = 10 * time.Second
	// An asker that has reconnected itself lately trusts nothing it hears.
	calmAfter = 10 * time.Second
	// neighbours is how many members each worker asks.
	neighbours = 2
)

// suspicion is what an asker holds against a neighbour: refusals, or silence.
type suspicion struct {
	refusals int
	since    time.Time
}

// gone reports whether the suspicion is enough.
func (s suspicion) gone() bool {
	if s.refusals > 0 {
		return s.refusals >= goneAfter && time.Since(s.since) >= goneOver
	}
	return time.Since(s.since) >= silentOver
}

// suspects are the neighbours that do not answer. Others may ask about them.
type suspects struct {
	mu sync.Mutex
	of map[kv.Incarnation]suspicion
}

// note takes the outcome of a probe and returns what is held against the neighbour now.
func (s *suspects) note(inc kv.Incarnation, h heard) (now suspicion, suspected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, suspected = s.of[inc]
	switch h {
	case answered:
		delete(s.of, inc)
		return suspicion{}, false
	case refused:
		if now.refusals == 0 {
			now.since = time.Now()
		}
		now.refusals++
	case silent:
		if !suspected || now.refusals > 0 {
			now = suspicion{since: time.Now()}
		}
	}
	if s.of == nil {
		s.of = map[kv.Incarnation]suspicion{}
	}
	s.of[inc] = now
	return now, true
}

// keep forgets everyone who is not among those asked.
func (s *suspects) keep(ring []kv.Incarnation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for inc := range s.of {
		if !slices.Contains(ring, inc) {
			delete(s.of, inc)
		}
	}
}

// gone reports whether enough is held against a neighbour, and against how many.
func (s *suspects) gone(inc kv.Incarnation) (it bool, all int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, held := range s.of {
		if held.gone() {
			all++
			it = it || other == inc
		}
	}
	return it, all
}

func (l *life) detect(ctx context.Context) {
	var reconnects uint64
	calm := time.Now()
	if l.nc.Stats().Reconnects == 0 {
		calm = time.Time{} // a first connection is no reconnection
	}
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n := l.nc.Stats().Reconnects; n != reconnects {
			reconnects, calm = n, time.Now().Add(calmAfter)
			l.suspects.keep(nil)
		}
		if time.Now().Before(calm) || !l.nc.IsConnected() {
			continue
		}
		ring := l.ring()
		l.suspects.keep(ring)
		for _, inc := range ring {
			held, suspected := l.suspects.note(inc, l.probe(ctx, inc))
			if !suspected || !held.gone() || !l.fewVanish(inc) || held.refusals == 0 && !l.seconded(ctx, inc) {
				continue
			}
			l.log.WarnContext(ctx, "a worker is gone", "gone", inc, "refusals", held.refusals, "for", time.Since(held.since).String())
			if err := l.store.Members.Evict(ctx, inc); err != nil {
				l.log.WarnContext(ctx, "evict", "error", err)
			}
			l.suspects.note(inc, answered)
		}
	}
}

// heard is what a probe came to.
type heard uint8

const (
	answered heard = iota
	silent
	refused // the server says that nobody is there
)

func (l *life) probe(ctx context.Context, inc kv.Incarnation) heard {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	_, err := l.nc.RequestWithContext(ctx, l.ns.Probe(string(inc)), nil)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return refused
	case errors.Is(err, context.DeadlineExceeded):
		return silent
	}
	return answered // or this worker's own connection is at fault, which says nothing
}

// goneToo is the answer of a worker that is asked about a member it holds for gone.
const goneToo = "gone"

// probed answers a probe: that this worker is there or, if a member is named, what it has
// heard of that one.
func (l *life) probed(m *nats.Msg) {
	var answer []byte
	if inc := kv.Incarnation(m.Data); inc != "" {
		if gone, _ := l.suspects.gone(inc); gone {
			answer = []byte(goneToo)
		}
	}
	_ = m.Respond(answer) // a lost answer is asked for again
}

// seconded reports whether another member holds this one for gone as well. All are asked at
// once: those that hang, too, cost one time-out together, and the first that says so is enough.
func (l *life) seconded(ctx context.Context, inc kv.Incarnation) bool {
	inbox := l.nc.NewInbox()
	answers, err := l.nc.SubscribeSync(inbox)
	if err != nil {
		return false
	}
	defer func() { _ = answers.Unsubscribe() }() // the connection may be gone
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	asked := 0
	for _, m := range l.members.All() {
		if m.Incarnation == inc || m.Incarnation == l.me {
			continue
		}
		if err := l.nc.PublishRequest(l.ns.Probe(string(m.Incarnation)), inbox, []byte(inc)); err != nil {
			return false
		}
		asked++
	}
	for range asked {
		answer, err := answers.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrNoResponders): // one that is not there says nothing
		case err != nil:
			return false
		case string(answer.Data) == goneToo:
			return true
		}
	}
	return false
}

// fewVanish refuses to believe that a large part of the fleet vanished together: then it
// is more likely that this worker, or NATS, is at fault.
func (l *life) fewVanish(inc kv.Incarnation) bool {
	gone, all := l.suspects.gone(inc)
	return gone && all <= max(1, len(l.members.All())/4)
}

// ring are the members behind this one in the order of incarnations.
func (l *life) ring() []kv.Incarnation {
	var all []kv.Incarnation
	for _, m := range l.members.All() {
		if l.members.Alive(m.Incarnation) {
			all = append(all, m.Incarnation)
		}
	}
	slices.SortFunc(all, func(a, b kv.Incarnation) int { return strings.Compare(string(a), string(b)) })
	me := slices.Index(all, l.me)
	if me < 0 {
		return nil
	}
	var ring []kv.Incarnation
	for i := 1; i <= neighbours && i < len(all); i++ {
		ring = append(ring, all[(me+i)%len(all)])
	}
	return ring
}
