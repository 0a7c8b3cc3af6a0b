package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// rawSubjects is how many chains the raw measurement appends to at once.
const rawSubjects = 64

// raw measures how many compare-and-swap publishes of that size the server stores in a
// second: what commits would cost if nothing but the log were there. The stream is a
// scratch one with the storage and replicas of the namespace's logs.
func (b *run) raw(ctx context.Context, size int) (perSecond float64, err error) {
	log, err := b.js.Stream(ctx, b.ns.LogStream(0))
	if err != nil {
		return 0, err
	}
	like := log.CachedInfo().Config
	subject := "kalahari-bench." + b.ledger.run
	cfg := jetstream.StreamConfig{
		Name: "KALAHARI_BENCH_" + b.ledger.run, Description: "Scratch of a benchmark; may be deleted.",
		Subjects: []string{subject + ".*"}, Storage: like.Storage, Replicas: like.Replicas,
	}
	if _, err := b.js.CreateStream(ctx, cfg); err != nil {
		return 0, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, b.js.DeleteStream(ctx, cfg.Name))
	}()
	js, err := jetstream.New(b.nc, jetstream.WithPublishAsyncMaxPending(2*rawSubjects))
	if err != nil {
		return 0, err
	}

	var stored atomic.Int64
	var chains sync.WaitGroup
	errs := make([]error, rawSubjects)
	data := make([]byte, size)
	start := time.Now()
	end := start.Add(b.Raw)
	for i := range rawSubjects {
		chains.Go(func() {
			var last uint64
			for time.Now().Before(end) {
				ack, err := js.PublishMsgAsync(&nats.Msg{Subject: fmt.Sprintf("%s.%d", subject, i), Data: data},
					jetstream.WithExpectLastSequencePerSubject(last), jetstream.WithRetryAttempts(0))
				if err == nil {
					select {
					case a := <-ack.Ok():
						last = a.Sequence
						stored.Add(1)
					case err = <-ack.Err():
					case <-ctx.Done():
						err = ctx.Err()
					}
				}
				if err != nil {
					errs[i] = err
					return
				}
			}
		})
	}
	chains.Wait()
	return round(float64(stored.Load())/time.Since(start).Seconds(), 0), errors.Join(errs...)
}
