package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// replay folds a session and counts what it was shown.
func replay(t *testing.T, e *session.Env, id string) (report session.ReplayReport, commits, steps int, err error) {
	t.Helper()
	report, err = session.Replay(t.Context(), e, id, func(c session.ReplayedCommit) error {
		commits++
		steps += len(c.Steps)
		for _, s := range c.Steps {
			if (s.Input == "") == (s.Signal == "") || s.Transition == "" {
				t.Errorf("commit %d: %+v", c.Commit, s)
			}
		}
		return nil
	})
	return report, commits, steps, err
}

// A replay goes over the whole log as long as it is there, and says that the snapshot is
// what the log came to; behind a trim it begins with the snapshot.
func TestReplay(t *testing.T) {
	for name, horizon := range map[string]uint64{"whole": 1 << 30, "trimmed": 2} {
		t.Run(name, func(t *testing.T) {
			env := embeddedtest.Provisioned(t, "test", 1)
			stop := start(t, env, func(c *worker.Config) {
				quick(c)
				c.SnapshotEvery, c.FeedHorizon = 2, horizon
			})
			random(t, env, "s1", rand.New(rand.NewPCG(7, 1)), 120)
			live := settle(t, env, "s1")
			for n := 0; live.Commit < 20; n++ { // what came at once may have shared a few commits
				publish(t, env, "s1", fmt.Sprintf("late-%d", n), subjects.InputType("prompt"), `{"text":"hi"}`)
				live = settle(t, env, "s1")
			}
			stop()
			report, commits, steps, err := replay(t, stored(t, env), "s1")
			if err != nil {
				t.Fatal(err)
			}
			if commits != report.Commits || steps != report.Steps || report.Commit != report.From+uint64(commits) {
				t.Errorf("shown %d commits, %d steps; report %+v", commits, steps, report)
			}
			if report.Commit < live.Commit || report.Phase != live.Phase || report.Cursor != live.Cursor {
				t.Errorf("report %+v, the owner held commit %d, %s, cursor %d", report, live.Commit, live.Phase, live.Cursor)
			}
			if whole := report.From == 0 && report.Snapshot > 0; whole != (name == "whole") {
				t.Errorf("began with commit %d, compared the snapshot of commit %d", report.From, report.Snapshot)
			}
		})
	}
}

// What a replay finds: a step that takes another rule, a snapshot the log did not come
// to, no session.
func TestReplayFinds(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	stop := start(t, env, func(*worker.Config) {})
	for _, id := range []string{"forged", "snapshot", "zone"} {
		publish(t, env, id, "e1", subjects.InputType("prompt"), `{"text":"hi"}`)
		settle(t, env, id)
	}
	stop()
	e := stored(t, env)

	tail, err := e.Log.Last(t.Context(), "forged")
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(string(tail.Data), `"steps":[]`, `"steps":[["PrepareIdle","forged","r"]]`, 1)
	w := e.Log.Writer("forged", "forger", tail.Fence, journal.Position{Number: tail.Number, Sequence: tail.Sequence, Fence: tail.Fence})
	if err := w.Append(t.Context(), nats.Header{}, []byte(forged)); err != nil {
		t.Fatal(err)
	}
	_, commits, _, err := replay(t, e, "forged")
	var broken *journal.BrokenError
	if !errors.As(err, &broken) || broken.Sequence <= tail.Sequence || !strings.Contains(broken.Reason, "PrepareIdle") {
		t.Errorf("a forged step: %v", err)
	}
	if uint64(commits) != tail.Number {
		t.Errorf("shown %d commits, %d are sound", commits, tail.Number)
	}

	snap, err := e.Store.Snapshots.Read(t.Context(), "snapshot")
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Replace(snap.Data, []byte(`"cursor":`), []byte(`"cursor":1`), 1)
	if snap.Data = data; len(data) == 0 {
		t.Fatal("no snapshot")
	}
	if _, err := e.Store.Snapshots.Write(t.Context(), snap, snap); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := replay(t, e, "snapshot"); !errors.As(err, &broken) || !strings.Contains(broken.Reason, "differ in the cursor") {
		t.Errorf("a snapshot of another state: %v", err)
	}

	// A worker in another zone than this one wrote the same times in other words.
	snap, err = e.Store.Snapshots.Read(t.Context(), "zone")
	if err != nil {
		t.Fatal(err)
	}
	created := regexp.MustCompile(`"created":"([^"]*)"`)
	was, err := time.Parse(time.RFC3339Nano, string(created.FindSubmatch(snap.Data)[1]))
	if err != nil {
		t.Fatal(err)
	}
	there := was.In(time.FixedZone("", 3600)).Format(time.RFC3339Nano)
	snap.Data = created.ReplaceAll(snap.Data, []byte(`"created":"`+there+`"`))
	if _, err := e.Store.Snapshots.Write(t.Context(), snap, snap); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := replay(t, e, "zone"); err != nil {
		t.Errorf("a snapshot from another zone: %v", err)
	}

	if _, _, _, err := replay(t, e, "nobody"); !errors.Is(err, session.ErrUnknown) {
		t.Errorf("no session: %v", err)
	}
}
