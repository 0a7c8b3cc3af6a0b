package kernel

// The inputs and signals of chapter 04 with their rules, in the chapter's order.

// RegisterOp is an input of chapter 04.
type RegisterOp struct {
	OperationID   string               `json:"operation_id"`
	Kind          OperationKind        `json:"kind"`
	Source        Opt[OperationSource] `json:"source"`
	MaxConcurrent Opt[uint64]          `json:"max_concurrent"`
}

func (in *RegisterOp) step(k *Kernel, s *State) {
	switch {
	}
}

// StartOp is an input of chapter 04.
type StartOp struct {
	OperationID string `json:"operation_id"`
}

func (in *StartOp) step(k *Kernel, s *State) {
	switch {
	}
}

// CompleteOp is an input of chapter 04.
type CompleteOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *CompleteOp) step(k *Kernel, s *State) {
	switch {
	}
}

// FailOp is an input of chapter 04.
type FailOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *FailOp) step(k *Kernel, s *State) {
	switch {
	}
}

// CancelOp is an input of chapter 04.
type CancelOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *CancelOp) step(k *Kernel, s *State) {
	switch {
	}
}

// AbortOp is an input of chapter 04.
type AbortOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *AbortOp) step(k *Kernel, s *State) {
	switch {
	}
}

// PeerReadyOp is an input of chapter 04.
type PeerReadyOp struct {
	OperationID string `json:"operation_id"`
}

func (in *PeerReadyOp) step(k *Kernel, s *State) {
	switch {
	}
}

// ProgressReportedOp is an input of chapter 04.
type ProgressReportedOp struct {
	OperationID string `json:"operation_id"`
}

func (in *ProgressReportedOp) step(k *Kernel, s *State) {
	switch {
	}
}

// RetireRequestedOp is an input of chapter 04.
type RetireRequestedOp struct {
	OperationID string `json:"operation_id"`
}

func (in *RetireRequestedOp) step(k *Kernel, s *State) {
	switch {
	}
}

// RetireCompletedOp is an input of chapter 04.
type RetireCompletedOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *RetireCompletedOp) step(k *Kernel, s *State) {
	switch {
	}
}

// TerminateOp is an input of chapter 04.
type TerminateOp struct {
	OperationID string                       `json:"operation_id"`
	Outcome     OperationTerminalOutcomeKind `json:"outcome"`
	Payload     OpTerminalPayload            `json:"payload"`
}

func (in *TerminateOp) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveOpLifecycleTransitionRejection is an input of chapter 04.
type ResolveOpLifecycleTransitionRejection struct {
	OperationID string                `json:"operation_id"`
	Action      OpLifecycleActionKind `json:"action"`
}

func (in *ResolveOpLifecycleTransitionRejection) step(k *Kernel, s *State) {
	switch {
	}
}

// RecoverOpRecord is an input of chapter 04.
type RecoverOpRecord struct {
	OperationID        string                            `json:"operation_id"`
	Status             OperationStatus                   `json:"status"`
	Kind               OperationKind                     `json:"kind"`
	Source             Opt[OperationSource]              `json:"source"`
	PeerReady          bool                              `json:"peer_ready"`
	ProgressCount      uint64                            `json:"progress_count"`
	TerminalOutcome    Opt[OperationTerminalOutcomeKind] `json:"terminal_outcome"`
	TerminalPayload    Opt[OpTerminalPayload]            `json:"terminal_payload"`
	CompletionSequence Opt[uint64]                       `json:"completion_sequence"`
}

func (in *RecoverOpRecord) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyOperationTerminality is an input of chapter 04.
type ClassifyOperationTerminality struct {
	OperationID string          `json:"operation_id"`
	Status      OperationStatus `json:"status"`
}

func (in *ClassifyOperationTerminality) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyOperationPublicResult is an input of chapter 04.
type ClassifyOperationPublicResult struct {
	OperationID string          `json:"operation_id"`
	Status      OperationStatus `json:"status"`
}

func (in *ClassifyOperationPublicResult) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyOperationTransitionIdempotence is an input of chapter 04.
type ClassifyOperationTransitionIdempotence struct {
	OperationID string                `json:"operation_id"`
	Action      OpLifecycleActionKind `json:"action"`
	Status      OperationStatus       `json:"status"`
}

func (in *ClassifyOperationTransitionIdempotence) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyOperationCompletionFeed is an input of chapter 04.
type ClassifyOperationCompletionFeed struct {
	OperationID string        `json:"operation_id"`
	Kind        OperationKind `json:"kind"`
}

func (in *ClassifyOperationCompletionFeed) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyOperationCompletionWake is an input of chapter 04.
type ClassifyOperationCompletionWake struct {
	OperationID string        `json:"operation_id"`
	Kind        OperationKind `json:"kind"`
}

func (in *ClassifyOperationCompletionWake) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyOperationDurability is an input of chapter 04.
type ClassifyOperationDurability struct {
	OperationID string        `json:"operation_id"`
	Kind        OperationKind `json:"kind"`
}

