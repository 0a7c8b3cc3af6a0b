package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/ebb"
	"github.com/kalahari-run/kalahari/subjects"
)

const (
	// intakeLife is how long the server keeps a consumer that nobody asks.
	intakeLife = 30 * time.Second
	// intakeSetup bounds one try to set up a consumer.
	intakeSetup = 5 * time.Second
	// intakeHeartbeats is how many heartbeats a worker is willing to hear in a second: each costs
	// server and worker some 50 µs together, and of 100,000 sessions that had nothing to do they
	// took a whole core.
	intakeHeartbeats = 2000
	// intakeReturn is when a consumer that is asked on a new connection says what it has sent,
	// if there are few of them.
	intakeReturn = 100 * time.Millisecond
	// returnsAtOnce is how many consumers are asked at once on a new connection: what else the
	// worker has to say, the heartbeat of its lease above all, must not wait behind all of them.
	returnsAtOnce = 500
	// setupsAtOnce bounds the consumers of one stream that are set up anew at the same time:
	// after the restart of a server all need it (PROTOCOL 19).
	setupsAtOnce = 8
)

// Inbox is where the mailbox consumers of all sessions of a worker deliver: one subscription
// that hands every message to the intake it is for, and one watcher that sees to it that a
// consumer which is gone, or may be, is set up anew. Neither ever waits for a session.
type Inbox struct {
	nc     *nats.Conn
	api    string // prefix of the JetStream API
	prefix string // of the subjects on which consumers answer; the consumer's name and an epoch follow
	mark   string // what the names of this inbox's consumers begin with
	sub    *nats.Subscription
	ctx    context.Context
	stop   context.CancelFunc
	ended  sync.WaitGroup
	hears  int // heartbeats in a second

	mu      sync.Mutex // taken last: under no other lock of an inbox's another is taken
	made    uint64     // consumers so far
	intakes ebb.Map[string, *intake]
	lines   map[jetstream.Stream]*line
}

// line is where the intakes of one stream wait for a new consumer. A stream without a leader
// keeps nobody waiting but its own.
type line struct {
	waiting []*intake
	served  int // by so many goroutines
	// last is the stream's last sequence, as of asked or later.
	last  uint64
	asked time.Time
}

// OpenInbox returns the inbox of a worker whose connection is js's.
func OpenInbox(js jetstream.JetStream) (*Inbox, error) {
	b := &Inbox{
		nc: js.Conn(), api: subjects.APIPrefix(js.Options()), mark: rand.Text()[:8],
		hears: intakeHeartbeats, lines: map[jetstream.Stream]*line{},
	}
	b.prefix = b.nc.NewInbox() + "."
	b.ctx, b.stop = context.WithCancel(context.Background())
	// Before the first consumer, so that no reconnect is missed.
	status := b.nc.StatusChanged(nats.CONNECTED)
	var err error
	if b.sub, err = b.nc.Subscribe(b.prefix+"*", b.dispatch); err == nil {
		// What intakes have asked for bounds what may wait here.
		err = b.sub.SetPendingLimits(-1, -1)
	}
	if err != nil {
		b.stop()
		b.nc.RemoveStatusListener(status)
		return nil, fmt.Errorf("inbox: %w", err)
	}
	b.ended.Go(func() { b.watch(status) })
	return b, nil
}

// Close ends the inbox, after the sessions that use it.
func (b *Inbox) Close() {
	b.mu.Lock()
	b.stop()
	b.mu.Unlock()
	_ = b.sub.Unsubscribe() // the connection may be gone
	b.ended.Wait()
}

// open returns an intake of the messages under filter in stream, from start on. It stirs when
// one has come.
func (b *Inbox) open(ctx context.Context, stream jetstream.Stream, filter string, start uint64, stir chan struct{}, log *slog.Logger) (*intake, error) {
	in := &intake{inbox: b, stream: stream, filter: filter, next: start, stir: stir, log: log}
	if err := b.setUp(ctx, in); err != nil {
		return nil, err
	}
	return in, nil
}

// setUp gives an intake a consumer behind what has come through. An intake that was closed
// meanwhile needs none.
func (b *Inbox) setUp(ctx context.Context, in *intake) error {
	old, start, open := in.detach()
	if !open {
		return nil
	}
	if old != "" {
		b.forget(old)
		b.remove(in.stream, old)
	}
	b.mu.Lock()
	b.made++
	name := b.mark + strconv.FormatUint(b.made, 36)
	b.mu.Unlock()
	epoch := b.nc.Stats().Reconnects
	ctx, cancel := context.WithTimeout(ctx, intakeSetup)
	defer cancel()
	if _, err := in.stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Name:              name,
		FilterSubject:     in.filter,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       start,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: intakeLife,
		Replicas:          1,
		MemoryStorage:     true,
	}); err != nil {
		return err
	}
	b.mu.Lock()
	b.intakes.Put(name, in)
	b.mu.Unlock()
	if !in.attach(name, epoch) {
		b.forget(name)
		b.remove(in.stream, name)
	}
	return nil
}

// heartbeat is how often a consumer is to say that there is nothing new: as often as it helps,
// but the more there are the less often each.
func (b *Inbox) heartbeat(helps time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	each := time.Duration(b.intakes.Len()) * time.Second / time.Duration(b.hears)
	return min(max(helps, each), intakePull/2) // the server allows no more
}

