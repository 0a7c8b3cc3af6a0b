package worker

import (
	"context"
	"errors"
	"time"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
)

// guest is a session this worker hosts, or is about to.
type guest struct {
	session *session.Session // nil while the claim is under way
	stop    context.CancelFunc
	// vouched is the last mailbox message that was acked on the activation consumer
	// because the session is here.
	vouched uint64
	// wanted is set when somebody else here would have claimed the session while it was being
	// claimed.
	wanted bool
}

// quarantine is why a session cannot be hosted, and since when.
type quarantine struct {
	why   error
	since time.Time
}

// isQuarantined expects the lock held.
func (l *life) isQuarantined(id string) bool {
	_, ok := l.quarantined[id]
	return ok
}

// reserve notes that a session is being claimed, so that it is claimed once. It fails if
// the session is here already, cannot be hosted, or there is no room.
func (l *life) reserve(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g, ok := l.hosted.Get(id); ok {
		g.wanted = true
		return false
	}
	if l.leaving || l.isQuarantined(id) || l.hosted.Len() >= l.cfg.Capacity {
		return false
	}
	l.hosted.Put(id, &guest{})
	return true
}

// unreserve reports whether somebody has relied on the claim meanwhile.
func (l *life) unreserve(id string) (relied bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, _ := l.hosted.Get(id)
	l.hosted.Delete(id)
	return g.vouched > 0 || g.wanted
}

// here reports whether the session is hosted by this worker, on its way, or quarantined:
// then nobody can host it.
func (l *life) here(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.hosted.Get(id)
	return ok || l.isQuarantined(id)
}

// vouch reports whether the session is here and so answers for mailbox message seq: if it
// leaves without having taken it, it is claimed again.
func (l *life) vouch(id string, seq uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g, ok := l.hosted.Get(id); ok {
		g.vouched = max(g.vouched, seq)
		return true
	}
	return l.isQuarantined(id)
}

func (l *life) guest(id string) *session.Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g, ok := l.hosted.Get(id); ok {
		return g.session
	}
	return nil
}

func (l *life) room() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving {
		return 0
	}
	return l.cfg.Capacity - l.hosted.Len()
}

// host runs a session whose key this worker has won and reserved, and waits until it is up,
// so that claims under way are bounded together with what they bring about.
func (l *life) host(owner kv.Owner, takeover bool) {
	ctx, cancel := context.WithCancel(context.Background())
	s := session.New(l.env, owner)
	if !takeover {
		s.BelieveNew()
	}
	l.mu.Lock()
	if l.leaving {
		l.hosted.Delete(owner.Session)
		l.mu.Unlock()
		cancel()
		l.handOver(owner)
		return
	}
	g, _ := l.hosted.Get(owner.Session)
	g.session, g.stop = s, cancel
	n := l.hosted.Len()
	l.crowd.grown(n)
	l.guests.Add(1)
	l.mu.Unlock()
	l.observe(func(o Observer) { o.Hosting(n) })
	go func() {
		defer l.guests.Done()
		defer cancel()
		end, err := s.Run(ctx)
		l.left(owner, g, end, err)
	}()
	select {
	case <-s.Up():
	case <-time.After(slowRise): // it has trouble of its own, and must not keep the others down
	}
}

// slowRise is how long a session that is brought to life counts among those under way.
const slowRise = 5 * time.Second

// left notes that a session has left this worker.
func (l *life) left(owner kv.Owner, g *guest, end session.End, err error) {
	l.mu.Lock()
	l.hosted.Delete(owner.Session)
	n, vouched := l.hosted.Len(), g.vouched
	leaves := l.crowd.leaves(n)
	if end == session.Quarantined {
		l.quarantined[owner.Session] = quarantine{err, time.Now()}
	}
	l.mu.Unlock()
	l.observe(func(o Observer) { o.Hosting(n) })
	if vouched > g.session.Cursor() {
		// It came after the session's last look at its mailbox (PROTOCOL 15), and the
		// activation consumer will not tell of it again.
		switch end {
		case session.Released:
			l.reclaim(owner.Session)
		case session.Lost:
			l.lookAfter(context.Background(), owner.Session)
		}
	}
	if leaves {
		makeRoom()
	}
	l.log.Debug("session left", "session", owner.Session, "fence", owner.Fence, "how", end, "error", err)
}

// nudge makes every session look for work.
func (l *life) nudge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range l.hosted.All() {
		if g.session != nil {
			g.session.Nudge()
		}
	}
}

