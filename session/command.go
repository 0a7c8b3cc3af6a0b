package session

import (
	"errors"
	"fmt"
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
	mob   string
	data  jsontext.Value
	cause cause
}

// commandName is the command an event of our own types asks for, known or not.
func commandName(eventType string) (string, bool) {
	name, ok := strings.CutPrefix(eventType, subjects.TypePrefix+string(subjects.ClassCommand)+".")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, ".v1")
}

// errWaiting says that a command was taken and will be answered later.
var errWaiting = errors.New("the command waits for the run in progress")

// commandEvent carries out one command event and answers it with CommandApplied or
// CommandRejected.
func (s *Session) commandEvent(name string, ev *event.Event) {
	cmd := &command{
		name: name, event: ev.ID(), key: eventKey(s.id, ev), mob: mobOf(s.env.Namespace, ev), data: ev.Data(),
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
	if len(cmd.data) == 0 {
		cmd.data = jsontext.Value("{}")
	}
	report, err := handlerOf(name)(s, cmd)
	if !errors.Is(err, errWaiting) {
		s.answer(cmd, report, err)
	}
}

func (s *Session) answer(cmd *command, report any, err error) {
	if err == nil {
		if report == nil {
			report = struct{}{}
		}
		s.outcome("CommandApplied", commandApplied{Command: cmd.name, Report: report}, cmd.cause)
		s.env.Telemetry.CommandApplied()
		return
	}
	rejected := commandRejected{Command: cmd.name, Kind: rejectInternal, Reason: err.Error()}
	var r *refusal
	var field *FieldError
	var question *QueryError
	switch {
	case errors.As(err, &r):
		rejected.Kind, rejected.Reason, rejected.Phase = r.kind, r.reason, r.phase
		rejected.Rule, rejected.Guard = r.rule, r.guard
	case errors.As(err, &field):
		rejected.Kind, rejected.Reason = rejectInvalid, field.Error()
	case errors.As(err, &question):
		rejected.Kind, rejected.Reason = question.kind(), question.Message
	}
	s.outcome("CommandRejected", rejected, cmd.cause)
	s.env.Telemetry.CommandRejected()
}

// mobOf is the mob a routed command comes from: the extension "mob", or the mob of a
// source /kalahari/<ns>/mobs/<mob>.
func mobOf(ns subjects.Namespace, ev *event.Event) string {
	mob := extension(ev, "mob")
	if mob == "" {
		mob, _ = strings.CutPrefix(ev.Source(), "/kalahari/"+ns.Name()+"/mobs/")
		if mob == ev.Source() {
			return ""
		}
	}
	if subjects.CheckToken("mob", mob) != nil {
		return ""
	}
	return mob
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

func (s *Session) registerCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	return nil, s.try(&kernel.RegisterSession{SessionID: s.sessionID()}, c)
}

func (s *Session) ensureExecutorCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if s.kernel.State().RegistrationPhase == kernel.RegistrationPhaseActive {
		return nil, nil
	}
	if err := s.try(&kernel.EnsureSessionWithExecutor{SessionID: s.sessionID()}, c); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	if st.RegistrationPhase != kernel.RegistrationPhaseActive {
		return nil, &refusal{kind: rejectValidation, reason: "no executor can be attached in phase " + st.LifecyclePhase.String()}
	}
	s.wake = true
	return nil, nil
}

// prepareBindingsCommand binds a runtime instance to the session: routed from a mob, or
// sent by whoever runs the session (chapter 01, the mob seam).
func (s *Session) prepareBindingsCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		AgentRuntimeID *kernel.AgentRuntimeId            `json:"agent_runtime_id"`
		FenceToken     *kernel.FenceToken                `json:"fence_token"`
		Generation     kernel.Opt[kernel.Generation]     `json:"generation"`
		RuntimeEpochID kernel.Opt[kernel.RuntimeEpochId] `json:"runtime_epoch_id"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.AgentRuntimeID == nil {
		return nil, &FieldError{"data.agent_runtime_id", "is missing"}
	}
	if arg.FenceToken == nil {
		return nil, &FieldError{"data.fence_token", "is missing"}
	}
	// The signal of this very binding goes to the mob that asked for it.
	before := s.next.delta.Mob
	if c.mob != "" {
		s.next.delta.Mob = c.mob
	}
	err := s.try(&kernel.PrepareBindings{
		AgentRuntimeID: *arg.AgentRuntimeID, FenceToken: *arg.FenceToken,
		Generation: arg.Generation, RuntimeEpochID: arg.RuntimeEpochID, SessionID: s.sessionID(),
	}, c)
	if err != nil {
		s.next.delta.Mob = before
		return nil, err
	}
	if c.mob != "" {
		s.change(func(d *delta) { d.Mob = c.mob })
	}
	return nil, nil
}

// ingestCommand admits work a mob routes to a bound runtime. The binding is checked by
// the machine; the input, if the command carries one, then goes through admission.
func (s *Session) ingestCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		RuntimeID      *kernel.AgentRuntimeId            `json:"runtime_id"`
		FenceToken     *kernel.FenceToken                `json:"fence_token"`
		Generation     kernel.Opt[kernel.Generation]     `json:"generation"`
		RuntimeEpochID kernel.Opt[kernel.RuntimeEpochId] `json:"runtime_epoch_id"`
		WorkID         string                            `json:"work_id"`
		Origin         kernel.WorkOrigin                 `json:"origin"`
		Input          *struct {
			Kind string         `json:"kind"`
			Data jsontext.Value `json:"data"`
		} `json:"input"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.RuntimeID == nil {
		return nil, &FieldError{"data.runtime_id", "is missing"}
	}
	if arg.FenceToken == nil {
		return nil, &FieldError{"data.fence_token", "is missing"}
	}
	if arg.WorkID == "" {
		arg.WorkID = c.event
	}
	var in *input
	if arg.Input != nil {
		ev := event.New()
		ev.SetID(arg.WorkID)
		ev.SetSource(s.env.Namespace.Source(s.id) + "/ingest")
		ev.SetType(subjects.InputType(arg.Input.Kind))
		if err := ev.SetData(event.ApplicationJSON, []byte(arg.Input.Data)); err != nil {
			return nil, &FieldError{"data.input.data", err.Error()}
		}
		var err error
		if in, err = decodeInput(s.id, &ev); err != nil {
			return nil, fmt.Errorf("data.input: %w", err)
		}
		in.At, in.Event = s.next.now, c.event
		in.Correlation, in.TraceParent, in.TraceState = c.cause.correlation, c.cause.traceParent, c.cause.traceState
	}
	err := s.try(&kernel.Ingest{
		SessionID: s.sessionID(), RuntimeID: *arg.RuntimeID, FenceToken: *arg.FenceToken, Generation: arg.Generation,
		RuntimeEpochID: arg.RuntimeEpochID, WorkID: kernel.WorkId(arg.WorkID), Origin: arg.Origin,
	}, c)
	if err != nil {
		return nil, err
	}
	if in != nil {
		s.admit(in)
	}
	return map[string]string{"work_id": arg.WorkID}, nil
}

func (s *Session) publishEventCommand(c *command) (any, error) {
	var arg struct {
		Kind kernel.RuntimeEventKind `json:"kind"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	return nil, s.try(&kernel.PublishEvent{Kind: arg.Kind}, c)
}

func (s *Session) silentIntentsCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		Intents kernel.Set[string] `json:"intents"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	return nil, s.try(&kernel.SetSilentIntents{SessionID: s.sessionID(), Intents: arg.Intents}, c)
}
