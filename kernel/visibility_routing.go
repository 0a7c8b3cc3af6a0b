package kernel

// The inputs and signals of chapter 05 with their rules, in the chapter's order.

// HydrateSessionLlmState is an input of chapter 05.
type HydrateSessionLlmState struct {
	CurrentIdentity                SessionLlmIdentity                `json:"current_identity"`
	CurrentCapabilitySurface       Opt[SessionLlmCapabilitySurface]  `json:"current_capability_surface"`
	CurrentCapabilitySurfaceStatus SessionLlmCapabilitySurfaceStatus `json:"current_capability_surface_status"`
	CurrentCapabilityBaseFilter    ToolFilter                        `json:"current_capability_base_filter"`
}

func (in *HydrateSessionLlmState) step(k *Kernel, s *State) {
	switch {
	}
}

// ReconfigureSessionLlmIdentity is an input of chapter 05.
type ReconfigureSessionLlmIdentity struct {
	PreviousIdentity                 SessionLlmIdentity                `json:"previous_identity"`
	PreviousVisibilityState          SessionToolVisibilityState        `json:"previous_visibility_state"`
	PreviousCapabilitySurface        Opt[SessionLlmCapabilitySurface]  `json:"previous_capability_surface"`
	PreviousCapabilitySurfaceStatus  SessionLlmCapabilitySurfaceStatus `json:"previous_capability_surface_status"`
	PreviousCapabilityBaseFilter     ToolFilter                        `json:"previous_capability_base_filter"`
	ViewImageToolAvailable           bool                              `json:"view_image_tool_available"`
	PreviousViewImageVisible         bool                              `json:"previous_view_image_visible"`
	NextViewImageVisible             bool                              `json:"next_view_image_visible"`
	PreviousActiveVisibilityRevision uint64                            `json:"previous_active_visibility_revision"`
	PreviousStagedVisibilityRevision uint64                            `json:"previous_staged_visibility_revision"`
	TargetIdentity                   SessionLlmIdentity                `json:"target_identity"`
	TargetCapabilitySurface          SessionLlmCapabilitySurface       `json:"target_capability_surface"`
	NextVisibilityState              SessionToolVisibilityState        `json:"next_visibility_state"`
	NextCapabilityBaseFilter         ToolFilter                        `json:"next_capability_base_filter"`
	NextActiveVisibilityRevision     uint64                            `json:"next_active_visibility_revision"`
	ToolVisibilityDelta              SessionToolVisibilityDelta        `json:"tool_visibility_delta"`
}

func (in *ReconfigureSessionLlmIdentity) step(k *Kernel, s *State) {
	switch {
	}
}

// ClearSessionLlmState is an input of chapter 05.
type ClearSessionLlmState struct{}

func (in *ClearSessionLlmState) step(k *Kernel, s *State) {
	switch {
	}
}

// SetModelRoutingBaseline is an input of chapter 05.
type SetModelRoutingBaseline struct {
	BaselineModel   string `json:"baseline_model"`
	RealtimeCapable bool   `json:"realtime_capable"`
}

func (in *SetModelRoutingBaseline) step(k *Kernel, s *State) {
	switch {
	}
}

// RequestFiniteSwitchTurn is an input of chapter 05.
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
	}
}

// RequestUntilChangedSwitchTurn is an input of chapter 05.
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
	}
}

// CompleteUntilChangedSwitchTurnReconfigure is an input of chapter 05.
type CompleteUntilChangedSwitchTurnReconfigure struct {
	RequestID string `json:"request_id"`
}

func (in *CompleteUntilChangedSwitchTurnReconfigure) step(k *Kernel, s *State) {
	switch {
	}
}

// AdmitModelRoutingAssistantTurn is an input of chapter 05.
type AdmitModelRoutingAssistantTurn struct{}

func (in *AdmitModelRoutingAssistantTurn) step(k *Kernel, s *State) {
	switch {
	}
}

