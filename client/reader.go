package client

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// commit is one message of a feed.
type commit struct {
	session  string
	sequence uint64 // in the stream
	prev     uint64 // the sequence of the session's commit before
	events   []jsontext.Value
}

func (k *commit) event(i int) (Event, error) {
	ev, err := subjects.DecodeJSON(k.events[i])
	if err != nil {
		return Event{}, fmt.Errorf("%w: event %s: %w", ErrCorrupt, k.position(i), err)
	}
	name, _ := subjects.EventName(ev.Type())
	return Event{Event: ev, Position: k.position(i), Name: name, JSON: k.events[i]}, nil
}

func (k *commit) position(i int) subjects.Position {
	return subjects.Position{Commit: k.prev, Index: i}
}

const (
	readBatch   = 64               // messages asked for at once
	readBytes   = 2 << 20          // and what they may weigh: they lie here until they are read
	readIdle    = 30 * time.Second // the server drops a consumer nobody asks
	readBackoff = 5 * time.Second  // the longest pause between two attempts
)

// reader reads the commits of one session from the log, in order, each once.
//
// It reads through a consumer without acks and trusts it for as long as the consumer's
// own count has no gap and the connection holds. Otherwise it makes a new one behind the
// last commit it has passed on; the chain of commits (each names its predecessor) tells
// whether anything is missing. The library's ordered consumer would do the first half of
// this, but cannot be stopped by a context while it makes a new consumer, and leaves its
// last one behind on the server.
type reader struct {
	c       *Client
	session string
	// Where to start: at a sequence, at a time, or, both zero, with the oldest.
	from uint64
	at   time.Time
	// after is the resume point the first commit must continue.
	after *subjects.Position
	// fresh: the stream's leader has just named that resume point.
	fresh bool
	// follow waits for what comes; without it the end of the log is the end.
	follow bool
	// ready, if set, is called once, when the reader stands at its place, with its resume
	// point.
	ready func(after string)

	last   uint64 // sequence of the last commit passed on
	where  subjects.Position
	opened bool
}

func (c *Client) reader(session string) *reader { return &reader{c: c, session: session} }

// resume makes the reader start with the commit that p stands in.
func (r *reader) resume(p subjects.Position) { r.from, r.after = p.Commit+1, &p }

// errLost says that a consumer can no longer be believed.
var errLost = errors.New("messages were lost on the way")

