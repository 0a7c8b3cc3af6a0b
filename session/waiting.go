package session

import (
	"slices"

	"github.com/kalahari-run/kalahari/kernel"
)

// Some commands are answered later than they are taken: wait, when the comms drain has
// exited; wait_all, when the operations have ended. They stand in the ledger, so that the
// next owner answers them if this one is lost.

// maxWaiting bounds the wait commands: what waits is kept with the session's state. A
// wait_all needs no bound, since a session has one barrier.
const maxWaiting = 4096

// waiting is what is kept of a command that will be answered later.
func (c *command) waiting() waitingCommand {
	w := waitingCommand{Command: c.name, Event: c.event, Key: c.key, Correlation: c.cause.correlation, Mob: c.mob, Action: c.action}
	if c.cause.event != c.event {
		w.Cause = c.cause.event
	}
	return w
}

// command is the command that waited.
func (w *waitingCommand) command() *command {
	c := &command{
		name: w.Command, event: w.Event, key: w.Key, mob: w.Mob, action: w.Action,
		cause: cause{event: w.Event, correlation: w.Correlation},
	}
	if w.Cause != "" {
		c.cause.event = w.Cause
	}
	return c
}

// wait keeps a command for an answer that settleWaits will give.
func (s *Session) wait(w waitingCommand) {
	s.change(func(d *delta) { d.Wait = append(d.Wait, w) })
}

// settleWaits answers the waiting commands that can be. It is called before each commit.
func (s *Session) settleWaits() {
	if len(s.ledger.Waiting) == 0 || s.failure != nil {
		return
	}
	for _, w := range slices.Clone(s.ledger.Waiting) {
		var report any
		var err error
		switch {
		case s.kernel.Phase() == kernel.Destroyed:
			err = &refusal{kind: rejectDestroyed, reason: "the session was destroyed while the command waited"}
		case w.Action != "" && s.ledger.Run == nil:
			s.abandonWait(&w)
			err = &refusal{kind: rejectNotReady, reason: "the run that waited is over"}
		case w.Command == "wait":
			report, err = s.drainWaited()
		case w.Command == "wait_all":
			report, err = s.allWaited(&w)
		}
		if err == errStillWaiting {
			continue
		}
		s.change(func(d *delta) { d.Waited = append(d.Waited, w.id()) })
		s.answer(w.command(), report, err)
	}
}
