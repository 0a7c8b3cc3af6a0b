package kv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

func TestOwnershipOverItsLife(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, s *Store) {
		ctx, o := t.Context(), s.Owners
		a, b := NewIncarnation("a"), NewIncarnation("b")
		_, err := o.Read(ctx, "s1")
		isErr(t, err, ErrNotOwned)

		first := must[Owner](t)(o.Claim(ctx, "s1", a))
		if got := must[Owner](t)(o.Read(ctx, "s1")); got != first {
			t.Fatalf("read %+v, claimed %+v", got, first)
		}
		_, err = o.Claim(ctx, "s1", b)
		isErr(t, err, ErrOwned)
		if owned := (*OwnedError)(nil); !errors.As(err, &owned) || owned.Owner != first {
			t.Fatalf("the error names %v", err)
		}
		_, err = o.Claim(ctx, "s1", a) // my own key: adopted by whoever watches, not claimed
		isErr(t, err, ErrOwned)

		second := must[Owner](t)(o.TakeOver(ctx, first, b))
		_, err = o.TakeOver(ctx, first, a)
		isErr(t, err, ErrMoved, ErrOwned)
		isErr(t, o.Release(ctx, first), ErrMoved)
		if err := o.Release(ctx, second); err != nil {
			t.Fatal(err)
		}
		if err := o.Release(ctx, second); err != nil { // its own delete again
			t.Fatal(err)
		}
		_, err = o.TakeOver(ctx, second, a)
		isErr(t, err, ErrMoved)
		if errors.Is(err, ErrOwned) {
			t.Fatal("a deleted key has no owner")
		}
		third := must[Owner](t)(o.Claim(ctx, "s1", a)) // over a delete marker
		time.Sleep(2 * markerTTL)
		isErr(t, o.Release(ctx, second), ErrMoved)
		if err := o.Release(ctx, third); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * markerTTL) // the marker is gone
		if got := must[uint64](t)(messages(ctx, env, env.Namespace.OwnersBucket())); got != 0 {
			t.Fatalf("a session at rest keeps %d messages", got)
		}
		if err := o.Release(ctx, third); err != nil {
			t.Fatal(err)
		}
		fourth := must[Owner](t)(o.Claim(ctx, "s1", a))
		if !(first.Fence < second.Fence && second.Fence < third.Fence && third.Fence < fourth.Fence) {
			t.Fatalf("fences %d %d %d %d", first.Fence, second.Fence, third.Fence, fourth.Fence)
		}
	})
}

func messages(ctx context.Context, env *embeddedtest.Env, bucket string) (uint64, error) {
	s, err := env.JS.Stream(ctx, subjects.KVStream(bucket))
	if err != nil {
		return 0, err
	}
	return s.CachedInfo().State.Msgs, nil
}

