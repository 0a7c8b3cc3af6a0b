package simulation

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// settledWithin is how soon everything must have ended once the trouble is over: a lease
// that has just been renewed runs out, and then comes the next sweep (PROTOCOL 17, 22).
// The rest is for claims that are tried again and for runs that are.
const settledWithin = 100 * time.Second

// restsWithin is how soon after that every owner key must be gone (PROTOCOL 15).
const restsWithin = 100 * time.Second

// open are the events that have not been answered, and the inputs that have not ended.
func (w *world) open() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for session, events := range w.sent {
		h := w.history[session]
		for _, s := range events {
			switch {
			case h == nil || len(h.answers[s.id]) == 0:
				all = append(all, s.id+" is not answered")
			case accepted(h.answers[s.id]) > h.ended[s.id]:
				all = append(all, s.id+" has not ended")
			}
		}
	}
	slices.Sort(all)
	return all
}

func accepted(answers []fact) (n int) {
	for _, f := range answers {
		if f.Name == "InputAccepted" {
			n++
		}
	}
	return n
}

// settle waits until every event is answered and every input has ended.
func (w *world) settle(healed time.Time) time.Duration {
	from := time.Now()
	w.mu.Lock()
	for _, events := range w.sent {
		for _, s := range events {
			from = maxTime(from, s.due)
		}
	}
	w.mu.Unlock()
	for {
		open := w.open()
		if len(open) == 0 {
			return max(0, time.Since(from))
		}
		if time.Since(from) > settledWithin {
			w.fail("%d events are still open %s after the trouble (which ended at %s), such as %v",
				len(open), settledWithin, healed.Sub(w.began), open[:min(3, len(open))])
			return settledWithin
		}
		time.Sleep(250 * time.Millisecond)
	}
}

// rest waits until nobody owns anything.
func (w *world) rest() {
	from := time.Now()
	for {
		all, err := w.owners()
		switch {
		case err != nil:
			w.fail("owners: %v", err)
			return
		case len(all) == 0:
			return
		case time.Since(from) > w.plan.tune.Hibernate+w.plan.tune.BlobGrace+restsWithin:
			w.fail("%d owner keys stand at rest, such as %v", len(all), all[0])
			return
		}
		time.Sleep(time.Second)
	}
}

// verify checks everything that must hold whatever has happened.
func (w *world) verify() {
	for session, h := range w.history {
		w.checkChain(session, h)
		w.checkAnswers(session, h)
		w.checkHold(session, h)
	}
	w.checkSwift()
	w.checkCalls()
	w.checkFx()
	w.checkMobs()
	w.checkQueries()
}

// answeredWithin is how soon an event is answered where nothing is amiss.
const answeredWithin = time.Second

// checkSwift: where there are no faults nothing waits for what mends them: the next sweep, a
// lease that runs out, a delivery that is repeated.
func (w *world) checkSwift() {
	if !w.plan.calm {
		return
	}
	for session, events := range w.sent {
		for _, s := range events {
			answers := w.history[session].answers[s.id]
			if len(answers) == 0 || !s.due.IsZero() || s.command != "" { // a command may wait for a run
				continue
			}
			if took := answers[0].At.Sub(s.at); took > answeredWithin {
				w.fail("%s: %s was answered %s after it was acknowledged, and nothing was amiss", session, s.id, took)
			}
		}
	}
}

// checkChain: one history (PROTOCOL 1, 2, 6): numbers from 1 without a gap, each commit
// naming its predecessor, fences that never decrease, one worker to a fence, no commit id
// twice.
func (w *world) checkChain(session string, h *chronicle) {
	workers, ids := map[uint64]string{}, map[string]bool{}
	before := commit{}
	for _, c := range h.commits {
		if c.number != before.number+1 || c.prev != before.seq {
			w.fail("%s: the chain breaks: commit %d (after %d) at %d follows commit %d at %d", session, c.number, c.prev, c.seq, before.number, before.seq)
		}
		if c.fence < before.fence {
			w.fail("%s: a fenced worker wrote commit %d: fence %d after fence %d", session, c.number, c.fence, before.fence)
		}
		if was, ok := workers[c.fence]; ok && was != c.worker {
			w.fail("%s: fence %d was held by %s and by %s", session, c.fence, was, c.worker)
		}
		if ids[c.id] {
			w.fail("%s: commit id %s stands twice in the log", session, c.id)
		}
		workers[c.fence], ids[c.id], before = c.worker, true, c
	}
}

