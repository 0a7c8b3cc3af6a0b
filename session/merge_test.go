package session

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// drawChange is one change of a ledger as a session may make it at any point of a commit; n is
// its number, for what has to be new.
func drawChange(t *rapid.T, l *ledger, n int) (d delta) {
	of := func(what string, most int) int { return rapid.IntRange(0, most-1).Draw(t, what) }
	id := fmt.Sprint("id", n)
	blobs := func() (all []kv.Blob) {
		for range of("blobs", 3) {
			all = append(all, kv.Blob{Ref: fmt.Sprint("b", of("ref", 3)), Size: 1, Revision: uint64(n)})
		}
		return all
	}
	waits := waitingCommand{Command: "wait", Key: fmt.Sprint("k", of("key", 3)), Request: id}
	switch of("change", 26) {
	case 0, 1:
		d.Admit = []*entry{{ID: id, Key: "key" + id, Blobs: blobs()}}
	case 2, 3:
		for _, e := range l.Live { // any
			d.End = []ended{{Key: e.Key, ID: e.ID, At: id, Blobs: blobs()}}
			d.Ended = []string{e.Key}
			break
		}
	case 4:
		d.Seen = []seenKey{{Key: "key" + id, What: seen{ID: id, Command: true, Blobs: blobs()}}}
		d.Ended = []string{"key" + id}
	case 5, 6:
		d.Run = &execution{RunID: id, Count: 1}
	case 7, 8:
		d.RunOver = true
	case 9:
		d.Acted = []actedKey{{ID: fmt.Sprint("a", of("action", 3)), Answer: answered{Report: []byte(`{}`)}}}
	case 10:
		d.Retiring = &waits
	case 11:
		d.Retired = true
	case 12:
		d.Hold = &hold{By: id}
	case 13:
		d.Resumed = true
	case 14, 15:
		d.Wait = []waitingCommand{waits}
	case 16, 17:
		d.Waited = []string{waits.id()}
	case 18:
		d.Alarm = &alarm{Generation: uint64(n)}
	case 19:
		d.Rung = true
	case 20:
		id := fmt.Sprint("r", of("request", 3))
		d.Peers = []peerChange{[]peerChange{
			{ID: id, Asked: &asked{Generation: uint64(n)}},
			{ID: id, Told: true},
			{ID: id, Owed: &owed{Input: fmt.Sprint(n)}},
			{ID: id, Paid: true},
			{ID: id, Stream: time.Unix(int64(n)+1, 0)},
			{ID: id, Joined: true},
		}[of("peer", 6)]}
	case 21:
		id := fmt.Sprint("o", of("operation", 3))
		change := []operationChange{
			{ID: id, Known: &operation{DisplayName: fmt.Sprint(n)}},
			{ID: id, Done: true, Feed: &executor.Completion{Seq: uint64(n)}},
			{ID: id, Gone: true},
			{Drop: true},
		}[of("about it", 4)]
		if !change.Drop || len(l.Operations.Feed) > 0 {
			d.Operations = []operationChange{change}
		}
	case 22:
		d.Deferred = []ContextAppend{{Key: fmt.Sprint(of("context", 3)), Content: id}}
	case 23:
		d.DeferredGone = true
	case 24:
		d.Epoch, d.EpochOver = id, of("over", 2) == 0
		d.Mob, d.Met = id, true
	default:
		if d.OperatorGone = of("operator gone", 2) == 0; !d.OperatorGone {
			d.Operator = &kernel.RestoreMobOperatorAuthority{PrincipalToken: kernel.OpaquePrincipalToken(id)}
		}
	}
	return d
}

// A ledger to which a commit's delta is applied is the one to which its changes were applied
// one after the other, however many there are of a kind.
func TestAMergedDeltaIsItsChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		owner, next, n := newLedger(), newLedger(), 0
		retain := rapid.IntRange(0, 4).Draw(t, "retain")
		destroyed := false
		for range 3 {
			var commit delta
			change := func(d delta) {
				owner.apply(&d)
				commit.merge(&d)
			}
			for range rapid.IntRange(0, 25).Draw(t, "changes") {
				n++
				change(drawChange(t, &owner, n))
			}
			if !destroyed && rapid.IntRange(0, 4).Draw(t, "destroy") == 0 {
				destroyed = true
				change(delta{DropAll: true})
				change(delta{Drop: []kv.Blob{{Ref: "late", Revision: uint64(n)}}})
			}
			for len(owner.Ended) > retain {
				change(delta{Forget: owner.Ended[:1:1]})
			}
			change(delta{Deleted: rapid.IntRange(0, len(owner.Dropped)).Draw(t, "deleted")})
			next.apply(&commit)
			if diff := cmp.Diff(owner, next, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("-one by one +merged:\n%s", diff)
			}
		}
	})
}
