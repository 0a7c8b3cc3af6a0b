package kernel

// Chapter 03, the turn and its classifiers: the effects.

// TurnRunStarted says that a run began.
type TurnRunStarted struct {
	RunID RunId `json:"run_id"`
}

func (TurnRunStarted) EffectDisposition() Disposition { return Local }

// TurnBoundaryApplied says that a run crossed a boundary; they count from one.
type TurnBoundaryApplied struct {
	RunID            RunId  `json:"run_id"`
	BoundarySequence uint64 `json:"boundary_sequence"`
}

func (TurnBoundaryApplied) EffectDisposition() Disposition { return Local }

// TurnRunCompleted says that the turn of a run ended well.
type TurnRunCompleted struct {
	RunID   RunId               `json:"run_id"`
	Outcome TurnTerminalOutcome `json:"outcome"`
}

func (TurnRunCompleted) EffectDisposition() Disposition { return Local }

// TurnRunFailed says that the turn of a run failed, and why.
type TurnRunFailed struct {
	RunID             RunId                 `json:"run_id"`
	TerminalCauseKind TurnTerminalCauseKind `json:"terminal_cause_kind"`
	Error             string                `json:"error"`
}

func (TurnRunFailed) EffectDisposition() Disposition { return Local }

// TurnRunCancelled says that the turn of a run was cancelled.
type TurnRunCancelled struct {
	RunID  RunId                  `json:"run_id"`
	Reason TurnCancellationReason `json:"reason"`
}

func (TurnRunCancelled) EffectDisposition() Disposition { return Local }

// TurnCheckCompaction comes before every call of the model: compact the history now if
// that is due.
type TurnCheckCompaction struct{}

func (TurnCheckCompaction) EffectDisposition() Disposition { return Local }

// TurnTerminalCauseClassResolved answers [ClassifyTurnTerminalCauseClass].
type TurnTerminalCauseClassResolved struct {
	CauseKind  Opt[TurnTerminalCauseKind] `json:"cause_kind"`
	CauseClass TerminalCauseClass         `json:"cause_class"`
}

func (TurnTerminalCauseClassResolved) EffectDisposition() Disposition { return Local }

// TurnTerminalityClassified answers [ClassifyTurnTerminality].
type TurnTerminalityClassified struct {
	Terminal bool `json:"terminal"`
}

func (TurnTerminalityClassified) EffectDisposition() Disposition { return Local }

// AssistantOutputClassified answers [ClassifyAssistantOutput].
type AssistantOutputClassified struct {
	EmptyResponseTerminal bool `json:"empty_response_terminal"`
}

func (AssistantOutputClassified) EffectDisposition() Disposition { return Local }

// CallTimeoutClassified answers [ClassifyCallTimeout].
type CallTimeoutClassified struct {
	Verdict   CallTimeoutVerdict `json:"verdict"`
	TimeoutMs uint64             `json:"timeout_ms"`
}

func (CallTimeoutClassified) EffectDisposition() Disposition { return Local }

// LlmFailureRecoveryClassified answers [ClassifyLlmFailureRecovery].
type LlmFailureRecoveryClassified struct {
	Recovery LlmFailureRecoveryKind `json:"recovery"`
}

func (LlmFailureRecoveryClassified) EffectDisposition() Disposition { return Local }

// TurnSurfaceResultResolved answers [ResolveTurnSurfaceResult].
type TurnSurfaceResultResolved struct {
	Outcome      TurnTerminalOutcome `json:"outcome"`
	CauseClass   TerminalCauseClass  `json:"cause_class"`
	SurfaceClass SurfaceResultClass  `json:"surface_class"`
}

func (TurnSurfaceResultResolved) EffectDisposition() Disposition { return Local }

// CheckCompaction is declared by the machine, but no rule emits it; turns use
// [TurnCheckCompaction].
type CheckCompaction struct{}

func (CheckCompaction) EffectDisposition() Disposition { return Local }
