package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-json-experiment/json"
)

// answer is how a run ended in a process of its own.
type answer struct {
	Report *Report `json:"report,omitzero"`
	Error  string  `json:"error,omitzero"`
}

// RunAlone is [Run] with Embedded, in a process of its own, which cfg.Spawn starts. In the same
// process one after another are not alike: those behind the first find a heap that was used
// and given back, and take up to three times as long. Progress is not told.
func RunAlone(ctx context.Context, cfg Config) (_ *Report, err error) {
	c, line, err := bear(ctx, cfg, "run", math.MaxInt64, Child{Role: RoleRun, Run: &cfg})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	var a answer
	if err := json.Unmarshal([]byte(line), &a); err != nil {
		return nil, fmt.Errorf("%s process: %w", RoleRun, err)
	}
	if a.Error != "" {
		err = errors.New(a.Error)
	}
	return a.Report, err
}

// run carries out a whole run and says how it ended.
func (c Child) run(ctx context.Context, out io.Writer) error {
	if c.Run == nil {
		return errors.New("child: a run without its configuration")
	}
	var a answer
	report, err := Run(ctx, *c.Run)
	if a.Report = report; err != nil {
		a.Error = err.Error()
	}
	line, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	_, err = out.Write(append(line, '\n'))
	return err
}
