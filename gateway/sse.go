package gateway

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
)

func streamHeader(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
}

// sse sends server-sent events until the client goes, the gateway stops or the feed ends.
func (g *Gateway) sse(ctx context.Context, w http.ResponseWriter, session string, first item, items <-chan item) {
	streamHeader(w)
	out := http.NewResponseController(w)
	send := func(text string) bool {
		// A reader that does not read is cut off.
		_ = out.SetWriteDeadline(time.Now().Add(g.cfg.SlowReader)) // not every writer can
		if _, err := w.Write([]byte(text)); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	heartbeat := time.NewTicker(g.cfg.Heartbeat)
	defer heartbeat.Stop()
	good := send(": the feed of session "+session+"\n\n") && send(first.sse())
	at := ""
	for open := true; good && open && ctx.Err() == nil; {
		select {
		case it, ok := <-items:
			if open, at = ok, it.at; ok && at == "" {
				good = send(it.sse())
			}
		case <-heartbeat.C:
			good = send(item{at: at}.sse() + ": still here\n\n")
			at = ""
		}
	}
	if good {
		// The deadline is the connection's, which may serve other requests after this one.
		_ = out.SetWriteDeadline(time.Time{})
	}
}

// sse writes an item. Each id is a resume point, that of a gap too: a browser that connects
// again does not see it twice. An id without data is no event to a browser, but it counts.
func (it item) sse() string {
	switch {
	case it.gap != nil:
		return record(it.gap.Position, "gap", it.gap)
	case it.err != nil:
		return record("", "error", describe(it.err).filled())
	case it.event != nil:
		return record(it.event.Position.String(), it.event.Name, it.event.JSON)
	case it.at != "":
		return "id: " + it.at + "\n\n"
	}
	return ""
}

func record(id, name string, v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		data = []byte("null") // our own structs, and JSON that was read before
	}
	text := "event: " + name + "\ndata: " + string(data) + "\n\n"
	if id != "" {
		text = "id: " + id + "\n" + text
	}
	return text
}
