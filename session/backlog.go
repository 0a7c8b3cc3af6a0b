package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// A session takes inputs faster than it runs them, and keeps what it took in memory and in
// its snapshots. So that a slow executor, or a pause, does not make it large, it leaves its
// mailbox alone while it has as many inputs waiting as the mailbox may hold: the mailbox
// fills, and then refuses the producers.
//
// A command on the control subject must not wait for that (PROTOCOL 28), and stream order
// holds: while the session is full it looks for one now and then, and takes what lies
// before it. Inputs that come in that way once the session holds twice as many are refused.

// maxWaitingBytes is what waiting inputs may take in memory before the session is full.
const maxWaitingBytes = 32 << 20

// lookForControl is how often a full session looks for a command.
const lookForControl = 250 * time.Millisecond

// weight is what an input takes in memory, about.
func (e *entry) weight() int {
	const rest = 512
	return rest + len(e.Data) + len(e.ID) + len(e.Event) + len(e.Type) + len(e.Idempotency) +
		len(e.Supersession) + len(e.Correlation) + len(e.TraceParent) + len(e.TraceState)
}

// full reports whether the session leaves its mailbox alone.
func (s *Session) full() bool {
	return uint64(len(s.ledger.Live)) >= s.env.MailboxLimit || s.ledger.weight >= maxWaitingBytes
}

// overfull reports whether no input is admitted any more.
func (s *Session) overfull() bool {
	return uint64(len(s.ledger.Live)) >= 2*s.env.MailboxLimit || s.ledger.weight >= 2*maxWaitingBytes
}

func (s *Session) rejectOverfull(in *input, c cause) acceptOutcome {
	return s.rejectInput(in.ID, rejectNotReady, fmt.Sprintf(
		"%d inputs with %d KiB wait already, which is the most", len(s.ledger.Live), s.ledger.weight>>10), "", c)
}

// leavesMailbox reports whether the session is full and knows of no command.
func (s *Session) leavesMailbox() bool { return s.full() && s.next.cursor >= s.through }

// findControl looks for a command in the mailbox of a full session.
func (s *Session) findControl(ctx context.Context) {
	if !s.leavesMailbox() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	m, err := s.mailbox().GetMsg(ctx, s.next.cursor+1, jetstream.WithGetMsgSubject(s.env.Namespace.Ctl(s.id)))
	switch {
	case err == nil:
		s.through = m.Sequence
	case !errors.Is(err, jetstream.ErrMsgNotFound):
		s.log.DebugContext(ctx, "control subject not read", "error", err)
	}
}
