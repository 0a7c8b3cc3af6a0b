package kernel_test

import (
	"bytes"
	"errors"
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
	for _, v := range readVectors(t) {
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

func FuzzDecodeState(f *testing.F) {
	packed, err := kernel.EncodeState(sessionWith(f, 3).State())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte{1})
	f.Add([]byte{2, 0})
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
