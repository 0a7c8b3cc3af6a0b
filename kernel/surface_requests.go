package kernel

// Surface requests (chapter 04): requests of a surface that are published or answered
// without publication, and may be cancelled in between. The rules exist in Initializing
// only: these machines are scratch instances that are never initialized. Publishing and
// finishing delete the entry, so no rule stores Published or Completed.

// AdmitSurfaceRequest starts to track a request under the key its surface chose.
// Runtime-internal, chapter 04.
type AdmitSurfaceRequest struct {
	RequestKey     string                       `json:"request_key"`
	TerminalPolicy SurfaceRequestTerminalPolicy `json:"terminal_policy"`
}

func (in *AdmitSurfaceRequest) step(k *Kernel, s *State) {
	switch {
	case k.rule("AdmitSurfaceRequestAccepted", Initializing, Stay) &&
		k.guard("request_not_tracked", !s.SurfaceRequestPhases.has(in.RequestKey)):

		s.SurfaceRequestPhases.put(in.RequestKey, SurfaceRequestPhasePending)
		s.SurfaceRequestTerminalPolicies.put(in.RequestKey, in.TerminalPolicy)
		k.emit(SurfaceRequestAdmissionAccepted{RequestKey: in.RequestKey})

	case k.rule("AdmitSurfaceRequestDuplicate", Initializing, Stay) &&
		k.guard("request_already_tracked", s.SurfaceRequestPhases.has(in.RequestKey)):

		k.emit(SurfaceRequestAdmissionDuplicate{RequestKey: in.RequestKey})

	}
}

// ClassifySurfaceRequestTerminal asks whether a finished request is to be published. Its
// phase is not consulted: a cancelled request still classifies by policy. A pure
// question. Runtime-internal, chapter 04.
type ClassifySurfaceRequestTerminal struct {
	RequestKey string `json:"request_key"`
	Success    bool   `json:"success"`
}

func (in *ClassifySurfaceRequestTerminal) step(k *Kernel, s *State) {
	switch {
	case k.rule("ClassifySurfaceRequestTerminalMissing", Initializing, Stay) &&
		k.guard("request_not_tracked", !s.SurfaceRequestPhases.has(in.RequestKey)):

		k.emit(SurfaceRequestNotFound{RequestKey: in.RequestKey})

	case k.rule("ClassifySurfaceRequestTerminalPublish", Initializing, Stay) &&
		k.guard("request_tracked", s.SurfaceRequestPhases.has(in.RequestKey)) &&
		k.guard("terminal_success", in.Success) &&
		k.guard("publish_policy", holds(s.SurfaceRequestTerminalPolicies, in.RequestKey, SurfaceRequestTerminalPolicyPublishOnSuccess)):

		k.emit(SurfaceRequestTerminalPublish{RequestKey: in.RequestKey})

	case k.rule("ClassifySurfaceRequestTerminalFailed", Initializing, Stay) &&
		k.guard("request_tracked", s.SurfaceRequestPhases.has(in.RequestKey)) &&
		k.guard("terminal_failed", !in.Success):

		k.emit(SurfaceRequestTerminalRespondWithoutPublish{RequestKey: in.RequestKey})

	case k.rule("ClassifySurfaceRequestTerminalObservation", Initializing, Stay) &&
		k.guard("request_tracked", s.SurfaceRequestPhases.has(in.RequestKey)) &&
		k.guard("terminal_success", in.Success) &&
		k.guard("observation_policy", holds(s.SurfaceRequestTerminalPolicies, in.RequestKey, SurfaceRequestTerminalPolicyRespondWithoutPublish)):

		k.emit(SurfaceRequestTerminalRespondWithoutPublish{RequestKey: in.RequestKey})

	}
}

// CancelSurfaceRequest cancels a request that is pending. The entry stays, so that who
// publishes or finishes it learns of it. Runtime-internal, chapter 04.
type CancelSurfaceRequest struct {
	RequestKey string `json:"request_key"`
}

func (in *CancelSurfaceRequest) step(k *Kernel, s *State) {
	switch {
	case k.rule("CancelSurfaceRequestMissing", Initializing, Stay) &&
		k.guard("request_not_tracked", !s.SurfaceRequestPhases.has(in.RequestKey)):

		k.emit(SurfaceRequestNotFound{RequestKey: in.RequestKey})

	case k.rule("CancelSurfaceRequestPending", Initializing, Stay) &&
		k.guard("request_pending", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhasePending)):

		s.SurfaceRequestPhases.put(in.RequestKey, SurfaceRequestPhaseCancelled)
		k.emit(SurfaceRequestCancelled{RequestKey: in.RequestKey})

	case k.rule("CancelSurfaceRequestAlreadyCancelled", Initializing, Stay) &&
		k.guard("request_cancelled", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhaseCancelled)):

		k.emit(SurfaceRequestAlreadyCancelled{RequestKey: in.RequestKey})

	case k.rule("CancelSurfaceRequestAlreadyPublished", Initializing, Stay) &&
		k.guard("request_published", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhasePublished)):

		k.emit(SurfaceRequestAlreadyPublished{RequestKey: in.RequestKey})

	case k.rule("CancelSurfaceRequestAlreadyCompleted", Initializing, Stay) &&
		k.guard("request_completed", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhaseCompleted)):

		k.emit(SurfaceRequestAlreadyCompleted{RequestKey: in.RequestKey})

	}
}

