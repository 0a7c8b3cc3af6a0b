package session

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// An executor's actions are commands like those of the wire, with the run in the place of
// a sender. Their answers stand in the ledger until the run is over, so that a run that is
// executed again by the next owner does not act twice.

// answered is the answer to an action.
type answered struct {
	Report  jsontext.Value   `json:"report,omitzero"`
	Refusal *commandRejected `json:"refusal,omitzero"`
}

type actedKey struct {
	ID     string   `json:"id"`
	Answer answered `json:"answer"`
}

// maxAction bounds action ids: they are keys of the session's state.
const maxAction = 128

// What is kept of the answers to one run's actions: it stands in every snapshot. The last
// one may go beyond the bytes.
const (
	maxActed      = 4096
	maxActedBytes = 8 << 20
)

func (a *actedKey) size() int {
	n := len(a.ID) + len(a.Answer.Report)
	if r := a.Answer.Refusal; r != nil {
		n += len(r.Reason)
	}
	return n
}

func actionID(id string) bool { return id != "" && len(id) <= maxAction && utf8.ValidString(id) }

// host is the session as a run in progress reaches it.
type host struct {
	s   *Session
	run *running
}

// caller waits for the answer to an action.
type caller chan answered

// Do implements [executor.Host].
func (h *host) Do(ctx context.Context, a executor.Action) (jsontext.Value, error) {
	if !actionID(a.ID) {
		return nil, fmt.Errorf("action id %q: 1 to %d bytes of UTF-8 are possible", a.ID, maxAction)
	}
	answer, over := make(caller, 1), false
	taken := make(chan struct{})
	ask := func() {
		defer close(taken)
		// A call that was told to end may still be on its way back, when its run is over.
		over = h.s.run != h.run || !h.s.kernel.State().CurrentRunID.Is(kernel.RunId(h.run.id))
		if !over {
			h.s.next.now = h.s.now()
			h.s.act(h.run, a, answer)
		}
	}
	select {
	case h.s.asks <- ask:
		select {
		case <-taken:
		case <-h.s.over: // it had no end
			return nil, executor.ErrRunOver
		}
	case <-h.s.over:
		return nil, executor.ErrRunOver
	case <-h.run.ctx.Done():
		return nil, executor.ErrRunOver
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if over {
		return nil, executor.ErrRunOver
	}
	select {
	case got := <-answer:
		return got.unpack()
	case <-h.s.over:
		return nil, executor.ErrRunOver
	case <-h.run.ctx.Done():
		return nil, executor.ErrRunOver
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a *answered) unpack() (jsontext.Value, error) {
	r := a.Refusal
	if r == nil {
		return a.Report, nil
	}
	return nil, &executor.ActionError{
		Command: r.Command, Kind: r.Kind, Reason: r.Reason, Phase: r.Phase, Rule: r.Rule, Guard: r.Guard,
	}
}

// act carries out an action of the run in progress.
func (s *Session) act(r *running, a executor.Action, answer caller) {
	if was, ok := s.ledger.Acted[a.ID]; ok {
		s.tell(answer, was)
		return
	}
	put(&s.callers, a.ID, append(s.callers[a.ID], answer))
	for i := range s.ledger.Waiting {
		if s.ledger.Waiting[i].Action == a.ID {
			return // taken when the run was executed before
		}
	}
	c := cause{}
	if len(r.inputs) > 0 {
		c = r.inputs[0].cause()
	}
	s.performAction(r, a, c)
}

// performAction carries out an action whose answer is not known yet.
func (s *Session) performAction(r *running, a executor.Action, c cause) {
	cmd := &command{name: subjects.Clip(a.Command, maxID), event: r.id + "/" + a.ID, action: a.ID, data: a.Data, cause: c}
	if len(cmd.data) == 0 {
		cmd.data = jsontext.Value("{}")
	}
	var report any
	err := error(&refusal{kind: "Unsupported", reason: fmt.Sprintf("a run cannot carry out %q", cmd.name)})
	cmd.repeatable = readOnly(cmd.name)
	switch {
	case !cmd.repeatable && s.actedOut():
		cmd.repeatable = true // it would be refused again
		err = &refusal{kind: rejectNotReady, reason: fmt.Sprintf("the run has acted %d times, or got %d bytes of answers, which is the most", maxActed, maxActedBytes)}
	case actionable(cmd.name):
		err = cmd.shallow()
	}
	if err == nil {
		err = cmd.known()
	}
	if err == nil {
		report, err = handlerOf(cmd.name)(s, cmd)
	}
	if !errors.Is(err, errWaiting) {
		s.answer(cmd, report, err)
	}
}

// fromRuns are the commands that a run may carry out: words with peers, operations, and
// what an agent decides about its tools, its model and its images.
var fromRuns = table(
	peerCommands, operationCommands,
	visibilityCommands, identityCommands, routingCommands, imageCommands,
)

// actionable tells whether a run may carry a command out: those, and questions. The
// others reach for the life of the run itself, which they would end from within.
func actionable(name string) bool {
	_, may := fromRuns[name]
	return may || readOnly(name)
}

func readOnly(name string) bool {
	known, ok := subjects.Lookup(subjects.CommandType(name))
	return ok && known.ReadOnly
}

// actedOut tells whether the run has as many answers as are kept, counting those it waits for.
func (s *Session) actedOut() bool {
	n := len(s.ledger.Acted)
	for i := range s.ledger.Waiting {
		if s.ledger.Waiting[i].Action != "" {
			n++
		}
	}
	return n >= maxActed || s.ledger.actedBytes >= maxActedBytes
}

// actions carries out those of a run's result.
func (s *Session) actions(r *running, actions []executor.Action, c cause) {
	for i, a := range actions {
		if !actionID(a.ID) {
			a.ID = "result." + strconv.Itoa(i)
		}
		if _, done := s.ledger.Acted[a.ID]; !done {
			s.performAction(r, a, c)
		}
	}
}

// acted keeps the answer of an action while its run may be executed again, unless it may be
// carried out again as well.
func (s *Session) acted(c *command, a answered) {
	if s.ledger.Run == nil {
		delete(s.callers, c.action) // their run is over
		return
	}
	if !c.repeatable {
		s.change(func(d *delta) { d.Acted = append(d.Acted, actedKey{c.action, a}) })
	}
	for _, answer := range s.callers[c.action] {
		s.tell(answer, a)
	}
	delete(s.callers, c.action)
}

// tell answers a caller once the commit under construction is known stored (PROTOCOL 3).
func (s *Session) tell(answer caller, a answered) {
	if s.next.empty() {
		answer <- a // stored before
		return
	}
	s.next.stored = append(s.next.stored, func() { answer <- a })
}
