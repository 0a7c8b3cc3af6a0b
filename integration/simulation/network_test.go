package simulation

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"
)

// network carries every message between the parties and the server, one at a time: the
// next one goes on its way only when everything in the bubble has come to rest. Which one
// that is, of those that wait, and what befalls it, the seed decides.
type network struct {
	seed   uint64
	server *host
	faults faults

	mu        sync.Mutex
	links     map[string]*link
	ready     []*wire       // with messages waiting, in the order they were opened
	later     []*late       // messages held back
	forgotten []*time.Timer // end connections the server still believes in
	wires     int
	order     *rand.Rand
	dice      map[string]*rand.Rand
	arrived   chan struct{}
	stop      chan struct{}
	stopped   chan struct{}
	began     time.Time
	carried   []string       // everything delivered, in order
	befell    map[string]int // what happened how often
}

// wire is one direction of one connection.
type wire struct {
	id    int
	name  string
	conn  *connection
	to    net.Conn
	queue []*frame
	held  time.Time // nothing goes through before
	up    bool      // towards the server
}

// connection is one connection of a link.
type connection struct {
	link           *link
	client, server net.Conn
	up, down       *wire
	asked          map[string]class // reply subjects in use
	greeted        bool
	gone           bool
}

// link is how one party reaches the server: one connection after the other.
type link struct {
	net  *network
	name string
	made int
	conn *connection
	dead bool      // the process is no more: nothing goes through, ever
	held time.Time // nobody gets through before
}

// late is a message that was taken out of its line.
type late struct {
	due  time.Time
	n    int
	wire *wire
	f    *frame
}

func newNetwork(seed uint64, s *host, f faults) *network {
	n := &network{
		seed: seed, server: s, faults: f, links: map[string]*link{}, order: rand.New(rand.NewPCG(seed, 1)),
		dice: map[string]*rand.Rand{}, arrived: make(chan struct{}, 1), stop: make(chan struct{}), stopped: make(chan struct{}),
		began: time.Now(), befell: map[string]int{},
	}
	go n.run()
	return n
}

func (n *network) close() {
	close(n.stop)
	<-n.stopped
}

// heal ends all faults. What is held back is let go.
func (n *network) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = faults{}
	for _, l := range n.later {
		l.due = time.Now()
	}
	for _, l := range n.links {
		l.held = time.Time{}
		if l.conn != nil {
			l.conn.up.held, l.conn.down.held = time.Time{}, time.Time{}
		}
	}
	n.wake()
}

// part breaks all connections.
func (n *network) part() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.links {
		if l.conn != nil {
			n.drop(l.conn, false)
		}
	}
}

func (n *network) wake() {
	select {
	case n.arrived <- struct{}{}:
	default:
	}
}

// link makes a party's way to the server. It serves nats.InProcessServer.
func (n *network) link(name string) *link {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &link{net: n, name: name}
	n.links[name] = l
	return l
}

var errUnreachable = errors.New("the simulated network is down")

// InProcessConn connects the party to the server.
func (l *link) InProcessConn() (net.Conn, error) {
	n := l.net
	n.mu.Lock()
	down := l.dead || l.held.After(time.Now())
	n.mu.Unlock()
	if down {
		return nil, errUnreachable
	}
	outer, err := n.server.InProcessConn()
	if err != nil {
		return nil, err
	}
	mine, theirs := net.Pipe()
	n.mu.Lock()
	defer n.mu.Unlock()
	c := &connection{link: l, client: theirs, server: outer, asked: map[string]class{}}
	l.made++
	c.up = n.wire(fmt.Sprintf("%s.%d>", l.name, l.made), c, outer, true)
	c.down = n.wire(fmt.Sprintf("%s.%d<", l.name, l.made), c, theirs, false)
	l.conn = c
	go n.read(c.up, theirs)
	go n.read(c.down, outer)
	return mine, nil
}

func (n *network) wire(name string, c *connection, to net.Conn, up bool) *wire {
	n.wires++
	return &wire{id: n.wires, name: name, conn: c, to: to, up: up}
}

// read takes what one end sends.
func (n *network) read(w *wire, from net.Conn) {
	r := bufio.NewReaderSize(from, 64<<10)
	for {
		f, err := readFrame(r)
		if err != nil {
			n.mu.Lock()
			n.drop(w.conn, w.conn.link.dead)
			n.mu.Unlock()
			return
		}
		n.mu.Lock()
		greeting := !w.conn.greeted && !w.conn.gone
		if !greeting {
			n.enter(w, f)
		}
		n.mu.Unlock()
		if greeting {
			n.greet(w, f)
		}
	}
}

// greet lets the greeting of a new connection through at once: the client holds its lock
// all the while, so that not everything could come to rest before.
func (n *network) greet(w *wire, f *frame) {
	if f.verb == "PONG" && !w.up {
		n.mu.Lock()
		w.conn.greeted = true
		n.mu.Unlock()
	}
	_, _ = w.to.Write(f.raw) // a broken one is noticed by its readers
}

