package kernel

import (
	"fmt"
	"strings"
)

// Phase is a lifecycle phase of the machine (chapter 01). Each phase is one bit, so a
// Phase is also a set of phases where a rule lists those it applies from.
type Phase uint8

const (
	Initializing Phase = 1 << iota
	Idle
	Attached
	Running
	Retired
	Stopped
	// Destroyed is terminal.
	Destroyed

	// Stay is the target of a rule declared once for several phases: it keeps the phase
	// it is taken in, and its full name ends with that phase. A rule that stays in its
	// only phase names that phase as its target.
	Stay Phase = 0
)

// The phase sets the chapters name.
const (
	live3        = Idle | Attached | Running
	registered5  = live3 | Retired | Stopped
	notDestroyed = Initializing | registered5
	anyPhase     = notDestroyed | Destroyed
)

var phaseNames = [...]string{"Initializing", "Idle", "Attached", "Running", "Retired", "Stopped", "Destroyed"}

// Phases lists all phases in declaration order.
func Phases() []Phase {
	return []Phase{Initializing, Idle, Attached, Running, Retired, Stopped, Destroyed}
}

// String is the PascalCase name, or the names of a set joined by a bar.
func (p Phase) String() string {
	var names []string
	for i, name := range phaseNames {
		if p&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, "|")
}

// MarshalText writes the name of a single phase.
func (p Phase) MarshalText() ([]byte, error) {
	for i, name := range phaseNames {
		if p == 1<<i {
			return []byte(name), nil
		}
	}
	return nil, fmt.Errorf("%d is not a single lifecycle phase", p)
}

// UnmarshalText reads the name of a single phase.
func (p *Phase) UnmarshalText(text []byte) error {
	for i, name := range phaseNames {
		if name == string(text) {
			*p = 1 << i
			return nil
		}
	}
	return fmt.Errorf("unknown lifecycle phase %q", text)
}
