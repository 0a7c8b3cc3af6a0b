package session_test

import (
	"context"
	"fmt"
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

// helpful answers requests of peers: with progress while the run goes on, and for good
// with the run's result.
func helpful(ctx context.Context, run *executor.Run) (*executor.Result, error) {
	res, err := executor.Echo{}.Apply(ctx, run)
	if err != nil {
		return nil, err
	}
	res.Actions = nil
	for _, in := range run.Inputs {
		var data struct {
			RequestID string `json:"request_id"`
			Intent    string `json:"intent"`
			Body      string `json:"body"`
		}
		if in.Kind != kernel.AdmissionInputKindPeerRequest {
			continue
		}
		if err := json.Unmarshal(in.Data, &data); err != nil {
			return nil, err
		}
		switch data.Intent {
		case "ignore":
			continue
		case "fail":
			return nil, &executor.ApplyError{Cause: kernel.RuntimeApplyFailureCauseRuntimeTurn, Message: "asked to"}
		case "progress":
			for i := range 2 {
				_, err := run.Host.Do(ctx, executor.Action{
					ID: fmt.Sprint(in.ID, "/", i), Command: "send_response",
					Data: jsontext.Value(fmt.Sprintf(`{"request_id":%q,"status":"Accepted","body":"step %d"}`, data.RequestID, i)),
				})
				if err != nil {
					return nil, err
				}
			}
		}
		res.Actions = append(res.Actions, executor.Action{
			Command: "send_response",
			Data:    jsontext.Value(fmt.Sprintf(`{"request_id":%q,"status":"Completed","body":%q}`, data.RequestID, "re: "+data.Body)),
		})
	}
	return res, nil
}

func peers(t *testing.T, adjust func(*worker.Config)) (*embeddedtest.Env, *feed) {
	t.Helper()
	env := embeddedtest.Provisioned(t, "test", 2)
	f := follow(t, env, "kalahari.test.*.fx.>")
	start(t, env, func(c *worker.Config) {
		c.Executor, c.RetryDelay = executor.Func(helpful), time.Millisecond
		if adjust != nil {
			adjust(c)
		}
	})
	return env, f
}

const (
	request1 = "018f0000-0000-7000-8000-000000000001"
	request2 = "018f0000-0000-7000-8000-000000000002"
	request3 = "018f0000-0000-7000-8000-000000000003"
)

func TestTwoSessionsTalk(t *testing.T) {
	env, f := peers(t, nil)
	send(t, env, "ann", "c1", "send_message", `{"to":"bob","body":"hello"}`)
	if r := f.applied("ann", "c1"); r["to"] != "bob" || r["request_id"] == "" {
		t.Errorf("report: %v", r)
	}
	said := f.await("bob", "message", func(h *happening) bool { return h.Name == "InputCompleted" })
	if result := said.Data["result"].(map[string]any); result["text"] != "hello" {
		t.Errorf("the peer heard %v", said.Data)
	}

	send(t, env, "ann", "c2", "send_request",
		`{"to":"bob","request_id":"`+request1+`","intent":"progress","body":"how are you","stream":true,"lane":"steer"}`)
	f.applied("ann", "c2")
	send(t, env, "ann", "c3", "attach_interaction_stream", `{"request_id":"`+request1+`"}`)
	f.answer("ann", "c3")
	answered := f.await("ann", "answer", func(h *happening) bool {
		result, _ := h.Data["result"].(map[string]any)
		return h.Name == "InputCompleted" && result["text"] == "re: how are you"
	})
	if answered.field("terminal_outcome") != "Completed" {
		t.Errorf("the answer: %v", answered.Data)
	}
	if d := cmp.Diff([]string{"Sent", "AcceptedProgress", "AcceptedProgress", "Completed"}, f.states("ann", "PeerInteractionStateChanged", request1)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"Received", "Replied"}, f.states("bob", "InboundPeerInteractionStateChanged", request1)); d != "" {
		t.Error(d)
	}
	settle(t, env, "ann")
	if states := f.states("ann", "InteractionStreamStateChanged", request1); states[0] != "Reserved" || !strings.Contains(fmt.Sprint(states), "Attached Completed") {
		t.Errorf("stream: %v", states)
	}
	// The reply took the lane of the request.
	lane := f.await("ann", "acceptance", func(h *happening) bool {
		return h.Name == "InputAccepted" && h.field("input_id") == answered.field("input_id")
	})
	if lane.field("lane") != "Steer" {
		t.Errorf("the reply came in lane %v", lane.Data)
	}
	// It is over: another answer finds nothing, on either side.
	send(t, env, "bob", "c4", "send_response", `{"request_id":"`+request1+`","status":"Completed"}`)
	if r := f.refused("bob", "c4"); r["guard"] != "inbound_exists" {
		t.Errorf("second answer: %v", r)
	}
	refolds(t, env, "ann")
	refolds(t, env, "bob")
}

