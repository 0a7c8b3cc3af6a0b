package worker_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// desk sends commands to one session and reads their answers.
type desk struct {
	t       *testing.T
	env     *embeddedtest.Env
	session string
	all     <-chan *nats.Msg
	n       int
	// ended are the terminal outcomes seen so far, by input.
	ended map[string]string
}

func newDesk(t *testing.T, env *embeddedtest.Env, session string) *desk {
	return &desk{t: t, env: env, session: session, all: outcomes(t, env, env.Namespace.FxSession(session)), ended: map[string]string{}}
}

// next reads on until one of the named events comes.
func (d *desk) next(names ...string) (string, map[string]any) {
	d.t.Helper()
	for {
		ev, data := next(d.t, d.all)
		name, _ := subjects.EventName(ev.Type())
		if name == "InputCompleted" {
			id := data["input_id"].(string)
			if was, twice := d.ended[id]; twice {
				d.t.Errorf("input %s ended twice: %s, then %v", id, was, data["terminal_outcome"])
			}
			d.ended[id] = data["terminal_outcome"].(string)
		}
		for _, want := range names {
			if name == want {
				return name, data
			}
		}
	}
}

func (d *desk) input(id, data string) {
	d.t.Helper()
	ev := prompt(id, "")
	if err := ev.SetData("application/json", []byte(data)); err != nil {
		d.t.Fatal(err)
	}
	publish(d.t, d.env, d.session, ev)
}

// send sends a command and returns its event's id.
func (d *desk) send(name string, data any) string {
	d.t.Helper()
	if data == nil {
		data = map[string]any{}
	}
	d.n++
	ev := command(fmt.Sprint("cmd", d.n), name, data)
	publish(d.t, d.env, d.session, ev)
	return ev.ID()
}

// answer waits for the answer to the command of that event.
func (d *desk) answer(event string) (string, map[string]any) {
	d.t.Helper()
	for {
		ev, data := next(d.t, d.all)
		name, _ := subjects.EventName(ev.Type())
		if name == "InputCompleted" {
			d.ended[data["input_id"].(string)] = data["terminal_outcome"].(string)
		}
		if (name == "CommandApplied" || name == "CommandRejected") && ev.Extensions()[subjects.ExtCausationID] == event {
			return name, data
		}
	}
}

// applied sends a command that is to be carried out, and returns its report.
func (d *desk) applied(name string, data any) map[string]any {
	d.t.Helper()
	outcome, answer := d.answer(d.send(name, data))
	if outcome != "CommandApplied" {
		d.t.Fatalf("%s: %s %v", name, outcome, answer)
	}
	report, _ := answer["report"].(map[string]any)
	return report
}

// rejected sends a command that is to be refused, and compares kind, phase and guard.
func (d *desk) rejected(name string, data any, kind, phase, guard string) {
	d.t.Helper()
	outcome, answer := d.answer(d.send(name, data))
	text := func(field string) string { s, _ := answer[field].(string); return s }
	if outcome != "CommandRejected" || text("kind") != kind || text("phase") != phase || text("guard") != guard {
		d.t.Errorf("%s: got %s %v, want a rejection of kind %s in phase %s by guard %q", name, outcome, answer, kind, phase, guard)
	}
	if text("reason") == "" {
		d.t.Errorf("%s: a rejection without a reason: %v", name, answer)
	}
}

func (d *desk) report(name string, data any, want map[string]any) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.applied(name, data)); diff != "" {
		d.t.Errorf("%s: report (-want +got):\n%s", name, diff)
	}
}

// until the run of an input has begun.
func (d *desk) running(id string) {
	d.t.Helper()
	d.next("TurnRunStarted")
}

