package session

import (
	"context"
	"time"
)

// stir wakes who waits for c, now or later.
func stir(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is stirred
	}
}

// await returns when there is something to do, or may be. It returns what was asked, if that
// is what came; everything else is there for the next round to find.
func (s *Session) await(ctx context.Context) (ask func()) {
	s.idleAt, s.lookAt = time.Time{}, time.Time{}
	select {
	case <-s.stirred: // by what is seen next
	default:
	}
	// Before the look at what is owed: that may be done meanwhile.
	confirmed, swept, turn := s.outboxQuiet(), s.sweeping(), s.turn()
	if s.busyNow() {
		select { // who asks need not wait for a session that always has something to do
		case ask = <-s.asks:
		default:
		}
		return ask
	}
	s.timer.Reset(s.patience())
	select {
	case <-ctx.Done():
	case <-s.stirred:
	case ask = <-s.asks:
	case <-s.timer.C:
	case <-confirmed:
	case <-swept:
	case turn <- struct{}{}:
		s.hasTurn = true
	}
	return ask
}

// busyNow reports whether the next round has something to do.
func (s *Session) busyNow() bool {
	return s.leaving.Load() && !s.draining || s.doubted.Load() || s.interrupted != nil ||
		len(s.results) > 0 || !s.leavesMailbox() && !s.intake.empty() || s.runDue()
}

// patience is how long the session waits for what it cannot be told of: the end of a pause
// before a run is tried again, the time to rest, and a command that a full session has to
// look for.
func (s *Session) patience() time.Duration {
	now := time.Now()
	wait := time.Hour
	if !s.quiet && !s.draining {
		wait = s.env.HibernateAfter
		s.idleAt = now.Add(wait)
	}
	if s.full() {
		s.lookAt = now.Add(lookForControl)
		wait = min(wait, lookForControl)
	}
	if s.retrying {
		wait = min(wait, max(0, s.retryAt.Sub(now)))
	}
	return wait
}

// round is one round of the session's life: heed what has come, collect, apply, commit, let
// out, and leave if nothing is owed.
func (s *Session) round(ctx context.Context, ask func()) (end End, err error) {
	defer contain(&err)
	defer s.endTurn()
	if ctx.Err() != nil {
		return HandedOver, ctx.Err()
	}
	s.next.now = s.now()
	if end, err := s.heed(ctx, ask); end != "" {
		return end, err
	}
	s.collect()
	s.settleWaits()
	s.injectCompletions()
	s.startRun()
	s.forget()
	if s.failure != nil {
		return "", s.failure
	}
	if !s.next.empty() {
		if err := s.commit(ctx, kindStep); err != nil {
			return "", err
		}
		s.snapshotIfDue(ctx)
		s.begin()
	}
	if s.busyNow() {
		return "", nil
	}
	return s.rest(ctx)
}

// heed does what the session was woken for.
func (s *Session) heed(ctx context.Context, ask func()) (End, error) {
	now := time.Now()
	due := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	if f := s.interrupted; f != nil {
		s.interrupted = nil
		s.settle(*f)
	}
	if ask != nil {
		ask()
	}
	if s.retrying && due(s.retryAt) {
		s.retrying, s.wake = false, true
	}
	if due(s.idleAt) {
		s.quiet = true
	}
	if due(s.lookAt) {
		s.findControl(ctx)
	}
	if s.leaving.Load() {
		s.draining = true
	}
	select {
	case <-s.sweeping():
		s.sweepDropped()
	default:
	}
	if s.doubted.Swap(false) {
		return s.stillMine(ctx)
	}
	return "", nil
}

// collect takes everything that has arrived, until the commit is full (PROTOCOL 7).
func (s *Session) collect() {
	for s.failure == nil && s.next.bytes() < s.env.CommitBytes {
		select {
		case f := <-s.results:
			s.quiet = false
			s.settle(*f)
			continue
		default:
		}
		if s.leavesMailbox() {
			return
		}
		a, ok := s.intake.take()
		if !ok {
			if _, err := s.intake.sound(); err != nil {
				s.fail(err) // recovery decides what it means
			}
			return
		}
		s.quiet = false
		s.take(a)
	}
}

// rest leaves the worker if the session may.
func (s *Session) rest(ctx context.Context) (End, error) {
	if s.draining && s.run == nil && s.hasWork() {
		return s.handOver(ctx)
	}
	if !s.hasTurn || !s.quiet && !s.draining || !s.owesNothing() {
		return "", nil
	}
	// Whether anything waits is not known while the intake is in doubt: if the stream has
	// regressed, it may lie before the cursor, where no last look finds it.
	if sound, _ := s.intake.sound(); !sound {
		if s.draining {
			return s.handOver(ctx)
		}
		return "", nil
	}
	s.quiet = false
	return s.release(ctx)
}

// outboxQuiet wakes a session that only waits for its publications to be confirmed
// before it may leave.
func (s *Session) outboxQuiet() <-chan struct{} {
	if !s.quiet && !s.draining {
		return nil
	}
	drained := s.outbox.drained()
	select {
	case <-drained:
		return nil
	default:
		return drained
	}
}
