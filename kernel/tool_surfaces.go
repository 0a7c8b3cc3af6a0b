package kernel

import "math"

// Chapter 03, tool surfaces: named providers of tools. A change is staged under a
// number, applied at a boundary under that number, and, if it must connect, finished in
// the background; a surface that is removed drains its running calls first.
//
// Staging is never held up by a change still pending, applying is. After a shutdown
// only staging, applying and the timeout are refused, so that what is under way can end.

// SurfaceRegister makes a surface known. Runtime-internal, chapter 03.
type SurfaceRegister struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceRegister) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceRegisterIdle", Idle, Idle):

		s.KnownSurfaces.add(in.SurfaceID)

	case k.rule("SurfaceRegisterAttached", Attached, Attached):

		s.KnownSurfaces.add(in.SurfaceID)

	case k.rule("SurfaceRegisterRunning", Running, Running):

		s.KnownSurfaces.add(in.SurfaceID)
	}
}

// SurfaceStageAdd announces that a surface is to be added, whatever state it is in. The
// machine ignores NowMs. Runtime-internal, chapter 03.
type SurfaceStageAdd struct {
	SurfaceID string `json:"surface_id"`
	NowMs     uint64 `json:"now_ms"`
}

func (in *SurfaceStageAdd) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceStageAddIdle", Idle, Idle) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpAdd)

	case k.rule("SurfaceStageAddAttached", Attached, Attached) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpAdd)

	case k.rule("SurfaceStageAddRunning", Running, Running) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpAdd)
	}
}

// SurfaceStageRemove announces that a surface is to be removed, whatever state it is in.
// The machine ignores NowMs. Runtime-internal, chapter 03.
type SurfaceStageRemove struct {
	SurfaceID string `json:"surface_id"`
	NowMs     uint64 `json:"now_ms"`
}

func (in *SurfaceStageRemove) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceStageRemoveIdle", Idle, Idle) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpRemove)

	case k.rule("SurfaceStageRemoveAttached", Attached, Attached) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpRemove)

	case k.rule("SurfaceStageRemoveRunning", Running, Running) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpRemove)
	}
}

// SurfaceStageReload announces that an active surface is to be connected anew. The
// machine ignores NowMs. Runtime-internal, chapter 03.
type SurfaceStageReload struct {
	SurfaceID string `json:"surface_id"`
	NowMs     uint64 `json:"now_ms"`
}

func (in *SurfaceStageReload) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceStageReloadIdle", Idle, Idle) && in.stageable(k, s):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpReload)

	case k.rule("SurfaceStageReloadAttached", Attached, Attached) && in.stageable(k, s):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpReload)

	case k.rule("SurfaceStageReloadRunning", Running, Running) && in.stageable(k, s):

		s.stageSurface(in.SurfaceID, SurfaceStagedOpReload)
	}
}

func (in *SurfaceStageReload) stageable(k *Kernel, s *State) bool {
	return k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating) &&
		k.guard("surface_active", s.ActiveSurfaces.Has(in.SurfaceID))
}

// SurfaceSetRemovalTimeout sets how long later removals may drain. Deadlines already
// stored do not move. Runtime-internal, chapter 03.
type SurfaceSetRemovalTimeout struct {
	TimeoutMs uint64 `json:"timeout_ms"`
}

func (in *SurfaceSetRemovalTimeout) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceSetRemovalTimeoutIdle", Idle, Idle) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.RemovalTimeoutMs = in.TimeoutMs

	case k.rule("SurfaceSetRemovalTimeoutAttached", Attached, Attached) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.RemovalTimeoutMs = in.TimeoutMs

	case k.rule("SurfaceSetRemovalTimeoutRunning", Running, Running) &&
		k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating):

		s.RemovalTimeoutMs = in.TimeoutMs
	}
}

// SurfaceApplyBoundary applies a staged intent, the one that carries
// StagedIntentSequence: a later intent for the same surface makes an earlier number
// stale. Runtime-internal, chapter 03.
//
// An add or reload starts a background connect; it does not change what is visible, so
// an active surface that is added again stays usable meanwhile. An add on a surface that
// is draining is refused and its intent stays staged. Removing a surface that is not
// active only drops the intent.
type SurfaceApplyBoundary struct {
	SurfaceID            string `json:"surface_id"`
	NowMs                uint64 `json:"now_ms"`
	StagedIntentSequence uint64 `json:"staged_intent_sequence"`
	AppliedAtTurn        uint64 `json:"applied_at_turn"`
}