func TestRetireDrainsAndTheRestOfALife(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	d := newDesk(t, env, "s1")
	fleet(t, env, 1, nil)

	d.report("register_session", nil, map[string]any{})
	d.report("ensure_session_with_executor", nil, map[string]any{})
	d.rejected("reset", map[string]any{"session_id": "other"}, "InvalidInput", "", "")
	d.input("long", `{"text":"a","echo":{"delay":"200ms"}}`)
	d.running("long")
	d.input("queued", `{"text":"b"}`)
	d.next("InputAccepted")
	d.rejected("reset", nil, "Internal", "Running", "")
	d.rejected("recycle", nil, "Internal", "Running", "")
	d.rejected("recover", nil, "Internal", "Running", "")
	// The run returns first; then the queued input drains.
	d.report("retire", nil, map[string]any{"inputs_abandoned": 0.0, "inputs_pending_drain": 1.0})
	if d.ended["long"] != "Completed" {
		t.Errorf("the run in progress was not waited for: %v", d.ended)
	}
	d.next("InputCompleted")
	if d.ended["queued"] != "Completed" {
		t.Errorf("the queued input did not drain: %v", d.ended)
	}
	d.input("late", `{"text":"c"}`)
	if _, data := d.next("InputRejected"); data["kind"] != "NotReady" {
		t.Errorf("an input of a retired session: %v", data)
	}
	d.report("recycle", nil, map[string]any{"inputs_transferred": 0.0})
	d.input("again", `{"text":"d"}`)
	d.next("InputCompleted")

	// Destroyed under a run, with a retire command waiting for it: everyone is answered.
	d.input("doomed", `{"text":"e","echo":{"delay":"1m"}}`)
	d.running("doomed")
	waiting := d.send("retire", nil)
	d.report("destroy", nil, map[string]any{"inputs_abandoned": 1.0})
	_ = waiting
	if d.ended["doomed"] != "Abandoned" {
		t.Errorf("ended: %v", d.ended)
	}
	d.rejected("destroy", nil, "Internal", "Destroyed", "")
	d.rejected("retire", nil, "Internal", "Destroyed", "")
	d.rejected("register_session", nil, "Destroyed", "Destroyed", "")
	d.rejected("prepare_bindings", nil, "Destroyed", "Destroyed", "")
	d.rejected("cancel_after_boundary", nil, "Destroyed", "Destroyed", "")
	d.rejected("stop_runtime_executor", nil, "Destroyed", "Destroyed", "")
	d.rejected("unregister_session", nil, "Destroyed", "Destroyed", "")
	d.rejected("accept_with_completion", map[string]any{"input": map[string]any{"kind": "prompt", "data": map[string]any{"text": "x"}}}, "Destroyed", "Destroyed", "")
	d.report("interrupt", nil, map[string]any{"observation": "Destroyed", "result": "Interrupted"})
	d.input("dead", `{"text":"f"}`)
	if _, data := d.next("InputRejected"); data["kind"] != "Destroyed" {
		t.Errorf("an input of a destroyed session: %v", data)
	}
}

// A retire command that waits for a run is answered once, whatever ends the run.
func TestARetireThatWaitsIsAnsweredWhateverEndsTheRun(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	for i, end := range []string{"destroy", "stop_runtime_executor", "unregister_session", "interrupt"} {
		fleetOnce := i == 0
		if fleetOnce {
			fleet(t, env, 1, nil)
		}
		d := newDesk(t, env, fmt.Sprint("s", i))
		d.input("p", `{"text":"a","echo":{"delay":"1m"}}`)
		d.running("p")
		retire := d.send("retire", nil)
		d.send(end, nil)
		answers := map[string]string{}
		for len(answers) < 2 {
			name, data := d.next("CommandApplied", "CommandRejected")
			answers[data["command"].(string)] = name
		}
		want := "CommandRejected"
		if end == "interrupt" {
			want = "CommandApplied"
		}
		if answers[end] != "CommandApplied" || answers["retire"] != want {
			t.Errorf("%s: answers %v of %s", end, answers, retire)
		}
	}
}

