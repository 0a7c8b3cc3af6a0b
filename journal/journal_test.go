package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/subjects"
)

func open(t testing.TB) (*embeddedtest.Env, *journal.Log) {
	t.Helper()
	env := embeddedtest.Provisioned(t, "test", 2)
	log, err := journal.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return env, log
}

func read(t *testing.T, log *journal.Log, session string, from journal.Position) ([]string, journal.Position, error) {
	t.Helper()
	var bodies []string
	collect := func(m *journal.Message) error {
		bodies = append(bodies, string(m.Data))
		return nil
	}
	at, err := log.Fold(t.Context(), session, from, collect)
	tail, noTail := log.Last(t.Context(), session)
	if noTail != nil || tail == nil {
		return bodies, at, err
	}
	// Who has read the tail comes to the same.
	folded := bodies
	bodies = nil
	to, toErr := log.FoldTo(t.Context(), session, from, tail, collect)
	sound := err == nil && toErr == nil && to == at && fmt.Sprint(bodies) == fmt.Sprint(folded)
	if broken := errors.Is(err, journal.ErrBroken) && errors.Is(toErr, journal.ErrBroken); !sound && !broken {
		t.Errorf("folded %v to %+v, %v; with the tail %v to %+v, %v", folded, at, err, bodies, to, toErr)
	}
	return folded, at, err
}

