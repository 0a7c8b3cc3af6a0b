// Command gateway is the HTTP face of a namespace.
package main

import (
	"context"
	"os"
	"sync/atomic"

	"github.com/alecthomas/kong"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/cmd/internal/fleet"
	"github.com/kalahari-run/kalahari/cmd/internal/service"
	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/gateway"
)

type flags struct {
	NATS      connect.NATS      `embed:"" group:"NATS"`
	Namespace connect.Namespace `embed:""`
	Provision connect.Provision `embed:"" group:"Namespace"`
	Gateway   fleet.Gateway     `embed:"" group:"Gateway"`
	Service   service.Flags     `embed:""`
	Version   kong.VersionFlag  `name:"version" help:"Print the version."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("gateway"), kong.Description("The HTTP face of a Kalahari namespace. Any number may run side by side."),
		kong.Vars{"version": service.Version()})
	ctx, stop := service.Signals()
	defer stop()
	if code := service.Exit(os.Stderr, "gateway", run(ctx, f)); code != 0 {
		os.Exit(code)
	}
}

func run(ctx context.Context, f flags) (err error) {
	var live atomic.Pointer[gateway.Gateway]
	p, err := service.Start(ctx, "kalahari-gateway", service.Name(""), f.Service, func() error {
		if g := live.Load(); g != nil {
			return g.Ready(ctx)
		}
		return service.ErrStarting
	})
	if err != nil {
		return err
	}
	defer p.Close()
	nc, err := f.NATS.Await(ctx, "kalahari-gateway/"+service.Name(""), p.Log)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ns, _, err := f.Provision.Open(ctx, js, f.Namespace, p.Log)
	if err != nil {
		return err
	}
	g, err := f.Gateway.Build(nc, ns, p.Log, p.Telemetry)
	if err != nil {
		return err
	}
	live.Store(g)
	return g.Run(ctx)
}
