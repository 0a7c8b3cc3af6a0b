package kernel

// Chapter 03, the turn: how a run begins and its primitive is applied.

// startTurn begins a turn from nothing: whatever the last one left is forgotten, also
// the cause of a failed apply.
func (s *TurnState) startTurn(kind TurnPrimitiveKind, shape ContentShape) {
	s.TurnPhase = TurnPhaseApplyingPrimitive
	s.PrimitiveKind = Some(kind)
	s.AdmittedContentShape = Some(shape)
	s.VisionEnabled = false
	s.ImageToolResultsEnabled = false
	s.TerminalOutcome = None[TurnTerminalOutcome]()
	s.LastRuntimeApplyFailureCause = None[RuntimeApplyFailureCause]()
	s.LastRuntimeApplyFailureMessage = None[string]()
	s.clearTurn()
}

// StartConversationRun begins a run that talks to the model. Started outside Running it
// will return to Attached, whatever phase it came from; in Running the new run replaces
// the recorded one without comparing them. Runtime-internal, chapter 03.
type StartConversationRun struct {
	RunID                   RunId             `json:"run_id"`
	PrimitiveKind           TurnPrimitiveKind `json:"primitive_kind"`
	AdmittedContentShape    ContentShape      `json:"admitted_content_shape"`
	VisionEnabled           bool              `json:"vision_enabled"`
	ImageToolResultsEnabled bool              `json:"image_tool_results_enabled"`
	MaxExtractionRetries    uint64            `json:"max_extraction_retries"`
}

func (in *StartConversationRun) step(k *Kernel, s *State) {
	switch {
	case k.rule("StartConversationRunIdleWithBinding", Idle, Running) &&
		k.guard("runtime_binding_present", s.ActiveRuntimeID.IsSome()) &&
		in.startable(k, s):

		s.PreRunPhase = Some(PreRunPhaseAttached)
		in.start(k, s)

	case k.rule("StartConversationRunInitializing", Initializing, Running) && in.startable(k, s):

		s.PreRunPhase = Some(PreRunPhaseAttached)
		in.start(k, s)

	case k.rule("StartConversationRunAttached", Attached, Running) && in.startable(k, s):

		s.PreRunPhase = Some(PreRunPhaseAttached)
		in.start(k, s)

	case k.rule("StartConversationRunRunning", Running, Running) && in.startable(k, s):

		in.start(k, s)
	}
}

func (in *StartConversationRun) startable(k *Kernel, s *State) bool {
	return k.guard("turn_resettable", s.TurnPhase.resettable()) &&
		k.guard("conversation_shape_matches_primitive",
			in.PrimitiveKind == TurnPrimitiveKindConversationTurn && in.AdmittedContentShape.conversational())
}

// conversational reports whether content of the shape belongs to a conversation turn.
func (c ContentShape) conversational() bool {
	switch c {
	case ContentShapeConversation, ContentShapeConversationAndContext, ContentShapeContext, ContentShapeEmpty:
		return true
	default:
		return false
	}
}

func (in *StartConversationRun) start(k *Kernel, s *State) {
	s.CurrentRunID = Some(in.RunID)
	s.startTurn(in.PrimitiveKind, in.AdmittedContentShape)
	s.VisionEnabled = in.VisionEnabled
	s.ImageToolResultsEnabled = in.ImageToolResultsEnabled
	s.MaxExtractionRetries = in.MaxExtractionRetries
	k.emit(TurnRunStarted{RunID: in.RunID})
}

// StartImmediateAppend begins a run that only appends to the conversation. Unlike a
// conversation run it cannot start in Idle. Runtime-internal, chapter 03.
type StartImmediateAppend struct {
	RunID RunId `json:"run_id"`
}

