package session

import (
	"context"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kernel"
)

// View answers questions about a session. It is valid only inside [Session.Ask], or
// forever if it came from [Stored].
type View struct{ s *Session }

// ErrUnknown says that a session, or an input of it, does not exist.
var ErrUnknown = errors.New("unknown")

// Stored reads a session that nobody owns from the store.
func Stored(ctx context.Context, env *Env, session string) (*View, error) {
	f, err := fold(ctx, env, session)
	if err != nil {
		return nil, err
	}
	if f.at.Number == 0 {
		return nil, ErrUnknown
	}
	s := &Session{env: env, id: session, kernel: f.kernel, ledger: f.ledger, cursor: f.cursor}
	s.writer = env.Log.Writer(session, "", 0, f.at)
	return &View{s}, nil
}

// StateReport is the answer to the query "state".
type StateReport struct {
	Session      string       `json:"session"`
	Phase        kernel.Phase `json:"phase"`
	Commit       uint64       `json:"commit"`
	LogSequence  uint64       `json:"log_sequence"`
	Cursor       uint64       `json:"cursor"`
	Fence        uint64       `json:"fence"`
	Worker       string       `json:"worker,omitzero"`
	Sequence     uint64       `json:"sequence"`
	CreatedAt    time.Time    `json:"created_at,omitzero"`
	Mob          string       `json:"mob,omitzero"`
	LiveInputs   int          `json:"live_inputs"`
	CurrentRunID string       `json:"current_run_id,omitzero"`
	Holds        []HoldReport `json:"holds,omitzero"`
	// Oldest is the input that has waited longest, and for what.
	Oldest *Progress `json:"oldest_input,omitzero"`
	// State is every field of the machine, or {"omitted_bytes":n} if no message could carry
	// them.
	State jsontext.Value `json:"state"`
}

func (r StateReport) within(int) any {
	r.State = mustJSON(map[string]int{"omitted_bytes": len(r.State)})
	return r
}

// State is the whole session: where it stands and every field of the machine.
func (v *View) State() (StateReport, error) {
	s := v.s
	ks, err := kernel.MarshalState(s.kernel.State())
	if err != nil {
		return StateReport{}, err
	}
	at := s.writer.Position()
	return StateReport{
		Session: s.id, Phase: s.kernel.Phase(), Commit: at.Number, LogSequence: at.Sequence, Cursor: s.cursor,
		Fence: at.Fence, Worker: string(s.owner.Incarnation), Sequence: s.ledger.Sequence,
		CreatedAt: s.ledger.Created, Mob: s.ledger.Mob, LiveInputs: len(s.ledger.Live),
		CurrentRunID: string(s.kernel.State().CurrentRunID.Value()), Holds: v.Holds(), Oldest: v.Progress(), State: ks,
	}, nil
}

// InputReport is the answer to the query "input".
type InputReport struct {
	InputID         string             `json:"input_id"`
	Phase           string             `json:"phase"`
	TerminalOutcome string             `json:"terminal_outcome,omitzero"`
	AbandonReason   string             `json:"abandon_reason,omitzero"`
	RunID           string             `json:"run_id,omitzero"`
	Attempts        uint64             `json:"attempts"`
	Lane            string             `json:"lane,omitzero"`
	BoundarySeq     kernel.Opt[uint64] `json:"boundary_sequence"`
	// CompletedAt is where the terminal outcome stands in the feed: "<commit>.<i>".
	CompletedAt string `json:"completed_at,omitzero"`
	Type        string `json:"type,omitzero"`
}

// Input tells about one input. The public reading of its facts is the machine's own
// (chapter 02, 6.18), asked on a scratch kernel.
func (v *View) Input(id string) (InputReport, error) {
	st := v.s.kernel.State()
	phase, ok := st.InputPhases.Lookup(id)
	if !ok {
		return InputReport{}, ErrUnknown
	}
	observed, err := observedPhase(phase)
	if err != nil {
		return InputReport{}, err
	}
	r := InputReport{
		InputID: id, Phase: phase.String(), RunID: st.InputRunAssociations.At(id), Attempts: st.InputAttemptCounts.At(id),
	}
	if lane, ok := st.InputLane.Lookup(id); ok {
		r.Lane = lane.String()
	}
	if seq, ok := st.InputBoundarySequences.Lookup(id); ok {
		r.BoundarySeq = kernel.Some(seq)
	}
	ask := &kernel.ResolveInputPublicTerminalOutcome{InputID: id, Phase: observed}
	if kind, ok := st.InputTerminalKind.Lookup(id); ok {
		ask.TerminalKind = kernel.Some(kind)
	}
	if reason, ok := st.InputAbandonReason[id]; ok {
		ask.AbandonReason = kernel.Some(reason)
		r.AbandonReason = reason.String()
	}
	scratch := kernel.New()
	scratch.Apply(&kernel.Initialize{})
	if o := scratch.Apply(ask); o.OK() {
		if outcome, ok := o.Effects[0].(kernel.InputPublicTerminalOutcomeResolved).TerminalOutcome.Get(); ok {
			r.TerminalOutcome = outcome.String()
		}
	}
	if e := v.s.ledger.Live[id]; e != nil {
		r.Type = e.Type
	} else {
		for _, was := range v.s.ledger.Seen {
			if was.ID == id && was.At != "" {
				r.CompletedAt = was.At
				break
			}
		}
	}
	return r, nil
}

// Cursor is the stream sequence of the last mailbox message the session has taken.
func (v *View) Cursor() uint64 { return v.s.cursor }

// InputsReport is the answer to the query "inputs".
type InputsReport struct {
	Inputs []InputReport `json:"inputs"`
	// Omitted is how many more there are, admitted later than those, if no message could
	// carry them all.
	Omitted int `json:"omitted_inputs,omitzero"`
}

func (r InputsReport) within(room int) any {
	n := fitting(room, r.Inputs)
	return InputsReport{r.Inputs[:n], len(r.Inputs) - n}
}

// ActiveInputsReport is the answer to the query "list_active_inputs".
type ActiveInputsReport struct {
	InputIDs []string `json:"input_ids"`
	// Omitted is as in [InputsReport].
	Omitted int `json:"omitted_inputs,omitzero"`
}

func (r ActiveInputsReport) within(room int) any {
	n := fitting(room, r.InputIDs)
	return ActiveInputsReport{r.InputIDs[:n], len(r.InputIDs) - n}
}

// fitting is how many of a report's items, from the first, have room in a message.
func fitting[T any](room int, items []T) int {
	const frame = 64 // of what is around the items
	size := frame
	for i, item := range items {
		if size += len(mustJSON(item)) + len(","); size > room {
			return i
		}
	}
	return len(items)
}

// Inputs lists the inputs that have not ended, in admission order.
func (v *View) Inputs() (InputsReport, error) {
	entries := make([]*entry, 0, len(v.s.ledger.Live))
	for _, e := range v.s.ledger.Live {
		entries = append(entries, e)
	}
	sortByOrder(entries, v.s.kernel.State())
	reports := make([]InputReport, 0, len(entries))
	for _, e := range entries {
		r, err := v.Input(e.ID)
		if err != nil {
			return InputsReport{}, err
		}
		reports = append(reports, r)
	}
	return InputsReport{Inputs: reports}, nil
}

func observedPhase(p kernel.InputPhase) (kernel.RecoveredInputObservedPhase, error) {
	var o kernel.RecoveredInputObservedPhase
	err := o.UnmarshalText([]byte(p.String()))
	return o, err
}