// Exactly one wins, whatever stands there before: nothing, a marker, a dead owner.
func TestRacesHaveOneWinner(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, s *Store) {
		const claimants, rounds = 24, 20
		var stores []*Store
		for range 4 {
			_, js := embeddedtest.Connect(t, env.Server)
			stores = append(stores, open(t, js, env.Namespace))
		}
		var last Owner
		for round := range rounds {
			dead := last
			var mu sync.Mutex
			var winners []Owner
			var all sync.WaitGroup
			for i := range claimants {
				all.Go(func() {
					o := stores[i%len(stores)].Owners
					me := NewIncarnation("w")
					var mine Owner
					var err error
					if round%2 == 1 {
						mine, err = o.TakeOver(t.Context(), dead, me)
					} else {
						mine, err = o.Claim(t.Context(), "contended", me)
					}
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						winners = append(winners, mine)
					case !errors.Is(err, ErrOwned):
						t.Error(err)
					}
				})
			}
			all.Wait()
			if len(winners) != 1 || winners[0].Fence <= last.Fence {
				t.Fatalf("round %d: winners %+v after fence %d", round, winners, last.Fence)
			}
			last = winners[0]
			if got := must[Owner](t)(s.Owners.Read(t.Context(), "contended")); got != last {
				t.Fatalf("round %d: %+v stands, %+v won", round, got, last)
			}
			if round%2 == 1 {
				if err := s.Owners.Release(t.Context(), last); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// Rule 11: whatever the network does to a write, its outcome is found out.
func TestOutcomesAreDecided(t *testing.T) {
	late := func(d time.Duration) func(func() *nats.Msg) *nats.Msg {
		return func(forward func() *nats.Msg) *nats.Msg {
			time.Sleep(d)
			forward()
			return nil
		}
	}
	for _, fault := range []struct {
		name   string
		times  int
		handle func(func() *nats.Msg) *nats.Msg
	}{
		{"answer lost", 1, loseAnswer},
		{"three answers lost", 3, loseAnswer},
		{"question lost", 2, loseQuestion},
		{"stored after it was found absent", 1, late(attemptTimeout + 200*time.Millisecond)},
		{"stored long after", 2, late(5 * attemptTimeout)},
		{"undecided by the cluster", 2, func(func() *nats.Msg) *nats.Msg {
			return &nats.Msg{Data: []byte(`{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"},"stream":"x","seq":0}`)}
		}},
		{"no leader", 2, func(func() *nats.Msg) *nats.Msg {
			return &nats.Msg{Header: nats.Header{"Status": {"503"}}}
		}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
				s, m := between(t, env)
				ctx, me, other := within(t, time.Minute), NewIncarnation("me"), NewIncarnation("other")
				inject := func() { m.heal(); m.inject("$KV.", fault.times, fault.handle) }
				stands := func(want Owner) {
					t.Helper()
					time.Sleep(10 * attemptTimeout) // what was late has come
					if got := must[Owner](t)(direct.Owners.Read(ctx, "s")); got != want {
						t.Fatalf("%+v stands, not %+v", got, want)
					}
				}
				ctx = t.Context()

				inject()
				first := must[Owner](t)(s.Owners.Claim(ctx, "s", me))
				stands(first)
				inject()
				second := must[Owner](t)(s.Owners.TakeOver(ctx, first, me))
				stands(second)
				inject()
				if err := s.Owners.Release(ctx, second); err != nil {
					t.Fatal(err)
				}
				_, err := direct.Owners.Read(ctx, "s")
				isErr(t, err, ErrNotOwned)
				inject()
				third := must[Owner](t)(s.Owners.Claim(ctx, "s", me)) // over the marker
				stands(third)

				// And a lost race under the same faults is a lost race.
				fourth := must[Owner](t)(direct.Owners.TakeOver(ctx, third, other))
				inject()
				isErr(t, s.Owners.Release(ctx, third), ErrMoved)
				inject()
				_, err = s.Owners.TakeOver(ctx, third, me)
				isErr(t, err, ErrMoved, ErrOwned)
				inject()
				_, err = s.Owners.Claim(ctx, "s", me)
				isErr(t, err, ErrOwned)
				stands(fourth)
			})
		})
	}
}

// A claim whose answer is lost, and whose key is taken over before it is read
// back, is not mine any more.
func TestTakenOverBeforeItWasReadBack(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		s, m := between(t, env)
		other := NewIncarnation("other")
		m.inject("$KV.", 1, func(forward func() *nats.Msg) *nats.Msg {
			forward()
			mine := must[Owner](t)(direct.Owners.Read(t.Context(), "s"))
			must[Owner](t)(direct.Owners.TakeOver(t.Context(), mine, other))
			return nil
		})
		_, err := s.Owners.Claim(t.Context(), "s", NewIncarnation("me"))
		if owned := (*OwnedError)(nil); !errors.As(err, &owned) || owned.Owner.Incarnation != other {
			t.Fatal(err)
		}
	})
}

