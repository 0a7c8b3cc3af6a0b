package kernel

// Chapter 01, session lifecycle: the classifiers. They are asked on a scratch machine in
// Idle about a phase that arrives as a field, read nothing of the state and change
// nothing.

// ClassifyRuntimeLifecycleState asks what a runtime in the given phase admits.
// Runtime-internal, chapter 01.
type ClassifyRuntimeLifecycleState struct {
	State RuntimeLifecycleObservedState `json:"state"`
}

func (in *ClassifyRuntimeLifecycleState) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyRuntimeLifecycleInitializing", Idle, Stay) &&
		k.guard("initializing_state", in.State == RuntimeLifecycleObservedStateInitializing):

		k.emit(RuntimeLifecycleStateClassified{
			State:            in.State,
			Terminality:      RuntimeLifecycleTerminalityNonTerminal,
			InputAdmission:   RuntimeInputAdmissionRejectsInput,
			QueueAdmission:   RuntimeQueueAdmissionBlocksQueue,
			PrepareAdmission: RuntimePrepareAdmissionNotReady,
			IngressAdmission: RuntimeIngressAdmissionOpen,
		})

	case k.rule("ClassifyRuntimeLifecycleIdle", Idle, Stay) &&
		k.guard("idle_state", in.State == RuntimeLifecycleObservedStateIdle):

		k.emit(RuntimeLifecycleStateClassified{
			State:            in.State,
			Terminality:      RuntimeLifecycleTerminalityNonTerminal,
			InputAdmission:   RuntimeInputAdmissionAcceptsInput,
			QueueAdmission:   RuntimeQueueAdmissionProcessesQueue,
			PrepareAdmission: RuntimePrepareAdmissionReady,
			IngressAdmission: RuntimeIngressAdmissionOpen,
		})

	case k.rule("ClassifyRuntimeLifecycleAttached", Idle, Stay) &&
		k.guard("attached_state", in.State == RuntimeLifecycleObservedStateAttached):

		k.emit(RuntimeLifecycleStateClassified{
			State:            in.State,
			Terminality:      RuntimeLifecycleTerminalityNonTerminal,
			InputAdmission:   RuntimeInputAdmissionAcceptsInput,
			QueueAdmission:   RuntimeQueueAdmissionProcessesQueue,
			PrepareAdmission: RuntimePrepareAdmissionReady,
			IngressAdmission: RuntimeIngressAdmissionOpen,
		})

	case k.rule("ClassifyRuntimeLifecycleRunning", Idle, Stay) &&
		k.guard("running_state", in.State == RuntimeLifecycleObservedStateRunning):

		k.emit(RuntimeLifecycleStateClassified{
			State:            in.State,
			Terminality:      RuntimeLifecycleTerminalityNonTerminal,
			InputAdmission:   RuntimeInputAdmissionAcceptsInput,
			QueueAdmission:   RuntimeQueueAdmissionBlocksQueue,
			PrepareAdmission: RuntimePrepareAdmissionNotReady,
			IngressAdmission: RuntimeIngressAdmissionOpen,
		})

	case k.rule("ClassifyRuntimeLifecycleRetired", Idle, Stay) &&
		k.guard("retired_state", in.State == RuntimeLifecycleObservedStateRetired):

		k.emit(RuntimeLifecycleStateClassified{
			State:            in.State,
			Terminality:      RuntimeLifecycleTerminalityNonTerminal,
			InputAdmission:   RuntimeInputAdmissionRejectsInput,
			QueueAdmission:   RuntimeQueueAdmissionProcessesQueue,
			PrepareAdmission: RuntimePrepareAdmissionNotReady,
			IngressAdmission: RuntimeIngressAdmissionNotReady,
		})

	case k.rule("ClassifyRuntimeLifecycleStopped", Idle, Stay) &&
		k.guard("stopped_state", in.State == RuntimeLifecycleObservedStateStopped):

		k.emit(RuntimeLifecycleStateClassified{
			State:            in.State,
			Terminality:      RuntimeLifecycleTerminalityNonTerminal,
			InputAdmission:   RuntimeInputAdmissionRejectsInput,
			QueueAdmission:   RuntimeQueueAdmissionBlocksQueue,
			PrepareAdmission: RuntimePrepareAdmissionNotReady,
			IngressAdmission: RuntimeIngressAdmissionNotReady,
		})

	case k.rule("ClassifyRuntimeLifecycleDestroyed", Idle, Stay) &&
		k.guard("destroyed_state", in.State == RuntimeLifecycleObservedStateDestroyed):

		k.emit(RuntimeLifecycleStateClassified{
			State:            in.State,
			Terminality:      RuntimeLifecycleTerminalityTerminal,
			InputAdmission:   RuntimeInputAdmissionRejectsInput,
			QueueAdmission:   RuntimeQueueAdmissionBlocksQueue,
			PrepareAdmission: RuntimePrepareAdmissionDestroyed,
			IngressAdmission: RuntimeIngressAdmissionDestroyed,
		})
	}
}

