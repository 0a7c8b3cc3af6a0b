package kernel

// The effects of chapter 05.

// CommittedVisibleSetPublished is an effect of chapter 05, external.
type CommittedVisibleSetPublished struct {
	Revision uint64 `json:"revision"`
}

func (CommittedVisibleSetPublished) EffectDisposition() Disposition { return External }

// ModelRoutingStatusChanged is an effect of chapter 05, external.
type ModelRoutingStatusChanged struct {
	TopologyEpoch uint64 `json:"topology_epoch"`
}

func (ModelRoutingStatusChanged) EffectDisposition() Disposition { return External }

// SwitchTurnDenied is an effect of chapter 05, external.
type SwitchTurnDenied struct {
	RequestID string              `json:"request_id"`
	Reason    RoutingDenialReason `json:"reason"`
}

func (SwitchTurnDenied) EffectDisposition() Disposition { return External }

// SwitchTurnPersistentReconfigureRequested is an effect of chapter 05, local.
type SwitchTurnPersistentReconfigureRequested struct {
	RequestID   string `json:"request_id"`
	TargetModel string `json:"target_model"`
}

func (SwitchTurnPersistentReconfigureRequested) EffectDisposition() Disposition { return Local }

// SwitchTurnFiniteOverrideActivated is an effect of chapter 05, local.
type SwitchTurnFiniteOverrideActivated struct {
	RequestID      string `json:"request_id"`
	TargetModel    string `json:"target_model"`
	TurnsRemaining uint64 `json:"turns_remaining"`
}

func (SwitchTurnFiniteOverrideActivated) EffectDisposition() Disposition { return Local }

// SwitchTurnFiniteOverrideRestored is an effect of chapter 05, local.
type SwitchTurnFiniteOverrideRestored struct {
	RequestID string `json:"request_id"`
}

func (SwitchTurnFiniteOverrideRestored) EffectDisposition() Disposition { return Local }

// ImageOperationPhaseChanged is an effect of chapter 05, external.
type ImageOperationPhaseChanged struct {
	OperationID string                     `json:"operation_id"`
	Phase       RoutingImageOperationPhase `json:"phase"`
}

func (ImageOperationPhaseChanged) EffectDisposition() Disposition { return External }

// ImageOperationTerminalClassified is an effect of chapter 05, local.
type ImageOperationTerminalClassified struct {
	OperationID  string                         `json:"operation_id"`
	Terminal     RoutingImageTerminal           `json:"terminal"`
	ProviderText RoutingProviderTextDisposition `json:"provider_text"`
}

func (ImageOperationTerminalClassified) EffectDisposition() Disposition { return Local }

// ImageOperationDenied is an effect of chapter 05, external.
type ImageOperationDenied struct {
	OperationID string              `json:"operation_id"`
	Reason      RoutingDenialReason `json:"reason"`
}

func (ImageOperationDenied) EffectDisposition() Disposition { return External }

// ModelRoutingApprovalTerminalized is an effect of chapter 05, external.
type ModelRoutingApprovalTerminalized struct {
	ApprovalID string               `json:"approval_id"`
	Phase      RoutingApprovalPhase `json:"phase"`
}

func (ModelRoutingApprovalTerminalized) EffectDisposition() Disposition { return External }

// SessionLlmReconfigurePlanResolved is an effect of chapter 05, local.
type SessionLlmReconfigurePlanResolved struct {
	PreviousCapabilitySurface    Opt[SessionLlmCapabilitySurface] `json:"previous_capability_surface"`
	CurrentCapabilitySurface     Opt[SessionLlmCapabilitySurface] `json:"current_capability_surface"`
	CapabilityChanged            bool                             `json:"capability_changed"`
	PreviousCapabilityBaseFilter ToolFilter                       `json:"previous_capability_base_filter"`
	CurrentCapabilityBaseFilter  ToolFilter                       `json:"current_capability_base_filter"`
	CommittedVisibleSetChanged   bool                             `json:"committed_visible_set_changed"`
	RevisionBumped               bool                             `json:"revision_bumped"`
	ActiveVisibilityRevision     uint64                           `json:"active_visibility_revision"`
}

func (SessionLlmReconfigurePlanResolved) EffectDisposition() Disposition { return Local }
