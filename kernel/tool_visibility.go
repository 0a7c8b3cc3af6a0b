package kernel

import "maps"

// Chapter 05, tool visibility as a whole: what is visible now, the active half, and what
// is staged for the next turn boundary, each half a filter and deferred tools under a
// revision. tool_filters.go and deferred_tools.go change the halves bit by bit.

// BoundaryApplied says that a turn boundary took effect. Signal, chapter 05.
type BoundaryApplied struct {
	Revision uint64 `json:"revision"`
}

func (*BoundaryApplied) signal() {}

func (in *BoundaryApplied) step(k *Kernel, s *State) {
	switch {
	case k.rule("BoundaryAppliedPublish", Running, Running):

		k.emit(CommittedVisibleSetPublished{Revision: in.Revision})
	}
}

// PublishCommittedVisibleSet sets both halves at once, the active one not behind the
// staged one. Public command, chapter 05.
//
// Witnesses, the inherited filter and the capability base filter stay as they are.
type PublishCommittedVisibleSet struct {
	ActiveFilter                 ToolFilter                           `json:"active_filter"`
	StagedFilter                 ToolFilter                           `json:"staged_filter"`
	ActiveRequestedDeferredNames Set[ToolName]                        `json:"active_requested_deferred_names"`
	StagedRequestedDeferredNames Set[ToolName]                        `json:"staged_requested_deferred_names"`
	ActiveDeferredAuthorities    Map[ToolName, ToolVisibilityWitness] `json:"active_deferred_authorities"`
	StagedDeferredAuthorities    Map[ToolName, ToolVisibilityWitness] `json:"staged_deferred_authorities"`
	ActiveVisibilityRevision     uint64                               `json:"active_visibility_revision"`
	StagedVisibilityRevision     uint64                               `json:"staged_visibility_revision"`
}

func (in *PublishCommittedVisibleSet) step(k *Kernel, s *State) {
	switch {
	case k.rule("PublishCommittedVisibleSetIdle", Idle, Idle) && in.publishable(k, s):

		in.publish(k, s)

	case k.rule("PublishCommittedVisibleSetAttached", Attached, Attached) && in.publishable(k, s):

		in.publish(k, s)

	case k.rule("PublishCommittedVisibleSetRunning", Running, Running) && in.publishable(k, s):

		in.publish(k, s)

	case k.rule("PublishCommittedVisibleSetRetired", Retired, Retired) && in.publishable(k, s):

		in.publish(k, s)

	case k.rule("PublishCommittedVisibleSetStopped", Stopped, Stopped) && in.publishable(k, s):

		in.publish(k, s)
	}
}

func (in *PublishCommittedVisibleSet) publishable(k *Kernel, s *State) bool {
	return k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("active_not_behind_staged", in.ActiveVisibilityRevision >= in.StagedVisibilityRevision) &&
		k.guard("equal_revision_requires_equal_active_and_staged_input",
			equalAtEqualRevision(in.active(), in.staged())) &&
		k.guard("active_requested_subset_of_staged_requested",
			in.ActiveRequestedDeferredNames.subsetOf(in.StagedRequestedDeferredNames)) &&
		k.guard("active_deferred_authorities_cover_names",
			keysWithin(in.ActiveRequestedDeferredNames, in.ActiveDeferredAuthorities)) &&
		k.guard("staged_deferred_authorities_cover_names",
			keysWithin(in.StagedRequestedDeferredNames, in.StagedDeferredAuthorities)) &&
		k.guard("active_deferred_authorities_are_name_scoped",
			keysWithin(in.ActiveDeferredAuthorities, in.ActiveRequestedDeferredNames)) &&
		k.guard("staged_deferred_authorities_are_name_scoped",
			keysWithin(in.StagedDeferredAuthorities, in.StagedRequestedDeferredNames)) &&
		k.guard("active_deferred_authorities_have_identity",
			namesIdentified(in.ActiveRequestedDeferredNames, in.ActiveDeferredAuthorities)) &&
		k.guard("staged_deferred_authorities_have_identity",
			namesIdentified(in.StagedRequestedDeferredNames, in.StagedDeferredAuthorities)) &&
		k.guard("visibility_authority_matches_machine_catalog", s.catalogsBack(in.active(), in.staged()))
}

