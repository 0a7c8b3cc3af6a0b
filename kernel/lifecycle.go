package kernel

// The inputs and signals of chapter 01 with their rules, in the chapter's order.

// ContainsSession is an input of chapter 01.
type ContainsSession struct {
	SessionID SessionId `json:"session_id"`
}

func (in *ContainsSession) step(k *Kernel, s *State) {
	switch {
	}
}

// SessionHasExecutor is an input of chapter 01.
type SessionHasExecutor struct {
	SessionID SessionId `json:"session_id"`
}

func (in *SessionHasExecutor) step(k *Kernel, s *State) {
	switch {
	}
}

// SessionHasComms is an input of chapter 01.
type SessionHasComms struct {
	SessionID SessionId `json:"session_id"`
}

func (in *SessionHasComms) step(k *Kernel, s *State) {
	switch {
	}
}

// OpsLifecycleRegistry is an input of chapter 01.
type OpsLifecycleRegistry struct {
	SessionID SessionId `json:"session_id"`
}

func (in *OpsLifecycleRegistry) step(k *Kernel, s *State) {
	switch {
	}
}

// InputState is an input of chapter 01.
type InputState struct {
	SessionID SessionId `json:"session_id"`
	InputID   InputId   `json:"input_id"`
}

func (in *InputState) step(k *Kernel, s *State) {
	switch {
	}
}

// ListActiveInputs is an input of chapter 01.
type ListActiveInputs struct {
	SessionID SessionId `json:"session_id"`
}

func (in *ListActiveInputs) step(k *Kernel, s *State) {
	switch {
	}
}

// RuntimeState is an input of chapter 01.
type RuntimeState struct {
	RuntimeID string `json:"runtime_id"`
}

func (in *RuntimeState) step(k *Kernel, s *State) {
	switch {
	}
}

// LoadBoundaryReceipt is an input of chapter 01.
type LoadBoundaryReceipt struct {
	RuntimeID string `json:"runtime_id"`
	Sequence  uint64 `json:"sequence"`
}

func (in *LoadBoundaryReceipt) step(k *Kernel, s *State) {
	switch {
	}
}

// Initialize is a signal of chapter 01.
type Initialize struct{}

func (*Initialize) signal() {}

func (in *Initialize) step(k *Kernel, s *State) {
	switch {
	}
}

// RegisterSession is an input of chapter 01.
type RegisterSession struct {
	SessionID SessionId `json:"session_id"`
}

func (in *RegisterSession) step(k *Kernel, s *State) {
	switch {
	}
}

// StageDeferredSession is an input of chapter 01.
type StageDeferredSession struct {
	SessionID                       SessionId          `json:"session_id"`
	KeepAlive                       bool               `json:"keep_alive"`
	HasCommsName                    bool               `json:"has_comms_name"`
	LlmIdentity                     SessionLlmIdentity `json:"llm_identity"`
	MachineArchivedResumeAuthorized bool               `json:"machine_archived_resume_authorized"`
}

func (in *StageDeferredSession) step(k *Kernel, s *State) {
	switch {
	}
}

// UpdateDeferredSessionKeepAlive is an input of chapter 01.
type UpdateDeferredSessionKeepAlive struct {
	SessionID    SessionId `json:"session_id"`
	KeepAlive    bool      `json:"keep_alive"`
	HasCommsName bool      `json:"has_comms_name"`
}

func (in *UpdateDeferredSessionKeepAlive) step(k *Kernel, s *State) {
	switch {
	}
}

// UpdateDeferredSessionLlmIdentity is an input of chapter 01.
type UpdateDeferredSessionLlmIdentity struct {
	SessionID   SessionId          `json:"session_id"`
	LlmIdentity SessionLlmIdentity `json:"llm_identity"`
}

func (in *UpdateDeferredSessionLlmIdentity) step(k *Kernel, s *State) {
	switch {
	}
}

// AuthorizeDeferredSessionSystemContextAppend is an input of chapter 01.
type AuthorizeDeferredSessionSystemContextAppend struct {
	SessionID SessionId `json:"session_id"`
}

