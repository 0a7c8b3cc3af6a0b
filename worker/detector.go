package worker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/kv"
)

// The fast failure detector (PROTOCOL 24). Ring neighbours ask each other's private
// subject; when a process is killed its connection closes and the server answers "no
// responders". That is a hint: being wrong costs a repeated executor call, never a second
// history.
const (
	probeEvery   = 250 * time.Millisecond
	probeTimeout = 200 * time.Millisecond
	// A neighbour is gone after this many refusals in a row over at least that time.
	goneAfter = 4
	goneOver  = time.Second
	// An asker that has reconnected itself lately trusts nothing it hears.
	calmAfter = 10 * time.Second
	// neighbours is how many members each worker asks.
	neighbours = 2
)

type suspicion struct {
	refusals int
	since    time.Time
}

func (l *life) detect(ctx context.Context) {
	suspects := map[kv.Incarnation]*suspicion{}
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
			clear(suspects)
		}
		if time.Now().Before(calm) || !l.nc.IsConnected() {
			continue
		}
		ring := l.ring()
		for inc := range suspects {
			if !slices.Contains(ring, inc) {
				delete(suspects, inc)
			}
		}
		for _, inc := range ring {
			if l.probe(ctx, inc) {
				delete(suspects, inc)
				continue
			}
			s := suspects[inc]
			if s == nil {
				s = &suspicion{since: time.Now()}
				suspects[inc] = s
			}
			s.refusals++
			if s.refusals >= goneAfter && time.Since(s.since) >= goneOver && l.fewVanish(suspects) {
				l.log.WarnContext(ctx, "a worker is gone", "gone", inc, "for", time.Since(s.since).String())
				if err := l.store.Members.Evict(ctx, inc); err != nil {
					l.log.WarnContext(ctx, "evict", "error", err)
				}
				delete(suspects, inc)
			}
		}
	}
}

// probe reports whether somebody listens on the member's private subject. Silence is not
// absence: only the server's word that nobody is there counts.
func (l *life) probe(ctx context.Context, inc kv.Incarnation) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	_, err := l.nc.RequestWithContext(ctx, l.ns.Probe(string(inc)), nil)
	return !errors.Is(err, nats.ErrNoResponders)
}

// fewVanish refuses to believe that a large part of the fleet vanished together: then it
// is more likely that this worker, or NATS, is at fault.
func (l *life) fewVanish(suspects map[kv.Incarnation]*suspicion) bool {
	gone := 0
	for _, s := range suspects {
		if s.refusals >= goneAfter {
			gone++
		}
	}
	return gone <= max(1, len(l.members.All())/4)
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
