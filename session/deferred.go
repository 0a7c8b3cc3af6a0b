package session

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// deferredCommands are about a session that is staged and not yet built (chapter 01,
// deferred sessions). Until then the only part of its machine that lives is the slot. That
// machine is the session's own, not yet initialised, so the slot stands in the session's
// log and is there whoever owns the session. The session is built when its promotion is
// finished, or of itself when something comes that needs it.
var deferredCommands = map[string]handler{
	"stage_deferred_session":                             (*Session).stageDeferredCommand,
	"update_deferred_session_keep_alive":                 (*Session).deferredKeepAliveCommand,
	"update_deferred_session_llm_identity":               (*Session).deferredIdentityCommand,
	"authorize_deferred_session_system_context_append":   (*Session).deferredContextCommand,
	"begin_deferred_session_promotion":                   deferredStep("BeginDeferredSessionPromotion"),
	"authorize_deferred_session_machine_archived_resume": deferredStep("AuthorizeDeferredSessionMachineArchivedResume"),
	"abandon_deferred_session_promotion":                 deferredStep("AbandonDeferredSessionPromotion"),
	"finish_deferred_session_promotion":                  (*Session).finishPromotionCommand,
	"begin_deferred_session_archive":                     deferredStep("BeginDeferredSessionArchive"),
	"restore_deferred_session_archive":                   deferredStep("RestoreDeferredSessionArchive"),
	"finish_deferred_session_archive":                    deferredStep("FinishDeferredSessionArchive"),
	"drop_deferred_session":                              deferredStep("DropDeferredSession"),
}

var deferredQuestions = map[string]question{
	"deferred": func(v *View, _ jsontext.Value) (any, error) { return v.Deferred(), nil },
}

// ContextAppend is system context added to a session before it is built. A key has one
// content, the last one given.
type ContextAppend struct {
	Key     string `json:"key"`
	Content string `json:"content"`
}

// What a staged session's context may come to: it travels in reports and snapshots.
const (
	maxDeferredContext = 64 // keys
	maxDeferredBytes   = subjects.MaxInlineData
)

// DeferredReport is the slot: the answer to the query "deferred" and the report of the
// commands that change it.
type DeferredReport struct {
	Phase                           kernel.StagedSessionPhase             `json:"phase"`
	KeepAlive                       kernel.Opt[bool]                      `json:"keep_alive"`
	LlmIdentity                     kernel.Opt[kernel.SessionLlmIdentity] `json:"llm_identity"`
	MachineArchivedResumeAuthorized bool                                  `json:"machine_archived_resume_authorized"`
	SystemContext                   []ContextAppend                       `json:"system_context"`
}

// Deferred tells what is staged.
func (v *View) Deferred() DeferredReport {
	st := v.s.kernel.State()
	return DeferredReport{
		Phase: st.StagedSessionPhase, KeepAlive: st.StagedSessionKeepAlive, LlmIdentity: st.StagedSessionLlmIdentity,
		MachineArchivedResumeAuthorized: st.StagedSessionMachineArchivedResumeAuthorized,
		SystemContext:                   slices.Clone(v.s.ledger.Deferred),
	}
}

// deferredStep is a command whose only argument is the session.
func deferredStep(input string) handler {
	return func(s *Session, c *command) (any, error) {
		if err := s.readSessionArg(c); err != nil {
			return nil, err
		}
		t, err := kernel.UnmarshalTrigger(input, mustJSON(map[string]string{"session_id": s.id}))
		if err != nil {
			return nil, err
		}
		if err := s.try(t, c); err != nil {
			return nil, err
		}
		if s.kernel.State().StagedSessionPhase == kernel.StagedSessionPhaseNotStaged {
			s.change(func(d *delta) { d.DeferredGone = true })
		}
		return (&View{s}).Deferred(), nil
	}
}

// tryKeepAlive is try with the words chapter 01 has for one refusal.
func (s *Session) tryKeepAlive(t kernel.Trigger, c *command) (any, error) {
	err := s.try(t, c)
	var r *refusal
	if errors.As(err, &r) && r.guard == "keep_alive_requires_comms_name" {
		r.reason = "keep-alive requires a comms name"
	}
	if err != nil {
		return nil, err
	}
	return (&View{s}).Deferred(), nil
}

func (s *Session) stageDeferredCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		KeepAlive                       bool         `json:"keep_alive"`
		HasCommsName                    bool         `json:"has_comms_name"`
		LlmIdentity                     *llmIdentity `json:"llm_identity"`
		MachineArchivedResumeAuthorized bool         `json:"machine_archived_resume_authorized"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.LlmIdentity == nil {
		return nil, missing("llm_identity")
	}
	return s.tryKeepAlive(&kernel.StageDeferredSession{
		SessionID: s.sessionID(), KeepAlive: arg.KeepAlive, HasCommsName: arg.HasCommsName,
		LlmIdentity: arg.LlmIdentity.SessionLlmIdentity, MachineArchivedResumeAuthorized: arg.MachineArchivedResumeAuthorized,
	}, c)
}

func (s *Session) deferredKeepAliveCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		KeepAlive    *bool `json:"keep_alive"`
		HasCommsName bool  `json:"has_comms_name"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.KeepAlive == nil {
		return nil, missing("keep_alive")
	}
	return s.tryKeepAlive(&kernel.UpdateDeferredSessionKeepAlive{
		SessionID: s.sessionID(), KeepAlive: *arg.KeepAlive, HasCommsName: arg.HasCommsName,
	}, c)
}

