package session

import (
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// taker is a session that takes what comes into its mailbox, and does nothing else.
func (p *post) taker(id string) *Session {
	return &Session{
		env: &Env{Namespace: p.Namespace, JS: p.JS, Mailboxes: Mailboxes{p.stream}}, id: id,
		log: slog.New(slog.DiscardHandler), intake: p.open(id),
	}
}

// takes lets a session take n messages.
func (p *post) takes(s *Session, n int) {
	p.t.Helper()
	for end := time.After(time.Minute); n > 0; {
		select {
		case <-s.intake.stir:
		case <-end:
			p.t.Fatalf("%d messages did not come", n)
		}
		for a, ok := s.intake.take(); ok && n > 0; a, ok = s.intake.take() {
			s.consumed.add(a)
			s.cursor, n = a.meta.Sequence.Stream, n-1
		}
	}
}

// held is how many messages the mailbox of a session holds.
func (p *post) held(id string) uint64 {
	p.t.Helper()
	info, err := p.stream.Info(p.t.Context(), jetstream.WithSubjectFilter(p.Namespace.Mailbox(id)))
	if err != nil {
		p.t.Fatal(err)
	}
	return info.State.Subjects[p.Namespace.In(id)]
}

func (p *post) removes(s *Session) {
	p.t.Helper()
	if err := s.removeConsumed(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
}

// What a session has taken is removed, whether there is little of it or much, and whether it
// knows of all; what it has not taken stays, and so does what is another's.
func TestWhatIsConsumedIsRemoved(t *testing.T) {
	for name, c := range map[string]struct {
		takes  int
		before func(p *post, s *Session)
	}{
		"little":                 {takes: 3},
		"much":                   {takes: removedEach + 1},
		"little of an old owner": {takes: 3, before: func(_ *post, s *Session) { s.consumed = leftover() }},
		"much of an old owner":   {takes: removedEach + 1, before: func(_ *post, s *Session) { s.consumed = leftover() }},
		"some is gone": {takes: 3, before: func(p *post, s *Session) {
			if err := p.stream.DeleteMsg(p.t.Context(), s.consumed.seqs[1]); err != nil {
				p.t.Fatal(err)
			}
		}},
		"over two connections": {takes: 3, before: func(p *post, s *Session) {
			p.reconnect()
			p.send("s", 1)
			p.takes(s, 1)
			if s.consumed.many || !s.intake.brought(s.consumed.by) {
				p.t.Errorf("the session knows %+v", s.consumed)
			}
		}},
		"of two consumers": {takes: 3, before: func(p *post, s *Session) {
			if err := p.stream.DeleteConsumer(p.t.Context(), s.intake.present()); err != nil {
				p.t.Fatal(err)
			}
			p.send("s", 1)
			p.takes(s, 1)
			if s.consumed.many || s.consumed.by != "" {
				p.t.Errorf("the session knows %+v", s.consumed)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			posted(t, func(t *testing.T, p *post) {
				s := p.taker("s")
				p.send("another", 1)
				p.send("s", c.takes)
				p.send("another", 1)
				p.takes(s, c.takes)
				if c.before != nil {
					c.before(p, s)
				}
				p.send("s", 1)
				p.removes(s)
				if mine, others := p.held("s"), p.held("another"); mine != 1 || others != 2 {
					t.Errorf("its mailbox holds %d messages and should 1, another's %d and should 2", mine, others)
				}
				// And what comes afterwards as well.
				p.takes(s, 1)
				p.removes(s)
				if n := p.held("s"); n != 0 {
					t.Errorf("its mailbox holds %d messages", n)
				}
			})
		})
	}
}

// A stream that came back without its last messages gives their places to others, which are
// not the session's to remove.
func TestAPlaceThatIsAnothersIsLeftAlone(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		s := p.taker("s")
		p.send("s", 3)
		p.takes(s, 3)
		if err := p.JS.DeleteStream(t.Context(), p.Namespace.InStream(0)); err != nil {
			t.Fatal(err)
		}
		if err := subjects.Provision(t.Context(), p.JS, p.Namespace, subjects.Settings{}); err != nil {
			t.Fatal(err)
		}
		p.send("another", 3)
		first := s.intake.present()
		for s.intake.present() == first { // until its consumer is missed
			time.Sleep(time.Second)
		}
		p.removes(s)
		if n := p.held("another"); n != 3 {
			t.Errorf("%d messages are left of another session's 3", n)
		}
	})
}

// Where another server stores the stream, a session asks before it believes that its consumer
// still lives: here one that came back empty, and that it is not connected to.
func TestAnotherServersConsumerIsAskedFor(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		s := p.taker("s")
		p.send("s", 3)
		p.takes(s, 3)
		if !s.lives(t.Context(), "no such consumer") {
			t.Error("the consumer of the server that we are connected to is asked for")
		}
		s.mailbox().CachedInfo().Cluster.Leader = "another"
		if !s.lives(t.Context(), s.consumed.by) {
			t.Error("the consumer lives")
		}
		s.intake.close() // which would set up another, and learn who stores the stream
		if err := p.stream.DeleteConsumer(t.Context(), s.consumed.by); err != nil {
			t.Fatal(err)
		}
		if s.lives(t.Context(), s.consumed.by) {
			t.Error("the consumer is gone")
		}
	})
}
