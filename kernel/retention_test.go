package kernel_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/kernel"
)

// longLife is a session through which inputs go one after the other, each with an
// operation, and that forgets what ended longest ago.
type longLife struct {
	kernel *kernel.Kernel
	retain int // 0 is no bound
	age    int
	took   []time.Duration // by Apply, of the steps since it was emptied
}

func (l *longLife) apply(tb testing.TB, t kernel.Trigger) {
	start := time.Now()
	o := l.kernel.Apply(t)
	l.took = append(l.took, time.Since(start))
	if !o.OK() {
		tb.Fatal(o.Refusal)
	}
}

// step is the life of one input.
func (l *longLife) step(tb testing.TB) {
	id, op := fmt.Sprint("i", l.age), fmt.Sprint("op", l.age)
	run := fmt.Sprint("r", l.age)
	done := kernel.OpTerminalPayload{Kind: kernel.OpCompleted}
	for _, t := range []kernel.Trigger{
		&kernel.ResolveAdmissionPlan{InputID: id},
		&kernel.QueueAccepted{InputID: id},
		&kernel.RegisterAcceptedIdempotency{InputID: id, IdempotencyKey: "key-" + id},
		&kernel.StageForRun{InputID: id, RunID: run},
		&kernel.RegisterOp{OperationID: op, Kind: kernel.OperationKindBackgroundToolOp},
		&kernel.StartOp{OperationID: op},
		&kernel.CompleteOp{OperationID: op, Outcome: kernel.OperationTerminalOutcomeKindCompleted, Payload: done},
		&kernel.AdvanceAgentCompletionCursor{Cursor: uint64(l.age + 1)},
		&kernel.AdvanceRuntimeObservedCompletionCursor{Cursor: uint64(l.age + 1)},
		&kernel.AdvanceRuntimeInjectedCompletionCursor{Cursor: uint64(l.age + 1)},
		&kernel.MarkApplied{InputID: id},
		&kernel.MarkAppliedPendingConsumption{InputID: id},
		&kernel.ConsumeInput{InputID: id},
	} {
		l.apply(tb, t)
	}
	if old := l.age - l.retain; l.retain > 0 && old >= 0 {
		id := fmt.Sprint("i", old)
		l.apply(tb, &kernel.ForgetInput{InputID: id, IdempotencyKey: kernel.Some("key-" + id)})
		l.apply(tb, &kernel.ForgetOperation{OperationID: fmt.Sprint("op", old)})
	}
	l.age++
}

func (l *longLife) reach(tb testing.TB, age int) {
	for l.age < age {
		l.step(tb)
		l.took = l.took[:0]
	}
}

// What an input and an operation leave in the state is forgotten whole: no map of an old
// session is larger than that of a young one.
func TestRetentionForgetsEverything(t *testing.T) {
	l := longLife{kernel: sessionWith(t, 0), retain: 10}
	l.reach(t, 20)
	young := mapsIn(reflect.ValueOf(l.kernel.State()).Elem())
	l.reach(t, 2000)
	for i, old := range mapsIn(reflect.ValueOf(l.kernel.State()).Elem()) {
		if old.length != young[i].length {
			t.Errorf("field %d of the state has %d entries with 20 inputs and %d with 2000", i, young[i].length, old.length)
		}
	}
}

// BenchmarkLongLife tells the size of the state and the median time of Apply over the
// triggers of an input's life, by the session's age, with and without retention.
func BenchmarkLongLife(b *testing.B) {
	for retain, ages := range map[int][]int{1000: {1_000, 100_000, 1_000_000}, 0: {1_000, 100_000}} {
		for _, age := range ages {
			b.Run(fmt.Sprintf("retain=%d/inputs=%d", retain, age), func(b *testing.B) {
				l := longLife{kernel: sessionWith(b, 0), retain: retain}
				l.reach(b, age)
				data, err := kernel.MarshalState(l.kernel.State())
				if err != nil {
					b.Fatal(err)
				}
				packed, err := kernel.EncodeState(l.kernel.State())
				if err != nil {
					b.Fatal(err)
				}
				for range b.N {
					l.step(b)
				}
				slices.Sort(l.took)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(l.took[len(l.took)/2]), "apply-median-ns")
				b.ReportMetric(float64(len(data)), "json-bytes")
				b.ReportMetric(float64(len(packed)), "snapshot-bytes")
			})
		}
	}
}
