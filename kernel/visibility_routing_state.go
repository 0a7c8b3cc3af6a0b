package kernel

// VisibilityState is the part of the state that chapter 05 owns. The LLM fields
// (current_session_*, session_llm_reconfigure_*) go with the session's registration; all
// others survive unregister, retire, stop, reset and recover.
type VisibilityState struct {
	// ModelRoutingBaselineModel: the model the session returns to.
	ModelRoutingBaselineModel Opt[string] `json:"model_routing_baseline_model"`
	// ModelRoutingBaselineRealtime: whether the baseline can do realtime.
	ModelRoutingBaselineRealtime Opt[bool] `json:"model_routing_baseline_realtime"`
	// ModelRoutingTopologyEpoch: counts the changes of the effective model.
	ModelRoutingTopologyEpoch uint64 `json:"model_routing_topology_epoch"`
	// ModelRoutingTurnOverrideID: the active finite switch, always its request id.
	ModelRoutingTurnOverrideID Opt[string] `json:"model_routing_turn_override_id"`
	// ModelRoutingTurnRequestID: the request of the active finite switch.
	ModelRoutingTurnRequestID Opt[string] `json:"model_routing_turn_request_id"`
	// ModelRoutingTurnTargetModel: the model of the active finite switch.
	ModelRoutingTurnTargetModel Opt[string] `json:"model_routing_turn_target_model"`
	// ModelRoutingTurnRealtime: whether that model can do realtime.
	ModelRoutingTurnRealtime Opt[bool] `json:"model_routing_turn_realtime"`
	// ModelRoutingTurnRemainingTurns: turns left of the active finite switch.
	ModelRoutingTurnRemainingTurns Opt[uint64] `json:"model_routing_turn_remaining_turns"`
	// ModelRoutingOperationOverrideID: the image operation that holds the session's
	// model.
	ModelRoutingOperationOverrideID Opt[string] `json:"model_routing_operation_override_id"`
	// ModelRoutingOperationTargetModel: the model it holds it for.
	ModelRoutingOperationTargetModel Opt[string] `json:"model_routing_operation_target_model"`
	// ModelRoutingOperationRealtime: whether that model can do realtime.
	ModelRoutingOperationRealtime Opt[bool] `json:"model_routing_operation_realtime"`
	// ModelRoutingPendingSwitchRequestID: the pending switch.
	ModelRoutingPendingSwitchRequestID Opt[string] `json:"model_routing_pending_switch_request_id"`
	// ModelRoutingPendingSwitchTargetModel: the model of the pending switch.
	ModelRoutingPendingSwitchTargetModel Opt[string] `json:"model_routing_pending_switch_target_model"`
	// ModelRoutingPendingSwitchRealtime: whether that model can do realtime.
	ModelRoutingPendingSwitchRealtime Opt[bool] `json:"model_routing_pending_switch_realtime"`
	// ModelRoutingPendingSwitchTurns: turns of a finite switch, none if
	// until-changed.
	ModelRoutingPendingSwitchTurns Opt[uint64] `json:"model_routing_pending_switch_turns"`
	// ModelRoutingPendingSwitchPhase: how far the pending switch has come.
	ModelRoutingPendingSwitchPhase Opt[RoutingSwitchTurnPhase] `json:"model_routing_pending_switch_phase"`
	// ModelRoutingSwitchTerminal: request id → how it ended, never deleted.
	ModelRoutingSwitchTerminal Map[string, RoutingSwitchTurnTerminal] `json:"model_routing_switch_terminal"`
	// ModelRoutingSwitchDenials: request id → why it was denied, never deleted.
	ModelRoutingSwitchDenials Map[string, RoutingDenialReason] `json:"model_routing_switch_denials"`
	// ModelRoutingSwitchApprovalReasons: request id → why it needed the approval that
	// was denied.
	ModelRoutingSwitchApprovalReasons Map[string, RoutingSwitchApprovalReason] `json:"model_routing_switch_approval_reasons"`
	// ModelRoutingImageOperationPhases: operation id → phase, never deleted.
	ModelRoutingImageOperationPhases Map[string, RoutingImageOperationPhase] `json:"model_routing_image_operation_phases"`
	// ModelRoutingImageOperationTargetModels: operation id → model, while it lives.
	ModelRoutingImageOperationTargetModels Map[string, string] `json:"model_routing_image_operation_target_models"`
	// ModelRoutingImageOperationRealtime: operation id → whether that model can do
	// realtime, while it lives.
	ModelRoutingImageOperationRealtime Map[string, bool] `json:"model_routing_image_operation_realtime"`
	// ModelRoutingImageOperationRequiresScopedOverride: operation id → true if it needs
	// the session's model, while it lives. Absent if not.
	ModelRoutingImageOperationRequiresScopedOverride Map[string, bool] `json:"model_routing_image_operation_requires_scoped_override"`
	// ModelRoutingImageClassifiedTerminals: operation id → terminal it was classified
	// as, until it completes.
	ModelRoutingImageClassifiedTerminals Map[string, RoutingImageTerminal] `json:"model_routing_image_classified_terminals"`
	// ModelRoutingImageClassifiedProviderText: operation id → what became of the
	// provider's text, until it completes.
	ModelRoutingImageClassifiedProviderText Map[string, RoutingProviderTextDisposition] `json:"model_routing_image_classified_provider_text"`
	// ModelRoutingImageTerminals: operation id → how it ended, never deleted.
	ModelRoutingImageTerminals Map[string, RoutingImageTerminal] `json:"model_routing_image_terminals"`
	// ModelRoutingImageTerminalPayloads: operation id → JSON of the terminal, never
	// deleted.
	ModelRoutingImageTerminalPayloads Map[string, string] `json:"model_routing_image_terminal_payloads"`
	// ModelRoutingImageDenials: operation id → why it could not begin.
	ModelRoutingImageDenials Map[string, RoutingDenialReason] `json:"model_routing_image_denials"`
	// ModelRoutingImageApprovalReasons: operation id → why it needed the approval that
	// was denied.
	ModelRoutingImageApprovalReasons Map[string, RoutingImageApprovalReason] `json:"model_routing_image_approval_reasons"`
	// ModelRoutingImagePlanDenials: operation id → why the planner denied it.
	ModelRoutingImagePlanDenials Map[string, RoutingImagePlanDenialReason] `json:"model_routing_image_plan_denials"`
	// ModelRoutingApprovalPhases: request or operation id → how far its approval came.
	ModelRoutingApprovalPhases Map[string, RoutingApprovalPhase] `json:"model_routing_approval_phases"`
	// ModelRoutingApprovalParentKind: request or operation id → what the approval was
	// for.
	ModelRoutingApprovalParentKind Map[string, RoutingApprovalParentKind] `json:"model_routing_approval_parent_kind"`
	// CurrentSessionLlmIdentity: the model the session talks to.
	CurrentSessionLlmIdentity Opt[SessionLlmIdentity] `json:"current_session_llm_identity"`
	// CurrentSessionCapabilitySurface: what that model can do, when known.
	CurrentSessionCapabilitySurface Opt[SessionLlmCapabilitySurface] `json:"current_session_capability_surface"`
	// CurrentSessionCapabilitySurfaceStatus: whether that is known.
	CurrentSessionCapabilitySurfaceStatus SessionLlmCapabilitySurfaceStatus `json:"current_session_capability_surface_status"`
	// CurrentSessionCapabilityBaseFilter: the filter its capabilities force:
	// Deny{view_image} if it cannot read images in tool results.
	CurrentSessionCapabilityBaseFilter ToolFilter `json:"current_session_capability_base_filter"`
	// SessionLlmReconfigurePreviousCapabilitySurface: last plan, capabilities before.
	SessionLlmReconfigurePreviousCapabilitySurface Opt[SessionLlmCapabilitySurface] `json:"session_llm_reconfigure_previous_capability_surface"`
	// SessionLlmReconfigureCurrentCapabilitySurface: last plan, capabilities after.
	SessionLlmReconfigureCurrentCapabilitySurface Opt[SessionLlmCapabilitySurface] `json:"session_llm_reconfigure_current_capability_surface"`
	// SessionLlmReconfigureCapabilityChanged: last plan, whether those differ.
	SessionLlmReconfigureCapabilityChanged bool `json:"session_llm_reconfigure_capability_changed"`
	// SessionLlmReconfigurePreviousCapabilityBaseFilter: last plan, base filter before.
	SessionLlmReconfigurePreviousCapabilityBaseFilter ToolFilter `json:"session_llm_reconfigure_previous_capability_base_filter"`
	// SessionLlmReconfigureCurrentCapabilityBaseFilter: last plan, base filter after.
	SessionLlmReconfigureCurrentCapabilityBaseFilter ToolFilter `json:"session_llm_reconfigure_current_capability_base_filter"`
	// SessionLlmReconfigureCommittedVisibleSetChanged: last plan, whether view_image
	// appeared or disappeared.
	SessionLlmReconfigureCommittedVisibleSetChanged bool `json:"session_llm_reconfigure_committed_visible_set_changed"`
	// SessionLlmReconfigureRevisionBumped: always as the field before.
	SessionLlmReconfigureRevisionBumped bool `json:"session_llm_reconfigure_revision_bumped"`
	// SessionLlmReconfigureActiveVisibilityRevision: last plan, the active revision it
	// demands.
	SessionLlmReconfigureActiveVisibilityRevision uint64 `json:"session_llm_reconfigure_active_visibility_revision"`
	// NextStagedVisibilityRevision: the last revision minted, at least the staged one.
	NextStagedVisibilityRevision uint64 `json:"next_staged_visibility_revision"`
	// InheritedBaseFilter: filter inherited from a parent agent.
	InheritedBaseFilter ToolFilter `json:"inherited_base_filter"`
	// ActiveFilter: the filter in force.
	ActiveFilter ToolFilter `json:"active_filter"`
	// StagedFilter: the filter from the next boundary on.
	StagedFilter ToolFilter `json:"staged_filter"`
	// ActiveVisibilityRevision: revision in force. It can be above or below the staged
	// one.
	ActiveVisibilityRevision uint64 `json:"active_visibility_revision"`
	// StagedVisibilityRevision: revision from the next boundary on.
	StagedVisibilityRevision uint64 `json:"staged_visibility_revision"`
	// ActiveDeferredNames: deferred tools loaded.
	ActiveDeferredNames Set[ToolName] `json:"active_deferred_names"`
	// StagedDeferredNames: deferred tools loaded from the next boundary on.
	StagedDeferredNames Set[ToolName] `json:"staged_deferred_names"`
	// RequestedVisibilityWitnesses: witness of each deferred tool asked for.
	RequestedVisibilityWitnesses Map[ToolName, ToolVisibilityWitness] `json:"requested_visibility_witnesses"`
	// FilterVisibilityWitnesses: witness of each tool a filter names.
	FilterVisibilityWitnesses Map[ToolName, ToolVisibilityWitness] `json:"filter_visibility_witnesses"`
	// ActiveDeferredAuthorities: witness of exactly the active deferred tools.
	ActiveDeferredAuthorities Map[ToolName, ToolVisibilityWitness] `json:"active_deferred_authorities"`
	// StagedDeferredAuthorities: witness of exactly the staged deferred tools.
	StagedDeferredAuthorities Map[ToolName, ToolVisibilityWitness] `json:"staged_deferred_authorities"`
	// DeferredVisibilityAuthorityCatalog: deferred tools the host offers.
	DeferredVisibilityAuthorityCatalog Map[ToolName, ToolVisibilityWitness] `json:"deferred_visibility_authority_catalog"`
	// FilterVisibilityAuthorityCatalog: tools a filter or an overlay may name.
	FilterVisibilityAuthorityCatalog Map[ToolName, ToolVisibilityWitness] `json:"filter_visibility_authority_catalog"`
	// TurnToolOverlayAllowActive: whether the allow list of the turn is in force.
	TurnToolOverlayAllowActive bool `json:"turn_tool_overlay_allow_active"`
	// TurnToolOverlayAllowNames: tools the turn allows.
	TurnToolOverlayAllowNames Set[ToolName] `json:"turn_tool_overlay_allow_names"`
	// TurnToolOverlayDenyNames: tools the turn denies.
	TurnToolOverlayDenyNames Set[ToolName] `json:"turn_tool_overlay_deny_names"`
}