// final tells whether an error of span would only come again.
func final(err error) bool {
	for _, e := range []error{ErrGap, ErrPosition, ErrCorrupt, jetstream.ErrStreamNotFound, subjects.ErrNotProvisioned} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// callerError is an error of the function that takes the commits.
type callerError struct{ error }

func (e callerError) Unwrap() error { return e.error }

// run passes commits on until ctx or the log ends, or take returns an error.
func (r *reader) run(ctx context.Context, take func(*commit) error) error {
	wait := 50 * time.Millisecond
	for {
		before := r.last
		done, err := r.span(ctx, take)
		var mine callerError
		switch {
		case done:
			return nil
		case errors.As(err, &mine):
			return mine.error
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case final(err):
			return err
		case errors.Is(err, context.Canceled): // by a new connection, on which it may work
		case !r.opened, !r.follow && !errors.Is(err, errLost):
			return unanswered(ctx, err)
		}
		r.c.log.DebugContext(ctx, "feed interrupted", "session", r.session, "after", r.last, "error", err)
		if r.last != before {
			wait = 50 * time.Millisecond
		}
		if !pause(ctx, wait) {
			return context.Cause(ctx)
		}
		wait = min(2*wait, readBackoff)
	}
}

// span reads through one consumer. done says that the log has ended.
func (r *reader) span(ctx context.Context, take func(*commit) error) (done bool, err error) {
	link := r.c.linked()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(link, cancel)()

	cons, err := r.consumer(ctx)
	if err != nil {
		return false, err
	}
	r.opened = true
	defer r.discard(cons.CachedInfo().Name)
	pending := cons.CachedInfo().NumPending
	if pending == 0 && !r.follow {
		return true, nil
	}
	fresh := r.fresh
	r.fresh = false
	if pending == 0 && r.after != nil && r.last == 0 && !fresh {
		if err := r.checkResume(ctx); err != nil {
			return false, err
		}
	}
	if pending == 0 {
		r.isReady(0)
	}
	delivered, counted := cons.CachedInfo().Delivered.Stream, uint64(0)
	for {
		// A batch ends before the message that would not fit, which the next one then begins
		// with. A commit in the log has half a megabyte and its headers, so that each fits.
		batch, err := cons.Fetch(readBatch, jetstream.FetchContext(ctx), jetstream.FetchMaxBytes(readBytes))
		if err != nil {
			return false, err
		}
		got := 0
		for m := range batch.Messages() {
			got++
			if err != nil || done {
				continue // the batch is read to its end, so that nothing stays behind
			}
			counted++
			if done, err = r.message(ctx, m, counted, take); err != nil || done {
				cancel()
			}
		}
		switch {
		case err != nil || done:
			return done, err
		case batch.Error() != nil:
			return false, batch.Error()
		case ctx.Err() != nil:
			return false, ctx.Err()
		case got > 0:
			continue
		}
		// Silence. If the last message was lost, no next one tells.
		info, err := cons.Info(ctx)
		if err != nil {
			return false, err
		}
		if info.Delivered.Stream > max(delivered, r.last) {
			return false, errLost
		}
	}
}

// isReady tells once where the reader stands: at its resume point, or before the first
// commit there is, which follows prev, 0 in an empty feed.
func (r *reader) isReady(prev uint64) {
	if r.ready == nil {
		return
	}
	at := subjects.Position{Commit: prev, Index: whole}
	if r.after != nil {
		at = *r.after
	}
	r.ready(spell(at))
	r.ready = nil
}

func (r *reader) consumer(ctx context.Context) (jetstream.Consumer, error) {
	cfg := jetstream.ConsumerConfig{
		Description:       "feed of a Kalahari session",
		FilterSubject:     r.c.ns.Log(r.session),
		AckPolicy:         jetstream.AckNonePolicy,
		DeliverPolicy:     jetstream.DeliverAllPolicy,
		InactiveThreshold: readIdle,
		MemoryStorage:     true,
		Replicas:          1,
	}
	switch {
	case r.last != 0:
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.last+1
	case r.from != 0:
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.from
	case !r.at.IsZero():
		cfg.DeliverPolicy, cfg.OptStartTime = jetstream.DeliverByStartTimePolicy, &r.at
	}
	ctx, cancel := context.WithTimeout(ctx, r.c.timeout)
	defer cancel()
	return r.c.js.CreateConsumer(ctx, r.c.ns.LogStream(r.c.ns.Shard(r.session)), cfg)
}

// discard removes a consumer. If that fails the server does it after readIdle.
func (r *reader) discard(name string) {
	if !r.c.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := r.c.js.DeleteConsumer(ctx, r.c.ns.LogStream(r.c.ns.Shard(r.session)), name); err != nil {
		r.c.log.Debug("feed consumer is left to the server", "session", r.session, "consumer", name, "error", err)
	}
}

// checkResume asks the stream's leader whether a resume point with nothing behind it is
// one: the commit it stands in, or at least one after it, is always kept.
func (r *reader) checkResume(ctx context.Context) error {
	last, err := r.lastCommit(ctx)
	switch {
	case err != nil:
		return err
	case r.after.Index == whole && last == r.after.Commit:
		return nil // the commit that would stand there is the next one, or the first
	case last == 0:
		return fmt.Errorf("%w: %s: the feed is empty", ErrPosition, spell(*r.after))
	case last < r.from:
		return fmt.Errorf("%w: %s: the feed ends at %d", ErrPosition, spell(*r.after), last)
	}
	return nil // a replica that lags
}

// lastCommit asks the stream's leader for the sequence of the session's last commit; 0 if
// there is none. The commit comes with it, up to 512 KiB: the server tells the sequence in no
// other way that is the leader's word.
func (r *reader) lastCommit(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, r.c.timeout)
	defer cancel()
	stream, err := r.c.js.Stream(ctx, r.c.ns.LogStream(r.c.ns.Shard(r.session)))
	if err != nil {
		return 0, err
	}
	last, err := stream.GetLastMsgForSubject(ctx, r.c.ns.Log(r.session))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, nil
	case err != nil:
		return 0, err
	}
	return last.Sequence, nil
}

