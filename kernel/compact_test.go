package kernel_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/kernel"
)

func roundTrip(t *testing.T, s *kernel.State) {
	t.Helper()
	packed, err := kernel.EncodeState(s)
	if err != nil {
		t.Fatal(err)
	}
	back, err := kernel.DecodeState(packed)
	if err != nil {
		t.Fatal(err)
	}
	want, err := kernel.MarshalState(s)
	if err != nil {
		t.Fatal(err)
	}
	got, err := kernel.MarshalState(&back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Fatalf("packed and unpacked:\nwant %s\n got %s", want, got)
	}
}

// Every state the reference's scenarios pass through survives the compact form.
func TestCompactStateRoundTrip(t *testing.T) {
	roundTrip(t, sessionWith(t, 0).State())
	roundTrip(t, sessionWith(t, 50).State())
	for _, v := range readVectors(t, referenceVectors) {
		r := kernel.NewRunner()
		if v.SetupState != nil {
			if err := r.Overlay(v.SetupState); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range v.Steps {
			trigger, err := kernel.UnmarshalTrigger(step.Input+step.Signal, step.Fields)
			if err != nil {
				t.Fatal(err)
			}
			r.Kernel().Apply(trigger)
		}
		roundTrip(t, r.Kernel().State())
	}
}

// What a variant carries survives, also if there is nothing in it.
func TestCompactStateKeepsEmptyPayloads(t *testing.T) {
	st := kernel.NewState()
	err := kernel.OverlayState(&st, []byte(`{"completion_feed_terminal_payload":{
		"a":"Retired","b":{"Failed":{"error":""}},"c":{"Aborted":{"reason":null}},"d":{"Cancelled":{"reason":""}},"e":{"Terminated":{"reason":""}},
		"f":{"Completed":{"id":"","content":"","is_error":false,"duration_ms":0,"tokens_used":0}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, &st)
}

// A compact state of another version, or of which a byte was changed or lost, is refused,
// or it is another whole state; it is never half of one.
func TestCompactStateIsReadWholeOrNotAtAll(t *testing.T) {
	packed, err := kernel.EncodeState(sessionWith(t, 3).State())
	if err != nil {
		t.Fatal(err)
	}
	refused := func(data []byte) bool {
		t.Helper()
		s, err := kernel.DecodeState(data)
		if err == nil {
			roundTrip(t, &s)
		} else if !errors.Is(err, kernel.ErrState) {
			t.Fatalf("an error of another kind: %v", err)
		}
		return err != nil
	}
	for i := range packed {
		if !refused(packed[:i]) {
			t.Errorf("the first %d of %d bytes are taken for a state", i, len(packed))
		}
		changed := bytes.Clone(packed)
		changed[i] = 0xff
		refused(changed)
	}
	if !refused(append(bytes.Clone(packed), 0)) {
		t.Error("a byte behind the end is taken for nothing")
	}
	other := bytes.Clone(packed)
	other[0]++
	if _, err := kernel.DecodeState(other); err == nil || !strings.Contains(err.Error(), "version 2, this is version 1") {
		t.Errorf("a state of version 2: %v", err)
	}
}

func FuzzDecodeState(f *testing.F) {
	packed, err := kernel.EncodeState(sessionWith(f, 3).State())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte{1})
	f.Add([]byte{2, 0})
	_, states := sampleLines(f)
	for _, state := range states {
		st, err := kernel.UnmarshalState(state)
		if err != nil {
			f.Fatal(err)
		}
		packed, err := kernel.EncodeState(&st)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := kernel.DecodeState(data)
		if err != nil {
			if !errors.Is(err, kernel.ErrState) {
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		roundTrip(t, &s)
	})
}
