package kernel

// Chapter 02, inputs: what surfaces are told of an input. These classifiers look only at
// their fields and have rules in Idle alone: the shell asks a fresh machine.

// ResolveInputPublicLifecycle names the public state of an input observed in a phase.
// In Idle it is total. Runtime-internal, chapter 02.
type ResolveInputPublicLifecycle struct {
	InputID string                      `json:"input_id"`
	Phase   RecoveredInputObservedPhase `json:"phase"`
}

func (in *ResolveInputPublicLifecycle) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveInputPublicLifecycleAccepted", Idle, Stay) &&
		k.guard("accepted_phase", in.Phase == RecoveredInputObservedPhaseAccepted):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateAccepted})

	case k.rule("ResolveInputPublicLifecycleQueued", Idle, Stay) &&
		k.guard("queued_phase", in.Phase == RecoveredInputObservedPhaseQueued):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateQueued})

	case k.rule("ResolveInputPublicLifecycleStaged", Idle, Stay) &&
		k.guard("staged_phase", in.Phase == RecoveredInputObservedPhaseStaged):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateStaged})

	case k.rule("ResolveInputPublicLifecycleApplied", Idle, Stay) &&
		k.guard("applied_phase", in.Phase == RecoveredInputObservedPhaseApplied):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateApplied})

	case k.rule("ResolveInputPublicLifecycleAppliedPendingConsumption", Idle, Stay) &&
		k.guard("applied_pending_consumption_phase", in.Phase == RecoveredInputObservedPhaseAppliedPendingConsumption):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateAppliedPendingConsumption})

	case k.rule("ResolveInputPublicLifecycleConsumed", Idle, Stay) &&
		k.guard("consumed_phase", in.Phase == RecoveredInputObservedPhaseConsumed):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateConsumed})

	case k.rule("ResolveInputPublicLifecycleSuperseded", Idle, Stay) &&
		k.guard("superseded_phase", in.Phase == RecoveredInputObservedPhaseSuperseded):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateSuperseded})

	case k.rule("ResolveInputPublicLifecycleCoalesced", Idle, Stay) &&
		k.guard("coalesced_phase", in.Phase == RecoveredInputObservedPhaseCoalesced):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateCoalesced})

	case k.rule("ResolveInputPublicLifecycleAbandoned", Idle, Stay) &&
		k.guard("abandoned_phase", in.Phase == RecoveredInputObservedPhaseAbandoned):

		k.emit(InputPublicLifecycleResolved{InputID: in.InputID, Phase: InputPublicLifecycleStateAbandoned})
	}
}

// ResolveInputPublicTerminalOutcome names the public outcome of an input, none if it has
// not ended. Being cancelled is told apart from being abandoned. A phase and an end that
// do not fit are refused: the stored input is corrupt. Runtime-internal, chapter 02.
type ResolveInputPublicTerminalOutcome struct {
	InputID       string                      `json:"input_id"`
	Phase         RecoveredInputObservedPhase `json:"phase"`
	TerminalKind  Opt[InputTerminalKind]      `json:"terminal_kind"`
	AbandonReason Opt[InputAbandonReason]     `json:"abandon_reason"`
}