// enter decides what befalls a message and puts it in line.
func (n *network) enter(w *wire, f *frame) {
	c := w.conn
	if c.gone || c.link.dead {
		return
	}
	var kind class
	if w.up {
		if kind = f.published(); f.reply != "" && kind != protocol {
			c.asked[f.reply] = kind
		}
	} else {
		kind = f.delivered(func(subject string) (class, bool) { k, ok := c.asked[subject]; return k, ok })
	}
	fate := n.fate(c.link.name, kind)
	if fate.what != pass {
		n.befell[string(fate.what)+" "+string(kind)]++
	}
	switch fate.what {
	case lose:
		return
	case delay:
		n.hold(w, f, fate.by)
		return
	case twice:
		n.put(w, f)
		n.hold(w, f, fate.by)
		return
	case stall:
		w.held = maxTime(w.held, time.Now().Add(fate.by))
	case cutBefore:
		n.drop(c, false)
		return
	case cutBehind:
		n.put(w, f)
		n.put(w, nil)
		return
	}
	n.put(w, f)
}

// put appends a message to its line; nil is the end of the connection.
func (n *network) put(w *wire, f *frame) {
	if len(w.queue) == 0 {
		i, _ := slices.BinarySearchFunc(n.ready, w.id, func(w *wire, id int) int { return w.id - id })
		n.ready = slices.Insert(n.ready, i, w)
	}
	w.queue = append(w.queue, f)
	n.wake()
}

func (n *network) hold(w *wire, f *frame, by time.Duration) {
	n.later = append(n.later, &late{time.Now().Add(by), len(n.later), w, f})
	n.wake()
}

// serversPatience is how long the server believes in a connection whose host has vanished.
const serversPatience = time.Minute

// drop ends a connection. What is on its way is lost. If the host vanished, the server
// does not hear of it.
func (n *network) drop(c *connection, silently bool) {
	if c.gone {
		return
	}
	c.gone = true
	n.ready = slices.DeleteFunc(n.ready, func(w *wire) bool { return w == c.up || w == c.down })
	n.later = slices.DeleteFunc(n.later, func(l *late) bool { return l.wire.conn == c })
	_ = c.client.Close()
	if !silently {
		_ = c.server.Close()
		return
	}
	// Until the server gives up.
	n.forgotten = append(n.forgotten, time.AfterFunc(serversPatience, func() { _ = c.server.Close() }))
}

// run is the network's life.
func (n *network) run() {
	defer close(n.stopped)
	for {
		// A message takes its time, so that hardly two timers run out at the same moment:
		// which comes first then is the runtime's to say. While time goes on, everything
		// else is at rest.
		time.Sleep(time.Duration(1 + n.order.IntN(2000)))
		if n.step() {
			continue
		}
		var due <-chan time.Time
		if wait, ok := n.due(); ok {
			t := time.NewTimer(wait)
			due = t.C
		}
		select {
		case <-n.arrived:
		case <-due:
		case <-n.stop:
			n.mu.Lock()
			defer n.mu.Unlock()
			for _, t := range n.forgotten {
				t.Reset(0)
			}
			for _, l := range n.links {
				if l.conn != nil {
					n.drop(l.conn, false)
				}
			}
			return
		}
	}
}

// step lets one message through, if one may go.
func (n *network) step() bool {
	n.mu.Lock()
	now := time.Now()
	n.release(now)
	var open []*wire
	for _, w := range n.ready {
		if !w.held.After(now) {
			open = append(open, w)
		}
	}
	if len(open) == 0 {
		n.mu.Unlock()
		return false
	}
	w := open[n.order.IntN(len(open))]
	f := w.queue[0]
	if w.queue = w.queue[1:]; len(w.queue) == 0 {
		n.ready = slices.DeleteFunc(n.ready, func(x *wire) bool { return x == w })
	}
	if f == nil {
		n.drop(w.conn, false)
		n.mu.Unlock()
		return true
	}
	n.note(now, w, f)
	n.mu.Unlock()
	if _, err := w.to.Write(f.raw); err != nil {
		n.mu.Lock()
		n.drop(w.conn, w.conn.link.dead)
		n.mu.Unlock()
	}
	return true
}

// release puts in line what was held back until now.
func (n *network) release(now time.Time) {
	var due []*late
	n.later = slices.DeleteFunc(n.later, func(l *late) bool {
		if l.due.After(now) {
			return false
		}
		due = append(due, l)
		return true
	})
	slices.SortStableFunc(due, func(a, b *late) int { return a.due.Compare(b.due) })
	for _, l := range due {
		n.put(l.wire, l.f)
	}
}

// due is how long nothing can move.
func (n *network) due() (wait time.Duration, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var first time.Time
	see := func(t time.Time) {
		if first.IsZero() || t.Before(first) {
			first = t
		}
	}
	for _, l := range n.later {
		see(l.due)
	}
	for _, w := range n.ready {
		see(w.held)
	}
	return time.Until(first), !first.IsZero()
}

// note keeps a delivery: when, where and what.
func (n *network) note(now time.Time, w *wire, f *frame) {
	n.carried = append(n.carried, fmt.Sprintf("%s %s %q", now.Sub(n.began), w.name, f.raw))
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// cut breaks the link's connection.
func (l *link) cut() {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	if l.conn != nil {
		l.net.drop(l.conn, false)
	}
}

// hang holds everything in both directions for d, and refuses new connections.
func (l *link) hang(d time.Duration) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.held = time.Now().Add(d)
	if c := l.conn; c != nil {
		c.up.held, c.down.held = maxTime(c.up.held, l.held), maxTime(c.down.held, l.held)
	}
	l.net.wake()
}

// kill ends the process behind the link: nothing it says is heard any more. The server
// hears of it at once, as when a process dies, or only when its patience ends, as when a
// host does.
func (l *link) kill(silently bool) {
	l.net.mu.Lock()
	defer l.net.mu.Unlock()
	l.dead = true
	if l.conn != nil {
		l.net.drop(l.conn, silently)
	}
}
