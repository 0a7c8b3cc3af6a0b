package kernel

// NewTrigger makes the trigger of the given name, all fields zero.
func NewTrigger(name string) Trigger { return newTrigger[name]() }

// Set puts a kernel into another state; it keeps the buffers it has used so far.
func (k *Kernel) Set(st State) {
	st.ready()
	k.state = st
}

// AddInputs adds what is known of the inputs of another state and not of those of s.
func (s *State) AddInputs(others *State) {
	for id, known := range others.records().clone() {
		if s.records()[id] == nil {
			s.records()[id] = known
		}
	}
}
