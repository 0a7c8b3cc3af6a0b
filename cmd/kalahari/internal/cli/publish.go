package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/oklog/ulid/v2"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/subjects"
)

// Publish is the command publish.
type Publish struct {
	Target
	Session string        `arg:"" help:"Session to publish to. It comes to be with its first event."`
	Text    string        `arg:"" optional:"" help:"Text of a prompt."`
	Type    string        `name:"type" help:"CloudEvents type. Default: a prompt. Types that are not ours are external events."`
	Kind    string        `name:"kind" help:"Kind of input, instead of a type: prompt, peer_message, flow_step, ..."`
	Command string        `name:"command" help:"Send a command, by its name: retire, reset, ..."`
	Data    string        `name:"data" help:"Data of the event as JSON; @FILE reads a file, - standard input."`
	ID      string        `name:"id" help:"Id of the event. Publishing an id again changes nothing. Default: a new one."`
	Source  string        `name:"source" default:"/kalahari/cli" help:"Source of the event."`
	Key     string        `name:"key" help:"Idempotency key."`
	Lane    string        `name:"lane" enum:",queue,steer" default:"" help:"Requested lane: queue or steer."`
	Corr    string        `name:"correlation" help:"Correlation id."`
	Wait    bool          `name:"wait" short:"w" help:"Wait for the outcome and print the answer."`
	Timeout time.Duration `name:"timeout" default:"30s" help:"How long to wait."`
}

// published is what the command prints.
type published struct {
	Session   string         `json:"session"`
	ID        string         `json:"id"`
	Type      string         `json:"type"`
	Stream    string         `json:"stream"`
	Sequence  uint64         `json:"sequence"`
	Duplicate bool           `json:"duplicate"`
	Outcome   string         `json:"outcome,omitzero"` // the event's name
	Data      jsontext.Value `json:"data,omitzero"`    // and its data
}

// Run publishes one event.
func (c Publish) Run(e *Env) error {
	ev, err := c.event(e.In)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(e.Context, c.Timeout)
	defer cancel()
	f, err := c.dial(ctx, "publish")
	if err != nil {
		return err
	}
	defer f.close()
	attempt := c.Timeout
	if c.Wait {
		attempt = min(attempt, client.DefaultTimeout) // a wait asks again
	}
	sdk, err := f.client(attempt)
	if err != nil {
		return err
	}
	defer sdk.Close()
	p, err := c.send(ctx, sdk, ev)
	if err != nil {
		return err
	}
	if e.JSON {
		err = e.print(p)
	} else {
		err = p.say(e)
	}
	if err == nil && (p.Outcome == client.InputRejected || p.Outcome == client.CommandRejected) {
		return ErrSaid
	}
	return err
}

// event builds the event.
func (c Publish) event(in io.Reader) (ev event.Event, err error) {
	if err := subjects.CheckToken("session", c.Session); err != nil {
		return ev, err
	}
	ev = event.New()
	ev.SetID(c.ID)
	if c.ID == "" {
		ev.SetID(ulid.Make().String())
	}
	ev.SetSource(c.Source)
	switch {
	case c.Command != "":
		ev.SetType(subjects.CommandType(c.Command))
		if _, ok := subjects.ParseCommandType(ev.Type()); !ok {
			return ev, fmt.Errorf("there is no command %q", c.Command)
		}
	case c.Type != "":
		ev.SetType(c.Type)
	case c.Kind != "":
		ev.SetType(subjects.InputType(c.Kind))
	default:
		ev.SetType(subjects.InputType("prompt"))
	}
	if _, ok := subjects.Lookup(ev.Type()); !ok && subjects.Reserved(ev.Type()) {
		return ev, fmt.Errorf("there is no event type %q", ev.Type())
	}
	for name, value := range map[string]string{
		subjects.ExtIdempotencyKey: c.Key, subjects.ExtLane: c.Lane, subjects.ExtCorrelationID: c.Corr,
	} {
		if value != "" {
			ev.SetExtension(name, value)
		}
	}
	data, err := c.data(in)
	if err != nil {
		return ev, err
	}
	if len(data) > 0 {
		ev.SetDataContentType(event.ApplicationJSON)
		ev.DataEncoded = data
	}
	return ev, ev.Validate()
}