// checkAnswers: every event that was acknowledged is answered once, however often it was
// published, or delivered by its schedule; an accepted input ends once, a refused one never;
// nothing is answered that nobody published; plain inputs are accepted in the order they were
// published.
func (w *world) checkAnswers(session string, h *chronicle) {
	var order, published []string
	when := map[string]time.Time{}
	for _, c := range h.commits {
		for _, f := range c.events {
			if f.Name == "InputAccepted" {
				order = append(order, f.Fields.InputID)
				when[f.Fields.InputID] = f.At
			}
		}
	}
	for _, s := range w.sent[session] {
		first, repeats, done := 0, 0, 0
		for _, f := range h.answers[s.id] {
			switch f.Name {
			case "InputDeduplicated":
				repeats++
			case "CommandApplied", "CommandRejected":
				done++
			default:
				first++
			}
		}
		yes := accepted(h.answers[s.id])
		rejected := first - yes
		switch {
		case s.command != "":
			// One may bring an input, which has its id.
			if done != 1 || first > 1 || h.ended[s.id] != yes {
				w.fail("%s: command %s has %d answers; its input has %d, and ended %d times", session, s.id, done, first, h.ended[s.id])
			}
			continue
		case yes > 1 || yes == 1 && rejected > 0 && !s.again && s.copies == 1 && !s.retried && repeats == 0 && s.due.IsZero():
			w.fail("%s: input %s has %d answers, %d of them accept it", session, s.id, first, yes)
		case h.ended[s.id] != yes:
			w.fail("%s: input %s was accepted %d times and ended %d times", session, s.id, yes, h.ended[s.id])
		}
		if yes == 1 && s.due.IsZero() {
			published = append(published, s.id)
		}
		if yes == 1 && when[s.id].Before(s.due) {
			w.fail("%s: input %s was due at %s and accepted at %s", session, s.id, s.due, when[s.id])
		}
	}
	for id := range h.answers {
		if find(w.sent[session], id) == nil {
			w.fail("%s: %s was answered and never published", session, id)
		}
	}
	order = slices.DeleteFunc(order, func(id string) bool { return !slices.Contains(published, id) })
	if !slices.Equal(order, published) {
		w.fail("%s: published %v, accepted in the order %v", session, published, order)
	}
}

// checkCalls: an executor is called for runs that stand in the log only (PROTOCOL 3, 12), unless
// the call is pure.
func (w *world) checkCalls() {
	for _, c := range w.calls {
		if c.pure {
			continue
		}
		if h := w.history[c.session]; h == nil || !h.staged[c.run] {
			w.fail("%s: run %s (fence %d) was executed and stands in no commit", c.session, c.run, c.fence)
		}
	}
}

// checkFx: fx holds exactly the published events of the log, sequences from 1 without a
// gap, one content to an id; their first copies are in order (PROTOCOL 32).
func (w *world) checkFx() {
	type copy struct{ id, name, data string }
	published := map[string]map[uint64]copy{}
	for shard := range w.ns.Shards() {
		err := w.read(w.ns.FxStream(shard), func(m *jetstream.RawStreamMsg) error {
			ev, err := subjects.Decode(m.Header, m.Data)
			if err != nil {
				return err
			}
			text, _ := ev.Extensions()[subjects.ExtSequence].(string)
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				return fmt.Errorf("%s: sequence %q", m.Subject, text)
			}
			c := copy{ev.ID(), subjects.Tail(m.Subject), string(ev.Data())}
			of := published[ev.Subject()]
			if of == nil {
				of = map[uint64]copy{}
				published[ev.Subject()] = of
			}
			if was, ok := of[n]; ok && was != c {
				w.fail("fx of %s: sequence %d is %v and %v", ev.Subject(), n, was, c)
			}
			of[n] = c
			return nil
		})
		if err != nil {
			w.fail("fx: %v", err)
		}
	}
	for session, h := range w.history {
		next := uint64(1)
		for _, c := range h.commits {
			for _, f := range c.events {
				if f.Sequence == "" {
					continue
				}
				if f.Sequence != strconv.FormatUint(next, 10) {
					w.fail("log of %s: sequence %s where %d is due", session, f.Sequence, next)
				}
				if got, ok := published[session][next]; !ok {
					w.fail("fx of %s: sequence %d (%s) is missing", session, next, f.Name)
				} else if want := (copy{f.ID, f.Name, string(f.Data)}); got != want {
					w.fail("fx of %s: sequence %d is %v, the log has %v", session, next, got, want)
				}
				next++
			}
		}
		if n := uint64(len(published[session])); n > next-1 {
			w.fail("fx of %s: %d sequences, the log has %d", session, n, next-1)
		}
	}
	for session := range published {
		if w.history[session] == nil {
			w.fail("fx of %s: it has no log", session)
		}
	}
}

// read reads a whole stream.
func (w *world) read(stream string, f func(*jetstream.RawStreamMsg) error) error {
	s, err := w.js.Stream(w.t.Context(), stream)
	if err != nil {
		return err
	}
	state := s.CachedInfo().State
	for seq := state.FirstSeq; seq <= state.LastSeq && state.Msgs > 0; seq++ {
		m, err := s.GetMsg(w.t.Context(), seq)
		if err == nil {
			err = f(m)
		}
		if err != nil {
			return fmt.Errorf("%s at %d: %w", stream, seq, err)
		}
	}
	return nil
}

// tally counts answers and claims, to see that a seed was worth its time.
func (w *world) tally() (answers map[string]int, claims int) {
	answers = map[string]int{}
	for _, h := range w.history {
		fences := map[uint64]bool{}
		for _, c := range h.commits {
			fences[c.fence] = true
		}
		claims += len(fences)
		for _, all := range h.answers {
			for _, f := range all {
				answers[f.Name]++
			}
		}
		for _, n := range h.ended {
			answers["InputCompleted"] += n
		}
	}
	for _, r := range w.replies {
		switch {
		case r.none:
			answers["unanswered queries"]++
		case r.code != "":
			answers["queries: "+r.code]++
		default:
			answers["queries"]++
		}
	}
	return answers, claims
}
