package kernel

import "maps"

// Chapter 05, LLM identity: which model the session talks to, what that model can do,
// and the plan by which both are exchanged. A model that cannot read images in tool
// results must not be offered the tool view_image, so an exchange can change what tools
// are visible.

// HydrateSessionLlmState tells the machine the identity and capabilities the host found
// the session with. Runtime-internal, chapter 05.
type HydrateSessionLlmState struct {
	CurrentIdentity                SessionLlmIdentity                `json:"current_identity"`
	CurrentCapabilitySurface       Opt[SessionLlmCapabilitySurface]  `json:"current_capability_surface"`
	CurrentCapabilitySurfaceStatus SessionLlmCapabilitySurfaceStatus `json:"current_capability_surface_status"`
	CurrentCapabilityBaseFilter    ToolFilter                        `json:"current_capability_base_filter"`
}

func (in *HydrateSessionLlmState) step(k *Kernel, s *State) {
	switch {
	case k.rule("HydrateSessionLlmStateIdle", Idle, Idle) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("capability_base_filter_matches_surface", in.filterMatchesSurface()):

		in.hydrate(s)

	case k.rule("HydrateSessionLlmStateAttached", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("runtime_is_bound", s.ActiveRuntimeID.IsSome()) &&
		k.guard("capability_base_filter_matches_surface", in.filterMatchesSurface()):

		in.hydrate(s)

	case k.rule("HydrateSessionLlmStateRunning", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("runtime_is_bound", s.ActiveRuntimeID.IsSome()) &&
		k.guard("capability_base_filter_matches_surface", in.filterMatchesSurface()):

		in.hydrate(s)
	}
}

// filterMatchesSurface: an unresolved status has no surface and filters nothing.
func (in *HydrateSessionLlmState) filterMatchesSurface() bool {
	surface, known := in.CurrentCapabilitySurface.Get()
	if in.CurrentCapabilitySurfaceStatus == SessionLlmCapabilitySurfaceStatusResolved {
		return known && surface.demands(in.CurrentCapabilityBaseFilter)
	}
	return !known && in.CurrentCapabilityBaseFilter.Kind == FilterAll
}

func (in *HydrateSessionLlmState) hydrate(s *State) {
	s.CurrentSessionLlmIdentity = Some(in.CurrentIdentity)
	s.CurrentSessionCapabilitySurface = in.CurrentCapabilitySurface
	s.CurrentSessionCapabilitySurfaceStatus = in.CurrentCapabilitySurfaceStatus
	s.CurrentSessionCapabilityBaseFilter = in.CurrentCapabilityBaseFilter.Clone()
}

// ReconfigureSessionLlmIdentity moves the session to another model by a plan that the
// caller has worked out whole; the machine only judges it. Public command, chapter 05.
//
// The previous visibility state is judged by itself and against the machine's capability
// base filter, not against the machine's other visibility fields. Those are not written
// either: the shell follows with [ReplaceVisibilityState].
type ReconfigureSessionLlmIdentity struct {
	PreviousIdentity                 SessionLlmIdentity                `json:"previous_identity"`
	PreviousVisibilityState          SessionToolVisibilityState        `json:"previous_visibility_state"`
	PreviousCapabilitySurface        Opt[SessionLlmCapabilitySurface]  `json:"previous_capability_surface"`
	PreviousCapabilitySurfaceStatus  SessionLlmCapabilitySurfaceStatus `json:"previous_capability_surface_status"`
	PreviousCapabilityBaseFilter     ToolFilter                        `json:"previous_capability_base_filter"`
	ViewImageToolAvailable           bool                              `json:"view_image_tool_available"`
	PreviousViewImageVisible         bool                              `json:"previous_view_image_visible"`
	NextViewImageVisible             bool                              `json:"next_view_image_visible"`
	PreviousActiveVisibilityRevision uint64                            `json:"previous_active_visibility_revision"`
	PreviousStagedVisibilityRevision uint64                            `json:"previous_staged_visibility_revision"`
	TargetIdentity                   SessionLlmIdentity                `json:"target_identity"`
	TargetCapabilitySurface          SessionLlmCapabilitySurface       `json:"target_capability_surface"`
	NextVisibilityState              SessionToolVisibilityState        `json:"next_visibility_state"`
	NextCapabilityBaseFilter         ToolFilter                        `json:"next_capability_base_filter"`
	NextActiveVisibilityRevision     uint64                            `json:"next_active_visibility_revision"`
	ToolVisibilityDelta              SessionToolVisibilityDelta        `json:"tool_visibility_delta"`
}

func (in *ReconfigureSessionLlmIdentity) step(k *Kernel, s *State) {
	switch {
	case k.rule("ReconfigureSessionLlmIdentityAttached", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("runtime_is_bound", s.ActiveRuntimeID.IsSome()) &&
		in.planFits(k, s):

		in.reconfigure(k, s)

	case k.rule("ReconfigureSessionLlmIdentityRunning", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("runtime_is_bound", s.ActiveRuntimeID.IsSome()) &&
		in.planFits(k, s):

		in.reconfigure(k, s)

	case k.rule("ReconfigureSessionLlmIdentityIdle", Idle, Idle) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		in.planFits(k, s):

		in.reconfigure(k, s)
	}
}

func (in *ReconfigureSessionLlmIdentity) planFits(k *Kernel, s *State) bool {
	return k.guard("previous_identity_matches_current",
		s.CurrentSessionLlmIdentity.Is(in.PreviousIdentity)) &&
		k.guard("previous_capability_surface_matches_current",
			s.CurrentSessionCapabilitySurface == in.PreviousCapabilitySurface) &&
		k.guard("previous_capability_surface_status_matches_current",
			s.CurrentSessionCapabilitySurfaceStatus == in.PreviousCapabilitySurfaceStatus) &&
		k.guard("previous_capability_base_filter_matches_current",
			s.CurrentSessionCapabilityBaseFilter.Equal(in.PreviousCapabilityBaseFilter)) &&
		k.guard("next_capability_base_filter_matches_target",
			in.TargetCapabilitySurface.demands(in.NextCapabilityBaseFilter)) &&
		k.guard("visibility_reconfigure_plan_matches", in.planConsistent())
}

// planConsistent reports whether the parts of the plan agree: only the capability base
// filter and the active revision may differ between the two states, and the revision
// moves if, and only if, view_image appears or disappears.
func (in *ReconfigureSessionLlmIdentity) planConsistent() bool {
	previous, next, delta := &in.PreviousVisibilityState, &in.NextVisibilityState, &in.ToolVisibilityDelta
	return previous.CapabilityBaseFilter.Equal(in.PreviousCapabilityBaseFilter) &&
		next.CapabilityBaseFilter.Equal(in.NextCapabilityBaseFilter) &&
		previous.sameBesidesCapability(next) &&
		previous.ActiveRevision == in.PreviousActiveVisibilityRevision &&
		previous.StagedRevision == in.PreviousStagedVisibilityRevision &&
		next.ActiveRevision == in.NextActiveVisibilityRevision &&
		in.PreviousViewImageVisible == (in.ViewImageToolAvailable && previous.allowsViewImage()) &&
		in.NextViewImageVisible == (in.ViewImageToolAvailable && next.allowsViewImage()) &&
		in.NextActiveVisibilityRevision == in.demandedRevision() &&
		delta.PreviousCapabilityBaseFilter.Equal(in.PreviousCapabilityBaseFilter) &&
		delta.CurrentCapabilityBaseFilter.Equal(in.NextCapabilityBaseFilter) &&
		delta.CommittedVisibleSetChanged == in.visibleSetChanged() &&
		delta.RevisionBumped == in.visibleSetChanged()
}

func (in *ReconfigureSessionLlmIdentity) visibleSetChanged() bool {
	return in.PreviousViewImageVisible != in.NextViewImageVisible
}

// demandedRevision lies above both present revisions if the visible set changes. The
// active half may so run ahead of the staged one, until the next boundary.
func (in *ReconfigureSessionLlmIdentity) demandedRevision() uint64 {
	if in.visibleSetChanged() {
		return max(in.PreviousActiveVisibilityRevision, in.PreviousStagedVisibilityRevision) + 1
	}
	return in.PreviousActiveVisibilityRevision
}

func (in *ReconfigureSessionLlmIdentity) reconfigure(k *Kernel, s *State) {
	target, changed := Some(in.TargetCapabilitySurface), in.visibleSetChanged()
	s.CurrentSessionLlmIdentity = Some(in.TargetIdentity)
	s.CurrentSessionCapabilitySurface = target
	s.CurrentSessionCapabilitySurfaceStatus = SessionLlmCapabilitySurfaceStatusResolved
	s.CurrentSessionCapabilityBaseFilter = in.NextCapabilityBaseFilter.Clone()
	s.SessionLlmReconfigurePreviousCapabilitySurface = in.PreviousCapabilitySurface
	s.SessionLlmReconfigureCurrentCapabilitySurface = target
	s.SessionLlmReconfigureCapabilityChanged = in.PreviousCapabilitySurface != target
	s.SessionLlmReconfigurePreviousCapabilityBaseFilter = in.PreviousCapabilityBaseFilter.Clone()
	s.SessionLlmReconfigureCurrentCapabilityBaseFilter = in.NextCapabilityBaseFilter.Clone()
	s.SessionLlmReconfigureCommittedVisibleSetChanged = changed
	s.SessionLlmReconfigureRevisionBumped = changed
	s.SessionLlmReconfigureActiveVisibilityRevision = in.NextActiveVisibilityRevision
	k.emit(SessionLlmReconfigurePlanResolved{
		PreviousCapabilitySurface:    s.SessionLlmReconfigurePreviousCapabilitySurface,
		CurrentCapabilitySurface:     s.SessionLlmReconfigureCurrentCapabilitySurface,
		CapabilityChanged:            s.SessionLlmReconfigureCapabilityChanged,
		PreviousCapabilityBaseFilter: s.SessionLlmReconfigurePreviousCapabilityBaseFilter.Clone(),
		CurrentCapabilityBaseFilter:  s.SessionLlmReconfigureCurrentCapabilityBaseFilter.Clone(),
		CommittedVisibleSetChanged:   s.SessionLlmReconfigureCommittedVisibleSetChanged,
		RevisionBumped:               s.SessionLlmReconfigureRevisionBumped,
		ActiveVisibilityRevision:     s.SessionLlmReconfigureActiveVisibilityRevision,
	})
}

// ClearSessionLlmState forgets identity, capabilities and the last plan. It is the last
// resort when a failed reconfigure could not be rolled back. Runtime-internal, chapter 05.
type ClearSessionLlmState struct{}

func (in *ClearSessionLlmState) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClearSessionLlmStateIdle", Idle, Idle) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.clearLlm()

	case k.rule("ClearSessionLlmStateAttached", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.clearLlm()

	case k.rule("ClearSessionLlmStateRunning", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.clearLlm()
	}
}

// clearLlm is CLEAR_LLM of chapter 01: registering another session and unregistering
// forget the same. The visibility and routing fields survive both.
func (s *State) clearLlm() {
	s.CurrentSessionLlmIdentity = None[SessionLlmIdentity]()
	s.CurrentSessionCapabilitySurface = None[SessionLlmCapabilitySurface]()
	s.CurrentSessionCapabilitySurfaceStatus = SessionLlmCapabilitySurfaceStatusUnresolved
	s.CurrentSessionCapabilityBaseFilter = ToolFilter{}
	s.SessionLlmReconfigurePreviousCapabilitySurface = None[SessionLlmCapabilitySurface]()
	s.SessionLlmReconfigureCurrentCapabilitySurface = None[SessionLlmCapabilitySurface]()
	s.SessionLlmReconfigureCapabilityChanged = false
	s.SessionLlmReconfigurePreviousCapabilityBaseFilter = ToolFilter{}
	s.SessionLlmReconfigureCurrentCapabilityBaseFilter = ToolFilter{}
	s.SessionLlmReconfigureCommittedVisibleSetChanged = false
	s.SessionLlmReconfigureRevisionBumped = false
	s.SessionLlmReconfigureActiveVisibilityRevision = 0
}

// capabilityFilterReplaceable reports whether next may take the place of the capability
// base filter: it must be what the surface demands, and stay if that is not known.
func (s *State) capabilityFilterReplaceable(next ToolFilter) bool {
	if s.CurrentSessionCapabilitySurfaceStatus == SessionLlmCapabilitySurfaceStatusResolved {
		surface, known := s.CurrentSessionCapabilitySurface.Get()
		return known && surface.demands(next)
	}
	return next.Equal(s.CurrentSessionCapabilityBaseFilter)
}

// viewImage is the one tool that capabilities decide about.
const viewImage ToolName = "view_image"

// demands reports whether f is the base filter that follows from the capabilities.
func (c SessionLlmCapabilitySurface) demands(f ToolFilter) bool {
	if c.ImageToolResults {
		return f.Kind == FilterAll
	}
	return f.Kind == FilterDeny && len(f.Names) == 1 && f.Names.Has(viewImage)
}

// allows reports whether the filter lets the tool through.
func (f ToolFilter) allows(name ToolName) bool {
	switch f.Kind {
	case FilterAllow:
		return f.Names.Has(name)
	case FilterDeny:
		return !f.Names.Has(name)
	default:
		return true
	}
}

// allowsViewImage does not consult the staged filter: it is not in force.
func (v *SessionToolVisibilityState) allowsViewImage() bool {
	return v.CapabilityBaseFilter.allows(viewImage) &&
		v.InheritedBaseFilter.allows(viewImage) &&
		v.ActiveFilter.allows(viewImage)
}

// sameBesidesCapability compares all but the capability base filter and the active
// revision, which a reconfigure may change.
func (v *SessionToolVisibilityState) sameBesidesCapability(w *SessionToolVisibilityState) bool {
	return v.InheritedBaseFilter.Equal(w.InheritedBaseFilter) &&
		v.ActiveFilter.Equal(w.ActiveFilter) &&
		v.StagedFilter.Equal(w.StagedFilter) &&
		v.ActiveRequestedDeferredNames.Equal(w.ActiveRequestedDeferredNames) &&
		v.StagedRequestedDeferredNames.Equal(w.StagedRequestedDeferredNames) &&
		v.StagedRevision == w.StagedRevision &&
		maps.Equal(v.RequestedWitnesses, w.RequestedWitnesses) &&
		maps.Equal(v.FilterWitnesses, w.FilterWitnesses)
}
