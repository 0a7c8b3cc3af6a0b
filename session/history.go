package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// The bounds of a page of history.
const (
	defaultHistory = 100
	maxHistory     = 1000
	// maxHistoryBytes keeps a page below what one message may carry, whatever events there
	// are: an event is at most as large as a commit.
	maxHistoryBytes = 256 << 10
)

// HistoryReport is the answer to the query "history": a part of the feed.
type HistoryReport struct {
	// Events are CloudEvents in the JSON event format.
	Events []jsontext.Value `json:"events"`
	// Next is the position to go on after, "" if the feed ended here.
	Next string `json:"next"`
}

// History reads a part of a session's feed from the log, whoever owns the session. What
// was trimmed is not there any more: the page begins with the oldest event that is left.
func History(ctx context.Context, env *Env, session string, args []byte) ([]byte, error) {
	var arg struct {
		After string `json:"after"`
		Limit int    `json:"limit"`
	}
	if err := ReadArgs(args, &arg); err != nil {
		return nil, err
	}
	if arg.Limit == 0 {
		arg.Limit = defaultHistory
	}
	if arg.Limit < 0 || arg.Limit > maxHistory {
		return nil, BadRequest("limit: %d is none of 1 to %d", arg.Limit, maxHistory)
	}
	var after subjects.Position
	resume := arg.After != ""
	if resume {
		var err error
		if after, err = subjects.ParsePosition(arg.After); err != nil {
			return nil, BadRequest("after: %v", err)
		}
	}
	page, err := readHistory(ctx, env, session, after, resume, arg.Limit)
	if err != nil {
		return nil, err
	}
	return json.Marshal(page)
}

func readHistory(ctx context.Context, env *Env, session string, after subjects.Position, resume bool, limit int) (*HistoryReport, error) {
	page := &HistoryReport{Events: []jsontext.Value{}}
	last, size, there := "", 0, resume
	for seq := after.Commit + 1; ; {
		m, err := env.Log.From(ctx, session, seq)
		if err != nil {
			return nil, err
		}
		if m == nil {
			if !there {
				return page, known(ctx, env, session)
			}
			return page, nil
		}
		there = true // also if nothing has happened yet but that somebody owns it
		events, err := feedOf(ctx, env, session, m.Data)
		if err != nil {
			return nil, fmt.Errorf("session %s: commit %d: %w", session, m.Number, err)
		}
		for i, ev := range events {
			if resume && m.Prev == after.Commit && i <= after.Index {
				continue
			}
			if len(page.Events) == limit || len(page.Events) > 0 && size+len(ev) > maxHistoryBytes {
				page.Next = last
				return page, nil
			}
			last = subjects.Position{Commit: m.Prev, Index: i}.String()
			size += len(ev)
			page.Events = append(page.Events, ev)
		}
		seq = m.Sequence + 1
	}
}

// known tells an empty log from a session that does not exist.
func known(ctx context.Context, env *Env, session string) error {
	_, err := env.Store.Snapshots.Read(ctx, session)
	if errors.Is(err, kv.ErrNoSnapshot) {
		return ErrNoSession
	}
	return err
}

// feedOf reads the events of a commit as they stand there.
func feedOf(ctx context.Context, env *Env, session string, data []byte) ([]jsontext.Value, error) {
	var b struct {
		Events  []jsontext.Value `json:"events"`
		DataRef string           `json:"dataref"`
	}
	err := json.Unmarshal(data, &b)
	if err == nil && b.DataRef != "" {
		if data, err = env.Store.Blobs.Body(ctx, session, b.DataRef); err == nil {
			err = json.Unmarshal(data, &b)
		}
	}
	return b.Events, err
}
