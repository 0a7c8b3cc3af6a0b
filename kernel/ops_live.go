package kernel

// The inputs and signals of chapter 04 with their rules, in the chapter's order.

// AdmitSurfaceRequest is an input of chapter 04.
type AdmitSurfaceRequest struct {
	RequestKey     string                       `json:"request_key"`
	TerminalPolicy SurfaceRequestTerminalPolicy `json:"terminal_policy"`
}

func (in *AdmitSurfaceRequest) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifySurfaceRequestTerminal is an input of chapter 04.
type ClassifySurfaceRequestTerminal struct {
	RequestKey string `json:"request_key"`
	Success    bool   `json:"success"`
}

func (in *ClassifySurfaceRequestTerminal) step(k *Kernel, s *State) {
	switch {
	}
}

// CancelSurfaceRequest is an input of chapter 04.
type CancelSurfaceRequest struct {
	RequestKey string `json:"request_key"`
}

func (in *CancelSurfaceRequest) step(k *Kernel, s *State) {
	switch {
	}
}

// PublishSurfaceRequest is an input of chapter 04.
type PublishSurfaceRequest struct {
	RequestKey string `json:"request_key"`
}

func (in *PublishSurfaceRequest) step(k *Kernel, s *State) {
	switch {
	}
}

// PublishOrCancelSurfaceRequest is an input of chapter 04.
type PublishOrCancelSurfaceRequest struct {
	RequestKey string `json:"request_key"`
}

func (in *PublishOrCancelSurfaceRequest) step(k *Kernel, s *State) {
	switch {
	}
}

// FinishSurfaceRequestUnpublished is an input of chapter 04.
type FinishSurfaceRequestUnpublished struct {
	RequestKey string `json:"request_key"`
}

func (in *FinishSurfaceRequestUnpublished) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveLiveOpenAdmission is an input of chapter 04.
type ResolveLiveOpenAdmission struct {
	SessionID   string             `json:"session_id"`
	ChannelID   string             `json:"channel_id"`
	LlmIdentity SessionLlmIdentity `json:"llm_identity"`
}

