package session_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
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

func operationsOf(t *testing.T, env *embeddedtest.Env, id string, after int) (r session.OperationsReport) {
	t.Helper()
	m, err := env.Conn.Request(env.Namespace.Query(id, "operations"), fmt.Appendf(nil, `{"after":%d}`, after), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(m.Data, &r); err != nil {
		t.Fatalf("%s: %v", m.Data, err)
	}
	return r
}

// The worked examples of chapter 04, on the wire.
func TestOperationsOnTheWire(t *testing.T) {
	env, f := peers(t, func(c *worker.Config) { c.Executor = executor.Echo{} })
	n := 0
	event := func() string { n++; return fmt.Sprint("c", n) }
	ask := func(name, data string) map[string]any {
		t.Helper()
		id := event()
		send(t, env, "s", id, name, data)
		return f.applied("s", id)
	}
	refused := func(name, data, kind, inReason string) {
		t.Helper()
		id := event()
		send(t, env, "s", id, name, data)
		if r := f.refused("s", id); r["kind"] != kind || !strings.Contains(fmt.Sprint(r["reason"]), inReason) {
			t.Errorf("%s %s: %v, want %s with %q", name, data, r, kind, inReason)
		}
	}
	r := ask("register_operation", `{"operation_id":"a","kind":"BackgroundToolOp","display_name":"job","max_concurrent":1}`)
	if r["status"] != "Provisioning" || r["epoch"] == "" {
		t.Errorf("register: %v", r)
	}
	epoch := r["epoch"]
	refused("register_operation", `{"operation_id":"b","kind":"BackgroundToolOp","max_concurrent":1}`, "MaxConcurrentExceeded", "1 operations are active")
	refused("register_operation", `{"operation_id":"a","kind":"MobMemberChild"}`, "AlreadyRegistered", `"a"`)
	refused("register_operation", `{"operation_id":"c","kind":"MobMemberChild","source":{"kind":"BackendPeer"}}`, "ValidationFailed", "operation_source_valid")
	refused("complete_operation", `{"operation_id":"a"}`, "InvalidTransition", "which is Provisioning")
	refused("start_operation", `{"operation_id":"x"}`, "OperationNotFound", `"x"`)
	refused("complete_operation", `{}`, "InvalidInput", "data.operation_id")
	ask("start_operation", `{"operation_id":"a"}`)
	ask("start_operation", `{"operation_id":"a"}`) // it runs already
	ask("report_operation_progress", `{"operation_id":"a","message":"half"}`)
	refused("announce_operation_peer", `{"operation_id":"a"}`, "PeerNotExpected", `"a"`)
	ask("register_operation", `{"operation_id":"child","kind":"MobMemberChild","source":{"kind":"SessionChild","session_id":"kid"}}`)
	ask("start_operation", `{"operation_id":"child"}`)
	ask("announce_operation_peer", `{"operation_id":"child"}`)
	refused("announce_operation_peer", `{"operation_id":"child"}`, "AlreadyPeerReady", `"child"`)
	ask("retire_operation", `{"operation_id":"child"}`)

	send(t, env, "s", "wait", "wait_all", `{"operation_ids":["child","a"]}`)
	refused("wait_all", `{"operation_ids":["a"]}`, "WaitAlreadyActive", "open already")
	refused("wait_all", `{"operation_ids":["a","a"]}`, "DuplicateOperation", `"a"`)
	if w := operationsOf(t, env, "s", 0).Wait; w == nil || cmp.Diff([]string{"a", "child"}, w.OperationIDs) != "" {
		t.Errorf("barrier: %+v", w)
	}
	ask("complete_operation", `{"operation_id":"a","content":"done","tokens_used":3}`)
	ask("finish_operation_retirement", `{"operation_id":"child"}`)
	waited := f.applied("s", "wait")
	outcomes := waited["outcomes"].([]any)
	if len(outcomes) != 2 || outcomes[0].(map[string]any)["terminal_outcome"] != "Completed" || outcomes[1].(map[string]any)["terminal_outcome"] != "Retired" {
		t.Errorf("wait_all: %v", waited)
	}
	refused("wait_all", `{"operation_ids":["a","z"]}`, "OperationNotFound", `"z"`)
	ask("wait_all", `{"operation_ids":["a"]}`) // ended already

	// A capacity slot leaves a number and nothing else.
	ask("register_operation", `{"operation_id":"slot","kind":"BackgroundToolCapacitySlot"}`)
	refused("wait_all", `{"operation_ids":["slot"]}`, "InvalidInput", "capacity slot")
	ask("cancel_operation", `{"operation_id":"slot"}`)
	ask("register_operation", `{"operation_id":"b","kind":"BackgroundToolOp"}`)
	ask("abort_operation", `{"operation_id":"b","reason":"no"}`)
	ask("register_operation", `{"operation_id":"d","kind":"BackgroundToolOp"}`)
	ask("fail_operation", `{"operation_id":"d","error":"boom"}`)
	ask("register_operation", `{"operation_id":"e","kind":"BackgroundToolOp"}`)
	send(t, env, "s", "wait2", "wait_all", `{"operation_ids":["e"]}`)
	ask("cancel_wait_all", `{}`)
	if r := f.refused("s", "wait2"); r["kind"] != "WaitCancelled" {
		t.Errorf("a cancelled wait: %v", r)
	}
	if r := ask("terminate_operations", `{"reason":"owner left"}`); cmp.Diff([]any{"e"}, r["terminated"]) != "" {
		t.Errorf("terminate: %v", r)
	}
	settle(t, env, "s")
	report := operationsOf(t, env, "s", 2)
	var rows []string
	for _, row := range report.Completions {
		rows = append(rows, fmt.Sprintf("%d %s %s", row.Seq, row.OperationID, row.Outcome))
	}
	if d := cmp.Diff([]string{"4 b Aborted", "5 d Failed", "6 e Terminated"}, rows); d != "" {
		t.Error(d)
	}
	if report.Epoch != epoch || report.Watermark != 6 || report.Active != 0 || report.Cursors.RuntimeObserved != 6 {
		t.Errorf("report: %+v", report)
	}
	// The feed on fx says the same.
	var ended []string
	for _, h := range f.of("s", "OperationEnded") {
		ended = append(ended, fmt.Sprint(h.Data["seq"], " ", h.Data["operation_id"]))
	}
	if d := cmp.Diff([]string{"1 a", "2 child", "4 b", "5 d", "6 e"}, ended); d != "" {
		t.Error(d)
	}
	refused("advance_completion_cursor", `{"consumer":"agent","cursor":7}`, "InvalidInput", "data.cursor")
	if r := ask("advance_completion_cursor", `{"consumer":"agent","cursor":6}`); r["agent_applied"] != 6.0 {
		t.Errorf("cursor: %v", r)
	}
	if r := ask("collect_operations", `{}`); len(r["collected"].([]any)) != 5 {
		t.Errorf("collect: %v", r)
	}
	if left := operationsOf(t, env, "s", 0); len(left.Operations) != 0 || len(left.Completions) != 5 {
		t.Errorf("after collecting: %+v", left)
	}
	ask("destroy", `{}`)
	refused("register_operation", `{"operation_id":"q","kind":"BackgroundToolOp"}`, "Destroyed", "")
	refolds(t, env, "s")
}

// recorder remembers what runs were told.
type recorder struct {
	mu   sync.Mutex
	runs []string
}

func (r *recorder) Apply(ctx context.Context, run *executor.Run) (*executor.Result, error) {
	res, err := executor.Echo{}.Apply(ctx, run)
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf("%s:", run.Inputs[0].Kind)
	for _, c := range run.Completions {
		text += " " + c.OperationID
	}
	r.runs = append(r.runs, text)
	return res, err
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.runs...)
}

