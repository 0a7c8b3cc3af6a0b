// Package probe is the private HTTP port of a process: is it alive, does it take work, and
// what does it measure. It is for orchestrators and operators, so it listens on the
// loopback unless it is told otherwise.
//
//	/livez         200 while the process runs
//	/readyz        200 while it takes work, else 503 and the reason
//	/healthz       as /readyz
//	/metrics       Prometheus
//	/debug/pprof/  profiles
package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/kalahari-run/kalahari/tracing"
)

// Config of a private port. The zero value of a field is its default.
type Config struct {
	// Addr to listen on. Required; port 0 is any.
	Addr string
	// Ready returns nil while the process takes work. Default: always.
	Ready func() error
	// Telemetry has the metrics.
	Telemetry *tracing.Telemetry
	// WriteTimeout is how long a client may take to read an answer before it is cut off. The
	// seconds that a profile or a trace is asked for are not counted. Default 30 seconds.
	WriteTimeout time.Duration
	// Logger takes what goes wrong. Default: nobody.
	Logger *slog.Logger
}

// Server is a private port that listens.
type Server struct {
	http *http.Server
	lis  net.Listener
	done chan struct{}
	log  *slog.Logger
}

// Start listens and serves until Close.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("private port: %w", err)
	}
	s := &Server{
		lis:  lis,
		http: &http.Server{Handler: Handler(cfg), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: cmp.Or(cfg.WriteTimeout, 30*time.Second)},
		done: make(chan struct{}),
		log:  cfg.Logger,
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(lis); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the private port ended", "error", err)
		}
	}()
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() string { return s.lis.Addr().String() }

// Close stops listening, cutting what is under way, and waits. It may be called more than
// once.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.done
	return err
}

// Handler is what the private port serves.
func Handler(cfg Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok") })
	ready := func(w http.ResponseWriter, _ *http.Request) {
		if cfg.Ready != nil {
			if err := cfg.Ready(); err != nil {
				answer(w, http.StatusServiceUnavailable, err.Error())
				return
			}
		}
		answer(w, http.StatusOK, "ok")
	}
	mux.HandleFunc("GET /readyz", ready)
	mux.HandleFunc("GET /healthz", ready)
	mux.Handle("GET /metrics", cfg.Telemetry.Handler())
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // a client that is gone needs no answer
}