func TestStopUnregisterAndRegisterAgain(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	d := newDesk(t, env, "s1")
	fleet(t, env, 1, nil)
	d.input("long", `{"text":"a","echo":{"delay":"1m"}}`)
	d.running("long")
	d.input("queued", `{"text":"b"}`)
	d.next("InputAccepted")
	d.report("stop_runtime_executor", map[string]any{"reason": "enough"}, map[string]any{"inputs_abandoned": 2.0, "phase": "Stopped"})
	d.rejected("stop_runtime_executor", nil, "ValidationFailed", "Stopped", "")
	d.rejected("ensure_session_with_executor", nil, "ValidationFailed", "Stopped", "")
	d.rejected("interrupt", nil, "Conflict", "Stopped", "")
	d.rejected("cancel_after_boundary", nil, "NotReady", "Stopped", "")
	d.rejected("commit_service_turn_terminal_receipt", nil, "Internal", "Stopped", "")
	d.report("recover", nil, map[string]any{"inputs_recovered": 0.0, "inputs_abandoned": 0.0, "inputs_requeued": 0.0, "details": []any{}})

	before := d.applied("prepare_local_session_bindings", nil)["epoch_id"]
	d.report("unregister_session", nil, map[string]any{"inputs_abandoned": 0.0, "durability": "RetainSnapshot"})
	d.rejected("stop_runtime_executor", nil, "NotReady", "Destroyed", "")
	d.rejected("retire", nil, "NotFound", "", "")
	d.rejected("publish_event", map[string]any{"kind": "Topology"}, "NotFound", "", "")
	d.rejected("interrupt", nil, "NotFound", "Idle", "")
	d.rejected("set_silent_intents", map[string]any{"intents": []string{"x"}}, "ValidationFailed", "Idle", "session_registered")
	d.input("lost", `{"text":"c"}`)
	if _, data := d.next("InputRejected"); data["kind"] != "NotReady" {
		t.Errorf("an input of an unregistered session: %v", data)
	}
	d.report("ensure_session_with_executor", nil, map[string]any{})
	if after := d.applied("prepare_local_session_bindings", nil)["epoch_id"]; after != before || after == "" {
		t.Errorf("the epoch of retained records changed from %v to %v", before, after)
	}
	d.input("back", `{"text":"d"}`)
	d.next("InputCompleted")
	if d.ended["back"] != "Completed" {
		t.Errorf("ended: %v", d.ended)
	}

	// While it works: its run is cancelled, its inputs end, its records go.
	d.input("long2", `{"text":"a","echo":{"delay":"1m"}}`)
	d.running("long2")
	d.report("unregister_session", nil, map[string]any{"inputs_abandoned": 1.0, "durability": "DeleteSnapshot"})
	d.report("register_session", nil, map[string]any{})
	if after := d.applied("prepare_local_session_bindings", nil)["epoch_id"]; after == before {
		t.Errorf("the epoch of deleted records stays: %v", after)
	}
}

// A call that was told to end may take its time. Its run is over all the same, and there is
// none to interrupt.
func TestInterruptBehindAStop(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	d := newDesk(t, env, "s1")
	back := make(chan struct{})
	fleet(t, env, 1, func(c *worker.Config) {
		c.Executor = executor.Func(func(context.Context, *executor.Run) (*executor.Result, error) {
			<-back
			return nil, executor.ErrCancelled
		})
	})
	t.Cleanup(func() { close(back) }) // before the fleet leaves, which waits for the call
	d.input("long", `{"text":"a"}`)
	d.running("long")
	d.report("stop_runtime_executor", map[string]any{"reason": "enough"}, map[string]any{"inputs_abandoned": 1.0, "phase": "Stopped"})
	d.rejected("interrupt", nil, "Conflict", "Stopped", "")
}

