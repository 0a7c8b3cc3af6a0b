package worker

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/kalahari-run/kalahari/kv"
)

// watch keeps the worker's hosting true to the owner keys, level-triggered: keys of dead
// workers are taken over (PROTOCOL 16), keys that name this one and are not hosted are
// adopted, sessions whose key has moved on are told (PROTOCOL 14).
func (l *life) watch(ctx context.Context) {
	owners, members := l.owners.Changes(), l.members.Changes()
	defer owners.Close()
	defer members.Close()
	tick := time.NewTicker(l.heartbeat())
	defer tick.Stop()
	// Others may have counted on this worker before it listened.
	go l.inherit(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-owners.Wake():
			for _, c := range owners.Take() {
				l.ownerChanged(ctx, c)
			}
		case <-members.Wake():
			for _, c := range members.Take() {
				if c.State != kv.MemberAlive {
					l.memberGone(ctx, c)
				}
			}
		case <-tick.C:
			l.entrusted.age()
			if l.backlog.Load() == 0 { // else it still works on what the last look found
				for _, owner := range l.owners.ByIncarnation(l.me) {
					l.mine(ctx, owner)
				}
			}
			l.lease.Update(func(m *kv.MemberInfo) { m.Sessions = l.cfg.Capacity - l.room() })
		}
	}
}

func (l *life) heartbeat() time.Duration {
	if l.cfg.Lease.Heartbeat > 0 {
		return l.cfg.Lease.Heartbeat
	}
	return kv.DefaultHeartbeat
}

func (l *life) ownerChanged(ctx context.Context, c kv.OwnerChange) {
	if s := l.guest(c.Session); s != nil && c.Owner.Fence > s.Fence() {
		s.Doubt()
	}
	switch {
	case !c.Owned():
		if l.entrusted.take(c.Session) {
			l.inBackground(ctx, func() { l.lookAfter(ctx, c.Session) })
		}
	case c.Owner.Incarnation == l.me:
		l.mine(ctx, c.Owner)
	case c.Owner.Incarnation == "":
		l.handedOver(ctx, c.Session)
	case !l.members.Alive(c.Owner.Incarnation):
		// One that was given up for dead has claimed it all the same, before it heard of it.
		l.inheritSoon(ctx)
	}
}

// handedOver takes a session that a leaving worker gave up. One member takes it at once;
// the others look again a little later, since that one may be the worker that leaves.
func (l *life) handedOver(ctx context.Context, id string) {
	go func() {
		if !l.elected(id) {
			if !sleep(ctx, 300*time.Millisecond+time.Duration(rand.Int64N(int64(200*time.Millisecond)))) {
				return
			}
			if owner, ok := l.owners.Lookup(id); !ok || owner.Incarnation != "" {
				return
			}
		}
		l.inBackground(ctx, func() { l.claim(ctx, id) })
	}()
}

// mine adopts a key that names this worker, if nobody here hosts it. The view may be
// behind, so the claim asks the leader.
func (l *life) mine(ctx context.Context, owner kv.Owner) {
	if !l.here(owner.Session) {
		l.inBackground(ctx, func() {
			if current, err := l.store.Owners.Read(ctx, owner.Session); err != nil || current.Incarnation != l.me {
				return
			}
			l.claim(ctx, owner.Session)
		})
	}
}

// memberGone takes over what a dead worker owned. Each of its sessions is one member's to
// take at once; the sweeper takes what that one did not.
func (l *life) memberGone(ctx context.Context, c kv.MemberChange) {
	dead := c.Info.Incarnation
	if dead == l.me {
		return
	}
	go func() {
		// Right after an outage of NATS itself every lease looks expired: ask again, and
		// not everybody at once (PROTOCOL 23).
		if since, ok := l.members.Ready(); !ok || time.Since(since) < 2*time.Second {
			if !sleep(ctx, time.Duration(rand.Int64N(int64(500*time.Millisecond)))) {
				return
			}
		}
		if l.alive(ctx, dead) {
			return
		}
		l.log.InfoContext(ctx, "a worker is no more", "gone", dead, "how", c.State.String(), "sessions", len(l.owners.ByIncarnation(dead)))
		l.inherit(ctx)
	}()
}

