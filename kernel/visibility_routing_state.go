package kernel

// VisibilityState is the part of the state that chapter 05 owns.
type VisibilityState struct {
	// ModelRoutingBaselineModel: baseline model id.
	ModelRoutingBaselineModel Opt[string] `json:"model_routing_baseline_model"`
	// ModelRoutingBaselineRealtime: baseline realtime capability.
	ModelRoutingBaselineRealtime Opt[bool] `json:"model_routing_baseline_realtime"`
	// ModelRoutingTopologyEpoch: counts changes of the effective model.
	ModelRoutingTopologyEpoch uint64 `json:"model_routing_topology_epoch"`
	// ModelRoutingTurnOverrideID: active finite switch (override id always equals request
	// id).
	ModelRoutingTurnOverrideID Opt[string] `json:"model_routing_turn_override_id"`
	// ModelRoutingTurnRequestID: active finite switch (override id always equals request
	// id).
	ModelRoutingTurnRequestID Opt[string] `json:"model_routing_turn_request_id"`
	// ModelRoutingTurnTargetModel: active finite switch (override id always equals request
	// id).
	ModelRoutingTurnTargetModel Opt[string] `json:"model_routing_turn_target_model"`
	// ModelRoutingTurnRealtime: its realtime capability.
	ModelRoutingTurnRealtime Opt[bool] `json:"model_routing_turn_realtime"`
	// ModelRoutingTurnRemainingTurns: turns left.
	ModelRoutingTurnRemainingTurns Opt[uint64] `json:"model_routing_turn_remaining_turns"`
	// ModelRoutingOperationOverrideID: active image-operation override.
	ModelRoutingOperationOverrideID Opt[string] `json:"model_routing_operation_override_id"`
	// ModelRoutingOperationTargetModel: active image-operation override.
	ModelRoutingOperationTargetModel Opt[string] `json:"model_routing_operation_target_model"`
	// ModelRoutingOperationRealtime: its realtime capability.
	ModelRoutingOperationRealtime Opt[bool] `json:"model_routing_operation_realtime"`
	// ModelRoutingPendingSwitchRequestID: pending switch.
	ModelRoutingPendingSwitchRequestID Opt[string] `json:"model_routing_pending_switch_request_id"`
	// ModelRoutingPendingSwitchTargetModel: pending switch.
	ModelRoutingPendingSwitchTargetModel Opt[string] `json:"model_routing_pending_switch_target_model"`
	// ModelRoutingPendingSwitchRealtime: its realtime capability.
	ModelRoutingPendingSwitchRealtime Opt[bool] `json:"model_routing_pending_switch_realtime"`
	// ModelRoutingPendingSwitchTurns: some(n) = finite, none = until-changed.
	ModelRoutingPendingSwitchTurns Opt[uint64] `json:"model_routing_pending_switch_turns"`
	// ModelRoutingPendingSwitchPhase: its phase.
	ModelRoutingPendingSwitchPhase Opt[RoutingSwitchTurnPhase] `json:"model_routing_pending_switch_phase"`
	// ModelRoutingSwitchTerminal: request id → terminal (never deleted).
	ModelRoutingSwitchTerminal Map[string, RoutingSwitchTurnTerminal] `json:"model_routing_switch_terminal"`
	// ModelRoutingSwitchDenials: request id → denial (never deleted).
	ModelRoutingSwitchDenials Map[string, RoutingDenialReason] `json:"model_routing_switch_denials"`
	// ModelRoutingSwitchApprovalReasons: request id → approval reason of a denied
	// approval.
	ModelRoutingSwitchApprovalReasons Map[string, RoutingSwitchApprovalReason] `json:"model_routing_switch_approval_reasons"`
	// ModelRoutingImageOperationPhases: operation id → phase (never deleted).
	ModelRoutingImageOperationPhases Map[string, RoutingImageOperationPhase] `json:"model_routing_image_operation_phases"`
	// ModelRoutingImageOperationTargetModels: operation id → target model, while live.
	ModelRoutingImageOperationTargetModels Map[string, string] `json:"model_routing_image_operation_target_models"`
	// ModelRoutingImageOperationRealtime: operation id → realtime capability, while live.
	ModelRoutingImageOperationRealtime Map[string, bool] `json:"model_routing_image_operation_realtime"`
	// ModelRoutingImageOperationRequiresScopedOverride: key present (value true) = scoped
	// override needed.
	ModelRoutingImageOperationRequiresScopedOverride Map[string, bool] `json:"model_routing_image_operation_requires_scoped_override"`
	// ModelRoutingImageClassifiedTerminals: classified, not yet completed.
	ModelRoutingImageClassifiedTerminals Map[string, RoutingImageTerminal] `json:"model_routing_image_classified_terminals"`
	// ModelRoutingImageClassifiedProviderText: ditto.
	ModelRoutingImageClassifiedProviderText Map[string, RoutingProviderTextDisposition] `json:"model_routing_image_classified_provider_text"`
	// ModelRoutingImageTerminals: operation id → terminal (never deleted).
	ModelRoutingImageTerminals Map[string, RoutingImageTerminal] `json:"model_routing_image_terminals"`
	// ModelRoutingImageTerminalPayloads: operation id → JSON of the terminal (never
	// deleted).
	ModelRoutingImageTerminalPayloads Map[string, string] `json:"model_routing_image_terminal_payloads"`
	// ModelRoutingImageDenials: denial made by Begin.
	ModelRoutingImageDenials Map[string, RoutingDenialReason] `json:"model_routing_image_denials"`
	// ModelRoutingImageApprovalReasons: approval reason of a denied approval.
	ModelRoutingImageApprovalReasons Map[string, RoutingImageApprovalReason] `json:"model_routing_image_approval_reasons"`
	// ModelRoutingImagePlanDenials: denial made by the planner.
	ModelRoutingImagePlanDenials Map[string, RoutingImagePlanDenialReason] `json:"model_routing_image_plan_denials"`
	// ModelRoutingApprovalPhases: request/operation id → approval phase.
	ModelRoutingApprovalPhases Map[string, RoutingApprovalPhase] `json:"model_routing_approval_phases"`
	// ModelRoutingApprovalParentKind: request/operation id → parent kind.
	ModelRoutingApprovalParentKind Map[string, RoutingApprovalParentKind] `json:"model_routing_approval_parent_kind"`
	// CurrentSessionLlmIdentity: LLM identity in force.
	CurrentSessionLlmIdentity Opt[SessionLlmIdentity] `json:"current_session_llm_identity"`
	// CurrentSessionCapabilitySurface: its capabilities, when known.
	CurrentSessionCapabilitySurface Opt[SessionLlmCapabilitySurface] `json:"current_session_capability_surface"`
	// CurrentSessionCapabilitySurfaceStatus: whether the surface was resolved.
	CurrentSessionCapabilitySurfaceStatus SessionLlmCapabilitySurfaceStatus `json:"current_session_capability_surface_status"`
	// CurrentSessionCapabilityBaseFilter: base filter forced by capabilities
	// (Deny{view_image} when image tool results are unsupported).
	CurrentSessionCapabilityBaseFilter ToolFilter `json:"current_session_capability_base_filter"`
	// SessionLlmReconfigurePreviousCapabilitySurface: last reconfigure: surface before.
	SessionLlmReconfigurePreviousCapabilitySurface Opt[SessionLlmCapabilitySurface] `json:"session_llm_reconfigure_previous_capability_surface"`
	// SessionLlmReconfigureCurrentCapabilitySurface: last reconfigure: surface after.
	SessionLlmReconfigureCurrentCapabilitySurface Opt[SessionLlmCapabilitySurface] `json:"session_llm_reconfigure_current_capability_surface"`
	// SessionLlmReconfigureCapabilityChanged: before ≠ after.
	SessionLlmReconfigureCapabilityChanged bool `json:"session_llm_reconfigure_capability_changed"`
	// SessionLlmReconfigurePreviousCapabilityBaseFilter: base filter before.
	SessionLlmReconfigurePreviousCapabilityBaseFilter ToolFilter `json:"session_llm_reconfigure_previous_capability_base_filter"`
	// SessionLlmReconfigureCurrentCapabilityBaseFilter: base filter after.
	SessionLlmReconfigureCurrentCapabilityBaseFilter ToolFilter `json:"session_llm_reconfigure_current_capability_base_filter"`
	// SessionLlmReconfigureCommittedVisibleSetChanged: view_image visibility flipped.
	SessionLlmReconfigureCommittedVisibleSetChanged bool `json:"session_llm_reconfigure_committed_visible_set_changed"`
	// SessionLlmReconfigureRevisionBumped: always equal to the previous field.
	SessionLlmReconfigureRevisionBumped bool `json:"session_llm_reconfigure_revision_bumped"`
	// SessionLlmReconfigureActiveVisibilityRevision: active revision the plan demands.
	SessionLlmReconfigureActiveVisibilityRevision uint64 `json:"session_llm_reconfigure_active_visibility_revision"`
	// NextStagedVisibilityRevision: monotonic mint for staged revisions (holds the last
	// minted value).
	NextStagedVisibilityRevision uint64 `json:"next_staged_visibility_revision"`
	// InheritedBaseFilter: filter inherited from a parent agent.
	InheritedBaseFilter ToolFilter `json:"inherited_base_filter"`
	// ActiveFilter: filter in force / filter for the next boundary.
	ActiveFilter ToolFilter `json:"active_filter"`
	// StagedFilter: filter in force / filter for the next boundary.
	StagedFilter ToolFilter `json:"staged_filter"`
	// ActiveVisibilityRevision: revision of each half.
	ActiveVisibilityRevision uint64 `json:"active_visibility_revision"`
	// StagedVisibilityRevision: revision of each half.
	StagedVisibilityRevision uint64 `json:"staged_visibility_revision"`
	// ActiveDeferredNames: deferred tools loaded / to be loaded.
	ActiveDeferredNames Set[ToolName] `json:"active_deferred_names"`
	// StagedDeferredNames: deferred tools loaded / to be loaded.
	StagedDeferredNames Set[ToolName] `json:"staged_deferred_names"`
	// RequestedVisibilityWitnesses: witness per requested deferred tool.
	RequestedVisibilityWitnesses Map[ToolName, ToolVisibilityWitness] `json:"requested_visibility_witnesses"`
	// FilterVisibilityWitnesses: witness per filter name.
	FilterVisibilityWitnesses Map[ToolName, ToolVisibilityWitness] `json:"filter_visibility_witnesses"`
	// ActiveDeferredAuthorities: authority (witness) per active / staged deferred tool.
	ActiveDeferredAuthorities Map[ToolName, ToolVisibilityWitness] `json:"active_deferred_authorities"`
	// StagedDeferredAuthorities: authority (witness) per active / staged deferred tool.
	StagedDeferredAuthorities Map[ToolName, ToolVisibilityWitness] `json:"staged_deferred_authorities"`
	// DeferredVisibilityAuthorityCatalog: deferrable tools the host offers.
	DeferredVisibilityAuthorityCatalog Map[ToolName, ToolVisibilityWitness] `json:"deferred_visibility_authority_catalog"`
	// FilterVisibilityAuthorityCatalog: tools a filter or overlay may name.
	FilterVisibilityAuthorityCatalog Map[ToolName, ToolVisibilityWitness] `json:"filter_visibility_authority_catalog"`
	// TurnToolOverlayAllowActive: per-turn allow list in force.
	TurnToolOverlayAllowActive bool `json:"turn_tool_overlay_allow_active"`
	// TurnToolOverlayAllowNames: per-turn lists.
	TurnToolOverlayAllowNames Set[ToolName] `json:"turn_tool_overlay_allow_names"`
	// TurnToolOverlayDenyNames: per-turn lists.
	TurnToolOverlayDenyNames Set[ToolName] `json:"turn_tool_overlay_deny_names"`
}
