package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// enlarge gives the object store a part in a prompt: its data are there, or an image it
// names, or what its run puts out. Input blobs may be of any size and are small mostly, which
// keeps a seed fast; they are few, so that events share them and one is stored anew while it
// is let go, by a producer that takes its time to publish what names it, or named again by one
// that stores it no second time.
func (p *plan) enlarge(r *rand.Rand, st *step, session string) {
	large := pick(r, subjects.MaxInlineData+1, subjects.MaxInlineData+1, 150<<10) // one chunk, or two
	shared := r.IntN(2)
	switch r.IntN(3) {
	case 0:
		st.dawdle = randomTime(r, pick(r, 4*time.Second, p.tune.BlobGrace))
	case 1:
		st.relies = true
	}
	switch r.IntN(8) {
	case 0, 1, 2:
		st.stored, st.text = true, fmt.Sprintf(`{"text":"stored %d of %s"}`, shared, session)
	case 3, 4, 5:
		st.image = fmt.Sprintf("image %d of %s", shared, session)
		st.text = fmt.Sprintf(`{"content":[{"type":"text","text":"see"},{"type":"image","blob":"%s"}]}`, kv.Ref([]byte(st.image)))
	case 6:
		st.swell = large
	case 7:
		st.stored, st.text = true, fmt.Sprintf(`{"text":"%d%s"}`, shared, strings.Repeat("x", large))
	}
}

// blobs are what the event refers to.
func (st *step) blobs() (all [][]byte) {
	if st.stored {
		all = append(all, []byte(st.text))
	}
	if st.image != "" {
		all = append(all, []byte(st.image))
	}
	return all
}

// put stores what an event refers to, until it is stored, and says since when it is.
func (p *producer) put(session string, st step) (since time.Time) {
	since = time.Now()
	for _, data := range st.blobs() {
		ref := kv.Ref(data)
		if at := p.stored[ref]; st.relies && time.Since(at) < p.w.plan.tune.BlobGrace {
			since = at
			continue
		}
		p.stored[ref] = time.Now()
		for {
			err := p.tryPut(session, data)
			if err == nil {
				break
			}
			p.w.log.Debug("blob not stored", "event", st.id, "error", err)
			time.Sleep(300 * time.Millisecond)
		}
	}
	time.Sleep(st.dawdle)
	return since
}

func (p *producer) tryPut(session string, data []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	blobs, err := kv.OpenBlobs(ctx, p.js, p.w.ns)
	if err == nil {
		_, err = blobs.Put(ctx, session, data)
	}
	return err
}

// checkInputs: an executor is given what was published, whole.
func (w *world) checkInputs(run *executor.Run) {
	for i := range run.Inputs {
		in := &run.Inputs[i]
		st := w.plan.input(run.Session, in.ID)
		switch {
		case st == nil:
			w.fail("%s: run %s has the input %s, which nobody publishes", run.Session, run.ID, in.ID)
		case string(in.Data) != st.text:
			w.fail("%s: run %s got %.80q for the input %s, published was %.80q", run.Session, run.ID, in.Data, in.ID, st.text)
		case st.image != "" && string(in.Blobs[kv.Ref([]byte(st.image))]) != st.image:
			w.fail("%s: run %s did not get the image of the input %s", run.Session, run.ID, in.ID)
		}
	}
}

// input is the input a session is sent under an id.
func (p *plan) input(session, id string) *step {
	for _, s := range p.scripts {
		for i := range s.steps {
			if s.session == session && s.steps[i].id == id {
				return &s.steps[i]
			}
		}
	}
	return nil
}

// holding is what one answer of a session makes it hold, for as long as it is remembered.
type holding struct {
	refs   []string
	result string // another one
	// surely and perhaps count what the session had to remember before it; between these
	// are repeats and refusals, which it remembers for their blobs alone.
	surely, perhaps int
}

// verifyBlobs checks the object store against the logs.
func (w *world) verifyBlobs() {
	blobs, err := kv.OpenBlobs(w.t.Context(), w.js, w.ns)
	if err != nil {
		w.fail("blobs: %v", err)
		return
	}
	stored, err := w.stored()
	if err != nil {
		w.fail("blobs: %v", err)
		return
	}
	for session, h := range w.history {
		w.checkBlobs(session, h, stored, blobs)
	}
}

