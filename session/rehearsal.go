package session

import "github.com/kalahari-run/kalahari/kernel"

// rehearsal tries the machine inputs of one command on a copy of the machine, before the
// machine itself takes any of them. A command of several inputs is so carried out whole
// or not at all, which is what restoring a snapshot gives elsewhere (chapter 05,
// atomicity), and the log holds accepted steps only.
type rehearsal struct {
	kernel   *kernel.Kernel
	triggers []kernel.Trigger
}

func (s *Session) rehearse() *rehearsal {
	return &rehearsal{kernel: kernel.Resume(s.kernel.State().Clone())}
}

// take takes one more input. A refusal ends the command; its kind is the given one.
func (r *rehearsal) take(kind string, t kernel.Trigger) error {
	o := r.kernel.Apply(t)
	if !o.OK() {
		return refused(kind, o.Refusal)
	}
	r.triggers = append(r.triggers, t)
	return nil
}

// takeAs is take for a session command, whose refusals in phase Destroyed are Destroyed.
func (r *rehearsal) takeAs(kind string, t kernel.Trigger) error {
	if r.kernel.Phase() == kernel.Destroyed {
		kind = rejectDestroyed
	}
	return r.take(kind, t)
}

// perform applies what was rehearsed and returns the effects, in order.
func (s *Session) perform(r *rehearsal, c *command) []kernel.Effect {
	var effects []kernel.Effect
	for _, t := range r.triggers {
		o := s.must(t, c.cause)
		effects = append(effects, o.Effects...)
	}
	return effects
}
