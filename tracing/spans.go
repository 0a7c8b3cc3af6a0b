package tracing

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/kalahari-run/kalahari/subjects"
)

// Attributes of our own.
const (
	AttrNamespace = attribute.Key("kalahari.namespace")
	AttrCommit    = attribute.Key("kalahari.commit.number")
	AttrFence     = attribute.Key("kalahari.fence")
	AttrRun       = attribute.Key("kalahari.run.id")
	AttrAttempt   = attribute.Key("kalahari.run.attempt")
)

// Event is what spans tell of a CloudEvent.
type Event struct{ ID, Source, Type string }

// Span is a span under way. The zero Span is none: its methods do nothing.
type Span struct{ s trace.Span }

// Recording tells whether anybody will see the span.
func (s Span) Recording() bool { return s.s != nil }

// Context is where the span stands in its trace; the zero SpanContext if there is none.
func (s Span) Context() trace.SpanContext {
	if s.s == nil {
		return trace.SpanContext{}
	}
	return s.s.SpanContext()
}

// Outcome says in a word what came of it.
func (s Span) Outcome(outcome string) {
	if s.s != nil {
		s.s.SetAttributes(attrOutcome.String(outcome))
	}
}

// Fail marks the span as failed. A nil error is no failure.
func (s Span) Fail(err error) {
	if s.s != nil && err != nil {
		s.s.RecordError(err)
		s.s.SetStatus(codes.Error, err.Error())
	}
}

// End ends the span. It may be called more than once.
func (s Span) End() {
	if s.s != nil {
		s.s.End()
	}
}

// Enabled tells whether spans are recorded at all. All span methods ask it first.
func (t *Telemetry) Enabled() bool { return t != nil && t.tracing }

// Publish is the span of a producer sending an event to a session. The event's extensions
// are those of the returned context.
func (t *Telemetry) Publish(ctx context.Context, subject, session string, ev Event) (context.Context, Span) {
	if !t.Enabled() {
		return ctx, Span{}
	}
	return t.start(ctx, "publish", semconv.MessagingOperationTypeSend, trace.SpanKindProducer,
		subject, session, nil, eventAttrs(ev)...)
}

// Admit is the span of a worker taking an input from a session's mailbox. It continues the
// trace the input was born in.
func (t *Telemetry) Admit(remote trace.SpanContext, session, inputID, eventType string) Span {
	if !t.Enabled() {
		return Span{}
	}
	ctx := trace.ContextWithRemoteSpanContext(context.Background(), remote)
	_, s := t.start(ctx, "process", semconv.MessagingOperationTypeProcess, trace.SpanKindConsumer,
		t.subject(subjects.Namespace.In, session), session, nil,
		semconv.MessagingMessageID(inputID), semconv.CloudEventsEventID(inputID), semconv.CloudEventsEventType(eventType))
	return s
}

// Commit is the span of one append to a session's log. It links to what the commit
// consumed, and is part of their trace if that is one.
func (t *Telemetry) Commit(session string, links []trace.SpanContext, number, fence uint64) Span {
	if !t.Enabled() {
		return Span{}
	}
	_, s := t.start(common(links), "commit", semconv.MessagingOperationTypeSend, trace.SpanKindProducer,
		t.subject(subjects.Namespace.Log, session), session, links,
		AttrCommit.Int64(int64(number)), AttrFence.Int64(int64(fence)), semconv.MessagingBatchMessageCount(len(links)))
	return s
}

// Run is the span of one call of the executor, which gets the context. It links to what
// the run works on, and is part of their trace if that is one.
func (t *Telemetry) Run(ctx context.Context, links []trace.SpanContext, session, runID string, attempt uint64) (context.Context, Span) {
	if !t.Enabled() {
		return ctx, Span{}
	}
	if parent := trace.SpanContextFromContext(common(links)); parent.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, parent)
	}
	ctx, s := t.tracer.Start(ctx, "run {session}",
		trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithLinks(linksTo(links)...),
		trace.WithAttributes(
			semconv.MessagingMessageConversationID(session),
			AttrRun.String(runID), AttrAttempt.Int64(int64(attempt))))
	if t.bound {
		s.SetAttributes(AttrNamespace.String(t.ns.Name()))
	}
	return ctx, Span{s}
}

// Effect is the span of an event going out to fx or to a mob. commit is the span of the
// commit it belongs to.
func (t *Telemetry) Effect(commit trace.SpanContext, subject, session string, ev Event) Span {
	if !t.Enabled() {
		return Span{}
	}
	_, s := t.start(trace.ContextWithSpanContext(context.Background(), commit), "publish", semconv.MessagingOperationTypeSend,
		trace.SpanKindProducer, subject, session, nil, eventAttrs(ev)...)
	return s
}

func (t *Telemetry) start(ctx context.Context, op string, kind attribute.KeyValue, spanKind trace.SpanKind,
	subject, session string, links []trace.SpanContext, attrs ...attribute.KeyValue,
) (context.Context, Span) {
	name := op
	attrs = append(attrs,
		semconv.MessagingSystemKey.String("nats"),
		semconv.MessagingOperationName(op), kind,
		semconv.MessagingMessageConversationID(session))
	if subject != "" {
		pattern := template(subject)
		name += " " + pattern
		attrs = append(attrs, semconv.MessagingDestinationName(subject), semconv.MessagingDestinationTemplate(pattern))
	}
	if t.bound {
		attrs = append(attrs, AttrNamespace.String(t.ns.Name()))
	}
	ctx, s := t.tracer.Start(ctx, name, trace.WithSpanKind(spanKind),
		trace.WithLinks(linksTo(links)...), trace.WithAttributes(attrs...))
	return ctx, Span{s}
}

func (t *Telemetry) subject(of func(subjects.Namespace, string) string, session string) string {
	if !t.bound {
		return ""
	}
	return of(t.ns, session)
}

func eventAttrs(ev Event) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 10)
	attrs = append(attrs, semconv.MessagingMessageID(ev.ID), semconv.CloudEventsEventID(ev.ID), semconv.CloudEventsEventType(ev.Type))
	if ev.Source != "" {
		attrs = append(attrs, semconv.CloudEventsEventSource(ev.Source))
	}
	return attrs
}

// common is a context in the trace that all links belong to, under the first of them. If
// they belong to several, a trace of its own begins.
func common(links []trace.SpanContext) context.Context {
	var first trace.SpanContext
	for _, sc := range links {
		switch {
		case !sc.IsValid():
		case !first.IsValid():
			first = sc
		case sc.TraceID() != first.TraceID():
			return context.Background()
		}
	}
	return trace.ContextWithSpanContext(context.Background(), first)
}

func linksTo(contexts []trace.SpanContext) []trace.Link {
	var links []trace.Link
	for _, sc := range contexts {
		if sc.IsValid() {
			links = append(links, trace.Link{SpanContext: sc})
		}
	}
	return links
}

// template is a subject with what varies left open:
// kalahari.<ns>.{shard}.fx.{session}.InputCompleted.
func template(subject string) string {
	tokens := strings.Split(subject, ".")
	family := 2
	if len(tokens) > family && tokens[family] != "" && strings.Trim(tokens[family], "0123456789") == "" {
		tokens[family] = "{shard}"
		family++
	}
	if len(tokens) > family+1 {
		if tokens[family] == "mob" {
			tokens[family+1] = "{mob}"
		} else {
			tokens[family+1] = "{session}"
		}
	}
	if len(tokens) > family+2 && tokens[family] == "timer" {
		tokens[family+2] = "{id}"
	}
	return strings.Join(tokens, ".")
}
