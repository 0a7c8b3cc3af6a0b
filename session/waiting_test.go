package session_test

import (
	"fmt"
	"testing"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/kalahari-run/kalahari/subjects"
)

// An event's id is its source's alone: commands of two producers that wait under one id are
// answered each in its time.
func TestWhoWaitsIsToldByItsSource(t *testing.T) {
	env, f := peers(t, nil)
	from := func(source, id, name, data string) {
		t.Helper()
		ev := event.New()
		ev.SetID(id)
		ev.SetSource(source)
		ev.SetType(subjects.CommandType(name))
		if err := ev.SetData(event.ApplicationJSON, []byte(data)); err != nil {
			t.Fatal(err)
		}
		msg, err := subjects.EncodeBinary(ev, env.Namespace.In("s"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := env.JS.PublishMsg(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
	answered := func(command string) {
		t.Helper()
		f.await("s", "answer to "+command, func(h *happening) bool {
			return h.Name == "CommandApplied" && h.Cause == "1" && h.field("command") == command
		})
	}
	send(t, env, "s", "d", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c"}`)
	send(t, env, "s", "o", "register_operation", `{"operation_id":"o","kind":"MobMemberChild"}`)
	from("/a", "1", "wait", `{}`)
	from("/b", "1", "wait_all", `{"operation_ids":["o"]}`)
	send(t, env, "s", "e", "fail_operation", `{"operation_id":"o"}`)
	answered("wait_all")
	send(t, env, "s", "u", "unregister_session", `{}`)
	answered("wait")
	refolds(t, env, "s")
}

// What waits is kept with the session's state, so there is a bound. One command more is
// refused, and those that wait are answered as ever.
func TestWaitingCommandsAreBounded(t *testing.T) {
	env, f := peers(t, nil)
	send(t, env, "s", "d", "set_peer_ingress_context", `{"keep_alive":true,"comms_runtime_id":"c"}`)
	f.applied("s", "d")
	const most = 4096
	for i := range most {
		ev := event.New()
		ev.SetID(fmt.Sprint("w", i))
		ev.SetSource("/test")
		ev.SetType(subjects.CommandType("wait"))
		msg, err := subjects.EncodeBinary(ev, env.Namespace.In("s"))
		if err != nil {
			t.Fatal(err)
		}
		if err := env.Conn.PublishMsg(msg); err != nil {
			t.Fatal(err)
		}
	}
	send(t, env, "s", "more", "wait", `{}`)
	if r := f.refused("s", "more"); r["kind"] != "NotReady" || r["reason"] != "4096 commands wait already, which is the most" {
		t.Errorf("one more: %v", r)
	}
	refolds(t, env, "s")
	send(t, env, "s", "a", "abort", `{}`)
	f.applied("s", fmt.Sprint("w", most-1))
	answered := map[string]int{}
	for _, h := range f.of("s", "CommandApplied", "CommandRejected") {
		if h.field("command") == "wait" {
			answered[h.Name]++
		}
	}
	if answered["CommandApplied"] != most || answered["CommandRejected"] != 1 {
		t.Errorf("answers: %v", answered)
	}
	send(t, env, "s", "again", "wait", `{}`)
	f.applied("s", "again")
	refolds(t, env, "s")
}
