package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/kalahari-run/kalahari/client"
)

// getEffects streams the feed of a session: server-sent events, or a WebSocket if the
// client asks for one. Both carry each event exactly once, in order, and can be resumed.
func (g *Gateway) getEffects(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		streamHeader(w) // the feed has no end that could be waited for
		return
	}
	if err := g.streams.enter(); err != nil {
		describe(err).write(w)
		return
	}
	defer g.streams.leave()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(g.stopping, cancel)()

	opts, resumedBy := effectsOptions(r)
	items, stop := g.follow(ctx, r.PathValue("session"), opts)
	defer stop()
	// Nothing is answered before the feed is open: until then it can be refused.
	first, ok := <-items
	switch {
	case !ok:
		describe(errStops).write(w) // or the client is gone, and reads nothing
	case first.err != nil:
		d := describe(first.err)
		if errors.Is(first.err, client.ErrPosition) {
			d.Field = resumedBy
		}
		d.write(w)
	case strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		g.socket(ctx, w, r, first, items)
	default:
		g.sse(ctx, w, r.PathValue("session"), first, items)
	}
}

// effectsOptions reads the parameters; resumedBy is the one with the resume point.
func effectsOptions(r *http.Request) (opts client.EffectsOptions, resumedBy string) {
	q := r.URL.Query()
	opts.After, resumedBy = q.Get("after"), "after"
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		opts.After, resumedBy = last, "Last-Event-ID" // a browser that reconnects knows better than the address
	}
	opts.Latest = q.Has("latest") && opts.After == ""
	opts.Types = types(r)
	return opts, resumedBy
}

// types are the names of events to keep: ?types=A,B or ?types=A&types=B.
func types(r *http.Request) (names []string) {
	for _, list := range r.URL.Query()["types"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				names = append(names, name)
			}
		}
	}
	return names
}

// gap tells a reader that the log was trimmed behind its resume point.
type gap struct {
	// After is what the reader had read last, "" for nothing.
	After string `json:"after"`
	// Oldest is the first event that is left.
	Oldest string `json:"oldest"`
	// Position is the resume point behind the gap: the oldest event comes after it.
	Position string `json:"position"`
}

func gapOf(after string, e *client.GapError) *gap {
	return &gap{after, e.Oldest.String(), e.Resume()}
}

// item is one thing to tell a reader: an event, a gap, why the feed ends, or where the reader
// stands without any of them.
type item struct {
	event *client.Event
	gap   *gap
	err   error
	// at is a resume point. The first item has the one the feed is open at, which is told at
	// once: a reader that loses its connection before the first event misses nothing. Later
	// ones lie behind events the reader does not want; the newest is told with a heartbeat.
	at string
}

// follow reads a feed into a channel, so that heartbeats can go between. It is never ahead
// of the reader by more than one event, and the client below it by one batch of some
// megabytes: a slow client slows it down and nothing more piles up.
// Behind a gap it goes on with what is left. The first item comes when the feed is open, or
// cannot be opened; the channel is closed behind an error, and when ctx ends. stop ends it
// and waits for that.
func (g *Gateway) follow(ctx context.Context, session string, opts client.EffectsOptions) (items <-chan item, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan item)
	send := func(it item) bool {
		select {
		case out <- it:
			return true
		case <-ctx.Done():
			return false
		}
	}
	stands := func(after string) { send(item{at: after}) }
	opts.Opened, opts.Passed = stands, stands
	go func() {
		defer close(out)
		for again := true; again; {
			again = false
			for ev, err := range g.client.Effects(ctx, session, opts) {
				var lost *client.GapError
				switch {
				case ctx.Err() != nil:
					return
				case errors.As(err, &lost):
					again = send(item{gap: gapOf(opts.After, lost)})
					opts.After, opts.Latest, opts.Opened = lost.Resume(), false, nil
				case err != nil:
					send(item{err: err})
				case !send(item{event: &ev}):
					return
				default:
					opts.After = ev.Position.String()
				}
			}
		}
	}()
	return out, func() {
		cancel()
		for range out { // what it was about to send
		}
	}
}
