package session

import (
	"fmt"
	"time"

	"github.com/kalahari-run/kalahari/kernel"
)

// The hold is ours, not the reference's: operators stop a session, or a namespace, from
// starting runs. Inputs are admitted as ever, and a run in progress finishes. A session's
// hold stands in its ledger, so it outlives its owner; the namespace's is read through
// [Env.Held].

// hold says why a session starts no runs.
type hold struct {
	// By is "command" or, if the session paused itself, "retries".
	By     string    `json:"by"`
	Reason string    `json:"reason,omitzero"`
	Since  time.Time `json:"since"`
}

const (
	heldByCommand = "command"
	heldByRetries = "retries"
)

var holdCommands = map[string]handler{
	"pause":  (*Session).pauseCommand,
	"resume": (*Session).resumeCommand,
}

// holdReport is the hold that stands after a command.
type holdReport struct {
	Paused bool  `json:"paused"`
	Hold   *hold `json:"hold,omitzero"`
	// InputsWaiting are those that a run would take up, or will once the hold is over.
	InputsWaiting int `json:"inputs_waiting"`
}

// pauseCommand holds the session's runs. A session that is paused stays so, for the
// reason it was.
func (s *Session) pauseCommand(c *command) (any, error) {
	var arg reasonArg
	if err := c.read(&arg); err != nil {
		return nil, err
	}
	if err := arg.check(s.id); err != nil {
		return nil, err
	}
	if s.kernel.Phase() == kernel.Destroyed {
		return nil, &refusal{kind: rejectDestroyed, reason: "the session is destroyed", phase: kernel.Destroyed.String()}
	}
	s.pause(heldByCommand, arg.Reason, c.cause)
	return s.holdReport(), nil
}

func (s *Session) resumeCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if s.ledger.Hold != nil {
		s.change(func(d *delta) { d.Resumed = true })
		s.outcome("SessionResumed", sessionResumed{InputsWaiting: s.waiting()}, c.cause)
	}
	s.wake = true
	return s.holdReport(), nil
}

func (s *Session) pause(by, reason string, c cause) {
	if s.ledger.Hold != nil {
		return
	}
	h := hold{By: by, Reason: reason, Since: s.next.now.UTC()}
	s.change(func(d *delta) { d.Hold = &h })
	s.outcome("SessionPaused", h, c)
}

// pauseExhausted pauses a session that has given an input up, where that is wanted: what
// made the run fail may make the next ones fail too.
func (s *Session) pauseExhausted(e *entry, attempts uint64, c cause) {
	if s.env.PauseExhausted {
		s.pause(heldByRetries, fmt.Sprintf("input %s was given up after %d attempts", e.ID, attempts), c)
	}
}

// held reports whether runs are held, by the session's hold or the namespace's.
func (s *Session) held() bool { return s.ledger.Hold != nil || s.env.Held() != nil }

// waiting counts the queued inputs.
func (s *Session) waiting() int {
	s.readLanes()
	return len(s.lanes.queue) + len(s.lanes.steer)
}

func (s *Session) holdReport() holdReport {
	return holdReport{Paused: s.ledger.Hold != nil, Hold: s.ledger.Hold, InputsWaiting: s.waiting()}
}

// HoldReport is a hold as queries show it.
type HoldReport struct {
	// Scope is "session" or "namespace".
	Scope string `json:"scope"`
	By    string `json:"by"`
	// Reason is what was given with it.
	Reason string    `json:"reason,omitzero"`
	Since  time.Time `json:"since"`
}

// Holds are the holds that keep the session from starting runs.
func (v *View) Holds() []HoldReport {
	var holds []HoldReport
	if h := v.s.ledger.Hold; h != nil {
		holds = append(holds, HoldReport{Scope: "session", By: h.By, Reason: h.Reason, Since: h.Since})
	}
	if h := v.s.env.Held(); h != nil {
		holds = append(holds, HoldReport{Scope: "namespace", By: "operator", Reason: h.Reason, Since: h.Since})
	}
	return holds
}
