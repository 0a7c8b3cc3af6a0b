package kernel

// Chapter 05, image operations: generating an image with a model of its own. An
// operation that needs it holds the one scoped override of the session's model, from its
// activation until it is restored; a plain one does not touch the session's model.
//
// What the provider answered is classified first and only then completed, with exactly
// the terminal it was classified as.

// BeginImageOperation opens an operation, or denies it. Public command, chapter 05.
//
// Only the override of another operation conflicts, that of a finite switch does not. An
// id may be used again, also of an operation that is running or over: its phase is then
// overwritten. RealtimeDetachAllowed is never read.
type BeginImageOperation struct {
	OperationID            string                          `json:"operation_id"`
	TargetModel            string                          `json:"target_model"`
	TargetRealtimeCapable  bool                            `json:"target_realtime_capable"`
	RequiresApproval       bool                            `json:"requires_approval"`
	ApprovalAvailable      bool                            `json:"approval_available"`
	ApprovalDenied         bool                            `json:"approval_denied"`
	ApprovalReason         Opt[RoutingImageApprovalReason] `json:"approval_reason"`
	RealtimeDetachAllowed  bool                            `json:"realtime_detach_allowed"`
	RequiresScopedOverride bool                            `json:"requires_scoped_override"`
}

func (in *BeginImageOperation) step(k *Kernel, s *State) {
	switch {
	case k.rule("BeginImageOperationScopedConflict", live3, Stay) &&
		k.guard("operation_in_operation_conflict", s.ModelRoutingOperationOverrideID.IsSome()):

		s.denyImageOperation(in.OperationID, RoutingDenialReasonScopedOverrideConflict)
		k.emit(ImageOperationDenied{OperationID: in.OperationID, Reason: RoutingDenialReasonScopedOverrideConflict})

	case k.rule("BeginImageOperationApprovalUnavailable", live3, Stay) &&
		k.guard("approval_unavailable", in.approval().unavailable()):

		s.denyImageOperation(in.OperationID, RoutingDenialReasonApprovalRequiredButUnavailable)
		k.emit(ImageOperationDenied{OperationID: in.OperationID, Reason: RoutingDenialReasonApprovalRequiredButUnavailable})

	case k.rule("BeginImageOperationApprovalDenied", live3, Stay) &&
		k.guard("approval_denied", in.approval().refused()) &&
		k.guard("approval_reason_present", in.ApprovalReason.IsSome()):

		s.recordApproval(in.OperationID, RoutingApprovalPhaseDenied, RoutingApprovalParentKindImageOperation)
		s.denyImageOperation(in.OperationID, RoutingDenialReasonDeniedDuringApproval)
		s.ModelRoutingImageApprovalReasons.put(in.OperationID, in.ApprovalReason.Value())
		k.emit(ImageOperationDenied{OperationID: in.OperationID, Reason: RoutingDenialReasonDeniedDuringApproval})
		k.emit(ModelRoutingApprovalTerminalized{ApprovalID: in.OperationID, Phase: RoutingApprovalPhaseDenied})

	case k.rule("BeginImageOperationAccepted", live3, Stay) &&
		k.guard("baseline_known", s.ModelRoutingBaselineModel.IsSome()) &&
		k.guard("no_operation_in_operation", s.ModelRoutingOperationOverrideID.IsNone()) &&
		k.guard("approval_satisfied", in.approval().satisfied()):

		if in.RequiresApproval {
			s.recordApproval(in.OperationID, RoutingApprovalPhaseApproved, RoutingApprovalParentKindImageOperation)
		}
		s.ModelRoutingImageOperationPhases.put(in.OperationID, RoutingImageOperationPhasePlanResolved)
		s.ModelRoutingImageOperationTargetModels.put(in.OperationID, in.TargetModel)
		s.ModelRoutingImageOperationRealtime.put(in.OperationID, in.TargetRealtimeCapable)
		if in.RequiresScopedOverride {
			s.ModelRoutingImageOperationRequiresScopedOverride.put(in.OperationID, true)
		}
		k.emit(ImageOperationPhaseChanged{OperationID: in.OperationID, Phase: RoutingImageOperationPhasePlanResolved})
	}
}

func (in *BeginImageOperation) approval() approval {
	return approval{in.RequiresApproval, in.ApprovalAvailable, in.ApprovalDenied}
}

