package kernel

// The inputs and signals of chapter 06 with their rules, in the chapter's order.

// ClassifyExternalEnvelope is a signal of chapter 06.
type ClassifyExternalEnvelope struct {
	ItemID             string                    `json:"item_id"`
	FromPeer           string                    `json:"from_peer"`
	FromPeerID         PeerId                    `json:"from_peer_id"`
	EnvelopeKind       PeerIngressEnvelopeClass  `json:"envelope_kind"`
	RequestIntent      string                    `json:"request_intent"`
	RequestIntentClass PeerIngressRequestClass   `json:"request_intent_class"`
	LifecycleKind      PeerIngressLifecycleClass `json:"lifecycle_kind"`
	LifecyclePeerParam Opt[string]               `json:"lifecycle_peer_param"`
	ResponseStatus     PeerIngressResponseStatus `json:"response_status"`
	InReplyTo          string                    `json:"in_reply_to"`
}

func (*ClassifyExternalEnvelope) signal() {}

func (in *ClassifyExternalEnvelope) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyPlainEvent is a signal of chapter 06.
type ClassifyPlainEvent struct {
	SourceName string `json:"source_name"`
}

func (*ClassifyPlainEvent) signal() {}

func (in *ClassifyPlainEvent) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyPeerResponseReply is a signal of chapter 06.
type ClassifyPeerResponseReply struct {
	Status PeerIngressResponseStatus `json:"status"`
}

func (*ClassifyPeerResponseReply) signal() {}

func (in *ClassifyPeerResponseReply) step(k *Kernel, s *State) {
	switch {
	}
}

// SetPeerIngressContext is an input of chapter 06.
type SetPeerIngressContext struct {
	KeepAlive bool `json:"keep_alive"`
}

func (in *SetPeerIngressContext) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolvePeerIngressReceive is an input of chapter 06.
type ResolvePeerIngressReceive struct {
	Kind                   PeerIngressAdmittedKind `json:"kind"`
	AuthRequired           bool                    `json:"auth_required"`
	AuthExempt             bool                    `json:"auth_exempt"`
	Trusted                bool                    `json:"trusted"`
	QueuedWorkPresent      bool                    `json:"queued_work_present"`
	QueueClosed            bool                    `json:"queue_closed"`
	QueueCapacityAvailable bool                    `json:"queue_capacity_available"`
}

func (in *ResolvePeerIngressReceive) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolvePeerIngressDequeue is an input of chapter 06.
type ResolvePeerIngressDequeue struct {
	Kind                PeerIngressAdmittedKind `json:"kind"`
	Auth                PeerIngressAuthClass    `json:"auth"`
	QueuedWorkRemaining bool                    `json:"queued_work_remaining"`
}

func (in *ResolvePeerIngressDequeue) step(k *Kernel, s *State) {
	switch {
	}
}

// NotifyDrainExited is an input of chapter 06.
type NotifyDrainExited struct {
	Reason DrainExitReason `json:"reason"`
}

func (in *NotifyDrainExited) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerRequestSent is an input of chapter 06.
type PeerRequestSent struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerRequestSent) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerResponseProgressArrived is an input of chapter 06.
type PeerResponseProgressArrived struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerResponseProgressArrived) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerResponseTerminalArrived is an input of chapter 06.
type PeerResponseTerminalArrived struct {
	CorrID      PeerCorrelationId       `json:"corr_id"`
	Disposition PeerTerminalDisposition `json:"disposition"`
}

func (in *PeerResponseTerminalArrived) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerResponseRejected is an input of chapter 06.
type PeerResponseRejected struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerResponseRejected) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerRequestTimedOut is an input of chapter 06.
type PeerRequestTimedOut struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerRequestTimedOut) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerRequestSendFailed is an input of chapter 06.
type PeerRequestSendFailed struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerRequestSendFailed) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerRequestReceived is an input of chapter 06.
type PeerRequestReceived struct {
	CorrID       PeerCorrelationId `json:"corr_id"`
	HandlingMode InputLane         `json:"handling_mode"`
}

func (in *PeerRequestReceived) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerResponseReplied is an input of chapter 06.
type PeerResponseReplied struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *PeerResponseReplied) step(k *Kernel, s *State) {
	switch {
	}
}

// AdvanceSessionContext is an input of chapter 06.
type AdvanceSessionContext struct {
	UpdatedAtMs uint64 `json:"updated_at_ms"`
}

