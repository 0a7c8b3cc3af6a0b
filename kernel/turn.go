package kernel

// The inputs and signals of chapter 03 with their rules, in the chapter's order.

// StartConversationRun is an input of chapter 03.
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
	}
}

// StartImmediateAppend is an input of chapter 03.
type StartImmediateAppend struct {
	RunID RunId `json:"run_id"`
}

func (in *StartImmediateAppend) step(k *Kernel, s *State) {
	switch {
	}
}

// StartImmediateContext is an input of chapter 03.
type StartImmediateContext struct {
	RunID RunId `json:"run_id"`
}

func (in *StartImmediateContext) step(k *Kernel, s *State) {
	switch {
	}
}

// PrimitiveApplied is an input of chapter 03.
type PrimitiveApplied struct {
	RunID RunId `json:"run_id"`
}

func (in *PrimitiveApplied) step(k *Kernel, s *State) {
	switch {
	}
}

// LlmReturnedToolCalls is an input of chapter 03.
type LlmReturnedToolCalls struct {
	RunID     RunId  `json:"run_id"`
	ToolCount uint64 `json:"tool_count"`
}

func (in *LlmReturnedToolCalls) step(k *Kernel, s *State) {
	switch {
	}
}

// LlmReturnedTerminal is an input of chapter 03.
type LlmReturnedTerminal struct {
	RunID RunId `json:"run_id"`
}

func (in *LlmReturnedTerminal) step(k *Kernel, s *State) {
	switch {
	}
}

// RegisterPendingOps is an input of chapter 03.
type RegisterPendingOps struct {
	RunID               RunId            `json:"run_id"`
	OpRefs              Set[string]      `json:"op_refs"`
	BarrierOperationIDs Set[OperationId] `json:"barrier_operation_ids"`
}

func (in *RegisterPendingOps) step(k *Kernel, s *State) {
	switch {
	}
}

// ToolCallsResolved is an input of chapter 03.
type ToolCallsResolved struct {
	RunID RunId `json:"run_id"`
}

func (in *ToolCallsResolved) step(k *Kernel, s *State) {
	switch {
	}
}

// OpsBarrierSatisfied is an input of chapter 03.
type OpsBarrierSatisfied struct {
	RunID        RunId            `json:"run_id"`
	OperationIDs Set[OperationId] `json:"operation_ids"`
}

func (in *OpsBarrierSatisfied) step(k *Kernel, s *State) {
	switch {
	}
}

// BoundaryContinue is an input of chapter 03.
type BoundaryContinue struct {
	RunID RunId `json:"run_id"`
}

func (in *BoundaryContinue) step(k *Kernel, s *State) {
	switch {
	}
}

// BoundaryComplete is an input of chapter 03.
type BoundaryComplete struct {
	RunID RunId `json:"run_id"`
}

func (in *BoundaryComplete) step(k *Kernel, s *State) {
	switch {
	}
}

// EnterExtraction is an input of chapter 03.
type EnterExtraction struct {
	RunID                RunId  `json:"run_id"`
	MaxExtractionRetries uint64 `json:"max_extraction_retries"`
}

func (in *EnterExtraction) step(k *Kernel, s *State) {
	switch {
	}
}

// ExtractionStart is an input of chapter 03.
type ExtractionStart struct {
	RunID RunId `json:"run_id"`
}

func (in *ExtractionStart) step(k *Kernel, s *State) {
	switch {
	}
}

// ExtractionValidationPassed is an input of chapter 03.
type ExtractionValidationPassed struct {
	RunID RunId `json:"run_id"`
}

func (in *ExtractionValidationPassed) step(k *Kernel, s *State) {
	switch {
	}
}

// ExtractionValidationFailed is an input of chapter 03.
type ExtractionValidationFailed struct {
	RunID RunId  `json:"run_id"`
	Error string `json:"error"`
}

func (in *ExtractionValidationFailed) step(k *Kernel, s *State) {
	switch {
	}
}

// ExtractionFailed is an input of chapter 03.
type ExtractionFailed struct {
	RunID RunId  `json:"run_id"`
	Error string `json:"error"`
}

func (in *ExtractionFailed) step(k *Kernel, s *State) {
	switch {
	}
}

// RecoverableFailure is an input of chapter 03.
type RecoverableFailure struct {
	RunID           RunId               `json:"run_id"`
	FailureKind     LlmRetryFailureKind `json:"failure_kind"`
	RetryAttempt    uint64              `json:"retry_attempt"`
	MaxRetries      uint64              `json:"max_retries"`
	SelectedDelayMs uint64              `json:"selected_delay_ms"`
	Error           string              `json:"error"`
}

func (in *RecoverableFailure) step(k *Kernel, s *State) {
	switch {
	}
}

// RetryRequested is an input of chapter 03.
type RetryRequested struct {
	RunID        RunId  `json:"run_id"`
	RetryAttempt uint64 `json:"retry_attempt"`
}

