package kernel

// Chapter 06, the drain: the background task that moves the inbox of peers into the input
// queue. The machine keeps its phase, the shell runs the task.

// SpawnDrain says that the drain starts, in the given mode; a session need not be
// registered. One drain at a time. Runtime-internal, chapter 06.
//
// It is not SpawnDrainTask that starts the task but the command that sent this input.
type SpawnDrain struct {
	Mode DrainMode `json:"mode"`
}

func (in *SpawnDrain) step(k *Kernel, s *State) {
	switch {
	case k.rule("SpawnDrain", registered5, Stay) &&
		k.guard("drain_can_spawn", s.DrainPhase != DrainPhaseRunning):

		s.DrainPhase = DrainPhaseRunning
		s.DrainMode = Some(in.Mode)
		k.emit(SpawnDrainTask{})
	}
}

// StopDrain says that the drain is being stopped. The mode stays as it was; a drain that
// has exited by itself cannot be stopped. Runtime-internal, chapter 06.
type StopDrain struct{}

func (in *StopDrain) step(k *Kernel, s *State) {
	switch {
	case k.rule("StopDrain", registered5, Stay) &&
		k.guard("drain_is_running", s.DrainPhase == DrainPhaseRunning):

		s.DrainPhase = DrainPhaseStopped
	}
}

// NotifyDrainExited reports that the drain task has ended. Only a persistent host's drain
// that failed is to be started again. The notice is given also if the drain was stopped
// before, or never ran. Public command, chapter 06.
type NotifyDrainExited struct {
	Reason DrainExitReason `json:"reason"`
}

func (in *NotifyDrainExited) step(k *Kernel, s *State) {
	switch {
	case k.rule("NotifyDrainExited", registered5, Stay) &&
		k.guard("session_registered", s.SessionID.IsSome()):

		if s.DrainPhase == DrainPhaseRunning {
			if s.DrainMode.Is(DrainModePersistentHost) && in.Reason == DrainExitReasonFailed {
				s.DrainPhase = DrainPhaseExitedRespawnable
			} else {
				s.DrainPhase = DrainPhaseStopped
			}
		}
		k.emit(RuntimeNotice{Kind: RuntimeNoticeKindDrain, Detail: "drain exited"})

	// Late, and no longer of interest.
	case k.rule("NotifyDrainExitedAfterUnregister", Idle, Idle) &&
		k.guard("session_unregistered", s.SessionID.IsNone()):
	}
}
