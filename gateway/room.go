package gateway

import (
	"context"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/subjects"
)

// room bounds what the outcomes of one answer weigh together: a thousand of them may each have
// a result of [subjects.MaxBlob], and the answer is made in memory.
type room struct {
	g *Gateway

	mu   sync.Mutex // held while a blob is read, so that no more than one is there in excess
	left int
}

func (g *Gateway) newRoom() *room { return &room{g: g, left: g.cfg.MaxResults} }

// fit reads the large result of an outcome, as long as there is room and ctx goes on, and
// leaves it to its reference otherwise. A report as large has none, and gives way to its size.
// Small ones always fit, and so does a nil outcome.
func (r *room) fit(ctx context.Context, session string, o *outcome) {
	if o == nil || o.ResultRef == "" && len(o.Report) <= subjects.MaxInlineData {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.ResultRef == "" {
		if n := len(o.Report); !r.take(n) {
			o.Report = jsontext.Value(`{"omitted_bytes":` + strconv.Itoa(n) + `}`)
		}
		return
	}
	if r.left <= 0 {
		return
	}
	result, err := r.g.client.Blob(ctx, session, o.ResultRef)
	switch {
	case err != nil:
		r.g.cfg.Logger.WarnContext(ctx, "a result cannot be read", "session", session, "input", o.InputID, "blob", o.ResultRef, "error", err)
	case r.take(len(result)):
		o.Result = result
	}
}

// take tells whether n bytes fit. After the first that do not there is no room: how large a
// blob is shows when it has been read, and none is read in vain twice.
func (r *room) take(n int) bool {
	if n > r.left {
		r.left = 0
		return false
	}
	r.left -= n
	return true
}