func (in *SurfaceApplyBoundary) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceApplyBoundaryAddIdle", Idle, Idle) && in.adds(k, s):

		in.connect(k, s, SurfacePendingOpAdd, ExternalToolSurfaceDeltaOperationAdd)

	case k.rule("SurfaceApplyBoundaryAddAttached", Attached, Attached) && in.adds(k, s):

		in.connect(k, s, SurfacePendingOpAdd, ExternalToolSurfaceDeltaOperationAdd)

	case k.rule("SurfaceApplyBoundaryAddRunning", Running, Running) && in.adds(k, s):

		in.connect(k, s, SurfacePendingOpAdd, ExternalToolSurfaceDeltaOperationAdd)

	case k.rule("SurfaceApplyBoundaryReloadIdle", Idle, Idle) && in.reloads(k, s):

		in.connect(k, s, SurfacePendingOpReload, ExternalToolSurfaceDeltaOperationReload)

	case k.rule("SurfaceApplyBoundaryReloadAttached", Attached, Attached) && in.reloads(k, s):

		in.connect(k, s, SurfacePendingOpReload, ExternalToolSurfaceDeltaOperationReload)

	case k.rule("SurfaceApplyBoundaryReloadRunning", Running, Running) && in.reloads(k, s):

		in.connect(k, s, SurfacePendingOpReload, ExternalToolSurfaceDeltaOperationReload)

	case k.rule("SurfaceApplyBoundaryRemoveDrainingIdle", Idle, Idle) && in.removesActive(k, s):

		in.drain(k, s)

	case k.rule("SurfaceApplyBoundaryRemoveDrainingAttached", Attached, Attached) && in.removesActive(k, s):

		in.drain(k, s)

	case k.rule("SurfaceApplyBoundaryRemoveDrainingRunning", Running, Running) && in.removesActive(k, s):

		in.drain(k, s)

	case k.rule("SurfaceApplyBoundaryRemoveNoopIdle", Idle, Idle) && in.removesNothing(k, s):

		in.forget(s)

	case k.rule("SurfaceApplyBoundaryRemoveNoopAttached", Attached, Attached) && in.removesNothing(k, s):

		in.forget(s)

	case k.rule("SurfaceApplyBoundaryRemoveNoopRunning", Running, Running) && in.removesNothing(k, s):

		in.forget(s)
	}
}

func (in *SurfaceApplyBoundary) adds(k *Kernel, s *State) bool {
	return k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating) &&
		k.guard("staged_add", holds(s.SurfaceStagedOp, in.SurfaceID, SurfaceStagedOpAdd)) &&
		k.guard("staged_sequence_matches",
			holds(s.SurfaceStagedIntentSequence, in.SurfaceID, in.StagedIntentSequence)) &&
		k.guard("no_pending_surface_op", s.SurfacePendingOp[in.SurfaceID] == SurfacePendingOpNone) &&
		k.guard("base_accepts_add", s.SurfaceBaseState[in.SurfaceID] != ExternalToolSurfaceBaseStateRemoving)
}

func (in *SurfaceApplyBoundary) reloads(k *Kernel, s *State) bool {
	return k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating) &&
		k.guard("staged_reload", holds(s.SurfaceStagedOp, in.SurfaceID, SurfaceStagedOpReload)) &&
		k.guard("staged_sequence_matches",
			holds(s.SurfaceStagedIntentSequence, in.SurfaceID, in.StagedIntentSequence)) &&
		k.guard("surface_active", s.ActiveSurfaces.Has(in.SurfaceID)) &&
		k.guard("base_active", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateActive)) &&
		k.guard("no_pending_surface_op", s.SurfacePendingOp[in.SurfaceID] == SurfacePendingOpNone)
}

