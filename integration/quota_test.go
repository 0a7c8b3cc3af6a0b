//go:build unix

package integration

import (
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// A server without room refuses everything, commits and leases too. Given room, it and the
// fleet go on where they were.
func TestAFullDiskRefusesAndLosesNothing(t *testing.T) {
	long(t)
	w := newWorld(t, 2)
	n := &node{w: w, name: "nats-server", addr: freeAddress(t), store: t.TempDir()}
	room := func(bytes int) {
		n.configure(`jetstream: {store_dir: %q, sync_interval: always, max_file_store: %d}`, n.store, bytes)
	}
	room(2 << 20)
	w.nodes, w.addr = []*node{n}, n.addr
	n.serve()
	w.open(subjects.Settings{})
	s := w.siege(names("s", 20), nil, hasteLease, "a", "b")
	s.flow(20 * time.Millisecond)
	s.phase("there is room for 2 MB", func() {
		w.until(time.Minute, "no input ends any more, and producers are refused", func() bool {
			before := s.h.completed()
			time.Sleep(3 * time.Second)
			return s.h.completed() == before && before > 0
		})
		s.l.mu.Lock()
		if s.l.failure == nil {
			t.Error("nobody was refused")
		}
		t.Logf("%d inputs ended; producers hear: %v", s.h.completed(), s.l.failure)
		s.l.mu.Unlock()
		time.Sleep(15 * time.Second) // longer than a lease: no heartbeat is stored
		room(1 << 30)
		restart(t, n)
	})
	s.end()
}
