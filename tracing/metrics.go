package tracing

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/kalahari-run/kalahari/kernel"
)

const (
	attrOutcome = attribute.Key("kalahari.outcome")
	attrKind    = attribute.Key("kalahari.claim.kind")
	attrShard   = attribute.Key("kalahari.shard")
	attrReason  = attribute.Key("kalahari.reason")
)

// instruments are the metrics of the fleet. Counters that differ in an attribute are one
// tally each, so that counting makes nothing.
type instruments struct {
	admitted map[string]tally // by what admission said
	ended    []tally          // by kernel.InputPublicTerminalOutcome
	commands map[string]tally
	runs     map[string]tally
	claims   map[string]tally

	commits        tally
	commitDuration metric.Float64Histogram
	commitInputs   metric.Int64Histogram
	refused        tally
	unknown        tally
	recovery       metric.Float64Histogram
	runDuration    metric.Float64Histogram
	hibernations   tally
	quarantines    tally
	published      tally

	sessions    metric.Int64UpDownCounter
	stuck       metric.Int64UpDownCounter
	unconfirmed metric.Int64UpDownCounter
	mailboxLag  metric.Int64Gauge
	inputWait   metric.Float64Histogram
}

// tally is a counter with its attributes made.
type tally struct {
	c    metric.Int64Counter
	opts []metric.AddOption
}

func (t tally) add(n int64) {
	if t.c != nil {
		t.c.Add(context.Background(), n, t.opts...)
	}
}

// What became of inputs at admission, of commands, of runs, and how sessions are claimed.
const (
	accepted     = "accepted"
	deduplicated = "deduplicated"
	rejected     = "rejected"
	dead         = "dead_lettered"
	applied      = "applied"
	succeeded    = "succeeded"
	failed       = "failed"
	cancelled    = "cancelled"
	fresh        = "fresh"
	takeover     = "takeover"
)

// In seconds. A commit takes 50 µs when all is well and may wait for a Raft election.
var (
	commitBounds = []float64{.00005, .0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 10}
	runBounds    = []float64{.001, .005, .025, .1, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}
	waitBounds   = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
	groupBounds  = []float64{0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
)

func newInstruments(m metric.Meter) (instruments, error) {
	var errs []error
	counter := func(name, unit, help string, attrs ...attribute.KeyValue) tally {
		c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(help))
		errs = append(errs, err)
		t := tally{c: c}
		if len(attrs) > 0 {
			t.opts = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}
		}
		return t
	}
	family := func(name, unit, help string, key attribute.Key, values ...string) map[string]tally {
		f := make(map[string]tally, len(values))
		for _, v := range values {
			f[v] = counter(name, unit, help, key.String(v))
		}
		return f
	}
	seconds := func(name, help string, bounds []float64) metric.Float64Histogram {
		h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(help), metric.WithExplicitBucketBoundaries(bounds...))
		errs = append(errs, err)
		return h
	}
	level := func(name, unit, help string) metric.Int64UpDownCounter {
		c, err := m.Int64UpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(help))
		errs = append(errs, err)
		return c
	}

	in := instruments{
		admitted: family("kalahari.inputs.admitted", "{input}", "Events taken from mailboxes, by what admission said.", attrOutcome,
			accepted, deduplicated, rejected, dead),
		commands: family("kalahari.commands", "{command}", "Commands taken from mailboxes, by what the machine said.", attrOutcome,
			applied, rejected),
		runs: family("kalahari.runs", "{run}", "Calls of the executor, by how they ended.", attrOutcome,
			succeeded, failed, cancelled),
		claims: family("kalahari.claims", "{claim}", "Sessions won, from nobody (fresh) or from a dead worker (takeover).", attrKind,
			fresh, takeover),

		commits:        counter("kalahari.commits", "{commit}", "Commits stored in the log."),
		commitDuration: seconds("kalahari.commit.duration", "From sending a commit to knowing that it is stored.", commitBounds),
		refused:        counter("kalahari.appends.refused", "{append}", "Commits refused for good, because the log had moved: the writer was fenced."),
		unknown:        counter("kalahari.appends.unknown", "{append}", "Appends whose answer was lost, and had to be found out."),
		recovery:       seconds("kalahari.recovery.duration", "From winning a session to being its writer.", runBounds),
		runDuration:    seconds("kalahari.run.duration", "Calls of the executor.", runBounds),
		hibernations:   counter("kalahari.hibernations", "{session}", "Sessions that left memory because they owed nothing."),
		quarantines:    counter("kalahari.quarantines", "{session}", "Sessions stopped because their log does not fold to what it says."),
		published:      counter("kalahari.effects.published", "{event}", "What sessions let out, events, signals and timers, known stored."),
		inputWait:      seconds("kalahari.input.wait", "From an input's being stored to its being admitted.", waitBounds),

		sessions:    level("kalahari.sessions.active", "{session}", "Sessions in memory."),
		stuck:       level("kalahari.sessions.stuck", "{session}", "Sessions whose oldest input has waited too long, by reason."),
		unconfirmed: level("kalahari.effects.unconfirmed", "{event}", "Events, signals and timers let out and not known stored."),
	}
	for o := kernel.InputPublicTerminalOutcome(0); ; o++ {
		if _, err := o.MarshalText(); err != nil {
			break
		}
		in.ended = append(in.ended, counter("kalahari.inputs.ended", "{input}", "Inputs that came to their end, by their terminal outcome.",
			attrOutcome.String(o.String())))
	}
	var err error
	in.commitInputs, err = m.Int64Histogram("kalahari.commit.inputs", metric.WithUnit("{input}"),
		metric.WithDescription("Inputs consumed by one commit."), metric.WithExplicitBucketBoundaries(groupBounds...))
	errs = append(errs, err)
	in.mailboxLag, err = m.Int64Gauge("kalahari.mailbox.lag", metric.WithUnit("{input}"),
		metric.WithDescription("Inputs of a shard that no worker has seen yet."))
	errs = append(errs, err)
	return in, errors.Join(errs...)
}

