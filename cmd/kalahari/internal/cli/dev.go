package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/cmd/internal/fleet"
	"github.com/kalahari-run/kalahari/cmd/internal/service"
	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
	"github.com/kalahari-run/kalahari/tracing/probe"
)

// Dev is the command dev.
type Dev struct {
	fleet.Executor `embed:""`
	NATSPort       int                   `name:"nats-port" env:"KALAHARI_NATS_PORT" default:"4222" help:"Port of the NATS server, on the loopback; 0 is any."`
	HTTP           string                `name:"http" env:"KALAHARI_HTTP" default:"127.0.0.1:8080" help:"Address of the gateway."`
	AllowHosts     []string              `name:"allow-host" env:"KALAHARI_ALLOW_HOST" placeholder:"NAME" help:"Names that requests may have as Host if --http is on the loopback, beside localhost and its addresses."`
	AllowOrigins   []string              `name:"allow-origin" env:"KALAHARI_ALLOW_ORIGIN" placeholder:"ORIGIN" help:"Web origins, as https://app.example.com, of whose pages browsers may send events and blobs here. Default: only the gateway's own."`
	Workers        int                   `name:"workers" env:"KALAHARI_WORKERS" default:"1" help:"Workers in this process. 0: none, so that worker processes join with NATS_URL."`
	Shards         int                   `name:"shards" env:"KALAHARI_SHARDS" help:"Shards of a new namespace, fixed for its life. Default 8."`
	DataDir        string                `name:"data-dir" env:"KALAHARI_DATA_DIR" default:"kalahari-data" placeholder:"DIR" help:"Where the server stores. Default: kalahari-data, here."`
	Demo           bool                  `name:"demo" help:"Publish a first prompt and print its answer."`
	Sync           string                `name:"sync" env:"KALAHARI_SYNC" enum:"always,relaxed" default:"always" help:"When the server writes to the disk: always, before it acknowledges, or relaxed (faster; survives the process, not the machine)."`
	Namespace      string                `name:"namespace" short:"n" env:"KALAHARI_NAMESPACE" default:"default" help:"Namespace."`
	Published      subjects.PublishedSet `name:"published" env:"KALAHARI_PUBLISHED" enum:",lifecycle,all,none" default:"" help:"What becomes a message of its own: lifecycle, all or none."`
	LogLevel       slog.Level            `name:"log-level" env:"KALAHARI_LOG_LEVEL" default:"warn" help:"debug, info, warn or error."`
}

// devDrain is how long runs may go on after an interrupt; people wait for it.
const devDrain = 5 * time.Second

// Run runs the fleet until it is interrupted.
func (c Dev) Run(e *Env) (err error) {
	if c.Workers < 0 {
		return fmt.Errorf("--workers must not be negative, and is %d", c.Workers)
	}
	d := &dev{Dev: c, env: e}
	defer func() {
		if stopped := d.stop(); err == nil || errors.Is(err, context.Canceled) {
			err = stopped
		}
	}()
	if err := d.start(e.Context); err != nil {
		return err
	}
	if err := d.banner(); err != nil {
		return err
	}
	if c.Demo && c.Workers > 0 {
		if err := d.demo(e.Context); err != nil {
			return err
		}
	}
	<-e.Context.Done()
	return nil
}

// dev is a fleet in one process. Its parts stop in the reverse order of their start.
type dev struct {
	Dev
	env       *Env
	log       *slog.Logger
	telemetry *tracing.Telemetry
	server    *embedded.Server
	workers   []*fleet.Running
	gateway   *gateway.Gateway
	http      *http.Server
	addr      string
	stops     []func() error
}

func (d *dev) onStop(f func() error) { d.stops = append(d.stops, f) }

func (d *dev) stop() error {
	var errs []error
	for i := len(d.stops) - 1; i >= 0; i-- {
		errs = append(errs, d.stops[i]())
	}
	d.stops = nil
	return errors.Join(errs...)
}

