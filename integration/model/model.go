// Package model is the ownership and commit protocol without its code: one session, its
// mailbox, owner key and log, and a few workers that claim, commit, publish, release and
// die. [Explore] visits every state it can reach, whatever is lost, late or wrongly
// suspected, and checks what docs/model.md promises. Rules can be switched off, to see
// what each is good for.
package model

import "fmt"

const (
	slots = 4 // incarnations there can be
	// MaxInputs is how many inputs the mailbox has room for.
	MaxInputs = 3
)

// Config is what is explored: the fleet, the load, the faults there may be, and the rules
// that are not kept.
type Config struct {
	Workers, Inputs uint8
	// FreshViews makes every worker see the owner key as it is. Otherwise what it sees may
	// be long past.
	FreshViews bool
	// Faults there may be at most: workers that die; living workers taken for dead;
	// answers that are lost.
	Crashes, Suspicions, Losses uint8
	Without                     Rule
}

// Rule is a set of rules of docs/protocol.md.
type Rule uint16

// The rules that can be switched off, with their numbers in docs/protocol.md.
const (
	AppendIsCAS       Rule = 1 << iota // 1: every append names the position folded
	StoredFirst                        // 3: nothing leaves before its commit is known stored
	FenceInTail                        // 10: a higher fence in the tail ends a claim
	ReadKeyAgain                       // 10: after the claim commit the key is read again
	AdoptOwnKey                        // 14: a key that names me and that I do not host is adopted
	OweNothing                         // 15: no release before everything is confirmed published
	LookAgain                          // 15: after the release the mailbox is looked at once more
	TakeOverAll                        // 16: a dead worker's key is taken over, inputs waiting or not
	Sweep                              // 17: the sweeper
	AckWhenTaken                       // 31: an activation is acked once its input is taken, not while a session leaves
	ConfirmedRestored                  // 32: the confirmed cursor is restored from the log, not guessed
)

var ruleNames = []string{
	"append-is-cas", "stored-first", "fence-in-tail", "read-key-again", "adopt-own-key", "owe-nothing", "look-again",
	"take-over-all", "sweep", "ack-when-taken", "confirmed-restored",
}

func (r Rule) String() string {
	text := ""
	for i, name := range ruleNames {
		if r&(1<<i) != 0 {
			if text != "" {
				text += " "
			}
			text += name
		}
	}
	return text
}

// pc is where a worker stands with the session.
type pc uint8

const (
	absent    pc = iota
	idle         // alive; does not host the session
	won          // the key is won, the log not read
	claimSent    // the claim commit is under way
	claimed      // it is stored; the key is to be read again
	serving      // the session lives here
	stepSent     // a commit is under way
	releasing    // the mailbox consumer is stopped, the release commit under way
	letGo        // the release commit is stored, the key to be deleted
	lookAgain    // the key is deleted
	leaving      // it has looked, and is still in the list of those it hosts
	refused      // an append was refused: the tail is to be read
	doubting     // the log went on without it: the key is to be read
	dead
)

var pcNames = [...]string{
	"absent", "idle", "won", "claim sent", "claimed", "serving", "step sent", "releasing", "letting go",
	"looking again", "leaving", "refused", "doubting", "dead",
}

// bytes is one append: what is tried at one position.
type bytes struct {
	kind                         pc // the state it is sent in
	at, fence, cursor, confirmed uint8
	sent                         bool // it may arrive, at any time and any number of times
}

// worker is one incarnation.
type worker struct {
	pc                             pc
	fence, tail, cursor, confirmed uint8
	view                           uint8 // whom it saw last on the key, +1
	append                         bytes
}

// state is everything. It is comparable, so that it can be looked up.
type state struct {
	published uint8 // inputs in the mailbox
	waiting   uint8 // activations not acked, a bit each
	revision  uint8 // of the owner key
	owner     uint8 // +1; 0: no key
	// The log: its length, and what its last commit says.
	length, fence, cursor, confirmed, writer uint8
	fx                                       uint8 // events on fx, each prefix complete
	notice                                   bool  // a death that nobody has acted on
	crashes, suspicions, losses              uint8 // left
	workers                                  [slots]worker
}

