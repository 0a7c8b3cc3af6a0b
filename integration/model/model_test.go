package model

import (
	"flag"
	"strings"
	"testing"
)

var large = flag.Bool("large", false, "explore the configurations of some million states too")

// enough is more states than any configuration here has.
const enough = 6_000_000

func explore(t *testing.T, c Config) *Report {
	t.Helper()
	r, err := c.Explore(enough)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return r
}

// The whole protocol keeps every promise, in every state it can reach.
func TestTheProtocolKeepsItsPromises(t *testing.T) {
	configs := []Config{
		{Workers: 1, Inputs: 2, Crashes: 2, Losses: 2},
		{Workers: 2, Inputs: 2, Crashes: 1},
		{Workers: 2, Inputs: 2, Suspicions: 1, Losses: 1},
		{Workers: 2, Inputs: 1, Crashes: 1, Suspicions: 1, Losses: 1},
		// Without a fault, and while everybody sees the owner key as it is, no wake-up is
		// left to the sweeper.
		{Workers: 2, Inputs: 3, FreshViews: true, Without: Sweep},
	}
	if *large {
		configs = append(configs, Config{Workers: 2, Inputs: 3, Crashes: 1}, Config{Workers: 3, Inputs: 1, Suspicions: 2},
			Config{Workers: 2, Inputs: 2, Crashes: 1, Suspicions: 1}, Config{Workers: 2, Inputs: 2, Crashes: 1, Losses: 1})
	}
	for _, c := range configs {
		r := explore(t, c)
		t.Logf("%+v: %d states, %d steps", c, r.States, r.Steps)
		if r.Wrong != "" {
			t.Errorf("%+v: %s:\n  %s", c, r.Wrong, strings.Join(r.Trace, "\n  "))
		}
	}
}

// What is broken when a rule is not kept. A rule that breaks nothing here is told as such:
// what it is good for then is said beside it.
func TestWhatEachRuleIsGoodFor(t *testing.T) {
	faults := Config{Workers: 2, Inputs: 1, Crashes: 1, Suspicions: 1, Losses: 1}
	calm := Config{Workers: 2, Inputs: 2, FreshViews: true}
	for _, c := range []struct {
		in      Config
		without Rule
		wrong   string
	}{
		{faults, AppendIsCAS, "a commit stands behind one that its writer has not seen"},
		{faults, StoredFirst, "an event is published that is not in the log"},
		{faults, FenceInTail, "a fence stands behind a higher one"},
		{faults, AdoptOwnKey, Stuck},
		{faults, OweNothing, Stuck},
		{faults, TakeOverAll, Stuck},
		{faults, Sweep, Stuck},
		{faults, ConfirmedRestored, Stuck},
		{calm, Sweep | LookAgain, Stuck},
		{calm, Sweep | AckWhenTaken, Stuck},
		// The sweeper finds what these would have.
		{faults, LookAgain, ""},
		{faults, AckWhenTaken, ""},
		// The log refuses a stale claimant's next commit. Reading the key again spares it
		// the work until then.
		{faults, ReadKeyAgain, ""},
	} {
		if testing.Short() && c.wrong == "" {
			continue // these take all states to show that nothing is broken
		}
		with := c.in
		with.Without = c.without
		r := explore(t, with)
		t.Logf("without %s: %q after %d steps, %d states\n  %s", c.without, r.Wrong, len(r.Trace), r.States, strings.Join(r.Trace, "\n  "))
		if r.Wrong != c.wrong {
			t.Errorf("without %s: broken is %q, expected %q:\n  %s", c.without, r.Wrong, c.wrong, strings.Join(r.Trace, "\n  "))
		}
	}
}
