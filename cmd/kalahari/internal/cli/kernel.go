package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/kalahari-run/kalahari/kernel"
)

// KernelRun is the command kernel run.
type KernelRun struct {
	Files []string `arg:"" optional:"" help:"Files of trigger lines, read as one; default standard input." type:"existingfile"`
}

// Run answers trigger lines. It is ErrSaid if one could not be read.
func (c KernelRun) Run(e *Env) error {
	in := e.In
	if len(c.Files) > 0 {
		var readers []io.Reader
		for _, name := range c.Files {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			readers = append(readers, f)
		}
		in = io.MultiReader(readers...)
	}
	bad, err := kernel.RunLines(in, e.Out)
	if err != nil {
		return fmt.Errorf("kernel run: %w", err)
	}
	if bad {
		return ErrSaid
	}
	return nil
}