func (s *State) denyImageOperation(operationID string, reason RoutingDenialReason) {
	s.ModelRoutingImageOperationPhases.put(operationID, RoutingImageOperationPhaseTerminal)
	s.ModelRoutingImageTerminals.put(operationID, RoutingImageTerminalDenied)
	s.ModelRoutingImageDenials.put(operationID, reason)
}

// DenyImageOperationPlan records an operation that the planner denied before it began.
// Public command, chapter 05.
type DenyImageOperationPlan struct {
	OperationID     string                       `json:"operation_id"`
	Reason          RoutingImagePlanDenialReason `json:"reason"`
	TerminalPayload string                       `json:"terminal_payload"`
}

func (in *DenyImageOperationPlan) step(k *Kernel, s *State) {
	switch {
	case k.rule("DenyImageOperationPlan", live3, Stay) &&
		k.guard("operation_not_recorded", !s.ModelRoutingImageOperationPhases.has(in.OperationID)):

		s.ModelRoutingImageOperationPhases.put(in.OperationID, RoutingImageOperationPhaseTerminal)
		s.ModelRoutingImageTerminals.put(in.OperationID, RoutingImageTerminalDenied)
		s.ModelRoutingImageTerminalPayloads.put(in.OperationID, in.TerminalPayload)
		s.ModelRoutingImagePlanDenials.put(in.OperationID, in.Reason)
		k.emit(ImageOperationPhaseChanged{OperationID: in.OperationID, Phase: RoutingImageOperationPhaseTerminal})
	}
}

// ActivateImageOperationOverride gives the session's model to an operation. The target
// is not compared with the one the operation began with. Public command, chapter 05.
type ActivateImageOperationOverride struct {
	OperationID           string `json:"operation_id"`
	TargetModel           string `json:"target_model"`
	TargetRealtimeCapable bool   `json:"target_realtime_capable"`
}

func (in *ActivateImageOperationOverride) step(k *Kernel, s *State) {
	switch {
	case k.rule("ActivateImageOperationOverride", live3, Stay) &&
		k.guard("operation_plan_resolved",
			s.ModelRoutingImageOperationTargetModels.has(in.OperationID)) &&
		k.guard("operation_requires_scoped_override",
			s.ModelRoutingImageOperationRequiresScopedOverride.has(in.OperationID)) &&
		k.guard("no_operation_override_active", s.ModelRoutingOperationOverrideID.IsNone()):

		s.ModelRoutingOperationOverrideID = Some(in.OperationID)
		s.ModelRoutingOperationTargetModel = Some(in.TargetModel)
		s.ModelRoutingOperationRealtime = Some(in.TargetRealtimeCapable)
		s.ModelRoutingImageOperationPhases.put(in.OperationID, RoutingImageOperationPhaseScopedOverrideActive)
		s.ModelRoutingTopologyEpoch++
		k.emit(ImageOperationPhaseChanged{OperationID: in.OperationID, Phase: RoutingImageOperationPhaseScopedOverrideActive})
		k.emit(ModelRoutingStatusChanged{TopologyEpoch: s.ModelRoutingTopologyEpoch})
	}
}

// ClassifyImageOperationTerminal decides from what was observed how an operation ended.
// Public command, chapter 05.
//
// It is allowed in any phase of the operation, the last included, and again; the last
// word stands until the operation completes. A timeout outranks a safety or refusal code,
// and so does a cancelled HTTP request. Status 499 on a native error fits no rule unless
// its code is that of a timeout, a safety stop or a refusal.
type ClassifyImageOperationTerminal struct {
	OperationID    string                          `json:"operation_id"`
	Observation    RoutingImageTerminalObservation `json:"observation"`
	HttpStatusCode Opt[uint64]                     `json:"http_status_code"`
	ErrorCode      RoutingImageProviderErrorCode   `json:"error_code"`
	ProviderText   RoutingProviderTextDisposition  `json:"provider_text"`
}

