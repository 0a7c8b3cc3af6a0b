package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/oklog/ulid/v2"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/subjects"
)

// receipt is the answer to an event that is stored: 202.
type receipt struct {
	ID        string `json:"id"`
	Sequence  uint64 `json:"sequence"`
	Duplicate bool   `json:"duplicate"`
}

// outcome is the answer to an event whose terminal outcome was waited for: 200.
type outcome struct {
	Outcome         string         `json:"outcome"`
	Position        string         `json:"position"`
	Duplicate       bool           `json:"duplicate"`
	InputID         string         `json:"input_id,omitzero"`
	RunID           string         `json:"run_id,omitzero"`
	TerminalOutcome string         `json:"terminal_outcome,omitzero"`
	Reason          string         `json:"reason,omitzero"`
	Result          jsontext.Value `json:"result,omitzero"`
	Command         string         `json:"command,omitzero"`
	Report          jsontext.Value `json:"report,omitzero"`
}

func outcomeOf(o *client.Outcome) outcome {
	return outcome{
		Outcome: o.Name, Position: o.Event.Position.String(), Duplicate: o.Duplicate,
		InputID: o.InputID, RunID: o.RunID, TerminalOutcome: o.TerminalOutcome, Reason: o.Reason, Result: o.Result,
		Command: o.Command, Report: o.Report,
	}
}

// batchResult is what became of one event of a batch: a receipt, an outcome or a problem.
type batchResult struct {
	ID      string   `json:"id"`
	Status  int      `json:"status"`
	Receipt *receipt `json:"receipt,omitzero"`
	Outcome *outcome `json:"outcome,omitzero"`
	Problem *details `json:"problem,omitzero"`
}

// postEvents takes events in the three modes of the CloudEvents HTTP binding, and a plain
// JSON body as a prompt.
func (g *Gateway) postEvents(w http.ResponseWriter, r *http.Request) {
	wait, err := g.preferred(r)
	if err != nil {
		problem(w, http.StatusBadRequest, "bad_request", "Prefer: %v", err)
		return
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media == subjects.MediaBatch {
		g.postBatch(w, r, wait)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, g.cfg.MaxBody))
	if err != nil {
		describe(unreadable(err)).write(w)
		return
	}
	ev, err := decode(r, media, body)
	if err != nil {
		describe(err).write(w)
		return
	}
	status, v, err := g.take(r.Context(), r.PathValue("session"), ev, wait)
	if err == nil && wait > 0 && status == http.StatusOK {
		w.Header().Set("Preference-Applied", "wait")
	}
	answer(w, status, v, err)
}

func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &subjects.DecodeError{Attribute: "data", Reason: "the body cannot be read: " + err.Error()}
}

// decode reads the event of a request. A JSON body without any ce- header is the data of
// a prompt: {"text":"hello"} is enough.
func decode(r *http.Request, media string, body []byte) (event.Event, error) {
	var ev event.Event
	var err error
	if media == "application/json" && !hasAttributes(r.Header) {
		ev = event.New()
		ev.SetID(ulid.Make().String())
		ev.SetSource("/gateway")
		ev.SetType(subjects.InputType("prompt"))
		if !jsontext.Value(body).IsValid() {
			return ev, &subjects.DecodeError{Attribute: "data", Reason: "is not JSON"}
		}
		err = ev.SetData(event.ApplicationJSON, body)
	} else {
		ev, err = subjects.Decode(r.Header, body)
	}
	if err != nil {
		return ev, err
	}
	adopt(&ev, r)
	return ev, nil
}

func hasAttributes(h http.Header) bool {
	for name := range h {
		if strings.HasPrefix(strings.ToLower(name), "ce-") {
			return true
		}
	}
	return false
}

// adopt gives an event that has no trace the one of its request.
func adopt(ev *event.Event, r *http.Request) {
	if parent := r.Header.Get("traceparent"); parent != "" && ev.Extensions()[subjects.ExtTraceParent] == nil {
		ev.SetExtension(subjects.ExtTraceParent, parent)
		if state := r.Header.Get("tracestate"); state != "" {
			ev.SetExtension(subjects.ExtTraceState, state)
		}
	}
}

// take publishes one event and, if asked, waits for its outcome.
func (g *Gateway) take(ctx context.Context, session string, ev event.Event, wait time.Duration) (status int, v any, err error) {
	var opts []client.PublishOption
	if _, command := subjects.ParseCommandType(ev.Type()); command {
		opts = append(opts, client.OnControl())
	}
	if wait <= 0 {
		got, err := g.client.Publish(ctx, session, ev, opts...)
		return http.StatusAccepted, receipt{ev.ID(), got.Sequence, got.Duplicate}, err
	}
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	o, err := g.client.PublishAndWait(bounded, session, ev, opts...)
	var pending *client.PendingError
	if errors.As(err, &pending) {
		// It is stored; the time is up.
		return http.StatusAccepted, receipt{ev.ID(), pending.Receipt.Sequence, pending.Receipt.Duplicate}, nil
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, outcomeOf(o), nil
}

// postBatch takes a batch. Its events are published one after the other, so that they keep
// their order; what becomes of each is told in its place.
func (g *Gateway) postBatch(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16*g.cfg.MaxBody))
	if err != nil {
		describe(unreadable(err)).write(w)
		return
	}
	events, err := subjects.DecodeBatch(body)
	if err != nil {
		describe(err).write(w)
		return
	}
	if len(events) > g.cfg.MaxBatch {
		problem(w, http.StatusRequestEntityTooLarge, "too_large", "%d events, a batch has at most %d", len(events), g.cfg.MaxBatch)
		return
	}
	deadline := time.Now().Add(wait)
	results := make([]batchResult, len(events))
	for i := range events {
		adopt(&events[i], r)
		results[i] = g.takeOne(r.Context(), r.PathValue("session"), events[i], 0)
	}
	if wait > 0 {
		// Each is published once more: the copy makes nothing new and tells the outcome.
		for i := range events {
			if left := time.Until(deadline); results[i].Receipt != nil && left > 0 {
				results[i] = g.takeOne(r.Context(), r.PathValue("session"), events[i], left)
			}
		}
		w.Header().Set("Preference-Applied", "wait")
	}
	answer(w, http.StatusOK, results, nil)
}

func (g *Gateway) takeOne(ctx context.Context, session string, ev event.Event, wait time.Duration) batchResult {
	status, v, err := g.take(ctx, session, ev, wait)
	res := batchResult{ID: ev.ID(), Status: status}
	switch v := v.(type) {
	case receipt:
		res.Receipt = &v
	case outcome:
		res.Outcome = &v
	}
	if err != nil {
		d := describe(err).filled()
		res = batchResult{ID: ev.ID(), Status: d.Status, Problem: &d}
	}
	return res
}

// preferred is how long the client prefers to wait: `Prefer: wait=30` (RFC 7240).
func (g *Gateway) preferred(r *http.Request) (time.Duration, error) {
	for _, line := range r.Header.Values("Prefer") {
		for part := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
			if !strings.EqualFold(strings.TrimSpace(name), "wait") {
				continue
			}
			seconds, err := strconv.ParseFloat(strings.Trim(strings.TrimSpace(value), `"`), 64)
			if err != nil || seconds < 0 || seconds > 1e6 {
				return 0, fmt.Errorf("wait=%q is no number of seconds", value)
			}
			return min(time.Duration(seconds*float64(time.Second)), g.cfg.MaxWait), nil
		}
	}
	return 0, nil
}
