package kv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// Directory is the bucket that says which sessions exist.
type Directory struct {
	ns subjects.Namespace
	b  *bucket
}

// SessionEntry is what the directory knows of a session.
type SessionEntry struct {
	Session   string    `json:"session"`
	CreatedAt time.Time `json:"created_at"`
	Mob       string    `json:"mob,omitempty"`
}

// Page is a part of the directory.
type Page struct {
	Sessions []SessionEntry
	Next     string // cursor of the next page; "" if this is the last
}

// MaxPage is the largest page.
const MaxPage = 1000

// Put enters a session, or changes its entry. The time it was first entered with
// stays. An entry that is the same already is not written.
func (d *Directory) Put(ctx context.Context, s SessionEntry) error {
	if err := subjects.CheckToken("session", s.Session); err != nil {
		return fmt.Errorf("directory: %w", err)
	}
	key := d.ns.SessionKey(s.Session)
	id := newID()
	// Most that is entered is new, so nothing is read first.
	old := entry{gone: true}
	for attempt := 0; ; attempt++ {
		entry := s
		entry.CreatedAt = entry.CreatedAt.UTC()
		if stored, ok := decodeSession(old); ok {
			if entry.CreatedAt = stored.CreatedAt; entry == stored {
				return nil
			}
		}
		value, err := json.Marshal(entry)
		if err != nil {
			return fmt.Errorf("directory: put %s: %w", s.Session, err)
		}
		_, err = d.b.cas(ctx, write{key: key, id: id + "-" + strconv.Itoa(attempt), expected: old.seq, value: value})
		var lost *lostError
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &lost):
			return fmt.Errorf("directory: put %s: %w", s.Session, err)
		case attempt > 0 && !pause(ctx, attempt):
			return fmt.Errorf("directory: put %s: %w", s.Session, errors.Join(err, ctx.Err()))
		}
		old = lost.found
	}
}

// Get asks the stream's leader for a session (rule 13). [ErrNoSession] if it is
// not there.
func (d *Directory) Get(ctx context.Context, session string) (SessionEntry, error) {
	e, err := d.b.read(ctx, d.ns.SessionKey(session))
	if err != nil {
		return SessionEntry{}, fmt.Errorf("directory: get %s: %w", session, err)
	}
	s, ok := decodeSession(e)
	if !ok {
		return SessionEntry{}, fmt.Errorf("directory: get %s: %w", session, ErrNoSession)
	}
	return s, nil
}

// List returns up to limit sessions (0: 100; at most [MaxPage]), in the order in
// which their entries were last written. Start with an empty cursor. A session
// that is written while somebody pages may be seen twice, never missed; a replica
// that lags may not know the latest.
func (d *Directory) List(ctx context.Context, cursor string, limit int) (Page, error) {
	from := uint64(1)
	if cursor != "" {
		after, err := strconv.ParseUint(cursor, 10, 64)
		if err != nil {
			return Page{}, fmt.Errorf("directory: cursor %q is not one of ours", cursor)
		}
		from = after + 1
	}
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, MaxPage)
	entries, more, err := d.b.batch(ctx, "*.*", from, limit) // the namespace's own record has no dot
	if err != nil {
		return Page{}, fmt.Errorf("directory: list: %w", err)
	}
	var p Page
	for _, e := range entries {
		if s, ok := decodeSession(e); ok {
			p.Sessions = append(p.Sessions, s)
		}
	}
	if more && len(entries) > 0 {
		p.Next = strconv.FormatUint(entries[len(entries)-1].seq, 10)
	}
	return p, nil
}

func decodeSession(e entry) (SessionEntry, bool) {
	var s SessionEntry
	if e.gone || json.Unmarshal(e.value, &s) != nil {
		return SessionEntry{}, false
	}
	_, session, ok := strings.Cut(e.key, ".")
	s.CreatedAt = s.CreatedAt.UTC()
	return s, ok && s.Session == session
}