// step is one thing that may happen. A fault may happen; everything else happens sooner or
// later.
type step struct {
	name  string
	who   int
	fault bool
	to    state
	wrong string // the promise it breaks, if any
}

func (st step) String() string {
	if st.who < 0 {
		return st.name
	}
	return fmt.Sprintf("%c: %s", 'A'+st.who, st.name)
}

func (c Config) initial() state {
	s := state{crashes: c.Crashes, suspicions: c.Suspicions, losses: c.Losses}
	for i := range c.Workers {
		s.workers[i].pc = idle
	}
	return s
}

func (c Config) has(r Rule) bool { return c.Without&r == 0 }

func (p pc) alive() bool { return p != absent && p != dead }

// hosts tells whether the session is in the worker's memory.
func (p pc) hosts() bool { return p.alive() && p != idle }

// rest is what must be reached from everywhere without a further fault: every input is in
// the log and published, and nobody owns the session.
func (c Config) rest(s *state) bool {
	return s.published == c.Inputs && s.cursor == c.Inputs && s.fx == c.Inputs && s.owner == 0
}

// steps are all that can happen in a state.
func (c Config) steps(s *state) (all []step) {
	add := func(name string, who int, fault bool, change func(*state) string) {
		to := *s
		wrong := change(&to)
		c.tidy(&to)
		if to != *s || wrong != "" {
			all = append(all, step{name, who, fault, to, wrong})
		}
	}
	if s.published < c.Inputs {
		add("an input is published", -1, false, func(s *state) string {
			s.waiting |= 1 << s.published
			s.published++
			return ""
		})
	}
	living := uint8(0)
	for i := range s.workers {
		if s.workers[i].pc.alive() {
			living++
		}
	}
	for i := range s.workers {
		w := &s.workers[i]
		me := uint8(i + 1)
		if w.append.sent {
			c.arrive(s, i, add)
		}
		switch w.pc {
		case absent:
			if living < c.Workers {
				add("a new worker starts", i, false, func(s *state) string {
					s.workers[i] = worker{pc: idle, view: s.owner}
					return ""
				})
				living = c.Workers // the first free place is enough
			}
			continue
		case dead:
			continue
		}
		if s.crashes > 0 {
			add("dies", i, true, func(s *state) string {
				s.crashes--
				// What it sent may still arrive.
				s.workers[i] = worker{pc: dead, append: s.workers[i].append}
				s.notice = true
				return ""
			})
		}
		if !c.FreshViews {
			add("sees the key", i, false, func(s *state) string { s.workers[i].view = s.owner; return "" })
		}
		for n := range c.Inputs {
			if s.waiting&(1<<n) != 0 {
				c.activate(s, i, n, add)
			}
		}
		switch w.pc {
		case idle:
			c.acquire(s, i, add)
		case won:
			add("reads the log", i, false, func(s *state) string { return c.fold(s, i) })
			if s.length > 0 {
				// Or it takes the session for new, and learns from the refusal that it is not.
				add("takes the log for empty", i, false, func(s *state) string {
					s.send(i, claimSent, 0)
					return ""
				})
			}
		case claimed:
			add("reads the key again", i, false, func(s *state) string {
				w := &s.workers[i]
				if w.pc = serving; c.has(ReadKeyAgain) && !(s.owner == me && s.revision == w.fence) {
					s.forget(i)
				}
				return ""
			})
		case serving:
			c.serve(s, i, add)
		case letGo:
			add("deletes the key", i, false, func(s *state) string {
				w := &s.workers[i]
				if s.owner != me || s.revision != w.fence {
					s.forget(i)
					return ""
				}
				s.revision++
				s.owner = 0
				if w.pc = lookAgain; !c.has(LookAgain) {
					w.pc = leaving
				}
				return ""
			})
		case lookAgain:
			add("looks at the mailbox again", i, false, func(s *state) string {
				if w := &s.workers[i]; s.published > w.cursor && s.owner == 0 {
					s.claim(i)
				} else {
					w.pc = leaving
				}
				return ""
			})
		case leaving:
			add("is gone", i, false, func(s *state) string { s.forget(i); return "" })
		case refused:
			add("reads the tail", i, false, func(s *state) string {
				w := &s.workers[i]
				switch b := w.append; {
				case s.writer == me && s.length == b.at+1:
					c.stored(s, i)
				case s.length == b.at:
					w.pc = b.kind // the same bytes again
				default:
					w.pc = doubting
				}
				return ""
			})
		case doubting:
			add("reads the key", i, false, func(s *state) string {
				w := &s.workers[i]
				if s.owner == me && s.revision == w.fence {
					*w = worker{pc: won, fence: w.fence, view: w.view}
				} else {
					s.forget(i)
				}
				return ""
			})
		}
	}
	return all
}

