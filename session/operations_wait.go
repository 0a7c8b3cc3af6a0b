package session

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/kalahari-run/kalahari/kernel"
)

// waitAllCommand opens the barrier of the session (chapter 04, wait-all). The command is
// answered when all operations have ended, by whoever owns the session then.
func (s *Session) waitAllCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		RunID        string   `json:"run_id"`
		OperationIDs []string `json:"operation_ids"`
	}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	if n := len(arg.OperationIDs); n > maxEnded {
		return nil, &FieldError{"data.operation_ids", fmt.Sprintf("%d operations, %d are the most", n, maxEnded)}
	}
	if arg.RunID == "" {
		arg.RunID = string(s.kernel.State().CurrentRunID.Value())
	}
	request := kernel.WaitRequestId(uuid.Must(uuid.NewV7()).String())
	ask := &kernel.ResolveWaitAllAdmission{
		WaitRequestID: request, OperationIDSequence: arg.OperationIDs,
		OperationIDs: kernel.SetOf(arg.OperationIDs...), OperationIDTokens: kernel.Set[kernel.OperationId]{},
		OperationTokenByID: kernel.Map[string, kernel.OperationId]{}, OperationIDByToken: kernel.Map[kernel.OperationId, string]{},
	}
	st := s.kernel.State()
	for _, id := range arg.OperationIDs {
		token := kernel.OperationId(id)
		if st.OpKinds[id] == kernel.OperationKindBackgroundToolCapacitySlot {
			return nil, &FieldError{"data.operation_ids", fmt.Sprintf("%q is a capacity slot, which is forgotten when it ends", id)}
		}
		if ask.OperationIDTokens.Has(token) && ask.DuplicateOperationID.IsNone() {
			ask.DuplicateOperationID = kernel.Some(id)
		}
		if _, tracked := st.OpStatuses[id]; !tracked && ask.NotFoundOperationID.IsNone() {
			ask.NotFoundOperationID = kernel.Some(id)
		}
		ask.OperationIDTokens[token] = struct{}{}
		ask.OperationTokenByID[id], ask.OperationIDByToken[token] = token, id
	}
	o := s.apply(ask, c.cause)
	if !o.OK() {
		return nil, s.operationRefused(o)
	}
	verdict := o.Effects[0].(kernel.WaitAllAdmissionResolved)
	if reason, rejected := verdict.RejectReason.Get(); rejected {
		text := "a barrier is open already"
		if id, ok := verdict.RejectedOperationID.Get(); ok {
			text = fmt.Sprintf("operation %q", id)
		}
		return nil, &refusal{kind: reason.String(), reason: text, rule: o.Rule}
	}
	s.must(&kernel.RequestWaitAll{
		RunID: kernel.RunId(arg.RunID), WaitRequestID: request, OperationIDSequence: arg.OperationIDs,
		OperationIDs: ask.OperationIDs, OperationIDTokens: ask.OperationIDTokens,
		OperationTokenByID: ask.OperationTokenByID, OperationIDByToken: ask.OperationIDByToken,
	}, c.cause)
	if s.trySatisfy(c.cause) {
		return s.waitReport(string(request), ask.OperationIDs.Elements()), nil
	}
	w := c.waiting()
	w.Request = string(request)
	s.wait(w)
	return nil, errWaiting
}

// trySatisfy closes the barrier if its last operation has ended, and answers who waited.
func (s *Session) trySatisfy(c cause) bool {
	st := s.kernel.State()
	if !st.WaitActive {
		return false
	}
	request, ids := string(st.WaitRequestID.Value()), st.WaitOperationIDs.Elements()
	o := s.apply(&kernel.SatisfyWaitAll{
		WaitRequestID: st.WaitRequestID.Value(), RunID: st.WaitRunID.Value(), OperationIDTokens: st.WaitOperationIDTokens.Clone(),
	}, c)
	if !o.OK() {
		return false // not yet
	}
	for _, w := range slices.Clone(s.ledger.Waiting) {
		if w.Request == request {
			s.change(func(d *delta) { d.Waited = append(d.Waited, w.id()) })
			s.answer(w.command(), s.waitReport(request, ids), nil)
		}
	}
	return true
}

// waitReport has the outcomes in the order of the ids, as the reference gives them.
func (s *Session) waitReport(request string, ids []string) any {
	st := s.kernel.State()
	outcomes := make([]operationOutcome, 0, len(ids))
	for _, id := range ids {
		outcomes = append(outcomes, operationOutcome{id, st.OpTerminalOutcomes[id], st.OpTerminalPayload[id]})
	}
	return map[string]any{"wait_request_id": request, "outcomes": outcomes}
}

// allWaited is for a wait_all that was not satisfied: it waits, or its barrier was closed.
func (s *Session) allWaited(w *waitingCommand) (any, error) {
	st := s.kernel.State()
	if st.WaitActive && string(st.WaitRequestID.Value()) == w.Request {
		return nil, errStillWaiting
	}
	return nil, &refusal{kind: "WaitCancelled", reason: "the barrier was closed before all operations had ended"}
}

// abandonWait closes the barrier of a waiting command nobody waits for any more.
func (s *Session) abandonWait(w *waitingCommand) {
	st := s.kernel.State()
	if st.WaitActive && string(st.WaitRequestID.Value()) == w.Request {
		s.must(&kernel.CancelWaitAll{}, cause{event: w.Event})
	}
}

func (s *Session) cancelWaitAllCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	return nil, s.try(&kernel.CancelWaitAll{}, c)
}

// awaited tells whether the open barrier has an operation. It must not be forgotten: the
// barrier could never be satisfied.
func (s *Session) awaited(id string) bool {
	st := s.kernel.State()
	return st.WaitActive && st.WaitOperationIDs.Has(id)
}
