package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	promexporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/kalahari-run/kalahari/subjects"
)

const scope = "github.com/kalahari-run/kalahari"

// Options of [Setup]. The zero value of a field is its default.
type Options struct {
	// Service is the service.name, unless OTEL_SERVICE_NAME says otherwise. Default
	// "kalahari".
	Service string
	// Version is the service.version.
	Version string
	// Instance is the service.instance.id, which no other process of the service may have at
	// the same time.
	Instance string

	// Logger is told when exporting fails. Default: nobody.
	Logger *slog.Logger

	// Cancelled is the error of a run that was cancelled, beside context.Canceled; see
	// [Telemetry.RunEnded].
	Cancelled error

	// SpanExporter takes the spans as they end, whatever the environment says. For tests.
	SpanExporter sdktrace.SpanExporter
}

// Telemetry makes spans and counts. A nil one does nothing.
//
// It can be shared by everything in a process. Parts that each count their own sessions or
// serve a namespace of their own take a view with [Telemetry.Member].
type Telemetry struct {
	*pipeline
	instruments
	// A view's own:
	ns      subjects.Namespace
	bound   bool // ns is set
	hosting *atomic.Int64
	told    *sync.Map // reason to the number last told, an int
}

// pipeline is what the views of one process share.
type pipeline struct {
	tracing   bool // spans can be recorded
	tracer    trace.Tracer
	traces    trace.TracerProvider
	meters    metric.MeterProvider
	logs      log.LoggerProvider // nil: logs are not exported
	handler   http.Handler
	cancelled error
	stop      []func(context.Context) error
}

// Setup builds the telemetry of a process. Spans, logs and pushed metrics are exported if
// OTEL_EXPORTER_OTLP_ENDPOINT, its form for one signal, or OTEL_<SIGNAL>_EXPORTER is set,
// and OTEL_SDK_DISABLED is not; all other OTEL_ variables count as usual. It connects to
// nothing before there is something to send, and sets nothing global but the handler of
// the SDK's own errors.
func Setup(ctx context.Context, o Options) (*Telemetry, error) {
	if o.Service == "" {
		o.Service = "kalahari"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	logger := o.Logger
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Warn("telemetry is not exported", "error", err)
	}))

	res, err := describe(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("telemetry resource: %w", err)
	}
	p := &pipeline{cancelled: o.Cancelled}
	t := &Telemetry{pipeline: p, hosting: new(atomic.Int64), told: new(sync.Map)}
	for _, setup := range []func(context.Context, Options, *resource.Resource) error{p.setupTraces, p.setupMetrics, p.setupLogs} {
		if err := setup(ctx, o, res); err != nil {
			return nil, errors.Join(err, t.Shutdown(ctx))
		}
	}
	if t.instruments, err = newInstruments(p.meters.Meter(scope)); err != nil {
		return nil, errors.Join(fmt.Errorf("telemetry instruments: %w", err), t.Shutdown(ctx))
	}
	return t, nil
}

func describe(ctx context.Context, o Options) (*resource.Resource, error) {
	attrs := []resource.Option{
		resource.WithTelemetrySDK(),
		resource.WithHost(),
		resource.WithProcessPID(),
		resource.WithAttributes(semconv.ServiceName(o.Service)),
	}
	if o.Version != "" {
		attrs = append(attrs, resource.WithAttributes(semconv.ServiceVersion(o.Version)))
	}
	if o.Instance != "" {
		attrs = append(attrs, resource.WithAttributes(semconv.ServiceInstanceID(o.Instance)))
	}
	res, err := resource.New(ctx, append(attrs, resource.WithFromEnv())...) // the environment has the last word
	if errors.Is(err, resource.ErrPartialResource) {
		// Nobody is to stand still for a description: what could not be read is left out.
		o.Logger.WarnContext(ctx, "telemetry describes this process in part", "error", err)
		err = nil
	}
	return res, err
}

// exported tells whether the environment asks for the export of a signal: "TRACES",
// "METRICS" or "LOGS".
func exported(signal string) bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	if exporter := os.Getenv("OTEL_" + signal + "_EXPORTER"); exporter != "" {
		return exporter != "none"
	}
	return os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" ||
		os.Getenv("OTEL_EXPORTER_OTLP_"+signal+"_ENDPOINT") != ""
}

