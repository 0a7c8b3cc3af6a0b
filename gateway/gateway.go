// Package gateway is the HTTP face of a namespace: it turns CloudEvents over HTTP into
// messages on session subjects, waits for outcomes, streams the feed to browsers, and
// answers questions. Every route stands in openapi.json.
//
// It is built on the Go SDK and holds nothing of its own: any number of gateways may run
// side by side, and one may go away at any time.
package gateway

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// Defaults of [Config].
const (
	DefaultNamespace   = "default"
	DefaultListen      = "127.0.0.1:8080"
	DefaultMaxWait     = 5 * time.Minute
	DefaultHeartbeat   = 15 * time.Second
	DefaultSlowReader  = 10 * time.Second
	DefaultStopTimeout = 10 * time.Second
	DefaultMaxBatch    = 1000
)

// Config of a gateway. The zero value of a field is its default.
type Config struct {
	// Namespace that is served. Default "default".
	Namespace string
	// Listen is the address of Run. Default 127.0.0.1:8080.
	Listen string
	// MaxBody bounds a request's body in bytes. Default: the namespace's largest input,
	// and 16 times that for a batch.
	MaxBody int64
	// MaxBatch bounds the events of one batch. Default 1,000.
	MaxBatch int
	// MaxWait bounds what `Prefer: wait` may ask for. Default 5 min.
	MaxWait time.Duration
	// Heartbeat is the pause between two comments on a quiet event stream. Default 15 s.
	Heartbeat time.Duration
	// SlowReader is how long one write to a stream may take before the reader is cut
	// off. Default 10 s.
	SlowReader time.Duration
	// StopTimeout is how long requests may go on when the gateway is told to stop.
	// Default 10 s.
	StopTimeout time.Duration
	// Metrics answers /metrics. Default: 404.
	Metrics http.Handler
	// Telemetry makes the spans of requests. Default: none.
	Telemetry *tracing.Telemetry
	// Logger takes the log. Default: none.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Namespace == "" {
		c.Namespace = DefaultNamespace
	}
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	if c.MaxBody == 0 {
		c.MaxBody = subjects.DefaultMaxInput
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = DefaultMaxBatch
	}
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.MaxWait, DefaultMaxWait)
	set(&c.Heartbeat, DefaultHeartbeat)
	set(&c.SlowReader, DefaultSlowReader)
	set(&c.StopTimeout, DefaultStopTimeout)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Gateway serves one namespace. Make one with [New].
type Gateway struct {
	cfg     Config
	nc      *nats.Conn
	client  *client.Client
	handler http.Handler

	stopping context.Context // ends streams when the gateway stops
	stop     context.CancelFunc
	close    sync.Once
}

//go:embed openapi.json
var openAPI []byte

//go:embed index.html
var page []byte

// New returns a gateway for a namespace, which must be provisioned. The connection stays
// the caller's.
func New(nc *nats.Conn, cfg Config) (*Gateway, error) {
	cfg = cfg.withDefaults()
	c, err := client.New(nc, cfg.Namespace, client.WithSource("/gateway"), client.WithLogger(cfg.Logger))
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	g := &Gateway{cfg: cfg, nc: nc, client: c}
	g.stopping, g.stop = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	for _, r := range g.routes() {
		mux.HandleFunc(r.pattern(), r.handle)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		problem(w, http.StatusNotFound, "not_found", "there is nothing at %s; the routes are in /openapi.json", r.URL.Path)
	})
	g.handler = mux
	if cfg.Telemetry.Enabled() {
		g.handler = otelhttp.NewHandler(mux, "gateway",
			otelhttp.WithTracerProvider(cfg.Telemetry.TracerProvider()),
			otelhttp.WithMeterProvider(cfg.Telemetry.MeterProvider()),
			otelhttp.WithPropagators(cfg.Telemetry.Propagator()))
	}
	return g, nil
}

// Handler is the gateway as a handler, for a server of one's own.
func (g *Gateway) Handler() http.Handler { return g.handler }

// Close ends all streams. It may be called more than once.
func (g *Gateway) Close() {
	g.close.Do(func() {
		g.stop()
		g.client.Close()
	})
}

// Run serves on the configured address until ctx ends; then it lets requests finish for
// StopTimeout.
func (g *Gateway) Run(ctx context.Context) error {
	l, err := net.Listen("tcp", g.cfg.Listen)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return g.Serve(ctx, l)
}

// Serve is Run on a listener that is there already.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	defer g.Close()
	server := &http.Server{
		Handler:           g.handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(g.cfg.Logger.Handler(), slog.LevelDebug),
	}
	// Streams end at once; other requests may finish.
	server.RegisterOnShutdown(g.stop)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	g.cfg.Logger.InfoContext(ctx, "gateway listens", "address", l.Addr().String(), "namespace", g.cfg.Namespace)
	select {
	case err := <-ended:
		return fmt.Errorf("gateway: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.Background(), g.cfg.StopTimeout)
	defer cancel()
	err := server.Shutdown(bounded)
	<-ended
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}
