package session

import (
	"errors"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// identityCommands are chapter 05's on which model a session talks to, and ours by which
// its host says what it found.
var identityCommands = map[string]handler{
	"hydrate_session_llm_state":        (*Session).hydrateCommand,
	"reconfigure_session_llm_identity": (*Session).reconfigureCommand,
}

var identityQuestions = map[string]question{
	"capabilities":                      capabilitiesQuestion,
	"resolved_session_llm_capabilities": capabilitiesQuestion,
}

var capabilitiesQuestion = bare((*View).Capabilities)

// CapabilitiesReport is the answer to the query "capabilities". The capabilities are null
// unless the status is Resolved.
type CapabilitiesReport struct {
	LlmIdentity  kernel.Opt[kernel.SessionLlmIdentity]          `json:"llm_identity"`
	Status       kernel.SessionLlmCapabilitySurfaceStatus       `json:"status"`
	Capabilities kernel.Opt[kernel.SessionLlmCapabilitySurface] `json:"capabilities"`
}

// Capabilities tells which model the session talks to and what that model can do.
func (v *View) Capabilities() (CapabilitiesReport, error) {
	st := v.s.kernel.State()
	if st.SessionID.IsNone() {
		return CapabilitiesReport{}, ErrNoSession
	}
	r := CapabilitiesReport{LlmIdentity: st.CurrentSessionLlmIdentity, Status: st.CurrentSessionCapabilitySurfaceStatus}
	if r.Status == kernel.SessionLlmCapabilitySurfaceStatusResolved {
		r.Capabilities = st.CurrentSessionCapabilitySurface
	}
	return r, nil
}

// llmIdentity is a model identity in a command. Model and provider must be said: what is
// left out would silently become the first provider of the list.
type llmIdentity struct{ kernel.SessionLlmIdentity }

func (i *llmIdentity) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var said struct {
		Model              *string                           `json:"model"`
		Provider           *kernel.Provider                  `json:"provider"`
		SelfHostedServerID kernel.Opt[string]                `json:"self_hosted_server_id"`
		ProviderParamsRepr kernel.Opt[string]                `json:"provider_params_repr"`
		AuthBinding        kernel.Opt[kernel.AuthBindingRef] `json:"auth_binding"`
	}
	if err := json.UnmarshalDecode(dec, &said); err != nil {
		return err
	}
	switch {
	case said.Model == nil || *said.Model == "":
		return errors.New("model is missing")
	case said.Provider == nil:
		return errors.New("provider is missing")
	}
	i.SessionLlmIdentity = kernel.SessionLlmIdentity{
		Model: *said.Model, Provider: *said.Provider, SelfHostedServerID: said.SelfHostedServerID,
		ProviderParamsRepr: said.ProviderParamsRepr, AuthBinding: said.AuthBinding,
	}
	return nil
}

