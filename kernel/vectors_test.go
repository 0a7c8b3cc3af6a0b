package kernel_test

import (
	"bufio"
	"os"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/kernel"
)

// Two files hold scenarios of one form. testdata/vectors.jsonl was recorded from the
// reference. testdata/chapters.jsonl was worked out from the tables of the chapters, by an
// evaluator of their notation that shares nothing with this kernel: for each rule a state
// and a trigger, chosen so that nearly every update shows and the effects carry values.
const (
	referenceVectors = "testdata/vectors.jsonl"
	chapterVectors   = "testdata/chapters.jsonl"
)

// vector is one scenario.
type vector struct {
	Name       string         `json:"name"`
	SetupState jsontext.Value `json:"setup_state,omitzero"`
	Steps      []vectorStep   `json:"steps"`
}

type vectorStep struct {
	Input  string         `json:"input"`
	Signal string         `json:"signal"`
	Fields jsontext.Value `json:"fields"`
	Expect struct {
		OK         bool                      `json:"ok"`
		Transition string                    `json:"transition"`
		Phase      string                    `json:"phase"`
		Effects    []kernel.RunEffect        `json:"effects"`
		Changed    map[string]jsontext.Value `json:"changed"`
	} `json:"expect"`
}

func readVectors(t testing.TB, path string) []vector {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var vectors []vector
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		vectors = append(vectors, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// canonical makes JSON comparable: the order of members does not matter, every digit of a
// number does.
func canonical(t *testing.T, v jsontext.Value) string {
	t.Helper()
	v = v.Clone()
	if err := v.Format(jsontext.ReorderRawObjects(true)); err != nil {
		t.Fatalf("%s: %v", v, err)
	}
	return string(v)
}

func TestVectorsOfTheReference(t *testing.T) { runVectors(t, referenceVectors) }

func TestVectorsOfTheChapters(t *testing.T) { runVectors(t, chapterVectors) }

func runVectors(t *testing.T, path string) {
	t.Helper()
	for _, v := range readVectors(t, path) {
		t.Run(v.Name, func(t *testing.T) {
			r := kernel.NewRunner()
			if v.SetupState != nil {
				if err := r.Overlay(v.SetupState); err != nil {
					t.Fatal(err)
				}
			}
			for i, step := range v.Steps {
				name := step.Input + step.Signal
				trigger, err := kernel.UnmarshalTrigger(name, step.Fields)
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				got, err := r.Apply(trigger)
				if err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
				if got.OK {
					noteTaken(got.Transition)
				}
				type verdict struct {
					OK         bool
					Transition string
					Phase      string
					Effects    []string
					Fields     []string
					Changed    map[string]string
				}
				g := verdict{OK: got.OK, Transition: got.Transition, Phase: r.Kernel().Phase().String(), Changed: map[string]string{}}
				for _, e := range got.Effects {
					g.Effects, g.Fields = append(g.Effects, e.Effect), append(g.Fields, canonical(t, e.Fields))
				}
				for k, c := range got.Changed {
					g.Changed[k] = canonical(t, c)
				}
				w := verdict{OK: step.Expect.OK, Transition: step.Expect.Transition, Phase: step.Expect.Phase, Changed: map[string]string{}}
				for _, e := range step.Expect.Effects {
					w.Effects, w.Fields = append(w.Effects, e.Effect), append(w.Fields, canonical(t, e.Fields))
				}
				for k, c := range step.Expect.Changed {
					w.Changed[k] = canonical(t, c)
				}
				if diff := cmp.Diff(w, g); diff != "" {
					t.Fatalf("step %d, %s%s (-want +got):\n%s", i, name, step.Fields, diff)
				}
			}
		})
	}
}
