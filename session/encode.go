package session

import (
	"strconv"
	"time"

	"github.com/kalahari-run/kalahari/kernel"
)

// The delta of a commit is encoded by hand: every commit has one, and its payloads are
// JSON already, which a general encoder would parse again. A test holds the result equal
// to what the JSON library reads. Ids are written as their numbers in the record's table.

// object writes the members of a JSON object, with a comma where one belongs.
type object struct {
	b     []byte
	begun bool
}

func (o *object) name(name string) {
	if o.begun {
		o.b = append(o.b, ',')
	}
	o.begun = true
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, `":`...)
}

func (o *object) text(name, value string) {
	o.name(name)
	o.b = appendString(o.b, value)
}

// id writes a text that repeats within a record. Outside of records there are no ids.
func (o *object) id(name, value string, ids *kernel.IDs) {
	if ids == nil {
		o.text(name, value)
		return
	}
	o.name(name)
	o.b = ids.Append(o.b, value)
}

func (o *object) optional(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) uint(name string, value uint64) {
	o.name(name)
	o.b = strconv.AppendUint(o.b, value, 10)
}

func (o *object) raw(name string, value []byte) {
	o.name(name)
	o.b = append(o.b, value...)
}

// list writes an array of n elements.
func (o *object) list(name string, n int, element func([]byte, int) []byte) {
	if n == 0 {
		return
	}
	o.name(name)
	o.b = append(o.b, '[')
	for i := range n {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = element(o.b, i)
	}
	o.b = append(o.b, ']')
}

// append appends the delta of a commit that is made now.
func (d *delta) append(b []byte, ids *kernel.IDs, now time.Time) []byte {
	o := object{b: append(b, '{')}
	if !d.Created.IsZero() {
		o.text("created", stamp(d.Created))
	}
	o.optional("epoch", d.Epoch)
	if d.EpochOver {
		o.raw("epoch_over", []byte("true"))
	}
	o.optional("mob", d.Mob)
	o.list("admit", len(d.Admit), func(b []byte, i int) []byte { return d.Admit[i].append(b, ids, now) })
	if len(d.Seen) > 0 {
		o.raw("seen", mustJSON(d.Seen))
	}
	o.list("end", len(d.End), func(b []byte, i int) []byte {
		e := object{b: append(b, '{')}
		e.id("key", d.End[i].Key, ids)
		e.id("id", d.End[i].ID, ids)
		e.text("at", d.End[i].At)
		if len(d.End[i].Blobs) > 0 {
			e.raw("blobs", mustJSON(d.End[i].Blobs))
		}
		return append(e.b, '}')
	})
	o.list("ended", len(d.Ended), func(b []byte, i int) []byte { return ids.Append(b, d.Ended[i]) })
	o.list("forget", len(d.Forget), func(b []byte, i int) []byte { return ids.Append(b, d.Forget[i]) })
	o.list("receipts", len(d.Receipts), func(b []byte, i int) []byte { return d.Receipts[i].append(b, ids) })
	if d.Run != nil {
		o.name("run")
		r := object{b: append(o.b, '{')}
		r.id("run_id", d.Run.RunID, ids)
		r.uint("count", d.Run.Count)
		o.b = append(r.b, '}')
	}
	if d.Retiring != nil {
		o.raw("retiring", mustJSON(d.Retiring))
	}
	if d.Hold != nil {
		o.raw("hold", mustJSON(d.Hold))
	}
	if d.Resumed {
		o.raw("resumed", []byte("true"))
	}
	if d.RunOver {
		o.raw("run_over", []byte("true"))
	}
	if d.Retired {
		o.raw("retired", []byte("true"))
	}
	o.list("arm", len(d.Arm), func(b []byte, i int) []byte {
		e := object{b: append(b, '{')}
		e.uint("n", d.Arm[i].Ordinal)
		e.text("id", d.Arm[i].ID)
		e.text("at", stamp(d.Arm[i].At))
		e.raw("event", d.Arm[i].Event)
		return append(e.b, '}')
	})
	if d.Met {
		o.raw("met", []byte("true"))
	}
	if len(d.Wait) > 0 {
		o.raw("wait", mustJSON(d.Wait))
	}
	o.list("waited", len(d.Waited), func(b []byte, i int) []byte { return ids.Append(b, d.Waited[i]) })
	if len(d.Acted) > 0 {
		o.raw("acted", mustJSON(d.Acted))
	}
	if d.Alarm != nil {
		o.raw("alarm", mustJSON(d.Alarm))
	}
	if d.Rung {
		o.raw("rung", []byte("true"))
	}
	if len(d.Peers) > 0 {
		o.raw("peers", mustJSON(d.Peers))
	}
	if len(d.Operations) > 0 {
		o.raw("operations", mustJSON(d.Operations))
	}
	if len(d.Post) > 0 {
		o.raw("post", mustJSON(d.Post))
	}
	if d.DeferredGone {
		o.raw("deferred_gone", []byte("true"))
	}
	if len(d.Deferred) > 0 {
		o.raw("deferred", mustJSON(d.Deferred))
	}
	if d.OperatorGone {
		o.raw("operator_gone", []byte("true"))
	}
	if d.Operator != nil {
		o.raw("operator", mustJSON(d.Operator))
	}
	if d.DropAll {
		o.raw("drop_all", []byte("true"))
	}
	if len(d.Drop) > 0 {
		o.raw("drop", mustJSON(d.Drop))
	}
	if d.Deleted > 0 {
		o.uint("deleted", uint64(d.Deleted))
	}
	o.uint("sequence", d.Sequence)
	o.uint("sent", d.Sent)
	return append(o.b, '}')
}

