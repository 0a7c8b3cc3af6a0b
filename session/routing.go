package session

import (
	"fmt"

	"github.com/kalahari-run/kalahari/kernel"
)

// routingCommands are chapter 05's on which model the next turns run.
var routingCommands = map[string]handler{
	"configure_model_routing_baseline":   (*Session).baselineCommand,
	"request_switch_turn":                (*Session).switchTurnCommand,
	"admit_model_routing_assistant_turn": (*Session).admitTurnCommand,
}

var routingQuestions = map[string]question{
	"routing":                      routingQuestion,
	"session_model_routing_status": routingQuestion,
}

var routingQuestion = bare((*View).Routing)

// RoutingReport is the answer to the query "routing": the projection of the machine's
// model_routing fields (chapter 05, routing status view).
type RoutingReport struct {
	// BaselineModel is the model the session returns to, "" if none was set.
	BaselineModel           string                      `json:"baseline_model"`
	BaselineRealtime        kernel.Opt[bool]            `json:"baseline_realtime"`
	Provider                kernel.Opt[kernel.Provider] `json:"provider"`
	TopologyEpoch           uint64                      `json:"topology_epoch"`
	ActiveFiniteOverride    *FiniteOverride             `json:"active_finite_override"`
	ActiveOperationOverride *OperationOverride          `json:"active_operation_override"`
	PendingSwitch           *PendingSwitch              `json:"pending_switch"`
	// EffectiveModel is the model the next turn runs on: that of the image operation, else
	// of the switch in force, else the baseline, else the one the session was found with.
	EffectiveModel string `json:"effective_model"`
}

// FiniteOverride is a switch in force.
type FiniteOverride struct {
	RequestID             string `json:"request_id"`
	TargetModel           string `json:"target_model"`
	TargetRealtimeCapable bool   `json:"target_realtime_capable"`
	TurnsRemaining        uint64 `json:"turns_remaining"`
}

// OperationOverride is an image operation that holds the session's model.
type OperationOverride struct {
	OperationID           string `json:"operation_id"`
	TargetModel           string `json:"target_model"`
	TargetRealtimeCapable bool   `json:"target_realtime_capable"`
}

// PendingSwitch is a switch that waits for the next assistant turn. Turns is null for one
// that lasts until changed.
type PendingSwitch struct {
	RequestID             string                        `json:"request_id"`
	TargetModel           string                        `json:"target_model"`
	TargetRealtimeCapable bool                          `json:"target_realtime_capable"`
	Turns                 kernel.Opt[uint64]            `json:"turns"`
	Phase                 kernel.RoutingSwitchTurnPhase `json:"phase"`
}

// Routing tells which model the session's turns run on, and why.
func (v *View) Routing() (RoutingReport, error) {
	st := v.s.kernel.State()
	if st.SessionID.IsNone() {
		return RoutingReport{}, ErrNoSession
	}
	r := RoutingReport{
		BaselineModel: st.ModelRoutingBaselineModel.Value(), BaselineRealtime: st.ModelRoutingBaselineRealtime,
		TopologyEpoch: st.ModelRoutingTopologyEpoch, EffectiveModel: effectiveModel(st),
	}
	if identity, ok := st.CurrentSessionLlmIdentity.Get(); ok {
		r.Provider = kernel.Some(identity.Provider)
	}
	if id, ok := st.ModelRoutingPendingSwitchRequestID.Get(); ok {
		r.PendingSwitch = &PendingSwitch{
			RequestID: id, TargetModel: st.ModelRoutingPendingSwitchTargetModel.Value(),
			TargetRealtimeCapable: st.ModelRoutingPendingSwitchRealtime.Value(), Turns: st.ModelRoutingPendingSwitchTurns,
			Phase: kernel.RoutingSwitchTurnPhasePendingForBoundary,
		}
	}
	if id, ok := st.ModelRoutingTurnOverrideID.Get(); ok {
		r.ActiveFiniteOverride = &FiniteOverride{
			RequestID: id, TargetModel: st.ModelRoutingTurnTargetModel.Value(),
			TargetRealtimeCapable: st.ModelRoutingTurnRealtime.Value(), TurnsRemaining: st.ModelRoutingTurnRemainingTurns.Value(),
		}
	}
	if id, ok := st.ModelRoutingOperationOverrideID.Get(); ok {
		r.ActiveOperationOverride = &OperationOverride{
			OperationID: id, TargetModel: st.ModelRoutingOperationTargetModel.Value(),
			TargetRealtimeCapable: st.ModelRoutingOperationRealtime.Value(),
		}
	}
	return r, nil
}

