package connect_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/connect"
	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

var quiet = slog.New(slog.DiscardHandler)

func parse(t *testing.T, flags any, args ...string) {
	t.Helper()
	p, err := kong.New(flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Parse(args); err != nil {
		t.Fatal(err)
	}
}

// TestEnvironment: the variables of the nats tool are ours, and flags override them.
func TestEnvironment(t *testing.T) {
	t.Setenv("NATS_URL", "nats://a:1")
	t.Setenv("NATS_CREDS", "c")
	t.Setenv("NATS_USER", "u")
	t.Setenv("NATS_CA", "ca")
	var n connect.NATS
	parse(t, &n, "--server", "nats://b:2")
	if want := (connect.NATS{Server: "nats://b:2", Creds: "c", User: "u", CA: "ca"}); n != want {
		t.Errorf("got %+v, want %+v", n, want)
	}
}

func TestContext(t *testing.T) {
	srv := embeddedtest.Run(t, embeddedtest.Listening(), embeddedtest.With(func(o *embedded.Options) {
		o.Adjust = func(o *server.Options) { o.Username, o.Password = "u", "secret" }
	}))
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	write := func(name, body string) {
		file := filepath.Join(dir, "nats", "context", name+".json")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("good", `{"url":"`+srv.ClientURL()+`","user":"u","password":"secret"}`)
	write("elsewhere", `{"url":"nats://127.0.0.1:1","user":"u","password":"secret"}`)

	for _, n := range []connect.NATS{
		{Context: "good"},
		{Context: "elsewhere", Server: srv.ClientURL()},
		{Server: srv.ClientURL(), User: "u", Password: "secret"},
	} {
		nc, err := n.Dial("kalahari-test")
		if err != nil {
			t.Errorf("%+v: %v", n, err)
			continue
		}
		if nc.Opts.PingInterval != connect.PingInterval || nc.Opts.MaxReconnect != -1 || nc.Opts.Name != "kalahari-test" {
			t.Errorf("settings: %+v", nc.Opts)
		}
		nc.Close()
	}

	// What waiting does not mend is not waited for.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var config *connect.ConfigError
	if _, err := (connect.NATS{Context: "missing"}).Await(ctx, "x", quiet); !errors.As(err, &config) {
		t.Errorf("unknown context: %v", err)
	}
	if _, err := (connect.NATS{Server: srv.ClientURL(), Creds: "/no/such"}).Await(ctx, "x", quiet); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no credentials: %v", err)
	}
	if _, err := (connect.NATS{Server: srv.ClientURL(), User: "u", Password: "wrong"}).Await(ctx, "x", quiet); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := (connect.NATS{Server: srv.ClientURL(), Cert: "x"}).Dial("x"); !errors.As(err, &config) {
		t.Errorf("certificate without key: %v", err)
	}
	rubbish := filepath.Join(dir, "rubbish")
	if err := os.WriteFile(rubbish, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for setting, n := range map[string]connect.NATS{
		"tlsca":   {CA: rubbish},
		"tlscert": {Cert: rubbish, Key: rubbish},
		"server":  {Server: "nats://u:secret@[::1"},
	} {
		_, err := n.Await(ctx, "x", quiet)
		if !errors.As(err, &config) || config.Setting != setting || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", setting, err)
		}
	}
}

// A server may be written as the library takes it.
func TestAddresses(t *testing.T) {
	srv := embeddedtest.Run(t, embeddedtest.Listening())
	bare := strings.TrimPrefix(srv.ClientURL(), "nats://")
	for _, server := range []string{bare, "nats://127.0.0.1:1, " + bare} {
		nc, err := connect.NATS{Server: server}.Dial("x")
		if err != nil {
			t.Errorf("%q: %v", server, err)
			continue
		}
		nc.Close()
	}
}

// A server that refuses us for a while, as one does whose users come later than itself, does
// not end the connection.
func TestARefusalOnReconnectIsWaitedOut(t *testing.T) {
	var options *server.Options
	srv := embeddedtest.Run(t, embeddedtest.Listening(), embeddedtest.With(func(o *embedded.Options) {
		o.Adjust = func(o *server.Options) {
			o.Username, o.Password = "u", "secret"
			options = o
		}
	}))
	nc, err := connect.NATS{Server: srv.ClientURL(), User: "u", Password: "secret"}.Await(t.Context(), "x", quiet)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	reload := func(password string) {
		o := options.Clone()
		o.Password = password
		if err := srv.NATS().ReloadOptions(o); err != nil {
			t.Fatal(err)
		}
	}
	refused := make(chan struct{}, 1)
	nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrAuthorization) {
			select {
			case refused <- struct{}{}:
			default:
			}
		}
	})
	reload("another")
	for range 4 { // two in a row are too many for the library by itself
		select {
		case <-refused:
		case <-time.After(20 * time.Second):
			t.Fatalf("not refused again; closed: %t", nc.IsClosed())
		}
	}
	reload("secret")
	for end := time.Now().Add(20 * time.Second); !nc.IsConnected(); time.Sleep(10 * time.Millisecond) {
		if nc.IsClosed() || time.Now().After(end) {
			t.Fatalf("not connected again; closed: %t", nc.IsClosed())
		}
	}
}

