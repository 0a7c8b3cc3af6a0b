// Command nats-server is the upstream NATS server as a process of its own, with
// the upstream's flags and configuration files. It is here so that tests can
// build, kill and restart the very version this module is pinned to.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		server.PrintAndDie("nats-server: " + err.Error())
	}
}

func run(args []string) error {
	fs := flag.NewFlagSet("nats-server", flag.ExitOnError)
	opts, err := server.ConfigureOptions(fs, args, server.PrintServerAndExit, fs.Usage, server.PrintTLSHelpAndDie)
	if err != nil {
		return err
	}
	if opts.CheckConfig {
		fmt.Fprintf(os.Stderr, "configuration file %s is valid (%s)\n", opts.ConfigFile, opts.ConfigDigest())
		return nil
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	if err := server.Run(s); err != nil {
		return err
	}
	s.WaitForShutdown()
	return nil
}
