package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// Session is one session owned by this worker. Make one with [New] after the owner key
// was won, and call Run.
type Session struct {
	env *Env
	id  string
	// source is the CloudEvents source of what the session publishes.
	source string
	owner  kv.Owner
	fence  atomic.Uint64 // owner.Fence, for others to read
	busy   atomic.Int64  // see BusySince
	log    *slog.Logger

	// The state, rebuilt from the log and ahead of it by at most one commit.
	kernel   *kernel.Kernel
	ledger   ledger
	lanes    lanes
	cursor   uint64 // stream sequence of the last mailbox message in the state
	through  uint64 // that of a command which a full session goes on to
	writer   *journal.Writer
	snapshot kv.Snapshot // the last one known stored; Revision guards the next (PROTOCOL 20)
	tail     int         // bytes of the commits behind it
	// snapshotSize is that of the last snapshot in bytes.
	snapshotSize int
	outbox       *outbox
	unsent       []outgoing // of earlier owners, to be published once the claim is stored

	next        pending
	edited      delta     // what change is at work on; a local one would be an allocation each
	taking      *nats.Msg // the message being taken
	injected    uint64    // the watermark whose completions were told of last
	wake        bool      // the run loop has reason to look for work
	batchLane   kernel.InputLane
	run         *running
	interrupted *finished // a run of an earlier owner that is not tried again
	retrying    bool
	retryAt     time.Time
	draining    bool
	failure     error

	intake  *intake
	callers map[string][]caller // who wait for the answers to their actions
	results chan *finished
	asks    chan func()
	over    chan struct{}
	up      chan struct{} // closed when the session serves, or never will
	rise    sync.Once

	// What a session waits for, see await.
	stirred chan struct{} // something has come, or one of the next two is set
	leaving atomic.Bool
	doubted atomic.Bool // the owner key may have changed hands
	timer   *time.Timer
	idleAt  time.Time // when it will have been idle for long enough
	lookAt  time.Time // when a full one looks for a command next, at the earliest
	quiet   bool      // it has been idle for long enough
	hasTurn bool      // it is its turn to leave

	fresh bool            // see BelieveNew
	life  context.Context // of Run: what the session waits for ends with it
	sweep *sweep          // deletes the blobs that were let go

	spared    spared    // of those
	published time.Time // when the last mailbox message in the log was

	consumed   consumed
	sincePurge int // mailbox messages taken since
	// snapshotAgain is the commit from which another snapshot is tried, after one was not taken.
	snapshotAgain uint64
	trimming      trimming
}

// End is why a session left its worker.
type End string

const (
	// Released: the session owed nothing; its key is gone.
	Released End = "released"
	// Lost: another worker owns the session.
	Lost End = "lost"
	// HandedOver: the worker leaves; the key stands, for another worker to take over.
	HandedOver End = "handed over"
	// Quarantined: the log cannot be folded. The key stands, so that nobody goes on from
	// a wrong state; an operator has to look.
	Quarantined End = "quarantined"
)

// New returns the session of the given owner key, which names this worker.
func New(env *Env, owner kv.Owner) *Session {
	s := &Session{
		env: env, id: owner.Session, source: env.Namespace.Source(owner.Session), owner: owner,
		log:     env.Logger.With("session", owner.Session, "fence", owner.Fence),
		results: make(chan *finished, 1), asks: make(chan func()), over: make(chan struct{}), up: make(chan struct{}),
		stirred: make(chan struct{}, 1), timer: time.NewTimer(env.HibernateAfter),
	}
	s.fence.Store(owner.Fence)
	s.outbox = newOutbox(env.Sender, env.Namespace, s.id, env.Telemetry)
	return s
}

// BelieveNew tells the session, before Run, that nobody owned it when its key was won. If it
// has no snapshot either, its log is believed to be empty and is not read; if that is wrong,
// the claim commit is refused and the log is read after all (PROTOCOL 10).
func (s *Session) BelieveNew() { s.fresh = true }

// ID is the session's id.
func (s *Session) ID() string { return s.id }

// Fence is the fence token under which this worker owns the session.
func (s *Session) Fence() uint64 { return s.fence.Load() }

// Up is closed once the session has been recovered and reads its mailbox, or has ended.
// Whoever brings sessions to life waits for it, so that not too many are recovered at once:
// each takes a dozen round trips, and a server that is asked for thousands at a time answers
// none of them in time (PROTOCOL 19).
func (s *Session) Up() <-chan struct{} { return s.up }

func (s *Session) isUp() { s.rise.Do(func() { close(s.up) }) }

