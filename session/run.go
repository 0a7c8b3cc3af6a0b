package session

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
)

// maxBatch bounds the inputs of one run.
const maxBatch = 256

// running is a run whose executor call is under way.
type running struct {
	id     string
	inputs []*entry
	start  time.Time
	cancel context.CancelCauseFunc
	// boundary is closed when the run is to be cancelled at its next boundary.
	boundary chan struct{}
	// immediate is set when the turn appends context and asks no model.
	immediate bool
	ctx       context.Context // ends when the call is to end
	// told is how far in the completion feed the run was told.
	told uint64
}

// cancelAtBoundary tells the executor to stop at its next boundary.
func (r *running) cancelAtBoundary() {
	select {
	case <-r.boundary:
	default:
		close(r.boundary)
	}
}

// finished is what an executor call came to.
type finished struct {
	run    *running
	result *executor.Result
	output output
	err    error
}

// Why a run's context ended.
var (
	errInterrupted = errors.New("the run was interrupted")
	errLetGo       = errors.New("the session left this worker")
)

// runDue reports whether the run loop would look for a batch (chapter 02, 6.9): woken,
// nothing in progress, an executor registered, a phase that processes the queue.
func (s *Session) runDue() bool {
	st := s.kernel.State()
	return s.wake && s.run == nil && !s.draining && st.CurrentRunID.IsNone() &&
		st.RegistrationPhase != kernel.RegistrationPhaseQueuing &&
		st.LifecyclePhase&(kernel.Idle|kernel.Attached|kernel.Retired) != 0 && !s.held()
}

// startRun begins the next run if one is due and inputs are queued. It reports whether that
// run is over already, so that there may be another.
func (s *Session) startRun() (over bool) {
	if s.failure != nil || !s.runDue() {
		return false
	}
	st := s.kernel.State()
	batch := s.batch()
	if len(batch) == 0 {
		s.wake = false
		return false
	}
	run := uuid.Must(uuid.NewV7()).String()
	c := batch[0].cause()
	if st.LifecyclePhase == kernel.Retired {
		s.must(&kernel.DrainQueuedRun{RunID: kernel.RunId(run)}, c)
	} else if o := s.apply(&kernel.Prepare{SessionID: st.SessionID.Value(), RunID: kernel.RunId(run)}, c); !o.OK() {
		// An unregistered session runs nothing until it is registered again.
		s.wake = false
		return false
	}
	for _, e := range batch {
		s.must(&kernel.StageForRun{InputID: e.ID, RunID: run}, e.cause())
		s.must(&kernel.IncrementAttemptCount{InputID: e.ID}, e.cause())
		s.outcome("InputStaged", inputStaged{InputID: e.ID, RunID: run, Attempt: st.InputAttemptCounts.At(e.ID)}, e.cause())
	}
	s.lanes.take(s.batchLane, len(batch))
	s.change(func(d *delta) { d.Run = &execution{RunID: run, Count: 1} })
	if o := s.apply(startTurn(run, batch), c); !o.OK() {
		// 6.9 step 6.
		s.settle(finished{
			run: &running{id: run, inputs: batch, start: s.next.now},
			err: &executor.ApplyError{Cause: kernel.RuntimeApplyFailureCauseExecutorInternal, Message: o.Refusal.String()},
		})
		return false
	}
	s.crossBoundary(c)
	attempt := st.InputAttemptCounts.At(batch[0].ID)
	if s.runAtOnce(run, attempt, batch) {
		return true
	}
	s.next.stored = append(s.next.stored, func() { s.launch(run, attempt, batch) })
	return false
}

// startTurn picks the turn's start (chapter 02, 6.9 step 6; chapter 03, who sends what).
func startTurn(run string, batch []*entry) kernel.Trigger {
	if contextOnly(batch) {
		return &kernel.StartImmediateContext{RunID: kernel.RunId(run)}
	}
	shape := kernel.ContentShapeConversation
	if batch[0].Intent.IsSome() {
		shape = kernel.ContentShapeConversationAndContext
	}
	return &kernel.StartConversationRun{
		RunID: kernel.RunId(run), PrimitiveKind: kernel.TurnPrimitiveKindConversationTurn, AdmittedContentShape: shape,
	}
}

// contextOnly reports whether a batch brings context and nothing to answer: continuations
// that append to the context only.
func contextOnly(batch []*entry) bool {
	for _, e := range batch {
		if !e.ContextOnly {
			return false
		}
	}
	return true
}