// What cannot be answered is answered all the same: by the deadline, by the peer's refusal,
// or by the end of the input it became.
func TestEveryRequestGetsOneAnswer(t *testing.T) {
	env, f := peers(t, nil)
	publish(t, env, "retired", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	send(t, env, "retired", "r", "retire", `{}`)
	f.applied("retired", "r")
	send(t, env, "deaf", "d", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c"}`)
	send(t, env, "deaf", "d2", "set_peer_ingress_context", `{"keep_alive":false}`)
	f.applied("deaf", "d2")

	id := 0
	for _, c := range []struct {
		name, to, data, state, code string
	}{
		{"nobody answers", "bob", `"intent":"ignore","timeout":"300ms"`, "TimedOut", "timed_out"},
		{"the input fails", "bob", `"intent":"fail"`, "Failed", "Abandoned"},
		{"the peer is retired", "retired", `"intent":"x"`, "Failed", "NotReady"},
		{"the peer does not listen", "deaf", `"intent":"x"`, "Failed", "DroppedSessionClosed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			id++
			request := fmt.Sprintf("018f0000-0000-7000-8000-00000000010%d", id)
			send(t, env, "ann", "q"+request, "send_request", fmt.Sprintf(`{"to":%q,"request_id":%q,%s}`, c.to, request, c.data))
			f.applied("ann", "q"+request)
			f.await("ann", "end of the request", func(h *happening) bool {
				return h.Name == "PeerInteractionCleanup" && h.field("corr_id") == request
			})
			states := f.states("ann", "PeerInteractionStateChanged", request)
			if d := cmp.Diff([]string{"Sent", c.state}, states); d != "" {
				t.Error(d)
			}
			settle(t, env, "ann")
			if got := told(t, env, "ann", request); len(got) != 1 || got[0] != c.code {
				t.Errorf("the asker was told %q, want %q once", got, c.code)
			}
		})
	}
	// The deadline that nobody needed any more changed nothing; a late answer is refused.
	send(t, env, "bob", "late", "send_response", `{"request_id":"018f0000-0000-7000-8000-000000000101","status":"Completed","body":"late"}`)
	f.applied("bob", "late")
	f.await("ann", "refusal of the late answer", func(h *happening) bool {
		return h.Name == "InputRejected" && h.field("kind") == "PeerResponseRejected"
	})
	refolds(t, env, "ann")
	refolds(t, env, "bob")
	refolds(t, env, "deaf")
}

// A request that is noted and then refused for want of a plan is closed, on both sides.
func TestARefusedRequestIsOwedNoAnswer(t *testing.T) {
	env, f := peers(t, nil)
	send(t, env, "ann", "c1", "send_request", `{"to":"bob","request_id":"`+request1+`","intent":"ignore","timeout":"1h"}`)
	f.await("bob", "the first request's end", func(h *happening) bool { return h.Name == "InputCompleted" })
	// No rule has a plan for the lane of what is both a request and a continuation like this.
	publishAs(t, env, env.Namespace.Source("ann"), "bob", "odd", subjects.InputType("peer_request"),
		`{"request_id":"`+request2+`","continuation_kind":"workgraph_attention","body":"x"}`, subjects.ExtLane, "steer")
	if r := f.await("bob", "refusal", func(h *happening) bool { return h.Name == "InputRejected" }); r.field("input_id") != "odd" {
		t.Errorf("refused is %v", r.Data)
	}
	settle(t, env, "bob")
	if d := cmp.Diff([]string{"Received", "Replied"}, f.states("bob", "InboundPeerInteractionStateChanged", request2)); d != "" {
		t.Error(d)
	}
	send(t, env, "bob", "late", "send_response", `{"request_id":"`+request2+`","status":"Completed"}`)
	if r := f.refused("bob", "late"); r["guard"] != "inbound_exists" {
		t.Errorf("an answer to what was refused: %v", r)
	}
	// The other is still owed one.
	send(t, env, "bob", "due", "send_response", `{"request_id":"`+request1+`","status":"Completed"}`)
	f.applied("bob", "due")
	refolds(t, env, "bob")
}

// told reads the error codes of the terminal responses that became inputs of a session.
func told(t *testing.T, env *embeddedtest.Env, id, request string) (codes []string) {
	t.Helper()
	for _, e := range session.AdmittedForTest(t.Context(), stored(t, env), id) {
		var data struct {
			RequestID string `json:"request_id"`
			Status    string `json:"status"`
			Error     struct {
				Code string `json:"code"`
			} `json:"error"`
		}
		if err := json.Unmarshal(e, &data); err != nil {
			t.Fatal(err)
		}
		if data.RequestID == request && data.Status != "" {
			codes = append(codes, data.Error.Code)
		}
	}
	return codes
}

// A timer of an earlier request of the same id is stale (PROTOCOL 34), and a stream nobody
// attached to expires.
func TestAStaleDeadlineChangesNothing(t *testing.T) {
	env, f := peers(t, nil)
	send(t, env, "ann", "c1", "send_request", `{"to":"bob","request_id":"`+request2+`","body":"1","timeout":"700ms"}`)
	f.await("ann", "first answer", func(h *happening) bool { return h.Name == "PeerInteractionCleanup" })
	send(t, env, "ann", "c2", "send_request",
		`{"to":"bob","request_id":"`+request2+`","intent":"ignore","body":"2","timeout":"1s","stream":true,"stream_ttl":"200ms"}`)
	send(t, env, "ann", "c3", "send_request", `{"to":"bob","request_id":"`+request2+`"}`)
	if r := f.refused("ann", "c3"); r["guard"] != "not_already_pending" {
		t.Errorf("the same request twice: %v", r)
	}
	f.await("ann", "expired stream", func(h *happening) bool { return h.Name == "InteractionStreamCleanup" })
	f.await("ann", "timeout", func(h *happening) bool {
		return h.Name == "PeerInteractionStateChanged" && h.field("new_state") == "TimedOut"
	})
	if d := cmp.Diff([]string{"Sent", "Completed", "Sent", "TimedOut"}, f.states("ann", "PeerInteractionStateChanged", request2)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"Reserved", "Expired"}, f.states("ann", "InteractionStreamStateChanged", request2)); d != "" {
		t.Error(d)
	}
	refolds(t, env, "ann")
}

