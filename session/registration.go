package session

import (
	"github.com/google/uuid"

	"github.com/kalahari-run/kalahari/kernel"
)

func (s *Session) registerCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	return nil, s.register(c)
}

// register stages RegisterSession, always: that it is idempotent, and refused in the
// phase Destroyed, is the machine's verdict (chapter 01, registration 4).
func (s *Session) register(c *command) error {
	if err := s.try(&kernel.RegisterSession{SessionID: s.sessionID()}, c); err != nil {
		return err
	}
	if s.ledger.Epoch == "" {
		s.change(func(d *delta) { d.Epoch = newEpoch() })
	}
	return nil
}

// newEpoch names one life of a session's operations: it survives recovery and ends when
// the session is unregistered and its records are not kept (chapter 01, registration 3).
func newEpoch() string { return uuid.Must(uuid.NewV7()).String() }

// ensureExecutorCommand attaches an executor, registering the session first if nobody
// has (chapter 01, attaching an executor).
func (s *Session) ensureExecutorCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	if st.RegistrationPhase == kernel.RegistrationPhaseActive {
		return nil, nil
	}
	if st.SessionID.IsNone() {
		if err := s.register(c); err != nil {
			return nil, err
		}
	}
	if err := s.try(&kernel.EnsureSessionWithExecutor{SessionID: s.sessionID()}, c); err != nil {
		return nil, err
	}
	if st := s.kernel.State(); st.RegistrationPhase != kernel.RegistrationPhaseActive {
		return nil, &refusal{
			kind: rejectValidation, phase: st.LifecyclePhase.String(),
			reason: "no executor can be attached in phase " + st.LifecyclePhase.String(),
		}
	}
	s.wake = true
	return nil, nil
}

// bindingsReport is the handle bundle of a session as a message can carry it.
type bindingsReport struct {
	SessionID      string                            `json:"session_id"`
	RuntimeID      string                            `json:"runtime_id"`
	EpochID        string                            `json:"epoch_id"`
	AgentRuntimeID kernel.Opt[kernel.AgentRuntimeId] `json:"agent_runtime_id"`
	FenceToken     kernel.Opt[kernel.FenceToken]     `json:"fence_token"`
	Generation     kernel.Opt[kernel.Generation]     `json:"generation"`
	RuntimeEpochID kernel.Opt[kernel.RuntimeEpochId] `json:"runtime_epoch_id"`
}

func (s *Session) bindings() bindingsReport {
	st := s.kernel.State()
	return bindingsReport{
		SessionID: s.id, RuntimeID: s.runtimeID(), EpochID: s.ledger.Epoch,
		AgentRuntimeID: st.ActiveRuntimeID, FenceToken: st.ActiveFenceToken,
		Generation: st.ActiveRuntimeGeneration, RuntimeEpochID: st.ActiveRuntimeEpochID,
	}
}

// runtimeID is the name control-plane commands know the session by (chapter 01, objects).
func (s *Session) runtimeID() string { return "rt:session:" + s.id }

// prepareBindingsCommand binds a runtime instance to the session. A mob, and whoever
// plays one, names the instance: then the binding is all that is done (chapter 01, the
// mob seam). With no instance named it is the session's own, and the session is
// registered first.
func (s *Session) prepareBindingsCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		AgentRuntimeID kernel.Opt[kernel.AgentRuntimeId] `json:"agent_runtime_id"`
		FenceToken     kernel.Opt[kernel.FenceToken]     `json:"fence_token"`
		Generation     kernel.Opt[kernel.Generation]     `json:"generation"`
		RuntimeEpochID kernel.Opt[kernel.RuntimeEpochId] `json:"runtime_epoch_id"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	bind := &kernel.PrepareBindings{
		AgentRuntimeID: arg.AgentRuntimeID.Value(), FenceToken: arg.FenceToken.Value(),
		Generation: arg.Generation, RuntimeEpochID: arg.RuntimeEpochID, SessionID: s.sessionID(),
	}
	switch {
	case arg.AgentRuntimeID.IsNone() && arg.FenceToken.IsNone() && arg.Generation.IsNone() && arg.RuntimeEpochID.IsNone():
		return s.bindOwn(bind, c)
	case arg.AgentRuntimeID.IsNone():
		return nil, &FieldError{"data.agent_runtime_id", "is missing"}
	case arg.FenceToken.IsNone():
		return nil, &FieldError{"data.fence_token", "is missing"}
	}
	// The signal of this very binding goes to the mob that asked for it.
	before := s.next.delta.Mob
	if c.mob != "" {
		s.next.delta.Mob = c.mob
	}
	if err := s.try(bind, c); err != nil {
		s.next.delta.Mob = before
		return nil, err
	}
	if c.mob != "" {
		s.change(func(d *delta) { d.Mob = c.mob })
	}
	return s.bindings(), nil
}

// bindOwn binds the session's own runtime. It is tried on a copy first: a session that
// this call would register is not left registered by a binding that is refused.
func (s *Session) bindOwn(bind *kernel.PrepareBindings, c *command) (any, error) {
	epoch := s.ledger.Epoch
	if epoch == "" {
		epoch = newEpoch()
	}
	bind.AgentRuntimeID = kernel.AgentRuntimeId(s.runtimeID())
	bind.RuntimeEpochID = kernel.Some(kernel.RuntimeEpochId(epoch))
	r := s.rehearse()
	if err := r.takeAs(rejectValidation, &kernel.RegisterSession{SessionID: s.sessionID()}); err != nil {
		return nil, err
	}
	if err := r.takeAs(rejectValidation, bind); err != nil {
		return nil, err
	}
	if s.ledger.Epoch == "" {
		s.change(func(d *delta) { d.Epoch = epoch })
	}
	s.perform(r, c)
	return s.bindings(), nil
}

// prepareLocalBindingsCommand registers the session and binds nothing: a mob does that
// later, through the seam.
func (s *Session) prepareLocalBindingsCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.register(c); err != nil {
		return nil, err
	}
	return s.bindings(), nil
}

func (s *Session) silentIntentsCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		Intents kernel.Set[string] `json:"intents"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	return nil, s.try(&kernel.SetSilentIntents{SessionID: s.sessionID(), Intents: arg.Intents}, c)
}

