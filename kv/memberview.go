package kv

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// MemberState says what a view knows of a member.
type MemberState int

// The states of a member.
const (
	MemberAlive   MemberState = iota
	MemberLeft                // it deleted its key: a clean exit
	MemberExpired             // the server ended the lease, or it was gone from a new listing
	MemberSilent              // no heartbeat for its TTL, and no word of an expiry either
)

func (s MemberState) String() string {
	return [...]string{"alive", "left", "expired", "silent"}[s]
}

// MemberChange is a member that appeared, changed what it tells, or died.
type MemberChange struct {
	Info  MemberInfo
	State MemberState
}

// MemberView is a local copy of the leases. It has a deadline of its own for
// every heartbeat, because the marker of an expiry may be missed (rule 23).
//
// It is blind while not connected: then nobody dies, since nothing can be known,
// and after the next listing everybody in it has a whole TTL to be heard of
// again. What it says of a death is a reason to [MemberView.Confirm] it.
type MemberView struct {
	board[Incarnation, MemberChange]
	feed    *feed
	b       *bucket
	members map[Incarnation]*member
}

type member struct {
	info     MemberInfo
	revision uint64
	ttl      time.Duration
	deadline time.Time // by our clock, from the arrival of the heartbeat
	silent   bool
}

// Watch starts a view and waits for its first complete listing. The view lives
// until it is closed or ctx ends.
func (m *Members) Watch(ctx context.Context) (*MemberView, error) {
	v := &MemberView{board: newBoard[Incarnation, MemberChange](), b: m.b, members: map[Incarnation]*member{}}
	v.feed = startFeed(ctx, m.b, v)
	if err := v.wait(ctx); err != nil {
		v.feed.close()
		return nil, fmt.Errorf("watch members: %w", err)
	}
	return v, nil
}

// Close stops the view and waits for it. It may be called more than once.
func (v *MemberView) Close() { v.feed.close() }

// Refresh makes the view list everything again.
func (v *MemberView) Refresh() { v.feed.refresh() }

// Alive tells whether inc holds a lease as far as this view knows.
func (v *MemberView) Alive(inc Incarnation) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	m := v.members[inc]
	return m != nil && v.alive(m, time.Now())
}

func (v *MemberView) alive(m *member, now time.Time) bool {
	return !m.silent && (v.since.IsZero() || now.Before(m.deadline))
}

// All returns the living, sorted by incarnation.
func (v *MemberView) All() []MemberInfo {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var all []MemberInfo
	now := time.Now()
	for _, m := range v.members {
		if v.alive(m, now) {
			all = append(all, m.info)
		}
	}
	slices.SortFunc(all, func(a, b MemberInfo) int { return cmp.Compare(a.Incarnation, b.Incarnation) })
	return all
}

// Changes subscribes to members that appear, change or die; the living first.
// Heartbeats that change nothing are no change.
func (v *MemberView) Changes() *Changes[Incarnation, MemberChange] {
	v.mu.Lock()
	defer v.mu.Unlock()
	c := v.subscribe()
	for inc, m := range v.members {
		if !m.silent {
			c.add(inc, MemberChange{Info: m.info})
		}
	}
	return c
}

// Confirm asks the stream's leader whether inc holds a lease, before anyone acts
// on its death (rules 13, 23). A key that stands is alive, unless this view has
// followed the bucket for a whole TTL of it without a heartbeat, and the leader
// has none either. An error means: not known, so do not act.
func (v *MemberView) Confirm(ctx context.Context, inc Incarnation) (alive bool, err error) {
	if inc == "" {
		return false, nil // of a key nobody could read
	}
	known := v.revision(inc)
	e, err := v.b.read(ctx, string(inc))
	if err != nil {
		return false, fmt.Errorf("confirm %s: %w", inc, err)
	}
	if e.gone {
		return false, nil
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	m := v.members[inc]
	if m == nil {
		return known < e.seq, nil // not if its end came in while the leader answered
	}
	return m.revision < e.seq || v.alive(m, time.Now()), nil
}

// revision of the last heartbeat heard of inc; 0 if it is not known.
func (v *MemberView) revision(inc Incarnation) uint64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if m := v.members[inc]; m != nil {
		return m.revision
	}
	return 0
}

func (v *MemberView) listed(all []entry) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seeing()
	present := make(map[Incarnation]struct{}, len(all))
	for _, e := range all {
		present[Incarnation(e.key)] = struct{}{}
		v.heard(e)
	}
	for inc := range v.members {
		if _, ok := present[inc]; !ok {
			v.died(inc, MemberExpired)
		}
	}
}

func (v *MemberView) changed(e entry) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case !e.gone:
		v.heard(e)
	case e.header.Get("KV-Operation") != "":
		v.died(Incarnation(e.key), MemberLeft)
	default:
		v.died(Incarnation(e.key), MemberExpired)
	}
}

// tick finds those who fell silent. They stay known, so that a heartbeat that
// comes after all is seen as a return.
func (v *MemberView) tick(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for inc, m := range v.members {
		if !m.silent && !v.alive(m, now) {
			m.silent = true
			v.notify(inc, MemberChange{m.info, MemberSilent})
		}
	}
}

func (v *MemberView) heard(e entry) {
	var r memberRecord
	if err := json.Unmarshal(e.value, &r); err != nil || string(r.Incarnation) != e.key {
		return // not a lease of ours
	}
	inc := r.Incarnation
	r.StartedAt = r.StartedAt.UTC() // comparable
	m := v.members[inc]
	if m == nil {
		m = &member{silent: true}
		v.members[inc] = m
	}
	news := m.silent || m.info != r.MemberInfo
	if m.revision == e.seq && m.silent && m.revision != 0 {
		return // listed again, but still the heartbeat it fell silent after
	}
	m.info, m.revision, m.silent = r.MemberInfo, e.seq, false
	m.ttl = time.Duration(r.TTL) * time.Millisecond
	m.deadline = time.Now().Add(m.ttl)
	if news {
		v.notify(inc, MemberChange{Info: m.info})
	}
}

func (v *MemberView) died(inc Incarnation, how MemberState) {
	m := v.members[inc]
	if m == nil {
		return
	}
	delete(v.members, inc)
	v.notify(inc, MemberChange{m.info, how})
}
