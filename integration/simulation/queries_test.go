package simulation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// question is asked of the fleet (docs/wire.md, Queries).
type question struct {
	at      time.Duration
	session string
	query   string
	input   string // of "input"
	from    int    // of "history": after so many of the commits that are known, unless there are fewer
	limit   int
}

// nobody is a session that nothing is ever sent to.
const nobody = "nobody"

// newQuestions are what is asked in some of the seeds during the trouble.
func newQuestions(r *rand.Rand, p *plan) (all []question) {
	if r.IntN(2) == 0 {
		return nil
	}
	for range 10 + r.IntN(30) {
		s := p.scripts[r.IntN(len(p.scripts))]
		q := question{
			at: randomTime(r, p.trouble), session: s.session, input: s.steps[r.IntN(len(s.steps))].id, from: r.IntN(40), limit: 1 + r.IntN(50),
			query: pick(r, "state", "state", "state", "inputs", "input", "input", "history", "history", "owner", "list_active_inputs",
				"contains_session", "runtime_state", "nonsense"),
		}
		if r.IntN(20) == 0 {
			q.session = nobody
		}
		all = append(all, q)
	}
	slices.SortFunc(all, func(a, b question) int { return int(a.at - b.at) })
	return all
}

// reply is what came of a question.
type reply struct {
	question
	known   int  // commits of the session that stood in the log when it was asked
	settled bool // the trouble was over by then, for longer than a former owner can be one without knowing
	after   string
	data    []byte // the answer
	code    string // or the error
	status  string
	none    bool // nobody answered
}

// formerFor is how long after the trouble a worker may answer for a session that another one
// owns: until it ends itself for want of a heartbeat, or one tells it (PROTOCOL 14, 22).
const formerFor = 30 * time.Second

// inquire asks what the plan says, and keeps the replies.
func (w *world) inquire(all []question) {
	if len(all) == 0 {
		return
	}
	a := w.producer("asker")
	defer a.close()
	for _, q := range all {
		time.Sleep(time.Until(w.began.Add(q.at)))
		if time.Since(w.began) > w.plan.trouble {
			return
		}
		a.ask(q, false)
	}
}

func (p *producer) ask(q question, settled bool) *reply {
	w := p.w
	r := &reply{question: q, settled: settled}
	w.mu.Lock()
	if h := w.history[q.session]; h != nil {
		r.known = len(h.commits)
		if q.query == "history" && q.from > 0 && r.known > 0 {
			r.after = h.resumePoint(q.from)
		}
	}
	w.mu.Unlock()
	args := map[string]any{}
	switch q.query {
	case "input":
		args["input_id"] = q.input
	case "history":
		args["limit"] = q.limit
		if r.after != "" {
			args["after"] = r.after
		}
	}
	data, err := json.Marshal(args)
	if err != nil {
		panic(fmt.Sprintf("simulation: %v", err))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second) // a worker has five
	defer cancel()
	m, err := p.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: w.ns.Query(q.session, q.query), Data: data})
	if r.none = err != nil; !r.none {
		r.data, r.status = m.Data, m.Header.Get(micro.ErrorCodeHeader)
	}
	if r.status != "" {
		var body struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal(r.data, &body); err != nil || body.Error.Message != m.Header.Get(micro.ErrorHeader) {
			w.fail("queries: %s of %s: the error %q is answered with %q", q.query, q.session, m.Header.Get(micro.ErrorHeader), r.data)
		}
		r.code = body.Error.Code
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replies = append(w.replies, r)
	return r
}

// resumePoint is the id of the last event of the nth commit known, or one before.
func (h *chronicle) resumePoint(n int) string {
	for n = min(n, len(h.commits)); n > 0; n-- {
		if c := h.commits[n-1]; len(c.events) > 0 {
			return place(c.events[len(c.events)-1].ID)
		}
	}
	return ""
}

