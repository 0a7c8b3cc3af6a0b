package executor

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/kernel"
)

// Echo answers every run with the text of its inputs, and a request of another session
// with the text of the request. Its zero value answers at once.
//
// An input may carry an "echo" member in its data to provoke behaviour in tests and
// demos: {"text":"hi","echo":{"delay":"50ms","rounds":3,"fail":2,"panic":1,"cancel":true}}.
// Delay is a Go duration and rounds how often it passes, with a boundary in between where
// the run may be cancelled; fail and panic are the number of attempts that are to fail or
// panic before one succeeds.
type Echo struct {
	// Delay is how long every run takes, on top of what its inputs ask for.
	Delay time.Duration
	// Ignore makes the executor take no notice of the "echo" member.
	Ignore bool
	// Effects makes it count as one whose calls have outside effects, as an agent's have:
	// [Echo.Pure] says no to every run.
	Effects bool
}

type echoOptions struct {
	Echo struct {
		Delay  string `json:"delay"`
		Rounds int    `json:"rounds"`
		Fail   uint64 `json:"fail"`
		Panic  uint64 `json:"panic"`
		Cancel bool   `json:"cancel"`
	} `json:"echo"`
}

// Pure implements [PureExecutor]: an answer at once has no effects.
func (e Echo) Pure(run *Run) bool {
	return !e.Effects && e.Delay == 0 && !slices.ContainsFunc(run.Inputs, func(in Input) bool { return e.asked(&in) })
}

// asked tells whether an input may carry options: most do not, so it is asked before decoding.
func (e Echo) asked(in *Input) bool { return !e.Ignore && bytes.Contains(in.Data, []byte(`"echo"`)) }

// Apply answers with the inputs' texts, one a line.
func (e Echo) Apply(ctx context.Context, run *Run) (*Result, error) {
	var b strings.Builder
	var actions []Action
	delay, rounds := e.Delay, 1
	for i := range run.Inputs {
		in := &run.Inputs[i]
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(in.Text)
		if a, ok := echoReply(in); ok {
			actions = append(actions, a)
		}
		if !e.asked(in) {
			continue
		}
		var o echoOptions
		if err := json.Unmarshal(in.Data, &o); err != nil {
			return nil, &ApplyError{kernel.RuntimeApplyFailureCausePrimitiveRejected, "echo options: " + err.Error()}
		}
		if o.Echo.Delay != "" {
			d, err := time.ParseDuration(o.Echo.Delay)
			if err != nil {
				return nil, &ApplyError{kernel.RuntimeApplyFailureCausePrimitiveRejected, "echo.delay: " + err.Error()}
			}
			delay += d
		}
		rounds = max(rounds, o.Echo.Rounds)
		switch {
		case run.Attempt <= o.Echo.Panic:
			panic("echo was asked to panic")
		case run.Attempt <= o.Echo.Fail:
			return nil, &ApplyError{kernel.RuntimeApplyFailureCauseRuntimeTurn, "echo was asked to fail"}
		case o.Echo.Cancel:
			return nil, ErrCancelled
		}
	}
	for i := 0; delay > 0 && i < rounds; i++ {
		if err := e.round(ctx, run, delay); err != nil {
			return nil, err
		}
	}
	return &Result{Text: b.String(), MessageCount: uint64(len(run.Inputs)), Actions: actions}, nil
}

// round takes its time. At its end is a boundary.
func (e Echo) round(ctx context.Context, run *Run, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ErrCancelled
	}
	select {
	case <-run.CancelAtBoundary:
		return ErrCancelled
	default:
		return nil
	}
}

// echoReply answers a peer that waits for an answer.
func echoReply(in *Input) (Action, bool) {
	if in.Kind != kernel.AdmissionInputKindPeerRequest {
		return Action{}, false
	}
	var request struct {
		RequestID string `json:"request_id"`
	}
	if json.Unmarshal(in.Data, &request) != nil || request.RequestID == "" {
		return Action{}, false // of a peer that is no session
	}
	data, err := json.Marshal(map[string]string{"request_id": request.RequestID, "status": "Completed", "body": in.Text})
	return Action{Command: "send_response", Data: data}, err == nil
}
