package kernel

import "fmt"

// RefusalKind says why a trigger was refused (chapter 01, reducer semantics 6).
type RefusalKind uint8

const (
	// GuardRejected: the trigger has rules and none held. A wrong phase is of this
	// kind too. Callers that fire idempotently treat it as a harmless no-op.
	GuardRejected RefusalKind = iota
	// NoMatchingTransition: the trigger has no rule at all, a programming mistake.
	NoMatchingTransition
)

// String is the kind's name in FORMAT and on the wire.
func (k RefusalKind) String() string {
	if k == NoMatchingTransition {
		return "NoMatchingTransition"
	}
	return "GuardRejected"
}

// Code is the stable code used at seams.
func (k RefusalKind) Code() string {
	if k == NoMatchingTransition {
		return "dsl_no_matching_transition"
	}
	return "dsl_guard_rejected"
}

// FailedGuard names the first guard of a rule that did not hold.
type FailedGuard struct {
	Rule  string `json:"transition"`
	Guard string `json:"guard"`
}

// Refusal is the verdict on a trigger that no rule accepts. It is a value, not an
// error: refusing is a normal answer of the machine.
type Refusal struct {
	Kind    RefusalKind
	Phase   Phase
	Trigger Trigger
	// Guards has, for each rule whose phase fits, its first guard that failed. Empty
	// if no rule applies in this phase.
	Guards []FailedGuard
}

// String renders the refusal for people, as the reference does.
func (r *Refusal) String() string {
	space := "input"
	if IsSignal(r.Trigger) {
		space = "signal"
	}
	text := fmt.Sprintf("%s: %s::%s refused in phase %s", r.Kind, space, r.Trigger.TriggerName(), r.Phase)
	for i, g := range r.Guards {
		if i == 0 {
			text += ": "
		} else {
			text += ", "
		}
		text += g.Rule + " needs " + g.Guard
	}
	return text
}

// refusal tells why no rule took t. Most triggers are taken, by a rule behind others that
// do not hold; so the guards are not noted until it is known that they refuse, and the
// step, which changes nothing, is repeated for them.
func (k *Kernel) refusal(t Trigger, from Phase) *Refusal {
	r := &Refusal{Kind: GuardRejected, Phase: from, Trigger: t}
	if k.taken == "" {
		r.Kind = NoMatchingTransition
		return r
	}
	k.refused, k.failed = true, k.failed[:0]
	t.step(k, &k.state)
	k.refused = false
	if len(k.failed) > 0 {
		r.Guards = append(r.Guards, k.failed...)
	}
	return r
}
