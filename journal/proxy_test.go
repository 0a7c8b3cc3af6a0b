package journal_test

import (
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a client and a server and loses what the test wants lost.
type proxy struct {
	listener net.Listener
	server   string
	swallow  atomic.Int32 // chunks from the server still to be lost

	mu    sync.Mutex
	conns []net.Conn
	all   sync.WaitGroup
}

func startProxy(t *testing.T, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, server: strings.TrimPrefix(server, "nats://")}
	p.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.carry(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.cut()
		p.all.Wait()
	})
	return p
}

func (p *proxy) url() string { return "nats://" + p.listener.Addr().String() }

// swallowAnswers loses the next chunks from the server, and then the connection, since a
// client cannot go on behind a hole.
func (p *proxy) swallowAnswers(chunks int32) { p.swallow.Store(chunks) }

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) carry(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	p.all.Go(func() {
		p.pipe(server, client, nil)
	})
	p.pipe(client, server, &p.swallow)
}

func (p *proxy) pipe(to, from net.Conn, swallow *atomic.Int32) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if swallow != nil && swallow.Load() > 0 {
			if swallow.Add(-1) == 0 {
				return
			}
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