func (in *SurfaceApplyBoundary) removesActive(k *Kernel, s *State) bool {
	return k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating) &&
		k.guard("staged_remove", holds(s.SurfaceStagedOp, in.SurfaceID, SurfaceStagedOpRemove)) &&
		k.guard("staged_sequence_matches",
			holds(s.SurfaceStagedIntentSequence, in.SurfaceID, in.StagedIntentSequence)) &&
		k.guard("base_active", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateActive)) &&
		k.guard("no_pending_surface_op", s.SurfacePendingOp[in.SurfaceID] == SurfacePendingOpNone)
}

func (in *SurfaceApplyBoundary) removesNothing(k *Kernel, s *State) bool {
	return k.guard("surface_operating", s.SurfacePhase == SurfacePhaseOperating) &&
		k.guard("staged_remove", holds(s.SurfaceStagedOp, in.SurfaceID, SurfaceStagedOpRemove)) &&
		k.guard("staged_sequence_matches",
			holds(s.SurfaceStagedIntentSequence, in.SurfaceID, in.StagedIntentSequence)) &&
		k.guard("base_not_active", !holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateActive)) &&
		k.guard("no_pending_surface_op", s.SurfacePendingOp[in.SurfaceID] == SurfacePendingOpNone)
}

// connect turns the intent into a background task. The snapshot epoch moves, but there
// is nothing to show yet and no refresh is asked for.
func (in *SurfaceApplyBoundary) connect(
	k *Kernel, s *State, op SurfacePendingOp, announced ExternalToolSurfaceDeltaOperation,
) {
	s.KnownSurfaces.add(in.SurfaceID)
	s.NextPendingTaskSequence++
	s.SurfacePendingOp.put(in.SurfaceID, op)
	s.SurfacePendingTaskSequence.put(in.SurfaceID, s.NextPendingTaskSequence)
	s.SurfacePendingLineageSequence.put(in.SurfaceID, in.StagedIntentSequence)
	s.unstageSurface(in.SurfaceID)
	s.noteSurfaceDelta(in.SurfaceID, announced, ExternalToolSurfaceDeltaPhasePending)
	s.SnapshotEpoch++
	k.emit(ScheduleSurfaceCompletion{
		SurfaceID:            in.SurfaceID,
		Operation:            announced,
		PendingTaskSequence:  s.NextPendingTaskSequence,
		StagedIntentSequence: in.StagedIntentSequence,
		AppliedAtTurn:        in.AppliedAtTurn,
	})
	k.emit(EmitExternalToolDelta{
		SurfaceID: in.SurfaceID,
		Operation: announced,
		Phase:     ExternalToolSurfaceDeltaPhasePending,
	})
}

// drain hides an active surface at once and gives its running calls until the deadline.
func (in *SurfaceApplyBoundary) drain(k *Kernel, s *State) {
	in.forget(s)
	s.SurfaceBaseState.put(in.SurfaceID, ExternalToolSurfaceBaseStateRemoving)
	s.ActiveSurfaces.del(in.SurfaceID)
	s.VisibleSurfaces.del(in.SurfaceID)
	s.SurfaceDrainingSinceMs.put(in.SurfaceID, in.NowMs)
	s.SurfaceRemovalTimeoutAtMs.put(in.SurfaceID, deadlineAfter(in.NowMs, s.RemovalTimeoutMs))
	s.SurfaceRemovalAppliedAtTurn.put(in.SurfaceID, in.AppliedAtTurn)
	s.noteSurfaceDelta(in.SurfaceID, ExternalToolSurfaceDeltaOperationRemove, ExternalToolSurfaceDeltaPhaseDraining)
	s.SnapshotEpoch++
	k.emit(RefreshVisibleSurfaceSet{SnapshotEpoch: s.SnapshotEpoch})
	k.emit(EmitExternalToolDelta{
		SurfaceID: in.SurfaceID,
		Operation: ExternalToolSurfaceDeltaOperationRemove,
		Phase:     ExternalToolSurfaceDeltaPhaseDraining,
	})
}

// forget drops the intent and whatever is left of an earlier task.
func (in *SurfaceApplyBoundary) forget(s *State) {
	s.KnownSurfaces.add(in.SurfaceID)
	s.clearPendingSurface(in.SurfaceID)
	s.unstageSurface(in.SurfaceID)
}