// tidy drops what can have no consequence any more, so that states that differ in it
// alone are one: appends that can only be refused and whose writer does not wait for it, and
// who wrote the last commit if it does not ask.
func (c Config) tidy(s *state) {
	for i := range s.workers {
		w := &s.workers[i]
		waits := w.pc == w.append.kind || w.pc == refused
		if c.has(AppendIsCAS) && w.append.sent && w.append.at != s.length && !waits {
			w.append = bytes{}
		}
		if s.writer == uint8(i+1) && !waits {
			s.writer = 0
		}
	}
}

type adder func(name string, who int, fault bool, change func(*state) string)

// forget makes a worker let go of the session.
func (s *state) forget(i int) {
	s.workers[i] = worker{pc: idle, view: s.workers[i].view, append: s.workers[i].append}
}

// claim makes a worker the owner.
func (s *state) claim(i int) {
	s.revision++
	s.owner = uint8(i + 1)
	s.workers[i] = worker{pc: won, fence: s.revision, view: s.owner, append: s.workers[i].append}
}

// activate is the delivery of an activation.
func (c Config) activate(s *state, i int, n uint8, add adder) {
	w := &s.workers[i]
	ack := func(s *state) { s.waiting &^= 1 << n }
	switch {
	case w.pc.hosts():
		if !c.has(AckWhenTaken) || w.pc == serving && w.cursor > n {
			add("acks an activation of its session", i, false, func(s *state) string { ack(s); return "" })
		}
	case !c.FreshViews && w.view != 0 && w.view != uint8(i+1):
		// What it sees may be long past (PROTOCOL 17).
		add("acks an activation, since another owns the session", i, false, func(s *state) string { ack(s); return "" })
	case s.owner == 0:
		add("claims the key", i, false, func(s *state) string { s.claim(i); ack(s); return "" })
		if s.losses > 0 {
			add("claims the key and does not hear of it", i, true, func(s *state) string {
				s.losses--
				s.revision++
				s.owner = uint8(i + 1)
				return ""
			})
		}
	case s.owner != uint8(i+1) && s.workers[s.owner-1].pc.alive():
		add("acks an activation of a session that is owned", i, false, func(s *state) string { ack(s); return "" })
	}
}

// acquire are the ways to the key beside activation.
func (c Config) acquire(s *state, i int, add adder) {
	me := uint8(i + 1)
	take := func(s *state) string { s.claim(i); return "" }
	if s.owner == me && c.has(AdoptOwnKey) {
		add("adopts the key that names it", i, false, func(s *state) string {
			s.workers[i] = worker{pc: won, fence: s.revision, view: me, append: s.workers[i].append}
			return ""
		})
	}
	owed := s.published > s.cursor
	orphan := s.owner != 0 && s.owner != me && s.workers[s.owner-1].pc == dead && (c.has(TakeOverAll) || owed)
	if orphan && s.notice {
		add("takes over from the dead", i, false, func(s *state) string { s.notice = false; return take(s) })
		if s.losses > 0 {
			add("misses that a worker died", i, true, func(s *state) string { s.notice = false; s.losses--; return "" })
		}
	}
	if s.owner != 0 && s.owner != me && s.workers[s.owner-1].pc.alive() && s.suspicions > 0 {
		add("takes over from the living", i, true, func(s *state) string { s.suspicions--; return take(s) })
	}
	if c.has(Sweep) && (orphan || s.owner == 0 && owed) {
		add("sweeps", i, false, take)
	}
}

