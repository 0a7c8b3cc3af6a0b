package kv

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

// bubble runs a test on a server of its own, in fake time.
func bubble(t *testing.T, f func(t *testing.T, env *embeddedtest.Env, s *Store)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "test", 2)
		f(t, env, open(t, env.JS, env.Namespace))
	})
}

// bubbleAlone is bubble for tests that reconnect. nats.go flushes with a timer
// from a pool of the whole process then, and a timer of one bubble is fatal in
// another: such tests run one by one, and the pool is emptied between them.
func bubbleAlone(t *testing.T, f func(t *testing.T, env *embeddedtest.Env, s *Store)) {
	empty := func() { runtime.GC(); runtime.GC() }
	empty()
	defer empty()
	synctest.Test(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "test", 2)
		f(t, env, open(t, env.JS, env.Namespace))
	})
}

func open(t testing.TB, js jetstream.JetStream, ns subjects.Namespace) *Store {
	t.Helper()
	s, err := Open(t.Context(), js, ns)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// middle stands between a store and JetStream and does what a network does:
// loses questions, loses answers, delays, answers from a lagging server.
type middle struct {
	mu     sync.Mutex
	faults []fault
	seen   []string
	alter  func(to string, question []byte) []byte // if it is set
}

// fault handles a request to which its subject applies. It calls forward as
// often as it likes and returns the answer, or nil for none.
type fault struct {
	subject string
	times   int
	handle  func(forward func() *nats.Msg) *nats.Msg
}

const middlePrefix = "MIDDLE.API"

// between returns a store whose every request passes a middle.
func between(t *testing.T, env *embeddedtest.Env) (*Store, *middle) {
	t.Helper()
	m := &middle{}
	server, _ := embeddedtest.Connect(t, env.Server)
	var handlers sync.WaitGroup
	sub, err := server.Subscribe(middlePrefix+".>", func(req *nats.Msg) {
		to := strings.TrimPrefix(req.Subject, middlePrefix+".")
		if !strings.HasPrefix(to, "$") {
			to = "$JS.API." + to
		}
		if m.alter != nil {
			req.Data = m.alter(to, req.Data)
		}
		handle := m.choose(to)
		handlers.Go(func() {
			answer := handle(func() *nats.Msg {
				// In bubbles only the calls with a context: the others share timers.
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				answer, err := server.RequestMsgWithContext(ctx, &nats.Msg{Subject: to, Header: req.Header, Data: req.Data})
				if err != nil {
					return nil
				}
				return answer
			})
			if answer != nil {
				_ = server.PublishMsg(&nats.Msg{Subject: req.Reply, Header: answer.Header, Data: answer.Data})
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Drain(); handlers.Wait() })
	if err := server.FlushWithContext(within(t, time.Second)); err != nil {
		t.Fatal(err)
	}
	nc, _ := embeddedtest.Connect(t, env.Server)
	js, err := jetstream.NewWithAPIPrefix(nc, middlePrefix)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, js, env.Namespace), m
}

func (m *middle) choose(to string) func(func() *nats.Msg) *nats.Msg {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, to)
	for i := range m.faults {
		f := &m.faults[i]
		if f.times != 0 && strings.Contains(to, f.subject) {
			f.times--
			return f.handle
		}
	}
	return func(forward func() *nats.Msg) *nats.Msg { return forward() }
}

func (m *middle) inject(subject string, times int, handle func(func() *nats.Msg) *nats.Msg) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = append(m.faults, fault{subject, times, handle})
}

func (m *middle) heal() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = nil
}

func (m *middle) count(subject string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.seen {
		if strings.Contains(s, subject) {
			n++
		}
	}
	return n
}

func loseAnswer(forward func() *nats.Msg) *nats.Msg { forward(); return nil }
func loseQuestion(func() *nats.Msg) *nats.Msg       { return nil }

// line is a connection that can be cut.
type line struct {
	env  *embeddedtest.Env
	mu   sync.Mutex
	down bool
	open map[net.Conn]struct{}
}

func cuttable(t *testing.T, env *embeddedtest.Env) (*Store, *line) {
	t.Helper()
	l := &line{env: env, open: map[net.Conn]struct{}{}}
	nc, err := nats.Connect("nats://127.0.0.1:1", nats.SkipHostLookup(), nats.SetCustomDialer(l), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, js, env.Namespace), l
}

// Dial implements nats.CustomDialer.
func (l *line) Dial(string, string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return nil, errors.New("the line is cut")
	}
	c, err := l.env.Server.NATS().InProcessConn()
	if err == nil {
		l.open[c] = struct{}{}
	}
	return c, err
}

// SkipTLSHandshake tells nats.go to leave the connection as it is.
func (l *line) SkipTLSHandshake() bool { return true }

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for c := range l.open {
		_ = c.Close()
	}
	clear(l.open)
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

func isErr(t *testing.T, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Fatalf("error is %v, want %v", err, w)
		}
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestIncarnationsAreTokensAndUnique(t *testing.T) {
	t.Parallel()
	seen := map[Incarnation]bool{}
	for _, name := range []string{"", "worker-1", "host.example.com", "wörker *>", strings.Repeat("x", 500)} {
		for range 100 {
			inc := NewIncarnation(name)
			if err := subjects.CheckToken("incarnation", string(inc)); err != nil {
				t.Fatal(err)
			}
			if seen[inc] {
				t.Fatalf("%s came twice", inc)
			}
			seen[inc] = true
		}
	}
}

func TestOpenNeedsAProvisionedNamespace(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "here", 1)
	elsewhere := must[subjects.Namespace](t)(subjects.NewNamespace("elsewhere", 1))
	_, err := Open(t.Context(), env.JS, elsewhere)
	isErr(t, err, subjects.ErrNotProvisioned)
}
