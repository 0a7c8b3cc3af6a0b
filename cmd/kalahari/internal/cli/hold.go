package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/kalahari-run/kalahari/kv"
)

// holdTarget is one session, or all of the namespace.
type holdTarget struct {
	Target
	Session string        `arg:"" optional:"" help:"Session."`
	All     bool          `name:"all" help:"All sessions of the namespace, now and later, until they are resumed with --all."`
	Timeout time.Duration `name:"timeout" default:"30s" help:"How long to wait for the session's answer."`
}

func (t holdTarget) check() error {
	if (t.Session == "") != t.All {
		return errors.New("give a session, or --all")
	}
	return nil
}

// Pause is the command session pause.
type Pause struct {
	holdTarget `embed:""`
	Reason     string `name:"reason" help:"Why, for whoever looks."`
}

// Run holds runs: inputs are admitted as ever, no run starts.
func (c Pause) Run(e *Env) error {
	return c.run(e, "pause", map[string]string{"reason": c.Reason}, func(ctx context.Context, holds *kv.Holds) error {
		hold, err := holds.Put(ctx, kv.Hold{Reason: c.Reason, Since: time.Now()})
		if err != nil {
			return err
		}
		if e.JSON {
			return e.print(map[string]any{"paused": true, "hold": hold})
		}
		return e.say("all sessions of namespace %s are paused; runs in progress finish", c.Namespace.Namespace)
	})
}

// Resume is the command session resume.
type Resume struct {
	holdTarget `embed:""`
}

// Run lets runs start again.
func (c Resume) Run(e *Env) error {
	return c.run(e, "resume", nil, func(ctx context.Context, holds *kv.Holds) error {
		if err := holds.Clear(ctx); err != nil {
			return err
		}
		if e.JSON {
			return e.print(map[string]any{"paused": false})
		}
		return e.say("namespace %s goes on; sessions that were paused by themselves stay so", c.Namespace.Namespace)
	})
}

func (t holdTarget) run(e *Env, command string, data map[string]string, all func(context.Context, *kv.Holds) error) error {
	if err := t.check(); err != nil {
		return err
	}
	if !t.All {
		text, err := json.Marshal(data)
		if err != nil {
			return err
		}
		if data == nil {
			text = jsontext.Value("{}")
		}
		return Publish{
			Target: t.Target, Session: t.Session, Command: command, Data: string(text),
			Source: "/kalahari/cli", Wait: true, Timeout: t.Timeout,
		}.Run(e)
	}
	f, err := t.dial(e.Context, command)
	if err != nil {
		return err
	}
	defer f.close()
	store, err := kv.Open(e.Context, f.js, f.ns)
	if err != nil {
		return err
	}
	if err := all(e.Context, store.Holds); err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}
