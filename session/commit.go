package session

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// bodies are buffers for commit bodies. An append has no more use for one once it returns:
// every try copies it into the connection's buffer.
var bodies = sync.Pool{New: func() any { return new([]byte) }}

// commit appends what is pending and, once that is known stored, lets everything out
// that follows from it (PROTOCOL 3).
func (s *Session) commit(ctx context.Context, kind string) error {
	if s.failure != nil {
		return s.failure
	}
	p := &s.next
	for _, d := range p.dead {
		if err := s.bury(ctx, d); err != nil {
			return err
		}
	}
	s.swept()
	buf := bodies.Get().(*[]byte)
	defer bodies.Put(buf)
	*buf = s.body((*buf)[:0], kind)
	p.done()
	data, ref := *buf, ""
	if len(data) > subjects.MaxInlineCommit {
		var err error
		ref, err = s.env.Store.Blobs.PutBody(ctx, s.id, data)
		if err != nil {
			return fmt.Errorf("session %s: commit body of %d bytes: %w", s.id, len(data), err)
		}
		data = mustJSON(map[string]string{"dataref": ref})
	}
	started, traced := time.Now(), s.traceCommit()
	on := commitSheets.Get().(*sheet)
	defer commitSheets.Put(on)
	s.tail += len(*buf)
	if err := s.writer.Append(ctx, s.header(on), data); err != nil {
		s.env.Telemetry.Refused()
		traced(err)
		return err
	}
	s.env.Telemetry.Committed(time.Since(started), p.inputs)
	traced(nil)
	s.trimming.spill(s.writer.Position().Number, ref)
	s.cursor = p.cursor
	if p.inputs > 0 {
		s.published = p.published
	}
	s.noteBusy()
	s.ledger.Sequence, s.ledger.Sent = p.delta.Sequence, p.delta.Sent
	// Runs first: they take longest, and executors work while effects are sent.
	for _, f := range p.stored {
		f()
	}
	if len(s.unsent) > 0 {
		s.outbox.publish(s.unsent)
		s.unsent = nil
	}
	s.outbox.publish(p.out)
	s.sweepDropped()
	return nil
}

// header makes the commit a CloudEvent in binary mode.
func (s *Session) header(on *sheet) nats.Header {
	on.set(commitID, s.id+"/"+strconv.FormatUint(s.writer.Position().Sequence, 10))
	on.set(commitSource, s.source)
	on.set(commitSubject, s.id)
	on.set(commitTime, s.next.stamp())
	on.set(commitFence, strconv.FormatUint(s.owner.Fence, 10))
	return on.msg.Header
}
