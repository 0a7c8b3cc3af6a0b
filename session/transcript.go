package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kv"
)

// ReplayedCommit is a commit of a session's log, folded again.
type ReplayedCommit struct {
	Commit   uint64         `json:"commit"`
	Sequence uint64         `json:"log_sequence"`
	Fence    uint64         `json:"fence"`
	Kind     string         `json:"kind"`
	Worker   string         `json:"worker"`
	At       string         `json:"at"`
	Steps    []ReplayedStep `json:"steps"`
}

// ReplayedStep is a kernel step of it, in the names of `kernel run`.
type ReplayedStep struct {
	Input      string             `json:"input,omitzero"`
	Signal     string             `json:"signal,omitzero"`
	Fields     jsontext.Value     `json:"fields"`
	Transition string             `json:"transition"`
	From       kernel.Phase       `json:"from"`
	To         kernel.Phase       `json:"to"`
	Effects    []kernel.RunEffect `json:"effects"`
}

// ReplayReport is what a replay found.
type ReplayReport struct {
	Session string `json:"session"`
	// From is the commit of the snapshot the replay began with, 0 if the log still has
	// everything.
	From uint64 `json:"from"`
	// Snapshot is the commit of the snapshot that the folded state was compared with, 0 if
	// there is none ahead of From.
	Snapshot uint64       `json:"snapshot"`
	Commits  int          `json:"commits"`
	Steps    int          `json:"steps"`
	Commit   uint64       `json:"commit"`
	Fence    uint64       `json:"fence"`
	Cursor   uint64       `json:"cursor"`
	Phase    kernel.Phase `json:"phase"`
}

// Replay folds a session's log as recovery does, for somebody who looks: see gets every
// commit once all of its steps took the rules they took when it was committed. Where the
// log still begins with the first commit the replay does too, and the snapshot has to say
// what it came to; else it begins with the snapshot.
//
// A log that does not fold is a [*journal.BrokenError], after the commits before the fault.
// [ErrUnknown] if there is no such session. Nothing is changed and no worker is asked.
func Replay(ctx context.Context, env *Env, session string, see func(ReplayedCommit) error) (ReplayReport, error) {
	report := ReplayReport{Session: session}
	f := &folded{kernel: kernel.New(), ledger: newLedger()}
	snap, err := env.Store.Snapshots.Read(ctx, session)
	if err != nil && !errors.Is(err, kv.ErrNoSnapshot) {
		return report, err
	}
	first, err := env.Log.From(ctx, session, 1)
	switch {
	case err != nil:
		return report, err
	case first == nil && snap.Commit == 0:
		return report, ErrUnknown
	case snap.Commit > 0 && (first == nil || first.Number > 1):
		if err := f.restore(session, snap); err != nil {
			return report, err
		}
		report.From = snap.Commit
	}
	var now ReplayedCommit
	f.seen = func(t kernel.Trigger, o *kernel.Outcome) error {
		s, err := replayed(t, o)
		now.Steps = append(now.Steps, s)
		return err
	}
	if first != nil {
		f.at, err = env.Log.Fold(ctx, session, f.at, func(m *journal.Message) error {
			now = ReplayedCommit{Commit: m.Number, Sequence: m.Sequence, Fence: m.Fence, Steps: []ReplayedStep{}}
			r, err := f.commit(ctx, env, session, m)
			if err != nil {
				return err
			}
			if m.Number == snap.Commit {
				if err := f.agrees(session, snap); err != nil {
					return err
				}
				report.Snapshot = snap.Commit
			}
			report.Commits, report.Steps = report.Commits+1, report.Steps+len(now.Steps)
			now.Kind, now.Worker, now.At = r.Kind, m.Worker(), r.At
			return see(now)
		})
	}
	if err == nil && f.at.Number < snap.Commit {
		err = &journal.BrokenError{
			Session: session, Sequence: f.at.Sequence,
			Reason: fmt.Sprintf("the log ends at commit %d, the snapshot holds commit %d: the stream has regressed", f.at.Number, snap.Commit),
		}
	}
	report.Commit, report.Fence, report.Cursor, report.Phase = f.at.Number, f.at.Fence, f.cursor, f.kernel.Phase()
	return report, err
}

func replayed(t kernel.Trigger, o *kernel.Outcome) (ReplayedStep, error) {
	s := ReplayedStep{Transition: o.Transition(), From: o.From, To: o.To, Effects: []kernel.RunEffect{}}
	if kernel.IsSignal(t) {
		s.Signal = t.TriggerName()
	} else {
		s.Input = t.TriggerName()
	}
	var err error
	if s.Fields, err = kernel.MarshalTrigger(t); err != nil {
		return s, fmt.Errorf("%s: %w", t.TriggerName(), err)
	}
	for _, e := range o.Effects {
		fields, err := kernel.MarshalEffect(e)
		if err != nil {
			return s, fmt.Errorf("effect %s: %w", e.EffectName(), err)
		}
		s.Effects = append(s.Effects, kernel.RunEffect{Effect: e.EffectName(), Fields: fields})
	}
	return s, nil
}

// agrees compares what the log came to with the snapshot taken at the same commit.
func (f *folded) agrees(session string, snap kv.Snapshot) error {
	var stored folded
	if err := stored.restore(session, snap); err != nil {
		return err
	}
	for _, part := range []struct {
		name         string
		folded, kept any
	}{
		{"the machine's state", f.kernel.State(), stored.kernel.State()},
		{"the ledger", f.ledger, stored.ledger},
		{"the cursor", f.cursor, stored.cursor},
	} {
		have, err := marshalPart(part.folded)
		if err != nil {
			return err
		}
		want, err := marshalPart(part.kept)
		if err != nil {
			return err
		}
		if !bytes.Equal(have, want) {
			return &journal.BrokenError{
				Session: session, Sequence: snap.Sequence,
				Reason: fmt.Sprintf("the snapshot of commit %d and the log up to there differ in %s", snap.Commit, part.name),
			}
		}
	}
	return nil
}

func marshalPart(v any) ([]byte, error) {
	if st, ok := v.(*kernel.State); ok {
		return kernel.MarshalState(st)
	}
	return json.Marshal(v, json.Deterministic(true))
}
