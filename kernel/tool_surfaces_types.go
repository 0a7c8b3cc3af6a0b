package kernel

// Chapter 03, tool surfaces: the types. The first variant of an enum is its zero value,
// which is also what a surface without an entry has.

// ExternalToolSurfaceBaseState is the settled state of a surface.
type ExternalToolSurfaceBaseState uint8

const (
	ExternalToolSurfaceBaseStateAbsent ExternalToolSurfaceBaseState = iota
	ExternalToolSurfaceBaseStateActive
	// ExternalToolSurfaceBaseStateRemoving is draining: no new calls, running ones go on.
	ExternalToolSurfaceBaseStateRemoving
	ExternalToolSurfaceBaseStateRemoved
)

// ExternalToolSurfaceDeltaOperation is what an announced change does.
type ExternalToolSurfaceDeltaOperation uint8

const (
	ExternalToolSurfaceDeltaOperationNone ExternalToolSurfaceDeltaOperation = iota
	ExternalToolSurfaceDeltaOperationAdd
	ExternalToolSurfaceDeltaOperationRemove
	ExternalToolSurfaceDeltaOperationReload
)

// ExternalToolSurfaceDeltaPhase is how far an announced change has come.
type ExternalToolSurfaceDeltaPhase uint8

const (
	ExternalToolSurfaceDeltaPhaseNone ExternalToolSurfaceDeltaPhase = iota
	ExternalToolSurfaceDeltaPhasePending
	ExternalToolSurfaceDeltaPhaseApplied
	ExternalToolSurfaceDeltaPhaseDraining
	ExternalToolSurfaceDeltaPhaseFailed
	// ExternalToolSurfaceDeltaPhaseForced: removed without waiting for running calls.
	ExternalToolSurfaceDeltaPhaseForced
)

// ExternalToolSurfaceFailureCause says why a change or a call did not happen.
type ExternalToolSurfaceFailureCause uint8

const (
	ExternalToolSurfaceFailureCausePendingFailed ExternalToolSurfaceFailureCause = iota
	ExternalToolSurfaceFailureCauseSurfaceDraining
	ExternalToolSurfaceFailureCauseSurfaceUnavailable
)

// SurfacePendingOp is the background operation of a surface. Removing needs none.
type SurfacePendingOp uint8

const (
	SurfacePendingOpNone SurfacePendingOp = iota
	SurfacePendingOpAdd
	SurfacePendingOpReload
)

// SurfacePhase opens or shuts staging and applying for all surfaces.
type SurfacePhase uint8

const (
	SurfacePhaseOperating SurfacePhase = iota
	SurfacePhaseShutdown
)

// SurfaceStagedOp is the intent that waits for a boundary.
type SurfaceStagedOp uint8

const (
	SurfaceStagedOpNone SurfaceStagedOp = iota
	SurfaceStagedOpAdd
	SurfaceStagedOpRemove
	SurfaceStagedOpReload
)