func (in *PublishCommittedVisibleSet) publish(k *Kernel, s *State) {
	s.setVisible(in.active(), in.staged())
	s.NextStagedVisibilityRevision = max(s.NextStagedVisibilityRevision, in.ActiveVisibilityRevision)
	k.emit(CommittedVisibleSetPublished{Revision: in.ActiveVisibilityRevision})
}

func (in *PublishCommittedVisibleSet) active() visibleHalf {
	return visibleHalf{
		in.ActiveVisibilityRevision, in.ActiveFilter,
		in.ActiveRequestedDeferredNames, in.ActiveDeferredAuthorities,
	}
}

func (in *PublishCommittedVisibleSet) staged() visibleHalf {
	return visibleHalf{
		in.StagedVisibilityRevision, in.StagedFilter,
		in.StagedRequestedDeferredNames, in.StagedDeferredAuthorities,
	}
}

// catalogsBack reports whether the catalogs, with the present filter witnesses, back all
// that both halves name.
func (s *State) catalogsBack(active, staged visibleHalf) bool {
	return filterBacked(active.filter, s.FilterVisibilityWitnesses, s.FilterVisibilityAuthorityCatalog) &&
		filterBacked(staged.filter, s.FilterVisibilityWitnesses, s.FilterVisibilityAuthorityCatalog) &&
		backed(active.authorities, s.DeferredVisibilityAuthorityCatalog) &&
		backed(staged.authorities, s.DeferredVisibilityAuthorityCatalog)
}

// ReplaceVisibilityState sets everything that decides what is visible, but for catalogs
// and overlay. Runtime-internal, chapter 05.
//
// Unlike [PublishCommittedVisibleSet] it lets the active half be behind the staged one,
// and name deferred tools the staged one does not: it also restores what was stored. The
// capability base filter is not looked up in a catalog. The guards after the third repeat
// what the second implies.
type ReplaceVisibilityState struct {
	CapabilityBaseFilter      ToolFilter                           `json:"capability_base_filter"`
	InheritedBaseFilter       ToolFilter                           `json:"inherited_base_filter"`
	ActiveFilter              ToolFilter                           `json:"active_filter"`
	StagedFilter              ToolFilter                           `json:"staged_filter"`
	ActiveRevision            uint64                               `json:"active_revision"`
	StagedRevision            uint64                               `json:"staged_revision"`
	ActiveDeferredNames       Set[ToolName]                        `json:"active_deferred_names"`
	StagedDeferredNames       Set[ToolName]                        `json:"staged_deferred_names"`
	RequestedWitnesses        Map[ToolName, ToolVisibilityWitness] `json:"requested_witnesses"`
	FilterWitnesses           Map[ToolName, ToolVisibilityWitness] `json:"filter_witnesses"`
	ActiveDeferredAuthorities Map[ToolName, ToolVisibilityWitness] `json:"active_deferred_authorities"`
	StagedDeferredAuthorities Map[ToolName, ToolVisibilityWitness] `json:"staged_deferred_authorities"`
}

