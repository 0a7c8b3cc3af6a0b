package gateway

import (
	"errors"
	"fmt"
	"sync"
)

// errTooManyStreams refuses a reader that would be one too many.
var errTooManyStreams = errors.New("too many open streams")

// errStops answers what comes while the gateway stops.
var errStops = errors.New("the gateway stops")

// streams bounds the open event streams, each of which is a consumer on the server, and
// lets the gateway wait for them: a WebSocket outlives what the HTTP server waits for.
type streams struct {
	max int

	mu     sync.Mutex
	open   int
	closed bool
	group  sync.WaitGroup
}

// enter counts a stream in; whoever got no error calls leave once.
func (s *streams) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errStops
	case s.open >= s.max:
		return fmt.Errorf("%w: this gateway has %d", errTooManyStreams, s.max)
	}
	s.open++
	s.group.Add(1)
	return nil
}

func (s *streams) leave() {
	s.mu.Lock()
	s.open--
	s.mu.Unlock()
	s.group.Done()
}

// close lets nobody in any more and waits until all have left.
func (s *streams) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.group.Wait()
}
