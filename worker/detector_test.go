package worker

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/kv"
)

// However many members hang, who holds a member for gone, too, is heard, and whether somebody
// does is known after one time-out.
func TestASecondAskerIsFoundAmongThoseThatHang(t *testing.T) {
	empty := func() { runtime.GC(); runtime.GC() } // see TestActivationIsFoundAgain
	empty()
	defer empty()
	synctest.Test(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "test", 1)
		ns := env.Namespace
		store, err := kv.Open(t.Context(), env.JS, ns)
		if err != nil {
			t.Fatal(err)
		}
		members, err := store.Members.Watch(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer members.Close()
		join := func(name string) kv.Incarnation {
			inc := kv.NewIncarnation(name)
			if _, err := store.Members.Join(t.Context(), kv.MemberInfo{Incarnation: inc}, kv.LeaseConfig{}); err != nil {
				t.Fatal(err)
			}
			return inc
		}
		answer := func(inc kv.Incarnation, with func(*nats.Msg)) {
			if _, err := env.Conn.Subscribe(ns.Probe(string(inc)), with); err != nil {
				t.Fatal(err)
			}
		}
		l := &life{Worker: &Worker{nc: env.Conn, ns: ns}, me: join("me"), store: store, members: members}
		suspect, other := join("suspect"), join("other")
		join("absent") // nobody listens
		for range 10 {
			answer(join("hangs"), func(*nats.Msg) {})
		}
		// They are asked in the order of their names: this one last.
		answer(join("z"), func(m *nats.Msg) {
			if string(m.Data) == string(suspect) {
				_ = m.Respond([]byte(goneToo))
			} else {
				_ = m.Respond(nil)
			}
		})
		synctest.Wait()
		for inc, want := range map[kv.Incarnation]bool{suspect: true, other: false} {
			began := time.Now()
			if got := l.seconded(t.Context(), inc); got != want {
				t.Errorf("%s: seconded is %v", inc, got)
			}
			if took := time.Since(began); took > probeTimeout {
				t.Errorf("%s: it took %s", inc, took)
			}
		}
	})
}
