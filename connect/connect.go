// Package connect is how our programs reach NATS and a namespace on it: the flags and
// environment of the nats command line tool, and the settings of a connection that the
// fleet's protocol counts on.
package connect

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
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
// processes started beside their server. Losing the connection later never ends it, nor does
// a server that refuses us then: its list of users may come later than itself.
func (n NATS) Await(ctx context.Context, name string, log *slog.Logger) (*nats.Conn, error) {
	said := false
	for {
		nc, err := n.connect(append(reporting(log), nats.Name(name), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort())...)
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
			return nil, fmt.Errorf("NATS context %s: %w", n.Context, classify(err))
		}
		return nc, nil
	}
	to := n.Server
	if to == "" {
		to = nats.DefaultURL
	}
	nc, err := nats.Connect(to, opts...)
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w", redact(to), err)
	}
	return nc, nil
}

// classify tells what is wrong with a context from what the network says.
func classify(err error) error {
	if errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), "unknown context") || strings.Contains(err.Error(), "invalid context") {
		return &ConfigError{"context", err}
	}
	return err
}

// options are the flags as options of the connection. Those that are set come after a
// context's and so override it. Each is tried here, so that a file nobody can use is told
// from a server that does not answer.
func (n NATS) options() (opts []nats.Option, err error) {
	var scratch nats.Options
	use := func(setting string, opt nats.Option) {
		if cause := opt(&scratch); cause != nil && err == nil {
			err = &ConfigError{setting, cause}
		}
		opts = append(opts, opt)
	}
	switch {
	case n.Creds != "":
		if err := readable("creds", n.Creds); err != nil {
			return nil, err
		}
		use("creds", nats.UserCredentials(home(n.Creds)))
	case n.NKey != "":
		nkey, err := nats.NkeyOptionFromSeed(home(n.NKey))
		if err != nil {
			return nil, &ConfigError{"nkey", err}
		}
		use("nkey", nkey)
	case n.User != "" && n.Password == "":
		use("user", nats.Token(n.User))
	case n.User != "":
		use("user", nats.UserInfo(n.User, n.Password))
	}
	if n.Token != "" {
		use("token", nats.Token(n.Token))
	}
	switch {
	case n.Cert != "" && n.Key != "":
		use("tlscert", nats.ClientCert(home(n.Cert), home(n.Key)))
	case n.Cert != "" || n.Key != "":
		return nil, &ConfigError{"tlscert", errors.New("a certificate and its key are needed together")}
	}
	if n.CA != "" {
		use("tlsca", nats.RootCAs(home(n.CA)))
	}
	if n.TLSFirst {
		use("tlsfirst", nats.TLSHandshakeFirst())
	}
	if n.InboxPrefix != "" {
		use("inbox-prefix", nats.CustomInboxPrefix(n.InboxPrefix))
	}
	for server := range strings.SplitSeq(n.Server, ",") {
		if server = strings.TrimSpace(server); !strings.Contains(server, "://") {
			server = "nats://" + server // as the library has it
		}
		if _, err := url.Parse(server); err != nil {
			cause := errors.Unwrap(err) // without the address, and the password in it
			return nil, &ConfigError{"server", cause}
		}
	}
	return opts, err
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
		nats.ClosedHandler(func(nc *nats.Conn) {
			if err := nc.LastError(); err != nil {
				log.Error("the connection to NATS has ended", "error", err)
			}
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
