package session

import (
	"fmt"
	"sort"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// The completion feed has two readers inside the session (chapter 04, cursors and their
// consumers). The agent is told with its next run; its cursor goes on when that run
// succeeds. The runtime looks while the session is at rest, and wakes it with a
// continuation if there is anything an agent should hear of.

// wakes are the kinds whose end an agent is woken for, as the machine classifies them.
var wakes = classifyWakes()

func classifyWakes() map[kernel.OperationKind]bool {
	scratch := kernel.New()
	scratch.Apply(&kernel.Initialize{})
	all := map[kernel.OperationKind]bool{}
	for _, kind := range []kernel.OperationKind{
		kernel.OperationKindMobMemberChild, kernel.OperationKindBackgroundToolOp, kernel.OperationKindBackgroundToolCapacitySlot,
	} {
		o := scratch.Apply(&kernel.ClassifyOperationCompletionWake{Kind: kind})
		all[kind] = o.OK() && o.Effects[0].(kernel.OperationCompletionWakeClassified).Result == kernel.OperationCompletionWakeClassWake
	}
	return all
}

// watermark is the completion number of the newest row of the feed.
func (o *operations) watermark() uint64 {
	if len(o.Feed) == 0 {
		return 0
	}
	return o.Feed[len(o.Feed)-1].Seq
}

// after are the rows behind a completion number.
func (o *operations) after(seq uint64) []executor.Completion {
	i := sort.Search(len(o.Feed), func(i int) bool { return o.Feed[i].Seq > seq })
	return o.Feed[i:]
}

// completions are what the agent has not been told, and how far it will be then.
func (s *Session) completions() (rows []executor.Completion, told uint64) {
	o := &s.ledger.Operations
	for _, row := range o.after(s.kernel.State().CompletionAgentAppliedCursor) {
		if wakes[row.Kind] {
			rows = append(rows, row)
		}
	}
	return rows, o.watermark()
}

// noteTold notes that a run has been told and has succeeded.
func (s *Session) noteTold(r *running, c cause) {
	if r.told > s.kernel.State().CompletionAgentAppliedCursor {
		s.must(&kernel.AdvanceAgentCompletionCursor{Cursor: r.told}, c)
	}
}

// injectCompletions wakes a session at rest for operations that ended.
func (s *Session) injectCompletions() {
	o := &s.ledger.Operations
	mark := o.watermark()
	st := s.kernel.State()
	observed, injected := st.CompletionRuntimeObservedCursor, st.CompletionRuntimeInjectedCursor
	if mark <= max(observed, injected) || mark == s.injected || s.failure != nil || s.kernel.Phase() == kernel.Destroyed {
		return
	}
	if injected == 0 {
		injected = observed
	}
	wake := false
	// What a run has been told needs no other: there the reference would wake the agent for
	// nothing.
	for _, row := range o.after(max(injected, st.CompletionAgentAppliedCursor)) {
		wake = wake || wakes[row.Kind]
	}
	c := cause{}
	if !wake {
		s.must(&kernel.AdvanceRuntimeObservedCompletionCursor{Cursor: mark}, c)
		return
	}
	if !s.quiescent() {
		return
	}
	s.injected = mark // a refused one is not tried again before there is more to tell
	ev := event.New()
	ev.SetID(fmt.Sprintf("%s/completions.%d", s.id, mark))
	ev.SetSource(s.env.Namespace.Source(s.id))
	ev.SetType(subjects.InputType("continuation"))
	err := ev.SetData(event.ApplicationJSON, []byte(mustJSON(map[string]any{
		"reason": "detached background op completed", "epoch": s.ledger.Epoch, "cursor": mark,
	})))
	var in *input
	if err == nil {
		in, err = decodeInput(s.id, &ev)
	}
	if err != nil {
		s.fail(fmt.Errorf("session %s: news of operations: %w", s.id, err))
		return
	}
	in.At, in.own = s.next.now, true
	s.admit(in)
	if _, accepted := s.ledger.Live[in.ID]; accepted {
		s.must(&kernel.AdvanceRuntimeInjectedCompletionCursor{Cursor: mark}, c)
		s.must(&kernel.AdvanceRuntimeObservedCompletionCursor{Cursor: mark}, c)
	}
}

// quiescent reports whether a run could be prepared and nothing waits for one.
func (s *Session) quiescent() bool {
	st := s.kernel.State()
	return s.run == nil && st.CurrentRunID.IsNone() && len(s.ledger.Live) == 0 && !s.draining && s.ledger.Retiring == nil &&
		st.RegistrationPhase == kernel.RegistrationPhaseActive && st.LifecyclePhase&(kernel.Idle|kernel.Attached) != 0
}

// advanceCursorCommand notes how far a reader of the feed has come.
func (s *Session) advanceCursorCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		Consumer string  `json:"consumer"`
		Cursor   *uint64 `json:"cursor"`
	}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	if arg.Cursor == nil {
		return nil, missing("cursor")
	}
	cursor := *arg.Cursor
	if last := s.kernel.State().NextCompletionSeq; cursor > last {
		return nil, &FieldError{"data.cursor", fmt.Sprintf("%d is ahead of the feed, which is at %d", cursor, last)}
	}
	var t kernel.Trigger
	switch arg.Consumer {
	case "agent":
		t = &kernel.AdvanceAgentCompletionCursor{Cursor: cursor}
	case "runtime_observed":
		t = &kernel.AdvanceRuntimeObservedCompletionCursor{Cursor: cursor}
	case "runtime_injected":
		t = &kernel.AdvanceRuntimeInjectedCompletionCursor{Cursor: cursor}
	default:
		return nil, &FieldError{"data.consumer", fmt.Sprintf("%q is none of agent, runtime_observed, runtime_injected", arg.Consumer)}
	}
	if err := s.try(t, c); err != nil {
		return nil, err
	}
	return (&View{s}).cursors(), nil
}

