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
// before a run is tried again, the time to rest, a command that a full session has to look
// for, and the time to delete what was spared.
func (s *Session) patience() time.Duration {
	now := time.Now()
	wait := time.Hour
	until := func(at time.Time) { wait = min(wait, max(0, at.Sub(now))) }
	if !s.quiet && !s.draining {
		if s.idleAt.IsZero() {
			s.idleAt = now.Add(s.env.HibernateAfter)
		}
		until(s.idleAt)
	}
	if s.full() {
		until(s.lookAt)
	}
	if s.retrying {
		until(s.retryAt)
	}
	if at := s.spared.lookAt; !at.IsZero() {
		until(at)
	}
	return wait
}

// stay puts off the time to rest. Who only asks does not.
func (s *Session) stay() {
	s.quiet, s.idleAt = false, time.Time{}
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
	s.gather()
	for s.startRun() {
		if s.gather(); s.next.bytes() >= s.env.CommitBytes {
			break
		}
	}
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
	if ask != nil {
		ask() // before anything changes that is not committed yet (PROTOCOL 3)
	}
	if f := s.interrupted; f != nil {
		s.interrupted = nil
		s.settle(*f)
	}
	if s.retrying && due(s.retryAt) {
		s.retrying, s.wake = false, true
	}
	if due(s.idleAt) {
		s.quiet = true
	}
	switch { // whatever else keeps the session busy
	case !s.full():
	case s.lookAt.IsZero():
		s.lookAt = now.Add(lookForControl)
	case due(s.lookAt):
		s.lookAt = now.Add(lookForControl)
		s.findControl(ctx)
	}
	if due(s.spared.lookAt) {
		s.lookBehind(ctx)
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

// gather takes what has arrived, and does what follows from that and from a run that is over.
func (s *Session) gather() {
	s.collect()
	s.settleWaits()
	s.injectCompletions()
}

// collect takes everything that has arrived, until the commit is full (PROTOCOL 7).
func (s *Session) collect() {
	for s.failure == nil && s.next.bytes() < s.env.CommitBytes {
		select {
		case f := <-s.results:
			s.stay()
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
		s.stay()
		s.take(a)
	}
}

// rest leaves the worker if the session may.
func (s *Session) rest(ctx context.Context) (End, error) {
	if s.draining && s.run == nil && (s.hasWork() || s.spares()) {
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
	s.stay()
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