// deadlineAfter adds a delay to a time, both in milliseconds; it saturates.
func deadlineAfter(now, delay uint64) uint64 {
	if delay > math.MaxUint64-now {
		return math.MaxUint64
	}
	return now + delay
}

// SurfaceMarkPendingSucceeded says that a background connect is done and the surface can
// be offered to the model. Both numbers must be those of the task. Runtime-internal,
// chapter 03.
type SurfaceMarkPendingSucceeded struct {
	SurfaceID            string `json:"surface_id"`
	PendingTaskSequence  uint64 `json:"pending_task_sequence"`
	StagedIntentSequence uint64 `json:"staged_intent_sequence"`
}

func (in *SurfaceMarkPendingSucceeded) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceMarkPendingSucceededAddIdle", Idle, Idle) &&
		k.guard("pending_add", holds(s.SurfacePendingOp, in.SurfaceID, SurfacePendingOpAdd)) &&
		in.current(k, s):

		in.activate(k, s, ExternalToolSurfaceDeltaOperationAdd)

	case k.rule("SurfaceMarkPendingSucceededAddAttached", Attached, Attached) &&
		k.guard("pending_add", holds(s.SurfacePendingOp, in.SurfaceID, SurfacePendingOpAdd)) &&
		in.current(k, s):

		in.activate(k, s, ExternalToolSurfaceDeltaOperationAdd)

	case k.rule("SurfaceMarkPendingSucceededAddRunning", Running, Running) &&
		k.guard("pending_add", holds(s.SurfacePendingOp, in.SurfaceID, SurfacePendingOpAdd)) &&
		in.current(k, s):

		in.activate(k, s, ExternalToolSurfaceDeltaOperationAdd)

	case k.rule("SurfaceMarkPendingSucceededReloadIdle", Idle, Idle) &&
		k.guard("pending_reload", holds(s.SurfacePendingOp, in.SurfaceID, SurfacePendingOpReload)) &&
		in.current(k, s):

		in.activate(k, s, ExternalToolSurfaceDeltaOperationReload)

	case k.rule("SurfaceMarkPendingSucceededReloadAttached", Attached, Attached) &&
		k.guard("pending_reload", holds(s.SurfacePendingOp, in.SurfaceID, SurfacePendingOpReload)) &&
		in.current(k, s):

		in.activate(k, s, ExternalToolSurfaceDeltaOperationReload)

	case k.rule("SurfaceMarkPendingSucceededReloadRunning", Running, Running) &&
		k.guard("pending_reload", holds(s.SurfacePendingOp, in.SurfaceID, SurfacePendingOpReload)) &&
		in.current(k, s):

		in.activate(k, s, ExternalToolSurfaceDeltaOperationReload)
	}
}

func (in *SurfaceMarkPendingSucceeded) current(k *Kernel, s *State) bool {
	return k.guard("pending_sequence_matches",
		holds(s.SurfacePendingTaskSequence, in.SurfaceID, in.PendingTaskSequence)) &&
		k.guard("pending_lineage_matches",
			holds(s.SurfacePendingLineageSequence, in.SurfaceID, in.StagedIntentSequence))
}

func (in *SurfaceMarkPendingSucceeded) activate(k *Kernel, s *State, done ExternalToolSurfaceDeltaOperation) {
	s.KnownSurfaces.add(in.SurfaceID)
	s.clearPendingSurface(in.SurfaceID)
	s.SurfaceBaseState.put(in.SurfaceID, ExternalToolSurfaceBaseStateActive)
	s.ActiveSurfaces.add(in.SurfaceID)
	s.VisibleSurfaces.add(in.SurfaceID)
	s.noteSurfaceDelta(in.SurfaceID, done, ExternalToolSurfaceDeltaPhaseApplied)
	s.SnapshotEpoch++
	k.emit(RefreshVisibleSurfaceSet{SnapshotEpoch: s.SnapshotEpoch})
	k.emit(EmitExternalToolDelta{
		SurfaceID: in.SurfaceID,
		Operation: done,
		Phase:     ExternalToolSurfaceDeltaPhaseApplied,
	})
}

