package kernel

// Chapter 05, tool visibility: the types. The first variant of an enum is its zero value.

// ToolName names a tool, as the model calls it.
type ToolName string

// ToolSourceKind is the kind of place a tool comes from.
type ToolSourceKind uint8

const (
	ToolSourceKindBuiltin ToolSourceKind = iota
	ToolSourceKindShell
	ToolSourceKindComms
	ToolSourceKindMemory
	ToolSourceKindSchedule
	ToolSourceKindWorkGraph
	ToolSourceKindMob
	ToolSourceKindCallback
	ToolSourceKindMcp
	ToolSourceKindRustBundle
)

// ToolProvenance is the place a tool comes from.
type ToolProvenance struct {
	Kind     ToolSourceKind `json:"kind"`
	SourceID string         `json:"source_id"`
}

// ToolVisibilityWitness records where a tool was last seen to come from. One without a
// provenance proves nothing.
type ToolVisibilityWitness struct {
	LastSeenProvenance Opt[ToolProvenance] `json:"last_seen_provenance"`
}

// SessionToolVisibilityState is all that decides what tools are visible, as an owner
// outside the machine keeps it. It occurs in inputs only: the state holds the parts.
type SessionToolVisibilityState struct {
	CapabilityBaseFilter         ToolFilter                           `json:"capability_base_filter"`
	InheritedBaseFilter          ToolFilter                           `json:"inherited_base_filter"`
	ActiveFilter                 ToolFilter                           `json:"active_filter"`
	StagedFilter                 ToolFilter                           `json:"staged_filter"`
	ActiveRequestedDeferredNames Set[ToolName]                        `json:"active_requested_deferred_names"`
	StagedRequestedDeferredNames Set[ToolName]                        `json:"staged_requested_deferred_names"`
	ActiveRevision               uint64                               `json:"active_revision"`
	StagedRevision               uint64                               `json:"staged_revision"`
	RequestedWitnesses           Map[ToolName, ToolVisibilityWitness] `json:"requested_witnesses"`
	FilterWitnesses              Map[ToolName, ToolVisibilityWitness] `json:"filter_witnesses"`
}

// SessionToolVisibilityDelta is what a reconfigure changes in what is visible.
type SessionToolVisibilityDelta struct {
	PreviousCapabilityBaseFilter ToolFilter `json:"previous_capability_base_filter"`
	CurrentCapabilityBaseFilter  ToolFilter `json:"current_capability_base_filter"`
	CommittedVisibleSetChanged   bool       `json:"committed_visible_set_changed"`
	RevisionBumped               bool       `json:"revision_bumped"`
}
