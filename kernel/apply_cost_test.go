package kernel_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/kernel"
)

// among puts the scene into a session that has others besides, if its rule takes it there
// too; some rules are for sessions without any.
func (s *scene) among(tb testing.TB, others *kernel.State) (kernel.State, kernel.Trigger) {
	tb.Helper()
	alone, trigger := s.set(tb, kernel.NewState(), refusal{})
	st := alone.Clone()
	addMaps(&st, others)
	if out := kernel.Resume(st.Clone()).Apply(trigger); out.Rule != s.Rule {
		return alone, trigger
	}
	return st, trigger
}

// addMaps adds the entries of another state's maps and sets, and its inputs, to those of a
// state.
func addMaps(st, others *kernel.State) {
	st.AddInputs(others)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[kernel.State]()) {
		if f.Type.Kind() != reflect.Map {
			continue
		}
		to, from := reflect.ValueOf(st).Elem().FieldByIndex(f.Index), reflect.ValueOf(others).Elem().FieldByIndex(f.Index)
		if to.IsNil() && from.Len() > 0 {
			to.Set(reflect.MakeMap(f.Type))
		}
		for _, key := range from.MapKeys() {
			if !to.MapIndex(key).IsValid() {
				to.SetMapIndex(key, from.MapIndex(key))
			}
		}
	}
}

// busySession is a session with n inputs queued and a tenth as many operations, half of
// them over.
func busySession(tb testing.TB, n int) *kernel.State {
	tb.Helper()
	k := sessionWith(tb, n)
	apply := func(t kernel.Trigger) {
		if o := k.Apply(t); !o.OK() {
			tb.Fatal(o.Refusal)
		}
	}
	for i := range n / 10 {
		id := fmt.Sprint("op", i)
		apply(&kernel.RegisterOp{OperationID: id, Kind: kernel.OperationKindBackgroundToolOp})
		apply(&kernel.StartOp{OperationID: id})
		if i%2 == 0 {
			done := kernel.OpTerminalPayload{Kind: kernel.OpCompleted}
			apply(&kernel.CompleteOp{OperationID: id, Outcome: kernel.OperationTerminalOutcomeKindCompleted, Payload: done})
		}
	}
	return k.State()
}

// mapAt tells which map a field has and how large it is.
type mapAt struct {
	pointer uintptr
	length  int
}

// mapsIn lists the maps and sets that are fields of a struct, also of those within it.
func mapsIn(v reflect.Value) []mapAt {
	var all []mapAt
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Map:
			all = append(all, mapAt{f.Pointer(), f.Len()})
		case reflect.Struct:
			all = append(all, mapsIn(f)...)
		}
	}
	return all
}

// mapsGrow reports whether a map has more entries than before or is a new one.
func mapsGrow(before, after []mapAt) bool {
	for i, m := range after {
		if m.length > before[i].length || m.length > 0 && m.pointer != before[i].pointer {
			return true
		}
	}
	return false
}

// Where no map of the state grows or is replaced, Apply allocates at most four times:
// what its effects hold.
func TestRulesAllocateLittle(t *testing.T) {
	const runs = 4
	others := busySession(t, 20)
	rules, most := 0, 0.0
	for _, s := range readScenes(t) {
		st, trigger := s.among(t, others)
		var kernels []*kernel.Kernel
		for range runs + 1 {
			k := kernel.Resume(st.Clone())
			k.Apply(trigger) // a kernel keeps its buffers
			k.Set(st.Clone())
			kernels = append(kernels, k)
		}
		before := mapsIn(reflect.ValueOf(kernels[0].State()).Elem())
		next := 0
		n := testing.AllocsPerRun(runs, func() {
			kernels[next].Apply(trigger)
			next++
		})
		if mapsGrow(before, mapsIn(reflect.ValueOf(kernels[0].State()).Elem())) {
			continue
		}
		rules++
		most = max(most, n)
		if n > 4 {
			t.Errorf("%s: %v allocations", s.Rule, n)
		}
	}
	t.Logf("%d rules let no map grow; they make at most %v allocations", rules, most)
}

// BenchmarkInputs measures every input and signal in the scenes of its rules, each among
// a thousand other inputs and a hundred operations. Since most change the state, each is
// applied once to a fresh copy of it, with cold caches, and the median is told: over the
// rules that let no map grow and over those that do. A reading of the clock is part of it.
func BenchmarkInputs(b *testing.B) {
	others := busySession(b, 1000)
	scenes := map[string][]scene{}
	for _, s := range readScenes(b) {
		scenes[s.Trigger] = append(scenes[s.Trigger], s)
	}
	for _, name := range slices.Sorted(maps.Keys(scenes)) {
		b.Run(name, func(b *testing.B) {
			var steady, growing []time.Duration
			for _, s := range scenes[name] {
				st, trigger := s.among(b, others)
				k := kernel.Resume(st)
				for range b.N {
					k.Set(st.Clone())
					before := mapsIn(reflect.ValueOf(k.State()).Elem())
					start := time.Now()
					k.Apply(trigger)
					took := time.Since(start)
					if mapsGrow(before, mapsIn(reflect.ValueOf(k.State()).Elem())) {
						growing = append(growing, took)
					} else {
						steady = append(steady, took)
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			reportMedian(b, steady, "median-ns")
			reportMedian(b, growing, "growing-median-ns")
		})
	}
}

func reportMedian(b *testing.B, took []time.Duration, unit string) {
	if len(took) > 0 {
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2]), unit)
	}
}
