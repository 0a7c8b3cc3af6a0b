package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

const (
	// intakeBuffer is how many messages wait in memory between mailbox and session.
	intakeBuffer = 256
	// intakeHeartbeat is how often the server says that there is nothing new. A consumer
	// that says nothing for twice as long is gone: nobody tells of one whose server died, if
	// it was not the server we are connected to. A cluster needs 4 to 9 s to elect another
	// leader (PROTOCOL 22), and the mailbox should not need much longer.
	intakeHeartbeat = 4 * time.Second
	// intakePull is how long one request for messages stands.
	intakePull = 30 * time.Second
	// intakeLife is how long the server keeps a consumer that nobody asks.
	intakeLife = 30 * time.Second
	// intakeSetup bounds one try to set up the consumer.
	intakeSetup = 5 * time.Second
)

// intake is the session's end of its mailbox: a consumer over its input and control
// subjects, from the committed cursor on. There are no acks; the cursor in the log is what
// makes application exactly-once.
//
// The consumer lives in the server's memory and the way from there may lose messages. The
// server numbers what it delivers and repeats the last number in every heartbeat, so a
// hole is noticed even if nothing follows it. Then, and after each reconnect, the consumer
// is set up anew behind the last message that came through. The ordered consumer of the
// library does not look at the heartbeats, and closing it waits for whatever round trip
// is under way, so that a session could not leave while a server was silent.
type intake struct {
	messages chan *nats.Msg
	mailbox  jetstream.Stream
	nc       *nats.Conn
	api      string // prefix of the JetStream API
	subject  string // a filter for the session's mailbox
	next     uint64 // stream sequence of the next message; run's
	failed   func(error)

	stop   context.CancelFunc
	closed chan struct{}
}

// open sets up the consumer.
func (s *Session) open(ctx context.Context) (*intake, error) {
	in := &intake{
		messages: make(chan *nats.Msg, intakeBuffer), mailbox: s.mailbox(), nc: s.env.JS.Conn(),
		api: subjects.APIPrefix(s.env.JS.Options()), subject: s.env.Namespace.Mailbox(s.id), next: s.cursor + 1, closed: make(chan struct{}),
		failed: func(err error) { s.log.DebugContext(ctx, "mailbox consumer is set up anew", "error", err) },
	}
	// Before the consumer, so that no reconnect is missed.
	status := in.nc.StatusChanged(nats.CONNECTED)
	first, err := in.subscribe(ctx)
	if err != nil {
		in.nc.RemoveStatusListener(status)
		return nil, fmt.Errorf("session %s: consumer: %w", s.id, err)
	}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	in.stop = stop
	go in.run(run, first, status)
	return in, nil
}

// close ends the intake. Nothing comes out of it afterwards but what is in messages.
func (in *intake) close() {
	in.stop()
	<-in.closed
}

func (in *intake) run(ctx context.Context, sub *mailSub, status chan nats.Status) {
	defer close(in.closed)
	defer in.nc.RemoveStatusListener(status)
	look := time.NewTicker(intakeHeartbeat)
	defer look.Stop()
	for try := 0; ; {
		var why error
		if sub == nil {
			if sub, why = in.subscribe(ctx); why != nil {
				if ctx.Err() != nil {
					return
				}
				in.failed(why)
				if try++; !sleep(ctx, min(50*time.Millisecond<<min(try, 6), 2*time.Second)) {
					return
				}
				continue
			}
			try = 0
		}
		for why == nil {
			select {
			case <-ctx.Done():
				sub.end()
				return
			case why = <-sub.doubt:
			case <-status:
				why = sub.moved()
			case <-look.C:
				why = sub.silent()
			}
		}
		in.next = sub.end()
		in.failed(why)
		sub = nil
	}
}

// mailSub is one consumer and the subscription that hears of it.
type mailSub struct {
	in    *intake
	sub   *nats.Subscription
	pulls string // subject on which the consumer is asked
	inbox string
	epoch uint64     // of the connection it was made on
	doubt chan error // has room for the one that ends it

	mu        sync.Mutex
	ended     bool
	over      chan struct{}
	delivered uint64 // the consumer's number of the last message
	next      uint64 // stream sequence behind the last message
	asked     int    // messages asked for and not delivered
	pull      int
	heard     time.Time
	held      bool // a message has come that the session does not take yet
}

