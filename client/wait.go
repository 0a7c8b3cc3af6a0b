package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// The names of outcomes that end a wait, and of the one that begins it.
const (
	InputAccepted     = "InputAccepted"
	InputCompleted    = "InputCompleted"
	InputDeduplicated = "InputDeduplicated"
	InputRejected     = "InputRejected"
	CommandApplied    = "CommandApplied"
	CommandRejected   = "CommandRejected"
)

// Outcome is what became of an input or command.
type Outcome struct {
	// Event is the outcome as the session published it, and its Position is where it stands
	// in the feed. It has its Position and nothing else if the feed goes back no further and
	// the session only remembers how an earlier input ended: then Result is not known any more.
	Event Event `json:"-"`
	// Name is InputCompleted or CommandApplied, and InputRejected or CommandRejected in a
	// [*RejectedError].
	Name string `json:"-"`
	// Duplicate: the event repeated an earlier one, or one with the same idempotency key,
	// and this is the outcome of that.
	Duplicate bool `json:"-"`

	// Of an input. InputID is the input that ended: of a duplicate, the first one.
	InputID string `json:"input_id,omitzero"`
	RunID   string `json:"run_id,omitzero"`
	// TerminalOutcome is Completed, Abandoned, Superseded, Coalesced or Cancelled.
	TerminalOutcome string `json:"terminal_outcome,omitzero"`
	// Reason says more where there is more to say, of an Abandoned input above all.
	Reason string `json:"reason,omitzero"`
	// Result is what the run answered, as JSON; nil if nothing.
	Result jsontext.Value `json:"result,omitzero"`
	// ResultRef is the blob of a large result. [Client.PublishAndWait] reads it into Result.
	// Result stays nil if the session has let the blob go, if it could not be read within the
	// wait, or with [LeaveResult]: then [Client.Blob] reads it later.
	ResultRef string `json:"result_ref,omitzero"`

	// Of a command.
	Command string         `json:"command,omitzero"`
	Report  jsontext.Value `json:"report,omitzero"`
}

// Completed tells whether an input ended well. A command that was applied did.
func (o *Outcome) Completed() bool {
	return o.Name == CommandApplied || o.Name == InputCompleted && o.TerminalOutcome == "Completed"
}

// PublishAndWait publishes an event and waits for what becomes of it: the end of an input
// ([InputCompleted]), whichever way it ended, or the answer to a command
// ([CommandApplied]). A refusal is a [*RejectedError].
//
// An event that repeats an earlier one gets the outcome of that one, however long ago it
// was; [ErrForgotten] if neither session nor feed remember.
//
// The outcome is heard on fx, and looked for in the session and its feed when nothing is
// heard, when the connection was lost in between, and when the event was stored before.
// So it is found whether or not it is published on fx and the client may subscribe
// there. A publication of unknown outcome is repeated, which is safe, until it is known
// to be stored.
//
// When ctx ends first the error is a [*PendingError], or [ErrUndecided] while it is not
// known whether the event is stored, or the context's alone before it was sent, while large
// data are stored; the wait goes on by calling it again with the same event.
func (c *Client) PublishAndWait(ctx context.Context, session string, ev event.Event, opts ...PublishOption) (*Outcome, error) {
	p, err := c.prepare(session, ev, opts)
	if err != nil {
		return nil, fmt.Errorf("publish to %s: %w", session, err)
	}
	ctx, done := c.within(ctx)
	defer done()
	w := &wait{
		c: c, p: p, target: p.input,
		waiter:  newWaiter(session, p.event.ID(), p.input),
		started: time.Now(),
	}
	c.register(ctx, w.waiter)
	defer c.unregister(w.waiter)
	out, err := w.run(ctx)
	switch {
	case err != nil:
		return nil, err
	case p.leave:
		return out, nil
	}
	return c.whole(ctx, session, out), nil
}

