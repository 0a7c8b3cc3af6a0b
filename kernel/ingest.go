package kernel

// Chapter 02, inputs: the doors through which work and events enter a session.

// Ingest offers one unit of work to the runtime the producer believes is bound here.
// The producer names the whole binding it knows, so that work for a replaced runtime is
// turned away. The work itself is not inspected; its admission follows. Public command,
// chapter 02.
type Ingest struct {
	SessionID      SessionId           `json:"session_id"`
	RuntimeID      AgentRuntimeId      `json:"runtime_id"`
	FenceToken     FenceToken          `json:"fence_token"`
	Generation     Opt[Generation]     `json:"generation"`
	RuntimeEpochID Opt[RuntimeEpochId] `json:"runtime_epoch_id"`
	WorkID         WorkId              `json:"work_id"`
	Origin         WorkOrigin          `json:"origin"`
}

func (in *Ingest) step(k *Kernel, s *State) {
	switch {
	case k.rule("Ingest", live3, Stay) &&
		k.guard("session_matches_current", s.SessionID.Is(in.SessionID)) &&
		k.guard("runtime_binding_matches_input", s.ActiveRuntimeID.Is(in.RuntimeID)) &&
		k.guard("fence_binding_matches_input", s.ActiveFenceToken.Is(in.FenceToken)) &&
		k.guard("generation_binding_matches_input", s.ActiveRuntimeGeneration == in.Generation) &&
		k.guard("epoch_binding_matches_input", s.ActiveRuntimeEpochID == in.RuntimeEpochID):

		k.emit(ResolveAdmission{})
	}
}

// PublishEvent announces an event of the runtime to the surfaces. Public command,
// chapter 02.
type PublishEvent struct {
	Kind RuntimeEventKind `json:"kind"`
}

func (in *PublishEvent) step(k *Kernel, s *State) {
	switch {
	case k.rule("PublishEvent", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		k.emit(IngressNotice{})
	}
}

// AcceptWithCompletion acknowledges an admitted input and says, by the flags of its
// plan, how the loop is to be woken. It starts no run and writes no state. Immediate
// processing together with an interrupt of a yielding turn is refused everywhere, and
// an interrupt outside Running too: there is no turn to interrupt. WakeIfIdle matters
// only in Running; a session at rest is always woken. Public command, chapter 02.
type AcceptWithCompletion struct {
	InputID                    InputId `json:"input_id"`
	RequestImmediateProcessing bool    `json:"request_immediate_processing"`
	InterruptYielding          bool    `json:"interrupt_yielding"`
	WakeIfIdle                 bool    `json:"wake_if_idle"`
}

func (in *AcceptWithCompletion) step(k *Kernel, s *State) {
	switch {
	case k.rule("AcceptWithCompletionIdleQueued", Idle, Idle) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("request_immediate_processing", !in.RequestImmediateProcessing) &&
		k.guard("interrupt_yielding", !in.InterruptYielding):

		k.emit(IngressAccepted{})
		k.emit(PostAdmissionSignal{Signal: PostAdmissionSignalKindWakeLoop})

	case k.rule("AcceptWithCompletionIdleImmediate", Idle, Idle) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("request_immediate_processing", in.RequestImmediateProcessing) &&
		k.guard("interrupt_yielding", !in.InterruptYielding):

		k.emit(IngressAccepted{})
		k.emit(PostAdmissionSignal{Signal: PostAdmissionSignalKindRequestImmediateProcessing})

	case k.rule("AcceptWithCompletionAttachedImmediate", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("request_immediate_processing", in.RequestImmediateProcessing) &&
		k.guard("interrupt_yielding", !in.InterruptYielding):

		k.emit(IngressAccepted{})
		k.emit(PostAdmissionSignal{Signal: PostAdmissionSignalKindRequestImmediateProcessing})
		k.emit(SubmitRunPrimitive{})

	case k.rule("AcceptWithCompletionAttachedQueued", Attached, Attached) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("request_immediate_processing", !in.RequestImmediateProcessing) &&
		k.guard("interrupt_yielding", !in.InterruptYielding):

		k.emit(IngressAccepted{})
		k.emit(PostAdmissionSignal{Signal: PostAdmissionSignalKindWakeLoop})

	case k.rule("AcceptWithCompletionRunningQueuedPassive", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("request_immediate_processing", !in.RequestImmediateProcessing) &&
		k.guard("interrupt_yielding", !in.InterruptYielding) &&
		k.guard("wake_if_idle", !in.WakeIfIdle):

		k.emit(IngressAccepted{})

	case k.rule("AcceptWithCompletionRunningQueuedWakeIfIdle", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("request_immediate_processing", !in.RequestImmediateProcessing) &&
		k.guard("interrupt_yielding", !in.InterruptYielding) &&
		k.guard("wake_if_idle", in.WakeIfIdle):

		k.emit(IngressAccepted{})
		k.emit(PostAdmissionSignal{Signal: PostAdmissionSignalKindWakeLoop})

	case k.rule("AcceptWithCompletionRunningInterruptYielding", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("request_immediate_processing", !in.RequestImmediateProcessing) &&
		k.guard("interrupt_yielding", in.InterruptYielding):

		k.emit(IngressAccepted{})
		k.emit(PostAdmissionSignal{Signal: PostAdmissionSignalKindInterruptYielding})

	case k.rule("AcceptWithCompletionRunningImmediate", Running, Running) &&
		k.guard("session_registered", s.SessionID.IsSome()) &&
		k.guard("request_immediate_processing", in.RequestImmediateProcessing) &&
		k.guard("interrupt_yielding", !in.InterruptYielding):

		k.emit(IngressAccepted{})
		k.emit(PostAdmissionSignal{Signal: PostAdmissionSignalKindRequestImmediateProcessing})
	}
}

// AcceptWithoutWake acknowledges an admitted input that waits for whoever wakes the
// session next. Public command, chapter 02.
type AcceptWithoutWake struct {
	InputID InputId `json:"input_id"`
}

func (in *AcceptWithoutWake) step(k *Kernel, s *State) {
	switch {
	case k.rule("AcceptWithoutWake", live3, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		k.emit(IngressAccepted{})
	}
}
