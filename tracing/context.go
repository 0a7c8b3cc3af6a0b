package tracing

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// FromExtensions reads the traceparent and tracestate extensions of a CloudEvent. What is
// missing or malformed gives the zero SpanContext: an event is not refused for its trace.
func FromExtensions(traceparent, tracestate string) trace.SpanContext {
	if traceparent == "" {
		return trace.SpanContext{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), &carrier{traceparent, tracestate})
	return trace.SpanContextFromContext(ctx)
}

// ToExtensions is [Extensions] of the span in ctx.
func ToExtensions(ctx context.Context) (traceparent, tracestate string) {
	return Extensions(trace.SpanContextFromContext(ctx))
}

// Extensions are the traceparent and tracestate extensions of an event born in sc; both
// are empty if there is none.
func Extensions(sc trace.SpanContext) (traceparent, tracestate string) {
	if !sc.IsValid() {
		return "", ""
	}
	var c carrier
	propagation.TraceContext{}.Inject(trace.ContextWithSpanContext(context.Background(), sc), &c)
	return c.parent, c.state
}

// carrier is the two extensions as the propagator wants them.
type carrier struct{ parent, state string }

func (c *carrier) Get(key string) string {
	switch key {
	case "traceparent":
		return c.parent
	case "tracestate":
		return c.state
	}
	return ""
}

func (c *carrier) Set(key, value string) {
	switch key {
	case "traceparent":
		c.parent = value
	case "tracestate":
		c.state = value
	}
}

func (c *carrier) Keys() []string { return []string{"traceparent", "tracestate"} }