func TestInterruptAndBoundaryCancel(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	d := newDesk(t, env, "s1")
	fleet(t, env, 1, nil)
	d.input("now", `{"text":"a","echo":{"delay":"1m"}}`)
	d.running("now")
	d.report("interrupt", nil, map[string]any{"observation": "Accepted", "result": "Interrupted"})
	d.next("TurnRunCancelled")
	d.next("InputCompleted")
	d.report("interrupt", nil, map[string]any{"observation": "AttachedNoop", "result": "Interrupted"})

	d.input("boundary", `{"text":"b","echo":{"delay":"20ms","rounds":3000}}`)
	d.running("boundary")
	d.report("cancel_after_boundary", nil, map[string]any{})
	d.next("InputCompleted")
	if diff := cmp.Diff(map[string]string{"now": "Cancelled", "boundary": "Cancelled"}, d.ended); diff != "" {
		t.Error(diff)
	}
	d.input("next", `{"text":"c"}`)
	d.next("InputCompleted")
	if d.ended["next"] != "Completed" {
		t.Errorf("after two cancels: %v", d.ended)
	}
}

func TestInputsInsideCommands(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	d := newDesk(t, env, "s1")
	fleet(t, env, 1, nil)
	offer := func(id, key, text string) map[string]any {
		return map[string]any{"input_id": id, "input": map[string]any{
			"kind": "prompt", "idempotency_key": key, "data": map[string]any{"text": text, "echo": map[string]any{"delay": "100ms"}},
		}}
	}
	d.report("accept_with_completion", offer("a", "k", "one"), map[string]any{
		"outcome": "Accepted", "input_id": "a", "lane": "Queue", "plan": "Queued", "signal": "WakeLoop", "completion": "a",
	})
	d.report("accept_with_completion", offer("b", "k", "two"), map[string]any{
		"outcome": "Deduplicated", "input_id": "b", "existing_input_id": "a", "completion": "a",
	})
	d.next("InputCompleted")
	d.report("accept_with_completion", offer("c", "k", "three"), map[string]any{
		"outcome": "Deduplicated", "input_id": "c", "existing_input_id": "a",
	})
	d.rejected("accept_with_completion", map[string]any{"input": map[string]any{
		"kind": "external_event", "durability": "derived", "data": map[string]any{},
	}}, "ValidationFailed", "Attached", "ResolveAdmissionValidationExternalDerivedRejected")

	// Not woken, it waits for whoever comes next. Its turn comes first all the same.
	quiet := func(id string) {
		t.Helper()
		d.report("accept_without_wake", offer(id, "", id), map[string]any{
			"outcome": "Accepted", "input_id": id, "lane": "Queue", "plan": "Queued", "signal": "None",
		})
	}
	quiet("w1")
	quiet("w2")
	if len(d.ended) != 1 {
		t.Errorf("an input that was not to wake the session ran: %v", d.ended)
	}
	d.report("recover", nil, map[string]any{"inputs_recovered": 2.0, "inputs_abandoned": 0.0, "inputs_requeued": 0.0, "details": []any{}})
	for _, want := range []string{"w1", "w2"} {
		if _, data := d.next("InputCompleted"); data["input_id"] != want {
			t.Errorf("got %v, want %s", data, want)
		}
	}
	quiet("w3")
	d.report("reset", nil, map[string]any{"inputs_abandoned": 1.0})

	// The control plane ingests into the session's own runtime, once that is bound.
	work := map[string]any{"work_id": "work", "input": map[string]any{"kind": "prompt", "data": map[string]any{"text": "x"}}}
	d.rejected("ingest", work, "InvalidState", "Idle", "runtime_binding_matches_input")
	if r := d.applied("prepare_bindings", nil); r["agent_runtime_id"] != "rt:session:s1" || r["runtime_epoch_id"] != r["epoch_id"] {
		t.Errorf("bindings: %v", r)
	}
	d.report("ingest", work, map[string]any{
		"work_id": "work", "outcome": "Accepted", "input_id": "work", "lane": "Queue", "plan": "Queued", "signal": "WakeLoop",
	})
	d.next("InputCompleted")
	d.rejected("ingest", map[string]any{"runtime_id": "rt:session:s1", "fence_token": 9}, "InvalidState", "Attached", "fence_binding_matches_input")
}

