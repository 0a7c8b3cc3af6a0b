package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
)

// The activation consumer of a shard: one durable for the fleet, headers only
// (PROTOCOL 31). A worker takes no more than it has room for, so that a full or stuck one
// does not keep sessions from the others.
//
// How far it has come is in the server's memory: in a file it is written ten times a second a
// shard, each time a new one. A server that is restarted has forgotten the consumer, and a
// worker makes it anew from where it last saw that everything before was acked.
const (
	activationDurable = "kalahari-activation"
	activationWait    = 5 * time.Second
	activationPending = 10_000
	activationBatch   = 64
	// activationPull is how long a request for messages stands, activationHeartbeat how often
	// the server says that there is nothing new.
	activationPull      = 30 * time.Second
	activationHeartbeat = 4 * time.Second
	activationLook      = 20 * time.Second // how often a worker sees how far the consumer is
)

// activationConsumer makes the consumer, unless it is there. A new one begins behind acked,
// the sequence up to which all messages of the shard are known to be acked.
func (l *life) activationConsumer(ctx context.Context, shard int, acked uint64) (jetstream.Consumer, error) {
	in, err := l.js.Stream(ctx, l.ns.InStream(shard))
	if err != nil {
		return nil, err
	}
	cfg := jetstream.ConsumerConfig{
		Durable:       activationDurable,
		Description:   "Kalahari: tells the fleet which sessions have inputs",
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       activationWait,
		MaxAckPending: activationPending,
		MaxDeliver:    -1,
		HeadersOnly:   true,
		DeliverPolicy: jetstream.DeliverAllPolicy,
		MemoryStorage: true,
	}
	switch c, err := in.Consumer(ctx, activationDurable); {
	case err == nil: // these cannot be changed
		is := c.CachedInfo().Config
		cfg.MemoryStorage, cfg.DeliverPolicy, cfg.OptStartSeq = is.MemoryStorage, is.DeliverPolicy, is.OptStartSeq
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return nil, err
	case 0 < acked && acked <= in.CachedInfo().State.LastSeq: // or else it is not the stream it was
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, acked+1
	}
	return in.CreateOrUpdateConsumer(ctx, cfg)
}

// followActivations keeps acked up to date with the consumer's.
func (l *life) followActivations(ctx context.Context, c jetstream.Consumer, acked *atomic.Uint64) {
	for {
		if info, err := c.Info(ctx); err == nil {
			acked.Store(info.AckFloor.Stream)
		}
		if !sleep(ctx, activationLook/2+rand.N(activationLook)) {
			return
		}
	}
}

// activate claims the sessions of a shard that have inputs and no owner.
func (l *life) activate(ctx context.Context, shard int) {
	var acked atomic.Uint64
	for try := 0; ctx.Err() == nil; try++ {
		since := time.Now()
		c, err := l.activationConsumer(ctx, shard, acked.Load())
		if err == nil {
			following, stop := context.WithCancel(ctx)
			var follower sync.WaitGroup
			follower.Go(func() { l.followActivations(following, c, &acked) })
			err = l.consumeActivations(ctx, shard)
			stop()
			follower.Wait()
		}
		if ctx.Err() != nil {
			return
		}
		if time.Since(since) > time.Minute {
			try = 0
		}
		l.log.WarnContext(ctx, "activation interrupted", "shard", shard, "error", err)
		if !sleep(ctx, min(100*time.Millisecond<<min(try, 5), 3*time.Second)) {
			return
		}
	}
}

