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
// Ids must differ within a session even between sources: outcomes name what caused
// them by id alone.
//
// What a session did stands in its log, and the feed ([Client.Effects]) is that log:
// in order, each event exactly once. Messages on fx subjects come from the same
// log, at least once; the client uses them only to hear of an outcome early.
package client
