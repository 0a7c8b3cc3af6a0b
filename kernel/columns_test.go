package kernel

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"
)

// plainColumns are the columns of a state as maps of their own.
type plainColumns struct {
	InputPhases              Map[string, InputPhase]        `json:"input_phases"`
	InputTerminalKind        Map[string, InputTerminalKind] `json:"input_terminal_kind"`
	InputAttemptCounts       Map[string, uint64]            `json:"input_attempt_counts"`
	InputRunAssociations     Map[string, string]            `json:"input_run_associations"`
	InputBoundarySequences   Map[string, uint64]            `json:"input_boundary_sequences"`
	InputAdmissionSeq        Map[string, uint64]            `json:"input_admission_seq"`
	InputLane                Map[string, InputLane]         `json:"input_lane"`
	InputRecoveryLanes       Map[string, InputLane]         `json:"input_recovery_lanes"`
	AdmissionAuthorizedLanes Map[string, InputLane]         `json:"admission_authorized_lanes"`
	AdmissionAuthorizedPlans Map[string, AdmissionPlanKind] `json:"admission_authorized_plans"`
}

// twin does to a column and to a plain map what happens to either.
type twin struct {
	put    func(id string, n uint64)
	del    func(id string)
	differ func(id string) bool
}

func twinOf[V comparable, F fact[V]](c *Column[V, F], m *Map[string, V], value func(n uint64) V) twin {
	return twin{
		put: func(id string, n uint64) { c.put(id, value(n)); m.put(id, value(n)) },
		del: func(id string) { c.del(id); m.del(id) },
		differ: func(id string) bool {
			got, ok := c.Lookup(id)
			want, has := (*m)[id]
			return got != want || ok != has || c.has(id) != has || c.At(id) != want ||
				!maps.Equal(maps.Collect(c.All()), map[string]V(*m))
		},
	}
}

func twins(s *State, m *plainColumns) []twin {
	number := func(n uint64) uint64 { return n << 62 }
	lane := func(n uint64) InputLane { return InputLane(n % 2) }
	return []twin{
		twinOf(&s.InputPhases, &m.InputPhases, func(n uint64) InputPhase { return InputPhase(n) }),
		twinOf(&s.InputTerminalKind, &m.InputTerminalKind, func(n uint64) InputTerminalKind { return InputTerminalKind(n) }),
		twinOf(&s.InputAttemptCounts, &m.InputAttemptCounts, number),
		twinOf(&s.InputRunAssociations, &m.InputRunAssociations, func(n uint64) string { return "xyz"[:n] }),
		twinOf(&s.InputBoundarySequences, &m.InputBoundarySequences, number),
		twinOf(&s.InputAdmissionSeq, &m.InputAdmissionSeq, number),
		twinOf(&s.InputLane, &m.InputLane, lane),
		twinOf(&s.InputRecoveryLanes, &m.InputRecoveryLanes, lane),
		twinOf(&s.AdmissionAuthorizedLanes, &m.AdmissionAuthorizedLanes, lane),
		twinOf(&s.AdmissionAuthorizedPlans, &m.AdmissionAuthorizedPlans, func(n uint64) AdmissionPlanKind { return AdmissionPlanKind(n % 2) }),
	}
}

// Columns are to the outside as many maps: whatever is put and deleted, they answer, encode
// and survive their encodings alike. A record is there as long as any fact is, and equal
// states have equal records.
func TestColumnsAreMaps(t *testing.T) {
	ids := rapid.SampledFrom([]string{"a", "b", "c", "d", ""})
	rapid.Check(t, func(t *rapid.T) {
		s := NewState()
		s.ready()
		var m plainColumns
		all := twins(&s, &m)
		column := rapid.IntRange(0, len(all)-1)
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				all[column.Draw(t, "column")].put(ids.Draw(t, "id"), rapid.Uint64Range(0, 3).Draw(t, "value"))
			},
			"delete": func(t *rapid.T) { all[column.Draw(t, "column")].del(ids.Draw(t, "id")) },
			"forget": func(t *rapid.T) {
				id := ids.Draw(t, "id")
				s.forgetInput(id)
				for _, c := range all {
					c.del(id)
				}
			},
			"overlay": func(t *rapid.T) {
				if err := OverlayState(&s, []byte(`{"input_lane":{"a":"Steer"}}`)); err != nil {
					t.Fatal(err)
				}
				m.InputLane = Map[string, InputLane]{"a": InputLaneSteer}
			},
			"": func(t *rapid.T) {
				for i, c := range all {
					for _, id := range []string{"a", "b", "c", "d", "", "never put"} {
						if c.differ(id) {
							t.Fatalf("column %d differs at %q", i, id)
						}
					}
				}
				sameRecords(t, &s, &m)
			},
		})
	})
}

func sameRecords(t *rapid.T, s *State, m *plainColumns) {
	want, err := json.Marshal(m, encodeOptions)
	if err != nil {
		t.Fatal(err)
	}
	same := func(how string, got *State) {
		data, err := MarshalState(got)
		if err != nil {
			t.Fatal(err)
		}
		if columns := onlyColumns(t, data); !bytes.Equal(columns, want) {
			t.Fatalf("%s: %s, the maps are %s", how, columns, want)
		}
		if !reflect.DeepEqual(got.records(), s.records()) {
			t.Fatalf("%s: the records are others", how)
		}
	}
	same("as it is", s)
	clone := s.Clone()
	same("cloned", &clone)
	data, err := MarshalState(s)
	if err != nil {
		t.Fatal(err)
	}
	read, err := UnmarshalState(data)
	if err != nil {
		t.Fatal(err)
	}
	same("through JSON", &read)
	packed, err := EncodeState(s)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, err := DecodeState(packed)
	if err != nil {
		t.Fatal(err)
	}
	same("through the compact form", &unpacked)
	for id, r := range s.records() {
		if r.known == 0 {
			t.Fatalf("an empty record of %q", id)
		}
	}
}

// onlyColumns leaves of a state in JSON what plainColumns has.
func onlyColumns(t *rapid.T, state []byte) []byte {
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(state, &fields); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[plainColumns]()) {
		names = append(names, f.Tag.Get("json"))
	}
	b := []byte{'{'}
	for _, name := range names {
		b = append(b, `"`+name+`":`...)
		b = append(append(b, fields[name]...), ',')
	}
	return append(slices.Delete(b, len(b)-1, len(b)), '}')
}

// The columns are all fields of their type, and join reaches each.
func TestEveryColumnIsJoined(t *testing.T) {
	var s State
	s.ready()
	n, r := 0, reflect.ValueOf(s.records()).Pointer()
	for i, f := range reflect.VisibleFields(reflect.TypeFor[InputsState]()) {
		v := reflect.ValueOf(&s.InputsState).Elem().Field(i)
		if _, ok := v.Interface().(interface{ element() reflect.Type }); !ok {
			continue
		}
		n++
		if v.Field(0).Pointer() != r {
			t.Errorf("%s has other records", f.Name)
		}
	}
	if n != len(twins(&s, &plainColumns{})) {
		t.Errorf("%d columns, %d of them tested", n, len(twins(&s, &plainColumns{})))
	}
}
