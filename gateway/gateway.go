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
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/tracing"
)

// Defaults of [Config].
const (
	DefaultNamespace   = "default"
	DefaultListen      = "127.0.0.1:8080"
	DefaultTimeout     = client.DefaultTimeout
	DefaultMaxWait     = 5 * time.Minute
	DefaultBodyTimeout = 30 * time.Second
	DefaultHeartbeat   = 15 * time.Second
	DefaultSlowReader  = 10 * time.Second
	DefaultStopTimeout = 10 * time.Second
	DefaultMaxBatch    = 1000
	DefaultMaxBody     = 4 << 20
	DefaultMaxResults  = 32 << 20
	DefaultMaxStreams  = 4096

	DefaultMaxConnections = 20_000
)

// Config of a gateway. The zero value of a field is its default.
type Config struct {
	// Namespace that is served. Default "default".
	Namespace string
	// Listen is the address of Run. Default 127.0.0.1:8080.
	Listen string
	// MaxBody bounds the data of one event in bytes. What a body may have besides, in
	// structured mode the base64 and the attributes, comes on top, and a batch may have four
	// times as much. Data over 64 KiB go to the object store. Default 4 MiB; at most
	// [subjects.MaxBlob].
	MaxBody int64
	// MaxBatch bounds the events of one batch. Default 1,000.
	MaxBatch int
	// MaxResults bounds the bytes of the results and reports over 64 KiB in the answer to one
	// batch. A result beyond it is told by its reference, a report by its size. Default 32 MiB.
	MaxResults int
	// MaxStreams bounds the event streams that are open at once, each of which is a
	// consumer on the server. One more is answered 503. Default 4,096.
	MaxStreams int
	// MaxConnections bounds the connections that Run and Serve have open at once, those of
	// streams among them: it should be well above MaxStreams. Others wait until one is closed.
	// Default 20,000; less than none is an error.
	MaxConnections int
	// Timeout is how long NATS may take to answer one request. Default 5 s.
	Timeout time.Duration
	// BodyTimeout is how long a request's body may take to arrive, and how long the client
	// may take to read 256 KiB of an answer that is no stream. Default 30 s.
	BodyTimeout time.Duration
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
	// Hosts are names by which requests may ask for the gateway if it listens on the loopback,
	// beside localhost and the loopback's addresses: those of a proxy before it that leaves
	// Host as it is. Default: none.
	Hosts []string
	// Origins are web origins, as "https://app.example.com", of whose pages a browser may send
	// events and blobs here. Default: only the gateway's own pages may; what no browser sends
	// is not asked.
	Origins []string
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
		c.MaxBody = DefaultMaxBody
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = DefaultMaxBatch
	}
	if c.MaxResults == 0 {
		c.MaxResults = DefaultMaxResults
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = DefaultMaxStreams
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = DefaultMaxConnections
	}
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&c.Timeout, DefaultTimeout)
	set(&c.BodyTimeout, DefaultBodyTimeout)
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
	streams streams

	stopping context.Context // ends streams and waits when the gateway stops
	stop     context.CancelFunc
	close    sync.Once
}

//go:embed openapi.json
var openAPI []byte

// New returns a gateway for a namespace, which must be provisioned. The connection stays
// the caller's.
func New(nc *nats.Conn, cfg Config) (*Gateway, error) {
	cfg = cfg.withDefaults()
	if cfg.MaxConnections < 0 {
		return nil, fmt.Errorf("gateway: %d connections are not possible", cfg.MaxConnections)
	}
	ours, err := sameOrigin(cfg.Origins)
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	c, err := client.New(nc, cfg.Namespace, client.WithSource(source), client.WithTimeout(cfg.Timeout), client.WithLogger(cfg.Logger))
	if err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	g := &Gateway{cfg: cfg, nc: nc, client: c, streams: streams{max: cfg.MaxStreams}}
	g.stopping, g.stop = context.WithCancel(context.Background())
	g.handler = ours.Handler(g.mux())
	if cfg.Telemetry.Enabled() {
		g.handler = otelhttp.NewHandler(g.handler, "gateway",
			otelhttp.WithTracerProvider(cfg.Telemetry.TracerProvider()),
			otelhttp.WithMeterProvider(cfg.Telemetry.MeterProvider()),
			otelhttp.WithPropagators(cfg.Telemetry.Propagator()))
	}
	return g, nil
}

// Handler is the gateway as a handler, for a server of one's own. It leaves a write deadline
// on the connection, and clears it when its next request begins: other handlers of that
// server must not rely on there being none, unless the server clears it between requests.
//
// It takes any Host: a server on the loopback should have [Gateway.HandlerOn].
func (g *Gateway) Handler() http.Handler { return g.hurried(g.handler) }

// Close ends all streams and waits for their end. Whoever waits for an outcome is answered
// with what is known. It may be called more than once.
func (g *Gateway) Close() {
	g.close.Do(func() {
		g.stop()
		g.streams.close()
		g.client.Close()
	})
}
