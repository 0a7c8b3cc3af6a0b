package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/subjects"
)

// problemType is the head of the type of every problem (RFC 9457).
const problemType = "https://kalahari.run/problems/"

// details is a problem document. Code, and what the machine said, are ours.
type details struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitzero"`
	Code   string `json:"code"`
	// Field is the attribute, data field, parameter or header at fault.
	Field string `json:"field,omitzero"`
	// ID and Source identify an event of which it is not known whether it is stored.
	ID     string `json:"id,omitzero"`
	Source string `json:"source,omitzero"`
	// Kind, Reason and Guard are the machine's, of an event it refused.
	Kind   string `json:"kind,omitzero"`
	Reason string `json:"reason,omitzero"`
	Guard  string `json:"guard,omitzero"`
	// Results say what became of each event of a batch that was taken in part.
	Results []batchResult `json:"results,omitzero"`
}

// parameterError refuses a query parameter.
type parameterError struct{ name, reason string }

func (e *parameterError) Error() string { return e.name + ": " + e.reason }

func problem(w http.ResponseWriter, status int, code, format string, args ...any) {
	details{Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}.write(w)
}

func (d details) filled() details {
	d.Type, d.Title = problemType+d.Code, http.StatusText(d.Status)
	// Both may quote the request, which is whatever it is.
	d.Detail, d.Field = subjects.Clip(d.Detail, 4*subjects.MaxReason), subjects.Clip(d.Field, subjects.MaxReason)
	return d
}

func (d details) write(w http.ResponseWriter) {
	body, err := json.Marshal(d.filled())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	switch d.Status {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "2")
	}
	w.WriteHeader(d.Status)
	write(w, body)
}

// describe says what an error means to an HTTP client.
func describe(err error) details {
	d := details{Detail: err.Error()}
	var decode *subjects.DecodeError
	var token *subjects.TokenError
	var rejected *client.RejectedError
	var query *client.QueryError
	var tooLarge *http.MaxBytesError
	var parameter *parameterError
	switch {
	case errors.As(err, &decode):
		d.Status, d.Code, d.Field = http.StatusBadRequest, "malformed_event", decode.Attribute
	case errors.As(err, &token):
		d.Status, d.Code, d.Field = http.StatusBadRequest, "malformed_name", token.Kind
	case errors.As(err, &tooLarge), errors.Is(err, client.ErrTooLarge), errors.Is(err, subjects.ErrBatch):
		d.Status, d.Code = http.StatusRequestEntityTooLarge, "too_large"
	case errors.As(err, &rejected):
		d.Status, d.Code = http.StatusConflict, "refused"
		d.Kind, d.Reason, d.Guard = rejected.Kind, rejected.Reason, rejected.Guard
	case errors.Is(err, client.ErrSessionNotFound), errors.Is(err, client.ErrInputNotFound):
		d.Status, d.Code = http.StatusNotFound, "not_found"
		if errors.As(err, &query) {
			d.Code = query.Code
		}
	case errors.As(err, &query) && query.Code == client.CodeBadRequest:
		d.Status, d.Code = http.StatusBadRequest, "bad_request"
	case errors.As(err, &query) && (query.Code == client.CodeUnknownQuery || strings.HasSuffix(query.Code, "_not_found")):
		d.Status, d.Code = http.StatusNotFound, query.Code
	case errors.As(err, &query) && query.Code == "session_not_registered":
		d.Status, d.Code = http.StatusConflict, query.Code
	case errors.As(err, &parameter):
		d.Status, d.Code, d.Field = http.StatusBadRequest, "bad_request", parameter.name
	case errors.Is(err, client.ErrPosition):
		d.Status, d.Code, d.Field = http.StatusBadRequest, "bad_request", "after"
	case errors.Is(err, client.ErrType):
		d.Status, d.Code, d.Field = http.StatusBadRequest, "bad_request", "types"
	case errors.Is(err, client.ErrBlobRef):
		d.Status, d.Code, d.Field = http.StatusBadRequest, "bad_request", "ref"
	case errors.Is(err, client.ErrBlobNotFound):
		d.Status, d.Code = http.StatusNotFound, "blob_not_found"
	case errors.Is(err, client.ErrCursor):
		d.Status, d.Code, d.Field = http.StatusBadRequest, "bad_request", "cursor"
	case errors.Is(err, errSlowBody):
		d.Status, d.Code = http.StatusRequestTimeout, "slow_body"
	case errors.Is(err, client.ErrMailboxFull):
		d.Status, d.Code = http.StatusTooManyRequests, "mailbox_full"
	case errors.Is(err, client.ErrStreamFull):
		d.Status, d.Code = http.StatusServiceUnavailable, "stream_full"
	case errors.Is(err, errTooManyStreams):
		d.Status, d.Code = http.StatusServiceUnavailable, "too_many_streams"
	case errors.Is(err, client.ErrUndecided):
		// It may be stored. To publish the same event again is safe, and tells.
		d.Status, d.Code = http.StatusServiceUnavailable, "undecided"
	case errors.Is(err, client.ErrUnavailable), errors.Is(err, client.ErrClosed), errors.Is(err, errStops), errors.Is(err, context.DeadlineExceeded):
		d.Status, d.Code = http.StatusServiceUnavailable, "unavailable"
	case errors.Is(err, client.ErrForgotten):
		d.Status, d.Code = http.StatusGone, "outcome_forgotten"
	case errors.As(err, &query):
		d.Status, d.Code = http.StatusInternalServerError, query.Code
	default:
		d.Status, d.Code = http.StatusInternalServerError, "internal"
	}
	return d
}

// answer writes v as JSON, or the error.
func answer(w http.ResponseWriter, status int, v any, err error) {
	if err != nil {
		describe(err).write(w)
		return
	}
	body, err := json.Marshal(v)
	if err != nil {
		describe(err).write(w)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	write(w, body)
}

// namespaced serves a route below a namespace that is this gateway's, for names that are
// names.
func (g *Gateway) namespaced(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if ns := r.PathValue("ns"); ns != g.cfg.Namespace {
			problem(w, http.StatusNotFound, "namespace_not_served", "this gateway serves the namespace %q, not %q", g.cfg.Namespace, ns)
			return
		}
		if session := r.PathValue("session"); session != "" {
			if err := subjects.CheckToken("session", session); err != nil {
				describe(err).write(w)
				return
			}
		}
		handle(w, r)
	}
}