// Who unregisters a session meets three obligations before it leaves (chapter 01): the run
// loop stops, the comms drain exits, and those who wait for completions are answered. Each is
// told, in order, before the command is answered.
func TestUnregisterMeetsItsObligations(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	d := newDesk(t, env, "s1")
	fleet(t, env, 1, nil)
	d.applied("set_peer_ingress_context", map[string]any{"keep_alive": true, "comms_runtime_id": "c"})
	d.input("long", `{"text":"a","echo":{"delay":"1m"}}`)
	d.running("long")
	d.input("queued", `{"text":"b"}`)
	d.next("InputAccepted")
	unregister, drained := d.send("unregister_session", nil), d.send("wait", nil)
	var told []string
	for told == nil || told[len(told)-1] != "CommandApplied" {
		ev, data := next(t, d.all)
		name, _ := subjects.EventName(ev.Type())
		if id, ok := data["input_id"].(string); ok {
			name += " " + id
		}
		told = append(told, name)
	}
	want := []string{
		"RequestRuntimeLoopStopForUnregister", "RequestCommsDrainExitForUnregister", "RequestCompletionWaiterResolutionForUnregister",
		"InputCompleted long", "InputCompleted queued", "CommandApplied",
	}
	left := slices.DeleteFunc(slices.Clone(told), func(name string) bool { return !slices.Contains(want, name) })
	slices.Sort(left)
	slices.Sort(want)
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("%s: told %q (-want +got):\n%s", unregister, told, diff)
	}
	var state session.StateReport
	d.ask("state", nil, &state)
	if state.LiveInputs != 0 {
		t.Errorf("what is left: %+v", state)
	}
	if name, data := d.answer(drained); name != "CommandRejected" || data["kind"] != "NotReady" {
		t.Errorf("who asks an unregistered session for its drain: %s %v", name, data)
	}
}

// A peer request with a silent intent leaves a run in progress alone and is taken up by the
// next one. At rest it wakes the session like any other: the accept rules of Idle and
// Attached signal WakeLoop whatever the plan says of waking (chapter 02).
func TestSilentIntents(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	d := newDesk(t, env, "s1")
	fleet(t, env, 1, nil)
	d.applied("set_silent_intents", map[string]any{"intents": []string{"status"}})
	request := func(id, intent, echo, signal string) {
		t.Helper()
		var data map[string]any
		if err := json.Unmarshal([]byte(`{"text":"?","intent":"`+intent+`","request_id":"3e0c4d0a-0000-4000-8000-000000000001","echo":`+echo+`}`), &data); err != nil {
			t.Fatal(err)
		}
		report := d.applied("accept_with_completion", map[string]any{"input_id": id, "input": map[string]any{"kind": "peer_request", "data": data}})
		if report["outcome"] != "Accepted" || report["signal"] != signal {
			t.Errorf("%s: %v, want the signal %s", id, report, signal)
		}
	}
	request("at rest", "status", `{"delay":"1m"}`, "WakeLoop")
	d.running("at rest")
	request("quiet", "status", `{}`, "None")
	request("loud", "work", `{}`, "InterruptYielding")
	d.applied("interrupt", nil)
	for d.ended["quiet"] == "" || d.ended["loud"] == "" {
		d.next("InputCompleted")
	}
	if diff := cmp.Diff(map[string]string{"at rest": "Cancelled", "quiet": "Completed", "loud": "Completed"}, d.ended); diff != "" {
		t.Error(diff)
	}
}