func TestNoServer(t *testing.T) {
	n := connect.NATS{Server: "nats://user:secret@127.0.0.1:1"}
	_, err := n.Dial("x")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := n.Await(ctx, "x", quiet); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestProvision(t *testing.T) {
	_, js := connectTo(t)
	ctx := t.Context()
	n := connect.Namespace{Namespace: "default"}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, _, err := (connect.Provision{}).Open(short, js, n, quiet); err == nil {
		t.Error("found a namespace that is not there")
	}
	ns, settings, err := connect.Provision{Provision: true, Shards: 2}.Open(ctx, js, n, quiet)
	if err != nil || ns.Shards() != 2 || settings.Published != subjects.PublishLifecycle {
		t.Fatalf("%v %+v %v", ns, settings, err)
	}
	// The shard count stays, and whoever asked for another is told; settings follow.
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	ns, settings, err = connect.Provision{Provision: true, Shards: 8, Published: subjects.PublishNone}.Open(ctx, js, n, log)
	if err != nil || ns.Shards() != 2 || settings.Published != subjects.PublishNone {
		t.Fatalf("%v %+v %v", ns, settings, err)
	}
	if !strings.Contains(said.String(), "level=WARN") || !strings.Contains(said.String(), "namespace=default shards=2 asked=8") {
		t.Errorf("the log says %q", &said)
	}
	// Who did not ask is not told.
	said.Reset()
	var flags struct {
		connect.Provision `embed:""`
	}
	parse(t, &flags, "--provision", "--mailbox-limit=50", "--max-input=2048", "--log-bytes=1000000", "--fx-age=3h", "--mob-age=4h", "--dead-age=5h")
	if ns, settings, err = flags.Open(ctx, js, n, log); err != nil || ns.Shards() != 2 || said.Len() != 0 {
		t.Errorf("%v %v, the log says %q", ns, err, &said)
	}
	want := subjects.Settings{
		Published: subjects.PublishNone, MailboxLimit: 50, MaxInput: 2048, LogBytes: 1_000_000, FxAge: 3 * time.Hour, MobAge: 4 * time.Hour, DeadAge: 5 * time.Hour,
	}.WithDefaults()
	if settings != want {
		t.Errorf("settings are %+v", settings)
	}
	in, err := js.Stream(ctx, ns.InStream(1))
	if err != nil {
		t.Fatal(err)
	}
	if c := in.CachedInfo().Config; c.MaxMsgsPerSubject != 50 || c.MaxMsgSize != 2048 {
		t.Errorf("a mailbox holds %d messages of %d bytes", c.MaxMsgsPerSubject, c.MaxMsgSize)
	}
	// What is not said stays.
	if _, settings, err = (connect.Provision{Provision: true}).Open(ctx, js, n, log); err != nil || settings != want {
		t.Errorf("then they are %+v, %v", settings, err)
	}
	if _, _, err = (connect.Provision{Provision: true, MaxInput: 100}).Open(ctx, js, n, log); err == nil || !strings.Contains(err.Error(), "MaxInput 100") {
		t.Errorf("an impossible one: %v", err)
	}
	if ns, _, err = flags.Open(ctx, js, connect.Namespace{Namespace: "other"}, log); err != nil || ns.Shards() != subjects.DefaultShards {
		t.Errorf("%v %v", ns, err)
	}
}

func connectTo(t *testing.T) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	return embeddedtest.Connect(t, embeddedtest.Run(t))
}
