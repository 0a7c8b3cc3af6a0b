package worker

import (
	"context"
	"sync"
)

// entrusted are the sessions whose activations were lately acked because, by this worker's
// view, somebody else alive owns them. The view lags: an owner may have let its session go
// just before. When the owner's key is seen to vanish, such a session is looked after at
// once instead of by the next sweep (PROTOCOL 17).
//
// Two generations are kept and aged with the heartbeat, so that it stays small: a view that
// lags longer than that is the sweeper's business.
type entrusted struct {
	mu       sync.Mutex
	now, old map[string]struct{}
}

func (e *entrusted) note(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.now == nil {
		e.now = map[string]struct{}{}
	}
	e.now[id] = struct{}{}
}

// take reports whether the session was noted, and forgets it.
func (e *entrusted) take(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, now := e.now[id]
	_, old := e.old[id]
	delete(e.now, id)
	delete(e.old, id)
	return now || old
}

func (e *entrusted) age() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.old, e.now = e.now, nil
}

// lookAfter claims a session that was let go if an input waits for it.
func (l *life) lookAfter(ctx context.Context, id string) {
	for _, subject := range []string{l.ns.In(id), l.ns.Ctl(id)} {
		waits, err := l.inputWaits(ctx, subject, id)
		if err != nil {
			l.log.DebugContext(ctx, "a released session could not be looked after, the sweeper will", "session", id, "error", err)
			return
		}
		if waits {
			l.claim(ctx, id)
			return
		}
	}
}