func (c Publish) data(in io.Reader) (jsontext.Value, error) {
	var data jsontext.Value
	var err error
	switch {
	case c.Text != "" && c.Data != "":
		return nil, errors.New("give a text or --data, not both")
	case c.Text != "":
		return json.Marshal(map[string]string{"text": c.Text})
	case c.Data == "-":
		data, err = io.ReadAll(in)
	case strings.HasPrefix(c.Data, "@"):
		data, err = os.ReadFile(c.Data[1:])
	case c.Data != "":
		data = jsontext.Value(c.Data)
	case c.Command != "":
		data = jsontext.Value("{}")
	}
	if err == nil && len(data) > 0 && !data.IsValid() {
		err = errors.New("--data is not JSON")
	}
	return data, err
}

// client is the SDK's, on this connection.
func (f *conn) client(timeout time.Duration) (*client.Client, error) {
	return client.New(f.nc, f.ns.Name(), client.WithJetStream(f.js), client.WithTimeout(timeout))
}

// send publishes an event and, if told to, waits until the session has said what became
// of it.
func (c Publish) send(ctx context.Context, sdk *client.Client, ev event.Event) (*published, error) {
	p := &published{Session: c.Session, ID: ev.ID(), Type: ev.Type()}
	opts := []client.PublishOption{client.OnStored(func(r client.Receipt) {
		p.Stream, p.Sequence, p.Duplicate = r.Stream, r.Sequence, r.Duplicate
	})}
	if c.Command != "" {
		opts = append(opts, client.OnControl())
	}
	if !c.Wait {
		_, err := sdk.Publish(ctx, c.Session, ev, opts...)
		return p, err
	}
	out, err := sdk.PublishAndWait(ctx, c.Session, ev, opts...)
	var refused *client.RejectedError
	switch {
	case errors.As(err, &refused):
		out = refused.Outcome
	case errors.Is(err, client.ErrPending) && errors.Is(err, context.DeadlineExceeded):
		return p, fmt.Errorf("event %s is stored, but its outcome did not come in time: is a worker running?", p.ID)
	case err != nil:
		return p, err
	}
	return p, p.ended(out)
}

// ended takes the outcome. Its data are those of the event, unless that has the result
// elsewhere or is no longer there itself: then they are what the SDK knows, which has the
// same members.
func (p *published) ended(out *client.Outcome) (err error) {
	p.Outcome, p.Duplicate, p.Data = out.Name, out.Duplicate, jsontext.Value(out.Event.Data())
	if out.ResultRef != "" || len(p.Data) == 0 {
		p.Data, err = json.Marshal(out)
	}
	return err
}

func (p *published) say(e *Env) error {
	switch {
	case p.Outcome == "" && p.Duplicate:
		return e.say("event %s was stored before, as message %d of %s", p.ID, p.Sequence, p.Stream)
	case p.Outcome == "":
		return e.say("stored event %s of session %s as message %d of %s", p.ID, p.Session, p.Sequence, p.Stream)
	case p.Outcome == client.InputCompleted:
		if text, ok := answer(p.Data); ok {
			return e.say("%s", text)
		}
	}
	return e.say("%s %s", p.Outcome, short(p.Data))
}

// answer is the text of a completed input's result, if it has one.
func answer(data jsontext.Value) (string, bool) {
	var completed struct {
		Outcome string         `json:"terminal_outcome"`
		Result  jsontext.Value `json:"result"`
	}
	if err := json.Unmarshal(data, &completed); err != nil || completed.Outcome != "Completed" {
		return "", false
	}
	var result struct {
		Text    string         `json:"text"`
		Content jsontext.Value `json:"content"`
	}
	var text string
	if json.Unmarshal(completed.Result, &text) == nil {
		return text, true
	}
	if json.Unmarshal(completed.Result, &result) != nil {
		return "", false
	}
	if result.Text != "" {
		return result.Text, true
	}
	var blocks []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(result.Content, &blocks) != nil {
		return "", false
	}
	var texts []string
	for _, b := range blocks {
		texts = append(texts, b.Text)
	}
	return strings.Join(texts, "\n"), len(texts) > 0
}
