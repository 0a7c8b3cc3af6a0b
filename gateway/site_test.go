package gateway_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"github.com/kalahari-run/kalahari/client/clienttest"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// site is a gateway over a real server and a real listener.
type site struct {
	*testing.T
	env    *embeddedtest.Env
	url    string
	client *http.Client
	// stop ends the gateway and waits for its end. The test's end does it too.
	stop func()
}

// serve starts a gateway and workers.
func serve(t *testing.T, workers int, settings subjects.Settings) *site {
	t.Helper()
	env := embeddedtest.ProvisionedWith(t, "default", 2, settings)
	for i := range workers {
		nc, _ := embeddedtest.Connect(t, env.Server)
		w, err := worker.New(nc, env.Namespace, worker.Config{
			Name: fmt.Sprint("w", i), Executor: executor.Echo{}, RetryDelay: time.Millisecond, DrainTimeout: time.Second,
		})
		if err != nil {
			t.Fatal(err)
		}
		run(t, w.Run)
	}
	s := open(t, env, gateway.Config{})
	for range 200 {
		if status, _, _ := s.do("GET", "/readyz", "", nil); status == http.StatusOK || workers == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	return s
}

// play starts a gateway over a fleet that is played.
func play(t *testing.T, cfg gateway.Config) (*site, *clienttest.Fleet) {
	t.Helper()
	env := embeddedtest.Provisioned(t, "default", 2)
	nc, _ := embeddedtest.Connect(t, env.Server)
	return open(t, env, cfg), clienttest.Start(t, nc, env.Namespace)
}

// open starts a gateway.
func open(t *testing.T, env *embeddedtest.Env, cfg gateway.Config) *site {
	t.Helper()
	nc, _ := embeddedtest.Connect(t, env.Server)
	cfg.Heartbeat, cfg.StopTimeout = 50*time.Millisecond, 2*time.Second
	g, err := gateway.New(nc, cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := run(t, func(ctx context.Context) error { return g.Serve(ctx, l) })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &site{t, env, "http://" + l.Addr().String(), &http.Client{Transport: transport, Timeout: 20 * time.Second}, stop}
}

// run runs f until the test ends, or stop is called.
func run(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func (s *site) do(method, path, body string, header map[string]string) (int, map[string]any, http.Header) {
	s.Helper()
	status, raw, h := s.raw(method, path, body, header)
	var v map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &v); err != nil {
			s.Fatalf("%s %s: %d %s", method, path, status, raw)
		}
	}
	return status, v, h
}

func (s *site) raw(method, path, body string, header map[string]string) (int, []byte, http.Header) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, raw, resp.Header
}

const base = "/v1/namespaces/default/sessions/s1"

func binary(id, eventType string) map[string]string {
	return map[string]string{
		"ce-specversion": "1.0", "ce-id": id, "ce-source": "/test", "ce-type": eventType, "content-type": "application/json",
	}
}

func with(h map[string]string, more ...string) map[string]string {
	for i := 0; i+1 < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return h
}