func (in *ClassifyOperationDurability) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyRecoveredOperationRecord is an input of chapter 04.
type ClassifyRecoveredOperationRecord struct {
	OperationID               string          `json:"operation_id"`
	Status                    OperationStatus `json:"status"`
	Kind                      OperationKind   `json:"kind"`
	TerminalOutcomePresent    bool            `json:"terminal_outcome_present"`
	TerminalPayloadPresent    bool            `json:"terminal_payload_present"`
	CompletionSequencePresent bool            `json:"completion_sequence_present"`
}

func (in *ClassifyRecoveredOperationRecord) step(k *Kernel, s *State) {
	switch {
	}
}

// RecoverCompletionFeedEntry is an input of chapter 04.
type RecoverCompletionFeedEntry struct {
	OperationID        string                       `json:"operation_id"`
	Kind               OperationKind                `json:"kind"`
	TerminalOutcome    OperationTerminalOutcomeKind `json:"terminal_outcome"`
	TerminalPayload    OpTerminalPayload            `json:"terminal_payload"`
	CompletionSequence uint64                       `json:"completion_sequence"`
}

func (in *RecoverCompletionFeedEntry) step(k *Kernel, s *State) {
	switch {
	}
}

// RecoverOpsCompletionCursor is an input of chapter 04.
type RecoverOpsCompletionCursor struct {
	NextCompletionSeq uint64 `json:"next_completion_seq"`
}

func (in *RecoverOpsCompletionCursor) step(k *Kernel, s *State) {
	switch {
	}
}

// RecoverCompletionConsumerCursors is an input of chapter 04.
type RecoverCompletionConsumerCursors struct {
	AgentAppliedCursor    uint64 `json:"agent_applied_cursor"`
	RuntimeObservedCursor uint64 `json:"runtime_observed_cursor"`
	RuntimeInjectedCursor uint64 `json:"runtime_injected_cursor"`
}

func (in *RecoverCompletionConsumerCursors) step(k *Kernel, s *State) {
	switch {
	}
}

// AdvanceAgentCompletionCursor is an input of chapter 04.
type AdvanceAgentCompletionCursor struct {
	Cursor uint64 `json:"cursor"`
}

func (in *AdvanceAgentCompletionCursor) step(k *Kernel, s *State) {
	switch {
	}
}

// AdvanceRuntimeObservedCompletionCursor is an input of chapter 04.
type AdvanceRuntimeObservedCompletionCursor struct {
	Cursor uint64 `json:"cursor"`
}

func (in *AdvanceRuntimeObservedCompletionCursor) step(k *Kernel, s *State) {
	switch {
	}
}

// AdvanceRuntimeInjectedCompletionCursor is an input of chapter 04.
type AdvanceRuntimeInjectedCompletionCursor struct {
	Cursor uint64 `json:"cursor"`
}

func (in *AdvanceRuntimeInjectedCompletionCursor) step(k *Kernel, s *State) {
	switch {
	}
}

// EvictCompletedOp is an input of chapter 04.
type EvictCompletedOp struct {
	OperationID string `json:"operation_id"`
}

func (in *EvictCompletedOp) step(k *Kernel, s *State) {
	switch {
	}
}

// CollectCompletedOp is an input of chapter 04.
type CollectCompletedOp struct {
	OperationID string `json:"operation_id"`
}

func (in *CollectCompletedOp) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveWaitAllAdmission is an input of chapter 04.
type ResolveWaitAllAdmission struct {
	WaitRequestID        WaitRequestId            `json:"wait_request_id"`
	OperationIDSequence  []string                 `json:"operation_id_sequence"`
	OperationIDs         Set[string]              `json:"operation_ids"`
	OperationIDTokens    Set[OperationId]         `json:"operation_id_tokens"`
	OperationTokenByID   Map[string, OperationId] `json:"operation_token_by_id"`
	OperationIDByToken   Map[OperationId, string] `json:"operation_id_by_token"`
	DuplicateOperationID Opt[string]              `json:"duplicate_operation_id"`
	NotFoundOperationID  Opt[string]              `json:"not_found_operation_id"`
}

func (in *ResolveWaitAllAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// RequestWaitAll is an input of chapter 04.
type RequestWaitAll struct {
	RunID               RunId                    `json:"run_id"`
	WaitRequestID       WaitRequestId            `json:"wait_request_id"`
	OperationIDSequence []string                 `json:"operation_id_sequence"`
	OperationIDs        Set[string]              `json:"operation_ids"`
	OperationIDTokens   Set[OperationId]         `json:"operation_id_tokens"`
	OperationTokenByID  Map[string, OperationId] `json:"operation_token_by_id"`
	OperationIDByToken  Map[OperationId, string] `json:"operation_id_by_token"`
}

func (in *RequestWaitAll) step(k *Kernel, s *State) {
	switch {
	}
}

// SatisfyWaitAll is an input of chapter 04.
type SatisfyWaitAll struct {
	WaitRequestID     WaitRequestId    `json:"wait_request_id"`
	RunID             RunId            `json:"run_id"`
	OperationIDTokens Set[OperationId] `json:"operation_id_tokens"`
}

func (in *SatisfyWaitAll) step(k *Kernel, s *State) {
	switch {
	}
}

// CancelWaitAll is an input of chapter 04.
type CancelWaitAll struct{}

func (in *CancelWaitAll) step(k *Kernel, s *State) {
	switch {
	}
}

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
