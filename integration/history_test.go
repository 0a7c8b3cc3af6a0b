//go:build unix

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// commit is one message of a session's log.
type commit struct {
	seq, number, fence, prev uint64
	id, worker               string
	at                       time.Time // by the server
	events                   []fact
}

// fact is one public event of a commit.
type fact struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Sequence string          `json:"sequence"`
	Cause    string          `json:"causationid"`
	Data     json.RawMessage `json:"data"`
	Name     string          `json:"-"`
	Fields   struct {
		InputID  string `json:"input_id"`
		Existing string `json:"existing_input_id"`
		Outcome  string `json:"terminal_outcome"`
		Reason   string `json:"reason"`
		Command  string `json:"command"`
		Kind     string `json:"kind"`
		Attempt  int    `json:"attempt"`
	} `json:"-"`
}

// history is the log of a namespace, as far as it was read.
type history struct {
	w        *world
	mu       sync.Mutex
	sessions map[string][]commit
	ended    int // InputCompleted in it
}

func (w *world) newHistory() *history { return &history{w: w, sessions: map[string][]commit{}} }

// follow reads the log as it grows, until the test ends. It is for waiting and for
// measuring; what is verified is read anew.
func (w *world) follow() *history {
	w.t.Helper()
	h := w.newHistory()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for shard := range w.ns.Shards() {
		all.Go(func() { h.tail(ctx, w.ns.LogStream(shard)) })
	}
	w.t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	return h
}

// tail reads a stream with one plain consumer after the other, each of which starts behind
// what the last has brought: there is nothing that can wait for a server that is gone.
func (h *history) tail(ctx context.Context, stream string) {
	next := uint64(1)
	for ctx.Err() == nil {
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		cons, err := h.w.js.CreateConsumer(attempt, stream, jetstream.ConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: next,
			AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, InactiveThreshold: 10 * time.Second, Replicas: 1,
		})
		cancel()
		for delivered := uint64(0); err == nil && ctx.Err() == nil; {
			err = h.fetch(cons, &delivered, &next)
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// fetch reads what there is, and waits a moment for more. It fails when the consumer is gone,
// or has left something out.
func (h *history) fetch(cons jetstream.Consumer, delivered, next *uint64) error {
	batch, err := cons.Fetch(1000, jetstream.FetchMaxWait(time.Second), jetstream.FetchHeartbeat(400*time.Millisecond))
	if err != nil {
		return err
	}
	for m := range batch.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if *delivered++; meta.Sequence.Consumer != *delivered {
			return fmt.Errorf("%s: delivery %d came where %d is due", meta.Stream, meta.Sequence.Consumer, *delivered)
		}
		*next = meta.Sequence.Stream + 1
		if err := h.add(m); err != nil {
			h.w.t.Error(err)
		}
	}
	return batch.Error()
}

// read reads a whole stream as it is now.
func (w *world) read(stream string, f func(jetstream.Msg) error) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	s, err := w.js.Stream(ctx, stream)
	if err != nil {
		return err
	}
	if s.CachedInfo().State.Msgs == 0 {
		return nil
	}
	cons, err := w.js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	iter, err := cons.Messages(jetstream.PullMaxMessages(2000))
	if err != nil {
		return err
	}
	defer iter.Stop()
	for {
		m, err := iter.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read %s: %w", stream, err)
		}
		if err := f(m); err != nil {
			return err
		}
		if meta, err := m.Metadata(); err != nil || meta.NumPending == 0 {
			return err
		}
	}
}

func (h *history) add(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	session := subjects.Tail(m.Subject())
	c := commit{seq: meta.Sequence.Stream, at: meta.Timestamp, id: m.Headers().Get(subjects.HeaderCommitID)}
	for name, into := range map[string]*uint64{
		subjects.HeaderCommit: &c.number, subjects.HeaderFence: &c.fence, subjects.HeaderPrev: &c.prev,
	} {
		if *into, err = strconv.ParseUint(m.Headers().Get(name), 10, 64); err != nil {
			return fmt.Errorf("log of %s at %d: %s: %w", session, c.seq, name, err)
		}
	}
	_, rest, _ := strings.Cut(c.id, ":")
	c.worker, _, _ = strings.Cut(rest, ":")
	var body struct {
		Events  []fact `json:"events"`
		DataRef string `json:"dataref"`
	}
	if err := json.Unmarshal(m.Data(), &body); err != nil {
		return fmt.Errorf("log of %s at %d: %w", session, c.seq, err)
	}
	if body.DataRef != "" {
		data, err := h.w.blob(session, body.DataRef)
		if err == nil {
			err = json.Unmarshal(data, &body)
		}
		if err != nil {
			return fmt.Errorf("log of %s at %d: %w", session, c.seq, err)
		}
	}
	ended := 0
	for i := range body.Events {
		f := &body.Events[i]
		f.Name, _ = subjects.EventName(f.Type)
		_ = json.Unmarshal(f.Data, &f.Fields) // an effect may use a name for another thing
		if f.Name == "InputCompleted" {
			ended++
		}
	}
	c.events = body.Events
	h.mu.Lock()
	defer h.mu.Unlock()
	if have := h.sessions[session]; len(have) > 0 && have[len(have)-1].seq >= c.seq {
		return nil // the consumer was set up anew
	}
	h.sessions[session] = append(h.sessions[session], c)
	h.ended += ended
	return nil
}

func (w *world) blob(session, ref string) ([]byte, error) {
	store, err := kv.Open(w.t.Context(), w.js, w.ns)
	if err != nil {
		return nil, err
	}
	return store.Blobs.Body(w.t.Context(), session, ref)
}

func (h *history) completed() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// commits copies what is known of a session.
func (h *history) commits(session string) []commit {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sessions[session])
}

// facts are the events of a session, in order.
func (h *history) facts(session string, names ...string) (all []fact) {
	for _, c := range h.commits(session) {
		for _, f := range c.events {
			if len(names) == 0 || slices.Contains(names, f.Name) {
				all = append(all, f)
			}
		}
	}
	return all
}

// owner is the worker that wrote a session's last commit.
func (h *history) owner(session string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.sessions[session]; len(c) > 0 {
		return c[len(c)-1].worker
	}
	return ""
}

// of tells whether an incarnation is one of p's.
func (p *process) of(incarnation string) bool {
	return p != nil && strings.HasPrefix(incarnation, p.name+"-")
}

// gaps are the times from a moment until each of the sessions has progressed under
// another owner than the process given, if any.
func (h *history) gaps(since time.Time, sessions []string, gone *process) (all []time.Duration, missing []string) {
	for _, s := range sessions {
		found := false
		for _, c := range h.commits(s) {
			if found = c.at.After(since) && !gone.of(c.worker); found {
				all = append(all, c.at.Sub(since))
				break
			}
		}
		if !found {
			missing = append(missing, s)
		}
	}
	slices.Sort(all)
	return all, missing
}