// ClassifyRuntimeLifecycleDurability asks as what a phase is written to the durable
// record. An attachment does not outlive its process, so Attached is written as Idle.
// Runtime-internal, chapter 01.
type ClassifyRuntimeLifecycleDurability struct {
	State RuntimeLifecycleObservedState `json:"state"`
}

func (in *ClassifyRuntimeLifecycleDurability) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyRuntimeDurabilityInitializing", Idle, Stay) &&
		k.guard("initializing_state", in.State == RuntimeLifecycleObservedStateInitializing):

		k.emit(RuntimeLifecycleDurabilityClassified{State: in.State, DurableState: RuntimeLifecycleObservedStateInitializing})

	case k.rule("ClassifyRuntimeDurabilityIdle", Idle, Stay) &&
		k.guard("idle_state", in.State == RuntimeLifecycleObservedStateIdle):

		k.emit(RuntimeLifecycleDurabilityClassified{State: in.State, DurableState: RuntimeLifecycleObservedStateIdle})

	case k.rule("ClassifyRuntimeDurabilityAttached", Idle, Stay) &&
		k.guard("attached_state", in.State == RuntimeLifecycleObservedStateAttached):

		k.emit(RuntimeLifecycleDurabilityClassified{State: in.State, DurableState: RuntimeLifecycleObservedStateIdle})

	case k.rule("ClassifyRuntimeDurabilityRunning", Idle, Stay) &&
		k.guard("running_state", in.State == RuntimeLifecycleObservedStateRunning):

		k.emit(RuntimeLifecycleDurabilityClassified{State: in.State, DurableState: RuntimeLifecycleObservedStateRunning})

	case k.rule("ClassifyRuntimeDurabilityRetired", Idle, Stay) &&
		k.guard("retired_state", in.State == RuntimeLifecycleObservedStateRetired):

		k.emit(RuntimeLifecycleDurabilityClassified{State: in.State, DurableState: RuntimeLifecycleObservedStateRetired})

	case k.rule("ClassifyRuntimeDurabilityStopped", Idle, Stay) &&
		k.guard("stopped_state", in.State == RuntimeLifecycleObservedStateStopped):

		k.emit(RuntimeLifecycleDurabilityClassified{State: in.State, DurableState: RuntimeLifecycleObservedStateStopped})

	case k.rule("ClassifyRuntimeDurabilityDestroyed", Idle, Stay) &&
		k.guard("destroyed_state", in.State == RuntimeLifecycleObservedStateDestroyed):

		k.emit(RuntimeLifecycleDurabilityClassified{State: in.State, DurableState: RuntimeLifecycleObservedStateDestroyed})
	}
}

// ClassifyRuntimeLoopQueueAdmission asks whether the loop may take from the queue, and
// under which run. A bound run outside Running has no verdict: the loop must not go on.
// Runtime-internal, chapter 01.
type ClassifyRuntimeLoopQueueAdmission struct {
	State           RuntimeLifecycleObservedState `json:"state"`
	CurrentRunBound bool                          `json:"current_run_bound"`
}

func (in *ClassifyRuntimeLoopQueueAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifyRuntimeLoopQueueInitializing", Idle, Stay) &&
		k.guard("initializing_state", in.State == RuntimeLifecycleObservedStateInitializing) &&
		k.guard("no_current_run", !in.CurrentRunBound):

		k.emit(in.classified(RuntimeQueueAdmissionBlocksQueue, RuntimeLoopRunBindingBlocked))

	case k.rule("ClassifyRuntimeLoopQueueIdle", Idle, Stay) &&
		k.guard("idle_state", in.State == RuntimeLifecycleObservedStateIdle) &&
		k.guard("no_current_run", !in.CurrentRunBound):

		k.emit(in.classified(RuntimeQueueAdmissionProcessesQueue, RuntimeLoopRunBindingAllocateNew))

	case k.rule("ClassifyRuntimeLoopQueueAttached", Idle, Stay) &&
		k.guard("attached_state", in.State == RuntimeLifecycleObservedStateAttached) &&
		k.guard("no_current_run", !in.CurrentRunBound):

		k.emit(in.classified(RuntimeQueueAdmissionProcessesQueue, RuntimeLoopRunBindingAllocateNew))

	case k.rule("ClassifyRuntimeLoopQueueRunningWithoutBinding", Idle, Stay) &&
		k.guard("running_state", in.State == RuntimeLifecycleObservedStateRunning) &&
		k.guard("no_current_run", !in.CurrentRunBound):

		k.emit(in.classified(RuntimeQueueAdmissionBlocksQueue, RuntimeLoopRunBindingBlocked))

	case k.rule("ClassifyRuntimeLoopQueueRunningWithBinding", Idle, Stay) &&
		k.guard("running_state", in.State == RuntimeLifecycleObservedStateRunning) &&
		k.guard("has_current_run", in.CurrentRunBound):

		k.emit(in.classified(RuntimeQueueAdmissionProcessesQueue, RuntimeLoopRunBindingUsePrebound))

	case k.rule("ClassifyRuntimeLoopQueueRetired", Idle, Stay) &&
		k.guard("retired_state", in.State == RuntimeLifecycleObservedStateRetired) &&
		k.guard("no_current_run", !in.CurrentRunBound):

		k.emit(in.classified(RuntimeQueueAdmissionProcessesQueue, RuntimeLoopRunBindingAllocateNew))

	case k.rule("ClassifyRuntimeLoopQueueStopped", Idle, Stay) &&
		k.guard("stopped_state", in.State == RuntimeLifecycleObservedStateStopped) &&
		k.guard("no_current_run", !in.CurrentRunBound):

		k.emit(in.classified(RuntimeQueueAdmissionBlocksQueue, RuntimeLoopRunBindingBlocked))

	case k.rule("ClassifyRuntimeLoopQueueDestroyed", Idle, Stay) &&
		k.guard("destroyed_state", in.State == RuntimeLifecycleObservedStateDestroyed) &&
		k.guard("no_current_run", !in.CurrentRunBound):

		k.emit(in.classified(RuntimeQueueAdmissionBlocksQueue, RuntimeLoopRunBindingBlocked))
	}
}

func (in *ClassifyRuntimeLoopQueueAdmission) classified(
	admission RuntimeQueueAdmission, binding RuntimeLoopRunBinding,
) RuntimeLoopQueueAdmissionClassified {
	return RuntimeLoopQueueAdmissionClassified{
		State:           in.State,
		CurrentRunBound: in.CurrentRunBound,
		QueueAdmission:  admission,
		RunBinding:      binding,
	}
}