// BeginImageOperation is an input of chapter 05.
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
	}
}

// DenyImageOperationPlan is an input of chapter 05.
type DenyImageOperationPlan struct {
	OperationID     string                       `json:"operation_id"`
	Reason          RoutingImagePlanDenialReason `json:"reason"`
	TerminalPayload string                       `json:"terminal_payload"`
}

func (in *DenyImageOperationPlan) step(k *Kernel, s *State) {
	switch {
	}
}

// ActivateImageOperationOverride is an input of chapter 05.
type ActivateImageOperationOverride struct {
	OperationID           string `json:"operation_id"`
	TargetModel           string `json:"target_model"`
	TargetRealtimeCapable bool   `json:"target_realtime_capable"`
}

func (in *ActivateImageOperationOverride) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyImageOperationTerminal is an input of chapter 05.
type ClassifyImageOperationTerminal struct {
	OperationID    string                          `json:"operation_id"`
	Observation    RoutingImageTerminalObservation `json:"observation"`
	HttpStatusCode Opt[uint64]                     `json:"http_status_code"`
	ErrorCode      RoutingImageProviderErrorCode   `json:"error_code"`
	ProviderText   RoutingProviderTextDisposition  `json:"provider_text"`
}

func (in *ClassifyImageOperationTerminal) step(k *Kernel, s *State) {
	switch {
	}
}

// CompleteImageOperation is an input of chapter 05.
type CompleteImageOperation struct {
	OperationID     string               `json:"operation_id"`
	Terminal        RoutingImageTerminal `json:"terminal"`
	TerminalPayload string               `json:"terminal_payload"`
}

func (in *CompleteImageOperation) step(k *Kernel, s *State) {
	switch {
	}
}

// RestoreImageOperationOverride is an input of chapter 05.
type RestoreImageOperationOverride struct {
	OperationID string `json:"operation_id"`
}

func (in *RestoreImageOperationOverride) step(k *Kernel, s *State) {
	switch {
	}
}

// StagePersistentFilter is an input of chapter 05.
type StagePersistentFilter struct {
	Filter    ToolFilter                           `json:"filter"`
	Witnesses Map[ToolName, ToolVisibilityWitness] `json:"witnesses"`
}

func (in *StagePersistentFilter) step(k *Kernel, s *State) {
	switch {
	}
}

// RequestDeferredTools is an input of chapter 05.
type RequestDeferredTools struct {
	Authorities Map[ToolName, ToolVisibilityWitness] `json:"authorities"`
}

func (in *RequestDeferredTools) step(k *Kernel, s *State) {
	switch {
	}
}

// BoundaryApplied is a signal of chapter 05.
type BoundaryApplied struct {
	Revision uint64 `json:"revision"`
}

func (*BoundaryApplied) signal() {}

func (in *BoundaryApplied) step(k *Kernel, s *State) {
	switch {
	}
}

// PublishCommittedVisibleSet is an input of chapter 05.
type PublishCommittedVisibleSet struct {
	ActiveFilter                 ToolFilter                           `json:"active_filter"`
	StagedFilter                 ToolFilter                           `json:"staged_filter"`
	ActiveRequestedDeferredNames Set[ToolName]                        `json:"active_requested_deferred_names"`
	StagedRequestedDeferredNames Set[ToolName]                        `json:"staged_requested_deferred_names"`
	ActiveDeferredAuthorities    Map[ToolName, ToolVisibilityWitness] `json:"active_deferred_authorities"`
	StagedDeferredAuthorities    Map[ToolName, ToolVisibilityWitness] `json:"staged_deferred_authorities"`
	ActiveVisibilityRevision     uint64                               `json:"active_visibility_revision"`
	StagedVisibilityRevision     uint64                               `json:"staged_visibility_revision"`
}

func (in *PublishCommittedVisibleSet) step(k *Kernel, s *State) {
	switch {
	}
}

