package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/worker"
)

// Fleet is the command fleet.
type Fleet struct {
	Target
	Stuck bool `name:"stuck" help:"The sessions whose oldest input has waited too long, and why. Asks every worker."`
}

type member struct {
	kv.MemberInfo
	// Owned counts the owner keys that name the worker.
	Owned int `json:"owned"`
}

// Run shows the workers and what they own, from the buckets; no worker is asked.
func (c Fleet) Run(e *Env) error {
	f, err := c.dial(e.Context, "fleet")
	if err != nil {
		return err
	}
	defer f.close()
	store, err := kv.Open(e.Context, f.js, f.ns)
	if err != nil {
		return err
	}
	members, err := store.Members.Watch(e.Context)
	if err != nil {
		return err
	}
	defer members.Close()
	owners, err := store.Owners.Watch(e.Context)
	if err != nil {
		return err
	}
	defer owners.Close()
	if c.Stuck {
		return c.stuck(e, f, members.All())
	}
	hold, err := store.Holds.Get(e.Context)
	if err != nil {
		return err
	}

	workers, orphans := []member{}, owners.Len()
	for _, info := range members.All() {
		m := member{MemberInfo: info, Owned: len(owners.ByIncarnation(info.Incarnation))}
		orphans -= m.Owned
		workers = append(workers, m)
	}
	if e.JSON {
		return e.print(map[string]any{
			"namespace": f.ns.Name(), "shards": f.ns.Shards(), "published": f.settings.Published,
			"owned": owners.Len(), "orphans": orphans, "workers": workers, "hold": hold,
		})
	}
	if err := e.say("namespace %s, %d shards, %d sessions owned\n", f.ns.Name(), f.ns.Shards(), owners.Len()); err != nil {
		return err
	}
	rows := [][]string{{"WORKER", "STATE", "OWNED", "STUCK", "CAPACITY", "HOST", "UP", "VERSION", "PRIVATE PORT"}}
	for _, m := range workers {
		state := "live"
		if m.Draining {
			state = "draining"
		}
		rows = append(rows, []string{
			string(m.Incarnation), state, strconv.Itoa(m.Owned), strconv.Itoa(m.Stuck), strconv.Itoa(m.Capacity), m.Host,
			time.Since(m.StartedAt).Round(time.Second).String(), m.Version, m.HTTP,
		})
	}
	if err := e.table(rows); err != nil {
		return err
	}
	if hold != nil {
		if err := e.say("\nall sessions are paused since %s: %s", moment(hold.Since), hold.Reason); err != nil {
			return err
		}
	}
	if orphans > 0 {
		return e.say("\n%s", fmt.Sprintf("%d sessions are owned by workers that are gone; they are to be taken over", orphans))
	}
	return nil
}

// stuckSession is a session that does not get on, and who hosts it.
type stuckSession struct {
	worker.Stuck
	Worker kv.Incarnation `json:"worker"`
}

// stuck asks the workers that report sessions which do not get on.
func (c Fleet) stuck(e *Env, f *conn, members []kv.MemberInfo) error {
	all := []stuckSession{}
	for _, m := range members {
		if m.Stuck == 0 {
			continue
		}
		ask := nats.NewMsg(f.ns.Control(string(m.Incarnation)))
		ask.Header.Set(worker.HeaderQuery, worker.QueryStuck)
		answer, err := f.nc.RequestMsg(ask, askTimeout)
		if err != nil {
			return fmt.Errorf("worker %s: %w", m.Incarnation, err)
		}
		var told struct {
			Stuck []worker.Stuck `json:"stuck"`
		}
		if err := json.Unmarshal(answer.Data, &told); err != nil {
			return fmt.Errorf("worker %s: %w", m.Incarnation, err)
		}
		for _, s := range told.Stuck {
			all = append(all, stuckSession{s, m.Incarnation})
		}
	}
	slices.SortFunc(all, func(a, b stuckSession) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Session, b.Session))
	})
	if e.JSON {
		return e.print(map[string]any{"stuck": all})
	}
	if len(all) == 0 {
		return e.say("every session gets on, as far as the workers know")
	}
	rows := [][]string{{"SESSION", "INPUT", "WAITS SINCE", "REASON", "DETAIL", "WORKER"}}
	for _, s := range all {
		rows = append(rows, []string{s.Session, s.InputID, moment(s.Since), s.Reason, s.Detail, string(s.Worker)})
	}
	return e.table(rows)
}
