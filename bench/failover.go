package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/kalahari-run/kalahari/kv"
)

// Fault is what happens to a worker.
type Fault string

const (
	// Crash is kill -9.
	Crash Fault = "crash"
	// Pause stops the process, as a hang would, and lets it go on when everything has ended
	// elsewhere.
	Pause Fault = "pause"
)

// Stall is how long the sessions of a faulty worker stood still.
type Stall struct {
	Fault Fault `json:"fault"`
	// Sessions the worker owned, and those of them that had inputs afterwards.
	Sessions int `json:"sessions"`
	Stalled  int `json:"stalled"`
	// The longest time from when an input of the session was due to its outcome, over the
	// sessions.
	P50MS float64 `json:"p50_ms"`
	P95MS float64 `json:"p95_ms"`
	P99MS float64 `json:"p99_ms"`
	MaxMS float64 `json:"max_ms"`
}

// failover publishes steadily and lets one worker fail a third of the way.
func (b *run) failover(ctx context.Context) (*Stall, error) {
	total := b.Sessions * b.Inputs
	b.say("publishing %d inputs to %d sessions, %.0f in a second; one worker of %d fails on the way", total, b.Sessions, b.Rate, b.Workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	published := make(chan error, 1)
	go func() { published <- b.publish(ctx, b.ledger.measured, b.ledger.inputs, b.Rate) }()
	if err := pause(ctx, time.Duration(float64(total)/b.Rate/3*float64(time.Second))); err != nil {
		return nil, err
	}
	victim := b.family.workers[0]
	sessions, err := b.ownedBy(ctx, victim.name)
	if err != nil {
		return nil, err
	}
	at := time.Now()
	if err := b.fail(victim); err != nil {
		return nil, err
	}
	err = errors.Join(<-published, b.settle(ctx, b.total()))
	if b.Fault == Pause {
		err = errors.Join(err, victim.cmd.Process.Signal(syscall.SIGCONT))
		// What it does when it comes back would be counted as a second outcome.
		err = errors.Join(err, pause(ctx, 5*time.Second))
	}
	stalls := b.ledger.stalls(sessions, at)
	s := &Stall{Fault: b.Fault, Sessions: len(sessions), Stalled: len(stalls)}
	if n := len(stalls); n > 0 {
		s.P50MS, s.P95MS, s.P99MS = ms(percentile(stalls, 50)), ms(percentile(stalls, 95)), ms(percentile(stalls, 99))
		s.MaxMS = ms(stalls[n-1])
	}
	return s, err
}

func (b *run) fail(victim *child) error {
	if b.Fault == Pause {
		return victim.cmd.Process.Signal(syscall.SIGSTOP)
	}
	return b.crash(victim)
}

// ownedBy are the numbers of the sessions of this run that a worker owns.
func (b *run) ownedBy(ctx context.Context, worker string) ([]int, error) {
	owners, err := b.owners(ctx)
	if err != nil {
		return nil, err
	}
	defer owners.Close()
	var sessions []int
	for _, o := range owners.All() {
		if i, ok := b.ledger.parseSession(o.Session); ok && strings.HasPrefix(string(o.Incarnation), worker+"-") {
			sessions = append(sessions, i)
		}
	}
	return sessions, nil
}

func (b *run) owners(ctx context.Context) (*kv.OwnerView, error) {
	store, err := kv.Open(ctx, b.js, b.ns)
	if err != nil {
		return nil, err
	}
	owners, err := store.Owners.Watch(ctx)
	if err != nil {
		return nil, fmt.Errorf("owners: %w", err)
	}
	return owners, nil
}
