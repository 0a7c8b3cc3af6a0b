package session

import (
	"github.com/kalahari-run/kalahari/kernel"
)

// replayInputs takes every input that has not ended through the machine's recovery rules
// (chapter 02, 6.15b), as recycling and recovering a runtime do.
func (s *Session) replayInputs() (recovered, requeued int) {
	scratch := kernel.New()
	scratch.Apply(&kernel.Initialize{})
	for _, e := range s.live() {
		st := s.kernel.State()
		phase := observed[kernel.RecoveredInputObservedPhase](s, st.InputPhases.At(e.ID).String())
		o := scratch.Apply(&kernel.NormalizeRecoveredInputLifecycle{InputID: e.ID, Phase: phase})
		if !o.OK() {
			continue // it has ended
		}
		now := o.Effects[0].(kernel.RecoveredInputLifecycleNormalized)
		recovered++
		if now.Requeued {
			requeued++
		}
		s.replay(e, now)
	}
	s.lanes.stale = true
	return recovered, requeued
}

func (s *Session) replay(e *entry, now kernel.RecoveredInputLifecycleNormalized) {
	st := s.kernel.State()
	lane := st.InputRecoveryLanes.At(e.ID)
	witness := &kernel.RecoverAdmittedInput{
		InputID:              e.ID,
		InputKind:            observed[kernel.RecoveredInputKind](s, e.Kind.String()),
		RuntimeBoundary:      observed[kernel.RecoveredRunApplyBoundary](s, e.Boundary.String()),
		RuntimeExecutionKind: observed[kernel.RecoveredRuntimeExecutionKind](s, e.Execution.String()),
		Lane:                 lane,
	}
	if e.Intent.IsSome() {
		witness.RuntimePeerResponseTerminalApplyIntent = kernel.Some(kernel.RecoveredPeerResponseTerminalApplyIntentAppendContextAndRun)
	}
	if o := s.apply(witness, e.cause()); !o.OK() {
		// The reference has no way back for a workgraph_attention continuation. Its facts
		// are in the state, which was never lost.
		return
	}
	seed := &kernel.RecoverInputLifecycle{
		InputID: e.ID, Phase: now.Phase, TerminalKind: now.TerminalKind, AttemptCount: st.InputAttemptCounts.At(e.ID),
		RecoveryLane: kernel.Some(lane),
	}
	if now.Phase == kernel.InputPhaseQueued {
		seed.Lane = kernel.Some(lane)
	} else if run, ok := st.InputRunAssociations.Lookup(e.ID); ok {
		seed.RunID = kernel.Some(run)
	}
	if n, ok := st.InputBoundarySequences.Lookup(e.ID); ok {
		seed.BoundarySequence = kernel.Some(n)
	}
	if n, ok := st.InputAdmissionSeq.Lookup(e.ID); ok {
		seed.AdmissionSequence = kernel.Some(n)
	}
	s.must(seed, e.cause())
	if e.Idempotency != "" {
		s.must(&kernel.RegisterAcceptedIdempotency{InputID: e.ID, IdempotencyKey: e.Idempotency}, e.cause())
	}
}

// live are the inputs that have not ended, in the order they were admitted.
func (s *Session) live() []*entry {
	live := make([]*entry, 0, len(s.ledger.Live))
	for _, e := range s.ledger.Live {
		live = append(live, e)
	}
	sortByOrder(live, s.kernel.State())
	return live
}

// observed reads a name of one of the machine's enums as the enum of recovery that has
// the same names (chapter 02, types).
func observed[E any, P interface {
	*E
	UnmarshalText([]byte) error
}](s *Session, name string) E {
	var e E
	if err := P(&e).UnmarshalText([]byte(name)); err != nil {
		s.fail(err)
	}
	return e
}
