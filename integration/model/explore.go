package model

import (
	"errors"
	"fmt"
	"strings"
)

// Report is what an exploration came to.
type Report struct {
	States, Steps int
	// Wrong is the promise that is broken, "" if all are kept. Trace leads there.
	Wrong string
	Trace []string
}

// Stuck is the broken promise of an input that waits for ever.
const Stuck = "there is a state from which rest is never reached without a further fault"

// ErrTooLarge says that the states are more than were allowed.
var ErrTooLarge = errors.New("too many states")

type edge struct{ from, to uint32 }

// Explore visits every state that can be reached, breadth first, so that a trace to a
// broken promise is as short as can be. The promises: no step is wrong (safety), and from
// every state rest can be reached by steps that are no faults (liveness, since what can
// happen sooner or later does).
func (c Config) Explore(most int) (*Report, error) {
	if c.Inputs > MaxInputs || c.Workers+c.Crashes > slots {
		return nil, fmt.Errorf("model: at most %d inputs, and %d workers with those that die", MaxInputs, slots)
	}
	first := c.initial()
	index := map[state]uint32{first: 0}
	states := []state{first}
	cameFrom := []edge{{}} // and by which step, when a trace is asked for
	var progress []edge
	r := &Report{}
	for at := uint32(0); int(at) < len(states); at++ {
		from := states[at]
		for _, st := range c.steps(&from) {
			r.Steps++
			if st.wrong != "" {
				r.States, r.Wrong = len(states), st.wrong
				r.Trace = append(c.trace(states, cameFrom, at), st.String())
				return r, nil
			}
			to, known := index[st.to]
			if !known {
				to = uint32(len(states))
				index[st.to] = to
				states = append(states, st.to)
				cameFrom = append(cameFrom, edge{at, to})
				if len(states) > most {
					return nil, ErrTooLarge
				}
			}
			if !st.fault {
				progress = append(progress, edge{at, to})
			}
		}
	}
	r.States = len(states)
	if at, ok := c.stuck(states, progress); ok {
		r.Wrong, r.Trace = Stuck, c.trace(states, cameFrom, at)
		r.Trace = append(r.Trace, states[at].String())
	}
	return r, nil
}

// stuck finds the first state from which rest cannot be reached.
func (c Config) stuck(states []state, progress []edge) (uint32, bool) {
	// Edges by their ends, as in a compressed sparse matrix.
	begin := make([]uint32, len(states)+1)
	for _, e := range progress {
		begin[e.to+1]++
	}
	for i := range states {
		begin[i+1] += begin[i]
	}
	before := make([]uint32, len(progress))
	fill := append([]uint32(nil), begin[:len(states)]...)
	for _, e := range progress {
		before[fill[e.to]] = e.from
		fill[e.to]++
	}
	safe := make([]bool, len(states))
	var queue []uint32
	for i := range states {
		if c.rest(&states[i]) {
			safe[i] = true
			queue = append(queue, uint32(i))
		}
	}
	for len(queue) > 0 {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, from := range before[begin[at]:begin[at+1]] {
			if !safe[from] {
				safe[from] = true
				queue = append(queue, from)
			}
		}
	}
	for i, ok := range safe {
		if !ok {
			return uint32(i), true
		}
	}
	return 0, false
}

// trace is the shortest way to a state.
func (c Config) trace(states []state, cameFrom []edge, at uint32) (names []string) {
	for at != 0 {
		from := cameFrom[at].from
		for _, st := range c.steps(&states[from]) {
			if st.to == states[at] {
				names = append(names, st.String())
				break
			}
		}
		at = from
	}
	for i, j := 0, len(names)-1; i < j; i, j = i+1, j-1 {
		names[i], names[j] = names[j], names[i]
	}
	return names
}

func (s state) String() string {
	var b strings.Builder
	owner := "nobody"
	if s.owner != 0 {
		owner = string(rune('A' + s.owner - 1))
	}
	fmt.Fprintf(&b, "%d inputs, activations %b, key %s/%d, log %d commits to fence %d cursor %d confirmed %d, fx %d",
		s.published, s.waiting, owner, s.revision, s.length, s.fence, s.cursor, s.confirmed, s.fx)
	for i, w := range s.workers {
		if w.pc != absent {
			fmt.Fprintf(&b, "; %c %s", 'A'+i, pcNames[w.pc])
		}
	}
	return b.String()
}
