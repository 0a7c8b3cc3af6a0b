package simulation

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// chronicle is a session's log as it was read while it grew, so that what is trimmed
// later is known too.
type chronicle struct {
	commits []commit
	answers map[string][]fact // by the event that was answered: its input id or command
	ended   map[string]int
	staged  map[string]bool // run ids
}

// commit is one message of a session's log.
type commit struct {
	seq, number, fence, prev uint64
	cursor                   uint64 // the last message of the mailbox that it has taken
	id, worker               string
	events                   []fact
	at                       time.Time
}

// fact is one public event of a commit.
type fact struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Sequence string          `json:"sequence"`
	Cause    string          `json:"causationid"`
	Data     json.RawMessage `json:"data"`
	Name     string          `json:"-"`
	At       time.Time       `json:"-"`
	Fields   struct {
		InputID   string          `json:"input_id"`
		Existing  string          `json:"existing_input_id"`
		RunID     string          `json:"run_id"`
		Outcome   string          `json:"terminal_outcome"`
		Reason    string          `json:"reason"`
		Command   string          `json:"command"`
		Result    json.RawMessage `json:"result"`
		ResultRef string          `json:"result_ref"`
		Code      string          `json:"code"`
		Guard     string          `json:"guard"`
		Runtime   string          `json:"agent_runtime_id"`
		Fence     uint64          `json:"fence_token"`
	} `json:"-"`
}

// follow reads all logs as they grow.
func (w *world) follow() (stop func()) {
	var all []jetstream.ConsumeContext
	for shard := range w.ns.Shards() {
		cons, err := w.js.OrderedConsumer(w.t.Context(), w.ns.LogStream(shard), jetstream.OrderedConsumerConfig{MaxResetAttempts: -1})
		if err != nil {
			w.t.Fatal(err)
		}
		c, err := cons.Consume(func(m jetstream.Msg) {
			if err := w.add(m); err != nil {
				w.fail("log: %v", err)
			}
		})
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, c)
	}
	return func() {
		for _, c := range all {
			c.Stop()
			<-c.Closed()
		}
	}
}

func (w *world) add(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	session := subjects.Tail(m.Subject())
	c := commit{seq: meta.Sequence.Stream, id: m.Headers().Get(subjects.HeaderCommitID), at: meta.Timestamp}
	for name, into := range map[string]*uint64{
		subjects.HeaderCommit: &c.number, subjects.HeaderFence: &c.fence, subjects.HeaderPrev: &c.prev,
	} {
		if *into, err = strconv.ParseUint(m.Headers().Get(name), 10, 64); err != nil {
			return fmt.Errorf("%s at %d: %s: %w", session, c.seq, name, err)
		}
	}
	_, rest, _ := strings.Cut(c.id, ":")
	c.worker, _, _ = strings.Cut(rest, ":")
	var body struct {
		Events  []fact `json:"events"`
		DataRef string `json:"dataref"`
		Record  struct {
			Cursor uint64 `json:"cursor"`
		} `json:"record"`
	}
	if err := json.Unmarshal(m.Data(), &body); err != nil {
		return fmt.Errorf("%s at %d: %w", session, c.seq, err)
	}
	if body.DataRef != "" {
		return fmt.Errorf("%s at %d: a commit too large for a message", session, c.seq)
	}
	c.cursor = body.Record.Cursor
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.history[session]
	if h == nil {
		h = &chronicle{answers: map[string][]fact{}, ended: map[string]int{}, staged: map[string]bool{}}
		w.history[session] = h
	}
	if n := len(h.commits); n > 0 && h.commits[n-1].seq >= c.seq {
		return nil // the consumer was set up anew
	}
	for _, f := range body.Events {
		f.Name, _ = subjects.EventName(f.Type)
		f.At = c.at
		_ = json.Unmarshal(f.Data, &f.Fields) // an effect may use a name for another thing
		switch f.Name {
		case "InputAccepted", "InputRejected", "InputDeduplicated":
			h.answers[f.Fields.InputID] = append(h.answers[f.Fields.InputID], f)
		case "CommandApplied", "CommandRejected":
			h.answers[f.Cause] = append(h.answers[f.Cause], f)
		case "InputCompleted":
			h.ended[f.Fields.InputID]++
		case "InputStaged":
			h.staged[f.Fields.RunID] = true
		}
		c.events = append(c.events, f)
	}
	h.commits = append(h.commits, c)
	return nil
}

// owners are the owner keys that stand.
func (w *world) owners() (all []kv.Owner, err error) {
	bucket, err := w.js.KeyValue(w.t.Context(), w.ns.OwnersBucket())
	if err != nil {
		return nil, err
	}
	keys, err := bucket.ListKeys(w.t.Context())
	if err != nil {
		return nil, err
	}
	for key := range keys.Keys() {
		e, err := bucket.Get(w.t.Context(), key)
		if err != nil {
			continue // released meanwhile
		}
		all = append(all, kv.Owner{Session: key, Incarnation: kv.Incarnation(e.Value()), Fence: e.Revision()})
	}
	return all, nil
}
