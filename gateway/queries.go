package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/kv"
)

func (g *Gateway) query(w http.ResponseWriter, r *http.Request, name string, args any) {
	var v jsontext.Value
	err := g.client.Query(r.Context(), r.PathValue("session"), name, args, &v)
	answer(w, http.StatusOK, v, err)
}

func (g *Gateway) getSession(w http.ResponseWriter, r *http.Request) { g.query(w, r, "state", nil) }

func (g *Gateway) getInputs(w http.ResponseWriter, r *http.Request) { g.query(w, r, "inputs", nil) }

func (g *Gateway) getInput(w http.ResponseWriter, r *http.Request) {
	g.query(w, r, "input", map[string]string{"input_id": r.PathValue("id")})
}

// The bounds of pages.
const (
	defaultPage = 100
	maxPage     = 1000
	// historyTime bounds the reading of one page of history.
	historyTime = 10 * time.Second
)

func limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		return 0, fmt.Errorf("limit %q: 1 to %d are possible", text, maxPage)
	}
	return n, nil
}

// history is a page of the feed.
type history struct {
	Events []jsontext.Value `json:"events"`
	// Next is the position to go on after; "" if the feed ended.
	Next string `json:"next"`
	// Gap says that the log was trimmed between `after` and the first event.
	Gap bool `json:"gap,omitzero"`
}

func (g *Gateway) getHistory(w http.ResponseWriter, r *http.Request) {
	n, err := limit(r)
	if err != nil {
		problem(w, http.StatusBadRequest, "bad_request", "%v", err)
		return
	}
	var st struct {
		LogSequence uint64 `json:"log_sequence"`
	}
	if err := g.client.Query(r.Context(), r.PathValue("session"), "state", nil, &st); err != nil {
		describe(err).write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), historyTime)
	defer cancel()
	page, err := g.history(ctx, r, n)
	answer(w, http.StatusOK, page, err)
}

// historyQuiet is how long the feed is silent before it counts as read to its end.
const historyQuiet = 300 * time.Millisecond

func (g *Gateway) history(ctx context.Context, r *http.Request, n int) (history, error) {
	page := history{Events: []jsontext.Value{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(historyTime, cancel)
	defer quiet.Stop()
	quiet.Reset(historyQuiet * 4) // the consumer has to be made first
	opts := client.EffectsOptions{After: r.URL.Query().Get("after"), Types: r.URL.Query()["types"]}
	for ev, err := range g.client.Effects(ctx, r.PathValue("session"), opts) {
		if err != nil {
			var gap *client.GapError
			switch {
			case errors.As(err, &gap):
				page.Gap = true
				continue
			case ctx.Err() != nil && r.Context().Err() == nil:
				return page, nil // the end of the feed
			}
			return page, err
		}
		quiet.Reset(historyQuiet)
		page.Events = append(page.Events, ev.JSON)
		if len(page.Events) == n {
			page.Next = ev.Position.String()
			return page, nil
		}
	}
	return page, nil
}

// sessions is a page of the directory.
type sessions struct {
	Sessions []kv.SessionEntry `json:"sessions"`
	Next     string            `json:"next"`
}

func (g *Gateway) getSessions(w http.ResponseWriter, r *http.Request) {
	n, err := limit(r)
	if err != nil {
		problem(w, http.StatusBadRequest, "bad_request", "%v", err)
		return
	}
	page, err := g.client.Sessions(r.Context(), r.URL.Query().Get("cursor"), n)
	answer(w, http.StatusOK, sessions{page.Sessions, page.Next}, err)
}

func (g *Gateway) getWorkers(w http.ResponseWriter, r *http.Request) {
	workers, err := g.client.Workers(r.Context())
	answer(w, http.StatusOK, map[string]any{"workers": workers}, err)
}

func (g *Gateway) livez(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"}, nil)
}

// readyz says whether requests would succeed, and if not, why.
func (g *Gateway) readyz(w http.ResponseWriter, r *http.Request) {
	if err := g.Ready(r.Context()); err != nil {
		problem(w, http.StatusServiceUnavailable, "not_ready", "%v", err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready"}, nil)
}

// Ready returns nil if NATS is connected, JetStream answers and a worker lives.
func (g *Gateway) Ready(ctx context.Context) error {
	if !g.nc.IsConnected() {
		return fmt.Errorf("NATS is %s", g.nc.Status())
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	workers, err := g.client.Workers(ctx)
	if err != nil {
		return fmt.Errorf("the fleet cannot be read: %w", err)
	}
	for _, w := range workers {
		if !w.Draining {
			return nil
		}
	}
	return errors.New("no worker is there; inputs are stored and wait")
}
