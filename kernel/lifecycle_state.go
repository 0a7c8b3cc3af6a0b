package kernel

// LifecycleState is the part of the state that chapter 01 owns.
type LifecycleState struct {
	LifecyclePhase Phase `json:"lifecycle_phase"`
	// SessionID: session bound to this machine.
	SessionID Opt[SessionId] `json:"session_id"`
	// ActiveRuntimeID: runtime instance bound to the session.
	ActiveRuntimeID Opt[AgentRuntimeId] `json:"active_runtime_id"`
	// ActiveFenceToken: fencing number of that binding.
	ActiveFenceToken Opt[FenceToken] `json:"active_fence_token"`
	// ActiveRuntimeGeneration: identity leg used by mob bindings.
	ActiveRuntimeGeneration Opt[Generation] `json:"active_runtime_generation"`
	// ActiveRuntimeEpochID: identity leg used by local bindings.
	ActiveRuntimeEpochID Opt[RuntimeEpochId] `json:"active_runtime_epoch_id"`
	// CurrentRunID: run in progress (may survive into Retired).
	CurrentRunID Opt[RunId] `json:"current_run_id"`
	// PreRunPhase: phase to return to when the run ends.
	PreRunPhase Opt[PreRunPhase] `json:"pre_run_phase"`
	// RuntimeStopDeferred: a stop was requested and awaits the executor exit.
	RuntimeStopDeferred bool `json:"runtime_stop_deferred"`
	// SilentIntentOverrides: peer request intents accepted without a turn.
	SilentIntentOverrides Set[string] `json:"silent_intent_overrides"`
	// RegistrationPhase: executor registration.
	RegistrationPhase RegistrationPhase `json:"registration_phase"`
	// UnregisterRuntimeLoopDrainPending: drain obligation 1 open.
	UnregisterRuntimeLoopDrainPending bool `json:"unregister_runtime_loop_drain_pending"`
	// UnregisterCommsDrainExitPending: drain obligation 2 open.
	UnregisterCommsDrainExitPending bool `json:"unregister_comms_drain_exit_pending"`
	// UnregisterCompletionWaiterDrainPending: drain obligation 3 open.
	UnregisterCompletionWaiterDrainPending bool `json:"unregister_completion_waiter_drain_pending"`
	// UnregisterTeardownRetainsSnapshot: teardown began in Retired/Stopped, so durable
	// records stay.
	UnregisterTeardownRetainsSnapshot bool `json:"unregister_teardown_retains_snapshot"`
	// StagedSessionPhase: deferred-session slot.
	StagedSessionPhase StagedSessionPhase `json:"staged_session_phase"`
	// StagedSessionID: slot owner.
	StagedSessionID Opt[SessionId] `json:"staged_session_id"`
	// StagedSessionKeepAlive: keep-alive policy of the slot.
	StagedSessionKeepAlive Opt[bool] `json:"staged_session_keep_alive"`
	// StagedSessionLlmIdentity: effective model identity of the slot.
	StagedSessionLlmIdentity Opt[SessionLlmIdentity] `json:"staged_session_llm_identity"`
	// StagedSessionMachineArchivedResumeAuthorized: resume of a machine-archived session
	// allowed.
	StagedSessionMachineArchivedResumeAuthorized bool `json:"staged_session_machine_archived_resume_authorized"`
	// MobOperatorAuthorityPresent: operator authority granted.
	MobOperatorAuthorityPresent  bool                      `json:"mob_operator_authority_present"`
	MobOperatorPrincipalToken    Opt[OpaquePrincipalToken] `json:"mob_operator_principal_token"`
	MobOperatorCanCreateMobs     bool                      `json:"mob_operator_can_create_mobs"`
	MobOperatorCanMutateProfiles bool                      `json:"mob_operator_can_mutate_profiles"`
	// MobOperatorManagedMobScope: mobs the caller may manage.
	MobOperatorManagedMobScope Set[string] `json:"mob_operator_managed_mob_scope"`
	// MobOperatorSpawnProfileScope: per mob: profiles the caller may spawn.
	MobOperatorSpawnProfileScope Map[string, Set[string]]     `json:"mob_operator_spawn_profile_scope"`
	MobOperatorCallerProvenance  Opt[MobToolCallerProvenance] `json:"mob_operator_caller_provenance"`
	MobOperatorAuditInvocationID Opt[string]                  `json:"mob_operator_audit_invocation_id"`
}
