package kernel

// Chapter 03, tool surfaces: the effects.

// ScheduleSurfaceCompletion asks for a surface to be connected in the background. It
// must be answered with [SurfaceMarkPendingSucceeded] or [SurfaceMarkPendingFailed],
// carrying both numbers back.
type ScheduleSurfaceCompletion struct {
	SurfaceID            string                            `json:"surface_id"`
	Operation            ExternalToolSurfaceDeltaOperation `json:"operation"`
	PendingTaskSequence  uint64                            `json:"pending_task_sequence"`
	StagedIntentSequence uint64                            `json:"staged_intent_sequence"`
	AppliedAtTurn        uint64                            `json:"applied_at_turn"`
}

func (ScheduleSurfaceCompletion) EffectDisposition() Disposition { return External }

// RefreshVisibleSurfaceSet asks for the tools offered to the model to be published anew.
// It must be answered with [SurfaceSnapshotAligned].
type RefreshVisibleSurfaceSet struct {
	SnapshotEpoch uint64 `json:"snapshot_epoch"`
}

func (RefreshVisibleSurfaceSet) EffectDisposition() Disposition { return External }

// EmitExternalToolDelta announces how far a change of a surface has come.
type EmitExternalToolDelta struct {
	SurfaceID string                               `json:"surface_id"`
	Operation ExternalToolSurfaceDeltaOperation    `json:"operation"`
	Phase     ExternalToolSurfaceDeltaPhase        `json:"phase"`
	Cause     Opt[ExternalToolSurfaceFailureCause] `json:"cause"`
}

func (EmitExternalToolDelta) EffectDisposition() Disposition { return External }

// CloseSurfaceConnection asks for the connection of a removed surface to be closed.
type CloseSurfaceConnection struct {
	SurfaceID string `json:"surface_id"`
}

func (CloseSurfaceConnection) EffectDisposition() Disposition { return Local }

// RejectSurfaceCall says that a call asked for by [SurfaceCallStarted] must not happen.
type RejectSurfaceCall struct {
	SurfaceID string                          `json:"surface_id"`
	Cause     ExternalToolSurfaceFailureCause `json:"cause"`
}

func (RejectSurfaceCall) EffectDisposition() Disposition { return External }
