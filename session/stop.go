package session

import (
	"github.com/kalahari-run/kalahari/kernel"
)

type reasonArg struct {
	sessionArg
	Reason string `json:"reason"`
}

// stopRun closes the turn of the run in progress, and ends its executor call once the
// commit that ends the run is stored.
func (s *Session) stopRun(c *command) {
	if run, ok := s.kernel.State().CurrentRunID.Get(); ok {
		s.cancelTurn(run, c.cause)
	}
	if r := s.run; r != nil {
		s.next.stored = append(s.next.stored, func() { r.cancel(errInterrupted) })
	}
	s.change(func(d *delta) { d.RunOver = true })
}

// stopCommand stops the executor for good: the machine is told, the executor's exit is
// told, every input ends as abandoned. The reference waits for its loop to leave and
// answers ValidationFailed where that does not lead to Stopped, as in a retired session;
// here nothing is waited for, and the answer tells the phase that was reached.
func (s *Session) stopCommand(c *command) (any, error) {
	var arg reasonArg
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	if err := s.try(&kernel.StopRuntimeExecutor{Reason: arg.Reason}, c); err != nil {
		return nil, err
	}
	s.stopRun(c)
	s.must(&kernel.RuntimeExecutorExited{}, c.cause)
	report := stopReport{s.abandonAll(kernel.InputAbandonReasonStopped), s.kernel.Phase().String()}
	s.answerWaiting()
	return report, nil
}

type stopReport struct {
	InputsAbandoned int    `json:"inputs_abandoned"`
	Phase           string `json:"phase"`
}

// cancelAfterBoundaryCommand lets the run in progress reach its next boundary and then
// cancels it.
func (s *Session) cancelAfterBoundaryCommand(c *command) (any, error) {
	arg := reasonArg{Reason: "boundary cancel"}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	if err := s.tryAs(rejectNotReady, &kernel.CancelAfterBoundary{Reason: arg.Reason}, c); err != nil {
		return nil, err
	}
	if run, ok := s.kernel.State().CurrentRunID.Get(); ok {
		s.apply(&kernel.RequestCancelAfterBoundary{RunID: run}, c.cause)
	}
	if r := s.run; r != nil {
		s.next.stored = append(s.next.stored, r.cancelAtBoundary)
	}
	return nil, nil
}

// interruptReport is what an interrupt met and what its user is told.
type interruptReport struct {
	Observation string `json:"observation"`
	Result      string `json:"result"`
}

// interruptCommand cancels the run in progress now. Nothing to cancel is a success too
// (chapter 01, stop, interrupt).
func (s *Session) interruptCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	observed := kernel.UserInterruptObservationKindNotInterruptible
	switch r := s.run; {
	// A call that was told to end may still be on its way back, when its run is over.
	case r != nil && st.CurrentRunID.IsSome():
		if err := s.tryAs(rejectNotReady, &kernel.InterruptCurrentRun{}, c); err != nil {
			return nil, err
		}
		// The turn is told at once, so that the cancel outlives this owner.
		s.apply(&kernel.CancelNow{RunID: kernel.RunId(r.id)}, c.cause)
		s.next.stored = append(s.next.stored, func() { r.cancel(errInterrupted) })
		observed = kernel.UserInterruptObservationKindAccepted
	case st.StagedSessionPhase != kernel.StagedSessionPhaseNotStaged:
		observed = kernel.UserInterruptObservationKindStagedNoop
	case st.SessionID.IsNone(), st.LifecyclePhase == kernel.Destroyed:
		observed = kernel.UserInterruptObservationKindDestroyed
	case st.LifecyclePhase == kernel.Idle:
		observed = kernel.UserInterruptObservationKindIdleNoop
	case st.LifecyclePhase == kernel.Attached:
		observed = kernel.UserInterruptObservationKindAttachedNoop
	}
	o := kernel.New().Apply(&kernel.ResolveUserInterruptPublicResult{
		Observation: observed, TargetPresent: st.SessionID.IsSome(),
		StagedPromotionBusy: st.StagedSessionPhase == kernel.StagedSessionPhasePromoting,
	})
	result := o.Effects[0].(kernel.UserInterruptPublicResultResolved).Result
	switch result {
	case kernel.UserInterruptPublicResultKindInterrupted, kernel.UserInterruptPublicResultKindStagedNoop:
		return interruptReport{observed.String(), result.String()}, nil
	default:
		return nil, &refusal{
			kind: result.String(), phase: st.LifecyclePhase.String(),
			reason: "nothing can be interrupted in phase " + st.LifecyclePhase.String(),
		}
	}
}
