package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// Defaults of options.
const (
	// DefaultTimeout is how long one request waits for its answer.
	DefaultTimeout = 5 * time.Second
	// DefaultSilence is how long a wait hears nothing before it looks itself.
	DefaultSilence = 2 * time.Second
	// MaxSilence is what the time between two looks grows to.
	MaxSilence = 30 * time.Second
)

// Client speaks with the sessions of one namespace.
type Client struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	ns       subjects.Namespace
	settings subjects.Settings

	source  string
	timeout time.Duration
	silence time.Duration
	log     *slog.Logger

	ctx    context.Context // ends with Close, for the reason ErrClosed
	cancel context.CancelCauseFunc
	group  sync.WaitGroup
	status chan nats.Status

	mu      sync.Mutex
	closed  bool
	store   *kv.Store         // once it was needed
	blobs   *kv.Blobs         // once it was needed
	watches map[string]*watch // by session, while somebody waits
	fx      fxAccess
	// link is done when the connection has been lost and made again: what was under way
	// on the old one may be lost.
	link   context.Context
	broken context.CancelFunc
}

// Option adjusts a client.
type Option func(*Client) error

// WithSource sets the source of events that have none, and of commands. Default
// "/kalahari/client".
func WithSource(source string) Option {
	return func(c *Client) error {
		if source == "" {
			return errors.New("client: the source is empty")
		}
		c.source = source
		return nil
	}
}

// WithTimeout sets how long one request (an acknowledgement, a query) waits for its
// answer, within the context it is made in. Default [DefaultTimeout].
func WithTimeout(d time.Duration) Option {
	return func(c *Client) error {
		if d <= 0 {
			return fmt.Errorf("client: the timeout %v is not positive", d)
		}
		c.timeout = d
		return nil
	}
}

// WithSilence sets how long [Client.PublishAndWait] hears nothing before it asks the
// session and reads its feed; the pauses after that grow to [MaxSilence]. Default
// [DefaultSilence].
func WithSilence(d time.Duration) Option {
	return func(c *Client) error {
		if d <= 0 {
			return fmt.Errorf("client: the silence %v is not positive", d)
		}
		c.silence = d
		return nil
	}
}

// WithJetStream makes the client use js, for a JetStream domain or API prefix of its
// own. It must be on the client's connection.
func WithJetStream(js jetstream.JetStream) Option {
	return func(c *Client) error {
		if js == nil {
			return errors.New("client: the JetStream context is nil")
		}
		c.js = js
		return nil
	}
}

// WithLogger sets where the client says what went wrong behind a call that went well.
// Default: nowhere.
func WithLogger(log *slog.Logger) Option {
	return func(c *Client) error {
		if log == nil {
			return errors.New("client: the logger is nil")
		}
		c.log = log
		return nil
	}
}

// New returns a client of a namespace. It asks the namespace for its shard count,
// for [DefaultTimeout] at most, so the namespace must be there:
// [subjects.ErrNotProvisioned] otherwise. The connection stays the caller's;
// close the client first.
func New(nc *nats.Conn, namespace string, opts ...Option) (*Client, error) {
	c := &Client{
		nc: nc, source: "/kalahari/client", timeout: DefaultTimeout, silence: DefaultSilence,
		log: slog.New(slog.DiscardHandler), watches: map[string]*watch{},
	}
	for _, o := range opts {
		if err := o(c); err != nil {
			return nil, err
		}
	}
	if err := subjects.CheckToken("namespace", namespace); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if c.js == nil {
		js, err := jetstream.New(nc)
		if err != nil {
			return nil, fmt.Errorf("client: %w", err)
		}
		c.js = js
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	var err error
	if c.ns, c.settings, err = subjects.Discover(ctx, c.js, namespace); err != nil {
		return nil, fmt.Errorf("client: namespace %s: %w", namespace, unanswered(context.Background(), err))
	}
	if c.settings.Published == subjects.PublishNone {
		c.fx = fxSilent
	}
	c.ctx, c.cancel = context.WithCancelCause(context.Background())
	c.link, c.broken = context.WithCancel(c.ctx)
	c.status = nc.StatusChanged(nats.CONNECTED)
	c.group.Go(c.listen)
	return c, nil
}

// Namespace is the namespace the client speaks with.
func (c *Client) Namespace() subjects.Namespace { return c.ns }

// Settings are the namespace's as they were when the client was made.
func (c *Client) Settings() subjects.Settings { return c.settings }

// Ready returns nil if the client can publish: it is connected and JetStream answers for
// the namespace. Otherwise it says why not.
func (c *Client) Ready(ctx context.Context) error {
	ctx, done := c.within(ctx)
	defer done()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if s := c.nc.Status(); s != nats.CONNECTED {
		return fmt.Errorf("%w: the connection to NATS is %s", ErrUnavailable, strings.ToLower(s.String()))
	}
	attempt, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if _, err := c.js.Stream(attempt, c.ns.InStream(0)); err != nil {
		return fmt.Errorf("stream %s: %w", c.ns.InStream(0), unanswered(ctx, err))
	}
	return nil
}

// Close ends what the client does: calls that wait return [ErrClosed]. It waits for
// the client's own goroutines, leaves the connection open, and may be called more
// than once.
func (c *Client) Close() {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	c.cancel(ErrClosed)
	if first {
		c.nc.RemoveStatusListener(c.status)
	}
	c.group.Wait()
}

// listen breaks the link at each reconnection.
func (c *Client) listen() {
	for {
		select {
		case _, ok := <-c.status:
			if !ok {
				return
			}
			c.mu.Lock()
			c.broken()
			c.link, c.broken = context.WithCancel(c.ctx)
			c.mu.Unlock()
		case <-c.ctx.Done():
			return
		}
	}
}

func (c *Client) linked() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link
}

// within is ctx, ended by Close as well. Its cause says by which.
func (c *Client) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if c.ctx.Err() != nil {
		cancel(ErrClosed) // at once: an AfterFunc that is due runs a moment later
	}
	stop := context.AfterFunc(c.ctx, func() { cancel(ErrClosed) })
	return ctx, func() { stop(); cancel(nil) }
}

// pause waits, and tells whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
