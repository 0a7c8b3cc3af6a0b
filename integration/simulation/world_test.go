package simulation

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/subjects"
)

// world is one simulated fleet with everything around it.
type world struct {
	t      *testing.T
	plan   *plan
	ns     subjects.Namespace
	host   *host
	nc     *nats.Conn // ours: not through the simulated network
	js     jetstream.JetStream
	net    *network
	log    *slog.Logger
	memory *memory
	began  time.Time
	ghosts sync.WaitGroup
	parts  sync.WaitGroup

	mu       sync.Mutex
	sent     map[string][]*sent
	calls    []call
	outputs  []output
	replies  []*reply
	failures []string
	history  map[string]*chronicle
}

// simulate runs one plan to its end and verifies what it left. It must run in a bubble.
func simulate(t *testing.T, p *plan) *result {
	ns, err := subjects.NewNamespace("test", p.shards)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, plan: p, ns: ns, memory: &memory{},
		sent: map[string][]*sent{}, history: map[string]*chronicle{},
	}
	w.log = slog.New(w.memory)
	w.host = &host{w: w, options: embedded.Options{DontListen: true, Sync: embedded.SyncRelaxed, DataDir: t.TempDir(), Adjust: quiet}}
	if err := w.host.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.host.server.Close() })
	w.nc = w.connect(t.Context(), "simulation", w.host, nats.DefaultPingInterval)
	t.Cleanup(w.nc.Close)
	if w.js, err = jetstream.New(w.nc); err != nil {
		t.Fatal(err)
	}
	if err := subjects.Provision(t.Context(), w.js, ns, p.settings); err != nil {
		t.Fatal(err)
	}
	w.began = time.Now()
	w.memory.began = w.began
	stop := w.follow()
	w.net = newNetwork(p.seed, w.host, p.faults)

	members := make([]*member, p.workers)
	for i := range members {
		m := &member{w: w, index: i}
		members[i] = m
		m.start()
		var mine []blow
		for _, b := range p.blows {
			if b.worker == i {
				mine = append(mine, b)
			}
		}
		w.parts.Go(func() { m.suffer(mine) })
	}
	w.parts.Go(func() { w.host.suffer(p.restarts) })
	var producers sync.WaitGroup
	for _, s := range p.scripts {
		producers.Go(func() { w.produce(s) })
	}
	w.parts.Go(func() { w.inquire(p.questions) })

	time.Sleep(p.trouble)
	w.log.Info("the trouble is over")
	w.net.heal()
	healed := time.Now()
	through := make(chan struct{})
	go func() {
		producers.Wait()
		close(through)
	}()
	w.relieve(through)
	w.parts.Wait()
	slowest := w.settle(healed)
	answers := w.interview(false)
	w.rest()
	w.atRest(healed, answers)
	for _, m := range members {
		m.leave()
	}
	w.ghosts.Wait()
	w.net.close()
	stop()
	w.verify()
	w.verifyBlobs()
	r := &result{
		Seed: p.seed, Failures: w.failures, Log: w.memory.lines, Messages: w.net.carried, Trace: w.trace(), Carried: len(w.net.carried),
		Fake: time.Since(w.began), Slowest: slowest, Befell: w.net.befell,
	}
	r.Answers, r.Claims = w.tally()
	return r
}

// trace is a hash of all that was carried, logged and committed.
func (w *world) trace() uint64 {
	h := fnv.New64a()
	for _, lines := range [][]string{w.net.carried, w.memory.lines} {
		for _, line := range lines {
			_, _ = h.Write([]byte(line))
		}
	}
	for _, session := range slices.Sorted(maps.Keys(w.history)) {
		for _, c := range w.history[session].commits {
			_, _ = fmt.Fprintln(h, session, c)
		}
	}
	return h.Sum64()
}

// quiet keeps the server from pinging at random times: the clients ping it.
func quiet(o *server.Options) { o.PingInterval, o.DisableShortFirstPing = 24*time.Hour, true }

func (w *world) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	w.failures = append(w.failures, text)
	w.log.Error("FAILURE: " + text)
}

// memory keeps the last lines of the log, to be shown with a failure.
type memory struct {
	began time.Time
	attrs string
	root  *memory
	mu    sync.Mutex
	lines []string
}

func (m *memory) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelDebug }

func (m *memory) Handle(_ context.Context, r slog.Record) error {
	root := m.top()
	line := fmt.Sprintf("%10s %-5s %s", r.Time.Sub(root.began).Round(time.Millisecond), r.Level, r.Message) + m.attrs
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	root.mu.Lock()
	defer root.mu.Unlock()
	root.lines = append(root.lines, line)
	return nil
}

func (m *memory) top() *memory {
	if m.root != nil {
		return m.root
	}
	return m
}

// WithAttrs implements slog.Handler.
func (m *memory) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := &memory{attrs: m.attrs, root: m.top()}
	for _, a := range attrs {
		c.attrs += " " + a.String()
	}
	return c
}

// WithGroup implements slog.Handler; nobody here uses groups.
func (m *memory) WithGroup(string) slog.Handler { return m }
