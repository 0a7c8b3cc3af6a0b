package bench

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// ledger knows every input of a run: when it was published, and whether and how it ended.
type ledger struct {
	run      string // makes ids and session names those of this run
	inputs   int    // of each session
	measured int    // inputs before this one are warm-up
	acks     bool   // latency is that of acknowledgements

	mu       sync.Mutex
	sessions []sessionLedger
	ended    int
	latency  []time.Duration
	last     time.Time // when the last one ended

	duplicates, failed int
}

type sessionLedger struct {
	published []time.Time
	ended     []time.Time // zero while it has not
	endedAs   []uint64    // the sequence of its outcome
}

func newLedger(run string, sessions, warm, inputs int) *ledger {
	l := &ledger{run: run, inputs: warm + inputs, measured: warm, sessions: make([]sessionLedger, sessions)}
	for i := range l.sessions {
		l.sessions[i] = sessionLedger{published: make([]time.Time, l.inputs), ended: make([]time.Time, l.inputs), endedAs: make([]uint64, l.inputs)}
	}
	l.latency = make([]time.Duration, 0, sessions*inputs)
	return l
}

// session names the session of that number.
func (l *ledger) session(i int) string { return l.run + "-" + strconv.Itoa(i) }

// id names the n-th input of a session.
func (l *ledger) id(session, n int) string {
	return l.run + "-" + strconv.Itoa(session) + "-" + strconv.Itoa(n)
}

// parse reads an id back. Ids of other runs are not ok.
func (l *ledger) parse(id string) (session, n int, ok bool) {
	rest, ok := strings.CutPrefix(id, l.run+"-")
	if !ok {
		return 0, 0, false
	}
	a, b, ok := strings.Cut(rest, "-")
	if !ok {
		return 0, 0, false
	}
	session, err1 := strconv.Atoi(a)
	n, err2 := strconv.Atoi(b)
	ok = err1 == nil && err2 == nil && session >= 0 && session < len(l.sessions) && n >= 0
	return session, n, ok
}

// parseSession reads a session's name back.
func (l *ledger) parseSession(name string) (session int, ok bool) {
	rest, ok := strings.CutPrefix(name, l.run+"-")
	if !ok {
		return 0, false
	}
	session, err := strconv.Atoi(rest)
	return session, err == nil && session >= 0 && session < len(l.sessions)
}

// publish notes when an input was sent, or due.
func (l *ledger) publish(session, n int, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.sessions[session]
	for n >= len(s.published) { // a soak does not know how many there will be
		s.published, s.ended, s.endedAs = append(s.published, time.Time{}), append(s.ended, time.Time{}), append(s.endedAs, 0)
	}
	s.published[n] = at
}

// stored notes the acknowledgement of an input.
func (l *ledger) stored(id string, at time.Time) {
	session, n, ok := l.parse(id)
	if !ok || n < l.measured || !l.acks {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = at
	l.latency = append(l.latency, at.Sub(l.sessions[session].published[n]))
}

// end notes an outcome and tells whether it is the input's first. sequence orders the
// outcomes of a session, whatever order they are received in: what was published again
// may come behind its successors.
func (l *ledger) end(id string, sequence uint64, completed bool, at time.Time) bool {
	session, n, ok := l.parse(id)
	if !ok {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.sessions[session]
	if n >= len(s.ended) {
		return false // nothing of this run
	}
	if !s.ended[n].IsZero() {
		// What is published again has the sequence it had; another one is another outcome.
		if sequence != s.endedAs[n] {
			l.duplicates++
		}
		return false
	}
	s.ended[n], s.endedAs[n] = at, sequence
	if !completed {
		l.failed++
	}
	l.ended++
	if l.acks {
		return true
	}
	l.last = at
	if n >= l.measured {
		l.latency = append(l.latency, at.Sub(s.published[n]))
	}
	return true
}

// progress is how many inputs have ended.
func (l *ledger) progress() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// stalls are, for each of the sessions, the longest any of its inputs took that ended after
// since: how long the session stood still for who waited. Sorted.
func (l *ledger) stalls(sessions []int, since time.Time) []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []time.Duration
	for _, i := range sessions {
		s, longest := &l.sessions[i], time.Duration(0)
		for n, ended := range s.ended {
			if ended.After(since) {
				longest = max(longest, ended.Sub(s.published[n]))
			}
		}
		if longest > 0 {
			all = append(all, longest)
		}
	}
	slices.Sort(all)
	return all
}

// percentile is the smallest of the sorted values that p percent of them do not exceed.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// fill puts what the ledger knows into a report.
func (l *ledger) fill(r *Report, start time.Time) {
	l.promises(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.latency)
	if n := len(l.latency); n > 0 {
		r.Seconds = round(l.last.Sub(start).Seconds(), 4)
		r.InputsPerS = round(float64(n)/l.last.Sub(start).Seconds(), 1)
		r.P50MS, r.P95MS, r.P99MS = ms(percentile(l.latency, 50)), ms(percentile(l.latency, 95)), ms(percentile(l.latency, 99))
		r.MaxMS = ms(l.latency[n-1])
	}
}

// promises puts into a report what was published, and whether it ended once, in order and
// completed.
func (l *ledger) promises(r *Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Inputs, r.Missing, r.OrderViolations = 0, 0, 0
	for i := range l.sessions {
		s, last := &l.sessions[i], uint64(0)
		for n, ended := range s.ended {
			sent := !s.published[n].IsZero() // a run that is given up does not send all
			if sent && n >= l.measured {
				r.Inputs++
			}
			switch {
			case ended.IsZero() && sent:
				r.Missing++
			case ended.IsZero():
			case s.endedAs[n] <= last:
				r.OrderViolations++ // a later input has ended before
			default:
				last = s.endedAs[n]
			}
		}
	}
	r.Duplicates, r.NotCompleted = l.duplicates, l.failed
}

func ms(d time.Duration) float64 { return round(float64(d)/float64(time.Millisecond), 3) }

// round is for people who read figures: they mean nothing behind that many places.
func round(v float64, places int) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	f := math.Pow10(places)
	return math.Round(v*f) / f
}
