package kernel

// Trigger is one call of the machine: an input or a signal, always as a pointer to one
// of the structs of this package (chapter 01, reducer semantics 1). The interface is
// sealed by step: a type without rules is not a trigger.
type Trigger interface {
	// TriggerName is the PascalCase name of the chapters.
	TriggerName() string
	step(k *Kernel, s *State)
	// write and read are its fields in a step of the log.
	write(w *StepWriter)
	read(r *StepReader)
}

// signal is implemented by those triggers that live in the signals' name space.
type signal interface{ signal() }

// IsSignal reports whether t is a signal and not an input.
func IsSignal(t Trigger) bool {
	_, ok := t.(signal)
	return ok
}

// Effect is one outgoing fact of a rule, always a value of one of the structs of this
// package.
type Effect interface {
	// EffectName is the PascalCase name of the chapters.
	EffectName() string
	// EffectDisposition says who the effect is for.
	EffectDisposition() Disposition
}

// Disposition says who an effect is for.
type Disposition uint8

const (
	// Local effects are consumed by the shell of this machine.
	Local Disposition = iota
	// External effects are visible to surfaces.
	External
	// Routed effects go to another machine: RuntimeBound, RuntimeRetired and
	// RuntimeDestroyed reach the MobMachine (chapter 01, the mob seam).
	Routed
)

// String is the disposition as schema documents spell it.
func (d Disposition) String() string {
	switch d {
	case External:
		return "external"
	case Routed:
		return "routed"
	default:
		return "local"
	}
}
