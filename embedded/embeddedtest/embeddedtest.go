// Package embeddedtest runs embedded servers for tests. A server per test costs
// a few milliseconds to start.
package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/subjects"
)

// Option adjusts a test server.
type Option func(*embedded.Options)

// Listening gives the server a random port on the loopback. Without it there is
// no socket and connections are made inside the process, which is what a
// testing/synctest bubble needs.
func Listening() Option {
	return func(o *embedded.Options) { o.DontListen, o.Port = false, embedded.RandomPort }
}

// With changes the options directly.
func With(f func(*embedded.Options)) Option { return f }

// Run starts a server that lives as long as the test: no socket, a directory of
// its own, relaxed sync.
func Run(t testing.TB, opts ...Option) *embedded.Server {
	t.Helper()
	o := embedded.Options{DontListen: true, Sync: embedded.SyncRelaxed}
	for _, f := range opts {
		f(&o)
	}
	if o.DataDir == "" {
		o.DataDir = t.TempDir()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := embedded.Start(ctx, o)
	if err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// Connect connects to s for the life of the test.
func Connect(t testing.TB, s *embedded.Server, opts ...nats.Option) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	nc, err := s.Connect(append([]nats.Option{nats.Name(t.Name())}, opts...)...)
	if err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	return nc, js
}

// Env is a server with a provisioned namespace and a connection to it.
type Env struct {
	Server    *embedded.Server
	Namespace subjects.Namespace
	Settings  subjects.Settings
	Conn      *nats.Conn
	JS        jetstream.JetStream
}

// Provisioned starts a server and provisions a namespace on it, mappings
// included.
func Provisioned(t testing.TB, name string, shards int, opts ...Option) *Env {
	t.Helper()
	return ProvisionedWith(t, name, shards, subjects.Settings{}, opts...)
}

// ProvisionedWith is [Provisioned] with settings.
func ProvisionedWith(t testing.TB, name string, shards int, settings subjects.Settings, opts ...Option) *Env {
	t.Helper()
	ns, err := subjects.NewNamespace(name, shards)
	if err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	s := Run(t, opts...)
	if err := s.Map(ns.Mappings()...); err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	nc, js := Connect(t, s)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := subjects.Provision(ctx, js, ns, settings); err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	return &Env{Server: s, Namespace: ns, Settings: settings.WithDefaults(), Conn: nc, JS: js}
}

// Guarded is a server whose only users are one of each role of a namespace, and root.
type Guarded struct {
	Server    *embedded.Server
	Namespace subjects.Namespace
}

// Guard starts a server that grants each role's user what the role may do, and has the
// operator provision the namespace. User names are those of the roles; each has an inbox of
// its own.
func Guard(t testing.TB, name string, shards int) *Guarded {
	t.Helper()
	ns, err := subjects.NewNamespace(name, shards)
	if err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	var conf strings.Builder
	conf.WriteString("authorization {\n  users: [\n    { user: root, password: p }\n")
	for _, role := range subjects.Roles() {
		p, err := ns.Permissions(role, "_IN_"+string(role))
		if err != nil {
			t.Fatalf("embeddedtest: %v", err)
		}
		fmt.Fprintf(&conf, "    { user: %s, password: p\n%s    }\n", role, p.Config("      "))
	}
	conf.WriteString("  ]\n}\n")
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		t.Fatalf("embeddedtest: %v", err)
	}
	parsed, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatalf("embeddedtest: %v\n%s", err, conf.String())
	}
	g := &Guarded{Namespace: ns}
	g.Server = Run(t, With(func(o *embedded.Options) {
		o.Mappings = ns.Mappings()
		o.Adjust = func(opts *server.Options) { opts.Users = parsed.Users }
	}))
	_, js, _ := g.As(t, string(subjects.RoleOperator))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := subjects.Provision(ctx, js, ns, subjects.Settings{}); err != nil {
		t.Fatalf("embeddedtest: the operator cannot provision: %v", err)
	}
	return g
}

// As connects as a user. What the server denies it comes through the channel.
func (g *Guarded) As(t testing.TB, user string) (*nats.Conn, jetstream.JetStream, chan error) {
	t.Helper()
	denied := make(chan error, 64)
	nc, js := Connect(t, g.Server, nats.UserInfo(user, "p"), nats.CustomInboxPrefix("_IN_"+user),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrPermissionViolation) {
				select {
				case denied <- err:
				default: // who only looks at the connection's last error reads none
				}
			}
		}))
	return nc, js, denied
}
