package gateway

import (
	_ "embed"
	"net/http"
	"strings"

	"github.com/kalahari-run/kalahari/subjects"
)

//go:embed index.html
var page string

// pagePolicy lets the page do what it does and nothing else.
const pagePolicy = "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// index is a page to try a session with. It is told the namespace, and the names of the
// events it shows: a browser hears only those it asks for.
func (g *Gateway) index(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	// Both are tokens and need no escaping.
	text := strings.NewReplacer("{{namespace}}", g.cfg.Namespace, "{{events}}", strings.Join(pageEvents(), " ")).Replace(page)
	write(w, []byte(text))
}

// pageEvents are the events of the lifecycle, and the two between an input and its run.
func pageEvents() []string {
	names := []string{"InputStaged", "InputApplied"}
	for _, t := range subjects.Catalogue() {
		if t.Lifecycle {
			names = append(names, t.Name)
		}
	}
	return names
}