// batch selects the inputs of the next run (chapter 02, 6.7).
func (s *Session) batch() []*entry {
	s.readLanes()
	if ids := s.lanes.steer; len(ids) > 0 {
		s.batchLane = kernel.InputLaneSteer
		return s.prefix(ids, func(first, e *entry) bool {
			return e.Boundary == first.Boundary && e.Execution == first.Execution && e.Intent == first.Intent
		})
	}
	s.batchLane = kernel.InputLaneQueue
	return s.prefix(s.lanes.queue, func(first, e *entry) bool {
		// A prompt stands alone; anything else stops before the first prompt.
		return first.Kind != kernel.AdmissionInputKindPrompt && e.Kind != kernel.AdmissionInputKindPrompt &&
			e.Execution == first.Execution && e.Intent == first.Intent
	})
}

func (s *Session) prefix(ids []string, joins func(first, e *entry) bool) []*entry {
	var batch []*entry
	bytes := 0
	for _, id := range ids {
		e := s.ledger.Live[id]
		if e == nil {
			s.fail(fmt.Errorf("session %s: the kernel has input %s queued, the ledger does not know it", s.id, id))
			return nil
		}
		bytes += e.size()
		if len(batch) > 0 && (len(batch) == maxBatch || bytes > s.env.CommitBytes || !joins(batch[0], e)) {
			break
		}
		batch = append(batch, e)
	}
	return batch
}

func (s *Session) readLanes() {
	if s.lanes.stale {
		s.lanes.refresh(s.kernel.State())
	}
}

