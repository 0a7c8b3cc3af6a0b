package kernel

// Chapter 02, inputs: how an admitted input is handled. The plan names the lane it
// waits in, when and how it enters a run, and whom it wakes.

// admissionPolicyVersion is the version of the policy the plan rules embody.
const admissionPolicyVersion = 1

// ResolveAdmissionPlan decides how an input of the given facts is handled and records
// the lane and plan as a witness, which QueueAccepted, SteerAccepted, ConsumeOnAccept
// and CoalesceInput ask for. It may be repeated for the same id and then overwrites; it
// does not care whether the id is tracked. Kinds and requests no rule takes have no
// plan: the chapter's selection table lists them. Only peer response progress looks at
// ExistingSupersededInputID. Runtime-internal, chapter 02.
type ResolveAdmissionPlan struct {
	InputID                     string                    `json:"input_id"`
	InputKind                   AdmissionInputKind        `json:"input_kind"`
	RequestedLane               Opt[InputLane]            `json:"requested_lane"`
	ContinuationKind            AdmissionContinuationKind `json:"continuation_kind"`
	SilentIntentMatch           bool                      `json:"silent_intent_match"`
	ExistingSupersededInputID   Opt[string]               `json:"existing_superseded_input_id"`
	RuntimeRunning              bool                      `json:"runtime_running"`
	ActiveTurnBoundaryAvailable bool                      `json:"active_turn_boundary_available"`
	WithoutWake                 bool                      `json:"without_wake"`
}

