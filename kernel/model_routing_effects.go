package kernel

// Chapter 05, model routing: the effects.

// ModelRoutingStatusChanged announces that the effective model may be another. The epoch
// is that after the change.
type ModelRoutingStatusChanged struct {
	TopologyEpoch uint64 `json:"topology_epoch"`
}

func (ModelRoutingStatusChanged) EffectDisposition() Disposition { return External }

// ModelRoutingApprovalTerminalized announces that an approval is over. ApprovalID is the
// id of the request or operation it was for.
type ModelRoutingApprovalTerminalized struct {
	ApprovalID string               `json:"approval_id"`
	Phase      RoutingApprovalPhase `json:"phase"`
}

func (ModelRoutingApprovalTerminalized) EffectDisposition() Disposition { return External }

// SwitchTurnDenied announces that a requested switch will not happen.
type SwitchTurnDenied struct {
	RequestID string              `json:"request_id"`
	Reason    RoutingDenialReason `json:"reason"`
}

func (SwitchTurnDenied) EffectDisposition() Disposition { return External }

// SwitchTurnPersistentReconfigureRequested asks the shell to exchange the model for good.
type SwitchTurnPersistentReconfigureRequested struct {
	RequestID   string `json:"request_id"`
	TargetModel string `json:"target_model"`
}

func (SwitchTurnPersistentReconfigureRequested) EffectDisposition() Disposition { return Local }

// SwitchTurnFiniteOverrideActivated says that turns now go to another model.
type SwitchTurnFiniteOverrideActivated struct {
	RequestID      string `json:"request_id"`
	TargetModel    string `json:"target_model"`
	TurnsRemaining uint64 `json:"turns_remaining"`
}

func (SwitchTurnFiniteOverrideActivated) EffectDisposition() Disposition { return Local }

// SwitchTurnFiniteOverrideRestored says that turns go to the baseline model again.
// RequestID is always empty, as in the reference.
type SwitchTurnFiniteOverrideRestored struct {
	RequestID string `json:"request_id"`
}

func (SwitchTurnFiniteOverrideRestored) EffectDisposition() Disposition { return Local }
