//go:build unix

package integration

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// mob plays the mob's side of the seam: it routes requests to its members' sessions and
// keeps what each must come to.
type mob struct {
	w    *world
	l    *ledger
	name string
	mu   sync.Mutex
	want map[string]string // request to "applied" or the code of its refusal
	work map[string]bool   // inputs that may be admitted
	// retired are the members whose retirement was signalled.
	retired map[string]bool
}

func (w *world) mob(name string) *mob {
	w.t.Helper()
	m := &mob{w: w, l: w.ledger(), name: name, want: map[string]string{}, work: map[string]bool{}, retired: map[string]bool{}}
	sub, err := w.nc.Subscribe(w.ns.MobSignal(name, "RuntimeRetired"), func(msg *nats.Msg) {
		ev, err := subjects.DecodeMsg(msg)
		if err != nil {
			w.t.Error(err)
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.retired[ev.Subject()] = true
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = sub.Unsubscribe() })
	return m
}

// route publishes one request until it is acknowledged. An answer of "" means that it is
// not known beforehand, only that there is one.
func (m *mob) route(session, id, command, data, answer string) error {
	ev := newEvent(id, subjects.CommandType(command), data)
	ev.SetSource("/kalahari/test/mobs/" + m.name)
	m.mu.Lock()
	m.want[id] = answer
	m.mu.Unlock()
	return m.l.publish(m.w.t.Context(), session, ev)
}

// life takes a member through all that a mob does to it. It waits for nothing but the
// retirement: a member that is destroyed before is not retired any more.
func (m *mob) life(session string, works int) error {
	id := func(what string) string { return session + "/" + what }
	binding := fmt.Sprintf(`{"agent_runtime_id":"rt-%s","fence_token":7,"generation":1}`, session)
	ingest := func(work string, fence int) string {
		m.mu.Lock()
		m.work[id(work)] = fence == 7
		m.mu.Unlock()
		return fmt.Sprintf(`{"runtime_id":"rt-%s","fence_token":%d,"generation":1,"work_id":%q,"origin":"External",
			"input":{"kind":"flow_step","data":{"step_id":"x","text":"work"}}}`, session, fence, id(work))
	}
	type request struct{ id, command, data, answer string }
	requests := []request{
		{id("early"), "ingest", ingest("early", 3), "routed_session_not_registered"},
		{id("bind"), "prepare_bindings", binding, "applied"},
		{id("stale-bind"), "prepare_bindings", fmt.Sprintf(`{"agent_runtime_id":"rt-%s","fence_token":6,"generation":1}`, session), "dsl_guard_rejected"},
		{id("bind-again"), "prepare_bindings", binding, "applied"},
		{id("stale"), "ingest", ingest("stale", 3), "dsl_guard_rejected"},
		{id("no-generation"), "ingest", fmt.Sprintf(`{"runtime_id":"rt-%s","fence_token":7,"work_id":"w","origin":"External"}`, session), "consumer_projection_failed"},
		{id("foreign"), "retire", `{"session_id":"somebody"}`, "consumer_projection_failed"},
		{id("interrupt"), "interrupt", `{}`, "routed_raw_internal_input_rejected"},
		{id("reset"), "reset", `{}`, "meerkat_consumer_surface_unsupported_input"},
	}
	for i := range works {
		work := fmt.Sprint("work-", i)
		requests = append(requests, request{id(work), "ingest", ingest(work, 7), "applied"})
	}
	send := func(requests ...request) error {
		for _, r := range requests {
			if err := m.route(session, r.id, r.command, r.data, r.answer); err != nil {
				return err
			}
			time.Sleep(15 * time.Millisecond) // it has others to look after
		}
		return nil
	}
	if err := send(append(
		requests,
		request{id("retire"), "retire", `{}`, "applied"},
		request{id("late"), "ingest", ingest("late", 7), ""}, // the retirement may wait for a run
	)...); err != nil {
		return err
	}
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		m.mu.Lock()
		retired := m.retired[session]
		m.mu.Unlock()
		if retired {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s was not retired within a minute", session)
		}
	}
	return send([]request{
		{id("destroy"), "destroy", `{}`, "applied"},
		{id("destroyed"), "destroy", `{}`, "dsl_guard_rejected"},
		{id("after"), "ingest", ingest("after", 3), "dsl_guard_rejected"},
	}...)
}

// said is a message on the mob's subjects.
type said struct{ id, session, name, cause, code, phase, rule, guard string }

