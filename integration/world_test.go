//go:build unix

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// world is a nats-server process with a provisioned namespace, and a connection to it.
type world struct {
	t      *testing.T
	ns     subjects.Namespace
	conf   string
	addr   string
	server *process
	nc     *nats.Conn
	js     jetstream.JetStream
}

// begin starts a server on a port of its own. It syncs every write.
func begin(t *testing.T, shards int, settings subjects.Settings) *world {
	t.Helper()
	ns, err := subjects.NewNamespace("test", shards)
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, ns: ns, addr: free.Addr().String(), conf: filepath.Join(t.TempDir(), "nats.conf")}
	_ = free.Close()
	conf := fmt.Sprintf("listen: %q\njetstream: {store_dir: %q, sync_interval: always}\nmappings: {\n", w.addr, t.TempDir())
	for _, m := range ns.Mappings() {
		conf += fmt.Sprintf("  %q: %q\n", m.Source, m.Destination)
	}
	if err := os.WriteFile(w.conf, []byte(conf+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.serve()
	w.nc = w.connect()
	if w.js, err = jetstream.New(w.nc); err != nil {
		t.Fatal(err)
	}
	w.provision(settings)
	return w
}

// serve starts the server on its port and its data.
func (w *world) serve() {
	w.t.Helper()
	w.server = run(w.t, "nats-server", "nats-server", "-c", w.conf)
	w.until(20*time.Second, "the server takes connections", func() bool {
		c, err := net.Dial("tcp", w.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

func (w *world) connect() *nats.Conn {
	w.t.Helper()
	nc, err := nats.Connect("nats://"+w.addr, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.ReconnectJitter(0, 0), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(nc.Close)
	return nc
}

func (w *world) provision(settings subjects.Settings) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	if err := subjects.Provision(ctx, w.js, w.ns, settings); err != nil {
		w.t.Fatal(err)
	}
}

// worker starts a worker process; ready waits until it takes work.
func (w *world) worker(name string, args ...string) *process {
	return w.workerAt(w.addr, name, args...)
}

func (w *world) workerAt(addr, name string, args ...string) *process {
	w.t.Helper()
	return run(w.t, name, "worker", append([]string{
		"--server=nats://" + addr, "--namespace=" + w.ns.Name(), "--name=" + name, "--log-level=debug",
	}, args...)...)
}

func (w *world) ready(workers ...*process) {
	w.t.Helper()
	for _, p := range workers {
		w.until(20*time.Second, p.name+" is ready", func() bool {
			if p.http == "" {
				for _, line := range p.lines(`"msg":"starting"`) {
					var start struct{ Private string }
					if json.Unmarshal([]byte(line), &start) == nil {
						p.http = start.Private
					}
				}
				return false
			}
			status, _ := p.get("/readyz")
			return status == http.StatusOK
		})
	}
}

// until waits for something that must come true.
func (w *world) until(limit time.Duration, what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("not within %s: %s", limit, what)
		}
	}
}
