package probe_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

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

// A client that does not read its answers is cut off, and one that waits for its profile is
// not, although that takes as long.
func TestWhoDoesNotReadIsCutOff(t *testing.T) {
	tel, err := tracing.Setup(t.Context(), tracing.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := probe.Start(t.Context(), probe.Config{Addr: "127.0.0.1:0", Telemetry: tel, WriteTimeout: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var wait sync.WaitGroup
	defer wait.Wait()
	for _, path := range []string{"/debug/pprof/profile?seconds=2", "/debug/pprof/trace?seconds=2"} {
		wait.Go(func() {
			res, err := http.Get("http://" + s.Addr() + path)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || len(body) == 0 {
				t.Errorf("%s: %s, %d bytes, %v", path, res.Status, len(body), err)
			}
		})
	}

	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for err == nil { // until the connection ends, or holds no more
		_, err = io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the server waits for a client that does not read")
	}
}
