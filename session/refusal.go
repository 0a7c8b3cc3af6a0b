package session

import (
	"github.com/kalahari-run/kalahari/kernel"
)

// refusal is a command that was not carried out. It is an answer, not a failure.
type refusal struct {
	kind, reason string
	phase        string // of the machine, where the kind says so
	rule, guard  string // the first rule that came near, and what it needed
	code         string // of the machine or the mob seam
}

func (r *refusal) Error() string { return r.kind + ": " + r.reason }

func refused(kind string, r *kernel.Refusal) *refusal {
	out := &refusal{kind: kind, reason: r.String(), phase: r.Phase.String(), code: r.Kind.Code()}
	if len(r.Guards) > 0 {
		out.rule, out.guard = r.Guards[0].Rule, r.Guards[0].Guard
	}
	return out
}

// try applies one trigger of a session command: a refusal is Destroyed or
// ValidationFailed (chapter 01, error mapping).
func (s *Session) try(t kernel.Trigger, c *command) error {
	return s.tryAs(rejectValidation, t, c)
}

// tryAs is try with the kind that a refusal outside the phase Destroyed has.
func (s *Session) tryAs(kind string, t kernel.Trigger, c *command) error {
	o := s.apply(t, c.cause)
	if o.OK() {
		return nil
	}
	r := refused(kind, o.Refusal)
	if o.Refusal.Phase == kernel.Destroyed {
		r.kind = rejectDestroyed
	}
	return r
}

// tryControl applies one trigger of a control-plane command, whose refusals are Internal
// in every phase (chapter 01, error mapping).
func (s *Session) tryControl(t kernel.Trigger, c *command) error {
	if o := s.apply(t, c.cause); !o.OK() {
		return refused(rejectInternal, o.Refusal)
	}
	return nil
}

// mustBeRegistered refuses a session command of a session that is not registered: the
// table's NotReady{Destroyed}.
func (s *Session) mustBeRegistered() error {
	if s.kernel.State().SessionID.IsSome() {
		return nil
	}
	return &refusal{kind: rejectNotReady, reason: "the session is not registered", phase: kernel.Destroyed.String()}
}

// mustHaveRuntime refuses a control-plane command of a session that is not registered:
// there is no runtime of that name.
func (s *Session) mustHaveRuntime() error {
	if s.kernel.State().SessionID.IsSome() {
		return nil
	}
	return &refusal{kind: rejectNotFound, reason: "there is no runtime rt:session:" + s.id + ": the session is not registered"}
}
