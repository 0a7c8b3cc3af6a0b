package session

import (
	"time"

	"github.com/go-json-experiment/json"
)

// encode writes a snapshot. What was said to the session, and what it says, stands in it byte
// for byte, as it does in the log. The JSON library writes values anew: an executor that checks
// a signature over an event's data would find others after a recovery, and a reader of fx
// another content under the same id.
func (st *state) encode() ([]byte, error) {
	rest := st.Ledger
	rest.Live = nil
	ledger, err := json.Marshal(&rest) // an object that is not empty
	if err != nil {
		return nil, err
	}
	o := object{b: append(make([]byte, 0, len(ledger)+st.Ledger.weight+2*len(st.Kernel)), '{')}
	o.uint("v", uint64(st.Version))
	o.uint("cursor", st.Cursor)
	o.uint("fence", st.Fence)
	o.uint("confirmed", st.Confirmed)
	o.list("unsent", len(st.Unsent), func(b []byte, i int) []byte { return st.Unsent[i].append(b) })
	o.name("ledger")
	o.b = append(o.b, `{"live":{`...)
	comma := ""
	for id, e := range st.Ledger.Live {
		o.b = append(appendString(append(o.b, comma...), id), ':')
		o.b = e.append(o.b, nil, time.Time{})
		comma = ","
	}
	o.b = append(append(o.b, "},"...), ledger[1:]...)
	o.raw("kernel", mustJSON(st.Kernel))
	o.raw("trimming", mustJSON(st.Trimming))
	return append(o.b, '}'), nil
}

// append appends a message that is not confirmed.
func (o *outgoing) append(b []byte) []byte {
	w := object{b: append(b, '{')}
	w.uint("n", o.Ordinal)
	w.optional("mob", o.Mob)
	w.optional("to", o.To)
	w.optional("returned", o.Returned)
	w.text("name", o.Name)
	w.text("id", o.ID)
	if o.Sequence != 0 {
		w.uint("sequence", o.Sequence)
	}
	w.text("type", o.Type)
	w.text("time", o.Time)
	w.uint("fence", o.Fence)
	w.optional("cause", o.Cause)
	w.optional("correlation", o.Correlation)
	w.optional("traceparent", o.TraceParent)
	w.optional("tracestate", o.TraceState)
	w.raw("data", o.Data)
	w.optional("schedule", o.Schedule)
	return append(w.b, '}')
}