// place is where an event stands, by its id.
func place(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// interview asks everything of every session, until it is answered.
func (w *world) interview(settled bool) (all []*reply) {
	if len(w.plan.questions) == 0 {
		return nil
	}
	a := w.producer("interviewer")
	defer a.close()
	hears := time.Now() // from then on the server asks nobody who is not there
	if settled {
		for _, b := range w.plan.blows {
			if b.kind == vanish {
				hears = maxTime(hears, w.began.Add(b.at+serversPatience))
			}
		}
	}
	for _, s := range w.plan.scripts {
		ask := func(query, input string) {
			q := question{session: s.session, query: query, input: input, limit: 1000}
			for from := time.Now(); ; {
				r := a.ask(q, settled)
				if !r.none && r.code != "internal" {
					all = append(all, r)
					return
				}
				if settled && from.After(hears) || time.Since(from) > settledWithin {
					w.fail("queries: %s of %s is not answered after the trouble: %s %s", query, s.session, r.code, r.data)
					return
				}
			}
		}
		for _, query := range []string{"state", "inputs", "list_active_inputs", "runtime_state", "contains_session", "session_has_executor", "history", "owner"} {
			ask(query, "")
		}
		for i := 0; i < len(s.steps); i += 7 {
			ask("input", s.steps[i].id)
		}
	}
	return all
}

// atRest asks once more when nobody owns anything: the store says what the owners said. And
// nobody wakes from being asked.
func (w *world) atRest(healed time.Time, owners []*reply) {
	if len(w.plan.questions) == 0 {
		return
	}
	time.Sleep(time.Until(healed.Add(formerFor)))
	awake, err := w.owners() // of an activation that was delivered once more
	store := w.interview(true)
	now, errNow := w.owners()
	for _, o := range now {
		if !slices.Contains(awake, o) {
			w.fail("queries: %s was woken by a question", o.Session)
		}
	}
	if err = errors.Join(err, errNow); err != nil {
		w.fail("queries: %v", err)
	}
	for i, was := range owners {
		if i >= len(store) || store[i].question != was.question {
			break // one was not answered
		}
		now := store[i]
		h := w.history[was.session]
		if slices.ContainsFunc(h.commits[was.known:], func(c commit) bool { return len(c.events) > 0 }) || was.query == "owner" || was.query == "history" {
			continue // something happened since, or it is the same for both
		}
		if a, b := essence(was), essence(now); !reflect.DeepEqual(a, b) {
			w.fail("queries: %s of %s is %s%s when nobody owns it, and was %s%s", was.query, was.session, now.code, now.data, was.code, was.data)
		}
	}
}

// essence is what of an answer, or an error, does not depend on who gives it.
func essence(r *reply) (data any) {
	_ = json.Unmarshal(r.data, &data) // what it says is looked at elsewhere
	if of, ok := data.(map[string]any); ok && r.query == "state" {
		for _, name := range []string{"commit", "log_sequence", "fence", "worker"} {
			delete(of, name)
		}
	}
	return data
}

// standing is what a log says of its session behind one of its commits.
type standing struct {
	live     []string // inputs that have not ended, sorted
	sequence string   // of the last event on fx
	paused   bool
}

// standings are those behind each commit, from none on.
func (h *chronicle) standings() []standing {
	s := standing{sequence: "0"}
	all := []standing{s}
	for _, c := range h.commits {
		s.live = slices.Clone(s.live)
		for _, f := range c.events {
			switch f.Name {
			case "InputAccepted":
				s.live = append(s.live, f.Fields.InputID)
				slices.Sort(s.live)
			case "InputCompleted":
				s.live = slices.DeleteFunc(s.live, func(id string) bool { return id == f.Fields.InputID })
			case "SessionPaused", "SessionResumed":
				s.paused = f.Name == "SessionPaused"
			}
			if f.Sequence != "" {
				s.sequence = f.Sequence
			}
		}
		all = append(all, s)
	}
	return all
}

// errorsOf are the errors that queries answer with, and their status (docs/wire.md).
var errorsOf = map[string]string{
	"session_not_found": "404", "input_not_found": "404", "runtime_not_found": "404", "session_not_registered": "409",
	"unknown_query": "400", "internal": "500",
}

// checkQueries: an answer tells what stands in the log, behind one of its commits: one of the
// store behind all that stood there when it was asked, one of an owner behind all of its own;
// of a former owner there is none a while after the trouble; an error is one that is due.
func (w *world) checkQueries() {
	all := map[string][]standing{nobody: {{}}}
	for session, h := range w.history {
		all[session] = h.standings()
	}
	for _, r := range w.replies {
		if r.none {
			continue
		}
		h := w.history[r.session]
		if h == nil {
			h = &chronicle{}
		}
		s := all[r.session]
		if s == nil {
			s = all[nobody]
		}
		if wrong := w.wrong(r, h, s); wrong != "" {
			w.fail("queries: %s of %s, asked behind commit %d (%s), is %s%.500s: %s", r.query, r.session, r.known, r.input+r.after, r.code, r.data, wrong)
		}
	}
}

// wrong says what is wrong with a reply, "" if nothing is.
func (w *world) wrong(r *reply, h *chronicle, all []standing) string {
	least := 0 // the commit it must know of
	if r.settled {
		least = r.known
	}
	switch {
	case r.code != "" && (errorsOf[r.code] == "" || errorsOf[r.code] != r.status):
		return "no such error, or not with status " + r.status
	case r.code == "internal":
		return "" // that it cannot tell, in the trouble: who asks after it goes on asking
	case r.code == "session_not_found":
		return unless(r.known == 0, "it has a log")
	case r.query == "nonsense":
		return unless(r.code == "unknown_query", "it is no query")
	case r.query == "input":
		return w.wrongInput(r, h, least)
	case r.query == "runtime_state" && r.code == "runtime_not_found", r.query == "list_active_inputs" && r.code == "session_not_registered":
		return "" // whether it is registered is not in the events
	case r.code != "":
		return "no error that this query has"
	case r.query == "state":
		return wrongState(r, h, all, least)
	case r.query == "history":
		return w.wrongHistory(r, h)
	case r.query == "owner":
		return wrongOwner(r, h)
	case r.query == "inputs", r.query == "list_active_inputs":
		var list struct {
			Inputs []struct {
				ID string `json:"input_id"`
			} `json:"inputs"`
			IDs []string `json:"input_ids"`
		}
		if err := json.Unmarshal(r.data, &list); err != nil {
			return err.Error()
		}
		for _, in := range list.Inputs {
			list.IDs = append(list.IDs, in.ID)
		}
		slices.Sort(list.IDs)
		return unless(slices.ContainsFunc(all[least:], func(s standing) bool { return slices.Equal(s.live, list.IDs) }), "these were never those that had not ended")
	}
	return ""
}

func unless(right bool, wrong string) string {
	if right {
		return ""
	}
	return wrong
}

func wrongState(r *reply, h *chronicle, all []standing, least int) string {
	var a struct {
		Commit   int    `json:"commit"`
		Log      uint64 `json:"log_sequence"`
		Cursor   uint64 `json:"cursor"`
		Fence    uint64 `json:"fence"`
		Worker   string `json:"worker"`
		Sequence uint64 `json:"sequence"`
		Live     int    `json:"live_inputs"`
		Holds    []any  `json:"holds"`
	}
	if err := json.Unmarshal(r.data, &a); err != nil {
		return err.Error()
	}
	if a.Commit < 1 || a.Commit > len(h.commits) {
		return "there is no such commit"
	}
	for n, c := range h.commits[:r.known] {
		if a.Worker == "" || c.fence <= a.Fence { // an owner knows its own
			least = max(least, n+1)
		}
	}
	c, s := h.commits[a.Commit-1], all[a.Commit]
	switch {
	case a.Commit < least:
		return fmt.Sprintf("it should know of commit %d", least)
	case a.Log != c.seq || a.Cursor != c.cursor || a.Fence != c.fence || a.Worker != "" && a.Worker != c.worker:
		return fmt.Sprintf("the commit is at %d, cursor %d, fence %d, of %s", c.seq, c.cursor, c.fence, c.worker)
	case fmt.Sprint(a.Sequence) != s.sequence || a.Live != len(s.live) || len(a.Holds) > 0 != s.paused:
		return fmt.Sprintf("the log says %+v", s)
	}
	return ""
}

func (w *world) wrongInput(r *reply, h *chronicle, least int) string {
	var a struct {
		ID      string `json:"input_id"`
		Outcome string `json:"terminal_outcome"`
		At      string `json:"completed_at"`
		RunID   string `json:"run_id"`
	}
	if err := json.Unmarshal(r.data, &a); err != nil {
		return err.Error()
	}
	accepted, ended := len(h.commits), len(h.commits) // before which it was not
	var end fact
	for n, c := range h.commits {
		for _, f := range c.events {
			switch {
			case f.Fields.InputID != r.input:
			case f.Name == "InputAccepted":
				accepted = min(accepted, n)
			case f.Name == "InputCompleted":
				ended, end = n, f
			}
		}
	}
	switch {
	case r.code == "input_not_found":
		return unless(accepted >= least || w.plan.tune.Retain < forgetful, "it was accepted")
	case r.code != "":
		return "no error that this query has"
	case a.ID != r.input || accepted == len(h.commits):
		return "it is another, or was never accepted"
	case a.Outcome == "":
		return unless(ended >= least, "it has ended")
	}
	return unless(a.Outcome == end.Fields.Outcome && a.At == place(end.ID) && a.RunID == end.Fields.RunID, "it ended as "+string(end.Data)+" at "+end.ID)
}

// wrongHistory: a page is the feed from the place asked for on, without a gap, or from the
// oldest commit that is left, and ends early only if it says so.
func (w *world) wrongHistory(r *reply, h *chronicle) string {
	var a struct {
		Events []fact `json:"events"`
		Next   string `json:"next"`
	}
	if err := json.Unmarshal(r.data, &a); err != nil {
		return err.Error()
	}
	var feed []fact
	began := 0 // behind the place asked for
	known := 0 // at least so many were there
	of := []commit{}
	for n, c := range h.commits {
		for _, f := range c.events {
			feed, of = append(feed, f), append(of, c)
			if place(f.ID) == r.after {
				began = len(feed)
			}
		}
		if n < r.known {
			known = len(feed)
		}
	}
	at := began
	if len(a.Events) > 0 {
		at = slices.IndexFunc(feed, func(f fact) bool { return f.ID == a.Events[0].ID })
	}
	switch {
	case at < began || at+len(a.Events) > len(feed) || len(a.Events) > r.limit:
		return "it is no part of the feed"
	case at > began && w.stands(r.session, of[began]):
		return "it does not begin with " + feed[began].ID
	case a.Next == "" && at+len(a.Events) < known && (len(a.Events) > 0 || w.stands(r.session, of[known-1])):
		return "it ends before " + feed[known-1].ID
	case a.Next != "" && (len(a.Events) == 0 || a.Next != place(a.Events[len(a.Events)-1].ID)):
		return "it goes on elsewhere"
	}
	for i, f := range a.Events {
		if was := feed[at+i]; f.ID != was.ID || f.Cause != was.Cause || f.Sequence != was.Sequence || string(f.Data) != string(was.Data) {
			return "in the feed it is " + was.ID + ": " + string(was.Data)
		}
	}
	return ""
}

// stands reports whether a commit has not been trimmed.
func (w *world) stands(session string, c commit) bool {
	s, err := w.js.Stream(w.t.Context(), w.ns.LogStream(w.ns.Shard(session)))
	if err == nil {
		_, err = s.GetMsg(w.t.Context(), c.seq)
	}
	return err == nil
}

// wrongOwner: it is told from the key, which is newer than every commit under it.
func wrongOwner(r *reply, h *chronicle) string {
	var a struct {
		Owner *struct {
			Incarnation string `json:"incarnation"`
			Fence       uint64 `json:"fence"`
		} `json:"owner"`
	}
	switch err := json.Unmarshal(r.data, &a); {
	case err != nil:
		return err.Error()
	case a.Owner == nil:
		return ""
	case r.known > 0 && a.Owner.Fence < h.commits[r.known-1].fence:
		return fmt.Sprintf("the log has fence %d", h.commits[r.known-1].fence)
	}
	for _, c := range h.commits {
		if c.fence == a.Owner.Fence && c.worker != a.Owner.Incarnation {
			return "the log has that fence of " + c.worker
		}
	}
	return ""
}