func (s *Session) deferredIdentityCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		LlmIdentity *llmIdentity `json:"llm_identity"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.LlmIdentity == nil {
		return nil, missing("llm_identity")
	}
	err := s.try(&kernel.UpdateDeferredSessionLlmIdentity{
		SessionID: s.sessionID(), LlmIdentity: arg.LlmIdentity.SessionLlmIdentity,
	}, c)
	return (&View{s}).Deferred(), err
}

// deferredContextCommand adds system context to what is staged. The session gets it as
// its first inputs once it is built.
func (s *Session) deferredContextCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		ContextAppend
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	switch {
	case arg.Key == "":
		return nil, missing("key")
	case len(arg.Key) > maxID/2: // it becomes part of an input's id
		return nil, &FieldError{"data.key", fmt.Sprintf("%d bytes long, %d are the most", len(arg.Key), maxID/2)}
	case arg.Content == "":
		return nil, missing("content")
	}
	keys, bytes := 1, len(arg.Key)+len(arg.Content)
	for _, a := range s.ledger.Deferred {
		if a.Key != arg.Key {
			keys, bytes = keys+1, bytes+len(a.Key)+len(a.Content)
		}
	}
	switch {
	case keys > maxDeferredContext:
		return nil, &FieldError{"data.key", fmt.Sprintf("would be number %d, %d are the most", keys, maxDeferredContext)}
	case bytes > maxDeferredBytes:
		return nil, &FieldError{"data.content", fmt.Sprintf("makes %d bytes of context, %d are the most", bytes, maxDeferredBytes)}
	}
	if err := s.try(&kernel.AuthorizeDeferredSessionSystemContextAppend{SessionID: s.sessionID()}, c); err != nil {
		return nil, err
	}
	s.change(func(d *delta) { d.Deferred = []ContextAppend{arg.ContextAppend} })
	return (&View{s}).Deferred(), nil
}

// finishPromotionCommand builds the session: somebody has begun its promotion and is done.
func (s *Session) finishPromotionCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	staged := (&View{s}).Deferred()
	if err := s.try(&kernel.FinishDeferredSessionPromotion{SessionID: s.sessionID()}, c); err != nil {
		return nil, err
	}
	s.build(staged, c.cause)
	return (&View{s}).Deferred(), nil
}

// prepare makes sure that the session a command needs is there.
func (s *Session) prepare(c *command) error {
	if !needsLife(c.name) {
		return nil
	}
	if r := s.bringToLife(c.cause); r != nil {
		return r
	}
	return nil
}

// bringToLife builds a session that has not been built when something comes that needs
// it: a new one, or a staged one, which is promoted by that.
func (s *Session) bringToLife(c cause) *refusal {
	if s.kernel.Phase() != kernel.Initializing {
		return nil
	}
	staged := (&View{s}).Deferred()
	switch staged.Phase {
	case kernel.StagedSessionPhaseStaged:
		s.must(&kernel.BeginDeferredSessionPromotion{SessionID: s.sessionID()}, c)
		s.must(&kernel.FinishDeferredSessionPromotion{SessionID: s.sessionID()}, c)
	case kernel.StagedSessionPhasePromoting, kernel.StagedSessionPhaseClosing:
		return &refusal{
			kind: rejectNotReady, phase: kernel.Initializing.String(),
			reason: "the session is staged and " + staged.Phase.String() + ": whoever began that has to finish or give up",
		}
	}
	s.build(staged, c)
	return nil
}

// build brings the machine to life as its first input is to find it: registered, with the
// model that was staged, an executor attached (chapter 01, registration and attaching;
// chapter 05, LLM hydrate). The system context staged with it comes before everything.
func (s *Session) build(staged DeferredReport, c cause) {
	s.must(&kernel.Initialize{}, c)
	s.must(&kernel.RegisterSession{SessionID: s.sessionID()}, c)
	s.change(func(d *delta) { d.Epoch = newEpoch() })
	if identity, ok := staged.LlmIdentity.Get(); ok {
		s.must(&kernel.SetModelRoutingBaseline{BaselineModel: identity.Model}, c)
		s.must(hydration(identity, kernel.None[kernel.SessionLlmCapabilitySurface]()), c)
	}
	s.must(&kernel.EnsureSessionWithExecutor{SessionID: s.sessionID()}, c)
	s.wake = false // nothing is queued yet: what comes says itself whether it wakes
	if len(staged.SystemContext) == 0 {
		return
	}
	s.change(func(d *delta) { d.DeferredGone = true })
	for _, a := range staged.SystemContext {
		s.admitContext(a, c)
	}
}

// admitContext admits staged system context: a continuation that only appends context.
func (s *Session) admitContext(a ContextAppend, c cause) {
	ev := event.New()
	ev.SetID("deferred-context-" + a.Key)
	ev.SetSource(s.env.Namespace.Source(s.id) + "/deferred")
	ev.SetType(subjects.InputType("continuation"))
	data := mustJSON(map[string]any{"reason": "deferred session", "context_append": a})
	err := ev.SetData(event.ApplicationJSON, []byte(data))
	if err == nil {
		var in *input
		if in, err = decodeInput(s.id, &ev); err == nil {
			in.At, in.Event = s.next.now, c.event
			in.Correlation, in.TraceParent, in.TraceState = c.correlation, c.traceParent, c.traceState
			s.admit(in)
			return
		}
	}
	s.fail(fmt.Errorf("session %s: staged context %q: %w", s.id, a.Key, err))
}