func effectiveModel(st *kernel.State) string {
	if model, ok := st.ModelRoutingOperationTargetModel.Get(); ok {
		return model
	}
	if model, ok := st.ModelRoutingTurnTargetModel.Get(); ok {
		return model
	}
	return st.ModelRoutingBaselineModel.Or(st.CurrentSessionLlmIdentity.Value().Model)
}

func (s *Session) baselineCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		kernel.SetModelRoutingBaseline
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if arg.BaselineModel == "" {
		return nil, missing("baseline_model")
	}
	return nil, s.tryControl(&arg.SetModelRoutingBaseline, c)
}

// approval is how the approval of a switch or of an image operation stands, as three
// facts for the machine (chapter 05, switch turn).
type approval struct{ requires, available, denied bool }

var approvals = map[string]approval{
	"NotRequired":            {available: true},
	"Approved":               {requires: true, available: true},
	"DeniedByUser":           {requires: true, available: true, denied: true},
	"RequiredButUnavailable": {requires: true},
}

func (a *approval) UnmarshalText(text []byte) error {
	said, ok := approvals[string(text)]
	if !ok {
		return fmt.Errorf("%q is none of NotRequired, Approved, DeniedByUser, RequiredButUnavailable", text)
	}
	*a = said
	return nil
}

// checkUUID: ids of switches and image operations are UUIDs (chapter 05, switch turn).
func checkUUID(field, id string) error {
	switch {
	case id == "":
		return missing(field)
	case !isUUID(id):
		return &FieldError{"data." + field, fmt.Sprintf("%q is no UUID", id)}
	}
	return nil
}

// switchTurnArg asks for another model: for Turns assistant turns or UntilChanged.
type switchTurnArg struct {
	sessionArg
	llmTarget
	RequestID             string                                         `json:"request_id"`
	TargetModel           string                                         `json:"target_model"`
	Turns                 *uint64                                        `json:"turns"`
	UntilChanged          bool                                           `json:"until_changed"`
	TargetRealtimeCapable bool                                           `json:"target_realtime_capable"`
	Approval              approval                                       `json:"approval"`
	ApprovalReason        kernel.Opt[kernel.RoutingSwitchApprovalReason] `json:"approval_reason"`
	RealtimeDetachAllowed bool                                           `json:"realtime_detach_allowed"`
}

func (a *switchTurnArg) valid(session string) error {
	if err := a.check(session); err != nil {
		return err
	}
	if err := checkUUID("request_id", a.RequestID); err != nil {
		return err
	}
	switch {
	case a.TargetModel == "":
		return missing("target_model")
	case (a.Turns != nil) == a.UntilChanged:
		return &FieldError{"data.turns", "either turns or until_changed is given"}
	case !a.UntilChanged && a.llmTarget != llmTarget{}:
		return &FieldError{"data.turns", "a target's identity and capabilities go with until_changed"}
	case a.UntilChanged && a.TargetCapabilitySurface == nil:
		return missing("target_capability_surface")
	case a.TargetIdentity != nil && a.TargetIdentity.Model != a.TargetModel:
		return &FieldError{"data.target_identity.model", fmt.Sprintf("%q is not the target model %q", a.TargetIdentity.Model, a.TargetModel)}
	}
	return nil
}

