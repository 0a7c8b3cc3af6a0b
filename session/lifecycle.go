package session

import (
	"github.com/kalahari-run/kalahari/kernel"
)

// lifecycleCommands are chapter 01's.
var lifecycleCommands = map[string]handler{
	"register_session":             (*Session).registerCommand,
	"ensure_session_with_executor": (*Session).ensureExecutorCommand,
	"prepare_bindings":             (*Session).prepareBindingsCommand,
	"ingest":                       (*Session).ingestCommand,
	"publish_event":                (*Session).publishEventCommand,
	"set_silent_intents":           (*Session).silentIntentsCommand,
	"cancel_after_boundary":        (*Session).cancelAfterBoundaryCommand,
	"interrupt":                    (*Session).interruptCommand,
	"stop_runtime_executor":        (*Session).stopCommand,
	"retire":                       (*Session).retireCommand,
	"reset":                        (*Session).resetCommand,
	"recycle":                      (*Session).recycleCommand,
	"recover":                      (*Session).recoverCommand,
	"destroy":                      (*Session).destroyCommand,
	"unregister_session":           (*Session).unregisterCommand,
}

// The reports of lifecycle commands (chapter 01, error mapping).
type (
	retireReport struct {
		InputsAbandoned    int `json:"inputs_abandoned"`
		InputsPendingDrain int `json:"inputs_pending_drain"`
	}
	abandonReport struct {
		InputsAbandoned int `json:"inputs_abandoned"`
	}
	recycleReport struct {
		InputsTransferred int `json:"inputs_transferred"`
	}
	recoveryReport struct {
		InputsRecovered int      `json:"inputs_recovered"`
		InputsAbandoned int      `json:"inputs_abandoned"`
		InputsRequeued  int      `json:"inputs_requeued"`
		Details         []string `json:"details"`
	}
)

type reasonArg struct {
	sessionArg
	Reason string `json:"reason"`
}

// abandonAll ends every input that has not ended (chapter 02, 6.14), in the order they
// were admitted.
func (s *Session) abandonAll(reason kernel.InputAbandonReason) int {
	live := make([]*entry, 0, len(s.ledger.Live))
	for _, e := range s.ledger.Live {
		live = append(live, e)
	}
	sortByOrder(live, s.kernel.State())
	for _, e := range live {
		st := s.kernel.State()
		run := st.InputRunAssociations[e.ID]
		s.must(&kernel.AbandonInput{InputID: e.ID, Reason: reason, AttemptCount: st.InputAttemptCounts[e.ID]}, e.cause())
		s.end(e, run, kernel.InputPublicTerminalOutcomeAbandoned, reason.String(), nil, e.cause())
	}
	s.lanes.stale = true
	return len(live)
}

// stopRun ends the executor call of the run in progress once the commit that ended the
// run is stored.
func (s *Session) stopRun() {
	if r := s.run; r != nil {
		s.next.stored = append(s.next.stored, func() { r.cancel(errInterrupted) })
	}
	s.change(func(d *delta) { d.RunOver = true })
}

// retireCommand: no new inputs; what is queued drains. A run in progress returns first:
// the machine's run-return rules know no way back into a session that was retired under
// its run, and the run's inputs would never end.
func (s *Session) retireCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if s.kernel.Phase() == kernel.Running {
		if s.ledger.Retiring == nil {
			s.change(func(d *delta) {
				d.Retiring = &waitingCommand{Command: c.name, Event: c.event, Correlation: c.cause.correlation}
			})
			return nil, errWaiting
		}
		return retireReport{InputsPendingDrain: len(s.ledger.Live)}, nil
	}
	return s.retire(c)
}

func (s *Session) retire(c *command) (any, error) {
	if err := s.try(&kernel.Retire{SessionID: s.sessionID()}, c); err != nil {
		return nil, err
	}
	report := retireReport{InputsPendingDrain: len(s.ledger.Live)}
	if s.kernel.State().RegistrationPhase == kernel.RegistrationPhaseQueuing {
		// Nobody would drain them (chapter 01, retire).
		report = retireReport{InputsAbandoned: s.abandonAll(kernel.InputAbandonReasonRetired)}
	}
	s.wake = true
	return report, nil
}

// retireNow carries out the retire command that waited for a run.
func (s *Session) retireNow(w *waitingCommand) {
	c := &command{name: w.Command, event: w.Event, cause: cause{event: w.Event, correlation: w.Correlation}}
	s.change(func(d *delta) { d.Retired = true })
	report, err := s.retire(c)
	s.answer(c, report, err)
}

