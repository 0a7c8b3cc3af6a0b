// Command worker is a member of the fleet: it claims sessions and hosts them.
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
	"github.com/kalahari-run/kalahari/worker"
)

type flags struct {
	NATS      connect.NATS      `embed:"" group:"NATS"`
	Namespace connect.Namespace `embed:""`
	Provision connect.Provision `embed:"" group:"Namespace"`
	Worker    fleet.Worker      `embed:"" group:"Worker"`
	Service   service.Flags     `embed:""`
	Name      string            `name:"name" env:"KALAHARI_WORKER_NAME" help:"Name in the fleet. Default: the host's."`
	Version   kong.VersionFlag  `name:"version" help:"Print the version."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("worker"), kong.Description("A member of the Kalahari fleet. SIGTERM drains it: runs end, sessions are handed over."),
		kong.Vars{"version": service.Version()})
	ctx, stop := service.Signals()
	defer stop()
	if code := service.Exit(os.Stderr, "worker", run(ctx, f)); code != 0 {
		os.Exit(code)
	}
}

func run(ctx context.Context, f flags) (err error) {
	f.Name = service.Name(f.Name)
	var live atomic.Pointer[worker.Worker]
	p, err := service.Start(ctx, "kalahari-worker", f.Name, f.Service, func() error {
		if w := live.Load(); w != nil {
			return w.Ready()
		}
		return service.ErrStarting
	})
	if err != nil {
		return err
	}
	defer p.Close()
	nc, err := f.NATS.Await(ctx, "kalahari-worker/"+f.Name, p.Log)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	ns, settings, err := f.Provision.Open(ctx, js, f.Namespace, p.Log)
	if err != nil {
		return err
	}
	w, err := f.Worker.Build(fleet.Member{
		Conn: nc, Namespace: ns, Settings: settings, Name: f.Name, Version: service.Version(),
		HTTP: p.Private.Addr(), Log: p.Log, Telemetry: p.Telemetry,
	})
	if err != nil {
		return err
	}
	live.Store(w)
	return w.Run(ctx)
}
