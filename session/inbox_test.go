package session

import (
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

func TestMain(m *testing.M) {
	ats.Register() // its ticker must not be started inside a bubble
	m.Run()
}

// post is an inbox whose deliveries a test may lose, and the stream that it reads.
type post struct {
	*embeddedtest.Env
	t      *testing.T
	inbox  *Inbox
	stream jetstream.Stream
	lose   atomic.Pointer[func(*nats.Msg) bool]
	sent   int
}

// posted runs a test on a server of its own, in fake time. nats.go flushes with a timer from
// a pool of the whole process when it reconnects, and a timer of one bubble is fatal in
// another: the pool is emptied.
func posted(t *testing.T, f func(t *testing.T, p *post)) {
	empty := func() { runtime.GC(); runtime.GC() }
	empty()
	defer empty()
	synctest.Test(t, func(t *testing.T) {
		p := &post{Env: embeddedtest.Provisioned(t, "test", 1), t: t}
		boxes, err := OpenMailboxes(t.Context(), p.JS, p.Namespace)
		if err != nil {
			t.Fatal(err)
		}
		p.stream = boxes[0]
		if p.inbox, err = OpenInbox(p.JS); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.inbox.Close)
		if err := p.inbox.sub.Unsubscribe(); err != nil {
			t.Fatal(err)
		}
		if p.inbox.sub, err = p.Conn.Subscribe(p.inbox.prefix+"*", func(m *nats.Msg) {
			if lose := p.lose.Load(); lose == nil || !(*lose)(m) {
				p.inbox.dispatch(m)
			}
		}); err != nil {
			t.Fatal(err)
		}
		f(t, p)
	})
}

func (p *post) losing(lose func(*nats.Msg) bool) { p.lose.Store(&lose) }

func (p *post) open(session string) *intake {
	p.t.Helper()
	in, err := p.inbox.open(p.t.Context(), p.stream, p.Namespace.Mailbox(session), 1, make(chan struct{}, 1), slog.New(slog.NewTextHandler(p.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		p.t.Fatal(err)
	}
	return in
}

func (p *post) send(session string, n int) {
	p.t.Helper()
	for range n {
		p.sent++
		if _, err := p.JS.Publish(p.t.Context(), p.Namespace.In(session), fmt.Append(nil, p.sent)); err != nil {
			p.t.Fatal(err)
		}
	}
}

// taken is what has come within a time, in order.
func taken(in *intake, within time.Duration) (all []string) {
	end := time.After(within)
	for {
		select {
		case <-in.stir:
			for a, ok := in.take(); ok; a, ok = in.take() {
				all = append(all, string(a.msg.Data))
			}
		case <-end:
			return all
		}
	}
}

func numbers(from, to int) (all []string) {
	for n := from; n <= to; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return all
}

func (p *post) want(got, want []string) {
	p.t.Helper()
	if !slices.Equal(got, want) {
		p.t.Errorf("%d messages came: %v", len(got), got)
	}
}

func (in *intake) present() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.consumer
}

// A delivery that is lost is asked for again: at once when the next one comes, with the
// heartbeat if none does.
func TestIntakeNoticesWhatIsLost(t *testing.T) {
	for _, lost := range []string{"1", "3", "5"} {
		t.Run(lost, func(t *testing.T) {
			posted(t, func(t *testing.T, p *post) {
				in, once := p.open("s"), false
				p.losing(func(m *nats.Msg) bool {
					hit := !once && string(m.Data) == lost
					once = once || hit
					return hit
				})
				p.send("s", 5)
				within := time.Second
				if lost == "5" {
					within = 2 * intakeHeartbeat
				}
				p.want(taken(in, within), numbers(1, 5))
			})
		})
	}
}

// A consumer of which nothing is heard any more is set up anew. One that has nothing to tell
// is heard of, and stays.
func TestIntakeNoticesSilence(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		in := p.open("s")
		first := in.present()
		p.want(taken(in, time.Hour), nil)
		if in.present() != first {
			t.Error("a consumer that had nothing to tell was set up anew")
		}
		p.losing(func(m *nats.Msg) bool { return strings.Contains(m.Subject+m.Reply, first) })
		p.send("s", 3)
		p.want(taken(in, 4*intakeHeartbeat), numbers(1, 3))
	})
}

