package kv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/subjects"
)

// MaxInline is the largest snapshot kept in the key itself (rule 7). A larger
// one goes to the object store and the key holds a reference.
const MaxInline = 512 << 10

// Headers of a snapshot's key. Its body is the snapshot, unless there is a blob.
const (
	commitHeader   = "Kalahari-Commit"
	sequenceHeader = "Kalahari-Sequence"
	blobHeader     = "Kalahari-Blob"
	digestHeader   = "Kalahari-Digest"
)

// Snapshots is the bucket of each session's latest snapshot.
type Snapshots struct {
	ns    subjects.Namespace
	b     *bucket
	blobs *Blobs
}

// Snapshot is a session's state at a commit.
type Snapshot struct {
	Session  string
	Commit   uint64 // number of the last commit in it
	Sequence uint64 // that commit's sequence in the log stream
	Data     []byte // opaque
	Revision uint64 // of the key, as read or written

	blob string // where Data is if it is not in the key
}

// Read returns the latest snapshot, as the stream's leader has it (rule 13).
// [ErrNoSnapshot] if there is none; [ErrCorrupt] if it is there and unreadable.
func (s *Snapshots) Read(ctx context.Context, session string) (Snapshot, error) {
	for attempt := 0; ; attempt++ {
		e, err := s.b.read(ctx, s.ns.SessionKey(session))
		if err != nil {
			return Snapshot{}, fmt.Errorf("snapshot of %s: %w", session, err)
		}
		if e.gone {
			return Snapshot{}, fmt.Errorf("snapshot of %s: %w", session, ErrNoSnapshot)
		}
		snap, digest, err := decodeSnapshot(session, e)
		if err != nil {
			return Snapshot{}, fmt.Errorf("snapshot of %s, revision %d: %w", session, e.seq, err)
		}
		if snap.blob == "" {
			return snap, nil
		}
		snap.Data, err = s.blobs.get(ctx, snap.blob, digest)
		if err == nil {
			return snap, nil
		}
		// It may have been replaced between the two reads: look again before
		// calling it lost.
		if attempt == 3 || !pause(ctx, attempt+2) {
			if errors.Is(err, ErrNoBlob) {
				err = fmt.Errorf("%w: %w", ErrCorrupt, err)
			}
			return Snapshot{}, fmt.Errorf("snapshot of %s, revision %d: %w", session, e.seq, errors.Join(err, ctx.Err()))
		}
	}
}

// Write replaces the snapshot before, as it was read at the claim or returned by the last
// Write (rule 20); the zero Snapshot if there was none. It goes forward only: [ErrBackwards]
// if before is of a later commit (the same commit may be written again, by another version
// of the kernel), [ErrMoved] if the key is at another revision: somebody else is the owner
// now. It returns what stands in the key, without its data.
//
// Once it returns without error, and no sooner, the log before Sequence may go.
func (s *Snapshots) Write(ctx context.Context, snap, before Snapshot) (Snapshot, error) {
	fail := func(err error) (Snapshot, error) {
		return Snapshot{}, fmt.Errorf("snapshot of %s at commit %d: %w", snap.Session, snap.Commit, err)
	}
	if err := subjects.CheckToken("session", snap.Session); err != nil {
		return fail(err)
	}
	if before.Revision > 0 && (snap.Commit < before.Commit || snap.Sequence < before.Sequence ||
		(snap.Commit == before.Commit) != (snap.Sequence == before.Sequence)) {
		return fail(fmt.Errorf("%w: stored is commit %d at sequence %d, given is sequence %d",
			ErrBackwards, before.Commit, before.Sequence, snap.Sequence))
	}
	w := write{
		key: s.ns.SessionKey(snap.Session), id: newID(), expected: before.Revision, value: snap.Data,
		header: nats.Header{
			commitHeader:   {strconv.FormatUint(snap.Commit, 10)},
			sequenceHeader: {strconv.FormatUint(snap.Sequence, 10)},
		},
	}
	snap.blob = ""
	if len(snap.Data) > MaxInline {
		// Not by content hash: the name is this write's alone, so a fenced owner
		// that cleans up after itself can never remove what the new owner refers
		// to, however equal their bytes are.
		snap.blob = subjects.BlobName(snap.Session, "snapshot-"+w.id)
		if _, err := s.blobs.put(ctx, snap.blob, snap.Data); err != nil {
			return fail(err)
		}
		w.value = nil
		w.header[blobHeader] = []string{snap.blob}
		w.header[digestHeader] = []string{digest(snap.Data)}
	}
	var err error
	snap.Revision, err = s.replace(ctx, w)
	if err != nil {
		if snap.blob != "" && !errors.Is(err, ErrUndecided) {
			s.clean(ctx, snap.blob)
		}
		return fail(err)
	}
	if before.blob != "" {
		s.clean(ctx, before.blob) // now that the new one is confirmed
	}
	snap.Data = nil
	return snap, nil
}

// replace writes the key. One that was deleted by hand is as good as one that never was.
func (s *Snapshots) replace(ctx context.Context, w write) (uint64, error) {
	revision, err := s.b.cas(ctx, w)
	var lost *lostError
	if w.expected > 0 || !errors.As(err, &lost) || !lost.found.gone {
		return revision, err
	}
	w.expected, w.id = lost.found.seq, newID()
	return s.b.cas(ctx, w)
}

// cleanTimeout is how long removing what nobody refers to may take: it is worth no more.
const cleanTimeout = 2 * time.Second

// clean removes a blob nobody refers to. What fails here costs space until the
// session's blobs are deleted, and nothing else.
func (s *Snapshots) clean(ctx context.Context, blob string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
	defer cancel()
	_ = s.blobs.remove(ctx, blob, latest)
}

func decodeSnapshot(session string, e entry) (snap Snapshot, digest string, err error) {
	h := e.header
	commit, err1 := strconv.ParseUint(h.Get(commitHeader), 10, 64)
	sequence, err2 := strconv.ParseUint(h.Get(sequenceHeader), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return Snapshot{}, "", fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return Snapshot{Session: session, Commit: commit, Sequence: sequence, Data: e.value, Revision: e.seq, blob: h.Get(blobHeader)},
		h.Get(digestHeader), nil
}
