package worker_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/worker"
)

// A session that rests as soon as it can is woken by every input, whenever it comes: just
// before the session lets its key go, or just after, while it still is on its way out. The
// sweeper is too slow to help.
func TestNoInputMeetsASessionThatFallsAsleep(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	const sessions, rounds = 8, 150
	done := outcomes(t, env, env.Namespace.FxName(0, "InputCompleted"))
	fleet(t, env, 2, func(c *worker.Config) {
		c.HibernateAfter, c.SweepEvery = time.Millisecond, time.Hour
	})
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	owners, err := store.Owners.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer owners.Close()

	// Each session's next input comes about when its key goes.
	changes := owners.Changes()
	defer changes.Close()
	var mu sync.Mutex
	published := map[string]int{}
	send := func(session string) {
		mu.Lock()
		n := published[session]
		published[session]++
		mu.Unlock()
		if n < rounds {
			publish(t, env, session, prompt(fmt.Sprintf("p%d", n), "x"))
		}
	}
	var producers sync.WaitGroup // ends with the test
	for i := range sessions {
		send(fmt.Sprintf("s%d", i))
	}
	producers.Go(func() {
		for {
			select {
			case <-t.Context().Done():
				return
			case <-changes.Wake():
			}
			for _, c := range changes.Take() {
				if !c.Owned() {
					producers.Go(func() {
						time.Sleep(time.Duration(rand.Int64N(int64(400 * time.Microsecond))))
						send(c.Session)
					})
				}
			}
		}
	})
	for n := range sessions * rounds {
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d inputs of %d were never taken", sessions*rounds-n, sessions*rounds)
		}
	}
}
