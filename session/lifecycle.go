package session

import (
	"github.com/kalahari-run/kalahari/kernel"
)

// lifecycleCommands are those of chapter 01, and chapter 02's doors for inputs.
var lifecycleCommands = map[string]handler{
	"register_session":                     (*Session).registerCommand,
	"ensure_session_with_executor":         (*Session).ensureExecutorCommand,
	"prepare_bindings":                     (*Session).prepareBindingsCommand,
	"prepare_local_session_bindings":       (*Session).prepareLocalBindingsCommand,
	"unregister_session":                   (*Session).unregisterCommand,
	"set_silent_intents":                   (*Session).silentIntentsCommand,
	"commit_service_turn_terminal_receipt": (*Session).serviceTurnReceiptCommand,

	"ingest":                 (*Session).ingestCommand,
	"publish_event":          (*Session).publishEventCommand,
	"accept_with_completion": (*Session).acceptWithCompletionCommand,
	"accept_without_wake":    (*Session).acceptWithoutWakeCommand,

	"cancel_after_boundary": (*Session).cancelAfterBoundaryCommand,
	"interrupt":             (*Session).interruptCommand,
	"stop_runtime_executor": (*Session).stopCommand,

	"retire":  (*Session).retireCommand,
	"reset":   (*Session).resetCommand,
	"recycle": (*Session).recycleCommand,
	"recover": (*Session).recoverCommand,
	"destroy": (*Session).destroyCommand,
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

// abandonAll ends every input that has not ended (chapter 02, 6.14), in the order they
// were admitted.
func (s *Session) abandonAll(reason kernel.InputAbandonReason) int {
	live := s.live()
	for _, e := range live {
		st := s.kernel.State()
		run := st.InputRunAssociations.At(e.ID)
		s.must(&kernel.AbandonInput{InputID: e.ID, Reason: reason, AttemptCount: st.InputAttemptCounts.At(e.ID)}, e.cause())
		s.end(e, run, kernel.InputPublicTerminalOutcomeAbandoned, reason.String(), nil, e.cause())
	}
	s.lanes.stale = true
	return len(live)
}

// retireCommand: no new inputs; what is queued drains. A run in progress returns first:
// the machine's run-return rules know no way back into a session that was retired under
// its run, and the run's inputs would never end.
func (s *Session) retireCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if s.kernel.Phase() != kernel.Running {
		return s.retire(c)
	}
	if s.ledger.Retiring == nil {
		s.change(func(d *delta) {
			w := c.waiting()
			d.Retiring = &w
		})
		return nil, errWaiting
	}
	return retireReport{InputsPendingDrain: len(s.ledger.Live)}, nil
}

func (s *Session) retire(c *command) (any, error) {
	if err := s.mustHaveRuntime(); err != nil {
		return nil, err
	}
	if err := s.tryControl(&kernel.Retire{SessionID: s.sessionID()}, c); err != nil {
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

// answerWaiting carries out the retire command that waited for a run, now that the run is
// over, however it ended.
func (s *Session) answerWaiting() {
	w := s.ledger.Retiring
	if w == nil || s.kernel.Phase() == kernel.Running {
		return
	}
	c := w.command()
	s.change(func(d *delta) { d.Retired = true })
	report, err := s.retire(c)
	s.answer(c, report, err)
}

func (s *Session) resetCommand(c *command) (any, error) {
	if err := s.control(c, &kernel.Reset{}); err != nil {
		return nil, err
	}
	return abandonReport{s.abandonAll(kernel.InputAbandonReasonReset)}, nil
}

// control is the head of a control-plane command that takes nothing but the session.
func (s *Session) control(c *command, t kernel.Trigger) error {
	if err := s.readSessionArg(c); err != nil {
		return err
	}
	if err := s.mustHaveRuntime(); err != nil {
		return err
	}
	return s.tryControl(t, c)
}

func (s *Session) recycleCommand(c *command) (any, error) {
	if err := s.control(c, &kernel.Recycle{}); err != nil {
		return nil, err
	}
	transferred, _ := s.replayInputs()
	s.wake = true
	return recycleReport{transferred}, nil
}

// recoverCommand takes the inputs through the machine's recovery. The reference, which
// may have lost everything but its records, also puts a fresh machine in the place of the
// old; here the state is the fold of the log, and recovering it again would give the
// same.
func (s *Session) recoverCommand(c *command) (any, error) {
	if err := s.control(c, &kernel.Recover{}); err != nil {
		return nil, err
	}
	report := recoveryReport{Details: []string{}}
	report.InputsRecovered, report.InputsRequeued = s.replayInputs()
	s.wake = true
	return report, nil
}

// destroyCommand abandons every input before the machine is destroyed: no input rule
// accepts the phase Destroyed (chapter 02, 6.14). So the machine is asked first.
func (s *Session) destroyCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.mustHaveRuntime(); err != nil {
		return nil, err
	}
	destroy := &kernel.Destroy{SessionID: s.sessionID()}
	if s.kernel.Phase() == kernel.Destroyed {
		return nil, s.tryControl(destroy, c)
	}
	report := abandonReport{s.abandonAll(kernel.InputAbandonReasonDestroyed)}
	s.stopRun(c)
	s.must(destroy, c.cause)
	s.answerWaiting()
	s.change(func(d *delta) { d.DropAll = true })
	return report, nil
}