// InputAccepted counts an input that was admitted.
func (t *Telemetry) InputAccepted() { t.admission(accepted) }

// InputDeduplicated counts an input that was known already.
func (t *Telemetry) InputDeduplicated() { t.admission(deduplicated) }

// InputRejected counts an input the machine refused.
func (t *Telemetry) InputRejected() { t.admission(rejected) }

// DeadLettered counts an event that could not be read.
func (t *Telemetry) DeadLettered() { t.admission(dead) }

func (t *Telemetry) admission(outcome string) {
	if t != nil {
		t.admitted[outcome].add(1)
	}
}

// InputEnded counts an input's terminal outcome.
func (t *Telemetry) InputEnded(o kernel.InputPublicTerminalOutcome) {
	if t != nil && int(o) < len(t.ended) {
		t.ended[o].add(1)
	}
}

// InputWaited records how long an input lay in its mailbox.
func (t *Telemetry) InputWaited(d time.Duration) {
	if t != nil {
		t.inputWait.Record(context.Background(), max(d, 0).Seconds()) // the server's clock may be ahead of ours
	}
}

// MailboxLag tells how many inputs of a shard no worker has seen yet.
func (t *Telemetry) MailboxLag(shard int, waiting uint64) {
	if t != nil {
		t.mailboxLag.Record(context.Background(), int64(waiting), metric.WithAttributes(attrShard.Int(shard)))
	}
}

// CommandApplied counts a command the machine carried out.
func (t *Telemetry) CommandApplied() {
	if t != nil {
		t.commands[applied].add(1)
	}
}

// CommandRejected counts a command the machine refused.
func (t *Telemetry) CommandRejected() {
	if t != nil {
		t.commands[rejected].add(1)
	}
}

// Committed counts a commit: how long the append took, and how many inputs it consumed.
func (t *Telemetry) Committed(took time.Duration, inputs int) {
	if t != nil {
		t.commits.add(1)
		t.commitDuration.Record(context.Background(), took.Seconds())
		t.commitInputs.Record(context.Background(), int64(inputs))
	}
}

// Refused counts a commit that came too late: somebody else writes the session's log.
func (t *Telemetry) Refused() {
	if t != nil {
		t.refused.add(1)
	}
}

// UnknownOutcome counts an append whose answer was lost.
func (t *Telemetry) UnknownOutcome() {
	if t != nil {
		t.unknown.add(1)
	}
}

// Recovered records how long it took to become a session's writer.
func (t *Telemetry) Recovered(took time.Duration) {
	if t != nil {
		t.recovery.Record(context.Background(), took.Seconds())
	}
}

// RunEnded counts a call of the executor.
func (t *Telemetry) RunEnded(err error, took time.Duration) {
	if t == nil {
		return
	}
	outcome := failed
	switch {
	case err == nil:
		outcome = succeeded
	case errors.Is(err, context.Canceled), t.cancelled != nil && errors.Is(err, t.cancelled):
		outcome = cancelled
	}
	t.runs[outcome].add(1)
	t.runDuration.Record(context.Background(), took.Seconds())
}

// Claimed counts a session that was won, from nobody or from a dead worker.
func (t *Telemetry) Claimed(fromDead bool) {
	switch {
	case t == nil:
	case fromDead:
		t.claims[takeover].add(1)
	default:
		t.claims[fresh].add(1)
	}
}

// Hosting tells how many sessions this view's part has in memory. What is exported is the
// sum over the process.
func (t *Telemetry) Hosting(sessions int) {
	if t != nil {
		t.sessions.Add(context.Background(), int64(sessions)-t.hosting.Swap(int64(sessions)))
	}
}

// Stuck tells how many sessions of this view's part do not get on, by reason. What is
// exported is the sum over the process.
func (t *Telemetry) Stuck(byReason map[string]int) {
	if t == nil {
		return
	}
	tell := func(reason string, n int) {
		before, _ := t.told.Swap(reason, n)
		was, _ := before.(int)
		if n != was {
			t.stuck.Add(context.Background(), int64(n-was), metric.WithAttributes(attrReason.String(reason)))
		}
	}
	for reason, n := range byReason {
		tell(reason, n)
	}
	t.told.Range(func(reason, _ any) bool {
		if _, still := byReason[reason.(string)]; !still {
			tell(reason.(string), 0)
		}
		return true
	})
}

// EffectsSent counts events, signals and timers that a commit let out.
func (t *Telemetry) EffectsSent(n int) {
	if t != nil {
		t.unconfirmed.Add(context.Background(), int64(n))
	}
}

// EffectsConfirmed counts those known stored.
func (t *Telemetry) EffectsConfirmed(n int) {
	if t != nil {
		t.unconfirmed.Add(context.Background(), int64(-n))
		t.published.add(int64(n))
	}
}

// EffectsGivenUp counts those that are not waited for any more: the session's next owner
// publishes them again.
func (t *Telemetry) EffectsGivenUp(n int) {
	if t != nil {
		t.unconfirmed.Add(context.Background(), int64(-n))
	}
}

// Hibernated counts a session that left memory.
func (t *Telemetry) Hibernated() {
	if t != nil {
		t.hibernations.add(1)
	}
}

// Quarantined counts a session that was stopped.
func (t *Telemetry) Quarantined() {
	if t != nil {
		t.quarantines.add(1)
	}
}