func (in *RetryRequested) step(k *Kernel, s *State) {
	switch {
	}
}

// FatalFailure is an input of chapter 03.
type FatalFailure struct {
	RunID                 RunId                `json:"run_id"`
	TerminalFailureSource RunFailureSourceKind `json:"terminal_failure_source"`
	Error                 string               `json:"error"`
}

func (in *FatalFailure) step(k *Kernel, s *State) {
	switch {
	}
}

// TurnLimitReached is an input of chapter 03.
type TurnLimitReached struct {
	RunID     RunId  `json:"run_id"`
	TurnCount uint64 `json:"turn_count"`
	MaxTurns  uint64 `json:"max_turns"`
}

func (in *TurnLimitReached) step(k *Kernel, s *State) {
	switch {
	}
}

// BudgetExhausted is an input of chapter 03.
type BudgetExhausted struct {
	RunID RunId `json:"run_id"`
}

func (in *BudgetExhausted) step(k *Kernel, s *State) {
	switch {
	}
}

// TimeBudgetExceeded is an input of chapter 03.
type TimeBudgetExceeded struct {
	RunID RunId `json:"run_id"`
}

func (in *TimeBudgetExceeded) step(k *Kernel, s *State) {
	switch {
	}
}

// CancelNow is an input of chapter 03.
type CancelNow struct {
	RunID RunId `json:"run_id"`
}

func (in *CancelNow) step(k *Kernel, s *State) {
	switch {
	}
}

// RequestCancelAfterBoundary is an input of chapter 03.
type RequestCancelAfterBoundary struct {
	RunID RunId `json:"run_id"`
}

func (in *RequestCancelAfterBoundary) step(k *Kernel, s *State) {
	switch {
	}
}

// CancellationObserved is an input of chapter 03.
type CancellationObserved struct {
	RunID RunId `json:"run_id"`
}

func (in *CancellationObserved) step(k *Kernel, s *State) {
	switch {
	}
}

// AcknowledgeTerminal is an input of chapter 03.
type AcknowledgeTerminal struct {
	RunID   RunId               `json:"run_id"`
	Outcome TurnTerminalOutcome `json:"outcome"`
}

func (in *AcknowledgeTerminal) step(k *Kernel, s *State) {
	switch {
	}
}

// ForceCancelNoRun is an input of chapter 03.
type ForceCancelNoRun struct{}

func (in *ForceCancelNoRun) step(k *Kernel, s *State) {
	switch {
	}
}

// RunCompleted is an input of chapter 03.
type RunCompleted struct {
	RunID RunId `json:"run_id"`
}

func (in *RunCompleted) step(k *Kernel, s *State) {
	switch {
	}
}

// ServiceTurnCommitted is an input of chapter 03.
type ServiceTurnCommitted struct {
	RunID RunId `json:"run_id"`
}

func (in *ServiceTurnCommitted) step(k *Kernel, s *State) {
	switch {
	}
}

// RunFailed is an input of chapter 03.
type RunFailed struct {
	RunID                          RunId                         `json:"run_id"`
	RuntimeApplyFailureCause       Opt[RuntimeApplyFailureCause] `json:"runtime_apply_failure_cause"`
	RuntimeApplyFailureMessage     Opt[string]                   `json:"runtime_apply_failure_message"`
	MachineTerminalFailureObserved bool                          `json:"machine_terminal_failure_observed"`
	TerminalFailureSource          Opt[RunFailureSourceKind]     `json:"terminal_failure_source"`
	Error                          string                        `json:"error"`
}

func (in *RunFailed) step(k *Kernel, s *State) {
	switch {
	}
}

// RunCancelled is an input of chapter 03.
type RunCancelled struct {
	RunID RunId `json:"run_id"`
}

func (in *RunCancelled) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyTurnTerminality is an input of chapter 03.
type ClassifyTurnTerminality struct{}

func (in *ClassifyTurnTerminality) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyLlmFailureRecovery is an input of chapter 03.
type ClassifyLlmFailureRecovery struct {
	FailureKind  Opt[LlmRetryFailureKind] `json:"failure_kind"`
	RetryAttempt uint64                   `json:"retry_attempt"`
	MaxRetries   uint64                   `json:"max_retries"`
}

func (in *ClassifyLlmFailureRecovery) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyAssistantOutput is an input of chapter 03.
type ClassifyAssistantOutput struct {
	HasVisibleOrActionable bool `json:"has_visible_or_actionable"`
}

func (in *ClassifyAssistantOutput) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyCallTimeout is an input of chapter 03.
type ClassifyCallTimeout struct {
	Source    CallTimeoutSource `json:"source"`
	TimeoutMs uint64            `json:"timeout_ms"`
}

