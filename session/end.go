package session

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// end gives an accepted input its terminal outcome: exactly one, in the log. The ledger
// drops its payload and remembers the event for as long as the horizon reaches.
func (s *Session) end(e *entry, runID string, outcome kernel.InputPublicTerminalOutcome, reason string, result jsontext.Value, c cause) {
	s.endWith(e, runID, outcome, reason, output{value: result}, c)
}

func (s *Session) endWith(e *entry, runID string, outcome kernel.InputPublicTerminalOutcome, reason string, result output, c cause) {
	at := s.position().String()
	s.outcome("InputCompleted", inputCompleted{
		InputID: e.ID, RunID: runID, TerminalOutcome: outcome.String(), Reason: reason, Result: result.value, ResultRef: result.blob.Ref,
	}, c)
	s.change(func(d *delta) {
		d.End = append(d.End, ended{Key: e.Key, ID: e.ID, At: at, Blobs: result.blobs()})
		d.Ended = append(d.Ended, e.Key)
	})
	s.env.Telemetry.InputEnded(outcome)
	if e.Kind == kernel.AdmissionInputKindPeerRequest && outcome != kernel.InputPublicTerminalOutcomeCompleted {
		s.failOwed(e, outcome.String(), reason)
	}
}

// change makes a change of the ledger, in the ledger and in the commit under
// construction.
func (s *Session) change(edit func(*delta)) {
	d, p := &s.edited, &s.next.delta
	*d = delta{}
	edit(d)
	d.Sequence, d.Sent = p.Sequence, p.Sent
	s.ledger.apply(d)
	p.merge(d)
}

// merge adds the changes of d behind those of p.
func (p *delta) merge(d *delta) {
	if !d.Created.IsZero() {
		p.Created = d.Created
	}
	if d.EpochOver {
		p.EpochOver, p.Epoch = true, ""
	}
	if d.Epoch != "" {
		p.Epoch = d.Epoch
	}
	if d.Mob != "" {
		p.Mob = d.Mob
	}
	p.Admit = join(p.Admit, d.Admit)
	p.Seen = join(p.Seen, d.Seen)
	p.End = join(p.End, d.End)
	p.Ended = join(p.Ended, d.Ended)
	p.Forget = join(p.Forget, d.Forget)
	p.Receipts = join(p.Receipts, d.Receipts)
	p.DropAll = p.DropAll || d.DropAll
	p.Drop = append(p.Drop, d.Drop...)
	p.Deleted += d.Deleted
	if d.RunOver {
		p.RunOver, p.Run, p.Acted = true, nil, nil
	}
	if d.Run != nil {
		p.Run = d.Run
	}
	if d.Resumed {
		p.Resumed, p.Hold = true, nil
	}
	if d.Hold != nil {
		p.Hold = d.Hold
	}
	if d.Retired {
		p.Retired, p.Retiring = true, nil
	}
	if d.Retiring != nil {
		p.Retiring = d.Retiring
	}
	p.Met = p.Met || d.Met
	for _, id := range d.Waited {
		// A command that waits and is answered within one commit leaves no trace.
		p.Wait = waited(p.Wait, id)
	}
	p.Wait = append(p.Wait, d.Wait...)
	p.Waited = append(p.Waited, d.Waited...)
	p.Acted = append(p.Acted, d.Acted...)
	if d.Rung {
		p.Rung, p.Alarm = true, nil
	}
	if d.Alarm != nil {
		p.Alarm = d.Alarm
	}
	p.Peers = append(p.Peers, d.Peers...)
	p.Operations = append(p.Operations, d.Operations...)
	if d.DeferredGone {
		p.DeferredGone, p.Deferred = true, nil
	}
	p.Deferred = append(p.Deferred, d.Deferred...)
	if d.OperatorGone {
		p.OperatorGone, p.Operator = true, nil
	}
	if d.Operator != nil {
		p.Operator = d.Operator
	}
}

// join appends b to a, or is b itself if there is no a: most commits make one change of a kind.
func join[T any](a, b []T) []T {
	if len(a) == 0 {
		return b
	}
	return append(a, b...)
}

// forget drops ended inputs beyond the horizon, oldest first, from the ledger and from
// the kernel's state, so that a long life does not make a large session.
func (s *Session) forget() {
	for len(s.ledger.Ended) > s.env.Retain {
		key := s.ledger.Ended[0]
		was := s.ledger.Seen[key]
		if was.At != "" && !was.Command {
			idempotency := kernel.None[string]()
			if was.Idempotency != "" {
				idempotency = kernel.Some(was.Idempotency)
			}
			s.must(&kernel.ForgetInput{InputID: was.ID, IdempotencyKey: idempotency}, cause{})
		}
		s.change(func(d *delta) { d.Forget = append(d.Forget, key) })
	}
}
