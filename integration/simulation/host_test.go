package simulation

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/kalahari-run/kalahari/embedded"
)

// host is where the server runs. It serves nats.InProcessServer, whichever server runs
// there now.
type host struct {
	w       *world
	options embedded.Options

	mu     sync.Mutex
	server *embedded.Server
	down   bool // takes no connection
}

// start starts the server on what the last one left.
func (h *host) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := embedded.Start(ctx, h.options)
	if err != nil {
		return err
	}
	if err := s.Map(h.w.ns.Mappings()...); err != nil {
		s.Close()
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.server, h.down = s, false
	return nil
}

// stop stops the server; what only its memory held is gone. A server that is told to stop
// sleeps with a lock held, and in a bubble time would stand still if anybody wanted it: so
// first all connections end, and everything comes to rest.
func (h *host) stop() {
	h.mu.Lock()
	h.down = true
	h.mu.Unlock()
	h.w.net.part()
	_ = h.w.nc.ForceReconnect()
	time.Sleep(time.Millisecond)
	h.server.Close()
}

// InProcessConn connects to the server, if there is one.
func (h *host) InProcessConn() (net.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down {
		return nil, errUnreachable
	}
	return h.server.NATS().InProcessConn()
}

// suffer restarts the server at its times.
func (h *host) suffer(restarts []restart) {
	for _, r := range restarts {
		time.Sleep(time.Until(h.w.began.Add(r.at)))
		h.w.log.Info("the server is stopped", "over", r.over)
		// A server that is told to stop sleeps with a lock held: nobody may ask it anything
		// then, or not everything comes to rest. What it has been asked is done after the
		// sleep here.
		h.w.net.part()
		h.w.nc.ForceReconnect()
		time.Sleep(time.Millisecond)
		h.stop()
		time.Sleep(r.over)
		if err := h.start(); err != nil {
			h.w.fail("the server does not start again: %v", err)
			return
		}
		h.w.log.Info("the server is there again")
	}
}
