package kernel_test

import (
	"fmt"
	"testing"

	"github.com/kalahari-run/kalahari/kernel"
)

// BenchmarkApply takes the triggers of an input's life, each from the state in which it
// is accepted, in a session that holds a thousand other inputs. Triggers that change the
// state go round through the ones that change it back.
func BenchmarkApply(b *testing.B) {
	apply := func(k *kernel.Kernel, t kernel.Trigger) {
		if o := k.Apply(t); !o.OK() {
			b.Fatal(o.Refusal)
		}
	}
	single := func(name string, t kernel.Trigger) {
		b.Run(name, func(b *testing.B) {
			k := sessionWith(b, 1000)
			apply(k, t)
			b.ReportAllocs()
			for b.Loop() {
				k.Apply(t)
			}
		})
	}
	id := fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", 500)
	single("ResolveAdmissionValidation", &kernel.ResolveAdmissionValidation{
		InputID: "new", PeerHandlingModeValid: true, PeerResponseTerminalStructurallyValid: true,
	})
	single("ResolveAdmissionIdempotency", &kernel.ResolveAdmissionIdempotency{InputID: "new", IdempotencyKey: kernel.Some("k")})
	single("ResolveAdmissionPlan", &kernel.ResolveAdmissionPlan{InputID: "new"})
	single("AcceptWithCompletion", &kernel.AcceptWithCompletion{InputID: "new", WakeIfIdle: true})
	single("DeferInputBehindBacklog", &kernel.DeferInputBehindBacklog{InputID: id})
	single("StageForRun", &kernel.StageForRun{InputID: id, RunID: "r1"})
	single("MarkApplied", &kernel.MarkApplied{InputID: id})
	single("RecordBoundarySeq", &kernel.RecordBoundarySeq{InputID: id, RunID: "r1"})
	single("ConsumeInput", &kernel.ConsumeInput{InputID: id})
	b.Run("refused", func(b *testing.B) {
		k := sessionWith(b, 1000)
		t := &kernel.QueueAccepted{InputID: id} // tracked already
		b.ReportAllocs()
		for b.Loop() {
			k.Apply(t)
		}
	})
	b.Run("run", func(b *testing.B) {
		k := sessionWith(b, 1000)
		run := []kernel.Trigger{
			&kernel.Prepare{SessionID: "s1", RunID: "r1"},
			&kernel.StageForRun{InputID: id, RunID: "r1"},
			&kernel.IncrementAttemptCount{InputID: id},
			&kernel.StartConversationRun{RunID: "r1", PrimitiveKind: kernel.TurnPrimitiveKindConversationTurn},
			&kernel.PrimitiveApplied{RunID: "r1"},
			&kernel.LlmReturnedTerminal{RunID: "r1"},
			&kernel.BoundaryComplete{RunID: "r1"},
			&kernel.MarkApplied{InputID: id},
			&kernel.MarkAppliedPendingConsumption{InputID: id},
			&kernel.RecordBoundarySeq{InputID: id, RunID: "r1"},
			&kernel.RunCompleted{RunID: "r1"},
			&kernel.Commit{InputID: kernel.InputId(id), RunID: "r1"},
			&kernel.ConsumeInput{InputID: id},
		}
		b.ReportAllocs()
		for b.Loop() {
			for _, t := range run {
				apply(k, t)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(run)), "ns/step")
	})
	b.Run("admit", func(b *testing.B) {
		// A fresh id each time: the maps grow, and are forgotten again.
		k := sessionWith(b, 1000)
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			id := fmt.Sprint("new", n)
			n++
			apply(k, &kernel.ResolveAdmissionPlan{InputID: id})
			apply(k, &kernel.QueueAccepted{InputID: id})
			apply(k, &kernel.ConsumeInput{InputID: id})
			apply(k, &kernel.ForgetInput{InputID: id})
		}
	})
}
