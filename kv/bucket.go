package kv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// writeHeader carries the id of a write, by which the writer recognises it when
// it is read back (rule 11). It is no Nats-Msg-Id: an answer "duplicate" would
// say that something was stored, not what (rule 2).
const writeHeader = "Kalahari-Write"

// markerTTL is how long the marker of a deleted key stays: watchers that were
// away for longer list everything again anyway. Without it every session that
// ever slept would leave a marker for ever.
const markerTTL = subjects.MarkerTTL

// attemptTimeout bounds one round trip. What has no answer by then is unknown,
// is read back, and is sent again: being impatient is safe.
const attemptTimeout = 3 * time.Second

// bucket is one KV bucket, written by raw publishes on its $KV subjects:
// nats.go's kv hides the outcome of a write, and drops TTLs on update (rule 21).
type bucket struct {
	js     jetstream.JetStream
	name   string
	stream string
	prefix string // of the subject of a key, as stored
	put    string // of the subject a key is published on
	api    string
}

func newBucket(js jetstream.JetStream, name string) *bucket {
	return newBucketOn(js, name, subjects.KVStream(name), subjects.KVSubject(name, ""))
}

func newBucketOn(js jetstream.JetStream, name, stream, prefix string) *bucket {
	b := &bucket{js: js, name: name, stream: stream, prefix: prefix, api: subjects.APIPrefix(js.Options())}
	b.put = b.prefix
	if b.api != jetstream.DefaultAPIPrefix {
		b.put = b.api + b.prefix // as nats.go does for a bucket of another domain
	}
	return b
}

// entry is the last message of a key. The zero entry is a key that has none.
type entry struct {
	key    string
	value  []byte
	header nats.Header
	seq    uint64
	gone   bool // no value: never written, deleted, or expired
	write  string
}

func newEntry(key string, seq uint64, h nats.Header, value []byte) entry {
	return entry{
		key: key, value: value, header: h, seq: seq, write: h.Get(writeHeader),
		gone: seq == 0 || h.Get("KV-Operation") != "" || h.Get(jetstream.MarkerReasonHeader) != "",
	}
}

// read asks the stream's leader for the last message of a key (rule 13).
func (b *bucket) read(ctx context.Context, key string) (entry, error) {
	return b.get(ctx, map[string]any{"last_by_subj": b.prefix + key})
}

// next asks the stream's leader for the first message of a key from seq on.
func (b *bucket) next(ctx context.Context, key string, seq uint64) (entry, error) {
	return b.get(ctx, map[string]any{"next_by_subj": b.prefix + key, "seq": seq})
}

