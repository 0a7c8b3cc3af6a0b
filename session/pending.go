package session

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
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
	// steps is the JSON array of the kernel's steps so far, without its brackets.
	steps []byte
	taken int
	// events are the public events in order, in the JSON event format.
	events []byte
	count  int
	out    []outgoing
	delta  delta
	cursor uint64
	// payload is the size of the events that the delta carries whole.
	payload int
	// inputs counts the mailbox messages in it.
	inputs int
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

func (p *pending) empty() bool {
	return p.taken == 0 && p.count == 0 && p.inputs == 0 && !p.claim
}

// bytes is about what the commit's body takes.
func (p *pending) bytes() int { return len(p.steps) + len(p.events) + p.payload }

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
		now: s.now(), steps: p.steps[:0], events: p.events[:0], out: nil,
		stored: p.stored[:0], cursor: s.cursor,
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
	if p.taken > 0 {
		p.steps = append(p.steps, ',')
	}
	p.steps = append(p.steps, `["`...)
	p.steps = append(p.steps, t.TriggerName()...)
	p.steps = append(p.steps, `","`...)
	p.steps = append(p.steps, rule...)
	p.steps = append(p.steps, `",`...)
	steps, err := kernel.AppendTrigger(p.steps, t)
	if err != nil {
		panic("session: a trigger could not be encoded: " + err.Error())
	}
	p.steps = append(steps, ']')
	p.taken++
}

func (s *Session) effect(e kernel.Effect, c cause) {
	name := e.EffectName()
	if !subjects.Public(name) {
		return
	}
	data, err := kernel.MarshalEffect(e)
	if err != nil {
		panic("session: an effect could not be encoded: " + err.Error())
	}
	s.emit(name, subjects.EffectType(name), data, c)
}

func (s *Session) outcome(name string, data any, c cause) {
	s.emit(name, subjects.OutcomeType(name), encoded(data), c)
}

// emit adds a public event to the commit, to fx if the published set has it, and to the
// mob if it is one of the mob's signals.
func (s *Session) emit(name, eventType string, data jsontext.Value, c cause) {
	mob := ""
	if subjects.Signal(name) {
		mob = s.ledger.Mob
		if s.next.delta.Mob != "" {
			mob = s.next.delta.Mob
		}
	}
	s.emitTo(mob, name, eventType, data, c)
}

// emitTo is emit to a mob as well, unless it is "".
func (s *Session) emitTo(mob, name, eventType string, data jsontext.Value, c cause) {
	p := &s.next
	o := outgoing{
		Name: name, ID: subjects.EventID(s.id, s.position()), Type: eventType, Time: p.stamp(),
		Fence: s.owner.Fence, Cause: c.event, Correlation: c.correlation,
		TraceParent: c.traceParent, TraceState: c.traceState, Data: data,
	}
	if s.env.Published.Includes(name) {
		p.delta.Sequence++
		o.Sequence = p.delta.Sequence
		p.delta.Sent++
		o.Ordinal = p.delta.Sent
		p.out = append(p.out, o)
	}
	if p.count > 0 {
		p.events = append(p.events, ',')
	}
	p.events = o.appendEvent(p.events, s.env.Namespace, s.id)
	p.count++
	if mob != "" {
		p.delta.Sent++
		o.Ordinal, o.Mob = p.delta.Sent, mob
		p.out = append(p.out, o)
	}
}

// position is where the next event of the commit will stand in the feed: behind the
// commit that the new one follows. That sequence is known before the commit is stored,
// belongs to one stored commit only, and is where a reader resumes.
func (s *Session) position() subjects.Position {
	return subjects.Position{Commit: s.writer.Position().Sequence, Index: s.next.count}
}

// body appends the commit's data to b.
func (s *Session) body(b []byte, kind string) []byte {
	p := &s.next
	b = slices.Grow(b, p.bytes()+512)
	b = append(b, `{"events":[`...)
	b = append(b, p.events...)
	b = append(b, `],"record":{"v":`...)
	b = strconv.AppendInt(b, recordVersion, 10)
	b = append(b, `,"kernel":`...)
	b = strconv.AppendInt(b, kernel.Version, 10)
	b = append(b, `,"kind":"`...)
	b = append(b, kind...)
	b = append(b, `","worker":`...)
	b = appendString(b, string(s.owner.Incarnation))
	b = append(b, `,"at":`...)
	b = appendString(b, p.stamp())
	b = append(b, `,"cursor":`...)
	b = strconv.AppendUint(b, p.cursor, 10)
	b = append(b, `,"confirmed":`...)
	b = strconv.AppendUint(b, s.outbox.confirmed(), 10)
	b = append(b, `,"steps":[`...)
	b = append(b, p.steps...)
	b = append(b, `],"delta":`...)
	b = p.delta.append(b)
	if len(p.out) > len(p.delta.Arm)+len(p.delta.Post) {
		// The events say what goes to fx; the signals are told apart here. Timers and
		// messages to peers stand in the delta.
		b = append(b, `,"out":[`...)
		begun := false
		for i := range p.out {
			o := &p.out[i]
			if o.Schedule != "" || o.To != "" {
				continue
			}
			if begun {
				b = append(b, ',')
			}
			begun = true
			b = append(b, '[')
			b = strconv.AppendUint(b, o.Ordinal, 10)
			b = append(b, ',')
			b = appendString(b, o.ID)
			b = append(b, ',')
			b = appendString(b, o.Mob)
			b = append(b, ']')
		}
		b = append(b, ']')
	}
	return append(b, `}}`...)
}
