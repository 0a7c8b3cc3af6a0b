package kernel

// Chapter 02, inputs: the life of a tracked input, from its lane through a run to its
// end. The order Queued, Staged, Applied, AppliedPendingConsumption, Consumed is the
// shell's. Most rules here ask only that the input is tracked and also take one that
// has ended: StageForRun on a consumed input leaves its terminal kind in place,
// ChangeLane puts it back into a lane.

// QueueAccepted starts tracking an input whose plan grants it the Queue lane. The plan
// kind is not asked: an input that is consumed on accept is queued first, too.
// Runtime-internal, chapter 02.
type QueueAccepted struct {
	InputID string `json:"input_id"`
}

func (in *QueueAccepted) step(k *Kernel, s *State) {
	switch {
	case k.rule("QueueAccepted", registered5, Stay) &&
		k.guard("not_already_tracked", !s.InputPhases.has(in.InputID)) &&
		k.guard("live_admission_authorized_queue_lane", holds(s.AdmissionAuthorizedLanes, in.InputID, InputLaneQueue)):

		s.InputPhases.put(in.InputID, InputPhaseQueued)
		s.putInLane(in.InputID, InputLaneQueue)
		s.orderLast(in.InputID)
		k.emit(IngressAccepted{})
	}
}

// SteerAccepted starts tracking an input whose plan grants it the Steer lane.
// Runtime-internal, chapter 02.
type SteerAccepted struct {
	InputID string `json:"input_id"`
}

func (in *SteerAccepted) step(k *Kernel, s *State) {
	switch {
	case k.rule("SteerAccepted", registered5, Stay) &&
		k.guard("not_already_tracked", !s.InputPhases.has(in.InputID)) &&
		k.guard("live_admission_authorized_steer_lane", holds(s.AdmissionAuthorizedLanes, in.InputID, InputLaneSteer)):

		s.InputPhases.put(in.InputID, InputPhaseQueued)
		s.putInLane(in.InputID, InputLaneSteer)
		s.orderLast(in.InputID)
		k.emit(IngressAccepted{})
	}
}

// ConsumeOnAccept ends an input whose plan was to be only recorded. Runtime-internal,
// chapter 02.
type ConsumeOnAccept struct {
	InputID string `json:"input_id"`
}

func (in *ConsumeOnAccept) step(k *Kernel, s *State) {
	switch {
	case k.rule("ConsumeOnAccept", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)) &&
		k.guard("live_admission_authorized_consume_on_accept",
			holds(s.AdmissionAuthorizedPlans, in.InputID, AdmissionPlanKindConsumedOnAccept)):

		s.endInput(in.InputID, InputPhaseConsumed, InputTerminalKindConsumed)
		k.emit(RecordTerminalOutcome{})
	}
}

// ConsumeInput ends an input whose run committed. Runtime-internal, chapter 02.
type ConsumeInput struct {
	InputID string `json:"input_id"`
}