// A session at rest is woken for a background job that ended, once; the end of a member
// wakes nobody; what a run was told no other run is.
func TestCompletionsReachTheAgentOnce(t *testing.T) {
	rec := &recorder{}
	env, f := peers(t, func(c *worker.Config) { c.Executor = rec })
	for i, c := range [][2]string{
		{"register_operation", `{"operation_id":"job","kind":"BackgroundToolOp"}`},
		{"register_operation", `{"operation_id":"kid","kind":"MobMemberChild"}`},
		{"fail_operation", `{"operation_id":"kid"}`},
		{"fail_operation", `{"operation_id":"job"}`},
	} {
		send(t, env, "s", fmt.Sprint("c", i), c[0], c[1])
	}
	f.await("s", "run of its own accord", func(h *happening) bool { return h.Name == "InputCompleted" })
	publish(t, env, "s", "p1", subjects.InputType("prompt"), `{"text":"x","echo":{"fail":1}}`)
	f.await("s", "prompt", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "p1" })
	if d := cmp.Diff([]string{"Continuation: job", "Prompt:", "Prompt:"}, rec.all()); d != "" {
		t.Error(d)
	}
	settle(t, env, "s")
	if c := operationsOf(t, env, "s", 0).Cursors; c != (session.CompletionCursors{AgentApplied: 2, RuntimeObserved: 2, RuntimeInjected: 2}) {
		t.Errorf("cursors: %+v", c)
	}
	refolds(t, env, "s")
}

