package kernel

// NewTrigger makes the trigger of the given name, all fields zero.
func NewTrigger(name string) Trigger { return newTrigger[name]() }