// ResolveVisibleRuntimePhase asks which phase to publish: that of the machine, or the
// one the control projection last published, which runs behind while something is being
// written. A retired session that works off its queue reads Retired, not Running. One
// rule always holds. Runtime-internal, chapter 01.
type ResolveVisibleRuntimePhase struct {
	DslPhase              RuntimeLifecycleObservedState      `json:"dsl_phase"`
	DslPreRunPhase        Opt[RuntimeLifecycleObservedState] `json:"dsl_pre_run_phase"`
	ControlPhase          RuntimeLifecycleObservedState      `json:"control_phase"`
	ControlPreRunPhase    Opt[RuntimeLifecycleObservedState] `json:"control_pre_run_phase"`
	HasRuntimePersistence bool                               `json:"has_runtime_persistence"`
}

func (in *ResolveVisibleRuntimePhase) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveVisibleRuntimePhasePublishControlVisibleRewrite", Idle, Stay) &&
		k.guard("publish_control", in.publishControl()) &&
		k.guard("control_visible_rewrite", in.controlDrainsRetired()):

		k.emit(VisibleRuntimePhaseResolved{
			PublishControl: true, SelectedRawPhase: in.ControlPhase, VisiblePhase: RuntimeLifecycleObservedStateRetired,
		})

	case k.rule("ResolveVisibleRuntimePhasePublishControlNoRewrite", Idle, Stay) &&
		k.guard("publish_control", in.publishControl()) &&
		k.guard("control_no_visible_rewrite", !in.controlDrainsRetired()):

		k.emit(VisibleRuntimePhaseResolved{
			PublishControl: true, SelectedRawPhase: in.ControlPhase, VisiblePhase: in.ControlPhase,
		})

	case k.rule("ResolveVisibleRuntimePhaseKeepDslVisibleRewrite", Idle, Stay) &&
		k.guard("keep_dsl", !in.publishControl()) &&
		k.guard("dsl_visible_rewrite", in.dslDrainsRetired()):

		k.emit(VisibleRuntimePhaseResolved{
			PublishControl: false, SelectedRawPhase: in.DslPhase, VisiblePhase: RuntimeLifecycleObservedStateRetired,
		})

	case k.rule("ResolveVisibleRuntimePhaseKeepDslNoRewrite", Idle, Stay) &&
		k.guard("keep_dsl", !in.publishControl()) &&
		k.guard("dsl_no_visible_rewrite", !in.dslDrainsRetired()):

		k.emit(VisibleRuntimePhaseResolved{
			PublishControl: false, SelectedRawPhase: in.DslPhase, VisiblePhase: in.DslPhase,
		})
	}
}

// publishControl reports whether the projection wins: there is a store, so it may run
// behind, and either side says something that must not be hidden. It does not win by
// saying Retired while the retired machine drains its queue.
func (in *ResolveVisibleRuntimePhase) publishControl() bool {
	return in.HasRuntimePersistence &&
		in.ControlPhase != in.DslPhase &&
		(in.DslPhase.closed() || in.ControlPhase.closed() || in.ControlPhase == RuntimeLifecycleObservedStateRunning) &&
		!(in.ControlPhase == RuntimeLifecycleObservedStateRetired && in.dslDrainsRetired())
}

func (in *ResolveVisibleRuntimePhase) controlDrainsRetired() bool {
	return in.ControlPhase == RuntimeLifecycleObservedStateRunning &&
		in.ControlPreRunPhase.Is(RuntimeLifecycleObservedStateRetired)
}

func (in *ResolveVisibleRuntimePhase) dslDrainsRetired() bool {
	return in.DslPhase == RuntimeLifecycleObservedStateRunning &&
		in.DslPreRunPhase.Is(RuntimeLifecycleObservedStateRetired)
}

// closed reports whether a runtime observed so takes no new work.
func (o RuntimeLifecycleObservedState) closed() bool {
	switch o {
	case RuntimeLifecycleObservedStateRetired, RuntimeLifecycleObservedStateStopped, RuntimeLifecycleObservedStateDestroyed:
		return true
	default:
		return false
	}
}
