package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nats.go/micro"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

const askTimeout = 10 * time.Second

// finalError says why no question about a session has an answer, whichever is put.
type finalError struct{ error }

func (e finalError) Unwrap() error { return e.error }

// ask puts a question about a session to the fleet.
func (f *conn) ask(ctx context.Context, session, query string) (jsontext.Value, error) {
	if err := subjects.CheckToken("session", session); err != nil {
		return nil, finalError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	m, err := f.nc.RequestWithContext(ctx, f.ns.Query(session, query), nil)
	if errors.Is(err, nats.ErrNoResponders) {
		return nil, finalError{fmt.Errorf("no worker of namespace %s answers", f.ns.Name())}
	}
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", query, err)
	}
	switch reason := m.Header.Get(micro.ErrorHeader); m.Header.Get(micro.ErrorCodeHeader) {
	case "":
		return m.Data, nil
	case "404":
		return nil, finalError{fmt.Errorf("session %s: %s", session, reason)}
	default:
		return nil, fmt.Errorf("query %s: %s", query, reason)
	}
}

// Show is the command session show.
type Show struct {
	Target
	Session string `arg:"" help:"Session to show."`
	State   bool   `name:"state" help:"Every field of the machine too."`
}

// Run shows where a session stands. What cannot be told, of a session in trouble perhaps, does
// not keep back the rest, and is an error in the end.
func (c Show) Run(e *Env) error {
	f, err := c.dial(e.Context, "session")
	if err != nil {
		return err
	}
	defer f.close()
	answers := map[string]jsontext.Value{}
	var failed error
	for _, query := range []string{"state", "inputs", "owner"} {
		answers[query], err = f.ask(e.Context, c.Session, query)
		if errors.As(err, new(finalError)) || e.Context.Err() != nil {
			return err
		}
		failed = errors.Join(failed, err)
	}
	if e.JSON {
		return errors.Join(e.print(answers), failed)
	}
	return errors.Join(c.table(e, answers), failed)
}

// table shows the answers to people; those that did not come are nil.
func (c Show) table(e *Env, answers map[string]jsontext.Value) error {
	var state struct {
		Session      string    `json:"session"`
		Phase        string    `json:"phase"`
		Commit       uint64    `json:"commit"`
		LogSequence  uint64    `json:"log_sequence"`
		Cursor       uint64    `json:"cursor"`
		Fence        uint64    `json:"fence"`
		Sequence     uint64    `json:"sequence"`
		CreatedAt    time.Time `json:"created_at"`
		Mob          string    `json:"mob"`
		CurrentRunID string    `json:"current_run_id"`
		Holds        []struct {
			Scope  string    `json:"scope"`
			By     string    `json:"by"`
			Reason string    `json:"reason"`
			Since  time.Time `json:"since"`
		} `json:"holds"`
		Oldest *struct {
			InputID string    `json:"input_id"`
			Since   time.Time `json:"since"`
			Detail  string    `json:"detail"`
		} `json:"oldest_input"`
		State jsontext.Value `json:"state"`
	}
	var inputs struct {
		Inputs []struct {
			InputID  string `json:"input_id"`
			Phase    string `json:"phase"`
			RunID    string `json:"run_id"`
			Attempts uint64 `json:"attempts"`
			Lane     string `json:"lane"`
			Type     string `json:"type"`
		} `json:"inputs"`
		Omitted int `json:"omitted_inputs"`
	}
	var owner struct {
		Owner *struct {
			Incarnation string `json:"incarnation"`
			Alive       bool   `json:"alive"`
		} `json:"owner"`
	}
	for query, into := range map[string]any{"state": &state, "inputs": &inputs, "owner": &owner} {
		if answers[query] == nil {
			continue
		}
		if err := json.Unmarshal(answers[query], into); err != nil {
			return fmt.Errorf("query %s: %w", query, err)
		}
	}
	who := "nobody: it wakes with its next event"
	if answers["owner"] == nil {
		who = "not known"
	}
	if o := owner.Owner; o != nil {
		who = o.Incarnation
		if !o.Alive {
			who += " (gone; to be taken over)"
		}
	}
	rows := [][]string{
		{"session", state.Session},
		{"phase", state.Phase},
		{"owner", who},
		{"fence", number(state.Fence)},
		{"commit", fmt.Sprintf("%d (log sequence %d)", state.Commit, state.LogSequence)},
		{"mailbox read to", number(state.Cursor)},
		{"published", number(state.Sequence)},
		{"created", moment(state.CreatedAt)},
	}
	if answers["state"] == nil {
		rows = [][]string{{"session", c.Session}, {"owner", who}}
	}
	for _, row := range [][]string{{"mob", state.Mob}, {"current run", state.CurrentRunID}} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	for _, h := range state.Holds {
		rows = append(rows, []string{"paused", strings.TrimSuffix(fmt.Sprintf("the %s, since %s, by %s: %s", h.Scope, moment(h.Since), h.By, h.Reason), ": ")})
	}
	if o := state.Oldest; o != nil {
		rows = append(rows, []string{"oldest input", fmt.Sprintf("%s, since %s: %s", o.InputID, moment(o.Since), o.Detail)})
	}
	if err := e.table(rows); err != nil {
		return err
	}
	if len(inputs.Inputs) > 0 {
		rows = [][]string{{"INPUT", "PHASE", "LANE", "ATTEMPTS", "RUN", "TYPE"}}
		for _, in := range inputs.Inputs {
			rows = append(rows, []string{in.InputID, in.Phase, in.Lane, number(in.Attempts), in.RunID, in.Type})
		}
		if err := errors.Join(e.say(""), e.table(rows)); err != nil {
			return err
		}
	}
	if inputs.Omitted > 0 {
		if err := e.say("and %d more", inputs.Omitted); err != nil {
			return err
		}
	}
	if c.State && answers["state"] != nil {
		if err := state.State.Indent(); err != nil {
			return err
		}
		return e.say("\n%s", state.State)
	}
	return nil
}

