//go:build unix

package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/kalahari-run/kalahari/subjects"
)

// A run in progress in one process is ended by a command published in another: at once by
// a stop or an interrupt, at its next boundary by a boundary cancel. How long that takes,
// from the publication to the outcome seen here, is measured and told; what is asserted is
// that it happens.
func TestARunOnAnotherMachineIsStopped(t *testing.T) {
	t.Parallel()
	const rounds = 20
	w := begin(t, 2, subjects.Settings{})
	w.ready(w.worker("a"), w.worker("b"))
	for _, c := range []struct{ name, echo, outcome string }{
		{"interrupt", `{"delay":"10m"}`, "Cancelled"},
		{"stop_runtime_executor", `{"delay":"10m"}`, "Abandoned"},
		{"cancel_after_boundary", `{"delay":"1ms","rounds":600000}`, "Cancelled"},
	} {
		took := make([]time.Duration, 0, rounds)
		for i := range rounds {
			took = append(took, w.cancelled(fmt.Sprintf("%s-%d", c.name, i), c.name, c.echo, c.outcome))
		}
		slices.Sort(took)
		t.Logf("%s: median %s, slowest of %d %s", c.name, took[rounds/2], rounds, took[rounds-1])
	}
}

// cancelled starts a run of a session, sends the command, and waits for the run's input to
// end: it returns how long that took.
func (w *world) cancelled(session, name, echo, outcome string) time.Duration {
	w.t.Helper()
	started, err := w.nc.SubscribeSync(w.ns.Fx(session, "TurnRunStarted"))
	if err != nil {
		w.t.Fatal(err)
	}
	ended, err := w.nc.SubscribeSync(w.ns.Fx(session, "InputCompleted"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		_ = started.Unsubscribe()
		_ = ended.Unsubscribe()
	}()
	if err := w.nc.Flush(); err != nil {
		w.t.Fatal(err)
	}
	send := func(subject string, ev event.Event) {
		w.t.Helper()
		if _, err := w.js.PublishMsg(w.t.Context(), w.message(subject, session, ev)); err != nil {
			w.t.Fatal(err)
		}
	}
	send(w.ns.In(session), newEvent("p", subjects.InputType("prompt"), fmt.Sprintf(`{"text":"x","echo":%s}`, echo)))
	if _, err := started.NextMsg(20 * time.Second); err != nil {
		w.t.Fatalf("%s: the run does not start: %v", session, err)
	}
	asked := time.Now()
	send(w.ns.Ctl(session), command("c", name, "{}"))
	m, err := ended.NextMsg(20 * time.Second)
	if err != nil {
		w.t.Fatalf("%s: the run does not end: %v", session, err)
	}
	took := time.Since(asked)
	var data struct {
		Outcome string `json:"terminal_outcome"`
	}
	if err := json.Unmarshal(m.Data, &data); err != nil || data.Outcome != outcome {
		w.t.Errorf("%s: %s, %v; want %s", session, m.Data, err, outcome)
	}
	return took
}