// A peer whose mailbox is full does not hold up what its sender lets out for ever: the
// event comes back, and the request it was ends.
func TestARequestToAFullMailboxComesBack(t *testing.T) {
	env := embeddedtest.ProvisionedWith(t, "test", 2, subjects.Settings{MailboxLimit: 5})
	f := follow(t, env, "kalahari.test.*.fx.>")
	start(t, env, func(c *worker.Config) { c.Capacity, c.MailboxLimit = 1, 5 })
	publish(t, env, "ann", "p", subjects.InputType("prompt"), `{"text":"x"}`)
	settle(t, env, "ann")
	// The only worker has room for one session: nobody reads what bob is sent.
	for i := range 5 {
		publish(t, env, "bob", fmt.Sprint("p", i), subjects.InputType("prompt"), `{"text":"x"}`)
	}
	send(t, env, "ann", "c1", "send_request", `{"to":"bob","request_id":"`+request3+`","body":"are you there"}`)
	back := f.await("ann", "news", func(h *happening) bool { return h.Name == "PeerUndelivered" })
	if back.field("to") != "bob" || back.field("request_id") != request3 || !strings.Contains(back.field("reason"), "maximum messages") {
		t.Errorf("news: %v", back.Data)
	}
	settle(t, env, "ann")
	if d := cmp.Diff([]string{"Sent", "Failed"}, f.states("ann", "PeerInteractionStateChanged", request3)); d != "" {
		t.Error(d)
	}
	if got := told(t, env, "ann", request3); len(got) != 1 || got[0] != "undelivered" {
		t.Errorf("the asker was told %q", got)
	}
	// What was sent before and after is out.
	publish(t, env, "ann", "p2", subjects.InputType("prompt"), `{"text":"y"}`)
	f.await("ann", "what follows", func(h *happening) bool { return h.Name == "InputCompleted" && h.field("input_id") == "p2" })
	refolds(t, env, "ann")
}