// Cursor is the stream sequence of the last mailbox message in the log. It may be asked
// once Run has returned.
func (s *Session) Cursor() uint64 { return s.cursor }

// now is the time for all that a session keeps. It is in UTC, as it is read back from the log,
// so that a snapshot says the same in the same words.
func (s *Session) now() time.Time { return s.env.Now().UTC() }

// Drain makes the session leave: no new run starts, the one in progress may end. Run
// returns when nothing is owed (Released) or when its context ends (HandedOver).
func (s *Session) Drain() {
	s.leaving.Store(true)
	s.Nudge()
}

// Doubt tells the session that the owner key may name somebody else (PROTOCOL 14).
func (s *Session) Doubt() {
	s.doubted.Store(true)
	s.Nudge()
}

// Nudge makes the session look for work: the hold of the namespace may be over.
func (s *Session) Nudge() { stir(s.stirred) }

// Run hosts the session until it leaves this worker, and says why. The error, if any,
// says more; it is nil for Released.
func (s *Session) Run(ctx context.Context) (End, error) {
	defer s.leave()
	s.life = ctx
	for attempt := 0; ; attempt++ {
		end, err := s.own(ctx)
		// A session spends its life between two rounds, and the runtime takes back what of a
		// stack is not used: so it waits here, with little on it.
		for end == "" && err == nil {
			end, err = s.round(ctx, s.await(ctx))
		}
		s.leaveMailbox(end)
		if end == "" {
			end, err = s.startOver(ctx, err, attempt)
		}
		if end != "" {
			return end, err
		}
	}
}

// startOver lets the state go after an error and waits a little, unless the session is over.
func (s *Session) startOver(ctx context.Context, why error, attempt int) (End, error) {
	if end, err := s.verdict(ctx, why); end != "" {
		return end, err
	}
	// The log went on without us, or session and kernel disagreed. If the key still names us:
	// fold anew and claim again (PROTOCOL 5).
	level := slog.LevelWarn
	if errors.Is(why, errAgain) || s.fresh && errors.Is(why, journal.ErrMoved) {
		level = slog.LevelDebug
	}
	s.log.Log(ctx, level, "session gives up its state", "error", why)
	s.fresh = false
	s.forgetState()
	if end, err := s.stillMine(ctx); end != "" {
		return end, err
	}
	if !sleep(ctx, min(10*time.Millisecond<<min(attempt, 8), 2*time.Second)) {
		return HandedOver, ctx.Err()
	}
	return "", nil
}

// stillMine asks the leader whether the owner key still names this worker at this fence.
func (s *Session) stillMine(ctx context.Context) (End, error) {
	for try := 0; ; try++ {
		owner, err := s.env.Store.Owners.Read(ctx, s.id)
		switch {
		case errors.Is(err, kv.ErrNotOwned):
			return Lost, nil
		case err == nil && (owner.Fence != s.owner.Fence || owner.Incarnation != s.owner.Incarnation):
			return Lost, nil
		case err == nil:
			return "", nil
		}
		if !sleep(ctx, min(50*time.Millisecond<<min(try, 6), 2*time.Second)) {
			return HandedOver, ctx.Err()
		}
	}
}

// contain makes an error of a panic: one session that cannot go on must not take a worker's
// others with it, and after them those of every worker that takes it over.
func contain(err *error) {
	if p := recover(); p != nil {
		*err = &panicError{p, debug.Stack()}
	}
}

// own claims the log and opens the mailbox.
func (s *Session) own(ctx context.Context) (end End, err error) {
	defer contain(&err)
	s.failure = nil
	s.stay()
	if err := s.recover(ctx); err != nil {
		return "", err
	}
	s.begin()
	s.firstSteps()
	again := s.resume()
	s.next.claim = true
	opening := s.openAside(ctx)
	defer opening.end()
	if again {
		// The claim counts an execution, and hands the run out. A mailbox that cannot be opened
		// would use all of them up, and the run fail with no worker lost.
		if err := opening.ready(); err != nil {
			return "", err
		}
	}
	if err := s.commit(ctx, kindClaim); err != nil {
		return "", err
	}
	// Otherwise a stalled claimant could go on behind a newer owner (PROTOCOL 10).
	if end, err := s.stillMine(ctx); end != "" {
		return end, err
	}
	if s.snapshot.Revision == 0 {
		// An earlier owner may have been lost right behind the first commit.
		s.enlist(ctx)
	}
	if s.intake, err = opening.take(); err != nil {
		return "", err
	}
	s.begin()
	s.isUp()
	return "", nil
}