func (s *Session) resetCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.try(&kernel.Reset{}, c); err != nil {
		return nil, err
	}
	return abandonReport{s.abandonAll(kernel.InputAbandonReasonReset)}, nil
}

func (s *Session) recycleCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.try(&kernel.Recycle{}, c); err != nil {
		return nil, err
	}
	s.lanes.stale, s.wake = true, true
	return recycleReport{len(s.ledger.Live)}, nil
}

// recoverCommand: the state of a session is its log, so there is nothing to reload; the
// machine is told and the loop woken.
func (s *Session) recoverCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.try(&kernel.Recover{}, c); err != nil {
		return nil, err
	}
	s.lanes.stale, s.wake = true, true
	return recoveryReport{InputsRecovered: len(s.ledger.Live), Details: []string{}}, nil
}

// destroyCommand abandons every input before the machine is destroyed: no input rule
// accepts the phase Destroyed (chapter 02, 6.14).
func (s *Session) destroyCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if s.kernel.Phase() == kernel.Destroyed {
		return nil, &refusal{kind: rejectDestroyed, reason: "the session is destroyed"}
	}
	report := abandonReport{s.abandonAll(kernel.InputAbandonReasonDestroyed)}
	s.stopRun()
	return report, s.try(&kernel.Destroy{SessionID: s.sessionID()}, c)
}

// stopCommand stops the executor for good: the machine is told, the executor's exit is
// told, every input ends as abandoned.
func (s *Session) stopCommand(c *command) (any, error) {
	var arg reasonArg
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if err := s.try(&kernel.StopRuntimeExecutor{Reason: arg.Reason}, c); err != nil {
		return nil, err
	}
	s.stopRun()
	if err := s.try(&kernel.RuntimeExecutorExited{}, c); err != nil {
		return nil, err
	}
	return abandonReport{s.abandonAll(kernel.InputAbandonReasonStopped)}, nil
}

// cancelAfterBoundaryCommand lets the run in progress reach its next boundary and then
// cancels it.
func (s *Session) cancelAfterBoundaryCommand(c *command) (any, error) {
	arg := reasonArg{Reason: "boundary cancel"}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := s.tryAs(rejectNotReady, &kernel.CancelAfterBoundary{Reason: arg.Reason}, c); err != nil {
		return nil, err
	}
	if run, ok := s.kernel.State().CurrentRunID.Get(); ok {
		s.apply(&kernel.RequestCancelAfterBoundary{RunID: run}, c.cause)
	}
	return nil, nil
}

// interruptCommand cancels the run in progress now.
func (s *Session) interruptCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if s.run == nil {
		return nil, &refusal{kind: rejectNotReady, reason: "no run is in progress in phase " + s.kernel.Phase().String()}
	}
	if err := s.tryAs(rejectNotReady, &kernel.InterruptCurrentRun{}, c); err != nil {
		return nil, err
	}
	r := s.run
	r.interrupted = true
	s.next.stored = append(s.next.stored, func() { r.cancel(errInterrupted) })
	return nil, nil
}

// unregisterCommand takes the session out of registration in two phases: the three drain
// obligations are opened, met, and the session leaves (chapter 01, unregister).
func (s *Session) unregisterCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	id := s.sessionID()
	if st.RegistrationPhase != kernel.RegistrationPhaseDraining {
		err := s.try(&kernel.BeginUnregisterSession{
			SessionID: id, AgentRuntimeID: st.ActiveRuntimeID, FenceToken: st.ActiveFenceToken,
			Generation: st.ActiveRuntimeGeneration, RuntimeEpochID: st.ActiveRuntimeEpochID,
		}, c)
		if err != nil {
			return nil, err
		}
	}
	// The loop leaves through the stop path.
	if o := s.apply(&kernel.StopRuntimeExecutor{Reason: "unregister"}, c.cause); o.OK() {
		s.stopRun()
		s.must(&kernel.RuntimeExecutorExited{}, c.cause)
	}
	report := abandonReport{s.abandonAll(kernel.InputAbandonReasonStopped)}
	for _, t := range []kernel.Trigger{
		&kernel.RuntimeLoopStoppedForUnregister{SessionID: id},
		&kernel.CommsDrainExitedForUnregister{SessionID: id},
		&kernel.CompletionWaitersResolvedForUnregister{SessionID: id},
	} {
		if err := s.try(t, c); err != nil {
			return nil, err
		}
	}
	st = s.kernel.State()
	return report, s.try(&kernel.UnregisterSession{
		SessionID: id, AgentRuntimeID: st.ActiveRuntimeID, FenceToken: st.ActiveFenceToken,
		Generation: st.ActiveRuntimeGeneration, RuntimeEpochID: st.ActiveRuntimeEpochID,
	}, c)
}
