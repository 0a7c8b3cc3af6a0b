// Package session is one owned session: it reads the mailbox in order, takes every event
// through the kernel, commits, and then lets out what follows. One goroutine does all of
// it; executors and publication run beside it and report back to it.
//
// The order is always the same: collect what has arrived, apply it to the kernel, append
// one commit, and only when that is known stored publish, answer and run (PROTOCOL 3). A run
// that only computes its result is carried out while the commit is put together.
// What arrives while a commit is in flight waits and goes into the next one together:
// that is the group commit.
//
// If the log refuses a commit for good, the session throws its state away and asks the
// owner key whether it still is the owner (PROTOCOL 5). Nothing has left it by then.
package session

import (
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/journal"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/tracing"
)

// Defaults of [Env].
const (
	DefaultHibernateAfter = time.Minute
	DefaultRetain         = 1000
	DefaultBlobGrace      = time.Minute
	DefaultSnapshotEvery  = 1024
	DefaultSnapshotBytes  = 8 << 20
	DefaultCommitBytes    = 256 << 10
	DefaultMaxExecutions  = 3
	DefaultRetryDelay     = 100 * time.Millisecond
	DefaultFeedHorizon    = 4096
)

// Env is what the sessions of one worker share. The zero value of a tunable is its
// default.
type Env struct {
	Namespace subjects.Namespace
	JS        jetstream.JetStream
	Store     *kv.Store
	Log       *journal.Log
	Mailboxes Mailboxes
	Inbox     *Inbox
	Sender    Sender
	Executor  executor.Executor
	Published subjects.PublishedSet
	Telemetry Observer
	// Trace makes spans; nil makes none.
	Trace  *tracing.Telemetry
	Logger *slog.Logger

	// HibernateAfter is how long a session that owes nothing stays in memory. Default
	// 1 min.
	HibernateAfter time.Duration
	// Retain is how many ended inputs and commands a session remembers, for repeated
	// events and for queries. Default 1,000.
	Retain int
	// BlobGrace is how long after storing a blob an event that names it may be published,
	// whatever the session forgets meanwhile. Default 1 min.
	BlobGrace time.Duration
	// SnapshotEvery is the number of commits after which a snapshot is due. Default 1,024.
	SnapshotEvery uint64
	// SnapshotBytes of commits make one due as well, and less of them where the last snapshot
	// was small: eight times as much as that, at least 256 KiB. So a session is taken over as
	// soon as what it has to remember allows. Default 8 MiB.
	SnapshotBytes int
	// FeedHorizon is how many commits stay in the log for readers of the feed, at least.
	// Default 4,096.
	FeedHorizon uint64
	// CommitBytes closes a group commit (PROTOCOL 7). Default 256 KiB.
	CommitBytes int
	// MaxInput is the largest event in bytes, its headers included. Larger ones go to
	// DEAD. Default: what the IN streams accept.
	MaxInput int
	// MailboxLimit is the streams' bound on a session's waiting messages; at half of it
	// the consumed ones are purged (PROTOCOL 27). Default 10,000.
	MailboxLimit uint64
	// MaxExecutions is how often a run is handed to an executor before the loss of its
	// owner counts as a failed attempt. Default 3.
	MaxExecutions uint64
	// RetryDelay is the pause before a failed run is tried again; it doubles with each
	// attempt. Default 100 ms.
	RetryDelay time.Duration
	// PauseExhausted makes a session pause itself when an input has used up its attempts,
	// until somebody looks and resumes it. Default: it goes on with the next input.
	PauseExhausted bool
	// Held is the hold of the namespace, nil if none stands. It is asked before every run.
	// Default: none stands.
	Held func() *kv.Hold
	// Now is the clock of event times. Default time.Now.
	Now func() time.Time

	releases chan struct{} // bounds those under way
}

// WithDefaults fills in what is not set.
func (e Env) WithDefaults() Env {
	set := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	set(&e.HibernateAfter, DefaultHibernateAfter)
	set(&e.RetryDelay, DefaultRetryDelay)
	set(&e.BlobGrace, DefaultBlobGrace)
	if e.Retain == 0 {
		e.Retain = DefaultRetain
	}
	if e.SnapshotEvery == 0 {
		e.SnapshotEvery = DefaultSnapshotEvery
	}
	if e.SnapshotBytes == 0 {
		e.SnapshotBytes = DefaultSnapshotBytes
	}
	if e.FeedHorizon == 0 {
		e.FeedHorizon = DefaultFeedHorizon
	}
	if e.CommitBytes == 0 {
		e.CommitBytes = DefaultCommitBytes
	}
	if e.MaxInput == 0 {
		e.MaxInput = subjects.DefaultMaxInput
	}
	if e.MailboxLimit == 0 {
		e.MailboxLimit = subjects.DefaultMailboxLimit
	}
	if e.MaxExecutions == 0 {
		e.MaxExecutions = DefaultMaxExecutions
	}
	if e.releases == nil {
		e.releases = make(chan struct{}, releasesAtOnce)
	}
	if e.Published == "" {
		e.Published = subjects.PublishLifecycle
	}
	if e.Held == nil {
		e.Held = func() *kv.Hold { return nil }
	}
	if e.Telemetry == nil {
		e.Telemetry = silent{}
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Logger == nil {
		e.Logger = slog.New(slog.DiscardHandler)
	}
	return e
}
