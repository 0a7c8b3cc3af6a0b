package kernel_test

import (
	"bytes"
	"encoding"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"sync"
	"testing"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/kalahari-run/kalahari/kernel"
)

// The properties of this file hold for every sequence of triggers. Triggers of all
// types are drawn, from domains small enough that fields often agree with each other
// and with the state.

// A refused trigger changes nothing and emits nothing; it is no error to send one.
func TestRefusalChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKernel(t)
		for range drawLength(t) {
			before, phase := encodeState(t, k.State()), k.Phase()
			trigger := drawTrigger(t, k)
			o := k.Apply(trigger)
			if o.OK() != (o.Rule != "") {
				t.Fatalf("%s: rule %q with refusal %v", trigger.TriggerName(), o.Rule, o.Refusal)
			}
			if o.OK() {
				continue
			}
			if after := encodeState(t, k.State()); !bytes.Equal(before, after) {
				t.Fatalf("refused %s changed the state\nfrom %s\nto   %s", trigger.TriggerName(), before, after)
			}
			if len(o.Effects) > 0 || o.From != phase || o.To != phase {
				t.Fatalf("refused %s: %+v", trigger.TriggerName(), o)
			}
		}
	})
}

// mayBreak lists the rules of the reference that can break an invariant, and which
// (chapter 01, reducer semantics 8).
var mayBreak = map[string]string{
	"RecycleFromIdleOrRetired":    "current_run_has_pre_run_phase",
	"CommitRunningToIdle":         "deferred_stop_requires_active_runtime_phase",
	"FailRunningToIdle":           "deferred_stop_requires_active_runtime_phase",
	"CancelRunningToIdle":         "deferred_stop_requires_active_runtime_phase",
	"RollbackRunRunningToIdle":    "deferred_stop_requires_active_runtime_phase",
	"CommitRunningToRetired":      "deferred_stop_requires_active_runtime_phase",
	"FailRunningToRetired":        "deferred_stop_requires_active_runtime_phase",
	"CancelRunningToRetired":      "deferred_stop_requires_active_runtime_phase",
	"RollbackRunRunningToRetired": "deferred_stop_requires_active_runtime_phase",
	"UnregisterSessionAttached":   "deferred_stop_requires_active_runtime_phase",
	"UnregisterSessionRunning":    "deferred_stop_requires_active_runtime_phase",
}

// Every rule leads from a state that keeps the invariants to one that keeps them, but
// for the exceptions the reference has. After one of those the walk starts afresh:
// nothing is promised about what follows.
func TestRulesKeepTheInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKernel(t)
		for range drawLength(t) {
			trigger := drawTrigger(t, k)
			before := k.State().Clone()
			o := k.Apply(trigger)
			broken := k.State().Check()
			for _, invariant := range broken {
				if !o.OK() || mayBreak[o.Rule] != invariant {
					t.Fatalf("%s taken for %s from %s breaks %s\nbefore %s\nafter  %s",
						o.Rule, trigger.TriggerName(), o.From, invariant, encodeState(t, &before), encodeState(t, k.State()))
				}
			}
			if len(broken) > 0 {
				k = drawKernel(t)
			}
		}
	})
}

// A clone and its source are two states: whatever happens to one, the other stays.
func TestCloneSharesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKernel(t)
		for range drawLength(t) {
			k.Apply(drawTrigger(t, k))
		}
		clone := k.State().Clone()
		if shared := sharedCollection(k.State(), &clone); shared != "" {
			t.Fatalf("the clone shares %s", shared)
		}
		kept := encodeState(t, k.State())
		other := kernel.Resume(clone)
		for range drawLength(t) {
			other.Apply(drawTrigger(t, other))
		}
		if now := encodeState(t, k.State()); !bytes.Equal(kept, now) {
			t.Fatalf("changing the clone changed the source\nfrom %s\nto   %s", kept, now)
		}
		kept = encodeState(t, other.State())
		for range drawLength(t) {
			k.Apply(drawTrigger(t, k))
		}
		if now := encodeState(t, other.State()); !bytes.Equal(kept, now) {
			t.Fatalf("changing the source changed the clone\nfrom %s\nto   %s", kept, now)
		}
	})
}

