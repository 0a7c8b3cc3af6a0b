package session

import (
	"testing"

	"github.com/kalahari-run/kalahari/kv"
)

// A snapshot is due when the log behind the last one is long: for what it holds, or at all.
func TestWhenASnapshotIsDue(t *testing.T) {
	const kib = 1 << 10
	for _, tt := range []struct {
		commits    uint64
		tail, last int
		due        bool
	}{
		{commits: 1023, tail: 255 * kib},
		{commits: 1024, tail: 1, due: true},
		{commits: 10, tail: 256 * kib, due: true},
		{commits: 10, tail: 256 * kib, last: 100 * kib},
		{commits: 10, tail: 800 * kib, last: 100 * kib, due: true},
		{commits: 10, tail: 8191 * kib, last: 1 << 40},
		{commits: 10, tail: 8192 * kib, last: 1 << 40, due: true},
	} {
		s := &Session{env: &Env{SnapshotEvery: DefaultSnapshotEvery, SnapshotBytes: DefaultSnapshotBytes}, tail: tt.tail, snapshotSize: tt.last, snapshot: kv.Snapshot{Commit: 7}}
		if got := s.snapshotDue(7 + tt.commits); got != tt.due {
			t.Errorf("%d commits of %d bytes behind a snapshot of %d: %t", tt.commits, tt.tail, tt.last, got)
		}
	}
}
