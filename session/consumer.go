package session

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// intakeBuffer is how many messages wait in memory between mailbox and session, those
	// that are asked for among them.
	intakeBuffer = 256
	// intakeHeartbeat is how often the server says that there is nothing new, at most. A consumer
	// that says nothing for twice as long is gone: nobody tells of one whose server died, if
	// it was not the server we are connected to. A cluster needs 4 to 9 s to elect another
	// leader (PROTOCOL 22), and the mailbox should not need much longer.
	intakeHeartbeat = 4 * time.Second
	// intakeKeeps is for how many messages an idle intake keeps room.
	intakeKeeps = 8
	// intakePull is how long one request for messages stands: longer than most sessions stay
	// without an input.
	intakePull = 2 * time.Minute
)

// intake is the session's end of its mailbox: a consumer over its input and control
// subjects, from the committed cursor on. There are no acks; the cursor in the log is what
// makes application exactly-once.
//
// The consumer lives in the server's memory and the way from there may lose messages. The
// server numbers what it delivers and repeats the last number in every heartbeat, so a
// hole is noticed even if nothing follows it. Then the consumer is set up anew behind the
// last message that came through, if the stream still goes that far. On a new connection the
// present one is asked again: if it is gone, the answer says so, and what was on its way to
// the old connection is a hole like any other. (To set up all of them anew takes a server
// minutes of a core for 70,000, just after it was too slow for the connection to last.)
//
// The ordered consumer of the library does not look at the heartbeats, and closing it waits
// for whatever round trip is under way, so that a session could not leave while a server was
// silent.
//
// The server is asked for as many messages as there is room for, so that the [Inbox] can
// put down what comes without waiting for the session.
type intake struct {
	inbox  *Inbox
	stream jetstream.Stream
	filter string
	log    *slog.Logger
	stir   chan struct{} // of who is to take the messages

	mu        sync.Mutex
	closed    bool
	doubted   bool      // waits for a new consumer
	since     time.Time // when that began
	short     time.Time // since when the stream has been seen to end too early
	cut       error     // why there is no consumer to wait for
	consumer  string    // its name, "" before there is one
	epoch     uint64    // of the connection it was asked on last
	unproved  bool      // nothing was heard of it on that one, if it is another
	waiting   []arrival
	delivered uint64 // the consumer's number of the last message
	next      uint64 // stream sequence behind the last message
	asked     int    // messages asked for and not delivered
	heartbeat time.Duration
	silent    int // looks of the watcher since it was heard of
}

// arrival is a mailbox message and its place in the stream.
type arrival struct {
	msg      *nats.Msg
	meta     *nats.MsgMetadata
	consumer string // that brought it
}

// open sets up the session's intake behind mailbox message after.
func (s *Session) open(ctx context.Context, after uint64) (*intake, error) {
	in, err := s.env.Inbox.open(ctx, s.mailbox(), s.env.Namespace.Mailbox(s.id), after+1, s.stirred, s.log)
	if err != nil {
		return nil, fmt.Errorf("session %s: consumer: %w", s.id, err)
	}
	return in, nil
}

// close ends the intake. Nothing comes into it afterwards; what waits in it stays.
func (in *intake) close() {
	in.mu.Lock()
	in.closed = true
	consumer := in.consumer
	in.mu.Unlock()
	in.inbox.forget(consumer)
}

// remove removes the consumer of an intake that was closed.
func (in *intake) remove() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.consumer != "" {
		in.inbox.remove(in.stream, in.consumer)
	}
}

// empty reports whether nothing waits.
func (in *intake) empty() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.waiting) == 0
}

// sound reports whether what is stored now will come, as far as is known. If it will never
// come again, it says why.
func (in *intake) sound() (bool, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return !in.doubted && !in.unproved, in.cut
}

// endsAt notes that the stream was seen to end before what the intake was opened behind, or
// what has come through: what is stored there now would never come (PROTOCOL 18). When that
// is certain, the session is told.
func (in *intake) endsAt(end uint64) (certain bool, err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.short.IsZero() {
		in.short = time.Now()
	}
	err = fmt.Errorf("the mailbox stream ends at %d, and %d has come through", end, in.next-1)
	if time.Since(in.short) < catchUp {
		return false, err
	}
	in.cut = err
	stir(in.stir)
	return true, err
}

// passed is up to where the stream has come through, and since when that is in doubt.
func (in *intake) passed() (upTo uint64, since time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.next - 1, in.since
}

// take returns the message that has waited longest.
func (in *intake) take() (arrival, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.waiting) == 0 {
		return arrival{}, false
	}
	a := in.waiting[0]
	in.waiting = slices.Delete(in.waiting, 0, 1)
	if len(in.waiting) == 0 && cap(in.waiting) > intakeKeeps {
		in.waiting = nil
	}
	in.more()
	return a, true
}

// detach leaves the present consumer and returns where to go on, unless the intake is closed.
func (in *intake) detach() (consumer string, next uint64, open bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return "", 0, false
	}
	consumer, in.consumer = in.consumer, ""
	return consumer, in.next, true
}

