package kernel

// Chapter 03, the turn: one round of it, from the answer of the model over the
// operations it asked for to the boundary.

// LlmReturnedToolCalls says that the model answered with ToolCount tool calls. With none
// the turn goes straight to the boundary. Runtime-internal, chapter 03.
type LlmReturnedToolCalls struct {
	RunID     RunId  `json:"run_id"`
	ToolCount uint64 `json:"tool_count"`
}

func (in *LlmReturnedToolCalls) step(k *Kernel, s *State) {
	switch {
	case k.rule("LlmReturnedToolCallsPositive", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_calling_llm", s.TurnPhase == TurnPhaseCallingLlm) &&
		k.guard("tool_count_positive", in.ToolCount > 0):

		s.TurnPhase = TurnPhaseWaitingForOps
		s.ToolCallsPending = in.ToolCount

	case k.rule("LlmReturnedToolCallsZero", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_calling_llm", s.TurnPhase == TurnPhaseCallingLlm) &&
		k.guard("tool_count_zero", in.ToolCount == 0):

		s.TurnPhase = TurnPhaseDrainingBoundary
		s.ToolCallsPending = 0
	}
}

// LlmReturnedTerminal says that the model answered without tool calls. Runtime-internal,
// chapter 03.
type LlmReturnedTerminal struct {
	RunID RunId `json:"run_id"`
}

func (in *LlmReturnedTerminal) step(k *Kernel, s *State) {
	switch {
	case k.rule("LlmReturnedTerminal", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_calling_llm", s.TurnPhase == TurnPhaseCallingLlm):

		s.TurnPhase = TurnPhaseDrainingBoundary
	}
}

// RegisterPendingOps records the operations the tool calls started, and which of them
// the turn must wait for. That these are among OpRefs is not checked. Runtime-internal,
// chapter 03.
type RegisterPendingOps struct {
	RunID               RunId            `json:"run_id"`
	OpRefs              Set[string]      `json:"op_refs"`
	BarrierOperationIDs Set[OperationId] `json:"barrier_operation_ids"`
}

func (in *RegisterPendingOps) step(k *Kernel, s *State) {
	switch {
	case k.rule("RegisterPendingOps", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_waiting_or_calling",
			s.TurnPhase == TurnPhaseCallingLlm || s.TurnPhase == TurnPhaseWaitingForOps):

		s.TurnPhase = TurnPhaseWaitingForOps
		s.PendingOpRefs = in.OpRefs.Clone()
		s.BarrierOperationIDs = in.BarrierOperationIDs.Clone()
		s.HasBarrierOps = len(s.BarrierOperationIDs) > 0
		s.BarrierSatisfied = len(s.BarrierOperationIDs) == 0
		s.ToolCallsPending = 0
	}
}

// ToolCallsResolved ends the wait for the tool calls of a round. An unsatisfied barrier
// does not hold the turn: it goes back to the model without crossing a boundary. The
// barrier flag survives either way, until operations are registered again.
// Runtime-internal, chapter 03.
type ToolCallsResolved struct {
	RunID RunId `json:"run_id"`
}

func (in *ToolCallsResolved) step(k *Kernel, s *State) {
	switch {
	case k.rule("ToolCallsResolvedToCalling", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_waiting_for_ops", s.TurnPhase == TurnPhaseWaitingForOps) &&
		k.guard("barrier_not_satisfied", !s.BarrierSatisfied):

		s.TurnPhase = TurnPhaseCallingLlm
		k.emit(TurnCheckCompaction{})

	case k.rule("ToolCallsResolvedToBoundary", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_waiting_for_ops", s.TurnPhase == TurnPhaseWaitingForOps) &&
		k.guard("barrier_satisfied", s.BarrierSatisfied):

		s.TurnPhase = TurnPhaseDrainingBoundary
	}
}

// OpsBarrierSatisfied says that the operations the turn waits for are done. It must name
// exactly those; the empty set therefore matches when there is no barrier, also after
// an earlier success. Runtime-internal, chapter 03.
type OpsBarrierSatisfied struct {
	RunID        RunId            `json:"run_id"`
	OperationIDs Set[OperationId] `json:"operation_ids"`
}

func (in *OpsBarrierSatisfied) step(k *Kernel, s *State) {
	switch {
	case k.rule("OpsBarrierSatisfied", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_waiting_for_ops", s.TurnPhase == TurnPhaseWaitingForOps) &&
		k.guard("matching_barrier_ids", in.OperationIDs.Equal(s.BarrierOperationIDs)):

		s.BarrierSatisfied = true
		s.PendingOpRefs = nil
		s.BarrierOperationIDs = nil
		s.HasBarrierOps = false
	}
}

// BoundaryContinue crosses a boundary and goes on with the next round, unless a cancel
// was asked for: then the turn ends here. Runtime-internal, chapter 03.
type BoundaryContinue struct {
	RunID RunId `json:"run_id"`
}

func (in *BoundaryContinue) step(k *Kernel, s *State) {
	switch {
	case k.rule("BoundaryContinueToCalling", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_draining_boundary", s.TurnPhase == TurnPhaseDrainingBoundary) &&
		k.guard("cancel_after_boundary_not_requested", !s.CancelAfterBoundary):

		s.BoundaryCount++
		s.TurnPhase = TurnPhaseCallingLlm
		k.emit(TurnBoundaryApplied{RunID: in.RunID, BoundarySequence: s.BoundaryCount})
		k.emit(TurnCheckCompaction{})

	case k.rule("BoundaryContinueToCancelled", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_draining_boundary", s.TurnPhase == TurnPhaseDrainingBoundary) &&
		k.guard("cancel_after_boundary_requested", s.CancelAfterBoundary):

		s.cancelTurnAtBoundary()
		k.emit(TurnBoundaryApplied{RunID: in.RunID, BoundarySequence: s.BoundaryCount})
		k.emit(TurnRunCancelled{RunID: in.RunID, Reason: TurnCancellationReasonObserved})
	}
}

// BoundaryComplete crosses the last boundary of a turn. A cancel that was asked for
// still wins. Runtime-internal, chapter 03.
type BoundaryComplete struct {
	RunID RunId `json:"run_id"`
}

func (in *BoundaryComplete) step(k *Kernel, s *State) {
	switch {
	case k.rule("BoundaryCompleteCompleted", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_draining_boundary", s.TurnPhase == TurnPhaseDrainingBoundary) &&
		k.guard("cancel_after_boundary_not_requested", !s.CancelAfterBoundary):

		s.BoundaryCount++
		s.completeTurn()
		k.emit(TurnBoundaryApplied{RunID: in.RunID, BoundarySequence: s.BoundaryCount})
		k.emit(TurnRunCompleted{RunID: in.RunID, Outcome: TurnTerminalOutcomeCompleted})

	case k.rule("BoundaryCompleteCancelled", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_draining_boundary", s.TurnPhase == TurnPhaseDrainingBoundary) &&
		k.guard("cancel_after_boundary_requested", s.CancelAfterBoundary):

		s.cancelTurnAtBoundary()
		k.emit(TurnBoundaryApplied{RunID: in.RunID, BoundarySequence: s.BoundaryCount})
		k.emit(TurnRunCancelled{RunID: in.RunID, Reason: TurnCancellationReasonObserved})
	}
}