func (d *desk) ask(query string, args any, into any) {
	d.t.Helper()
	data, err := json.Marshal(args)
	if err != nil {
		d.t.Fatal(err)
	}
	m, err := d.env.Conn.Request(d.env.Namespace.Query(d.session, query), data, 5*time.Second)
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	if err := json.Unmarshal(m.Data, into); err != nil {
		d.t.Fatalf("%s: %s: %v", query, m.Data, err)
	}
}

func (d *desk) asked(query string, args any, want map[string]any) {
	d.t.Helper()
	var got map[string]any
	d.ask(query, args, &got)
	if diff := cmp.Diff(want, got); diff != "" {
		d.t.Errorf("%s: answer (-want +got):\n%s", query, diff)
	}
}

// A read-only command is a query, and sent as a command it gets the same answer, between
// the session's inputs.
func TestReadOnlyCommandsAndReceipts(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	fleet(t, env, 2, nil)
	d := newDesk(t, env, "s1")
	d.asked("contains_session", nil, map[string]any{"contains": false})
	d.asked("session_has_executor", nil, map[string]any{"has_executor": false})
	d.asked("runtime_state", nil, map[string]any{"error": map[string]any{"code": "session_not_found", "message": "there is no such session"}})
	d.input("p1", `{"text":"hello"}`)
	d.next("InputCompleted")
	d.report("accept_without_wake", map[string]any{"input_id": "p2", "input": map[string]any{"kind": "prompt", "data": map[string]any{"text": "x"}}},
		map[string]any{"outcome": "Accepted", "input_id": "p2", "lane": "Queue", "plan": "Queued", "signal": "None"})
	both := func(name string, args any, want map[string]any) {
		t.Helper()
		d.asked(name, args, want)
		d.report(name, args, want)
	}
	both("contains_session", map[string]any{"session_id": "s1"}, map[string]any{"contains": true})
	both("session_has_executor", nil, map[string]any{"has_executor": true})
	both("session_has_comms", nil, map[string]any{"has_comms": false})
	both("runtime_state", nil, map[string]any{"runtime_id": "rt:session:s1", "runtime_state": "Attached", "raw_phase": "Attached"})
	both("list_active_inputs", nil, map[string]any{"input_ids": []any{"p2"}})
	both("input_state", map[string]any{"input_id": "nobody"}, map[string]any{"input": nil})
	d.rejected("input_state", map[string]any{"imput_id": "p1"}, "InvalidInput", "", "")
	d.rejected("runtime_state", map[string]any{"runtime_id": "rt:session:s2"}, "NotFound", "", "")
	for _, query := range []string{"runtime_state", "routing", "capabilities", "operations", "contains_session", "receipt"} {
		d.asked(query, map[string]any{"session_id": "s2"}, map[string]any{"error": map[string]any{
			"code": "bad_request", "message": `session_id: "s2" is not the session "s1"`,
		}})
	}

	var receipt struct {
		Receipt session.Receipt `json:"receipt"`
	}
	var input session.InputReport
	d.ask("input", map[string]any{"input_id": "p1"}, &input)
	d.ask("load_boundary_receipt", map[string]any{"run_id": input.RunID, "sequence": 0}, &receipt)
	sum := sha256.Sum256([]byte(`{"text":"hello"}`))
	want := session.Receipt{
		RunID: input.RunID, Boundary: "RunStart", ContributingInputIDs: []string{"p1"}, MessageCount: 1,
		ContentDigest: hex.EncodeToString(sum[:]), At: receipt.Receipt.At,
	}
	if diff := cmp.Diff(want, receipt.Receipt); diff != "" || want.At == "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
	var again session.Receipt
	d.ask("receipt", map[string]any{"sequence": 0}, &again)
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("the latest receipt (-want +got):\n%s", diff)
	}
	both("load_boundary_receipt", map[string]any{"run_id": input.RunID, "sequence": 7}, map[string]any{"receipt": nil})

	d.applied("unregister_session", nil)
	both("contains_session", nil, map[string]any{"contains": false})
	d.rejected("list_active_inputs", nil, "NotReady", "", "")
	d.rejected("load_boundary_receipt", map[string]any{"sequence": 0}, "NotFound", "", "")
}

