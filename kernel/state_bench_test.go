package kernel_test

import (
	"fmt"
	"testing"

	"github.com/kalahari-run/kalahari/kernel"
)

// sessionWith returns a kernel with n inputs queued, as admission leaves them.
func sessionWith(tb testing.TB, n int) *kernel.Kernel {
	tb.Helper()
	k := kernel.New()
	apply := func(t kernel.Trigger) {
		if o := k.Apply(t); !o.OK() {
			tb.Fatal(o.Refusal)
		}
	}
	apply(&kernel.Initialize{})
	apply(&kernel.RegisterSession{SessionID: "s1"})
	apply(&kernel.EnsureSessionWithExecutor{SessionID: "s1"})
	for i := range n {
		id := fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", i)
		apply(&kernel.ResolveAdmissionPlan{InputID: id})
		apply(&kernel.QueueAccepted{InputID: id})
		apply(&kernel.RegisterAcceptedIdempotency{InputID: id, IdempotencyKey: "key-" + id})
	}
	return k
}

func BenchmarkState(b *testing.B) {
	for _, n := range []int{1, 1000} {
		k := sessionWith(b, n)
		data, err := kernel.MarshalState(k.State())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("encode/inputs=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := kernel.MarshalState(k.State()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("decode/inputs=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := kernel.UnmarshalState(data); err != nil {
					b.Fatal(err)
				}
			}
		})
		packed, err := kernel.EncodeState(k.State())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("pack/inputs=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(packed)))
			for b.Loop() {
				if _, err := kernel.EncodeState(k.State()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("unpack/inputs=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(packed)))
			for b.Loop() {
				if _, err := kernel.DecodeState(packed); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("clone/inputs=%d", n), func(b *testing.B) {
			for b.Loop() {
				_ = k.State().Clone()
			}
		})
	}
}

// BenchmarkTriggerJSON reads the fields of the triggers of all rules in turn, as `kernel run`
// and the logs of before do.
func BenchmarkTriggerJSON(b *testing.B) {
	var names []string
	var encoded [][]byte
	for _, s := range readScenes(b) {
		_, t := s.set(b, kernel.NewState(), refusal{})
		data, err := kernel.MarshalTrigger(t)
		if err != nil {
			b.Fatal(err)
		}
		names, encoded = append(names, t.TriggerName()), append(encoded, data)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		n := i % len(names)
		if _, err := kernel.UnmarshalTrigger(names[n], encoded[n]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkStep writes and reads the steps of all rules in turn, as commits and a fold of the
// log do.
func BenchmarkStep(b *testing.B) {
	var w kernel.StepWriter
	var all []logged
	for _, s := range readScenes(b) {
		_, t := s.set(b, kernel.NewState(), refusal{})
		all = append(all, logged{s.Rule, t})
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if i%len(all) == 0 {
				w.Reset()
			}
			if err := w.Add(all[i%len(all)].rule, all[i%len(all)].trigger); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	w.Reset()
	for _, s := range all {
		if err := w.Add(s.rule, s.trigger); err != nil {
			b.Fatal(err)
		}
	}
	steps, ids := written(b, &w)
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		r := kernel.NewStepReader(steps, ids)
		for b.Loop() {
			if !r.Next() {
				if err := r.Err(); err != nil {
					b.Fatal(err)
				}
				r = kernel.NewStepReader(steps, ids)
			}
		}
	})
}