// The collections of a state are its own: a trigger handed in and an effect handed out
// may be changed by their holders.
func TestStateOwnsItsCollections(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKernel(t)
		for range drawLength(t) {
			trigger := drawTrigger(t, k)
			o := k.Apply(trigger)
			if shared := sharedCollection(k.State(), trigger); shared != "" {
				t.Fatalf("%s: the state shares %s with the trigger", o.Rule, shared)
			}
			for _, e := range o.Effects {
				if shared := sharedCollection(k.State(), &e); shared != "" {
					t.Fatalf("%s: the state shares %s with the effect %s", o.Rule, shared, e.EffectName())
				}
			}
		}
	})
}

// Triggers, effects and states survive their JSON, and states their compact form, so a session can be rebuilt from its
// log: a kernel fed the decoded triggers answers and ends like the first.
func TestSameTriggersSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKernel(t)
		replayed := kernel.Resume(k.State().Clone())
		for range drawLength(t) {
			trigger := drawTrigger(t, k)
			decoded := roundTripTrigger(t, trigger)
			o, p := k.Apply(trigger), replayed.Apply(decoded)
			if o.Rule != p.Rule || o.From != p.From || o.To != p.To || len(o.Effects) != len(p.Effects) {
				t.Fatalf("%s: first %+v, replayed %+v", trigger.TriggerName(), o, p)
			}
			for i, e := range o.Effects {
				if e, f := roundTripEffect(t, e), roundTripEffect(t, p.Effects[i]); !bytes.Equal(e, f) {
					t.Fatalf("%s: effect %d is %s, replayed %s", o.Rule, i, e, f)
				}
			}
		}
		first, second := encodeState(t, k.State()), encodeState(t, replayed.State())
		if !bytes.Equal(first, second) {
			t.Fatalf("the states differ\nfirst    %s\nreplayed %s", first, second)
		}
		back, err := kernel.UnmarshalState(first)
		if err != nil {
			t.Fatal(err)
		}
		if again := encodeState(t, &back); !bytes.Equal(first, again) {
			t.Fatalf("the state does not survive its JSON\nfrom %s\nto   %s", first, again)
		}
		packed, err := kernel.EncodeState(k.State())
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := kernel.DecodeState(packed)
		if err != nil {
			t.Fatal(err)
		}
		if again := encodeState(t, &unpacked); !bytes.Equal(first, again) {
			t.Fatalf("the state does not survive its compact form\nfrom %s\nto   %s", first, again)
		}
	})
}

// What the walks seldom reach has a JSON too: every trigger, whatever its fields.
func TestEveryTriggerSurvivesItsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, name := range kernel.TriggerNames() {
			trigger := kernel.NewTrigger(name)
			drawInto(t, reflect.ValueOf(trigger).Elem())
			roundTripTrigger(t, trigger)
		}
	})
}

// Explain tells what Apply will do: it takes the first rule that holds. That every guard
// and every body is run, whatever the others say, also shows that none can panic.
func TestExplainForetellsApply(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := drawKernel(t)
		for range drawLength(t) {
			trigger := drawTrigger(t, k)
			before := encodeState(t, k.State())
			foretold := ""
			for _, r := range k.Explain(trigger) {
				if r.Holds() {
					foretold = r.Rule
					break
				}
			}
			if after := encodeState(t, k.State()); !bytes.Equal(before, after) {
				t.Fatalf("explaining %s changed the state", trigger.TriggerName())
			}
			if o := k.Apply(trigger); o.Rule != foretold {
				t.Fatalf("%s: foretold %q, taken %q", trigger.TriggerName(), foretold, o.Rule)
			}
		}
	})
}

// drawLength draws how many triggers a walk has.
func drawLength(t *rapid.T) int { return 1 + drawIndex(t, 50) }

// drawIndex draws evenly from [0, n). The generators of rapid prefer small numbers,
// which here would mean the triggers at the front of the alphabet.
func drawIndex(t *rapid.T, n int) int {
	return rapid.Custom(func(t *rapid.T) int {
		i := 0
		for range bits.Len(uint(n)) + 3 {
			i <<= 1
			if rapid.Bool().Draw(t, "bit") {
				i++
			}
		}
		return i % n
	}).Draw(t, "index")
}