func (in *AdvanceSessionContext) step(k *Kernel, s *State) {
	switch {
	}
}

// InteractionStreamReserved is an input of chapter 06.
type InteractionStreamReserved struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamReserved) step(k *Kernel, s *State) {
	switch {
	}
}

// InteractionStreamAttached is an input of chapter 06.
type InteractionStreamAttached struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamAttached) step(k *Kernel, s *State) {
	switch {
	}
}

// InteractionStreamCompleted is an input of chapter 06.
type InteractionStreamCompleted struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamCompleted) step(k *Kernel, s *State) {
	switch {
	}
}

// InteractionStreamExpired is an input of chapter 06.
type InteractionStreamExpired struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamExpired) step(k *Kernel, s *State) {
	switch {
	}
}

// InteractionStreamClosedEarly is an input of chapter 06.
type InteractionStreamClosedEarly struct {
	CorrID PeerCorrelationId `json:"corr_id"`
}

func (in *InteractionStreamClosedEarly) step(k *Kernel, s *State) {
	switch {
	}
}

// AttachSessionIngress is an input of chapter 06.
type AttachSessionIngress struct {
	CommsRuntimeID CommsRuntimeId `json:"comms_runtime_id"`
}

func (in *AttachSessionIngress) step(k *Kernel, s *State) {
	switch {
	}
}

// AttachMobIngress is an input of chapter 06.
type AttachMobIngress struct {
	CommsRuntimeID CommsRuntimeId `json:"comms_runtime_id"`
	MobID          MobId          `json:"mob_id"`
}

func (in *AttachMobIngress) step(k *Kernel, s *State) {
	switch {
	}
}

// DetachIngress is an input of chapter 06.
type DetachIngress struct{}

func (in *DetachIngress) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveSupervisorBindAdmission is an input of chapter 06.
type ResolveSupervisorBindAdmission struct {
	SupervisorPeerID string      `json:"supervisor_peer_id"`
	SupervisorEpoch  uint64      `json:"supervisor_epoch"`
	SenderPeerID     Opt[string] `json:"sender_peer_id"`
}

func (in *ResolveSupervisorBindAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveSupervisorBindMaterialAdmission is an input of chapter 06.
type ResolveSupervisorBindMaterialAdmission struct {
	AddressMatches          bool `json:"address_matches"`
	SenderMatchesSupervisor bool `json:"sender_matches_supervisor"`
	ExpectedPeerIDMatches   bool `json:"expected_peer_id_matches"`
	BootstrapTokenMatches   bool `json:"bootstrap_token_matches"`
}

func (in *ResolveSupervisorBindMaterialAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveTranscriptEditAdmission is an input of chapter 06.
type ResolveTranscriptEditAdmission struct {
	RuntimeRunning  bool `json:"runtime_running"`
	HasActiveInputs bool `json:"has_active_inputs"`
}

func (in *ResolveTranscriptEditAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveSupervisorAuthorizeAdmission is an input of chapter 06.
type ResolveSupervisorAuthorizeAdmission struct {
	SupervisorPeerID string      `json:"supervisor_peer_id"`
	SupervisorEpoch  uint64      `json:"supervisor_epoch"`
	SenderPeerID     Opt[string] `json:"sender_peer_id"`
}

func (in *ResolveSupervisorAuthorizeAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// BindSupervisor is an input of chapter 06.
type BindSupervisor struct {
	Name             string `json:"name"`
	PeerID           string `json:"peer_id"`
	Address          string `json:"address"`
	SigningPublicKey string `json:"signing_public_key"`
	Epoch            uint64 `json:"epoch"`
}

func (in *BindSupervisor) step(k *Kernel, s *State) {
	switch {
	}
}

// AuthorizeSupervisor is an input of chapter 06.
type AuthorizeSupervisor struct {
	Name             string `json:"name"`
	PeerID           string `json:"peer_id"`
	Address          string `json:"address"`
	SigningPublicKey string `json:"signing_public_key"`
	Epoch            uint64 `json:"epoch"`
}

func (in *AuthorizeSupervisor) step(k *Kernel, s *State) {
	switch {
	}
}

// RequestSupervisorTrustPublish is an input of chapter 06.
type RequestSupervisorTrustPublish struct {
	Name             string `json:"name"`
	PeerID           string `json:"peer_id"`
	Address          string `json:"address"`
	SigningPublicKey string `json:"signing_public_key"`
	Epoch            uint64 `json:"epoch"`
}

func (in *RequestSupervisorTrustPublish) step(k *Kernel, s *State) {
	switch {
	}
}

// RevokeSupervisor is an input of chapter 06.
type RevokeSupervisor struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
}

func (in *RevokeSupervisor) step(k *Kernel, s *State) {
	switch {
	}
}

// SupervisorTrustEdgePublished is an input of chapter 06.
type SupervisorTrustEdgePublished struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
}

func (in *SupervisorTrustEdgePublished) step(k *Kernel, s *State) {
	switch {
	}
}

// SupervisorTrustEdgePublishFailed is an input of chapter 06.
type SupervisorTrustEdgePublishFailed struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
	Reason string `json:"reason"`
}

func (in *SupervisorTrustEdgePublishFailed) step(k *Kernel, s *State) {
	switch {
	}
}

// SupervisorTrustEdgeRevoked is an input of chapter 06.
type SupervisorTrustEdgeRevoked struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
}