// PublishSurfaceRequest publishes a pending request and forgets it. Runtime-internal,
// chapter 04.
type PublishSurfaceRequest struct {
	RequestKey string `json:"request_key"`
}

func (in *PublishSurfaceRequest) step(k *Kernel, s *State) {
	switch {
	case k.rule("PublishSurfaceRequestMissing", Initializing, Stay) &&
		k.guard("request_not_tracked", !s.SurfaceRequestPhases.has(in.RequestKey)):

		k.emit(SurfaceRequestNotFound{RequestKey: in.RequestKey})

	case k.rule("PublishSurfaceRequestPending", Initializing, Stay) &&
		k.guard("request_pending", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhasePending)):

		s.forgetSurfaceRequest(in.RequestKey)
		k.emit(SurfaceRequestPublished{RequestKey: in.RequestKey})

	case k.rule("PublishSurfaceRequestAlreadyTerminal", Initializing, Stay) &&
		k.guard("request_terminal", s.surfaceRequestEnded(in.RequestKey) ||
			holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhaseCancelled)):

		k.emit(SurfaceRequestAlreadyTerminal{RequestKey: in.RequestKey, Current: s.SurfaceRequestPhases[in.RequestKey]})

	}
}

// PublishOrCancelSurfaceRequest publishes a pending request, or lets go of one that was
// cancelled before. Runtime-internal, chapter 04.
type PublishOrCancelSurfaceRequest struct {
	RequestKey string `json:"request_key"`
}

func (in *PublishOrCancelSurfaceRequest) step(k *Kernel, s *State) {
	switch {
	case k.rule("PublishOrCancelSurfaceRequestMissing", Initializing, Stay) &&
		k.guard("request_not_tracked", !s.SurfaceRequestPhases.has(in.RequestKey)):

		k.emit(SurfaceRequestNotFound{RequestKey: in.RequestKey})

	case k.rule("PublishOrCancelSurfaceRequestPending", Initializing, Stay) &&
		k.guard("request_pending", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhasePending)):

		s.forgetSurfaceRequest(in.RequestKey)
		k.emit(SurfaceRequestPublished{RequestKey: in.RequestKey})

	case k.rule("PublishOrCancelSurfaceRequestCancelled", Initializing, Stay) &&
		k.guard("request_cancelled", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhaseCancelled)):

		s.forgetSurfaceRequest(in.RequestKey)
		k.emit(SurfaceRequestCancelledBeforePublish{RequestKey: in.RequestKey})

	case k.rule("PublishOrCancelSurfaceRequestAlreadyTerminal", Initializing, Stay) &&
		k.guard("request_terminal", s.surfaceRequestEnded(in.RequestKey)):

		k.emit(SurfaceRequestAlreadyTerminal{RequestKey: in.RequestKey, Current: s.SurfaceRequestPhases[in.RequestKey]})

	}
}

// FinishSurfaceRequestUnpublished ends a request without publishing it. One that is not
// tracked counts as completed, not as missing. Runtime-internal, chapter 04.
type FinishSurfaceRequestUnpublished struct {
	RequestKey string `json:"request_key"`
}

func (in *FinishSurfaceRequestUnpublished) step(k *Kernel, s *State) {
	switch {
	case k.rule("FinishSurfaceRequestUnpublishedMissing", Initializing, Stay) &&
		k.guard("request_not_tracked", !s.SurfaceRequestPhases.has(in.RequestKey)):

		k.emit(SurfaceRequestCompleted{RequestKey: in.RequestKey})

	case k.rule("FinishSurfaceRequestUnpublishedPending", Initializing, Stay) &&
		k.guard("request_pending", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhasePending)):

		s.forgetSurfaceRequest(in.RequestKey)
		k.emit(SurfaceRequestCompleted{RequestKey: in.RequestKey})

	case k.rule("FinishSurfaceRequestUnpublishedCancelled", Initializing, Stay) &&
		k.guard("request_cancelled", holds(s.SurfaceRequestPhases, in.RequestKey, SurfaceRequestPhaseCancelled)):

		s.forgetSurfaceRequest(in.RequestKey)
		k.emit(SurfaceRequestSupersededByCancel{RequestKey: in.RequestKey})

	case k.rule("FinishSurfaceRequestUnpublishedTerminal", Initializing, Stay) &&
		k.guard("request_terminal", s.surfaceRequestEnded(in.RequestKey)):

		s.forgetSurfaceRequest(in.RequestKey)
		k.emit(SurfaceRequestCompleted{RequestKey: in.RequestKey})

	}
}

// surfaceRequestEnded reports whether a request is published or completed.
func (s *State) surfaceRequestEnded(key string) bool {
	return holds(s.SurfaceRequestPhases, key, SurfaceRequestPhasePublished) ||
		holds(s.SurfaceRequestPhases, key, SurfaceRequestPhaseCompleted)
}

func (s *State) forgetSurfaceRequest(key string) {
	s.SurfaceRequestPhases.del(key)
	s.SurfaceRequestTerminalPolicies.del(key)
}