// A run acts on its session while it is in progress, waits for operations that others
// finish, and acts once although it is executed twice.
func TestARunActsOnItsSessionOnce(t *testing.T) {
	var mu sync.Mutex
	var answers []string
	died := make(chan struct{})
	var once sync.Once
	run := func(ctx context.Context, r *executor.Run) (*executor.Result, error) {
		if r.Inputs[0].Kind != kernel.AdmissionInputKindPrompt {
			return executor.Echo{}.Apply(ctx, r)
		}
		note := func(a jsontext.Value, err error) {
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, fmt.Sprint(string(a), err))
		}
		note(r.Host.Do(ctx, executor.Action{ID: "op", Command: "register_operation", Data: jsontext.Value(`{"kind":"BackgroundToolOp"}`)}))
		note(r.Host.Do(ctx, executor.Action{ID: "dup", Command: "register_operation", Data: jsontext.Value(`{"kind":"nonsense"}`)}))
		note(r.Host.Do(ctx, executor.Action{ID: "end", Command: "destroy"}))
		if r.Execution == 1 {
			once.Do(func() { close(died) })
			<-ctx.Done()
			return nil, executor.ErrCancelled
		}
		var op struct {
			OperationID string `json:"operation_id"`
		}
		report, err := r.Host.Do(ctx, executor.Action{ID: "op", Command: "register_operation"})
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(report, &op); err != nil {
			return nil, err
		}
		waited, err := r.Host.Do(ctx, executor.Action{
			ID: "wait", Command: "wait_all", Data: jsontext.Value(fmt.Sprintf(`{"operation_ids":[%q]}`, op.OperationID)),
		})
		return &executor.Result{Content: waited, Actions: []executor.Action{
			{Command: "send_message", Data: jsontext.Value(`{"to":"other","body":"done"}`)},
			{Command: "reset"},
		}}, err
	}
	env := embeddedtest.Provisioned(t, "test", 1)
	f := follow(t, env, "kalahari.test.*.fx.>")
	adjust := func(c *worker.Config) {
		c.Executor, c.DrainTimeout, c.SweepEvery = executor.Func(run), time.Millisecond, 200*time.Millisecond
	}
	stop := start(t, env, adjust)
	publish(t, env, "s", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	<-died
	stop()
	start(t, env, adjust)
	var id string
	for id == "" {
		for _, o := range operationsOf(t, env, "s", 0).Operations {
			if operationsOf(t, env, "s", 0).Wait != nil {
				id = o.OperationID
			}
		}
	}
	send(t, env, "s", "c1", "start_operation", `{"operation_id":"`+id+`"}`)
	send(t, env, "s", "c2", "complete_operation", `{"operation_id":"`+id+`","content":"42"}`)
	done := f.await("s", "run", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "p" })
	if text, _ := json.Marshal(done.Data["result"]); !strings.Contains(string(text), `"42"`) {
		t.Errorf("the run got %s", text)
	}
	f.await("other", "message", func(h *happening) bool { return h.Name == "InputAccepted" })
	mu.Lock()
	defer mu.Unlock()
	if len(answers) != 6 {
		t.Fatalf("answers: %q", answers)
	}
	if d := cmp.Diff(answers[:3], answers[3:]); d != "" {
		t.Errorf("the second execution got other answers: %s", d)
	}
	if !strings.Contains(answers[0], `"Provisioning"`) || !strings.Contains(answers[1], "InvalidInput") || !strings.Contains(answers[2], "Unsupported") {
		t.Errorf("answers: %q", answers[:3])
	}
	registered := 0
	for _, h := range f.of("s", "CommandApplied") {
		if h.Data["command"] == "register_operation" {
			registered++
		}
	}
	if registered != 1 {
		t.Errorf("%d operations were registered by the run", registered)
	}
	if n := len(f.of("s", "CommandRejected")); n != 3 {
		t.Errorf("%d actions were refused, want those two and the reset: %v", n, f.of("s", "CommandRejected"))
	}
	refolds(t, env, "s")
}

