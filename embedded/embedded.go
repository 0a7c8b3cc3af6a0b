// Package embedded is a NATS server with JetStream inside the process: what
// `kalahari dev` runs on, and what tests run on.
//
// It is the upstream server, unchanged. What is ours are the defaults: it
// listens on the loopback only, monitoring is off, every write is synced before
// it is acknowledged, and the account mappings of a namespace can be installed
// so that producers need not know about shards.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// Sync says what an acknowledgement of the server is worth on one machine.
type Sync int

const (
	// SyncAlways writes to the disk before acknowledging. The default: with one
	// replica nothing else survives a power cut.
	SyncAlways Sync = iota
	// SyncRelaxed acknowledges what is in the page cache and syncs every two
	// minutes. It survives the process, not the machine. Many times faster.
	SyncRelaxed
)

func (s Sync) String() string {
	if s == SyncRelaxed {
		return "relaxed"
	}
	return "always"
}

// ParseSync reads "always" or "relaxed"; "" is the default.
func ParseSync(s string) (Sync, error) {
	switch s {
	case "", "always":
		return SyncAlways, nil
	case "relaxed":
		return SyncRelaxed, nil
	}
	return 0, fmt.Errorf("sync %q: always or relaxed", s)
}

// RandomPort asks for any free port.
const RandomPort = server.RANDOM_PORT

// DefaultMaxPayload is the largest message. It is the default of every NATS
// server, so that what works in development works against a real one.
const DefaultMaxPayload = 1 << 20

// Options of a server. The zero value of a field is its default; only DataDir
// must be given.
type Options struct {
	// Name of the server. Default "kalahari".
	Name string

	// Host to listen on. Default 127.0.0.1.
	Host string

	// Port to listen on. Default 4222; [RandomPort] for any.
	Port int

	// DontListen opens no socket at all: connections are made with
	// [Server.Connect] only. With it the server runs inside a testing/synctest
	// bubble (which needs ats.Register of the server's package ats in TestMain).
	DontListen bool

	// DataDir is where JetStream stores. Required. Two servers must not share it: where
	// the system has locks of files, a second one does not start.
	DataDir string

	// Sync is SyncAlways by default.
	Sync Sync

	// Mappings of the account, [subjects.Namespace.Mappings] as a rule. More can
	// be added while it runs, with [Server.Map].
	Mappings []subjects.Mapping

	// MaxPayload in bytes. Default [DefaultMaxPayload].
	MaxPayload int32

	// MaxStore and MaxMemory bound JetStream in bytes. Default: what the server
	// chooses, three quarters of what is free.
	MaxStore, MaxMemory int64

	// APIQueue bounds the JetStream API requests waiting; what comes beyond is
	// dropped. Default 10,000, as upstream.
	APIQueue int64

	// Logger takes the server's log. Default: none.
	Logger *slog.Logger

	// Debug lets the server's debug lines through to Logger.
	Debug bool

	// Adjust, if set, has the last word on the upstream options: users, TLS, ...
	Adjust func(*server.Options)
}

// Server is a running server.
type Server struct {
	ns    *server.Server
	lock  *os.File // the directory
	close sync.Once
}

// Start starts a server and waits until it takes connections, or until ctx ends.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.DataDir == "" {
		return nil, errors.New("embedded server: DataDir is required")
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	dir, err := lock(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", err)
	}
	opts := upstream(o)
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("embedded server: %w", errors.Join(err, unlock(dir)))
	}
	s := &Server{ns: ns, lock: dir}
	log := &logger{to: o.Logger}
	ns.SetLogger(log, o.Debug, false)
	if err := s.Map(o.Mappings...); err != nil {
		s.Close()
		return nil, err
	}
	go ns.Start()
	for !ns.ReadyForConnections(20 * time.Millisecond) {
		if err := log.failed(); err != nil {
			s.Close()
			return nil, fmt.Errorf("embedded server: %w", err)
		}
		if err := ctx.Err(); err != nil {
			s.Close()
			return nil, fmt.Errorf("embedded server: not ready: %w", err)
		}
	}
	// A fault of JetStream's is reported, and the server goes on without it.
	if err := log.failed(); err != nil || !ns.JetStreamEnabled() {
		s.Close()
		return nil, fmt.Errorf("embedded server: JetStream did not start: %w", errors.Join(err, ctx.Err()))
	}
	return s, nil
}

