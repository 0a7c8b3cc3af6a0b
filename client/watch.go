package client

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// watch hears the outcomes of one session while somebody waits for one.
//
// There is one per session and not one per client: a subscription over all sessions would
// bring every process every outcome of the namespace. And one per session rather than per
// call: many calls to one session would each get, and decode, the outcomes of all.
// Measured with 32 waits at once (BenchmarkPublishAndWait): on one session 0.4 to 0.8 ms a
// wait, 4.7 ms with a subscription per call; on 64 sessions 0.6 ms and 0.8 ms. One for all
// sessions saves a fifth of that as long as the client is alone in the namespace.
//
// It is a core subscription on fx, since what is published there is committed; what it
// misses the waits find out themselves. Where nothing is published on fx, or the client
// may not listen there, the feed is followed instead.
type watch struct {
	ready chan struct{} // closed when it hears, or cannot

	// Guarded by Client.mu.
	stop    func() // nil before it hears
	over    bool   // nobody waits any more
	waiters map[*waiter]struct{}
}

// waiter is one wait for an outcome.
type waiter struct {
	session string
	cause   string // the event's id

	mu     sync.Mutex
	target string // the input whose end is waited for, "" for a command

	// events gets what may concern the wait. If it is full, which behind says, the wait looks
	// itself.
	events chan Event
	behind chan struct{}
}

func newWaiter(session, cause, target string) *waiter {
	return &waiter{session: session, cause: cause, target: target, events: make(chan Event, 16), behind: make(chan struct{}, 1)}
}

func (w *waiter) aim(input string) {
	w.mu.Lock()
	w.target = input
	w.mu.Unlock()
}

// about is what waits are told apart by. It is read off an event once, however many waits look
// at it: a result may be large, and the waits of a batch are a thousand.
type about struct {
	cause string
	ended string // the input whose end it is, "" if it is none's
}

func aboutOf(ev *Event) about {
	a := about{cause: causeOf(ev)}
	if ev.Name == InputCompleted {
		a.ended = inputOf(ev)
	}
	return a
}

// concerns tells whether an event is about what is waited for.
func (w *waiter) concerns(a about) bool {
	if a.cause == w.cause {
		return true
	}
	w.mu.Lock()
	target := w.target
	w.mu.Unlock()
	return target != "" && a.ended == target
}

func causeOf(ev *Event) string {
	cause, _ := ev.Extensions()[subjects.ExtCausationID].(string)
	return cause
}

func inputOf(ev *Event) string {
	var data struct {
		InputID string `json:"input_id"`
	}
	if json.Unmarshal(ev.Data(), &data) != nil {
		return ""
	}
	return data.InputID
}

// register adds a wait, before anything is published, and returns when it hears. A watch
// that cannot be set up is no error: the wait looks itself.
func (c *Client) register(ctx context.Context, w *waiter) {
	c.mu.Lock()
	watched := c.watches[w.session]
	if watched == nil {
		watched = &watch{ready: make(chan struct{}), waiters: map[*waiter]struct{}{}}
		c.watches[w.session] = watched
		if c.closed {
			close(watched.ready)
		} else {
			c.group.Go(func() { c.open(watched, w.session) })
		}
	}
	watched.waiters[w] = struct{}{}
	c.mu.Unlock()
	select {
	case <-watched.ready:
	case <-ctx.Done():
	}
}

func (c *Client) open(watched *watch, session string) {
	stop, err := c.hear(session)
	if err != nil && c.ctx.Err() == nil {
		c.log.Warn("outcomes are not heard of, and looked for now and then", "session", session, "error", err)
	}
	c.mu.Lock()
	watched.stop = stop
	over := watched.over
	c.mu.Unlock()
	close(watched.ready)
	if over && stop != nil {
		stop()
	}
}