func (in *SupervisorTrustEdgeRevoked) step(k *Kernel, s *State) {
	switch {
	}
}

// SupervisorTrustEdgeRevokeFailed is an input of chapter 06.
type SupervisorTrustEdgeRevokeFailed struct {
	PeerID string `json:"peer_id"`
	Epoch  uint64 `json:"epoch"`
	Reason string `json:"reason"`
}

func (in *SupervisorTrustEdgeRevokeFailed) step(k *Kernel, s *State) {
	switch {
	}
}

// PublishLocalEndpoint is an input of chapter 06.
type PublishLocalEndpoint struct {
	Endpoint PeerEndpoint `json:"endpoint"`
}

func (in *PublishLocalEndpoint) step(k *Kernel, s *State) {
	switch {
	}
}

// ClearLocalEndpoint is an input of chapter 06.
type ClearLocalEndpoint struct{}

func (in *ClearLocalEndpoint) step(k *Kernel, s *State) {
	switch {
	}
}

// AddDirectPeerEndpoint is an input of chapter 06.
type AddDirectPeerEndpoint struct {
	Endpoint PeerEndpoint `json:"endpoint"`
}

func (in *AddDirectPeerEndpoint) step(k *Kernel, s *State) {
	switch {
	}
}

// RemoveDirectPeerEndpoint is an input of chapter 06.
type RemoveDirectPeerEndpoint struct {
	Endpoint PeerEndpoint `json:"endpoint"`
}

func (in *RemoveDirectPeerEndpoint) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveSupervisorBridgeCommandAdmission is an input of chapter 06.
type ResolveSupervisorBridgeCommandAdmission struct {
	SupervisorPeerID string      `json:"supervisor_peer_id"`
	SupervisorEpoch  uint64      `json:"supervisor_epoch"`
	SenderPeerID     Opt[string] `json:"sender_peer_id"`
}

func (in *ResolveSupervisorBridgeCommandAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// AuthorizeSupervisorMobPeerOverlay is an input of chapter 06.
type AuthorizeSupervisorMobPeerOverlay struct {
	SupervisorPeerID string                    `json:"supervisor_peer_id"`
	SupervisorEpoch  uint64                    `json:"supervisor_epoch"`
	RecipientPeerID  string                    `json:"recipient_peer_id"`
	OverlayEpoch     uint64                    `json:"overlay_epoch"`
	Endpoints        Set[PeerEndpoint]         `json:"endpoints"`
	EndpointCount    uint64                    `json:"endpoint_count"`
	CommandPeerID    string                    `json:"command_peer_id"`
	CommandEndpoint  PeerEndpoint              `json:"command_endpoint"`
	CommandKind      MobPeerOverlayCommandKind `json:"command_kind"`
}

func (in *AuthorizeSupervisorMobPeerOverlay) step(k *Kernel, s *State) {
	switch {
	}
}

// ApplyMobPeerOverlay is an input of chapter 06.
type ApplyMobPeerOverlay struct {
	Epoch     uint64            `json:"epoch"`
	Endpoints Set[PeerEndpoint] `json:"endpoints"`
}

func (in *ApplyMobPeerOverlay) step(k *Kernel, s *State) {
	switch {
	}
}

// SpawnDrain is an input of chapter 06.
type SpawnDrain struct {
	Mode DrainMode `json:"mode"`
}

func (in *SpawnDrain) step(k *Kernel, s *State) {
	switch {
	}
}

// StopDrain is an input of chapter 06.
type StopDrain struct{}

func (in *StopDrain) step(k *Kernel, s *State) {
	switch {
	}
}