// However many operations a session has in its life, it does not grow: what the feed and
// the list of ended ones no longer hold is gone from the machine too.
func TestOperationsDoNotPileUp(t *testing.T) {
	run := func(ctx context.Context, r *executor.Run) (*executor.Result, error) {
		res := &executor.Result{}
		for _, in := range r.Inputs {
			if in.Kind != kernel.AdmissionInputKindPrompt {
				continue
			}
			for i := range 100 {
				kind, id := "BackgroundToolOp", fmt.Sprintf("%s-%d", in.ID, i)
				if i%4 == 0 {
					kind = "BackgroundToolCapacitySlot"
				}
				res.Actions = append(
					res.Actions,
					executor.Action{Command: "register_operation", Data: jsontext.Value(fmt.Sprintf(`{"operation_id":%q,"kind":%q}`, id, kind))},
					executor.Action{Command: "cancel_operation", Data: jsontext.Value(fmt.Sprintf(`{"operation_id":%q,"reason":%q}`, id, in.Text))},
				)
			}
		}
		return res, nil
	}
	env, f := peers(t, func(c *worker.Config) { c.Executor = executor.Func(run) })
	for i := range 15 {
		publish(t, env, "s", fmt.Sprint("p", i), subjects.InputType("prompt"), `{"text":"few words"}`)
	}
	f.await("s", "last prompt", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "p14" })
	settle(t, env, "s")
	st, err := session.FoldForTest(t.Context(), stored(t, env), "s")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{
		"statuses": len(st.State.OpStatuses), "rows": len(st.State.CompletionFeedSequences),
		"payloads": len(st.State.CompletionFeedTerminalPayload), "claims": len(st.State.CompletionSequenceClaims),
	}
	if d := cmp.Diff(map[string]int{"statuses": 256, "rows": 1024, "payloads": 1024, "claims": 1024}, got); d != "" {
		t.Errorf("after 1,500 operations: %s", d)
	}
	// Large outcomes count by their bytes.
	large := strings.Repeat("x", 20_000)
	publish(t, env, "s", "large", subjects.InputType("prompt"), fmt.Sprintf(`{"text":%q}`, large))
	f.await("s", "large prompt", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "large" })
	settle(t, env, "s")
	report := operationsOf(t, env, "s", 0)
	if n := len(report.Completions); n != 6 || len(report.Operations) != 6 {
		t.Errorf("%d rows and %d operations are left, 128 KiB hold 6 of 20,000 bytes", n, len(report.Operations))
	}
	refolds(t, env, "s")
}

// An answer that no message holds is refused, and not left for the asker's patience to end.
func TestAnAnswerTooLargeIsRefused(t *testing.T) {
	run := func(_ context.Context, r *executor.Run) (*executor.Result, error) {
		res := &executor.Result{}
		for i := range 2400 {
			res.Actions = append(res.Actions, executor.Action{Command: "register_operation", Data: jsontext.Value(
				fmt.Sprintf(`{"operation_id":"%s%04d","kind":"BackgroundToolOp"}`, strings.Repeat("x", 250), i))})
		}
		return res, nil
	}
	env, f := peers(t, func(c *worker.Config) { c.Executor = executor.Func(run) })
	publish(t, env, "s", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	f.await("s", "prompt", func(h *happening) bool { return h.Name == "InputCompleted" })
	m, err := env.Conn.Request(env.Namespace.Query("s", "ops_lifecycle_registry"), nil, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(m.Data), "answer_too_large") {
		t.Errorf("the answer to a question with a large answer: %.200s", m.Data)
	}
}

// A capacity slot may have the id of an operation that was collected and is still in the feed.
func TestASlotTakesTheIDOfWhatEnded(t *testing.T) {
	env, f := peers(t, nil)
	send(t, env, "s", "hold", "pause", `{}`) // nobody is told of what ends
	for i, c := range [][2]string{
		{"register_operation", `{"operation_id":"a","kind":"BackgroundToolOp"}`},
		{"start_operation", `{"operation_id":"a"}`},
		{"complete_operation", `{"operation_id":"a"}`},
		{"collect_operations", `{}`},
		{"register_operation", `{"operation_id":"a","kind":"BackgroundToolCapacitySlot"}`},
		{"start_operation", `{"operation_id":"a"}`},
		{"complete_operation", `{"operation_id":"a"}`},
		{"register_operation", `{"operation_id":"a","kind":"BackgroundToolOp"}`},
	} {
		id := fmt.Sprint("c", i)
		send(t, env, "s", id, c[0], c[1])
		f.applied("s", id)
	}
	r := operationsOf(t, env, "s", 0)
	if len(r.Completions) != 1 || r.Completions[0].Seq != 1 || len(r.Operations) != 1 {
		t.Errorf("%+v", r)
	}
}
