package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// An input too large for a message has its data in the object store and names it in the
// extension dataref; a content block names an image there. The session finds every blob
// of an input when it admits it, and reads them when a run starts.
//
// The ledger holds what inputs refer to for as long as the session remembers them, and
// what no input refers to any more until it is known to be deleted. Both change by
// deltas, so whoever owns the session next deletes what is left. Nothing that is still
// referred to, or stored again meanwhile, goes with it ([kv.Blobs.Delete]); what is let go
// is spared for a while (see [spared]), and if an input names it again it is stored again.

// held is a blob that remembered events refer to.
type held struct {
	Revision uint64 `json:"revision"`
	Users    int    `json:"users"`
}

// hold counts one more event that refers to each blob.
func (l *ledger) hold(blobs []kv.Blob) {
	for _, b := range blobs {
		h := l.Blobs[b.Ref]
		h.Revision = max(h.Revision, b.Revision)
		h.Users++
		if l.Blobs == nil {
			l.Blobs = map[string]held{}
		}
		l.Blobs[b.Ref] = h
	}
}

// letGo counts one less. What nobody refers to is to be deleted.
func (l *ledger) letGo(blobs []kv.Blob) {
	for _, b := range blobs {
		h, ok := l.Blobs[b.Ref]
		if !ok {
			continue // dropped with all others
		}
		if h.Users--; h.Users > 0 {
			l.Blobs[b.Ref] = h
			continue
		}
		delete(l.Blobs, b.Ref)
		l.Dropped = append(l.Dropped, kv.Blob{Ref: b.Ref, Size: b.Size, Revision: h.Revision})
	}
}

// dropAll lets every blob go at once.
func (l *ledger) dropAll() {
	for _, ref := range slices.Sorted(maps.Keys(l.Blobs)) {
		l.Dropped = append(l.Dropped, kv.Blob{Ref: ref, Revision: l.Blobs[ref].Revision})
	}
	l.Blobs = nil
}

// dropped tells whether a blob is one that was let go and may be deleted as it is.
func (l *ledger) dropped(b kv.Blob) bool {
	return slices.ContainsFunc(l.Dropped, func(d kv.Blob) bool { return d.Ref == b.Ref && d.Revision >= b.Revision })
}

// BlobError says that a blob an input refers to is not there, or not whole.
type BlobError struct {
	Field string // where the input names it
	Ref   string
	Cause error
}

func (e *BlobError) Error() string { return fmt.Sprintf("%s: blob %s: %v", e.Field, e.Ref, e.Cause) }

func (e *BlobError) Unwrap() error { return e.Cause }

// dataRef is the blob that holds an event's data, "" if the event carries them itself. An
// event of a foreign type may name its data elsewhere, which is none of our business.
func dataRef(ev *event.Event) (string, error) {
	ref := extension(ev, subjects.ExtDataRef)
	if ref == "" {
		return "", nil
	}
	if !subjects.Reserved(ev.Type()) {
		if len(ev.Data()) > 0 || kv.CheckRef(ref) != nil {
			return "", nil
		}
		return oneSpelling(ref), nil
	}
	if len(ev.Data()) > 0 {
		return "", &FieldError{subjects.ExtDataRef, "the event has data too"}
	}
	if err := kv.CheckRef(ref); err != nil {
		return "", &FieldError{subjects.ExtDataRef, err.Error()}
	}
	return oneSpelling(ref), nil
}

// oneSpelling is a reference as the ledger has it. A hash in hex may be spelled in two ways;
// taken for two blobs, the one would be deleted under those who refer to the other.
func oneSpelling(ref string) string { return strings.ToLower(ref) }

// mention is a blob that an input names, and where.
type mention struct{ field, ref string }

// maxMentions bounds the blobs of one input, which the session remembers as long as the
// input.
const maxMentions = 64

