package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server/ats"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

func TestMain(m *testing.M) {
	ats.Register() // its ticker must not be started inside a bubble
	m.Run()
}

// line is a worker's way to a server that may be another one after a while, or none.
type line struct {
	mu   sync.Mutex
	to   *embedded.Server
	open net.Conn
}

// Dial implements nats.CustomDialer.
func (l *line) Dial(string, string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to == nil {
		return nil, errors.New("nobody is there")
	}
	var err error
	l.open, err = l.to.NATS().InProcessConn()
	return l.open, err
}

// SkipTLSHandshake tells nats.go to leave the connection as it is.
func (l *line) SkipTLSHandshake() bool { return true }

// lead cuts the present connection. The next one is to s, nil for none.
func (l *line) lead(s *embedded.Server) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.to = s; l.open != nil {
		_ = l.open.Close()
	}
}

// Whatever becomes of the request that stands with a shard's activation consumer, or of the
// consumer, the input of a session that nobody hosts is told of. The sweeper is too slow to
// help.
func TestActivationIsFoundAgain(t *testing.T) {
	type scene struct {
		*embeddedtest.Env
		worker  *line
		restart func()
	}
	const consumer = "kalahari-activation"
	gone := func(t *testing.T, s *scene) {
		if err := s.JS.DeleteConsumer(t.Context(), s.Namespace.InStream(0), consumer); err != nil {
			t.Fatal(err)
		}
	}
	// Less than it takes to notice that the consumer is silent.
	const soon = 3 * time.Second
	for _, c := range []struct {
		name    string
		happens func(t *testing.T, s *scene)
		within  time.Duration
	}{
		{"nothing", func(*testing.T, *scene) {}, soon},
		{"the consumer is deleted", gone, soon},
		{"the server is restarted and has forgotten the consumer", func(t *testing.T, s *scene) {
			time.Sleep(time.Minute) // the worker has seen how far it was
			s.restart()
			s.worker.lead(s.Server)
			until(t, func() bool {
				c, err := s.JS.Consumer(t.Context(), s.Namespace.InStream(0), consumer)
				return err == nil && c.CachedInfo().Config.OptStartSeq == 2 // behind the first input
			})
		}, soon},
		{"requests are lost", func(t *testing.T, s *scene) {
			s.restart()
			next := "$JS.API.CONSUMER.MSG.NEXT." + s.Namespace.InStream(0) + "." + consumer
			lost, err := s.Conn.SubscribeSync("lost")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Server.Map(subjects.Mapping{Source: next, Destination: "lost"}); err != nil {
				t.Fatal(err)
			}
			s.worker.lead(s.Server)
			if _, err := lost.NextMsg(time.Minute); err != nil {
				t.Fatal(err)
			}
			if !s.Server.NATS().GlobalAccount().RemoveMapping(next) {
				t.Fatal("requests are lost for good")
			}
		}, 15 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			// nats.go flushes with a timer from a pool of the whole process when it reconnects,
			// and a timer of one bubble is fatal in another: the pool is emptied.
			empty := func() { runtime.GC(); runtime.GC() }
			empty()
			defer empty()
			synctest.Test(t, func(t *testing.T) {
				store := t.TempDir()
				dir := embeddedtest.With(func(o *embedded.Options) { o.DataDir = store })
				s := &scene{Env: embeddedtest.Provisioned(t, "test", 1, dir), worker: &line{}}
				s.restart = func() {
					s.worker.lead(nil)
					synctest.Wait()
					s.Server.Close()
					s.Server = embeddedtest.Run(t, dir)
					if err := s.Server.Map(s.Namespace.Mappings()...); err != nil {
						t.Fatal(err)
					}
					s.Conn, s.JS = embeddedtest.Connect(t, s.Server)
				}
				s.worker.lead(s.Server)
				nc, err := nats.Connect("nats://127.0.0.1:1", nats.SkipHostLookup(), nats.SetCustomDialer(s.worker),
					nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				w, err := worker.New(nc, s.Namespace, worker.Config{
					Executor: executor.Echo{}, SweepEvery: time.Hour, Detector: worker.DetectorOff,
					Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, leave := context.WithCancel(t.Context())
				left := make(chan error)
				go func() { left <- w.Run(ctx) }()
				defer func() {
					leave()
					if err := <-left; err != nil {
						t.Error(err)
					}
				}()
				until(t, func() bool { return w.Ready() == nil })
				done := outcomes(t, s.Env, s.Namespace.Fx("first", "InputCompleted"))
				publish(t, s.Env, "first", prompt("p1", "x"))
				next(t, done)
				c.happens(t, s)
				done = outcomes(t, s.Env, s.Namespace.Fx("cold", "InputCompleted"))
				publish(t, s.Env, "cold", prompt("p2", "x"))
				select {
				case <-done:
				case <-time.After(c.within):
					t.Errorf("nobody looked after the session within %s", c.within)
				}
			})
		})
	}
}
