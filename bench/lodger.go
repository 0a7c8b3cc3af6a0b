package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// lodger is what would be a child process, in this one ([Config.Embedded]).
type lodger struct {
	role Role
	stop context.CancelFunc
	left chan error // its end, once
	log  *os.File   // nil for none
}

// lodge starts a lodger and waits until it says that it is ready.
func lodge(ctx context.Context, cfg Config, file string, what Child) (l *lodger, line string, err error) {
	l = &lodger{role: what.Role, left: make(chan error, 1)}
	log := slog.New(slog.DiscardHandler)
	if cfg.LogDir != "" {
		if l.log, err = os.Create(filepath.Join(cfg.LogDir, file+".log")); err != nil {
			return nil, "", fmt.Errorf("%s: %w", what.Role, err)
		}
		log = slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx)) // it is ended by end
	l.stop = stop
	said, out := io.Pipe()
	go func() {
		err := what.live(life, out, log)
		_ = out.Close() // never fails
		l.left <- err
	}()
	line, err = first(ctx, linesOf(said), startTimeout)
	if err != nil {
		return nil, "", errors.Join(fmt.Errorf("%s in this process: %w", what.Role, err), l.end())
	}
	return l, line, nil
}

// end stops it and waits for its end.
func (l *lodger) end() (err error) {
	l.stop()
	select {
	case err = <-l.left:
	case <-time.After(endTimeout):
		err = fmt.Errorf("not ended after %v", endTimeout)
	}
	if l.log != nil {
		_ = l.log.Close() // nothing is held back
	}
	if err != nil {
		return fmt.Errorf("%s in this process: %w", l.role, err)
	}
	return nil
}
