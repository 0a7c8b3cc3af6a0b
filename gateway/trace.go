package gateway

import (
	"context"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/event"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// A trace is for those who look on. One that cannot be read is dropped where it comes in,
// as the W3C's text demands, and never is a reason to refuse an event or to store it.

func readableParent(s string) bool {
	return len(s) <= subjects.MaxAttribute && tracing.FromExtensions(s, "").IsValid()
}

func readableState(s string) bool {
	_, err := oteltrace.ParseTraceState(s)
	return len(s) <= subjects.MaxAttribute && err == nil
}

// readableTrace is h without trace attributes that would make the event unreadable.
func readableTrace(h http.Header) http.Header {
	const parent, state = "Ce-" + subjects.ExtTraceParent, "Ce-" + subjects.ExtTraceState
	h = h.Clone()
	if v := h.Values(parent); len(v) > 0 && (len(v) > 1 || !readableParent(v[0])) {
		h.Del(parent)
	}
	if v := h.Values(state); len(v) > 1 || len(v) == 1 && len(v[0]) > subjects.MaxAttribute {
		h.Del(state)
	}
	return h
}

// trace keeps the event's own trace if it can be read, and otherwise gives it that of its
// request; if the request has a span here, the span of publishing is in it, and gives the
// event its own.
func trace(ev *event.Event, r *http.Request) {
	own, _ := ev.Extensions()[subjects.ExtTraceParent].(string)
	state, _ := ev.Extensions()[subjects.ExtTraceState].(string)
	if !readableParent(own) {
		own, state = r.Header.Get("traceparent"), r.Header.Get("tracestate")
		if oteltrace.SpanContextFromContext(r.Context()).IsValid() {
			own, state = "", ""
		}
	}
	if !readableParent(own) {
		own, state = "", ""
	}
	if !readableState(state) {
		state = ""
	}
	keep(ev, subjects.ExtTraceParent, own)
	keep(ev, subjects.ExtTraceState, state)
}

// publishing opens the span of an event's being published. An event without a trace is born
// in it.
func (g *Gateway) publishing(ctx context.Context, session string, ev *event.Event) tracing.Span {
	tel := g.cfg.Telemetry
	if !tel.Enabled() {
		return tracing.Span{}
	}
	_, span := tel.Publish(ctx, g.client.Namespace().In(session), session, tracing.Event{ID: ev.ID(), Source: ev.Source(), Type: ev.Type()})
	if _, has := ev.Extensions()[subjects.ExtTraceParent]; !has {
		parent, state := tracing.Extensions(span.Context())
		keep(ev, subjects.ExtTraceParent, parent)
		keep(ev, subjects.ExtTraceState, state)
	}
	return span
}

// keep sets an extension, or removes it.
func keep(ev *event.Event, name, value string) {
	if value == "" {
		ev.SetExtension(name, nil)
		return
	}
	ev.SetExtension(name, value)
}
