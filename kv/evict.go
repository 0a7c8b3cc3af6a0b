package kv

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nuid"
)

// Evict ends the lease of an incarnation that seems gone, so that every view learns it at
// once. It is a hint turned into a fact everyone shares (rule 24): if it is wrong, the
// victim's next heartbeat is refused and it goes on under a new incarnation; the log
// decides what was its. Evicting who is not there is no error.
func (m *Members) Evict(ctx context.Context, inc Incarnation) error {
	e, err := m.b.read(ctx, string(inc))
	if err != nil {
		return fmt.Errorf("evict %s: %w", inc, err)
	}
	if e.gone {
		return nil
	}
	_, err = m.b.cas(ctx, write{
		key: string(inc), id: "evict-" + string(inc) + "-" + nuid.Next(), expected: e.seq, remove: true, ttl: markerTTL,
	})
	if errors.Is(err, ErrMoved) {
		return fmt.Errorf("evict %s: it lives: %w", inc, err)
	}
	if err != nil {
		return fmt.Errorf("evict %s: %w", inc, err)
	}
	return nil
}
