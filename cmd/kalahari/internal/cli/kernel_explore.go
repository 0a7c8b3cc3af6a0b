package cli

import (
	"fmt"

	"github.com/kalahari-run/kalahari/kernel/explore"
)

// KernelExplore is the command kernel explore.
type KernelExplore struct {
	Region    string `default:"lifecycle" help:"A region by name or chapter."`
	Depth     int    `default:"8" help:"The most rules in a row."`
	MaxStates int    `default:"500000" help:"Stop at so many states; 0 is no bound. About 3 KiB of memory each."`
}

// Run explores. It is ErrSaid if a state breaks an invariant and chapter 01 does not know
// of it.
func (c KernelExplore) Run(e *Env) error {
	r, err := explore.Run(e.Context, explore.Options{Region: c.Region, Depth: c.Depth, MaxStates: c.MaxStates})
	if err != nil {
		return err
	}
	if e.JSON {
		err = e.print(r)
	} else {
		err = c.tell(e, r)
	}
	if err == nil && len(r.Unexpected()) > 0 {
		return ErrSaid
	}
	return err
}

func (c KernelExplore) tell(e *Env, r *explore.Report) error {
	extent := "every state within the depth"
	switch {
	case r.Closed:
		extent = "every state there is in this domain, at any depth"
	case !r.Complete:
		extent = fmt.Sprintf("every state to depth %d, and some to depth %d: --max-states ended it", r.CompleteDepth, r.CompleteDepth+1)
	}
	if err := e.say("%s to depth %d with %d letters: %d states, %d transitions, %d refusals, %d rules taken in %.1f s; %s",
		r.Region, r.Depth, r.Letters, r.States, r.Transitions, r.Refusals, len(r.Rules), r.Seconds, extent); err != nil {
		return err
	}
	for _, v := range r.Violations {
		known := "UNEXPECTED"
		if v.Expected {
			known = "expected, chapter 01"
		}
		if err := e.say("\n%s breaks %s (%s)", v.Rule, v.Invariant, known); err != nil {
			return err
		}
		for i, s := range v.Trace {
			if err := e.say("  %d. %s %s", i+1, s.Trigger, s.Fields); err != nil {
				return err
			}
		}
	}
	if len(r.Violations) == 0 {
		return e.say("All 15 invariants hold in all of them.")
	}
	for _, m := range r.Missing {
		if err := e.say("\nknown, and not met within the depth: %s", m); err != nil {
			return err
		}
	}
	return nil
}
