package kv

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/oklog/ulid/v2"

	"github.com/kalahari-run/kalahari/subjects"
)

// What callers branch on.
var (
	// ErrUndecided: the context ended, or the connection was closed, before the
	// outcome of a write was known. It may have been stored, or may yet be.
	ErrUndecided = errors.New("outcome unknown")

	// ErrOwned: a live key stands in the way. The error is an [*OwnedError].
	ErrOwned = errors.New("session is owned")

	// ErrNotOwned: no key.
	ErrNotOwned = errors.New("session is not owned")

	// ErrMoved: the key is no longer at the revision the write was based on.
	ErrMoved = errors.New("key has moved on")

	// ErrIncarnationUsed: the incarnation has or had a lease already (rule 9).
	ErrIncarnationUsed = errors.New("incarnation was used before")

	// ErrFenced: the lease is lost; the process goes on only as a new
	// incarnation (rule 9).
	ErrFenced = errors.New("lease is lost")

	ErrNoSnapshot = errors.New("no snapshot")
	ErrBackwards  = errors.New("snapshot is older than the stored one")
	ErrNoSession  = errors.New("no such session")
	ErrNoBlob     = errors.New("no such blob")
	ErrCorrupt    = errors.New("stored data is corrupt")
	ErrRef        = errors.New("not a reference to a blob")
)

// Incarnation names one run of one process: "<name>-<ULID>", a legal subject
// token. A process that lost its lease goes on only under a new one.
type Incarnation string

// maxName leaves room for the ULID in a token.
const maxName = subjects.MaxToken - 1 - ulid.EncodedSize

// NewIncarnation makes an incarnation that no other process start has (rule 9).
// Uniqueness rests on 80 random bits, not on the clock. What is not legal in a
// token becomes '-' in the name, and names over 101 bytes are cut: the name is
// for people, the ULID tells incarnations apart.
func NewIncarnation(name string) Incarnation {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '-'
	}, name)
	if name == "" {
		name = "worker"
	}
	if len(name) > maxName {
		name = name[:maxName]
	}
	return Incarnation(name + "-" + newID())
}

// newID is unique without a clock being right; the clock makes ids sortable.
func newID() string {
	return ulid.MustNew(ulid.Timestamp(time.Now()), rand.Reader).String()
}

// Store is the keys of one namespace. Its parts share a connection and nothing
// else; all are safe for concurrent use.
type Store struct {
	Owners    *Owners
	Members   *Members
	Snapshots *Snapshots
	Directory *Directory
	Holds     *Holds
	Blobs     *Blobs
}

// Open finds the buckets of a provisioned namespace. It creates nothing: a
// missing bucket is [subjects.ErrNotProvisioned].
func Open(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) (*Store, error) {
	open := func(name string, ttl bool) (*bucket, error) {
		b := newBucket(js, name)
		s, err := js.Stream(ctx, b.stream)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			return nil, fmt.Errorf("open bucket %s: %w", name, subjects.ErrNotProvisioned)
		case err != nil:
			return nil, fmt.Errorf("open bucket %s: %w", name, err)
		case ttl && !s.CachedInfo().Config.AllowMsgTTL:
			return nil, fmt.Errorf("open bucket %s: message TTLs are off: leases would not end", name)
		}
		return b, nil
	}
	owners, err := open(ns.OwnersBucket(), true)
	if err != nil {
		return nil, err
	}
	workers, err := open(ns.WorkersBucket(), true)
	if err != nil {
		return nil, err
	}
	snapshots, err := open(ns.SnapshotsBucket(), false)
	if err != nil {
		return nil, err
	}
	directory, err := open(ns.DirectoryBucket(), false)
	if err != nil {
		return nil, err
	}
	blobs, err := OpenBlobs(ctx, js, ns)
	if err != nil {
		return nil, err
	}
	return &Store{
		Owners:    &Owners{ns: ns, b: owners},
		Members:   &Members{b: workers},
		Snapshots: &Snapshots{ns: ns, b: snapshots, blobs: blobs},
		Directory: &Directory{ns: ns, b: directory},
		Holds:     &Holds{b: directory},
		Blobs:     blobs,
	}, nil
}
