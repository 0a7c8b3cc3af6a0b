package worker_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/worker"
)

// A session that rests as soon as it can is woken by every input, whenever it comes: just
// before the session lets its key go, or just after, while it still is on its way out. The
// sweeper is too slow to help.
func TestNoInputMeetsASessionThatFallsAsleep(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	const sessions, rounds = 8, 100
	done := outcomes(t, env, env.Namespace.FxName(0, "InputCompleted"))
	// What is written to the owner keys, not a watch of them: that skips what is gone soon.
	keys := outcomes(t, env, "$KV."+env.Namespace.OwnersBucket()+".>")
	fleet(t, env, 2, func(c *worker.Config) {
		c.HibernateAfter, c.SweepEvery = time.Millisecond, time.Hour
	})
	published := map[string]int{}
	send := func(session string) {
		n := published[session]
		published[session]++
		if n < rounds {
			publish(t, env, session, prompt(fmt.Sprintf("p%d", n), "x"))
		}
	}
	for i := range sessions {
		send(fmt.Sprintf("s%d", i))
	}
	for completed := 0; completed < sessions*rounds; {
		select {
		case m := <-keys:
			// Each session's next input comes about when its key goes.
			if m.Header.Get("KV-Operation") == "DEL" {
				_, session, err := env.Namespace.ParseSessionKey(m.Subject[len("$KV."+env.Namespace.OwnersBucket()+"."):])
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(rand.Int64N(int64(300 * time.Microsecond))))
				send(session)
			}
		case <-done:
			completed++
		case <-time.After(10 * time.Second):
			t.Fatalf("%d inputs of %d were never taken; sent %v", sessions*rounds-completed, sessions*rounds, published)
		}
	}
}
