package declaration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Summary is one line of a list of triggers.
type Summary struct {
	Trigger string `json:"trigger"`
	Kind    Kind   `json:"kind"`
	Class   string `json:"class,omitzero"`
	Region  string `json:"region"`
	Rules   int    `json:"rules"`
	Doc     string `json:"doc"` // its first sentence
}

// List names every trigger, region by region.
func (d *Declaration) List() []Summary {
	list := make([]Summary, 0, len(d.Triggers))
	for _, t := range d.Triggers {
		first, _, _ := strings.Cut(t.Doc, ". ")
		list = append(list, Summary{t.Name, t.Kind, t.Class, t.Region, len(t.Rules), strings.TrimSuffix(first, ".") + "."})
	}
	return list
}

// Show renders one trigger for people. The error names triggers that are spelled alike.
func (d *Declaration) Show(trigger string) (string, error) {
	t, ok := d.Trigger(trigger)
	if !ok {
		var near []string
		for _, other := range d.Triggers {
			if strings.Contains(strings.ToLower(other.Name), strings.ToLower(trigger)) {
				near = append(near, other.Name)
			}
		}
		if len(near) == 0 {
			return "", fmt.Errorf("no input or signal %q", trigger)
		}
		return "", fmt.Errorf("no input or signal %q; there is %s", trigger, strings.Join(near, ", "))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s, region %s, kernel/%s)\n\n%s\n", t.Name, t.Kind, t.Region, t.File, t.Doc)
	if len(t.Fields) > 0 {
		b.WriteString("\nFields\n")
		for _, f := range t.Fields {
			fmt.Fprintf(&b, "  %-*s  %s\n", widest(t.Fields, func(f Field) string { return f.Name }), f.Name, f.Type)
		}
	}
	for i := range t.Rules {
		fmt.Fprintf(&b, "\n%s\n%s", t.Rules[i].headline(), indent(t.Rules[i].body(), "  "))
	}
	if len(t.Rules) == 0 {
		b.WriteString("\nNo rules: the machine refuses it in every phase.\n")
	}
	if used := d.functionsOf(t); len(used) > 0 {
		b.WriteString("\nFunctions\n")
		for _, f := range used {
			b.WriteString("\n")
			if f.Doc != "" {
				fmt.Fprintf(&b, "  // %s\n", f.Doc)
			}
			b.WriteString(indent(f.Source+"\n", "  "))
		}
	}
	return b.String(), nil
}

// headline says which rule it is and where it leads.
func (r *Rule) headline() string {
	to := "stays"
	if !r.PerPhase {
		to = "-> " + r.To
	}
	return fmt.Sprintf("%s: %s %s", r.Name, strings.Join(r.From, "|"), to)
}

// body renders what a rule requires and does, a line each.
func (r *Rule) body() string {
	var b strings.Builder
	if r.Doc != "" {
		fmt.Fprintf(&b, "// %s\n", r.Doc)
	}
	column := func(head string, lines []string) {
		for _, line := range lines {
			for l := range strings.SplitSeq(line, "\n") {
				fmt.Fprintf(&b, "%-9s %s\n", head, strings.ReplaceAll(l, "\t", "    "))
				head = ""
			}
		}
	}
	var guards, effects []string
	width := widest(r.Guards, func(g Guard) string { return g.Name })
	for _, g := range r.Guards {
		guards = append(guards, fmt.Sprintf("%-*s  %s", width, g.Name, g.Source))
	}
	for _, e := range r.Effects {
		source := e.Source
		if !strings.HasPrefix(source, e.Effect+"{") {
			source = e.Effect + " = " + source
		}
		effects = append(effects, source)
	}
	column("requires", guards)
	column("updates", r.Updates)
	column("emits", effects)
	return b.String()
}

// functionsOf are the functions that the rules of a trigger call, by the names that occur
// in their sources, and those that these call.
func (d *Declaration) functionsOf(t *Trigger) []Function {
	var sources []string
	for i := range t.Rules {
		sources = append(sources, t.Rules[i].body())
	}
	taken := map[string]bool{}
	var found []Function
	for len(sources) > 0 {
		source := sources[0]
		sources = sources[1:]
		for _, f := range d.Functions {
			owner, name, isMethod := strings.Cut(f.Name, ".")
			call := name + "("
			if !isMethod {
				call = owner + "("
			} else if _, trigger := d.Trigger(owner); trigger {
				// A method of a trigger is meant only where that trigger is.
				if owner != t.Name {
					continue
				}
				call = "in." + call
			} else {
				call = "." + call
			}
			if !taken[f.Name] && strings.Contains(source, call) {
				taken[f.Name] = true
				found = append(found, f)
				sources = append(sources, f.Source)
			}
		}
	}
	slices.SortFunc(found, func(a, b Function) int { return cmp.Compare(a.Name, b.Name) })
	return found
}

func widest[T any](all []T, text func(T) string) int {
	n := 0
	for _, v := range all {
		n = max(n, len(text(v)))
	}
	return n
}

func indent(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(by)
		}
		b.WriteString(line)
	}
	return b.String()
}
