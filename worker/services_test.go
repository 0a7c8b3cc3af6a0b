package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// road is a way to the server that can be closed, and that gives way under whoever carries
// much at once.
type road struct {
	mu     sync.Mutex
	closed bool
	weak   int // how many bytes of one write it bears, once; 0: all
	car    net.Conn
}

// Dial serves nats.CustomDialer.
func (r *road) Dial(network, address string) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, errors.New("the road is closed")
	}
	conn, err := net.Dial(network, address)
	r.car = conn
	return &car{conn, r}, err
}

func (r *road) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	_ = r.car.Close()
}

func (r *road) open(weak int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed, r.weak = false, weak
}

// gaveWay reports whether the road did what it was opened with.
func (r *road) gaveWay() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.closed && r.weak == 0
}

type car struct {
	net.Conn
	road *road
}

func (c *car) Write(b []byte) (int, error) {
	c.road.mu.Lock()
	bears := len(b)
	if c.road.weak > 0 && bears > c.road.weak {
		bears, c.road.weak = c.road.weak, 0
	}
	c.road.mu.Unlock()
	n, err := c.Conn.Write(b[:bears])
	if bears == len(b) {
		return n, err
	}
	_ = c.Conn.Close()
	m, err := c.Conn.Write(b[bears:])
	return n + m, err
}

// A worker starts on a connection that was lost once more while it was being made again,
// with flushes among what had piled up meanwhile: nats.go then waits for answers to PINGs
// it never sent, and no flush ends any more (life.heard).
func TestAWorkerStartsOnAConnectionThatCountsWrongly(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1, embeddedtest.Listening())
	r := &road{}
	nc, err := nats.Connect(env.Server.ClientURL(), nats.SetCustomDialer(r), nats.MaxReconnects(-1),
		nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	r.close()
	until(t, nc.IsReconnecting)
	for range 3 {
		if err := nc.FlushTimeout(time.Millisecond); err == nil {
			t.Fatal("a flush ends without a connection")
		}
	}
	if err := nc.Publish("anything", make([]byte, 100<<10)); err != nil {
		t.Fatal(err)
	}
	r.open(10 << 10)
	until(t, func() bool { return r.gaveWay() && nc.IsConnected() })

	w, err := worker.New(nc, env.Namespace, worker.Config{Name: "w", Executor: executor.Echo{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	until(t, func() bool { return w.Ready() == nil })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// startsOver counts how often a worker said so.
type startsOver struct {
	slog.Handler
	n atomic.Int64
}

func (s *startsOver) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "starts over") {
		s.n.Add(1)
	}
	return s.Handler.Handle(ctx, r)
}

// A worker that cannot be asked anything is no member: the others would leave it its share
// of what a dead worker had, again and again (the simulation found a session that nobody took
// for two minutes).
func TestAWorkerThatCannotServeIsNoMember(t *testing.T) {
	ns, err := subjects.NewNamespace("test", 1)
	if err != nil {
		t.Fatal(err)
	}
	s := embeddedtest.Run(t, embeddedtest.With(func(o *embedded.Options) {
		o.Adjust = func(so *server.Options) {
			so.NoAuthUser = "any"
			so.Users = []*server.User{
				{Username: "any", Password: "x"},
				{Username: "deaf", Password: "x", Permissions: &server.Permissions{Subscribe: &server.SubjectPermission{Deny: []string{ns.Probe("*")}}}},
			}
		}
	}))
	nc, js := embeddedtest.Connect(t, s)
	if err := subjects.Provision(t.Context(), js, ns, subjects.Settings{}); err != nil {
		t.Fatal(err)
	}
	store, err := kv.Open(t.Context(), js, ns)
	if err != nil {
		t.Fatal(err)
	}
	view, err := store.Members.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	changes := view.Changes()
	defer changes.Close()
	log := &startsOver{Handler: slog.NewTextHandler(t.Output(), nil)}
	deaf, _ := embeddedtest.Connect(t, s, nats.UserInfo("deaf", "x"), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	w, err := worker.New(deaf, ns, worker.Config{Name: "deaf", Executor: executor.Echo{}, Logger: slog.New(log)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	until(t, func() bool { return log.n.Load() >= 2 })
	for _, c := range changes.Take() {
		t.Errorf("%s is a member: %v", c.Info.Incarnation, c.State)
	}
	// The view hears of those who are.
	env := &embeddedtest.Env{Server: s, Namespace: ns, Conn: nc, JS: js}
	able := fleet(t, env, 1, nil)[0]
	until(t, func() bool { return able.Incarnation() != "" && view.Alive(able.Incarnation()) })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
