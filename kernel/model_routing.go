package kernel

// Chapter 05, model routing: the baseline model of the session and turns on another.
//
// A finite switch waits for the next assistant turn, lasts some turns and goes back by
// itself. An until-changed switch replaces the baseline: the shell reconfigures the LLM
// and then says so. The topology epoch counts the changes of the effective model.

// SetModelRoutingBaseline sets the model the session returns to. The same baseline again
// raises the epoch too. Runtime-internal, chapter 05.
type SetModelRoutingBaseline struct {
	BaselineModel   string `json:"baseline_model"`
	RealtimeCapable bool   `json:"realtime_capable"`
}

func (in *SetModelRoutingBaseline) step(k *Kernel, s *State) {
	switch {
	case k.rule("SetModelRoutingBaseline", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.ModelRoutingBaselineModel = Some(in.BaselineModel)
		s.ModelRoutingBaselineRealtime = Some(in.RealtimeCapable)
		s.ModelRoutingTopologyEpoch++
		k.emit(ModelRoutingStatusChanged{TopologyEpoch: s.ModelRoutingTopologyEpoch})
	}
}

// RequestFiniteSwitchTurn asks for Turns assistant turns on another model. A denial is
// an accepted input with a terminal. Public command, chapter 05.
//
// A conflict is a denial also where the request could not be accepted for other reasons,
// no turns or no baseline; without a conflict those are refused. RealtimeDetachAllowed is
// never read.
type RequestFiniteSwitchTurn struct {
	RequestID             string                           `json:"request_id"`
	TargetModel           string                           `json:"target_model"`
	Turns                 uint64                           `json:"turns"`
	TargetRealtimeCapable bool                             `json:"target_realtime_capable"`
	RequiresApproval      bool                             `json:"requires_approval"`
	ApprovalAvailable     bool                             `json:"approval_available"`
	ApprovalDenied        bool                             `json:"approval_denied"`
	ApprovalReason        Opt[RoutingSwitchApprovalReason] `json:"approval_reason"`
	RealtimeDetachAllowed bool                             `json:"realtime_detach_allowed"`
}

func (in *RequestFiniteSwitchTurn) step(k *Kernel, s *State) {
	switch {
	case k.rule("RequestFiniteSwitchTurnApprovalUnavailable", live3, Stay) &&
		k.guard("baseline_known", s.ModelRoutingBaselineModel.IsSome()) &&
		k.guard("approval_unavailable", in.approval().unavailable()):

		s.denySwitch(in.RequestID, RoutingDenialReasonApprovalRequiredButUnavailable)
		k.emit(SwitchTurnDenied{RequestID: in.RequestID, Reason: RoutingDenialReasonApprovalRequiredButUnavailable})

	case k.rule("RequestFiniteSwitchTurnApprovalDenied", live3, Stay) &&
		k.guard("approval_denied", in.approval().refused()) &&
		k.guard("approval_reason_present", in.ApprovalReason.IsSome()):

		s.denySwitchApproval(in.RequestID, in.ApprovalReason.Value())
		k.emit(SwitchTurnDenied{RequestID: in.RequestID, Reason: RoutingDenialReasonDeniedDuringApproval})
		k.emit(ModelRoutingApprovalTerminalized{ApprovalID: in.RequestID, Phase: RoutingApprovalPhaseDenied})

	case k.rule("RequestFiniteSwitchTurnScopedConflict", live3, Stay) &&
		k.guard("scoped_conflict", s.switchConflicts()):

		s.denySwitch(in.RequestID, RoutingDenialReasonScopedOverrideConflict)
		k.emit(SwitchTurnDenied{RequestID: in.RequestID, Reason: RoutingDenialReasonScopedOverrideConflict})

	case k.rule("RequestFiniteSwitchTurnAccepted", live3, Stay) &&
		k.guard("baseline_known", s.ModelRoutingBaselineModel.IsSome()) &&
		k.guard("positive_turns", in.Turns > 0) &&
		k.guard("approval_satisfied", in.approval().satisfied()) &&
		k.guard("no_scoped_conflict", !s.switchConflicts()):

		if in.RequiresApproval {
			s.recordApproval(in.RequestID, RoutingApprovalPhaseApproved, RoutingApprovalParentKindSwitchTurn)
		}
		s.ModelRoutingPendingSwitchRequestID = Some(in.RequestID)
		s.ModelRoutingPendingSwitchTargetModel = Some(in.TargetModel)
		s.ModelRoutingPendingSwitchRealtime = Some(in.TargetRealtimeCapable)
		s.ModelRoutingPendingSwitchTurns = Some(in.Turns)
		s.ModelRoutingPendingSwitchPhase = Some(RoutingSwitchTurnPhasePendingForBoundary)
	}
}

func (in *RequestFiniteSwitchTurn) approval() approval {
	return approval{in.RequiresApproval, in.ApprovalAvailable, in.ApprovalDenied}
}

// RequestUntilChangedSwitchTurn asks for another model from now on. Public command,
// chapter 05.
//
// Nothing conflicts with it: it is accepted while an override is active, and takes the
// place of a pending switch, which so vanishes without a terminal. RealtimeDetachAllowed
// is never read.
type RequestUntilChangedSwitchTurn struct {
	RequestID             string                           `json:"request_id"`
	TargetModel           string                           `json:"target_model"`
	TargetRealtimeCapable bool                             `json:"target_realtime_capable"`
	RequiresApproval      bool                             `json:"requires_approval"`
	ApprovalAvailable     bool                             `json:"approval_available"`
	ApprovalDenied        bool                             `json:"approval_denied"`
	ApprovalReason        Opt[RoutingSwitchApprovalReason] `json:"approval_reason"`
	RealtimeDetachAllowed bool                             `json:"realtime_detach_allowed"`
}

func (in *RequestUntilChangedSwitchTurn) step(k *Kernel, s *State) {
	switch {
	case k.rule("RequestUntilChangedSwitchTurnAccepted", live3, Stay) &&
		k.guard("baseline_known", s.ModelRoutingBaselineModel.IsSome()) &&
		k.guard("approval_satisfied", in.approval().satisfied()):

		if in.RequiresApproval {
			s.recordApproval(in.RequestID, RoutingApprovalPhaseApproved, RoutingApprovalParentKindSwitchTurn)
		}
		s.ModelRoutingPendingSwitchRequestID = Some(in.RequestID)
		s.ModelRoutingPendingSwitchTargetModel = Some(in.TargetModel)
		s.ModelRoutingPendingSwitchRealtime = Some(in.TargetRealtimeCapable)
		s.ModelRoutingPendingSwitchTurns = None[uint64]()
		s.ModelRoutingPendingSwitchPhase = Some(RoutingSwitchTurnPhaseApplyingPersistentReconfigure)
		k.emit(SwitchTurnPersistentReconfigureRequested{RequestID: in.RequestID, TargetModel: in.TargetModel})

	case k.rule("RequestUntilChangedSwitchTurnApprovalUnavailable", live3, Stay) &&
		k.guard("baseline_known", s.ModelRoutingBaselineModel.IsSome()) &&
		k.guard("approval_unavailable", in.approval().unavailable()):

		s.denySwitch(in.RequestID, RoutingDenialReasonApprovalRequiredButUnavailable)
		k.emit(SwitchTurnDenied{RequestID: in.RequestID, Reason: RoutingDenialReasonApprovalRequiredButUnavailable})

	case k.rule("RequestUntilChangedSwitchTurnApprovalDenied", live3, Stay) &&
		k.guard("approval_denied", in.approval().refused()) &&
		k.guard("approval_reason_present", in.ApprovalReason.IsSome()):

		s.denySwitchApproval(in.RequestID, in.ApprovalReason.Value())
		k.emit(SwitchTurnDenied{RequestID: in.RequestID, Reason: RoutingDenialReasonDeniedDuringApproval})
		k.emit(ModelRoutingApprovalTerminalized{ApprovalID: in.RequestID, Phase: RoutingApprovalPhaseDenied})
	}
}

func (in *RequestUntilChangedSwitchTurn) approval() approval {
	return approval{in.RequiresApproval, in.ApprovalAvailable, in.ApprovalDenied}
}

// CompleteUntilChangedSwitchTurnReconfigure says that the model was exchanged for good.
// The new baseline has raised the epoch already, so it stays. Runtime-internal,
// chapter 05.
type CompleteUntilChangedSwitchTurnReconfigure struct {
	RequestID string `json:"request_id"`
}

func (in *CompleteUntilChangedSwitchTurnReconfigure) step(k *Kernel, s *State) {
	switch {
	case k.rule("CompleteUntilChangedSwitchTurnReconfigure", live3, Stay) &&
		k.guard("pending_until_changed_reconfigure",
			s.ModelRoutingPendingSwitchRequestID.Is(in.RequestID) &&
				s.ModelRoutingPendingSwitchTurns.IsNone() &&
				s.ModelRoutingPendingSwitchPhase.Is(RoutingSwitchTurnPhaseApplyingPersistentReconfigure)):

		s.ModelRoutingSwitchTerminal.put(in.RequestID, RoutingSwitchTurnTerminalPersistentReconfigureApplied)
		s.clearPendingSwitch()
		k.emit(ModelRoutingStatusChanged{TopologyEpoch: s.ModelRoutingTopologyEpoch})
	}
}

// AdmitModelRoutingAssistantTurn says that an assistant turn is about to start. Public
// command, chapter 05.
//
// The turn that activates a pending finite switch is not counted: N turns take N+1
// admissions, the last of which goes back. Refused if there is nothing to do.
type AdmitModelRoutingAssistantTurn struct{}

func (in *AdmitModelRoutingAssistantTurn) step(k *Kernel, s *State) {
	switch {
	case k.rule("AdmitPendingFiniteSwitchTurn", live3, Stay) &&
		k.guard("pending_finite", s.ModelRoutingPendingSwitchRequestID.IsSome() &&
			s.ModelRoutingPendingSwitchTurns.IsSome()):

		s.ModelRoutingTurnOverrideID = Some(s.ModelRoutingPendingSwitchRequestID.Value())
		s.ModelRoutingTurnRequestID = Some(s.ModelRoutingPendingSwitchRequestID.Value())
		s.ModelRoutingTurnTargetModel = Some(s.ModelRoutingPendingSwitchTargetModel.Value())
		s.ModelRoutingTurnRealtime = Some(s.ModelRoutingPendingSwitchRealtime.Value())
		s.ModelRoutingTurnRemainingTurns = Some(s.ModelRoutingPendingSwitchTurns.Value())
		s.clearPendingSwitch()
		s.ModelRoutingTopologyEpoch++
		k.emit(SwitchTurnFiniteOverrideActivated{
			RequestID:      s.ModelRoutingTurnRequestID.Value(),
			TargetModel:    s.ModelRoutingTurnTargetModel.Value(),
			TurnsRemaining: s.ModelRoutingTurnRemainingTurns.Value(),
		})
		k.emit(ModelRoutingStatusChanged{TopologyEpoch: s.ModelRoutingTopologyEpoch})

	case k.rule("DecrementFiniteSwitchTurn", live3, Stay) &&
		k.guard("active_multi_turn", s.ModelRoutingTurnOverrideID.IsSome() &&
			s.ModelRoutingTurnRemainingTurns.Value() > 1):

		s.ModelRoutingTurnRemainingTurns = Some(s.ModelRoutingTurnRemainingTurns.Value() - 1)

	case k.rule("RestoreConsumedFiniteSwitchTurn", live3, Stay) &&
		k.guard("active_one_turn_remaining", s.ModelRoutingTurnOverrideID.IsSome() &&
			s.ModelRoutingTurnRemainingTurns.Value() == 1):

		s.ModelRoutingSwitchTerminal.put(s.ModelRoutingTurnRequestID.Value(),
			RoutingSwitchTurnTerminalConsumedAndRestored)
		s.ModelRoutingTurnOverrideID = None[string]()
		s.ModelRoutingTurnRequestID = None[string]()
		s.ModelRoutingTurnTargetModel = None[string]()
		s.ModelRoutingTurnRealtime = None[bool]()
		s.ModelRoutingTurnRemainingTurns = None[uint64]()
		s.ModelRoutingTopologyEpoch++
		// The reference reads the request id after it was cleared.
		k.emit(SwitchTurnFiniteOverrideRestored{RequestID: ""})
		k.emit(ModelRoutingStatusChanged{TopologyEpoch: s.ModelRoutingTopologyEpoch})
	}
}

// ModelRoutingStatus asks for a view of the routing. Surface-only, chapter 05.
type ModelRoutingStatus struct {
	SessionID SessionId `json:"session_id"`
}

func (in *ModelRoutingStatus) step(k *Kernel, s *State) {
	switch {
	// No rule: surfaces answer it from a copy of the state.
	}
}

// approval is what a request says about the approval of a user.
type approval struct{ required, available, denied bool }

func (a approval) unavailable() bool { return a.required && !a.available }

func (a approval) refused() bool { return a.required && a.available && a.denied }

func (a approval) satisfied() bool { return !a.required || a.available && !a.denied }

// switchConflicts reports whether something stands in the way of a finite switch: an
// active one, the override of an image operation, or any pending switch.
func (s *State) switchConflicts() bool {
	return s.ModelRoutingTurnOverrideID.IsSome() ||
		s.ModelRoutingOperationOverrideID.IsSome() ||
		s.ModelRoutingPendingSwitchRequestID.IsSome()
}

func (s *State) denySwitch(requestID string, reason RoutingDenialReason) {
	s.ModelRoutingSwitchTerminal.put(requestID, RoutingSwitchTurnTerminalDenied)
	s.ModelRoutingSwitchDenials.put(requestID, reason)
}

func (s *State) denySwitchApproval(requestID string, reason RoutingSwitchApprovalReason) {
	s.recordApproval(requestID, RoutingApprovalPhaseDenied, RoutingApprovalParentKindSwitchTurn)
	s.denySwitch(requestID, RoutingDenialReasonDeniedDuringApproval)
	s.ModelRoutingSwitchApprovalReasons.put(requestID, reason)
}

// recordApproval keeps the approval under the id of the request or operation it is for.
func (s *State) recordApproval(id string, phase RoutingApprovalPhase, parent RoutingApprovalParentKind) {
	s.ModelRoutingApprovalPhases.put(id, phase)
	s.ModelRoutingApprovalParentKind.put(id, parent)
}

func (s *State) clearPendingSwitch() {
	s.ModelRoutingPendingSwitchRequestID = None[string]()
	s.ModelRoutingPendingSwitchTargetModel = None[string]()
	s.ModelRoutingPendingSwitchRealtime = None[bool]()
	s.ModelRoutingPendingSwitchTurns = None[uint64]()
	s.ModelRoutingPendingSwitchPhase = None[RoutingSwitchTurnPhase]()
}
