package kernel

// Chapter 06, supervisors: the effects.

// SupervisorBindAdmissionResolved says whether a supervisor may bind.
type SupervisorBindAdmissionResolved struct {
	Result    SupervisorBindAdmissionResultKind `json:"result"`
	Rejection Opt[SupervisorBindRejectionKind]  `json:"rejection"`
}

func (SupervisorBindAdmissionResolved) EffectDisposition() Disposition { return Local }

// SupervisorBindMaterialAdmissionResolved judges what a supervisor brings.
type SupervisorBindMaterialAdmissionResolved struct {
	Verdict SupervisorBindMaterialAdmissionKind `json:"verdict"`
}

func (SupervisorBindMaterialAdmissionResolved) EffectDisposition() Disposition { return Local }

// SupervisorAuthorizeAdmissionResolved says whether the session may be handed on; only if
// it may is the supervisor in force told.
type SupervisorAuthorizeAdmissionResolved struct {
	Result                   SupervisorAuthorizeAdmissionResultKind `json:"result"`
	Rejection                Opt[SupervisorAuthorizeRejectionKind]  `json:"rejection"`
	PreviousName             Opt[string]                            `json:"previous_name"`
	PreviousPeerID           Opt[string]                            `json:"previous_peer_id"`
	PreviousAddress          Opt[string]                            `json:"previous_address"`
	PreviousSigningPublicKey Opt[string]                            `json:"previous_signing_public_key"`
	PreviousEpoch            Opt[uint64]                            `json:"previous_epoch"`
}

func (SupervisorAuthorizeAdmissionResolved) EffectDisposition() Disposition { return Local }

// SupervisorBridgeCommandAdmissionResolved says whether a command is obeyed.
type SupervisorBridgeCommandAdmissionResolved struct {
	Result    SupervisorBridgeCommandAdmissionResultKind `json:"result"`
	Rejection Opt[SupervisorBridgeCommandRejectionKind]  `json:"rejection"`
}

func (SupervisorBridgeCommandAdmissionResolved) EffectDisposition() Disposition { return Local }

// PublishSupervisorTrustEdge obliges the shell to trust a supervisor, and to report. The
// local endpoint names the trust store.
type PublishSupervisorTrustEdge struct {
	LocalEndpoint    Opt[PeerEndpoint] `json:"local_endpoint"`
	PeerID           string            `json:"peer_id"`
	Name             string            `json:"name"`
	Address          string            `json:"address"`
	SigningPublicKey Opt[string]       `json:"signing_public_key"`
	Epoch            uint64            `json:"epoch"`
}

func (PublishSupervisorTrustEdge) EffectDisposition() Disposition { return External }

// RevokeSupervisorTrustEdge obliges the shell to trust a supervisor no longer, and to
// report.
type RevokeSupervisorTrustEdge struct {
	LocalEndpoint Opt[PeerEndpoint] `json:"local_endpoint"`
	PeerID        string            `json:"peer_id"`
	Epoch         uint64            `json:"epoch"`
}

func (RevokeSupervisorTrustEdge) EffectDisposition() Disposition { return External }