// inherit takes over what is this worker's to take of everything that nobody alive owns:
// not only of the worker that has just died, since the one that was to take an earlier
// one's sessions may have died before it did (PROTOCOL 16).
func (l *life) inherit(ctx context.Context) {
	for _, inc := range l.owners.Incarnations() {
		if inc == l.me || l.alive(ctx, inc) {
			continue
		}
		for _, owner := range l.owners.ByIncarnation(inc) {
			if l.elected(owner.Session) {
				l.takeOver(ctx, owner.Session)
			}
		}
	}
}

// inheritSoon inherits a little later, once for all that gives reason to until then.
func (l *life) inheritSoon(ctx context.Context) {
	if l.inheriting.Swap(true) {
		return
	}
	go func() {
		slept := sleep(ctx, 500*time.Millisecond)
		l.inheriting.Store(false)
		if slept {
			l.inherit(ctx)
		}
	}()
}

// takeOver claims a dead worker's session when its turn has come. It waits once, however
// often it is found meanwhile; and when its turn comes another may have taken it over, and
// have let it go to rest. If it cannot be hosted here, for lack of room that was there when
// this worker was elected, it is anybody's.
func (l *life) takeOver(ctx context.Context, id string) {
	if _, waits := l.heirless.LoadOrStore(id, nil); waits {
		return
	}
	l.inBackground(ctx, func() {
		defer l.heirless.Delete(id)
		owner, ok := l.owners.Lookup(id)
		if !ok || l.members.Alive(owner.Incarnation) || l.claim(ctx, id) {
			return
		}
		if owner.Incarnation != "" && !l.alive(ctx, owner.Incarnation) {
			if _, err := l.store.Owners.TakeOver(ctx, owner, ""); err != nil {
				l.log.DebugContext(ctx, "not left to others, the sweeper will find it", "session", id, "error", err)
			}
		}
	})
}

// inBackground runs f beside the caller, in its own time. However many wait here, a session
// that has an input is claimed as soon as one of them is done, not after all of them: after a
// dead worker's 100,000 sessions, most of which have nothing to do.
func (l *life) inBackground(ctx context.Context, f func()) {
	l.backlog.Add(1)
	go func() {
		defer l.backlog.Add(-1)
		for _, turn := range []chan struct{}{l.behind, l.claims} {
			select {
			case turn <- struct{}{}:
				defer func() { <-turn }()
			case <-ctx.Done():
				return
			}
		}
		f()
	}()
}

// elected reports whether this worker is the one among the living for a key: the highest
// hash wins, and who has room comes before who has none. Two may disagree for a moment about
// who lives and who has room; that is harmless.
func (l *life) elected(key string) bool {
	mine := weight(kv.MemberInfo{Incarnation: l.me, Capacity: l.cfg.Capacity, Sessions: l.cfg.Capacity - l.room()}, key)
	for _, m := range l.members.All() {
		// Of itself a worker knows better: its lease may not have come back to it yet.
		if m.Incarnation == l.me || m.Draining {
			continue
		}
		if w := weight(m, key); w > mine || w == mine && m.Incarnation > l.me {
			return false
		}
	}
	return true
}

// weight is a member's in the election for a key.
func weight(m kv.MemberInfo, key string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(m.Incarnation))
	h.Write([]byte{0})
	h.Write([]byte(key))
	w := mix(h.Sum64()) >> 1
	if m.Capacity == 0 || m.Sessions < m.Capacity {
		w |= 1 << 63
	}
	return w
}

// mix spreads the bits of a hash: FNV's high bits depend little on the last bytes.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
