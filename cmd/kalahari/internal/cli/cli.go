// Package cli is the commands of kalahari, one file each.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/subjects"
)

// Commands is the command line.
type Commands struct {
	JSON bool `name:"json" help:"Print JSON instead of tables."`

	Dev     Dev     `cmd:"" help:"Run a whole fleet on this machine: server, gateway and workers."`
	Publish Publish `cmd:"" help:"Publish an event to a session."`
	Watch   Watch   `cmd:"" help:"Watch what sessions do, live."`
	Session struct {
		Show    Show    `cmd:"" help:"Where a session stands, and its waiting inputs."`
		History History `cmd:"" help:"A session's commits, from the log."`
		List    List    `cmd:"" help:"The sessions of the namespace."`
		Pause   Pause   `cmd:"" help:"Start no more runs of a session, or of all; inputs are taken as ever."`
		Resume  Resume  `cmd:"" help:"Start runs again."`
	} `cmd:"" help:"Look at sessions, hold them."`
	Replay Replay `cmd:"" help:"Fold a session's log again, rule by rule, and print what it did."`
	Fleet  Fleet  `cmd:"" help:"The workers of the namespace."`
	Doctor Doctor `cmd:"" help:"Check the server, the namespace and the fleet, and say what is wrong."`
	Kernel Kernel `cmd:"" help:"The machine without a fleet."`
	Schema Schema `cmd:"" help:"What is on the wire, for other programs."`
	Config struct {
		Mappings    Mappings    `cmd:"" help:"The account's subject mappings, which let any NATS client publish without knowing shards."`
		Permissions Permissions `cmd:"" help:"What a NATS user may publish and subscribe to, by role."`
	} `cmd:"" help:"Blocks for the configuration of a NATS server."`
	Bench struct {
		Fanout    Fanout     `cmd:"" help:"Many sessions, published to as fast as inputs are stored."`
		Hot       Hot        `cmd:"" help:"One session, sequentially or pipelined."`
		Roundtrip Roundtrip  `cmd:"" help:"Publish and wait, over many sessions."`
		Accept    Accept     `cmd:"" help:"Many sessions; how fast inputs are stored and acknowledged."`
		Cold      Cold       `cmd:"" help:"The first input of new sessions, at a steady rate."`
		Idle      Idle       `cmd:"" help:"Memory and disk of sessions, active and at rest."`
		Failover  Failover   `cmd:"" help:"A worker crashes or hangs under load: how long its sessions stand still."`
		Table     BenchTable `cmd:"" help:"All of them but idle and soak, as one table."`
		Sweep     Sweep      `cmd:"" help:"How the cost of fanout grows, with a plot."`
		Soak      Soak       `cmd:"" help:"Load for a time, with crashes; everything is checked meanwhile."`
	} `cmd:"" help:"Measure a fleet: throughput, latency, CPU, and whether it keeps its promises."`
	BenchChild BenchChild `cmd:"" name:"bench-child" hidden:""`
	Version    Version    `cmd:"" help:"Print the version."`
}

// Env is what commands run in.
type Env struct {
	Context context.Context
	JSON    bool
	In      io.Reader
	Out     io.Writer
	Err     io.Writer
}

// New is the environment of this process.
func New(ctx context.Context, asJSON bool) *Env {
	return &Env{Context: ctx, JSON: asJSON, In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
}

// ErrSaid is returned by a command whose output tells the failure.
var ErrSaid = errors.New("failed, as printed")

// Target is the namespace a command works on.
type Target struct {
	NATS      connect.NATS      `embed:"" group:"NATS"`
	Namespace connect.Namespace `embed:""`
}

// conn is a connection to a namespace.
type conn struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	ns       subjects.Namespace
	settings subjects.Settings
}

func (t Target) dial(ctx context.Context, name string) (*conn, error) {
	nc, err := t.NATS.Dial("kalahari-cli/" + name)
	if err != nil {
		return nil, err
	}
	f := &conn{nc: nc}
	if f.js, err = jetstream.New(nc); err == nil {
		f.ns, f.settings, err = t.Namespace.Find(ctx, f.js)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return f, nil
}

func (f *conn) close() { f.nc.Close() }

var compact = json.JoinOptions(json.Deterministic(true))

// print writes v as one line of JSON.
func (e *Env) print(v any) error {
	if err := json.MarshalWrite(e.Out, v, compact); err != nil {
		return err
	}
	_, err := fmt.Fprintln(e.Out)
	return err
}

// say writes a line for people.
func (e *Env) say(format string, args ...any) error {
	_, err := fmt.Fprintf(e.Out, format+"\n", args...)
	return err
}

// table writes rows for people; the first is the head.
func (e *Env) table(rows [][]string) error {
	w := tabwriter.NewWriter(e.Out, 0, 8, 3, ' ', 0)
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// short is JSON on one line, cut where a line ends.
func short(v jsontext.Value) string {
	v = v.Clone()
	if err := v.Compact(); err != nil {
		return fmt.Sprintf("%d bytes", len(v))
	}
	const limit = 120
	text := []rune(string(v))
	if len(text) > limit {
		return string(text[:limit]) + "…"
	}
	return string(text)
}