func (p *pipeline) setupTraces(ctx context.Context, o Options, res *resource.Resource) error {
	var process sdktrace.TracerProviderOption
	switch {
	case o.SpanExporter != nil:
		process = sdktrace.WithSyncer(o.SpanExporter)
	case exported("TRACES"):
		exporter, err := autoexport.NewSpanExporter(ctx)
		if err != nil {
			return fmt.Errorf("telemetry traces: %w", err)
		}
		process = sdktrace.WithBatcher(exporter)
	default:
		p.traces = tracenoop.NewTracerProvider()
		p.tracer = p.traces.Tracer(scope)
		return nil
	}
	provider := sdktrace.NewTracerProvider(process, sdktrace.WithResource(res))
	p.stop = append(p.stop, provider.Shutdown)
	p.traces, p.tracer, p.tracing = provider, provider.Tracer(scope), true
	return nil
}

func (p *pipeline) setupMetrics(ctx context.Context, _ Options, res *resource.Resource) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reader, err := promexporter.New(promexporter.WithRegisterer(registry), promexporter.WithoutScopeInfo())
	if err != nil {
		return fmt.Errorf("telemetry metrics: %w", err)
	}
	opts := []sdkmetric.Option{sdkmetric.WithReader(reader), sdkmetric.WithResource(res)}
	if exported("METRICS") {
		push, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			return fmt.Errorf("telemetry metrics: %w", err)
		}
		opts = append(opts, sdkmetric.WithReader(push))
	}
	provider := sdkmetric.NewMeterProvider(opts...)
	p.stop = append(p.stop, provider.Shutdown)
	p.meters = provider
	p.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, EnableOpenMetrics: true})
	return nil
}

func (p *pipeline) setupLogs(ctx context.Context, _ Options, res *resource.Resource) error {
	if !exported("LOGS") {
		return nil
	}
	exporter, err := autoexport.NewLogExporter(ctx)
	if err != nil {
		return fmt.Errorf("telemetry logs: %w", err)
	}
	provider := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(exporter)), sdklog.WithResource(res))
	p.stop = append(p.stop, provider.Shutdown)
	p.logs = provider
	return nil
}

// Member is a view for one part of the process: its spans name the subjects of ns, and its
// hosted sessions are counted beside those of other views.
func (t *Telemetry) Member(ns subjects.Namespace) *Telemetry {
	if t == nil {
		return nil
	}
	view := *t
	view.ns, view.bound = ns, true
	view.hosting, view.told = new(atomic.Int64), new(sync.Map)
	return &view
}

// Shutdown exports what is left and stops. It may be called more than once.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	var errs []error
	for _, stop := range t.stop {
		if err := stop(ctx); err != nil && !errors.Is(err, sdkmetric.ErrReaderShutdown) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Handler serves the metrics in the form Prometheus reads.
func (t *Telemetry) Handler() http.Handler {
	if t == nil {
		return http.NotFoundHandler()
	}
	return t.handler
}

// TracerProvider is for instrumentation made by others, such as that of net/http.
func (t *Telemetry) TracerProvider() trace.TracerProvider {
	if t == nil {
		return tracenoop.NewTracerProvider()
	}
	return t.traces
}

// MeterProvider is for instrumentation made by others.
func (t *Telemetry) MeterProvider() metric.MeterProvider {
	if t == nil {
		return metricnoop.NewMeterProvider()
	}
	return t.meters
}

// Propagator is W3C trace context and baggage.
func (t *Telemetry) Propagator() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
}

// Logger returns a logger that writes to h and puts trace_id and span_id on the lines
// written within a span. If logs are exported it exports those that h takes.
func (t *Telemetry) Logger(h slog.Handler) *slog.Logger {
	level := h
	h = correlated{h}
	if t != nil && t.logs != nil {
		h = leveled{slog.NewMultiHandler(h, otelslog.NewHandler(scope, otelslog.WithLoggerProvider(t.logs))), level}
	}
	return slog.New(h)
}

// leveled takes the lines that another handler would: the exporter has no level of its own.
type leveled struct {
	slog.Handler
	by slog.Handler
}

func (l leveled) Enabled(ctx context.Context, level slog.Level) bool { return l.by.Enabled(ctx, level) }

func (l leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{l.Handler.WithAttrs(attrs), l.by}
}

func (l leveled) WithGroup(name string) slog.Handler { return leveled{l.Handler.WithGroup(name), l.by} }

// correlated adds the trace of a line's context to the line.
type correlated struct{ slog.Handler }

func (c correlated) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	return c.Handler.Handle(ctx, r)
}

func (c correlated) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlated{c.Handler.WithAttrs(attrs)}
}

func (c correlated) WithGroup(name string) slog.Handler { return correlated{c.Handler.WithGroup(name)} }
