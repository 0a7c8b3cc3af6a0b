// Package machine is a computer without chance. It runs a Go program, compiled for
// WebAssembly (GOOS=wasip1), so that all it does follows from the program, its arguments
// and one number: run again, here or on another computer, it does the same again, bit for
// bit.
//
// A Go program on this target has one thread, no system monitor and no asynchronous
// preemption. What is left of chance in the runtime (which ready case a select takes, the
// order of a map, the seeds of hashes and of math/rand) grows from the random bytes it
// asks its host for, and the host is this package: random bytes are a stream from the
// number, the clock goes on by a microsecond whenever it is read and jumps over each
// sleep, and the disk tells nothing of the real one under it.
package machine