func TestUndecidedIsSaid(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		s, m := between(t, env)
		me := NewIncarnation("me")
		m.inject("$KV.", -1, loseAnswer)
		m.inject("STREAM.MSG.GET", -1, loseQuestion)
		began := time.Now()
		_, err := s.Owners.Claim(within(t, 20*time.Second), "s", me)
		isErr(t, err, ErrUndecided, context.DeadlineExceeded)
		if took := time.Since(began); took != 20*time.Second {
			t.Fatalf("gave up after %s", took)
		}
		m.heal()
		// The key names me all the same: adoption (rule 14) finds it.
		_, err = s.Owners.Claim(t.Context(), "s", me)
		owned := (*OwnedError)(nil)
		if !errors.As(err, &owned) || owned.Owner.Incarnation != me {
			t.Fatal(err)
		}
		// A release that ended undecided is repeated.
		m.inject("$KV.", -1, loseAnswer)
		m.inject("STREAM.MSG.GET", -1, loseQuestion)
		isErr(t, s.Owners.Release(within(t, 20*time.Second), owned.Owner), ErrUndecided)
		m.heal()
		if err := s.Owners.Release(t.Context(), owned.Owner); err != nil {
			t.Fatal(err)
		}
		// What was never sent is not undecided.
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = s.Owners.Claim(ended, "s", me)
		if isErr(t, err, context.Canceled); errors.Is(err, ErrUndecided) {
			t.Fatal("nothing was sent")
		}
	})
}

// Rule 13: decisions ask the leader, never a replica; and an old leader's answer
// decides nothing by itself.
func TestStaleReadsDecideNothing(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		s, m := between(t, env)
		ctx, me := t.Context(), NewIncarnation("me")
		first := must[Owner](t)(s.Owners.Claim(ctx, "s", me))
		stale := (*nats.Msg)(nil)
		m.inject("STREAM.MSG.GET", 1, func(forward func() *nats.Msg) *nats.Msg {
			stale = forward()
			return stale
		})
		must[Owner](t)(s.Owners.Read(ctx, "s"))
		second := must[Owner](t)(s.Owners.TakeOver(ctx, first, me))

		// My takeover is stored, its answer is lost, and the reads are of before.
		m.inject("$KV.", 1, loseAnswer)
		m.inject("STREAM.MSG.GET", 3, func(func() *nats.Msg) *nats.Msg { return stale })
		third := must[Owner](t)(s.Owners.TakeOver(ctx, second, me))
		if got := must[Owner](t)(direct.Owners.Read(ctx, "s")); got != third {
			t.Fatalf("%+v stands, not %+v", got, third)
		}
		// A release that another's takeover refused, with reads of before.
		must[Owner](t)(direct.Owners.TakeOver(ctx, third, NewIncarnation("other")))
		m.heal()
		m.inject("STREAM.MSG.GET", 2, func(func() *nats.Msg) *nats.Msg { return stale })
		isErr(t, s.Owners.Release(ctx, third), ErrMoved)
		if n := m.count("DIRECT.GET"); n != 0 {
			t.Fatalf("%d reads could be answered by any replica", n)
		}
	})
}

func sessionsOf(owners []Owner) []string {
	names := []string{}
	for _, o := range owners {
		names = append(names, o.Session)
	}
	slices.Sort(names)
	return names
}

