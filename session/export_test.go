package session

import (
	"context"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/journal"
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
	Blobs     []string // held, sorted
	Dropped   int
	Acted     int
}

// FoldForTest folds a session from the store.
func FoldForTest(ctx context.Context, env *Env, session string) (Folded, error) {
	f, err := fold(ctx, env, session)
	if err != nil {
		return Folded{}, err
	}
	return Folded{
		*f.kernel.State(), f.ledger, f.cursor, f.confirmed, len(f.unsent), f.at.Number,
		slices.Sorted(maps.Keys(f.ledger.Blobs)), len(f.ledger.Dropped), len(f.ledger.Acted),
	}, nil
}

// TailForTest is how many bytes of commits a fold of a session reads behind its snapshot.
func TailForTest(ctx context.Context, env *Env, session string) (int, error) {
	f, err := fold(ctx, env, session)
	if err != nil {
		return 0, err
	}
	return f.tail, nil
}

// AdmittedForTest reads the data of every input a session has admitted from its log.
func AdmittedForTest(ctx context.Context, env *Env, session string) (all []jsontext.Value) {
	_, err := env.Log.Fold(ctx, session, journal.Position{}, func(m *journal.Message) error {
		b, err := readBody(ctx, env, session, m.Data)
		if err != nil {
			return err
		}
		d, err := b.Record.delta()
		if err != nil {
			return err
		}
		for _, e := range d.Admit {
			all = append(all, e.Data)
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return all
}