func TestTheDrainCommands(t *testing.T) {
	env, f := peers(t, nil)
	ask := func(event, name, data string) map[string]any {
		t.Helper()
		send(t, env, "s", event, name, data)
		return f.applied("s", event)
	}
	if r := ask("c0", "wait", `{}`); r["drain_phase"] != "Inactive" {
		t.Errorf("wait without a drain: %v", r)
	}
	if r := ask("c1", "set_peer_ingress_context", `{"keep_alive":true}`); r["spawned"] != false {
		t.Errorf("no runtime: %v", r)
	}
	if r := ask("c2", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c1"}`); r["spawned"] != true {
		t.Errorf("spawn: %v", r)
	}
	if r := ask("c3", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c1"}`); r["spawned"] != false {
		t.Errorf("spawned twice: %v", r)
	}
	send(t, env, "s", "c4", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c2"}`)
	if r := f.refused("s", "c4"); r["kind"] != "ValidationFailed" || r["guard"] != "owner_allows_session_attach" {
		t.Errorf("another runtime: %v", r)
	}
	ask("c5", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c2","mob_id":"m"}`)
	send(t, env, "s", "w1", "wait", `{}`)
	send(t, env, "s", "w2", "wait", `{}`)
	ask("c6", "notify_drain_exited", `{"reason":"Failed"}`)
	for _, w := range []string{"w1", "w2"} {
		if r := f.applied("s", w); r["drain_phase"] != "ExitedRespawnable" {
			t.Errorf("%s: %v", w, r)
		}
	}
	if r := ask("c7", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c2","mob_id":"m"}`); r["spawned"] != true {
		t.Errorf("respawn: %v", r)
	}
	send(t, env, "s", "w3", "wait", `{}`)
	ask("c8", "abort", `{}`)
	if r := f.applied("s", "w3"); r["drain_phase"] != "Stopped" {
		t.Errorf("after abort: %v", r)
	}
	ask("c9", "abort_all", `{}`)
	ask("c10", "unregister_session", `{}`)
	ask("c11", "notify_drain_exited", `{"reason":"IdleTimeout"}`)
	ask("c12", "abort_all", `{}`)
	for _, name := range []string{"abort", "wait"} {
		send(t, env, "s", "u-"+name, name, `{}`)
		if r := f.refused("s", "u-"+name); r["kind"] != "NotReady" || r["phase"] != "Destroyed" {
			t.Errorf("%s of an unregistered session: %v", name, r)
		}
	}
	refolds(t, env, "s")
}

// A command that waits is answered when its session goes, whichever way.
func TestWhoWaitsIsAnsweredWhenTheSessionGoes(t *testing.T) {
	env, f := peers(t, nil)
	for _, c := range []struct{ session, end, wait, waitAll string }{
		{"destroyed", "destroy", "Destroyed", "Destroyed"},
		{"unregistered", "unregister_session", "", "WaitCancelled"},
	} {
		send(t, env, c.session, "d", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c"}`)
		send(t, env, c.session, "o", "register_operation", `{"operation_id":"o","kind":"BackgroundToolOp"}`)
		send(t, env, c.session, "w", "wait", `{}`)
		send(t, env, c.session, "a", "wait_all", `{"operation_ids":["o"]}`)
		f.applied(c.session, "o")
		if n := len(f.of(c.session, "CommandRejected")); n != 0 {
			t.Fatalf("%s: %v", c.session, f.of(c.session, "CommandRejected"))
		}
		send(t, env, c.session, "e", c.end, `{}`)
		f.applied(c.session, "e")
		if c.wait == "" {
			if r := f.applied(c.session, "w"); r["drain_phase"] != "Stopped" {
				t.Errorf("%s: wait: %v", c.session, r)
			}
			// The operation goes on: it is not the session's registration that it belongs to.
			send(t, env, c.session, "x", "cancel_wait_all", `{}`)
			f.applied(c.session, "x")
		} else if r := f.refused(c.session, "w"); r["kind"] != c.wait {
			t.Errorf("%s: wait: %v", c.session, r)
		}
		if r := f.refused(c.session, "a"); r["kind"] != c.waitAll {
			t.Errorf("%s: wait_all: %v", c.session, r)
		}
		refolds(t, env, c.session)
	}
}