// History is the command session history.
type History struct {
	Target
	Session string `arg:"" help:"Session whose log to read."`
	After   uint64 `name:"after" help:"Begin after this commit."`
	Limit   int    `name:"limit" default:"100" help:"At most so many commits; 0 is all."`
}

// Run prints commits from the log itself; no worker is asked.
func (c History) Run(e *Env) error {
	if err := subjects.CheckToken("session", c.Session); err != nil {
		return err
	}
	f, err := c.dial(e.Context, "history")
	if err != nil {
		return err
	}
	defer f.close()
	log, err := f.js.Stream(e.Context, f.ns.LogStream(f.ns.Shard(c.Session)))
	if err != nil {
		return err
	}
	last, err := log.GetLastMsgForSubject(e.Context, f.ns.Log(c.Session))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("session %s has no log", c.Session)
	}
	if err != nil {
		return err
	}
	feed, err := f.follow(e.Context, c.Session, jetstream.DeliverAllPolicy)
	if err != nil {
		return err
	}
	defer feed.close()
	rows := [][]string{{"COMMIT", "TIME", "FENCE", "EVENT", "DATA"}}
	for n := 0; c.Limit == 0 || n < c.Limit; {
		commit, err := feed.next(e.Context)
		if err != nil {
			return err
		}
		if commit.Commit > c.After {
			n++
			if e.JSON {
				err = e.print(commit)
			} else {
				rows, err = commit.rows(rows)
			}
			if err != nil {
				return err
			}
		}
		if commit.Sequence >= last.Sequence {
			break
		}
	}
	if e.JSON {
		return nil
	}
	return e.table(rows)
}

func (c commit) rows(rows [][]string) ([][]string, error) {
	events, err := c.named()
	if err != nil {
		return nil, err
	}
	head := []string{number(c.Commit), moment(c.Time), number(c.Fence)}
	if len(events) == 0 {
		rows = append(rows, append(head, "-"))
	}
	for _, ev := range events {
		rows = append(rows, append(head, ev.name, short(ev.Data())))
		head = []string{"", "", ""}
	}
	return rows, nil
}

// List is the command session list.
type List struct {
	Target
	Cursor string `name:"cursor" help:"Continue where an earlier list ended."`
	Limit  int    `name:"limit" default:"100" help:"At most so many, up to 1,000."`
}

// Run lists sessions from the directory.
func (c List) Run(e *Env) error {
	f, err := c.dial(e.Context, "list")
	if err != nil {
		return err
	}
	defer f.close()
	store, err := kv.Open(e.Context, f.js, f.ns)
	if err != nil {
		return err
	}
	page, err := store.Directory.List(e.Context, c.Cursor, c.Limit)
	if err != nil {
		return err
	}
	if e.JSON {
		if page.Sessions == nil {
			page.Sessions = []kv.SessionEntry{}
		}
		return e.print(map[string]any{"sessions": page.Sessions, "next": page.Next})
	}
	rows := [][]string{{"SESSION", "SHARD", "CREATED", "MOB"}}
	for _, s := range page.Sessions {
		rows = append(rows, []string{s.Session, strconv.Itoa(f.ns.Shard(s.Session)), moment(s.CreatedAt), s.Mob})
	}
	if err := e.table(rows); err != nil {
		return err
	}
	if page.Next != "" {
		return e.say("\nmore: --cursor %s", quote(page.Next))
	}
	return nil
}

func quote(s string) string {
	if strings.ContainsAny(s, " \t'\"$") {
		return strconv.Quote(s)
	}
	return s
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format(time.DateTime)
}