func (l *life) observe(f func(Observer)) {
	if l.cfg.Observer != nil {
		f(l.cfg.Observer)
	}
}

// claim wins a session for this worker and hosts it, if nobody alive owns it. It reports
// whether the session is in good hands, this worker's or another's.
func (l *life) claim(ctx context.Context, id string) bool {
	if !l.reserve(id) {
		return l.here(id)
	}
	owner, takeover, held := l.win(ctx, id)
	if owner.Fence == 0 {
		if l.unreserve(id) && held {
			// Who has the session may have let it go since, and before what was vouched for came.
			if owner, ok := l.owners.Lookup(id); ok && owner.Incarnation == "" {
				return l.claim(ctx, id)
			}
			l.lookAfter(ctx, id)
		}
		return held
	}
	l.observe(func(o Observer) { o.Claimed(takeover) })
	l.host(owner, takeover)
	return true
}

// reclaim takes a session back that was let go too early. A worker that has no room or
// leaves takes the key alone: it is an obligation, met by adoption or by takeover
// (PROTOCOL 14, 16).
func (l *life) reclaim(id string) {
	if l.claim(context.Background(), id) {
		return
	}
	owner, _, _ := l.win(context.Background(), id)
	l.mu.Lock()
	leaving := l.leaving
	l.mu.Unlock()
	if leaving && owner.Fence != 0 {
		l.handOver(owner)
	}
}

// handOver leaves a key that a leaving worker has won to the others: it may be a while until
// its last run has ended, and they see it leave.
func (l *life) handOver(owner kv.Owner) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := l.store.Owners.HandOver(ctx, owner); err != nil {
		l.log.Debug("not handed over, it will be taken over", "session", owner.Session, "error", err)
	}
}

// win claims the key. held says that somebody alive has it.
func (l *life) win(ctx context.Context, id string) (owner kv.Owner, takeover, held bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	owner, err := l.store.Owners.Claim(ctx, id, l.me)
	if err == nil {
		return owner, false, true
	}
	var owned *kv.OwnedError
	if !errors.As(err, &owned) {
		l.log.WarnContext(ctx, "claim failed", "session", id, "error", err)
		return kv.Owner{}, false, false
	}
	switch {
	case owned.Owner.Incarnation == l.me:
		// A key that names this worker and is not hosted is adopted (PROTOCOL 14).
		return owned.Owner, false, true
	case l.alive(ctx, owned.Owner.Incarnation):
		return kv.Owner{}, false, true
	}
	owner, err = l.store.Owners.TakeOver(ctx, owned.Owner, l.me)
	if err != nil {
		l.log.DebugContext(ctx, "takeover lost", "session", id, "error", err)
		return kv.Owner{}, true, errors.Is(err, kv.ErrMoved)
	}
	return owner, true, true
}

// alive reports whether an incarnation lives. Before anybody is called dead, the leader is
// asked (PROTOCOL 23).
func (l *life) alive(ctx context.Context, inc kv.Incarnation) bool {
	if inc == "" {
		return false
	}
	if l.members.Alive(inc) {
		return true
	}
	alive, err := l.members.Confirm(ctx, inc)
	return err != nil || alive
}

// leave drains: every session is asked to end, and after the timeout told to.
func (l *life) leave() {
	started := time.Now()
	l.lease.Update(func(m *kv.MemberInfo) { m.Draining = true })
	l.mu.Lock()
	l.leaving = true
	n := l.hosted.Len()
	for _, g := range l.hosted.All() {
		if g.session != nil {
			g.session.Drain()
		}
	}
	l.mu.Unlock()
	left := make(chan struct{})
	go func() {
		l.guests.Wait()
		close(left)
	}()
	select {
	case <-left:
	case <-time.After(l.cfg.DrainTimeout):
		l.stopGuests()
		<-left
	}
	// Only now may others take over what is left (PROTOCOL 16).
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := l.lease.Leave(ctx); err != nil {
		l.log.Warn("lease not given up, it will expire", "error", err)
	}
	l.log.Info("worker left", "worker", l.me, "sessions", n, "took", time.Since(started).String())
}

// abandon stops everything at once.
func (l *life) abandon() {
	l.mu.Lock()
	l.leaving = true
	l.mu.Unlock()
	l.stopGuests()
	l.guests.Wait()
}

func (l *life) stopGuests() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, g := range l.hosted.All() {
		if g.stop != nil {
			g.stop()
		}
	}
}
