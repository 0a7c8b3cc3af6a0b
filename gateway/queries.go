package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

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

// getInput tells where an input stands. With `Prefer: wait` it waits for the input's end
// and tells its outcome, whoever published it and through whatever gateway.
func (g *Gateway) getInput(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !utf8.ValidString(id) { // JSON has no word for it
		describe(&parameterError{"id", "is not UTF-8"}).write(w)
		return
	}
	status := http.StatusOK
	if wait := g.preferred(r); wait > 0 {
		waiting, cancel := g.waiting(r.Context(), wait)
		defer cancel()
		o, err := g.client.Wait(waiting, r.PathValue("session"), id)
		if !errors.Is(waiting.Err(), context.Canceled) {
			applied(w, wait)
		}
		switch {
		case err == nil:
			answer(w, http.StatusOK, outcomeOf(o), nil)
			return
		case !errors.Is(err, client.ErrPending):
			describe(err).write(w)
			return
		}
		status = http.StatusAccepted
	}
	var v jsontext.Value
	err := g.client.Query(r.Context(), r.PathValue("session"), "input", map[string]string{"input_id": id}, &v)
	answer(w, status, v, err)
}

// getQuery puts any query of the fleet; args is a JSON object.
func (g *Gateway) getQuery(w http.ResponseWriter, r *http.Request) {
	var args any
	if text := r.URL.Query().Get("args"); text != "" {
		v := jsontext.Value(text)
		if !v.IsValid() || v.Kind() != '{' {
			describe(&parameterError{"args", "is not a JSON object"}).write(w)
			return
		}
		args = v
	}
	g.query(w, r, r.PathValue("query"), args)
}

// The bounds of pages.
const (
	defaultPage = 100
	maxPage     = client.MaxHistory
)

func limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultPage, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		return 0, &parameterError{"limit", fmt.Sprintf("%q is none of 1 to %d", text, maxPage)}
	}
	return n, nil
}

// sessions is a page of the directory.
type sessions struct {
	Sessions []kv.SessionEntry `json:"sessions"`
	Next     string            `json:"next"`
}

func (g *Gateway) getSessions(w http.ResponseWriter, r *http.Request) {
	n, err := limit(r)
	if err != nil {
		describe(err).write(w)
		return
	}
	page, err := g.client.Sessions(r.Context(), r.URL.Query().Get("cursor"), n)
	answer(w, http.StatusOK, sessions{page.Sessions, page.Next}, err)
}

// fleet is the workers, and whether the runs of all sessions are held.
type fleet struct {
	Workers []kv.MemberInfo `json:"workers"`
	Hold    *kv.Hold        `json:"hold"`
}

func (g *Gateway) getWorkers(w http.ResponseWriter, r *http.Request) {
	workers, err := g.client.Workers(r.Context())
	if err != nil {
		answer(w, http.StatusOK, nil, err)
		return
	}
	hold, err := g.client.Hold(r.Context())
	answer(w, http.StatusOK, fleet{workers, hold}, err)
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
