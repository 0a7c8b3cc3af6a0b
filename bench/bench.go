// Package bench measures a fleet from outside: it publishes inputs, waits for the outcome
// of each, and reports throughput, latency and the CPU time of every process involved.
//
// It also checks what it measures. Every input must come to exactly one terminal outcome,
// in the order of its session; an input that ends twice or out of order is counted, and a
// run in which that happened, or in which an input never ended, has failed.
//
// Unless it is given a server, it starts one, and a worker: as processes of their own, so
// that the figures are those of separate heaps and of separate schedulers, or within this
// process, as kalahari dev has them (Config.Embedded). They speak by TCP both times.
package bench

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/subjects"
)

// Workload is what is done.
type Workload string

const (
	// Fanout publishes to many sessions as fast as the inputs are stored.
	Fanout Workload = "fanout"
	// Hot publishes to one session, with at most Concurrency inputs unfinished.
	Hot Workload = "hot"
	// Roundtrip publishes to many sessions, with at most Concurrency inputs unfinished.
	Roundtrip Workload = "roundtrip"
	// Accept publishes to many sessions and measures the acknowledgements alone: what a
	// producer waits for.
	Accept Workload = "accept"
	// Cold publishes the first input of new sessions at a steady rate.
	Cold Workload = "cold"
	// Idle gives each session one input, and measures memory and disk while the sessions
	// are active and when they are at rest.
	Idle Workload = "idle"
	// Failover publishes at a steady rate, and kills or stops a worker on the way.
	Failover Workload = "failover"
	// Soak publishes at a steady rate for a time, kills workers on the way, and checks log
	// and effects as they come.
	Soak Workload = "soak"
)

// Config of a run. The zero value of a field is its default.
type Config struct {
	Workload Workload

	// Server to measure. If its Server and Context are empty, a server and workers are
	// started for the run.
	Server connect.NATS
	// Namespace on that server. Default "default".
	Namespace string

	// Sessions. Default 1,000; 100 for Roundtrip and Failover; 200 for Soak; always 1 for
	// Hot.
	Sessions int
	// Inputs of each session. Default 20; 5,000 for Hot; 50 for Roundtrip; 60 for Failover;
	// always 1 for Cold and Idle. Not for Soak, see Duration.
	Inputs int
	// Concurrency: inputs published and not yet stored (default 4,096) or, for Hot and
	// Roundtrip, not yet ended (default 1 and 16).
	Concurrency int
	// Payload is the size of an input's text in bytes. Default 64. More than
	// [subjects.MaxInlineData] goes as a blob.
	Payload int
	// Kind of the inputs. Default prompt: by the machine's rules each has a run to itself,
	// so that one session does one after the other. external_event: those that wait
	// together share a run.
	Kind string
	// Rate, if not 0, is how many inputs are published in a second. Latency counts from
	// when an input was due, so a fleet that falls behind cannot look fast.
	Rate float64
	// Duration of a Soak. Default 1 min.
	Duration time.Duration
	// Warm activates every session with one input before the clock starts. Not for Cold and
	// Idle.
	Warm bool

	// Of what is started for the run:

	// ExecutorDelay is how long every run takes.
	ExecutorDelay time.Duration
	// ExecutorEffects makes echo count as an executor whose calls have outside effects, so
	// that each waits for the commit that stages its run. Default: it has none, and says so
	// ([executor.PureExecutor]); in Failover and Soak it always has, so that runs are lost with
	// their workers.
	ExecutorEffects bool
	// HibernateAfter is how long sessions stay in memory that owe nothing. Default: the
	// worker's own; 30 s for Idle, 1 s for Soak.
	HibernateAfter time.Duration
	// Fault is what happens to a worker in Failover. Default Crash.
	Fault Fault
	// FaultEvery is the time between two crashes in Soak, after each of which a new worker
	// joins. Default 20 s; negative for none.
	FaultEvery time.Duration
	// Sync of the server. Default always.
	Sync embedded.Sync
	// Published set of the namespace. Default lifecycle.
	Published subjects.PublishedSet
	// Shards of the namespace. Default 8.
	Shards int
	// Workers is how many there are. Default 1; 3 for Failover and Soak.
	Workers int
	// Embedded makes server and workers part of this process, with one heap and one scheduler
	// for them and the load, instead of processes of their own. Not for Idle, Failover and
	// Soak, which look at processes or kill them.
	Embedded bool
	// Cores is how many cores a process may use at once, the bench's own included: several
	// share the machine, and a thread that has nothing to do costs the others their time.
	// Default: half of the machine's, at least one; all of them for a server that syncs always,
	// because a thread that waits for the disk holds one, and for the one process of Embedded.
	Cores int
	// DataDir is where the server's store is made, and removed afterwards. Default: the
	// directory for temporary files, which may be in memory.
	DataDir string
	// ProfileDir is where CPU profiles of server, workers and the bench itself go. Default:
	// none are taken. With profiles the server's own speed is not measured.
	ProfileDir string
	// LogDir is where the logs of server and workers go, everything in them, as server.log and
	// worker-1.log and so on. It tells why inputs have not ended. Default: none are written.
	LogDir string
	// Spawn makes the commands of child processes. Required unless Server is given or Embedded
	// is set.
	Spawn Spawn `json:"-"`

	// Stall is how long nothing may end before the run is given up. Default 30 s.
	Stall time.Duration
	// Raw is how long the server's own speed is measured. Default 2 s.
	Raw time.Duration
	// Progress is told what happens, in words. Default: nobody.
	Progress io.Writer `json:"-"`
}

