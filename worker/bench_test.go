package worker_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// BenchmarkInput takes inputs through the whole road in one process: publish, admit,
// commit, run, commit, publish the effects.
func BenchmarkInput(b *testing.B) {
	for _, sessions := range []int{1, 1000} {
		for _, set := range []subjects.PublishedSet{subjects.PublishNone, subjects.PublishLifecycle} {
			b.Run(fmt.Sprintf("sessions=%d/%s", sessions, set), func(b *testing.B) {
				benchmarkInput(b, sessions, set)
			})
		}
	}
}

func benchmarkInput(b *testing.B, sessions int, set subjects.PublishedSet) {
	// One session takes them all, and a refused one would never be done.
	env := embeddedtest.ProvisionedWith(b, "bench", 8, subjects.Settings{MailboxLimit: int64(b.N) + 1}, embeddedtest.Listening())
	var done atomic.Int64
	nc, _ := embeddedtest.Connect(b, env.Server)
	w, err := worker.New(nc, env.Namespace, worker.Config{
		Name: "bench", Published: set,
		Executor: executor.Func(func(ctx context.Context, run *executor.Run) (*executor.Result, error) {
			done.Add(int64(len(run.Inputs)))
			return executor.Echo{}.Apply(ctx, run)
		}),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.Run(ctx)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	for w.Ready() != nil {
		time.Sleep(10 * time.Millisecond)
	}
	js, err := jetstream.New(env.Conn, jetstream.WithPublishAsyncMaxPending(4096))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		id := fmt.Sprint("s", i%sessions)
		ev := prompt(fmt.Sprint("p", i), "hello there, this is a prompt of some length")
		msg, err := subjects.EncodeBinary(ev, env.Namespace.In(id))
		if err != nil {
			b.Fatal(err)
		}
		msg.Header.Set(nats.MsgIdHdr, subjects.MsgID(id, ev))
		if _, err := js.PublishMsgAsync(msg, jetstream.WithStallWait(10*time.Second)); err != nil {
			b.Fatal(err)
		}
	}
	for done.Load() < int64(b.N) {
		time.Sleep(time.Millisecond)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "inputs/s")
}
