package cli

import (
	"fmt"
	"strconv"
	"time"

	"github.com/kalahari-run/kalahari/kv"
)

// Fleet is the command fleet.
type Fleet struct{ Target }

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

	workers, orphans := []member{}, owners.Len()
	for _, info := range members.All() {
		m := member{MemberInfo: info, Owned: len(owners.ByIncarnation(info.Incarnation))}
		orphans -= m.Owned
		workers = append(workers, m)
	}
	if e.JSON {
		return e.print(map[string]any{
			"namespace": f.ns.Name(), "shards": f.ns.Shards(), "published": f.settings.Published,
			"owned": owners.Len(), "orphans": orphans, "workers": workers,
		})
	}
	if err := e.say("namespace %s, %d shards, %d sessions owned\n", f.ns.Name(), f.ns.Shards(), owners.Len()); err != nil {
		return err
	}
	rows := [][]string{{"WORKER", "STATE", "OWNED", "CAPACITY", "HOST", "UP", "VERSION", "PRIVATE PORT"}}
	for _, m := range workers {
		state := "live"
		if m.Draining {
			state = "draining"
		}
		rows = append(rows, []string{
			string(m.Incarnation), state, strconv.Itoa(m.Owned), strconv.Itoa(m.Capacity), m.Host,
			time.Since(m.StartedAt).Round(time.Second).String(), m.Version, m.HTTP,
		})
	}
	if err := e.table(rows); err != nil {
		return err
	}
	if orphans > 0 {
		return e.say("\n%s", fmt.Sprintf("%d sessions are owned by workers that are gone; they are to be taken over", orphans))
	}
	return nil
}
