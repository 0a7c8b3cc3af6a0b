package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/session"
	"github.com/kalahari-run/kalahari/subjects"
)

// services are what a worker answers on: its private subjects and, with the whole fleet,
// the queries.
type services struct {
	subs  []*nats.Subscription
	micro micro.Service
}

// stop ends the services. It waits until the server hears the worker, or until ctx ends.
//
// The library stops a service by draining its subscriptions, and nats.go (1.55) subscribes
// anew, with the new connection, to what is being drained while it reconnects: it gives
// such a subscription up a moment later without a word to the server, which from then on
// sends this worker questions that nobody sees. A worker that ends itself because it was cut
// off would leave half of all questions to a fleet of two unanswered.
func (l *life) stop(ctx context.Context, s *services) {
	for s.micro != nil && ctx.Err() == nil {
		if err := l.heard(ctx); !errors.Is(err, context.DeadlineExceeded) {
			break
		}
	}
	for _, sub := range s.subs {
		_ = sub.Unsubscribe() // the connection may be gone already
	}
	if s.micro != nil {
		_ = s.micro.Stop()
	}
}

const (
	serviceName  = "kalahari-sessions"
	queryTimeout = 5 * time.Second
	// ownerAnswers is how long an owner may take to answer. One that hangs is known for dead
	// much later, and what it has committed stands in the store.
	ownerAnswers = queryTimeout / 2
	// headerAsked carries the query subject when a query is forwarded to the owner.
	headerAsked = HeaderQuery
)

// HeaderQuery and QueryStuck ask a worker on its control subject which of its sessions do
// not get on.
const (
	HeaderQuery = "Kalahari-Query"
	QueryStuck  = "stuck"
)

// serve lets the worker be asked, until the services are stopped; ctx bounds its start, and
// life the answers.
func (l *life) serve(ctx, life context.Context) (*services, error) {
	s := &services{}
	probe, err := l.nc.Subscribe(l.ns.Probe(string(l.me)), l.probed)
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	s.subs = append(s.subs, probe)
	control, err := l.nc.Subscribe(l.ns.Control(string(l.me)), func(m *nats.Msg) {
		go l.forwarded(life, m)
	})
	if err != nil {
		l.stop(ctx, s)
		return nil, fmt.Errorf("control: %w", err)
	}
	s.subs = append(s.subs, control)
	s.micro, err = micro.AddService(l.nc, micro.Config{
		Name: serviceName, Version: "1.0.0",
		Description: "Kalahari: questions about sessions of the namespace " + l.ns.Name(),
		Metadata:    map[string]string{"kalahari.namespace": l.ns.Name(), "kalahari.worker": string(l.me)},
	})
	if err == nil {
		err = s.micro.AddEndpoint("query", micro.HandlerFunc(func(r micro.Request) {
			go l.query(life, r)
		}), micro.WithEndpointSubject(l.ns.QueryAll()))
	}
	if err != nil {
		l.stop(ctx, s)
		return nil, fmt.Errorf("query service: %w", err)
	}
	// The server has to know before anybody is told that this worker is there.
	if err := l.heard(ctx); err != nil {
		l.stop(ctx, s)
		return nil, fmt.Errorf("subscriptions: %w", err)
	}
	return s, nil
}