func (in *ResolveInputPublicTerminalOutcome) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveInputPublicTerminalOutcomeNonTerminal", Idle, Stay) &&
		k.guard("non_terminal_phase", in.Phase.end().IsNone()) &&
		k.guard("terminal_absent", in.TerminalKind.IsNone() && in.AbandonReason.IsNone()):

		k.emit(InputPublicTerminalOutcomeResolved{InputID: in.InputID})

	case k.rule("ResolveInputPublicTerminalOutcomeConsumed", Idle, Stay) &&
		k.guard("consumed_phase", in.Phase == RecoveredInputObservedPhaseConsumed) &&
		k.guard("consumed_terminal",
			in.TerminalKind.Is(InputTerminalKindConsumed) && in.AbandonReason.IsNone()):

		k.emit(InputPublicTerminalOutcomeResolved{InputID: in.InputID, TerminalOutcome: Some(InputPublicTerminalOutcomeCompleted)})

	case k.rule("ResolveInputPublicTerminalOutcomeSuperseded", Idle, Stay) &&
		k.guard("superseded_phase", in.Phase == RecoveredInputObservedPhaseSuperseded) &&
		k.guard("superseded_terminal",
			in.TerminalKind.Is(InputTerminalKindSuperseded) && in.AbandonReason.IsNone()):

		k.emit(InputPublicTerminalOutcomeResolved{InputID: in.InputID, TerminalOutcome: Some(InputPublicTerminalOutcomeSuperseded)})

	case k.rule("ResolveInputPublicTerminalOutcomeCoalesced", Idle, Stay) &&
		k.guard("coalesced_phase", in.Phase == RecoveredInputObservedPhaseCoalesced) &&
		k.guard("coalesced_terminal",
			in.TerminalKind.Is(InputTerminalKindCoalesced) && in.AbandonReason.IsNone()):

		k.emit(InputPublicTerminalOutcomeResolved{InputID: in.InputID, TerminalOutcome: Some(InputPublicTerminalOutcomeCoalesced)})

	case k.rule("ResolveInputPublicTerminalOutcomeCancelled", Idle, Stay) &&
		k.guard("abandoned_phase", in.Phase == RecoveredInputObservedPhaseAbandoned) &&
		k.guard("cancelled_terminal",
			in.TerminalKind.Is(InputTerminalKindAbandoned) &&
				in.AbandonReason.Is(InputAbandonReasonCancelled)):

		k.emit(InputPublicTerminalOutcomeResolved{InputID: in.InputID, TerminalOutcome: Some(InputPublicTerminalOutcomeCancelled)})

	case k.rule("ResolveInputPublicTerminalOutcomeAbandoned", Idle, Stay) &&
		k.guard("abandoned_phase", in.Phase == RecoveredInputObservedPhaseAbandoned) &&
		k.guard("abandoned_terminal",
			in.TerminalKind.Is(InputTerminalKindAbandoned) &&
				in.AbandonReason.IsSome() && !in.AbandonReason.Is(InputAbandonReasonCancelled)):

		k.emit(InputPublicTerminalOutcomeResolved{InputID: in.InputID, TerminalOutcome: Some(InputPublicTerminalOutcomeAbandoned)})
	}
}

// ClassifyInputTerminality says whether an input has ended, and refuses a phase and an
// end that do not fit. Runtime-internal, chapter 02.
type ClassifyInputTerminality struct {
	InputID       string                      `json:"input_id"`
	Phase         RecoveredInputObservedPhase `json:"phase"`
	TerminalKind  Opt[InputTerminalKind]      `json:"terminal_kind"`
	AbandonReason Opt[InputAbandonReason]     `json:"abandon_reason"`
}

func (in *ClassifyInputTerminality) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyInputTerminalityNonTerminal", Idle, Stay) &&
		k.guard("non_terminal_phase", in.Phase.end().IsNone()) &&
		k.guard("terminal_absent", in.TerminalKind.IsNone() && in.AbandonReason.IsNone()):

		k.emit(InputBehavioralTerminalityResolved{InputID: in.InputID})

	case k.rule("ClassifyInputTerminalityConsumed", Idle, Stay) &&
		k.guard("consumed_phase", in.Phase == RecoveredInputObservedPhaseConsumed) &&
		k.guard("consumed_terminal",
			in.TerminalKind.Is(InputTerminalKindConsumed) && in.AbandonReason.IsNone()):

		k.emit(InputBehavioralTerminalityResolved{InputID: in.InputID, Terminal: true})

	case k.rule("ClassifyInputTerminalitySuperseded", Idle, Stay) &&
		k.guard("superseded_phase", in.Phase == RecoveredInputObservedPhaseSuperseded) &&
		k.guard("superseded_terminal",
			in.TerminalKind.Is(InputTerminalKindSuperseded) && in.AbandonReason.IsNone()):

		k.emit(InputBehavioralTerminalityResolved{InputID: in.InputID, Terminal: true})

	case k.rule("ClassifyInputTerminalityCoalesced", Idle, Stay) &&
		k.guard("coalesced_phase", in.Phase == RecoveredInputObservedPhaseCoalesced) &&
		k.guard("coalesced_terminal",
			in.TerminalKind.Is(InputTerminalKindCoalesced) && in.AbandonReason.IsNone()):

		k.emit(InputBehavioralTerminalityResolved{InputID: in.InputID, Terminal: true})

	case k.rule("ClassifyInputTerminalityAbandoned", Idle, Stay) &&
		k.guard("abandoned_phase", in.Phase == RecoveredInputObservedPhaseAbandoned) &&
		k.guard("abandoned_terminal",
			in.TerminalKind.Is(InputTerminalKindAbandoned) && in.AbandonReason.IsSome()):

		k.emit(InputBehavioralTerminalityResolved{InputID: in.InputID, Terminal: true})
	}
}