// SurfaceMarkPendingFailed says that a background connect failed. The surface stays what
// it was: after a failed reload the old one is still active. Runtime-internal, chapter
// 03.
//
// That something is pending is not a guard. Once a task has ended its numbers are 0, and
// an input with both numbers 0 is accepted and announces a failure of whatever was
// announced last.
type SurfaceMarkPendingFailed struct {
	SurfaceID            string                          `json:"surface_id"`
	PendingTaskSequence  uint64                          `json:"pending_task_sequence"`
	StagedIntentSequence uint64                          `json:"staged_intent_sequence"`
	Cause                ExternalToolSurfaceFailureCause `json:"cause"`
}

func (in *SurfaceMarkPendingFailed) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceMarkPendingFailedIdle", Idle, Idle) && in.current(k, s):

		in.fail(k, s)

	case k.rule("SurfaceMarkPendingFailedAttached", Attached, Attached) && in.current(k, s):

		in.fail(k, s)

	case k.rule("SurfaceMarkPendingFailedRunning", Running, Running) && in.current(k, s):

		in.fail(k, s)
	}
}

func (in *SurfaceMarkPendingFailed) current(k *Kernel, s *State) bool {
	return k.guard("pending_sequence_matches",
		holds(s.SurfacePendingTaskSequence, in.SurfaceID, in.PendingTaskSequence)) &&
		k.guard("pending_lineage_matches",
			holds(s.SurfacePendingLineageSequence, in.SurfaceID, in.StagedIntentSequence))
}

func (in *SurfaceMarkPendingFailed) fail(k *Kernel, s *State) {
	s.clearPendingSurface(in.SurfaceID)
	s.SurfaceLastDeltaPhase.put(in.SurfaceID, ExternalToolSurfaceDeltaPhaseFailed)
	k.emit(EmitExternalToolDelta{
		SurfaceID: in.SurfaceID,
		Operation: s.SurfaceLastDeltaOperation[in.SurfaceID],
		Phase:     ExternalToolSurfaceDeltaPhaseFailed,
		Cause:     Some(in.Cause),
	})
}

// SurfaceCallStarted asks to call a tool of a surface. A call that must not happen is
// not a refused input but an accepted one that answers [RejectSurfaceCall].
// Runtime-internal, chapter 03.
type SurfaceCallStarted struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceCallStarted) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceCallStartedActiveAttached", Attached, Attached) &&
		k.guard("surface_active", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateActive)):

		s.startSurfaceCall(in.SurfaceID)

	case k.rule("SurfaceCallStartedActiveRunning", Running, Running) &&
		k.guard("surface_active", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateActive)):

		s.startSurfaceCall(in.SurfaceID)

	case k.rule("SurfaceCallStartedRejectRemovingAttached", Attached, Attached) &&
		k.guard("surface_removing", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateRemoving)):

		k.emit(RejectSurfaceCall{
			SurfaceID: in.SurfaceID,
			Cause:     ExternalToolSurfaceFailureCauseSurfaceDraining,
		})

	case k.rule("SurfaceCallStartedRejectRemovingRunning", Running, Running) &&
		k.guard("surface_removing", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateRemoving)):

		k.emit(RejectSurfaceCall{
			SurfaceID: in.SurfaceID,
			Cause:     ExternalToolSurfaceFailureCauseSurfaceDraining,
		})

	case k.rule("SurfaceCallStartedRejectUnavailableAttached", Attached, Attached) &&
		k.guard("surface_unavailable", !s.SurfaceBaseState[in.SurfaceID].connected()):

		k.emit(RejectSurfaceCall{
			SurfaceID: in.SurfaceID,
			Cause:     ExternalToolSurfaceFailureCauseSurfaceUnavailable,
		})

	case k.rule("SurfaceCallStartedRejectUnavailableRunning", Running, Running) &&
		k.guard("surface_unavailable", !s.SurfaceBaseState[in.SurfaceID].connected()):

		k.emit(RejectSurfaceCall{
			SurfaceID: in.SurfaceID,
			Cause:     ExternalToolSurfaceFailureCauseSurfaceUnavailable,
		})
	}
}

// startSurfaceCall counts one more running call; the count saturates.
func (s *TurnState) startSurfaceCall(id string) {
	if calls := s.SurfaceInflightCalls[id]; calls < math.MaxUint64 {
		s.SurfaceInflightCalls.put(id, calls+1)
	}
}

