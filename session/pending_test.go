package session

import (
	"testing"

	"github.com/kalahari-run/kalahari/kernel"
)

// What an owner forgets stands in a commit, also if it is nothing but commands: a snapshot would
// have it otherwise, and the log not.
func TestForgettingIsCommitted(t *testing.T) {
	s := &Session{env: &Env{Retain: 1}, kernel: kernel.New(), ledger: newLedger()}
	for _, key := range []string{"a", "b"} {
		s.ledger.apply(&delta{Seen: []seenKey{{Key: key, What: seen{ID: key, Command: true}}}, Ended: []string{key}})
	}
	if !s.next.empty() {
		t.Fatal("there is something to commit before anything has happened")
	}
	s.forget()
	if s.seen("a") || !s.seen("b") || s.next.empty() {
		t.Errorf("remembered are %v, the commit is empty: %t", s.ledger.Seen, s.next.empty())
	}
}
