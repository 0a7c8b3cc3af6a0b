package session

import (
	"errors"
	"fmt"

	"github.com/kalahari-run/kalahari/kernel"
)

// drainCommands set up and end the comms drain (chapter 01, command table; chapter 06,
// drain control). The session is its own drain, so spawning starts nothing: the phase says
// whether the session listens to its peers. One that was never set up does; one whose drain
// was stopped does not.
var drainCommands = map[string]handler{
	"set_peer_ingress_context": (*Session).peerIngressCommand,
	"notify_drain_exited":      (*Session).drainExitedCommand,
	"abort":                    (*Session).abortCommand,
	"abort_all":                (*Session).abortCommand,
	"wait":                     (*Session).waitCommand,
}

func (s *Session) peerIngressCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		KeepAlive      *bool                             `json:"keep_alive"`
		CommsRuntimeID kernel.Opt[kernel.CommsRuntimeId] `json:"comms_runtime_id"`
		MobID          kernel.Opt[kernel.MobId]          `json:"mob_id"`
	}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	runtime, given := arg.CommsRuntimeID.Get()
	mob, ofMob := arg.MobID.Get()
	switch {
	case arg.KeepAlive == nil:
		return nil, &FieldError{"data.keep_alive", "is missing"}
	case ofMob && !given:
		return nil, &FieldError{"data.mob_id", "needs a comms_runtime_id"}
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	if err := s.try(&kernel.SetPeerIngressContext{KeepAlive: *arg.KeepAlive}, c); err != nil {
		return nil, err
	}
	var err error
	switch {
	case ofMob:
		err = s.try(&kernel.AttachMobIngress{CommsRuntimeID: runtime, MobID: mob}, c)
	case given:
		err = s.try(&kernel.AttachSessionIngress{CommsRuntimeID: runtime}, c)
	case !*arg.KeepAlive:
		err = s.try(&kernel.DetachIngress{}, c)
	}
	if err != nil {
		return nil, err
	}
	spawned := false
	switch {
	case !*arg.KeepAlive:
		s.stopDrain(c)
	case given:
		o := s.apply(&kernel.SpawnDrain{Mode: kernel.DrainModePersistentHost}, c.cause)
		spawned = o.OK()
	}
	return map[string]bool{"spawned": spawned}, nil
}

// stopDrain stops the drain if it runs.
func (s *Session) stopDrain(c *command) {
	if s.kernel.State().DrainPhase == kernel.DrainPhaseRunning {
		s.apply(&kernel.StopDrain{}, c.cause)
	}
}

// drainExitedCommand takes the report that the drain exited. Of a session that is not
// registered it is accepted and says nothing.
func (s *Session) drainExitedCommand(c *command) (any, error) {
	var arg struct {
		sessionArg
		Reason *kernel.DrainExitReason `json:"reason"`
	}
	if err := s.readAs(c, &arg, &arg.sessionArg); err != nil {
		return nil, err
	}
	if arg.Reason == nil {
		return nil, &FieldError{"data.reason", "is missing"}
	}
	if s.mustBeRegistered() != nil {
		s.apply(&kernel.NotifyDrainExited{Reason: *arg.Reason}, c.cause)
		return nil, nil
	}
	return nil, s.try(&kernel.NotifyDrainExited{Reason: *arg.Reason}, c)
}

// abortCommand stops the drain. Sent to one session, abort_all is abort: who wants all
// drains stopped sends it to all sessions.
func (s *Session) abortCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil && c.name == "abort" {
		return nil, err
	}
	s.stopDrain(c)
	return nil, nil
}

// errStillWaiting says that a waiting command cannot be answered yet.
var errStillWaiting = errors.New("still waiting")

// waitCommand is answered once the drain does not run any more.
func (s *Session) waitCommand(c *command) (any, error) {
	if err := s.readSessionArg(c); err != nil {
		return nil, err
	}
	if err := s.mustBeRegistered(); err != nil {
		return nil, err
	}
	report, err := s.drainWaited()
	switch {
	case !errors.Is(err, errStillWaiting):
		return report, err
	case len(s.ledger.Waiting) >= maxWaiting:
		return nil, &refusal{kind: rejectNotReady, reason: fmt.Sprintf("%d commands wait already, which is the most", maxWaiting)}
	}
	s.wait(c.waiting())
	return nil, errWaiting
}

func (s *Session) drainWaited() (any, error) {
	phase := s.kernel.State().DrainPhase
	if phase == kernel.DrainPhaseRunning && s.kernel.State().SessionID.IsSome() {
		return nil, errStillWaiting
	}
	return map[string]string{"drain_phase": phase.String()}, nil
}
