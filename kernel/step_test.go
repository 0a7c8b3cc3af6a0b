package kernel_test

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// written is what a writer has, as a record carries it.
func written(tb rapid.TB, w *kernel.StepWriter) (steps []byte, ids []string) {
	tb.Helper()
	if err := json.Unmarshal(w.IDs.AppendAll(nil), &ids); err != nil {
		tb.Fatalf("ids %s: %v", w.IDs.AppendAll(nil), err)
	}
	return append(append([]byte{'['}, w.Steps...), ']'), ids
}

type logged struct {
	rule    string
	trigger kernel.Trigger
}

// checkSteps writes steps and reads them back.
func checkSteps(tb rapid.TB, all []logged) {
	tb.Helper()
	var w kernel.StepWriter
	for _, s := range all {
		if err := w.Add(s.rule, s.trigger); err != nil {
			tb.Fatalf("%s: %v", s.rule, err)
		}
	}
	steps, ids := written(tb, &w)
	r, n := kernel.NewStepReader(steps, ids), 0
	for ; r.Next(); n++ {
		if n == len(all) {
			tb.Fatalf("more steps came back than were written: %s", steps)
		}
		want, err := kernel.MarshalTrigger(all[n].trigger)
		if err != nil {
			tb.Fatal(err)
		}
		got, err := kernel.MarshalTrigger(r.Trigger)
		if err != nil {
			tb.Fatal(err)
		}
		if r.Rule != all[n].rule || reflect.TypeOf(r.Trigger) != reflect.TypeOf(all[n].trigger) || !bytes.Equal(got, want) {
			tb.Errorf("written %s %s\nread    %s %s\n%s %q", all[n].rule, want, r.Rule, got, steps, ids)
		}
	}
	if err := r.Err(); err != nil || n != len(all) {
		tb.Fatalf("read %d of %d steps of %s: %v", n, len(all), steps, err)
	}
}

// The step of every rule comes back as it was taken: alone, and with all others in one
// record.
func TestStepsOfAllRules(t *testing.T) {
	var all []logged
	rules := map[string]bool{}
	for _, s := range readScenes(t) {
		st, trigger := s.set(t, kernel.NewState(), refusal{})
		o := kernel.Resume(st).Apply(trigger)
		if !o.OK() {
			t.Fatalf("%s: %s", s.Rule, o.Refusal)
		}
		all = append(all, logged{o.Rule, trigger})
		rules[o.Rule] = true
		checkSteps(t, all[len(all)-1:])
	}
	checkSteps(t, all)
	for _, trigger := range declaration.Machine().Triggers {
		for _, r := range trigger.Rules {
			if !rules[r.Name] {
				t.Errorf("no step of %s", r.Name)
			}
		}
	}
}

// What a user may call a thing, none of it is taken for anything else.
var hostileTexts = []string{
	"", "0", "1", "-1", "$0", "#1", "null", "false", "[]", `"`, `\`, `"],["Prepare`, "\x00", "\u2028 \U0001F600", "<&>",
	"000000000000", "18446744073709551615", "[\"StageForRun\",0]", `"""""""""""""`, strings.Repeat("ä", 64), strings.Repeat("z", 4096),
}

func TestStepsOfHostileTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.SampledFrom(hostileTexts), rapid.String(), rapid.StringMatching(`[0-9a-d]{12}`))
		var all []logged
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			id, run := text.Draw(t, "id"), kernel.RunId(text.Draw(t, "run"))
			option := kernel.None[string]()
			if rapid.Bool().Draw(t, "some") {
				option = kernel.Some(text.Draw(t, "option"))
			}
			all = append(all, rapid.SampledFrom([]logged{
				{"StageForRun", &kernel.StageForRun{InputID: id, RunID: string(run)}},
				{"ResolveAdmissionIdempotencyNoKey", &kernel.ResolveAdmissionIdempotency{InputID: id, IdempotencyKey: option}},
				{"StartConversationRunRunning", &kernel.StartConversationRun{
					RunID: run, PrimitiveKind: kernel.TurnPrimitiveKindConversationTurn, MaxExtractionRetries: rapid.Uint64().Draw(t, "n"),
				}},
				{"ResolveAdmissionPlanDefaultQueueKind", &kernel.ResolveAdmissionPlan{
					InputID: id, ExistingSupersededInputID: option, WithoutWake: rapid.Bool().Draw(t, "without wake"),
				}},
				{"Initialize", &kernel.Initialize{}},
			}).Draw(t, "step"))
		}
		checkSteps(t, all)
	})
}

