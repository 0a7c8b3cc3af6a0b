package gateway

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"

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
	ResultRef       string         `json:"result_ref,omitzero"`
	Command         string         `json:"command,omitzero"`
	Report          jsontext.Value `json:"report,omitzero"`
}

func outcomeOf(o *client.Outcome) *outcome {
	return &outcome{
		Outcome: o.Name, Position: o.Event.Position.String(), Duplicate: o.Duplicate,
		InputID: o.InputID, RunID: o.RunID, TerminalOutcome: o.TerminalOutcome, Reason: o.Reason, Result: o.Result, ResultRef: o.ResultRef,
		Command: o.Command, Report: o.Report,
	}
}

// postEvents takes events in the three modes of the CloudEvents HTTP binding, and a plain
// JSON body as a prompt.
func (g *Gateway) postEvents(w http.ResponseWriter, r *http.Request) {
	wait := g.preferred(r)
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media == subjects.MediaBatch {
		g.postBatch(w, r, wait)
		return
	}
	most := g.cfg.MaxBody
	if media == subjects.MediaStructured {
		most = g.structuredBody()
	}
	ev, err := g.read(w, r, media, most)
	if err != nil {
		describe(err).write(w)
		return
	}
	waiting, cancel := g.waiting(r.Context(), wait)
	defer cancel()
	t := g.take(r.Context(), waiting, r.PathValue("session"), ev)
	if t.stored && wait > 0 && !errors.Is(waiting.Err(), context.Canceled) {
		applied(w, wait)
	}
	switch {
	case t.problem != nil:
		t.problem.write(w)
	case t.outcome != nil:
		answer(w, http.StatusOK, t.outcome, nil)
	default:
		answer(w, http.StatusAccepted, t.receipt, nil)
	}
}

// read reads and checks the one event of a request.
func (g *Gateway) read(w http.ResponseWriter, r *http.Request, media string, most int64) (event.Event, error) {
	body, err := readBody(w, r, most)
	if err != nil {
		return event.Event{}, err
	}
	ev, err := decode(r, media, body)
	if err != nil {
		return ev, err
	}
	if err := g.checkSize(&ev); err != nil {
		return ev, err
	}
	return ev, check(r.PathValue("session"), &ev)
}

// checkSize holds an event to the same size in every mode.
func (g *Gateway) checkSize(ev *event.Event) error {
	if n := len(ev.Data()); int64(n) > g.cfg.MaxBody {
		return fmt.Errorf("%w: %d bytes of data, at most %d are allowed", client.ErrTooLarge, n, g.cfg.MaxBody)
	}
	return nil
}

// waiting is the context of a wait: it ends with its time, with the request, or with the
// gateway. No time, no wait: it has ended.
func (g *Gateway) waiting(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	stop := context.AfterFunc(g.stopping, cancel)
	return ctx, func() { stop(); cancel() }
}

// taken is what became of an event.
type taken struct {
	// stored tells whether the session has it, or had it: only then it answers.
	stored bool
	// One of these is set.
	receipt *receipt
	outcome *outcome
	problem *details
}

// take publishes one event, and waits for its outcome until waiting ends.
func (g *Gateway) take(ctx, waiting context.Context, session string, ev event.Event, opts ...client.PublishOption) taken {
	if _, command := subjects.CommandName(ev.Type()); command {
		opts = append(opts, client.OnControl())
	}
	span := g.publishing(ctx, session, &ev)
	defer span.End()
	tried := waiting.Err() == nil
	if tried {
		t, decided := g.takeAndWait(waiting, session, ev, opts)
		if decided || waiting.Err() == nil {
			return t
		}
		// The wait ended before the event was known to be stored. That it is stored is not
		// what the wait was meant to bound, so it is published again, which is safe.
	}
	got, err := g.client.Publish(ctx, session, ev, opts...)
	if err != nil {
		if tried && errors.Is(err, client.ErrUnavailable) && !errors.Is(err, client.ErrUndecided) {
			err = fmt.Errorf("%w: %w", client.ErrUndecided, err) // the first try may be stored
		}
		return taken{problem: undone(err, ev)}
	}
	return taken{stored: true, receipt: &receipt{ev.ID(), got.Sequence, got.Duplicate}}
}

// takeAndWait tells in decided whether it is known if the event is stored.
func (g *Gateway) takeAndWait(waiting context.Context, session string, ev event.Event, opts []client.PublishOption) (t taken, decided bool) {
	o, err := g.client.PublishAndWait(waiting, session, ev, opts...)
	var pending *client.PendingError
	switch {
	case err == nil:
		return taken{stored: true, outcome: outcomeOf(o)}, true
	case errors.As(err, &pending):
		return taken{stored: true, receipt: &receipt{ev.ID(), pending.Receipt.Sequence, pending.Receipt.Duplicate}}, true
	}
	stored := errors.As(err, new(*client.RejectedError)) || errors.Is(err, client.ErrForgotten) || errors.Is(err, client.ErrCorrupt)
	// Large data are stored before the event. If the wait ended in the middle of that the
	// error is the wait's, and says nothing of the event.
	ended := waiting.Err() != nil && errors.Is(err, waiting.Err())
	return taken{stored: stored, problem: undone(err, ev)}, !errors.Is(err, client.ErrUndecided) && !ended
}

// undone describes why an event was not taken. If that is not even known its id is told:
// the producer publishes it again under the same one, also if it was made up here.
func undone(err error, ev event.Event) *details {
	d := describe(err).filled()
	if errors.Is(err, client.ErrUndecided) {
		d.ID, d.Source = ev.ID(), ev.Source()
	}
	return &d
}
