package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// Watch is the command watch.
type Watch struct {
	Target
	Session string   `arg:"" optional:"" help:"Session to watch; default all."`
	Types   []string `name:"types" help:"Only these events, by name: InputCompleted,RunOutput."`
	All     bool     `name:"from-start" help:"Begin with the oldest commit in the log, not with the next."`
	Count   int      `name:"count" help:"Stop after so many events."`
}

// Run prints events until it is interrupted. They come from the feed, so they are
// complete whatever the namespace publishes otherwise.
func (c Watch) Run(e *Env) error {
	if err := c.check(); err != nil {
		return err
	}
	f, err := c.dial(e.Context, "watch")
	if err != nil {
		return err
	}
	defer f.close()
	from := jetstream.DeliverNewPolicy
	if c.All {
		from = jetstream.DeliverAllPolicy
	}
	ctx, cancel := context.WithCancel(e.Context)
	defer cancel()
	feed, err := f.follow(ctx, c.Session, from)
	if err != nil {
		return err
	}
	defer feed.close()
	for seen := 0; ; {
		commit, err := feed.next(ctx)
		if errors.Is(err, context.Canceled) && c.Count == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		events, err := commit.named()
		if err != nil {
			return err
		}
		for _, ev := range events {
			if len(c.Types) > 0 && !slices.Contains(c.Types, ev.name) {
				continue
			}
			if err := e.event(commit, ev); err != nil {
				return err
			}
			if seen++; seen == c.Count {
				return nil
			}
		}
	}
}

// check refuses what no event could ever match: it would be waited for in vain.
func (c Watch) check() error {
	if c.Session != "" {
		if err := subjects.CheckToken("session", c.Session); err != nil {
			return err
		}
	}
	for _, name := range c.Types {
		if subjects.Public(name) == nil {
			return fmt.Errorf("--types: no effect, outcome or output is called %q", name)
		}
	}
	return nil
}

func (e *Env) event(c commit, ev named) error {
	if e.JSON {
		return e.print(ev.raw)
	}
	return e.say("%s  %-20s  %-22s  %s", c.Time.Local().Format(time.TimeOnly+".000"), c.Session, ev.name, short(ev.Data()))
}