func (in *ConsumeInput) step(k *Kernel, s *State) {
	switch {
	case k.rule("ConsumeInput", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.endInput(in.InputID, InputPhaseConsumed, InputTerminalKindConsumed)
		k.emit(RecordTerminalOutcome{})
	}
}

// ChangeLane moves an input to another lane; its place in the order stays.
// Runtime-internal, chapter 02.
type ChangeLane struct {
	InputID string    `json:"input_id"`
	NewLane InputLane `json:"new_lane"`
}

func (in *ChangeLane) step(k *Kernel, s *State) {
	switch {
	case k.rule("ChangeLane", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.putInLane(in.InputID, in.NewLane)
	}
}

// PrioritizeInput moves a queued input to the front of its lane. The tokens count down,
// so the input prioritized last comes first. Runtime-internal, chapter 02.
type PrioritizeInput struct {
	InputID string `json:"input_id"`
}

func (in *PrioritizeInput) step(k *Kernel, s *State) {
	switch {
	case k.rule("PrioritizeInput", registered5, Stay) &&
		k.guard("input_queued", s.InputLane.has(in.InputID)) &&
		k.guard("priority_sequence_available", s.NextPriorityAdmissionSeq > 0):

		s.InputAdmissionSeq.put(in.InputID, s.NextPriorityAdmissionSeq)
		s.NextPriorityAdmissionSeq--
	}
}

// DeferInputBehindBacklog moves a queued input to the back of its lane, so that a
// failed batch lets the others run first. Runtime-internal, chapter 02.
type DeferInputBehindBacklog struct {
	InputID string `json:"input_id"`
}

func (in *DeferInputBehindBacklog) step(k *Kernel, s *State) {
	switch {
	case k.rule("DeferInputBehindBacklog", registered5, Stay) &&
		k.guard("input_queued", s.InputLane.has(in.InputID)):

		s.orderLast(in.InputID)
	}
}

// StageForRun takes an input out of its lane and into a run. The recovery lane and the
// order token stay, so that a rollback finds its old place. The run is not compared
// with the current one. Runtime-internal, chapter 02.
type StageForRun struct {
	InputID string `json:"input_id"`
	RunID   string `json:"run_id"`
}

func (in *StageForRun) step(k *Kernel, s *State) {
	switch {
	case k.rule("StageForRun", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.InputPhases.put(in.InputID, InputPhaseStaged)
		s.InputRunAssociations.put(in.InputID, in.RunID)
		s.InputLane.del(in.InputID)
		k.emit(RecordRunAssociation{})
	}
}

// IncrementAttemptCount counts one staging of an input. Runtime-internal, chapter 02.
type IncrementAttemptCount struct {
	InputID string `json:"input_id"`
}

func (in *IncrementAttemptCount) step(k *Kernel, s *State) {
	switch {
	case k.rule("IncrementAttemptCount", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.countAttempt(in.InputID)
	}
}

// RollbackStaged puts an input back into a lane, whatever its phase and however often
// it was tried: it would requeue even one that has ended. The runtime sends
// ResolveStagedRollback instead. Runtime-internal, chapter 02.
type RollbackStaged struct {
	InputID string    `json:"input_id"`
	Lane    InputLane `json:"lane"`
}

func (in *RollbackStaged) step(k *Kernel, s *State) {
	switch {
	case k.rule("RollbackStaged", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.requeue(in.InputID, in.Lane)
		k.emit(InputLifecycleNotice{})
	}
}

// ResolveStagedRollback decides what becomes of a staged input whose run failed: it is
// queued again at its old place, or abandoned if it was tried MaxStageAttempts times.
// Lane must be the recovery lane on record. Runtime-internal, chapter 02.
type ResolveStagedRollback struct {
	InputID string    `json:"input_id"`
	Lane    InputLane `json:"lane"`
}

func (in *ResolveStagedRollback) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveStagedRollbackQueued", registered5, Stay) &&
		in.rollbackPossible(k, s) &&
		k.guard("stage_attempts_remaining", s.InputAttemptCounts.At(in.InputID) < s.MaxStageAttempts):

		s.requeue(in.InputID, in.Lane)
		k.emit(InputLifecycleNotice{})

	// The run association stays: it says in which run the last attempt was.
	case k.rule("ResolveStagedRollbackMaxAttemptsExhausted", registered5, Stay) &&
		in.rollbackPossible(k, s) &&
		k.guard("stage_attempts_exhausted", s.InputAttemptCounts.At(in.InputID) >= s.MaxStageAttempts):

		s.endInput(in.InputID, InputPhaseAbandoned, InputTerminalKindAbandoned)
		s.InputAbandonReason.put(in.InputID, InputAbandonReasonMaxAttemptsExhausted)
		s.InputAbandonAttemptCount.put(in.InputID, s.InputAttemptCounts.At(in.InputID))
		k.emit(RecordTerminalOutcome{})
	}
}

func (in *ResolveStagedRollback) rollbackPossible(k *Kernel, s *State) bool {
	return k.guard("input_tracked", s.InputPhases.has(in.InputID)) &&
		k.guard("input_staged", holds(s.InputPhases, in.InputID, InputPhaseStaged)) &&
		k.guard("attempt_count_tracked", s.InputAttemptCounts.has(in.InputID)) &&
		k.guard("recovery_lane_matches", holds(s.InputRecoveryLanes, in.InputID, in.Lane))
}

// MarkApplied notes that the executor has applied an input. Runtime-internal,
// chapter 02.
type MarkApplied struct {
	InputID string `json:"input_id"`
}

func (in *MarkApplied) step(k *Kernel, s *State) {
	switch {
	case k.rule("MarkApplied", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.InputPhases.put(in.InputID, InputPhaseApplied)
		k.emit(InputLifecycleNotice{})
	}
}

// MarkAppliedPendingConsumption notes that an applied input waits for the commit of its
// boundary. Runtime-internal, chapter 02.
type MarkAppliedPendingConsumption struct {
	InputID string `json:"input_id"`
}

func (in *MarkAppliedPendingConsumption) step(k *Kernel, s *State) {
	switch {
	case k.rule("MarkAppliedPendingConsumption", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.InputPhases.put(in.InputID, InputPhaseAppliedPendingConsumption)
		k.emit(InputLifecycleNotice{})
	}
}

// RecordBoundarySeq notes at which boundary of the run an input was applied: the number
// of live injections so far, 0 without any. Runtime-internal, chapter 02.
type RecordBoundarySeq struct {
	InputID string `json:"input_id"`
	RunID   RunId  `json:"run_id"`
}

func (in *RecordBoundarySeq) step(k *Kernel, s *State) {
	switch {
	case k.rule("RecordBoundarySeq", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.InputBoundarySequences.put(in.InputID, s.LiveBoundaryContextSequenceByRun[in.RunID])
		k.emit(RecordBoundarySequence{})
	}
}

// ResolveLiveBoundaryContextReceipt numbers an input that was injected into the current
// run at a boundary, and marks the run as the one whose completion has a result.
// Runtime-internal, chapter 02.
type ResolveLiveBoundaryContextReceipt struct {
	RunID   RunId  `json:"run_id"`
	InputID string `json:"input_id"`
}

func (in *ResolveLiveBoundaryContextReceipt) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveLiveBoundaryContextReceipt", Running, Stay) &&
		k.guard("current_run_matches", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.LiveBoundaryContextSequenceByRun.put(in.RunID, s.LiveBoundaryContextSequenceByRun[in.RunID]+1)
		s.RuntimeCompletionResultRunID = Some(in.RunID)
		k.emit(LiveBoundaryContextReceiptResolved{
			RunID:            in.RunID,
			InputID:          in.InputID,
			Boundary:         AdmissionRunApplyBoundaryRunCheckpoint,
			BoundarySequence: s.LiveBoundaryContextSequenceByRun[in.RunID],
		})
	}
}

// SupersedeInput ends an input that a newer one replaces. No plan of this version
// grants it. Runtime-internal, chapter 02.
type SupersedeInput struct {
	InputID      string `json:"input_id"`
	SupersededBy string `json:"superseded_by"`
}

func (in *SupersedeInput) step(k *Kernel, s *State) {
	switch {
	case k.rule("SupersedeInput", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)) &&
		k.guard("live_admission_authorized_supersede_target",
			holds(s.AdmissionAuthorizedExistingActions, in.SupersededBy, AdmissionExistingQueuedActionKindSupersede) &&
				holds(s.AdmissionAuthorizedExistingTargets, in.SupersededBy, in.InputID)):

		s.endInput(in.InputID, InputPhaseSuperseded, InputTerminalKindSuperseded)
		s.InputSupersededBy.put(in.InputID, in.SupersededBy)
		s.AdmissionAuthorizedExistingActions.del(in.SupersededBy)
		s.AdmissionAuthorizedExistingTargets.del(in.SupersededBy)
		k.emit(RecordTerminalOutcome{})
	}
}

// CoalesceInput ends an input that a newer one, the aggregate, absorbs, as the plan of
// the aggregate granted. The grant is used up. The aggregate itself need not be
// tracked. Runtime-internal, chapter 02.
type CoalesceInput struct {
	InputID     string `json:"input_id"`
	AggregateID string `json:"aggregate_id"`
}

func (in *CoalesceInput) step(k *Kernel, s *State) {
	switch {
	case k.rule("CoalesceInput", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)) &&
		k.guard("live_admission_authorized_coalesce_target",
			holds(s.AdmissionAuthorizedExistingActions, in.AggregateID, AdmissionExistingQueuedActionKindCoalesce) &&
				holds(s.AdmissionAuthorizedExistingTargets, in.AggregateID, in.InputID)):

		s.endInput(in.InputID, InputPhaseCoalesced, InputTerminalKindCoalesced)
		s.InputAggregateID.put(in.InputID, in.AggregateID)
		s.AdmissionAuthorizedExistingActions.del(in.AggregateID)
		s.AdmissionAuthorizedExistingTargets.del(in.AggregateID)
		k.emit(RecordTerminalOutcome{})
	}
}

// AbandonInput ends an input without it having been worked on to the end.
// Runtime-internal, chapter 02.
type AbandonInput struct {
	InputID      string             `json:"input_id"`
	Reason       InputAbandonReason `json:"reason"`
	AttemptCount uint64             `json:"attempt_count"`
}

func (in *AbandonInput) step(k *Kernel, s *State) {
	switch {
	case k.rule("AbandonInput", registered5, Stay) &&
		k.guard("input_tracked", s.InputPhases.has(in.InputID)):

		s.endInput(in.InputID, InputPhaseAbandoned, InputTerminalKindAbandoned)
		s.InputAbandonReason.put(in.InputID, in.Reason)
		s.InputAbandonAttemptCount.put(in.InputID, in.AttemptCount)
		k.emit(RecordTerminalOutcome{})
	}
}

// putInLane makes lane the present lane of the input and the one it returns to.
func (s *InputsState) putInLane(id string, lane InputLane) {
	s.InputLane.put(id, lane)
	s.InputRecoveryLanes.put(id, lane)
}

// orderLast gives the input the next token of the back of the queue.
func (s *InputsState) orderLast(id string) {
	s.InputAdmissionSeq.put(id, s.NextAdmissionSeq)
	s.NextAdmissionSeq++
}

// requeue takes the input out of its run, back into the lane.
func (s *InputsState) requeue(id string, lane InputLane) {
	s.InputPhases.put(id, InputPhaseQueued)
	s.InputRunAssociations.del(id)
	s.putInLane(id, lane)
}

// countAttempt saturates, as counters in maps do (chapter 01, reducer semantics 5).
func (s *InputsState) countAttempt(id string) {
	n := s.InputAttemptCounts.At(id)
	s.InputAttemptCounts.put(id, max(n, n+1))
}

// endInput takes the input out of its lanes and records its end without the details,
// of which an earlier end may have left some.
func (s *InputsState) endInput(id string, phase InputPhase, kind InputTerminalKind) {
	s.InputPhases.put(id, phase)
	s.InputLane.del(id)
	s.InputRecoveryLanes.del(id)
	s.InputTerminalKind.put(id, kind)
	s.InputSupersededBy.del(id)
	s.InputAggregateID.del(id)
	s.InputAbandonReason.del(id)
	s.InputAbandonAttemptCount.del(id)
}
