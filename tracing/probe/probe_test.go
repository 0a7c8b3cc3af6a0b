package probe_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/tracing"
	"github.com/kalahari-run/kalahari/tracing/probe"
)

func TestPort(t *testing.T) {
	tel, err := tracing.Setup(t.Context(), tracing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var notReady error
	s, err := probe.Start(t.Context(), probe.Config{
		Addr: "127.0.0.1:0", Telemetry: tel, Ready: func() error { return notReady },
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, status int, body string) {
		t.Helper()
		res, err := http.Get("http://" + s.Addr() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status || !strings.Contains(string(text), body) {
			t.Errorf("GET %s: %d %q, %v", path, res.StatusCode, text, err)
		}
	}
	get("/livez", 200, "ok")
	get("/readyz", 200, "ok")
	get("/metrics", 200, "process_cpu_seconds_total")
	get("/debug/pprof/", 200, "goroutine")
	get("/", 404, "")
	notReady = errors.New("draining")
	get("/readyz", 503, "draining")
	get("/healthz", 503, "draining")
	get("/livez", 200, "ok")

	http.DefaultClient.CloseIdleConnections()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := http.Get("http://" + s.Addr() + "/livez"); err == nil {
		t.Error("still listening")
	}
	if _, err := probe.Start(t.Context(), probe.Config{Addr: "nonsense"}); err == nil {
		t.Error("listens on nonsense")
	}
}
