package session

import (
	"fmt"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// carriedInput is an input that travels inside a command. Its id is the work's or, if
// none is given, that of the command's event.
type carriedInput struct {
	Kind            string         `json:"kind"`
	Data            jsontext.Value `json:"data"`
	IdempotencyKey  string         `json:"idempotency_key"`
	SupersessionKey string         `json:"supersession_key"`
	Lane            string         `json:"lane"`
	Durability      string         `json:"durability"`
}

// carried decodes an input inside a command as the event it would be on its own.
func (s *Session) carried(c *command, id string, from *carriedInput) (*input, error) {
	ev := event.New()
	ev.SetID(id)
	ev.SetSource(s.env.Namespace.Source(s.id) + "/ingest")
	ev.SetType(subjects.InputType(from.Kind))
	for _, a := range []struct{ name, field, value string }{
		{subjects.ExtIdempotencyKey, "idempotency_key", from.IdempotencyKey},
		{subjects.ExtSupersessionKey, "supersession_key", from.SupersessionKey},
		{subjects.ExtLane, "lane", from.Lane},
		{subjects.ExtDurability, "durability", from.Durability},
	} {
		// As long as it may be if it came as an attribute: it is kept with the session.
		if err := subjects.CheckAttribute("data.input."+a.field, a.value); err != nil {
			return nil, err
		}
		if a.value != "" {
			ev.SetExtension(a.name, a.value)
		}
	}
	if err := ev.SetData(event.ApplicationJSON, []byte(from.Data)); err != nil {
		return nil, &FieldError{"data.input.data", err.Error()}
	}
	in, err := s.decode(&ev)
	if err != nil {
		if in != nil {
			s.keep(in.Blobs)
		}
		return nil, fmt.Errorf("data.input: %w", err)
	}
	in.At, in.Event = s.next.now, c.event
	in.Correlation, in.TraceParent, in.TraceState = c.cause.correlation, c.cause.traceParent, c.cause.traceState
	return in, nil
}

// ingestCommand admits work through the runtime: as the mob routes it, naming the whole
// binding it knows, or through the control plane, which takes the present one (chapter
// 02, 6.5).
func (s *Session) ingestCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		RuntimeID      kernel.Opt[kernel.AgentRuntimeId] `json:"runtime_id"`
		FenceToken     kernel.Opt[kernel.FenceToken]     `json:"fence_token"`
		Generation     kernel.Opt[kernel.Generation]     `json:"generation"`
		RuntimeEpochID kernel.Opt[kernel.RuntimeEpochId] `json:"runtime_epoch_id"`
		WorkID         string                            `json:"work_id"`
		Origin         kernel.Opt[kernel.WorkOrigin]     `json:"origin"`
		Input          *carriedInput                     `json:"input"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if err := s.mustHaveRuntime(); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	ingest := &kernel.Ingest{
		SessionID: s.sessionID(), RuntimeID: arg.RuntimeID.Value(), FenceToken: arg.FenceToken.Value(),
		Generation: arg.Generation, RuntimeEpochID: arg.RuntimeEpochID, Origin: arg.Origin.Value(),
	}
	switch {
	case arg.RuntimeID.IsSome() && arg.FenceToken.IsNone():
		return nil, &FieldError{"data.fence_token", "is missing"}
	case arg.RuntimeID.IsNone() && (arg.FenceToken.IsSome() || arg.Generation.IsSome() || arg.RuntimeEpochID.IsSome()):
		return nil, &FieldError{"data.runtime_id", "is missing"}
	case arg.RuntimeID.IsNone():
		ingest.RuntimeID = kernel.AgentRuntimeId(s.runtimeID())
		ingest.FenceToken = st.ActiveFenceToken.Value()
		ingest.Generation, ingest.RuntimeEpochID = st.ActiveRuntimeGeneration, st.ActiveRuntimeEpochID
		if arg.Origin.IsNone() {
			ingest.Origin = kernel.WorkOriginIngest
		}
	}
	if arg.WorkID == "" {
		arg.WorkID = c.event
	}
	ingest.WorkID = kernel.WorkId(arg.WorkID)
	var in *input
	if arg.Input != nil {
		var err error
		if in, err = s.carried(c, arg.WorkID, arg.Input); err != nil {
			return nil, err
		}
	}
	if o := s.apply(ingest, c.cause); !o.OK() {
		if in != nil {
			s.keep(in.Blobs)
		}
		return nil, refused(rejectInvalidState, o.Refusal)
	}
	report := ingestReport{WorkID: arg.WorkID}
	if in != nil {
		outcome := s.admit(in)
		report.acceptOutcome = &outcome
	}
	return report, nil
}

type ingestReport struct {
	WorkID string `json:"work_id"`
	*acceptOutcome
}

// acceptOutcome is what became of an input that was offered.
type acceptOutcome struct {
	// Outcome is Accepted, Deduplicated or Rejected.
	Outcome         string `json:"outcome"`
	InputID         string `json:"input_id"`
	ExistingInputID string `json:"existing_input_id,omitzero"`
	Lane            string `json:"lane,omitzero"`
	Plan            string `json:"plan,omitzero"`
	// Signal is how the run loop was woken: None, WakeLoop, InterruptYielding,
	// RequestImmediateProcessing.
	Signal string `json:"signal,omitzero"`
	// Kind, Reason and Guard are those of a rejection.
	Kind   string `json:"kind,omitzero"`
	Reason string `json:"reason,omitzero"`
	Guard  string `json:"guard,omitzero"`
}

// acceptReport answers an accept command. Completion names the input whose InputCompleted
// is to be waited for: the input itself, or the one it repeats; none if it has ended.
type acceptReport struct {
	acceptOutcome
	Completion string `json:"completion,omitzero"`
}

func (s *Session) acceptWithCompletionCommand(c *command) (any, error) {
	return s.acceptCommand(c, waking)
}

func (s *Session) acceptWithoutWakeCommand(c *command) (any, error) {
	return s.acceptCommand(c, notWaking)
}

// acceptCommand admits the input the command carries (chapter 02, 6.4 and 6.5). What the
// machine does not admit is a refusal of the command.
func (s *Session) acceptCommand(c *command, how wakeMode) (any, error) {
	var arg struct {
		sessionArg
		InputID            string       `json:"input_id"`
		Input              carriedInput `json:"input"`
		RegisterCompletion *bool        `json:"register_completion"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	if arg.InputID == "" {
		arg.InputID = c.event
	}
	in, err := s.carried(c, arg.InputID, &arg.Input)
	if err != nil {
		return nil, err
	}
	in.wake = how
	outcome := s.admit(in)
	switch outcome.Outcome {
	case outcomeRejected:
		kind := outcome.Kind
		switch kind {
		case rejectDestroyed, rejectNotReady, rejectInternal:
		default:
			kind = rejectValidation // also for rejected inputs (chapter 02, 6.4 step 5)
		}
		return nil, &refusal{kind: kind, reason: outcome.Reason, guard: outcome.Guard, phase: s.kernel.Phase().String()}
	default:
		report := acceptReport{acceptOutcome: outcome}
		if waits := outcome.ExistingInputID; how == waking && (arg.RegisterCompletion == nil || *arg.RegisterCompletion) {
			if waits == "" {
				waits = outcome.InputID
			}
			if s.ledger.Live[waits] != nil {
				report.Completion = waits
			}
		}
		return report, nil
	}
}

// publishEventCommand announces an event of the runtime to whoever watches it.
func (s *Session) publishEventCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		Kind kernel.Opt[kernel.RuntimeEventKind] `json:"kind"`
	}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	kind, ok := arg.Kind.Get()
	if !ok {
		return nil, &FieldError{"data.kind", "is missing"}
	}
	if err := s.mustHaveRuntime(); err != nil {
		return nil, err
	}
	return nil, s.tryControl(&kernel.PublishEvent{Kind: kind}, c)
}
