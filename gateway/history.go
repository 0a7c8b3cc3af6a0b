package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/client"
)

// historyTime bounds the reading of one page of history.
const historyTime = 10 * time.Second

// history is a page of the feed.
type history struct {
	Events []jsontext.Value `json:"events"`
	// Next is the position to go on after; "" if the feed ended.
	Next string `json:"next"`
	// Gap is set if the log was trimmed behind `after`: the page begins with the oldest
	// event that is left.
	Gap *gap `json:"gap,omitzero"`
}

func (g *Gateway) getHistory(w http.ResponseWriter, r *http.Request) {
	n, err := limit(r)
	if err != nil {
		describe(err).write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), historyTime)
	defer cancel()
	opts := client.HistoryOptions{After: r.URL.Query().Get("after"), Types: types(r), Limit: n}
	page, err := g.history(ctx, r.PathValue("session"), opts)
	if err == nil && len(page.Events) == 0 {
		// Nobody's feed is as empty as a quiet session's. If the fleet does not answer, what
		// was read is true all the same.
		if asked := g.client.Query(ctx, r.PathValue("session"), "state", nil, nil); errors.Is(asked, client.ErrSessionNotFound) {
			err = asked
		}
	}
	answer(w, http.StatusOK, page, err)
}

func (g *Gateway) history(ctx context.Context, session string, opts client.HistoryOptions) (history, error) {
	page := history{Events: []jsontext.Value{}}
	asked := opts.After
	for {
		part, err := g.client.History(ctx, session, opts)
		var lost *client.GapError
		if errors.As(err, &lost) {
			// Whatever was read before the gap is told to be lost too, since it is by now.
			page.Gap = gapOf(asked, lost)
			opts.After = lost.Resume()
			continue
		}
		for i := range part.Events {
			page.Events = append(page.Events, part.Events[i].JSON)
		}
		page.Next = part.Next
		return page, err
	}
}
