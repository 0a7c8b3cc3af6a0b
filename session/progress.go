package session

import (
	"fmt"
	"time"

	"github.com/kalahari-run/kalahari/kernel"
)

// Progress says which input of a session has waited longest, and for what.
type Progress struct {
	InputID string `json:"input_id"`
	// Since is when the input was admitted.
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
	// Detail is the reason for people.
	Detail string `json:"detail"`
}

// Why an input waits. A worker knows some reasons more: see worker.Stuck.
const (
	WaitsPaused          = "paused"           // by the session's hold
	WaitsNamespacePaused = "namespace_paused" // by the namespace's
	WaitsRun             = "run_in_progress"  // for the executor
	WaitsRetry           = "retrying"         // until the failed run is tried again
	WaitsStopped         = "stopped"          // the phase starts no runs
	WaitsUnregistered    = "not_registered"
	WaitsExecutor        = "no_executor"
	WaitsWake            = "not_woken" // admitted without waking anybody
	WaitsTurn            = "queued"    // its run is about to start
)

// Progress is nil if no input waits.
func (v *View) Progress() *Progress {
	s := v.s
	var oldest *entry
	for _, e := range s.ledger.Live {
		if oldest == nil || e.At.Before(oldest.At) || e.At.Equal(oldest.At) && e.ID < oldest.ID {
			oldest = e
		}
	}
	if oldest == nil {
		return nil
	}
	p := &Progress{InputID: oldest.ID, Since: oldest.At}
	p.Reason, p.Detail = s.waitsFor()
	return p
}

func (s *Session) waitsFor() (reason, detail string) {
	st := s.kernel.State()
	run, running := st.CurrentRunID.Get()
	switch h := s.env.Held(); {
	case running && s.run != nil:
		return WaitsRun, fmt.Sprintf("run %s is with the executor since %s", run, stamp(s.run.start))
	case running:
		return WaitsRun, fmt.Sprintf("run %s is between two owners", run)
	case s.ledger.Hold != nil:
		return WaitsPaused, fmt.Sprintf("the session is paused since %s: %s", stamp(s.ledger.Hold.Since), s.ledger.Hold.Reason)
	case h != nil:
		return WaitsNamespacePaused, fmt.Sprintf("the namespace is paused since %s: %s", stamp(h.Since), h.Reason)
	case s.retrying:
		return WaitsRetry, "a run failed and will be tried again"
	case st.LifecyclePhase&(kernel.Idle|kernel.Attached|kernel.Retired) == 0:
		return WaitsStopped, "the session is " + st.LifecyclePhase.String()
	case st.SessionID.IsNone():
		return WaitsUnregistered, "the session is not registered"
	case st.RegistrationPhase == kernel.RegistrationPhaseQueuing:
		return WaitsExecutor, "the session has no executor"
	case !s.wake:
		return WaitsWake, "nothing has woken the session since it was admitted"
	default:
		return WaitsTurn, "its run is about to start"
	}
}

// BusySince is since when the session has had inputs that have not ended, as far as this
// worker knows: no input waits longer. It is the zero time if there are none, and may be
// asked from any goroutine.
func (s *Session) BusySince() time.Time {
	if at := s.busy.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// noteBusy keeps BusySince. It is called after every commit.
func (s *Session) noteBusy() {
	switch {
	case len(s.ledger.Live) == 0:
		s.busy.Store(0)
	case s.busy.Load() == 0:
		s.busy.Store(s.next.now.UnixNano())
	}
}

// recoverBusy reads BusySince off the inputs a former owner admitted.
func (s *Session) recoverBusy() {
	s.busy.Store(0)
	if p := (&View{s}).Progress(); p != nil {
		s.busy.Store(p.Since.UnixNano())
	}
}