func (in *ResolveLiveOpenAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// AbandonLiveOpenAdmission is an input of chapter 04.
type AbandonLiveOpenAdmission struct {
	SessionID string `json:"session_id"`
	ChannelID string `json:"channel_id"`
}

func (in *AbandonLiveOpenAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveRefreshQueued is an input of chapter 04.
type RecordLiveRefreshQueued struct {
	ChannelID               string `json:"channel_id"`
	QueueAcceptanceSequence uint64 `json:"queue_acceptance_sequence"`
}

func (in *RecordLiveRefreshQueued) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveCloseClosed is an input of chapter 04.
type RecordLiveCloseClosed struct {
	SessionID                string `json:"session_id"`
	ChannelID                string `json:"channel_id"`
	CloseObservationSequence uint64 `json:"close_observation_sequence"`
}

func (in *RecordLiveCloseClosed) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveCommandAccepted is an input of chapter 04.
type RecordLiveCommandAccepted struct {
	ChannelID                 string                `json:"channel_id"`
	Command                   LiveCommandPublicKind `json:"command"`
	CommandAcceptanceSequence uint64                `json:"command_acceptance_sequence"`
}

func (in *RecordLiveCommandAccepted) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveCommandRejected is an input of chapter 04.
type RecordLiveCommandRejected struct {
	ChannelID string                     `json:"channel_id"`
	Command   LiveCommandPublicKind      `json:"command"`
	Rejection LiveCommandRejectionReason `json:"rejection"`
}

func (in *RecordLiveCommandRejected) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveChannelRequestRejected is an input of chapter 04.
type RecordLiveChannelRequestRejected struct {
	ChannelID string                            `json:"channel_id"`
	Request   LiveChannelRequestPublicKind      `json:"request"`
	Rejection LiveChannelRequestRejectionReason `json:"rejection"`
}

func (in *RecordLiveChannelRequestRejected) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveWebrtcTokenIssued is an input of chapter 04.
type RecordLiveWebrtcTokenIssued struct {
	SessionID  string `json:"session_id"`
	ChannelID  string `json:"channel_id"`
	Token      string `json:"token"`
	IssuedAtMs uint64 `json:"issued_at_ms"`
	TtlMs      uint64 `json:"ttl_ms"`
}

func (in *RecordLiveWebrtcTokenIssued) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveLiveWebrtcAnswerAdmission is an input of chapter 04.
type ResolveLiveWebrtcAnswerAdmission struct {
	SessionID    string `json:"session_id"`
	ChannelID    string `json:"channel_id"`
	Token        string `json:"token"`
	ObservedAtMs uint64 `json:"observed_at_ms"`
}

func (in *ResolveLiveWebrtcAnswerAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveWebrtcAnswerAccepted is an input of chapter 04.
type RecordLiveWebrtcAnswerAccepted struct {
	SessionID                 string `json:"session_id"`
	ChannelID                 string `json:"channel_id"`
	AnswerObservationSequence uint64 `json:"answer_observation_sequence"`
}

func (in *RecordLiveWebrtcAnswerAccepted) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveWebsocketTokenIssued is an input of chapter 04.
type RecordLiveWebsocketTokenIssued struct {
	SessionID  string `json:"session_id"`
	ChannelID  string `json:"channel_id"`
	Token      string `json:"token"`
	IssuedAtMs uint64 `json:"issued_at_ms"`
	TtlMs      uint64 `json:"ttl_ms"`
}

func (in *RecordLiveWebsocketTokenIssued) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveLiveWebsocketTokenAdmission is an input of chapter 04.
type ResolveLiveWebsocketTokenAdmission struct {
	SessionID    string `json:"session_id"`
	ChannelID    string `json:"channel_id"`
	Token        string `json:"token"`
	ObservedAtMs uint64 `json:"observed_at_ms"`
}

func (in *ResolveLiveWebsocketTokenAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordLiveChannelStatus is an input of chapter 04.
type RecordLiveChannelStatus struct {
	ChannelID                 string                            `json:"channel_id"`
	Status                    LiveChannelPublicStatus           `json:"status"`
	StatusObservationSequence uint64                            `json:"status_observation_sequence"`
	DegradationReason         Opt[LiveChannelDegradationReason] `json:"degradation_reason"`
	DegradationDetail         Opt[string]                       `json:"degradation_detail"`
}

func (in *RecordLiveChannelStatus) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordSessionEventStreamOpened is an input of chapter 04.
type RecordSessionEventStreamOpened struct {
	StreamID  string `json:"stream_id"`
	SessionID string `json:"session_id"`
}

func (in *RecordSessionEventStreamOpened) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordSessionEventStreamTerminated is an input of chapter 04.
type RecordSessionEventStreamTerminated struct {
	StreamID    string                                `json:"stream_id"`
	Observation RpcEventStreamTerminalObservationKind `json:"observation"`
	Detail      Opt[string]                           `json:"detail"`
}

func (in *RecordSessionEventStreamTerminated) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveSessionEventStreamClose is an input of chapter 04.
type ResolveSessionEventStreamClose struct {
	StreamID string `json:"stream_id"`
}

func (in *ResolveSessionEventStreamClose) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordMobEventStreamOpened is an input of chapter 04.
type RecordMobEventStreamOpened struct {
	StreamID string `json:"stream_id"`
}

func (in *RecordMobEventStreamOpened) step(k *Kernel, s *State) {
	switch {
	}
}

// RecordMobEventStreamTerminated is an input of chapter 04.
type RecordMobEventStreamTerminated struct {
	StreamID    string                                `json:"stream_id"`
	Observation RpcEventStreamTerminalObservationKind `json:"observation"`
	Detail      Opt[string]                           `json:"detail"`
}

func (in *RecordMobEventStreamTerminated) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveMobEventStreamClose is an input of chapter 04.
type ResolveMobEventStreamClose struct {
	StreamID string `json:"stream_id"`
}

func (in *ResolveMobEventStreamClose) step(k *Kernel, s *State) {
	switch {
	}
}
