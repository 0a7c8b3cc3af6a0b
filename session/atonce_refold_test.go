package session_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// scripted does what the inputs of a run say: fail some attempts, be cancelled, return actions.
// It is pure, unless an input says that it has effects.
type scripted struct{}

// script is a member of an input's data.
type script struct {
	Effects, Cancel, Large bool
	Fail                   uint64
	Do                     []executor.Action
}

func read(in *executor.Input) script {
	var data struct {
		Script script `json:"script"`
	}
	_ = json.Unmarshal(in.Data, &data) // others have none
	return data.Script
}

func (scripted) Pure(run *executor.Run) bool {
	for i := range run.Inputs {
		if read(&run.Inputs[i]).Effects {
			return false
		}
	}
	return true
}

func (scripted) Apply(_ context.Context, run *executor.Run) (*executor.Result, error) {
	res := &executor.Result{Text: run.ID}
	for i := range run.Inputs {
		s := read(&run.Inputs[i])
		switch {
		case run.Attempt <= s.Fail:
			return nil, &executor.ApplyError{Cause: kernel.RuntimeApplyFailureCauseRuntimeTurn, Message: "asked to"}
		case s.Cancel:
			return nil, executor.ErrCancelled
		case s.Large:
			res.Text += strings.Repeat("x", subjects.MaxInlineData)
		}
		res.Actions = append(res.Actions, s.Do...)
	}
	return res, nil
}

func uid(n int) string { return fmt.Sprintf("018f0000-0000-7000-8000-%012d", n) }

// deed is a command that a run may carry out as well.
func deed(rng *rand.Rand) (name, data string) {
	op := fmt.Sprint("op", rng.IntN(2))
	switch rng.IntN(17) {
	case 0, 1:
		return "register_operation", fmt.Sprintf(`{"operation_id":%q,"kind":%q}`, op, []string{"BackgroundToolOp", "MobMemberChild", "BackgroundToolCapacitySlot"}[min(2, rng.IntN(5))])
	case 2:
		return "start_operation", fmt.Sprintf(`{"operation_id":%q}`, op)
	case 3, 4:
		return []string{"complete_operation", "fail_operation", "cancel_operation", "abort_operation"}[rng.IntN(4)], fmt.Sprintf(`{"operation_id":%q}`, op)
	case 5, 6:
		return "wait_all", fmt.Sprintf(`{"operation_ids":[%q]}`, op)
	case 7:
		return "cancel_wait_all", `{}`
	case 8:
		return []string{"terminate_operations", "collect_operations"}[rng.IntN(2)], `{}`
	case 9:
		return "advance_completion_cursor", fmt.Sprintf(`{"consumer":%q,"cursor":%d}`, []string{"agent", "runtime_observed", "runtime_injected"}[rng.IntN(3)], rng.IntN(4))
	case 10, 11:
		return "send_request", fmt.Sprintf(`{"to":%q,"request_id":%q,"timeout":%q,"stream":%t,"stream_ttl":"%dm"}`,
			[]string{"s", "other"}[rng.IntN(2)], uid(rng.IntN(3)), []string{"1ms", "1h", "2h"}[rng.IntN(3)], rng.IntN(2) == 0, 1+rng.IntN(90))
	case 12, 13:
		return "send_response", fmt.Sprintf(`{"request_id":%q,"status":%q}`, uid(rng.IntN(3)), []string{"Accepted", "Completed", "Failed"}[rng.IntN(3)])
	case 14:
		return "send_message", `{"to":"other","body":"x"}`
	case 15:
		return []string{"attach_interaction_stream", "close_interaction_stream"}[rng.IntN(2)], fmt.Sprintf(`{"request_id":%q}`, uid(rng.IntN(3)))
	default:
		return chapter05(rng)
	}
}

