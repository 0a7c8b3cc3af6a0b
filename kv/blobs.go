package kv

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// Blobs is the object store: payloads, commits and snapshots too large for a
// message, named by session (rule 38). A blob belongs to one session: its owner
// alone deletes what the session no longer needs, so nobody counts references
// across writers.
//
// A payload is stored by whoever produces it, before the event that refers to it,
// and storing what is there already moves its revision on. A deletion names the
// revision it means. So an owner that lets a payload go while a producer stores it
// anew takes nothing from the producer.
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

// OpenBlobs finds the object store alone, for those who may read nothing else.
func OpenBlobs(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) (*Blobs, error) {
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

// Blob is a payload in the object store.
type Blob struct {
	// Ref names it: "sha256:" and the hash of its content in hex.
	Ref string `json:"ref"`
	// Size is its length in bytes.
	Size uint64 `json:"size"`
	// Revision is of its latest upload.
	Revision uint64 `json:"revision"`
}

const refScheme = "sha256:"

// Ref is the reference of content: "sha256:<hex>".
func Ref(data []byte) string { return refScheme + digest(data) }

// CheckRef tells whether ref is a reference; [ErrRef] if not.
func CheckRef(ref string) error {
	_, err := hashOf(ref)
	return err
}

func hashOf(ref string) (string, error) {
	hash, ok := strings.CutPrefix(ref, refScheme)
	if raw, err := hex.DecodeString(hash); !ok || err != nil || len(raw) != sha256.Size {
		return "", fmt.Errorf("%w: %q is not sha256:<64 hex digits>", ErrRef, ref)
	}
	return strings.ToLower(hash), nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// bodyName is the name of a commit that is too large for its message. It is no
// payload's: whoever uploads the same bytes must not come to share it.
func bodyName(session, hash string) string { return subjects.BlobName(session, "commit-"+hash) }

func name(session, ref string, of func(session, hash string) string) (name, hash string, err error) {
	if err := subjects.CheckToken("session", session); err != nil {
		return "", "", err
	}
	if hash, err = hashOf(ref); err != nil {
		return "", "", err
	}
	return of(session, hash), hash, nil
}

// Put stores a payload. Storing the same data again stores only its record anew, if
// it is whole. An error says nothing about what is stored; Put may be called again.
func (b *Blobs) Put(ctx context.Context, session string, data []byte) (Blob, error) {
	blob := Blob{Ref: Ref(data), Size: uint64(len(data))}
	name, hash, err := name(session, blob.Ref, subjects.BlobName)
	if err == nil {
		blob.Revision, err = b.touch(ctx, name, hash)
	}
	if errors.Is(err, ErrNoBlob) || errors.Is(err, ErrCorrupt) {
		blob.Revision, err = b.put(ctx, name, data)
	}
	if err != nil {
		return Blob{}, fmt.Errorf("put blob of %s: %w", session, err)
	}
	return blob, nil
}

// Renew stores the record of a payload again, without its content: a deletion that was
// meant before leaves it. [ErrNoBlob] and [ErrCorrupt] as with [Blobs.Get].
func (b *Blobs) Renew(ctx context.Context, session string, blob Blob) (Blob, error) {
	name, hash, err := name(session, blob.Ref, subjects.BlobName)
	if err == nil {
		blob.Revision, err = b.touch(ctx, name, hash)
	}
	if err != nil {
		return Blob{}, fmt.Errorf("renew blob %s of %s: %w", blob.Ref, session, err)
	}
	return blob, nil
}

// touch stores the record of an object again, if the object is whole.
func (b *Blobs) touch(ctx context.Context, name, hash string) (uint64, error) {
	for attempt := 0; ; attempt++ {
		if _, err := b.get(ctx, name, hash); err != nil {
			return 0, err
		}
		e, _, err := b.record(ctx, name)
		if err != nil {
			return 0, err
		}
		if e.gone {
			return 0, ErrNoBlob
		}
		revision, err := b.meta.cas(ctx, recordOf(name, e.value, e.seq))
		if !errors.Is(err, ErrMoved) || !pause(ctx, attempt) {
			return revision, err
		}
	}
}

// Stat finds a payload without reading it. [ErrNoBlob] if there is none.
func (b *Blobs) Stat(ctx context.Context, session, ref string) (Blob, error) {
	name, _, err := name(session, ref, subjects.BlobName)
	if err != nil {
		return Blob{}, fmt.Errorf("blob of %s: %w", session, err)
	}
	e, info, err := b.record(ctx, name)
	if err == nil && (e.gone || info.Deleted) {
		err = ErrNoBlob
	}
	if err != nil {
		return Blob{}, fmt.Errorf("blob %s of %s: %w", ref, session, err)
	}
	return Blob{Ref: ref, Size: info.Size, Revision: e.seq}, nil
}

// Get returns a payload, its content checked against the reference. [ErrNoBlob] if
// there is none, [ErrCorrupt] if it is not what was put.
func (b *Blobs) Get(ctx context.Context, session, ref string) ([]byte, error) {
	return b.read(ctx, session, ref, subjects.BlobName)
}

func (b *Blobs) read(ctx context.Context, session, ref string, of func(session, hash string) string) ([]byte, error) {
	name, hash, err := name(session, ref, of)
	if err != nil {
		return nil, fmt.Errorf("get blob of %s: %w", session, err)
	}
	data, err := b.get(ctx, name, hash)
	if err != nil {
		return nil, fmt.Errorf("get blob %s of %s: %w", ref, session, err)
	}
	return data, nil
}

// PutBody stores a commit that is too large for its message and returns its reference.
func (b *Blobs) PutBody(ctx context.Context, session string, data []byte) (ref string, err error) {
	ref = Ref(data)
	name, hash, err := name(session, ref, bodyName)
	if err == nil {
		if _, err := b.get(ctx, name, hash); err == nil {
			return ref, nil
		}
		_, err = b.put(ctx, name, data)
	}
	if err != nil {
		return "", fmt.Errorf("put commit of %s: %w", session, err)
	}
	return ref, nil
}

// Body returns a commit that was stored with [Blobs.PutBody]. The errors are those of
// [Blobs.Get].
func (b *Blobs) Body(ctx context.Context, session, ref string) ([]byte, error) {
	return b.read(ctx, session, ref, bodyName)
}

// DeleteBody removes a commit that was stored with [Blobs.PutBody]; one that is not there
// is no error. Only the session's owner may, once the log no longer has the commit.
func (b *Blobs) DeleteBody(ctx context.Context, session, ref string) error {
	name, _, err := name(session, ref, bodyName)
	if err == nil {
		err = b.remove(ctx, name, latest)
	}
	if err != nil {
		return fmt.Errorf("delete commit %s of %s: %w", ref, session, err)
	}
	return nil
}

// Delete removes a payload up to the given revision; one that is not there is no
// error, and one that was stored again since then stays. Only the session's owner
// may, and only what no stored commit refers to: a deletion has no fence of its own.
func (b *Blobs) Delete(ctx context.Context, session string, blob Blob) error {
	name, _, err := name(session, blob.Ref, subjects.BlobName)
	if err == nil {
		err = b.remove(ctx, name, blob.Revision)
	}
	if err != nil {
		return fmt.Errorf("delete blob %s of %s: %w", blob.Ref, session, err)
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
		if err := b.remove(ctx, string(name), latest); err != nil {
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

// surely is record for what is half done, which ends only once the leader has answered.
func (b *Blobs) surely(ctx context.Context, name string) (entry, jetstream.ObjectInfo, error) {
	for attempt := 0; ; attempt++ {
		e, info, err := b.record(ctx, name)
		if !unanswered(err) || b.meta.js.Conn().IsClosed() || !pause(ctx, attempt) {
			return e, info, err
		}
	}
}

// codeNoLeader is what a cluster says that has no leader for a stream just now.
const codeNoLeader = 10008

// unanswered tells whether a request failed because nobody was there to answer it.
func unanswered(err error) bool {
	if api := (*jetstream.APIError)(nil); errors.As(err, &api) {
		return api.ErrorCode == codeNoLeader
	}
	return err != nil && !errors.Is(err, ErrCorrupt)
}

// put stores an object under a name, over whatever is there: first the chunks,
// each exactly once, then the record that makes them an object. Then what was
// there before goes. What nobody may come to refer to goes with an error; what a
// process that ends here has stored stays as waste.
func (b *Blobs) put(ctx context.Context, name string, data []byte) (revision uint64, err error) {
	sum := sha256.Sum256(data)
	info := jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkSize}},
		Bucket:     b.store, NUID: newID(), Size: uint64(len(data)),
		Digest: "SHA-256=" + base64.URLEncoding.EncodeToString(sum[:]),
	}
	var offered bool // the record, and it may be stored
	defer func() {
		if err != nil && !(offered && errors.Is(err, ErrUndecided)) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTimeout)
			defer cancel()
			_ = b.purge(ctx, b.chunks.prefix+info.NUID, 0)
		}
	}()
	var last uint64
	for chunk := range slices.Chunk(data, chunkSize) {
		info.Chunks++
		last, err = b.chunks.cas(ctx, write{key: info.NUID, id: newID(), expected: last, value: chunk})
		if err != nil {
			return 0, err
		}
	}
	value, err := json.Marshal(info)
	if err != nil {
		return 0, err
	}
	for attempt := 0; ; attempt++ {
		e, old, err := b.surely(ctx, name)
		if err != nil && !errors.Is(err, ErrCorrupt) {
			return 0, err
		}
		offered = true
		revision, err := b.meta.cas(ctx, recordOf(name, value, e.seq))
		if err == nil {
			if old.NUID != "" {
				_ = b.purge(ctx, b.chunks.prefix+old.NUID, 0) // nothing refers to it: waste at worst
			}
			return revision, nil
		}
		if !errors.Is(err, ErrMoved) || !pause(ctx, attempt) {
			return 0, err
		}
	}
}

