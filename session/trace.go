package session

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/kalahari-run/kalahari/tracing"
)

// The trace of an input goes publish, admit, commit, run, effect. The admit span follows
// the one the event was born under; it is what everything caused by the input refers to,
// so its context is kept with the input and survives a change of owner. Commit and run
// take many inputs and link to them.

// traceAdmission opens the span of an input that is being admitted; it ends when the
// commit is stored.
func (s *Session) traceAdmission(in *input) {
	if !s.env.Trace.Enabled() {
		return
	}
	span := s.env.Trace.Admit(tracing.FromExtensions(in.TraceParent, in.TraceState), s.id, in.ID, in.Type)
	in.TraceParent, in.TraceState = tracing.Extensions(span.Context())
	s.next.spans = append(s.next.spans, span)
}

func (e *entry) span() trace.SpanContext {
	return tracing.FromExtensions(e.TraceParent, e.TraceState)
}

// traceCommit opens the span of the commit; done ends it with those of its inputs and
// tells of the effects that leave.
func (s *Session) traceCommit() (done func(error)) {
	if !s.env.Trace.Enabled() {
		return func(error) {}
	}
	p := &s.next
	links := make([]trace.SpanContext, 0, len(p.spans)+len(p.causes))
	linked := make(map[trace.SpanID]bool, cap(links))
	link := func(sc trace.SpanContext) {
		// An input may be admitted and end in one commit, and have had several runs there.
		if !sc.IsValid() || !linked[sc.SpanID()] {
			linked[sc.SpanID()] = true
			links = append(links, sc)
		}
	}
	for _, sc := range p.causes {
		link(sc)
	}
	for _, span := range p.spans {
		link(span.Context())
	}
	span := s.env.Trace.Commit(s.id, links, s.writer.NextNumber(), s.owner.Fence)
	return func(err error) {
		if err != nil {
			span.Fail(err)
		} else {
			for i := range p.out {
				o := &p.out[i]
				if o.Name == "" {
					continue // a timer or a message to a peer
				}
				s.env.Trace.Effect(span.Context(), s.env.Namespace.Fx(s.id, o.Name), s.id, tracing.Event{
					ID: o.ID, Type: o.Type, Source: s.env.Namespace.Source(s.id),
				}).End()
			}
		}
		for _, admitted := range p.spans {
			if err != nil {
				admitted.Fail(err)
			}
			admitted.End()
		}
		span.End()
	}
}

// traceCauses makes the commit link to inputs that it ends, so that what a run produced
// hangs together with what asked for it.
func (s *Session) traceCauses(inputs []*entry) {
	if !s.env.Trace.Enabled() {
		return
	}
	for _, e := range inputs {
		s.next.causes = append(s.next.causes, e.span())
	}
}

// traceRun opens the span of an executor call.
func (s *Session) traceRun(ctx context.Context, id string, attempt uint64, batch []*entry) (context.Context, func(error)) {
	if !s.env.Trace.Enabled() {
		return ctx, func(error) {}
	}
	links := make([]trace.SpanContext, 0, len(batch))
	for _, e := range batch {
		links = append(links, e.span())
	}
	ctx, span := s.env.Trace.Run(ctx, links, s.id, id, attempt)
	return ctx, func(err error) {
		if err != nil {
			span.Fail(err)
		}
		span.End()
	}
}
