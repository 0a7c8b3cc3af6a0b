package kv

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// Blobs is the object store: payloads, records and snapshots too large for a
// message, named by session and content (rule 38). A blob has one writer, the
// owner of its session, so nobody counts references.
//
// What is stored is what every client of a NATS object store understands, but it
// is read and written here by leader reads and compare-and-swap like everything
// else: nats.go's object store repeats nothing, may purge the chunks of an object
// whose record it stored without learning so, reads from replicas that lag, and
// can leave a goroutine behind with every upload.
type Blobs struct {
	raw    jetstream.Stream
	store  string
	meta   *bucket // the objects' records, key: the encoded name
	chunks *bucket // their content, key: the object's nuid
}

// chunkSize is the object store's own default.
const chunkSize = 128 << 10

func openBlobs(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) (*Blobs, error) {
	b := &Blobs{store: ns.BlobsBucket()}
	raw, err := js.Stream(ctx, subjects.ObjectStream(b.store))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		err = subjects.ErrNotProvisioned
	}
	if err != nil {
		return nil, fmt.Errorf("open object store %s: %w", b.store, err)
	}
	b.raw = raw
	b.meta = newBucketOn(js, b.store, subjects.ObjectStream(b.store), "$O."+b.store+".M.")
	b.chunks = newBucketOn(js, b.store, subjects.ObjectStream(b.store), "$O."+b.store+".C.")
	return b, nil
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
// data again stores nothing, if it is whole. An error says nothing about what is
// stored; Put may be called again.
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
// there is none, [ErrCorrupt] if it is not what was put.
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

// record reads what the leader knows of an object (rule 13).
func (b *Blobs) record(ctx context.Context, name string) (entry, jetstream.ObjectInfo, error) {
	var info jetstream.ObjectInfo
	e, err := b.meta.read(ctx, encodeName(name))
	if err == nil && !e.gone {
		if err = json.Unmarshal(e.value, &info); err != nil {
			err = fmt.Errorf("%w: record of %s: %w", ErrCorrupt, name, err)
		}
	}
	return e, info, err
}

// put stores an object under a name, over whatever is there: first the chunks,
// each exactly once, then the record that makes them an object. Then what was
// there before goes. Chunks of an upload that was cut short stay as waste.
func (b *Blobs) put(ctx context.Context, name string, data []byte) error {
	sum := sha256.Sum256(data)
	info := jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkSize}},
		Bucket:     b.store, NUID: newID(), Size: uint64(len(data)),
		Digest: "SHA-256=" + base64.URLEncoding.EncodeToString(sum[:]),
	}
	var last uint64
	for chunk := range slices.Chunk(data, chunkSize) {
		var err error
		info.Chunks++
		last, err = b.chunks.cas(ctx, write{key: info.NUID, id: newID(), expected: last, value: chunk})
		if err != nil {
			return err
		}
	}
	value, err := json.Marshal(info)
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		e, old, err := b.record(ctx, name)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			return err
		}
		_, err = b.meta.cas(ctx, write{
			key: encodeName(name), id: newID(), expected: e.seq, value: value,
			header: nats.Header{jetstream.MsgRollup: {jetstream.MsgRollupSubject}},
		})
		if err == nil {
			if old.NUID != "" {
				_ = b.purge(ctx, b.chunks.prefix+old.NUID, 0) // nothing refers to it: waste at worst
			}
			return nil
		}
		if !errors.Is(err, ErrMoved) || !pause(ctx, attempt) {
			return err
		}
	}
}

func (b *Blobs) get(ctx context.Context, name, hash string) ([]byte, error) {
	e, info, err := b.record(ctx, name)
	if err != nil {
		return nil, err
	}
	if e.gone || info.Deleted {
		return nil, ErrNoBlob
	}
	var data []byte
	var last uint64
	for n := range info.Chunks {
		chunk, err := b.chunks.next(ctx, info.NUID, last+1)
		if err != nil {
			return nil, err
		}
		if chunk.gone {
			return nil, fmt.Errorf("%w: %d chunks of %d", ErrCorrupt, n, info.Chunks)
		}
		data, last = append(data, chunk.value...), chunk.seq
	}
	if digest(data) != hash {
		return nil, fmt.Errorf("%w: its content has another hash", ErrCorrupt)
	}
	return data, nil
}

// remove deletes an object, the record first. It leaves no record of the
// deletion, as an object store usually does: one would stay for ever for every
// snapshot that was ever replaced.
func (b *Blobs) remove(ctx context.Context, name string) error {
	e, info, err := b.record(ctx, name)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	if e.seq == 0 {
		return nil
	}
	if err := b.purge(ctx, b.meta.prefix+encodeName(name), e.seq+1); err != nil {
		return err
	}
	if info.NUID == "" {
		return nil
	}
	return b.purge(ctx, b.chunks.prefix+info.NUID, 0)
}

// purge removes the messages of a subject, those before a sequence only if one
// is given. A purge whose answer is lost is repeated: that changes nothing.
func (b *Blobs) purge(ctx context.Context, subject string, before uint64) error {
	opts := []jetstream.StreamPurgeOpt{jetstream.WithPurgeSubject(subject)}
	if before > 0 {
		opts = append(opts, jetstream.WithPurgeSequence(before))
	}
	for attempt := 0; ; attempt++ {
		try, cancel := context.WithTimeout(ctx, attemptTimeout)
		err := b.raw.Purge(try, opts...)
		cancel()
		if api := (*jetstream.APIError)(nil); err == nil || errors.As(err, &api) {
			return err
		}
		if b.meta.js.Conn().IsClosed() || !pause(ctx, attempt) {
			return errors.Join(err, ctx.Err())
		}
	}
}

func encodeName(name string) string { return base64.URLEncoding.EncodeToString([]byte(name)) }
