//go:build unix

package integration

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// report is what a verified history was like.
type report struct {
	*history
	stored, claims, deduplicated, fxRepeats int
	outcomes                                map[string]int
	largest                                 int // inputs completed by one commit
}

// verify reads log and fx and checks everything that must hold whatever has happened:
//
//   - each log is one chain: numbers from 1 without a gap, each commit naming its
//     predecessor, fences that never decrease, one worker to a fence, no commit id twice;
//   - each input acknowledged was accepted once and ended once, in the order published;
//   - nothing ended that was not published, or otherwise than its producer was told;
//   - fx holds exactly the published events of the log: sequences from 1 without a gap, one
//     content to an id.
func (l *ledger) verify() *report {
	l.w.t.Helper()
	r := l.w.reread()
	for session := range r.sessions {
		l.checkInputs(r, session)
	}
	for session, ids := range l.sent {
		if len(r.sessions[session]) == 0 && len(ids) > 0 {
			l.w.t.Errorf("%s: %d inputs acknowledged, and no log", session, len(ids))
		}
	}
	l.w.checkFx(r)
	return r
}

// reread reads the whole log anew and checks its chains.
func (w *world) reread() *report {
	w.t.Helper()
	r := &report{history: w.newHistory(), outcomes: map[string]int{}}
	for shard := range w.ns.Shards() {
		if err := w.read(w.ns.LogStream(shard), r.add); err != nil {
			w.t.Fatal(err)
		}
	}
	for session, commits := range r.sessions {
		r.checkChain(session, commits)
	}
	return r
}

func (r *report) checkChain(session string, commits []commit) {
	t := r.w.t
	workers, ids := map[uint64]string{}, map[string]bool{}
	before := commit{}
	for _, c := range commits {
		if c.number != before.number+1 || c.prev != before.seq || c.fence < before.fence {
			t.Errorf("%s: the chain breaks: commit %d (fence %d, after %d) at %d follows commit %d (fence %d) at %d",
				session, c.number, c.fence, c.prev, c.seq, before.number, before.fence, before.seq)
		}
		if was, ok := workers[c.fence]; ok && was != c.worker {
			t.Errorf("%s: fence %d was held by %s and by %s", session, c.fence, was, c.worker)
		} else if !ok {
			r.claims++
		}
		if ids[c.id] {
			t.Errorf("%s: commit id %s stands twice in the log", session, c.id)
		}
		workers[c.fence], ids[c.id], before = c.worker, true, c
		r.stored++
		ended := 0
		for _, f := range c.events {
			if f.Name == "InputCompleted" {
				ended++
			}
		}
		r.largest = max(r.largest, ended)
	}
}

func (l *ledger) checkInputs(r *report, session string) {
	t := r.w.t
	accepted, ended := map[string]int{}, map[string]int{}
	var order []string
	for _, f := range r.facts(session) {
		id := f.Fields.InputID
		switch f.Name {
		case "InputAccepted":
			accepted[id]++
		case "InputDeduplicated":
			r.deduplicated++
		case "InputCompleted":
			ended[id]++
			order = append(order, id)
			if told, ok := l.told[session+"/"+id]; ok && told != f.Fields.Outcome {
				t.Errorf("%s: input %s ended %s, and its producer was told %s", session, id, f.Fields.Outcome, told)
			}
			r.outcomes[f.Fields.Outcome]++
		case "InputRejected":
			t.Errorf("%s: input %s was rejected: %s", session, id, f.Fields.Reason)
		}
	}
	for _, id := range l.sent[session] {
		if accepted[id] != 1 || ended[id] != 1 {
			t.Errorf("%s: input %s was accepted %d times and ended %d times", session, id, accepted[id], ended[id])
		}
	}
	for id := range ended {
		if !slices.Contains(l.sent[session], id) {
			t.Errorf("%s: input %s ended and was not published", session, id)
		}
	}
	if len(order) == len(l.sent[session]) && !slices.Equal(order, l.sent[session]) {
		t.Errorf("%s: published %v, ended in the order %v", session, l.sent[session], order)
	}
}