// defaults of the workloads. A workload that is started does something to processes that
// only a run that started them may do.
var defaults = map[Workload]struct {
	sessions, inputs, concurrency, workers int
	rate                                   float64
	hibernate                              time.Duration
	started, effects                       bool
}{
	Fanout:    {sessions: 1000, inputs: 20},
	Hot:       {sessions: 1, inputs: 5000, concurrency: 1},
	Roundtrip: {sessions: 100, inputs: 50, concurrency: 16},
	Accept:    {sessions: 1000, inputs: 20},
	Cold:      {sessions: 1000, inputs: 1, rate: 200},
	Idle:      {sessions: 1000, inputs: 1, rate: 1000, hibernate: 30 * time.Second, started: true},
	Failover:  {sessions: 100, inputs: 60, rate: 300, workers: 3, started: true, effects: true},
	Soak:      {sessions: 200, inputs: 1, rate: 300, workers: 3, hibernate: time.Second, started: true, effects: true},
}

func (c Config) withDefaults() (Config, error) {
	d, ok := defaults[c.Workload]
	if !ok {
		return c, fmt.Errorf("there is no workload %q", c.Workload)
	}
	set := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	set(&c.Sessions, d.sessions)
	set(&c.Inputs, d.inputs)
	set(&c.Concurrency, cmp.Or(d.concurrency, 4096))
	set(&c.Payload, 64)
	set(&c.Shards, subjects.DefaultShards)
	set(&c.Workers, cmp.Or(d.workers, 1))
	c.Rate = cmp.Or(c.Rate, d.rate)
	c.HibernateAfter = cmp.Or(c.HibernateAfter, d.hibernate)
	c.Duration = cmp.Or(c.Duration, time.Minute)
	c.FaultEvery = cmp.Or(c.FaultEvery, 20*time.Second)
	c.Fault = cmp.Or(c.Fault, Crash)
	c.ExecutorEffects = c.ExecutorEffects || d.effects
	if c.Workload == Hot && c.Sessions != 1 {
		return c, errors.New("the workload hot has one session")
	}
	if (c.Workload == Cold || c.Workload == Idle) && c.Inputs != 1 {
		return c, fmt.Errorf("the workload %s has one input for each session", c.Workload)
	}
	if (c.Workload == Cold || c.Workload == Idle) && c.Warm {
		return c, fmt.Errorf("the workload %s is about sessions that were not active before", c.Workload)
	}
	if d.started && !c.started() {
		return c, fmt.Errorf("the workload %s is measured on processes of its own, not on a fleet that runs", c.Workload)
	}
	if c.Embedded && d.started {
		return c, fmt.Errorf("the workload %s is measured on processes of its own, not within one (embedded)", c.Workload)
	}
	if c.Embedded && !c.started() {
		return c, errors.New("embedded: server and workers are those of a fleet that runs, and cannot be part of this process")
	}
	if d.workers > 0 && c.Workers < 2 {
		return c, fmt.Errorf("the workload %s takes two workers or more", c.Workload)
	}
	for name, n := range map[string]int{"sessions": c.Sessions, "inputs": c.Inputs, "concurrency": c.Concurrency, "payload": c.Payload, "workers": c.Workers} {
		if n < 1 {
			return c, fmt.Errorf("%s must be positive, not %d", name, n)
		}
	}
	if c.Cores < 0 {
		return c, fmt.Errorf("cores must be positive, not %d", c.Cores)
	}
	if c.Rate < 0 {
		return c, fmt.Errorf("rate must not be negative, and is %v", c.Rate)
	}
	c.Kind = cmp.Or(c.Kind, "prompt")
	if _, ok := subjects.ParseInputType(subjects.InputType(c.Kind)); !ok {
		return c, fmt.Errorf("there is no kind of input %q", c.Kind)
	}
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	if c.Published == "" {
		c.Published = subjects.PublishLifecycle
	}
	if c.Stall == 0 {
		c.Stall = 30 * time.Second
	}
	if c.Raw == 0 {
		c.Raw = 2 * time.Second
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	if c.started() && !c.Embedded && c.Spawn == nil {
		return c, errors.New("bench: neither a server nor a way to start one")
	}
	return c, nil
}

// started tells whether server and workers are the run's own.
func (c Config) started() bool { return c.Server.Server == "" && c.Server.Context == "" }

// cores are how many of the machine's a process of the role may use at once.
func (c Config) cores(role Role) int {
	switch {
	case c.Cores > 0:
		return c.Cores
	case c.Embedded, role == RoleServer && c.Sync != embedded.SyncRelaxed:
		return runtime.NumCPU()
	}
	return max(1, runtime.NumCPU()/2)
}

// Report is what a run measured.
type Report struct {
	Workload    Workload `json:"workload"`
	Sessions    int      `json:"sessions"`
	Inputs      int      `json:"inputs"` // over all sessions
	Payload     int      `json:"payload"`
	Kind        string   `json:"kind"`
	Concurrency int      `json:"concurrency"`
	Rate        float64  `json:"rate,omitempty"`
	Warm        bool     `json:"warm"`
	Workers     int      `json:"workers,omitempty"`  // started for the run
	Embedded    bool     `json:"embedded,omitempty"` // and the server too, within one process
	Shards      int      `json:"shards"`
	Sync        string   `json:"sync,omitempty"`
	Published   string   `json:"published"`
	CPUs        int      `json:"cpus"`
	// Cores is how many of them each process could use at once, ServerCores the server; 0 if
	// they were not the run's own.
	Cores       int `json:"cores,omitempty"`
	ServerCores int `json:"server_cores,omitempty"`

	// What is known of the executor, of a run that started it.
	DelayMS float64 `json:"executor_delay_ms"`
	Effects bool    `json:"executor_effects"`

	// Seconds from the first publish to the last outcome.
	Seconds    float64 `json:"seconds"`
	InputsPerS float64 `json:"inputs_per_s"`
	// StoredPerS is how fast the inputs were stored.
	StoredPerS float64 `json:"stored_per_s"`

	// From publishing an input, or from when it was due, to receiving its outcome.
	P50MS float64 `json:"p50_ms"`
	P95MS float64 `json:"p95_ms"`
	P99MS float64 `json:"p99_ms"`
	MaxMS float64 `json:"max_ms"`

	// CPU time of all processes this run knows: all of them if it started them, those that it
	// killed and hired as well, otherwise only its own.
	CPUPerInput float64 `json:"cpu_us_per_input"`
	// CPUByProcess is the same for server, workers and bench apart; if Embedded, all is bench's.
	CPUByProcess map[string]float64 `json:"cpu_us_per_input_by_process"`

	// RawCASPerS is how many compare-and-swap publishes of RawCASBytes the same server
	// stores in a second, over 64 subjects, with nothing else to do. They are as large as a
	// commit, or as an input's part of one where several share it.
	RawCASPerS  float64 `json:"raw_cas_per_s"`
	RawCASBytes int     `json:"raw_cas_bytes"`

	Commits         uint64  `json:"commits"`
	CommitsPerInput float64 `json:"commits_per_input"`
	CommitBytes     int     `json:"commit_bytes"` // average, as stored

	// Rest is what sessions take, of an Idle run.
	Rest *Rest `json:"rest,omitempty"`
	// Stall is how long sessions stood still, of a Failover run.
	Stall *Stall `json:"stall,omitempty"`
	// Proof is what a Soak has checked.
	Proof *Proof `json:"proof,omitempty"`

	Duplicates      int `json:"duplicates"`
	OrderViolations int `json:"order_violations"`
	// NotCompleted are inputs that ended, but not as Completed.
	NotCompleted int `json:"not_completed"`
	// Missing are inputs without an outcome.
	Missing int `json:"missing"`
}

// ErrBroken says that the fleet did not keep its promises.
var ErrBroken = errors.New("the fleet broke a promise")

// Err is an ErrBroken if an input ended twice, out of order, not as Completed or not at
// all.
func (r *Report) Err() error {
	if r.Duplicates == 0 && r.OrderViolations == 0 && r.NotCompleted == 0 && r.Missing == 0 {
		return r.Proof.err()
	}
	return fmt.Errorf("%w: %d duplicates, %d out of order, %d not completed, %d missing", ErrBroken,
		r.Duplicates, r.OrderViolations, r.NotCompleted, r.Missing)
}
