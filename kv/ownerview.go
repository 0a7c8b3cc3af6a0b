package kv

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kalahari-run/kalahari/ebb"
)

// OwnerChange is a session whose owner key changed, as it is now.
type OwnerChange struct {
	Session string
	Owner   Owner // the zero Owner if the key is gone
}

// Owned tells whether the key stands.
func (c OwnerChange) Owned() bool { return c.Owner.Fence != 0 }

// OwnerView is a local copy of all owner keys. It lags, and while not ready it
// may be any age: what it says is a reason to look closer ([Owners.Read]), or to
// let somebody else act, never a proof. It exists for activation with a cached
// view (rule 17), for adopting keys that name me (rule 14) and for finding the
// keys of a dead incarnation (rule 16).
type OwnerView struct {
	board[string, OwnerChange]
	feed      *feed
	owners    *Owners
	bySession ebb.Map[string, Owner]
	byWorker  map[Incarnation]*ebb.Map[string, struct{}]
}

// Watch starts a view and waits for its first complete listing. The view lives
// until it is closed or ctx ends.
func (o *Owners) Watch(ctx context.Context) (*OwnerView, error) {
	v := &OwnerView{
		board: newBoard[string, OwnerChange](), owners: o,
		byWorker: map[Incarnation]*ebb.Map[string, struct{}]{},
	}
	v.feed = startFeed(ctx, o.b, v)
	if err := v.wait(ctx); err != nil {
		v.feed.close()
		return nil, fmt.Errorf("watch owners: %w", err)
	}
	return v, nil
}

// Close stops the view and waits for it. It may be called more than once.
func (v *OwnerView) Close() { v.feed.close() }

// Refresh makes the view list everything again.
func (v *OwnerView) Refresh() { v.feed.refresh() }

// Lookup tells who owned the session when the view last heard of it.
func (v *OwnerView) Lookup(session string) (Owner, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.bySession.Get(session)
}

// All returns every owner key.
func (v *OwnerView) All() []Owner {
	v.mu.RLock()
	defer v.mu.RUnlock()
	owners := make([]Owner, 0, v.bySession.Len())
	for _, o := range v.bySession.All() {
		owners = append(owners, o)
	}
	return owners
}

// Len is the number of owned sessions.
func (v *OwnerView) Len() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.bySession.Len()
}

// ByIncarnation returns the keys that name inc: for a dead one the sessions to
// take over (rule 16), for oneself those that must be hosted (rule 14).
func (v *OwnerView) ByIncarnation(inc Incarnation) []Owner {
	v.mu.RLock()
	defer v.mu.RUnlock()
	named := v.byWorker[inc]
	if named == nil {
		return nil
	}
	owners := make([]Owner, 0, named.Len())
	for session := range named.All() {
		o, _ := v.bySession.Get(session) // the two go together
		owners = append(owners, o)
	}
	return owners
}

// Incarnations returns everyone some key names.
func (v *OwnerView) Incarnations() []Incarnation {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return slices.Collect(maps.Keys(v.byWorker))
}

// Changes subscribes to changes, the present state first.
func (v *OwnerView) Changes() *Changes[string, OwnerChange] {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.subscribe()
	for session, o := range v.bySession.All() {
		c.add(session, OwnerChange{session, o})
	}
	return c
}

func (v *OwnerView) listed(all []entry) {
	v.mu.Lock()
	defer v.mu.Unlock()
	present := make(map[string]struct{}, len(all))
	for _, e := range all {
		if o, err := v.owners.decode(e); err == nil {
			present[o.Session] = struct{}{}
			v.set(o)
		}
	}
	for session := range v.bySession.All() {
		if _, ok := present[session]; !ok {
			v.unset(session)
		}
	}
	v.seeing()
}

func (v *OwnerView) changed(e entry) {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, session, err := v.owners.ns.ParseSessionKey(e.key)
	if err != nil {
		return // not a key of ours
	}
	if e.gone {
		v.unset(session)
		return
	}
	if o, err := v.owners.decode(e); err == nil {
		v.set(o)
	}
}

func (v *OwnerView) set(o Owner) {
	old, ok := v.bySession.Get(o.Session)
	if ok && old.Fence == o.Fence {
		return
	}
	if ok {
		v.forget(old)
	}
	v.bySession.Put(o.Session, o)
	mine := v.byWorker[o.Incarnation]
	if mine == nil {
		mine = &ebb.Map[string, struct{}]{}
		v.byWorker[o.Incarnation] = mine
	}
	mine.Put(o.Session, struct{}{})
	v.notify(o.Session, OwnerChange{o.Session, o})
}

func (v *OwnerView) unset(session string) {
	old, ok := v.bySession.Get(session)
	if !ok {
		return
	}
	v.bySession.Delete(session)
	v.forget(old)
	v.notify(session, OwnerChange{Session: session})
}

func (v *OwnerView) forget(old Owner) {
	named := v.byWorker[old.Incarnation]
	named.Delete(old.Session)
	if named.Len() == 0 {
		delete(v.byWorker, old.Incarnation)
	}
}

func (v *OwnerView) tick(time.Time) {}