// check compares what was read while it happened with the log as it is in the end: nothing
// that a subscriber of the feed was shown may be gone or be another (PROTOCOL 4, 35).
func (h *history) check(r *report) {
	for session, final := range r.sessions {
		for i, c := range h.commits(session) {
			if i >= len(final) || final[i].seq != c.seq || final[i].id != c.id {
				r.w.t.Errorf("%s: commit %d (%s at %d) was read from the feed, and is not in the log", session, c.number, c.id, c.seq)
			}
		}
	}
}

// waits are the times from the first attempt to publish an input until its outcome was
// stored, by the clock of the server that stored it, of those inputs that were first
// published in a span of time, sorted.
func (l *ledger) waits(r *report, from, to time.Time) (all []time.Duration) {
	for session, commits := range r.sessions {
		for _, c := range commits {
			for _, f := range c.events {
				asked := l.asked[session+"/"+f.Fields.InputID]
				if f.Name == "InputCompleted" && asked.After(from) && asked.Before(to) {
					all = append(all, c.at.Sub(asked))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// checkFx waits until fx has everything that the log says was let out, and compares.
func (w *world) checkFx(r *report) {
	w.t.Helper()
	deadline := time.Now().Add(15 * time.Second)
	for {
		wrong, repeats := w.compareFx(r)
		if len(wrong) == 0 {
			r.fxRepeats = repeats
			return
		}
		if time.Now().After(deadline) {
			for _, text := range wrong[:min(len(wrong), 20)] {
				w.t.Error(text)
			}
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
}

func (w *world) compareFx(r *report) (wrong []string, repeats int) {
	type copy struct{ id, name, data string }
	published := map[string]map[uint64]copy{}
	for shard := range w.ns.Shards() {
		err := w.read(w.ns.FxStream(shard), func(m jetstream.Msg) error {
			ev, err := subjects.Decode(m.Headers(), m.Data())
			if err != nil {
				return err
			}
			text, _ := ev.Extensions()[subjects.ExtSequence].(string)
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return fmt.Errorf("fx %s: sequence %q", m.Subject(), text)
			}
			c := copy{ev.ID(), subjects.Tail(m.Subject()), string(ev.Data())}
			of := published[ev.Subject()]
			if of == nil {
				of = map[uint64]copy{}
				published[ev.Subject()] = of
			}
			if was, ok := of[n]; ok {
				repeats++
				if was != c {
					w.t.Errorf("fx of %s: sequence %d is %s and %s", ev.Subject(), n, was.id, c.id)
				}
			}
			of[n] = c
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	for session := range r.sessions {
		next := uint64(1)
		for _, f := range r.facts(session) {
			if f.Sequence == "" {
				continue
			}
			if f.Sequence != strconv.FormatUint(next, 10) {
				wrong = append(wrong, fmt.Sprintf("log of %s: sequence %s where %d is due", session, f.Sequence, next))
				break
			}
			if got, ok := published[session][next]; !ok {
				wrong = append(wrong, fmt.Sprintf("fx of %s: sequence %d (%s) is missing", session, next, f.Name))
			} else if want := (copy{f.ID, f.Name, string(f.Data)}); got != want {
				wrong = append(wrong, fmt.Sprintf("fx of %s: sequence %d is %v, the log has %v", session, next, got, want))
			}
			next++
		}
		if n := uint64(len(published[session])); n > next-1 {
			wrong = append(wrong, fmt.Sprintf("fx of %s: %d sequences, the log has %d", session, n, next-1))
		}
	}
	for session := range published {
		if len(r.sessions[session]) == 0 {
			wrong = append(wrong, "fx of "+session+": it has no log")
		}
	}
	return wrong, repeats
}

func (r *report) String() string {
	var outcomes []string
	for _, k := range slices.Sorted(maps.Keys(r.outcomes)) {
		outcomes = append(outcomes, fmt.Sprintf("%d %s", r.outcomes[k], k))
	}
	return fmt.Sprintf("%d sessions, %d commits, %d claims, inputs: %s, %d deduplicated, %d copies on fx, %d inputs ended by one commit at most",
		len(r.sessions), r.stored, r.claims, strings.Join(outcomes, " "), r.deduplicated, r.fxRepeats, r.largest)
}
