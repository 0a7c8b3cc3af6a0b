package fleet

import (
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// Gateway is what a gateway can be told.
type Gateway struct {
	HTTP           string        `name:"http" env:"KALAHARI_HTTP" default:"127.0.0.1:8080" help:"Address to listen on."`
	MaxWait        time.Duration `name:"max-wait" env:"KALAHARI_MAX_WAIT" default:"5m" help:"The longest that 'Prefer: wait' may ask for."`
	BodyTimeout    time.Duration `name:"body-timeout" env:"KALAHARI_BODY_TIMEOUT" default:"30s" help:"How long a request's body may take to arrive."`
	MaxStreams     int           `name:"max-streams" env:"KALAHARI_MAX_STREAMS" default:"4096" help:"Event streams open at once; one more is refused with 503."`
	MaxConnections int           `name:"max-connections" env:"KALAHARI_MAX_CONNECTIONS" default:"20000" help:"Connections open at once, those of streams among them; others wait. Well above --max-streams."`
	AllowHosts     []string      `name:"allow-host" env:"KALAHARI_ALLOW_HOST" placeholder:"NAME" help:"Names that requests may have as Host if --http is on the loopback, beside localhost and its addresses: a proxy's that leaves Host as it is."`
	AllowOrigins   []string      `name:"allow-origin" env:"KALAHARI_ALLOW_ORIGIN" placeholder:"ORIGIN" help:"Web origins, as https://app.example.com, of whose pages browsers may send events and blobs here. Default: only the gateway's own."`
}

// Build makes the gateway.
func (g Gateway) Build(nc *nats.Conn, ns subjects.Namespace, log *slog.Logger, tel *tracing.Telemetry) (*gateway.Gateway, error) {
	cfg := gateway.Config{
		Namespace: ns.Name(), Listen: g.HTTP, MaxWait: g.MaxWait, BodyTimeout: g.BodyTimeout,
		MaxStreams: g.MaxStreams, MaxConnections: g.MaxConnections, Hosts: g.AllowHosts, Origins: g.AllowOrigins,
		Logger: log, Telemetry: tel,
	}
	if tel != nil {
		cfg.Metrics = tel.Handler()
	}
	return gateway.New(nc, cfg)
}
