package kernel

import "maps"

// Chapter 05, tool visibility: deferred tools, which the model sees only once it has
// asked for them. They are staged, and committed right after the filter; the revision
// moves with the filter alone.

// RequestDeferredTools stages the deferred tools of the next turn. Authorities is the
// whole new set, not what is added; nothing live or staged may be missing from it, so the
// set only grows. Public command, chapter 05.
//
// Unlike the other staging inputs it emits nothing.
type RequestDeferredTools struct {
	Authorities Map[ToolName, ToolVisibilityWitness] `json:"authorities"`
}

func (in *RequestDeferredTools) step(k *Kernel, s *State) {
	switch {
	case k.rule("RequestDeferredTools", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("deferred_authorities_non_empty", len(in.Authorities) > 0) &&
		k.guard("deferred_authorities_have_identity", allIdentified(in.Authorities)) &&
		k.guard("deferred_authorities_match_machine_catalog",
			backed(in.Authorities, s.DeferredVisibilityAuthorityCatalog)) &&
		k.guard("existing_requested_witness_preserved", s.liveWitnessesHeldBy(in.Authorities)) &&
		k.guard("existing_staged_authority_preserved", heldBy(s.StagedDeferredAuthorities, in.Authorities)):

		s.NextStagedVisibilityRevision++
		s.StagedDeferredNames = keySet(in.Authorities)
		s.RequestedVisibilityWitnesses = in.Authorities.Clone()
		s.StagedDeferredAuthorities = in.Authorities.Clone()
		s.StagedVisibilityRevision = s.NextStagedVisibilityRevision
	}
}

// StageDeferredNames drops all staged deferred tools: only the empty set is accepted.
// While deferred tools are active their witnesses stay. Runtime-internal, chapter 05.
type StageDeferredNames struct {
	Names Set[ToolName] `json:"names"`
}

func (in *StageDeferredNames) step(k *Kernel, s *State) {
	switch {
	case k.rule("StageDeferredNames", registered5, Stay) &&
		k.guard("deferred_names_empty", len(in.Names) == 0):

		s.NextStagedVisibilityRevision++
		s.StagedDeferredNames = nil
		if len(s.ActiveDeferredNames) == 0 {
			s.RequestedVisibilityWitnesses = nil
		}
		s.StagedDeferredAuthorities = nil
		s.StagedVisibilityRevision = s.NextStagedVisibilityRevision
		k.emit(RefreshVisibleSurfaceSet{SnapshotEpoch: s.SnapshotEpoch})
	}
}

// CommitDeferredNames makes the staged deferred tools the active ones; the caller must
// know which those are. [CommitVisibilityFilter] has moved the revision before.
// Runtime-internal, chapter 05.
type CommitDeferredNames struct {
	Authorities Map[ToolName, ToolVisibilityWitness] `json:"authorities"`
}

func (in *CommitDeferredNames) step(k *Kernel, s *State) {
	switch {
	case k.rule("CommitDeferredNames", registered5, Stay) &&
		k.guard("authorities_match_machine_staged_authorities",
			maps.Equal(in.Authorities, s.StagedDeferredAuthorities)) &&
		k.guard("authority_names_match_machine_staged_names",
			sameKeys(in.Authorities, s.StagedDeferredNames)) &&
		k.guard("deferred_authorities_have_identity", allIdentified(in.Authorities)) &&
		k.guard("deferred_authorities_match_machine_catalog",
			backed(in.Authorities, s.DeferredVisibilityAuthorityCatalog)):

		s.ActiveDeferredNames = keySet(in.Authorities)
		s.ActiveDeferredAuthorities = in.Authorities.Clone()
		k.emit(RefreshVisibleSurfaceSet{SnapshotEpoch: s.SnapshotEpoch})
	}
}

// ReplaceDeferredToolAuthorityCatalog sets which deferred tools the host offers. Every
// deferred tool in use must be in it, with the same witness. Runtime-internal, chapter 05.
type ReplaceDeferredToolAuthorityCatalog struct {
	Catalog Map[ToolName, ToolVisibilityWitness] `json:"catalog"`
}

func (in *ReplaceDeferredToolAuthorityCatalog) step(k *Kernel, s *State) {
	switch {
	case k.rule("ReplaceDeferredToolAuthorityCatalog", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("deferred_authority_catalog_has_identity", allIdentified(in.Catalog)) &&
		k.guard("active_deferred_authorities_match_replacement_catalog",
			backed(s.ActiveDeferredAuthorities, in.Catalog)) &&
		k.guard("staged_deferred_authorities_match_replacement_catalog",
			backed(s.StagedDeferredAuthorities, in.Catalog)) &&
		k.guard("requested_witnesses_match_live_replacement_catalog", s.liveWitnessesBackedBy(in.Catalog)):

		s.DeferredVisibilityAuthorityCatalog = in.Catalog.Clone()
	}
}

// liveWitnessesHeldBy reports whether w has the witness of every requested tool that is
// active or staged. Others may have been left behind by [StageDeferredNames].
func (s *State) liveWitnessesHeldBy(w witnesses) bool {
	return every(s.RequestedVisibilityWitnesses, func(name ToolName, witness ToolVisibilityWitness) bool {
		return !s.deferredLive(name) || holds(w, name, witness)
	})
}

// liveWitnessesBackedBy asks for the identity of those witnesses too.
func (s *State) liveWitnessesBackedBy(catalog witnesses) bool {
	return every(s.RequestedVisibilityWitnesses, func(name ToolName, witness ToolVisibilityWitness) bool {
		return !s.deferredLive(name) || witness.identified() && holds(catalog, name, witness)
	})
}

func (s *State) deferredLive(name ToolName) bool {
	return s.ActiveDeferredNames.Has(name) || s.StagedDeferredNames.Has(name)
}
