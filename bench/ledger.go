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

	mu       sync.Mutex
	sessions []sessionLedger
	ended    int
	latency  []time.Duration
	last     time.Time // when the last one ended

	duplicates, violations, failed int
}

type sessionLedger struct {
	published []time.Time
	done      []bool
	next      int    // the input expected to end next
	sequence  uint64 // of the last outcome
}

func newLedger(run string, sessions, warm, inputs int) *ledger {
	l := &ledger{run: run, inputs: warm + inputs, measured: warm, sessions: make([]sessionLedger, sessions)}
	for i := range l.sessions {
		l.sessions[i] = sessionLedger{published: make([]time.Time, l.inputs), done: make([]bool, l.inputs)}
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
	ok = err1 == nil && err2 == nil && session >= 0 && session < len(l.sessions) && n >= 0 && n < l.inputs
	return session, n, ok
}

// publish notes when an input was sent, or due.
func (l *ledger) publish(session, n int, at time.Time) {
	l.mu.Lock()
	l.sessions[session].published[n] = at
	l.mu.Unlock()
}

// end notes an outcome and tells whether it is the input's first. sequence orders the
// outcomes of a session, whatever order they are received in.
func (l *ledger) end(id string, sequence uint64, completed bool, at time.Time) bool {
	session, n, ok := l.parse(id)
	if !ok {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.sessions[session]
	if s.done[n] {
		l.duplicates++
		return false
	}
	s.done[n] = true
	if n < s.next || sequence <= s.sequence {
		l.violations++
	}
	s.next, s.sequence = max(s.next, n+1), max(s.sequence, sequence)
	if !completed {
		l.failed++
	}
	l.ended++
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

// missing is how many inputs have not.
func (l *ledger) missing() int { return len(l.sessions)*l.inputs - l.progress() }

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
	l.mu.Lock()
	defer l.mu.Unlock()
	slices.Sort(l.latency)
	r.Inputs = len(l.sessions) * (l.inputs - l.measured)
	r.Missing = len(l.sessions)*l.inputs - l.ended
	r.Duplicates, r.OrderViolations, r.NotCompleted = l.duplicates, l.violations, l.failed
	if n := len(l.latency); n > 0 {
		r.Seconds = round(l.last.Sub(start).Seconds(), 4)
		r.InputsPerS = round(float64(n)/l.last.Sub(start).Seconds(), 1)
		r.P50MS, r.P95MS, r.P99MS = ms(percentile(l.latency, 50)), ms(percentile(l.latency, 95)), ms(percentile(l.latency, 99))
		r.MaxMS = ms(l.latency[n-1])
	}
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