// StageVisibilityFilter is an input of chapter 05.
type StageVisibilityFilter struct {
	Filter    ToolFilter                           `json:"filter"`
	Witnesses Map[ToolName, ToolVisibilityWitness] `json:"witnesses"`
}

func (in *StageVisibilityFilter) step(k *Kernel, s *State) {
	switch {
	}
}

// ReplaceFilterToolAuthorityCatalog is an input of chapter 05.
type ReplaceFilterToolAuthorityCatalog struct {
	Catalog Map[ToolName, ToolVisibilityWitness] `json:"catalog"`
}

func (in *ReplaceFilterToolAuthorityCatalog) step(k *Kernel, s *State) {
	switch {
	}
}

// CommitVisibilityFilter is an input of chapter 05.
type CommitVisibilityFilter struct {
	Filter   ToolFilter `json:"filter"`
	Revision uint64     `json:"revision"`
}

func (in *CommitVisibilityFilter) step(k *Kernel, s *State) {
	switch {
	}
}

// StageDeferredNames is an input of chapter 05.
type StageDeferredNames struct {
	Names Set[ToolName] `json:"names"`
}

func (in *StageDeferredNames) step(k *Kernel, s *State) {
	switch {
	}
}

// ReplaceDeferredToolAuthorityCatalog is an input of chapter 05.
type ReplaceDeferredToolAuthorityCatalog struct {
	Catalog Map[ToolName, ToolVisibilityWitness] `json:"catalog"`
}

func (in *ReplaceDeferredToolAuthorityCatalog) step(k *Kernel, s *State) {
	switch {
	}
}

// CommitDeferredNames is an input of chapter 05.
type CommitDeferredNames struct {
	Authorities Map[ToolName, ToolVisibilityWitness] `json:"authorities"`
}

func (in *CommitDeferredNames) step(k *Kernel, s *State) {
	switch {
	}
}

// SetTurnToolOverlay is an input of chapter 05.
type SetTurnToolOverlay struct {
	AllowActive bool          `json:"allow_active"`
	AllowNames  Set[ToolName] `json:"allow_names"`
	DenyNames   Set[ToolName] `json:"deny_names"`
}

func (in *SetTurnToolOverlay) step(k *Kernel, s *State) {
	switch {
	}
}

// ClearTurnToolOverlay is an input of chapter 05.
type ClearTurnToolOverlay struct{}

func (in *ClearTurnToolOverlay) step(k *Kernel, s *State) {
	switch {
	}
}

// ReplaceVisibilityState is an input of chapter 05.
type ReplaceVisibilityState struct {
	CapabilityBaseFilter      ToolFilter                           `json:"capability_base_filter"`
	InheritedBaseFilter       ToolFilter                           `json:"inherited_base_filter"`
	ActiveFilter              ToolFilter                           `json:"active_filter"`
	StagedFilter              ToolFilter                           `json:"staged_filter"`
	ActiveRevision            uint64                               `json:"active_revision"`
	StagedRevision            uint64                               `json:"staged_revision"`
	ActiveDeferredNames       Set[ToolName]                        `json:"active_deferred_names"`
	StagedDeferredNames       Set[ToolName]                        `json:"staged_deferred_names"`
	RequestedWitnesses        Map[ToolName, ToolVisibilityWitness] `json:"requested_witnesses"`
	FilterWitnesses           Map[ToolName, ToolVisibilityWitness] `json:"filter_witnesses"`
	ActiveDeferredAuthorities Map[ToolName, ToolVisibilityWitness] `json:"active_deferred_authorities"`
	StagedDeferredAuthorities Map[ToolName, ToolVisibilityWitness] `json:"staged_deferred_authorities"`
}

func (in *ReplaceVisibilityState) step(k *Kernel, s *State) {
	switch {
	}
}

// ModelRoutingStatus is an input of chapter 05.
type ModelRoutingStatus struct {
	SessionID SessionId `json:"session_id"`
}

func (in *ModelRoutingStatus) step(k *Kernel, s *State) {
	switch {
	}
}