func (d *dev) start(ctx context.Context) error {
	handler := slog.NewTextHandler(d.env.Err, &slog.HandlerOptions{Level: d.LogLevel})
	tel, err := tracing.Setup(ctx, tracing.Options{
		Service: "kalahari-dev", Version: service.Version(), Instance: service.Instance(""),
		Logger: slog.New(handler), Cancelled: executor.ErrCancelled,
	})
	if err != nil {
		return err
	}
	d.telemetry, d.log = tel, tel.Logger(handler)
	d.onStop(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if err := tel.Shutdown(ctx); err != nil {
			d.log.Warn("telemetry did not end in time", "error", err)
		}
		return nil
	})

	ns, settings, err := d.serve(ctx)
	if err != nil {
		return err
	}
	if err := d.host(ctx, ns, settings); err != nil {
		return err
	}
	if err := d.face(ctx, ns, settings); err != nil {
		return err
	}
	for {
		err := d.ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// serve starts the server and provisions the namespace.
func (d *dev) serve(ctx context.Context) (subjects.Namespace, subjects.Settings, error) {
	var ns subjects.Namespace
	sync, err := embedded.ParseSync(d.Sync)
	if err != nil {
		return ns, subjects.Settings{}, err
	}
	if err := os.MkdirAll(d.DataDir, 0o755); err != nil {
		return ns, subjects.Settings{}, err
	}
	port := d.NATSPort
	if port == 0 {
		port = embedded.RandomPort
	}
	d.server, err = embedded.Start(ctx, embedded.Options{
		Name: "kalahari-dev", Port: port, DataDir: d.DataDir, Sync: sync, Logger: d.log.With("part", "nats"),
	})
	if err != nil {
		return ns, subjects.Settings{}, err
	}
	d.onStop(func() error { d.server.Close(); return nil })
	nc, err := d.dial("kalahari-dev/provision")
	if err != nil {
		return ns, subjects.Settings{}, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return ns, subjects.Settings{}, err
	}
	ns, settings, err := connect.Provision{Provision: true, Shards: d.Shards, Published: d.Published}.
		Open(ctx, js, connect.Namespace{Namespace: d.Namespace}, d.log)
	if err != nil {
		return ns, settings, err
	}
	return ns, settings, d.server.Map(ns.Mappings()...)
}

// dial connects as any client would; each member has a connection of its own.
func (d *dev) dial(name string) (*nats.Conn, error) {
	return connect.NATS{Server: d.server.ClientURL()}.Dial(name)
}

// host starts the workers. They end with stop and not with the context: the server and the
// connections must outlive their drain.
func (d *dev) host(ctx context.Context, ns subjects.Namespace, settings subjects.Settings) error {
	var conns []*nats.Conn
	for i := range d.Workers {
		nc, err := d.dial("kalahari-worker/dev-" + strconv.Itoa(i+1))
		if err != nil {
			return err
		}
		d.onStop(func() error { nc.Close(); return nil })
		conns = append(conns, nc)
	}
	d.onStop(func() error {
		var wait sync.WaitGroup
		errs := make([]error, len(d.workers))
		for i, w := range d.workers {
			wait.Go(func() { errs[i] = w.Stop() })
		}
		wait.Wait()
		return errors.Join(errs...)
	})
	for i, nc := range conns {
		name := "dev-" + strconv.Itoa(i+1)
		w, err := fleet.Worker{Executor: d.Executor, DrainTimeout: devDrain, BatchEffects: d.Sync == embedded.SyncAlways.String()}.Build(fleet.Member{
			Conn: nc, Namespace: ns, Settings: settings, Name: name, Version: service.Version(), HTTP: d.HTTP,
			Log: d.log.With("part", name), Telemetry: d.telemetry,
		})
		if err != nil {
			return err
		}
		d.workers = append(d.workers, fleet.Start(context.WithoutCancel(ctx), w))
	}
	return nil
}

// face opens the HTTP port: the gateway, and what the whole process has to say.
func (d *dev) face(ctx context.Context, ns subjects.Namespace, settings subjects.Settings) error {
	nc, err := d.dial("kalahari-gateway/dev")
	if err != nil {
		return err
	}
	d.onStop(func() error { nc.Close(); return nil })
	d.gateway, err = fleet.Gateway{HTTP: d.HTTP, AllowHosts: d.AllowHosts, AllowOrigins: d.AllowOrigins}.Build(nc, ns, d.log.With("part", "gateway"), d.telemetry)
	if err != nil {
		return err
	}
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.HTTP)
	if err != nil {
		return fmt.Errorf("gateway: %w (is another one running? choose with --http)", err)
	}
	d.addr = lis.Addr().String()
	process := probe.Handler(probe.Config{Ready: d.ready, Telemetry: d.telemetry})
	mux := http.NewServeMux()
	for _, path := range []string{"/livez", "/readyz", "/healthz", "/metrics"} {
		mux.Handle(path, process)
	}
	mux.Handle("/", d.gateway.HandlerOn(lis.Addr()))
	d.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second,
		// The gateway leaves a write deadline behind, and the next request may be for a probe.
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateIdle {
				_ = c.SetWriteDeadline(time.Time{})
			}
		},
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := d.http.Serve(lis); err != nil && !errors.Is(err, http.ErrServerClosed) {
			d.log.Error("the gateway's port ended", "error", err)
		}
	}()
	d.onStop(func() error {
		d.gateway.Close() // ends the streams, which never would by themselves
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err := d.http.Shutdown(bounded)
		if errors.Is(err, context.DeadlineExceeded) {
			err = d.http.Close()
		}
		<-served
		return err
	})
	return nil
}

