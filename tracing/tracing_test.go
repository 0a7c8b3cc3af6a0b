package tracing_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// quiet keeps the environment of the test run out.
func quiet(t testing.TB) {
	for _, name := range []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER",
	} {
		t.Setenv(name, "")
	}
}

func setup(t testing.TB, o tracing.Options) *tracing.Telemetry {
	t.Helper()
	quiet(t)
	tel, err := tracing.Setup(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tel.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return tel
}

func recording(t testing.TB) (*tracing.Telemetry, *tracetest.InMemoryExporter) {
	t.Helper()
	spans := tracetest.NewInMemoryExporter()
	ns, err := subjects.NewNamespace("default", 8)
	if err != nil {
		t.Fatal(err)
	}
	return setup(t, tracing.Options{SpanExporter: spans}).Member(ns), spans
}

// TestOneInput follows an input through the fleet: every span is in the trace the producer
// began, and the commit links to what it consumed.
func TestOneInput(t *testing.T) {
	tel, exporter := recording(t)
	ns, _ := subjects.NewNamespace("default", 8)

	ctx, published := tel.Publish(t.Context(), ns.In("s1"), "s1", tracing.Event{ID: "e1", Source: "/me", Type: "run.kalahari.input.prompt.v1"})
	parent, state := tracing.ToExtensions(ctx)
	published.End()

	admitted := tel.Admit(tracing.FromExtensions(parent, state), "s1", "e1", "run.kalahari.input.prompt.v1")
	admitted.Outcome("accepted")
	admitted.End()
	commit := tel.Commit("s1", []trace.SpanContext{admitted.Context()}, 7, 42)
	commit.End()
	_, run := tel.Run(t.Context(), []trace.SpanContext{commit.Context()}, "s1", "r1", 2)
	run.Fail(errors.New("no luck"))
	run.End()
	effect := tel.Effect(commit.Context(), ns.Fx("s1", "InputCompleted"), "s1", tracing.Event{ID: "s1/9.0", Type: "run.kalahari.outcome.input_completed.v1"})
	effect.End()

	var got []string
	parents := map[trace.SpanID]string{}
	for _, s := range exporter.GetSpans() {
		parents[s.SpanContext.SpanID()] = s.Name
	}
	for _, s := range exporter.GetSpans() {
		if s.SpanContext.TraceID() != published.Context().TraceID() {
			t.Errorf("%s is in another trace", s.Name)
		}
		got = append(got, fmt.Sprintf("%s %q under %q links %d", s.SpanKind, s.Name, parents[s.Parent.SpanID()], len(s.Links)))
	}
	want := []string{
		`producer "publish kalahari.default.{shard}.in.{session}" under "" links 0`,
		`consumer "process kalahari.default.{shard}.in.{session}" under "publish kalahari.default.{shard}.in.{session}" links 0`,
		`producer "commit kalahari.default.{shard}.log.{session}" under "process kalahari.default.{shard}.in.{session}" links 1`,
		`internal "run {session}" under "commit kalahari.default.{shard}.log.{session}" links 1`,
		`producer "publish kalahari.default.{shard}.fx.{session}.InputCompleted" under "commit kalahari.default.{shard}.log.{session}" links 0`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	spans := exporter.GetSpans()
	attrs := map[string]string{}
	for _, kv := range spans[2].Attributes {
		attrs[string(kv.Key)] = kv.Value.String()
	}
	if diff := cmp.Diff(map[string]string{
		"messaging.system":                  "nats",
		"messaging.operation.name":          "commit",
		"messaging.operation.type":          "send",
		"messaging.destination.name":        ns.Log("s1"),
		"messaging.destination.template":    "kalahari.default.{shard}.log.{session}",
		"messaging.message.conversation_id": "s1",
		"messaging.batch.message_count":     "1",
		"kalahari.namespace":                "default",
		"kalahari.commit.number":            "7",
		"kalahari.fence":                    "42",
	}, attrs); diff != "" {
		t.Error(diff)
	}
	if !contains(spans[0].Attributes, "cloudevents.event_source", "/me") || !contains(spans[0].Attributes, "messaging.message.id", "e1") {
		t.Errorf("publish lacks the event: %v", spans[0].Attributes)
	}
	if !contains(spans[1].Attributes, "kalahari.outcome", "accepted") {
		t.Errorf("admission lacks its outcome: %v", spans[1].Attributes)
	}
	if spans[3].Status.Code != codes.Error {
		t.Errorf("the failed run has status %v", spans[3].Status)
	}
}

// TestGroupCommit: a commit of inputs from several traces is in none of them, and linked to
// all.
func TestGroupCommit(t *testing.T) {
	tel, exporter := recording(t)
	a := tel.Admit(trace.SpanContext{}, "s1", "a", "x")
	b := tel.Admit(trace.SpanContext{}, "s1", "b", "x")
	commit := tel.Commit("s1", []trace.SpanContext{a.Context(), {}, b.Context()}, 1, 1)
	commit.End()
	got := exporter.GetSpans()[0]
	if got.Parent.IsValid() || got.SpanContext.TraceID() == a.Context().TraceID() {
		t.Errorf("the commit is in the trace of one of its inputs: %v", got.Parent)
	}
	if len(got.Links) != 2 {
		t.Errorf("%d links, want 2", len(got.Links))
	}
}

func contains(attrs []attribute.KeyValue, key, value string) bool {
	for _, kv := range attrs {
		if string(kv.Key) == key && kv.Value.String() == value {
			return true
		}
	}
	return false
}

func TestExtensions(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	p, s := tracing.Extensions(tracing.FromExtensions(parent, "a=1,b=2"))
	if p != parent || s != "a=1,b=2" {
		t.Errorf("came back as %q, %q", p, s)
	}
	for _, bad := range []string{"", "00", "00-00000000000000000000000000000000-b7ad6b7169203331-01", strings.Repeat("x", 55)} {
		if sc := tracing.FromExtensions(bad, "a=1"); sc.IsValid() {
			t.Errorf("%q was taken for a trace", bad)
		}
	}
	if p, s := tracing.ToExtensions(t.Context()); p != "" || s != "" {
		t.Errorf("no span, yet %q, %q", p, s)
	}
}

// TestNil uses everything a nil *Telemetry has.
func TestNil(t *testing.T) {
	var tel *tracing.Telemetry
	use(t.Context(), tel)
	count(tel)
	if tel.Enabled() || tel.Member(subjects.Namespace{}) != nil {
		t.Error("nil is not nothing")
	}
	tel.TracerProvider().Tracer("x")
	tel.MeterProvider().Meter("x")
	tel.Logger(slog.DiscardHandler).Info("x")
	if len(tel.Propagator().Fields()) == 0 {
		t.Error("no propagation")
	}
	w := httptest.NewRecorder()
	tel.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 404 {
		t.Errorf("status %d", w.Code)
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMetrics(t *testing.T) {
	root := setup(t, tracing.Options{Service: "kalahari-worker", Cancelled: io.EOF})
	tel, other := root.Member(subjects.Namespace{}), root.Member(subjects.Namespace{})
	count(tel)
	tel.RunEnded(fmt.Errorf("stopped: %w", io.EOF), time.Second)
	tel.RunEnded(errors.New("broken"), time.Second)
	tel.InputEnded(250) // no such outcome
	other.Hosting(5)
	other.Hosting(2)
	other.Stuck(map[string]int{"paused": 3, "retrying": 2})
	other.Stuck(map[string]int{"paused": 1})

	w := httptest.NewRecorder()
	root.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body := w.Body.String()
	for _, line := range []string{
		`kalahari_inputs_admitted_total{kalahari_outcome="accepted"} 1`,
		`kalahari_inputs_admitted_total{kalahari_outcome="dead_lettered"} 1`,
		`kalahari_inputs_ended_total{kalahari_outcome="Completed"} 1`,
		`kalahari_commands_total{kalahari_outcome="rejected"} 1`,
		`kalahari_runs_total{kalahari_outcome="succeeded"} 1`,
		`kalahari_runs_total{kalahari_outcome="cancelled"} 1`,
		`kalahari_runs_total{kalahari_outcome="failed"} 1`,
		`kalahari_claims_total{kalahari_claim_kind="takeover"} 1`,
		`kalahari_commits_total 1`,
		`kalahari_commit_duration_seconds_count 1`,
		`kalahari_commit_inputs_sum 3`,
		`kalahari_appends_refused_total 1`,
		`kalahari_appends_unknown_total 1`,
		`kalahari_recovery_duration_seconds_count 1`,
		`kalahari_run_duration_seconds_count 3`,
		`kalahari_sessions_active 5`, // 3 here, 2 there
		`kalahari_sessions_stuck{kalahari_reason="paused"} 2`,
		`kalahari_sessions_stuck{kalahari_reason="retrying"} 0`,
		`kalahari_effects_published_total 3`,
		`kalahari_effects_unconfirmed 1`,
		`kalahari_hibernations_total 1`,
		`kalahari_quarantines_total 1`,
		`kalahari_mailbox_lag{kalahari_shard="4"} 17`,
		`kalahari_input_wait_seconds_count 1`,
		`process_cpu_seconds_total`,
	} {
		if !strings.Contains(body, line) {
			t.Errorf("no line %q", line)
		}
	}
	if t.Failed() {
		t.Log(body)
	}
}

// TestLogger: a line within a span names it, a line outside does not.
func TestLogger(t *testing.T) {
	tel, _ := recording(t)
	var out bytes.Buffer
	log := tel.Logger(slog.NewJSONHandler(&out, nil)).With("session", "s1")
	ctx, span := tel.Publish(t.Context(), "kalahari.default.in.s1", "s1", tracing.Event{})
	log.InfoContext(ctx, "within")
	log.Info("without")

	dec := json.NewDecoder(&out)
	var within, without map[string]any
	if err := errors.Join(dec.Decode(&within), dec.Decode(&without)); err != nil {
		t.Fatal(err)
	}
	if within["trace_id"] != span.Context().TraceID().String() || within["span_id"] != span.Context().SpanID().String() || within["session"] != "s1" {
		t.Errorf("within: %v", within)
	}
	if without["trace_id"] != nil {
		t.Errorf("without: %v", without)
	}
}

// TestExportedLevel: what the log does not take for its level is not exported either.
func TestExportedLevel(t *testing.T) {
	quiet(t)
	t.Setenv("OTEL_LOGS_EXPORTER", "otlp")
	var exported bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = exported.ReadFrom(r.Body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", collector.URL)
	tel, err := tracing.Setup(t.Context(), tracing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	log := tel.Logger(slog.NewTextHandler(io.Discard, nil)).With("session", "s1").WithGroup("g")
	log.Debug("for nobody")
	log.Info("for the collector")
	if err := tel.Shutdown(t.Context()); err != nil { // it exports first
		t.Fatal(err)
	}
	collector.Close() // has heard it all
	if text := exported.String(); !strings.Contains(text, "for the collector") || strings.Contains(text, "for nobody") {
		t.Errorf("exported: %q", text)
	}
}

// TestEnvironment: nothing is exported unless the standard variables ask for it.
func TestEnvironment(t *testing.T) {
	for _, tt := range []struct {
		name, value string
		enabled     bool
	}{
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", true},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1", true},
		{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:1", false},
		{"OTEL_TRACES_EXPORTER", "none", false},
		{"OTEL_SERVICE_NAME", "x", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			quiet(t)
			t.Setenv(tt.name, tt.value)
			tel, err := tracing.Setup(t.Context(), tracing.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if tel.Enabled() != tt.enabled {
				t.Errorf("enabled: %v", tel.Enabled())
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // nobody listens at the endpoint
			_ = tel.Shutdown(ctx)
		})
	}
	t.Run("a description that cannot be read", func(t *testing.T) {
		quiet(t)
		t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=prod,team")
		var out bytes.Buffer
		spans := tracetest.NewInMemoryExporter()
		tel, err := tracing.Setup(t.Context(), tracing.Options{SpanExporter: spans, Logger: slog.New(slog.NewTextHandler(&out, nil))})
		if err != nil {
			t.Fatal(err)
		}
		tel.Admit(trace.SpanContext{}, "s1", "e1", "t").End()
		resource := spans.GetSpans()[0].Resource.Attributes()
		if !contains(resource, "deployment.environment.name", "prod") || !contains(resource, "service.name", "kalahari") {
			t.Errorf("what can be read is not there: %v", resource)
		}
		if !strings.Contains(out.String(), "team") {
			t.Errorf("nobody is told: %q", &out)
		}
	})
	t.Run("disabled", func(t *testing.T) {
		quiet(t)
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
		t.Setenv("OTEL_SDK_DISABLED", "true")
		tel, err := tracing.Setup(t.Context(), tracing.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if tel.Enabled() {
			t.Error("enabled")
		}
	})
}

// TestSilent: without an exporter spans are nothing, and neither they nor counting cost an
// allocation.
func TestSilent(t *testing.T) {
	silent := setup(t, tracing.Options{})
	if silent.Enabled() {
		t.Fatal("spans are recorded")
	}
	ctx := t.Context()
	for name, tel := range map[string]*tracing.Telemetry{"silent": silent.Member(subjects.Namespace{}), "nil": nil} {
		count(tel)
		if n := testing.AllocsPerRun(100, func() { use(ctx, tel) }); n != 0 {
			t.Errorf("%s: spans allocate %v times", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { hot(tel) }); n != 0 {
			t.Errorf("%s: counting allocates %v times", name, n)
		}
	}
}

// use makes one span of each kind.
func use(ctx context.Context, tel *tracing.Telemetry) {
	_, published := tel.Publish(ctx, "kalahari.default.0.in.s1", "s1", tracing.Event{ID: "e1"})
	published.End()
	admitted := tel.Admit(tracing.FromExtensions("", ""), "s1", "e1", "t")
	admitted.Outcome("accepted")
	admitted.End()
	links := [...]trace.SpanContext{admitted.Context()}
	commit := tel.Commit("s1", links[:], 1, 1)
	commit.Fail(nil)
	commit.End()
	_, run := tel.Run(ctx, links[:], "s1", "r1", 1)
	run.End()
	tel.Effect(commit.Context(), "kalahari.default.0.fx.s1.InputCompleted", "s1", tracing.Event{}).End()
}

// hot is what is counted for every input.
func hot(tel *tracing.Telemetry) {
	tel.InputAccepted()
	tel.InputWaited(time.Millisecond)
	tel.Committed(50*time.Microsecond, 3)
	tel.RunEnded(nil, time.Millisecond)
	tel.InputEnded(kernel.InputPublicTerminalOutcomeCompleted)
	tel.EffectsSent(4)
	tel.EffectsConfirmed(3)
}

func count(tel *tracing.Telemetry) {
	hot(tel)
	tel.InputDeduplicated()
	tel.InputRejected()
	tel.DeadLettered()
	tel.CommandApplied()
	tel.CommandRejected()
	tel.Refused()
	tel.UnknownOutcome()
	tel.Recovered(time.Millisecond)
	tel.Claimed(true)
	tel.Claimed(false)
	tel.Hosting(7)
	tel.Hosting(3)
	tel.Stuck(map[string]int{"paused": 1})
	tel.EffectsSent(1)
	tel.EffectsGivenUp(1)
	tel.Hibernated()
	tel.Quarantined()
	tel.MailboxLag(4, 17)
}

func BenchmarkSilent(b *testing.B) {
	tel := setup(b, tracing.Options{})
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		use(ctx, tel)
	}
}

func BenchmarkRecording(b *testing.B) {
	tel, spans := recording(b)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		use(ctx, tel)
		spans.Reset()
	}
}

func BenchmarkMetrics(b *testing.B) {
	tel := setup(b, tracing.Options{})
	b.ReportAllocs()
	for b.Loop() {
		hot(tel)
	}
}
