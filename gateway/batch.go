package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/subjects"
)

// batchResult is what became of one event of a batch: a receipt, an outcome or a problem.
type batchResult struct {
	ID      string   `json:"id"`
	Status  int      `json:"status"`
	Receipt *receipt `json:"receipt,omitzero"`
	Outcome *outcome `json:"outcome,omitzero"`
	Problem *details `json:"problem,omitzero"`
}

// postBatch takes a batch. Nothing is published if one of its events is malformed. They are
// published one after the other, so that they keep their order, and none after one that
// could not be: it would overtake that one when the producer tries again. What became of
// each is told in its place.
func (g *Gateway) postBatch(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	events, err := g.readBatch(w, r)
	if err != nil {
		describe(err).write(w)
		return
	}
	waiting, cancel := g.waiting(r.Context(), wait)
	defer cancel()
	results, failed := g.takeAll(r.Context(), waiting, cancel, r.PathValue("session"), events)
	if failed != nil {
		failed.Detail = fmt.Sprintf("the batch was taken in part, see results: %s", failed.Detail)
		failed.Results = results
		failed.write(w)
		return
	}
	if wait > 0 && !errors.Is(waiting.Err(), context.Canceled) {
		applied(w, wait)
	}
	answer(w, http.StatusOK, results, nil)
}

func (g *Gateway) readBatch(w http.ResponseWriter, r *http.Request) ([]event.Event, error) {
	body, err := readBody(w, r, batchBodies*g.structuredBody())
	if err != nil {
		return nil, err
	}
	events, err := subjects.DecodeBatch(body, g.cfg.MaxBatch)
	if err != nil {
		return nil, err
	}
	for i := range events {
		ev := &events[i]
		trace(ev, r)
		err := g.checkSize(ev)
		if err == nil {
			err = check(r.PathValue("session"), ev)
		}
		if err != nil {
			return nil, fmt.Errorf("event %d of the batch: %w", i, err)
		}
	}
	return events, nil
}

// takeAll publishes the events in order, each when the one before is stored, and waits for
// their outcomes together. failed is the problem of the first that could not be published;
// then nothing is waited for any more.
func (g *Gateway) takeAll(ctx, waiting context.Context, giveUp context.CancelFunc, session string, events []event.Event) (results []batchResult, failed *details) {
	results = make([]batchResult, len(events))
	var group sync.WaitGroup
	room := g.newRoom()
	for i, ev := range events {
		if failed != nil {
			results[i] = untried(ev)
			continue
		}
		stored, over := make(chan struct{}), make(chan taken, 1)
		group.Go(func() {
			t := g.take(ctx, waiting, session, ev, client.LeaveResult(), client.OnStored(func(client.Receipt) { close(stored) }))
			over <- t
			room.fit(waiting, session, t.outcome)
			results[i] = t.result(ev)
		})
		select {
		case <-stored:
		case t := <-over:
			if !t.stored {
				failed = new(*t.problem)
				giveUp()
			}
		}
	}
	group.Wait()
	return results, failed
}

func (t taken) result(ev event.Event) batchResult {
	res := batchResult{ID: ev.ID(), Status: http.StatusAccepted, Receipt: t.receipt, Outcome: t.outcome, Problem: t.problem}
	switch {
	case t.problem != nil:
		res.Status = t.problem.Status
	case t.outcome != nil:
		res.Status = http.StatusOK
	}
	return res
}

// untried is the result of an event behind one that could not be published.
func untried(ev event.Event) batchResult {
	d := details{
		Status: http.StatusFailedDependency, Code: "not_tried",
		Detail: "an event before this one could not be published, so this one was not",
	}.filled()
	return batchResult{ID: ev.ID(), Status: d.Status, Problem: &d}
}