func (in *AuthorizeDeferredSessionSystemContextAppend) step(k *Kernel, s *State) {
	switch {
	}
}

// BeginDeferredSessionPromotion is an input of chapter 01.
type BeginDeferredSessionPromotion struct {
	SessionID SessionId `json:"session_id"`
}

func (in *BeginDeferredSessionPromotion) step(k *Kernel, s *State) {
	switch {
	}
}

// AuthorizeDeferredSessionMachineArchivedResume is an input of chapter 01.
type AuthorizeDeferredSessionMachineArchivedResume struct {
	SessionID SessionId `json:"session_id"`
}

func (in *AuthorizeDeferredSessionMachineArchivedResume) step(k *Kernel, s *State) {
	switch {
	}
}

// AbandonDeferredSessionPromotion is an input of chapter 01.
type AbandonDeferredSessionPromotion struct {
	SessionID SessionId `json:"session_id"`
}

func (in *AbandonDeferredSessionPromotion) step(k *Kernel, s *State) {
	switch {
	}
}

// FinishDeferredSessionPromotion is an input of chapter 01.
type FinishDeferredSessionPromotion struct {
	SessionID SessionId `json:"session_id"`
}

func (in *FinishDeferredSessionPromotion) step(k *Kernel, s *State) {
	switch {
	}
}

// BeginDeferredSessionArchive is an input of chapter 01.
type BeginDeferredSessionArchive struct {
	SessionID SessionId `json:"session_id"`
}

func (in *BeginDeferredSessionArchive) step(k *Kernel, s *State) {
	switch {
	}
}

// RestoreDeferredSessionArchive is an input of chapter 01.
type RestoreDeferredSessionArchive struct {
	SessionID SessionId `json:"session_id"`
}

func (in *RestoreDeferredSessionArchive) step(k *Kernel, s *State) {
	switch {
	}
}

// FinishDeferredSessionArchive is an input of chapter 01.
type FinishDeferredSessionArchive struct {
	SessionID SessionId `json:"session_id"`
}

func (in *FinishDeferredSessionArchive) step(k *Kernel, s *State) {
	switch {
	}
}

// DropDeferredSession is an input of chapter 01.
type DropDeferredSession struct {
	SessionID SessionId `json:"session_id"`
}

func (in *DropDeferredSession) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveMobOperatorCreateAuthority is an input of chapter 01.
type ResolveMobOperatorCreateAuthority struct {
	RequestKind       MobOperatorAccessRequestKind `json:"request_kind"`
	PrincipalToken    OpaquePrincipalToken         `json:"principal_token"`
	CallerProvenance  Opt[MobToolCallerProvenance] `json:"caller_provenance"`
	AuditInvocationID Opt[string]                  `json:"audit_invocation_id"`
}

func (in *ResolveMobOperatorCreateAuthority) step(k *Kernel, s *State) {
	switch {
	}
}

// RestoreMobOperatorAuthority is an input of chapter 01.
type RestoreMobOperatorAuthority struct {
	PrincipalToken    OpaquePrincipalToken         `json:"principal_token"`
	CanCreateMobs     bool                         `json:"can_create_mobs"`
	CanMutateProfiles bool                         `json:"can_mutate_profiles"`
	ManagedMobScope   Set[string]                  `json:"managed_mob_scope"`
	SpawnProfileScope Map[string, Set[string]]     `json:"spawn_profile_scope"`
	CallerProvenance  Opt[MobToolCallerProvenance] `json:"caller_provenance"`
	AuditInvocationID Opt[string]                  `json:"audit_invocation_id"`
}

func (in *RestoreMobOperatorAuthority) step(k *Kernel, s *State) {
	switch {
	}
}

// SetMobOperatorProfileMutation is an input of chapter 01.
type SetMobOperatorProfileMutation struct {
	Allowed bool `json:"allowed"`
}

func (in *SetMobOperatorProfileMutation) step(k *Kernel, s *State) {
	switch {
	}
}

// SetMobOperatorCreateAuthority is an input of chapter 01.
type SetMobOperatorCreateAuthority struct {
	Allowed bool `json:"allowed"`
}

