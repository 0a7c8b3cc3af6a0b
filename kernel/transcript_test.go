package kernel_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/kalahari-run/kalahari/kernel"
)

// TestTranscripts runs testdata/transcripts/*.txt: sequences of triggers with what the
// machine answered, meant to be read beside the chapter of the same name.
//
// A line of a run block is `reset`, `state {fields}` or `Trigger {fields}`; the fields
// are those of FORMAT, all of them. Each run block starts from the initial state unless
// it says `run continue`. Rewrite the answers with `go test -run Transcripts -rewrite`
// and read the difference against the chapter.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		r := kernel.NewRunner()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "run" {
				d.Fatalf(t, "unknown command %q", d.Cmd)
			}
			if !d.HasArg("continue") {
				r.Reset()
			}
			var out strings.Builder
			for line := range strings.Lines(d.Input) {
				if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
					transcribe(t, r, line, &out)
				}
			}
			return out.String()
		})
	})
}

func transcribe(t *testing.T, r *kernel.Runner, line string, out *strings.Builder) {
	t.Helper()
	name, fields, _ := strings.Cut(line, " ")
	if fields == "" {
		fields = "{}"
	}
	switch name {
	case "reset":
		r.Reset()
		return
	case "state":
		if err := r.Overlay([]byte(fields)); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return
	}
	trigger, err := kernel.UnmarshalTrigger(name, []byte(fields))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	o, err := r.Apply(trigger)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	if o.Rejected {
		fmt.Fprintf(out, "%s: %s", name, o.Kind)
		for i, g := range o.Guards {
			fmt.Fprintf(out, "%s%s needs %s", []string{" ", ", "}[min(i, 1)], g.Rule, g.Guard)
		}
		out.WriteByte('\n')
		return
	}
	noteTaken(o.Transition)
	fmt.Fprintf(out, "%s: %s -> %s\n", o.Transition, o.From, o.To)
	for _, e := range o.Effects {
		fmt.Fprintf(out, "  emit %s %s\n", e.Effect, e.Fields)
	}
	changed := make([]string, 0, len(o.Changed))
	for field, value := range o.Changed {
		if field != "lifecycle_phase" {
			changed = append(changed, fmt.Sprintf("  %s := %s\n", field, value))
		}
	}
	slices.Sort(changed)
	out.WriteString(strings.Join(changed, ""))
}
