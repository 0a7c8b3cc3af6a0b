// Package clienttest plays a fleet for the tests of programs that talk to sessions. The
// server is a real one and so is all that is on the wire: commits in the log, events on
// fx, answers to queries. What is played is the machine: the test says what a session
// does.
package clienttest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// Event is what a session publishes.
type Event struct {
	// Name is the PascalCase name of an effect, outcome or output.
	Name string
	// Cause is the id of the event it follows from.
	Cause string
	// Data is encoded as JSON. A jsontext.Value stays as it is.
	Data any
}

// Fleet plays the workers of a namespace.
type Fleet struct {
	t  testing.TB
	nc *nats.Conn
	js jetstream.JetStream
	ns subjects.Namespace

	mu       sync.Mutex
	silent   bool
	inline   int
	sessions map[string]*session
}

type session struct {
	last     uint64 // stream sequence of the last commit
	commits  uint64
	sequence uint64
	inputs   map[string]*Report
}

// Report is the answer to the query "input".
type Report struct {
	InputID         string `json:"input_id"`
	Phase           string `json:"phase"`
	TerminalOutcome string `json:"terminal_outcome,omitzero"`
	RunID           string `json:"run_id,omitzero"`
	CompletedAt     string `json:"completed_at,omitzero"`
}

// Start plays a fleet on nc until the test ends: it answers queries.
func Start(t testing.TB, nc *nats.Conn, ns subjects.Namespace) *Fleet {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatalf("clienttest: %v", err)
	}
	f := &Fleet{t: t, nc: nc, js: js, ns: ns, inline: 512 << 10, sessions: map[string]*session{}}
	service, err := micro.AddService(nc, micro.Config{Name: "kalahari-sessions", Version: "1.0.0"})
	if err == nil {
		err = service.AddEndpoint("query", micro.HandlerFunc(f.query), micro.WithEndpointSubject(ns.QueryAll()))
	}
	if err == nil {
		err = nc.Flush() // a question on another connection may be faster
	}
	if err != nil {
		t.Fatalf("clienttest: %v", err)
	}
	t.Cleanup(func() { _ = service.Stop() }) // the server may be gone
	return f
}

// Silence stops publishing on fx, as the published set "none" does, or as if everything
// were lost there.
func (f *Fleet) Silence() {
	f.mu.Lock()
	f.silent = true
	f.mu.Unlock()
}

// Inline sets how many bytes a commit's body may have before it goes to the object store.
func (f *Fleet) Inline(n int) {
	f.mu.Lock()
	f.inline = n
	f.mu.Unlock()
}

// Forget makes a session forget an input, as it does beyond its horizon.
func (f *Fleet) Forget(id, input string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.session(id).inputs, input)
}

// Trim removes the commits of a session but the last one, as is done behind a snapshot.
func (f *Fleet) Trim(id string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s, err := f.js.Stream(ctx, f.ns.LogStream(f.ns.Shard(id)))
	if err == nil {
		f.mu.Lock()
		last := f.session(id).last
		f.mu.Unlock()
		err = s.Purge(ctx, jetstream.WithPurgeSubject(f.ns.Log(id)), jetstream.WithPurgeSequence(last))
	}
	if err != nil {
		f.t.Errorf("clienttest: trim: %v", err)
	}
}

// session is locked by the caller.
func (f *Fleet) session(id string) *session {
	s := f.sessions[id]
	if s == nil {
		s = &session{inputs: map[string]*Report{}}
		f.sessions[id] = s
	}
	return s
}

// Commit appends one commit with these events to a session's log and publishes them on
// fx. It returns the position of the first.
func (f *Fleet) Commit(id string, events ...Event) subjects.Position {
	f.t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.commit(id, events)
	if err != nil && f.nc.IsConnected() { // who waited for it may be gone before its ack
		f.t.Errorf("clienttest: commit of %s: %v", id, err)
	}
	return p
}

