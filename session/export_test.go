package session

import (
	"context"

	"github.com/kalahari-run/kalahari/kernel"
)

// Folded is what a fold came to, for tests to compare.
type Folded struct {
	State     kernel.State
	Ledger    any
	Cursor    uint64
	Confirmed uint64
	Unsent    int
	Commit    uint64
}

// FoldForTest folds a session from the store.
func FoldForTest(ctx context.Context, env *Env, session string) (Folded, error) {
	f, err := fold(ctx, env, session)
	if err != nil {
		return Folded{}, err
	}
	return Folded{*f.kernel.State(), f.ledger, f.cursor, f.confirmed, len(f.unsent), f.at.Number}, nil
}
