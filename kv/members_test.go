package kv

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

// worker is a lease with its Run.
type worker struct {
	*Lease
	stop context.CancelFunc
	done chan error
}

func join(t *testing.T, s *Store, name string) *worker {
	t.Helper()
	info := MemberInfo{Incarnation: NewIncarnation(name), Name: name, StartedAt: time.Now(), Capacity: 10}
	l := must[*Lease](t)(s.Members.Join(t.Context(), info, LeaseConfig{}))
	ctx, stop := context.WithCancel(context.Background())
	w := &worker{Lease: l, stop: stop, done: make(chan error, 1)}
	go func() { w.done <- l.Run(ctx) }()
	t.Cleanup(stop)
	return w
}

// next waits for a change of inc.
func next(t *testing.T, c *Changes[Incarnation, MemberChange], inc Incarnation, d time.Duration) MemberChange {
	t.Helper()
	for end := time.After(d); ; {
		select {
		case <-c.Wake():
			for _, change := range c.Take() {
				if change.Info.Incarnation == inc {
					return change
				}
			}
		case <-end:
			t.Fatalf("nothing happened to %s in %s", inc, d)
		}
	}
}

func TestLeaseIsKeptAndLeft(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, s *Store) {
		ctx := t.Context()
		v := must[*MemberView](t)(s.Members.Watch(ctx))
		defer v.Close()
		c := v.Changes()
		w := join(t, s, "w")
		inc := w.Incarnation()
		if got := next(t, c, inc, time.Second); got.State != MemberAlive || got.Info.Name != "w" {
			t.Fatalf("%+v", got)
		}
		for range 20 {
			time.Sleep(time.Minute)
			if !v.Alive(inc) || len(v.All()) != 1 || !must[bool](t)(v.Confirm(ctx, inc)) {
				t.Fatal("a kept lease is dead")
			}
			if since := time.Since(w.LastAck()); since > DefaultHeartbeat {
				t.Fatalf("the last heartbeat was %s ago", since)
			}
		}
		if len(c.Take()) != 0 {
			t.Fatal("heartbeats are no changes")
		}
		time.Sleep(DefaultHeartbeat / 2)
		began := time.Now()
		w.Update(func(i *MemberInfo) { i.Draining, i.Incarnation = true, "another" })
		if got := next(t, c, inc, time.Second); !got.Info.Draining || time.Since(began) > 100*time.Millisecond {
			t.Fatalf("%+v after %s", got, time.Since(began))
		}
		if err := w.Leave(ctx); err != nil {
			t.Fatal(err)
		}
		if got := next(t, c, inc, time.Second); got.State != MemberLeft || v.Alive(inc) {
			t.Fatalf("%+v", got)
		}
		if err := <-w.done; err != nil {
			t.Fatal(err)
		}
		if err := w.Leave(ctx); err != nil {
			t.Fatal(err)
		}
		if must[bool](t)(v.Confirm(ctx, inc)) {
			t.Fatal("the leader has it alive")
		}
		if isClosed(w.Fenced()) {
			t.Fatal("a worker that left was not fenced")
		}
		// An incarnation lives once (rule 9).
		_, err := s.Members.Join(ctx, MemberInfo{Incarnation: inc}, LeaseConfig{})
		isErr(t, err, ErrIncarnationUsed)
	})
}

func TestLeaseExpires(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, s *Store) {
		ctx := t.Context()
		v := must[*MemberView](t)(s.Members.Watch(ctx))
		defer v.Close()
		c := v.Changes()
		w := join(t, s, "w")
		inc := w.Incarnation()
		time.Sleep(10*time.Minute + time.Second) // rule 21: the TTL survives the heartbeats; none is under way now
		next(t, c, inc, time.Second)
		w.stop() // the process is killed
		if err := <-w.done; err != nil {
			t.Fatal(err)
		}
		got := next(t, c, inc, time.Minute)
		if took := time.Since(w.LastAck()); got.State == MemberAlive || took < DefaultTTL || took > DefaultTTL+2*time.Second {
			t.Fatalf("%s %s after the last heartbeat", got.State, took)
		}
		if v.Alive(inc) || must[bool](t)(v.Confirm(ctx, inc)) {
			t.Fatal("still alive")
		}
	})
}

