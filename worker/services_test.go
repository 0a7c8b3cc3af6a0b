package worker_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
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