func (c *Client) unregister(w *waiter) {
	c.mu.Lock()
	watched := c.watches[w.session]
	delete(watched.waiters, w)
	var stop func()
	if len(watched.waiters) == 0 {
		delete(c.watches, w.session)
		watched.over, stop = true, watched.stop
	}
	c.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// hear subscribes to a session's outcomes.
func (c *Client) hear(session string) (stop func(), err error) {
	c.mu.Lock()
	access := c.fx
	c.mu.Unlock()
	if access == fxSilent {
		return c.hearFeed(session)
	}
	subject := c.ns.FxSession(session)
	sub, err := c.nc.Subscribe(subject, func(m *nats.Msg) { c.heard(session, m) })
	if err != nil {
		return nil, err
	}
	stop = func() { _ = sub.Unsubscribe() } // it fails only when the connection is closed
	if access == fxHeard {
		return stop, nil
	}
	// The first time, the server is asked something: the client learns that it minds in no
	// other way than by a refusal that comes before the answer. It is no flush, which never
	// ends on a connection that was once lost while it was being made (life.heard in worker/).
	ctx, cancel := context.WithTimeout(c.ctx, c.timeout)
	defer cancel()
	if _, _, err := subjects.Discover(ctx, c.js, c.ns.Name()); err != nil {
		return stop, nil // the subscription comes back with the connection
	}
	access = fxHeard
	if c.fxRefused() {
		access = fxSilent
		c.log.Warn("the client may not subscribe to fx and follows feeds to hear of outcomes", "subject", subject)
	}
	c.mu.Lock()
	c.fx = max(c.fx, access) // who asked at the same time may have learned more
	access = c.fx
	c.mu.Unlock()
	if access == fxSilent {
		stop()
		return c.hearFeed(session)
	}
	return stop, nil
}

// fxRefused tells whether the connection's last error is that it may not listen on fx. Of several
// refusals only the last is left, so that of any session counts.
func (c *Client) fxRefused() bool {
	err := c.nc.LastError()
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return false
	}
	_, rest, _ := strings.Cut(err.Error(), `"`)
	subject, _, _ := strings.Cut(rest, `"`)
	kind, _, _, _ := c.ns.ParseSession(subject) // of a foreign one there is none
	return kind == subjects.KindFx
}

// fxAccess is what the client knows of hearing outcomes on fx; what is greater is known better.
type fxAccess uint8

const (
	fxUntried fxAccess = iota
	fxHeard
	fxSilent // nothing is published there, or the client may not listen
)

// heard takes a message from fx.
func (c *Client) heard(session string, m *nats.Msg) {
	name := subjects.Tail(m.Subject)
	if !telling(name) {
		return
	}
	ev, err := subjects.DecodeMsg(m)
	if err != nil {
		c.log.Warn("an event on fx cannot be read", "subject", m.Subject, "error", err)
		return
	}
	_, p, err := subjects.ParseEventID(ev.ID())
	if err != nil {
		c.log.Warn("an event on fx has a foreign id", "subject", m.Subject, "error", err)
		return
	}
	text, err := subjects.EncodeJSON(ev)
	if err != nil {
		c.log.Warn("an event on fx cannot be written", "subject", m.Subject, "error", err)
		return
	}
	c.deliver(session, Event{Event: ev, Position: p, Name: name, JSON: text})
}

// hearFeed follows the session's feed from here on.
func (c *Client) hearFeed(session string) (stop func(), err error) {
	end, err := c.logEnd(c.ctx, session)
	if err != nil {
		return nil, err
	}
	r := c.reader(session)
	r.from, r.follow, r.opened = end.sequence+1, true, true
	reading, cancel := context.WithCancel(c.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		cancel()
		return nil, ErrClosed
	}
	c.group.Go(func() {
		err := r.run(reading, func(k *commit) error {
			return k.outcomes(func(ev Event) error {
				c.deliver(session, ev)
				return nil
			})
		})
		if reading.Err() == nil {
			c.log.Warn("the feed is not followed any more, outcomes are looked for now and then", "session", session, "error", err)
		}
	})
	return cancel, nil
}

func (c *Client) deliver(session string, ev Event) {
	what := aboutOf(&ev)
	c.mu.Lock()
	defer c.mu.Unlock()
	watched := c.watches[session]
	if watched == nil {
		return
	}
	for w := range watched.waiters {
		if !w.concerns(what) {
			continue
		}
		select {
		case w.events <- ev:
		default:
			select {
			case w.behind <- struct{}{}:
			default: // it knows
			}
		}
	}
}
