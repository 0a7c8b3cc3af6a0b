package simulation

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// plan is all that a seed decides beforehand: the fleet, its settings, the faults, what
// happens to the workers and what is published. Each seed takes another selection, since
// some faults hide others.
type plan struct {
	seed      uint64
	trouble   time.Duration // how long there are faults
	shards    int
	workers   int
	settings  subjects.Settings
	tune      tuning
	faults    faults
	blows     []blow
	scripts   []script
	restarts  []restart // of the server
	questions []question
	calm      bool // no faults; one worker leaves and comes again: then nothing may wait long
}

// restart is the server stopped, and started on the same disk.
type restart struct{ at, over time.Duration }

// tuning are the worker's settings.
type tuning struct {
	Lease         kv.LeaseConfig
	Ping          time.Duration
	Hibernate     time.Duration
	SnapshotEvery uint64
	SnapshotBytes int
	FeedHorizon   uint64
	Retain        int
	BlobGrace     time.Duration
	MaxExecutions uint64
	Detector      bool
	Capacity      int
	RunTime       time.Duration // of executor calls, at most
}

// blow is what happens to a worker.
type blow struct {
	at     time.Duration
	worker int
	kind   blowKind
	// over is how long it is hung, or until it is started again.
	over time.Duration
}

type blowKind string

const (
	crash  blowKind = "crash"  // the process dies; the server sees its connection close
	vanish blowKind = "vanish" // the host dies; the server hears nothing
	hang   blowKind = "hang"   // nothing comes through in either direction, then all of it
	cut    blowKind = "cut"    // the connection breaks
	leave  blowKind = "leave"  // it is told to leave, and started again
)

// script is what one producer publishes to one session, one after the other.
type script struct {
	session string
	steps   []step
}

// step is one event.
type step struct {
	wait    time.Duration // before it
	id      string
	command string        // "" for a prompt
	text    string        // the prompt's data
	stored  bool          // they are in the object store, and the event refers to them
	image   string        // a blob that the data name
	swell   int           // how much its run puts out, on top
	dawdle  time.Duration // from when its blobs are stored until it is published
	relies  bool          // on what it stored before for another event
	control bool          // on the control subject
	steer   bool
	bare    bool          // without a message id
	again   bool          // the event of an earlier step, once more
	pure    bool          // its run has no effects but its result
	route   *route        // by a mob; the text is then what an ingest brings
	after   time.Duration // deliverat, from the moment of publication
}

// forgetful is a session that remembers fewer inputs than are published to it, and takes an
// event that is repeated later than that for a new one.
const forgetful = 100

// shortestGrace is the least of [tuning.BlobGrace].
const shortestGrace = 5 * time.Second

func newPlan(seed uint64, trouble time.Duration) *plan {
	r := rand.New(rand.NewPCG(seed, 2))
	p := &plan{seed: seed, trouble: trouble, shards: 1 + r.IntN(2), workers: 2 + r.IntN(3)}
	p.settings = subjects.Settings{Storage: pick(r, jetstream.MemoryStorage, jetstream.MemoryStorage, jetstream.FileStorage)}
	if r.IntN(5) == 0 {
		p.settings.MailboxLimit = int64(4 + r.IntN(20))
	}
	if r.IntN(3) == 0 {
		p.settings.Duplicates = time.Second // repeats reach the ledger
	}
	if r.IntN(4) == 0 {
		p.settings.Published = subjects.PublishAll
	}
	p.tune = tuning{
		Ping:          pick(r, 2*time.Second, 2*time.Second, 20*time.Second),
		Hibernate:     pick(r, 50*time.Millisecond, 500*time.Millisecond, 3*time.Second, 20*time.Second),
		SnapshotEvery: pick[uint64](r, 2, 5, 20, 1024),
		FeedHorizon:   pick[uint64](r, 4, 4096, 4096),
		Retain:        pick(r, pick(r, 1, 3), 100, 1000, 1000),
		BlobGrace:     pick(r, shortestGrace, 20*time.Second, time.Minute),
		MaxExecutions: pick[uint64](r, 1, 3, 3),
		Detector:      r.IntN(3) > 0,
		Capacity:      pick(r, 0, 0, 2),
		RunTime:       pick(r, time.Millisecond, 100*time.Millisecond, time.Second),
	}
	if p.tune.Capacity > 0 {
		p.tune.Capacity = 2 + r.IntN(3)
	}
	if p.tune.Retain < forgetful {
		p.settings.Duplicates = 0 // the default: the session knows no repeats for long
	}
	p.faults = newFaults(r)
	p.blows = newBlows(r, p)
	if p.calm = seed%10 == 0; p.calm {
		p.faults, p.tune.Capacity, p.settings.MailboxLimit = faults{}, 0, 0
		p.blows = slices.DeleteFunc(p.blows, func(b blow) bool { return b.kind != leave || b.worker > 0 })
	}
	for i := range 2 + r.IntN(5) {
		p.scripts = append(p.scripts, newScript(r, p, i))
	}
	if p.settings.Storage == jetstream.FileStorage && !p.calm {
		for range r.IntN(3) {
			p.restarts = append(p.restarts, restart{randomTime(r, p.trouble), randomTime(r, pick(r, time.Second, 20*time.Second))})
		}
		slices.SortFunc(p.restarts, func(a, b restart) int { return cmp.Compare(a.at, b.at) })
	}
	if len(p.restarts) > 0 {
		// Who reads the logs comes back with the fleet, which commits ten times meanwhile: it
		// must not be overtaken by the trimming.
		p.tune.FeedHorizon = max(p.tune.FeedHorizon, 20)
	}
	purify(p)
	enroll(r, p)
	p.questions = newQuestions(r, p)
	return p
}