func (in *ClassifyCallTimeout) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyTurnTerminalCauseClass is an input of chapter 03.
type ClassifyTurnTerminalCauseClass struct {
	CauseKind Opt[TurnTerminalCauseKind] `json:"cause_kind"`
}

func (in *ClassifyTurnTerminalCauseClass) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveTurnSurfaceResult is an input of chapter 03.
type ResolveTurnSurfaceResult struct {
	Outcome    TurnTerminalOutcome `json:"outcome"`
	CauseClass TerminalCauseClass  `json:"cause_class"`
}

func (in *ResolveTurnSurfaceResult) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceRegister is an input of chapter 03.
type SurfaceRegister struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceRegister) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceStageAdd is an input of chapter 03.
type SurfaceStageAdd struct {
	SurfaceID string `json:"surface_id"`
	NowMs     uint64 `json:"now_ms"`
}

func (in *SurfaceStageAdd) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceStageRemove is an input of chapter 03.
type SurfaceStageRemove struct {
	SurfaceID string `json:"surface_id"`
	NowMs     uint64 `json:"now_ms"`
}

func (in *SurfaceStageRemove) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceStageReload is an input of chapter 03.
type SurfaceStageReload struct {
	SurfaceID string `json:"surface_id"`
	NowMs     uint64 `json:"now_ms"`
}

func (in *SurfaceStageReload) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceSetRemovalTimeout is an input of chapter 03.
type SurfaceSetRemovalTimeout struct {
	TimeoutMs uint64 `json:"timeout_ms"`
}

func (in *SurfaceSetRemovalTimeout) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceApplyBoundary is an input of chapter 03.
type SurfaceApplyBoundary struct {
	SurfaceID            string `json:"surface_id"`
	NowMs                uint64 `json:"now_ms"`
	StagedIntentSequence uint64 `json:"staged_intent_sequence"`
	AppliedAtTurn        uint64 `json:"applied_at_turn"`
}

func (in *SurfaceApplyBoundary) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceMarkPendingSucceeded is an input of chapter 03.
type SurfaceMarkPendingSucceeded struct {
	SurfaceID            string `json:"surface_id"`
	PendingTaskSequence  uint64 `json:"pending_task_sequence"`
	StagedIntentSequence uint64 `json:"staged_intent_sequence"`
}

func (in *SurfaceMarkPendingSucceeded) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceMarkPendingFailed is an input of chapter 03.
type SurfaceMarkPendingFailed struct {
	SurfaceID            string                          `json:"surface_id"`
	PendingTaskSequence  uint64                          `json:"pending_task_sequence"`
	StagedIntentSequence uint64                          `json:"staged_intent_sequence"`
	Cause                ExternalToolSurfaceFailureCause `json:"cause"`
}

func (in *SurfaceMarkPendingFailed) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceCallStarted is an input of chapter 03.
type SurfaceCallStarted struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceCallStarted) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceCallFinished is an input of chapter 03.
type SurfaceCallFinished struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceCallFinished) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceFinalizeRemovalClean is an input of chapter 03.
type SurfaceFinalizeRemovalClean struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceFinalizeRemovalClean) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceFinalizeRemovalForced is an input of chapter 03.
type SurfaceFinalizeRemovalForced struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceFinalizeRemovalForced) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceSnapshotAligned is an input of chapter 03.
type SurfaceSnapshotAligned struct {
	Epoch uint64 `json:"epoch"`
}

func (in *SurfaceSnapshotAligned) step(k *Kernel, s *State) {
	switch {
	}
}

// SurfaceShutdown is an input of chapter 03.
type SurfaceShutdown struct{}

func (in *SurfaceShutdown) step(k *Kernel, s *State) {
	switch {
	}
}

// McpServerConnectPending is an input of chapter 03.
type McpServerConnectPending struct {
	ServerID McpServerId `json:"server_id"`
}

func (in *McpServerConnectPending) step(k *Kernel, s *State) {
	switch {
	}
}

// McpServerConnected is an input of chapter 03.
type McpServerConnected struct {
	ServerID McpServerId `json:"server_id"`
}

func (in *McpServerConnected) step(k *Kernel, s *State) {
	switch {
	}
}

// McpServerFailed is an input of chapter 03.
type McpServerFailed struct {
	ServerID McpServerId `json:"server_id"`
	Error    string      `json:"error"`
}

func (in *McpServerFailed) step(k *Kernel, s *State) {
	switch {
	}
}

// McpServerDisconnected is an input of chapter 03.
type McpServerDisconnected struct {
	ServerID McpServerId `json:"server_id"`
}

func (in *McpServerDisconnected) step(k *Kernel, s *State) {
	switch {
	}
}

// McpServerReload is an input of chapter 03.
type McpServerReload struct {
	ServerID McpServerId `json:"server_id"`
}

func (in *McpServerReload) step(k *Kernel, s *State) {
	switch {
	}
}
