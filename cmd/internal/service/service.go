// Package service is what the processes of the fleet have in common: flags, log,
// telemetry, signals and the private port.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
	"github.com/kalahari-run/kalahari/tracing/probe"
)

// Flags of every process.
type Flags struct {
	Private   string     `name:"private" env:"KALAHARI_PRIVATE" default:"127.0.0.1:0" help:"Private HTTP port: /livez /readyz /metrics /debug/pprof. Port 0 is any; the log says which."`
	LogLevel  slog.Level `name:"log-level" env:"KALAHARI_LOG_LEVEL" default:"info" help:"debug, info, warn or error."`
	LogFormat string     `name:"log-format" env:"KALAHARI_LOG_FORMAT" enum:"json,text" default:"json" help:"json or text."`
}

// Handler is the log the flags ask for.
func (f Flags) Handler(w io.Writer) slog.Handler {
	o := &slog.HandlerOptions{Level: f.LogLevel}
	if f.LogFormat == "text" {
		return slog.NewTextHandler(w, o)
	}
	return slog.NewJSONHandler(w, o)
}

// Process is one that runs: its log, its telemetry and its private port.
type Process struct {
	Log       *slog.Logger
	Telemetry *tracing.Telemetry
	Private   *probe.Server
}

// ErrStarting is the answer of /readyz before the process has said otherwise.
var ErrStarting = errors.New("starting")

// Start prepares the heap, makes the log and the telemetry and opens the private port. member
// is the name of this one among those of the service, which need not be the only one that
// has it.
func Start(ctx context.Context, name, member string, f Flags, ready func() error) (*Process, error) {
	if err := PrepareHeap(ctx); err != nil {
		return nil, err
	}
	handler := f.Handler(os.Stderr)
	tel, err := tracing.Setup(ctx, tracing.Options{
		Service: name, Version: Version(), Instance: Instance(member),
		Logger: slog.New(handler), Cancelled: executor.ErrCancelled,
	})
	if err != nil {
		return nil, err
	}
	p := &Process{Log: tel.Logger(handler), Telemetry: tel}
	p.Private, err = probe.Start(ctx, probe.Config{Addr: f.Private, Ready: ready, Telemetry: tel, Logger: p.Log})
	if err != nil {
		return nil, errors.Join(err, tel.Shutdown(ctx))
	}
	p.Log.InfoContext(ctx, "starting", "service", name, "version", Version(), "private", "http://"+p.Private.Addr(), "pid", os.Getpid())
	return p, nil
}

// Close exports what is left to export and closes the private port.
func (p *Process) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := p.Telemetry.Shutdown(ctx); err != nil {
		p.Log.Warn("telemetry did not end in time", "error", err)
	}
	return p.Private.Close()
}

// Signals is a context that SIGINT and SIGTERM end. A second signal ends the process.
func Signals() (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// Exit is the status of a process that ends with err, which it writes to w.
func Exit(w io.Writer, name string, err error) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return 0
	}
	_, _ = fmt.Fprintf(w, "%s: %v\n", name, err) // nowhere else to say it
	return 1
}

// Name is name, or the host's if there is none, as a legal token.
func Name(name string) string {
	if name != "" {
		return name
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		return "local"
	}
	return strings.Map(func(r rune) rune {
		if r > 0x7f || subjects.CheckToken("name", string(r)) != nil {
			return '-'
		}
		return r
	}, host[:min(len(host), 64)])
}

// Instance tells this process from every other for whoever collects what they measure: a
// host has room for several of the same name, and their counters must not be taken for one.
func Instance(name string) string {
	return Name(name) + "-" + strconv.Itoa(os.Getpid())
}

// Version is what this program was built from.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel-" + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