// Rule 22: twenty seconds without an acknowledged heartbeat end it, ten seconds
// before the server would give the key away.
func TestSelfFence(t *testing.T) {
	for name, handle := range map[string]func(func() *nats.Msg) *nats.Msg{
		"questions lost": loseQuestion,
		"answers lost":   loseAnswer,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
				s, m := between(t, env)
				v := must[*MemberView](t)(direct.Members.Watch(t.Context()))
				defer v.Close()
				w := join(t, s, "w")
				time.Sleep(time.Minute)
				m.inject("", -1, handle)
				err := <-w.done
				isErr(t, err, ErrFenced)
				if !isClosed(w.Fenced()) || time.Since(w.LastAck()) != DefaultSelfFence {
					t.Fatalf("%v, %s after the last acknowledgement", err, time.Since(w.LastAck()))
				}
				if !v.Alive(w.Incarnation()) {
					t.Fatal("others gave it up before it did")
				}
				time.Sleep(DefaultTTL)
				if v.Alive(w.Incarnation()) {
					t.Fatal("it lives for ever")
				}
			})
		})
	}
}

// An outage shorter than the self-fence leaves the fleet as it was.
func TestLeaseOutlivesAShortOutage(t *testing.T) {
	bubbleAlone(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		s, line := cuttable(t, env)
		v := must[*MemberView](t)(s.Members.Watch(t.Context()))
		defer v.Close()
		w := join(t, s, "w")
		time.Sleep(time.Minute)
		c := v.Changes()
		c.Take()
		for range 5 {
			line.cut()
			time.Sleep(14 * time.Second)
			if _, ok := v.Ready(); ok || !v.Alive(w.Incarnation()) {
				t.Fatalf("ready %v; a blind view declares nobody dead", ok)
			}
			line.mend()
			time.Sleep(10 * time.Second)
			if _, ok := v.Ready(); !ok || !v.Alive(w.Incarnation()) || isClosed(w.Fenced()) {
				t.Fatalf("ready %v, alive %v, fenced %v", ok, v.Alive(w.Incarnation()), isClosed(w.Fenced()))
			}
		}
		for _, change := range c.Take() {
			t.Errorf("%+v", change)
		}
		line.cut()
		isErr(t, <-w.done, ErrFenced)
		time.Sleep(time.Hour)
		if !v.Alive(w.Incarnation()) {
			t.Fatal("a blind view declares nobody dead")
		}
		line.mend()
		if got := next(t, c, w.Incarnation(), time.Minute); got.State != MemberExpired {
			t.Fatalf("%s", got.State)
		}
	})
}

func TestLeaseIsFencedWhenItsKeyIsNotItsOwn(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, s *Store) {
		kv := must[jetstream.KeyValue](t)(env.JS.KeyValue(t.Context(), env.Namespace.WorkersBucket()))
		stream := must[jetstream.Stream](t)(env.JS.Stream(t.Context(), subjects.KVStream(env.Namespace.WorkersBucket())))
		for _, harm := range []func(key string) error{
			func(key string) error { _, err := kv.Put(t.Context(), key, []byte("{}")); return err },
			func(key string) error { return kv.Delete(t.Context(), key) },
			func(key string) error {
				return stream.Purge(t.Context(), jetstream.WithPurgeSubject(subjects.KVSubject(env.Namespace.WorkersBucket(), key)))
			},
		} {
			w := join(t, s, "w")
			time.Sleep(10 * time.Second)
			if err := harm(string(w.Incarnation())); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			isErr(t, <-w.done, ErrFenced, ErrMoved)
			if took := time.Since(began); took > DefaultHeartbeat || !isClosed(w.Fenced()) {
				t.Fatalf("noticed after %s", took)
			}
		}
	})
}

