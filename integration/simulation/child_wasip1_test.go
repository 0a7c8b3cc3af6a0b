package simulation

import "testing"

// In the machine every process is a child.
func TestSimulation(t *testing.T) { share(t) }
