package connect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// Namespace names the namespace a program works in.
type Namespace struct {
	Namespace string `name:"namespace" short:"n" env:"KALAHARI_NAMESPACE" default:"default" help:"Namespace (tenant)."`
}

// Find discovers the namespace.
func (n Namespace) Find(ctx context.Context, js jetstream.JetStream) (subjects.Namespace, subjects.Settings, error) {
	ns, settings, err := subjects.Discover(ctx, js, n.Namespace)
	if err != nil {
		return ns, settings, fmt.Errorf("namespace %s: %w", n.Namespace, err)
	}
	return ns, settings, nil
}

// Provision says what a process may do about a namespace that is not there.
type Provision struct {
	Provision bool                  `name:"provision" env:"KALAHARI_PROVISION" help:"Create the namespace's streams and buckets if they are missing, and bring their settings to those given here."`
	Shards    int                   `name:"shards" env:"KALAHARI_SHARDS" help:"With --provision: shards of a new namespace, fixed for its life. Default 8."`
	Replicas  int                   `name:"replicas" env:"KALAHARI_REPLICAS" help:"With --provision: replicas of every stream. Default 1 for a new namespace."`
	Published subjects.PublishedSet `name:"published" env:"KALAHARI_PUBLISHED" enum:",lifecycle,all,none" default:"" help:"With --provision: what becomes a message of its own: lifecycle, all or none. Default lifecycle for a new namespace."`

	MailboxLimit int64         `name:"mailbox-limit" env:"KALAHARI_MAILBOX_LIMIT" help:"With --provision: messages a session may have waiting, inputs and control counted apart. Default 10,000 for a new namespace."`
	MaxInput     int32         `name:"max-input" env:"KALAHARI_MAX_INPUT" help:"With --provision: bytes of the largest event, headers included. Default 262,144 for a new namespace."`
	LogBytes     int64         `name:"log-bytes" env:"KALAHARI_LOG_BYTES" help:"With --provision: bytes of the log of one shard, which refuses commits when it is full. Default: no bound; -1 for none."`
	FxAge        time.Duration `name:"fx-age" env:"KALAHARI_FX_AGE" help:"With --provision: how long published events can be read back. Default 168h for a new namespace."`
	MobAge       time.Duration `name:"mob-age" env:"KALAHARI_MOB_AGE" help:"With --provision: the same for signals to mobs. Default 168h for a new namespace."`
	DeadAge      time.Duration `name:"dead-age" env:"KALAHARI_DEAD_AGE" help:"With --provision: the same for refused events. Default 720h for a new namespace."`
}

// Settings are those given on the command line; what is zero stays as it is.
func (p Provision) Settings() subjects.Settings {
	return subjects.Settings{
		Replicas: p.Replicas, Published: p.Published, MailboxLimit: p.MailboxLimit, MaxInput: p.MaxInput,
		LogBytes: p.LogBytes, FxAge: p.FxAge, MobAge: p.MobAge, DeadAge: p.DeadAge,
	}
}

// Open finds the namespace and, if p says so, creates it first. Without that it waits
// until ctx ends for somebody else to create it. It waits too while JetStream does not
// answer: a cluster that starts, or has lost its majority, has no leader that could.
//
// A namespace that has another shard count than p asks for keeps it, and the log says so.
func (p Provision) Open(ctx context.Context, js jetstream.JetStream, n Namespace, log *slog.Logger) (subjects.Namespace, subjects.Settings, error) {
	created, said := !p.Provision, ""
	for {
		ns, settings, err := subjects.Namespace{}, subjects.Settings{}, error(nil)
		if !created {
			if err = p.create(ctx, js, n); err != nil {
				err = fmt.Errorf("namespace %s: %w", n.Namespace, err)
			}
			created = err == nil
		}
		if err == nil {
			ns, settings, err = n.Find(ctx, js)
		}
		if err == nil && p.Shards != 0 && p.Shards != ns.Shards() {
			log.WarnContext(ctx, "the namespace has its shards already", "namespace", ns.Name(), "shards", ns.Shards(), "asked", p.Shards)
		}
		why := ""
		switch {
		case errors.Is(err, subjects.ErrNotProvisioned):
			why = "waiting for the namespace to be provisioned"
		case noAnswer(err):
			why = "waiting for JetStream to answer"
		default:
			return ns, settings, err
		}
		if said != why {
			said = why
			log.WarnContext(ctx, why, "namespace", n.Namespace, "error", err)
		}
		select {
		case <-ctx.Done():
			return ns, settings, err
		case <-time.After(time.Second):
		}
	}
}

// noAnswer tells an error that means JetStream is not there yet, or not for the moment.
func noAnswer(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code == http.StatusServiceUnavailable && api.ErrorCode != jetstream.JSErrCodeJetStreamNotEnabled
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, nats.ErrNoResponders)
}

func (p Provision) create(ctx context.Context, js jetstream.JetStream, n Namespace) error {
	// The shard count of a namespace that exists is not ours to choose.
	ns, _, err := subjects.Discover(ctx, js, n.Namespace)
	if errors.Is(err, subjects.ErrNotProvisioned) {
		ns, err = subjects.NewNamespace(n.Namespace, cmp.Or(p.Shards, subjects.DefaultShards))
	}
	if err != nil {
		return err
	}
	return subjects.Provision(ctx, js, ns, p.Settings())
}
