package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/coder/websocket"
	"github.com/go-json-experiment/json"
)

// socket sends each event as one text message, {"position","name","event"}, and resume
// points without an event as {"position"}.
func (g *Gateway) socket(ctx context.Context, w http.ResponseWriter, r *http.Request, first item, items <-chan item) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	// It ends with the connection, and not with ctx, so that the reason can still be told.
	gone := conn.CloseRead(context.WithoutCancel(ctx))
	send := func(v any) bool {
		data, err := json.Marshal(v, json.Deterministic(true))
		if err != nil {
			return false
		}
		bounded, cancel := context.WithTimeout(ctx, g.cfg.SlowReader)
		defer cancel()
		return conn.Write(bounded, websocket.MessageText, data) == nil
	}
	heartbeat := time.NewTicker(g.cfg.Heartbeat)
	defer heartbeat.Stop()
	at := ""
	for it, open := first, true; open; {
		if v := it.message(); v != nil && !send(v) {
			return
		}
		it = item{}
		select {
		case it, open = <-items:
			if at = it.at; at != "" {
				it = item{}
			}
		case <-gone.Done():
			return
		case <-heartbeat.C:
			it, at = item{at: at}, ""
			bounded, cancel := context.WithTimeout(ctx, g.cfg.SlowReader)
			err := conn.Ping(bounded)
			cancel()
			if err != nil && ctx.Err() == nil {
				return
			}
		}
	}
	if ctx.Err() != nil {
		_ = conn.Close(websocket.StatusGoingAway, "the gateway stops")
		return
	}
	_ = conn.Close(websocket.StatusInternalError, "the feed ended")
}

// message is an item as one message; nil if there is nothing to tell.
func (it item) message() map[string]any {
	switch {
	case it.gap != nil:
		return map[string]any{"position": it.gap.Position, "gap": it.gap}
	case it.err != nil:
		return map[string]any{"error": describe(it.err).filled()}
	case it.event != nil:
		return map[string]any{"position": it.event.Position.String(), "name": it.event.Name, "event": it.event.JSON}
	case it.at != "":
		return map[string]any{"position": it.at}
	}
	return nil
}
