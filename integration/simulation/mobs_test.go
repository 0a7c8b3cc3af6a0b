package simulation

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// route makes a command one that a mob routes to a member (docs/wire.md, The mob seam).
type route struct {
	mob   string
	bound binding // what the mob believes the member is bound to
	flaw  flaw
}

// binding is a runtime as a mob names it. In a session each part of it may be missing.
type binding struct {
	runtime           string
	fence, generation uint64 // from 1
}

// flaw is what is wrong with a routed command, so that the seam refuses it.
type flaw string

const (
	foreign flaw = "foreign" // it names another session
	partial flaw = "partial" // a field that the route binds is missing
	excess  flaw = "excess"  // it has one that the route does not carry
)

// enroll makes members of some of the sessions of some seeds.
func enroll(r *rand.Rand, p *plan) {
	if r.IntN(2) == 0 {
		return
	}
	for i := range p.scripts {
		if s := &p.scripts[i]; r.IntN(2) == 0 {
			s.steps = weave(r, s.steps, newMembership(r, p, s.session))
		}
	}
}

// weave mixes two scripts of one session into one.
func weave(r *rand.Rand, a, b []step) (all []step) {
	for len(a)+len(b) > 0 {
		from := &a
		if r.IntN(len(a)+len(b)) >= len(a) {
			from = &b
		}
		all = append(all, (*from)[0])
		*from = (*from)[1:]
	}
	return all
}

// newMembership is what a mob does to a member, and what others do to the binding.
func newMembership(r *rand.Rand, p *plan, session string) (steps []step) {
	home := pick(r, "m0", "m1")
	now := binding{"rt-" + session, uint64(2 + r.IntN(3)), 1}
	pace := pick(r, 20*time.Millisecond, 500*time.Millisecond, 3*time.Second)
	n := 3 + r.IntN(12)
	add := func(command string) *step {
		steps = append(steps, step{
			wait: randomTime(r, 2*pace), id: fmt.Sprintf("%s-r%d", session, len(steps)), command: command, control: r.IntN(4) == 0,
			text:  fmt.Sprintf(`{"text":"%d","echo":{"delay":"%s"}}`, len(steps), randomTime(r, p.tune.RunTime)),
			route: &route{mob: home, bound: now},
		})
		return &steps[len(steps)-1]
	}
	if r.IntN(4) > 0 {
		add("prepare_bindings")
	}
	for len(steps) < n {
		switch r.IntN(20) {
		case 0, 1:
			add("prepare_bindings")
		case 2, 3: // the binding is let go, and there is a new one
			add(pick(r, "reset", "recycle")).route = nil
			now.fence++
			now.generation += uint64(r.IntN(2))
			if r.IntN(4) > 0 {
				add("prepare_bindings")
			}
		case 4, 5, 6:
			st := add(pick(r, "ingest", "ingest", "prepare_bindings"))
			switch b := &st.route.bound; r.IntN(4) {
			case 0, 1:
				b.fence--
			case 2:
				b.generation++
			case 3:
				b.runtime = "rt-of-old"
			}
		case 7:
			if r.IntN(3) == 0 {
				add("retire").route.flaw = pick(r, foreign, excess) // it has no field that could be missing
			} else {
				add(pick(r, "prepare_bindings", "ingest")).route.flaw = pick(r, foreign, partial, excess)
			}
		case 8:
			add(pick(r, "interrupt", "reset", "pause"))
		case 9:
			add(pick(r, "ingest", "prepare_bindings")).route.mob = pick(r, "m0", "m1")
		case 10, 11:
			if len(steps) > 0 && p.tune.Retain >= forgetful {
				st := steps[r.IntN(len(steps))]
				st.wait, st.again, st.bare = randomTime(r, pace), true, r.IntN(2) == 0
				steps = append(steps, st)
			}
		case 12:
			if len(steps) > n/2 {
				add(pick(r, "retire", "retire", "destroy"))
			}
		default:
			add("ingest")
		}
	}
	return steps
}

// address makes the event the mob's, by one of the two ways there are, and returns its data.
func (to *route) address(ev *event.Event, st *step) string {
	if to.mob == "m1" {
		ev.SetSource("/kalahari/test/mobs/" + to.mob)
	} else {
		ev.SetExtension("mob", to.mob)
	}
	data := map[string]any{}
	switch b := to.bound; st.command {
	case "prepare_bindings":
		data["agent_runtime_id"], data["fence_token"], data["generation"] = b.runtime, b.fence, b.generation
	case "ingest":
		data["runtime_id"], data["fence_token"], data["generation"] = b.runtime, b.fence, b.generation
		data["work_id"], data["origin"] = st.id, "External" // so the input has the id of the command
		data["input"] = map[string]any{"kind": "prompt", "data": json.RawMessage(st.text)}
	}
	switch to.flaw {
	case foreign:
		data["session_id"] = "somebody"
	case partial:
		delete(data, "generation")
	case excess:
		data["runtime_epoch_id"] = "one"
	}
	text, err := json.Marshal(data)
	if err != nil {
		panic(fmt.Sprintf("simulation: %v", err))
	}
	return string(text)
}

// told is a message to a mob.
type told struct{ mob, name, id, cause, data string }