// fold reads the log and sends the claim commit.
func (c Config) fold(s *state, i int) string {
	w := &s.workers[i]
	if s.fence > w.fence && c.has(FenceInTail) {
		if s.owner == uint8(i+1) && s.revision == w.fence {
			return "a session whose key is right is quarantined"
		}
		s.forget(i)
		return ""
	}
	w.tail, w.cursor, w.confirmed = s.length, s.cursor, s.confirmed
	if !c.has(ConfirmedRestored) {
		w.confirmed = w.cursor
	}
	s.send(i, claimSent, w.cursor)
	return ""
}

func (s *state) send(i int, kind pc, cursor uint8) {
	w := &s.workers[i]
	w.pc = kind
	w.append = bytes{kind, w.tail, w.fence, cursor, w.confirmed, true}
}

// arrive is an append that reaches the server: at any time after it was sent, even if
// whoever sent it is dead or has given up, and any number of times.
func (c Config) arrive(s *state, i int, add adder) {
	b := s.workers[i].append
	waits := s.workers[i].pc == b.kind && s.workers[i].pc != dead
	if c.has(AppendIsCAS) && b.at != s.length {
		if waits {
			add("its append is refused", i, false, func(s *state) string { s.workers[i].pc = refused; return "" })
		}
		return
	}
	store := func(s *state) (wrong string) {
		switch {
		case b.at != s.length:
			wrong = "a commit stands behind one that its writer has not seen"
		case b.fence < s.fence:
			wrong = "a fence stands behind a higher one"
		case b.cursor < s.cursor:
			wrong = "an input is applied twice"
		}
		s.length++
		s.fence, s.cursor, s.confirmed, s.writer = b.fence, b.cursor, max(s.confirmed, b.confirmed), uint8(i+1)
		return wrong
	}
	if !waits {
		add("an old append is stored", i, false, store)
		return
	}
	add("its append is stored", i, false, func(s *state) string {
		wrong := store(s)
		c.stored(s, i)
		return wrong
	})
	if s.losses > 0 {
		add("its append is stored and it does not hear of it", i, true, func(s *state) string {
			s.losses--
			return store(s)
		})
	}
}

// stored is what follows an append that is known stored.
func (c Config) stored(s *state, i int) {
	w := &s.workers[i]
	b := w.append
	w.tail, w.cursor = b.at+1, b.cursor
	switch b.kind {
	case claimSent:
		w.pc = claimed
	case stepSent:
		w.pc = serving
	case releasing:
		w.pc = letGo
	}
	w.append = bytes{}
}

// serve is the session's life.
func (c Config) serve(s *state, i int, add adder) {
	w := &s.workers[i]
	me := uint8(i + 1)
	if s.published > w.cursor {
		add("takes an input", i, false, func(s *state) string {
			s.send(i, stepSent, w.cursor+1)
			if !c.has(StoredFirst) {
				return s.publish(i, w.cursor+1)
			}
			return ""
		})
	}
	if w.confirmed < w.cursor {
		add("publishes an event", i, false, func(s *state) string {
			s.workers[i].confirmed++
			return s.publish(i, w.confirmed+1)
		})
		if s.losses > 0 {
			add("publishes an event and does not hear of it", i, true, func(s *state) string {
				s.losses--
				return s.publish(i, w.confirmed+1)
			})
		}
	}
	if s.published == w.cursor && (w.confirmed == w.cursor || !c.has(OweNothing)) {
		add("stops reading and releases", i, false, func(s *state) string { s.send(i, releasing, w.cursor); return "" })
	}
	if w.view != me && w.view != 0 {
		// It is told that the key changed hands (PROTOCOL 14).
		add("asks whose the key is", i, false, func(s *state) string {
			if s.owner == me && s.revision == w.fence {
				s.workers[i].view = me
			} else {
				s.forget(i)
			}
			return ""
		})
	}
}

// publish puts event n on fx.
func (s *state) publish(i int, n uint8) string {
	if n > s.cursor {
		s.fx = max(s.fx, n)
		return "an event is published that is not in the log"
	}
	if n > s.fx+1 {
		return "fx has a gap"
	}
	s.fx = max(s.fx, n)
	return ""
}
