package worker

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
)

// The watchdog looks for sessions that do not get on: whose oldest input has waited longer
// than Config.StuckAfter. It changes nothing. What it finds it says in the log when it
// begins and when it is over, counts in the metrics and in the worker's lease, and tells
// in full to whoever asks (kalahari fleet --stuck).

// Stuck is a session that does not get on, and why.
type Stuck struct {
	Session string `json:"session"`
	session.Progress
}

// Reasons that a session cannot see itself.
const (
	// StuckSilent: the session does not answer. Mostly its commit is not decided: the log
	// cannot be reached.
	StuckSilent = "not_answering"
	// StuckMailbox: an event lies in the mailbox and has not been taken.
	StuckMailbox = "mailbox_not_consumed"
	// StuckQuarantined: the log cannot be folded.
	StuckQuarantined = "quarantined"
)

const (
	// stuckAnswer is how long a session may take to say what it waits for.
	stuckAnswer = 500 * time.Millisecond
	// stuckAtOnce is how many are asked at the same time: when the log cannot be reached none
	// answers, and one after the other 20,000 would keep the report for three hours.
	stuckAtOnce = 256
	// stuckSample is how many mailboxes are looked into each time: a request each.
	stuckSample = 64
	// stuckShown bounds the list that is kept.
	stuckShown = 1000
)

func (l *life) watchdog(ctx context.Context) {
	tick := time.NewTicker(min(max(l.cfg.StuckAfter/4, 100*time.Millisecond), 30*time.Second))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.giveBack()
			if l.nc.IsConnected() { // without, nothing gets on, and everybody knows
				l.report(ctx, l.findStuck(ctx))
			}
		}
	}
}

// findStuck asks the sessions that have had something to do for too long, and looks into
// some mailboxes of those that have not.
func (l *life) findStuck(ctx context.Context) []Stuck {
	now := time.Now()
	var busy, quiet []*session.Session
	var found []Stuck
	l.mu.Lock()
	for _, g := range l.hosted.All() {
		if g.session == nil {
			continue
		}
		switch since := g.session.BusySince(); {
		case since.IsZero() && len(quiet) < stuckSample: // a map's order is as good as a draw
			quiet = append(quiet, g.session)
		case !since.IsZero() && now.Sub(since) >= l.cfg.StuckAfter:
			busy = append(busy, g.session)
		}
	}
	for id, q := range l.quarantined {
		found = append(found, Stuck{id, session.Progress{Since: q.since, Reason: StuckQuarantined, Detail: q.why.Error()}})
	}
	l.mu.Unlock()
	for asked := range slices.Chunk(busy, stuckAtOnce) {
		for i, a := range l.progress(ctx, asked) {
			s := asked[i]
			switch {
			case errors.Is(a.err, session.ErrGone), ctx.Err() != nil:
			case a.err != nil:
				found = append(found, Stuck{s.ID(), session.Progress{
					Since: s.BusySince(), Reason: StuckSilent, Detail: "the session does not say what it waits for: its commit may be undecided",
				}})
			case a.progress != nil && now.Sub(a.progress.Since) >= l.cfg.StuckAfter:
				found = append(found, Stuck{s.ID(), *a.progress})
			}
		}
	}
	for _, s := range quiet {
		if at, stuck := l.mailboxWaits(ctx, s, now); stuck {
			found = append(found, Stuck{s.ID(), session.Progress{
				Since: at, Reason: StuckMailbox, Detail: "an event lies in the mailbox and the session does not take it",
			}})
		}
	}
	slices.SortFunc(found, func(a, b Stuck) int { return a.Since.Compare(b.Since) })
	return found
}

// said is what a session says of its progress.
type said struct {
	progress *session.Progress
	err      error
}

func (l *life) progress(ctx context.Context, sessions []*session.Session) []said {
	ctx, cancel := context.WithTimeout(ctx, stuckAnswer)
	defer cancel()
	all := make([]said, len(sessions))
	var asked sync.WaitGroup
	for i, s := range sessions {
		asked.Go(func() {
			all[i].err = s.Ask(ctx, func(v *session.View) { all[i].progress = v.Progress() })
		})
	}
	asked.Wait()
	return all
}

// mailboxWaits reports whether an event has lain in the session's mailbox for too long,
// and since when. Others may have come since.
func (l *life) mailboxWaits(ctx context.Context, s *session.Session, now time.Time) (time.Time, bool) {
	ctx, cancel := context.WithTimeout(ctx, stuckAnswer)
	defer cancel()
	mailbox, subject := l.env.Mailboxes[l.ns.Shard(s.ID())], l.ns.Mailbox(s.ID())
	last, err := mailbox.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return time.Time{}, false // mostly it is empty
	}
	var cursor uint64
	if err := s.Ask(ctx, func(v *session.View) { cursor = v.Cursor() }); err != nil || last.Sequence <= cursor {
		return time.Time{}, false
	}
	first, err := mailbox.GetMsg(ctx, cursor+1, jetstream.WithGetMsgSubject(subject))
	if err != nil || now.Sub(first.Time) < l.cfg.StuckAfter {
		return time.Time{}, false
	}
	return first.Time, true
}

// report tells what has changed since the last report.
func (l *life) report(ctx context.Context, found []Stuck) {
	counts := map[string]int{}
	before := map[string]string{}
	for _, s := range l.stuck.Load().all() {
		before[s.Session] = s.Reason
	}
	for _, s := range found {
		counts[s.Reason]++
		if before[s.Session] != s.Reason {
			l.log.WarnContext(ctx, "session does not get on", "session", s.Session, "input", s.InputID,
				"since", s.Since, "reason", s.Reason, "detail", s.Detail)
		}
		delete(before, s.Session)
	}
	for id, reason := range before {
		l.log.InfoContext(ctx, "session gets on again", "session", id, "reason", reason)
	}
	l.stuck.Store(&stuckList{found})
	l.observe(func(o Observer) { o.Stuck(counts) })
	l.lease.Update(func(m *kv.MemberInfo) { m.Stuck = len(found) })
}

// stuckList is what the watchdog found last.
type stuckList struct{ sessions []Stuck }

func (s *stuckList) all() []Stuck {
	if s == nil {
		return nil
	}
	return s.sessions
}

// shown is what is told to those who ask.
func (s *stuckList) shown() []Stuck {
	all := s.all()
	return append([]Stuck{}, all[:min(len(all), stuckShown)]...)
}