func (in *SetMobOperatorCreateAuthority) step(k *Kernel, s *State) {
	switch {
	}
}

// GrantMobOperatorManageMob is an input of chapter 01.
type GrantMobOperatorManageMob struct {
	MobID string `json:"mob_id"`
}

func (in *GrantMobOperatorManageMob) step(k *Kernel, s *State) {
	switch {
	}
}

// SetMobOperatorSpawnProfilesInMob is an input of chapter 01.
type SetMobOperatorSpawnProfilesInMob struct {
	MobID    string      `json:"mob_id"`
	Profiles Set[string] `json:"profiles"`
}

func (in *SetMobOperatorSpawnProfilesInMob) step(k *Kernel, s *State) {
	switch {
	}
}

// BeginUnregisterSession is an input of chapter 01.
type BeginUnregisterSession struct {
	SessionID      SessionId           `json:"session_id"`
	AgentRuntimeID Opt[AgentRuntimeId] `json:"agent_runtime_id"`
	FenceToken     Opt[FenceToken]     `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
}

func (in *BeginUnregisterSession) step(k *Kernel, s *State) {
	switch {
	}
}

// RuntimeLoopStoppedForUnregister is an input of chapter 01.
type RuntimeLoopStoppedForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (in *RuntimeLoopStoppedForUnregister) step(k *Kernel, s *State) {
	switch {
	}
}

// CommsDrainExitedForUnregister is an input of chapter 01.
type CommsDrainExitedForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (in *CommsDrainExitedForUnregister) step(k *Kernel, s *State) {
	switch {
	}
}

// CompletionWaitersResolvedForUnregister is an input of chapter 01.
type CompletionWaitersResolvedForUnregister struct {
	SessionID SessionId `json:"session_id"`
}

func (in *CompletionWaitersResolvedForUnregister) step(k *Kernel, s *State) {
	switch {
	}
}

// UnregisterSession is an input of chapter 01.
type UnregisterSession struct {
	SessionID      SessionId           `json:"session_id"`
	AgentRuntimeID Opt[AgentRuntimeId] `json:"agent_runtime_id"`
	FenceToken     Opt[FenceToken]     `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
}

func (in *UnregisterSession) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveRuntimeOpsLifecycleDurability is an input of chapter 01.
type ResolveRuntimeOpsLifecycleDurability struct {
	SessionID      SessionId           `json:"session_id"`
	AgentRuntimeID Opt[AgentRuntimeId] `json:"agent_runtime_id"`
	FenceToken     Opt[FenceToken]     `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
}

func (in *ResolveRuntimeOpsLifecycleDurability) step(k *Kernel, s *State) {
	switch {
	}
}

// PrepareBindings is an input of chapter 01.
type PrepareBindings struct {
	AgentRuntimeID AgentRuntimeId      `json:"agent_runtime_id"`
	FenceToken     FenceToken          `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
	SessionID      SessionId           `json:"session_id"`
}

func (in *PrepareBindings) step(k *Kernel, s *State) {
	switch {
	}
}

// InterruptCurrentRun is an input of chapter 01.
type InterruptCurrentRun struct{}

func (in *InterruptCurrentRun) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveUserInterruptPublicResult is an input of chapter 01.
type ResolveUserInterruptPublicResult struct {
	Observation         UserInterruptObservationKind `json:"observation"`
	TargetPresent       bool                         `json:"target_present"`
	StagedPromotionBusy bool                         `json:"staged_promotion_busy"`
}

func (in *ResolveUserInterruptPublicResult) step(k *Kernel, s *State) {
	switch {
	}
}

// CancelAfterBoundary is an input of chapter 01.
type CancelAfterBoundary struct {
	Reason string `json:"reason"`
}

func (in *CancelAfterBoundary) step(k *Kernel, s *State) {
	switch {
	}
}

// Retire is an input of chapter 01.
type Retire struct {
	SessionID SessionId `json:"session_id"`
}

func (in *Retire) step(k *Kernel, s *State) {
	switch {
	}
}

