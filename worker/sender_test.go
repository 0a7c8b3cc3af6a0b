package worker

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

// told notes what it was told of each message.
type told struct {
	all sync.WaitGroup

	mu       sync.Mutex
	outcomes map[uint64]error
	twice    []uint64
}

func (o *told) Decided(n uint64, err error) {
	o.mu.Lock()
	if _, again := o.outcomes[n]; again {
		o.twice = append(o.twice, n)
	}
	o.outcomes[n] = err
	o.mu.Unlock()
	o.all.Done()
}

func effect(env *embeddedtest.Env, n int) *nats.Msg {
	return &nats.Msg{
		Subject: env.Namespace.Fx("s", "Effect"), Data: []byte("{}"),
		Header: nats.Header{nats.MsgIdHdr: {fmt.Sprint("s/", n)}, "n": {fmt.Sprint(n)}},
	}
}

// sendAll sends the effects from..to of a session and waits until all are decided.
func sendAll(t *testing.T, s *sender, env *embeddedtest.Env, from, to int) map[uint64]error {
	t.Helper()
	o := &told{outcomes: map[uint64]error{}}
	o.all.Add(to - from)
	for n := from; n < to; n++ {
		s.SendEffect(env.Namespace.Shard("s"), effect(env, n), o, uint64(n))
	}
	o.all.Wait()
	if len(o.twice) > 0 {
		t.Errorf("told twice of %v", o.twice)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken != 0 || len(s.waiting) != 0 {
		t.Errorf("%d of the window are taken and %d messages waited for after all are decided", s.taken, len(s.waiting))
	}
	return o.outcomes
}

func batchSender(t *testing.T, env *embeddedtest.Env) *sender {
	t.Helper()
	s, err := newSender(env.Conn, env.Namespace.Shards())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// stored is the fx stream of the session: the effects' numbers and how many came in batches.
func stored(t *testing.T, env *embeddedtest.Env) (numbers []string, batched int) {
	t.Helper()
	stream, err := env.JS.Stream(t.Context(), env.Namespace.FxStream(env.Namespace.Shard("s")))
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		m, err := stream.GetMsg(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, m.Header.Get("n"))
		if m.Header.Get("Nats-Batch-Id") != "" {
			batched++
		}
	}
	return numbers, batched
}

func inOrder(t *testing.T, numbers []string, n int) {
	t.Helper()
	if len(numbers) != n {
		t.Fatalf("%d effects are stored, want %d", len(numbers), n)
	}
	for i, have := range numbers {
		if have != fmt.Sprint(i) {
			t.Fatalf("effect %s is stored at place %d", have, i)
		}
	}
}

// More is sent than one batch holds, over lanes that change between plain messages and
// batches: all is stored once, in order.
func TestEffectsGoInBatchesInOrder(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	s := batchSender(t, env)
	for n, err := range sendAll(t, s, env, 0, 3000) {
		if err != nil {
			t.Fatalf("effect %d: %v", n, err)
		}
	}
	numbers, batched := stored(t, env)
	inOrder(t, numbers, 3000)
	if batched == 0 {
		t.Error("nothing went in a batch")
	}
	t.Logf("%d of %d in batches", batched, len(numbers))
}

// A batch that holds a message the stream has is refused whole. What is sent again then goes
// one by one, and the server knows the copy.
func TestARefusedBatchIsSentAgainOneByOne(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	// Effect 0 is there already: an earlier owner sent it.
	if _, err := env.JS.PublishMsg(t.Context(), effect(env, 0)); err != nil {
		t.Fatal(err)
	}
	s := batchSender(t, env)
	l := &s.lanes[env.Namespace.Shard("s")]
	o := &told{outcomes: map[uint64]error{}}
	const effects = maxBatch + 100 // some wait behind the batch
	o.all.Add(effects)
	l.mu.Lock()
	for n := range effects {
		s.enter()
		l.queue = append(l.queue, parcel{effect(env, n), o, uint64(n)})
	}
	l.next()
	l.mu.Unlock()
	o.all.Wait()
	for n, err := range o.outcomes {
		if err == nil {
			t.Fatalf("effect %d is said to be stored, of a batch with a copy or behind it", n)
		}
	}
	if numbers, _ := stored(t, env); len(numbers) != 1 {
		t.Fatalf("stored of the refused batch: %v", numbers)
	}
	for n, err := range sendAll(t, s, env, 0, effects) {
		if err != nil {
			t.Fatalf("effect %d, again: %v", n, err)
		}
	}
	numbers, batched := stored(t, env)
	inOrder(t, numbers, effects)
	if batched != 0 {
		t.Errorf("%d went in a batch behind one that failed", batched)
	}
}

// A namespace provisioned before batches were of use is served all the same, and gets them
// when it is provisioned again.
func TestAStreamWithoutBatches(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	name := env.Namespace.FxStream(env.Namespace.Shard("s"))
	stream, err := env.JS.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := stream.CachedInfo().Config
	cfg.AllowAtomicPublish = false
	if _, err := env.JS.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	s := batchSender(t, env)
	refused := 0
	first := 500
	for n, err := range sendAll(t, s, env, 0, 500) {
		if err != nil {
			refused++
			first = min(first, int(n))
		}
	}
	l := &s.lanes[env.Namespace.Shard("s")]
	l.mu.Lock()
	told := l.refused
	l.mu.Unlock()
	if refused == 0 || !told {
		t.Fatalf("%d refused, and the lane is told of it: %t", refused, told)
	}
	for n, err := range sendAll(t, s, env, first, 500) { // what an outbox does
		if err != nil {
			t.Fatalf("effect %d, again: %v", n, err)
		}
	}
	if _, batched := stored(t, env); batched != 0 {
		t.Errorf("%d of a stream without batches are of one", batched)
	}
	if err := subjects.Provision(t.Context(), env.JS, env.Namespace, subjects.Settings{}); err != nil {
		t.Fatal(err)
	}
	if stream, err = env.JS.Stream(t.Context(), name); err != nil || !stream.CachedInfo().Config.AllowAtomicPublish {
		t.Errorf("provisioned again: %v, batches %t", err, stream.CachedInfo().Config.AllowAtomicPublish)
	}
}

// Nobody takes a batch while its stream is gone: every effect is decided once, and stored when
// it is back.
func TestABatchToNobody(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	s := batchSender(t, env)
	name := env.Namespace.FxStream(env.Namespace.Shard("s"))
	if err := env.JS.DeleteStream(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	for n, err := range sendAll(t, s, env, 0, 300) {
		if err == nil {
			t.Fatalf("effect %d is said to be stored", n)
		}
	}
	if err := subjects.Provision(t.Context(), env.JS, env.Namespace, subjects.Settings{}); err != nil {
		t.Fatal(err)
	}
	for n, err := range sendAll(t, s, env, 0, 300) {
		if err != nil {
			t.Fatalf("effect %d, again: %v", n, err)
		}
	}
	numbers, _ := stored(t, env)
	inOrder(t, numbers, 300)
}

// The server goes away among batches and comes back on the same disk. Effects that are said
// to be stored are, each before the next, and what an outbox sends again follows.
func TestBatchesOverARestartOfTheServer(t *testing.T) {
	dir := t.TempDir()
	port := embeddedtest.Port(t)
	always := embeddedtest.With(func(o *embedded.Options) { o.Sync, o.DataDir, o.Port = embedded.SyncAlways, dir, port })
	env := embeddedtest.Provisioned(t, "test", 2, embeddedtest.Listening(), always)
	// Without a buffer for what is sent meanwhile: it would hide the interruption.
	conn, err := nats.Connect(env.Server.ClientURL(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectBufSize(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	env.Conn = conn
	s := batchSender(t, env)
	const effects = 12_000
	o := &told{outcomes: map[uint64]error{}}
	o.all.Add(effects)
	// The second half is sent when the first has begun to be stored, and the server leaves
	// when a part of that is on its way: so it is always interrupted.
	second, sent := make(chan struct{}), make(chan struct{})
	go func() {
		for n := range effects {
			switch n {
			case effects / 2:
				<-second
			case effects/2 + effects/10:
				close(sent)
			}
			s.SendEffect(env.Namespace.Shard("s"), effect(env, n), o, uint64(n))
		}
	}()
	for deadline := time.Now().Add(10 * time.Second); o.stored() < effects/30; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("hardly anything was stored in 10 s")
		}
	}
	close(second)
	<-sent
	env.Server.Close()
	env.Server = embeddedtest.Run(t, embeddedtest.Listening(), always)
	o.all.Wait()
	_, env.JS = embeddedtest.Connect(t, env.Server)
	have := map[string]bool{}
	numbers, batched := stored(t, env)
	for _, n := range numbers {
		have[n] = true
	}
	first := effects // what an outbox sends again from
	for n := range effects {
		switch err := o.outcomes[uint64(n)]; {
		case err != nil:
			first = min(first, n)
		case !have[fmt.Sprint(n)]:
			t.Fatalf("effect %d is said to be stored and is not", n)
		}
	}
	if first == effects || batched == 0 {
		t.Fatalf("%d in batches, the first that failed is %d: nothing was interrupted", batched, first)
	}
	for n := range first {
		if numbers[n] != fmt.Sprint(n) {
			t.Fatalf("effect %s is stored at place %d", numbers[n], n)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); !env.Conn.IsConnected(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not connected again in 10 s")
		}
	}
	// As an outbox does: a slow machine may not acknowledge all of it in time at once.
	for tries := 0; first < effects; tries++ {
		if tries == 10 {
			t.Fatalf("effects from %d on are not acknowledged", first)
		}
		outcomes := sendAll(t, s, env, first, effects)
		for first < effects && outcomes[uint64(first)] == nil {
			first++
		}
	}
	if numbers, _ = stored(t, env); len(numbers) != effects {
		t.Errorf("%d effects are stored, want %d", len(numbers), effects)
	}
}

func (o *told) stored() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, err := range o.outcomes {
		if err == nil {
			n++
		}
	}
	return n
}
