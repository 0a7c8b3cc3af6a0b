package client

import (
	"strconv"
	"strings"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/kalahari-run/kalahari/subjects"
)

// What an event costs does not grow with the waits it does not concern: it is read once, and
// not under the client's lock once for each.
func TestAnEventIsReadOnceForAllWaits(t *testing.T) {
	ev := event.New()
	ev.SetID("s1/0.0")
	ev.SetSource("/test")
	ev.SetType(subjects.OutcomeType(InputCompleted))
	ev.SetExtension(subjects.ExtCausationID, "other")
	if err := ev.SetData(event.ApplicationJSON, map[string]string{"input_id": "other", "result": strings.Repeat("x", 1000)}); err != nil {
		t.Fatal(err)
	}
	cost := func(waits int) float64 {
		watched := &watch{waiters: map[*waiter]struct{}{}}
		for i := range waits {
			id := strconv.Itoa(i)
			watched.waiters[newWaiter("s1", id, id)] = struct{}{}
		}
		c := &Client{watches: map[string]*watch{"s1": watched}}
		return testing.AllocsPerRun(20, func() { c.deliver("s1", Event{Event: ev, Name: InputCompleted}) })
	}
	// The runtime, or the race detector, may add one now and then.
	if one, many := cost(1), cost(500); many > one+50 {
		t.Errorf("%v allocations for one wait, %v for 500", one, many)
	}
}