// ask asks for messages of a consumer. The answer says on the connection of which epoch: the
// server may still have a request of an earlier one.
func (b *Inbox) ask(stream jetstream.Stream, consumer string, epoch uint64, batch int, stands, heartbeat time.Duration) error {
	return b.nc.PublishRequest(
		b.api+"CONSUMER.MSG.NEXT."+stream.CachedInfo().Config.Name+"."+consumer,
		b.prefix+consumer+"-"+strconv.FormatUint(epoch, 36),
		fmt.Appendf(nil, `{"expires":%d,"batch":%d,"idle_heartbeat":%d}`, stands, batch, heartbeat))
}

// forget ends the dispatch for a consumer. What it still delivers is ignored.
func (b *Inbox) forget(consumer string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.intakes.Delete(consumer)
}

// remove tells the server that a consumer is not needed any more: it would keep it for as
// long as it has been asked, and for intakeLife. Nobody waits for the answer. Whoever calls
// sees to it that not too many do at once: the server has one queue for such requests.
func (b *Inbox) remove(stream jetstream.Stream, consumer string) {
	_ = b.nc.Publish(b.api+"CONSUMER.DELETE."+stream.CachedInfo().Config.Name+"."+consumer, nil)
}

// dispatch hands over what the server sends. A message says in its reply subject which
// consumer it is from; a word about a consumer comes on that consumer's subject.
func (b *Inbox) dispatch(m *nats.Msg) {
	if m.Reply == "" {
		consumer, asked, _ := strings.Cut(strings.TrimPrefix(m.Subject, b.prefix), "-")
		epoch, err := strconv.ParseUint(asked, 36, 64)
		if in := b.intake(consumer); in != nil && err == nil {
			in.told(m, consumer, epoch)
		}
		return
	}
	meta, err := m.Metadata()
	if err != nil {
		return // from no consumer; one that lost a message is found out by the next
	}
	if in := b.intake(meta.Consumer); in != nil {
		in.arrived(m, meta)
	}
}

func (b *Inbox) intake(consumer string) *intake {
	b.mu.Lock()
	defer b.mu.Unlock()
	in, _ := b.intakes.Get(consumer)
	return in
}

// watch looks after all intakes.
func (b *Inbox) watch(status chan nats.Status) {
	defer b.nc.RemoveStatusListener(status)
	look := time.NewTicker(intakeHeartbeat)
	defer look.Stop()
	for {
		check := (*intake).checkEpoch
		select {
		case <-b.ctx.Done():
			return
		case <-status:
		case <-look.C:
			check = (*intake).checkSilence
		}
		epoch := b.nc.Stats().Reconnects
		b.mu.Lock()
		all := make([]*intake, 0, b.intakes.Len())
		for _, in := range b.intakes.All() {
			all = append(all, in)
		}
		b.mu.Unlock()
		asked := 0
		for _, in := range all {
			if !check(in, epoch) {
				continue
			}
			if asked++; asked%returnsAtOnce == 0 && !b.roundTrip(in.stream, epoch) {
				break // at the next look
			}
		}
	}
}

// roundTrip waits until the server has read what was sent, and reports whether the connection
// is still the same. It asks for something, and does not flush: a flush may wait for ever on a
// connection that broke twice in a row (nats.go 1.55, see the worker's services). Without an
// answer there was time enough.
func (b *Inbox) roundTrip(stream jetstream.Stream, epoch uint64) bool {
	ctx, cancel := context.WithTimeout(b.ctx, intakeSetup)
	defer cancel()
	_, _ = stream.Info(ctx)
	return b.ctx.Err() == nil && b.nc.Stats().Reconnects == epoch
}

// queue lets an intake wait for a new consumer.
func (b *Inbox) queue(in *intake) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return
	}
	l := b.lines[in.stream]
	if l == nil {
		l = &line{}
		b.lines[in.stream] = l
	}
	l.waiting = append(l.waiting, in)
	if l.served < setupsAtOnce {
		l.served++
		b.ended.Go(func() { b.serve(l) })
	}
}

// serve sets up consumers for those who wait in line, until nobody does.
func (b *Inbox) serve(l *line) {
	for try := 0; ; {
		b.mu.Lock()
		if len(l.waiting) == 0 {
			l.waiting = nil
			l.served--
			b.mu.Unlock()
			return
		}
		in := l.waiting[0]
		l.waiting = l.waiting[1:]
		b.mu.Unlock()
		if err := b.setUpAnew(l, in); err == nil {
			try = 0
			continue
		} else if b.ctx.Err() == nil {
			in.log.Debug("mailbox consumer not set up, trying again", "error", err)
		}
		b.mu.Lock()
		l.waiting = append(l.waiting, in)
		b.mu.Unlock()
		if try++; !sleep(b.ctx, min(50*time.Millisecond<<min(try, 6), 2*time.Second)) {
			return
		}
	}
}

// setUpAnew gives an intake that was in doubt a new consumer, unless the stream has lost what
// came through.
func (b *Inbox) setUpAnew(l *line, in *intake) error {
	upTo, since := in.passed()
	b.mu.Lock()
	last, asked := l.last, l.asked
	b.mu.Unlock()
	// After a server's restart all intakes of a stream are in doubt, and one question does for all.
	if upTo > last || !asked.After(since) {
		asked = time.Now()
		ctx, cancel := context.WithTimeout(b.ctx, intakeSetup)
		defer cancel()
		info, err := in.stream.Info(ctx)
		if err != nil {
			return err
		}
		last = info.State.LastSeq
		b.mu.Lock()
		l.last, l.asked = last, asked
		b.mu.Unlock()
	}
	if upTo <= last {
		return b.setUp(b.ctx, in)
	}
	if certain, err := in.endsAt(last); !certain {
		return err
	}
	return nil
}

var (
	errReconnected = errors.New("the connection is a new one")
	errSilent      = errors.New("no word from the consumer")
)
