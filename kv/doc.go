// Package kv keeps what the fleet must agree on outside the log: who owns which
// session ([Owners]), which workers live ([Members]), the latest snapshot of
// each session ([Snapshots]), which sessions exist ([Directory]), and what is
// too large for a message ([Blobs]).
//
// # What a write promises
//
// Every write that decides something is a compare-and-swap on the revision of
// its key, and its outcome is decided, never guessed: a write carries an id of
// its own, and when its answer is lost (a timeout, a disconnect, a cluster
// without a leader) the key is read from the stream's leader and the identical
// bytes are sent again with the identical expectation until the write is known
// to be stored, or known never to be. That may take as long as NATS is away, so
// bring a context with a deadline. When the context ends first the error is
// [ErrUndecided], and the write may yet take effect.
//
// # What a read promises
//
// Methods that take a context and return one key ask the stream's leader, since
// any replica may lag behind an acknowledged write. Views ([OwnerView],
// [MemberView]) are local copies kept by a watcher: fast, possibly stale, good
// for finding candidates. A leader's answer is not linearizable either: the
// compare-and-swap is the judge.
//
// Comments name the rule of the ownership and commit protocol that the code
// beside them keeps, as "rule 11".
package kv
