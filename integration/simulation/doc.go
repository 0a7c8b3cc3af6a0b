// Package simulation runs a whole fleet in one process, from one seed, in fake time: the
// real worker, session, journal and kv code over a real nats-server inside a
// testing/synctest bubble, with a network between them that loses, delays, repeats and
// cuts, and with workers that crash, hang, leave and come back.
//
// Every connection runs through [network]: it takes the client protocol apart, message by
// message, and lets one message at a time through, only when everything in the bubble has
// come to rest. So the seed decides in which order the parties hear of things, and what
// befalls each message.
//
// What is left is the runtime's own chance. The same program, compiled for WebAssembly,
// runs in package machine below this one, where that comes from a number too: there a seed
// is the same each time, to the last byte and nanosecond.
//
// The tests are the program; docs/testing.md tells how to run many seeds and how to
// replay one.
package simulation