// A step is short and can be read by eye: this is what PROTOCOL calls a record's steps.
func TestStepsAreShort(t *testing.T) {
	const input, run = "01M88QJ8VE749ZANS60KB1YZY3", "01a21179-2375-75ba-8389-5756b8385d69"
	var w kernel.StepWriter
	for _, s := range []logged{
		{"Initialize", &kernel.Initialize{}},
		{"RegisterSession", &kernel.RegisterSession{SessionID: "hello"}},
		{"ResolveAdmissionPlanDefaultQueueKind", &kernel.ResolveAdmissionPlan{InputID: input}},
		{"StageForRun", &kernel.StageForRun{InputID: input, RunID: run}},
		{"StartConversationRunRunning", &kernel.StartConversationRun{
			RunID: run, PrimitiveKind: kernel.TurnPrimitiveKindConversationTurn, ImageToolResultsEnabled: true,
		}},
		{"ResolveAdmissionIdempotencyNoKey", &kernel.ResolveAdmissionIdempotency{InputID: input, IdempotencyKey: kernel.Some("")}},
	} {
		if err := w.Add(s.rule, s.trigger); err != nil {
			t.Fatal(err)
		}
	}
	steps, ids := written(t, &w)
	want := `[["Initialize"],["RegisterSession","hello"],["ResolveAdmissionPlanDefaultQueueKind",0],["StageForRun",0,1],` +
		`["StartConversationRunRunning",1,"ConversationTurn","Conversation",false,true],["ResolveAdmissionIdempotencyNoKey",0,""]]`
	if string(steps) != want || fmt.Sprint(ids) != fmt.Sprint([]string{input, run}) {
		t.Errorf("got  %s %q\nwant %s", steps, ids, want)
	}
	w.Reset()
	if steps, ids := written(t, &w); string(steps) != "[]" || len(ids) != 0 {
		t.Errorf("after a reset: %s %q", steps, ids)
	}
}

// A value that no variant has is refused when it is written: what stands in the log can be
// read.
func TestAnUndefinedVariantIsNotWritten(t *testing.T) {
	for rule, trigger := range map[string]kernel.Trigger{
		"a field":   &kernel.FatalFailure{RunID: "r", TerminalFailureSource: 200},
		"an option": &kernel.RunFailed{RunID: "r", RuntimeApplyFailureCause: kernel.Some[kernel.RuntimeApplyFailureCause](55)},
	} {
		var w kernel.StepWriter
		if err := w.Add(rule, trigger); err == nil || !strings.Contains(err.Error(), "no variant") {
			t.Errorf("%s: written %s, %v", rule, w.Steps, err)
		}
	}
}

func TestStepsThatAreRefused(t *testing.T) {
	for steps, reason := range map[string]string{
		`{}`:                      "where an array belongs",
		`[1]`:                     "where an array belongs",
		`[[]]`:                    "where a name belongs",
		`[["Nonsense"]]`:          "unknown rule",
		`[["StageForRun",2]]`:     "number of none of 2 ids",
		`[["StageForRun",-1]]`:    "number of none of 2 ids",
		`[["StageForRun",0.5]]`:   "number of none of 2 ids",
		`[["StageForRun",true]]`:  "where a string belongs",
		`[["StageForRun",null]]`:  "where a string belongs",
		`[["StageForRun",0,1,2]]`: "more fields",
		`[["StageForRun",0,1`:     "EOF",
		`[["StartConversationRunRunning",1,"Nonsense"]]`:          "no variant",
		`[["StartConversationRunRunning",1,null]]`:                "where a name belongs",
		`[["StartConversationRunRunning",1,"None","Empty",0]]`:    "no bool",
		`[["StartConversationRunRunning",1,"None","Empty",null]]`: "no bool",
	} {
		r := kernel.NewStepReader([]byte(steps), []string{"aaaaaaaaaaaa", "bbbbbbbbbbbb"})
		for r.Next() {
			t.Errorf("%s: read %s", steps, r.Rule)
		}
		if err := r.Err(); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want %s", steps, err, reason)
		}
	}
}

// A step names its fields by their order alone. Within a version of the machine a trigger
// keeps its fields in order, and may only get more behind them.
func TestFieldsKeepTheirOrder(t *testing.T) {
	name := fmt.Sprintf("testdata/fields.v%d.json", kernel.Version)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var kept map[string][]string
	if err := json.Unmarshal(data, &kept); err != nil {
		t.Fatal(err)
	}
	now := map[string][]string{}
	for _, trigger := range declaration.Machine().Triggers {
		now[trigger.Name] = []string{}
		for _, f := range trigger.Fields {
			now[trigger.Name] = append(now[trigger.Name], f.Name+" "+f.Type)
		}
	}
	for trigger, fields := range kept {
		if have := now[trigger]; len(have) < len(fields) || !reflect.DeepEqual(have[:len(fields)], fields) {
			t.Errorf("%s has the fields %q, in the logs of version %d they are %q", trigger, have, kernel.Version, fields)
		}
		delete(now, trigger)
	}
	if len(now) > 0 {
		lines, err := json.Marshal(now, jsontext.Multiline(true), json.Deterministic(true))
		t.Errorf("%s lacks %s (%v)", name, lines, err)
	}
}

// Whatever is offered as steps is refused with an error or read, and what was read is
// written and read as the same.
func FuzzSteps(f *testing.F) {
	for _, s := range readScenes(f)[:64] {
		_, trigger := s.set(f, kernel.NewState(), refusal{})
		var w kernel.StepWriter
		if err := w.Add(s.Rule, trigger); err != nil {
			f.Fatal(err)
		}
		steps, ids := written(f, &w)
		f.Add(steps, strings.Join(ids, "\n"))
	}
	f.Add([]byte(`[["StageForRun",0,"1"],["StageForRun","\ud83d\ude00"]]`), hostileTexts[11])
	f.Fuzz(func(t *testing.T, steps []byte, ids string) {
		r := kernel.NewStepReader(steps, strings.Split(strings.ToValidUTF8(ids, ""), "\n"))
		var all []logged
		for r.Next() {
			all = append(all, logged{r.Rule, r.Trigger})
		}
		checkSteps(t, all)
	})
}
