//go:build unix

package integration

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/subjects"
)

// world is a nats-server process, or a cluster of them, with a provisioned namespace, and a
// connection to it.
type world struct {
	t     *testing.T
	ns    subjects.Namespace
	nodes []*node
	addr  string // of the server, or of all of them separated by commas
	nc    *nats.Conn
	js    jetstream.JetStream
}

// begin starts a server on a port of its own. It syncs every write.
func begin(t *testing.T, shards int, settings subjects.Settings) *world {
	t.Helper()
	w := newWorld(t, shards)
	n := &node{w: w, name: "nats-server", addr: freeAddress(t), store: t.TempDir()}
	n.configure(`jetstream: {store_dir: %q, sync_interval: always}`, n.store)
	w.nodes, w.addr = []*node{n}, n.addr
	n.serve()
	w.open(settings)
	return w
}

func newWorld(t *testing.T, shards int) *world {
	t.Helper()
	ns, err := subjects.NewNamespace("test", shards)
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, ns: ns}
}

// open connects the test and provisions the namespace.
func (w *world) open(settings subjects.Settings) {
	w.t.Helper()
	w.nc = w.connect()
	var err error
	if w.js, err = jetstream.New(w.nc); err != nil {
		w.t.Fatal(err)
	}
	w.provision(settings)
}

func (w *world) connect() *nats.Conn {
	w.t.Helper()
	nc, err := nats.Connect("nats://"+w.addr, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.ReconnectJitter(0, 0), nats.PingInterval(connect.PingInterval),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(nc.Close)
	return nc
}

// provision tries again for as long as a cluster has no leader: what it is asked until then,
// it does not answer.
func (w *world) provision(settings subjects.Settings) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
		err := subjects.Provision(ctx, w.js, w.ns, settings)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatal(err)
		}
	}
}

// worker starts a worker process; ready waits until it takes work.
func (w *world) worker(name string, args ...string) *process {
	return w.workerOn(nil, w.addr, name, args...)
}

func (w *world) workerAt(addr, name string, args ...string) *process {
	return w.workerOn(nil, addr, name, args...)
}

// workerOn starts a worker. The runs of one called b are over in the commits that stage them,
// those of the others wait for these, as runs of agents do.
func (w *world) workerOn(on *host, addr, name string, args ...string) *process {
	w.t.Helper()
	if name != "b" {
		args = append([]string{"--executor-effects"}, args...)
	}
	return run(w.t, on, name, "worker", append([]string{
		"--server=nats://" + addr, "--namespace=" + w.ns.Name(), "--name=" + name, "--log-level=debug",
		"--private=" + on.address("0"),
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
