// Package connect is how our programs reach NATS and a namespace on it: the flags and
// environment of the nats command line tool, and the settings of a connection that the
// fleet's protocol counts on.
package connect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/natscontext"
)

// Settings of every connection. A silent peer is noticed after three pings that are not
// answered: later than a server that is only slow, and before others count the worker behind
// the connection out (PROTOCOL 24). A lost server is asked again twenty times a second, since
// a restart takes about that long and the lease of a worker is running meanwhile; one that
// is slow to greet is not left for that.
const (
	PingInterval    = 2 * time.Second
	PingsUnanswered = 3
	Timeout         = 5 * time.Second
	ReconnectWait   = 50 * time.Millisecond
	ReconnectJitter = 50 * time.Millisecond
)

// NATS says where NATS is and who we are to it. Its names, and the environment, are those
// of the nats command line tool.
//
// A context is used only when it is named: the one that happens to be selected for the
// nats tool might be somebody's production.
type NATS struct {
	Server      string `name:"server" aliases:"url,nats-url" short:"s" env:"NATS_URL" placeholder:"URL" help:"NATS servers, separated by commas. Default nats://127.0.0.1:4222."`
	Context     string `name:"context" env:"NATS_CONTEXT" placeholder:"NAME" help:"Context of the nats CLI, by name or as the absolute path of its file."`
	Creds       string `name:"creds" env:"NATS_CREDS" placeholder:"FILE" help:"User credentials (JWT and seed)."`
	NKey        string `name:"nkey" env:"NATS_NKEY" placeholder:"FILE" help:"User nkey seed."`
	User        string `name:"user" env:"NATS_USER" help:"User name, or a token if there is no password."`
	Password    string `name:"password" env:"NATS_PASSWORD" help:"Password."`
	Token       string `name:"token" env:"NATS_TOKEN" help:"Token."`
	Cert        string `name:"tlscert" env:"NATS_CERT" placeholder:"FILE" help:"TLS client certificate."`
	Key         string `name:"tlskey" env:"NATS_KEY" placeholder:"FILE" help:"TLS client key."`
	CA          string `name:"tlsca" env:"NATS_CA" placeholder:"FILE" help:"TLS certificate authorities."`
	TLSFirst    bool   `name:"tlsfirst" env:"NATS_TLS_FIRST" help:"TLS handshake before the server's greeting."`
	InboxPrefix string `name:"inbox-prefix" env:"NATS_INBOX_PREFIX" placeholder:"SUBJECT" help:"Prefix of inboxes."`
}

// Dial connects once: an unreachable server is an error. It is for commands that people
// wait for.
func (n NATS) Dial(name string) (*nats.Conn, error) {
	return n.connect(nats.Name(name), nats.MaxReconnects(-1))
}

// Await connects, and goes on trying until ctx ends if there is no server yet. It is for
// processes started beside their server. Losing the connection later never ends it.
func (n NATS) Await(ctx context.Context, name string, log *slog.Logger) (*nats.Conn, error) {
	said := false
	for {
		nc, err := n.connect(append(reporting(log), nats.Name(name), nats.MaxReconnects(-1))...)
		if err == nil {
			log.InfoContext(ctx, "connected to NATS", "url", nc.ConnectedUrlRedacted())
			return nc, nil
		}
		if fatal(err) {
			return nil, err
		}
		if !said {
			said = true
			log.WarnContext(ctx, "waiting for NATS", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w; last: %w", ctx.Err(), err)
		case <-time.After(10 * ReconnectWait):
		}
	}
}

// fatal tells errors that waiting does not mend.
func fatal(err error) bool {
	var config *ConfigError
	return errors.As(err, &config) || errors.Is(err, nats.ErrAuthorization)
}

// ConfigError is a setting that cannot be used.
type ConfigError struct {
	Setting string
	Cause   error
}

func (e *ConfigError) Error() string { return e.Setting + ": " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *ConfigError) Unwrap() error { return e.Cause }

func (n NATS) connect(opts ...nats.Option) (*nats.Conn, error) {
	opts = append(opts,
		nats.Timeout(Timeout),
		nats.PingInterval(PingInterval),
		nats.MaxPingsOutstanding(PingsUnanswered),
		nats.ReconnectWait(ReconnectWait),
		nats.ReconnectJitter(ReconnectJitter, ReconnectJitter))
	own, err := n.options()
	if err != nil {
		return nil, err
	}
	opts = append(opts, own...)

	if n.Context != "" {
		if n.Server != "" {
			opts = append(opts, servers(n.Server))
		}
		nc, _, err := natscontext.Connect(n.Context, opts...)
		if err != nil {
			return nil, fmt.Errorf("NATS context %s: %w", n.Context, classify("context", err))
		}
		return nc, nil
	}
	url := n.Server
	if url == "" {
		url = nats.DefaultURL
	}
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w", redact(url), classify("server", err))
	}
	return nc, nil
}