func (in *ClassifyImageOperationTerminal) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyImageOperationTerminalGenerated", live3, Stay) &&
		k.guard("operation_recorded", s.ModelRoutingImageOperationPhases.has(in.OperationID)) &&
		k.guard("generated_observation", in.Observation == RoutingImageTerminalObservationGenerated):

		in.classify(k, s, RoutingImageTerminalGenerated)

	case k.rule("ClassifyImageOperationTerminalEmpty", live3, Stay) &&
		k.guard("operation_recorded", s.ModelRoutingImageOperationPhases.has(in.OperationID)) &&
		k.guard("empty_observation", in.Observation == RoutingImageTerminalObservationEmptyResult):

		in.classify(k, s, RoutingImageTerminalEmptyResult)

	case k.rule("ClassifyImageOperationTerminalMechanicalFailure", live3, Stay) &&
		k.guard("operation_recorded", s.ModelRoutingImageOperationPhases.has(in.OperationID)) &&
		k.guard("mechanical_failure",
			in.Observation == RoutingImageTerminalObservationExecutionFailed ||
				in.Observation == RoutingImageTerminalObservationBlobCommitFailed):

		in.classify(k, s, RoutingImageTerminalFailed)

	case k.rule("ClassifyImageOperationTerminalTimeout", live3, Stay) &&
		k.guard("operation_recorded", s.ModelRoutingImageOperationPhases.has(in.OperationID)) &&
		k.guard("provider_error_observation", in.providerError()) &&
		k.guard("timeout_evidence", in.timedOut()):

		in.classify(k, s, RoutingImageTerminalTimeout)

	case k.rule("ClassifyImageOperationTerminalCancelled", live3, Stay) &&
		k.guard("operation_recorded", s.ModelRoutingImageOperationPhases.has(in.OperationID)) &&
		k.guard("provider_http_error", in.Observation == RoutingImageTerminalObservationProviderHttpError) &&
		k.guard("cancelled_status", in.HttpStatusCode.Is(499)):

		in.classify(k, s, RoutingImageTerminalCancelled)

	case k.rule("ClassifyImageOperationTerminalSafetyFiltered", live3, Stay) &&
		k.guard("operation_recorded", s.ModelRoutingImageOperationPhases.has(in.OperationID)) &&
		k.guard("provider_error_observation", in.providerError()) &&
		k.guard("safety_code", in.safetyCode()):

		in.classify(k, s, RoutingImageTerminalSafetyFiltered)

	case k.rule("ClassifyImageOperationTerminalRefused", live3, Stay) &&
		k.guard("operation_recorded", s.ModelRoutingImageOperationPhases.has(in.OperationID)) &&
		k.guard("provider_error_observation", in.providerError()) &&
		k.guard("refusal_code", in.refusalCode()):

		in.classify(k, s, RoutingImageTerminalRefusedByProvider)

	case k.rule("ClassifyImageOperationTerminalProviderFailed", live3, Stay) &&
		k.guard("operation_recorded", s.ModelRoutingImageOperationPhases.has(in.OperationID)) &&
		k.guard("provider_error_observation", in.providerError()) &&
		k.guard("not_timeout", !in.timedOut()) &&
		k.guard("not_cancelled", !in.HttpStatusCode.Is(499)) &&
		k.guard("not_safety", !in.safetyCode()) &&
		k.guard("not_refusal", !in.refusalCode()):

		in.classify(k, s, RoutingImageTerminalFailed)
	}
}

func (in *ClassifyImageOperationTerminal) providerError() bool {
	return in.Observation == RoutingImageTerminalObservationProviderHttpError ||
		in.Observation == RoutingImageTerminalObservationProviderNativeError
}

func (in *ClassifyImageOperationTerminal) timedOut() bool {
	return in.HttpStatusCode.Is(408) || in.HttpStatusCode.Is(504) ||
		in.ErrorCode == RoutingImageProviderErrorCodeGeminiDeadlineExceeded
}

func (in *ClassifyImageOperationTerminal) safetyCode() bool {
	return in.ErrorCode == RoutingImageProviderErrorCodeOpenAiContentFilter ||
		in.ErrorCode == RoutingImageProviderErrorCodeGeminiSafety
}

func (in *ClassifyImageOperationTerminal) refusalCode() bool {
	return in.ErrorCode == RoutingImageProviderErrorCodeOpenAiModelRefusal ||
		in.ErrorCode == RoutingImageProviderErrorCodeGeminiModelRefusal
}

func (in *ClassifyImageOperationTerminal) classify(k *Kernel, s *State, terminal RoutingImageTerminal) {
	s.ModelRoutingImageClassifiedTerminals.put(in.OperationID, terminal)
	s.ModelRoutingImageClassifiedProviderText.put(in.OperationID, in.ProviderText)
	k.emit(ImageOperationTerminalClassified{
		OperationID: in.OperationID, Terminal: terminal, ProviderText: in.ProviderText,
	})
}

