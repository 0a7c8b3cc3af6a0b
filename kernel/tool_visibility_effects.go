package kernel

// Chapter 05, LLM identity and tool visibility: the effects.

// CommittedVisibleSetPublished announces the revision of what is visible now.
type CommittedVisibleSetPublished struct {
	Revision uint64 `json:"revision"`
}

func (CommittedVisibleSetPublished) EffectDisposition() Disposition { return External }

// SessionLlmReconfigurePlanResolved tells the shell the accepted plan, which it now
// applies to the live session.
type SessionLlmReconfigurePlanResolved struct {
	PreviousCapabilitySurface    Opt[SessionLlmCapabilitySurface] `json:"previous_capability_surface"`
	CurrentCapabilitySurface     Opt[SessionLlmCapabilitySurface] `json:"current_capability_surface"`
	CapabilityChanged            bool                             `json:"capability_changed"`
	PreviousCapabilityBaseFilter ToolFilter                       `json:"previous_capability_base_filter"`
	CurrentCapabilityBaseFilter  ToolFilter                       `json:"current_capability_base_filter"`
	CommittedVisibleSetChanged   bool                             `json:"committed_visible_set_changed"`
	RevisionBumped               bool                             `json:"revision_bumped"`
	ActiveVisibilityRevision     uint64                           `json:"active_visibility_revision"`
}

func (SessionLlmReconfigurePlanResolved) EffectDisposition() Disposition { return Local }