// Wait waits for the end of an input that somebody has published, by its id: a wait that
// was given up, or whose process is gone, goes on here. The outcome is the one that every
// other wait for the input gets; it is found however long ago the input ended, as far as
// session and feed remember.
//
// An input that the session does not know may still wait in its mailbox, so it is waited
// for; when ctx ends the error is a [*PendingError]. If the event of that id was refused
// the error is a [*RejectedError]; if it repeated another input, by its idempotency key, the
// outcome is that one's.
func (c *Client) Wait(ctx context.Context, session, inputID string) (*Outcome, error) {
	if err := subjects.CheckToken("session", session); err != nil {
		return nil, fmt.Errorf("wait: %w", err)
	}
	if inputID == "" {
		return nil, errors.New("wait: the input id is empty")
	}
	ctx, done := c.within(ctx)
	defer done()
	w := &wait{
		c: c, p: &publication{session: session, input: inputID}, target: inputID, started: time.Now(),
		waiter:  newWaiter(session, inputID, inputID),
		receipt: Receipt{EventID: inputID}, answered: true, byID: true,
	}
	link := c.linked()
	c.register(ctx, w.waiter)
	defer c.unregister(w.waiter)
	out, err := w.listen(ctx, link, true)
	if err != nil {
		return nil, err
	}
	return c.whole(ctx, session, out), nil
}

// whole reads a large result into its outcome. The outcome is known all the same if that
// fails: an error would read as if it were not, or as if nothing had been stored.
func (c *Client) whole(ctx context.Context, session string, out *Outcome) *Outcome {
	if out.ResultRef == "" {
		return out
	}
	var err error
	if out.Result, err = c.Blob(ctx, session, out.ResultRef); err != nil {
		c.log.WarnContext(ctx, "a result cannot be read", "session", session, "input", out.InputID, "blob", out.ResultRef, "error", err)
	}
	return out
}

// Command sends a command on the session's control subject and waits for its answer, as
// [Client.PublishAndWait] does. name is the snake_case name of the catalogue; data is
// encoded as JSON, nil is no data.
func (c *Client) Command(ctx context.Context, session, name string, data any) (*Outcome, error) {
	ev := event.New()
	ev.SetType(subjects.CommandType(name))
	ev.SetID(newID())
	ev.SetSource(c.source)
	if data != nil {
		body, err := json.Marshal(data)
		if err != nil {
			return nil, fmt.Errorf("command %s: data: %w", name, err)
		}
		if err := ev.SetData(event.ApplicationJSON, body); err != nil {
			return nil, fmt.Errorf("command %s: %w", name, err)
		}
	}
	return c.PublishAndWait(ctx, session, ev, OnControl())
}

// inputID is the id an input will have, "" for a command.
func inputID(p *publication) string {
	if p.command {
		return ""
	}
	var data struct {
		InputID string `json:"input_id"`
	}
	if _, ours := subjects.ParseInputType(p.event.Type()); ours && json.Unmarshal(p.event.Data(), &data) == nil && data.InputID != "" {
		return data.InputID
	}
	return p.event.ID()
}

// wait is one call of PublishAndWait.
type wait struct {
	c       *Client
	p       *publication
	waiter  *waiter
	started time.Time

	receipt   Receipt
	target    string // the input whose end is waited for, "" for a command
	duplicate bool   // the event repeats an earlier one
	answered  bool   // and the session said so: what it repeats was taken long ago, or now
	byID      bool   // nothing was published: the input may not have been taken yet
	accepted  bool   // the input was seen accepted: from then on the session knows it

	scan    *reader // through the feed, for what was not heard
	trimmed bool    // the feed's beginning is gone
}

// skew is how far the clocks of a cluster may be apart for a scan to start early enough.
// Starting too early only costs a few commits more.
const skew = time.Minute

func (w *wait) run(ctx context.Context) (*Outcome, error) {
	link := w.c.linked() // of before the publication
	out, err := w.publish(ctx)
	if out != nil || err != nil {
		return out, err
	}
	return w.listen(ctx, link, w.duplicate)
}

