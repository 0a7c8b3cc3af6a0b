package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/oklog/ulid/v2"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// Receipt is the server's word that an event is stored.
type Receipt struct {
	// Stream holds the mailbox.
	Stream string
	// Sequence is the event's place in that stream; of a duplicate, the first one's.
	Sequence uint64
	// Duplicate: the event was stored before, and this time it was not.
	Duplicate bool
	// EventID is the event's id, also if it was made up.
	EventID string
}

// PublishOption adjusts one publication.
type PublishOption func(*publication) error

// publication is an event on its way.
type publication struct {
	session string
	event   event.Event
	input   string // the id an input will have, "" for a command
	payload []byte // what goes to the object store first, nil if nothing does
	msg     *nats.Msg
	control bool
	command bool
	leave   bool          // a large result stays a blob
	stored  func(Receipt) // if set, told of the receipt
}

// OnControl sends a command past the session's inputs: it is stored although the mailbox
// is full. It overtakes nothing that is stored already. Only commands may go there.
func OnControl() PublishOption {
	return func(p *publication) error {
		if !p.command {
			return fmt.Errorf("type: %q is no command, and only commands go to the control subject", p.event.Type())
		}
		p.control = true
		return nil
	}
}

// OnStored calls f as soon as the event is stored, which for [Client.PublishAndWait] may be
// long before it returns: whoever publishes several events in order need not wait for the
// outcome of each. f is called once at most; not at all if the event is not known to be
// stored, or if its outcome is heard before the server's acknowledgement.
func OnStored(f func(Receipt)) PublishOption {
	return func(p *publication) error {
		p.stored = f
		return nil
	}
}

// LeaveResult makes [Client.PublishAndWait] leave a large result where it is: the outcome has
// its ResultRef and no Result. Whoever waits for many at once reads with [Client.Blob] those
// it has room for.
func LeaveResult() PublishOption {
	return func(p *publication) error {
		p.leave = true
		return nil
	}
}

// Publish stores an event in a session's mailbox. When it returns without error the
// event is stored, and the session will answer it with an outcome
// ([Client.PublishAndWait] waits for that). That the session exists, or likes the event,
// is not promised.
//
// Data over [subjects.MaxInlineData] are stored as a blob of the session first, and the
// event refers to them in the extension dataref ([Client.PutBlob]). The executor gets them
// as if they had travelled with the event. Commands carry theirs always.
//
// It tries once. [ErrMailboxFull], [ErrStreamFull], [ErrTooLarge], [ErrUnavailable] and
// [ErrUndecided] say what went wrong; a session that is no legal token is a
// *[subjects.TokenError], and an event that no session could read, which would end among
// the refused ones unanswered, is not sent.
//
// An event without an id gets one, an event without a source the client's. The caller's
// event is not changed.
func (c *Client) Publish(ctx context.Context, session string, ev event.Event, opts ...PublishOption) (Receipt, error) {
	p, err := c.prepare(session, ev, opts)
	if err != nil {
		return Receipt{}, fmt.Errorf("publish to %s: %w", session, err)
	}
	ctx, done := c.within(ctx)
	defer done()
	return c.publish(ctx, p)
}

func (c *Client) prepare(session string, ev event.Event, opts []PublishOption) (*publication, error) {
	if err := subjects.CheckToken("session", session); err != nil {
		return nil, err
	}
	if ev.Context == nil {
		return nil, errors.New("the event has no context; event.New makes one that has")
	}
	p := &publication{session: session, event: ev.Clone()}
	if p.event.ID() == "" {
		p.event.SetID(newID())
	}
	if p.event.Source() == "" {
		p.event.SetSource(c.source)
	}
	_, p.command = subjects.CommandName(p.event.Type())
	for _, o := range opts {
		if err := o(p); err != nil {
			return nil, err
		}
	}
	subject := c.ns.In(session)
	if p.control {
		subject = c.ns.Ctl(session)
	}
	p.input = inputID(p)
	p.refer()
	var err error
	if p.msg, err = subjects.EncodeBinary(p.event, subject); err != nil {
		return nil, err
	}
	// The session refuses more than the SDK does, and could not answer what it cannot read.
	if _, err := subjects.DecodeMsg(p.msg); err != nil {
		return nil, err
	}
	p.msg.Header.Set(nats.MsgIdHdr, subjects.MsgID(session, p.event))
	return p, nil
}

// refer takes large data out of the event.
func (p *publication) refer() {
	data := p.event.Data()
	if _, theirs := p.event.Extensions()[subjects.ExtDataRef]; p.command || theirs || len(data) <= subjects.MaxInlineData {
		return
	}
	p.payload = data
	p.event.DataEncoded, p.event.DataBase64 = nil, false
	p.event.SetExtension(subjects.ExtDataRef, kv.Ref(data))
}

func newID() string {
	return ulid.MustNew(ulid.Timestamp(time.Now()), rand.Reader).String()
}

func (c *Client) publish(ctx context.Context, p *publication) (Receipt, error) {
	if p.payload != nil {
		if err := c.putBlob(ctx, p.session, p.payload); err != nil {
			return Receipt{}, fmt.Errorf("publish to %s: %w", p.session, err)
		}
		p.payload = nil // once is enough, however often the event is sent
	}
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	ack, err := c.js.PublishMsg(attempt, p.msg)
	if err != nil {
		return Receipt{}, fmt.Errorf("publish to %s: %w", p.session, unstored(ctx, err))
	}
	receipt := Receipt{Stream: ack.Stream, Sequence: ack.Sequence, Duplicate: ack.Duplicate, EventID: p.event.ID()}
	if p.stored != nil {
		p.stored(receipt)
	}
	return receipt, nil
}
