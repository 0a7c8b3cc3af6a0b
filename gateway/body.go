package gateway

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// errSlowBody refuses a body that took too long.
var errSlowBody = errors.New("the body did not arrive in time")

// batchBodies is how many of the largest events a batch may weigh.
const batchBodies = 4

// structuredBody is the most a body in structured mode may have: the data may be in base64,
// and the attributes, which are headers otherwise, are part of it.
func (g *Gateway) structuredBody() int64 {
	return int64(base64.StdEncoding.EncodedLen(int(g.cfg.MaxBody))) + maxHeader
}

// hurried gives every body a time by which it must be there, and every answer one by which
// it must be taken. The server's own ReadTimeout and WriteTimeout would do that too, and end
// whoever waits for an outcome, or follows a feed.
func (g *Gateway) hurried(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		answer := &hurriedWriter{ResponseWriter: w, limit: g.cfg.BodyTimeout}
		if r.Body != http.NoBody && r.Body != nil {
			answer.body = time.Now().Add(g.cfg.BodyTimeout)
			_ = conn.SetReadDeadline(answer.body) // not every writer can
		}
		// The deadline is the connection's, and the answer before this one has left its own.
		_ = conn.SetWriteDeadline(time.Time{})
		next.ServeHTTP(answer, r)
	})
}

// readBody reads a body of at most limit bytes.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	switch {
	case err == nil:
		// What follows takes its time, and the server notices by reading if the client
		// goes away.
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		return body, nil
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, err
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close") // the rest may come yet, and is no next request
		return nil, errSlowBody
	}
	return nil, &subjects.DecodeError{Attribute: "data", Reason: "the body cannot be read: " + err.Error()}
}
