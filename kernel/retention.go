package kernel

// The triggers of this file are ours, not the reference's: they bound the state of a
// session that lives long. The reference never forgets an input. They are refused by
// `kernel run`, which speaks the reference's alphabet only ([Runner]).

// extension marks a trigger that the reference does not have.
type extension interface{ extension() }

// IsExtension reports whether t is one of our own triggers, unknown to the reference.
func IsExtension(t Trigger) bool {
	_, ok := t.(extension)
	return ok
}

// ForgetInput drops every trace of an input that has ended. Its id and, if it had one,
// its idempotency key become free again: an event repeated after that is a new input.
type ForgetInput struct {
	InputID        string      `json:"input_id"`
	IdempotencyKey Opt[string] `json:"idempotency_key"`
}

func (*ForgetInput) extension() {}

func (in *ForgetInput) step(k *Kernel, s *State) {
	switch {
	case k.rule("ForgetInput", anyPhase, Stay) &&
		k.guard("input_ended", s.InputTerminalKind.has(in.InputID)) &&
		k.guard("idempotency_key_is_the_inputs", in.IdempotencyKey.IsNone() ||
			holds(s.AdmissionIdempotencyInputs, in.IdempotencyKey.Value(), in.InputID)):

		if key, ok := in.IdempotencyKey.Get(); ok {
			s.AdmissionIdempotencyInputs.del(key)
		}
		s.forgetInput(in.InputID)
	}
}

// forgetInput drops what is known of the input.
func (s *InputsState) forgetInput(id string) {
	delete(s.records(), id)
	s.InputSupersededBy.del(id)
	s.InputAggregateID.del(id)
	s.InputAbandonReason.del(id)
	s.InputAbandonAttemptCount.del(id)
	s.AdmissionAuthorizedExistingActions.del(id)
	s.AdmissionAuthorizedExistingTargets.del(id)
	s.RecoveredAdmittedInputs.del(id)
	s.RecoveredAdmittedLanes.del(id)
}

// ForgetRun drops the counter of live-boundary injections of a run that is over.
type ForgetRun struct {
	RunID RunId `json:"run_id"`
}

func (*ForgetRun) extension() {}

func (in *ForgetRun) step(k *Kernel, s *State) {
	switch {
	case k.rule("ForgetRun", anyPhase, Stay) &&
		k.guard("run_is_over", s.CurrentRunID != Some(in.RunID)):

		s.LiveBoundaryContextSequenceByRun.del(in.RunID)
	}
}

// ForgetOperation drops every trace of an operation that has ended, or that was evicted or
// collected and left its row in the feed, once all three readers of the feed are past it.
// Its id becomes free again, and so does its completion number for recovery. Of a capacity
// slot that was evicted first the number is no longer known and stays claimed.
type ForgetOperation struct {
	OperationID string `json:"operation_id"`
}

func (*ForgetOperation) extension() {}

func (in *ForgetOperation) step(k *Kernel, s *State) {
	switch {
	case k.rule("ForgetOperation", anyPhase, Stay) &&
		k.guard("operation_over", !s.OpStatuses.has(in.OperationID) || s.OpStatuses[in.OperationID].terminal()) &&
		k.guard("readers_are_past_it", s.CompletionFeedSequences[in.OperationID] <= s.feedRead()) &&
		k.guard("not_waited_for", !s.WaitOperationIDs.Has(in.OperationID)):

		s.CompletionSequenceClaims.del(s.CompletionFeedSequences[in.OperationID])
		s.CompletionSequenceClaims.del(s.OpCompletionSeq[in.OperationID])
		s.forget(in.OperationID)
		s.OpSources.del(in.OperationID)
		s.CompletionFeedSequences.del(in.OperationID)
		s.CompletionFeedKinds.del(in.OperationID)
		s.CompletionFeedTerminalOutcomes.del(in.OperationID)
		s.CompletionFeedTerminalPayload.del(in.OperationID)
	}
}

// feedRead is how far every reader of the completion feed has come.
func (s *OpsState) feedRead() uint64 {
	return min(s.CompletionAgentAppliedCursor, s.CompletionRuntimeObservedCursor, s.CompletionRuntimeInjectedCursor)
}
