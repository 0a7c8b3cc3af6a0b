package kernel_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// sampleLines are the sample vectors as input of `kernel run`, one text a vector, and the
// states they lead to.
func sampleLines(f *testing.F) (texts, states [][]byte) {
	f.Helper()
	for _, v := range readVectors(f, referenceVectors) {
		var text bytes.Buffer
		line := func(value any) {
			data, err := json.Marshal(value, json.Deterministic(true))
			if err != nil {
				f.Fatal(err)
			}
			text.Write(append(data, '\n'))
		}
		runner := kernel.NewRunner()
		if v.SetupState != nil {
			line(map[string]any{"state": v.SetupState})
			if err := runner.Overlay(v.SetupState); err != nil {
				f.Fatal(err)
			}
		}
		for _, step := range v.Steps {
			kind := "input"
			if step.Signal != "" {
				kind = "signal"
			}
			line(map[string]any{kind: step.Input + step.Signal, "fields": step.Fields})
			trigger, err := kernel.UnmarshalTrigger(step.Input+step.Signal, step.Fields)
			if err != nil {
				f.Fatal(err)
			}
			runner.Kernel().Apply(trigger)
		}
		state, err := kernel.MarshalState(runner.Kernel().State())
		if err != nil {
			f.Fatal(err)
		}
		texts, states = append(texts, text.Bytes()), append(states, state)
	}
	return texts, states
}

// Whatever `kernel run` is fed, it answers each line with one line of JSON, and a line
// that is refused or cannot be read leaves the machine as it was.
func FuzzRun(f *testing.F) {
	texts, _ := sampleLines(f)
	for _, text := range texts {
		f.Add(text)
	}
	f.Add([]byte(`{"state":{"lifecycle_phase":"Running"}}` + "\n" + `{"input":"Commit","fields":{"input_id":"a","run_id":"r"}}`))
	f.Add([]byte(`{"reset":true}` + "\n" + `{"input":"Prepare"}` + "\n\n" + `{"input":"Prepare","fields":{"run_id":1}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var out bytes.Buffer
		bad, err := kernel.RunLines(bytes.NewReader(text), &out)
		if err != nil {
			t.Fatalf("only reading and writing may fail: %v", err)
		}
		lines := 0
		for line := range strings.Lines(string(text)) {
			if len(bytes.TrimSpace([]byte(line))) > 0 {
				lines++
			}
		}
		answers, errors := 0, 0
		for answer := range strings.Lines(out.String()) {
			answers++
			var a map[string]jsontext.Value
			if err := json.Unmarshal([]byte(answer), &a); err != nil {
				t.Fatalf("the answer %s: %v", answer, err)
			}
			if _, ok := a["error"]; ok {
				errors++
			}
			if string(a["ok"]) == "false" && a["changed"] != nil {
				t.Errorf("a refusal tells changes: %s", answer)
			}
		}
		if answers != lines || bad != (errors > 0) {
			t.Errorf("%d answers to %d lines, %d errors, bad %v", answers, lines, errors, bad)
		}
		// A second run is the same: nothing is carried over, nothing is random.
		var again bytes.Buffer
		if _, err := kernel.RunLines(bytes.NewReader(text), &again); err != nil || !bytes.Equal(out.Bytes(), again.Bytes()) {
			t.Errorf("run again, it answers %s, before %s (%v)", again.Bytes(), out.Bytes(), err)
		}
	})
}

// Whatever is offered as a state is either refused with an error or read, and what was
// read survives being written, as JSON and compact.
func FuzzState(f *testing.F) {
	_, states := sampleLines(f)
	for _, state := range states {
		f.Add(state)
	}
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"lifecycle_phase":"Nowhere"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		st, err := kernel.UnmarshalState(data)
		if err != nil {
			return
		}
		written, err := kernel.MarshalState(&st)
		if err != nil {
			t.Fatalf("read and not written: %v", err)
		}
		back, err := kernel.UnmarshalState(written)
		if err != nil {
			t.Fatalf("written and not read: %v", err)
		}
		if again, err := kernel.MarshalState(&back); err != nil || !bytes.Equal(written, again) {
			t.Errorf("another state came back (%v)", err)
		}
		packed, err := kernel.EncodeState(&st)
		if err != nil {
			t.Fatalf("compact: %v", err)
		}
		unpacked, err := kernel.DecodeState(packed)
		if err != nil {
			t.Fatalf("compact, read back: %v", err)
		}
		if again, err := kernel.MarshalState(&unpacked); err != nil || !bytes.Equal(written, again) {
			t.Errorf("another state came back from the compact form (%v)", err)
		}
		st.Check() // any state can be judged, and goes on
		kernel.Resume(st).Apply(&kernel.Prepare{})
	})
}