func TestCommitsFormAChain(t *testing.T) {
	_, log := open(t)
	w := log.Writer("s1", "worker", 5, journal.Position{})
	other := log.Writer("s2", "worker", 6, journal.Position{})
	for i := range 5 {
		if err := w.Append(t.Context(), nil, []byte(fmt.Sprint("c", i))); err != nil {
			t.Fatal(err)
		}
		if err := other.Append(t.Context(), nil, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	bodies, at, err := read(t, log, "s1", journal.Position{})
	if err != nil || fmt.Sprint(bodies) != "[c0 c1 c2 c3 c4]" || at != w.Position() || at.Number != 5 || at.Fence != 5 {
		t.Fatalf("folded %v to %+v, %v; the writer is at %+v", bodies, at, err, w.Position())
	}
	// A new owner goes on behind it; the old one is refused for good.
	next := log.Writer("s1", "worker", 9, at)
	if err := next.Append(t.Context(), nil, []byte("claim")); err != nil {
		t.Fatal(err)
	}
	err = w.Append(t.Context(), nil, []byte("stale"))
	var moved *journal.MovedError
	if !errors.As(err, &moved) || !errors.Is(err, journal.ErrMoved) || moved.Tail.Fence != 9 {
		t.Fatalf("a stale append: %v", err)
	}
	if bodies, _, err = read(t, log, "s1", at); err != nil || fmt.Sprint(bodies) != "[claim]" {
		t.Fatalf("behind the old owner: %v, %v", bodies, err)
	}
}

// Who has seen a tail that is not there any more does not take what comes before it for all.
func TestALogThatEndsBeforeItsTail(t *testing.T) {
	env, log := open(t)
	w := log.Writer("s1", "worker", 5, journal.Position{})
	for range 3 {
		if err := w.Append(t.Context(), nil, []byte("c")); err != nil {
			t.Fatal(err)
		}
	}
	tail, err := log.Last(t.Context(), "s1")
	if err != nil {
		t.Fatal(err)
	}
	for gone := range uint64(2) {
		if err := log.Stream("s1").DeleteMsg(t.Context(), tail.Sequence-gone); err != nil {
			t.Fatal(err)
		}
	}
	at, err := log.FoldTo(t.Context(), "s1", journal.Position{}, tail, func(*journal.Message) error { return nil })
	if err == nil || at.Number != 1 {
		t.Errorf("%s was folded to %+v, %v", env.Namespace.Log("s1"), at, err)
	}
}

// A long log is not read message by message: a takeover would take as many round trips.
func TestALongLogIsReadInBulk(t *testing.T) {
	const commits = 500
	env, log := open(t)
	w := log.Writer("s1", "worker", 5, journal.Position{})
	other := log.Writer("s2", "worker", 6, journal.Position{})
	var want []string
	for i := range commits {
		want = append(want, fmt.Sprint("c", i))
		if err := w.Append(t.Context(), nil, []byte(want[i])); err != nil {
			t.Fatal(err)
		}
		if err := other.Append(t.Context(), nil, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	asked, err := env.JS.Conn().SubscribeSync("$JS.API.STREAM.MSG.GET.>")
	if err != nil {
		t.Fatal(err)
	}
	bodies, at, err := read(t, log, "s1", journal.Position{})
	if err != nil || fmt.Sprint(bodies) != fmt.Sprint(want) || at != w.Position() {
		t.Fatalf("folded %d commits to %+v, %v; the writer is at %+v", len(bodies), at, err, w.Position())
	}
	if err := env.JS.Conn().Flush(); err != nil {
		t.Fatal(err)
	}
	n, _, err := asked.Pending()
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 || n > commits/5 {
		t.Errorf("%d questions to the leader for %d commits", n, commits)
	}
}

// Who knows the tail knows how long the log is, and reads all of it in bulk.
func TestATailTellsHowLongTheLogIs(t *testing.T) {
	env, log := open(t)
	w := log.Writer("s1", "worker", 5, journal.Position{})
	append20 := func() *journal.Message {
		for range 20 {
			if err := w.Append(t.Context(), nil, []byte("c")); err != nil {
				t.Fatal(err)
			}
		}
		tail, err := log.Last(t.Context(), "s1")
		if err != nil {
			t.Fatal(err)
		}
		return tail
	}
	fold := func(from journal.Position, to *journal.Message) (n, questions int) {
		asked, err := env.JS.Conn().SubscribeSync("$JS.API.STREAM.MSG.GET.>")
		if err != nil {
			t.Fatal(err)
		}
		at, err := log.FoldTo(t.Context(), "s1", from, to, func(*journal.Message) error { n++; return nil })
		if err != nil || at.Sequence < to.Sequence {
			t.Fatalf("%+v, %v, and the tail stands at %d", at, err, to.Sequence)
		}
		if err := env.JS.Conn().Flush(); err != nil {
			t.Fatal(err)
		}
		questions, _, err = asked.Pending()
		if err = errors.Join(err, asked.Unsubscribe()); err != nil {
			t.Fatal(err)
		}
		return n, questions
	}
	first := append20()
	if n, questions := fold(journal.Position{}, first); n != 20 || questions != 0 {
		t.Errorf("%d commits, with %d questions to the leader, who had told of the tail", n, questions)
	}
	if n, questions := fold(journal.Position{Number: 18, Sequence: 18, Fence: 5}, first); n != 2 || questions != 1 {
		t.Errorf("two commits: %d, with %d questions", n, questions)
	}
	append20() // the log has gone on since the tail was read
	if n, _ := fold(journal.Position{}, first); n < 20 || n > 40 {
		t.Errorf("%d commits up to the 20th of 40", n)
	}
}

// A session recovered under the fence it has gets a new writer. Its ids must be new too: it
// would take an old commit in the tail for its own.
func TestANewWriterUnderTheSameFenceHasNewIDs(t *testing.T) {
	_, log := open(t)
	seen := map[string]bool{}
	at := journal.Position{}
	for range 3 {
		w := log.Writer("s1", "worker", 7, at)
		for range 2 {
			if err := w.Append(t.Context(), nil, []byte("x")); err != nil {
				t.Fatal(err)
			}
			tail, err := log.Last(t.Context(), "s1")
			if err != nil {
				t.Fatal(err)
			}
			if seen[tail.ID] {
				t.Errorf("commit id %s was used twice", tail.ID)
			}
			seen[tail.ID] = true
		}
		at = w.Position()
	}
}

// One subject, many writers: each position is won by exactly one.
func TestCompetingWritersMakeOneHistory(t *testing.T) {
	_, log := open(t)
	const writers, rounds = 8, 30
	at := journal.Position{}
	for range rounds {
		var mu sync.Mutex
		var wins []journal.Position
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				w := log.Writer("s1", fmt.Sprint("w", i), uint64(i+1)+at.Fence, at)
				if err := w.Append(t.Context(), nil, []byte("x")); err == nil {
					mu.Lock()
					wins = append(wins, w.Position())
					mu.Unlock()
				} else if !errors.Is(err, journal.ErrMoved) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if len(wins) != 1 {
			t.Fatalf("%d writers won position %d", len(wins), at.Number+1)
		}
		at = wins[0]
	}
	if _, end, err := read(t, log, "s1", journal.Position{}); err != nil || end != at {
		t.Fatalf("folded to %+v, %v; the last winner is at %+v", end, err, at)
	}
}

func TestABrokenChainIsNotFolded(t *testing.T) {
	env, log := open(t)
	put := func(number, fence, prev string) {
		t.Helper()
		_, err := env.JS.PublishMsg(t.Context(), &nats.Msg{Subject: env.Namespace.Log("s1"), Header: nats.Header{
			subjects.HeaderCommitID: {"id" + number + fence}, subjects.HeaderCommit: {number},
			subjects.HeaderFence: {fence}, subjects.HeaderPrev: {prev},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	stream, err := env.JS.Stream(t.Context(), env.Namespace.LogStream(env.Namespace.Shard("s1")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ what, number, fence, prev string }{
		{"a gap in the numbers", "3", "5", "1"},
		{"a repeated number", "1", "5", "1"},
		{"a fence that goes back", "2", "4", "1"},
		{"another predecessor", "2", "5", "77"},
		{"a number that is none", "two", "5", "1"},
	} {
		t.Run(c.what, func(t *testing.T) {
			if err := stream.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			put("1", "5", "0")
			first, err := log.Last(t.Context(), "s1")
			if err != nil {
				t.Fatal(err)
			}
			if c.prev == "1" {
				c.prev = fmt.Sprint(first.Sequence)
			}
			put(c.number, c.fence, c.prev)
			if _, _, err := read(t, log, "s1", journal.Position{}); !errors.Is(err, journal.ErrBroken) {
				t.Errorf("folded it: %v", err)
			}
		})
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	put("7", "5", "6")
	if _, _, err := read(t, log, "s1", journal.Position{}); !errors.Is(err, journal.ErrBroken) {
		t.Errorf("folded a log whose beginning is gone, without a snapshot: %v", err)
	}
}

func TestTrimKeepsWhatASnapshotNeeds(t *testing.T) {
	_, log := open(t)
	w := log.Writer("s1", "worker", 1, journal.Position{})
	var at []journal.Position
	for range 6 {
		if err := w.Append(t.Context(), nil, []byte("x")); err != nil {
			t.Fatal(err)
		}
		at = append(at, w.Position())
	}
	if err := log.Trim(t.Context(), "s1", at[3].Sequence); err != nil {
		t.Fatal(err)
	}
	if bodies, end, err := read(t, log, "s1", at[3]); err != nil || len(bodies) != 2 || end != at[5] {
		t.Errorf("folded %d commits to %+v, %v", len(bodies), end, err)
	}
	if _, _, err := read(t, log, "s1", at[1]); !errors.Is(err, journal.ErrBroken) {
		t.Errorf("a snapshot older than the trimmed log was folded: %v", err)
	}
}

// An append whose ack never comes is undecided, not failed: the same bytes are tried
// until the outcome is known. Here the connection is cut while appends are under way.
func TestALostAckIsResolved(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1, embeddedtest.Listening())
	proxy := startProxy(t, env.Server.ClientURL())
	nc, err := nats.Connect(proxy.url(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	log, err := journal.Open(t.Context(), js, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	w := log.Writer("s1", "worker", 1, journal.Position{})
	w.AttemptTimeout = 200 * time.Millisecond
	unknown := 0
	w.Unknown = func(error) { unknown++ }
	for i := range 30 {
		if i%5 == 2 {
			proxy.swallowAnswers(3) // the append is stored, its ack is not heard
		}
		if i%5 == 4 {
			proxy.cut()
		}
		if err := w.Append(t.Context(), nil, []byte(fmt.Sprint("c", i))); err != nil {
			t.Fatalf("append %d: %v", i, err)
		}
	}
	bodies, at, err := read(t, log, "s1", journal.Position{})
	if err != nil || len(bodies) != 30 || at != w.Position() {
		t.Fatalf("%d commits, folded to %+v, %v; the writer is at %+v", len(bodies), at, err, w.Position())
	}
	for i, b := range bodies {
		if b != fmt.Sprint("c", i) {
			t.Fatalf("commit %d is %q", i+1, b)
		}
	}
	if unknown == 0 {
		t.Error("no outcome was ever unknown: the proxy did nothing")
	}
	t.Logf("%d tries ended undecided", unknown)
}

func TestAnAppendEndsWithItsContext(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1, embeddedtest.Listening())
	nc, js := embeddedtest.Connect(t, env.Server)
	log, err := journal.Open(t.Context(), js, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	env.Server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	w := log.Writer("s1", "worker", 1, journal.Position{})
	if err := w.Append(ctx, nil, []byte("x")); !errors.Is(err, journal.ErrUndecided) {
		t.Errorf("without a server: %v", err)
	}
	nc.Close()
}

func BenchmarkCommit(b *testing.B) {
	_, log := open(b)
	body := make([]byte, 4096)
	b.Run("one", func(b *testing.B) {
		w := log.Writer(fmt.Sprint("one-", b.N), "worker", 1, journal.Position{})
		for range b.N {
			if err := w.Append(b.Context(), nil, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		var n sync.Mutex
		next := 0
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			n.Lock()
			next++
			w := log.Writer(fmt.Sprint("p", b.N, "-", next), "worker", 1, journal.Position{})
			n.Unlock()
			for pb.Next() {
				if err := w.Append(b.Context(), nil, body); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}
