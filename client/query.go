package client

import (
	"context"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go/micro"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// Query asks about a session and decodes the answer into into, a pointer as for a JSON
// decoder (a *jsontext.Value keeps the answer as it is, nil drops it). args is encoded as
// JSON, nil is no arguments. The queries are listed in docs/wire.md: "state", "inputs",
// "input" with {"input_id"}, "history" with {"after","limit"}, "owner", and others.
//
// The answer is the owner's if the session has one that answers soon, and otherwise what is
// stored. It is a moment's truth: the session may have gone on. Asking wakes no session.
//
// The fleet's own word is a [*QueryError]; [ErrUnavailable] if nobody answers.
func (c *Client) Query(ctx context.Context, session, query string, args, into any) error {
	if err := c.query(ctx, session, query, args, into); err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return nil
}

func (c *Client) query(ctx context.Context, session, query string, args, into any) error {
	if err := subjects.CheckToken("session", session); err != nil {
		return err
	}
	if err := subjects.CheckToken("query", query); err != nil {
		return err
	}
	var data []byte
	if args != nil {
		var err error
		if data, err = json.Marshal(args); err != nil {
			return fmt.Errorf("query %s of session %s: arguments: %w", query, session, err)
		}
	}
	ctx, done := c.within(ctx)
	defer done()
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := c.nc.RequestWithContext(attempt, c.ns.Query(session, query), data)
	if err != nil {
		return fmt.Errorf("query %s of session %s: %w", query, session, unanswered(ctx, err))
	}
	if status := answer.Header.Get(micro.ErrorCodeHeader); status != "" {
		return queryError(session, query, answer.Header.Get(micro.ErrorHeader), answer.Data)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Data, into); err != nil {
		return fmt.Errorf("query %s of session %s: answer: %w", query, session, err)
	}
	return nil
}

func queryError(session, query, text string, data []byte) error {
	var body struct {
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(data, &body) != nil || body.Error.Code == "" {
		body.Error.Code, body.Error.Message = CodeInternal, text
	}
	return &QueryError{Session: session, Query: query, Code: body.Error.Code, Message: body.Error.Message}
}

// Sessions returns a page of the directory: up to limit sessions (0: 100; at most
// [kv.MaxPage]), in the order in which their entries were last written. Start with an
// empty cursor and go on with Next until that is empty. A session that is written while
// somebody pages may be seen twice, never missed. A cursor that no page returned is
// [ErrCursor].
func (c *Client) Sessions(ctx context.Context, cursor string, limit int) (kv.Page, error) {
	if _, err := strconv.ParseUint(cursor, 10, 64); cursor != "" && err != nil {
		return kv.Page{}, fmt.Errorf("client: %w: %q", ErrCursor, cursor)
	}
	ctx, done := c.within(ctx)
	defer done()
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	store, err := c.keys(attempt)
	if err != nil {
		return kv.Page{}, fmt.Errorf("client: %w", unanswered(ctx, err))
	}
	page, err := store.Directory.List(attempt, cursor, limit)
	if err != nil {
		return kv.Page{}, fmt.Errorf("client: %w", unanswered(ctx, err))
	}
	return page, nil
}

// Workers returns the living members of the fleet, sorted by incarnation. It lists them
// anew each time, which is for people and not for a loop.
func (c *Client) Workers(ctx context.Context) ([]kv.MemberInfo, error) {
	ctx, done := c.within(ctx)
	defer done()
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	store, err := c.keys(attempt)
	if err != nil {
		return nil, fmt.Errorf("client: %w", unanswered(ctx, err))
	}
	view, err := store.Members.Watch(attempt)
	if err != nil {
		return nil, fmt.Errorf("client: %w", unanswered(ctx, err))
	}
	defer view.Close()
	return view.All(), nil
}

// Hold is the hold of the namespace, nil if none stands: while it does, no session starts
// a run. Sessions that are paused by themselves say so in their state.
func (c *Client) Hold(ctx context.Context) (*kv.Hold, error) {
	ctx, done := c.within(ctx)
	defer done()
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	store, err := c.keys(attempt)
	if err != nil {
		return nil, fmt.Errorf("client: %w", unanswered(ctx, err))
	}
	hold, err := store.Holds.Get(attempt)
	if err != nil {
		return nil, fmt.Errorf("client: %w", unanswered(ctx, err))
	}
	return hold, nil
}

// keys opens the buckets when they are first needed: publishing and following need none.
func (c *Client) keys(ctx context.Context) (*kv.Store, error) {
	c.mu.Lock()
	store := c.store
	c.mu.Unlock()
	if store != nil {
		return store, nil
	}
	store, err := kv.Open(ctx, c.js, c.ns)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.store = store
	c.mu.Unlock()
	return store, nil
}
