package session

import (
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// What is let go may be deleted once the session has read all that was published while it was
// to be spared, and not before.
func TestWhatIsLetGoRipens(t *testing.T) {
	s := &Session{env: &Env{BlobGrace: time.Minute}, kernel: kernel.New()}
	drop := func(n int) { s.ledger.Dropped = append(s.ledger.Dropped, make([]kv.Blob, n)...) }
	ripe := func(what string, want int) {
		t.Helper()
		if s.ripen(); s.spared.ripe != want {
			t.Errorf("%s: %d of %d are ripe, want %d", what, s.spared.ripe, len(s.ledger.Dropped), want)
		}
	}
	s.published = time.Now().Add(-time.Hour)
	drop(2)
	ripe("just let go", 0)
	since := s.spared.since
	drop(1)
	s.published = since.Add(time.Minute)
	ripe("a message published in time", 0)
	s.published = since.Add(time.Minute + 1)
	ripe("a message published later", 2)
	if again := s.spared.since; !again.After(since) || s.spared.lookAt != again.Add(time.Minute) {
		t.Errorf("the third is spared since %s, the others were since %s", again, since)
	}
	s.spared.shift(2)
	s.ledger.Dropped = s.ledger.Dropped[2:]
	ripe("the third", 0)
	s.published = s.spared.since.Add(time.Hour)
	ripe("the third, later", 1)
	if !s.spared.lookAt.IsZero() || s.spares() {
		t.Error("nothing is spared, and the session will look whether it is to be")
	}
	s.published = time.Now()
	drop(maxSpared)
	ripe("as many as can be", 1)
	drop(5)
	ripe("more than can be", 6)
	st := *s.kernel.State()
	st.LifecyclePhase = kernel.Destroyed
	s.kernel = kernel.Resume(st)
	ripe("a destroyed session", len(s.ledger.Dropped))
}
