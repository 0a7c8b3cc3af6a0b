package session

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/kalahari-run/kalahari/kernel"
	"github.com/kalahari-run/kalahari/subjects"
)

// A session has one timer for all its requests and streams, set to the earliest deadline.
// Most requests are answered long before theirs, and cost none.

// alarm is that timer.
type alarm struct {
	At time.Time `json:"at"`
	// Generation is the ordinal of its arming: a timer of another one is stale (PROTOCOL 34).
	Generation uint64 `json:"generation"`
}

// alarmTimer is its id in TIME, where one of the same id replaces it.
const alarmTimer = "requests"

// alarmGrace is how late an alarm may come. After that it is taken for lost: its message may
// have expired before it could be forwarded, or a late one of an earlier owner have taken its
// place. One that comes all the same does no harm.
const alarmGrace = time.Minute

func (s *Session) alarmLost() bool {
	return s.ledger.Alarm != nil && s.next.now.Sub(s.ledger.Alarm.At) > alarmGrace
}

// alarm sees to it that the session hears of a deadline.
func (s *Session) alarm(at time.Time) {
	switch was := s.ledger.Alarm; {
	case s.alarmLost():
		s.setAlarm(s.next.now) // deadlines have passed already
	case was == nil || at.Before(was.At):
		s.setAlarm(at)
	}
	// Otherwise it is looked at again when that one comes.
}

// findAlarm sets an alarm that was lost anew, for who takes a session over.
func (s *Session) findAlarm() {
	if s.alarmLost() {
		s.setAlarm(s.next.now)
	}
}

func (s *Session) setAlarm(at time.Time) {
	// Its ordinal is the next.
	a := alarm{At: at.UTC(), Generation: s.next.delta.Sent + 1}
	ev := event.New()
	ev.SetID(s.id + "/" + alarmTimer + "." + strconv.FormatUint(a.Generation, 10))
	ev.SetSource(s.env.Namespace.Source(s.id))
	ev.SetType(subjects.DeadlineType)
	err := ev.SetData(event.ApplicationJSON, []byte(mustJSON(a)))
	var text []byte
	if err == nil {
		text, err = subjects.EncodeJSON(ev)
	}
	if err != nil {
		s.fail(fmt.Errorf("session %s: timer: %w", s.id, err))
		return
	}
	s.arm(alarmTimer, a.At, text)
	s.change(func(d *delta) { d.Alarm = &a })
}

// rung ends what is overdue. A timer that is stale or comes again ends nothing early.
func (s *Session) rung(a alarm, c cause) {
	set := s.ledger.Alarm
	if set == nil {
		return
	}
	// The server fires by its own clock, ours may be behind.
	now := s.next.now
	if now.Before(a.At) {
		now = a.At
	}
	if set.Generation != a.Generation && set.At.After(now) {
		// There is one of an id: it may stand where the one that is set stood, if an owner that
		// was replaced meanwhile published it late.
		s.setAlarm(set.At)
		return
	}
	s.change(func(d *delta) { d.Rung = true })
	for _, id := range slices.Sorted(maps.Keys(s.ledger.Streams)) {
		if !s.ledger.Streams[id].After(now) {
			s.apply(&kernel.InteractionStreamExpired{CorrID: kernel.PeerCorrelationId(id)}, c) // refused once destroyed
			s.changePeers(peerChange{ID: id, Joined: true})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.ledger.Asked)) {
		if a := s.ledger.Asked[id]; !a.Deadline.After(now) {
			s.apply(&kernel.PeerRequestTimedOut{CorrID: kernel.PeerCorrelationId(id)}, c)
			s.unanswered(id, a, peerFail{Code: "timed_out", Reason: "no answer by " + stamp(a.Deadline)}, c)
		}
	}
	var next time.Time
	earliest := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	for _, at := range s.ledger.Streams {
		earliest(at)
	}
	for _, a := range s.ledger.Asked {
		earliest(a.Deadline)
	}
	if !next.IsZero() {
		s.alarm(next)
	}
}
