// Package tracing is what the fleet tells about itself: spans, metrics, and log lines that
// carry the trace they belong to. It is OpenTelemetry underneath.
//
// Without a collector it is silent and next to free. Spans are made only if an exporter is
// configured by the standard OTEL_ variables; otherwise every span method returns at once
// and allocates nothing. Metrics are always counted, with attributes made beforehand, and
// can be read at /metrics ([Telemetry.Handler]).
//
// A nil *Telemetry is usable and does nothing.
//
// # Spans
//
// One input is followed through the whole fleet:
//
//	publish  in.{session}    the producer sends it             [Telemetry.Publish]
//	process  in.{session}    a worker admits it                [Telemetry.Admit]
//	commit   log.{session}   its outcome is appended, with     [Telemetry.Commit]
//	                         links to all it consumed
//	run      {session}       the executor works on it          [Telemetry.Run]
//	publish  fx.{session}    an effect becomes a message       [Telemetry.Effect]
//
// The way between processes is the distributed tracing extension of CloudEvents: the
// traceparent attribute of an event is where the event was born and is never rewritten
// ([FromExtensions], [Extensions]).
//
// Session ids are on spans and log lines. They are never on metrics, whose number must not
// grow with the number of sessions.
package tracing