// message passes one message on.
func (r *reader) message(ctx context.Context, m jetstream.Msg, count uint64, take func(*commit) error) (done bool, err error) {
	meta, err := m.Metadata()
	if err != nil {
		return false, err
	}
	if meta.Sequence.Consumer != count {
		return false, errLost
	}
	end := !r.follow && meta.NumPending == 0
	if seq := meta.Sequence.Stream; seq <= r.last || seq < r.from {
		return end, nil
	}
	k := &commit{session: r.session, sequence: meta.Sequence.Stream}
	if k.prev, err = strconv.ParseUint(m.Headers().Get(subjects.HeaderPrev), 10, 64); err != nil {
		return false, fmt.Errorf("%w: message %d: header %s: %w", ErrCorrupt, k.sequence, subjects.HeaderPrev, err)
	}
	if err := r.continues(k); err != nil {
		return false, err
	}
	if k.events, err = r.events(ctx, k.sequence, m.Data()); err != nil {
		return false, err
	}
	if err := take(k); err != nil {
		return false, callerError{err}
	}
	r.last = k.sequence
	if n := len(k.events); n > 0 {
		r.where = k.position(n - 1)
	}
	return end, nil
}

// continues checks that k follows what was read before.
func (r *reader) continues(k *commit) error {
	switch {
	case r.last != 0 && k.prev > r.last:
		return &GapError{Session: r.session, After: r.where, Oldest: k.position(0)}
	case r.last != 0 && k.prev < r.last:
		return fmt.Errorf("%w: commit %d follows %d and says it follows %d", ErrCorrupt, k.sequence, r.last, k.prev)
	case r.last == 0 && r.after != nil && k.prev > r.after.Commit:
		return &GapError{Session: r.session, After: *r.after, Oldest: k.position(0)}
	case r.last == 0 && r.after != nil && k.prev < r.after.Commit:
		return fmt.Errorf("%w: %s: no commit of the session stands there", ErrPosition, spell(*r.after))
	}
	return nil
}

// events reads a commit's body, from the object store if it was too large for a message.
func (r *reader) events(ctx context.Context, sequence uint64, data []byte) ([]jsontext.Value, error) {
	var body struct {
		Events  []jsontext.Value `json:"events"`
		DataRef string           `json:"dataref"`
	}
	err := json.Unmarshal(data, &body)
	if err == nil && body.DataRef != "" {
		var blob []byte
		if blob, err = r.blob(ctx, body.DataRef); err != nil {
			if errors.Is(err, kv.ErrNoBlob) || errors.Is(err, kv.ErrCorrupt) {
				err = fmt.Errorf("%w: commit %d: %w", ErrCorrupt, sequence, err)
			}
			return nil, err
		}
		err = json.Unmarshal(blob, &body)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: commit %d: %w", ErrCorrupt, sequence, err)
	}
	return body.Events, nil
}

func (r *reader) blob(ctx context.Context, ref string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, r.c.transfer())
	defer cancel()
	blobs, err := r.c.objects(ctx)
	if err != nil {
		return nil, err
	}
	return blobs.Body(ctx, r.session, ref)
}

// logEnd is where the log of a session's shard ends, by its leader's word and clock.
type logEnd struct {
	sequence uint64
	now      time.Time
}

func (c *Client) logEnd(ctx context.Context, session string) (logEnd, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	stream, err := c.js.Stream(ctx, c.ns.LogStream(c.ns.Shard(session)))
	if err != nil {
		return logEnd{}, err
	}
	info := stream.CachedInfo()
	return logEnd{info.State.LastSeq, info.TimeStamp}, nil
}

// errNotYet says that a position is not in the feed yet.
var errNotYet = errors.New("not in the feed yet")

// eventAt reads one event.
func (c *Client) eventAt(ctx context.Context, session string, p subjects.Position) (Event, error) {
	r := c.reader(session)
	r.resume(p)
	found := errNotYet
	var ev Event
	err := r.run(ctx, func(k *commit) error {
		if found = nil; p.Index >= len(k.events) {
			return fmt.Errorf("%w: %s: the commit has %d events", ErrPosition, p, len(k.events))
		}
		var err error
		if ev, err = k.event(p.Index); err != nil {
			return err
		}
		return errEnough
	})
	if err == nil {
		err = found
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return ev, err
}