func (f *Fleet) commit(id string, events []Event) (subjects.Position, error) {
	s := f.session(id)
	at := subjects.Position{Commit: s.last}
	var body struct {
		Events []jsontext.Value `json:"events"`
		Record struct{}         `json:"record"`
	}
	body.Events = []jsontext.Value{}
	var fx []*nats.Msg
	for i, e := range events {
		at.Index = i
		ev, err := f.event(id, at, e)
		if err != nil {
			return at, err
		}
		s.sequence++
		ev.SetExtension(subjects.ExtSequence, strconv.FormatUint(s.sequence, 10))
		text, err := subjects.EncodeJSON(ev)
		if err != nil {
			return at, err
		}
		body.Events = append(body.Events, text)
		m, err := subjects.EncodeBinary(ev, f.ns.Fx(id, e.Name))
		if err != nil {
			return at, err
		}
		fx = append(fx, m)
		s.note(at, e, ev.Data())
	}
	at.Index = 0
	if err := f.append(id, s, body); err != nil {
		return at, err
	}
	if f.silent {
		return at, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, m := range fx {
		if _, err := f.js.PublishMsg(ctx, m); err != nil {
			return at, err
		}
	}
	return at, nil
}

func (f *Fleet) append(id string, s *session, body any) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	if len(data) > f.inline {
		store, err := kv.Open(ctx, f.js, f.ns)
		if err != nil {
			return err
		}
		ref, err := store.Blobs.PutBody(ctx, id, data)
		if err != nil {
			return err
		}
		if data, err = json.Marshal(map[string]string{"dataref": ref}); err != nil {
			return err
		}
	}
	s.commits++
	m := nats.NewMsg(f.ns.Log(id))
	m.Data = data
	for k, v := range map[string]string{
		"ce-specversion": "1.0", "ce-id": id + "/" + strconv.FormatUint(s.last, 10), "ce-source": f.ns.Source(id),
		"ce-type": subjects.CommitType, "ce-subject": id, "ce-datacontenttype": "application/json",
		subjects.HeaderCommitID: fmt.Sprintf("1.test.%d", s.commits), subjects.HeaderCommit: strconv.FormatUint(s.commits, 10),
		subjects.HeaderFence: "1", subjects.HeaderPrev: strconv.FormatUint(s.last, 10),
	} {
		m.Header[k] = []string{v}
	}
	ack, err := f.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequencePerSubject(s.last))
	if err != nil {
		return err
	}
	s.last = ack.Sequence
	return nil
}

func (f *Fleet) event(id string, at subjects.Position, e Event) (event.Event, error) {
	ev := event.New()
	ev.SetID(subjects.EventID(id, at))
	ev.SetSource(f.ns.Source(id))
	ev.SetSubject(id)
	ev.SetTime(time.Now())
	for _, t := range subjects.Catalogue() {
		if t.Name != e.Name {
			continue
		}
		switch t.Class {
		case subjects.ClassEffect, subjects.ClassOutcome, subjects.ClassOutput:
			ev.SetType(t.Type)
		}
	}
	if ev.Type() == "" {
		return ev, fmt.Errorf("no session publishes %q", e.Name)
	}
	if e.Cause != "" {
		ev.SetExtension(subjects.ExtCausationID, e.Cause)
	}
	ev.SetExtension(subjects.ExtFence, "1")
	data, raw := e.Data.(jsontext.Value)
	if !raw {
		var err error
		if data, err = json.Marshal(e.Data); err != nil {
			return ev, err
		}
	}
	return ev, ev.SetData(event.ApplicationJSON, []byte(data))
}

// note keeps what the query "input" answers.
func (s *session) note(at subjects.Position, e Event, data []byte) {
	var d struct {
		InputID string `json:"input_id"`
		RunID   string `json:"run_id"`
		Outcome string `json:"terminal_outcome"`
	}
	if json.Unmarshal(data, &d) != nil {
		return
	}
	switch e.Name {
	case "InputAccepted":
		s.inputs[d.InputID] = &Report{InputID: d.InputID, Phase: "Queued"}
	case "InputCompleted":
		s.inputs[d.InputID] = &Report{
			InputID: d.InputID, Phase: "Consumed", TerminalOutcome: d.Outcome, RunID: d.RunID, CompletedAt: at.String(),
		}
	}
}

