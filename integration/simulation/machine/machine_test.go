package machine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a program sees of chance is the same for the same number, in another machine too,
// and another for another number.
func TestMachine(t *testing.T) {
	var machines [2]*Machine
	for i := range machines {
		m, err := Build(t.Context(), "./testdata/guest", "build")
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close(t.Context())
		machines[i] = m
	}
	run := func(m *Machine, chance uint64) *Outcome {
		o, err := m.Run(t.Context(), chance, t.TempDir(), "one", "two")
		if err != nil {
			t.Fatal(err)
		}
		if o.Exit != 3 {
			t.Fatalf("exit %d\n%s%s", o.Exit, o.Stdout, o.Stderr)
		}
		return o
	}
	first := run(machines[0], 1)
	for _, m := range machines {
		if diff := cmp.Diff(first, run(m, 1)); diff != "" {
			t.Errorf("the same chance, another run:\n%s", diff)
		}
	}
	lines := strings.Split(string(first.Stdout), "\n")
	other := strings.Split(string(run(machines[0], 2).Stdout), "\n")
	for i, line := range lines {
		what, _, _ := strings.Cut(line, " ")
		switch equal := line == other[i]; what {
		case "random", "map", "select", "directory":
			if equal {
				t.Errorf("no other chance moves %q", line)
			}
		case "arguments", "stat", "removed":
			if !equal {
				t.Errorf("another chance: %q and %q", line, other[i])
			}
		}
	}
	for _, want := range []string{"arguments [one two]", "[a b c d e x y]", "removed true"} {
		if !strings.Contains(string(first.Stdout), want) {
			t.Errorf("%q is missing in:\n%s", want, first.Stdout)
		}
	}
}
