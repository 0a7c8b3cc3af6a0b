package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/kernel/declaration"
)

// Kernel is the commands on the bare machine.
type Kernel struct {
	Run     KernelRun     `cmd:"" help:"Run the bare machine: JSON trigger lines in, outcome lines out."`
	List    KernelList    `cmd:"" help:"Every input and signal, with the number of its rules."`
	Show    KernelShow    `cmd:"" help:"One input or signal: its fields, rules, guards, updates and effects."`
	Diagram KernelDiagram `cmd:"" help:"A region's moves between phases, as a Mermaid state diagram."`
	Schema  KernelSchema  `cmd:"" help:"The JSON schema of triggers, effects and the state."`
	Explore KernelExplore `cmd:"" help:"Enumerate what a region can reach and check the invariants in every state."`
}

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

// KernelList is the command kernel list.
type KernelList struct {
	Region string `help:"Of one region only, by name or chapter."`
}

// Run prints a line for every trigger.
func (c KernelList) Run(e *Env) error {
	machine := declaration.Machine()
	region := ""
	if c.Region != "" {
		r, err := machine.Region(c.Region)
		if err != nil {
			return err
		}
		region = r.Name
	}
	rows := [][]string{{"TRIGGER", "KIND", "CLASS", "REGION", "RULES", ""}}
	list := []declaration.Summary{}
	for _, s := range machine.List() {
		if region == "" || s.Region == region {
			list = append(list, s)
			rows = append(rows, []string{s.Trigger, string(s.Kind), s.Class, s.Region, strconv.Itoa(s.Rules), s.Doc})
		}
	}
	if e.JSON {
		return e.print(list)
	}
	return e.table(rows)
}

// KernelShow is the command kernel show.
type KernelShow struct {
	Trigger string `arg:"" help:"An input or signal, such as Prepare."`
}

// Run prints one trigger whole.
func (c KernelShow) Run(e *Env) error {
	machine := declaration.Machine()
	text, err := machine.Show(c.Trigger)
	if err != nil {
		return err
	}
	if e.JSON {
		t, _ := machine.Trigger(c.Trigger)
		return e.print(t)
	}
	return e.say("%s", strings.TrimRight(text, "\n"))
}

// KernelDiagram is the command kernel diagram.
type KernelDiagram struct {
	Region string `arg:"" help:"A region by name or chapter: lifecycle, inputs, turn, ops-live, visibility-routing, peers, retention."`
}

// Run prints Mermaid text.
func (c KernelDiagram) Run(e *Env) error {
	text, err := declaration.Machine().Mermaid(c.Region)
	if err != nil {
		return err
	}
	if e.JSON {
		return e.print(map[string]string{"mermaid": text})
	}
	return e.say("%s", strings.TrimRight(text, "\n"))
}

// KernelSchema is the command kernel schema.
type KernelSchema struct{}

// Run prints the schema.
func (KernelSchema) Run(e *Env) error {
	schema, err := declaration.Machine().JSONSchema()
	if err != nil {
		return err
	}
	_, err = e.Out.Write(append(schema, '\n'))
	return err
}
