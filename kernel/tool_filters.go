package kernel

// Chapter 05, tool visibility: the filters and the overlay of one turn.
//
// A filter is staged, under the next revision, and committed at the turn boundary. Each
// name in it must be backed by the filter catalog, at staging and again at commit, since
// the catalog may have been replaced in between.

// StagePersistentFilter changes nothing. The command of this name is routed to
// [StageVisibilityFilter]. Public command, chapter 05.
type StagePersistentFilter struct {
	Filter    ToolFilter                           `json:"filter"`
	Witnesses Map[ToolName, ToolVisibilityWitness] `json:"witnesses"`
}

func (in *StagePersistentFilter) step(k *Kernel, s *State) {
	switch {
	case k.rule("StagePersistentFilter", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):
	}
}

// StageVisibilityFilter stages the filter of the next turn. Witnesses replaces all filter
// witnesses, so it must still back the active filter. Runtime-internal, chapter 05.
//
// The third guard looks at the new filter, whatever its name says. The inherited filter
// is not looked at.
type StageVisibilityFilter struct {
	Filter    ToolFilter                           `json:"filter"`
	Witnesses Map[ToolName, ToolVisibilityWitness] `json:"witnesses"`
}

func (in *StageVisibilityFilter) step(k *Kernel, s *State) {
	switch {
	case k.rule("StageVisibilityFilter", registered5, Stay) &&
		k.guard("filter_witnesses_match_machine_catalog",
			backed(in.Witnesses, s.FilterVisibilityAuthorityCatalog)) &&
		k.guard("active_filter_has_machine_catalog_witnesses",
			filterBacked(s.ActiveFilter, in.Witnesses, s.FilterVisibilityAuthorityCatalog)) &&
		k.guard("staged_filter_has_machine_catalog_witnesses",
			filterBacked(in.Filter, in.Witnesses, s.FilterVisibilityAuthorityCatalog)):

		s.NextStagedVisibilityRevision++
		s.StagedFilter = in.Filter.Clone()
		s.FilterVisibilityWitnesses = in.Witnesses.Clone()
		s.StagedVisibilityRevision = s.NextStagedVisibilityRevision
		k.emit(RefreshVisibleSurfaceSet{SnapshotEpoch: s.SnapshotEpoch})
	}
}

// CommitVisibilityFilter makes the staged filter the active one; the caller must know
// which that is. Runtime-internal, chapter 05.
//
// The active revision is set and not raised: if it ran ahead of the staged one after a
// reconfigure, the commit takes it back.
type CommitVisibilityFilter struct {
	Filter   ToolFilter `json:"filter"`
	Revision uint64     `json:"revision"`
}

func (in *CommitVisibilityFilter) step(k *Kernel, s *State) {
	switch {
	case k.rule("CommitVisibilityFilter", registered5, Stay) &&
		k.guard("filter_matches_machine_staged_filter", in.Filter.Equal(s.StagedFilter)) &&
		k.guard("revision_matches_machine_staged_revision", in.Revision == s.StagedVisibilityRevision) &&
		k.guard("staged_filter_witnesses_match_machine_catalog",
			backed(s.FilterVisibilityWitnesses, s.FilterVisibilityAuthorityCatalog) &&
				filterBacked(s.StagedFilter, s.FilterVisibilityWitnesses, s.FilterVisibilityAuthorityCatalog)):

		s.ActiveFilter = in.Filter.Clone()
		s.ActiveVisibilityRevision = in.Revision
		k.emit(RefreshVisibleSurfaceSet{SnapshotEpoch: s.SnapshotEpoch})
	}
}

// ReplaceFilterToolAuthorityCatalog sets which tools a filter or an overlay may name.
// Every name in use must be in it. Runtime-internal, chapter 05.
//
// The stored filter witnesses are not compared. If they differ from the new catalog, the
// next [CommitVisibilityFilter] is refused.
type ReplaceFilterToolAuthorityCatalog struct {
	Catalog Map[ToolName, ToolVisibilityWitness] `json:"catalog"`
}

func (in *ReplaceFilterToolAuthorityCatalog) step(k *Kernel, s *State) {
	switch {
	case k.rule("ReplaceFilterToolAuthorityCatalog", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("filter_authority_catalog_has_identity", allIdentified(in.Catalog)) &&
		k.guard("capability_base_filter_matches_generated_llm_surface",
			s.capabilityFilterReplaceable(s.CurrentSessionCapabilityBaseFilter)) &&
		k.guard("inherited_filter_matches_replacement_catalog",
			filterBacked(s.InheritedBaseFilter, in.Catalog, in.Catalog)) &&
		k.guard("active_filter_matches_replacement_catalog",
			filterBacked(s.ActiveFilter, in.Catalog, in.Catalog)) &&
		k.guard("staged_filter_matches_replacement_catalog",
			filterBacked(s.StagedFilter, in.Catalog, in.Catalog)) &&
		k.guard("turn_overlay_allow_matches_replacement_catalog",
			namesIdentified(s.TurnToolOverlayAllowNames, in.Catalog)) &&
		k.guard("turn_overlay_deny_matches_replacement_catalog",
			namesIdentified(s.TurnToolOverlayDenyNames, in.Catalog)):

		s.FilterVisibilityAuthorityCatalog = in.Catalog.Clone()
	}
}

// SetTurnToolOverlay narrows the tools for one turn. An allow list that is in force may
// be empty; one that is not must be. Runtime-internal, chapter 05.
type SetTurnToolOverlay struct {
	AllowActive bool          `json:"allow_active"`
	AllowNames  Set[ToolName] `json:"allow_names"`
	DenyNames   Set[ToolName] `json:"deny_names"`
}

func (in *SetTurnToolOverlay) step(k *Kernel, s *State) {
	switch {
	case k.rule("SetTurnToolOverlay", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("inactive_allow_carries_no_names", in.AllowActive || len(in.AllowNames) == 0) &&
		k.guard("allow_names_match_filter_authority_catalog",
			namesIdentified(in.AllowNames, s.FilterVisibilityAuthorityCatalog)) &&
		k.guard("deny_names_match_filter_authority_catalog",
			namesIdentified(in.DenyNames, s.FilterVisibilityAuthorityCatalog)):

		s.TurnToolOverlayAllowActive = in.AllowActive
		s.TurnToolOverlayAllowNames = in.AllowNames.Clone()
		s.TurnToolOverlayDenyNames = in.DenyNames.Clone()
	}
}

// ClearTurnToolOverlay ends the overlay. Runtime-internal, chapter 05.
type ClearTurnToolOverlay struct{}

func (in *ClearTurnToolOverlay) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClearTurnToolOverlay", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		s.TurnToolOverlayAllowActive = false
		s.TurnToolOverlayAllowNames = nil
		s.TurnToolOverlayDenyNames = nil
	}
}