// contentBlobs are the blobs that the blocks of a content value name.
func contentBlobs(content jsontext.Value) ([]mention, error) {
	if content.Kind() != '[' || !strings.Contains(string(content), `"blob"`) {
		return nil, nil
	}
	var blocks []jsontext.Value
	if err := json.Unmarshal(content, &blocks); err != nil {
		return nil, &FieldError{"data.content", err.Error()}
	}
	var all []mention
	for i, raw := range blocks {
		var block struct {
			Blob *string `json:"blob"`
		}
		field := "data.content." + strconv.Itoa(i) + ".blob"
		if raw.Kind() != '{' {
			continue
		}
		if json.Unmarshal(raw, &block) != nil {
			return nil, &FieldError{field, "is not a string"}
		}
		if block.Blob == nil {
			continue
		}
		if err := kv.CheckRef(*block.Blob); err != nil {
			return nil, &FieldError{field, err.Error()}
		}
		if len(all) == maxMentions {
			return nil, &FieldError{field, fmt.Sprintf("is one more than the %d blobs an input may name", maxMentions)}
		}
		all = append(all, mention{field, *block.Blob})
	}
	return all, nil
}

// decode reads an input event with all that it refers to. Data in the object store are
// looked at for admission and not kept: the run reads them again. With an error comes what
// is known of the blobs, if anything is.
func (s *Session) decode(ev *event.Event) (*input, error) {
	ref, err := dataRef(ev)
	if err != nil {
		return nil, err
	}
	if ref == "" {
		in, err := decodeInput(s.id, ev)
		if err != nil {
			return nil, err
		}
		return in, s.find(in, in.mentions)
	}
	in := &input{entry: &entry{DataRef: ref}}
	if err := s.find(in, []mention{{subjects.ExtDataRef, ref}}); err != nil {
		return in, err
	}
	data, err := s.fetch(s.life, ref)
	if err != nil {
		return in, s.unfound(subjects.ExtDataRef, ref, err)
	}
	whole := ev.Clone()
	whole.DataEncoded = data
	read, err := decodeInput(s.id, &whole)
	if err != nil {
		return in, err
	}
	read.Data, read.DataRef, read.Blobs = nil, ref, in.Blobs
	return read, s.find(read, read.mentions)
}

// withoutData is a repeated event whose data are not there, or are none of an input: it
// needs none to be answered. known is what is known of its blobs, nil if nothing is.
func (s *Session) withoutData(ev *event.Event, known *input) *input {
	in := &input{entry: &entry{
		ID: ev.ID(), Key: eventKey(s.id, ev), Event: ev.ID(), Type: ev.Type(),
		Correlation: extension(ev, subjects.ExtCorrelationID),
		TraceParent: extension(ev, subjects.ExtTraceParent), TraceState: extension(ev, subjects.ExtTraceState),
	}}
	if known != nil {
		in.Blobs = known.Blobs
	}
	return in
}

// find makes sure that the blobs an input names are there. If one is not, the others are
// found all the same.
func (s *Session) find(in *input, mentions []mention) (failed error) {
	for _, m := range mentions {
		ref := oneSpelling(m.ref)
		if slices.ContainsFunc(in.Blobs, func(b kv.Blob) bool { return b.Ref == ref }) {
			continue
		}
		b, err := s.stat(ref)
		if err == nil {
			in.Blobs = append(in.Blobs, b)
		}
		switch {
		case failed != nil:
		case err != nil:
			failed = s.unfound(m.field, m.ref, err)
		case b.Size > subjects.MaxBlob:
			failed = &FieldError{m.field, fmt.Sprintf("%d bytes, %d are the most", b.Size, subjects.MaxBlob)}
		}
	}
	return failed
}

// unfound is a refusal if the blob is not there. Otherwise the session could not find out
// before it had to leave.
func (s *Session) unfound(field, ref string, err error) error {
	if errors.Is(err, kv.ErrNoBlob) || errors.Is(err, kv.ErrCorrupt) {
		return &BlobError{field, ref, err}
	}
	s.fail(err)
	return err
}