func (in *StartImmediateAppend) step(k *Kernel, s *State) {
	switch {
	case k.rule("StartImmediateAppendInitializing", Initializing, Running) &&
		k.guard("turn_resettable", s.TurnPhase.resettable()):

		s.PreRunPhase = Some(PreRunPhaseAttached)
		in.start(k, s)

	case k.rule("StartImmediateAppendAttached", Attached, Running) &&
		k.guard("turn_resettable", s.TurnPhase.resettable()):

		s.PreRunPhase = Some(PreRunPhaseAttached)
		in.start(k, s)

	case k.rule("StartImmediateAppendRunning", Running, Running) &&
		k.guard("turn_resettable", s.TurnPhase.resettable()):

		in.start(k, s)
	}
}

func (in *StartImmediateAppend) start(k *Kernel, s *State) {
	s.CurrentRunID = Some(in.RunID)
	s.startTurn(TurnPrimitiveKindImmediateAppend, ContentShapeImmediateAppend)
	k.emit(TurnRunStarted{RunID: in.RunID})
}

// StartImmediateContext begins a run that only appends to the context. It cannot start
// in Idle either. Runtime-internal, chapter 03.
type StartImmediateContext struct {
	RunID RunId `json:"run_id"`
}

func (in *StartImmediateContext) step(k *Kernel, s *State) {
	switch {
	case k.rule("StartImmediateContextInitializing", Initializing, Running) &&
		k.guard("turn_resettable", s.TurnPhase.resettable()):

		s.PreRunPhase = Some(PreRunPhaseAttached)
		in.start(k, s)

	case k.rule("StartImmediateContextAttached", Attached, Running) &&
		k.guard("turn_resettable", s.TurnPhase.resettable()):

		s.PreRunPhase = Some(PreRunPhaseAttached)
		in.start(k, s)

	case k.rule("StartImmediateContextRunning", Running, Running) &&
		k.guard("turn_resettable", s.TurnPhase.resettable()):

		in.start(k, s)
	}
}

func (in *StartImmediateContext) start(k *Kernel, s *State) {
	s.CurrentRunID = Some(in.RunID)
	s.startTurn(TurnPrimitiveKindImmediateContextAppend, ContentShapeImmediateContext)
	k.emit(TurnRunStarted{RunID: in.RunID})
}

// PrimitiveApplied says that the content of the run is in the session. A conversation
// goes on to the model; an immediate append has crossed its only boundary and is over.
// Runtime-internal, chapter 03.
type PrimitiveApplied struct {
	RunID RunId `json:"run_id"`
}

func (in *PrimitiveApplied) step(k *Kernel, s *State) {
	switch {
	case k.rule("PrimitiveAppliedConversation", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_applying_conversation",
			s.TurnPhase == TurnPhaseApplyingPrimitive && s.PrimitiveKind.Is(TurnPrimitiveKindConversationTurn)):

		s.TurnPhase = TurnPhaseCallingLlm
		k.emit(TurnCheckCompaction{})

	case k.rule("PrimitiveAppliedImmediateCompleted", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_applying_immediate", s.applyingImmediate()) &&
		k.guard("cancel_after_boundary_not_requested", !s.CancelAfterBoundary):

		s.BoundaryCount++
		s.completeTurn()
		k.emit(TurnBoundaryApplied{RunID: in.RunID, BoundarySequence: s.BoundaryCount})
		k.emit(TurnRunCompleted{RunID: in.RunID, Outcome: TurnTerminalOutcomeCompleted})

	case k.rule("PrimitiveAppliedImmediateCancelled", Running, Running) &&
		k.guard("run_matches_current", s.CurrentRunID.Is(in.RunID)) &&
		k.guard("turn_applying_immediate", s.applyingImmediate()) &&
		k.guard("cancel_after_boundary_requested", s.CancelAfterBoundary):

		s.cancelTurnAtBoundary()
		k.emit(TurnBoundaryApplied{RunID: in.RunID, BoundarySequence: s.BoundaryCount})
		k.emit(TurnRunCancelled{RunID: in.RunID, Reason: TurnCancellationReasonObserved})
	}
}

func (s *TurnState) applyingImmediate() bool {
	return s.TurnPhase == TurnPhaseApplyingPrimitive &&
		(s.PrimitiveKind.Is(TurnPrimitiveKindImmediateAppend) ||
			s.PrimitiveKind.Is(TurnPrimitiveKindImmediateContextAppend))
}