// consumeActivations asks for messages and looks at what comes, until the consumer does not
// answer any more. Every input passes here, so the library's iterator is too dear.
func (l *life) consumeActivations(ctx context.Context, shard int) error {
	// Before the first request, so that no reconnect is missed.
	status := l.nc.StatusChanged(nats.CONNECTED)
	defer l.nc.RemoveStatusListener(status)
	// What does not find room here comes again.
	messages := make(chan *nats.Msg, 4*activationBatch)
	inbox := l.nc.NewInbox()
	sub, err := l.nc.ChanSubscribe(inbox, messages)
	if err != nil {
		return err
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection may be gone
	next := subjects.APIPrefix(l.js.Options()) + "CONSUMER.MSG.NEXT." + l.ns.InStream(shard) + "." + activationDurable
	look := time.NewTicker(activationHeartbeat)
	defer look.Stop()
	asked, silent := 0, 0 // messages not delivered; heartbeats missed
	for {
		room := l.room()
		var again <-chan time.Time
		if room <= 0 { // what was asked for may still come
			again = time.After(200 * time.Millisecond)
		} else if batch := min(activationBatch, room) - asked; asked == 0 || batch >= activationBatch/2 {
			ask := fmt.Appendf(nil, `{"expires":%d,"batch":%d,"idle_heartbeat":%d}`, activationPull, batch, activationHeartbeat)
			if err := l.nc.PublishRequest(next, inbox, ask); err != nil {
				return err
			}
			asked += batch
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-status:
			asked = 0 // on a connection that is no more
		case <-again:
		case <-look.C:
			if silent++; asked == 0 { // nothing is owed
				silent = 0
			} else if silent > 2 {
				return errSilent
			}
		case m := <-messages:
			silent = 0
			if m.Reply != "" {
				asked = max(0, asked-1)
				l.activation(ctx, m)
				continue
			}
			switch status, left := m.Header.Get("Status"), m.Header.Get("Nats-Pending-Messages"); status {
			case "100": // there is nothing new
			case "408": // the request has stood its time
				n, err := strconv.Atoi(left)
				if err != nil {
					return fmt.Errorf("%s messages are left of a request: %w", left, err)
				}
				asked = max(0, asked-n)
			default:
				return fmt.Errorf("status %s %s", status, m.Header.Get("Description"))
			}
		}
	}
}

var errSilent = errors.New("no word from the activation consumer")

// activation looks at one mailbox message. It is acked once the session is in good hands. If
// there is no room any more, it is given back at once, for another worker: the consumers of
// all shards were asked for as much as there was room for. Otherwise it comes again after the
// ack wait, to this worker or another.
func (l *life) activation(ctx context.Context, m *nats.Msg) {
	_, _, id, err := l.ns.ParseSession(m.Subject)
	if err != nil {
		l.misplaced(ctx, m, err)
		return
	}
	meta, err := m.Metadata()
	if err != nil {
		l.log.WarnContext(ctx, "an activation without metadata", "subject", m.Subject, "error", err)
		return
	}
	if l.vouch(id, meta.Sequence.Stream) {
		l.ack(m.Reply)
		return
	}
	// Noted before the view is read: the owner's key may vanish in between.
	l.entrusted.note(id)
	if owner, ok := l.owners.Lookup(id); ok && owner.Incarnation != l.me && l.members.Alive(owner.Incarnation) {
		l.ack(m.Reply)
		return
	}
	select {
	case l.claims <- struct{}{}:
	case <-ctx.Done():
		return
	}
	go func() {
		defer func() { <-l.claims }()
		switch {
		case l.claim(ctx, id):
			l.ack(m.Reply)
		case l.room() <= 0:
			l.reply(m.Reply, givenBack)
		}
	}()
}

// ack acknowledges the message that is to be answered on reply.
func (l *life) ack(reply string) { l.reply(reply, acknowledged) }

func (l *life) reply(reply string, word []byte) {
	if err := l.nc.Publish(reply, word); err != nil {
		l.log.Debug("message not answered, it comes again", "error", err)
	}
}

var (
	acknowledged = []byte("+ACK")
	givenBack    = []byte("-NAK")
)

// misplaced files a message under DEAD that no session can own: an illegal token, or a
// shard that is not the session's (PROTOCOL 29).
func (l *life) misplaced(ctx context.Context, m *nats.Msg, why error) {
	meta, err := m.Metadata()
	if err != nil {
		return
	}
	kind, shard, id, _ := l.ns.ParseSession(m.Subject)
	if kind == "" {
		l.log.WarnContext(ctx, "a message on a foreign subject", "subject", m.Subject)
		l.ack(m.Reply)
		return
	}
	seq := meta.Sequence.Stream
	raw, err := l.env.Mailboxes[shard].GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		l.ack(m.Reply)
		return
	}
	if err != nil {
		return
	}
	letter := session.DeadLetter(l.ns, id, &nats.Msg{Subject: m.Subject, Header: raw.Header, Data: raw.Data}, seq, why.Error())
	letter.Header[nats.MsgIdHdr] = []string{"misplaced:" + strconv.Itoa(shard) + ":" + strconv.FormatUint(seq, 10)}
	if _, err := l.js.PublishMsg(ctx, letter); err != nil {
		l.log.WarnContext(ctx, "misplaced message not filed, it comes again", "error", err)
		return
	}
	if err := l.env.Mailboxes[shard].DeleteMsg(ctx, seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		l.log.WarnContext(ctx, "misplaced message not removed", "error", err)
	}
	l.ack(m.Reply)
}
