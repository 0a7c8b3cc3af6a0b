package kernel

// Chapter 02, inputs: the types of ingest and of the life of an input. The first variant
// of an enum is its zero value.

// InputAbandonReason says why an input was given up.
type InputAbandonReason uint8

const (
	InputAbandonReasonRetired InputAbandonReason = iota
	InputAbandonReasonReset
	InputAbandonReasonStopped
	InputAbandonReasonDestroyed
	InputAbandonReasonCancelled
	InputAbandonReasonMaxAttemptsExhausted
)

// InputDurabilityKind says how an input survives a crash.
type InputDurabilityKind uint8

const (
	// InputDurabilityKindDurable is stored and recovered.
	InputDurabilityKindDurable InputDurabilityKind = iota
	// InputDurabilityKindEphemeral is stored but not recovered.
	InputDurabilityKindEphemeral
	// InputDurabilityKindDerived can be derived again; only the runtime may say so.
	InputDurabilityKindDerived
	// InputDurabilityKindMissing is a row that does not say.
	InputDurabilityKindMissing
)

// InputLane is where an input waits: Queue for its turn, Steer for the next boundary.
type InputLane uint8

const (
	InputLaneQueue InputLane = iota
	InputLaneSteer
)

// InputPhase is where a tracked input stands. Consumed, Superseded, Coalesced and Abandoned
// are ends.
type InputPhase uint8

const (
	InputPhaseQueued InputPhase = iota
	InputPhaseStaged
	InputPhaseApplied
	InputPhaseAppliedPendingConsumption
	InputPhaseConsumed
	InputPhaseSuperseded
	InputPhaseCoalesced
	InputPhaseAbandoned
)

// InputPublicLifecycleState is where an input stands, as surfaces are told. Accepted exists
// only outside the machine.
type InputPublicLifecycleState uint8

const (
	InputPublicLifecycleStateAccepted InputPublicLifecycleState = iota
	InputPublicLifecycleStateQueued
	InputPublicLifecycleStateStaged
	InputPublicLifecycleStateApplied
	InputPublicLifecycleStateAppliedPendingConsumption
	InputPublicLifecycleStateConsumed
	InputPublicLifecycleStateSuperseded
	InputPublicLifecycleStateCoalesced
	InputPublicLifecycleStateAbandoned
)

// InputPublicTerminalOutcome is how an input ended, as surfaces are told.
type InputPublicTerminalOutcome uint8

const (
	InputPublicTerminalOutcomeCompleted InputPublicTerminalOutcome = iota
	InputPublicTerminalOutcomeAbandoned
	InputPublicTerminalOutcomeSuperseded
	InputPublicTerminalOutcomeCoalesced
	InputPublicTerminalOutcomeCancelled
)

// InputTerminalKind is how an input ended.
type InputTerminalKind uint8

const (
	InputTerminalKindConsumed InputTerminalKind = iota
	InputTerminalKindSuperseded
	InputTerminalKindCoalesced
	InputTerminalKindAbandoned
)

// RuntimeEventKind is the category of an event the runtime publishes.
type RuntimeEventKind uint8

const (
	RuntimeEventKindInputLifecycle RuntimeEventKind = iota
	RuntimeEventKindRunLifecycle
	RuntimeEventKindRuntimeStateChange
	RuntimeEventKindTopology
	RuntimeEventKindProjection
)

// WorkId names a unit of work at its producer.
type WorkId string

// WorkOrigin says through which door a unit of work comes.
type WorkOrigin uint8

const (
	WorkOriginExternal WorkOrigin = iota
	WorkOriginInternal
	WorkOriginIngest
)
