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
	Committed(took time.Duration, inputs int)
	Refused()
	UnknownOutcome()
	Recovered(took time.Duration)
	RunEnded(err error, took time.Duration)
	Hibernated()
	Quarantined()
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
