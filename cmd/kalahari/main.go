// Command kalahari is the command line of Kalahari: a fleet on one machine, and questions
// to any fleet.
package main

import (
	"errors"
	"os"

	"github.com/alecthomas/kong"

	"github.com/kalahari-run/kalahari/cmd/internal/service"
	"github.com/kalahari-run/kalahari/cmd/kalahari/internal/cli"
)

func main() {
	var commands cli.Commands
	parsed := kong.Parse(&commands, kong.Name("kalahari"), kong.ShortUsageOnError(),
		kong.Description("Ordered sessions over NATS JetStream. Begin with: kalahari dev --demo"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	service.SpareCollector()
	ctx, stop := service.Signals()
	err := parsed.Run(cli.New(ctx, commands.JSON))
	stop()
	if errors.Is(err, cli.ErrSaid) {
		os.Exit(1) // the output has told it already
	}
	if code := service.Exit(os.Stderr, "kalahari", err); code != 0 {
		os.Exit(code)
	}
}