// heard waits until the server knows what this worker has subscribed to: until the worker
// has answered its own probe, since a server takes what a connection sends in its order.
//
// It is no flush, which waits for the answer to a PING: nats.go (1.55) counts answers. PINGs
// sent while it reconnects are written with all else that piled up, and if the new
// connection ends in the middle of that, they are gone and still counted. From then on a
// flush waits for answers to as many later PINGs, for ever with the usual interval, while
// the connection does everything else: the worker could not start on it again.
func (l *life) heard(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	for {
		try, done := context.WithTimeout(ctx, queryTimeout/5) // the connection may break meanwhile
		_, err := l.nc.RequestWithContext(try, l.ns.Probe(string(l.me)), nil)
		done()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// query answers one question: from the session if it is here, through its owner if it
// has one, from the store if nobody owns it or the owner does not answer.
func (l *life) query(ctx context.Context, r micro.Request) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	id, name, ok := l.parseQuery(r.Subject())
	reply, err := nats.NewMsg(r.Reply()), error(session.ErrNoQuery)
	if ok {
		reply.Data, err = l.answer(ctx, id, name, r.Data(), true)
	}
	if err != nil {
		q := queryError(err)
		reply.Header.Set(micro.ErrorCodeHeader, q.Status)
		reply.Header.Set(micro.ErrorHeader, q.Message)
		reply.Data, _ = json.Marshal(map[string]any{"error": map[string]string{"code": q.Code, "message": q.Message}}, json.Deterministic(true))
	}
	// Not through the request: the library reads it again as soon as the handler has
	// returned, and this runs beside it. An asker that is gone needs no answer.
	_ = l.nc.PublishMsg(reply)
}

func (l *life) parseQuery(subject string) (id, name string, ok bool) {
	rest, ok := strings.CutPrefix(subject, strings.TrimSuffix(l.ns.QueryAll(), "*.*"))
	if !ok {
		return "", "", false
	}
	id, name, ok = strings.Cut(rest, ".")
	return id, name, ok && subjects.CheckToken("session", id) == nil
}

// queryError is an error as a query answers it.
func queryError(err error) *session.QueryError {
	var q *session.QueryError
	if errors.As(err, &q) {
		return q
	}
	return &session.QueryError{Code: "internal", Status: "500", Message: err.Error()}
}

// answer is ask within the size of a message.
func (l *life) answer(ctx context.Context, id, name string, args []byte, mayForward bool) ([]byte, error) {
	room := int(l.nc.MaxPayload() - answerHeaders)
	answer, err := l.ask(ctx, id, name, args, room, mayForward)
	if err == nil && len(answer) > room {
		return nil, &session.QueryError{
			Code: "answer_too_large", Status: "413",
			Message: fmt.Sprintf("the answer has %d bytes, a message holds %d", len(answer), room),
		}
	}
	return answer, err
}

// answerHeaders is the room kept for the headers of an answer.
const answerHeaders = 4 << 10

// ask finds who can answer, and has it answer within room if that can be.
func (l *life) ask(ctx context.Context, id, name string, args []byte, room int, mayForward bool) ([]byte, error) {
	if name == "owner" {
		return l.ownerOf(ctx, id)
	}
	if name == "history" {
		return session.History(ctx, l.env, id, args) // the log's, whoever owns the session
	}
	patient, cancel := context.WithTimeout(ctx, ownerAnswers)
	defer cancel()
	if s := l.guest(id); s != nil {
		var answer []byte
		var err error
		if s.Ask(patient, func(v *session.View) { answer, err = v.Answer(name, args, room) }) == nil {
			return answer, err
		}
	}
	if owner, ok := l.owners.Lookup(id); ok && mayForward && owner.Incarnation != l.me && l.members.Alive(owner.Incarnation) {
		m, err := l.nc.RequestMsgWithContext(patient, &nats.Msg{
			Subject: l.ns.Control(string(owner.Incarnation)), Data: args,
			Header: nats.Header{headerAsked: {l.ns.Query(id, name)}},
		})
		if err == nil {
			return forwardedAnswer(m)
		}
		// The owner has gone meanwhile, or hangs: the store knows what is committed.
	}
	v, err := session.Stored(ctx, l.env, id)
	if errors.Is(err, session.ErrUnknown) {
		return session.Absent(name)
	}
	if err != nil {
		return nil, err
	}
	return v.Answer(name, args, room)
}

// ownerReport is the answer to the query "owner".
type ownerReport struct {
	Session string `json:"session"`
	// Owner is nil if the session has none.
	Owner *ownerSeen `json:"owner"`
}

type ownerSeen struct {
	Incarnation kv.Incarnation `json:"incarnation"`
	Fence       uint64         `json:"fence"`
	ClaimedAt   time.Time      `json:"claimed_at"`
	Alive       bool           `json:"alive"`
}

func (l *life) ownerOf(ctx context.Context, id string) ([]byte, error) {
	owner, err := l.store.Owners.Read(ctx, id)
	if errors.Is(err, kv.ErrNotOwned) {
		return json.Marshal(ownerReport{Session: id})
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(ownerReport{id, &ownerSeen{owner.Incarnation, owner.Fence, owner.ClaimedAt, l.alive(ctx, owner.Incarnation)}})
}

// forwarded answers a query another worker passed on.
func (l *life) forwarded(ctx context.Context, m *nats.Msg) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	reply := nats.NewMsg(m.Reply)
	if m.Header.Get(headerAsked) == QueryStuck {
		reply.Data, _ = json.Marshal(map[string]any{"stuck": l.stuck.Load().shown()}) // strings and times
		_ = l.nc.PublishMsg(reply)
		return
	}
	id, name, ok := l.parseQuery(m.Header.Get(headerAsked))
	err := error(session.ErrNoQuery)
	if ok {
		reply.Data, err = l.answer(ctx, id, name, m.Data, false)
	}
	if err != nil {
		q := queryError(err)
		reply.Header.Set(micro.ErrorCodeHeader, q.Status)
		reply.Header.Set(micro.ErrorHeader, q.Message)
		reply.Header.Set(headerAsked, q.Code)
	}
	_ = l.nc.PublishMsg(reply) // an asker that is gone needs no answer
}

func forwardedAnswer(m *nats.Msg) ([]byte, error) {
	if code := m.Header.Get(headerAsked); code != "" {
		return nil, &session.QueryError{
			Code: code, Status: m.Header.Get(micro.ErrorCodeHeader), Message: m.Header.Get(micro.ErrorHeader),
		}
	}
	return m.Data, nil
}
