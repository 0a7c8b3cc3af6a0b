package journal

import (
	"context"
	"fmt"
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
func (l *Log) Fold(ctx context.Context, session string, from Position, apply func(*Message) error) (Position, error) {
	at := from
	for {
		m, err := l.From(ctx, session, at.Sequence+1)
		if err != nil {
			return at, err
		}
		if m == nil {
			return at, nil
		}
		if err := at.follows(session, m); err != nil {
			return at, err
		}
		if err := apply(m); err != nil {
			return at, err
		}
		at = Position{Number: m.Number, Sequence: m.Sequence, Fence: m.Fence}
	}
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