// What concerns a run, or holds runs, builds no session; what it says of one that is not
// built yet is true.
func TestStagedSessionsAreInterruptedAndPaused(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	fleet(t, env, 1, nil)
	d := newDesk(t, env, "s1")
	d.rejected("interrupt", nil, "NotFound", "Initializing", "")
	d.applied("stage_deferred_session", map[string]any{"llm_identity": map[string]any{"model": "m", "provider": "OpenAI"}})
	d.report("interrupt", nil, map[string]any{"observation": "StagedNoop", "result": "StagedNoop"})
	d.applied("begin_deferred_session_promotion", nil)
	d.rejected("interrupt", nil, "SessionBusy", "Initializing", "")
	d.applied("abandon_deferred_session_promotion", nil)
	d.applied("pause", nil)
	d.asked("contains_session", nil, map[string]any{"contains": false})
	d.input("p", `{"text":"a"}`)
	if name, _ := d.next("InputAccepted", "TurnRunStarted"); name != "InputAccepted" {
		t.Errorf("a paused session: %s", name)
	}
	d.applied("resume", nil)
	d.next("InputCompleted")
}

// The history of a session is read from the log, a page at a time, whoever owns it.
func TestHistoryIsAnsweredByAnyWorker(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	fleet(t, env, 2, nil)
	d := newDesk(t, env, "s1")
	for i := range 5 {
		d.input(fmt.Sprint("p", i), `{"text":"x"}`)
		d.next("InputCompleted")
	}
	ids := map[string]bool{}
	var completed []string
	after, pages := "", 0
	for {
		var page session.HistoryReport
		d.ask("history", map[string]any{"after": after, "limit": 7}, &page)
		for _, raw := range page.Events {
			ev, err := subjects.Decode(nats.Header{"Content-Type": {subjects.MediaStructured}}, raw)
			if err != nil {
				t.Fatal(err)
			}
			if ids[ev.ID()] {
				t.Errorf("%s comes twice", ev.ID())
			}
			ids[ev.ID()] = true
			if name, _ := subjects.EventName(ev.Type()); name == "InputCompleted" {
				var data struct {
					InputID string `json:"input_id"`
				}
				if err := json.Unmarshal(ev.Data(), &data); err != nil {
					t.Fatal(err)
				}
				completed = append(completed, data.InputID)
			}
		}
		if pages++; page.Next == "" {
			break
		}
		after = page.Next
	}
	if diff := cmp.Diff([]string{"p0", "p1", "p2", "p3", "p4"}, completed); diff != "" || pages < 3 {
		t.Errorf("%d pages: %s", pages, diff)
	}
	nobody := newDesk(t, env, "nobody")
	nobody.asked("history", nil, map[string]any{"error": map[string]any{"code": "session_not_found", "message": "there is no such session"}})
	d.asked("history", map[string]any{"limit": 9999}, map[string]any{"error": map[string]any{
		"code": "bad_request", "message": "limit: 9999 is none of 1 to 1000",
	}})
}

