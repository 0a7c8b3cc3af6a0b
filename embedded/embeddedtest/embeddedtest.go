// Package embeddedtest runs embedded servers for tests. A server per test costs
// a few milliseconds to start.
package embeddedtest

import (
	"context"
	"testing"
	"time"

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