// hydrateCommand takes the model the host found the session with. The base filter follows
// from the capabilities; none given means that they are not known (chapter 05, LLM
// hydrate).
func (s *Session) hydrateCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		CurrentIdentity          *llmIdentity                                   `json:"current_identity"`
		CurrentCapabilitySurface kernel.Opt[kernel.SessionLlmCapabilitySurface] `json:"current_capability_surface"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.CurrentIdentity == nil {
		return nil, missing("current_identity")
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	return nil, s.try(hydration(arg.CurrentIdentity.SessionLlmIdentity, arg.CurrentCapabilitySurface), c)
}

func hydration(identity kernel.SessionLlmIdentity, surface kernel.Opt[kernel.SessionLlmCapabilitySurface]) *kernel.HydrateSessionLlmState {
	in := &kernel.HydrateSessionLlmState{CurrentIdentity: identity, CurrentCapabilitySurface: surface}
	if known, ok := surface.Get(); ok {
		in.CurrentCapabilitySurfaceStatus = kernel.SessionLlmCapabilitySurfaceStatusResolved
		in.CurrentCapabilityBaseFilter = capabilityFilter(known)
	} else {
		in.CurrentCapabilitySurfaceStatus = kernel.SessionLlmCapabilitySurfaceStatusUnresolved
	}
	return in
}

// viewImage is the one tool that capabilities decide about (chapter 05).
const viewImage kernel.ToolName = "view_image"

// capabilityFilter is the base filter that capabilities force.
func capabilityFilter(surface kernel.SessionLlmCapabilitySurface) kernel.ToolFilter {
	if surface.ImageToolResults {
		return kernel.ToolFilter{}
	}
	return kernel.ToolFilter{Kind: kernel.FilterDeny, Names: kernel.SetOf(viewImage)}
}

// llmTarget is the model a command moves the session to.
type llmTarget struct {
	TargetIdentity          *llmIdentity                        `json:"target_identity"`
	TargetCapabilitySurface *kernel.SessionLlmCapabilitySurface `json:"target_capability_surface"`
	// ViewImageToolAvailable: whether the host offers view_image. Left out: whether the
	// filter catalog, which lists what it offers, has it.
	ViewImageToolAvailable *bool `json:"view_image_tool_available"`
}

// llmReport is the report LlmReconfigured of the command table.
type llmReport struct {
	PreviousIdentity kernel.SessionLlmIdentity `json:"previous_identity"`
	CurrentIdentity  kernel.SessionLlmIdentity `json:"current_identity"`
	kernel.SessionLlmReconfigurePlanResolved
}

// reconfigureCommand moves the session to another model. The plan follows from the target
// and the session's state; fields of the plan that the command gives stand against that,
// and the machine judges them, so that previous_identity says "only if it still is".
//
// The reference then changes a live host, whose failure it has to undo. Here the change is
// the commit: whoever runs the next turn reads it from the session.
func (s *Session) reconfigureCommand(c *command) (any, error) {
	var target llmTarget
	if err := c.decode(&target); err != nil {
		return nil, err
	}
	if target.TargetIdentity == nil {
		return nil, missing("target_identity")
	}
	if target.TargetCapabilitySurface == nil {
		return nil, missing("target_capability_surface")
	}
	r := s.rehearse()
	var given struct {
		sessionArg
		kernel.ReconfigureSessionLlmIdentity
	}
	given.ReconfigureSessionLlmIdentity = plan(r.kernel.State(), &target)
	if err := c.read(&given); err != nil {
		return nil, err
	}
	if err := given.check(s.id); err != nil {
		return nil, err
	}
	if s.kernel.Phase()&(kernel.Idle|kernel.Attached|kernel.Running|kernel.Destroyed) == 0 {
		return nil, &refusal{
			kind: rejectNotReady, reason: "no model can be exchanged in phase " + s.kernel.Phase().String(),
			phase: s.kernel.Phase().String(),
		}
	}
	if err := r.reconfigure(rejectValidation, &given.ReconfigureSessionLlmIdentity); err != nil {
		return nil, err
	}
	report := llmReport{PreviousIdentity: given.PreviousIdentity, CurrentIdentity: given.TargetIdentity}
	for _, e := range s.perform(r, c) {
		if e, ok := e.(kernel.SessionLlmReconfigurePlanResolved); ok {
			report.SessionLlmReconfigurePlanResolved = e
		}
	}
	return report, nil
}

// reconfigure takes the plan and the visible state that follows from it.
func (r *rehearsal) reconfigure(kind string, plan *kernel.ReconfigureSessionLlmIdentity) error {
	if err := r.takeAs(kind, plan); err != nil {
		return err
	}
	return r.takeAs(kind, replacement(&plan.NextVisibilityState))
}

// plan works out what moving to the target means, exactly as the machine demands it
// (chapter 05, planOk).
func plan(st *kernel.State, target *llmTarget) kernel.ReconfigureSessionLlmIdentity {
	previous := visibilityState(st)
	next := previous
	next.CapabilityBaseFilter = capabilityFilter(*target.TargetCapabilitySurface)
	_, available := st.FilterVisibilityAuthorityCatalog[viewImage]
	if target.ViewImageToolAvailable != nil {
		available = *target.ViewImageToolAvailable
	}
	was, will := available && allowsViewImage(&previous), available && allowsViewImage(&next)
	if was != will {
		next.ActiveRevision = max(previous.ActiveRevision, previous.StagedRevision) + 1
	}
	return kernel.ReconfigureSessionLlmIdentity{
		PreviousIdentity: st.CurrentSessionLlmIdentity.Value(), PreviousVisibilityState: previous,
		PreviousCapabilitySurface:        st.CurrentSessionCapabilitySurface,
		PreviousCapabilitySurfaceStatus:  st.CurrentSessionCapabilitySurfaceStatus,
		PreviousCapabilityBaseFilter:     previous.CapabilityBaseFilter,
		ViewImageToolAvailable:           available,
		PreviousViewImageVisible:         was,
		NextViewImageVisible:             will,
		PreviousActiveVisibilityRevision: previous.ActiveRevision,
		PreviousStagedVisibilityRevision: previous.StagedRevision,
		TargetIdentity:                   target.TargetIdentity.SessionLlmIdentity,
		TargetCapabilitySurface:          *target.TargetCapabilitySurface,
		NextVisibilityState:              next,
		NextCapabilityBaseFilter:         next.CapabilityBaseFilter,
		NextActiveVisibilityRevision:     next.ActiveRevision,
		ToolVisibilityDelta: kernel.SessionToolVisibilityDelta{
			PreviousCapabilityBaseFilter: previous.CapabilityBaseFilter,
			CurrentCapabilityBaseFilter:  next.CapabilityBaseFilter,
			CommittedVisibleSetChanged:   was != will, RevisionBumped: was != will,
		},
	}
}

// allowsViewImage: the filters in force let view_image through. The staged one is not in
// force.
func allowsViewImage(v *kernel.SessionToolVisibilityState) bool {
	for _, f := range []kernel.ToolFilter{v.CapabilityBaseFilter, v.InheritedBaseFilter, v.ActiveFilter} {
		if f.Kind == kernel.FilterAllow && !f.Names.Has(viewImage) || f.Kind == kernel.FilterDeny && f.Names.Has(viewImage) {
			return false
		}
	}
	return true
}