// unregisterReport says what became of what the session still had.
type unregisterReport struct {
	InputsAbandoned int `json:"inputs_abandoned"`
	// Durability is what the machine decided about the records of the session's
	// operations: DeleteSnapshot or RetainSnapshot.
	Durability string `json:"durability"`
}

// unregisterCommand takes the session out of registration in two phases: the three drain
// obligations are opened, met, and the session leaves (chapter 01, unregister). All of it
// is one commit, so nobody ever finds a session half gone; the log stays.
func (s *Session) unregisterCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	st, id := s.kernel.State(), s.sessionID()
	loop := st.RegistrationPhase != kernel.RegistrationPhaseQueuing
	err := s.try(&kernel.BeginUnregisterSession{
		SessionID: id, AgentRuntimeID: st.ActiveRuntimeID, FenceToken: st.ActiveFenceToken,
		Generation: st.ActiveRuntimeGeneration, RuntimeEpochID: st.ActiveRuntimeEpochID,
	}, c)
	if err != nil {
		return nil, err
	}
	if loop {
		// The loop leaves through the stop path.
		if o := s.apply(&kernel.StopRuntimeExecutor{Reason: "unregister"}, c.cause); o.OK() {
			s.stopRun(c)
			s.must(&kernel.RuntimeExecutorExited{}, c.cause)
		}
	}
	report := unregisterReport{InputsAbandoned: s.abandonAll(kernel.InputAbandonReasonStopped)}
	s.must(&kernel.RuntimeLoopStoppedForUnregister{SessionID: id}, c.cause)
	s.must(&kernel.CommsDrainExitedForUnregister{SessionID: id}, c.cause)
	s.must(&kernel.CompletionWaitersResolvedForUnregister{SessionID: id}, c.cause)
	leave := kernel.UnregisterSession{
		SessionID: id, AgentRuntimeID: st.ActiveRuntimeID, FenceToken: st.ActiveFenceToken,
		Generation: st.ActiveRuntimeGeneration, RuntimeEpochID: st.ActiveRuntimeEpochID,
	}
	// A preview in the reference; its rule writes nothing.
	durability := kernel.ResolveRuntimeOpsLifecycleDurability(leave)
	if o := s.kernel.Apply(&durability); o.OK() {
		action := o.Effects[0].(kernel.RuntimeOpsLifecycleDurabilityResolved).Action
		report.Durability = action.String()
		if action == kernel.RuntimeOpsLifecycleDurabilityActionDeleteSnapshot {
			s.change(func(d *delta) { d.EpochOver = true })
		}
	}
	s.must(&leave, c.cause)
	s.answerWaiting()
	return report, nil
}

// serviceTurnReceiptCommand closes a turn that ran without the loop. A turn of the loop
// has inputs and ends by its executor's report.
func (s *Session) serviceTurnReceiptCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	run, bound := st.CurrentRunID.Get()
	reason := ""
	switch {
	case st.LifecyclePhase == kernel.Destroyed:
		return nil, &refusal{kind: rejectDestroyed, reason: "the session is destroyed", phase: st.LifecyclePhase.String()}
	case st.LifecyclePhase != kernel.Running:
		reason = "no turn is running in phase " + st.LifecyclePhase.String()
	case !bound:
		reason = "no run is bound"
	case s.run != nil || len(s.ledger.Live) > 0:
		reason = "the session has active inputs: its turn is the run loop's"
	}
	if reason != "" {
		return nil, &refusal{kind: rejectInternal, reason: reason, phase: st.LifecyclePhase.String()}
	}
	switch st.TurnPhase {
	case kernel.TurnPhaseCompleted, kernel.TurnPhaseFailed, kernel.TurnPhaseCancelled:
	default:
		if err := s.tryControl(&kernel.RunCompleted{RunID: run}, c); err != nil {
			return nil, err
		}
	}
	if err := s.tryControl(&kernel.ServiceTurnCommitted{RunID: run}, c); err != nil {
		return nil, err
	}
	s.change(func(d *delta) { d.RunOver = true })
	s.wake = true
	return nil, nil
}