func upstream(o Options) *server.Options {
	opts := &server.Options{
		ServerName:                 o.Name,
		Host:                       o.Host,
		Port:                       o.Port,
		DontListen:                 o.DontListen,
		NoSigs:                     true,
		MaxPayload:                 o.MaxPayload,
		JetStream:                  true,
		StoreDir:                   o.DataDir,
		JetStreamMaxStore:          o.MaxStore,
		JetStreamMaxMemory:         o.MaxMemory,
		JetStreamRequestQueueLimit: o.APIQueue,
		SyncAlways:                 o.Sync == SyncAlways,
		DisableJetStreamBanner:     true,
	}
	if opts.ServerName == "" {
		opts.ServerName = subjects.Root
	}
	if opts.Host == "" {
		opts.Host = "127.0.0.1"
	}
	if opts.MaxPayload == 0 {
		opts.MaxPayload = DefaultMaxPayload
	}
	if o.Adjust != nil {
		o.Adjust(opts)
	}
	return opts
}

// Map installs subject mappings in the account of clients that name none.
// Installing one again replaces it.
func (s *Server) Map(mappings ...subjects.Mapping) error {
	for _, m := range mappings {
		if err := s.ns.GlobalAccount().AddMapping(m.Source, m.Destination); err != nil {
			return fmt.Errorf("embedded server: mapping %s -> %s: %w", m.Source, m.Destination, err)
		}
	}
	return nil
}

// ClientURL is where clients connect. It is of no use with DontListen.
func (s *Server) ClientURL() string { return s.ns.ClientURL() }

// Connect connects inside the process, without a socket. It works while the
// server runs, with or without DontListen.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append(opts[:len(opts):len(opts)], nats.InProcessServer(s.ns))...)
	if err != nil {
		return nil, fmt.Errorf("embedded server: connect: %w", err)
	}
	return nc, nil
}

// NATS is the upstream server, for what this package does not offer.
func (s *Server) NATS() *server.Server { return s.ns }

// Close stops the server, cutting its connections, and waits until its store is
// closed. It may be called more than once.
func (s *Server) Close() {
	s.close.Do(s.ns.Shutdown)
	s.ns.WaitForShutdown()
	_ = unlock(s.lock) // it was only read, and may be closed already
}

// logger passes the server's log on, and remembers what it calls fatal: the
// upstream binary exits there, we return an error.
type logger struct {
	to    *slog.Logger
	fatal atomic.Pointer[string]
}

func (l *logger) failed() error {
	if text := l.fatal.Load(); text != nil {
		return errors.New(*text)
	}
	return nil
}

func (l *logger) log(level slog.Level, format string, v []any) {
	if l.to != nil && l.to.Enabled(context.Background(), level) {
		l.to.Log(context.Background(), level, fmt.Sprintf(format, v...))
	}
}

func (l *logger) Fatalf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	l.fatal.CompareAndSwap(nil, &text)
	l.log(slog.LevelError, "%s", []any{text})
}
func (l *logger) Noticef(format string, v ...any) { l.log(slog.LevelInfo, format, v) }
func (l *logger) Warnf(format string, v ...any)   { l.log(slog.LevelWarn, format, v) }
func (l *logger) Errorf(format string, v ...any)  { l.log(slog.LevelError, format, v) }
func (l *logger) Debugf(format string, v ...any)  { l.log(slog.LevelDebug, format, v) }
func (l *logger) Tracef(format string, v ...any)  { l.log(slog.LevelDebug-4, format, v) }