// A paused session admits inputs and starts no run; the one in progress finishes.
func TestPauseAndResume(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	fleet(t, env, 1, func(c *worker.Config) { c.HibernateAfter = 50 * time.Millisecond })
	d := newDesk(t, env, "s1")
	d.input("first", `{"text":"a","echo":{"delay":"100ms"}}`)
	d.running("first")
	if r := d.applied("pause", map[string]any{"reason": "deploying"}); r["paused"] != true {
		t.Errorf("report: %v", r)
	}
	d.input("second", `{"text":"b"}`)
	d.next("InputCompleted")
	if d.ended["first"] != "Completed" {
		t.Errorf("the run in progress did not finish: %v", d.ended)
	}
	// It sleeps, with what it has, and wakes for nothing but its resume command.
	owners, err := env.JS.KeyValue(t.Context(), env.Namespace.OwnersBucket())
	if err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		_, err := owners.Get(t.Context(), env.Namespace.SessionKey("s1"))
		return err != nil
	})
	d.input("third", `{"text":"c"}`)
	if name, data := d.next("InputAccepted", "TurnRunStarted"); name != "InputAccepted" || data["input_id"] != "third" {
		t.Errorf("while paused: %s %v", name, data)
	}
	var state session.StateReport
	d.ask("state", nil, &state)
	if len(state.Holds) != 1 || state.Holds[0].Scope != "session" || state.Holds[0].Reason != "deploying" || state.LiveInputs != 2 {
		t.Errorf("state: %+v", state)
	}
	if r := d.applied("pause", map[string]any{"reason": "again"}); r["hold"].(map[string]any)["reason"] != "deploying" {
		t.Errorf("paused twice: %v", r)
	}
	resume := d.send("resume", nil)
	if _, data := d.next("SessionResumed"); data["inputs_waiting"] != 2.0 {
		t.Errorf("resumed: %v", data)
	}
	d.answer(resume)
	for range 2 {
		d.next("InputCompleted")
	}
	if diff := cmp.Diff(map[string]string{"first": "Completed", "second": "Completed", "third": "Completed"}, d.ended); diff != "" {
		t.Error(diff)
	}
}

// The hold of a namespace reaches sessions in memory, sessions that are claimed later, and
// those of workers that come later.
func TestPauseANamespace(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	store, err := kv.Open(t.Context(), env.JS, env.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	fleet(t, env, 1, func(c *worker.Config) { c.HibernateAfter = 50 * time.Millisecond })
	here := newDesk(t, env, "here")
	here.input("warm", `{"text":"a"}`)
	here.next("InputCompleted")
	if _, err := store.Holds.Put(t.Context(), kv.Hold{Reason: "maintenance", Since: time.Now()}); err != nil {
		t.Fatal(err)
	}
	var state session.StateReport
	until(t, func() bool {
		here.ask("state", nil, &state)
		return len(state.Holds) == 1 && state.Holds[0].Scope == "namespace"
	})
	later := newDesk(t, env, "later")
	for _, d := range []*desk{here, later} {
		d.input("held", `{"text":"b"}`)
		if name, _ := d.next("InputAccepted", "TurnRunStarted"); name != "InputAccepted" {
			t.Errorf("%s: %s under a hold", d.session, name)
		}
	}
	time.Sleep(150 * time.Millisecond) // longer than sessions stay that owe nothing
	if err := store.Holds.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*desk{here, later} {
		d.next("InputCompleted")
		if d.ended["held"] != "Completed" {
			t.Errorf("%s: %v", d.session, d.ended)
		}
	}
	if hold, err := store.Holds.Get(t.Context()); hold != nil || err != nil {
		t.Errorf("the hold that was cleared: %v, %v", hold, err)
	}
}

// A session may be told to pause itself when it gives an input up.
func TestASessionPausesItselfAfterExhaustedRetries(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 2)
	fleet(t, env, 1, func(c *worker.Config) { c.PauseExhausted, c.RetryDelay = true, time.Millisecond })
	d := newDesk(t, env, "s1")
	d.input("bad", `{"text":"a","echo":{"fail":9}}`)
	d.input("good", `{"text":"b"}`)
	if _, data := d.next("SessionPaused"); data["by"] != "retries" {
		t.Errorf("paused: %v", data)
	}
	d.applied("resume", nil)
	for d.ended["good"] == "" {
		d.next("InputCompleted")
	}
	if diff := cmp.Diff(map[string]string{"bad": "Abandoned", "good": "Completed"}, d.ended); diff != "" {
		t.Error(diff)
	}
}
