package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// The outcomes that end an input, or that no other will follow.
var terminal = []string{"InputCompleted", "InputRejected", "InputDeduplicated"}

// receive takes the outcomes from fx, or from the feed where nothing is published on fx.
// stop leaves no consumer behind in a fleet that goes on.
func (b *run) receive(ctx context.Context) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, stop := range stops {
			stop()
		}
	}
	handle := b.fromFx
	if b.settings.Published == subjects.PublishNone {
		handle = func(m jetstream.Msg) { b.fromFeed(ctx, m) }
	}
	follow := func(stream string, filters ...string) error {
		c, err := b.js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy, FilterSubjects: filters})
		if err == nil {
			var consume jetstream.ConsumeContext
			if consume, err = c.Consume(handle, jetstream.PullMaxMessages(4096)); err == nil {
				stops = append(stops, func() {
					consume.Stop()
					if info := c.CachedInfo(); info != nil && !b.started() {
						ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
						defer cancel()
						_ = b.js.DeleteConsumer(ctx, stream, info.Name) // or it expires
					}
				})
				return nil
			}
		}
		return fmt.Errorf("consumer on %s: %w", stream, err)
	}
	for shard := range b.ns.Shards() {
		if b.settings.Published == subjects.PublishNone {
			err = follow(b.ns.LogStream(shard), b.ns.LogShard(shard))
		} else {
			// The one that comes has a consumer of its own: several filters cost the server more.
			err = follow(b.ns.FxStream(shard), b.ns.FxName(shard, terminal[0]))
			if err == nil {
				err = follow(b.ns.FxStream(shard), b.ns.FxName(shard, terminal[1]), b.ns.FxName(shard, terminal[2]))
			}
		}
		if err != nil {
			stop()
			return nil, err
		}
	}
	return stop, nil
}

func (b *run) fromFx(m jetstream.Msg) {
	at := time.Now()
	h := m.Headers()
	sequence, err := strconv.ParseUint(h.Get("ce-sequence"), 10, 64)
	if err != nil {
		b.broken(fmt.Errorf("%s: ce-sequence: %w", m.Subject(), err))
		return
	}
	b.outcome(m.Data(), sequence, at)
}

// fromFeed reads a commit. Its place in the log and the event's in the commit make the
// order.
func (b *run) fromFeed(ctx context.Context, m jetstream.Msg) {
	at := time.Now()
	meta, err := m.Metadata()
	if err != nil {
		b.broken(err)
		return
	}
	endings, err := readCommit(m.Data())
	if elsewhere := (*elsewhereError)(nil); errors.As(err, &elsewhere) {
		_, _, session, perr := b.ns.ParseSession(m.Subject())
		var body []byte
		if err = perr; err == nil {
			body, err = b.blobs.Get(ctx, session, elsewhere.ref)
		}
		if err == nil {
			endings, err = readCommit(body)
		}
	}
	if err != nil {
		b.broken(fmt.Errorf("commit %d of %s: %w", meta.Sequence.Stream, m.Subject(), err))
		return
	}
	for _, e := range endings {
		b.outcome(e.data, meta.Sequence.Stream<<20|uint64(e.index), at)
	}
}

func (b *run) outcome(data []byte, sequence uint64, at time.Time) {
	input, completed, err := readOutcome(data)
	if err != nil {
		b.broken(fmt.Errorf("outcome: %w", err))
		return
	}
	if b.ledger.end(input, sequence, completed, at) && b.awaitsEnd() {
		<-b.tokens
	}
}

func (b *run) broken(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failure == nil {
		b.failure = err
	}
}
