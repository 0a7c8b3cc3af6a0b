package kernel

import "fmt"

// InvariantError refuses to rebuild a kernel from a state that breaks an invariant
// (chapter 01: RecoveredStateInvariantRejected).
type InvariantError struct {
	Phase     Phase
	Invariant string
}

func (e *InvariantError) Error() string {
	return fmt.Sprintf("RecoveredStateInvariantRejected: a state in phase %s breaks %s", e.Phase, e.Invariant)
}

// invariants are all invariants of the machine, in declaration order (chapter 01).
var invariants = [...]struct {
	name  string
	holds func(*State) bool
}{
	{"fence_requires_bound_runtime", (*State).fenceRequiresBoundRuntime},
	{"runtime_generation_requires_bound_runtime", (*State).runtimeGenerationRequiresBoundRuntime},
	{"runtime_epoch_requires_bound_runtime", (*State).runtimeEpochRequiresBoundRuntime},
	{"runtime_binding_identity_is_typed", (*State).runtimeBindingIdentityIsTyped},
	{"running_has_current_run", (*State).runningHasCurrentRun},
	{"deferred_stop_requires_active_runtime_phase", (*State).deferredStopRequiresActiveRuntimePhase},
	{"unregister_drain_obligations_require_draining", (*State).unregisterDrainObligationsRequireDraining},
	{"current_run_only_while_running_or_retired", (*State).currentRunOnlyWhileRunningOrRetired},
	{"current_run_has_pre_run_phase", (*State).currentRunHasPreRunPhase},
	{"staged_surface_ops_are_known_and_sequenced", (*State).stagedSurfaceOpsAreKnownAndSequenced},
	{"staged_reload_surfaces_are_active", (*State).stagedReloadSurfacesAreActive},
	{"peer_ingress_owner_consistency", (*State).peerIngressOwnerConsistency},
	{"supervisor_binding_consistency", (*State).supervisorBindingConsistency},
	{"supervisor_revoke_pending_consistency", (*State).supervisorRevokePendingConsistency},
	{"supervisor_publish_pending_consistency", (*State).supervisorPublishPendingConsistency},
}

// InvariantNames lists the invariants of the machine in declaration order.
func InvariantNames() []string {
	names := make([]string, len(invariants))
	for i := range invariants {
		names[i] = invariants[i].name
	}
	return names
}

// Check evaluates all invariants of the machine, in declaration order, and names those
// that s breaks. It allocates nothing if there are none. Apply does not call it: the
// reference too checks after a transition only when built for debugging, and some of its
// own rules break an invariant (chapter 01, reducer semantics 7 and 8).
func (s *State) Check() []string {
	var broken []string
	for i := range invariants {
		if !invariants[i].holds(s) {
			broken = append(broken, invariants[i].name)
		}
	}
	return broken
}

func (s *State) fenceRequiresBoundRuntime() bool {
	return s.ActiveFenceToken.IsNone() || s.ActiveRuntimeID.IsSome()
}

func (s *State) runtimeGenerationRequiresBoundRuntime() bool {
	return s.ActiveRuntimeGeneration.IsNone() || s.ActiveRuntimeID.IsSome()
}

func (s *State) runtimeEpochRequiresBoundRuntime() bool {
	return s.ActiveRuntimeEpochID.IsNone() || s.ActiveRuntimeID.IsSome()
}

func (s *State) runtimeBindingIdentityIsTyped() bool {
	return s.ActiveRuntimeID.IsNone() || s.ActiveRuntimeGeneration.IsSome() || s.ActiveRuntimeEpochID.IsSome()
}

func (s *State) runningHasCurrentRun() bool {
	return s.LifecyclePhase != Running || s.CurrentRunID.IsSome()
}

func (s *State) deferredStopRequiresActiveRuntimePhase() bool {
	return !s.RuntimeStopDeferred || s.LifecyclePhase&(Running|Attached) != 0
}

func (s *State) unregisterDrainObligationsRequireDraining() bool {
	return s.RegistrationPhase == RegistrationPhaseDraining ||
		!s.UnregisterRuntimeLoopDrainPending &&
			!s.UnregisterCommsDrainExitPending &&
			!s.UnregisterCompletionWaiterDrainPending &&
			!s.UnregisterTeardownRetainsSnapshot
}

func (s *State) currentRunOnlyWhileRunningOrRetired() bool {
	return s.CurrentRunID.IsNone() || s.LifecyclePhase&(Running|Retired) != 0
}

func (s *State) currentRunHasPreRunPhase() bool {
	return s.CurrentRunID.IsNone() == s.PreRunPhase.IsNone()
}

func (s *State) stagedSurfaceOpsAreKnownAndSequenced() bool {
	// In any order: the answer is the same and sorting would cost.
	for surface := range s.SurfaceStagedOp {
		if !s.KnownSurfaces.Has(surface) || !s.SurfaceStagedIntentSequence.has(surface) {
			return false
		}
	}
	return true
}

func (s *State) stagedReloadSurfacesAreActive() bool {
	return s.ReloadStagedSurfaces.subsetOf(s.ActiveSurfaces)
}

func (s *State) peerIngressOwnerConsistency() bool {
	switch s.PeerIngressOwnerKind {
	case PeerIngressOwnerKindSessionOwned:
		return s.PeerIngressCommsRuntimeID.IsSome() && s.PeerIngressMobID.IsNone()
	case PeerIngressOwnerKindMobOwned:
		return s.PeerIngressCommsRuntimeID.IsSome() && s.PeerIngressMobID.IsSome()
	default:
		return s.PeerIngressCommsRuntimeID.IsNone() && s.PeerIngressMobID.IsNone()
	}
}

func (s *State) supervisorBindingConsistency() bool {
	return wholly(s.SupervisorBindingKind == SupervisorBindingKindBound,
		s.SupervisorBoundName, s.SupervisorBoundPeerID, s.SupervisorBoundAddress,
		s.SupervisorBoundSigningPublicKey, s.SupervisorBoundEpoch)
}

func (s *State) supervisorRevokePendingConsistency() bool {
	return wholly(s.SupervisorRevokePendingName.IsSome(),
		s.SupervisorRevokePendingName, s.SupervisorRevokePendingPeerID, s.SupervisorRevokePendingAddress,
		s.SupervisorRevokePendingSigningPublicKey, s.SupervisorRevokePendingEpoch)
}

func (s *State) supervisorPublishPendingConsistency() bool {
	return wholly(s.SupervisorPublishPendingName.IsSome(),
		s.SupervisorPublishPendingName, s.SupervisorPublishPendingPeerID, s.SupervisorPublishPendingAddress,
		s.SupervisorPublishPendingSigningPublicKey, s.SupervisorPublishPendingEpoch)
}

// wholly reports whether the five fields of a supervisor are all present, or all absent
// if present is false.
func wholly(present bool, name, peerID, address, signingPublicKey Opt[string], epoch Opt[uint64]) bool {
	return name.IsSome() == present &&
		peerID.IsSome() == present &&
		address.IsSome() == present &&
		signingPublicKey.IsSome() == present &&
		epoch.IsSome() == present
}
