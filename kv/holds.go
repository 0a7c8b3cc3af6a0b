package kv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// Holds is the hold of a whole namespace: while it stands, no session starts a run. It is
// a record of the directory bucket, so it outlives every worker, and it holds sessions
// that are claimed later too.
type Holds struct{ b *bucket }

// Hold says since when runs are held, and why.
type Hold struct {
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
}

// holdRecord is the value of the key: it is written, never deleted, so that it needs no
// marker and the bucket no message TTLs.
type holdRecord struct {
	Hold *Hold `json:"hold"`
}

// Get asks the stream's leader (rule 13). Nil: nothing is held.
func (h *Holds) Get(ctx context.Context) (*Hold, error) {
	e, err := h.b.read(ctx, subjects.HoldKey)
	if err != nil {
		return nil, fmt.Errorf("hold: %w", err)
	}
	return decodeHold(e), nil
}

// Put holds the namespace. A hold that stands keeps the time it began, and gets the new
// reason.
func (h *Holds) Put(ctx context.Context, hold Hold) (Hold, error) {
	began := hold.Since.UTC()
	err := h.write(ctx, func(old *Hold) *Hold {
		if hold.Since = began; old != nil { // not that of an earlier try: it may have ended
			hold.Since = old.Since
		}
		return &hold
	})
	return hold, err
}

// Clear lets the runs of the namespace go on. Clearing what is not held is no error.
func (h *Holds) Clear(ctx context.Context) error {
	return h.write(ctx, func(*Hold) *Hold { return nil })
}

func (h *Holds) write(ctx context.Context, change func(old *Hold) *Hold) error {
	for attempt := 0; ; attempt++ {
		old, err := h.b.read(ctx, subjects.HoldKey)
		if err != nil {
			return fmt.Errorf("hold: %w", err)
		}
		value, err := json.Marshal(holdRecord{change(decodeHold(old))})
		if err != nil {
			return fmt.Errorf("hold: %w", err)
		}
		_, err = h.b.cas(ctx, write{key: subjects.HoldKey, id: newID(), expected: old.seq, value: value})
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, ErrMoved):
			return fmt.Errorf("hold: %w", err)
		case !pause(ctx, attempt):
			return fmt.Errorf("hold: %w", errors.Join(err, ctx.Err()))
		}
	}
}

func decodeHold(e entry) *Hold {
	var r holdRecord
	if e.gone || json.Unmarshal(e.value, &r) != nil {
		return nil
	}
	return r.Hold
}

// HoldView is a local copy of the hold. While it is blind it keeps what it knew last.
type HoldView struct {
	board[string, Hold]
	feed    *feed
	current atomic.Pointer[Hold]
	changes func()
}

// Watch starts a view and waits until it knows. changed is called after every change, by
// one goroutine, and must be quick. The view lives until it is closed or ctx ends.
func (h *Holds) Watch(ctx context.Context, changed func()) (*HoldView, error) {
	v := &HoldView{board: newBoard[string, Hold](), changes: changed}
	v.feed = startFeedOf(ctx, h.b, subjects.HoldKey, v)
	if err := v.wait(ctx); err != nil {
		v.feed.close()
		return nil, fmt.Errorf("watch hold: %w", err)
	}
	return v, nil
}

// Current is the hold that stands, nil if none does. It costs a load.
func (v *HoldView) Current() *Hold { return v.current.Load() }

// Close stops the view and waits for it. It may be called more than once.
func (v *HoldView) Close() { v.feed.close() }

func (v *HoldView) listed(all []entry) {
	var hold *Hold
	for _, e := range all {
		hold = decodeHold(e)
	}
	v.current.Store(hold)
	v.mu.Lock()
	v.seeing()
	v.mu.Unlock()
	v.changes()
}

func (v *HoldView) changed(e entry) {
	v.current.Store(decodeHold(e))
	v.changes()
}

func (v *HoldView) tick(time.Time) {}