// listen hears and looks until there is an outcome.
func (w *wait) listen(ctx context.Context, link context.Context, look bool) (out *Outcome, err error) {
	silence := w.c.silence
	timer := time.NewTimer(silence)
	defer timer.Stop()
	for {
		if !look {
			select {
			case ev := <-w.waiter.events:
				if out, err = w.offer(ev); out != nil || err != nil {
					return out, err
				}
				if !w.answered || !w.duplicate {
					continue
				}
				look = true
			case <-w.waiter.behind:
				look = true
			case <-timer.C:
				look = true
			case <-link.Done():
				link, look = w.c.linked(), true
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return nil, &PendingError{Session: w.p.session, Receipt: w.receipt, Cause: context.Cause(ctx)}
		}
		if look {
			if out, err = w.look(ctx); out != nil || err != nil {
				return out, err
			}
			look = false
			timer.Reset(silence)
			silence = max(silence, min(2*silence, MaxSilence))
		}
	}
}

// publish stores the event. A try of unknown outcome is repeated: it is the same message
// to the server and the same event to the session. The outcome may come before the
// acknowledgement does.
func (w *wait) publish(ctx context.Context) (*Outcome, error) {
	for pauses, again := 100*time.Millisecond, false; ; again = true {
		receipt, err := w.c.publish(ctx, w.p)
		if err == nil {
			w.receipt, w.duplicate = receipt, receipt.Duplicate && !again
			return nil, nil
		}
		if again && errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrUndecided) {
			err = fmt.Errorf("%w: %w", ErrUndecided, err) // an earlier try may be stored
		}
		if !errors.Is(err, ErrUndecided) || ctx.Err() != nil || errors.Is(err, nats.ErrConnectionClosed) {
			return nil, err
		}
		w.c.log.DebugContext(ctx, "publishing again", "session", w.p.session, "event", w.p.event.ID(), "error", err)
		t := time.NewTimer(pauses)
		select {
		case ev := <-w.waiter.events:
			t.Stop()
			if out, err := w.offer(ev); out != nil || err != nil {
				return out, err
			}
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, err
		}
		pauses = min(2*pauses, 2*time.Second)
	}
}

// offer takes an event that may concern the wait. Both results are nil while it goes on.
func (w *wait) offer(ev Event) (*Outcome, error) {
	mine := causeOf(&ev) == w.waiter.cause
	switch ev.Name {
	case InputAccepted:
		w.accepted = w.accepted || mine
	case InputCompleted:
		if w.target != "" && inputOf(&ev) == w.target {
			return w.conclude(ev)
		}
	case InputRejected:
		if w.target != "" && mine {
			return w.conclude(ev)
		}
	case CommandApplied, CommandRejected:
		if w.target == "" && mine {
			return w.conclude(ev)
		}
	case InputDeduplicated:
		if !mine || w.answered && !w.byID {
			break
		}
		var data struct {
			Existing string `json:"existing_input_id"`
		}
		if err := json.Unmarshal(ev.Data(), &data); err != nil {
			return nil, fmt.Errorf("%w: event %s: %w", ErrCorrupt, ev.ID(), err)
		}
		if w.byID && (w.duplicate || data.Existing == w.target) {
			break // somebody repeated the input that is waited for
		}
		w.duplicate, w.answered = true, true
		w.scan = nil // what it repeats may stand anywhere in the feed
		if w.target != "" && data.Existing != "" {
			w.target = data.Existing
			w.waiter.aim(w.target)
		}
	}
	return nil, nil
}

func (w *wait) conclude(ev Event) (*Outcome, error) {
	out := &Outcome{Event: ev, Name: ev.Name, Duplicate: w.duplicate}
	var refusal struct {
		Kind   string `json:"kind"`
		Reason string `json:"reason"`
		Guard  string `json:"guard"`
	}
	err := json.Unmarshal(ev.Data(), out)
	rejected := ev.Name == InputRejected || ev.Name == CommandRejected
	if err == nil && rejected {
		err = json.Unmarshal(ev.Data(), &refusal)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: event %s: %w", ErrCorrupt, ev.ID(), err)
	}
	if !rejected {
		return out, nil
	}
	return nil, &RejectedError{
		Session: w.p.session, Event: w.waiter.cause,
		Kind: refusal.Kind, Reason: refusal.Reason, Guard: refusal.Guard, Outcome: out,
	}
}

// report is what the session tells about an input.
type report struct {
	TerminalOutcome string `json:"terminal_outcome"`
	AbandonReason   string `json:"abandon_reason"`
	RunID           string `json:"run_id"`
	CompletedAt     string `json:"completed_at"`
}