func (in *ReplaceVisibilityState) step(k *Kernel, s *State) {
	switch {
	case k.rule("ReplaceVisibilityState", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("visibility_state_replacement_matches_fields", in.consistentWith(s)) &&
		k.guard("capability_base_filter_matches_current_surface",
			s.capabilityFilterReplaceable(in.CapabilityBaseFilter)) &&
		k.guard("equal_revision_requires_equal_active_and_staged_input",
			equalAtEqualRevision(in.active(), in.staged())) &&
		k.guard("active_deferred_authorities_cover_names",
			keysWithin(in.ActiveDeferredNames, in.ActiveDeferredAuthorities)) &&
		k.guard("staged_deferred_authorities_cover_names",
			keysWithin(in.StagedDeferredNames, in.StagedDeferredAuthorities)) &&
		k.guard("active_deferred_authorities_are_name_scoped",
			keysWithin(in.ActiveDeferredAuthorities, in.ActiveDeferredNames)) &&
		k.guard("staged_deferred_authorities_are_name_scoped",
			keysWithin(in.StagedDeferredAuthorities, in.StagedDeferredNames)) &&
		k.guard("active_deferred_authorities_have_identity",
			namesIdentified(in.ActiveDeferredNames, in.ActiveDeferredAuthorities)) &&
		k.guard("staged_deferred_authorities_have_identity",
			namesIdentified(in.StagedDeferredNames, in.StagedDeferredAuthorities)):

		s.CurrentSessionCapabilityBaseFilter = in.CapabilityBaseFilter.Clone()
		s.InheritedBaseFilter = in.InheritedBaseFilter.Clone()
		s.RequestedVisibilityWitnesses = in.RequestedWitnesses.Clone()
		s.FilterVisibilityWitnesses = in.FilterWitnesses.Clone()
		s.setVisible(in.active(), in.staged())
		s.NextStagedVisibilityRevision = max(s.NextStagedVisibilityRevision, in.ActiveRevision, in.StagedRevision)
	}
}

// consistentWith reports whether the parts of the replacement agree with each other and
// with the catalogs.
func (in *ReplaceVisibilityState) consistentWith(s *State) bool {
	deferred, filters := s.DeferredVisibilityAuthorityCatalog, s.FilterVisibilityAuthorityCatalog
	return equalAtEqualRevision(in.active(), in.staged()) &&
		in.requestedWithinHalves() &&
		backed(in.FilterWitnesses, filters) &&
		filterBacked(in.InheritedBaseFilter, in.FilterWitnesses, filters) &&
		filterBacked(in.ActiveFilter, in.FilterWitnesses, filters) &&
		filterBacked(in.StagedFilter, in.FilterWitnesses, filters) &&
		backed(in.RequestedWitnesses, deferred) &&
		backed(in.ActiveDeferredAuthorities, deferred) &&
		backed(in.StagedDeferredAuthorities, deferred) &&
		authoritiesMatch(in.ActiveDeferredNames, in.RequestedWitnesses, in.ActiveDeferredAuthorities) &&
		authoritiesMatch(in.StagedDeferredNames, in.RequestedWitnesses, in.StagedDeferredAuthorities)
}

// requestedWithinHalves reports whether each witness is of a tool in one of the halves.
func (in *ReplaceVisibilityState) requestedWithinHalves() bool {
	return every(in.RequestedWitnesses, func(name ToolName, _ ToolVisibilityWitness) bool {
		return in.ActiveDeferredNames.Has(name) || in.StagedDeferredNames.Has(name)
	})
}

func (in *ReplaceVisibilityState) active() visibleHalf {
	return visibleHalf{in.ActiveRevision, in.ActiveFilter, in.ActiveDeferredNames, in.ActiveDeferredAuthorities}
}

func (in *ReplaceVisibilityState) staged() visibleHalf {
	return visibleHalf{in.StagedRevision, in.StagedFilter, in.StagedDeferredNames, in.StagedDeferredAuthorities}
}

// visibleHalf is one half of what an input wants to be visible.
type visibleHalf struct {
	revision    uint64
	filter      ToolFilter
	names       Set[ToolName]
	authorities witnesses
}

// equalAtEqualRevision: a revision names one content.
func equalAtEqualRevision(a, b visibleHalf) bool {
	return a.revision != b.revision ||
		a.filter.Equal(b.filter) && a.names.Equal(b.names) && maps.Equal(a.authorities, b.authorities)
}

// setVisible copies both halves into the state.
func (s *State) setVisible(active, staged visibleHalf) {
	s.ActiveFilter = active.filter.Clone()
	s.StagedFilter = staged.filter.Clone()
	s.ActiveDeferredNames = active.names.Clone()
	s.StagedDeferredNames = staged.names.Clone()
	s.ActiveDeferredAuthorities = active.authorities.Clone()
	s.StagedDeferredAuthorities = staged.authorities.Clone()
	s.ActiveVisibilityRevision = active.revision
	s.StagedVisibilityRevision = staged.revision
}
