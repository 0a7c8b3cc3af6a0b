package session

import (
	"time"

	"github.com/kalahari-run/kalahari/kernel"
)

// Observer takes the measurements of sessions. Methods are called from many goroutines
// and must be quick.
type Observer interface {
	InputAccepted()
	InputDeduplicated()
	InputRejected()
	InputEnded(kernel.InputPublicTerminalOutcome)
	CommandApplied()
	CommandRejected()
	DeadLettered()
	// InputWaited is told how long a message lay in the mailbox before it was taken.
	InputWaited(time.Duration)
	Committed(took time.Duration, inputs int)
	Refused()
	UnknownOutcome()
	Recovered(took time.Duration)
	RunEnded(err error, took time.Duration)
	Hibernated()
	Quarantined()
	// What is let out behind a commit is sent, then confirmed, or given up with the session.
	EffectsSent(n int)
	EffectsConfirmed(n int)
	EffectsGivenUp(n int)
}

// silent observes nothing.
type silent struct{}

func (silent) InputAccepted()                               {}
func (silent) InputDeduplicated()                           {}
func (silent) InputRejected()                               {}
func (silent) InputEnded(kernel.InputPublicTerminalOutcome) {}
func (silent) CommandApplied()                              {}
func (silent) CommandRejected()                             {}
func (silent) DeadLettered()                                {}
func (silent) Committed(time.Duration, int)                 {}
func (silent) Refused()                                     {}
func (silent) UnknownOutcome()                              {}
func (silent) Recovered(time.Duration)                      {}
func (silent) RunEnded(error, time.Duration)                {}
func (silent) Hibernated()                                  {}
func (silent) Quarantined()                                 {}
func (silent) InputWaited(time.Duration)                    {}
func (silent) EffectsSent(int)                              {}
func (silent) EffectsConfirmed(int)                         {}
func (silent) EffectsGivenUp(int)                           {}
