// Package integration tests the whole system: real nats-server processes, real worker
// processes, killed, stopped, cut off and restarted while they work.
//
// The tests believe nothing that a worker says. They publish as producers do, and then
// read the streams: the log of every session must be one unbroken chain in which every
// input that was acknowledged ends exactly once and in order, and what was published must
// be what the log says, no more and no less.
//
// With KALAHARI_LONG in the environment the long tests run too: a cluster in network
// namespaces. docs/testing.md says what they need.
//
// Times are measured and logged. What is asserted about them is several times as generous
// as what is claimed, so that a busy machine does not fail a correct system.
package integration
