package session

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// pending is a commit under construction: the kernel steps taken since the last commit,
// what they let out, and how they change the ledger. The kernel and the ledger are
// already ahead by it; if the log refuses it, both are thrown away and folded anew.
type pending struct {
	now time.Time
	// stamped is now in words, made when it is first asked for.
	stamped   string
	stampedAt time.Time
	// page is where steps and events are written, nil while there are none.
	page   *page
	taken  int // steps
	count  int // events
	out    []outgoing
	delta  delta
	cursor uint64
	// payload is the size of the events that the delta carries whole.
	payload int
	// inputs counts the mailbox messages in it, published is when the last one was.
	inputs    int
	published time.Time
	// claim says that the commit must be appended even if nothing happened.
	claim bool
	// stored are what to do once the commit is known stored, in order.
	stored []func()
	// spans are those of the inputs admitted.
	spans []tracing.Span
	// causes are the traces of the inputs whose run is over.
	causes []trace.SpanContext
	// dead are messages that the commit passes over.
	dead []letter
}

// page holds what is written of a commit before its body is put together. Sessions that
// wait hold none.
type page struct {
	// log has the kernel's steps so far, and the ids of the record.
	log kernel.StepWriter
	// events are the public events in order, in the JSON event format.
	events []byte
	// data is that of the event at hand.
	data   []byte
	object object // writes data
}

var pages = sync.Pool{New: func() any { return &page{events: make([]byte, 0, 6<<10)} }}

// maxPage is the largest page that is kept for the next commit: one that a group commit fills.
const maxPage = 2 * DefaultCommitBytes

func (p *pending) open() *page {
	if p.page == nil {
		p.page = pages.Get().(*page)
	}
	return p.page
}

// done gives the page back once the commit's body is put together: the next session writes on
// one that is still in the processor's cache, and sessions that wait for the log hold none.
func (p *pending) done() {
	if g := p.page; g != nil && cap(g.log.Steps)+cap(g.events)+cap(g.data) <= maxPage {
		g.log.Reset()
		g.events = g.events[:0]
		pages.Put(g)
	}
	p.page = nil
}

func (p *pending) empty() bool {
	// Commands that are forgotten take no step. It happens alone where a new owner remembers less.
	return p.taken == 0 && p.count == 0 && p.inputs == 0 && !p.claim && len(p.delta.Forget) == 0
}

// bytes is about what the commit's body takes.
func (p *pending) bytes() int {
	if p.page == nil {
		return p.payload
	}
	return len(p.page.log.Steps) + p.page.log.IDs.Bytes() + len(p.page.events) + p.payload
}

// stamp is now as events and records write it.
func (p *pending) stamp() string {
	if p.stamped == "" || p.stampedAt != p.now {
		p.stamped, p.stampedAt = stamp(p.now), p.now
	}
	return p.stamped
}

// begin opens the next commit.
func (s *Session) begin() {
	p := &s.next
	*p = pending{
		now: s.now(), stored: p.stored[:0], cursor: s.cursor,
	}
	p.delta.Sequence, p.delta.Sent = s.ledger.Sequence, s.ledger.Sent
}

// apply runs one trigger through the kernel. If a rule takes it, the step goes into the
// commit and its public effects become events caused by c.
func (s *Session) apply(t kernel.Trigger, c cause) kernel.Outcome {
	o := s.kernel.Apply(t)
	if !o.OK() {
		return o
	}
	s.next.record(t, o.Rule)
	for _, e := range o.Effects {
		s.effect(e, c)
	}
	return o
}

// must applies a trigger whose acceptance the caller has made sure of. A refusal means
// that session and kernel disagree about the state: the session gives up its state and
// recovers from the log.
func (s *Session) must(t kernel.Trigger, c cause) kernel.Outcome {
	o := s.apply(t, c)
	if !o.OK() {
		s.fail(fmt.Errorf("session %s: %s", s.id, o.Refusal))
	}
	return o
}

func (p *pending) record(t kernel.Trigger, rule string) {
	if err := p.open().log.Add(rule, t); err != nil {
		panic("session: a trigger could not be encoded: " + err.Error())
	}
	p.taken++
}

func (s *Session) effect(e kernel.Effect, c cause) {
	event := subjects.Public(e.EffectName())
	if event == nil {
		return
	}
	g := s.next.open()
	data, err := kernel.AppendEffect(g.data[:0], e)
	if err != nil {
		panic("session: an effect could not be encoded: " + err.Error())
	}
	g.data = data
	s.emit(event, data, c)
}

