package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/subjects"
)

// Event is one event of a session's feed.
type Event struct {
	event.Event
	// Position is where the event stands in the feed: reading on after it misses nothing
	// and repeats nothing.
	Position subjects.Position
	// Name is the PascalCase name of the effect, outcome or output.
	Name string
	// JSON is the event in the JSON event format.
	JSON jsontext.Value
}

// EffectsOptions say what to read of a feed. The zero value is everything it still has,
// and all that comes.
type EffectsOptions struct {
	// After is a resume point: the feed goes on behind it. It is the Position of an event,
	// spelled "<commit>.<i>", or a whole event id; or "<commit>" alone, which goes on with
	// the first event of the commit that stands there ([GapError.Resume]). "0" so is the
	// whole feed, told of a gap if its beginning is gone. "" starts with the oldest commit
	// that is left, and whether there were older ones is not told.
	After string
	// Latest starts behind what is committed at the time of the call. It is for readers
	// without a resume point, and Opened is told the one it is: with After it is an error.
	Latest bool
	// Types keeps only events of these names ("InputCompleted") or full types. One that
	// the catalogue of events does not know is [ErrType]. Default all.
	Types []string
	// Opened, if set, is called once, when the feed stands open at its place and before the
	// first event: what could be wrong with the options is not. It is told the resume point
	// of that place, so that a reader without an event yet can go on from there.
	Opened func(after string)
	// Passed, if set, is told the resume point behind each commit that had no event the
	// reader wanted. Whoever goes on from there, rather than from the last event it was
	// given, which may be long ago, is not told of a gap in what it did not want.
	Passed func(after string)
}

// Effects reads a session's feed: every public effect, outcome and output, in order,
// exactly once, first what is stored and then what comes. It does not wake the session,
// and a session that does not exist yet is waited for.
//
// It reads on over lost connections, restarts of servers and moves of the session. The
// last pair, and only that, has an error, unless the caller stops earlier: the
// context's, [ErrClosed], a [*GapError] if what follows After (or, for a reader far
// behind, the last event) was trimmed from the log, [ErrPosition], [ErrCorrupt], or, if
// the feed cannot be opened in the first place, [ErrUnavailable].
//
// The loop's body sets the pace: a slow reader holds back itself and nothing else, and
// risks a gap only if it falls behind by more than the workers' feed horizon.
func (c *Client) Effects(ctx context.Context, session string, opts EffectsOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, done := c.within(ctx)
		defer done()
		err := c.effects(ctx, session, opts, true, func(ev Event) bool { return yield(ev, nil) })
		if err != nil && !errors.Is(err, errEnough) {
			yield(Event{}, fmt.Errorf("effects of %s: %w", session, err))
		}
	}
}

// errEnough ends a reader whose caller has seen enough.
var errEnough = errors.New("enough")

// MaxHistory is the largest page of history.
const MaxHistory = 1000

// maxHistoryBytes cuts a page too, as the query "history" does: an event may be as large as
// a commit.
const maxHistoryBytes = 256 << 10

// HistoryOptions say which part of a feed to read.
type HistoryOptions struct {
	// After and Types are as in [EffectsOptions].
	After string
	Types []string
	// Limit bounds the page. 0 is 100; at most [MaxHistory]. A page also ends before the
	// event that would make it larger than 256 KiB, but for its first.
	Limit int
}

// HistoryPage is a part of a feed.
type HistoryPage struct {
	Events []Event
	// Next is the After of the next page; "" if the feed ended here, for now.
	Next string
}

// History reads what a session's feed holds at present, a page at a time. A session that
// does not exist has an empty one, and so has an After behind the feed's end, where a
// reader that follows is told [ErrPosition]. The other errors are those of
// [Client.Effects].
func (c *Client) History(ctx context.Context, session string, opts HistoryOptions) (HistoryPage, error) {
	limit := opts.Limit
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, MaxHistory)
	ctx, done := c.within(ctx)
	defer done()
	page, size, more := HistoryPage{Events: []Event{}}, 0, false
	err := c.effects(ctx, session, EffectsOptions{After: opts.After, Types: opts.Types}, false, func(ev Event) bool {
		size += len(ev.JSON)
		if more = len(page.Events) == limit || len(page.Events) > 0 && size > maxHistoryBytes; more {
			return false
		}
		page.Events = append(page.Events, ev)
		return true
	})
	if err != nil && !errors.Is(err, errEnough) {
		return HistoryPage{}, fmt.Errorf("history of %s: %w", session, err)
	}
	if more {
		page.Next = page.Events[len(page.Events)-1].Position.String()
	}
	return page, nil
}

