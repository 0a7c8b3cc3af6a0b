//go:build unix

package integration

import (
	"bufio"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// publication is what a client publishes, as the proxy sees it.
type publication struct {
	subject string
	body    string // headers, sorted, and data: the client writes them in any order
}

// fate is what the proxy does to a publication or to the answer to it.
type fate int

const (
	loseAnswer  fate = iota // the server has it, and its answer is not heard
	loseRequest             // the server never gets it
	lateAnswer              // the answer comes when nobody waits any more
	cutBehind               // the connection breaks once the server has it
)

// lateBy is longer than anybody waits for an answer.
const lateBy = 5500 * time.Millisecond

// trouble is a fate for the next publications that match.
type trouble struct {
	match    func(publication) bool
	fate     fate
	left     atomic.Int32
	taken    atomic.Int32 // publications it has befallen
	repeated atomic.Int32 // of those, published again with the same bytes
	mu       sync.Mutex
	bodies   map[publication]bool
}

// proxy stands between workers and the server. It reads the client protocol, so that it
// can lose the answer to one publication and let everything else pass.
type proxy struct {
	listener net.Listener
	server   string
	mu       sync.Mutex
	troubles []*trouble
	conns    map[net.Conn]bool
	all      sync.WaitGroup
}

func (w *world) proxy() *proxy {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	p := &proxy{listener: l, server: w.addr, conns: map[net.Conn]bool{}}
	p.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.all.Go(func() { p.carry(c) })
		}
	})
	w.t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.all.Wait()
	})
	return p
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

// make makes trouble for the next n publications that match.
func (p *proxy) make(n int32, f fate, match func(publication) bool) *trouble {
	t := &trouble{match: match, fate: f, bodies: map[publication]bool{}}
	t.left.Store(n)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = append(p.troubles, t)
	return t
}

// cut breaks all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// befalls finds the trouble that a publication runs into.
func (p *proxy) befalls(pub publication) *trouble {
	p.mu.Lock()
	troubles := slices.Clone(p.troubles)
	p.mu.Unlock()
	for _, t := range troubles {
		t.mu.Lock()
		if t.bodies[pub] {
			t.repeated.Add(1)
		}
		hit := t.left.Load() > 0 && t.match(pub)
		if hit {
			t.left.Add(-1)
			t.taken.Add(1)
			t.bodies[pub] = true
		}
		t.mu.Unlock()
		if hit {
			return t
		}
	}
	return nil
}

func (p *proxy) carry(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	var answers sync.Map // reply subject to the fate of what is sent there
	p.all.Go(func() {
		defer func() { _ = client.Close() }()
		defer func() { _ = server.Close() }()
		var writing sync.Mutex
		_ = frames(server, func(f frame) error {
			if v, doomed := answers.LoadAndDelete(f.subject); doomed {
				switch v.(fate) {
				case lateAnswer:
					p.all.Go(func() {
						time.Sleep(lateBy)
						writing.Lock()
						defer writing.Unlock()
						_, _ = client.Write(f.raw) // the client may be gone by now
					})
					return nil
				case cutBehind:
					return io.EOF
				}
				return nil
			}
			writing.Lock()
			defer writing.Unlock()
			_, err := client.Write(f.raw)
			return err
		})
	})
	_ = frames(client, func(f frame) error {
		if f.subject != "" {
			if t := p.befalls(publication{f.subject, f.canonical()}); t != nil {
				if t.fate == loseRequest {
					return nil
				}
				answers.Store(f.reply, t.fate)
			}
		}
		_, err := server.Write(f.raw)
		return err
	})
}

// frame is one protocol message. Those that carry a payload have a subject.
type frame struct {
	raw            []byte
	subject, reply string
	headers        int // bytes of body that are headers
	body           []byte
}

func (f *frame) canonical() string {
	headers := strings.Split(string(f.body[:f.headers]), "\r\n")
	slices.Sort(headers)
	return strings.Join(headers, "\r\n") + string(f.body[f.headers:])
}

// frames reads a connection message by message.
func frames(c net.Conn, f func(frame) error) error {
	r := bufio.NewReaderSize(c, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return err
		}
		out := frame{raw: line}
		// PUB subject [reply] n, MSG subject sid [reply] n; with headers two sizes.
		args := strings.Fields(string(line))
		fixed := map[string]int{"PUB": 3, "HPUB": 4, "MSG": 4, "HMSG": 5}
		if len(args) > 0 && fixed[args[0]] > 0 {
			size, err := strconv.Atoi(args[len(args)-1])
			if err != nil {
				return err
			}
			out.subject = args[1]
			if len(args) > fixed[args[0]] {
				out.reply = args[2]
			}
			if args[0][0] == 'H' {
				if out.headers, err = strconv.Atoi(args[len(args)-2]); err != nil {
					return err
				}
			}
			body := make([]byte, size+2)
			if _, err := io.ReadFull(r, body); err != nil {
				return err
			}
			out.body = body[:size]
			out.raw = append(line, body...)
		}
		if err := f(out); err != nil {
			return err
		}
	}
}