// told reads what the mobs were told of each session, each event once, in the order in which
// it came first. A repeat must be one.
func (w *world) told() (map[string][]told, error) {
	all, known := map[string][]told{}, map[string]told{}
	err := w.read(w.ns.MobStream(), func(m *jetstream.RawStreamMsg) error {
		ev, err := subjects.Decode(m.Header, m.Data)
		if err != nil {
			return err
		}
		cause, _ := ev.Extensions()[subjects.ExtCausationID].(string)
		now := told{strings.Split(m.Subject, ".")[3], subjects.Tail(m.Subject), ev.ID(), cause, string(ev.Data())}
		if was, again := known[now.id]; !again {
			known[now.id] = now
			all[ev.Subject()] = append(all[ev.Subject()], now)
		} else if was != now {
			w.fail("mobs: %s was told as %v and as %v", now.id, was, now)
		}
		return nil
	})
	return all, err
}

// checkMobs: a mob is told what the logs say and nothing else, each event under its id and in
// the order of the session; a routed command is applied under the binding that stands and
// under no other, and is not refused for its binding if that is the one.
func (w *world) checkMobs() {
	all, err := w.told()
	if err != nil {
		w.fail("mobs: %v", err)
		return
	}
	for session, h := range w.history {
		m := seam{w: w, session: session}
		for _, c := range h.commits {
			for _, f := range c.events {
				m.see(f)
			}
		}
		m.compare(all[session])
		delete(all, session)
	}
	for session, heard := range all {
		w.fail("mobs: %s has no log, and was told of: %v", session, heard)
	}
}

// seam is what a session's log says of it and its mobs, as far as it was read.
type seam struct {
	w       *world
	session string
	mob     string  // that bound it
	bound   binding // to this
	due     []told
}

// see reads on.
func (m *seam) see(f fact) {
	st := m.w.plan.input(m.session, f.Cause)
	routed := st != nil && st.route != nil
	mob := ""
	switch f.Name {
	case "RuntimeBound", "RuntimeRetired", "RuntimeDestroyed":
		mob = m.mob
		names := binding{runtime: f.Fields.Runtime, fence: f.Fields.Fence, generation: m.bound.generation}
		is := m.bound
		if f.Name == "RuntimeBound" && routed {
			mob, is = st.route.mob, st.route.bound
			names.generation = is.generation
		}
		if names != is {
			m.w.fail("%s: %s names %v, the binding is %v", m.session, f.ID, names, is)
		}
	case "CommandApplied", "CommandRejected":
		if routed {
			mob = st.route.mob
			m.judge(st, f)
		}
		m.obey(f, st)
	}
	if mob != "" {
		m.due = append(m.due, told{mob, f.Name, f.ID, f.Cause, string(f.Data)})
	}
}

// obey is what a command that was applied does to the binding.
func (m *seam) obey(f fact, st *step) {
	if f.Name != "CommandApplied" {
		return
	}
	switch f.Fields.Command {
	case "prepare_bindings":
		m.mob, m.bound = st.route.mob, st.route.bound
	case "reset":
		m.bound.fence = 0
	case "recycle", "unregister_session":
		m.bound = binding{}
	}
}

// judge asks whether a routed command got the answer it should have.
func (m *seam) judge(st *step, f fact) {
	applied, code := f.Name == "CommandApplied", f.Fields.Code
	codes, fits := []string{"dsl_guard_rejected", "routed_session_not_registered"}, true
	switch b := st.route.bound; {
	case st.command == "interrupt":
		codes, fits = []string{"routed_raw_internal_input_rejected"}, false
	case st.command == "reset", st.command == "pause":
		codes, fits = []string{"meerkat_consumer_surface_unsupported_input"}, false
	case st.route.flaw != "":
		codes, fits = []string{"consumer_projection_failed", "routed_session_not_registered"}, false
	case st.command == "prepare_bindings":
		fits = (m.bound.runtime == "" || m.bound.runtime == b.runtime) && (m.bound.fence == 0 || m.bound.fence == b.fence) &&
			(m.bound.generation == 0 || m.bound.generation == b.generation)
	case st.command == "ingest":
		fits = m.bound == b
	}
	switch {
	case applied && !fits:
		m.w.fail("%s: %s of %s under the binding %v is applied, and %v stands", m.session, st.command, st.id, st.route.bound, m.bound)
	case !applied && !slices.Contains(codes, code):
		m.w.fail("%s: %s of %s is refused as %s", m.session, st.command, st.id, f.Data)
	case !applied && fits && strings.Contains(f.Fields.Guard, "_binding_"):
		m.w.fail("%s: %s of %s under the binding that stands, %v, is refused as %s", m.session, st.command, st.id, m.bound, f.Data)
	}
}

// compare compares what is due to mobs with what they were told.
func (m *seam) compare(heard []told) {
	for i := range max(len(m.due), len(heard)) {
		switch {
		case i >= len(heard):
			m.w.fail("%s: a mob was not told of %v", m.session, m.due[i])
		case i >= len(m.due):
			m.w.fail("%s: a mob was told of %v, and its log has no more", m.session, heard[i])
		case m.due[i] != heard[i]:
			m.w.fail("%s: a mob was told of %v, due was %v", m.session, heard[i], m.due[i])
		default:
			continue
		}
		return
	}
}
