package declaration_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// kernelWith is the source of package kernel with one more file.
func kernelWith(t *testing.T, name, src string) fs.FS {
	t.Helper()
	all := fstest.MapFS{name: {Data: []byte(src)}}
	kernel := os.DirFS("..")
	files, err := fs.Glob(kernel, "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := fs.ReadFile(kernel, f)
		if err != nil {
			t.Fatal(err)
		}
		all[f] = &fstest.MapFile{Data: data}
	}
	return all
}

// probe is a trigger with the given step.
func probe(step string) string {
	return `package kernel

// Probe is a test. Runtime-internal, chapter 01.
type Probe struct {
	ID string ` + "`json:\"id\"`" + `
}

` + step
}

// A step of another shape than guarded commands is refused, with file and line.
func TestOtherShapesAreRefused(t *testing.T) {
	step := func(cases string) string {
		return probe("func (in *Probe) step(k *Kernel, s *State) {\n\tswitch {\n" + cases + "\n\t}\n}\n")
	}
	for _, c := range []struct {
		name, src, want string
	}{
		{"a statement beside the switch", probe("func (in *Probe) step(k *Kernel, s *State) {\n\ts.clearRun()\n\tswitch {\n\t}\n}\n"), "probe.go:8:1: a step is one switch"},
		{"a tag", probe("func (in *Probe) step(k *Kernel, s *State) {\n\tswitch s.LifecyclePhase {\n\t}\n}\n"), "probe.go:8:1: a step is one switch"},
		{"other names", probe("func (p *Probe) step(k *Kernel, s *State) {\n\tswitch {\n\t}\n}\n"), "probe.go:8:1: the receiver of a step is called in"},
		{"a default", step("\tdefault:"), "probe.go:10:2: a step has no default"},
		{"two expressions", step("\tcase k.rule(\"A\", Idle, Idle), k.rule(\"B\", Idle, Idle):"), "probe.go:10:2: a case is one expression"},
		{"no rule", step("\tcase k.guard(\"a\", true):"), "probe.go:10:2: a case starts with k.rule"},
		{"a rule behind a guard", step("\tcase k.guard(\"a\", true) && k.rule(\"A\", Idle, Idle):"), "probe.go:10:2: a case starts with k.rule"},
		{"a computed name", step("\tcase k.rule(\"A\"+in.ID, Idle, Idle):"), "probe.go:10:14: a name is a literal text"},
		{"no phase", step("\tcase k.rule(\"A\", 3, Idle):"), "probe.go:10:19: 3 is not a set of phases"},
		{"several targets", step("\tcase k.rule(\"A\", Idle, Idle|Running):"), "probe.go:10:7: A leads from some phases to one of them"},
		{"a condition without a name", step("\tcase k.rule(\"A\", Idle, Idle) && in.ID == \"x\":"), `probe.go:10:34: in.ID == "x" is neither k.guard(...) nor a call of a guard group`},
		{"alternatives", step("\tcase k.rule(\"A\", Idle, Idle) && (k.guard(\"a\", true) || k.guard(\"b\", true)):"), "probe.go:10:34: "},
		{"the same guard twice", step("\tcase k.rule(\"A\", Idle, Idle) && k.guard(\"a\", true) && k.guard(\"a\", true):"), "A has the guard a twice"},
		{"the same rule twice", step("\tcase k.rule(\"A\", Idle, Idle):\n\tcase k.rule(\"A\", Running, Running):"), "Probe has the rule A twice"},
		{"a condition that changes something", step("\tcase k.rule(\"A\", Idle, Idle) && k.guard(\"a\", s.KnownSurfaces.add(in.ID)):"), "this one calls add"},
		{"a guard group that computes", step("\tcase k.rule(\"A\", Idle, Idle) && in.group(k):") + "\nfunc (in *Probe) group(k *Kernel) bool {\n\tid := in.ID\n\treturn k.guard(\"a\", id == \"\")\n}\n", "probe.go:14:1: the guard group group is more than one returned chain"},
		{"an unknown guard group", step("\tcase k.rule(\"A\", Idle, Idle) && in.nothing(k):"), "in.nothing(k) calls nothing that is declared here"},
		{"a return", step("\tcase k.rule(\"A\", Idle, Idle):\n\t\treturn"), "probe.go:11:3: a body only updates and emits"},
		{"a panic", step("\tcase k.rule(\"A\", Idle, Idle):\n\t\tpanic(\"no\")"), "probe.go:11:3: a body cannot fail"},
		{"a guard in a body", step("\tcase k.rule(\"A\", Idle, Idle):\n\t\tk.guard(\"a\", true)"), "probe.go:11:3: guards stand in the case"},
		{"an update behind an emission", step("\tcase k.rule(\"A\", Idle, Idle):\n\t\tk.emit(SpawnDrainTask{})\n\t\ts.clearRun()"), "probe.go:12:3: A updates after it has emitted SpawnDrainTask"},
		{"something else emitted", step("\tcase k.rule(\"A\", Idle, Idle):\n\t\tk.emit(in)"), "in is not seen to be an effect"},
		{"no class", strings.Replace(step(""), "Runtime-internal, ", "", 1), "does not say who sends it"},
		{"no such chapter", strings.Replace(step(""), "chapter 01", "chapter 09", 1), "Probe is of chapter 09, which there is not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := declaration.Read(kernelWith(t, "probe.go", c.src))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "probe.go:") {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// What a rule calls is seen through: groups and bodies are told as if written out.
func TestGroupsAndBodiesAreSeenThrough(t *testing.T) {
	d, err := declaration.Read(kernelWith(t, "probe.go", probe(`func (in *Probe) step(k *Kernel, s *State) {
	switch {
	// Why.
	case k.rule("A", live3, Stay) && in.group(k, s) && k.guard("not_held", !s.held(in.ID)):

		in.body(k, s, "x"+in.ID)
	}
}

func (p *Probe) group(k *Kernel, st *State) bool {
	return k.guard("registered", st.SessionID.IsSome()) && identified(k, p.ID, st.RemovalTimeoutMs)
}

func identified(k *Kernel, id string, n uint64) bool {
	return k.guard("identified", id != "" && n > 0)
}

func (s *State) held(id string) bool { return s.KnownSurfaces.Has(id) }

func (p *Probe) body(k *Kernel, st *State, name string) {
	st.KnownSurfaces.add(name)
	if st.RuntimeStopDeferred {
		k.emit(SpawnDrainTask{})
	}
	k.emit(p.notice(name))
}

func (in *Probe) notice(name string) RuntimeNotice { return RuntimeNotice{Detail: name} }
`)))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := d.Trigger("Probe")
	want := []declaration.Rule{{
		Name: "A", From: []string{"Idle", "Attached", "Running"}, PerPhase: true, Doc: "Why.",
		Guards: []declaration.Guard{
			{Name: "registered", Source: "s.SessionID.IsSome()", Reads: declaration.Reads{State: []string{"session_id"}}},
			{
				Name: "identified", Source: `in.ID != "" && s.RemovalTimeoutMs > 0`,
				Reads: declaration.Reads{Trigger: []string{"id"}, State: []string{"removal_timeout_ms"}},
			},
			{
				Name: "not_held", Source: "!s.held(in.ID)",
				Reads: declaration.Reads{Trigger: []string{"id"}, State: []string{"known_surfaces"}},
			},
		},
		Updates: []string{`s.KnownSurfaces.add("x" + in.ID)`, "if s.RuntimeStopDeferred {\n\tk.emit(SpawnDrainTask{})\n}"},
		Effects: []declaration.Emission{
			{Effect: "SpawnDrainTask", Source: "SpawnDrainTask{}"},
			{Effect: "RuntimeNotice", Source: `in.notice("x" + in.ID)`},
		},
	}}
	if diff := cmp.Diff(want, got.Rules); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	text, err := d.Show("Probe")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"A: Idle|Attached|Running stays", "requires  registered", ") held(id string)", ") notice(name string)"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not shown in\n%s", part, text)
		}
	}
}

// What the build has is what was written, and everything made from it is there.
func TestMachine(t *testing.T) {
	d := declaration.Machine()
	if len(d.List()) != len(d.Triggers) || len(d.Triggers) == 0 {
		t.Errorf("%d triggers, %d listed", len(d.Triggers), len(d.List()))
	}
	for _, trigger := range d.Triggers {
		if text, err := d.Show(trigger.Name); err != nil || !strings.Contains(text, trigger.Name) {
			t.Errorf("%s: %v", trigger.Name, err)
		}
	}
	if _, err := d.Show("registersess"); err == nil || !strings.Contains(err.Error(), "there is RegisterSession") {
		t.Errorf("a trigger misspelled: %v", err)
	}
	for _, region := range d.Regions {
		for _, make := range []func(string) (string, error){d.Markdown, d.Mermaid} {
			if text, err := make(region.Name); err != nil || len(text) < 50 {
				t.Errorf("%s: %q, %v", region.Name, text, err)
			}
		}
	}
	if _, err := d.Mermaid("nowhere"); err == nil || !strings.Contains(err.Error(), "there are lifecycle, inputs") {
		t.Errorf("an unknown region: %v", err)
	}
	schema, err := d.JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(schema, &whole); err != nil {
		t.Fatal(err)
	}
}
