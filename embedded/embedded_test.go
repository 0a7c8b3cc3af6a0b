package embedded_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

func TestMain(m *testing.M) { embeddedtest.Main(m) }

func start(t *testing.T, o embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestSurvivesRestartInTheSameDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := start(t, embedded.Options{DataDir: dir, Port: embedded.RandomPort})
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, _ := jetstream.New(nc)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "s", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	s.Close()
	s.Close()

	s = start(t, embedded.Options{DataDir: dir, DontListen: true})
	_, js = embeddedtest.Connect(t, s)
	st, err := js.Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	m, err := st.GetLastMsgForSubject(t.Context(), "s")
	if err != nil || string(m.Data) != "kept" {
		t.Fatalf("got %v, %v", m, err)
	}
}

// A server that is started in the directory of another does not touch what that has stored.
func TestTwoServersDoNotShareADirectory(t *testing.T) {
	t.Parallel()
	o := embedded.Options{DataDir: t.TempDir(), DontListen: true}
	first := start(t, o)
	if second, err := embedded.Start(t.Context(), o); err == nil {
		second.Close()
		t.Fatal("two servers have one store")
	} else if !strings.Contains(err.Error(), o.DataDir) {
		t.Errorf("the error does not name the directory: %v", err)
	}
	first.Close()
	start(t, o)
}

func TestSyncReachesTheStore(t *testing.T) {
	t.Parallel()
	for _, want := range []embedded.Sync{embedded.SyncAlways, embedded.SyncRelaxed} {
		s := start(t, embedded.Options{DataDir: t.TempDir(), DontListen: true, Sync: want})
		if got := s.NATS().JetStreamConfig().SyncAlways; got != (want == embedded.SyncAlways) {
			t.Errorf("%s: the store's SyncAlways is %v", want, got)
		}
		if parsed, err := embedded.ParseSync(want.String()); err != nil || parsed != want {
			t.Errorf("ParseSync(%q) = %v, %v", want, parsed, err)
		}
	}
	if _, err := embedded.ParseSync("sometimes"); err == nil {
		t.Error("ParseSync accepted nonsense")
	}
}

// BenchmarkSync shows what syncing always costs here, and that it is done.
func BenchmarkSync(b *testing.B) {
	for _, sync := range []embedded.Sync{embedded.SyncAlways, embedded.SyncRelaxed} {
		b.Run(sync.String(), func(b *testing.B) {
			s := embeddedtest.Run(b, func(o *embedded.Options) { o.Sync = sync })
			_, js := embeddedtest.Connect(b, s)
			if _, err := js.CreateStream(b.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := js.Publish(b.Context(), "s", []byte("x")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestStartReportsWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := embedded.Start(t.Context(), embedded.Options{}); err == nil || !strings.Contains(err.Error(), "DataDir") {
		t.Errorf("no data directory: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = embedded.Start(t.Context(), embedded.Options{DataDir: t.TempDir(), Port: l.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("port in use: %v", err)
	}
	file := filepath.Join(t.TempDir(), "jetstream")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = embedded.Start(t.Context(), embedded.Options{DataDir: filepath.Dir(file), DontListen: true})
	if err == nil {
		t.Error("a file in the way of the store: no error")
	}
	_, err = embedded.Start(t.Context(), embedded.Options{
		DataDir: t.TempDir(), DontListen: true,
		Mappings: []subjects.Mapping{{Source: "a.*", Destination: "b.{{partition(0,1)}}.{{nonsense(}}"}},
	})
	if err == nil {
		t.Error("an illegal mapping: no error")
	}
}

func TestMappingsShardAsTheNamespaceDoes(t *testing.T) {
	t.Parallel()
	for _, shards := range []int{1, 2, 3, 8, 64, 255} {
		ns, err := subjects.NewNamespace("ns-"+strconv.Itoa(shards), shards)
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, embedded.Options{DataDir: t.TempDir(), DontListen: true, Mappings: ns.Mappings()})
		nc, _ := embeddedtest.Connect(t, s)
		sub, err := nc.SubscribeSync("kalahari.>")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			session := fmt.Sprintf("s%d-%x_%s", i, i*i*7919, strings.Repeat("Z", i%100))
			for public, want := range map[string]string{
				ns.PublicIn(session):  ns.In(session),
				ns.PublicCtl(session): ns.Ctl(session),
			} {
				if err := nc.Publish(public, nil); err != nil {
					t.Fatal(err)
				}
				m, err := sub.NextMsg(5 * time.Second)
				if err != nil {
					t.Fatal(err)
				}
				if m.Subject != want {
					t.Fatalf("the server says %s, we say %s", m.Subject, want)
				}
			}
		}
	}
}

func TestInsideABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		env := embeddedtest.Provisioned(t, "bubble", 2)
		began := time.Now()
		kv, err := env.JS.KeyValue(t.Context(), env.Namespace.WorkersBucket())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Create(t.Context(), "w1", nil, jetstream.KeyTTL(30*time.Second)); err != nil {
			t.Fatal(err)
		}
		w, err := kv.Watch(t.Context(), "w1", jetstream.UpdatesOnly())
		if err != nil {
			t.Fatal(err)
		}
		e := <-w.Updates()
		if took := time.Since(began); e.Operation() != jetstream.KeyValuePurge || took < 30*time.Second || took > 40*time.Second {
			t.Fatalf("the lease ended as %s after %s", e.Operation(), took)
		}
		_ = w.Stop()
	})
}

func TestConnectionsOfAllKindsMeet(t *testing.T) {
	t.Parallel()
	s := embeddedtest.Run(t, embeddedtest.Listening())
	inside, _ := embeddedtest.Connect(t, s)
	outside, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	if _, err := inside.Subscribe("ping", func(m *nats.Msg) { _ = m.Respond([]byte("pong")) }); err != nil {
		t.Fatal(err)
	}
	if err := inside.Flush(); err != nil {
		t.Fatal(err)
	}
	m, err := outside.Request("ping", nil, 5*time.Second)
	if err != nil || string(m.Data) != "pong" {
		t.Fatalf("%v, %v", m, err)
	}
	if got := s.NATS().MonitorAddr(); got != nil {
		t.Errorf("monitoring is on at %s", got)
	}
}

func TestServerAsAProcess(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a binary")
	}
	t.Parallel()
	dir := t.TempDir()
	bin := filepath.Join(dir, "nats-server")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/nats-server").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	run := func() (*exec.Cmd, string) {
		for _, f := range ports(t, dir) {
			_ = os.Remove(f)
		}
		cmd := exec.Command(bin, "-a", "127.0.0.1", "-p", "-1", "-js", "-sd", dir, "--ports_file_dir", dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		for ctx.Err() == nil {
			for _, f := range ports(t, dir) {
				data, _ := os.ReadFile(f)
				if _, rest, ok := strings.Cut(string(data), "nats://"); ok {
					return cmd, "nats://" + rest[:strings.IndexByte(rest, '"')]
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
		_ = cmd.Process.Kill()
		t.Fatal("the server never wrote its ports file")
		return nil, ""
	}
	for i := range 2 {
		cmd, url := run()
		nc, err := nats.Connect(url, nats.NoReconnect())
		if err != nil {
			_ = cmd.Process.Kill()
			t.Fatal(err)
		}
		js, _ := jetstream.New(nc)
		if _, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"s"}}); err != nil {
			t.Error(err)
		}
		if ack, err := js.Publish(t.Context(), "s", nil); err != nil || ack.Sequence != uint64(i+1) {
			t.Errorf("run %d: ack %v, %v", i, ack, err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		nc.Close()
	}
}

func ports(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.ports"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}