// CompletionCursors is how far each reader of the feed has come, as completion numbers.
type CompletionCursors struct {
	AgentApplied    uint64 `json:"agent_applied"`
	RuntimeObserved uint64 `json:"runtime_observed"`
	RuntimeInjected uint64 `json:"runtime_injected"`
}

func (v *View) cursors() CompletionCursors {
	st := v.s.kernel.State()
	return CompletionCursors{
		st.CompletionAgentAppliedCursor, st.CompletionRuntimeObservedCursor, st.CompletionRuntimeInjectedCursor,
	}
}

// OperationsReport is the answer to the query "operations".
type OperationsReport struct {
	// Epoch names the series of completion numbers, "" before the first operation.
	Epoch      string            `json:"epoch"`
	Operations []OperationReport `json:"operations"`
	Active     uint64            `json:"active"`
	// Completions are the rows of the feed behind the number asked for. Older ones than the
	// last 1,024 are gone: they are if the first row's number leaves a gap that no capacity
	// slot explains.
	Completions []executor.Completion `json:"completions"`
	Watermark   uint64                `json:"watermark"`
	Cursors     CompletionCursors     `json:"cursors"`
	Wait        *WaitReport           `json:"wait,omitzero"`
}

// OperationReport tells about one operation.
type OperationReport struct {
	OperationID string                               `json:"operation_id"`
	Kind        kernel.OperationKind                 `json:"kind"`
	DisplayName string                               `json:"display_name"`
	SourceLabel string                               `json:"source_label,omitzero"`
	Source      kernel.Opt[kernel.OperationSource]   `json:"source,omitzero"`
	Status      kernel.OperationStatus               `json:"status"`
	Result      kernel.OperationPublicResultClass    `json:"result"`
	PeerReady   bool                                 `json:"peer_ready"`
	Progress    uint64                               `json:"progress"`
	Outcome     *kernel.OperationTerminalOutcomeKind `json:"terminal_outcome,omitzero"`
	Payload     *kernel.OpTerminalPayload            `json:"payload,omitzero"`
	Seq         uint64                               `json:"seq,omitzero"`
	CreatedAt   time.Time                            `json:"created_at"`
	StartedAt   time.Time                            `json:"started_at,omitzero"`
	EndedAt     time.Time                            `json:"ended_at,omitzero"`
}

// WaitReport is the open barrier.
type WaitReport struct {
	RequestID    string   `json:"wait_request_id"`
	RunID        string   `json:"run_id"`
	OperationIDs []string `json:"operation_ids"`
}

// Operations tells about the session's operations, sorted by display name, and the feed
// behind a completion number.
func (v *View) Operations(after uint64) OperationsReport {
	s := v.s
	st := s.kernel.State()
	o := &s.ledger.Operations
	r := OperationsReport{
		Epoch: s.ledger.Epoch, Operations: []OperationReport{}, Active: st.ActiveOpCount,
		Completions: append([]executor.Completion{}, o.after(after)...), Watermark: o.watermark(), Cursors: v.cursors(),
	}
	for _, id := range s.operationIDs() {
		r.Operations = append(r.Operations, s.reportOperation(id))
	}
	sort.SliceStable(r.Operations, func(i, j int) bool { return r.Operations[i].DisplayName < r.Operations[j].DisplayName })
	if st.WaitActive {
		r.Wait = &WaitReport{string(st.WaitRequestID.Value()), string(st.WaitRunID.Value()), st.WaitOperationIDs.Elements()}
	}
	return r
}

func (s *Session) reportOperation(id string) OperationReport {
	st := s.kernel.State()
	known := s.ledger.Operations.Known[id]
	r := OperationReport{
		OperationID: id, Kind: st.OpKinds[id], DisplayName: known.DisplayName, SourceLabel: known.SourceLabel,
		Status: st.OpStatuses[id], Result: publicResult(id, st.OpStatuses[id]), PeerReady: st.OpPeerReady[id],
		Progress: st.OpProgressCounts[id], Seq: st.OpCompletionSeq[id],
		CreatedAt: known.CreatedAt, StartedAt: known.StartedAt, EndedAt: known.EndedAt,
	}
	if source, ok := st.OpSources[id]; ok {
		r.Source = kernel.Some(source)
	}
	if outcome, ok := st.OpTerminalOutcomes[id]; ok {
		payload := st.OpTerminalPayload[id]
		r.Outcome, r.Payload = &outcome, &payload
	}
	return r
}

func publicResult(id string, status kernel.OperationStatus) kernel.OperationPublicResultClass {
	scratch := kernel.New()
	scratch.Apply(&kernel.Initialize{})
	o := scratch.Apply(&kernel.ClassifyOperationPublicResult{OperationID: id, Status: status})
	return o.Effects[0].(kernel.OperationPublicResultClassified).Result
}

// operationQuestions: the query, and its name in the command table.
var operationQuestions = map[string]question{
	"operations":             askOperations,
	"ops_lifecycle_registry": askOperations,
}

func askOperations(v *View, args jsontext.Value) (any, error) {
	var arg struct {
		sessionArg
		After uint64 `json:"after"`
	}
	if err := ReadArgs(args, &arg); err != nil {
		return nil, err
	}
	return v.Operations(arg.After), arg.check(v.s.id)
}