func (c *Client) effects(ctx context.Context, session string, opts EffectsOptions, follow bool, yield func(Event) bool) error {
	if err := subjects.CheckToken("session", session); err != nil {
		return err
	}
	wanted, err := wantedTypes(opts.Types)
	if err != nil {
		return err
	}
	r := c.reader(session)
	skip := whole // index of the last event of the first commit that was read before
	switch {
	case opts.After != "" && opts.Latest:
		return errors.New("a feed starts after a resume point or with the latest, not both")
	case opts.After != "":
		p, err := parseAfter(session, opts.After)
		if err != nil {
			return err
		}
		r.resume(p)
		skip = p.Index
	case opts.Latest:
		last, err := r.lastCommit(ctx)
		if err != nil {
			return unanswered(ctx, err)
		}
		r.resume(subjects.Position{Commit: last, Index: whole})
		r.fresh = true
	}
	r.follow, r.ready = follow, opts.Opened
	return r.run(ctx, func(k *commit) error {
		if r.after != nil && k.prev == r.after.Commit && skip >= len(k.events) {
			return fmt.Errorf("%w: %s: the commit has %d events", ErrPosition, opts.After, len(k.events))
		}
		r.isReady(k.prev)
		passed := true
		for i, raw := range k.events {
			if i <= skip {
				continue
			}
			t, err := head(raw)
			if err != nil {
				return fmt.Errorf("%w: %s.%d: %w", ErrCorrupt, session, k.sequence, err)
			}
			if wanted != nil && !wanted[t.Type] {
				continue
			}
			ev, err := k.event(i)
			if err != nil {
				return err
			}
			if passed = false; !yield(ev) {
				return errEnough
			}
		}
		if passed && opts.Passed != nil {
			opts.Passed(spell(subjects.Position{Commit: k.sequence, Index: whole}))
		}
		skip = whole
		return nil
	})
}

// header is what a reader looks at before it decodes an event.
type header struct {
	Type string `json:"type"`
}

func head(raw jsontext.Value) (header, error) {
	var h header
	err := json.Unmarshal(raw, &h)
	return h, err
}

// whole is the index of a resume point that lies before the first event of its commit.
const whole = -1

// spell writes a resume point as [EffectsOptions] takes it.
func spell(p subjects.Position) string {
	if p.Index == whole {
		return strconv.FormatUint(p.Commit, 10)
	}
	return p.String()
}

func parseAfter(session, after string) (subjects.Position, error) {
	if strings.Contains(after, "/") {
		whose, p, err := subjects.ParseEventID(after)
		if err == nil && whose != session {
			err = fmt.Errorf("%q is of the session %q", after, whose)
		}
		if err != nil {
			return p, fmt.Errorf("%w: %w", ErrPosition, err)
		}
		return p, nil
	}
	if commit, err := strconv.ParseUint(after, 10, 64); err == nil {
		return subjects.Position{Commit: commit, Index: whole}, nil
	}
	p, err := subjects.ParsePosition(after)
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrPosition, err)
	}
	return p, nil
}

// wantedTypes turns names into types; nil is all.
func wantedTypes(names []string) (map[string]bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	catalogue := subjects.Catalogue()
	wanted := map[string]bool{}
	for _, name := range names {
		known := false
		for _, t := range catalogue {
			switch t.Class {
			case subjects.ClassEffect, subjects.ClassOutcome, subjects.ClassOutput:
				if t.Name == name || t.Type == name {
					wanted[t.Type], known = true, true
				}
			}
		}
		if !known {
			return nil, fmt.Errorf("%w: %q", ErrType, name)
		}
	}
	return wanted, nil
}
