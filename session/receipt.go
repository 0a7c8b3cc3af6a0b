package session

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// ReceiptsKept is how many boundary receipts a session can show, the latest ones.
const ReceiptsKept = 100

// Receipt is what a boundary of a run left behind (chapter 02, 6.10): that these inputs
// were applied, under which number, and to what end.
type Receipt struct {
	RunID string `json:"run_id"`
	// Sequence numbers the boundary within its run, from 0.
	Sequence uint64 `json:"sequence"`
	Boundary string `json:"boundary"`
	// ContributingInputIDs are in batch order.
	ContributingInputIDs []string `json:"contributing_input_ids"`
	// ConversationDigest is the SHA-256 of the conversation after the boundary, in hex, if
	// the executor keeps one and tells.
	ConversationDigest string `json:"conversation_digest,omitzero"`
	// ContentDigest is the SHA-256 of the content of the run's output, in hex.
	ContentDigest string `json:"content_digest,omitzero"`
	MessageCount  uint64 `json:"message_count"`
	// At is where the run's outcomes begin in the feed: "<commit>.<i>".
	At string `json:"at"`
}

// receipt writes the receipt of a run that is being committed.
func (s *Session) receipt(f finished, at string) {
	first := f.run.inputs[0]
	r := &Receipt{
		RunID: f.run.id, Sequence: s.kernel.State().InputBoundarySequences.At(first.ID), Boundary: first.Boundary.String(),
		ContributingInputIDs: make([]string, 0, len(f.run.inputs)),
		ConversationDigest:   f.result.ConversationDigest, MessageCount: f.result.MessageCount, At: at,
	}
	for _, e := range f.run.inputs {
		r.ContributingInputIDs = append(r.ContributingInputIDs, e.ID)
	}
	if !f.output.none() {
		r.ContentDigest = f.output.digest()
	}
	s.change(func(d *delta) { d.Receipts = append(d.Receipts, r) })
}

func (r *Receipt) append(b []byte, ids *kernel.IDs) []byte {
	o := object{b: append(b, '{')}
	o.id("run_id", r.RunID, ids)
	o.uint("sequence", r.Sequence)
	o.text("boundary", r.Boundary)
	o.name("contributing_input_ids")
	o.b = append(o.b, '[')
	for i, id := range r.ContributingInputIDs {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		o.b = ids.Append(o.b, id)
	}
	o.b = append(o.b, ']')
	o.optional("conversation_digest", r.ConversationDigest)
	o.optional("content_digest", r.ContentDigest)
	o.uint("message_count", r.MessageCount)
	o.text("at", r.At)
	return append(o.b, '}')
}

// keep adds receipts and drops the oldest beyond [ReceiptsKept].
func (l *ledger) keep(receipts []*Receipt) {
	l.Receipts = append(l.Receipts, receipts...)
	if over := len(l.Receipts) - ReceiptsKept; over > 0 {
		l.Receipts = l.Receipts[over:]
	}
}

// Receipt finds the receipt of a boundary. A sequence counts within a run; with no run
// named it is the latest receipt of that sequence. Nil if the session has none.
func (v *View) Receipt(run string, sequence uint64) *Receipt {
	all := v.s.ledger.Receipts
	for i := len(all) - 1; i >= 0; i-- {
		if r := all[i]; r.Sequence == sequence && (run == "" || r.RunID == run) {
			return r
		}
	}
	return nil
}

// receiptQuestions are the query "receipt" and the command LoadBoundaryReceipt.
var receiptQuestions = map[string]question{
	"receipt": func(v *View, args jsontext.Value) (any, error) {
		r, err := readReceipt(v, args)
		if err == nil && r == nil {
			err = &QueryError{"receipt_not_found", "404", "the session has no such receipt, or has forgotten it"}
		}
		return r, err
	},
	"load_boundary_receipt": func(v *View, args jsontext.Value) (any, error) {
		if v.s.kernel.State().SessionID.IsNone() {
			return nil, errNoRuntime
		}
		r, err := readReceipt(v, args)
		return map[string]*Receipt{"receipt": r}, err
	},
}

func readReceipt(v *View, args jsontext.Value) (*Receipt, error) {
	var arg struct {
		sessionArg
		RuntimeID *string            `json:"runtime_id"`
		RunID     string             `json:"run_id"`
		Sequence  kernel.Opt[uint64] `json:"sequence"`
	}
	if err := ReadArgs(args, &arg); err != nil {
		return nil, err
	}
	if err := arg.check(v.s.id); err != nil {
		return nil, err
	}
	if arg.RuntimeID != nil && *arg.RuntimeID != v.s.runtimeID() {
		return nil, BadRequest("runtime_id: %q is not the runtime %q", *arg.RuntimeID, v.s.runtimeID())
	}
	if arg.RunID == "" && arg.Sequence.IsNone() {
		return nil, BadRequest(`a receipt is asked for with {"run_id":"...","sequence":0} or one of them`)
	}
	return v.Receipt(arg.RunID, arg.Sequence.Value()), nil
}
