package session

import (
	"cmp"
	"slices"
	"time"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// ledger is what a session keeps beside the kernel's state: payloads of inputs that have
// not ended, the dedupe horizon, the counters of publication. It changes only by deltas
// that stand in commits, so folding the log rebuilds it.
type ledger struct {
	// Created is when the session's first commit was made.
	Created time.Time `json:"created"`
	// Epoch names this life of the session's operations (chapter 01, registration 3).
	Epoch string `json:"epoch,omitzero"`
	// Mob is the mob whose binding the session carries, "" if none.
	Mob string `json:"mob,omitzero"`
	// Sequence is the sequence of the last event for fx: gap-free, from 1.
	Sequence uint64 `json:"sequence"`
	// Sent counts the outgoing messages (fx events and mob signals) so far.
	Sent uint64 `json:"sent"`
	// Live are the accepted inputs that have not ended, by id.
	Live map[string]*entry `json:"live,omitzero"`
	// Seen answers repeated events (PROTOCOL 26): event key to what became of it.
	Seen map[string]seen `json:"seen,omitzero"`
	// Ended are the events of Seen that may be forgotten, oldest first.
	Ended []string `json:"ended,omitzero"`
	// Run counts the executions of the run in progress.
	Run *execution `json:"run,omitzero"`
	// Receipts are those of the latest boundaries, oldest first.
	Receipts []*Receipt `json:"receipts,omitzero"`
	// Hold keeps the session from starting runs.
	Hold *hold `json:"hold,omitzero"`
	// Retiring is a retire command that waits for the run in progress.
	Retiring *waitingCommand `json:"retiring,omitzero"`
	// Waiting are the other commands that are answered later, oldest first. Whether one waited
	// and was answered within a commit makes no difference in a snapshot.
	Waiting []waitingCommand `json:"waiting,omitempty"`
	// Met says that an input or command has been heeded: the session is not just the trace
	// of a refused one.
	Met bool `json:"met,omitzero"`
	// Acted are the answers to the actions of the run in progress.
	Acted map[string]answered `json:"acted,omitzero"`
	// Asked are our requests to peers that have no answer yet, Owed those of peers that we
	// have not answered, by request id; Streams are the reserved interaction streams.
	Asked   map[string]asked     `json:"asked,omitzero"`
	Owed    map[string]owed      `json:"owed,omitzero"`
	Streams map[string]time.Time `json:"streams,omitzero"`
	// Alarm is the timer set for the earliest deadline of those.
	Alarm *alarm `json:"alarm,omitzero"`

	// weight is what Live takes, about; actedBytes what Acted does.
	weight     int
	actedBytes int

	Operations operations `json:"operations,omitzero"`
	// Deferred is the system context of a session that is staged and not yet built.
	Deferred []ContextAppend `json:"deferred,omitzero"`
	// Operator is what the session may do to mobs, nil if nothing.
	Operator *kernel.RestoreMobOperatorAuthority `json:"operator,omitzero"`
	// Blobs are what remembered events refer to, by reference.
	Blobs map[string]held `json:"blobs,omitzero"`
	// Dropped are the blobs that nothing refers to any more and that are not known to be
	// deleted, oldest first.
	Dropped []kv.Blob `json:"dropped,omitzero"`
}

// seen is one remembered event.
type seen struct {
	// ID is the id of the input or command.
	ID          string `json:"id"`
	Idempotency string `json:"idempotency,omitzero"`
	Command     bool   `json:"command,omitzero"`
	// At is where the terminal outcome stands in the feed, once there is one.
	At string `json:"at,omitzero"`
	// Blobs are what it refers to, and what its result is.
	Blobs []kv.Blob `json:"blobs,omitzero"`
}

type execution struct {
	RunID string `json:"run_id"`
	// Count is how often an executor was called for this run.
	Count uint64 `json:"count"`
}

// waitingCommand is a command that was taken but can be applied only later.
type waitingCommand struct {
	Command     string `json:"command"`
	Event       string `json:"event"`
	Key         string `json:"key,omitzero"` // of the event: its id is its source's alone
	Correlation string `json:"correlation,omitzero"`
	Mob         string `json:"mob,omitzero"`     // that sent it
	Action      string `json:"action,omitzero"`  // of an executor, if it is one
	Cause       string `json:"cause,omitzero"`   // what it follows from, if not its own event
	Request     string `json:"request,omitzero"` // what it waits for
}

// id tells it from others that wait. Actions have no key, but an event of their own, and
// logs of earlier releases have none at all.
func (w *waitingCommand) id() string { return cmp.Or(w.Key, w.Event) }

// waited takes those with an id off a list.
func waited(list []waitingCommand, id string) []waitingCommand {
	return slices.DeleteFunc(list, func(w waitingCommand) bool { return w.id() == id })
}

// delta is how one commit changes the ledger.
type delta struct {
	Created    time.Time         `json:"created,omitzero"`
	Epoch      string            `json:"epoch,omitzero"`
	EpochOver  bool              `json:"epoch_over,omitzero"`
	Mob        string            `json:"mob,omitzero"`
	Admit      []*entry          `json:"admit,omitzero"`
	Seen       []seenKey         `json:"seen,omitzero"`
	End        []ended           `json:"end,omitzero"`
	Ended      []string          `json:"ended,omitzero"`
	Forget     []string          `json:"forget,omitzero"`
	Receipts   []*Receipt        `json:"receipts,omitzero"`
	Run        *execution        `json:"run,omitzero"`
	Retiring   *waitingCommand   `json:"retiring,omitzero"`
	Hold       *hold             `json:"hold,omitzero"`
	Resumed    bool              `json:"resumed,omitzero"`
	RunOver    bool              `json:"run_over,omitzero"`
	Retired    bool              `json:"retired,omitzero"`
	Arm        []timer           `json:"arm,omitzero"`
	Met        bool              `json:"met,omitzero"`
	Wait       []waitingCommand  `json:"wait,omitzero"`
	Waited     []string          `json:"waited,omitzero"` // ids of those that are answered
	Acted      []actedKey        `json:"acted,omitzero"`
	Peers      []peerChange      `json:"peers,omitzero"`
	Post       []parcel          `json:"post,omitzero"`
	Alarm      *alarm            `json:"alarm,omitzero"`
	Rung       bool              `json:"rung,omitzero"`
	Operations []operationChange `json:"operations,omitzero"`
	// DeferredGone comes before Deferred, which adds, or changes the content of a key.
	DeferredGone bool                                `json:"deferred_gone,omitzero"`
	Deferred     []ContextAppend                     `json:"deferred,omitzero"`
	OperatorGone bool                                `json:"operator_gone,omitzero"`
	Operator     *kernel.RestoreMobOperatorAuthority `json:"operator,omitzero"`
	// DropAll lets all blobs go, Drop some that nothing refers to; Deleted counts those of
	// the dropped that are gone, from the first.
	DropAll  bool      `json:"drop_all,omitzero"`
	Drop     []kv.Blob `json:"drop,omitzero"`
	Deleted  int       `json:"deleted,omitzero"`
	Sequence uint64    `json:"sequence"`
	Sent     uint64    `json:"sent"`
}

type seenKey struct {
	Key  string `json:"key"`
	What seen   `json:"what"`
}

// ended is an input that has reached its terminal outcome.
type ended struct {
	Key string `json:"key"`
	ID  string `json:"id"`
	At  string `json:"at"`
	// Blobs holds its result, if that is too large for an event.
	Blobs []kv.Blob `json:"blobs,omitzero"`
}

func newLedger() ledger {
	return ledger{Live: map[string]*entry{}, Seen: map[string]seen{}}
}

// apply brings the ledger to what it is after the commit that carries d. It must be
// deterministic: the owner applies each delta as it is made, the next owner when it
// folds the log.
func (l *ledger) apply(d *delta) {
	if !d.Created.IsZero() {
		l.Created = d.Created
	}
	if d.EpochOver {
		l.Epoch = ""
	}
	if d.Epoch != "" {
		l.Epoch = d.Epoch
	}
	if d.Mob != "" {
		l.Mob = d.Mob
	}
	for _, e := range d.Admit {
		l.Live[e.ID] = e
		l.weight += e.weight()
		l.Seen[e.Key] = seen{ID: e.ID, Idempotency: e.Idempotency, Blobs: e.Blobs}
		l.hold(e.Blobs)
	}
	for _, s := range d.Seen {
		l.hold(s.What.Blobs)
		l.Seen[s.Key] = s.What
	}
	for _, e := range d.End {
		if was := l.Live[e.ID]; was != nil {
			l.weight -= was.weight()
			delete(l.Live, e.ID)
		}
		if s, ok := l.Seen[e.Key]; ok {
			s.At = e.At
			s.Blobs = append(slices.Clip(s.Blobs), e.Blobs...)
			l.hold(e.Blobs)
			l.Seen[e.Key] = s
		}
	}
	l.keep(d.Receipts)
	l.Ended = append(l.Ended, d.Ended...)
	// All go before some do: a session is destroyed, and then forgets.
	if d.DropAll {
		l.dropAll()
	}
	l.Dropped = append(l.Dropped, d.Drop...)
	for _, key := range d.Forget {
		l.letGo(l.Seen[key].Blobs)
		delete(l.Seen, key)
	}
	// What is forgotten is always the oldest.
	l.Ended = l.Ended[len(d.Forget):]
	l.Dropped = l.Dropped[d.Deleted:]
	if d.RunOver {
		l.Run, l.Acted, l.actedBytes = nil, nil, 0
	}
	if d.Run != nil {
		l.Run = d.Run
	}
	if d.Resumed {
		l.Hold = nil
	}
	if d.Hold != nil {
		l.Hold = d.Hold
	}
	if d.Retired {
		l.Retiring = nil
	}
	if d.Retiring != nil {
		l.Retiring = d.Retiring
	}
	l.Met = l.Met || d.Met
	// Of those that wait and are answered within one commit nothing is left in Wait, and an id
	// may come again once its first command is answered and forgotten.
	for _, id := range d.Waited {
		l.Waiting = waited(l.Waiting, id)
	}
	l.Waiting = append(l.Waiting, d.Wait...)
	for _, a := range d.Acted {
		put(&l.Acted, a.ID, a.Answer)
		l.actedBytes += a.size()
	}
	if d.Rung {
		l.Alarm = nil
	}
	if d.Alarm != nil {
		l.Alarm = d.Alarm
	}
	for i := range d.Peers {
		l.applyPeers(&d.Peers[i])
	}
	for i := range d.Operations {
		l.Operations.apply(&d.Operations[i])
	}
	if d.DeferredGone {
		l.Deferred = nil
	}
	for _, a := range d.Deferred {
		if i := slices.IndexFunc(l.Deferred, func(b ContextAppend) bool { return b.Key == a.Key }); i >= 0 {
			l.Deferred[i] = a
		} else {
			l.Deferred = append(l.Deferred, a)
		}
	}
	if d.OperatorGone {
		l.Operator = nil
	}
	if d.Operator != nil {
		l.Operator = d.Operator
	}
	l.Sequence, l.Sent = d.Sequence, d.Sent
}

// put puts into a map that may not be made yet.
func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// stateVersion is the version of [state].
const stateVersion = 1

// state is a snapshot: everything a session is at one commit.
type state struct {
	Version int `json:"v"`
	// Cursor is the stream sequence of the last mailbox message the state contains.
	Cursor uint64 `json:"cursor"`
	// Fence is the fence of the commit.
	Fence uint64 `json:"fence"`
	// Confirmed is how many outgoing messages are known to be published.
	Confirmed uint64 `json:"confirmed"`
	// Unsent are those behind Confirmed, in order.
	Unsent []outgoing `json:"unsent,omitzero"`
	Ledger ledger     `json:"ledger"`
	// Kernel is the machine's state in its compact form.
	Kernel []byte `json:"kernel"`
	// Trimming says how far the log may be trimmed.
	Trimming trimming `json:"trimming,omitzero"`
}

// lanes is the physical order of the queued inputs (chapter 02, 6.7). The kernel's
// order tokens are the truth; this is their sorted reading, kept up to date as inputs
// come and go and read anew after anything unusual.
type lanes struct {
	queue, steer []string
	stale        bool
}

func (l *lanes) push(lane kernel.InputLane, id string) {
	if lane == kernel.InputLaneSteer {
		l.steer = append(l.steer, id)
	} else {
		l.queue = append(l.queue, id)
	}
}

// take removes the first n inputs of a lane.
func (l *lanes) take(lane kernel.InputLane, n int) {
	if lane == kernel.InputLaneSteer {
		l.steer = l.steer[n:]
	} else {
		l.queue = l.queue[n:]
	}
}

func (l *lanes) empty() bool { return len(l.queue) == 0 && len(l.steer) == 0 }

// refresh reads the lanes from the kernel's facts.
func (l *lanes) refresh(s *kernel.State) {
	l.queue, l.steer, l.stale = l.queue[:0:0], l.steer[:0:0], false
	var ids []string
	for id := range s.InputLane.All() {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		x, okX := s.InputAdmissionSeq.Lookup(a)
		y, okY := s.InputAdmissionSeq.Lookup(b)
		switch {
		case okX != okY && okX:
			return -1
		case okX != okY:
			return 1
		case x < y, x == y && a < b:
			return -1
		default:
			return 1
		}
	})
	for _, id := range ids {
		l.push(s.InputLane.At(id), id)
	}
}