// subscribe makes a consumer behind what has come through.
func (in *intake) subscribe(ctx context.Context) (*mailSub, error) {
	epoch := in.nc.Stats().Reconnects
	ctx, cancel := context.WithTimeout(ctx, intakeSetup)
	defer cancel()
	cons, err := in.mailbox.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubject:     in.subject,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       in.next,
		AckPolicy:         jetstream.AckNonePolicy,
		InactiveThreshold: intakeLife,
		Replicas:          1,
		MemoryStorage:     true,
	})
	if err != nil {
		return nil, err
	}
	m := &mailSub{
		epoch: epoch, in: in, inbox: in.nc.NewInbox(), doubt: make(chan error, 1), over: make(chan struct{}), next: in.next, heard: time.Now(),
		pulls: in.api + "CONSUMER.MSG.NEXT." + cons.CachedInfo().Stream + "." + cons.CachedInfo().Name,
	}
	if m.sub, err = in.nc.Subscribe(m.inbox+".*", m.arrived); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.more()
	return m, nil
}

// end ends the subscription and returns where to go on. What arrives later is ignored.
func (m *mailSub) end() (next uint64) {
	_ = m.sub.Unsubscribe() // the connection may be gone
	close(m.over)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = true
	return m.next
}

var (
	errReconnected = errors.New("the connection is a new one")
	errSilent      = errors.New("no word from the consumer")
)

// moved reports that the connection is not the one the consumer was made on.
func (m *mailSub) moved() error {
	if m.in.nc.Stats().Reconnects != m.epoch {
		return errReconnected
	}
	return nil
}

// silent reports a consumer that has not been heard of for too long.
func (m *mailSub) silent() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.held && time.Since(m.heard) > 2*intakeHeartbeat {
		return errSilent
	}
	return nil
}

func (m *mailSub) distrust(why error) {
	select {
	case m.doubt <- why:
	default: // there is a reason already
	}
}

// arrived takes what the server sends, one after the other.
func (m *mailSub) arrived(msg *nats.Msg) {
	m.mu.Lock()
	m.heard = time.Now()
	if m.ended {
		m.mu.Unlock()
		return
	}
	if status := msg.Header.Get("Status"); status != "" && msg.Reply == "" {
		m.told(status, msg)
		m.mu.Unlock()
		return
	}
	meta, err := msg.Metadata()
	if err == nil && meta.Sequence.Consumer != m.delivered+1 {
		err = fmt.Errorf("message %d follows message %d", meta.Sequence.Consumer, m.delivered)
	}
	if err != nil {
		m.distrust(err)
		m.mu.Unlock()
		return
	}
	m.delivered++
	m.held = true
	m.mu.Unlock()
	// Not under the lock: the session may take its time.
	select {
	case m.in.messages <- msg:
	case <-m.over:
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.held = false
	m.next = meta.Sequence.Stream + 1
	m.heard = time.Now()
	m.asked--
	m.more()
}

// told takes a word of the server's. It expects the lock held.
func (m *mailSub) told(status string, msg *nats.Msg) {
	left, err := strconv.Atoi(msg.Header.Get("Nats-Pending-Messages"))
	switch {
	case status == "100":
		if last := msg.Header.Get("Nats-Last-Consumer"); last != "" && last != strconv.FormatUint(m.delivered, 10) {
			m.distrust(fmt.Errorf("message %s was sent, the last that came is %d", last, m.delivered))
		}
	case status == "408" && err == nil:
		// A request has stood its time; what it did not bring is asked for again.
		m.asked = max(0, m.asked-left)
		m.more()
	default:
		m.distrust(fmt.Errorf("status %s %s", status, msg.Header.Get("Description")))
	}
}

// more asks for as many messages as there is room for, when there is enough of it. It
// expects the lock held.
func (m *mailSub) more() {
	if m.asked > intakeBuffer/2 || m.ended {
		return
	}
	m.pull++
	ask, err := json.Marshal(struct {
		Expires   time.Duration `json:"expires"`
		Batch     int           `json:"batch"`
		Heartbeat time.Duration `json:"idle_heartbeat"`
	}{intakePull, intakeBuffer - m.asked, intakeHeartbeat})
	if err == nil {
		err = m.in.nc.PublishRequest(m.pulls, m.inbox+"."+strconv.Itoa(m.pull), ask)
	}
	if err != nil {
		m.distrust(fmt.Errorf("ask for messages: %w", err))
		return
	}
	m.asked = intakeBuffer
}