// recordOf is the write of an object's record over the one at the expected sequence.
func recordOf(name string, value []byte, expected uint64) write {
	return write{
		key: encodeName(name), id: newID(), expected: expected, value: value,
		header: nats.Header{jetstream.MsgRollup: {jetstream.MsgRollupSubject}},
	}
}

// get reads an object. One that is replaced meanwhile loses its chunks under the
// reader, who then reads the new one.
func (b *Blobs) get(ctx context.Context, name, hash string) ([]byte, error) {
	var before uint64
	for {
		e, info, err := b.record(ctx, name)
		if err != nil {
			return nil, err
		}
		if e.gone || info.Deleted {
			return nil, ErrNoBlob
		}
		data, err := b.content(ctx, info, hash)
		if !errors.Is(err, ErrCorrupt) || e.seq == before {
			return data, err
		}
		before = e.seq
	}
}

// content reads what a record says there is, and no more: the size in it is what callers go by.
func (b *Blobs) content(ctx context.Context, info jetstream.ObjectInfo, hash string) ([]byte, error) {
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
		if uint64(len(data)+len(chunk.value)) > info.Size {
			return nil, fmt.Errorf("%w: it has more than the %d bytes of its record", ErrCorrupt, info.Size)
		}
		data, last = append(data, chunk.value...), chunk.seq
	}
	if digest(data) != hash || uint64(len(data)) != info.Size {
		return nil, fmt.Errorf("%w: its content has another hash or size", ErrCorrupt)
	}
	return data, nil
}

// latest is a deletion of whatever there is.
const latest = math.MaxUint64

// remove deletes an object whose record is not newer than upTo, the record first. It
// leaves no record of the deletion, as an object store usually does: one would stay
// for ever for every payload and snapshot that ever was.
func (b *Blobs) remove(ctx context.Context, name string, upTo uint64) error {
	e, info, err := b.record(ctx, name)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	if e.seq == 0 || e.seq > upTo {
		return nil
	}
	if err := b.purge(ctx, b.meta.prefix+encodeName(name), e.seq+1); err != nil {
		return err
	}
	// A record that was stored again in between refers to the same chunks. One that
	// is stored from now on cannot: its writer found none to store again.
	_, now, err := b.surely(ctx, name)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	if info.NUID == "" || info.NUID == now.NUID {
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
		if !unanswered(err) {
			return err
		}
		if b.meta.js.Conn().IsClosed() || !pause(ctx, attempt) {
			return errors.Join(err, ctx.Err())
		}
	}
}

func encodeName(name string) string { return base64.URLEncoding.EncodeToString([]byte(name)) }
