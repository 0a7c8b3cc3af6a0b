package kv

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// Blobs is the object store: payloads, records and snapshots too large for a
// message, named by session and content (rule 38). A blob has one writer, the
// owner of its session, so nobody counts references.
type Blobs struct {
	store jetstream.ObjectStore
	raw   jetstream.Stream
	meta  *bucket // the objects' own records, read as keys
}

// blobTimeout bounds one attempt to move a blob.
const blobTimeout = 15 * time.Second

func openBlobs(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) (*Blobs, error) {
	name := ns.BlobsBucket()
	store, err := js.ObjectStore(ctx, name)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		err = subjects.ErrNotProvisioned
	}
	if err != nil {
		return nil, fmt.Errorf("open object store %s: %w", name, err)
	}
	raw, err := js.Stream(ctx, subjects.ObjectStream(name))
	if err != nil {
		return nil, fmt.Errorf("open object store %s: %w", name, err)
	}
	meta := newBucket(js, name)
	meta.stream, meta.prefix = subjects.ObjectStream(name), "$O."+name+".M."
	return &Blobs{store: store, raw: raw, meta: meta}, nil
}

const refScheme = "sha256:"

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func (b *Blobs) name(session, ref string) (name, hash string, err error) {
	if err := subjects.CheckToken("session", session); err != nil {
		return "", "", err
	}
	hash, ok := strings.CutPrefix(ref, refScheme)
	if raw, err := hex.DecodeString(hash); !ok || err != nil || len(raw) != sha256.Size {
		return "", "", fmt.Errorf("blob reference %q is not sha256:<64 hex digits>", ref)
	}
	hash = strings.ToLower(hash)
	return subjects.BlobName(session, hash), hash, nil
}

// Put stores data and returns its reference, "sha256:<hex>". Storing the same
// data again stores nothing, and repairs what a broken upload left behind. An
// error says nothing about what is stored; Put may be called again.
func (b *Blobs) Put(ctx context.Context, session string, data []byte) (ref string, err error) {
	ref = refScheme + digest(data)
	name, hash, err := b.name(session, ref)
	if err == nil {
		if _, err := b.get(ctx, name, hash); err == nil {
			return ref, nil
		}
		err = b.put(ctx, name, data)
	}
	if err != nil {
		return "", fmt.Errorf("put blob of %s: %w", session, err)
	}
	return ref, nil
}

// Get returns a blob, its content checked against the reference. [ErrNoBlob] if
// there is none, [ErrCorrupt] if it is not what was put. A blob that was put a
// moment ago through another server of a cluster may not be there yet.
func (b *Blobs) Get(ctx context.Context, session, ref string) ([]byte, error) {
	name, hash, err := b.name(session, ref)
	if err != nil {
		return nil, fmt.Errorf("get blob of %s: %w", session, err)
	}
	data, err := b.get(ctx, name, hash)
	if err != nil {
		return nil, fmt.Errorf("get blob %s of %s: %w", ref, session, err)
	}
	return data, nil
}

// Delete removes a blob; one that is not there is no error. Only the session's
// owner may, and only what no commit behind the latest confirmed snapshot and
// none since refers to: a deletion has no fence of its own.
func (b *Blobs) Delete(ctx context.Context, session, ref string) error {
	name, _, err := b.name(session, ref)
	if err == nil {
		err = b.remove(ctx, name)
	}
	if err != nil {
		return fmt.Errorf("delete blob %s of %s: %w", ref, session, err)
	}
	return nil
}

// DeleteSession removes every blob of a session, those of its snapshots too. It
// looks through the names of all sessions' blobs, so it is for the end of a
// session's retention and for nothing frequent.
func (b *Blobs) DeleteSession(ctx context.Context, session string) error {
	if err := subjects.CheckToken("session", session); err != nil {
		return fmt.Errorf("delete blobs: %w", err)
	}
	info, err := b.raw.Info(ctx, jetstream.WithSubjectFilter(b.meta.prefix+"*"))
	if err != nil {
		return fmt.Errorf("delete blobs of %s: %w", session, err)
	}
	for subject := range info.State.Subjects {
		name, err := base64.URLEncoding.DecodeString(strings.TrimPrefix(subject, b.meta.prefix))
		if err != nil || !strings.HasPrefix(string(name), subjects.BlobName(session, "")) {
			continue
		}
		if err := b.remove(ctx, string(name)); err != nil {
			return fmt.Errorf("delete blobs of %s: %s: %w", session, name, err)
		}
	}
	return nil
}

// put stores an object under a name, over whatever is there. It may be repeated.
func (b *Blobs) put(ctx context.Context, name string, data []byte) error {
	for attempt := 0; ; attempt++ {
		try, cancel := context.WithTimeout(ctx, blobTimeout)
		_, err := b.store.PutBytes(try, name, data)
		cancel()
		if err == nil {
			return nil
		}
		if attempt == 2 || !pause(ctx, attempt+4) {
			return errors.Join(err, ctx.Err())
		}
	}
}

func (b *Blobs) get(ctx context.Context, name, hash string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, blobTimeout)
	defer cancel()
	data, err := b.store.GetBytes(ctx, name)
	switch {
	case errors.Is(err, jetstream.ErrObjectNotFound):
		return nil, ErrNoBlob
	case errors.Is(err, jetstream.ErrDigestMismatch):
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	case err != nil:
		return nil, err
	case digest(data) != hash:
		return nil, fmt.Errorf("%w: its content has another hash", ErrCorrupt)
	}
	return data, nil
}

// remove deletes an object, then the record that it was deleted: the object
// store would keep one for ever for every snapshot that was ever replaced.
func (b *Blobs) remove(ctx context.Context, name string) error {
	err := b.store.Delete(ctx, name)
	if errors.Is(err, jetstream.ErrObjectNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	key := base64.URLEncoding.EncodeToString([]byte(name))
	e, err := b.meta.read(ctx, key)
	if err != nil {
		return err
	}
	var record struct {
		Deleted bool `json:"deleted"`
	}
	if json.Unmarshal(e.value, &record) != nil || !record.Deleted {
		return nil // put again meanwhile
	}
	return b.raw.Purge(ctx, jetstream.WithPurgeSubject(b.meta.prefix+key), jetstream.WithPurgeSequence(e.seq+1))
}