// classify tells errors of the configuration, which are all that come without a word from
// the network.
func classify(setting string, err error) error {
	if os.IsNotExist(err) || strings.Contains(err.Error(), "unknown context") || strings.Contains(err.Error(), "invalid context") {
		return &ConfigError{setting, err}
	}
	return err
}

// options are the flags as options of the connection. Those that are set come after a
// context's and so override it.
func (n NATS) options() ([]nats.Option, error) {
	var opts []nats.Option
	switch {
	case n.Creds != "":
		if err := readable("creds", n.Creds); err != nil {
			return nil, err
		}
		opts = append(opts, nats.UserCredentials(home(n.Creds)))
	case n.NKey != "":
		nkey, err := nats.NkeyOptionFromSeed(home(n.NKey))
		if err != nil {
			return nil, &ConfigError{"nkey", err}
		}
		opts = append(opts, nkey)
	case n.User != "" && n.Password == "":
		opts = append(opts, nats.Token(n.User))
	case n.User != "":
		opts = append(opts, nats.UserInfo(n.User, n.Password))
	}
	if n.Token != "" {
		opts = append(opts, nats.Token(n.Token))
	}
	switch {
	case n.Cert != "" && n.Key != "":
		if err := readable("tlscert", n.Cert); err != nil {
			return nil, err
		}
		opts = append(opts, nats.ClientCert(home(n.Cert), home(n.Key)))
	case n.Cert != "" || n.Key != "":
		return nil, &ConfigError{"tlscert", errors.New("a certificate and its key are needed together")}
	}
	if n.CA != "" {
		if err := readable("tlsca", n.CA); err != nil {
			return nil, err
		}
		opts = append(opts, nats.RootCAs(home(n.CA)))
	}
	if n.TLSFirst {
		opts = append(opts, nats.TLSHandshakeFirst())
	}
	if n.InboxPrefix != "" {
		opts = append(opts, nats.CustomInboxPrefix(n.InboxPrefix))
	}
	return opts, nil
}

func readable(setting, file string) error {
	f, err := os.Open(home(file))
	if err != nil {
		return &ConfigError{setting, err}
	}
	return f.Close()
}

func home(file string) string {
	rest, ok := strings.CutPrefix(file, "~/")
	if !ok {
		return file
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return file
	}
	return filepath.Join(dir, rest)
}

// servers replaces the servers of a context.
func servers(list string) nats.Option {
	return func(o *nats.Options) error {
		o.Servers = nil
		for url := range strings.SplitSeq(list, ",") {
			o.Servers = append(o.Servers, strings.TrimSpace(url))
		}
		o.Url = o.Servers[0]
		return nil
	}
}

// redact leaves out what stands before the @ of each server.
func redact(list string) string {
	urls := strings.Split(list, ",")
	for i, url := range urls {
		scheme, rest, ok := strings.Cut(url, "://")
		if !ok {
			scheme, rest = "", url
		}
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			rest = rest[at+1:]
		}
		if ok {
			rest = scheme + "://" + rest
		}
		urls[i] = rest
	}
	return strings.Join(urls, ",")
}

// reporting writes what happens to the connection to the log.
func reporting(log *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if nc.IsClosed() || nc.IsDraining() {
				return
			}
			log.Warn("lost the connection to NATS", "error", err)
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Info("connected to NATS again", "url", nc.ConnectedUrlRedacted())
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			log.Error("NATS reports an error", "subject", subject, "error", err)
		}),
	}
}
