package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/client"
)

// getEffects streams the feed of a session: server-sent events, or a WebSocket if the
// client asks for one. Both carry each event exactly once, in order, and can be resumed.
func (g *Gateway) getEffects(w http.ResponseWriter, r *http.Request) {
	opts, err := effectsOptions(r)
	if err != nil {
		problem(w, http.StatusBadRequest, "bad_request", "%v", err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(g.stopping, cancel)()
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		g.socket(ctx, w, r, opts)
		return
	}
	g.sse(ctx, w, r, opts)
}

func effectsOptions(r *http.Request) (client.EffectsOptions, error) {
	q := r.URL.Query()
	opts := client.EffectsOptions{After: q.Get("after")}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		opts.After = last // a browser that reconnects knows better than the address
	}
	if q.Has("latest") && opts.After == "" {
		opts.Latest = true
	}
	for _, list := range q["types"] {
		for name := range strings.SplitSeq(list, ",") {
			if name = strings.TrimSpace(name); name != "" {
				opts.Types = append(opts.Types, name)
			}
		}
	}
	return opts, nil
}

// gap tells a reader that the log was trimmed behind its resume point.
type gap struct {
	After  string `json:"after"`
	Oldest string `json:"oldest"`
}

// item is one thing to send: an event, a gap, or the reason why the stream ends.
type item struct {
	event client.Event
	err   error
}

// follow reads the feed into a channel, so that heartbeats can go between. The reader is
// never ahead by more than one event: a slow client slows it down and nothing piles up.
func (g *Gateway) follow(ctx context.Context, session string, opts client.EffectsOptions) <-chan item {
	items := make(chan item)
	go func() {
		defer close(items)
		for ev, err := range g.client.Effects(ctx, session, opts) {
			select {
			case items <- item{ev, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return items
}

func (g *Gateway) sse(ctx context.Context, w http.ResponseWriter, r *http.Request, opts client.EffectsOptions) {
	items := g.follow(ctx, r.PathValue("session"), opts)
	out := http.NewResponseController(w)
	begun := false
	send := func(text string) bool {
		if !begun {
			h := w.Header()
			h.Set("Content-Type", "text/event-stream")
			h.Set("Cache-Control", "no-store")
			h.Set("X-Accel-Buffering", "no")
			w.WriteHeader(http.StatusOK)
			begun = true
		}
		// A reader that does not read is cut off.
		_ = out.SetWriteDeadline(time.Now().Add(g.cfg.SlowReader)) // not every writer can
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	heartbeat := time.NewTicker(g.cfg.Heartbeat)
	defer heartbeat.Stop()
	// The headers go out once the stream is known to begin well, or after a moment.
	opening := time.NewTimer(200 * time.Millisecond)
	defer opening.Stop()
	for {
		select {
		case it, ok := <-items:
			if !ok {
				return
			}
			if it.err != nil && !begun && !errors.Is(it.err, client.ErrGap) && ctx.Err() == nil {
				describe(it.err).write(w)
				return
			}
			text, last := it.sse()
			if ctx.Err() != nil || !send(text) || last {
				return
			}
		case <-opening.C:
			if !begun && !send(": the feed of session "+r.PathValue("session")+"\n\n") {
				return
			}
		case <-heartbeat.C:
			if !send(": still here\n\n") {
				return
			}
		}
	}
}

// sse writes an item; last says that the stream ends with it.
func (it item) sse() (text string, last bool) {
	var g *client.GapError
	switch {
	case errors.As(it.err, &g):
		data, _ := json.Marshal(gap{g.After.String(), g.Oldest.String()})
		return "event: gap\ndata: " + string(data) + "\n\n", false
	case it.err != nil:
		data, _ := json.Marshal(describe(it.err).filled())
		return "event: error\ndata: " + string(data) + "\n\n", true
	}
	return fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", it.event.Position, it.event.Name, it.event.JSON), false
}

// socket sends each event as one text message: {"position","name","event"}.
func (g *Gateway) socket(ctx context.Context, w http.ResponseWriter, r *http.Request, opts client.EffectsOptions) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	ctx = conn.CloseRead(ctx)
	items := g.follow(ctx, r.PathValue("session"), opts)
	heartbeat := time.NewTicker(g.cfg.Heartbeat)
	defer heartbeat.Stop()
	send := func(v any) bool {
		data, err := json.Marshal(v)
		if err != nil {
			return false
		}
		bounded, cancel := context.WithTimeout(ctx, g.cfg.SlowReader)
		defer cancel()
		return conn.Write(bounded, websocket.MessageText, data) == nil
	}
	for {
		select {
		case <-ctx.Done():
			_ = conn.Close(websocket.StatusGoingAway, "the gateway stops")
			return
		case it, ok := <-items:
			if !ok {
				return
			}
			var g *client.GapError
			switch {
			case errors.As(it.err, &g):
				if !send(map[string]any{"gap": gap{g.After.String(), g.Oldest.String()}}) {
					return
				}
			case it.err != nil:
				send(map[string]any{"error": describe(it.err).filled()})
				_ = conn.Close(websocket.StatusInternalError, "the feed ended")
				return
			default:
				if !send(map[string]any{"position": it.event.Position.String(), "name": it.event.Name, "event": it.event.JSON}) {
					return
				}
			}
		case <-heartbeat.C:
			bounded, cancel := context.WithTimeout(ctx, g.cfg.SlowReader)
			err := conn.Ping(bounded)
			cancel()
			if err != nil {
				return
			}
		}
	}
}
