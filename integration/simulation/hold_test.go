package simulation

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// relief is the command that lets a session go on which another one held up: a session that
// is registered by itself has no executor yet.
var relief = map[string]string{"pause": "resume", "register_session": "ensure_session_with_executor"}

// relieve lets every session go on that is ever held up, until all producers are through and
// once more then. It uses the control subject: the mailbox of a session that runs nothing may
// be full (PROTOCOL 28), and what waits to get into it may hold the session up again.
func (w *world) relieve(through <-chan struct{}) {
	p := w.producer("operator")
	defer p.close()
	for n, last := 1, false; ; n++ {
		for _, s := range w.plan.scripts {
			for _, held := range slices.Sorted(maps.Keys(relief)) {
				if slices.ContainsFunc(s.steps, func(st step) bool { return st.command == held }) {
					p.publish(s.session, step{id: fmt.Sprintf("%s-%s-over-%d", s.session, held, n), command: relief[held], control: true})
				}
			}
		}
		if last {
			return
		}
		select {
		case <-through:
			last = true
		case <-time.After(10 * time.Second):
		}
	}
}

// checkHold: a session starts no run between SessionPaused and SessionResumed, pauses and
// resumes in turns, does as the command that is answered said, and is not paused in the end.
func (w *world) checkHold(session string, h *chronicle) {
	paused := false
	for _, c := range h.commits {
		for _, f := range c.events {
			switch f.Name {
			case "SessionPaused", "SessionResumed":
				if now := f.Name == "SessionPaused"; now == paused {
					w.fail("%s: %s in commit %d and paused before: %t", session, f.Name, c.number, paused)
				} else {
					paused = now
				}
			case "InputStaged":
				if paused {
					w.fail("%s: run %s starts in commit %d while the session is paused", session, f.Fields.RunID, c.number)
				}
			case "CommandApplied":
				if name := f.Fields.Command; (name == "pause" || name == "resume") && paused != (name == "pause") {
					w.fail("%s: %s is applied in commit %d, and paused is %t", session, name, c.number, paused)
				}
			}
		}
	}
	if paused {
		w.fail("%s: it is paused in the end", session)
	}
}