func (in *ResolveAdmissionPlan) step(k *Kernel, s *State) {
	switch {
	case k.rule("ResolveAdmissionPlanRequestedTerminalQueue", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("terminal_queue_override",
			in.InputKind == AdmissionInputKindPeerResponseTerminal &&
				in.RequestedLane.Is(InputLaneQueue) && !in.SilentIntentMatch):

		in.authorize(s, InputLaneQueue, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                                in.InputID,
			PolicyVersion:                          admissionPolicyVersion,
			PolicyApplyMode:                        AdmissionPolicyApplyModeStageRunStart,
			PolicyWakeMode:                         wakeIfIdle(in.wakes()),
			PolicyQueueMode:                        AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:                     AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:                      AdmissionPolicyDrainPolicyQueueNextTurn,
			PolicyRoutingDisposition:               AdmissionRoutingDispositionQueue,
			Lane:                                   InputLaneQueue,
			Plan:                                   AdmissionPlanKindQueued,
			QueueAction:                            AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission:             in.wakes(),
			RuntimeBoundary:                        AdmissionRunApplyBoundaryRunStart,
			RuntimeExecutionKind:                   AdmissionRuntimeExecutionKindContentTurn,
			RuntimePeerResponseTerminalApplyIntent: Some(AdmissionPeerResponseTerminalApplyIntentAppendContextAndRun),
			RecordTranscript:                       true,
			WakeIfIdle:                             in.wakes(),
		})

	case k.rule("ResolveAdmissionPlanRequestedTerminalSteer", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("terminal_steer_override",
			in.InputKind == AdmissionInputKindPeerResponseTerminal &&
				in.RequestedLane.Is(InputLaneSteer) && !in.SilentIntentMatch):

		in.authorize(s, InputLaneSteer, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                                in.InputID,
			PolicyVersion:                          admissionPolicyVersion,
			PolicyApplyMode:                        AdmissionPolicyApplyModeStageRunStart,
			PolicyWakeMode:                         in.wakeOrInterrupt(),
			PolicyQueueMode:                        AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:                     AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:                      AdmissionPolicyDrainPolicySteerBatch,
			PolicyRoutingDisposition:               AdmissionRoutingDispositionSteer,
			Lane:                                   InputLaneSteer,
			Plan:                                   AdmissionPlanKindQueued,
			QueueAction:                            AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission:             true,
			RuntimeBoundary:                        AdmissionRunApplyBoundaryRunStart,
			RuntimeExecutionKind:                   AdmissionRuntimeExecutionKindContentTurn,
			RuntimePeerResponseTerminalApplyIntent: Some(AdmissionPeerResponseTerminalApplyIntentAppendContextAndRun),
			RecordTranscript:                       true,
			RequestImmediateProcessing:             true,
			ExecutionHandlingMode:                  in.queueUnlessRunning(),
			LiveInterruptRequired:                  true,
		})

	case k.rule("ResolveAdmissionPlanRequestedQueue", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("queue_override", in.RequestedLane.Is(InputLaneQueue) && in.laneIsNegotiable()):

		in.authorize(s, InputLaneQueue, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                    in.InputID,
			PolicyVersion:              admissionPolicyVersion,
			PolicyApplyMode:            AdmissionPolicyApplyModeStageRunStart,
			PolicyWakeMode:             wakeIfIdle(in.wakes() && !in.busy()),
			PolicyQueueMode:            AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:         AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:          AdmissionPolicyDrainPolicyQueueNextTurn,
			PolicyRoutingDisposition:   AdmissionRoutingDispositionQueue,
			Lane:                       InputLaneQueue,
			Plan:                       AdmissionPlanKindQueued,
			QueueAction:                AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission: in.wakes() && !in.busy(),
			RuntimeBoundary:            AdmissionRunApplyBoundaryRunStart,
			RuntimeExecutionKind:       in.InputKind.executionKind(),
			RecordTranscript:           in.InputKind.transcribed(),
			WakeIfIdle:                 in.wakes() && !in.busy(),
		})

	// A silent peer request that asks to steer still requests immediate processing,
	// pre-admission and a live interrupt; only its wake mode and boundary are quiet.
	case k.rule("ResolveAdmissionPlanRequestedSteer", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("steer_override", in.RequestedLane.Is(InputLaneSteer) && in.laneIsNegotiable()):

		in.authorize(s, InputLaneSteer, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                    in.InputID,
			PolicyVersion:              admissionPolicyVersion,
			PolicyApplyMode:            in.steerApplyMode(),
			PolicyWakeMode:             in.wakeOrInterrupt(),
			PolicyQueueMode:            AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:         AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:          AdmissionPolicyDrainPolicySteerBatch,
			PolicyRoutingDisposition:   AdmissionRoutingDispositionSteer,
			Lane:                       InputLaneSteer,
			Plan:                       AdmissionPlanKindQueued,
			QueueAction:                AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission: true,
			RuntimeBoundary:            in.steerBoundary(),
			RuntimeExecutionKind:       in.InputKind.executionKind(),
			RecordTranscript:           in.InputKind.transcribed(),
			RequestImmediateProcessing: true,
			ExecutionHandlingMode:      in.steerHandlingMode(),
			LiveInterruptRequired:      true,
		})

	case k.rule("ResolveAdmissionPlanDefaultQueueKind", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("default_queue_kind",
			in.RequestedLane.IsNone() && !in.SilentIntentMatch &&
				(in.InputKind == AdmissionInputKindPrompt ||
					in.InputKind == AdmissionInputKindFlowStep ||
					in.InputKind == AdmissionInputKindExternalEvent)):

		in.authorize(s, InputLaneQueue, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                    in.InputID,
			PolicyVersion:              admissionPolicyVersion,
			PolicyApplyMode:            AdmissionPolicyApplyModeStageRunStart,
			PolicyWakeMode:             wakeIfIdle(in.wakes() && !in.busy()),
			PolicyQueueMode:            AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:         AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:          AdmissionPolicyDrainPolicyQueueNextTurn,
			PolicyRoutingDisposition:   AdmissionRoutingDispositionQueue,
			Lane:                       InputLaneQueue,
			Plan:                       AdmissionPlanKindQueued,
			QueueAction:                AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission: in.wakes() && !in.busy(),
			RuntimeBoundary:            AdmissionRunApplyBoundaryRunStart,
			RuntimeExecutionKind:       AdmissionRuntimeExecutionKindContentTurn,
			RecordTranscript:           true,
			WakeIfIdle:                 in.wakes() && !in.busy(),
		})

	case k.rule("ResolveAdmissionPlanDefaultPeerMessageOrRequest", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("default_peer_message_or_request",
			in.RequestedLane.IsNone() && in.InputKind.peerMessageOrRequest() &&
				(!in.SilentIntentMatch || in.InputKind == AdmissionInputKindPeerRequest)):

		in.authorize(s, InputLaneQueue, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                    in.InputID,
			PolicyVersion:              admissionPolicyVersion,
			PolicyApplyMode:            AdmissionPolicyApplyModeStageRunStart,
			PolicyWakeMode:             in.wakeOrInterrupt(),
			PolicyQueueMode:            AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:         AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:          AdmissionPolicyDrainPolicyQueueNextTurn,
			PolicyRoutingDisposition:   AdmissionRoutingDispositionQueue,
			Lane:                       InputLaneQueue,
			Plan:                       AdmissionPlanKindQueued,
			QueueAction:                AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission: in.wakes(),
			RuntimeBoundary:            AdmissionRunApplyBoundaryRunStart,
			RuntimeExecutionKind:       AdmissionRuntimeExecutionKindContentTurn,
			RecordTranscript:           true,
			InterruptYielding:          in.wakes() && in.busy(),
			WakeIfIdle:                 in.wakes() && !in.busy(),
		})

	// Progress goes to the Steer lane whatever lane was requested, wakes nobody and
	// replaces the earlier progress it supersedes.
	case k.rule("ResolveAdmissionPlanPeerResponseProgress", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("peer_response_progress",
			in.InputKind == AdmissionInputKindPeerResponseProgress && !in.SilentIntentMatch) &&
		k.guard("coalesce_target_tracked_if_present",
			in.ExistingSupersededInputID.IsNone() || s.InputPhases.has(in.ExistingSupersededInputID.Value())):

		in.authorize(s, InputLaneSteer, AdmissionPlanKindQueued)
		in.authorizeCoalescing(s)
		k.emit(AdmissionResolved{
			InputID:                  in.InputID,
			PolicyVersion:            admissionPolicyVersion,
			PolicyApplyMode:          AdmissionPolicyApplyModeStageRunBoundary,
			PolicyWakeMode:           AdmissionPolicyWakeModeNone,
			PolicyQueueMode:          AdmissionPolicyQueueModeCoalesce,
			PolicyConsumePoint:       AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:        AdmissionPolicyDrainPolicySteerBatch,
			PolicyRoutingDisposition: AdmissionRoutingDispositionSteer,
			Lane:                     InputLaneSteer,
			Plan:                     AdmissionPlanKindQueued,
			QueueAction:              AdmissionQueueActionKindEnqueueTo,
			ExistingAction:           s.AdmissionAuthorizedExistingActions[in.InputID],
			ExistingInputID:          in.ExistingSupersededInputID,
			RuntimeBoundary:          AdmissionRunApplyBoundaryRunCheckpoint,
			RuntimeExecutionKind:     AdmissionRuntimeExecutionKindContentTurn,
			RecordTranscript:         true,
			ExecutionHandlingMode:    in.queueUnlessRunning(),
			LiveInterruptRequired:    true,
		})

	case k.rule("ResolveAdmissionPlanDefaultPeerResponseTerminal", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("default_peer_response_terminal",
			in.InputKind == AdmissionInputKindPeerResponseTerminal &&
				in.RequestedLane.IsNone() && !in.SilentIntentMatch):

		in.authorize(s, InputLaneQueue, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                                in.InputID,
			PolicyVersion:                          admissionPolicyVersion,
			PolicyApplyMode:                        AdmissionPolicyApplyModeStageRunStart,
			PolicyWakeMode:                         wakeIfIdle(in.wakes()),
			PolicyQueueMode:                        AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:                     AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:                      AdmissionPolicyDrainPolicyQueueNextTurn,
			PolicyRoutingDisposition:               AdmissionRoutingDispositionQueue,
			Lane:                                   InputLaneQueue,
			Plan:                                   AdmissionPlanKindQueued,
			QueueAction:                            AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission:             in.wakes(),
			RuntimeBoundary:                        AdmissionRunApplyBoundaryRunStart,
			RuntimeExecutionKind:                   AdmissionRuntimeExecutionKindContentTurn,
			RuntimePeerResponseTerminalApplyIntent: Some(AdmissionPeerResponseTerminalApplyIntentAppendContextAndRun),
			RecordTranscript:                       true,
			WakeIfIdle:                             in.wakes(),
		})

	case k.rule("ResolveAdmissionPlanDefaultContinuation", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("default_continuation",
			in.InputKind == AdmissionInputKindContinuation && in.RequestedLane.IsNone() &&
				in.ContinuationKind == AdmissionContinuationKindOrdinary && !in.SilentIntentMatch):

		in.authorize(s, InputLaneSteer, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                    in.InputID,
			PolicyVersion:              admissionPolicyVersion,
			PolicyApplyMode:            AdmissionPolicyApplyModeStageRunBoundary,
			PolicyWakeMode:             in.wakeOrInterrupt(),
			PolicyQueueMode:            AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:         AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:          AdmissionPolicyDrainPolicySteerBatch,
			PolicyRoutingDisposition:   AdmissionRoutingDispositionSteer,
			Lane:                       InputLaneSteer,
			Plan:                       AdmissionPlanKindQueued,
			QueueAction:                AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission: in.wakes(),
			RuntimeBoundary:            AdmissionRunApplyBoundaryRunCheckpoint,
			RuntimeExecutionKind:       AdmissionRuntimeExecutionKindResumePending,
			InterruptYielding:          in.wakes() && in.busy(),
			WakeIfIdle:                 in.wakes() && !in.busy(),
			LiveInterruptRequired:      true,
		})

	// Unlike an ordinary continuation this one is a content turn of its own. That also
	// means RecoverAdmittedInput will not take it back after a crash.
	case k.rule("ResolveAdmissionPlanWorkgraphAttentionContinuation", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("workgraph_attention_continuation",
			in.InputKind == AdmissionInputKindContinuation &&
				in.ContinuationKind == AdmissionContinuationKindWorkgraphAttention && !in.SilentIntentMatch):

		in.authorize(s, InputLaneQueue, AdmissionPlanKindQueued)
		k.emit(AdmissionResolved{
			InputID:                    in.InputID,
			PolicyVersion:              admissionPolicyVersion,
			PolicyApplyMode:            AdmissionPolicyApplyModeStageRunStart,
			PolicyWakeMode:             wakeIfIdle(in.wakes() && !in.busy()),
			PolicyQueueMode:            AdmissionPolicyQueueModeFifo,
			PolicyConsumePoint:         AdmissionPolicyConsumePointOnRunComplete,
			PolicyDrainPolicy:          AdmissionPolicyDrainPolicyQueueNextTurn,
			PolicyRoutingDisposition:   AdmissionRoutingDispositionQueue,
			Lane:                       InputLaneQueue,
			Plan:                       AdmissionPlanKindQueued,
			QueueAction:                AdmissionQueueActionKindEnqueueTo,
			RequiresActivePreAdmission: in.wakes() && !in.busy(),
			RuntimeBoundary:            AdmissionRunApplyBoundaryRunStart,
			RuntimeExecutionKind:       AdmissionRuntimeExecutionKindContentTurn,
			WakeIfIdle:                 in.wakes() && !in.busy(),
		})

	// An operation notice is recorded and at once consumed: it passes through the Queue
	// lane only so that it has a place in the order.
	case k.rule("ResolveAdmissionPlanOperation", live3, Stay) &&
		k.guard("runtime_running_matches_phase", in.RuntimeRunning == (s.LifecyclePhase == Running)) &&
		k.guard("operation",
			in.InputKind == AdmissionInputKindOperation && in.RequestedLane.IsNone() && !in.SilentIntentMatch):

		in.authorize(s, InputLaneQueue, AdmissionPlanKindConsumedOnAccept)
		k.emit(AdmissionResolved{
			InputID:                  in.InputID,
			PolicyVersion:            admissionPolicyVersion,
			PolicyApplyMode:          AdmissionPolicyApplyModeIgnore,
			PolicyWakeMode:           AdmissionPolicyWakeModeNone,
			PolicyQueueMode:          AdmissionPolicyQueueModePriority,
			PolicyConsumePoint:       AdmissionPolicyConsumePointOnAccept,
			PolicyDrainPolicy:        AdmissionPolicyDrainPolicyIgnore,
			PolicyRoutingDisposition: AdmissionRoutingDispositionDrop,
			Lane:                     InputLaneQueue,
			Plan:                     AdmissionPlanKindConsumedOnAccept,
			QueueAction:              AdmissionQueueActionKindNone,
			RuntimeBoundary:          AdmissionRunApplyBoundaryRunStart,
			RuntimeExecutionKind:     AdmissionRuntimeExecutionKindContentTurn,
		})
	}
}

// authorize records the lane and plan granted to the input and withdraws what an
// earlier plan let it do to another one.
func (in *ResolveAdmissionPlan) authorize(s *State, lane InputLane, plan AdmissionPlanKind) {
	s.AdmissionAuthorizedLanes.put(in.InputID, lane)
	s.AdmissionAuthorizedPlans.put(in.InputID, plan)
	s.AdmissionAuthorizedExistingActions.del(in.InputID)
	s.AdmissionAuthorizedExistingTargets.del(in.InputID)
}

// authorizeCoalescing lets the input absorb, once, the one it supersedes, if any.
func (in *ResolveAdmissionPlan) authorizeCoalescing(s *State) {
	if existing, ok := in.ExistingSupersededInputID.Get(); ok {
		s.AdmissionAuthorizedExistingActions.put(in.InputID, AdmissionExistingQueuedActionKindCoalesce)
		s.AdmissionAuthorizedExistingTargets.put(in.InputID, existing)
	}
}

// laneIsNegotiable reports whether the input may choose its lane. Peer responses have
// rules of their own, and only a peer request is let through silently.
func (in *ResolveAdmissionPlan) laneIsNegotiable() bool {
	return in.InputKind != AdmissionInputKindPeerResponseProgress &&
		in.InputKind != AdmissionInputKindPeerResponseTerminal &&
		in.ContinuationKind == AdmissionContinuationKindOrdinary &&
		(!in.SilentIntentMatch || in.InputKind == AdmissionInputKindPeerRequest)
}

// wakes reports whether the input may wake anyone.
func (in *ResolveAdmissionPlan) wakes() bool { return !in.WithoutWake && !in.SilentIntentMatch }

// busy reports whether a turn is under way that will get to the input by itself.
func (in *ResolveAdmissionPlan) busy() bool {
	return in.RuntimeRunning || in.ActiveTurnBoundaryAvailable
}

// wakeOrInterrupt is the wake mode of an input that does not want to wait for the end
// of a turn.
func (in *ResolveAdmissionPlan) wakeOrInterrupt() AdmissionPolicyWakeMode {
	if in.wakes() && in.busy() {
		return AdmissionPolicyWakeModeInterruptYielding
	}
	return wakeIfIdle(in.wakes())
}

func wakeIfIdle(wake bool) AdmissionPolicyWakeMode {
	if wake {
		return AdmissionPolicyWakeModeWakeIfIdle
	}
	return AdmissionPolicyWakeModeNone
}

// queueUnlessRunning is the handling mode of a steering input that finds no run to
// steer: it is executed like a queued one.
func (in *ResolveAdmissionPlan) queueUnlessRunning() Opt[InputLane] {
	if in.RuntimeRunning {
		return None[InputLane]()
	}
	return Some(InputLaneQueue)
}

func (in *ResolveAdmissionPlan) steerHandlingMode() Opt[InputLane] {
	if in.InputKind.peerMessageOrRequest() {
		return in.queueUnlessRunning()
	}
	return None[InputLane]()
}

// steerApplyMode is where a steering input enters: at the next boundary of the run, or
// quietly at the next start.
func (in *ResolveAdmissionPlan) steerApplyMode() AdmissionPolicyApplyMode {
	if in.SilentIntentMatch {
		return AdmissionPolicyApplyModeStageRunStart
	}
	return AdmissionPolicyApplyModeStageRunBoundary
}

func (in *ResolveAdmissionPlan) steerBoundary() AdmissionRunApplyBoundary {
	if in.SilentIntentMatch {
		return AdmissionRunApplyBoundaryRunStart
	}
	return AdmissionRunApplyBoundaryRunCheckpoint
}

// executionKind is what a run does with an input of the kind that chose its lane.
func (n AdmissionInputKind) executionKind() AdmissionRuntimeExecutionKind {
	if n == AdmissionInputKindContinuation {
		return AdmissionRuntimeExecutionKindResumePending
	}
	return AdmissionRuntimeExecutionKindContentTurn
}

// transcribed reports whether an input of the kind has content for the transcript.
func (n AdmissionInputKind) transcribed() bool {
	return n != AdmissionInputKindContinuation && n != AdmissionInputKindOperation
}

func (n AdmissionInputKind) peerMessageOrRequest() bool {
	return n == AdmissionInputKindPeerMessage || n == AdmissionInputKindPeerRequest
}