// checkBlobs: what the log says of runs is what they put out; an input finds its blobs; every
// blob the session remembers is there and whole; none that it has let go is left: what only
// inputs beyond its horizon named, or everything, once it is destroyed (docs/wire.md, Blobs).
func (w *world) checkBlobs(session string, h *chronicle, stored map[string]bool, blobs *kv.Blobs) {
	var held []holding
	var surely, perhaps int
	runs := map[string]map[string]bool{} // whose result a blob is
	destroyed := false
	for _, c := range h.commits {
		surely += remembered(c)
		for _, f := range c.events {
			if strings.Contains(f.Fields.Reason, "blob sha256:") && !destroyed && w.storedInTime(session, f.Fields.InputID) {
				w.fail("%s: %s in commit %d: %s", session, f.Name, c.number, f.Fields.Reason)
			}
			x := holding{result: f.Fields.ResultRef}
			if st := w.plan.input(session, f.Fields.InputID); st != nil {
				for _, data := range st.blobs() {
					x.refs = append(x.refs, kv.Ref(data))
				}
			}
			switch f.Name {
			case "InputCompleted":
				surely++
				if x.result != "" {
					if runs[x.result] == nil {
						runs[x.result] = map[string]bool{}
					}
					runs[x.result][f.Fields.RunID] = true
				}
				w.checkResult(session, f, stored, blobs)
			case "CommandApplied", "CommandRejected":
				destroyed = destroyed || f.Name == "CommandApplied" && f.Fields.Command == "destroy"
			case "InputRejected", "InputDeduplicated":
			default:
				continue
			}
			perhaps++
			x.surely, x.perhaps = surely, perhaps
			held = append(held, x)
		}
	}
	// Of each blob: whether it must be there. One that may or may not be stands in doubt.
	must, doubt := map[string]bool{}, map[string]bool{}
	note := func(ref string, x holding) {
		if ref == "" {
			return
		}
		must[ref] = must[ref] || perhaps-x.perhaps < w.plan.tune.Retain
		// A result is held by its run's receipt as well.
		doubt[ref] = doubt[ref] || surely-x.surely < w.plan.tune.Retain || ref == x.result
	}
	for _, x := range held {
		for _, ref := range x.refs {
			note(ref, x)
		}
		note(x.result, x)
	}
	for _, ref := range slices.Sorted(maps.Keys(must)) {
		left := stored[subjects.BlobName(session, strings.TrimPrefix(ref, "sha256:"))] && !w.stray(session, ref, len(runs[ref]), blobs)
		switch {
		case destroyed && left:
			w.fail("%s: it is destroyed, and its blob %s is left", session, ref)
		case destroyed:
		case left && !must[ref] && !doubt[ref]:
			w.fail("%s: blob %s is left, and the session has forgotten all that named it", session, ref)
		case must[ref]:
			if _, err := blobs.Get(w.t.Context(), session, ref); err != nil {
				w.fail("%s: what the session remembers names a blob: %v", session, err)
			}
		}
	}
}

// storedInTime reports whether an event was published soon enough after its blobs were stored
// that even a session which remembers little must have found them (docs/wire.md, Blobs).
func (w *world) storedInTime(session, id string) bool {
	s := find(w.sent[session], id)
	return s == nil || s.late <= w.plan.tune.BlobGrace || w.plan.tune.Retain >= forgetful
}

// stray reports whether a blob is what a run put out whose commit is in no log, besides the n
// runs that have it as their result: it was stored for nobody then, perhaps anew, and whoever
// lets it go lets go what was stored before.
func (w *world) stray(session, ref string, n int, blobs *kv.Blobs) bool {
	data, err := blobs.Get(w.t.Context(), session, ref)
	if err != nil || len(data) <= subjects.MaxInlineData { // what is small is no result's
		return false
	}
	text := saidIn(data)
	for _, o := range w.outputs {
		if o.session == session && o.text == text {
			n--
		}
	}
	return n < 0
}

// remembered are the commands of a commit which the session had not remembered before it. A
// command is remembered before the inputs that it ends, and answered after them; retire is
// when it begins to wait.
func remembered(c commit) (n int) {
	for _, f := range c.events {
		if f.Fields.Command != "retire" && (f.Name == "CommandApplied" || f.Name == "CommandRejected") {
			n++
		}
	}
	return n
}

// checkResult: the result of an input is what its run put out.
func (w *world) checkResult(session string, f fact, stored map[string]bool, blobs *kv.Blobs) {
	result := []byte(f.Fields.Result)
	if ref := f.Fields.ResultRef; ref != "" {
		if !stored[subjects.BlobName(session, strings.TrimPrefix(ref, "sha256:"))] {
			return // whether it must be there is another question
		}
		var err error
		if result, err = blobs.Get(w.t.Context(), session, ref); err != nil {
			w.fail("%s: the result of input %s: %v", session, f.Fields.InputID, err)
			return
		}
	}
	if len(result) == 0 {
		return
	}
	if !slices.Contains(w.outputs, output{session, f.Fields.RunID, saidIn(result)}) {
		w.fail("%s: the result of input %s is %.80q, which its run %s did not put out", session, f.Fields.InputID, result, f.Fields.RunID)
	}
}

// saidIn is the text of an output.
func saidIn(result []byte) string {
	var said struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(result, &said) != nil {
		return "no output: " + string(result)
	}
	return said.Text
}

// stored are the names of all objects.
func (w *world) stored() (map[string]bool, error) {
	objects, err := w.js.ObjectStore(w.t.Context(), w.ns.BlobsBucket())
	if err != nil {
		return nil, err
	}
	all, err := objects.List(w.t.Context())
	if err != nil && err != jetstream.ErrNoObjectsFound {
		return nil, err
	}
	names := map[string]bool{}
	for _, o := range all {
		names[o.Name] = true
	}
	return names, nil
}
