package kernel

// NewTrigger makes the trigger of the given name, all fields zero.
func NewTrigger(name string) Trigger { return newTrigger[name]() }

// Set puts a kernel into another state; it keeps the buffers it has used so far.
func (k *Kernel) Set(st State) { k.state = st }
