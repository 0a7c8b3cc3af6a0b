package kernel

// TurnState is the part of the state that chapter 03 owns: the turn, the tool surfaces
// (maps keyed by surface id) and the MCP servers. None of it is stored by itself; a
// restored session starts here from the initial values.
type TurnState struct {
	// TurnPhase: position of the turn.
	TurnPhase TurnPhase `json:"turn_phase"`
	// PrimitiveKind: what the run applies.
	PrimitiveKind Opt[TurnPrimitiveKind] `json:"primitive_kind"`
	// AdmittedContentShape: shape of the admitted content.
	AdmittedContentShape Opt[ContentShape] `json:"admitted_content_shape"`
	// VisionEnabled: copied from the start input.
	VisionEnabled bool `json:"vision_enabled"`
	// ImageToolResultsEnabled: copied from the start input.
	ImageToolResultsEnabled bool `json:"image_tool_results_enabled"`
	// ToolCallsPending: tool calls announced by the last model answer, until ops are
	// registered.
	ToolCallsPending uint64 `json:"tool_calls_pending"`
	// PendingOpRefs: operations registered for this tool round.
	PendingOpRefs Set[string] `json:"pending_op_refs"`
	// BarrierOperationIDs: subset that blocks the turn.
	BarrierOperationIDs Set[OperationId] `json:"barrier_operation_ids"`
	// HasBarrierOps: barrier_operation_ids ≠ ∅ at registration.
	HasBarrierOps bool `json:"has_barrier_ops"`
	// BarrierSatisfied: the tool round may go on to a boundary.
	BarrierSatisfied bool `json:"barrier_satisfied"`
	// BoundaryCount: boundaries crossed in this run.
	BoundaryCount uint64 `json:"boundary_count"`
	// CancelAfterBoundary: cancel when the next boundary is crossed.
	CancelAfterBoundary bool `json:"cancel_after_boundary"`
	// TerminalOutcome: how the turn ended.
	TerminalOutcome Opt[TurnTerminalOutcome] `json:"terminal_outcome"`
	// TerminalCauseKind: why it failed.
	TerminalCauseKind Opt[TurnTerminalCauseKind] `json:"terminal_cause_kind"`
	// LastRuntimeApplyFailureCause: from the last RunFailed.
	LastRuntimeApplyFailureCause Opt[RuntimeApplyFailureCause] `json:"last_runtime_apply_failure_cause"`
	// LastRuntimeApplyFailureMessage: from the last RunFailed.
	LastRuntimeApplyFailureMessage Opt[string] `json:"last_runtime_apply_failure_message"`
	// RuntimeCompletionResultRunID: run whose end was recorded by RunCompleted, RunFailed
	// or RunCancelled. The completion rules of chapter 01 read it; Prepare and
	// DrainQueuedRun clear it, the start inputs of this chapter do not.
	RuntimeCompletionResultRunID Opt[RunId] `json:"runtime_completion_result_run_id"`
	// ExtractionAttempts: failed extraction attempts.
	ExtractionAttempts uint64 `json:"extraction_attempts"`
	// MaxExtractionRetries: retry limit for extraction.
	MaxExtractionRetries uint64 `json:"max_extraction_retries"`
	// ExtractionActive: inside the extraction sub-flow.
	ExtractionActive bool `json:"extraction_active"`
	// LlmRetryAttempt: one-based attempt of the last scheduled retry.
	LlmRetryAttempt uint64 `json:"llm_retry_attempt"`
	// LlmRetryMaxRetries: limit that came with it.
	LlmRetryMaxRetries uint64 `json:"llm_retry_max_retries"`
	// LlmRetrySelectedDelayMs: delay that came with it.
	LlmRetrySelectedDelayMs uint64 `json:"llm_retry_selected_delay_ms"`
	// LlmRetryLastFailureKind: failure that came with it.
	LlmRetryLastFailureKind Opt[LlmRetryFailureKind] `json:"llm_retry_last_failure_kind"`

	// KnownSurfaces: every surface ever registered or staged; never shrinks.
	KnownSurfaces Set[string] `json:"known_surfaces"`
	// ActiveSurfaces: base state is Active.
	ActiveSurfaces Set[string] `json:"active_surfaces"`
	// VisibleSurfaces: tools offered to the model.
	VisibleSurfaces Set[string] `json:"visible_surfaces"`
	// SurfaceBaseState: settled state.
	SurfaceBaseState Map[string, ExternalToolSurfaceBaseState] `json:"surface_base_state"`
	// SurfacePendingOp: background operation in progress.
	SurfacePendingOp Map[string, SurfacePendingOp] `json:"surface_pending_op"`
	// SurfaceStagedOp: intent waiting for a boundary (entry removed when applied).
	SurfaceStagedOp Map[string, SurfaceStagedOp] `json:"surface_staged_op"`
	// ReloadStagedSurfaces: surfaces whose staged intent is Reload.
	ReloadStagedSurfaces Set[string] `json:"reload_staged_surfaces"`
	// SurfaceStagedIntentSequence: number of the staged intent.
	SurfaceStagedIntentSequence Map[string, uint64] `json:"surface_staged_intent_sequence"`
	// NextStagedIntentSequence: last number given out; first intent gets 1.
	NextStagedIntentSequence uint64 `json:"next_staged_intent_sequence"`
	// SurfacePendingTaskSequence: number of the background task; reset to 0 when it ends.
	SurfacePendingTaskSequence Map[string, uint64] `json:"surface_pending_task_sequence"`
	// NextPendingTaskSequence: last number given out; first task gets 1.
	NextPendingTaskSequence uint64 `json:"next_pending_task_sequence"`
	// SurfacePendingLineageSequence: staged-intent number the task came from; reset to 0
	// when it ends.
	SurfacePendingLineageSequence Map[string, uint64] `json:"surface_pending_lineage_sequence"`
	// SurfaceInflightCalls: running tool calls.
	SurfaceInflightCalls Map[string, uint64] `json:"surface_inflight_calls"`
	// SurfaceLastDeltaOperation: last announced change.
	SurfaceLastDeltaOperation Map[string, ExternalToolSurfaceDeltaOperation] `json:"surface_last_delta_operation"`
	// SurfaceLastDeltaPhase: phase of that change.
	SurfaceLastDeltaPhase Map[string, ExternalToolSurfaceDeltaPhase] `json:"surface_last_delta_phase"`
	// SnapshotEpoch: version of the surface set.
	SnapshotEpoch uint64 `json:"snapshot_epoch"`
	// SnapshotAlignedEpoch: version the host has published.
	SnapshotAlignedEpoch uint64 `json:"snapshot_aligned_epoch"`
	// SurfaceDrainingSinceMs: start of drain.
	SurfaceDrainingSinceMs Map[string, uint64] `json:"surface_draining_since_ms"`
	// SurfaceRemovalTimeoutAtMs: when a forced removal becomes due.
	SurfaceRemovalTimeoutAtMs Map[string, uint64] `json:"surface_removal_timeout_at_ms"`
	// SurfaceRemovalAppliedAtTurn: turn number of the removal.
	SurfaceRemovalAppliedAtTurn Map[string, uint64] `json:"surface_removal_applied_at_turn"`
	// SurfacePhase: global gate for staging and applying.
	SurfacePhase SurfacePhase `json:"surface_phase"`
	// RemovalTimeoutMs: drain time for later removals.
	RemovalTimeoutMs uint64 `json:"removal_timeout_ms"`

	// McpServerStates: connection state per configured server.
	McpServerStates Map[McpServerId, McpServerState] `json:"mcp_server_states"`
}