// What is asked for fits, however long the session takes, and however much waits.
func TestIntakeAsksForWhatFits(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		in := p.open("s")
		first := in.present()
		p.send("s", 3*intakeBuffer)
		time.Sleep(intakeLife / 2) // later the server removes a consumer that nobody asks
		synctest.Wait()
		if n := len(in.waiting); n != intakeBuffer {
			t.Errorf("%d messages wait, there is room for %d", n, intakeBuffer)
		}
		p.want(taken(in, time.Second), numbers(1, 3*intakeBuffer))
		if in.present() != first {
			t.Error("the consumer was set up anew")
		}
		if cap(in.waiting) > intakeKeeps {
			t.Errorf("an empty intake keeps room for %d messages", cap(in.waiting))
		}
	})
}

// Nothing comes into an intake that was closed, and its consumer is gone.
func TestIntakeCloses(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		in := p.open("s")
		p.send("s", 2)
		synctest.Wait()
		in.close()
		in.remove()
		p.send("s", 2)
		p.want(taken(in, time.Second), numbers(1, 2))
		if info, err := p.stream.Info(t.Context()); err != nil || info.State.Consumers != 0 {
			t.Errorf("the stream has %d consumers, error %v", info.State.Consumers, err)
		}
	})
}

// After a reconnect every consumer is asked again, and goes on. Requests of earlier
// connections that the server still has do not add up.
func TestIntakesOutliveTheConnection(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		const sessions, times = 5 * setupsAtOnce, 5
		all := map[string]*intake{}
		for i := range sessions {
			all[fmt.Sprint("s", i)] = p.open(fmt.Sprint("s", i))
		}
		first := map[string]string{}
		for session, in := range all {
			first[session] = in.present()
		}
		for range times {
			p.reconnect()
			for session, in := range all {
				p.sent = 0
				p.send(session, 3)
				p.want(taken(in, 10*time.Millisecond), numbers(1, 3))
			}
		}
		time.Sleep(2 * intakePull)
		for session, in := range all {
			if sound, err := in.sound(); !sound || err != nil || in.present() != first[session] {
				t.Errorf("%s: the consumer was %s and is %s, sound: %v, %v", session, first[session], in.present(), sound, err)
			}
			if cons, err := p.stream.Consumer(t.Context(), in.present()); err != nil || cons.CachedInfo().NumWaiting != 1 {
				t.Errorf("%s: %d requests stand, error %v", session, cons.CachedInfo().NumWaiting, err)
			}
		}
		if info, err := p.stream.Info(t.Context()); err != nil || info.State.Consumers != sessions {
			t.Errorf("the stream has %d consumers, error %v", info.State.Consumers, err)
		}
	})
}

func (p *post) reconnect() {
	p.t.Helper()
	if err := p.Conn.ForceReconnect(); err != nil {
		p.t.Fatal(err)
	}
	time.Sleep(time.Second)
}