func (s *Session) outcome(name string, data any, c cause) {
	s.emit(subjects.Public(name), s.next.open().write(data), c)
}

// emit adds a public event to the commit, to fx if the published set has it, and to the
// mob if it is one of the mob's signals. The data is copied.
func (s *Session) emit(event *subjects.EventType, data []byte, c cause) {
	mob := ""
	if event.Signal {
		mob = s.ledger.Mob
		if s.next.delta.Mob != "" {
			mob = s.next.delta.Mob
		}
	}
	s.emitTo(mob, event, data, c)
}

// emitTo is emit to a mob as well, unless it is "".
func (s *Session) emitTo(mob string, event *subjects.EventType, data []byte, c cause) {
	p := &s.next
	o := outgoing{
		Name: event.Name, Type: event.Type, Time: p.stamp(), Fence: s.owner.Fence, Cause: c.event, Correlation: c.correlation,
		TraceParent: c.traceParent, TraceState: c.traceState, Data: data,
	}
	published := s.env.Published.Includes(event)
	if published {
		p.delta.Sequence++
		o.Sequence = p.delta.Sequence
	}
	at := s.position()
	b := p.open().events
	if p.count > 0 {
		b = append(b, ',')
	}
	p.page.events = o.appendEvent(b, s.id, s.source, at)
	p.count++
	if !published && mob == "" {
		return
	}
	o.ID, o.Data, o.index = subjects.EventID(s.id, at), bytes.Clone(data), at.Index
	if p.out == nil {
		p.out = make([]outgoing, 0, usualOut)
	}
	if published {
		p.delta.Sent++
		o.Ordinal = p.delta.Sent
		p.out = append(p.out, o)
	}
	if mob != "" {
		p.delta.Sent++
		o.Ordinal, o.Mob = p.delta.Sent, mob
		p.out = append(p.out, o)
	}
}

// usualOut is how many messages the commit of one prompt lets out: its own completion and
// the next one's acceptance.
const usualOut = 6

// position is where the next event of the commit will stand in the feed: behind the
// commit that the new one follows. That sequence is known before the commit is stored,
// belongs to one stored commit only, and is where a reader resumes.
func (s *Session) position() subjects.Position {
	return subjects.Position{Commit: s.writer.Position().Sequence, Index: s.next.count}
}

// body appends the commit's data to b.
func (s *Session) body(b []byte, kind string) []byte {
	p := &s.next
	g := p.open()
	b = slices.Grow(b, p.bytes()+512)
	b = append(b, `{"events":[`...)
	b = append(b, g.events...)
	b = append(b, `],"record":{"v":`...)
	b = strconv.AppendInt(b, recordVersion, 10)
	b = append(b, `,"kernel":`...)
	b = strconv.AppendInt(b, kernel.Version, 10)
	b = append(b, `,"kind":"`...)
	b = append(b, kind...)
	b = append(b, `","at":`...)
	b = appendString(b, p.stamp())
	b = append(b, `,"cursor":`...)
	b = strconv.AppendUint(b, p.cursor, 10)
	b = append(b, `,"confirmed":`...)
	b = strconv.AppendUint(b, s.outbox.confirmed(), 10)
	b = append(b, `,"steps":[`...)
	b = append(b, g.log.Steps...)
	b = append(b, `],"delta":`...)
	b = p.delta.append(b, &g.log.IDs, p.now)
	if len(p.out) > len(p.delta.Arm)+len(p.delta.Post) {
		b = append(b, `,"out":`...)
		b = appendOut(b, p.out)
	}
	if g.log.IDs.Len() > 0 {
		b = append(b, `,"ids":`...)
		b = g.log.IDs.AppendAll(b)
	}
	return append(b, `}}`...)
}

// appendOut appends which events leave: by its number in the commit one that goes to fx,
// a pair of the number and the mob a signal. Timers and messages to peers stand in the
// delta.
func appendOut(b []byte, out []outgoing) []byte {
	b = append(b, '[')
	begun := false
	for i := range out {
		o := &out[i]
		if o.Schedule != "" || o.To != "" {
			continue
		}
		if begun {
			b = append(b, ',')
		}
		begun = true
		if o.Mob == "" {
			b = strconv.AppendInt(b, int64(o.index), 10)
			continue
		}
		b = append(b, '[')
		b = strconv.AppendInt(b, int64(o.index), 10)
		b = append(b, ',')
		b = appendString(b, o.Mob)
		b = append(b, ']')
	}
	return append(b, ']')
}
