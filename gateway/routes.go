package gateway

import (
	"net/http"
)

// route is one row of the HTTP table. A test holds the table equal to openapi.json.
type route struct {
	method, path string
	handle       http.HandlerFunc
}

func (r route) pattern() string {
	if r.path == "/" {
		return r.method + " /{$}"
	}
	return r.method + " " + r.path
}

const (
	namespacePath = "/v1/namespaces/{ns}"
	sessionPath   = namespacePath + "/sessions/{session}"
)

func (g *Gateway) routes() []route {
	in := g.namespaced
	return []route{
		{"POST", sessionPath + "/events", in(g.postEvents)},
		{"GET", sessionPath + "/effects", in(g.getEffects)},
		{"GET", sessionPath, in(g.getSession)},
		{"GET", sessionPath + "/inputs", in(g.getInputs)},
		{"GET", sessionPath + "/inputs/{id}", in(g.getInput)},
		{"GET", sessionPath + "/history", in(g.getHistory)},
		{"GET", namespacePath + "/sessions", in(g.getSessions)},
		{"GET", namespacePath + "/workers", in(g.getWorkers)},
		{"GET", "/livez", g.livez},
		{"GET", "/healthz", g.livez},
		{"GET", "/readyz", g.readyz},
		{"GET", "/metrics", g.metrics},
		{"GET", "/openapi.json", g.openapi},
		{"GET", "/", g.index},
	}
}

func (g *Gateway) openapi(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	write(w, openAPI)
}

func (g *Gateway) index(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:")
	h.Set("X-Content-Type-Options", "nosniff")
	write(w, page)
}

func (g *Gateway) metrics(w http.ResponseWriter, r *http.Request) {
	if g.cfg.Metrics == nil {
		problem(w, http.StatusNotFound, "not_found", "this gateway was started without metrics")
		return
	}
	g.cfg.Metrics.ServeHTTP(w, r)
}

// write sends a body; a client that has gone away needs none.
func write(w http.ResponseWriter, body []byte) { _, _ = w.Write(body) }