func (b *bucket) get(ctx context.Context, question map[string]any) (entry, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	q, err := json.Marshal(question)
	if err != nil {
		return entry{}, err
	}
	msg, err := b.js.Conn().RequestWithContext(ctx, b.api+"STREAM.MSG.GET."+b.stream, q)
	if err != nil {
		return entry{}, fmt.Errorf("read %s: %w", b.name, err)
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Subject  string `json:"subject"`
			Sequence uint64 `json:"seq"`
			Header   []byte `json:"hdrs"`
			Data     []byte `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return entry{}, fmt.Errorf("read %s: %w", b.name, err)
	}
	switch {
	case answer.Error == nil:
	case answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return entry{gone: true}, nil
	default:
		return entry{}, fmt.Errorf("read %s: %w", b.name, answer.Error)
	}
	var h nats.Header
	if len(answer.Message.Header) > 0 {
		if h, err = nats.DecodeHeadersMsg(answer.Message.Header); err != nil {
			return entry{}, fmt.Errorf("read %s: %w", b.name, err)
		}
	}
	m := answer.Message
	return newEntry(strings.TrimPrefix(m.Subject, b.prefix), m.Sequence, h, m.Data), nil
}

// batch reads up to limit keys that match, from seq on, in the order of their
// sequences, and tells whether there are more. Any replica may answer: for
// lists, not for decisions (rule 13).
func (b *bucket) batch(ctx context.Context, filter string, seq uint64, limit int) (entries []entry, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*attemptTimeout)
	defer cancel()
	nc := b.js.Conn()
	sub, err := nc.SubscribeSync(nc.NewInbox())
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	q, err := json.Marshal(map[string]any{"next_by_subj": b.prefix + filter, "seq": seq, "batch": limit})
	if err != nil {
		return nil, false, err
	}
	if err := nc.PublishRequest(b.api+"DIRECT.GET."+b.stream, sub.Subject, q); err != nil {
		return nil, false, err
	}
	for {
		m, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			return nil, false, err
		}
		switch status := m.Header.Get("Status"); status {
		case "":
		case "404": // none
			return nil, false, nil
		case "204": // end of batch
			pending, err := strconv.ParseUint(m.Header.Get("Nats-Num-Pending"), 10, 64)
			return entries, pending > 0, err
		default:
			return nil, false, fmt.Errorf("read %s: status %s %s", b.name, status, m.Header.Get("Description"))
		}
		at, err := strconv.ParseUint(m.Header.Get(jetstream.SequenceHeader), 10, 64)
		if err != nil {
			return nil, false, fmt.Errorf("read %s: %w", b.name, err)
		}
		key := strings.TrimPrefix(m.Header.Get(jetstream.SubjectHeader), b.prefix)
		entries = append(entries, newEntry(key, at, m.Header, m.Data))
	}
}

// write is one intended change of a key. It is sent as often as it takes, always
// with the same bytes and the same expectation.
type write struct {
	key      string
	id       string // unique; see writeHeader
	expected uint64 // last sequence of the key; 0: it has none
	value    []byte
	header   nats.Header
	ttl      time.Duration // 0: for ever
	remove   bool          // a delete marker instead of a value
}

func (b *bucket) message(w write) *nats.Msg {
	m := nats.NewMsg(b.put + w.key)
	m.Data = w.value
	for k, v := range w.header {
		m.Header[k] = v
	}
	m.Header.Set(writeHeader, w.id)
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(w.expected, 10))
	if w.ttl > 0 {
		m.Header.Set(jetstream.MsgTTLHeader, w.ttl.String())
	}
	if w.remove {
		m.Header.Set("KV-Operation", "DEL")
	}
	return m
}

// lostError is a compare-and-swap that is known never to be stored. It carries
// what stood there; that may be stale, but never the writer's own write.
type lostError struct{ found entry }

func (e *lostError) Error() string {
	if e.found.gone {
		return fmt.Sprintf("%s: no value at revision %d", ErrMoved, e.found.seq)
	}
	return fmt.Sprintf("%s: revision %d", ErrMoved, e.found.seq)
}

func (e *lostError) Is(target error) bool { return target == ErrMoved }

// maxRefusals is how often in a row "refused" and a leader read that shows an
// older state are weighed against each other before the refusal is believed.
const maxRefusals = 4

// cas writes w and returns the new revision. It returns a *lostError when the
// key is known to have moved on without it, ErrUndecided when ctx ends first,
// and any other error only if w was certainly not stored.
//
// A refusal alone is not a defeat, and a timeout is not an absence (rules 4, 11):
// either may hide that an earlier copy of w was stored. The leader's copy of the
// key tells: w's id there is success. The expected sequence still there means
// that w is not stored *yet*; an old copy may be in flight, so only the same
// bytes may follow it. A later sequence is final, since the sequence of a key
// only grows and w can be accepted at one sequence alone. An earlier one is a
// stale answer, or a key whose last message was removed by its age.
func (b *bucket) cas(ctx context.Context, w write) (uint64, error) {
	var unsure bool // a copy of w may be stored, or may be in flight
	var refusals int
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	for attempt := 0; ; attempt++ {
		seq, err := b.publish(ctx, w)
		if err == nil {
			return seq, nil
		}
		verdict := judge(err)
		if verdict == final && !unsure {
			return 0, err
		}
		if verdict == unknown {
			unsure = true
			refusals = 0
		} else {
			refusals++
		}
		found, readErr := b.read(ctx, w.key)
		switch {
		case readErr != nil:
		case found.write == w.id:
			return found.seq, nil
		case found.seq > w.expected:
			return 0, &lostError{found}
		case found.seq < w.expected && verdict == refused && (!unsure || refusals >= maxRefusals):
			return 0, &lostError{found}
		}
		if closed := b.js.Conn().IsClosed(); closed || ctx.Err() != nil || !pause(ctx, attempt) {
			if !unsure {
				return 0, errors.Join(err, ctx.Err())
			}
			return 0, fmt.Errorf("%w: %w", ErrUndecided, errors.Join(err, ctx.Err()))
		}
	}
}

func (b *bucket) publish(ctx context.Context, w write) (uint64, error) {
	attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	// The library's own retries are off: cas is the one place that decides.
	ack, err := b.js.PublishMsg(attempt, b.message(w), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// verdict is what an error says about a publish.
type verdict int

const (
	unknown verdict = iota // stored, or not, or in flight
	refused                // this copy lost the compare-and-swap
	final                  // this copy is not stored, and no retry will change that
)

// judge sorts the errors of a publish (rule 4). Whatever is not known to be
// definite is unknown.
func judge(err error) verdict {
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) {
		switch api.ErrorCode {
		case jetstream.JSErrCodeStreamWrongLastSequence: // 10071
			return refused
		case
			10054, // message size exceeds maximum allowed
			10060, // expected stream does not match
			10165, // invalid per-message TTL
			10166: // per-message TTL is disabled
			return final
		}
		return unknown // 10164 and 10158 above all: undecided, in flight
	}
	if errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrBadSubject) || errors.Is(err, nats.ErrHeadersNotSupported) {
		return final
	}
	return unknown
}

// pause waits before the next attempt: a few milliseconds at first, a second at
// most, never in step with others. It reports whether ctx is still alive.
func pause(ctx context.Context, attempt int) bool {
	most := min(time.Second, 10*time.Millisecond<<min(attempt, 10))
	t := time.NewTimer(most/2 + rand.N(most/2))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
