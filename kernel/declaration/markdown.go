package declaration

import (
	"fmt"
	"slices"
	"strings"
)

const notice = "<!-- Generated from the rules in kernel/ by `go generate`; do not edit. -->\n"

// Pages are the documents of docs/machine by file name.
func (d *Declaration) Pages() map[string][]byte {
	pages := map[string][]byte{
		"README.md": []byte(d.index()),
		"types.md":  []byte(d.typesPage()),
	}
	for _, region := range d.Regions {
		page, err := d.Markdown(region.Name)
		if err != nil {
			panic(err) // a region of its own list
		}
		pages[region.Name+".md"] = []byte(page)
	}
	return pages
}

func (d *Declaration) index() string {
	var b strings.Builder
	rules, guards := 0, 0
	for _, t := range d.Triggers {
		rules += len(t.Rules)
		for _, r := range t.Rules {
			guards += len(r.Guards)
		}
	}
	b.WriteString(notice)
	b.WriteString("# The machine\n\n")
	fmt.Fprintf(&b, "Every rule of package `kernel`, as it runs: %d inputs and signals, %d rules with %d guards, %d effects, %d state fields.\n\n",
		len(d.Triggers), rules, guards, len(d.Effects), len(d.State))
	b.WriteString("A trigger comes in; its rules are tried in order, and the first whose phase and guards all hold is taken: it updates the state, moves to its target phase and emits its effects. If none holds the trigger is refused and nothing changes.\n\n")
	b.WriteString("In the rules `in` is the trigger and `s` the state; a rule that *stays* stands for one in each of its phases. `kalahari kernel show <trigger>` prints the same for one trigger, with the functions it calls; `kalahari kernel run` runs it.\n\n")
	b.WriteString("| Region | Chapter | Triggers | Rules | Effects | State fields |\n|---|---|---|---|---|---|\n")
	for _, region := range d.Regions {
		triggers := d.In(region.Name)
		rules := 0
		for _, t := range triggers {
			rules += len(t.Rules)
		}
		fmt.Fprintf(&b, "| [%s](%s.md) | %s | %d | %d | %d | %d |\n", region.Title, region.Name,
			orDash(region.Chapter), len(triggers), rules, len(d.effectsIn(region.Name)), len(d.stateIn(region.Name)))
	}
	b.WriteString("\nThe types of fields are in [types.md](types.md).\n\n## Phases\n\n")
	fmt.Fprintf(&b, "```mermaid\n%s```\n", d.diagram(d.Triggers))
	b.WriteString("\n## Invariants\n\nEvery state keeps them, but for what a few rules of the reference do; see `kernel/explore`.\n\n")
	for _, i := range d.Invariants {
		fmt.Fprintf(&b, "- `%s`\n", i.Name)
	}
	return b.String()
}

// Markdown describes a region: its diagram, rules, effects and state.
func (d *Declaration) Markdown(name string) (string, error) {
	region, err := d.Region(name)
	if err != nil {
		return "", err
	}
	triggers := d.In(region.Name)
	var b strings.Builder
	b.WriteString(notice)
	fmt.Fprintf(&b, "# %s\n\n", region.Title)
	if region.Chapter != "" {
		fmt.Fprintf(&b, "Region `%s`, chapter %s of the reference. ", region.Name, region.Chapter)
	} else {
		fmt.Fprintf(&b, "Region `%s`: ours, the reference does not have it. ", region.Name)
	}
	b.WriteString("[How to read this](README.md).\n\n")
	fmt.Fprintf(&b, "```mermaid\n%s```\n\n", d.diagram(triggers))
	for _, t := range triggers {
		fmt.Fprintf(&b, "- [%s](#%s)\n", t.Name, strings.ToLower(t.Name))
	}
	b.WriteString("\n## Triggers\n")
	for i := range triggers {
		writeTrigger(&b, &triggers[i])
	}
	b.WriteString("\n## Effects\n")
	for _, e := range d.effectsIn(region.Name) {
		fmt.Fprintf(&b, "\n### %s\n\n%s *%s.*\n", e.Name, e.Doc, strings.ToUpper(e.Disposition[:1])+e.Disposition[1:])
		writeFields(&b, e.Fields)
	}
	if state := d.stateIn(region.Name); len(state) > 0 {
		b.WriteString("\n## State\n\n| Field | Type | Initially | |\n|---|---|---|---|\n")
		for _, f := range state {
			fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", f.Name, f.Type, f.Initial, cell(f.Doc))
		}
	}
	return b.String(), nil
}

