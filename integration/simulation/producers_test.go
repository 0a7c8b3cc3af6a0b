package simulation

import (
	"context"
	"fmt"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// sent is an event that a producer holds a receipt for.
type sent struct {
	step
	copies int // that were acknowledged
	// retried: a try was not acknowledged. It may be stored all the same, and one outside
	// the duplicates window beside the next.
	retried bool
	due     time.Time // zero if at once
	at      time.Time // when the first was acknowledged
	// late is how long after its blobs were stored it was acknowledged.
	late time.Duration
}

// admittedWithin is how soon an event must be acknowledged once the trouble is over: its
// mailbox may be full, and its session's owner dead (see settledWithin), then paused until it
// is relieved, and busy with what was there before.
const admittedWithin = 3 * time.Minute

// produce plays one script.
func (w *world) produce(s script) {
	p := w.producer("p-" + s.session)
	defer p.close()
	for _, st := range s.steps {
		time.Sleep(st.wait)
		if !p.publish(s.session, st) {
			return
		}
	}
}

// producer is a party that publishes: each event until it is acknowledged, then the next.
type producer struct {
	w      *world
	nc     *nats.Conn
	js     jetstream.JetStream
	events map[string]event.Event
	stored map[string]time.Time // when it began to store which blob
}

func (w *world) producer(name string) *producer {
	nc := w.connect(context.Background(), name, w.net.link(name), 2*time.Second)
	js, err := jetstream.New(nc)
	if err != nil {
		panic(fmt.Sprintf("simulation: %v", err))
	}
	return &producer{w: w, nc: nc, js: js, events: map[string]event.Event{}, stored: map[string]time.Time{}}
}

func (p *producer) close() { p.nc.Close() }

// publish reports whether the event was acknowledged.
func (p *producer) publish(session string, st step) bool {
	w := p.w
	rec := sent{step: st}
	since := time.Now()
	ev, known := p.events[st.id]
	if !known {
		ev, rec.due = st.event()
		p.events[st.id] = ev
		since = p.put(session, st)
	}
	subject := w.ns.In(session)
	if st.control && st.command != "" {
		subject = w.ns.Ctl(session)
	}
	msg, err := subjects.EncodeBinary(ev, subject)
	if err != nil {
		w.fail("producer: %v", err)
		return false
	}
	if !st.bare {
		msg.Header.Set(nats.MsgIdHdr, subjects.MsgID(session, ev))
	}
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		_, err := p.js.PublishMsg(ctx, msg, jetstream.WithRetryAttempts(0))
		cancel()
		if err == nil {
			break
		}
		w.log.Debug("publication not acknowledged", "event", st.id, "error", err)
		rec.retried = true
		if time.Since(maxTime(since, w.began.Add(w.plan.trouble))) > admittedWithin {
			w.fail("%s: event %s is still not acknowledged: %v", session, st.id, err)
			return false
		}
		time.Sleep(300 * time.Millisecond)
	}
	rec.late, rec.at = time.Since(since), time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.sent[session]
	if was := find(of, st.id); was != nil {
		was.copies++
		was.retried = was.retried || rec.retried
	} else {
		rec.copies = 1
		w.sent[session] = append(of, &rec)
	}
	return true
}

func find(all []*sent, id string) *sent {
	for _, s := range all {
		if s.id == id {
			return s
		}
	}
	return nil
}

func (st *step) event() (event.Event, time.Time) {
	ev := event.New()
	ev.SetID(st.id)
	ev.SetSource("/simulation")
	ev.SetType(subjects.InputType("prompt"))
	data := st.text
	if st.command != "" {
		ev.SetType(subjects.CommandType(st.command))
		data = "{}"
		if st.command == "stop_runtime_executor" {
			data = `{"reason":"enough"}`
		}
		if st.route != nil {
			data = st.route.address(&ev, st)
		}
	}
	if st.steer {
		ev.SetExtension(subjects.ExtLane, "steer")
	}
	var due time.Time
	if st.after > 0 && st.command == "" {
		due = time.Now().Add(st.after).UTC()
		ev.SetExtension(subjects.ExtDeliverAt, due.Format(time.RFC3339Nano))
	}
	if st.stored {
		ev.SetDataContentType(event.ApplicationJSON)
		ev.SetExtension(subjects.ExtDataRef, kv.Ref([]byte(data)))
		return ev, due
	}
	if err := ev.SetData(event.ApplicationJSON, []byte(data)); err != nil {
		panic(fmt.Sprintf("simulation: %v", err))
	}
	return ev, due
}