// heard reads what the mob was told, each event once, in the order of the stream.
func (m *mob) heard() (all []said) {
	m.w.t.Helper()
	seen := map[string]string{}
	err := m.w.read(m.w.ns.MobStream(), func(msg jetstream.Msg) error {
		ev, err := subjects.Decode(msg.Headers(), msg.Data())
		if err != nil {
			return err
		}
		if was, again := seen[ev.ID()]; again {
			if was != string(ev.Data()) {
				m.w.t.Errorf("%s came with %s and with %s", ev.ID(), was, ev.Data())
			}
			return nil
		}
		seen[ev.ID()] = string(ev.Data())
		var data struct {
			Code  string `json:"code"`
			Phase string `json:"phase"`
			Rule  string `json:"rule"`
			Guard string `json:"guard"`
		}
		if err := json.Unmarshal(ev.Data(), &data); err != nil {
			return err
		}
		cause, _ := ev.Extensions()[subjects.ExtCausationID].(string)
		all = append(all, said{ev.ID(), ev.Subject(), subjects.Tail(msg.Subject()), cause, data.Code, data.Phase, data.Rule, data.Guard})
		return nil
	})
	if err != nil {
		m.w.t.Fatal(err)
	}
	return all
}

func TestAMobIsAnsweredWhileItsMembersWorkerIsKilled(t *testing.T) {
	const members, works = 24, 4
	w := begin(t, 2, subjects.Settings{})
	args := []string{"--executor-delay=100ms"}
	h := w.follow()
	dead := w.worker("dead", args...)
	w.ready(dead, w.worker("b", args...))
	m := w.mob("m1")
	var lives sync.WaitGroup
	for i, session := range names("member", members) {
		lives.Add(1)
		go func() {
			defer lives.Done()
			time.Sleep(time.Duration(i) * 20 * time.Millisecond) // a mob grows
			if err := m.life(session, works); err != nil {
				t.Error(err)
			}
		}()
	}
	w.until(20*time.Second, "members work", func() bool { return len(ownedBy(h, names("member", members), dead)) >= 6 })
	dead.kill()
	lives.Wait()

	answers := func() (n int) {
		for _, s := range m.heard() {
			if s.name == "CommandApplied" || s.name == "CommandRejected" {
				n++
			}
		}
		return n
	}
	w.until(60*time.Second, "every request is answered", func() bool { return answers() >= len(m.want) })
	r := w.reread()
	w.checkFx(r)
	heard := m.heard()
	got, signals, bound := map[string][]said{}, map[string][]string{}, map[string]int{}
	for i, s := range heard {
		switch s.name {
		case "CommandApplied", "CommandRejected":
			got[s.cause] = append(got[s.cause], s)
		default:
			signals[s.session] = append(signals[s.session], s.name)
			if s.name == "RuntimeBound" {
				bound[s.session] = i
			}
		}
	}
	for id, want := range m.want {
		all := got[id]
		if len(all) != 1 {
			t.Errorf("%s has %d answers: %v", id, len(all), all)
			continue
		}
		answer := all[0].code
		if all[0].name == "CommandApplied" {
			answer = "applied"
		}
		if want != "" && answer != want {
			t.Errorf("%s: %v, want %s", id, all[0], want)
		}
		// In these phases no rule comes near.
		late := all[0].phase == "Destroyed" || all[0].phase == "Retired"
		if a := all[0]; answer == "dsl_guard_rejected" && !late && (a.rule == "" || a.guard == "") {
			t.Errorf("%s: no rule named: %+v", id, a)
		}
	}
	if len(got) != len(m.want) {
		t.Errorf("%d requests were answered, %d were sent", len(got), len(m.want))
	}
	for _, session := range names("member", members) {
		if !slices.Equal(signals[session], []string{"RuntimeBound", "RuntimeRetired", "RuntimeDestroyed"}) {
			t.Errorf("%s: signals %v", session, signals[session])
		}
		// One stream holds answers and signals, so a mob reads them in the order they happened.
		answered := slices.IndexFunc(heard, func(s said) bool { return s.cause == session+"/bind" && s.name == "CommandApplied" })
		if answered < bound[session] {
			t.Errorf("%s: the binding was answered before it was signalled", session)
		}
		accepted, ended := map[string]int{}, map[string]int{}
		for _, f := range r.facts(session, "InputAccepted") {
			accepted[f.Fields.InputID]++
		}
		for _, f := range r.facts(session, "InputCompleted") {
			ended[f.Fields.InputID]++
			r.outcomes[f.Fields.Outcome]++
		}
		for i := range works {
			id := fmt.Sprint(session, "/work-", i)
			if accepted[id] != 1 || ended[id] != 1 {
				t.Errorf("%s was accepted %d times and ended %d times", id, accepted[id], ended[id])
			}
		}
		for id := range accepted {
			if !m.work[id] {
				t.Errorf("%s was admitted under a stale binding", id)
			}
		}
	}
	if r.claims <= members {
		t.Error("no session changed its owner: the kill came too late")
	}
	t.Logf("%s; %d requests, %d messages to the mob", r, len(m.want), len(heard))
}