func writeTrigger(b *strings.Builder, t *Trigger) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n", t.Name, t.Doc)
	writeFields(b, t.Fields)
	if len(t.Rules) == 0 {
		b.WriteString("\nNo rules: the machine refuses it in every phase.\n")
	}
	for i := range t.Rules {
		r := &t.Rules[i]
		to := "stays"
		if !r.PerPhase {
			to = "to " + r.To
		}
		fmt.Fprintf(b, "\n**%s**: from %s, %s.\n", r.Name, strings.Join(r.From, ", "), to)
		body := r.body()
		// Rules that differ only in their phases are told together.
		if body != "" && (i+1 == len(t.Rules) || t.Rules[i+1].body() != body) {
			fmt.Fprintf(b, "\n```\n%s```\n", body)
		}
	}
}

func writeFields(b *strings.Builder, fields []Field) {
	if len(fields) == 0 {
		return
	}
	b.WriteString("\n| Field | Type |\n|---|---|\n")
	for _, f := range fields {
		fmt.Fprintf(b, "| `%s` | `%s` |\n", f.Name, f.Type)
	}
}

func (d *Declaration) typesPage() string {
	var b strings.Builder
	b.WriteString(notice)
	b.WriteString("# Types\n\nThe first variant of an enum is its zero value. In JSON an enum is its variant as a string, a record an object with all its fields, a newtype what it is made of.\n\n| Type | Is | |\n|---|---|---|\n")
	for _, t := range d.Types {
		is := t.Of
		switch t.Kind {
		case "enum":
			is = strings.Join(t.Variants, ", ")
		case "record":
			var parts []string
			for _, f := range t.Fields {
				parts = append(parts, f.Name+": "+f.Type)
			}
			is = "record of " + strings.Join(parts, ", ")
		case "union":
			is = "one of " + strings.Join(t.Variants, ", ") + ", each with its payload"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", t.Name, cell(is), cell(t.Doc))
	}
	return b.String()
}

func (d *Declaration) effectsIn(region string) []Effect {
	return slices.DeleteFunc(slices.Clone(d.Effects), func(e Effect) bool { return e.Region != region })
}

func (d *Declaration) stateIn(region string) []Field {
	return slices.DeleteFunc(slices.Clone(d.State), func(f Field) bool { return f.Region != region })
}

func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Mermaid is the state diagram of the lifecycle phases as the triggers of a region move
// them.
func (d *Declaration) Mermaid(name string) (string, error) {
	region, err := d.Region(name)
	if err != nil {
		return "", err
	}
	return d.diagram(d.In(region.Name)), nil
}

// maxLabels bounds how many triggers an arrow names.
const maxLabels = 6

func (d *Declaration) diagram(triggers []Trigger) string {
	labels := map[[2]string][]string{}
	for _, t := range triggers {
		for _, r := range t.Rules {
			for _, from := range r.From {
				to := r.To
				if r.PerPhase {
					to = from
				}
				arrow := [2]string{from, to}
				if !slices.Contains(labels[arrow], t.Name) {
					labels[arrow] = append(labels[arrow], t.Name)
				}
			}
		}
	}
	// Arrows that lead nowhere are told only if there are no others.
	moves := false
	for arrow := range labels {
		moves = moves || arrow[0] != arrow[1]
	}
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n  [*] --> Initializing\n")
	for _, from := range d.Phases {
		for _, to := range d.Phases {
			names := labels[[2]string{from, to}]
			if len(names) == 0 || moves && from == to {
				continue
			}
			label := strings.Join(names[:min(len(names), maxLabels)], ", ")
			if more := len(names) - maxLabels; more > 0 {
				label += fmt.Sprintf(" and %d more", more)
			}
			fmt.Fprintf(&b, "  %s --> %s: %s\n", from, to, label)
		}
	}
	return b.String()
}