// stat asks for a blob until there is an answer.
func (s *Session) stat(ref string) (b kv.Blob, err error) {
	err = insist(s.life, func(ctx context.Context) error {
		b, err = s.env.Store.Blobs.Stat(ctx, s.id, ref)
		return err
	})
	if err != nil || !s.ledger.dropped(b) {
		return b, err
	}
	// Somebody may be deleting it, and be it an owner before us. What it does not find as it
	// was let go it leaves.
	found := b
	err = insist(s.life, func(ctx context.Context) error {
		b, err = s.env.Store.Blobs.Renew(ctx, s.id, found)
		return err
	})
	return b, err
}

func (s *Session) fetch(ctx context.Context, ref string) (data []byte, err error) {
	err = insist(ctx, func(ctx context.Context) error {
		data, err = s.env.Store.Blobs.Get(ctx, s.id, ref)
		return err
	})
	return data, err
}

// insist repeats what fails for want of an answer.
func insist(ctx context.Context, do func(context.Context) error) error {
	for try := 0; ; try++ {
		err := do(ctx)
		if err == nil || errors.Is(err, kv.ErrNoBlob) || errors.Is(err, kv.ErrCorrupt) {
			return err
		}
		if !sleep(ctx, min(50*time.Millisecond<<min(try, 6), 2*time.Second)) {
			return errors.Join(err, context.Cause(ctx))
		}
	}
}

// keep holds the blobs of an event that became no input, in the same way and for as long
// as if it had: its producer may correct it and send it again.
func (s *Session) keep(blobs []kv.Blob) {
	if len(blobs) == 0 || s.failure != nil {
		return
	}
	if s.kernel.Phase() == kernel.Destroyed {
		s.change(func(d *delta) { d.Drop = append(d.Drop, blobs...) })
		return
	}
	key := "refused:" + strconv.FormatUint(s.next.cursor, 10)
	s.change(func(d *delta) {
		d.Seen = append(d.Seen, seenKey{Key: key, What: seen{Blobs: blobs}})
		d.Ended = append(d.Ended, key)
	})
}

// keepUntilDue holds the blobs of an input that is to be admitted later; dueNow ends that.
func (s *Session) keepUntilDue(in *input) {
	if s.kernel.Phase() == kernel.Destroyed {
		s.keep(in.Blobs) // it will be refused; and what a commit holds comes before what it drops
		return
	}
	if key := "due:" + in.Key; len(in.Blobs) > 0 && !s.seen(key) {
		s.change(func(d *delta) { d.Seen = append(d.Seen, seenKey{Key: key, What: seen{Blobs: in.Blobs}}) })
	}
}

func (s *Session) dueNow(in *input) {
	if key := "due:" + in.Key; len(in.Blobs) > 0 && s.seen(key) {
		s.change(func(d *delta) { d.Ended = append(d.Ended, key) })
	}
}

// resolve reads what the inputs of a run refer to.
func (s *Session) resolve(ctx context.Context, req *executor.Run, batch []*entry) error {
	for i, e := range batch {
		in := &req.Inputs[i]
		for _, b := range e.Blobs {
			data, err := s.fetch(ctx, b.Ref)
			if err != nil {
				return &executor.ApplyError{
					Cause:   kernel.RuntimeApplyFailureCausePrimitiveRejected,
					Message: (&BlobError{"input " + e.ID, b.Ref, err}).Error(),
				}
			}
			if b.Ref != e.DataRef {
				if in.Blobs == nil {
					in.Blobs = map[string][]byte{}
				}
				in.Blobs[b.Ref] = data
				continue
			}
			whole := *e
			if whole.Data = data; e.IsText {
				whole.Data = asText(data)
			}
			in.Data, in.Text = whole.Data, whole.text()
		}
		asSpelled(in)
	}
	return nil
}