// Answer hands every event that arrives for a session, inputs and commands, to answer,
// and commits what that returns. Nothing returned is no commit. It goes on until the test
// ends.
func (f *Fleet) Answer(answer func(session string, ev event.Event) []Event) {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f.t.Cleanup(cancel)
	for shard := range f.ns.Shards() {
		c, err := f.js.OrderedConsumer(ctx, f.ns.InStream(shard), jetstream.OrderedConsumerConfig{})
		if err != nil {
			f.t.Fatalf("clienttest: %v", err)
		}
		consuming, err := c.Consume(func(m jetstream.Msg) {
			_, _, id, err := f.ns.ParseSession(m.Subject())
			if err != nil {
				return
			}
			ev, err := subjects.Decode(m.Headers(), m.Data())
			if err != nil {
				return
			}
			if events := answer(id, ev); len(events) > 0 {
				f.mu.Lock()
				defer f.mu.Unlock()
				if _, err := f.commit(id, events); err != nil && ctx.Err() == nil && f.nc.IsConnected() {
					f.t.Errorf("clienttest: commit of %s: %v", id, err)
				}
			}
		})
		if err != nil {
			f.t.Fatalf("clienttest: %v", err)
		}
		f.t.Cleanup(func() {
			consuming.Stop()
			<-consuming.Closed()
		})
	}
}

// Echo is an answer: prompts are accepted and end well with their own data as the
// result, commands are applied.
func Echo(_ string, ev event.Event) []Event {
	if name, ok := subjects.ParseCommandType(ev.Type()); ok {
		return []Event{{Name: "CommandApplied", Cause: ev.ID(), Data: map[string]any{"command": name, "report": struct{}{}}}}
	}
	return []Event{Accepted(ev.ID()), Completed(ev.ID(), jsontext.Value(ev.Data()))}
}

// Accepted is the outcome InputAccepted of the input that the event of that id is.
func Accepted(id string) Event {
	return Event{Name: "InputAccepted", Cause: id, Data: map[string]string{"input_id": id, "lane": "queue", "plan": "Queued"}}
}

// Completed is the outcome InputCompleted of that input.
func Completed(id string, result any) Event {
	return Event{Name: "InputCompleted", Cause: id, Data: map[string]any{
		"input_id": id, "run_id": "run-" + id, "terminal_outcome": "Completed", "result": result,
	}}
}

func (f *Fleet) query(r micro.Request) {
	tokens := strings.Split(r.Subject(), ".") // kalahari.<ns>.q.<session>.<query>
	id, name := tokens[3], tokens[4]
	f.mu.Lock()
	s := f.sessions[id]
	var answer any
	code := ""
	switch {
	case name == "owner":
		answer = map[string]any{"session": id, "owner": nil}
	case s == nil || s.last == 0:
		code = "session_not_found"
	case name == "state":
		answer = map[string]any{"session": id, "phase": "Idle", "commit": s.commits, "log_sequence": s.last}
	case name == "inputs":
		live := []Report{}
		for _, in := range s.inputs {
			if in.TerminalOutcome == "" {
				live = append(live, *in)
			}
		}
		answer = map[string]any{"inputs": live}
	case name == "input":
		var arg struct {
			InputID string `json:"input_id"`
		}
		if json.Unmarshal(r.Data(), &arg) != nil || arg.InputID == "" {
			code = "bad_request"
		} else if in := s.inputs[arg.InputID]; in == nil {
			code = "input_not_found"
		} else {
			answer = *in
		}
	default:
		code = "unknown_query"
	}
	f.mu.Unlock()
	if code == "" {
		_ = r.RespondJSON(answer) // whoever asked is gone
		return
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]string{"code": code, "message": "played: " + code}})
	_ = r.Error("404", code, body) // whoever asked is gone
}
