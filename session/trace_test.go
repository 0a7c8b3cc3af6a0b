package session_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
	"github.com/kalahari-run/kalahari/worker"
)

// A commit links to each input once, also to those that it admits and ends, and that have
// failed in between.
func TestACommitLinksToAnInputOnce(t *testing.T) {
	for _, name := range []string{"OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"} {
		t.Setenv(name, "none")
	}
	const prompts = 5
	spans := tracetest.NewInMemoryExporter()
	tel, err := tracing.Setup(t.Context(), tracing.Options{SpanExporter: spans})
	if err != nil {
		t.Fatal(err)
	}
	defer tel.Shutdown(context.Background())
	env := embeddedtest.Provisioned(t, "test", 1)
	f := follow(t, env, env.Namespace.FxSession("s"))
	for i := range prompts {
		publish(t, env, "s", fmt.Sprint("p", i), subjects.InputType("prompt"), `{"text":"x"}`)
	}
	stop := start(t, env, func(c *worker.Config) {
		c.Trace = tel.Member(env.Namespace)
		c.Executor = pure{func(_ context.Context, run *executor.Run) (*executor.Result, error) {
			if run.Attempt == 1 && run.Inputs[0].ID == "p0" {
				return nil, fmt.Errorf("asked to")
			}
			return &executor.Result{}, nil
		}}
	})
	for i := range prompts {
		f.await("s", "end", func(h *happening) bool {
			return h.Name == "InputCompleted" && h.field("input_id") == fmt.Sprint("p", i)
		})
	}
	stop()
	if err := tel.TracerProvider().(interface{ ForceFlush(context.Context) error }).ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	most := 0
	for _, span := range spans.GetSpans() {
		if !strings.HasPrefix(span.Name, "commit") {
			continue
		}
		seen := map[trace.SpanID]bool{}
		for _, l := range span.Links {
			seen[l.SpanContext.SpanID()] = true
		}
		if len(span.Links) != len(seen) {
			t.Errorf("%d links to %d inputs", len(span.Links), len(seen))
		}
		most = max(most, len(seen))
	}
	if most == 0 {
		t.Error("no commit links to an input")
	}
}