// connected reports whether a surface may have running calls. A surface never heard of
// is Absent.
func (b ExternalToolSurfaceBaseState) connected() bool {
	return b == ExternalToolSurfaceBaseStateActive || b == ExternalToolSurfaceBaseStateRemoving
}

// SurfaceCallFinished says that a call is done, well or not. Runtime-internal, chapter
// 03.
type SurfaceCallFinished struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceCallFinished) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceCallFinishedAttached", Attached, Attached) &&
		k.guard("surface_active_or_removing", s.SurfaceBaseState[in.SurfaceID].connected()) &&
		k.guard("inflight_calls_remain", s.SurfaceInflightCalls[in.SurfaceID] > 0):

		s.SurfaceInflightCalls.put(in.SurfaceID, s.SurfaceInflightCalls[in.SurfaceID]-1)

	case k.rule("SurfaceCallFinishedRunning", Running, Running) &&
		k.guard("surface_active_or_removing", s.SurfaceBaseState[in.SurfaceID].connected()) &&
		k.guard("inflight_calls_remain", s.SurfaceInflightCalls[in.SurfaceID] > 0):

		s.SurfaceInflightCalls.put(in.SurfaceID, s.SurfaceInflightCalls[in.SurfaceID]-1)
	}
}

// SurfaceFinalizeRemovalClean ends the removal of a surface whose calls have all
// finished. An intent staged meanwhile survives. Runtime-internal, chapter 03.
type SurfaceFinalizeRemovalClean struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceFinalizeRemovalClean) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceFinalizeRemovalCleanIdle", Idle, Idle) && in.drained(k, s):

		in.remove(k, s)

	case k.rule("SurfaceFinalizeRemovalCleanAttached", Attached, Attached) && in.drained(k, s):

		in.remove(k, s)

	case k.rule("SurfaceFinalizeRemovalCleanRunning", Running, Running) && in.drained(k, s):

		in.remove(k, s)
	}
}

func (in *SurfaceFinalizeRemovalClean) drained(k *Kernel, s *State) bool {
	return k.guard("surface_removing",
		holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateRemoving)) &&
		k.guard("no_inflight_calls_remain", s.SurfaceInflightCalls[in.SurfaceID] == 0)
}

func (in *SurfaceFinalizeRemovalClean) remove(k *Kernel, s *State) {
	s.removeSurface(in.SurfaceID)
	s.noteSurfaceDelta(in.SurfaceID, ExternalToolSurfaceDeltaOperationRemove, ExternalToolSurfaceDeltaPhaseApplied)
	s.SnapshotEpoch++
	k.emit(CloseSurfaceConnection{SurfaceID: in.SurfaceID})
	k.emit(RefreshVisibleSurfaceSet{SnapshotEpoch: s.SnapshotEpoch})
	k.emit(EmitExternalToolDelta{
		SurfaceID: in.SurfaceID,
		Operation: ExternalToolSurfaceDeltaOperationRemove,
		Phase:     ExternalToolSurfaceDeltaPhaseApplied,
	})
}

// SurfaceFinalizeRemovalForced ends the removal of a surface without waiting for its
// calls. The machine looks neither at the deadline nor at the calls: that the time has
// come is the shell's judgement. Runtime-internal, chapter 03.
type SurfaceFinalizeRemovalForced struct {
	SurfaceID string `json:"surface_id"`
}

func (in *SurfaceFinalizeRemovalForced) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceFinalizeRemovalForcedIdle", Idle, Idle) &&
		k.guard("surface_removing", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateRemoving)):

		in.remove(k, s)

	case k.rule("SurfaceFinalizeRemovalForcedAttached", Attached, Attached) &&
		k.guard("surface_removing", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateRemoving)):

		in.remove(k, s)

	case k.rule("SurfaceFinalizeRemovalForcedRunning", Running, Running) &&
		k.guard("surface_removing", holds(s.SurfaceBaseState, in.SurfaceID, ExternalToolSurfaceBaseStateRemoving)):

		in.remove(k, s)
	}
}