// What was on its way to the old connection is asked for again at once, also if nothing comes
// behind it; and a consumer that is gone is set up anew.
func TestIntakeNoticesWhatTheConnectionLost(t *testing.T) {
	for what, gone := range map[string]bool{"a message": false, "the consumer": true} {
		t.Run(what, func(t *testing.T) {
			posted(t, func(t *testing.T, p *post) {
				in := p.open("s")
				p.send("s", 2)
				p.want(taken(in, 100*time.Millisecond), numbers(1, 2))
				first := in.present()
				p.losing(func(m *nats.Msg) bool { return strings.Contains(m.Subject+m.Reply, first) })
				p.send("s", 1)
				if gone {
					if err := p.stream.DeleteConsumer(t.Context(), first); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				p.losing(func(*nats.Msg) bool { return false })
				p.reconnect()
				p.want(taken(in, 10*time.Millisecond), numbers(3, 3))
				if sound, err := in.sound(); !sound || err != nil || in.present() == first {
					t.Errorf("sound: %v, %v; the consumer was %s and is %s", sound, err, first, in.present())
				}
			})
		})
	}
}

// A stream that comes back without what has come through is noticed: a consumer that went on
// behind that would leave out what is stored meanwhile, without a word (PROTOCOL 18).
func TestIntakeNoticesARegressedStream(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		in := p.open("s")
		p.send("s", 5)
		p.want(taken(in, time.Second), numbers(1, 5))
		if err := p.JS.DeleteStream(t.Context(), p.Namespace.InStream(0)); err != nil {
			t.Fatal(err)
		}
		if err := subjects.Provision(t.Context(), p.JS, p.Namespace, subjects.Settings{}); err != nil {
			t.Fatal(err)
		}
		p.send("s", 2)
		p.want(taken(in, 4*intakeHeartbeat), nil)
		if sound, err := in.sound(); sound || err == nil {
			t.Errorf("sound: %v, %v", sound, err)
		}
	})
}

// A leader that has to catch up with what it has agreed to is waited for.
func TestIntakeWaitsForAStreamThatCatchesUp(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		in := p.open("s")
		p.inbox.forget(in.present()) // it was another leader's
		in.mu.Lock()
		in.next += 3 // which has delivered as much
		in.doubt(errSilent)
		in.mu.Unlock()
		time.Sleep(catchUp / 2)
		p.send("s", 5)
		p.want(taken(in, intakeHeartbeat), numbers(4, 5))
		if sound, err := in.sound(); !sound || err != nil {
			t.Errorf("sound: %v, %v", sound, err)
		}
	})
}

// The more consumers there are, the less often each says that it has nothing to tell; and
// those that do not say it more often are not taken for gone.
func TestHeartbeatsAreBounded(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		const sessions, perSecond = 40, 2
		p.inbox.hears = perSecond
		var heard atomic.Int64
		p.losing(func(m *nats.Msg) bool {
			if m.Header.Get("Status") == "100" {
				heard.Add(1)
			}
			return false
		})
		all, anew := map[*intake]string{}, 0
		for i := range sessions {
			in := p.open(fmt.Sprint("s", i))
			all[in] = in.present()
		}
		time.Sleep(2 * intakePull) // the first began when there were few
		synctest.Wait()
		heard.Store(0)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := heard.Load(); n == 0 || n > 600*perSecond {
			t.Errorf("%d heartbeats came in ten minutes, %d in a second are the most", n, perSecond)
		}
		for in, consumer := range all {
			if in.present() != consumer {
				anew++
			}
		}
		if anew > 0 {
			t.Errorf("%d consumers that had nothing to tell were set up anew", anew)
		}
	})
}

// A server with many consumers may be silent for longer than it was asked to be when there were
// few, and need not set up all of them anew.
func TestManyIntakesHavePatience(t *testing.T) {
	posted(t, func(t *testing.T, p *post) {
		const sessions, perSecond = 40, 2
		p.inbox.hears = perSecond
		all := map[*intake]string{}
		for i := range sessions {
			in := p.open(fmt.Sprint("s", i))
			all[in] = in.present()
		}
		p.losing(func(*nats.Msg) bool { return true })
		time.Sleep(sessions / perSecond * time.Second)
		p.losing(func(*nats.Msg) bool { return false })
		time.Sleep(2 * intakePull)
		for in, consumer := range all {
			if in.present() != consumer {
				t.Error("a consumer was set up anew")
			}
		}
	})
}
