package kernel

// RuleReport tells how one rule of a trigger stands against a state.
type RuleReport struct {
	Rule string
	// Applies says whether the rule is declared for the present phase.
	Applies bool
	// Guards has every guard of the rule with its value, in declaration order.
	Guards []GuardReport
}

// GuardReport is one guard of a rule and whether it held.
type GuardReport struct {
	Guard string
	Held  bool
}

// Holds reports whether the rule would be taken if no earlier one were.
func (r *RuleReport) Holds() bool {
	if !r.Applies {
		return false
	}
	for _, g := range r.Guards {
		if !g.Held {
			return false
		}
	}
	return true
}

// Explain evaluates every guard of every rule of t against the present state, which it
// leaves alone. It works on copies and is for people and tests, not for the hot path.
func (k *Kernel) Explain(t Trigger) []RuleReport {
	var reports []RuleReport
	for index := 0; ; index++ {
		p := &probe{want: index}
		scratch := Kernel{state: k.state.Clone(), probe: p}
		t.step(&scratch, &scratch.state)
		if !p.reached {
			return reports
		}
		reports = append(reports, p.report)
	}
}

// probe makes a step show one of its rules: every other rule is skipped, and every
// guard of the wanted one is evaluated, whether it holds or not. The body then runs on
// a scratch state; bodies cannot fail.
type probe struct {
	want, seen int
	reached    bool
	report     RuleReport
}

func (p *probe) rule(k *Kernel, name string, from, _ Phase) bool {
	mine := p.seen == p.want
	p.seen++
	if mine {
		p.reached = true
		p.report = RuleReport{Rule: name, Applies: k.state.LifecyclePhase&from != 0}
	}
	return mine
}

func (p *probe) guard(name string, ok bool) bool {
	p.report.Guards = append(p.report.Guards, GuardReport{Guard: name, Held: ok})
	return true
}