// launch calls the executor. The commit that stages the run is stored (PROTOCOL 3, 12).
func (s *Session) launch(id string, attempt uint64, batch []*entry) {
	st := s.kernel.State()
	if s.run != nil || !st.CurrentRunID.Is(kernel.RunId(id)) {
		return // ended by a command in the same commit
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	r := &running{
		id: id, inputs: batch, start: s.now(), ctx: ctx, cancel: cancel, immediate: contextOnly(batch), boundary: make(chan struct{}),
	}
	if st.CancelAfterBoundary {
		r.cancelAtBoundary() // asked of an earlier owner
	}
	s.run = r
	req := s.request(r, attempt)
	req.CancelAtBoundary, req.Host = r.boundary, &host{s, r}
	results := s.results // has room for the one call under way
	go func() {
		ctx, traced := s.traceRun(ctx, id, attempt, batch)
		f := &finished{run: r}
		if f.err = s.resolve(ctx, req, batch); f.err == nil {
			f.result, f.err = executor.Call(ctx, s.env.Executor, req)
		}
		if f.err == nil {
			f.output, f.err = s.store(ctx, f.result)
		}
		traced(f.err)
		cancel(nil)
		results <- f
		s.Nudge()
	}()
	// A call that needs no waiting is over before the session looks for what comes next. Its
	// result is then in the next commit, and not behind one that only admits what has arrived.
	runtime.Gosched()
}

// request is what an executor is told of a run.
func (s *Session) request(r *running, attempt uint64) *executor.Run {
	first := r.inputs[0]
	req := &executor.Run{
		Namespace: s.env.Namespace.Name(), Session: s.id, ID: r.id, Fence: s.owner.Fence,
		Attempt: attempt, Execution: s.ledger.Run.Count, Key: r.id, Model: effectiveModel(s.kernel.State()),
		Boundary: first.Boundary, Kind: first.Execution,
		Inputs: make([]executor.Input, 0, len(r.inputs)),
	}
	for _, e := range r.inputs {
		// A copy: whoever compacts it in place would write into the commit, or the next snapshot.
		req.Inputs = append(req.Inputs, executor.Input{
			ID: e.ID, Kind: e.Kind, Type: e.Type, Data: e.Data.Clone(), Text: e.text(), Lane: e.Lane, HandlingMode: e.HandlingMode,
		})
	}
	req.Completions, r.told = s.completions()
	return req
}

// resume takes up the run that was in progress when the state was recovered. Its executor
// call died with its owner: the run is executed again, under the same key, unless it has
// taken too many owners with it. It reports whether the commit will hand the run out.
func (s *Session) resume() bool {
	st := s.kernel.State()
	run, ok := st.CurrentRunID.Get()
	if !ok || st.LifecyclePhase != kernel.Running {
		return false
	}
	var batch []*entry
	for id, phase := range st.InputPhases.All() {
		if phase == kernel.InputPhaseStaged && st.InputRunAssociations.At(id) == string(run) {
			if e := s.ledger.Live[id]; e != nil {
				batch = append(batch, e)
			}
		}
	}
	sortByOrder(batch, st)
	lost := &running{id: string(run), inputs: batch, start: s.now()}
	if st.TurnPhase == kernel.TurnPhaseCancelling {
		s.interrupted = &finished{run: lost, err: executor.ErrCancelled} // by a user, before its owner died
		return false
	}
	count := uint64(1)
	if s.ledger.Run != nil {
		count = s.ledger.Run.Count + 1
	}
	if len(batch) == 0 || count > s.env.MaxExecutions {
		s.interrupted = &finished{
			run: lost,
			err: &executor.ApplyError{
				Cause:   kernel.RuntimeApplyFailureCauseExecutorStopped,
				Message: fmt.Sprintf("the run was lost with its worker %d times", count-1),
			},
		}
		return false
	}
	s.change(func(d *delta) { d.Run = &execution{RunID: string(run), Count: count} })
	attempt := st.InputAttemptCounts.At(batch[0].ID)
	s.next.stored = append(s.next.stored, func() { s.launch(string(run), attempt, batch) })
	return true
}

// settle turns what an executor reports into inputs of the kernel (chapter 02, 6.10).
func (s *Session) settle(f finished) {
	if s.run == f.run {
		s.run = nil
	}
	st := s.kernel.State()
	if !st.CurrentRunID.Is(kernel.RunId(f.run.id)) {
		return // stopped, destroyed or reset meanwhile: its inputs have ended
	}
	s.traceCauses(f.run.inputs)
	c := cause{}
	if len(f.run.inputs) > 0 {
		c = f.run.inputs[0].cause()
	}
	err := f.err
	switch {
	case st.TurnPhase == kernel.TurnPhaseCancelling:
		// Whatever the executor came to: the interrupt was answered, and stands.
		s.cancelRun(f.run, c)
	case err == nil && len(f.run.inputs) > 0:
		s.completeRun(f, c)
	case errors.Is(err, executor.ErrCancelled):
		s.cancelRun(f.run, c)
	default:
		s.failRun(f, err, c)
	}
	s.change(func(d *delta) { d.RunOver = true })
	s.env.Telemetry.RunEnded(err, s.now().Sub(f.run.start))
	s.answerWaiting()
}

// completeRun commits a successful run: boundary, run, inputs.
func (s *Session) completeRun(f finished, c cause) {
	run := kernel.RunId(f.run.id)
	s.must(&kernel.PrimitiveApplied{RunID: run}, c)
	if !f.run.immediate {
		// The executor drove the turn itself; these are its milestones.
		s.must(&kernel.LlmReturnedTerminal{RunID: run}, c)
		s.must(&kernel.BoundaryComplete{RunID: run}, c)
	}
	st := s.kernel.State()
	if st.TurnPhase == kernel.TurnPhaseCancelled {
		// A cancel was waiting for this boundary.
		s.cancelRun(f.run, c)
		return
	}
	s.actions(f.run, f.result.Actions, c)
	s.noteTold(f.run, c)
	at := s.position().String()
	if !f.output.none() {
		s.outcome("RunOutput", runOutput{
			RunID: f.run.id, Content: f.output.value, ContentRef: f.output.blob.Ref, Usage: usageOf(f.result),
		}, c)
	}
	for _, e := range f.run.inputs {
		ec := e.cause()
		s.must(&kernel.MarkApplied{InputID: e.ID}, ec)
		s.must(&kernel.MarkAppliedPendingConsumption{InputID: e.ID}, ec)
		s.must(&kernel.RecordBoundarySeq{InputID: e.ID, RunID: run}, ec)
		s.outcome("InputApplied", inputApplied{InputID: e.ID, RunID: f.run.id, BoundarySequence: st.InputBoundarySequences.At(e.ID)}, ec)
	}
	s.receipt(f, at)
	s.must(&kernel.RunCompleted{RunID: run}, c)
	s.must(&kernel.Commit{InputID: kernel.InputId(f.run.inputs[0].ID), RunID: run}, c)
	for _, e := range f.run.inputs {
		ec := e.cause()
		s.must(&kernel.ConsumeInput{InputID: e.ID}, ec)
		s.endWith(e, f.run.id, kernel.InputPublicTerminalOutcomeCompleted, "", f.output, ec)
	}
	s.wake = true // the loop goes on to the next batch (6.9 step 8)
}

// failRun puts a failed run's inputs back, or ends them when their attempts are used up.
func (s *Session) failRun(f finished, err error, c cause) {
	failed := &kernel.RunFailed{RunID: kernel.RunId(f.run.id), Error: err.Error()}
	var apply *executor.ApplyError
	var terminal *executor.TerminalError
	switch {
	case errors.As(err, &terminal):
		// The turn itself failed: it is told first, the run then ends on its verdict.
		run := kernel.RunId(f.run.id)
		if o := s.apply(&kernel.FatalFailure{RunID: run, TerminalFailureSource: terminal.Source, Error: terminal.Message}, c); o.OK() {
			failed.MachineTerminalFailureObserved = true
			break
		}
		fallthrough
	default:
		cause, message := kernel.RuntimeApplyFailureCauseExecutorInternal, err.Error()
		if errors.As(err, &apply) {
			cause, message = apply.Cause, apply.Message
		}
		failed.RuntimeApplyFailureCause, failed.RuntimeApplyFailureMessage = kernel.Some(cause), kernel.Some(message)
	}
	s.must(failed, c)
	s.must(&kernel.Fail{RunID: kernel.RunId(f.run.id)}, c)
	var again []*entry
	for _, e := range f.run.inputs {
		st := s.kernel.State()
		s.must(&kernel.ResolveStagedRollback{InputID: e.ID, Lane: st.InputRecoveryLanes.At(e.ID)}, e.cause())
		if st.InputPhases.At(e.ID) == kernel.InputPhaseAbandoned {
			s.end(e, f.run.id, kernel.InputPublicTerminalOutcomeAbandoned, st.InputAbandonReason[e.ID].String(), nil, e.cause())
			s.pauseExhausted(e, st.InputAttemptCounts.At(e.ID), e.cause())
		} else {
			again = append(again, e)
		}
	}
	s.lanes.stale = true
	s.readLanes()
	if len(again) > 0 {
		if len(s.lanes.queue)+len(s.lanes.steer) > len(again) {
			for _, e := range again {
				s.must(&kernel.DeferInputBehindBacklog{InputID: e.ID}, e.cause())
			}
			s.lanes.stale = true
		} else {
			s.retryLater(s.kernel.State().InputAttemptCounts.At(again[0].ID))
			return
		}
	}
	s.wake = true
}

// retryLater wakes the loop after a pause that doubles with each attempt, so that a run
// that fails at once does not spin.
func (s *Session) retryLater(attempts uint64) {
	s.wake = false
	d := s.env.RetryDelay << min(attempts-1, 8)
	s.retrying, s.retryAt = true, time.Now().Add(d)
}

// cancelTurn closes the turn of a run that was cancelled, unless a boundary has done so:
// the next run could not start over an open one.
func (s *Session) cancelTurn(run kernel.RunId, c cause) {
	s.apply(&kernel.CancelNow{RunID: run}, c)
	s.apply(&kernel.CancellationObserved{RunID: run}, c)
}

// cancelRun ends a cancelled run; its inputs end as Cancelled.
func (s *Session) cancelRun(r *running, c cause) {
	run := kernel.RunId(r.id)
	s.cancelTurn(run, c)
	s.must(&kernel.RunCancelled{RunID: run}, c)
	s.must(&kernel.CancelRun{RunID: run}, c)
	for _, e := range r.inputs {
		st := s.kernel.State()
		if st.InputPhases.At(e.ID) != kernel.InputPhaseStaged {
			continue
		}
		s.must(&kernel.AbandonInput{
			InputID: e.ID, Reason: kernel.InputAbandonReasonCancelled, AttemptCount: st.InputAttemptCounts.At(e.ID),
		}, e.cause())
		s.end(e, r.id, kernel.InputPublicTerminalOutcomeCancelled, kernel.InputAbandonReasonCancelled.String(), nil, e.cause())
	}
	s.wake = true
}

func outputOf(r *executor.Result) jsontext.Value {
	switch {
	case r.Terminal == executor.CallbackPending:
		return mustJSON(map[string]any{"callback_pending": map[string]any{"tool_name": r.ToolName, "args": r.ToolArgs}})
	case r.Terminal == executor.NoPendingBoundary:
		return nil
	case r.Content != nil:
		return r.Content
	default:
		o := object{b: append(make([]byte, 0, len(r.Text)+16), '{')}
		o.text("text", r.Text)
		return append(o.b, '}')
	}
}

func usageOf(r *executor.Result) any {
	if r.Usage == nil {
		return nil
	}
	return r.Usage
}
