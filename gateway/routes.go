package gateway

import (
	"net/http"
	"strings"
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

// mux serves the routes. What is none of them is a problem document too.
func (g *Gateway) mux() *http.ServeMux {
	mux := http.NewServeMux()
	allowed := map[string][]string{}
	for _, r := range g.routes() {
		mux.HandleFunc(r.pattern(), r.handle)
		_, path, _ := strings.Cut(r.pattern(), " ")
		allowed[path] = append(allowed[path], r.method)
		if r.method == http.MethodGet {
			allowed[path] = append(allowed[path], http.MethodHead) // as ServeMux has it
		}
	}
	for path, methods := range allowed {
		allow := strings.Join(methods, ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			problem(w, http.StatusMethodNotAllowed, "method_not_allowed", "%s is not possible at %s, possible are %s", r.Method, r.URL.Path, allow)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "not_found", "there is nothing at %s; the routes are in /openapi.json", r.URL.Path)
	})
	return mux
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
		{"POST", sessionPath + "/blobs", in(g.postBlob)},
		{"GET", sessionPath + "/blobs/{ref}", in(g.getBlob)},
		{"GET", sessionPath, in(g.getSession)},
		{"GET", sessionPath + "/inputs", in(g.getInputs)},
		{"GET", sessionPath + "/inputs/{id}", in(g.getInput)},
		{"GET", sessionPath + "/history", in(g.getHistory)},
		{"GET", sessionPath + "/queries/{query}", in(g.getQuery)},
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

func (g *Gateway) metrics(w http.ResponseWriter, r *http.Request) {
	if g.cfg.Metrics == nil {
		problem(w, http.StatusNotFound, "not_found", "this gateway was started without metrics")
		return
	}
	g.cfg.Metrics.ServeHTTP(w, r)
}

// write sends a body; a client that has gone away needs none.
func write(w http.ResponseWriter, body []byte) { _, _ = w.Write(body) }