// Reset is an input of chapter 01.
type Reset struct{}

func (in *Reset) step(k *Kernel, s *State) {
	switch {
	}
}

// StopRuntimeExecutor is an input of chapter 01.
type StopRuntimeExecutor struct {
	Reason string `json:"reason"`
}

func (in *StopRuntimeExecutor) step(k *Kernel, s *State) {
	switch {
	}
}

// RuntimeExecutorExited is an input of chapter 01.
type RuntimeExecutorExited struct{}

func (in *RuntimeExecutorExited) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveRuntimeCompletionResult is an input of chapter 01.
type ResolveRuntimeCompletionResult struct {
	RunID        Opt[RunId]                               `json:"run_id"`
	Terminal     RuntimeCompletionTerminalObservation     `json:"terminal"`
	Finalization RuntimeCompletionFinalizationObservation `json:"finalization"`
}

func (in *ResolveRuntimeCompletionResult) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveRuntimeCompletionCleanup is an input of chapter 01.
type ResolveRuntimeCompletionCleanup struct {
	SessionID                    SessionId                               `json:"session_id"`
	ObservationSessionID         SessionId                               `json:"observation_session_id"`
	ObservationAgentRuntimeID    Opt[AgentRuntimeId]                     `json:"observation_agent_runtime_id"`
	ObservationFenceToken        Opt[FenceToken]                         `json:"observation_fence_token"`
	ObservationRuntimeGeneration Opt[Generation]                         `json:"observation_runtime_generation"`
	ObservationRuntimeEpochID    Opt[RuntimeEpochId]                     `json:"observation_runtime_epoch_id"`
	Outcome                      RuntimeCompletionObservedOutcome        `json:"outcome"`
	ArchivedByAuthority          bool                                    `json:"archived_by_authority"`
	LiveSession                  RuntimeCompletionLiveSessionObservation `json:"live_session"`
}

func (in *ResolveRuntimeCompletionCleanup) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveRuntimeCompletionWaitFailure is an input of chapter 01.
type ResolveRuntimeCompletionWaitFailure struct {
	SessionID SessionId                               `json:"session_id"`
	Failure   RuntimeCompletionWaitFailureObservation `json:"failure"`
}

func (in *ResolveRuntimeCompletionWaitFailure) step(k *Kernel, s *State) {
	switch {
	}
}

// Destroy is an input of chapter 01.
type Destroy struct {
	SessionID SessionId `json:"session_id"`
}

func (in *Destroy) step(k *Kernel, s *State) {
	switch {
	}
}

// Recover is an input of chapter 01.
type Recover struct{}

func (in *Recover) step(k *Kernel, s *State) {
	switch {
	}
}

// RecoverRuntimeAuthority is an input of chapter 01.
type RecoverRuntimeAuthority struct {
	SessionID             SessionId                     `json:"session_id"`
	State                 RuntimeLifecycleObservedState `json:"state"`
	AgentRuntimeID        Opt[AgentRuntimeId]           `json:"agent_runtime_id"`
	FenceToken            Opt[FenceToken]               `json:"fence_token"`
	RuntimeGeneration     Opt[Generation]               `json:"runtime_generation"`
	RuntimeEpochID        Opt[RuntimeEpochId]           `json:"runtime_epoch_id"`
	CurrentRunID          Opt[RunId]                    `json:"current_run_id"`
	PreRunPhase           Opt[PreRunPhase]              `json:"pre_run_phase"`
	SilentIntentOverrides Set[string]                   `json:"silent_intent_overrides"`
}

func (in *RecoverRuntimeAuthority) step(k *Kernel, s *State) {
	switch {
	}
}

// EnsureSessionWithExecutor is an input of chapter 01.
type EnsureSessionWithExecutor struct {
	SessionID SessionId `json:"session_id"`
}

func (in *EnsureSessionWithExecutor) step(k *Kernel, s *State) {
	switch {
	}
}

// SetSilentIntents is an input of chapter 01.
type SetSilentIntents struct {
	SessionID SessionId   `json:"session_id"`
	Intents   Set[string] `json:"intents"`
}