// drawKernel draws where a walk starts: in the initial state or in one that
// RecoverRuntimeAuthority leads to from there in one step. So every phase but the
// terminal one is at hand.
func drawKernel(t *rapid.T) *kernel.Kernel {
	st := kernel.NewState()
	st.LifecyclePhase = kernel.Phases()[drawIndex(t, len(kernel.Phases())-1)]
	if st.LifecyclePhase != kernel.Initializing {
		st.SessionID = kernel.Some[kernel.SessionId]("a")
		if rapid.Bool().Draw(t, "bound") {
			st.ActiveRuntimeID = kernel.Some[kernel.AgentRuntimeId]("a")
			st.ActiveFenceToken = kernel.Some[kernel.FenceToken](1)
			st.ActiveRuntimeEpochID = kernel.Some[kernel.RuntimeEpochId]("a")
		}
	}
	if st.LifecyclePhase == kernel.Running {
		st.CurrentRunID = kernel.Some[kernel.RunId]("a")
		st.PreRunPhase = kernel.Some(kernel.PreRunPhase(drawIndex(t, 3)))
	}
	k, err := kernel.FromState(st)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// candidates is from how many triggers a walk takes its next one. Without a choice
// nearly all would be refused, and most others would only ask a question.
const candidates = 5

// drawTrigger draws the next trigger of a walk, best one that changes the state, else
// one that is accepted, else any.
func drawTrigger(t *rapid.T, k *kernel.Kernel) kernel.Trigger {
	return rapid.Custom(func(t *rapid.T) kernel.Trigger {
		var best kernel.Trigger
		accepted := false
		for range candidates {
			trigger := drawAnyTrigger(t, k.Phase())
			trial := kernel.Resume(k.State().Clone())
			if o := trial.Apply(trigger); !o.OK() {
				if best == nil {
					best = trigger
				}
				continue
			}
			if !reflect.DeepEqual(k.State(), trial.State()) {
				return trigger
			}
			if !accepted {
				best, accepted = trigger, true
			}
		}
		return best
	}).Draw(t, "trigger")
}

// drawAnyTrigger prefers triggers that have a rule in the phase.
func drawAnyTrigger(t *rapid.T, phase kernel.Phase) kernel.Trigger {
	names := triggersByPhase()[phase]
	if len(names) == 0 || drawIndex(t, 8) == 0 {
		names = kernel.TriggerNames()
	}
	trigger := kernel.NewTrigger(names[drawIndex(t, len(names))])
	drawInto(t, reflect.ValueOf(trigger).Elem())
	return trigger
}

// triggersByPhase lists the triggers that have a rule in a phase.
var triggersByPhase = sync.OnceValue(func() map[kernel.Phase][]string {
	byPhase := map[kernel.Phase][]string{}
	for _, phase := range kernel.Phases() {
		st := kernel.NewState()
		st.LifecyclePhase = phase
		k := kernel.Resume(st)
		for _, name := range kernel.TriggerNames() {
			for _, r := range k.Explain(kernel.NewTrigger(name)) {
				if r.Applies {
					byPhase[phase] = append(byPhase[phase], name)
					break
				}
			}
		}
	}
	return byPhase
})

// The domains of identifiers and numbers. A value repeated is drawn that much more
// often, so that what one trigger names the next one often finds.
var (
	someStrings = []string{"a", "a", "a", "a", "b", "b", "c", ""}
	someNumbers = []uint64{1, 1, 1, 1, 2, 2, 0, 3, 1_000_000_000, math.MaxUint64}
)

// drawInto fills v, of any type that occurs in a trigger, from small domains.
func drawInto(t *rapid.T, v reflect.Value) {
	switch v.Addr().Interface().(type) {
	case *kernel.ToolFilter:
		kind := kernel.ToolFilterKind(drawIndex(t, 3))
		v.Field(0).Set(reflect.ValueOf(kind))
		if kind != kernel.FilterAll {
			drawInto(t, v.Field(1))
		}
		return
	case *kernel.OpTerminalPayload:
		drawOpTerminalPayload(t, v.Addr().Interface().(*kernel.OpTerminalPayload))
		return
	}
	if get := v.MethodByName("Get"); get.IsValid() {
		drawOption(t, v, get.Type().Out(0))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.String:
		v.SetString(someStrings[drawIndex(t, len(someStrings))])
	case reflect.Uint64:
		v.SetUint(someNumbers[drawIndex(t, len(someNumbers))])
	case reflect.Uint8:
		v.SetUint(uint64(drawIndex(t, variants(v.Type()))))
	case reflect.Array:
		drawInto(t, v.Index(0))
	case reflect.Slice:
		n := drawIndex(t, 3)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			drawInto(t, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range drawIndex(t, 3) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			drawInto(t, key)
			drawInto(t, value)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			drawInto(t, v.Field(i))
		}
	default:
		panic(fmt.Sprintf("a trigger has a field of type %s, which the generator does not know", v.Type()))
	}
}

// drawOption fills an option of T. Its fields are its own, so it is made from JSON.
func drawOption(t *rapid.T, v reflect.Value, some reflect.Type) {
	if !rapid.Bool().Draw(t, "some") {
		return
	}
	value := reflect.New(some)
	drawInto(t, value.Elem())
	data, err := json.Marshal(value.Interface())
	if err != nil {
		panic(err)
	}
	if err := json.Unmarshal(data, v.Addr().Interface()); err != nil {
		panic(err)
	}
}

// drawOpTerminalPayload sets only the field that belongs to the kind.
func drawOpTerminalPayload(t *rapid.T, p *kernel.OpTerminalPayload) {
	p.Kind = kernel.OpTerminalKind(drawIndex(t, int(kernel.OpTerminated)+1))
	switch p.Kind {
	case kernel.OpCompleted:
		drawInto(t, reflect.ValueOf(&p.Result).Elem())
	case kernel.OpFailed:
		drawInto(t, reflect.ValueOf(&p.Error).Elem())
	case kernel.OpAborted, kernel.OpCancelled:
		drawInto(t, reflect.ValueOf(&p.Reason).Elem())
	case kernel.OpTerminated:
		p.Reason = kernel.Some(someStrings[drawIndex(t, len(someStrings))])
	}
}

// variants counts the variants of an enum. A plain byte, as in a key, has three.
func variants(enum reflect.Type) int {
	v := reflect.New(enum).Elem()
	if _, ok := v.Interface().(encoding.TextMarshaler); !ok {
		return 3
	}
	for n := range 256 {
		v.SetUint(uint64(n))
		if _, err := v.Interface().(encoding.TextMarshaler).MarshalText(); err != nil {
			return n
		}
	}
	return 256
}

// sharedCollection says where x and y, given as pointers, hold the same map or slice;
// it is empty if they do nowhere.
func sharedCollection(x, y any) string {
	held := map[uintptr]string{}
	eachCollection(reflect.ValueOf(x), "", func(path string, at uintptr) { held[at] = path })
	shared := ""
	eachCollection(reflect.ValueOf(y), "", func(path string, at uintptr) {
		if other, ok := held[at]; ok {
			shared = fmt.Sprintf("%s (there %s)", other, path)
		}
	})
	return shared
}

func eachCollection(v reflect.Value, path string, visit func(path string, at uintptr)) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		eachCollection(v.Elem(), path, visit)
	case reflect.Struct:
		for i := range v.NumField() {
			eachCollection(v.Field(i), path+"."+v.Type().Field(i).Name, visit)
		}
	case reflect.Slice:
		if v.Len() > 0 {
			visit(path, v.Pointer())
		}
		for i := range v.Len() {
			eachCollection(v.Index(i), path+"[]", visit)
		}
	case reflect.Map:
		if !v.IsNil() {
			visit(path, v.Pointer())
		}
		for _, key := range v.MapKeys() {
			eachCollection(v.MapIndex(key), path+"[]", visit)
		}
	}
}

func encodeState(t *rapid.T, s *kernel.State) []byte {
	data, err := kernel.MarshalState(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// roundTripTrigger decodes what t encodes to and insists that it encodes alike.
func roundTripTrigger(t *rapid.T, trigger kernel.Trigger) kernel.Trigger {
	name := trigger.TriggerName()
	data, err := kernel.MarshalTrigger(trigger)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	back, err := kernel.UnmarshalTrigger(name, data)
	if err != nil {
		t.Fatalf("%s %s: %v", name, data, err)
	}
	if !reflect.DeepEqual(trigger, back) {
		t.Fatalf("%s %s comes back as %+v, not as %+v", name, data, back, trigger)
	}
	return back
}

func roundTripEffect(t *rapid.T, e kernel.Effect) []byte {
	data, err := kernel.MarshalEffect(e)
	if err != nil {
		t.Fatalf("%s: %v", e.EffectName(), err)
	}
	back, err := kernel.UnmarshalEffect(e.EffectName(), data)
	if err != nil {
		t.Fatalf("%s %s: %v", e.EffectName(), data, err)
	}
	again, err := kernel.MarshalEffect(back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, again) {
		t.Fatalf("%s %s comes back as %s", e.EffectName(), data, again)
	}
	return data
}