func (in *SurfaceFinalizeRemovalForced) remove(k *Kernel, s *State) {
	s.removeSurface(in.SurfaceID)
	s.SurfaceInflightCalls.put(in.SurfaceID, 0)
	s.noteSurfaceDelta(in.SurfaceID, ExternalToolSurfaceDeltaOperationRemove, ExternalToolSurfaceDeltaPhaseForced)
	s.SnapshotEpoch++
	k.emit(CloseSurfaceConnection{SurfaceID: in.SurfaceID})
	k.emit(RefreshVisibleSurfaceSet{SnapshotEpoch: s.SnapshotEpoch})
	k.emit(EmitExternalToolDelta{
		SurfaceID: in.SurfaceID,
		Operation: ExternalToolSurfaceDeltaOperationRemove,
		Phase:     ExternalToolSurfaceDeltaPhaseForced,
	})
}

// SurfaceSnapshotAligned says which version of the surface set the host has published.
// It is not compared with the present one and may go back. Runtime-internal, chapter 03.
type SurfaceSnapshotAligned struct {
	Epoch uint64 `json:"epoch"`
}

func (in *SurfaceSnapshotAligned) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceSnapshotAlignedIdle", Idle, Idle):

		s.SnapshotAlignedEpoch = in.Epoch

	case k.rule("SurfaceSnapshotAlignedAttached", Attached, Attached):

		s.SnapshotAlignedEpoch = in.Epoch

	case k.rule("SurfaceSnapshotAlignedRunning", Running, Running):

		s.SnapshotAlignedEpoch = in.Epoch
	}
}

// SurfaceShutdown stops all further staging and applying, for good. Runtime-internal,
// chapter 03.
type SurfaceShutdown struct{}

func (in *SurfaceShutdown) step(k *Kernel, s *State) {
	switch {
	case k.rule("SurfaceShutdownIdle", Idle, Idle):

		s.SurfacePhase = SurfacePhaseShutdown

	case k.rule("SurfaceShutdownAttached", Attached, Attached):

		s.SurfacePhase = SurfacePhaseShutdown

	case k.rule("SurfaceShutdownRunning", Running, Running):

		s.SurfacePhase = SurfacePhaseShutdown
	}
}

// stageSurface notes an intent under a new number. It replaces an earlier intent for the
// surface, whose number thereby becomes stale.
func (s *TurnState) stageSurface(id string, op SurfaceStagedOp) {
	s.KnownSurfaces.add(id)
	s.SurfaceStagedOp.put(id, op)
	if op == SurfaceStagedOpReload {
		s.ReloadStagedSurfaces.add(id)
	} else {
		s.ReloadStagedSurfaces.del(id)
	}
	s.NextStagedIntentSequence++
	s.SurfaceStagedIntentSequence.put(id, s.NextStagedIntentSequence)
}

// unstageSurface forgets the intent.
func (s *TurnState) unstageSurface(id string) {
	s.SurfaceStagedOp.del(id)
	s.SurfaceStagedIntentSequence.del(id)
	s.ReloadStagedSurfaces.del(id)
}

// clearPendingSurface ends the background task. The entries stay, at None and 0.
func (s *TurnState) clearPendingSurface(id string) {
	s.SurfacePendingOp.put(id, SurfacePendingOpNone)
	s.SurfacePendingTaskSequence.put(id, 0)
	s.SurfacePendingLineageSequence.put(id, 0)
}

// removeSurface settles a surface as Removed.
func (s *TurnState) removeSurface(id string) {
	s.SurfaceBaseState.put(id, ExternalToolSurfaceBaseStateRemoved)
	s.ActiveSurfaces.del(id)
	s.VisibleSurfaces.del(id)
	s.clearPendingSurface(id)
	s.SurfaceDrainingSinceMs.del(id)
	s.SurfaceRemovalTimeoutAtMs.del(id)
	s.SurfaceRemovalAppliedAtTurn.del(id)
}

// noteSurfaceDelta remembers the change announced last.
func (s *TurnState) noteSurfaceDelta(
	id string, op ExternalToolSurfaceDeltaOperation, phase ExternalToolSurfaceDeltaPhase,
) {
	s.SurfaceLastDeltaOperation.put(id, op)
	s.SurfaceLastDeltaPhase.put(id, phase)
}
