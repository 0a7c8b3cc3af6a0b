package session

import (
	"errors"
	"fmt"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// The kinds of refusals (WIRE, InputRejected; chapter 02, 6.6).
const (
	rejectInvalid    = "InvalidInput"
	rejectNotReady   = "NotReady"
	rejectDestroyed  = "Destroyed"
	rejectValidation = "ValidationFailed"
	rejectNoBlob     = "BlobNotFound"
	rejectIDInUse    = "InputIdInUse"
	rejectInternal   = "Internal"
	rejectNotFound   = "NotFound"
	// rejectInvalidState is a control-plane ingest the machine does not take.
	rejectInvalidState = "InvalidState"
)

// admitEvent takes one input event through the accept pipeline (chapter 02, 6.4). Every
// event gets exactly one answer: InputAccepted, InputDeduplicated or InputRejected.
func (s *Session) admitEvent(ev *event.Event) {
	in, err := s.decode(ev)
	if err != nil && s.failure == nil && s.seen(eventKey(s.id, ev)) {
		// A repeat is answered in every phase, also when its blobs are gone, or its data are
		// others that would be refused (PROTOCOL 26): its id has one outcome.
		if in == nil || in.Key == "" {
			in = s.withoutData(ev, in)
		}
		s.admit(in)
		return
	}
	if err == nil && !s.seen(in.Key) {
		var later bool
		if later, err = s.postponed(ev); later {
			s.keepUntilDue(in)
			return
		}
		s.dueNow(in)
	}
	if err != nil {
		var field *FieldError
		kind, reason := rejectInvalid, err.Error()
		if errors.As(err, &field) {
			reason = field.Error()
		}
		if errors.As(err, new(*BlobError)) {
			kind = rejectNoBlob
		}
		if in != nil {
			s.keep(in.Blobs)
		}
		c := cause{event: ev.ID()}
		s.rejectInput(ev.ID(), kind, reason, "", c)
		s.deadLetter(reason)
		return
	}
	in.At = s.next.now
	if in.ofPeer() {
		in.from = senderOf(s.env.Namespace, ev)
	}
	s.declineRefused(in, s.admit(in))
}

func (s *Session) rejectInput(id, kind, reason, guard string, c cause) acceptOutcome {
	reason = subjects.Clip(reason, subjects.MaxReason)
	s.env.Telemetry.InputRejected()
	s.outcome("InputRejected", inputRejected{InputID: id, Kind: kind, Reason: reason, Guard: guard}, c)
	return acceptOutcome{Outcome: outcomeRejected, InputID: id, Kind: kind, Reason: reason, Guard: guard}
}

func (s *Session) deduplicated(in *input, existing string, c cause) acceptOutcome {
	s.outcome("InputDeduplicated", inputDeduplicated{InputID: in.ID, ExistingInputID: existing}, c)
	s.env.Telemetry.InputDeduplicated()
	return acceptOutcome{Outcome: outcomeDeduplicated, InputID: in.ID, ExistingInputID: existing}
}

// The outcomes of an offered input.
const (
	outcomeAccepted     = "Accepted"
	outcomeDeduplicated = "Deduplicated"
	outcomeRejected     = "Rejected"
)

// refusedInput answers with the rule that refused.
func (s *Session) refusedInput(id, kind string, r *kernel.Refusal, c cause) acceptOutcome {
	guard := ""
	if len(r.Guards) > 0 {
		guard = r.Guards[0].Guard
	}
	return s.rejectInput(id, kind, r.String(), guard, c)
}

// admit takes an input through admission and tells what became of it.
func (s *Session) admit(in *input) acceptOutcome {
	s.traceAdmission(in)
	if len(in.Blobs) > 0 {
		defer func() {
			if !in.accepted {
				s.keep(in.Blobs)
			}
		}()
	}
	c := in.cause()
	st := s.kernel.State()
	// What the session has seen it answers in every phase (PROTOCOL 26).
	if was, ok := s.ledger.Seen[in.Key]; ok {
		return s.deduplicated(in, was.ID, c)
	}
	if r := s.bringToLife(c); r != nil {
		return s.rejectInput(in.ID, r.kind, r.reason, "", c)
	}
	// 6.4 step 1: the phase is asked before anything else.
	switch phase := st.LifecyclePhase; {
	case phase == kernel.Destroyed:
		return s.rejectInput(in.ID, rejectDestroyed, "the session is destroyed", "", c)
	case phase == kernel.Retired || phase == kernel.Stopped || s.ledger.Retiring != nil:
		if s.ledger.Retiring != nil {
			phase = kernel.Retired
		}
		return s.rejectInput(in.ID, rejectNotReady, "the session is "+phase.String(), "", c)
	case st.SessionID.IsNone():
		return s.rejectInput(in.ID, rejectNotReady, "the session is not registered", "session_registered", c)
	}
	if _, tracked := st.InputPhases.Lookup(in.ID); tracked {
		return s.rejectInput(in.ID, rejectIDInUse, fmt.Sprintf("the input id %q belongs to an event of another source", in.ID), "not_already_tracked", c)
	}
	if s.overfull() {
		return s.rejectOverfull(in, c)
	}
	if refused, ok := s.validated(in, c); !ok {
		return refused
	}
	if existing, duplicate := s.claimedKey(in, c); duplicate {
		s.remember(in, existing)
		return s.deduplicated(in, existing, c)
	}
	if refused, ok := s.drained(in, c); !ok {
		return refused
	}
	plan, refused, ok := s.plan(in, c)
	if !ok {
		s.unrequested(in, c)
		return refused
	}
	return s.accept(in, plan, c)
}

func (s *Session) seen(key string) bool {
	_, ok := s.ledger.Seen[key]
	return ok
}

// remember keeps an event that became no input of its own, so that its repetition gets
// the same answer.
func (s *Session) remember(in *input, existing string) {
	s.change(func(d *delta) {
		d.Seen = append(d.Seen, seenKey{Key: in.Key, What: seen{ID: existing}})
		d.Ended = append(d.Ended, in.Key)
	})
}

func (s *Session) validated(in *input, c cause) (refused acceptOutcome, ok bool) {
	o := s.apply(&kernel.ResolveAdmissionValidation{
		InputID: in.ID, InputKind: in.Kind, InputOrigin: in.origin, Durability: in.durability,
		PeerHandlingModeValid:                 in.peerHandlingModeValid(),
		PeerResponseTerminalStructurallyValid: in.peerValid,
		PeerResponseTerminalObservedStatus:    in.peerStatus,
	}, c)
	if !o.OK() {
		return s.refusedInput(in.ID, rejectInternal, o.Refusal, c), false
	}
	verdict := o.Effects[0].(kernel.AdmissionValidationResolved)
	if verdict.Result == kernel.AdmissionValidationResultKindAccept {
		return acceptOutcome{}, true
	}
	reason := verdict.RejectReason.Value()
	return s.rejectInput(in.ID, rejectClass(reason), reason.String(), o.Rule, c), false
}

// rejectClass is the class of a validation refusal (chapter 02, 6.6).
func rejectClass(reason kernel.AdmissionRejectReasonKind) string {
	switch reason {
	case kernel.AdmissionRejectReasonKindPeerHandlingModeInvalid, kernel.AdmissionRejectReasonKindPeerResponseTerminalInvalid:
		return reason.String()
	default:
		return "DurabilityViolation"
	}
}

func (s *Session) claimedKey(in *input, c cause) (existing string, duplicate bool) {
	key := kernel.None[string]()
	if in.Idempotency != "" {
		key = kernel.Some(in.Idempotency)
	}
	o := s.must(&kernel.ResolveAdmissionIdempotency{InputID: in.ID, IdempotencyKey: key}, c)
	if !o.OK() {
		return "", false
	}
	verdict := o.Effects[0].(kernel.AdmissionIdempotencyResolved)
	return verdict.ExistingInputID.Value(), verdict.Result == kernel.AdmissionIdempotencyResultKindDeduplicated
}

func (s *Session) plan(in *input, c cause) (plan kernel.AdmissionResolved, refused acceptOutcome, ok bool) {
	st := s.kernel.State()
	silent := in.intent != "" && in.Kind == kernel.AdmissionInputKindPeerRequest && st.SilentIntentOverrides.Has(in.intent)
	o := s.apply(&kernel.ResolveAdmissionPlan{
		InputID: in.ID, InputKind: in.Kind, RequestedLane: in.lane, ContinuationKind: in.continuation,
		SilentIntentMatch:         silent,
		ExistingSupersededInputID: s.supersedes(in),
		RuntimeRunning:            st.LifecyclePhase == kernel.Running,
		WithoutWake:               in.wake == notWaking,
	}, c)
	if !o.OK() {
		return plan, s.refusedInput(in.ID, rejectInternal, o.Refusal, c), false
	}
	plan = o.Effects[0].(kernel.AdmissionResolved)
	// 6.4 step 3: the accept itself is tried before anything is queued. Its rules write
	// nothing, so trying is asking.
	if o := s.kernel.Apply(acceptance(in, &plan)); !o.OK() {
		return plan, s.refusedInput(in.ID, rejectValidation, o.Refusal, c), false
	}
	return plan, acceptOutcome{}, true
}

// wakeMode says whether an admitted input may wake the run loop.
type wakeMode uint8

const (
	waking wakeMode = iota
	notWaking
)

func acceptance(in *input, plan *kernel.AdmissionResolved) kernel.Trigger {
	if in.wake == notWaking {
		return &kernel.AcceptWithoutWake{InputID: kernel.InputId(in.ID)}
	}
	return &kernel.AcceptWithCompletion{
		InputID:                    kernel.InputId(in.ID),
		RequestImmediateProcessing: plan.RequestImmediateProcessing,
		InterruptYielding:          plan.InterruptYielding,
		WakeIfIdle:                 plan.WakeIfIdle,
	}
}

// supersedes finds the queued input that a new one with the same supersession key may
// coalesce (chapter 02, 6.2): the first in lane order, queue before steer.
func (s *Session) supersedes(in *input) kernel.Opt[string] {
	if in.Supersession == "" {
		return kernel.None[string]()
	}
	s.readLanes()
	for _, lane := range [][]string{s.lanes.queue, s.lanes.steer} {
		for _, id := range lane {
			if e := s.ledger.Live[id]; e != nil && e.Kind == in.Kind && e.Supersession == in.Supersession {
				return kernel.Some(id)
			}
		}
	}
	return kernel.None[string]()
}

// accept queues an input as planned (6.4 step 4e) and tells the world.
func (s *Session) accept(in *input, plan kernel.AdmissionResolved, c cause) acceptOutcome {
	if plan.Lane == kernel.InputLaneSteer {
		s.must(&kernel.SteerAccepted{InputID: in.ID}, c)
	} else {
		s.must(&kernel.QueueAccepted{InputID: in.ID}, c)
	}
	in.Lane = plan.Lane
	in.Boundary, in.Execution = plan.RuntimeBoundary, plan.RuntimeExecutionKind
	in.Intent, in.HandlingMode = plan.RuntimePeerResponseTerminalApplyIntent, plan.ExecutionHandlingMode
	e := in.entry
	s.meet()
	in.accepted = true
	s.change(func(d *delta) { d.Admit = append(d.Admit, e) })
	s.next.payload += e.weight()
	s.outcome("InputAccepted", inputAccepted{InputID: in.ID, Lane: plan.Lane.String(), Plan: plan.Plan.String()}, c)
	s.env.Telemetry.InputAccepted()

	if plan.Plan == kernel.AdmissionPlanKindConsumedOnAccept {
		s.must(&kernel.ConsumeOnAccept{InputID: in.ID}, c)
		s.registerKey(in, c)
		s.end(e, "", kernel.InputPublicTerminalOutcomeCompleted, "", nil, c)
	} else {
		if plan.ExistingAction == kernel.AdmissionExistingQueuedActionKindCoalesce {
			s.coalesce(plan.ExistingInputID.Value(), in.ID, c)
		}
		s.registerKey(in, c)
		if s.lanes.stale {
			s.readLanes()
		} else {
			s.lanes.push(plan.Lane, in.ID)
		}
	}
	signal := "None"
	o := s.must(acceptance(in, &plan), c)
	for _, e := range o.Effects {
		// 6.4 step 7: any signal from WakeLoop up wakes the run loop.
		if post, ok := e.(kernel.PostAdmissionSignal); ok {
			signal, s.wake = post.Signal.String(), true
		}
	}
	return acceptOutcome{
		Outcome: outcomeAccepted, InputID: in.ID, Lane: in.Lane.String(), Plan: plan.Plan.String(), Signal: signal,
	}
}

func (s *Session) registerKey(in *input, c cause) {
	if in.Idempotency != "" {
		s.must(&kernel.RegisterAcceptedIdempotency{InputID: in.ID, IdempotencyKey: in.Idempotency}, c)
	}
}

func (s *Session) coalesce(existing, into string, c cause) {
	s.must(&kernel.CoalesceInput{InputID: existing, AggregateID: into}, c)
	if e := s.ledger.Live[existing]; e != nil {
		s.end(e, "", kernel.InputPublicTerminalOutcomeCoalesced, "", nil, e.cause())
	}
	s.lanes.stale = true
}