// switchReport is the report SwitchTurnControlResult of the command table. A denial is a
// result, not a refusal.
type switchReport struct {
	Result         string                                         `json:"result"` // Applied, Denied
	Reason         kernel.Opt[kernel.RoutingDenialReason]         `json:"reason,omitzero"`
	ApprovalReason kernel.Opt[kernel.RoutingSwitchApprovalReason] `json:"approval_reason,omitzero"`
}

// switchTurnCommand runs the next turns on another model. Until changed means for good:
// the session's model identity and its baseline move too, or nothing does.
func (s *Session) switchTurnCommand(c *command) (any, error) {
	arg := switchTurnArg{Approval: approvals["NotRequired"]}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.valid(s.id); err != nil {
		return nil, err
	}
	r := s.rehearse()
	var err error
	if arg.UntilChanged {
		err = r.switchUntilChanged(&arg)
	} else {
		err = r.take(rejectInternal, &kernel.RequestFiniteSwitchTurn{
			RequestID: arg.RequestID, TargetModel: arg.TargetModel, Turns: *arg.Turns, TargetRealtimeCapable: arg.TargetRealtimeCapable,
			RequiresApproval: arg.Approval.requires, ApprovalAvailable: arg.Approval.available, ApprovalDenied: arg.Approval.denied,
			ApprovalReason: arg.ApprovalReason, RealtimeDetachAllowed: arg.RealtimeDetachAllowed,
		})
	}
	if err != nil {
		return nil, err
	}
	s.perform(r, c)
	return s.switchReport(arg.RequestID), nil
}

func (r *rehearsal) switchUntilChanged(arg *switchTurnArg) error {
	err := r.take(rejectInternal, &kernel.RequestUntilChangedSwitchTurn{
		RequestID: arg.RequestID, TargetModel: arg.TargetModel, TargetRealtimeCapable: arg.TargetRealtimeCapable,
		RequiresApproval: arg.Approval.requires, ApprovalAvailable: arg.Approval.available, ApprovalDenied: arg.Approval.denied,
		ApprovalReason: arg.ApprovalReason, RealtimeDetachAllowed: arg.RealtimeDetachAllowed,
	})
	if err != nil {
		return err
	}
	st := r.kernel.State()
	if _, denied := st.ModelRoutingSwitchDenials[arg.RequestID]; denied {
		return nil
	}
	target := arg.llmTarget
	if target.TargetIdentity == nil {
		// The same account and provider, another model.
		identity := st.CurrentSessionLlmIdentity.Value()
		identity.Model = arg.TargetModel
		target.TargetIdentity = &llmIdentity{identity}
	}
	in := plan(st, &target)
	if err := r.reconfigure(rejectInternal, &in); err != nil {
		return err
	}
	err = r.take(rejectInternal, &kernel.SetModelRoutingBaseline{
		BaselineModel: arg.TargetModel, RealtimeCapable: arg.TargetRealtimeCapable,
	})
	if err != nil {
		return err
	}
	return r.take(rejectInternal, &kernel.CompleteUntilChangedSwitchTurnReconfigure{RequestID: arg.RequestID})
}

// switchReport reads the result off the denials. They are never removed, so an id that
// was denied once is reported so for ever (chapter 05, switch turn).
func (s *Session) switchReport(id string) switchReport {
	st := s.kernel.State()
	reason, denied := st.ModelRoutingSwitchDenials[id]
	if !denied {
		return switchReport{Result: "Applied"}
	}
	r := switchReport{Result: "Denied", Reason: kernel.Some(reason)}
	if approval, ok := st.ModelRoutingSwitchApprovalReasons[id]; ok && reason == kernel.RoutingDenialReasonDeniedDuringApproval {
		r.ApprovalReason = kernel.Some(approval)
	}
	return r
}

// admitTurnCommand says that an assistant turn is about to start: a pending switch takes
// force, one in force counts down.
func (s *Session) admitTurnCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	return nil, s.tryControl(&kernel.AdmitModelRoutingAssistantTurn{}, c)
}
