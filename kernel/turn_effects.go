package kernel

// The effects of chapter 03.

// TurnRunStarted is an effect of chapter 03, local.
type TurnRunStarted struct {
	RunID RunId `json:"run_id"`
}

func (TurnRunStarted) EffectDisposition() Disposition { return Local }

// TurnBoundaryApplied is an effect of chapter 03, local.
type TurnBoundaryApplied struct {
	RunID            RunId  `json:"run_id"`
	BoundarySequence uint64 `json:"boundary_sequence"`
}

func (TurnBoundaryApplied) EffectDisposition() Disposition { return Local }

// TurnRunCompleted is an effect of chapter 03, local.
type TurnRunCompleted struct {
	RunID   RunId               `json:"run_id"`
	Outcome TurnTerminalOutcome `json:"outcome"`
}

func (TurnRunCompleted) EffectDisposition() Disposition { return Local }

// TurnRunFailed is an effect of chapter 03, local.
type TurnRunFailed struct {
	RunID             RunId                 `json:"run_id"`
	TerminalCauseKind TurnTerminalCauseKind `json:"terminal_cause_kind"`
	Error             string                `json:"error"`
}

func (TurnRunFailed) EffectDisposition() Disposition { return Local }

// TurnRunCancelled is an effect of chapter 03, local.
type TurnRunCancelled struct {
	RunID  RunId                  `json:"run_id"`
	Reason TurnCancellationReason `json:"reason"`
}

func (TurnRunCancelled) EffectDisposition() Disposition { return Local }

// TurnCheckCompaction is an effect of chapter 03, local.
type TurnCheckCompaction struct{}

func (TurnCheckCompaction) EffectDisposition() Disposition { return Local }

// TurnTerminalCauseClassResolved is an effect of chapter 03, local.
type TurnTerminalCauseClassResolved struct {
	CauseKind  Opt[TurnTerminalCauseKind] `json:"cause_kind"`
	CauseClass TerminalCauseClass         `json:"cause_class"`
}

func (TurnTerminalCauseClassResolved) EffectDisposition() Disposition { return Local }

// TurnTerminalityClassified is an effect of chapter 03, local.
type TurnTerminalityClassified struct {
	Terminal bool `json:"terminal"`
}

func (TurnTerminalityClassified) EffectDisposition() Disposition { return Local }

// AssistantOutputClassified is an effect of chapter 03, local.
type AssistantOutputClassified struct {
	EmptyResponseTerminal bool `json:"empty_response_terminal"`
}

func (AssistantOutputClassified) EffectDisposition() Disposition { return Local }

// CallTimeoutClassified is an effect of chapter 03, local.
type CallTimeoutClassified struct {
	Verdict   CallTimeoutVerdict `json:"verdict"`
	TimeoutMs uint64             `json:"timeout_ms"`
}

func (CallTimeoutClassified) EffectDisposition() Disposition { return Local }

// LlmFailureRecoveryClassified is an effect of chapter 03, local.
type LlmFailureRecoveryClassified struct {
	Recovery LlmFailureRecoveryKind `json:"recovery"`
}

func (LlmFailureRecoveryClassified) EffectDisposition() Disposition { return Local }

// TurnSurfaceResultResolved is an effect of chapter 03, local.
type TurnSurfaceResultResolved struct {
	Outcome      TurnTerminalOutcome `json:"outcome"`
	CauseClass   TerminalCauseClass  `json:"cause_class"`
	SurfaceClass SurfaceResultClass  `json:"surface_class"`
}

func (TurnSurfaceResultResolved) EffectDisposition() Disposition { return Local }

// CheckCompaction is an effect of chapter 03, local.
type CheckCompaction struct{}

func (CheckCompaction) EffectDisposition() Disposition { return Local }

// ScheduleSurfaceCompletion is an effect of chapter 03, external.
type ScheduleSurfaceCompletion struct {
	SurfaceID            string                            `json:"surface_id"`
	Operation            ExternalToolSurfaceDeltaOperation `json:"operation"`
	PendingTaskSequence  uint64                            `json:"pending_task_sequence"`
	StagedIntentSequence uint64                            `json:"staged_intent_sequence"`
	AppliedAtTurn        uint64                            `json:"applied_at_turn"`
}

func (ScheduleSurfaceCompletion) EffectDisposition() Disposition { return External }

// RefreshVisibleSurfaceSet is an effect of chapter 03, external.
type RefreshVisibleSurfaceSet struct {
	SnapshotEpoch uint64 `json:"snapshot_epoch"`
}

func (RefreshVisibleSurfaceSet) EffectDisposition() Disposition { return External }

// EmitExternalToolDelta is an effect of chapter 03, external.
type EmitExternalToolDelta struct {
	SurfaceID string                               `json:"surface_id"`
	Operation ExternalToolSurfaceDeltaOperation    `json:"operation"`
	Phase     ExternalToolSurfaceDeltaPhase        `json:"phase"`
	Cause     Opt[ExternalToolSurfaceFailureCause] `json:"cause"`
}

func (EmitExternalToolDelta) EffectDisposition() Disposition { return External }

// CloseSurfaceConnection is an effect of chapter 03, local.
type CloseSurfaceConnection struct {
	SurfaceID string `json:"surface_id"`
}

func (CloseSurfaceConnection) EffectDisposition() Disposition { return Local }

// RejectSurfaceCall is an effect of chapter 03, external.
type RejectSurfaceCall struct {
	SurfaceID string                          `json:"surface_id"`
	Cause     ExternalToolSurfaceFailureCause `json:"cause"`
}

func (RejectSurfaceCall) EffectDisposition() Disposition { return External }

// McpServerStateChanged is an effect of chapter 03, external.
type McpServerStateChanged struct {
	ServerID McpServerId    `json:"server_id"`
	NewState McpServerState `json:"new_state"`
}

func (McpServerStateChanged) EffectDisposition() Disposition { return External }

// McpServerReloadRequested is an effect of chapter 03, external.
type McpServerReloadRequested struct {
	ServerID McpServerId `json:"server_id"`
}

func (McpServerReloadRequested) EffectDisposition() Disposition { return External }
