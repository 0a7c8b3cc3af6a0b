package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// maxHeader bounds a request's header, and so the attributes of an event in binary mode.
const maxHeader = 64 << 10

// Run serves on the configured address until ctx ends; then it lets requests finish for
// StopTimeout.
func (g *Gateway) Run(ctx context.Context) error {
	l, err := net.Listen("tcp", g.cfg.Listen)
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return g.Serve(ctx, l)
}

// Serve is Run on a listener that is there already.
func (g *Gateway) Serve(ctx context.Context, l net.Listener) error {
	defer g.Close()
	server := &http.Server{
		Handler:           g.HandlerOn(l.Addr()),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(g.cfg.Logger.Handler(), slog.LevelDebug),
	}
	// Streams end at once, and those who wait for an outcome are answered with what is
	// known; other requests may finish.
	server.RegisterOnShutdown(g.stop)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(netutil.LimitListener(l, g.cfg.MaxConnections)) }()
	g.cfg.Logger.InfoContext(ctx, "gateway listens", "address", l.Addr().String(), "namespace", g.cfg.Namespace)
	select {
	case err := <-ended:
		return fmt.Errorf("gateway: %w", err)
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.Background(), g.cfg.StopTimeout)
	defer cancel()
	err := server.Shutdown(bounded)
	<-ended
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return nil
}
