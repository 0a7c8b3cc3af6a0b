package kv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// Owners is the bucket of owner keys. A key has no TTL: it is an obligation, and
// while it stands somebody owes its session something (rule 15).
type Owners struct {
	ns subjects.Namespace
	b  *bucket
}

// Owner is what an owner key says.
type Owner struct {
	Session     string
	Incarnation Incarnation // "" if the value is unreadable: nobody, so it is taken over
	ClaimedAt   time.Time   // by the claimant's clock; for people
	Fence       uint64      // the key's revision: grows with every change of owner
}

// OwnedError tells who owns a session. errors.Is(err, ErrOwned) holds.
type OwnedError struct{ Owner Owner }

func (e *OwnedError) Error() string {
	return fmt.Sprintf("session %s is owned by %s (fence %d)", e.Owner.Session, e.Owner.Incarnation, e.Owner.Fence)
}

// Is makes errors.Is(err, ErrOwned) hold.
func (e *OwnedError) Is(target error) bool { return target == ErrOwned }

type ownerRecord struct {
	Incarnation Incarnation `json:"incarnation"`
	ClaimedAt   time.Time   `json:"claimed_at"`
}

// Claim takes a session that nobody owns (rule 10: the revision is the fence).
//
// It fails with an [*OwnedError] if the key stands, also when it names me: such
// a key is left from an earlier, undecided claim, or is hosted by another part
// of this process; whoever watches for keys that name me adopts it (rule 14).
// With [ErrUndecided] the key may come to name me later; rule 14 covers that too.
//
// A claim is no ownership yet: nothing may be believed before the claim commit
// is acknowledged and [Owners.Read] still shows this fence (rules 10, 12).
func (o *Owners) Claim(ctx context.Context, session string, me Incarnation) (Owner, error) {
	key := o.ns.SessionKey(session)
	var expected uint64
	for attempt := 0; ; attempt++ {
		mine, err := o.write(ctx, session, me, expected)
		var lost *lostError
		if err == nil {
			return mine, nil
		}
		if !errors.As(err, &lost) {
			return Owner{}, fmt.Errorf("claim %s: %w", session, err)
		}
		if !lost.found.gone {
			owner, err := o.decode(lost.found)
			if err != nil {
				return Owner{}, fmt.Errorf("claim %s: %w", session, err)
			}
			return Owner{}, fmt.Errorf("claim %s: %w", session, &OwnedError{owner})
		}
		// A delete marker is an absent key, but the claim must win against that
		// very marker: an unconditional write would let two claimants win.
		if lost.found.seq == expected || attempt > 0 {
			if !pause(ctx, attempt) {
				return Owner{}, fmt.Errorf("claim %s: key %s keeps changing: %w", session, key, ctx.Err())
			}
		}
		expected = lost.found.seq
	}
}

// TakeOver claims a session from a dead owner, exactly as it was read (rules 10
// and 16). [ErrMoved] if the key has changed since: it is gone, and then nothing
// is owed, or somebody was faster, and then the error is an [*OwnedError] too.
// Whether the owner is dead is the caller's judgement ([Members.Confirm]); being
// wrong is safe for the log.
func (o *Owners) TakeOver(ctx context.Context, dead Owner, me Incarnation) (Owner, error) {
	if dead.Fence == 0 {
		return Owner{}, fmt.Errorf("take over %s: %w", dead.Session, ErrNotOwned)
	}
	mine, err := o.write(ctx, dead.Session, me, dead.Fence)
	if lost := (*lostError)(nil); errors.As(err, &lost) && !lost.found.gone {
		if owner, bad := o.decode(lost.found); bad == nil {
			err = fmt.Errorf("%w: %w", ErrMoved, &OwnedError{owner})
		}
	}
	if err != nil {
		return Owner{}, fmt.Errorf("take over %s from %s: %w", dead.Session, dead.Incarnation, err)
	}
	return mine, nil
}

func (o *Owners) write(ctx context.Context, session string, me Incarnation, expected uint64) (Owner, error) {
	mine := Owner{Session: session, Incarnation: me, ClaimedAt: time.Now().UTC()}
	value, err := json.Marshal(ownerRecord{mine.Incarnation, mine.ClaimedAt})
	if err != nil {
		return Owner{}, err
	}
	mine.Fence, err = o.b.cas(ctx, write{key: o.ns.SessionKey(session), id: newID(), expected: expected, value: value})
	if err != nil {
		return Owner{}, err
	}
	return mine, nil
}

// Read asks the stream's leader who owns the session (rule 13). [ErrNotOwned]
// if nobody does.
func (o *Owners) Read(ctx context.Context, session string) (Owner, error) {
	e, err := o.b.read(ctx, o.ns.SessionKey(session))
	if err != nil {
		return Owner{}, fmt.Errorf("owner of %s: %w", session, err)
	}
	if e.gone {
		return Owner{}, fmt.Errorf("owner of %s: %w", session, ErrNotOwned)
	}
	owner, err := o.decode(e)
	if err != nil {
		return Owner{}, fmt.Errorf("owner of %s: %w", session, err)
	}
	return owner, nil
}

// Release deletes my key, by revision, and repeats that until it is definite
// (rule 11). When that may be done is rule 15. [ErrMoved] means that the key was
// somebody else's already, and is not touched. After [ErrUndecided] it may be
// called again with the same owner: it recognises its own earlier delete.
func (o *Owners) Release(ctx context.Context, mine Owner) error {
	_, err := o.b.cas(ctx, write{
		key: o.ns.SessionKey(mine.Session), expected: mine.Fence,
		id:     "release-" + strconv.FormatUint(mine.Fence, 10) + "-" + string(mine.Incarnation),
		remove: true, ttl: markerTTL,
	})
	if lost := (*lostError)(nil); errors.As(err, &lost) && lost.found.seq == 0 {
		return nil // deleted so long ago that the marker is gone as well
	}
	if err != nil {
		return fmt.Errorf("release %s: %w", mine.Session, err)
	}
	return nil
}

func (o *Owners) decode(e entry) (Owner, error) {
	_, session, err := o.ns.ParseSessionKey(e.key)
	if err != nil {
		return Owner{}, err
	}
	var r ownerRecord
	if err := json.Unmarshal(e.value, &r); err != nil {
		r = ownerRecord{}
	}
	return Owner{Session: session, Incarnation: r.Incarnation, ClaimedAt: r.ClaimedAt, Fence: e.seq}, nil
}

// HandOver gives a session up that is still owed something: the key stands, and names
// nobody, so that whoever is free takes it over. [ErrMoved] if it is not mine any more.
func (o *Owners) HandOver(ctx context.Context, mine Owner) error {
	if _, err := o.write(ctx, mine.Session, "", mine.Fence); err != nil {
		return fmt.Errorf("hand over %s: %w", mine.Session, err)
	}
	return nil
}
