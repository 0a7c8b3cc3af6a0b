package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
)

// Replay is the command replay.
type Replay struct {
	Target
	Session string `arg:"" help:"Session whose log to fold."`
	After   uint64 `name:"after" help:"Print what comes after this commit. Everything is folded all the same."`
	Quiet   bool   `name:"quiet" short:"q" help:"Only the verdict."`
}

// Run folds the log, printing a transcript. A log that does not fold is an error.
func (c Replay) Run(e *Env) error {
	if err := subjects.CheckToken("session", c.Session); err != nil {
		return err
	}
	f, err := c.dial(e.Context, "replay")
	if err != nil {
		return err
	}
	defer f.close()
	env := &session.Env{Namespace: f.ns, JS: f.js}
	if env.Store, err = kv.Open(e.Context, f.js, f.ns); err != nil {
		return err
	}
	if env.Log, err = journal.Open(e.Context, f.js, f.ns); err != nil {
		return err
	}
	defer env.Log.Close()
	report, err := session.Replay(e.Context, env, c.Session, func(commit session.ReplayedCommit) error {
		switch {
		case c.Quiet || commit.Commit <= c.After:
			return nil
		case e.JSON:
			return e.print(commit)
		}
		return e.transcript(commit)
	})
	switch {
	case errors.Is(err, session.ErrUnknown):
		return fmt.Errorf("session %s has no log", c.Session)
	case err != nil:
		return err
	case e.JSON:
		return e.print(report)
	}
	begin := "its beginning"
	if report.From > 0 {
		begin = fmt.Sprintf("the snapshot of commit %d", report.From)
	}
	if err := e.say("%s: %d commits, %d steps from %s, each took the rule it took when it was committed", c.Session, report.Commits, report.Steps, begin); err != nil {
		return err
	}
	if report.Snapshot > 0 {
		if err := e.say("the snapshot of commit %d is what the log came to there", report.Snapshot); err != nil {
			return err
		}
	}
	return e.say("it stands at commit %d, fence %d, mailbox read to %d, %s", report.Commit, report.Fence, report.Cursor, report.Phase)
}

// transcript writes a commit: its steps with the transitions they took, and their effects.
func (e *Env) transcript(c session.ReplayedCommit) error {
	at, err := time.Parse(time.RFC3339Nano, c.At)
	if err != nil {
		return fmt.Errorf("commit %d: %w", c.Commit, err)
	}
	if err := e.say("commit %d  %s  %s  fence %d  %s", c.Commit, moment(at), c.Kind, c.Fence, c.Worker); err != nil {
		return err
	}
	for _, s := range c.Steps {
		phase := s.From.String()
		if s.To != s.From {
			phase += " to " + s.To.String()
		}
		if err := e.say("  %s%s %s\n      %s, %s", s.Input, s.Signal, short(s.Fields), s.Transition, phase); err != nil {
			return err
		}
		for _, effect := range s.Effects {
			if err := e.say("      > %s %s", effect.Effect, short(effect.Fields)); err != nil {
				return err
			}
		}
	}
	return e.say("")
}
