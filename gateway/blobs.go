package gateway

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/kalahari-run/kalahari/subjects"
)

// blob is the answer to an upload: what a content block names.
type blob struct {
	Blob string `json:"blob"`
	Size int    `json:"size"`
}

// postBlob stores a body, whatever it is, as a blob of the session.
func (g *Gateway) postBlob(w http.ResponseWriter, r *http.Request) {
	data, err := readBody(w, r, subjects.MaxBlob)
	if err != nil {
		describe(err).write(w)
		return
	}
	ref, err := g.client.PutBlob(r.Context(), r.PathValue("session"), data)
	if err == nil {
		w.Header().Set("Location", r.URL.Path+"/"+ref)
	}
	answer(w, http.StatusCreated, blob{ref, len(data)}, err)
}

// getBlob sends a blob. Its name is the hash of its content, so it may be cached for ever.
// What it is nobody has said, so a browser must not guess.
func (g *Gateway) getBlob(w http.ResponseWriter, r *http.Request) {
	ref := r.PathValue("ref")
	if !strings.Contains(ref, ":") {
		ref = "sha256:" + ref
	}
	data, err := g.client.Blob(r.Context(), r.PathValue("session"), ref)
	if err != nil {
		describe(err).write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("ETag", strconv.Quote(ref))
	h.Set("Cache-Control", "private, immutable, max-age=31536000")
	write(w, data)
}
