package session

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// imageCommands are chapter 05's on image operations: an operation may hold the session's
// model while it runs, one at a time.
var imageCommands = map[string]handler{
	"begin_image_operation":             (*Session).beginImageCommand,
	"deny_image_operation_plan":         (*Session).denyImagePlanCommand,
	"activate_image_operation_override": (*Session).activateImageCommand,
	"classify_image_operation_terminal": (*Session).classifyImageCommand,
	"complete_image_operation":          (*Session).completeImageCommand,
	"restore_image_operation_override":  (*Session).restoreImageCommand,
}

// operationArg names the operation.
type operationArg struct {
	sessionArg
	OperationID string `json:"operation_id"`
}

func (a *operationArg) valid(session string) error {
	if err := a.check(session); err != nil {
		return err
	}
	return checkUUID("operation_id", a.OperationID)
}

// imagePhase is the report ImageOperationPhase of the command table.
type imagePhase struct {
	Phase kernel.RoutingImageOperationPhase `json:"phase"`
}

func (s *Session) imagePhase(id string) imagePhase {
	return imagePhase{s.kernel.State().ModelRoutingImageOperationPhases[id]}
}

// imageReport is the report ImageOperationRoutingResult of the command table. A denial is
// a result, not a refusal.
type imageReport struct {
	Result         string                                        `json:"result"` // Accepted, Denied
	Phase          kernel.RoutingImageOperationPhase             `json:"phase"`
	Reason         kernel.Opt[kernel.RoutingDenialReason]        `json:"reason,omitzero"`
	ApprovalReason kernel.Opt[kernel.RoutingImageApprovalReason] `json:"approval_reason,omitzero"`
}

func (s *Session) beginImageCommand(c *command) (any, error) {
	arg := struct {
		operationArg
		TargetModel            string                                        `json:"target_model"`
		TargetRealtimeCapable  bool                                          `json:"target_realtime_capable"`
		Approval               approval                                      `json:"approval"`
		ApprovalReason         kernel.Opt[kernel.RoutingImageApprovalReason] `json:"approval_reason"`
		RealtimeDetachAllowed  bool                                          `json:"realtime_detach_allowed"`
		RequiresScopedOverride bool                                          `json:"requires_scoped_override"`
	}{Approval: approvals["NotRequired"]}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.valid(s.id); err != nil {
		return nil, err
	}
	if arg.TargetModel == "" {
		return nil, missing("target_model")
	}
	err := s.tryControl(&kernel.BeginImageOperation{
		OperationID: arg.OperationID, TargetModel: arg.TargetModel, TargetRealtimeCapable: arg.TargetRealtimeCapable,
		RequiresApproval: arg.Approval.requires, ApprovalAvailable: arg.Approval.available, ApprovalDenied: arg.Approval.denied,
		ApprovalReason: arg.ApprovalReason, RealtimeDetachAllowed: arg.RealtimeDetachAllowed,
		RequiresScopedOverride: arg.RequiresScopedOverride,
	}, c)
	if err != nil {
		return nil, err
	}
	st := s.kernel.State()
	r := imageReport{Result: "Accepted", Phase: st.ModelRoutingImageOperationPhases[arg.OperationID]}
	if reason, denied := st.ModelRoutingImageDenials[arg.OperationID]; denied {
		r.Result, r.Reason = "Denied", kernel.Some(reason)
		if approval, ok := st.ModelRoutingImageApprovalReasons[arg.OperationID]; ok && reason == kernel.RoutingDenialReasonDeniedDuringApproval {
			r.ApprovalReason = kernel.Some(approval)
		}
	}
	return r, nil
}

