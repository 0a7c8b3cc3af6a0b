//go:build unix

package integration

import (
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// witness is a subscriber that hears what workers publish at the moment they do, stored or
// not. It may miss things; what it has heard, somebody may have acted on.
type witness struct {
	mu    sync.Mutex
	heard map[string]sighting // by event id
}

type sighting struct{ session, name, data string }

// witness listens on fx until the test ends.
func (w *world) witness() *witness {
	w.t.Helper()
	all := &witness{heard: map[string]sighting{}}
	_, err := w.connect().Subscribe(subjects.Root+"."+w.ns.Name()+".*.fx.>", func(m *nats.Msg) {
		ev, err := subjects.Decode(m.Header, m.Data)
		if err != nil {
			w.t.Errorf("fx: %s: %v", m.Subject, err)
			return
		}
		s := sighting{ev.Subject(), subjects.Tail(m.Subject), string(ev.Data())}
		all.mu.Lock()
		defer all.mu.Unlock()
		if was, ok := all.heard[ev.ID()]; ok && was != s {
			w.t.Errorf("fx: id %s was heard as %v and as %v", ev.ID(), was, s)
		}
		all.heard[ev.ID()] = s
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return all
}

// check compares what was heard with the log: nothing leaves a session that is not in it
// (PROTOCOL 3).
func (all *witness) check(r *report) {
	all.mu.Lock()
	defer all.mu.Unlock()
	written := map[string]sighting{}
	for session := range r.sessions {
		for _, f := range r.facts(session) {
			written[f.ID] = sighting{session, f.Name, string(f.Data)}
		}
	}
	for id, s := range all.heard {
		if written[id] != s {
			r.w.t.Errorf("fx: %v was heard with id %s, and the log has %v", s, id, written[id])
		}
	}
	if len(all.heard) == 0 {
		r.w.t.Error("fx: nothing was heard at all")
	}
}
