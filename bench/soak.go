package bench

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// Proof is what a soak has checked while it ran.
type Proof struct {
	Crashes int `json:"crashes"`
	// Commits read: numbers from 1 without a gap, each naming its predecessor, fences that
	// never decrease.
	Commits int `json:"commits"`
	Claims  int `json:"claims"`
	// Events read from fx: sequences from 1 without a gap; one id stands for one sequence.
	Events  int `json:"events"`
	Repeats int `json:"repeats"` // published again, with the same id
	// Wrong says what did not hold, the first few.
	Wrong []string `json:"wrong,omitempty"`
	Count int      `json:"wrong_count"`
}

func (p *Proof) err() error {
	if p == nil || p.Count == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d times, first %s", ErrBroken, p.Count, p.Wrong[0])
}

// soak publishes for Duration and crashes a worker every FaultEvery, while a witness reads
// everything.
func (b *run) soak(ctx context.Context) (*Proof, error) {
	w := newWitness(b)
	stop, err := w.watch(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	b.say("publishing %.0f inputs in a second to %d sessions for %v; a worker of %d crashes every %v",
		b.Rate, b.Sessions, b.Duration, b.Workers, b.FaultEvery)
	faults, endFaults := context.WithCancel(ctx)
	defer endFaults()
	crashed := make(chan struct{})
	go func() {
		defer close(crashed)
		if err := b.crashes(faults, &w.proof); err != nil {
			b.broken(err) // a soak without crashes would prove nothing
		}
	}()
	rounds := max(1, int(b.Duration.Seconds()*b.Rate)/b.Sessions)
	b.ledger.inputs = b.ledger.measured + rounds
	err = b.publish(ctx, b.ledger.measured, b.ledger.inputs, b.Rate)
	endFaults()
	<-crashed
	if err == nil {
		err = b.settle(ctx, b.total())
	}
	if err == nil {
		err = w.caughtUp(ctx)
	}
	return w.verdict(), err
}

// crashes kills the oldest worker again and again, and hires another.
func (b *run) crashes(ctx context.Context, p *Proof) error {
	if b.FaultEvery < 0 {
		return nil
	}
	for {
		if pause(ctx, b.FaultEvery) != nil {
			return nil // the soak is over
		}
		if err := b.crash(b.family.workers[0]); err != nil {
			return err
		}
		p.Crashes++
		if err := b.family.hire(context.WithoutCancel(ctx), b.Config); err != nil {
			return err
		}
		maps.Copy(b.processes, b.family.pids())
	}
}

// witness reads log and fx as they grow and checks what must hold whatever has happened.
type witness struct {
	b       *run
	mu      sync.Mutex
	proof   Proof
	chains  map[string]link
	streams map[string]*fxStream
	read    map[string]uint64 // how far, by stream
	last    time.Time         // something was read
	quiet   time.Duration     // after which nothing more is expected
}

func newWitness(b *run) *witness {
	return &witness{b: b, chains: map[string]link{}, streams: map[string]*fxStream{}, read: map[string]uint64{}, quiet: 2 * time.Second}
}

// link is the last commit of a session.
type link struct{ number, sequence, fence uint64 }

// fxStream is what a session has published. Messages may come again and, after a lost
// acknowledgement, in another order; what counts is that no sequence is missing and none
// has two ids.
type fxStream struct {
	whole uint64            // every sequence up to here was seen
	ahead map[uint64]string // ids of those beyond
	ids   map[uint64]string // of the last ones, to know a repeat
}

// remembered is how many ids of a session are kept to compare repeats with.
const remembered = 64

func (w *witness) watch(ctx context.Context) (stop func(), err error) {
	var consuming []jetstream.ConsumeContext
	stop = func() {
		for _, c := range consuming {
			c.Stop()
		}
	}
	for shard := range w.b.ns.Shards() {
		for _, s := range []struct {
			stream, filter string
			read           func(jetstream.Msg) error
		}{
			{w.b.ns.LogStream(shard), w.b.ns.LogShard(shard), w.commit},
			{w.b.ns.FxStream(shard), w.b.ns.FxShard(shard), w.event},
		} {
			cons, err := w.b.js.OrderedConsumer(ctx, s.stream, jetstream.OrderedConsumerConfig{FilterSubjects: []string{s.filter}, HeadersOnly: true})
			if err != nil {
				stop()
				return nil, fmt.Errorf("consumer on %s: %w", s.stream, err)
			}
			c, err := cons.Consume(func(m jetstream.Msg) {
				w.mu.Lock()
				defer w.mu.Unlock()
				w.last = time.Now()
				meta, err := m.Metadata()
				if err == nil {
					w.read[s.stream] = meta.Sequence.Stream
					err = s.read(m)
				}
				if err != nil {
					w.wrong("%s: %v", m.Subject(), err)
				}
			}, jetstream.PullMaxMessages(4096))
			if err != nil {
				stop()
				return nil, fmt.Errorf("consume %s: %w", s.stream, err)
			}
			consuming = append(consuming, c)
		}
	}
	return stop, nil
}

func (w *witness) wrong(format string, args ...any) {
	w.proof.Count++
	if len(w.proof.Wrong) < 20 {
		w.proof.Wrong = append(w.proof.Wrong, fmt.Sprintf(format, args...))
	}
}

func (w *witness) commit(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	session, now, prev := subjects.Tail(m.Subject()), link{sequence: meta.Sequence.Stream}, uint64(0)
	for _, h := range []struct {
		name string
		into *uint64
	}{{subjects.HeaderCommit, &now.number}, {subjects.HeaderFence, &now.fence}, {subjects.HeaderPrev, &prev}} {
		if *h.into, err = strconv.ParseUint(m.Headers().Get(h.name), 10, 64); err != nil {
			return fmt.Errorf("%s at %d: %w", h.name, now.sequence, err)
		}
	}
	return w.chained(session, now, prev)
}

// chained holds a commit against its predecessor.
func (w *witness) chained(session string, now link, prev uint64) error {
	was := w.chains[session]
	if now.sequence <= was.sequence {
		return nil // the consumer was set up anew
	}
	w.proof.Commits++
	if now.fence > was.fence {
		w.proof.Claims++
	}
	w.chains[session] = now
	if now.number != was.number+1 || prev != was.sequence || now.fence < was.fence {
		return fmt.Errorf("commit %d (after %d, fence %d) at %d follows commit %d (fence %d) at %d",
			now.number, prev, now.fence, now.sequence, was.number, was.fence, was.sequence)
	}
	return nil
}

func (w *witness) event(m jetstream.Msg) error {
	_, _, session, err := w.b.ns.ParseSession(m.Subject())
	if err != nil {
		return err
	}
	n, err := strconv.ParseUint(m.Headers().Get("ce-"+subjects.ExtSequence), 10, 64)
	if err != nil {
		return fmt.Errorf("sequence: %w", err)
	}
	return w.published(session, n, m.Headers().Get("ce-id"))
}

// published notes an event of fx by its sequence and id.
func (w *witness) published(session string, n uint64, id string) error {
	s := w.streams[session]
	if s == nil {
		s = &fxStream{ahead: map[uint64]string{}, ids: map[uint64]string{}}
		w.streams[session] = s
	}
	if n <= s.whole || s.ahead[n] != "" {
		w.proof.Repeats++
		if was, ok := s.ids[n]; ok && was != id {
			return fmt.Errorf("sequence %d has the ids %s and %s", n, was, id)
		}
		return nil
	}
	w.proof.Events++
	s.ahead[n], s.ids[n] = id, id
	for s.ahead[s.whole+1] != "" {
		s.whole++
		delete(s.ahead, s.whole)
		delete(s.ids, s.whole-min(s.whole, remembered))
	}
	return nil
}

// caughtUp waits until nothing more comes, and everything there is was read: a consumer that
// has ended would prove nothing.
func (w *witness) caughtUp(ctx context.Context) error {
	for since := time.Now(); ; {
		w.mu.Lock()
		quiet := min(time.Since(w.last), time.Since(since))
		w.mu.Unlock()
		if quiet > w.quiet {
			unread, err := w.unread(ctx)
			if err != nil || unread == "" {
				return err
			}
			if quiet > w.b.Stall {
				return fmt.Errorf("the witness has stopped reading: %s", unread)
			}
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// unread says of a stream that the witness has not read to its end, "" if there is none.
func (w *witness) unread(ctx context.Context) (string, error) {
	for shard := range w.b.ns.Shards() {
		for _, name := range []string{w.b.ns.LogStream(shard), w.b.ns.FxStream(shard)} {
			s, err := w.b.js.Stream(ctx, name)
			if err != nil {
				return "", fmt.Errorf("stream %s: %w", name, err)
			}
			w.mu.Lock()
			read, last := w.read[name], s.CachedInfo().State.LastSeq
			w.mu.Unlock()
			if read < last {
				return fmt.Sprintf("%s was read up to %d of %d", name, read, last), nil
			}
		}
	}
	return "", nil
}

// verdict is the proof, with what is missing at the end.
func (w *witness) verdict() *Proof {
	w.mu.Lock()
	defer w.mu.Unlock()
	for session, s := range w.streams {
		if len(s.ahead) > 0 {
			w.wrong("%s: sequence %d was never published, %d later ones were", session, s.whole+1, len(s.ahead))
		}
	}
	return &w.proof
}