// denyImagePlanCommand records an operation that its planner denied before it began.
func (s *Session) denyImagePlanCommand(c *command) (any, error) {
	var arg struct {
		operationArg
		Reason *kernel.RoutingImagePlanDenialReason `json:"reason"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.valid(s.id); err != nil {
		return nil, err
	}
	if arg.Reason == nil {
		return nil, missing("reason")
	}
	payload := mustJSON(struct {
		Terminal string `json:"terminal"`
		Reason   any    `json:"reason"`
	}{"denied", map[string]string{"reason": subjects.Snake(arg.Reason.String())}})
	err := s.tryControl(&kernel.DenyImageOperationPlan{
		OperationID: arg.OperationID, Reason: *arg.Reason, TerminalPayload: string(payload),
	}, c)
	return s.imagePhase(arg.OperationID), err
}

// activateImageCommand gives the session's model to an operation, as its plan says.
func (s *Session) activateImageCommand(c *command) (any, error) {
	var arg operationArg
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.valid(s.id); err != nil {
		return nil, err
	}
	st := s.kernel.State()
	err := s.tryControl(&kernel.ActivateImageOperationOverride{
		OperationID:           arg.OperationID,
		TargetModel:           st.ModelRoutingImageOperationTargetModels[arg.OperationID],
		TargetRealtimeCapable: st.ModelRoutingImageOperationRealtime[arg.OperationID],
	}, c)
	return s.imagePhase(arg.OperationID), err
}

// classifyImageCommand asks the machine how an operation ended, by what its executor saw.
func (s *Session) classifyImageCommand(c *command) (any, error) {
	var arg struct {
		operationArg
		Observation    *kernel.RoutingImageTerminalObservation          `json:"observation"`
		HTTPStatusCode kernel.Opt[uint64]                               `json:"http_status_code"`
		ErrorCode      kernel.Opt[kernel.RoutingImageProviderErrorCode] `json:"error_code"`
		ProviderText   kernel.RoutingProviderTextDisposition            `json:"provider_text"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.valid(s.id); err != nil {
		return nil, err
	}
	if arg.Observation == nil {
		return nil, missing("observation")
	}
	switch *arg.Observation {
	case kernel.RoutingImageTerminalObservationProviderHttpError, kernel.RoutingImageTerminalObservationProviderNativeError:
	default:
		// Nothing went wrong at the provider: it has no status and no code to tell.
		if arg.HTTPStatusCode.IsSome() {
			return nil, &FieldError{"data.http_status_code", "goes with a provider's error, not with " + arg.Observation.String()}
		}
		if arg.ErrorCode.IsSome() {
			return nil, &FieldError{"data.error_code", "goes with a provider's error, not with " + arg.Observation.String()}
		}
	}
	o := s.apply(&kernel.ClassifyImageOperationTerminal{
		OperationID: arg.OperationID, Observation: *arg.Observation, HttpStatusCode: arg.HTTPStatusCode,
		ErrorCode: arg.ErrorCode.Value(), ProviderText: arg.ProviderText,
	}, c.cause)
	if !o.OK() {
		return nil, refused(rejectInternal, o.Refusal)
	}
	return o.Effects[0].(kernel.ImageOperationTerminalClassified), nil
}

// completeImageCommand ends an operation as it was classified. The payload tells more
// about the end than its kind; the kind always stands in it.
func (s *Session) completeImageCommand(c *command) (any, error) {
	var arg struct {
		operationArg
		Terminal        *kernel.RoutingImageTerminal `json:"terminal"`
		TerminalPayload map[string]jsontext.Value    `json:"terminal_payload"`
	}
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.valid(s.id); err != nil {
		return nil, err
	}
	if arg.Terminal == nil {
		return nil, missing("terminal")
	}
	payload, err := terminalPayload(*arg.Terminal, arg.TerminalPayload)
	if err != nil {
		return nil, err
	}
	err = s.tryControl(&kernel.CompleteImageOperation{
		OperationID: arg.OperationID, Terminal: *arg.Terminal, TerminalPayload: payload,
	}, c)
	return s.imagePhase(arg.OperationID), err
}

func terminalPayload(terminal kernel.RoutingImageTerminal, given map[string]jsontext.Value) (string, error) {
	kind := mustJSON(subjects.Snake(terminal.String()))
	if said, ok := given["terminal"]; ok && string(said) != string(kind) {
		return "", &FieldError{"data.terminal_payload.terminal", fmt.Sprintf("%s is not %s", said, kind)}
	}
	if given == nil {
		given = map[string]jsontext.Value{}
	}
	given["terminal"] = kind
	payload, err := json.Marshal(given, json.Deterministic(true))
	if err != nil {
		return "", &FieldError{"data.terminal_payload", err.Error()}
	}
	return string(payload), nil
}

// restoreImageCommand gives the session its model back after a completed operation. The
// machine itself would restore it at any time (chapter 05, image operations).
func (s *Session) restoreImageCommand(c *command) (any, error) {
	var arg operationArg
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.valid(s.id); err != nil {
		return nil, err
	}
	if phase, known := s.kernel.State().ModelRoutingImageOperationPhases[arg.OperationID]; !known || phase != kernel.RoutingImageOperationPhaseRestoringScopedOverride {
		reason := "the session knows no such operation"
		if known {
			reason = "the operation is in phase " + phase.String() + ", it has to be in RestoringScopedOverride"
		}
		return nil, &refusal{kind: rejectInternal, reason: reason, phase: s.kernel.Phase().String()}
	}
	err := s.tryControl(&kernel.RestoreImageOperationOverride{OperationID: arg.OperationID}, c)
	return s.imagePhase(arg.OperationID), err
}
