package gateway

import (
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
// request.
func trace(ev *event.Event, r *http.Request) {
	own, _ := ev.Extensions()[subjects.ExtTraceParent].(string)
	state, _ := ev.Extensions()[subjects.ExtTraceState].(string)
	if !readableParent(own) {
		own, state = r.Header.Get("traceparent"), r.Header.Get("tracestate")
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

// keep sets an extension, or removes it.
func keep(ev *event.Event, name, value string) {
	if value == "" {
		ev.SetExtension(name, nil)
		return
	}
	ev.SetExtension(name, value)
}
