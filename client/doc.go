// Package client is the Go SDK of Kalahari: it publishes inputs and commands to
// sessions, waits for what becomes of them, follows what sessions do, and asks
// about them.
//
//	c, err := client.New(nc, "acme")
//	...
//	outcome, err := c.PublishAndWait(ctx, "session-1", prompt)
//
// A [Client] lives on a NATS connection that it is given and never closes. It is
// safe for concurrent use.
//
// # What is promised
//
// An event is identified by its source and id. Publishing it again, at any time
// and from anywhere, makes no second input: the server drops the copy inside its
// duplicates window, and the session recognises it for as long as it remembers
// the first. So every error that leaves the outcome open may be answered by doing
// the same again with the same event. Give an event an id of its own; ids are made
// up for events that have none, and such an event is a new one each time.
//
// Every accepted input has exactly one terminal outcome, and all who wait for it get that
// one: a second producer of the same event or of the same idempotency key, a caller that
// comes back with the event ([Client.PublishAndWait]) or with the input's id
// ([Client.Wait]), in this process or another. Payloads too large for a message travel as
// blobs of the session ([Client.PutBlob]), large results come back as such.
//
// Ids must differ within a session even between sources: outcomes name what caused
// them by id alone.
//
// What a session did stands in its log, and the feed ([Client.Effects]) is that log:
// in order, each event exactly once. Messages on fx subjects come from the same
// log, at least once; the client uses them only to hear of an outcome early.
//
// # What is not
//
// Nothing is promised about the order between sessions, or between an event on a session's
// control subject and those that were stored before it on the other. An event that was
// stored is not thereby taken: its outcome may be a refusal, or may never come while no
// worker lives. A session forgets: beyond its horizon (docs/wire.md, Limits) a repeated
// event is a new one and an outcome is [ErrForgotten]. What a run does in the outside world
// may happen more than once.
package client
