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
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"

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
	ev, ctl, err := c.event(e.In)
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
	p, err := f.publish(ctx, c.Session, ev, ctl, c.Wait)
	if err != nil {
		return err
	}
	if e.JSON {
		err = e.print(p)
	} else {
		err = p.say(e)
	}
	if err == nil && (p.Outcome == "InputRejected" || p.Outcome == "CommandRejected") {
		return ErrSaid
	}
	return err
}

// event builds the event, and tells whether it is a command.
func (c Publish) event(in io.Reader) (ev event.Event, ctl bool, err error) {
	if err := subjects.CheckToken("session", c.Session); err != nil {
		return ev, false, err
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
			return ev, false, fmt.Errorf("there is no command %q", c.Command)
		}
		ctl = true
	case c.Type != "":
		ev.SetType(c.Type)
	case c.Kind != "":
		ev.SetType(subjects.InputType(c.Kind))
	default:
		ev.SetType(subjects.InputType("prompt"))
	}
	if _, ok := subjects.Lookup(ev.Type()); !ok && subjects.Reserved(ev.Type()) {
		return ev, false, fmt.Errorf("there is no event type %q", ev.Type())
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
		return ev, false, err
	}
	if len(data) > 0 {
		ev.SetDataContentType(event.ApplicationJSON)
		ev.DataEncoded = data
	}
	return ev, ctl, ev.Validate()
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

// publish stores an event and, if told to, waits until the session has said what became
// of it.
func (f *conn) publish(ctx context.Context, session string, ev event.Event, ctl, wait bool) (*published, error) {
	subject := f.ns.In(session)
	if ctl {
		subject = f.ns.Ctl(session)
	}
	msg, err := subjects.EncodeBinary(ev, subject)
	if err != nil {
		return nil, err
	}
	msg.Header.Set(nats.MsgIdHdr, subjects.MsgID(session, ev))
	var outcomes *feed
	if wait {
		if outcomes, err = f.follow(ctx, session, jetstream.DeliverNewPolicy); err != nil {
			return nil, err
		}
		defer outcomes.close()
	}
	ack, err := f.js.PublishMsg(ctx, msg)
	if err != nil {
		return nil, fmt.Errorf("publish to %s: %w", subject, err)
	}
	p := &published{Session: session, ID: ev.ID(), Type: ev.Type(), Stream: ack.Stream, Sequence: ack.Sequence, Duplicate: ack.Duplicate}
	if !wait || ack.Duplicate {
		return p, nil // the first one's outcome may be long past
	}
	for {
		c, err := outcomes.next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return p, fmt.Errorf("event %s is stored, but its outcome did not come in time: is a worker running?", ev.ID())
		}
		if err != nil {
			return p, err
		}
		events, err := c.named()
		if err != nil {
			return p, err
		}
		for _, out := range events {
			if final[out.name] && (out.causation() == ev.ID() || inputID(out) == ev.ID()) {
				p.Outcome, p.Data = out.name, out.Data()
				return p, nil
			}
		}
	}
}

// final are the outcomes after which there is no other.
var final = map[string]bool{
	"InputCompleted": true, "InputRejected": true, "InputDeduplicated": true,
	"CommandApplied": true, "CommandRejected": true,
}

func inputID(ev named) string {
	var d struct {
		InputID string `json:"input_id"`
	}
	if err := json.Unmarshal(ev.Data(), &d); err != nil {
		return ""
	}
	return d.InputID
}

func (p *published) say(e *Env) error {
	switch {
	case p.Duplicate:
		return e.say("event %s was stored before, as message %d of %s", p.ID, p.Sequence, p.Stream)
	case p.Outcome == "":
		return e.say("stored event %s of session %s as message %d of %s", p.ID, p.Session, p.Sequence, p.Stream)
	case p.Outcome == "InputCompleted":
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