// purify makes the runs of some inputs pure, in a third of the seeds: they take no time, and
// are over in the commit that stages them. In another third, large commits hasten snapshots.
func purify(p *plan) {
	r := rand.New(rand.NewPCG(p.seed, 3)) // all else of the plan is what it would be without
	p.tune.SnapshotBytes = pick(r, 20<<10, 0, 0)
	share := pick(r, 0, 0, 0, 0, 0.3, 1)
	pure := map[string]bool{}
	for _, s := range p.scripts {
		for i := range s.steps {
			st := &s.steps[i]
			if st.command != "" {
				continue
			}
			if _, known := pure[st.id]; !known {
				pure[st.id] = r.Float64() < share
			}
			if st.pure = pure[st.id]; st.pure {
				st.text = delayed.ReplaceAllString(st.text, `"delay":"0s"`)
			}
		}
	}
}

var delayed = regexp.MustCompile(`"delay":"[^"]*"`)

func newFaults(r *rand.Rand) faults {
	f := faults{rate: map[class]float64{}, late: pick(r, time.Second, 6*time.Second, 40*time.Second)}
	for _, k := range []what{lose, delay, twice, stall, cutBefore, cutBehind} {
		if w := r.IntN(4); w > 0 {
			f.kinds = append(f.kinds, weighted{k, w})
		}
	}
	if len(f.kinds) == 0 {
		f.kinds = []weighted{{lose, 1}}
	}
	classes := []class{other, "watch", "delivery"}
	for _, c := range bySubject {
		if !slices.Contains(classes, c.class) {
			classes = append(classes, c.class, c.class+"-answer")
		}
	}
	for _, c := range classes {
		rate := pick(r, 0, 0, 0.01, 0.05, 0.15, 0.3)
		switch c {
		case "lease", "lease-answer", "probe", "probe-answer", "pull", "pull-answer", other:
			rate /= 10 // there are many of them
		}
		f.rate[c] = rate
	}
	return f
}

func newBlows(r *rand.Rand, p *plan) []blow {
	var all []blow
	every := pick(r, p.trouble, p.trouble/4, p.trouble/12)
	kinds := []blowKind{crash, crash, vanish, hang, hang, cut, leave}
	for at := randomTime(r, every); at < p.trouble; at += randomTime(r, 2*every) {
		b := blow{at: at, worker: r.IntN(p.workers), kind: pick(r, kinds...)}
		switch b.kind {
		case hang:
			b.over = pick(r, time.Second, 8*time.Second, 25*time.Second, 50*time.Second)
		case crash, vanish, leave:
			b.over = randomTime(r, 10*time.Second)
		}
		all = append(all, b)
	}
	return all
}

func newScript(r *rand.Rand, p *plan, i int) script {
	s := script{session: fmt.Sprintf("s%d", i)}
	pace := pick(r, 20*time.Millisecond, 500*time.Millisecond, 4*time.Second, p.trouble/6)
	odd := pick(r, 0, 0.1, 0.4)          // how much of it is no plain prompt
	blobs := pick(r, 0, 0, 0.1, 0.4)     // how many have to do with the object store
	forgets := p.tune.Retain < forgetful // what was published comes once only
	if forgets {
		blobs = 0.6 // much is let go, and named again
	}
	n := 3 + r.IntN(25)
	var at time.Duration
	for len(s.steps) < n && at < p.trouble {
		st := step{wait: randomTime(r, 2*pace), id: fmt.Sprintf("%s-%d", s.session, len(s.steps))}
		at += st.wait
		run := randomTime(r, p.tune.RunTime)
		st.text = fmt.Sprintf(`{"text":"%d","echo":{"delay":"%s"}}`, len(s.steps), run)
		if r.Float64() < odd {
			switch r.IntN(12) {
			case 0:
				st.text = fmt.Sprintf(`{"text":"x","echo":{"delay":"%s","fail":%d}}`, run, 1+r.IntN(4))
			case 1:
				st.text = `{"text":"x","echo":{"panic":1}}`
			case 2:
				st.text = `{"text":"x","echo":{"cancel":true}}`
			case 3:
				st.steer = true
			case 4:
				if forgets {
					break
				}
				st.after = randomTime(r, pick(r, time.Second, p.trouble/2))
			case 5, 6:
				if len(s.steps) > 0 && !forgets {
					st = s.steps[r.IntN(len(s.steps))]
					st.wait, st.again, st.bare = randomTime(r, pace), true, r.IntN(2) == 0
				}
			case 7:
				st.command = pick(r, "interrupt", "cancel_after_boundary", "recycle", "recover", "reset")
				st.control = r.IntN(2) == 0
			case 8:
				if len(s.steps) > n/2 && r.IntN(3) == 0 {
					st.command = pick(r, "retire", "stop_runtime_executor", "destroy", "unregister_session")
				}
			case 9, 10:
				st.command = pick(r, "pause", "pause", "resume")
				st.control = r.IntN(2) == 0
			case 11:
				if len(s.steps) > n/2 {
					st.command = pick(r, "unregister_session", "register_session", "ensure_session_with_executor")
				}
			}
		}
		if st.command == "" && !st.again && r.Float64() < blobs {
			p.enlarge(r, &st, s.session)
		}
		s.steps = append(s.steps, st)
	}
	if blobs > 0 && r.IntN(4) == 0 { // while there is much to let go
		s.steps = append(s.steps, step{wait: randomTime(r, pace), id: s.session + "-end", command: "destroy", control: r.IntN(2) == 0})
	}
	return s
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func randomTime(r *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(r.Int64N(int64(most) + 1)).Round(time.Millisecond)
}