func (in *SetSilentIntents) step(k *Kernel, s *State) {
	switch {
	}
}

// Abort is an input of chapter 01.
type Abort struct {
	SessionID SessionId `json:"session_id"`
}

func (in *Abort) step(k *Kernel, s *State) {
	switch {
	}
}

// AbortAll is an input of chapter 01.
type AbortAll struct{}

func (in *AbortAll) step(k *Kernel, s *State) {
	switch {
	}
}

// Wait is an input of chapter 01.
type Wait struct {
	SessionID SessionId `json:"session_id"`
}

func (in *Wait) step(k *Kernel, s *State) {
	switch {
	}
}

// EnsureDrainRunning is a signal of chapter 01.
type EnsureDrainRunning struct{}

func (*EnsureDrainRunning) signal() {}

func (in *EnsureDrainRunning) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyRuntimeLifecycleState is an input of chapter 01.
type ClassifyRuntimeLifecycleState struct {
	State RuntimeLifecycleObservedState `json:"state"`
}

func (in *ClassifyRuntimeLifecycleState) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyRuntimeLifecycleDurability is an input of chapter 01.
type ClassifyRuntimeLifecycleDurability struct {
	State RuntimeLifecycleObservedState `json:"state"`
}

func (in *ClassifyRuntimeLifecycleDurability) step(k *Kernel, s *State) {
	switch {
	}
}

// ClassifyRuntimeLoopQueueAdmission is an input of chapter 01.
type ClassifyRuntimeLoopQueueAdmission struct {
	State           RuntimeLifecycleObservedState `json:"state"`
	CurrentRunBound bool                          `json:"current_run_bound"`
}

func (in *ClassifyRuntimeLoopQueueAdmission) step(k *Kernel, s *State) {
	switch {
	}
}

// ResolveVisibleRuntimePhase is an input of chapter 01.
type ResolveVisibleRuntimePhase struct {
	DslPhase              RuntimeLifecycleObservedState      `json:"dsl_phase"`
	DslPreRunPhase        Opt[RuntimeLifecycleObservedState] `json:"dsl_pre_run_phase"`
	ControlPhase          RuntimeLifecycleObservedState      `json:"control_phase"`
	ControlPreRunPhase    Opt[RuntimeLifecycleObservedState] `json:"control_pre_run_phase"`
	HasRuntimePersistence bool                               `json:"has_runtime_persistence"`
}

func (in *ResolveVisibleRuntimePhase) step(k *Kernel, s *State) {
	switch {
	}
}

// Prepare is an input of chapter 01.
type Prepare struct {
	SessionID SessionId `json:"session_id"`
	RunID     RunId     `json:"run_id"`
}

func (in *Prepare) step(k *Kernel, s *State) {
	switch {
	}
}

// DrainQueuedRun is a signal of chapter 01.
type DrainQueuedRun struct {
	RunID RunId `json:"run_id"`
}

func (*DrainQueuedRun) signal() {}

func (in *DrainQueuedRun) step(k *Kernel, s *State) {
	switch {
	}
}

// Commit is an input of chapter 01.
type Commit struct {
	InputID InputId `json:"input_id"`
	RunID   RunId   `json:"run_id"`
}

func (in *Commit) step(k *Kernel, s *State) {
	switch {
	}
}

// Fail is an input of chapter 01.
type Fail struct {
	RunID RunId `json:"run_id"`
}

func (in *Fail) step(k *Kernel, s *State) {
	switch {
	}
}

// CancelRun is an input of chapter 01.
type CancelRun struct {
	RunID RunId `json:"run_id"`
}

func (in *CancelRun) step(k *Kernel, s *State) {
	switch {
	}
}

// RollbackRun is an input of chapter 01.
type RollbackRun struct {
	RunID RunId `json:"run_id"`
}

func (in *RollbackRun) step(k *Kernel, s *State) {
	switch {
	}
}

// Recycle is an input of chapter 01.
type Recycle struct{}

func (in *Recycle) step(k *Kernel, s *State) {
	switch {
	}
}
