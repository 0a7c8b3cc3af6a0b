package session

import (
	"fmt"
	"maps"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// visibilityCommands are chapter 05's on what tools are visible, and ours by which the
// host of the tools says what it offers.
var visibilityCommands = map[string]handler{
	"stage_persistent_filter":       (*Session).stageFilterCommand,
	"request_deferred_tools":        (*Session).requestToolsCommand,
	"publish_committed_visible_set": (*Session).publishVisibleCommand,
	"replace_tool_catalogs":         (*Session).replaceCatalogsCommand,
}

var visibilityQuestions = map[string]question{
	"visibility": func(v *View, _ jsontext.Value) (any, error) { return v.Visibility(), nil },
}

// witnesses say where each of some tools comes from.
type witnesses = kernel.Map[kernel.ToolName, kernel.ToolVisibilityWitness]

// visibilityRevision is the report VisibilityRevision of the command table.
type visibilityRevision struct {
	StagedVisibilityRevision uint64 `json:"staged_visibility_revision"`
}

// VisibilityReport is the answer to the query "visibility" and the report of a publish.
type VisibilityReport struct {
	VisibilityState kernel.SessionToolVisibilityState `json:"visibility_state"`
}

// Visibility is what decides which tools are visible: filters, deferred tools, witnesses,
// each half under its revision (chapter 05, visibility owner).
func (v *View) Visibility() VisibilityReport {
	return VisibilityReport{visibilityState(v.s.kernel.State())}
}

// stageFilterCommand stages a filter for the next turn boundary. It goes to the input
// StageVisibilityFilter; the machine's input of the command's own name changes nothing
// (chapter 05, visibility owner).
func (s *Session) stageFilterCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		Filter    *kernel.ToolFilter `json:"filter"`
		Witnesses witnesses          `json:"witnesses"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.Filter == nil {
		return nil, missing("filter")
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	err := s.tryAs(rejectInternal, &kernel.StageVisibilityFilter{
		Filter: *arg.Filter, Witnesses: overlaid(s.kernel.State().FilterVisibilityWitnesses, arg.Witnesses),
	}, c)
	return s.stagedRevision(), err
}

// requestToolsCommand asks for more deferred tools to be loaded at the next turn boundary.
func (s *Session) requestToolsCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		Authorities witnesses `json:"authorities"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if len(arg.Authorities) == 0 {
		return nil, &FieldError{"data.authorities", "names no tool"}
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	// The machine wants the whole set: deferred tools only grow.
	err := s.tryAs(rejectInternal, &kernel.RequestDeferredTools{
		Authorities: overlaid(s.kernel.State().StagedDeferredAuthorities, arg.Authorities),
	}, c)
	return s.stagedRevision(), err
}

func (s *Session) stagedRevision() visibilityRevision {
	return visibilityRevision{s.kernel.State().StagedVisibilityRevision}
}

// publishVisibleCommand sets both halves at once. What the command does not give stays as
// it is.
func (s *Session) publishVisibleCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		VisibilityState *kernel.SessionToolVisibilityState `json:"visibility_state"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if arg.VisibilityState == nil {
		return nil, missing("visibility_state")
	}
	present := visibilityState(s.kernel.State())
	arg.VisibilityState = &present
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	v := arg.VisibilityState
	replace := replacement(v)
	r := s.rehearse()
	err := r.takeAs(rejectValidation, &kernel.PublishCommittedVisibleSet{
		ActiveFilter: v.ActiveFilter, StagedFilter: v.StagedFilter,
		ActiveRequestedDeferredNames: v.ActiveRequestedDeferredNames,
		StagedRequestedDeferredNames: v.StagedRequestedDeferredNames,
		ActiveDeferredAuthorities:    replace.ActiveDeferredAuthorities,
		StagedDeferredAuthorities:    replace.StagedDeferredAuthorities,
		ActiveVisibilityRevision:     v.ActiveRevision, StagedVisibilityRevision: v.StagedRevision,
	})
	if err != nil {
		return nil, err
	}
	if err := r.takeAs(rejectInternal, replace); err != nil {
		return nil, err
	}
	s.perform(r, c)
	return VisibilityReport{visibilityState(s.kernel.State())}, nil
}

// replaceCatalogsCommand takes what the host of the tools offers and makes the two
// authority catalogs of it, as every turn boundary of the reference does (chapter 05,
// turn boundary, steps 3 and 4).
func (s *Session) replaceCatalogsCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		Tools map[kernel.ToolName]struct {
			Provenance *kernel.ToolProvenance `json:"provenance"`
			Deferrable bool                   `json:"deferrable"`
		} `json:"tools"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.Tools == nil {
		return nil, missing("tools")
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	deferred, filters := identified(st.RequestedVisibilityWitnesses), witnesses{}
	for name, tool := range arg.Tools {
		if tool.Provenance == nil {
			return nil, &FieldError{fmt.Sprintf("data.tools.%s.provenance", name), "is missing"}
		}
		w := kernel.ToolVisibilityWitness{LastSeenProvenance: kernel.Some(*tool.Provenance)}
		filters[name] = w
		if _, requested := deferred[name]; tool.Deferrable && !requested {
			deferred[name] = w
		}
	}
	// A tool that a filter names keeps its place, offered or not.
	kept := identified(st.FilterVisibilityWitnesses)
	for _, f := range []kernel.ToolFilter{st.InheritedBaseFilter, st.ActiveFilter, st.StagedFilter} {
		for name := range f.Names {
			w, known := kept[name]
			if _, offered := filters[name]; known && !offered {
				filters[name] = w
			}
		}
	}
	r := s.rehearse()
	if err := r.takeAs(rejectInternal, &kernel.ReplaceDeferredToolAuthorityCatalog{Catalog: deferred}); err != nil {
		return nil, err
	}
	if err := r.takeAs(rejectInternal, &kernel.ReplaceFilterToolAuthorityCatalog{Catalog: filters}); err != nil {
		return nil, err
	}
	s.perform(r, c)
	return catalogReport{len(deferred), len(filters)}, nil
}

// catalogReport counts the tools of each catalog.
type catalogReport struct {
	Deferred int `json:"deferred"`
	Filter   int `json:"filter"`
}

// crossBoundary puts in force what is staged, as a turn does before it calls a model
// (chapter 05, turn boundary). The halves are equal when their revisions are, so a
// session that stages nothing pays nothing. What the catalogs no longer back stays
// staged.
func (s *Session) crossBoundary(c cause) {
	st := s.kernel.State()
	if st.ActiveVisibilityRevision == st.StagedVisibilityRevision {
		return
	}
	filter := &kernel.CommitVisibilityFilter{Filter: st.StagedFilter, Revision: st.StagedVisibilityRevision}
	if o := s.apply(filter, c); !o.OK() {
		s.log.Warn("staged tool filter not committed", "refusal", o.Refusal.String())
		return
	}
	if o := s.apply(&kernel.CommitDeferredNames{Authorities: st.StagedDeferredAuthorities}, c); !o.OK() {
		s.log.Warn("staged deferred tools not committed", "refusal", o.Refusal.String())
	}
}

// visibilityState reads the owner's projection off the machine.
func visibilityState(st *kernel.State) kernel.SessionToolVisibilityState {
	return kernel.SessionToolVisibilityState{
		CapabilityBaseFilter: st.CurrentSessionCapabilityBaseFilter, InheritedBaseFilter: st.InheritedBaseFilter,
		ActiveFilter: st.ActiveFilter, StagedFilter: st.StagedFilter,
		ActiveRequestedDeferredNames: st.ActiveDeferredNames, StagedRequestedDeferredNames: st.StagedDeferredNames,
		ActiveRevision: st.ActiveVisibilityRevision, StagedRevision: st.StagedVisibilityRevision,
		RequestedWitnesses: st.RequestedVisibilityWitnesses, FilterWitnesses: st.FilterVisibilityWitnesses,
	}
}

// replacement is the input that makes v the session's. A deferred tool without a witness
// gets no authority; the machine then refuses it.
func replacement(v *kernel.SessionToolVisibilityState) *kernel.ReplaceVisibilityState {
	return &kernel.ReplaceVisibilityState{
		CapabilityBaseFilter: v.CapabilityBaseFilter, InheritedBaseFilter: v.InheritedBaseFilter,
		ActiveFilter: v.ActiveFilter, StagedFilter: v.StagedFilter,
		ActiveRevision: v.ActiveRevision, StagedRevision: v.StagedRevision,
		ActiveDeferredNames: v.ActiveRequestedDeferredNames, StagedDeferredNames: v.StagedRequestedDeferredNames,
		RequestedWitnesses: v.RequestedWitnesses, FilterWitnesses: v.FilterWitnesses,
		ActiveDeferredAuthorities: authorities(v.ActiveRequestedDeferredNames, v.RequestedWitnesses),
		StagedDeferredAuthorities: authorities(v.StagedRequestedDeferredNames, v.RequestedWitnesses),
	}
}

func authorities(names kernel.Set[kernel.ToolName], w witnesses) witnesses {
	out := witnesses{}
	for name := range names {
		if witness, ok := w[name]; ok {
			out[name] = witness
		}
	}
	return out
}

func overlaid(base, over witnesses) witnesses {
	out := make(witnesses, len(base)+len(over))
	maps.Copy(out, base)
	maps.Copy(out, over)
	return out
}

// identified are the witnesses that name a provenance: the others prove nothing.
func identified(w witnesses) witnesses {
	out := witnesses{}
	for name, witness := range w {
		if witness.LastSeenProvenance.IsSome() {
			out[name] = witness
		}
	}
	return out
}

func missing(field string) error { return &FieldError{"data." + field, "is missing"} }