// look finds out what was not heard: it asks the session, which costs little, and reads
// the feed if the session does not know. Nothing found is no error, and neither is a
// fleet that does not answer: the wait goes on.
func (w *wait) look(ctx context.Context) (*Outcome, error) {
	unknown := w.target == ""
	if w.target != "" {
		var r report
		err := w.c.query(ctx, w.p.session, "input", map[string]string{"input_id": w.target}, &r)
		switch {
		case err == nil && r.CompletedAt != "":
			if out, err := w.ended(ctx, r); out != nil || err != nil {
				return out, err
			}
		case err == nil && r.TerminalOutcome == "" && (w.accepted || w.answered):
			return nil, nil // it is at work
		case errors.Is(err, ErrInputNotFound), errors.Is(err, ErrSessionNotFound):
			unknown = true
		case err != nil:
			w.c.log.DebugContext(ctx, "asking for an input", "session", w.p.session, "input", w.target, "error", err)
		}
	}
	out, err := w.read(ctx)
	switch {
	case out != nil:
		return out, nil
	case errors.Is(err, ErrGap):
		w.scan = nil // the feed was trimmed under the scan
		return nil, nil
	case errors.Is(err, ErrCorrupt), errors.As(err, new(*RejectedError)):
		return nil, err
	case err != nil:
		w.c.log.DebugContext(ctx, "looking for an outcome", "session", w.p.session, "event", w.waiter.cause, "error", err)
		return nil, nil
	}
	if unknown && w.answered && !w.byID && (w.target != "" || w.trimmed) {
		return nil, fmt.Errorf("session %s: event %q: %w", w.p.session, w.waiter.cause, ErrForgotten)
	}
	return nil, nil
}

// ended fetches the outcome of an input that the session says has ended.
func (w *wait) ended(ctx context.Context, r report) (*Outcome, error) {
	at, err := subjects.ParsePosition(r.CompletedAt)
	if err != nil {
		return nil, fmt.Errorf("session %s: input %q: completed_at: %w", w.p.session, w.target, err)
	}
	ev, err := w.c.eventAt(ctx, w.p.session, at)
	switch {
	case err == nil:
		return w.conclude(ev)
	case errors.Is(err, ErrGap):
		return &Outcome{
			Event: Event{Position: at}, Name: InputCompleted, Duplicate: w.duplicate, InputID: w.target, RunID: r.RunID,
			TerminalOutcome: r.TerminalOutcome, Reason: r.AbandonReason,
		}, nil
	case errors.Is(err, ErrCorrupt):
		return nil, err
	}
	w.c.log.DebugContext(ctx, "fetching an outcome", "session", w.p.session, "at", at, "error", err)
	return nil, nil
}

// read goes through the feed, from before the event was stored to the feed's end, and
// from there the next time.
func (w *wait) read(ctx context.Context) (*Outcome, error) {
	if w.scan == nil {
		w.scan = w.c.reader(w.p.session)
		if !w.answered {
			end, err := w.c.logEnd(ctx, w.p.session)
			if err != nil {
				w.scan = nil
				return nil, err
			}
			back := time.Since(w.started) + skew
			if w.receipt.Duplicate {
				back += max(w.c.settings.Duplicates, subjects.DefaultDuplicates)
			}
			w.scan.at = end.now.Add(-back)
		}
	}
	whole, target, scan := w.answered, w.target, w.scan
	var out *Outcome
	err := scan.run(ctx, func(k *commit) error {
		if whole && scan.last == 0 {
			w.trimmed = k.prev != 0
		}
		return k.outcomes(func(ev Event) error {
			if !w.waiter.concerns(aboutOf(&ev)) {
				return nil
			}
			var err error
			if out, err = w.offer(ev); out != nil {
				return errEnough
			}
			return err
		})
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err == nil && out == nil && (w.answered != whole || w.target != target) {
		return w.read(ctx) // it is a duplicate, so all of the feed counts
	}
	return out, err
}

// outcomes passes on what may concern a wait, without decoding the rest.
func (k *commit) outcomes(f func(Event) error) error {
	for i, raw := range k.events {
		h, err := head(raw)
		if err != nil {
			return fmt.Errorf("%w: event %s: %w", ErrCorrupt, k.position(i), err)
		}
		if name, ok := subjects.EventName(h.Type); !ok || !telling(name) {
			continue
		}
		ev, err := k.event(i)
		if err != nil {
			return err
		}
		if err := f(ev); err != nil {
			return err
		}
	}
	return nil
}

// telling tells whether events of that name tell a wait anything.
func telling(name string) bool {
	switch name {
	case InputAccepted, InputCompleted, InputDeduplicated, InputRejected, CommandApplied, CommandRejected:
		return true
	}
	return false
}