// append leaves out what is usual: the first variant of an enum, the time of the commit.
func (e *entry) append(b []byte, ids *kernel.IDs, now time.Time) []byte {
	o := object{b: append(b, '{')}
	o.id("id", e.ID, ids)
	o.id("key", e.Key, ids)
	o.id("event", e.Event, ids)
	o.text("type", e.Type)
	if e.Kind != 0 {
		o.text("kind", e.Kind.String())
	}
	if len(e.Data) > 0 {
		o.raw("data", e.Data)
	}
	o.optional("dataref", e.DataRef)
	if len(e.Blobs) > 0 {
		o.raw("blobs", mustJSON(e.Blobs))
	}
	if e.ContextOnly {
		o.raw("context_only", []byte("true"))
	}
	if e.IsText {
		o.raw("is_text", []byte("true"))
	}
	if e.Idempotency != "" {
		o.id("idempotency", e.Idempotency, ids)
	}
	o.optional("supersession", e.Supersession)
	o.optional("correlation", e.Correlation)
	o.optional("traceparent", e.TraceParent)
	o.optional("tracestate", e.TraceState)
	if e.Boundary != 0 {
		o.text("boundary", e.Boundary.String())
	}
	if e.Execution != 0 {
		o.text("execution", e.Execution.String())
	}
	if intent, ok := e.Intent.Get(); ok {
		o.text("intent", intent.String())
	}
	if mode, ok := e.HandlingMode.Get(); ok {
		o.text("handling_mode", mode.String())
	}
	if e.Lane != 0 {
		o.text("lane", e.Lane.String())
	}
	if !e.At.Equal(now) {
		o.text("at", stamp(e.At))
	}
	return append(o.b, '}')
}

// handmade is the data of events that every input has. It is encoded by hand as well.
type handmade interface{ appendTo(o *object) }

// write writes the data of an event as JSON. It cannot fail, as [mustJSON] cannot.
func (g *page) write(data any) []byte {
	p, ok := data.(handmade)
	if !ok {
		g.data = append(g.data[:0], mustJSON(data)...)
		return g.data
	}
	g.object = object{b: append(g.data[:0], '{')}
	p.appendTo(&g.object)
	g.data, g.object.b = append(g.object.b, '}'), nil
	return g.data
}

func (d inputAccepted) appendTo(o *object) {
	o.text("input_id", d.InputID)
	o.text("lane", d.Lane)
	o.text("plan", d.Plan)
}

func (d inputStaged) appendTo(o *object) {
	o.text("input_id", d.InputID)
	o.text("run_id", d.RunID)
	o.uint("attempt", d.Attempt)
}

func (d inputApplied) appendTo(o *object) {
	o.text("input_id", d.InputID)
	o.text("run_id", d.RunID)
	o.uint("boundary_sequence", d.BoundarySequence)
}

func (d inputCompleted) appendTo(o *object) {
	o.text("input_id", d.InputID)
	o.optional("run_id", d.RunID)
	o.text("terminal_outcome", d.TerminalOutcome)
	o.optional("reason", d.Reason)
	if d.Result != nil {
		o.raw("result", d.Result)
	}
	o.optional("result_ref", d.ResultRef)
}

func (d runOutput) appendTo(o *object) {
	o.text("run_id", d.RunID)
	if d.Content != nil {
		o.raw("content", d.Content)
	}
	o.optional("content_ref", d.ContentRef)
	if d.Usage != nil {
		o.raw("usage", mustJSON(d.Usage))
	}
}