// Rule 23: an expiry without a marker is noticed by the view's own deadline, and
// a key that no server expires does not keep its worker alive.
func TestMissedMarkers(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, s *Store) {
		ctx := t.Context()
		v := must[*MemberView](t)(s.Members.Watch(ctx))
		defer v.Close()
		c := v.Changes()
		bucket := env.Namespace.WorkersBucket()

		w := join(t, s, "unmarked")
		time.Sleep(time.Second)
		w.stop()
		<-w.done
		stream := must[jetstream.Stream](t)(env.JS.Stream(ctx, subjects.KVStream(bucket)))
		if err := stream.Purge(ctx, jetstream.WithPurgeSubject(subjects.KVSubject(bucket, string(w.Incarnation())))); err != nil {
			t.Fatal(err)
		}
		next(t, c, w.Incarnation(), time.Second)
		if got := next(t, c, w.Incarnation(), time.Minute); got.State != MemberSilent {
			t.Fatalf("%s", got.State)
		}
		if took := time.Since(w.LastAck()); took < DefaultTTL || took > DefaultTTL+2*feedHeartbeat {
			t.Fatalf("after %s", took)
		}

		immortal := NewIncarnation("immortal")
		put := func(session int) {
			value := must[[]byte](t)(json.Marshal(memberRecord{MemberInfo{Incarnation: immortal, Sessions: session}, DefaultTTL.Milliseconds()}))
			must[*jetstream.PubAck](t)(env.JS.Publish(ctx, subjects.KVSubject(bucket, string(immortal)), value))
		}
		put(1)
		next(t, c, immortal, time.Second)
		time.Sleep(DefaultTTL - time.Second)
		if !v.Alive(immortal) || !must[bool](t)(v.Confirm(ctx, immortal)) {
			t.Fatal("dead before its time")
		}
		if got := next(t, c, immortal, 5*time.Second); got.State != MemberSilent || v.Alive(immortal) {
			t.Fatalf("%s", got.State)
		}
		if must[bool](t)(v.Confirm(ctx, immortal)) {
			t.Fatal("a heartbeat of before its silence keeps it alive")
		}
		v.Refresh() // listed again, it is still silent
		time.Sleep(time.Second)
		if v.Alive(immortal) {
			t.Fatal("a listing is no heartbeat")
		}
		put(2)
		if got := next(t, c, immortal, time.Second); got.State != MemberAlive || !v.Alive(immortal) {
			t.Fatal("it came back unseen")
		}
		if must[bool](t)(v.Confirm(ctx, "nobody")) || must[bool](t)(v.Confirm(ctx, "")) {
			t.Fatal("nobody is alive")
		}
	})
}

// Confirm of what it cannot find out is an error, not a death.
func TestConfirmNeedsAnAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, _ *Store) {
		s, m := between(t, env)
		v := must[*MemberView](t)(s.Members.Watch(t.Context()))
		defer v.Close()
		w := join(t, s, "w")
		if alive := must[bool](t)(v.Confirm(t.Context(), w.Incarnation())); !alive {
			t.Fatal("the view lags, the leader does not")
		}
		m.inject("STREAM.MSG.GET", -1, loseQuestion)
		_, err := v.Confirm(t.Context(), w.Incarnation())
		isErr(t, err, context.DeadlineExceeded)
	})
}

// Leave during a heartbeat whose answer is lost still deletes the key.
func TestLeaveDuringAHeartbeat(t *testing.T) {
	bubble(t, func(t *testing.T, env *embeddedtest.Env, direct *Store) {
		s, m := between(t, env)
		w := join(t, s, "w")
		time.Sleep(time.Second)
		m.inject("$KV.", 1, loseAnswer)
		w.Update(func(i *MemberInfo) { i.Draining = true })
		synctest.Wait()
		if err := w.Leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-w.done; err != nil {
			t.Fatal(err)
		}
		if e := must[entry](t)(direct.Members.b.read(t.Context(), string(w.Incarnation()))); !e.gone {
			t.Fatalf("%s", e.value)
		}
	})
}

func TestLeaseConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []LeaseConfig{
		{TTL: 500 * time.Millisecond},
		{TTL: 1500 * time.Millisecond, SelfFence: time.Second, Heartbeat: 100 * time.Millisecond},
		{TTL: 10 * time.Second},
		{Heartbeat: 25 * time.Second},
		{SelfFence: time.Minute},
	} {
		if _, err := c.withDefaults(); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	got, err := LeaseConfig{}.withDefaults()
	if err != nil || got != (LeaseConfig{DefaultTTL, DefaultHeartbeat, DefaultSelfFence}) {
		t.Errorf("%+v, %v", got, err)
	}
}