func TestOwnerViewFollows(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, s *Store) {
		ctx := t.Context()
		a, b := NewIncarnation("a"), NewIncarnation("b")
		var owners []Owner
		for i := range 300 {
			owners = append(owners, must[Owner](t)(s.Owners.Claim(ctx, fmt.Sprintf("s%03d", i), a)))
		}
		for _, o := range owners[200:] {
			if err := s.Owners.Release(ctx, o); err != nil {
				t.Fatal(err)
			}
		}
		v := must[*OwnerView](t)(s.Owners.Watch(ctx))
		defer v.Close()
		if _, ok := v.Ready(); !ok || v.Len() != 200 || len(v.ByIncarnation(a)) != 200 {
			t.Fatalf("%d owners after the first listing", v.Len())
		}
		c := v.Changes()
		defer c.Close()
		<-c.Wake()
		if got := len(c.Take()); got != 200 {
			t.Fatalf("subscribed to %d", got)
		}
		moved := must[Owner](t)(s.Owners.TakeOver(ctx, owners[7], b))
		if err := s.Owners.Release(ctx, owners[8]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		<-c.Wake()
		changes := c.Take()
		slices.SortFunc(changes, func(x, y OwnerChange) int { return int(x.Session[3]) - int(y.Session[3]) })
		if len(changes) != 2 || changes[0].Owner != moved || changes[1].Owned() {
			t.Fatalf("changes %+v", changes)
		}
		if got, ok := v.Lookup("s007"); !ok || got != moved {
			t.Fatalf("looked up %+v", got)
		}
		if _, ok := v.Lookup("s008"); ok {
			t.Fatal("a released session is still owned")
		}
		if got := sessionsOf(v.ByIncarnation(b)); !slices.Equal(got, []string{"s007"}) {
			t.Fatalf("b owns %v", got)
		}
		// An unreadable key is an obligation too (rule 15): it names nobody, and
		// can be taken over by its revision.
		must[*jetstream.PubAck](t)(env.JS.Publish(ctx, subjects.KVSubject(env.Namespace.OwnersBucket(), env.Namespace.SessionKey("s007")), []byte("{")))
		time.Sleep(time.Millisecond)
		if lost := v.ByIncarnation(""); len(lost) != 1 {
			t.Fatalf("unreadable: %+v", lost)
		} else {
			must[Owner](t)(s.Owners.TakeOver(ctx, lost[0], b))
		}
		v.Close()
		v.Close()
		<-v.Done()
	})
}

// Rule 23: what happened while the watcher was away is known once it is back,
// even what has left no marker.
func TestViewListsAgainAfterReconnect(t *testing.T) {
	bubbleAlone(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		ctx := t.Context()
		s, line := cuttable(t, env)
		a := NewIncarnation("a")
		gone := must[Owner](t)(direct.Owners.Claim(ctx, "gone", a))
		kept := must[Owner](t)(direct.Owners.Claim(ctx, "kept", a))
		v := must[*OwnerView](t)(s.Owners.Watch(ctx))
		defer v.Close()
		c := v.Changes()
		c.Take()
		line.cut()
		time.Sleep(time.Second)
		if _, ok := v.Ready(); ok {
			t.Fatal("ready without a connection")
		}
		if err := direct.Owners.Release(ctx, gone); err != nil {
			t.Fatal(err)
		}
		must[Owner](t)(direct.Owners.Claim(ctx, "new", a))
		time.Sleep(2 * markerTTL) // even the marker is gone
		if got := sessionsOf(v.All()); !slices.Equal(got, []string{"gone", "kept"}) {
			t.Fatalf("a blind view shows %v", got)
		}
		line.mend()
		time.Sleep(15 * time.Second)
		since, ok := v.Ready()
		if got := sessionsOf(v.All()); !ok || !slices.Equal(got, []string{"kept", "new"}) {
			t.Fatalf("ready %v, and shows %v", ok, got)
		}
		if time.Since(since) > 15*time.Second {
			t.Fatalf("it claims to have seen all since %s", since)
		}
		if got := len(c.Take()); got != 2 {
			t.Fatalf("%d changes", got)
		}
		if got, _ := v.Lookup("kept"); got != kept {
			t.Fatalf("kept is %+v", got)
		}
	})
}

