package session

import "context"

// opening is an intake on its way, beside the claim. What it brings waits until the session
// serves (PROTOCOL 12).
type opening struct {
	done  chan struct{}
	stop  context.CancelFunc
	in    *intake
	err   error
	taken bool
}

// openAside begins to set up the session's intake.
func (s *Session) openAside(ctx context.Context) *opening {
	ctx, stop := context.WithCancel(ctx)
	o := &opening{done: make(chan struct{}), stop: stop}
	after := s.cursor
	go func() {
		defer close(o.done)
		o.in, o.err = s.open(ctx, after)
	}()
	return o
}

// ready waits for the intake and says whether there is one.
func (o *opening) ready() error {
	<-o.done
	return o.err
}

// take waits for the intake and returns it.
func (o *opening) take() (*intake, error) {
	err := o.ready()
	o.taken = true
	return o.in, err
}

// end ends the intake if nobody has taken it.
func (o *opening) end() {
	o.stop()
	<-o.done
	if !o.taken && o.in != nil {
		o.in.close()
		o.in.remove()
	}
}
