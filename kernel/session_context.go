package kernel

// Chapter 06, the context of a session: when it last changed, and whether its transcript
// may be edited.

// AdvanceSessionContext raises the watermark of the last change; it is sent after every
// change of the session. An older or equal time is refused, which the caller takes for
// "not advanced" and not for an error. Needs no registered session. Runtime-internal,
// chapter 06.
type AdvanceSessionContext struct {
	UpdatedAtMs uint64 `json:"updated_at_ms"`
}

func (in *AdvanceSessionContext) step(k *Kernel, s *State) {
	switch {
	case k.rule("AdvanceSessionContext", registered5, Stay) &&
		k.guard("monotonic", in.UpdatedAtMs > s.LastSessionContextUpdatedAtMs):

		s.LastSessionContextUpdatedAtMs = in.UpdatedAtMs
		k.emit(SessionContextAdvanced{UpdatedAtMs: in.UpdatedAtMs})
	}
}

// ResolveTranscriptEditAdmission asks whether the transcript may be edited now. Only what
// the caller observed counts, not the phase: Running with nothing going on is admissible.
// Runtime-internal, chapter 06.
type ResolveTranscriptEditAdmission struct {
	RuntimeRunning  bool `json:"runtime_running"`
	HasActiveInputs bool `json:"has_active_inputs"`
}

func (in *ResolveTranscriptEditAdmission) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveTranscriptEditAdmissionIdleBusy", Idle, Idle) &&
		k.guard("busy_disjunction", in.RuntimeRunning || in.HasActiveInputs):

		k.emit(TranscriptEditAdmissionResolved{Verdict: TranscriptEditAdmissionKindDeniedBusy})

	case k.rule("ResolveTranscriptEditAdmissionIdleAdmissible", Idle, Idle) &&
		k.guard("idle_no_active", !in.RuntimeRunning && !in.HasActiveInputs):

		k.emit(TranscriptEditAdmissionResolved{Verdict: TranscriptEditAdmissionKindAdmissible})

	case k.rule("ResolveTranscriptEditAdmissionAttachedBusy", Attached, Attached) &&
		k.guard("busy_disjunction", in.RuntimeRunning || in.HasActiveInputs):

		k.emit(TranscriptEditAdmissionResolved{Verdict: TranscriptEditAdmissionKindDeniedBusy})

	case k.rule("ResolveTranscriptEditAdmissionAttachedAdmissible", Attached, Attached) &&
		k.guard("attached_no_active", !in.RuntimeRunning && !in.HasActiveInputs):

		k.emit(TranscriptEditAdmissionResolved{Verdict: TranscriptEditAdmissionKindAdmissible})

	case k.rule("ResolveTranscriptEditAdmissionRunningBusy", Running, Running) &&
		k.guard("busy_disjunction", in.RuntimeRunning || in.HasActiveInputs):

		k.emit(TranscriptEditAdmissionResolved{Verdict: TranscriptEditAdmissionKindDeniedBusy})

	case k.rule("ResolveTranscriptEditAdmissionRunningAdmissible", Running, Running) &&
		k.guard("running_no_active", !in.RuntimeRunning && !in.HasActiveInputs):

		k.emit(TranscriptEditAdmissionResolved{Verdict: TranscriptEditAdmissionKindAdmissible})
	}
}