// step publishes something that may change the ledger.
func step(t *testing.T, env *embeddedtest.Env, id, ev string, rng *rand.Rand, blobs bool) string {
	cmd := func(name, data string) string {
		send(t, env, id, ev, name, data)
		return name + " " + data
	}
	switch roll := rng.IntN(40); {
	case roll < 14:
		var s script
		for i := range rng.IntN(7) {
			name, data := deed(rng)
			a := executor.Action{Command: name, Data: jsontext.Value(data)}
			if rng.IntN(3) == 0 {
				a.ID = fmt.Sprint("a", rng.IntN(max(1, i)))
			}
			s.Do = append(s.Do, a)
		}
		switch rng.IntN(12) {
		case 0, 1:
			s.Fail = rng.Uint64N(5)
		case 2:
			s.Cancel = true
		case 3:
			s.Effects = true
		case 4:
			s.Large = blobs
		}
		var ext []string
		if rng.IntN(4) == 0 {
			ext = append(ext, "lane", "steer")
		}
		if rng.IntN(4) == 0 {
			ext = append(ext, "idempotencykey", fmt.Sprint("k", rng.IntN(4)))
		}
		if rng.IntN(4) == 0 {
			ext = append(ext, "supersessionkey", "s")
		}
		if rng.IntN(12) == 0 {
			ext = append(ext, "deliverat", time.Now().Add(time.Duration(rng.IntN(200))*time.Millisecond).UTC().Format(time.RFC3339Nano))
		}
		body := map[string]any{"text": "x", "script": s}
		if blobs && rng.IntN(3) == 0 {
			body["content"] = []any{map[string]any{"type": "image", "blob": putBlob(t, env, id, []byte{byte(rng.IntN(4))})}}
		}
		data, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		kind := []string{"prompt", "prompt", "flow_step", "external_event"}[rng.IntN(4)]
		publish(t, env, id, ev, subjects.InputType(kind), string(data), ext...)
		return fmt.Sprint(kind, " ", string(data), ext)
	case roll < 20:
		name, data := deed(rng)
		return cmd(name, data)
	case roll < 22:
		corr := uid(rng.IntN(3))
		data := fmt.Sprintf(`{"peer_id":"x","display_identity":"peer","request_id":%q,"intent":"i","body":"b"}`, corr)
		publishAs(t, env, env.Namespace.Source("peer"), id, ev, subjects.InputType("peer_request"), data, "correlationid", corr)
		return "peer_request " + data
	case roll < 23:
		corr := uid(rng.IntN(3))
		data := fmt.Sprintf(`{"peer_id":"x","display_identity":"peer","request_id":%q,"status":"completed"}`, corr)
		publish(t, env, id, ev, subjects.InputType("peer_response_terminal"), data, "correlationid", corr)
		return "peer_response_terminal " + data
	case roll < 26:
		return cmd([]string{"pause", "resume"}[rng.IntN(2)], `{}`)
	case roll < 28:
		return cmd("set_peer_ingress_context", []string{`{"keep_alive":true,"comms_runtime_id":"r"}`, `{"keep_alive":false}`}[rng.IntN(2)])
	case roll < 30:
		return cmd("wait", `{}`)
	case roll == 30:
		return cmd([]string{"abort", "interrupt", "cancel_after_boundary", "recover", "recycle"}[rng.IntN(5)], `{}`)
	case roll == 31:
		return cmd("notify_drain_exited", `{"reason":"IdleTimeout"}`)
	case roll == 32 && rng.IntN(12) == 0:
		return cmd([]string{"retire", "destroy"}[rng.IntN(2)], `{}`)
	case roll == 33:
		return cmd("reset", `{}`)
	case roll == 34 && rng.IntN(2) == 0:
		cmd("unregister_session", `{}`)
		ev += "x"
		return "unregister, " + cmd("ensure_session_with_executor", `{}`)
	case roll == 35 && rng.IntN(8) == 0:
		return cmd("stop_runtime_executor", `{"reason":"r"}`)
	case roll == 36:
		cmd("prepare_bindings", `{"agent_runtime_id":"r","fence_token":1,"generation":1}`)
		return "prepare_bindings"
	case roll == 37:
		return cmd("ensure_session_with_executor", `{}`)
	default:
		publish(t, env, id, ev, subjects.InputType("prompt"), `{"text":"plain"}`)
		return "plain"
	}
}

// content fails the test if a session gives up its state, for whatever it was sent.
type content struct {
	slog.Handler
	t *testing.T
}

func (content) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (c content) WithAttrs([]slog.Attr) slog.Handler { return c }

func (c content) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "session gives up its state" || r.Message == "session quarantined" {
		r.Attrs(func(a slog.Attr) bool {
			c.t.Errorf("%s: %s", r.Message, a)
			return true
		})
	}
	return nil
}

// Whatever comes together in the commits of pure runs: the session is what its log says, and
// its snapshot, which is what its owner held, too. All is sent before there is a worker, so
// that most of it stands in one commit.
func TestWhatRunsShareACommitWithRefolds(t *testing.T) {
	const seeds, rounds = 3, 2
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed+200, 7))
			env := embeddedtest.Provisioned(t, "test", 1)
			e := stored(t, env)
			settings := worker.Config{
				Retain: []int{1, 5, 1000}[seed%3], PauseExhausted: seed%2 == 0, SnapshotEvery: 1,
				RetryDelay: time.Millisecond, BlobGrace: time.Millisecond,
				Logger: slog.New(content{slog.DiscardHandler, t}),
			}
			var sent []string
			for round := range rounds {
				for i := range 10 + rng.IntN(60) {
					ev := fmt.Sprintf("e%d.%d", round, i)
					if rng.IntN(10) == 0 && i > 0 {
						ev = fmt.Sprintf("e%d.%d", rng.IntN(round+1), rng.IntN(i))
					}
					sent = append(sent, ev+": "+step(t, env, "s", ev, rng, seed%2 == 0))
				}
				stop := start(t, env, func(c *worker.Config) {
					drain := c.DrainTimeout
					*c = settings
					c.Name, c.Executor, c.DrainTimeout = "w", scripted{}, drain
				})
				live := calm(t, env, "s", 10, func(*session.StateReport) bool { return true })
				f, err := session.FoldForTest(t.Context(), e, "s")
				if err != nil {
					t.Fatal(err)
				}
				state, err := kernel.MarshalState(&f.State)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(fields(t, live.State), fields(t, state)); f.Commit == live.Commit && diff != "" {
					t.Errorf("the fold is not what the owner holds (-owner +fold):\n%s", diff)
				}
				stop()
				if f, err = session.FoldForTest(t.Context(), e, "s"); err != nil {
					t.Fatal(err)
				}
				// To the letter, as somebody who looks would have it compared.
				if _, _, _, err := replay(t, e, "s"); err != nil {
					t.Error(err)
				}
				loseSnapshot(t, env, "s")
				whole, err := session.FoldForTest(t.Context(), e, "s")
				if err != nil {
					t.Fatal(err)
				}
				agree(t, "s", f, whole)
			}
			if t.Failed() {
				t.Log(strings.Join(sent, "\n"))
			}
		})
	}
}
