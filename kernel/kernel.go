// Package kernel is the MeerkatMachine: the reducer through which every change of
// one session goes.
//
// A [Kernel] holds one [State]. [Kernel.Apply] takes one [Trigger] (an input or a
// signal), tries the rules of that trigger in declaration order and takes the first
// whose phase and guards all hold; the outcome names the rule and carries its
// effects. A trigger that no rule accepts is refused: nothing changes, and the
// refusal says which guard of which rule failed first.
//
// The package imports nothing of ours. It does no I/O, reads no clock, draws no random
// number and starts no goroutine; times and identities arrive as fields of inputs. Two
// kernels fed the same triggers hold equal states, which is what lets a session be
// rebuilt from its log.
//
// A Kernel is not safe for concurrent use: a session has exactly one owner.
package kernel

// Version is the version of the rules. A log record carries the version that wrote it; a
// worker folds only records of versions it knows (PROTOCOL 36).
const Version = 1

// Kernel is the reducer of one session. The zero value is not usable; see [New] and
// [FromState].
type Kernel struct {
	state State

	taken   string
	to      Phase
	held    bool
	effects []Effect      // of this and earlier rules, see effectsChunk
	refused bool          // the step is repeated to name the guards that refused
	failed  []FailedGuard // by them
	probe   *probe
}

// New returns a kernel in the initial state of the machine.
func New() *Kernel {
	return Resume(NewState())
}

// FromState returns a kernel that continues from st, which it takes over. It returns an
// [*InvariantError] naming the first invariant, in declaration order, that st breaks
// (chapter 01, reducer semantics 6 and 7).
func FromState(st State) (*Kernel, error) {
	if broken := st.Check(); len(broken) > 0 {
		return nil, &InvariantError{Phase: st.LifecyclePhase, Invariant: broken[0]}
	}
	return Resume(st), nil
}

// Resume returns a kernel that continues from st without judging it. Folding a log must
// reach the very state the log's writer had, also where a rule of the reference breaks
// an invariant (chapter 01, reducer semantics 8).
func Resume(st State) *Kernel {
	st.ready()
	return &Kernel{state: st}
}

// State gives read access to the present state. It is valid until the next Apply; the
// caller must not change it.
func (k *Kernel) State() *State { return &k.state }

// Phase is the present lifecycle phase.
func (k *Kernel) Phase() Phase { return k.state.LifecyclePhase }

// Outcome is what one Apply did.
type Outcome struct {
	// Rule is the base name of the rule taken, empty if the trigger was refused.
	Rule string
	// PerPhase says that the rule stands for one per phase it is declared for; the
	// reference then appends the phase to its name, see [Outcome.Transition].
	PerPhase bool
	// From and To are the phases before and after; equal after a refusal.
	From, To Phase
	// Effects are the effects in declaration order. The slice is the caller's.
	Effects []Effect
	// Refusal says why nothing happened, nil if a rule was taken.
	Refusal *Refusal
}

// OK reports whether a rule was taken.
func (o *Outcome) OK() bool { return o.Refusal == nil }

// Transition is the rule's full name, as the reference reports it: a rule declared once
// for several phases expands into one per phase, named base name and phase (chapter 01,
// reducer semantics 2).
func (o *Outcome) Transition() string {
	if o.PerPhase {
		return o.Rule + o.From.String()
	}
	return o.Rule
}

// Outcomes get their effects cut from chunks of this many: most rules emit one or two,
// and a slice of their own for each would be half of what Apply allocates.
const (
	effectsChunk = 64
	effectsRoom  = 8 // what nearly every rule gets by with
)

// Apply runs one trigger through the machine. A refusal changes nothing.
func (k *Kernel) Apply(t Trigger) Outcome {
	from := k.state.LifecyclePhase
	if cap(k.effects)-len(k.effects) < effectsRoom {
		k.effects = make([]Effect, 0, effectsChunk)
	}
	first := len(k.effects)
	k.taken, k.held = "", false
	t.step(k, &k.state)
	if !k.held {
		return Outcome{From: from, To: from, Refusal: k.refusal(t, from)}
	}
	if k.to != Stay {
		k.state.LifecyclePhase = k.to
	}
	out := Outcome{Rule: k.taken, PerPhase: k.to == Stay, From: from, To: k.state.LifecyclePhase}
	if last := len(k.effects); last > first {
		out.Effects = k.effects[first:last:last]
	}
	return out
}

// rule opens one case of a step: it holds if the present phase is one of from. The
// phase is the first guard of every rule (chapter 01, reducer semantics 2).
func (k *Kernel) rule(name string, from, to Phase) bool {
	if k.probe != nil {
		return k.probe.rule(k, name, from, to)
	}
	k.taken, k.to, k.held = name, to, k.state.LifecyclePhase&from != 0
	return k.held
}

// guard is one named precondition of the rule opened last.
func (k *Kernel) guard(name string, ok bool) bool {
	if k.probe != nil {
		return k.probe.guard(name, ok)
	}
	if !ok {
		k.held = false
		if k.refused {
			k.failed = append(k.failed, FailedGuard{Rule: k.taken, Guard: name})
		}
	}
	return ok
}

// emit appends an effect. It stands after the updates whose results the effect reads
// (chapter 01, reducer semantics 3).
func (k *Kernel) emit(e Effect) { k.effects = append(k.effects, e) }
