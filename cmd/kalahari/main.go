// Command kalahari is the command line of Kalahari: a fleet on one machine, and questions
// to any fleet.
package main

import (
	"errors"
	"fmt"
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
	ctx, stop := service.Signals()
	err := service.PrepareHeap(ctx)
	if err == nil {
		err = parsed.Run(cli.New(ctx, commands.JSON))
	}
	stop()
	if errors.Is(err, cli.ErrSaid) {
		os.Exit(1) // the output has told it already
	}
	// Unlike a service, a command that is interrupted has not done what it was asked to: those
	// that go on until then return nil.
	if err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "kalahari: %v\n", err) // nowhere else to say it
		os.Exit(1)
	}
}
