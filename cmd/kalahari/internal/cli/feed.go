package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// commit is one message of a session's feed.
type commit struct {
	Session  string    `json:"session"`
	Commit   uint64    `json:"commit"`
	Sequence uint64    `json:"log_sequence"`
	Fence    uint64    `json:"fence"`
	Time     time.Time `json:"time"`
	// Events as they stand in the feed.
	Events []jsontext.Value `json:"events"`
}

// feed follows the commits of one session, or of all.
type feed struct {
	commits   chan commit
	errs      chan error
	consuming []jetstream.ConsumeContext
}

// follow starts a feed: from is where in the log, and what comes before the call returns
// but after it is asked for is not missed. session "" is all of them.
func (f *conn) follow(ctx context.Context, session string, from jetstream.DeliverPolicy) (*feed, error) {
	out := &feed{commits: make(chan commit, 256), errs: make(chan error, 1)}
	shards := []int{}
	if session != "" {
		shards = append(shards, f.ns.Shard(session))
	} else {
		for shard := range f.ns.Shards() {
			shards = append(shards, shard)
		}
	}
	for _, shard := range shards {
		filter := f.ns.LogShard(shard)
		if session != "" {
			filter = f.ns.Log(session)
		}
		c, err := f.js.OrderedConsumer(ctx, f.ns.LogStream(shard), jetstream.OrderedConsumerConfig{
			FilterSubjects: []string{filter}, DeliverPolicy: from,
		})
		if err == nil {
			var consume jetstream.ConsumeContext
			consume, err = c.Consume(func(m jetstream.Msg) { out.take(ctx, f, m) }, jetstream.PullMaxMessages(256))
			if err == nil {
				out.consuming = append(out.consuming, consume)
			}
		}
		if err != nil {
			out.close()
			return nil, fmt.Errorf("feed of shard %d: %w", shard, err)
		}
	}
	return out, nil
}

func (d *feed) close() {
	for _, c := range d.consuming {
		c.Stop()
	}
}

// next is the next commit.
func (d *feed) next(ctx context.Context) (commit, error) {
	select {
	case c := <-d.commits:
		return c, nil
	case err := <-d.errs:
		return commit{}, err
	case <-ctx.Done():
		return commit{}, ctx.Err()
	}
}

func (d *feed) take(ctx context.Context, f *conn, m jetstream.Msg) {
	c, err := f.read(ctx, m)
	if err != nil {
		select {
		case d.errs <- err:
		default:
		}
		return
	}
	select {
	case d.commits <- c:
	case <-ctx.Done():
	}
}

func (f *conn) read(ctx context.Context, m jetstream.Msg) (commit, error) {
	meta, err := m.Metadata()
	if err != nil {
		return commit{}, err
	}
	_, _, session, err := f.ns.ParseSession(m.Subject())
	if err != nil {
		return commit{}, err
	}
	c := commit{Session: session, Sequence: meta.Sequence.Stream, Time: meta.Timestamp}
	for name, into := range map[string]*uint64{subjects.HeaderCommit: &c.Commit, subjects.HeaderFence: &c.Fence} {
		if *into, err = strconv.ParseUint(m.Headers().Get(name), 10, 64); err != nil {
			return c, fmt.Errorf("log message %d: header %s: %w", c.Sequence, name, err)
		}
	}
	var body struct {
		Events  []jsontext.Value `json:"events"`
		DataRef string           `json:"dataref"`
	}
	err = json.Unmarshal(m.Data(), &body)
	if err == nil && body.DataRef != "" {
		var store *kv.Store
		var data []byte
		if store, err = kv.Open(ctx, f.js, f.ns); err == nil {
			if data, err = store.Blobs.Body(ctx, session, body.DataRef); err == nil {
				err = json.Unmarshal(data, &body)
			}
		}
	}
	if err != nil {
		return c, fmt.Errorf("commit %d of session %s: %w", c.Commit, session, err)
	}
	c.Events = body.Events
	if c.Events == nil {
		c.Events = []jsontext.Value{}
	}
	return c, nil
}

// named is an event with its PascalCase name.
type named struct {
	event.Event
	name string
	raw  jsontext.Value
}

func (c commit) named() ([]named, error) {
	evs := make([]named, 0, len(c.Events))
	for _, raw := range c.Events {
		ev, err := subjects.DecodeJSON(raw)
		if err != nil {
			return nil, fmt.Errorf("commit %d of session %s: %w", c.Commit, c.Session, err)
		}
		name, _ := subjects.EventName(ev.Type())
		evs = append(evs, named{ev, name, raw})
	}
	return evs, nil
}
