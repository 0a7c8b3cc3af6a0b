package worker

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
)

// Of the members that see each other one is elected for a key, each for its share; one that
// does not see its own lease yet counts on itself all the same. Else what a worker finds when
// it joins could be nobody's to take until the next sweep.
func TestElection(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	member := func(name string) *life {
		view, err := store.Members.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(view.Close)
		return &life{Worker: &Worker{cfg: Config{Capacity: 1}}, me: kv.NewIncarnation(name), members: view}
	}
	const keys = 200
	elected := func(l *life) (all map[string]bool) {
		all = map[string]bool{}
		for i := range keys {
			if key := fmt.Sprint("s", i); l.elected(key) {
				all[key] = true
			}
		}
		return all
	}
	a, b := member("a"), member("b")
	if n := len(elected(a)); n != keys {
		t.Errorf("alone, and without its own lease in view, it is elected for %d keys of %d", n, keys)
	}
	for _, l := range []*life{a, b} {
		lease, err := store.Members.Join(t.Context(), kv.MemberInfo{Incarnation: l.me, Capacity: 1}, kv.LeaseConfig{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = lease.Leave(context.WithoutCancel(t.Context())) })
	}
	for _, l := range []*life{a, b} {
		for end := time.Now().Add(10 * time.Second); len(l.members.All()) < 2; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the members do not see each other")
			}
		}
	}
	ofA, ofB := elected(a), elected(b)
	if len(ofA) < keys/4 || len(ofB) < keys/4 || len(ofA)+len(ofB) != keys {
		t.Errorf("elected for %d and %d keys of %d", len(ofA), len(ofB), keys)
	}
	for key := range ofA {
		if ofB[key] {
			t.Errorf("both are elected for %s", key)
		}
	}
	a.hosted.Put("guest", &guest{}) // now it is full
	if n := len(elected(a)); n != 0 {
		t.Errorf("full beside one with room, it is elected for %d keys", n)
	}
}

// However often a dead worker's session is found while it waits for its turn, it waits once,
// and is not claimed if it is owed nothing any more by then.
func TestASessionWaitsForItsTurnOnce(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	owners, err := store.Owners.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer owners.Close()
	members, err := store.Members.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer members.Close()
	l := &life{
		Worker: &Worker{cfg: Config{Capacity: 1}}, me: kv.NewIncarnation("w"), store: store, owners: owners, members: members,
		claims: make(chan struct{}, 1), behind: make(chan struct{}, 1),
	}
	l.behind <- struct{}{} // somebody has the turn
	for range 10 {
		l.takeOver(t.Context(), "s")
	}
	if n := l.backlog.Load(); n != 1 {
		t.Errorf("it waits %d times", n)
	}
	<-l.behind // nobody owns it by now
	for end := time.Now().Add(10 * time.Second); l.backlog.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("its turn does not come")
		}
	}
	if owner, err := store.Owners.Read(t.Context(), "s"); !errors.Is(err, kv.ErrNotOwned) {
		t.Errorf("it was claimed: %+v %v", owner, err)
	}
}

// A worker that leaves keeps no key it has won meanwhile: the others would wait for it to be
// gone.
func TestWhoLeavesKeepsNoKey(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	shared := session.Env{Namespace: env.Namespace}.WithDefaults()
	l := &life{
		Worker: &Worker{cfg: Config{Capacity: 1}, log: shared.Logger}, me: kv.NewIncarnation("w"), store: store, env: &shared, leaving: true,
	}
	for id, wins := range map[string]func(string){
		"claimed": func(id string) {
			owner, err := store.Owners.Claim(t.Context(), id, l.me)
			if err != nil {
				t.Fatal(err)
			}
			l.hosted.Put(id, &guest{})
			l.host(owner, false)
		},
		"reclaimed": l.reclaim,
	} {
		wins(id)
		if owner, err := store.Owners.Read(t.Context(), id); err != nil || owner.Incarnation != "" {
			t.Errorf("%s: %+v %v", id, owner, err)
		}
	}
}
