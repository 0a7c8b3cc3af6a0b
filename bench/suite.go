package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Named is a workload with its settings, as a row of a table.
type Named struct {
	Name   string
	Config Config
}

// Suite is the workloads that together describe a fleet, each with the settings of base:
// those that can be measured so.
func Suite(base Config) []Named {
	with := func(name string, set func(*Config)) Named {
		c := base
		set(&c)
		return Named{name, c}
	}
	all := []Named{
		with("accept", func(c *Config) { c.Workload = Accept }),
		with("roundtrip c=1", func(c *Config) { c.Workload, c.Concurrency, c.Inputs = Roundtrip, 1, 20 }),
		with("roundtrip c=16", func(c *Config) { c.Workload = Roundtrip }),
		with("roundtrip c=64", func(c *Config) { c.Workload, c.Concurrency = Roundtrip, 64 }),
		with("hot", func(c *Config) { c.Workload = Hot }),
		with("hot pipelined", func(c *Config) { c.Workload, c.Concurrency, c.Inputs = Hot, 256, 10_000 }),
		with("hot pipelined, events", func(c *Config) {
			c.Workload, c.Concurrency, c.Inputs, c.Kind = Hot, 64, 40_000, "external_event"
		}),
		with("fanout", func(c *Config) { c.Workload = Fanout }),
		with("fanout, feed", func(c *Config) { c.Workload, c.Published = Fanout, "none" }),
		with("hot, effects", func(c *Config) { c.Workload, c.ExecutorEffects = Hot, true }),
		with("hot pipelined, effects", func(c *Config) {
			c.Workload, c.Concurrency, c.Inputs, c.ExecutorEffects = Hot, 256, 10_000, true
		}),
		with("fanout, effects", func(c *Config) { c.Workload, c.ExecutorEffects = Fanout, true }),
		with("fanout, feed, effects", func(c *Config) { c.Workload, c.Published, c.ExecutorEffects = Fanout, "none", true }),
		with("fanout 1000/s", func(c *Config) { c.Workload, c.Rate, c.Warm = Fanout, 1000, true }),
		with("cold 200/s", func(c *Config) { c.Workload = Cold }),
		with("failover, crash", func(c *Config) { c.Workload = Failover }),
	}
	return slices.DeleteFunc(all, func(n Named) bool { return base.Embedded && defaults[n.Config.Workload].started })
}

// Dimension is what a sweep varies.
type Dimension string

// The dimensions of a sweep.
const (
	OverSessions Dimension = "sessions"
	OverShards   Dimension = "shards"
	OverPayload  Dimension = "payload"
	OverWorkers  Dimension = "workers"
)

// Values are those a dimension is measured at by default.
func (d Dimension) Values() []int {
	switch d {
	case OverSessions:
		return []int{1, 10, 100, 1000, 5000, 20_000}
	case OverShards:
		return []int{1, 2, 4, 8, 16, 32, 64}
	case OverPayload:
		return []int{100, 1 << 10, 10 << 10, 60 << 10, 256 << 10, 1 << 20}
	case OverWorkers:
		return []int{1, 2, 4, 8}
	}
	return nil
}

// set makes cfg the run of a sweep at one value. The inputs stay as many over all
// sessions, or what is measured would be the activation of sessions more than their work.
func (d Dimension) set(cfg *Config, value int) error {
	const inputs = 10_000
	if value < 1 {
		return fmt.Errorf("%s must be positive, not %d", d, value)
	}
	cfg.Workload = Fanout
	cfg.Warm = true
	switch d {
	case OverSessions:
		cfg.Sessions, cfg.Inputs = value, min(5000, max(1, inputs/value)) // a mailbox must hold them
		cfg.Concurrency = 1000
	case OverShards:
		cfg.Shards = value
	case OverPayload:
		const most = 128 << 20 // bytes of all inputs
		cfg.Payload, cfg.Concurrency = value, 64
		cfg.Inputs = 2
		cfg.Sessions = min(1000, max(1, most/cfg.Inputs/value))
	case OverWorkers:
		cfg.Workers = value
	default:
		return fmt.Errorf("there is no sweep over %q", d)
	}
	return nil
}

// Point is one measurement of a sweep.
type Point struct {
	Value  int     `json:"value"`
	Report *Report `json:"report"`
}

// Sweep measures fanout at each value of one dimension. With an error it returns what was
// measured before.
func Sweep(ctx context.Context, base Config, over Dimension, values []int) (points []Point, err error) {
	for _, v := range values {
		cfg := base
		if err := over.set(&cfg, v); err != nil {
			return points, err
		}
		r, err := Run(ctx, cfg)
		if err != nil {
			return points, fmt.Errorf("%s %d: %w", over, v, err)
		}
		points = append(points, Point{v, r})
	}
	if len(points) == 0 {
		return nil, errors.New("a sweep takes values")
	}
	return points, nil
}
