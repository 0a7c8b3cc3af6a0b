package journal

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// Log is the log streams of a namespace.
type Log struct {
	js     jetstream.JetStream
	ns     subjects.Namespace
	shards []jetstream.Stream
	acks   *acks

	// tries counts the commits that all writers here tried. Commit ids carry it: a session
	// that is recovered under the fence it has gets a new writer, and must not use an id
	// of the old one again (PROTOCOL 2).
	tries atomic.Uint64
}

// Open opens the log streams of ns. They must exist. Close it in the end.
func Open(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) (*Log, error) {
	l := &Log{js: js, ns: ns}
	for shard := range ns.Shards() {
		s, err := js.Stream(ctx, ns.LogStream(shard))
		if err != nil {
			return nil, fmt.Errorf("log stream %s: %w", ns.LogStream(shard), err)
		}
		// A follower's answer may lag behind an acked commit (PROTOCOL 13).
		if s.CachedInfo().Config.AllowDirect {
			return nil, fmt.Errorf("log stream %s allows direct gets: its reads would not be the leader's", ns.LogStream(shard))
		}
		l.shards = append(l.shards, s)
	}
	var err error
	if l.acks, err = newAcks(js.Conn()); err != nil {
		return nil, err
	}
	return l, nil
}

// Close ends the log. Appends under way stay undecided.
func (l *Log) Close() { _ = l.acks.sub.Unsubscribe() } // the connection may be gone

// Stream is the stream that has the log of a session.
func (l *Log) Stream(session string) jetstream.Stream { return l.shards[l.ns.Shard(session)] }

// Last reads the last commit of a session from the stream's leader, nil if there is
// none.
func (l *Log) Last(ctx context.Context, session string) (*Message, error) {
	raw, err := l.Stream(session).GetLastMsgForSubject(ctx, l.ns.Log(session))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tail of session %s: %w", session, err)
	}
	return parseMessage(session, raw)
}

// From reads the first commit of a session whose stream sequence is at least seq, nil if
// there is none.
func (l *Log) From(ctx context.Context, session string, seq uint64) (*Message, error) {
	raw, err := l.Stream(session).GetMsg(ctx, max(seq, 1), jetstream.WithGetMsgSubject(l.ns.Log(session)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the log of session %s from %d: %w", session, seq, err)
	}
	return parseMessage(session, raw)
}

// Trim removes the commits of a session before stream sequence seq, which itself stays.
// The caller has a confirmed snapshot at or behind seq (PROTOCOL 8, 20).
func (l *Log) Trim(ctx context.Context, session string, seq uint64) error {
	err := l.Stream(session).Purge(ctx, jetstream.WithPurgeSubject(l.ns.Log(session)), jetstream.WithPurgeSequence(seq))
	if err != nil {
		return fmt.Errorf("trim the log of session %s to %d: %w", session, seq, err)
	}
	return nil
}
