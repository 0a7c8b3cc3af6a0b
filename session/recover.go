package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// folded is a session rebuilt from its snapshot and the log behind it.
type folded struct {
	kernel    *kernel.Kernel
	ledger    ledger
	cursor    uint64
	confirmed uint64
	settled   uint64 // what is numbered up to here the tail confirms: it need not be read
	unsent    []outgoing
	at        journal.Position
	snapshot  kv.Snapshot
	tail      int // bytes of the commits behind it
	trimming  trimming
	released  bool // the last commit was a release

	// seen is told every step that was taken, for a replay; nil in recovery.
	seen func(kernel.Trigger, *kernel.Outcome) error
}

// fold rebuilds a session from the store, without owning it. Folding verifies: every
// step must take the rule it took when it was committed, or the log is broken.
func fold(ctx context.Context, env *Env, session string) (*folded, error) {
	f, err := fromSnapshot(ctx, env, session)
	if err != nil {
		return nil, err
	}
	return f, f.behindSnapshot(ctx, env, session)
}

// fromSnapshot is a session as its snapshot has it, a new one if there is none.
func fromSnapshot(ctx context.Context, env *Env, session string) (*folded, error) {
	f := &folded{kernel: kernel.New(), ledger: newLedger()}
	snap, err := env.Store.Snapshots.Read(ctx, session)
	switch {
	case errors.Is(err, kv.ErrNoSnapshot):
	case err != nil:
		return nil, fmt.Errorf("session %s: snapshot: %w", session, err)
	default:
		if err := f.restore(session, snap); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// behindSnapshot folds the commits that came after the snapshot.
func (f *folded) behindSnapshot(ctx context.Context, env *Env, session string) error {
	tail, err := f.tailOf(ctx, env, session)
	if err != nil || tail == nil {
		return err
	}
	f.settled = confirmedBy(tail)
	f.at, err = env.Log.FoldTo(ctx, session, f.at, tail, func(m *journal.Message) error {
		_, err := f.commit(ctx, env, session, m)
		return err
	})
	return err
}

// confirmedBy is how far the publication had come when a commit was written, as the commit
// says; 0 if it does not say so in its message.
func confirmedBy(m *journal.Message) uint64 {
	var b struct {
		Record struct {
			Confirmed uint64 `json:"confirmed"`
		} `json:"record"`
	}
	if json.Unmarshal(m.Data, &b) != nil {
		return 0 // the fold will tell
	}
	return b.Record.Confirmed
}

// tailOf is the last commit of the log, nil if the log is empty. It must not lie before the
// snapshot; that it does is believed when it has been so for a while, because a leader that
// was replaced, and has not heard of it, answers with what it has.
func (f *folded) tailOf(ctx context.Context, env *Env, session string) (*journal.Message, error) {
	for since := time.Now(); ; {
		tail, err := env.Log.Last(ctx, session)
		switch {
		case err != nil:
			return nil, err
		case tail == nil && f.at.Sequence == 0:
			return nil, nil
		case tail == nil:
			// The subject is empty. The snapshot proves what was there (PROTOCOL 8), but not what
			// came behind it if the stream does not reach that far (PROTOCOL 18).
			end, err := endOf(ctx, env.Log.Stream(session), f.at.Sequence)
			if err != nil {
				return nil, fmt.Errorf("session %s: log: %w", session, err)
			}
			if end < f.at.Sequence {
				return nil, f.regressed(session, end, "is empty")
			}
			f.at.Sequence = 0
			return nil, nil
		case tail.Number > f.at.Number && tail.Sequence > f.at.Sequence, tail.Number == f.at.Number && tail.Sequence == f.at.Sequence:
			return tail, nil
		case time.Since(since) >= catchUp:
			// Not only the number: it may have been written to since.
			return nil, f.regressed(session, tail.Sequence, fmt.Sprintf("ends at commit %d", tail.Number))
		}
		if !sleep(ctx, time.Second) {
			return nil, ctx.Err()
		}
	}
}

// regressed says that a log stream has lost what was behind the snapshot, and maybe more.
func (f *folded) regressed(session string, end uint64, log string) error {
	return &journal.BrokenError{
		Session: session, Sequence: end,
		Reason: fmt.Sprintf("the log %s, the snapshot holds commit %d at %d: the stream has regressed", log, f.at.Number, f.at.Sequence),
	}
}

func (f *folded) restore(session string, snap kv.Snapshot) error {
	broken := func(err error) error {
		return &journal.BrokenError{Session: session, Sequence: snap.Sequence, Reason: "snapshot: " + err.Error()}
	}
	var st state
	if err := json.Unmarshal(snap.Data, &st); err != nil {
		return broken(err)
	}
	if st.Version != stateVersion {
		return broken(fmt.Errorf("version %d, this worker knows %d", st.Version, stateVersion))
	}
	ks, err := kernel.DecodeState(st.Kernel)
	if err != nil {
		return broken(err)
	}
	f.kernel, f.ledger = kernel.Resume(ks), st.Ledger
	if f.ledger.Live == nil {
		f.ledger.Live = map[string]*entry{}
	}
	// Earlier releases wrote these in the zone of their machine.
	f.ledger.Created = f.ledger.Created.UTC()
	for _, e := range f.ledger.Live {
		e.At = e.At.UTC()
		f.ledger.weight += e.weight()
	}
	for id, a := range f.ledger.Acted {
		f.ledger.actedBytes += (&actedKey{id, a}).size()
	}
	if f.ledger.Seen == nil {
		f.ledger.Seen = map[string]seen{}
	}
	f.cursor, f.confirmed, f.unsent = st.Cursor, st.Confirmed, st.Unsent
	f.at = journal.Position{Number: snap.Commit, Sequence: snap.Sequence, Fence: st.Fence}
	f.snapshot, f.trimming = snap, st.Trimming
	return nil
}

// snapshotAt is the position of the snapshot the fold began with.
func (f *folded) snapshotAt() journal.Position {
	return journal.Position{Number: f.snapshot.Commit, Sequence: f.snapshot.Sequence, Fence: f.at.Fence}
}

// commit folds one commit of the log.
func (f *folded) commit(ctx context.Context, env *Env, session string, m *journal.Message) (*record, error) {
	broken := func(format string, args ...any) error {
		return &journal.BrokenError{Session: session, Sequence: m.Sequence, Reason: fmt.Sprintf(format, args...)}
	}
	b, err := readBody(ctx, env, session, m.Data)
	if err != nil {
		if errors.Is(err, errUnreadable) {
			return nil, broken("%v", err)
		}
		return nil, err
	}
	f.tail += b.size
	f.trimming.spill(m.Number, b.DataRef)
	r := &b.Record
	if err := r.known(); err != nil {
		return nil, broken("%v", err)
	}
	var unseen error
	err = r.steps(func(i int, rule string, t kernel.Trigger) error {
		o := f.kernel.Apply(t)
		switch {
		case !o.OK():
			return fmt.Errorf("step %d: took rule %s when it was committed, now %s", i, rule, o.Refusal)
		case o.Rule != rule:
			return fmt.Errorf("step %d: took rule %s when it was committed, now %s", i, rule, o.Rule)
		case f.seen != nil:
			unseen = f.seen(t, &o)
		}
		return unseen
	})
	if unseen != nil {
		return nil, unseen
	}
	if err != nil {
		return nil, broken("%v", err)
	}
	d, err := r.delta()
	if err != nil {
		return nil, broken("%v", err)
	}
	f.ledger.apply(d)
	if r.Cursor < f.cursor {
		return nil, broken("the cursor goes back from %d to %d", f.cursor, r.Cursor)
	}
	f.cursor, f.released = r.Cursor, r.Kind == kindRelease
	if f.settled == 0 || d.Sent > f.settled {
		sent, err := b.sent(d)
		if err != nil {
			return nil, broken("%v", err)
		}
		f.unsent = append(f.unsent, sent...)
	}
	// The confirmed prefix is the maximum of what snapshot and commits say (PROTOCOL 32).
	f.confirmed = max(f.confirmed, r.Confirmed)
	for len(f.unsent) > 0 && f.unsent[0].Ordinal <= f.confirmed {
		f.unsent = f.unsent[1:]
	}
	return r, nil
}

var errUnreadable = errors.New("the commit cannot be read")

// readBody decodes a commit's data, from the object store if it was too large for a
// message (PROTOCOL 7); then its DataRef says where it was.
func readBody(ctx context.Context, env *Env, session string, data []byte) (*body, error) {
	var b body
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if b.DataRef == "" {
		b.size = len(data)
		return &b, nil
	}
	ref := b.DataRef
	whole, err := env.Store.Blobs.Body(ctx, session, ref)
	if errors.Is(err, kv.ErrNoBlob) {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	if err != nil {
		return nil, fmt.Errorf("session %s: body %s: %w", session, ref, err)
	}
	b = body{}
	if err := json.Unmarshal(whole, &b); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	b.DataRef, b.size = ref, len(whole)
	return &b, nil
}

// recover folds the session and makes it ready to append. A newer fence in the log ends
// the attempt (PROTOCOL 10).
func (s *Session) recover(ctx context.Context) error {
	started := time.Now()
	f, err := fromSnapshot(ctx, s.env, s.id)
	if err != nil {
		return err
	}
	if !s.fresh || f.snapshot.Revision > 0 {
		if err := f.behindSnapshot(ctx, s.env, s.id); err != nil {
			return err
		}
	}
	if f.at.Fence > s.owner.Fence {
		if end, err := s.stillMine(ctx); end != "" {
			return errors.Join(errFenced, err)
		}
		return &journal.BrokenError{
			Session: s.id, Sequence: f.at.Sequence,
			Reason: fmt.Sprintf("the log has fence %d, the key that names this worker has %d", f.at.Fence, s.owner.Fence),
		}
	}
	if err := s.checkMailbox(ctx, f.cursor); err != nil {
		return err
	}
	s.kernel, s.ledger, s.cursor, s.tail = f.kernel, f.ledger, f.cursor, f.tail
	s.snapshot, s.snapshotSize = f.snapshot, len(f.snapshot.Data)
	s.snapshot.Data = nil // it is kept as long as the session
	// Before a release everything was removed; how much a lost owner left is not known.
	s.consumed, s.sincePurge = consumed{}, 0
	if !f.released && f.cursor > 0 {
		s.consumed = leftover()
	}
	s.trimming = f.trimming
	s.recoverBusy()
	if f.cursor > 0 && !f.released && f.at != f.snapshotAt() {
		s.sincePurge = int(s.env.MailboxLimit / 2)
	}
	s.lanes = lanes{stale: true}
	s.writer = s.env.Log.Writer(s.id, string(s.owner.Incarnation), s.owner.Fence, f.at)
	s.writer.Unknown = func(err error) {
		s.env.Telemetry.UnknownOutcome()
		s.log.WarnContext(ctx, "append undecided, trying again", "error", err)
	}
	s.outbox.reset(f.confirmed)
	s.unsent = f.unsent
	s.env.Telemetry.Recovered(time.Since(started))
	s.log.DebugContext(ctx, "session recovered", "commit", f.at.Number, "cursor", f.cursor, "phase", s.kernel.Phase())
	return nil
}

// Cursor reads how far a session has consumed its mailbox, from the last commit.
func Cursor(ctx context.Context, env *Env, session string) (uint64, error) {
	tail, err := env.Log.Last(ctx, session)
	if err != nil || tail == nil {
		return 0, err
	}
	b, err := readBody(ctx, env, session, tail.Data)
	if err != nil {
		return 0, err
	}
	return b.Record.Cursor, nil
}