// A listing takes as long as it takes: begun anew again and again it would never end.
func TestALongListingEnds(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, _ *Store) {
		const keys, value, bits = 200, 20 << 10, 512 << 10 // a second
		record := must[[]byte](t)(json.Marshal(map[string]string{"incarnation": "w", "padding": strings.Repeat("x", value)}))
		for i := range keys {
			key := env.Namespace.SessionKey(fmt.Sprint("s", i))
			must[*jetstream.PubAck](t)(env.JS.Publish(t.Context(), subjects.KVSubject(env.Namespace.OwnersBucket(), key), record))
		}
		s, m := between(t, env)
		m.alter = func(to string, question []byte) []byte {
			if !strings.Contains(to, "CONSUMER.CREATE") {
				return question
			}
			return []byte(strings.Replace(string(question), `"config":{`, fmt.Sprintf(`"config":{"rate_limit_bps":%d,`, bits), 1))
		}
		began := time.Now()
		v := must[*OwnerView](t)(s.Owners.Watch(within(t, 10*time.Minute)))
		defer v.Close()
		if took := time.Since(began); v.Len() != keys || took < feedListing {
			t.Fatalf("%d keys of %d in %s", v.Len(), keys, took)
		}
	})
}

func TestViewEndsWithItsConnection(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, _ *Store) {
		nc, js := embeddedtest.Connect(t, env.Server)
		v := must[*OwnerView](t)(open(t, js, env.Namespace).Owners.Watch(t.Context()))
		nc.Close()
		<-v.Done()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, js = embeddedtest.Connect(t, env.Server)
		_, err := open(t, js, env.Namespace).Owners.Watch(ctx)
		isErr(t, err, context.Canceled)
	})
}

// A view converges on what the leader says, whatever happens.
func TestViewConverges(t *testing.T) {
	bubbleAlone(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		ctx := t.Context()
		s, line := cuttable(t, env)
		v := must[*OwnerView](t)(s.Owners.Watch(ctx))
		defer v.Close()
		r := rand.New(rand.NewPCG(1, 2))
		incs := []Incarnation{NewIncarnation("a"), NewIncarnation("b")}
		truth := map[string]Owner{}
		for i := range 1500 {
			session := fmt.Sprintf("s%d", r.IntN(60))
			switch o, ok := truth[session]; {
			case !ok:
				truth[session] = must[Owner](t)(direct.Owners.Claim(ctx, session, incs[r.IntN(2)]))
			case r.IntN(2) == 0:
				truth[session] = must[Owner](t)(direct.Owners.TakeOver(ctx, o, incs[r.IntN(2)]))
			default:
				if err := direct.Owners.Release(ctx, o); err != nil {
					t.Fatal(err)
				}
				delete(truth, session)
			}
			switch {
			case i%300 == 100:
				line.cut()
			case i%300 == 150:
				line.mend()
				time.Sleep(time.Duration(r.IntN(3000)) * time.Millisecond)
			case i%300 == 220:
				v.Refresh()
			}
		}
		time.Sleep(15 * time.Second)
		if v.Len() != len(truth) {
			t.Fatalf("the view has %d, there are %d", v.Len(), len(truth))
		}
		byInc := len(v.ByIncarnation(incs[0])) + len(v.ByIncarnation(incs[1]))
		for session, want := range truth {
			if got, ok := v.Lookup(session); !ok || got != want {
				t.Fatalf("%s: %+v, not %+v", session, got, want)
			}
		}
		if byInc != len(truth) {
			t.Fatalf("the index has %d", byInc)
		}
	})
}

func BenchmarkClaim(b *testing.B) {
	env := embeddedtest.Provisioned(b, "bench", 8)
	s := open(b, env.JS, env.Namespace)
	me := NewIncarnation("bench")
	b.Run("new+release", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			o, err := s.Owners.Claim(b.Context(), fmt.Sprintf("s%d-%d", b.N, i), me)
			if err == nil {
				err = s.Owners.Release(b.Context(), o)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again+release", func(b *testing.B) {
		for b.Loop() {
			o, err := s.Owners.Claim(b.Context(), "again", me)
			if err == nil {
				err = s.Owners.Release(b.Context(), o)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				o, err := s.Owners.Claim(b.Context(), newID(), me)
				if err == nil {
					err = s.Owners.Release(b.Context(), o)
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
