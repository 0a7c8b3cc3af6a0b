package kernel

// Chapter 05, image operations: the effects.

// ImageOperationPhaseChanged announces the phase of an operation.
type ImageOperationPhaseChanged struct {
	OperationID string                     `json:"operation_id"`
	Phase       RoutingImageOperationPhase `json:"phase"`
}

func (ImageOperationPhaseChanged) EffectDisposition() Disposition { return External }

// ImageOperationDenied announces that an operation did not begin.
type ImageOperationDenied struct {
	OperationID string              `json:"operation_id"`
	Reason      RoutingDenialReason `json:"reason"`
}

func (ImageOperationDenied) EffectDisposition() Disposition { return External }

// ImageOperationTerminalClassified answers how an operation ended, before it is completed
// so.
type ImageOperationTerminalClassified struct {
	OperationID  string                         `json:"operation_id"`
	Terminal     RoutingImageTerminal           `json:"terminal"`
	ProviderText RoutingProviderTextDisposition `json:"provider_text"`
}

func (ImageOperationTerminalClassified) EffectDisposition() Disposition { return Local }