// attach goes on with a new consumer, unless the intake is closed.
func (in *intake) attach(consumer string, epoch uint64) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed {
		return false
	}
	in.consumer, in.epoch, in.unproved = consumer, epoch, false
	in.doubted, in.short = false, time.Time{}
	stir(in.stir) // who wanted to rest waited for it
	in.delivered, in.asked, in.silent = 0, 0, 0
	in.more()
	return true
}

// brought reports whether everything that the consumer has brought is still in the stream where
// it was, or removed: it is the present one, and was heard of on the present connection.
func (in *intake) brought(consumer string) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return consumer != "" && in.consumer == consumer && !in.doubted && !in.unproved && in.epoch == in.inbox.nc.Stats().Reconnects
}

// checkEpoch notices that the connection is not the one the consumer was asked on last, and
// asks again. It reports whether it did.
func (in *intake) checkEpoch(epoch uint64) (asked bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.epoch == epoch || in.consumer == "" || in.doubted || in.closed {
		return false
	}
	if !in.lasts() {
		in.doubt(errReconnected)
		return false
	}
	in.epoch, in.unproved, in.asked, in.silent = epoch, true, 0, 0
	in.more()
	return true
}

// lasts reports whether a consumer that answers on a new connection is the one it was. A server
// that is alone forgets those of this kind when it is restarted. In a cluster it is given them
// back, as they were made, and its stream may have lost its end meanwhile, unless others store
// it too.
func (in *intake) lasts() bool {
	info := in.stream.CachedInfo()
	return info.Config.Replicas > 1 || info.Cluster == nil || info.Cluster.Name == ""
}

// proved notes that the consumer was heard of. It expects the lock held.
func (in *intake) proved() {
	in.silent = 0
	if in.unproved {
		in.unproved = false
		stir(in.stir) // who wanted to rest waited for it
	}
}

// checkSilence notices a consumer that has been asked and not been heard of for too long.
// It is called every intakeHeartbeat, and does what checkEpoch does as well.
func (in *intake) checkSilence(epoch uint64) (asked bool) {
	if in.checkEpoch(epoch) {
		return true
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	// It may have been asked when there were few. Of many none is missed sooner than it would be
	// heard of now: all of them at once would be, if the server is too slow for a while.
	heartbeat := max(in.heartbeat, in.inbox.heartbeat(intakeHeartbeat))
	switch {
	case in.asked == 0: // nothing is owed
		in.silent = 0
	case in.silent < int(2*heartbeat/intakeHeartbeat):
		in.silent++
	default:
		in.doubt(errSilent)
	}
	return false
}

// doubt lets the consumer be set up anew. It expects the lock held.
func (in *intake) doubt(why error) {
	if in.doubted || in.closed {
		return
	}
	in.doubted, in.since = true, time.Now()
	in.log.Debug("mailbox consumer is set up anew", "error", why)
	in.inbox.queue(in)
}

// arrived puts a message down.
func (in *intake) arrived(msg *nats.Msg, meta *nats.MsgMetadata) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed || in.consumer != meta.Consumer {
		return
	}
	if meta.Sequence.Consumer != in.delivered+1 {
		in.doubt(fmt.Errorf("message %d follows message %d", meta.Sequence.Consumer, in.delivered))
		return
	}
	in.silent = 0
	in.delivered++
	in.asked = max(0, in.asked-1)
	in.next = meta.Sequence.Stream + 1
	in.waiting = append(in.waiting, arrival{msg, meta, in.consumer})
	stir(in.stir)
}

// told takes a word of the server's about a consumer, in answer to what was asked on the
// connection of that epoch.
func (in *intake) told(msg *nats.Msg, consumer string, epoch uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.closed || in.consumer != consumer || in.epoch != epoch {
		return
	}
	status := msg.Header.Get("Status")
	left, err := strconv.Atoi(msg.Header.Get("Nats-Pending-Messages"))
	switch {
	case status == "100":
		if last := msg.Header.Get("Nats-Last-Consumer"); last != "" && last != strconv.FormatUint(in.delivered, 10) {
			in.doubt(fmt.Errorf("message %s was sent, the last that came is %d", last, in.delivered))
			return
		}
		in.proved()
	case status == "408" && err == nil:
		// A request has stood its time; what it did not bring is asked for again.
		in.silent = 0
		in.asked = max(0, in.asked-left)
		in.more()
	default:
		in.doubt(fmt.Errorf("status %s %s", status, msg.Header.Get("Description")))
	}
}

// more asks for as many messages as there is room for, when there is enough of it. It
// expects the lock held.
func (in *intake) more() {
	room := intakeBuffer - in.asked - len(in.waiting)
	if room < intakeBuffer/2 || in.closed || in.doubted || in.consumer == "" {
		return
	}
	least, stands := intakeHeartbeat, intakePull
	if in.unproved {
		least = intakeReturn // what the old connection has lost is to be found soon
	}
	heartbeat := in.inbox.heartbeat(least)
	if in.unproved {
		stands = 2 * heartbeat
	}
	if err := in.inbox.ask(in.stream, in.consumer, in.epoch, room, stands, heartbeat); err != nil {
		in.doubt(fmt.Errorf("ask for messages: %w", err))
		return
	}
	in.heartbeat = max(heartbeat, intakeHeartbeat)
	in.asked += room
}