// ready is the answer of /readyz: everything in this process takes work.
func (d *dev) ready() error {
	for i, w := range d.workers {
		if err := w.Ready(); err != nil {
			return fmt.Errorf("worker %d: %w", i+1, err)
		}
	}
	if len(d.workers) == 0 {
		return nil // workers of other processes come when they come
	}
	return d.gateway.Ready(context.Background())
}

func (d *dev) banner() error {
	url, base := "http://"+d.addr, d.server.ClientURL()
	if d.env.JSON {
		return d.env.print(map[string]any{
			"ready": true, "nats": base, "http": url, "namespace": d.Namespace, "workers": d.Workers, "data_dir": d.DataDir,
		})
	}
	dir, err := filepath.Abs(d.DataDir)
	if err != nil {
		dir = d.DataDir
	}
	lines := []string{
		"",
		"  Kalahari is ready.",
		"",
		"  gateway   " + url,
		"  NATS      " + base,
		"  store     " + dir + " (sync " + d.Sync + ")",
	}
	at := ""
	if d.NATSPort != 4222 {
		at = "NATS_URL=" + base + " "
	}
	if d.Workers == 0 {
		lines = append(lines, "  workers   none; start some with  NATS_URL="+base+" worker")
	} else {
		lines = append(lines, fmt.Sprintf("  workers   %d", d.Workers))
	}
	lines = append(lines,
		"",
		"  Talk to a session:",
		"",
		"    curl "+url+"/v1/namespaces/"+d.Namespace+"/sessions/hello/events \\",
		`      -H 'Prefer: wait=30' -H 'Content-Type: application/json' -d '{"text":"hello"}'`,
		"",
		"    "+at+"kalahari publish hello 'hello again' --wait",
		"    "+at+"kalahari watch",
		"",
		"  Ctrl-C ends it; what is stored stays.",
		"")
	return d.env.say("%s", strings.Join(lines, "\n"))
}

// demo publishes a first prompt and prints the answer.
func (d *dev) demo(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	prompt := Publish{Session: "demo", Text: "Hello, Kalahari!", Source: "/kalahari/dev", Wait: true}
	prompt.NATS.Server, prompt.Namespace.Namespace = d.server.ClientURL(), d.Namespace
	ev, err := prompt.event(nil)
	if err != nil {
		return err
	}
	f, err := prompt.dial(ctx, "demo")
	if err != nil {
		return err
	}
	defer f.close()
	sdk, err := f.client(client.DefaultTimeout)
	if err != nil {
		return err
	}
	defer sdk.Close()
	start := time.Now()
	p, err := prompt.send(ctx, sdk, ev)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if d.env.JSON {
		return d.env.print(p)
	}
	text, ok := answer(p.Data)
	if !ok {
		text = p.Outcome + " " + short(p.Data)
	}
	return d.env.say("  > %s\n  < %s   (session demo, %.1f ms)\n", prompt.Text, text, float64(time.Since(start).Microseconds())/1000)
}
