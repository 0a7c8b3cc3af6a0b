package journal

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Position is a point of a session's log: the commit a state has reached.
type Position struct {
	// Number is the commit's number, 0 before the first.
	Number uint64
	// Sequence is its stream sequence.
	Sequence uint64
	// Fence is the fence it was written under.
	Fence uint64
}

// Fold reads the commits after from, in order, and hands each to apply. It checks the
// chain: numbers without a gap, each commit's predecessor in place, fences that never
// decrease (PROTOCOL 6). It returns the position it has reached.
//
// The first commit it meets must directly follow from. A log that was cut off behind the
// snapshot is a [*BrokenError], and so is whatever error apply returns as one.
//
// Where it ends is the word of the stream's leader (PROTOCOL 13).
func (l *Log) Fold(ctx context.Context, session string, from Position, apply func(*Message) error) (Position, error) {
	return l.fold(ctx, session, from, nil, apply)
}

// FoldTo is Fold for who has read the tail with [Log.Last] already: it does not read that
// again, and does not look for what is behind it. If the log has gone on since, the next
// append tells (PROTOCOL 13). It is an error if it ends before the tail.
func (l *Log) FoldTo(ctx context.Context, session string, from Position, tail *Message, apply func(*Message) error) (Position, error) {
	if tail.Sequence == from.Sequence && tail.Number == from.Number {
		return from, nil
	}
	return l.fold(ctx, session, from, tail, apply)
}

func (l *Log) fold(ctx context.Context, session string, from Position, tail *Message, apply func(*Message) error) (Position, error) {
	at := from
	step := func(m *Message) error {
		if err := apply(m); err != nil {
			return err
		}
		at = Position{Number: m.Number, Sequence: m.Sequence, Fence: m.Fence}
		return nil
	}
	for n := 0; ; n++ {
		if tail != nil && at.Sequence == tail.Sequence {
			return at, nil
		}
		if tail != nil && n == 0 && tail.Number > at.Number+fewCommits || n == longTail {
			if err := l.skim(ctx, session, &at, step); err != nil {
				return at, err
			}
			continue
		}
		m := tail
		if tail == nil || tail.Number != at.Number+1 {
			var err error
			if m, err = l.From(ctx, session, at.Sequence+1); err == nil && m == nil && tail != nil && at.Number < tail.Number {
				err = fmt.Errorf("the log of session %s ends at commit %d, and at %d a moment ago", session, at.Number, tail.Number)
			}
			if err != nil || m == nil {
				return at, err
			}
		}
		if err := at.follows(session, m); err != nil {
			return at, err
		}
		if err := step(m); err != nil {
			return at, err
		}
	}
}

const (
	// fewCommits are read one by one. Each costs a round trip, a search of the server's and a
	// turn in its line of requests: with a worker's 70 sessions to be taken over, 60 commits
	// took most of a second each. More are read in bulk.
	fewCommits = 8
	// longTail is after how many commits the rest is read in bulk where nobody knows how many
	// there are, or what was read in bulk was not all.
	longTail = 32
	// skimBatch is how many commits are asked for at once, skimWait how long the server may
	// take for the first of them.
	skimBatch = 64
	skimWait  = 2 * time.Second
)

// skim hands the commits behind at to step as a consumer delivers them. It decides nothing:
// a replica may lag, and deliveries may be lost, so it ends with the first that does not
// follow, and the leader is asked for what comes then. Only step's errors are errors.
func (l *Log) skim(ctx context.Context, session string, at *Position, step func(*Message) error) error {
	setup, cancel := context.WithTimeout(ctx, skimWait)
	defer cancel()
	cons, err := l.Stream(session).CreateConsumer(setup, jetstream.ConsumerConfig{
		FilterSubject: l.ns.Log(session), DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: at.Sequence + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: 3 * skimWait,
	})
	if err != nil {
		return nil // the leader is asked
	}
	for left := cons.CachedInfo().NumPending; left > 0; {
		batch, err := cons.Fetch(int(min(left, skimBatch)), jetstream.FetchMaxWait(skimWait))
		if err != nil {
			return nil // as above
		}
		before := left
		for raw := range batch.Messages() {
			m, err := parseDelivery(session, raw)
			if err != nil || at.follows(session, m) != nil {
				return nil // as above
			}
			if err := step(m); err != nil {
				return err
			}
			left--
		}
		if left == before || ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

func (p Position) follows(session string, m *Message) error {
	broken := func(format string, args ...any) error {
		return &BrokenError{session, m.Sequence, fmt.Sprintf(format, args...)}
	}
	switch {
	case m.Number != p.Number+1:
		return broken("commit %d follows commit %d", m.Number, p.Number)
	case m.Prev != p.Sequence && m.Prev != 0:
		// A log whose subject was found empty goes on at 0 (PROTOCOL 8); its number
		// still has to fit.
		return broken("commit %d names %d as its predecessor, which stands at %d", m.Number, m.Prev, p.Sequence)
	case m.Fence < p.Fence:
		return broken("commit %d has fence %d, after fence %d", m.Number, m.Fence, p.Fence)
	}
	return nil
}
