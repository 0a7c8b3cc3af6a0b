package session

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// command is one decoded command event (chapter 01, command table).
type command struct {
	name  string
	event string // the CloudEvent's id
	key   string
	mob   string // that routed it, "" if none did
	// action is the id of an executor's action, "" for an event.
	action string
	// repeatable is an action whose answer need not be kept.
	repeatable bool
	data       jsontext.Value
	cause      cause
}

// errWaiting says that a command was taken and will be answered later.
var errWaiting = errors.New("the command waits for the run in progress")

// commandEvent carries out one command event and answers it with CommandApplied or
// CommandRejected.
func (s *Session) commandEvent(name string, ev *event.Event) {
	cmd := &command{
		name: name, event: ev.ID(), key: eventKey(s.id, ev), data: ev.Data(),
		cause: cause{
			event: ev.ID(), correlation: extension(ev, subjects.ExtCorrelationID),
			traceParent: extension(ev, subjects.ExtTraceParent), traceState: extension(ev, subjects.ExtTraceState),
		},
	}
	if was, ok := s.ledger.Seen[cmd.key]; ok {
		s.outcome("InputDeduplicated", inputDeduplicated{InputID: cmd.event, ExistingInputID: was.ID}, cmd.cause)
		return
	}
	s.change(func(d *delta) {
		d.Seen = append(d.Seen, seenKey{Key: cmd.key, What: seen{ID: cmd.event, Command: true}})
		d.Ended = append(d.Ended, cmd.key)
	})
	if extension(ev, subjects.ExtDataRef) != "" {
		s.answer(cmd, nil, &FieldError{subjects.ExtDataRef, "a command carries its data itself"})
		return
	}
	if len(cmd.data) == 0 {
		cmd.data = jsontext.Value("{}")
	}
	var report any
	err := cmd.shallow()
	if err == nil {
		err = s.route(cmd, ev)
	}
	if err == nil {
		err = cmd.known()
	}
	if err == nil {
		err = s.prepare(cmd)
	}
	if err == nil {
		report, err = handlerOf(name)(s, cmd)
	}
	if !errors.Is(err, errWaiting) {
		s.answer(cmd, report, err)
	}
}

// maxReport is the largest report in an event. A larger one is left out: fx is published
// in order, and what no server takes would hold up everything behind it.
const maxReport = 256 << 10

// answer tells what became of a command: the world, the mob that routed it, the executor
// whose action it is.
func (s *Session) answer(cmd *command, report any, err error) {
	if err == nil {
		if report == nil {
			report = struct{}{}
		}
		s.meet()
		said := mustJSON(report)
		if len(said) > maxReport {
			said = mustJSON(map[string]int{"omitted_bytes": len(said)})
		}
		applied := mustJSON(commandApplied{Command: cmd.name, Report: said, Action: cmd.action})
		s.emitTo(cmd.mob, subjects.Public("CommandApplied"), applied, cmd.cause)
		s.env.Telemetry.CommandApplied()
		if cmd.action != "" {
			s.acted(cmd, answered{Report: mustJSON(report)})
		}
		return
	}
	rejected := s.rejection(cmd, err)
	s.emitTo(cmd.mob, subjects.Public("CommandRejected"), mustJSON(rejected), cmd.cause)
	s.env.Telemetry.CommandRejected()
	if cmd.action != "" {
		s.acted(cmd, answered{Refusal: &rejected})
	}
}

// meet notes that the session has been spoken to and has heeded it.
func (s *Session) meet() {
	if !s.ledger.Met {
		s.change(func(d *delta) { d.Met = true })
	}
}

func (s *Session) rejection(cmd *command, err error) commandRejected {
	rejected := commandRejected{Command: cmd.name, Kind: rejectInternal, Reason: err.Error(), Action: cmd.action}
	var r *refusal
	var field *FieldError
	var attribute *subjects.DecodeError
	var question *QueryError
	switch {
	case errors.As(err, &r):
		rejected.Kind, rejected.Reason, rejected.Phase = r.kind, r.reason, r.phase
		rejected.Rule, rejected.Guard = r.rule, r.guard
	case errors.As(err, new(*BlobError)):
		rejected.Kind = rejectNoBlob
	case errors.As(err, &field):
		rejected.Kind, rejected.Reason = rejectInvalid, field.Error()
	case errors.As(err, &attribute):
		rejected.Kind, rejected.Reason = rejectInvalid, attribute.Attribute+": "+attribute.Reason
	case errors.As(err, &question):
		rejected.Kind, rejected.Reason = question.kind(), question.Message
	}
	if cmd.mob != "" {
		rejected.Code = consumerCode(r, field)
	}
	rejected.Reason = subjects.Clip(rejected.Reason, subjects.MaxReason)
	return rejected
}

// shallow refuses data that is too deep to stand in a commit.
func (c *command) shallow() error {
	if subjects.TooDeep(c.data) {
		return errDepth
	}
	return nil
}

// known refuses members of a command's data that the catalogue does not name: what is
// written there, and in the schemas made of it, is what a command takes.
func (c *command) known() error {
	t, ok := subjects.Lookup(subjects.CommandType(c.name))
	var members map[string]jsontext.Value
	if !ok || json.Unmarshal(c.data, &members) != nil {
		return nil // who carries it out says what is wrong
	}
	delete(members, "session_id")
	for _, f := range t.Data {
		delete(members, f.Name)
	}
	if len(members) > 0 {
		return &FieldError{"data." + slices.Min(slices.Collect(maps.Keys(members))), "is no field of " + c.name}
	}
	return nil
}

// read decodes a command's data. Unknown members are refused: a misspelt field must not
// look as if it had been heeded.
func (c *command) read(into any) error {
	return c.decode(into, json.RejectUnknownMembers(true))
}

func (c *command) decode(into any, options ...json.Options) error {
	err := json.Unmarshal(c.data, into, options...)
	if err == nil {
		return nil
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		return &FieldError{"data" + strings.ReplaceAll(string(semantic.JSONPointer), "/", "."), semanticReason(semantic)}
	}
	return &FieldError{"data", err.Error()}
}

func semanticReason(err *json.SemanticError) string {
	if err.Err != nil {
		return err.Err.Error()
	}
	return "has the wrong type"
}

// sessionArg is the session id many commands repeat. If given it must be this session's.
type sessionArg struct {
	SessionID *string `json:"session_id"`
}

func (a sessionArg) check(session string) error {
	if a.SessionID != nil && *a.SessionID != session {
		return &FieldError{"data.session_id", fmt.Sprintf("%q is not the session %q", *a.SessionID, session)}
	}
	return nil
}

func (s *Session) readSessionArg(c *command) error {
	var arg sessionArg
	if err := c.read(&arg); err != nil {
		return err
	}
	return arg.check(s.id)
}

func (s *Session) sessionID() kernel.SessionId { return kernel.SessionId(s.id) }
