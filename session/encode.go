package session

import "strconv"

// The delta of a commit is encoded by hand: every commit has one, and its payloads are
// JSON already, which a general encoder would parse again. A test holds the result equal
// to what the JSON library reads.

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

func (d *delta) append(b []byte) []byte {
	o := object{b: append(b, '{')}
	if !d.Created.IsZero() {
		o.text("created", stamp(d.Created))
	}
	o.optional("epoch", d.Epoch)
	if d.EpochOver {
		o.raw("epoch_over", []byte("true"))
	}
	o.optional("mob", d.Mob)
	o.list("admit", len(d.Admit), func(b []byte, i int) []byte { return d.Admit[i].append(b) })
	if len(d.Seen) > 0 {
		o.raw("seen", mustJSON(d.Seen))
	}
	o.list("end", len(d.End), func(b []byte, i int) []byte {
		e := object{b: append(b, '{')}
		e.text("key", d.End[i].Key)
		e.text("id", d.End[i].ID)
		e.text("at", d.End[i].At)
		if len(d.End[i].Blobs) > 0 {
			e.raw("blobs", mustJSON(d.End[i].Blobs))
		}
		return append(e.b, '}')
	})
	o.list("ended", len(d.Ended), func(b []byte, i int) []byte { return appendString(b, d.Ended[i]) })
	o.list("forget", len(d.Forget), func(b []byte, i int) []byte { return appendString(b, d.Forget[i]) })
	o.list("receipts", len(d.Receipts), func(b []byte, i int) []byte { return d.Receipts[i].append(b) })
	if d.Run != nil {
		o.name("run")
		r := object{b: append(o.b, '{')}
		r.text("run_id", d.Run.RunID)
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
	if len(d.Arm) > 0 {
		o.raw("arm", mustJSON(d.Arm))
	}
	if d.Met {
		o.raw("met", []byte("true"))
	}
	if len(d.Wait) > 0 {
		o.raw("wait", mustJSON(d.Wait))
	}
	o.list("waited", len(d.Waited), func(b []byte, i int) []byte { return appendString(b, d.Waited[i]) })
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

func (e *entry) append(b []byte) []byte {
	o := object{b: append(b, '{')}
	o.text("id", e.ID)
	o.text("key", e.Key)
	o.text("event", e.Event)
	o.text("type", e.Type)
	o.text("kind", e.Kind.String())
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
	o.optional("idempotency", e.Idempotency)
	o.optional("supersession", e.Supersession)
	o.optional("correlation", e.Correlation)
	o.optional("traceparent", e.TraceParent)
	o.optional("tracestate", e.TraceState)
	o.text("boundary", e.Boundary.String())
	o.text("execution", e.Execution.String())
	if intent, ok := e.Intent.Get(); ok {
		o.text("intent", intent.String())
	}
	if mode, ok := e.HandlingMode.Get(); ok {
		o.text("handling_mode", mode.String())
	}
	o.text("lane", e.Lane.String())
	o.text("at", stamp(e.At))
	return append(o.b, '}')
}

// handmade is the data of events that every input has. It is encoded by hand as well.
type handmade interface{ appendTo(o *object) }

// appendData appends data as JSON. It cannot fail, as [mustJSON] cannot.
func appendData(b []byte, data any) []byte {
	p, ok := data.(handmade)
	if !ok {
		return append(b, mustJSON(data)...)
	}
	o := object{b: append(b, '{')}
	p.appendTo(&o)
	return append(o.b, '}')
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