// CompleteImageOperation ends an operation with the terminal it was classified as. A
// scoped one keeps the session's model until it is restored; a plain one is over, and
// cannot complete while another holds the model. Public command, chapter 05.
type CompleteImageOperation struct {
	OperationID     string               `json:"operation_id"`
	Terminal        RoutingImageTerminal `json:"terminal"`
	TerminalPayload string               `json:"terminal_payload"`
}

func (in *CompleteImageOperation) step(k *Kernel, s *State) {
	switch {
	case k.rule("CompleteImageOperation", live3, Stay) &&
		k.guard("operation_active", s.ModelRoutingOperationOverrideID.Is(in.OperationID)) &&
		k.guard("operation_requires_scoped_override",
			s.ModelRoutingImageOperationRequiresScopedOverride.has(in.OperationID)) &&
		k.guard("terminal_classified",
			holds(s.ModelRoutingImageClassifiedTerminals, in.OperationID, in.Terminal)):

		s.ModelRoutingImageOperationPhases.put(in.OperationID, RoutingImageOperationPhaseRestoringScopedOverride)
		s.ModelRoutingImageTerminals.put(in.OperationID, in.Terminal)
		s.ModelRoutingImageTerminalPayloads.put(in.OperationID, in.TerminalPayload)
		s.ModelRoutingImageClassifiedTerminals.del(in.OperationID)
		s.ModelRoutingImageClassifiedProviderText.del(in.OperationID)
		k.emit(ImageOperationPhaseChanged{OperationID: in.OperationID, Phase: RoutingImageOperationPhaseRestoringScopedOverride})

	case k.rule("CompleteImageOperationWithoutScopedOverride", live3, Stay) &&
		k.guard("operation_plan_resolved",
			s.ModelRoutingImageOperationTargetModels.has(in.OperationID)) &&
		k.guard("operation_does_not_require_scoped_override",
			!s.ModelRoutingImageOperationRequiresScopedOverride.has(in.OperationID)) &&
		k.guard("no_operation_override_active", s.ModelRoutingOperationOverrideID.IsNone()) &&
		k.guard("terminal_classified",
			holds(s.ModelRoutingImageClassifiedTerminals, in.OperationID, in.Terminal)):

		s.ModelRoutingImageOperationPhases.put(in.OperationID, RoutingImageOperationPhaseTerminal)
		s.ModelRoutingImageTerminals.put(in.OperationID, in.Terminal)
		s.ModelRoutingImageTerminalPayloads.put(in.OperationID, in.TerminalPayload)
		s.forgetImagePlan(in.OperationID)
		s.ModelRoutingImageClassifiedTerminals.del(in.OperationID)
		s.ModelRoutingImageClassifiedProviderText.del(in.OperationID)
		k.emit(ImageOperationPhaseChanged{OperationID: in.OperationID, Phase: RoutingImageOperationPhaseTerminal})
	}
}

// RestoreImageOperationOverride gives the session its model back. Public command,
// chapter 05.
//
// The shell requires the operation to be complete, the machine does not: restoring
// earlier records no terminal and leaves a classification in place.
type RestoreImageOperationOverride struct {
	OperationID string `json:"operation_id"`
}

func (in *RestoreImageOperationOverride) step(k *Kernel, s *State) {
	switch {
	case k.rule("RestoreImageOperationOverride", live3, Stay) &&
		k.guard("operation_active", s.ModelRoutingOperationOverrideID.Is(in.OperationID)):

		s.ModelRoutingOperationOverrideID = None[string]()
		s.ModelRoutingOperationTargetModel = None[string]()
		s.ModelRoutingOperationRealtime = None[bool]()
		s.ModelRoutingImageOperationPhases.put(in.OperationID, RoutingImageOperationPhaseTerminal)
		s.forgetImagePlan(in.OperationID)
		s.ModelRoutingTopologyEpoch++
		k.emit(ImageOperationPhaseChanged{OperationID: in.OperationID, Phase: RoutingImageOperationPhaseTerminal})
		k.emit(ModelRoutingStatusChanged{TopologyEpoch: s.ModelRoutingTopologyEpoch})
	}
}

// forgetImagePlan drops what is kept of an operation only while it lives.
func (s *State) forgetImagePlan(operationID string) {
	s.ModelRoutingImageOperationTargetModels.del(operationID)
	s.ModelRoutingImageOperationRealtime.del(operationID)
	s.ModelRoutingImageOperationRequiresScopedOverride.del(operationID)
}