// leaveMailbox closes what is open of the intake.
func (s *Session) leaveMailbox(end End) {
	if s.intake == nil {
		return
	}
	s.intake.close()
	if end != HandedOver { // then all sessions leave together, and their consumers with the inbox
		s.intake.remove()
	}
	s.intake = nil
}

// verdict tells the errors that end a session from those after which it tries again.
func (s *Session) verdict(ctx context.Context, err error) (End, error) {
	switch {
	case ctx.Err() != nil:
		return HandedOver, ctx.Err()
	case errors.Is(err, journal.ErrBroken), errors.As(err, new(*panicError)):
		s.env.Telemetry.Quarantined()
		s.log.ErrorContext(ctx, "session quarantined", "error", err)
		return Quarantined, err
	case errors.Is(err, errFenced):
		return Lost, err
	}
	return "", err
}

// firstSteps: a new session notes when it was made. Its machine comes to life with the
// first event that needs it, so that a staged session stays what it is.
func (s *Session) firstSteps() {
	if s.writer.Position().Number == 0 {
		s.change(func(d *delta) { d.Created = s.next.now })
	}
	s.findAlarm()
	// A new owner looks at what is queued, as attaching an executor does.
	s.wake = true
}

// enlist makes the session known to the directory, beside its work: the directory is for
// people and lists, nothing depends on it.
func (s *Session) enlist(ctx context.Context) {
	entry := kv.SessionEntry{Session: s.id, CreatedAt: s.ledger.Created}
	go func() {
		if err := s.env.Store.Directory.Put(ctx, entry); err != nil {
			s.log.WarnContext(ctx, "session not enlisted", "error", err)
		}
	}()
}

// fail makes the session give up its state and fold the log anew.
func (s *Session) fail(err error) {
	if s.failure == nil {
		s.failure = err
	}
}

// forgetState stops everything that followed from the state.
func (s *Session) forgetState() {
	if r := s.run; r != nil {
		r.cancel(errLetGo)
		s.run = nil
	}
	// What the executor still reports belongs to a state that is gone.
	s.results = make(chan *finished, 1)
	s.stopSweep()
	s.outbox.close()
	s.outbox = newOutbox(s.env.Sender, s.env.Namespace, s.id, s.env.Telemetry)
	s.kernel, s.interrupted, s.retrying, s.callers = nil, nil, false, nil
}

func (s *Session) leave() {
	s.isUp()
	close(s.over)
	if r := s.run; r != nil {
		r.cancel(errLetGo)
	}
	s.stopSweep()
	s.outbox.close()
}

// hasWork reports whether the session would start a run by itself, now or later. One that
// is paused would not: its resume command wakes it wherever it is.
func (s *Session) hasWork() bool {
	return s.full() || s.retrying || s.ledger.Retiring != nil || s.ledger.Hold == nil && s.waiting() > 0
}

// owesNothing reports whether the session may let its key go (PROTOCOL 15): no run, no
// work it would start by itself, everything confirmed published.
func (s *Session) owesNothing() bool {
	if s.full() || s.run != nil || s.retrying || s.ledger.Retiring != nil || s.kernel.State().CurrentRunID.IsSome() {
		return false
	}
	if (s.draining || s.env.Held() != nil) && s.hasWork() {
		// Nobody would run it before the next input came: the end of the namespace's hold
		// wakes only sessions that are in memory.
		return false
	}
	if s.spares() || s.sweeping() != nil {
		return false // nobody would delete them
	}
	select {
	case <-s.outbox.drained():
		return true
	default:
		return false
	}
}

// Ask runs f between two commits, in the session's own goroutine.
func (s *Session) Ask(ctx context.Context, f func(*View)) error {
	done := make(chan struct{})
	ask := func() {
		f(&View{s})
		close(done)
	}
	select {
	case s.asks <- ask:
		select {
		case <-done:
			return nil
		case <-s.over: // it had no end
		}
		return fmt.Errorf("session %s: %w", s.id, ErrGone)
	case <-s.over:
		return fmt.Errorf("session %s: %w", s.id, ErrGone)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ErrGone says that the session has left this worker.
var ErrGone = errors.New("the session has left this worker")

// panicError is a mistake of ours that one session has run into.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", e.value, e.stack) }

var errFenced = errors.New("a newer owner has written to the log")

func sortByOrder(entries []*entry, st *kernel.State) {
	slices.SortFunc(entries, func(a, b *entry) int {
		x, y := st.InputAdmissionSeq.At(a.ID), st.InputAdmissionSeq.At(b.ID)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		default:
			return 0
		}
	})
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