// asSpelled lets an executor find the blobs of an input as its content spells them, too.
func asSpelled(in *executor.Input) {
	if len(in.Blobs) == 0 {
		return
	}
	var data inputData
	_ = json.Unmarshal(in.Data, &data) // it was read when the input was admitted
	mentions, _ := contentBlobs(data.Content)
	for _, m := range mentions {
		if b, ok := in.Blobs[oneSpelling(m.ref)]; ok {
			in.Blobs[m.ref] = b
		}
	}
}

// size is what an input weighs in a run.
func (e *entry) size() int {
	n := len(e.Data)
	for _, b := range e.Blobs {
		n += int(b.Size)
	}
	return n
}

// output is what a run produced: in place, or in the object store if it is too large to
// travel in events.
type output struct {
	value jsontext.Value
	blob  kv.Blob
}

func (o *output) none() bool { return o.value == nil && o.blob.Ref == "" }

// digest is the SHA-256 of what was produced, in hex.
func (o *output) digest() string {
	ref := o.blob.Ref
	if ref == "" {
		ref = kv.Ref(o.value)
	}
	_, hash, _ := strings.Cut(ref, ":")
	return hash
}

func (o *output) blobs() []kv.Blob {
	if o.blob.Ref == "" {
		return nil
	}
	return []kv.Blob{o.blob}
}

// store takes the output of a result, into the object store if it is large.
func (s *Session) store(ctx context.Context, result *executor.Result) (o output, err error) {
	value := outputOf(result)
	if len(value) <= subjects.MaxInlineData {
		return output{value: value}, nil
	}
	err = insist(ctx, func(ctx context.Context) error {
		o.blob, err = s.env.Store.Blobs.Put(ctx, s.id, value)
		return err
	})
	return o, err
}

// sweep deletes what the ledger has let go, beside the session's work. There is one at a
// time, of the state that it was begun for.
type sweep struct {
	deleted atomic.Int64 // how many of Dropped, from the first
	cancel  context.CancelFunc
	done    chan struct{}
}

// sweepDropped starts to delete what a commit that is known stored has let go
// (PROTOCOL 3), once it need not be spared any more. An owner that was replaced meanwhile
// does no harm: it leaves what was named again (see stat).
func (s *Session) sweepDropped() {
	if len(s.ledger.Dropped) == 0 {
		return
	}
	s.ripen()
	if s.sweep != nil {
		select {
		case <-s.sweep.done:
		default:
			return // when it has ended the session comes back here
		}
	}
	if s.toSweep() == 0 {
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.life))
	w := &sweep{cancel: cancel, done: make(chan struct{})}
	if s.sweep != nil {
		w.deleted.Store(s.sweep.deleted.Load())
	}
	dropped := slices.Clone(s.ledger.Dropped[w.deleted.Load():s.spared.ripe])
	s.sweep = w
	go func() {
		defer close(w.done)
		defer cancel()
		for _, b := range dropped {
			err := insist(ctx, func(ctx context.Context) error { return s.env.Store.Blobs.Delete(ctx, s.id, b) })
			if err != nil {
				return
			}
			w.deleted.Add(1)
		}
	}()
}

// swept puts into the commit what is known to be deleted.
func (s *Session) swept() {
	if s.sweep == nil {
		return
	}
	if n := int(s.sweep.deleted.Swap(0)); n > 0 {
		s.spared.shift(n)
		s.change(func(d *delta) { d.Deleted += n })
	}
}

// toSweep is how many blobs may be deleted and are not known to be.
func (s *Session) toSweep() int {
	if s.sweep == nil {
		return s.spared.ripe
	}
	return s.spared.ripe - int(s.sweep.deleted.Load())
}

// sweeping returns a channel that is closed when there is something to sweep again, or nil
// if nothing is left that may be deleted.
func (s *Session) sweeping() <-chan struct{} {
	if s.sweep == nil || s.toSweep() == 0 {
		return nil
	}
	return s.sweep.done
}

func (s *Session) stopSweep() {
	s.spared = spared{}
	if s.sweep != nil {
		s.sweep.cancel()
		s.sweep = nil
	}
}
