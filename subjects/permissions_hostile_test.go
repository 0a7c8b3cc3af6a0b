package subjects_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/subjects"
)

// api is what the server's API lets one do with a stream, by the subject that asks for it;
// * stands for the stream.
var api = []string{
	"STREAM.CREATE.*", "STREAM.UPDATE.*", "STREAM.DELETE.*", "STREAM.PURGE.*", "STREAM.INFO.*", "STREAM.SNAPSHOT.*", "STREAM.RESTORE.*",
	"STREAM.MSG.GET.*", "STREAM.MSG.DELETE.*", "STREAM.PEER.REMOVE.*", "STREAM.LEADER.STEPDOWN.*",
	"DIRECT.GET.*", "DIRECT.GET.*.kalahari.acme.0.log.s",
	"CONSUMER.CREATE.*", "CONSUMER.CREATE.*.c", "CONSUMER.CREATE.*.c.kalahari.acme.0.log.s", "CONSUMER.DURABLE.CREATE.*.c", "CONSUMER.NAMES.*", "CONSUMER.LIST.*",
	"CONSUMER.INFO.*.c", "CONSUMER.DELETE.*.c", "CONSUMER.PAUSE.*.c", "CONSUMER.UNPIN.*.c", "CONSUMER.MSG.NEXT.*.c", "CONSUMER.LEADER.STEPDOWN.*.c",
}

var reading = []string{
	"STREAM.INFO.*", "STREAM.MSG.GET.*", "DIRECT.GET.*", "DIRECT.GET.*.kalahari.acme.0.log.s", "CONSUMER.CREATE.*", "CONSUMER.CREATE.*.c",
	"CONSUMER.CREATE.*.c.kalahari.acme.0.log.s", "CONSUMER.INFO.*.c", "CONSUMER.DELETE.*.c", "CONSUMER.MSG.NEXT.*.c",
}

// may lists the API subjects of the namespace's own streams that a role is meant to have,
// written down by hand and not taken from the template.
func may(ns subjects.Namespace, role subjects.Role) map[string]bool {
	all := map[string]bool{}
	grant := func(streams []string, verbs ...string) {
		for _, s := range streams {
			for _, v := range verbs {
				all["$JS.API."+strings.Replace(v, "*", s, 1)] = true
			}
		}
	}
	feeds := slices.Concat(ns.EachShard(ns.LogStream), ns.EachShard(ns.FxStream), []string{ns.MobStream()})
	directory, blobs := subjects.KVStream(ns.DirectoryBucket()), subjects.ObjectStream(ns.BlobsBucket())
	switch role {
	case subjects.RoleProducer:
	case subjects.RoleSubscriber:
		grant(feeds, reading...)
		grant([]string{directory}, "STREAM.MSG.GET.*")
	case subjects.RoleGateway:
		grant(feeds, reading...)
		grant([]string{directory, subjects.KVStream(ns.WorkersBucket()), blobs}, reading...)
		grant([]string{blobs}, "STREAM.PURGE.*")
		grant([]string{subjects.KVStream(ns.OwnersBucket()), subjects.KVStream(ns.SnapshotsBucket())}, "STREAM.INFO.*")
	case subjects.RoleWorker:
		for _, d := range ns.Definitions(subjects.Settings{}) {
			grant([]string{d.Name}, append(reading, "CONSUMER.DURABLE.CREATE.*.c")...)
		}
		grant(slices.Concat(ns.EachShard(ns.InStream), ns.EachShard(ns.LogStream), []string{ns.TimeStream()}), "STREAM.PURGE.*", "STREAM.MSG.DELETE.*")
		grant([]string{blobs}, "STREAM.PURGE.*")
	}
	return all
}

// Every call of the server's API on every stream of the namespace, and of another one in
// the same account, is denied to every role but for those that are its own.
func TestTheAPIIsDeniedButForWhatARoleNeeds(t *testing.T) {
	t.Parallel()
	g := embeddedtest.Guard(t, "acme", 3)
	other := namespace(t, "other", 2)
	_, root, _ := g.As(t, "root")
	if err := g.Server.Map(append(g.Namespace.Mappings(), other.Mappings()...)...); err != nil {
		t.Fatal(err)
	}
	if err := subjects.Provision(t.Context(), root, other, subjects.Settings{}); err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, ns := range []subjects.Namespace{g.Namespace, other} {
		for _, d := range ns.Definitions(subjects.Settings{}) {
			for _, v := range api {
				asked = append(asked, "$JS.API."+strings.Replace(v, "*", d.Name, 1))
			}
		}
	}
	asked = append(asked, "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.ACCOUNT.PURGE.x", "$JS.API.META.LEADER.STEPDOWN", "$JS.API.SERVER.REMOVE",
		"$JS.API.STREAM.CREATE.NEW", "$JS.API.STREAM.TEMPLATE.CREATE.x", "$JS.acme.API.STREAM.DELETE."+g.Namespace.LogStream(0), "$SYS.REQ.SERVER.PING", "$SYS.REQ.ACCOUNT.PING")
	for _, role := range []subjects.Role{subjects.RoleProducer, subjects.RoleSubscriber, subjects.RoleGateway, subjects.RoleWorker} {
		t.Run(string(role), func(t *testing.T) {
			nc, _, _ := g.As(t, string(role))
			allowed := may(g.Namespace, role)
			for _, subject := range asked {
				if got := possible(t, nc, subject); got != allowed[subject] {
					t.Errorf("%s: possible %v, want %v", subject, got, allowed[subject])
				}
			}
		})
	}
}

// possible publishes something that no API takes for a request, and tells whether the
// server let it through.
func possible(t *testing.T, nc *nats.Conn, subject string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := errors.Join(nc.PublishRequest(subject, "_IN_nobody.x", []byte("?")), nc.FlushWithContext(ctx)); err != nil {
		t.Fatal(err)
	}
	return !violated(nc, "Publish", subject) && !violated(nc, "Publish", stored(subject))
}

// stored is where the account's mapping takes a public subject: the server names that.
func stored(subject string) string {
	p := strings.Split(subject, ".")
	if len(p) != 4 || p[0] != subjects.Root || p[2] != "in" && p[2] != "ctl" {
		return subject
	}
	ns, err := subjects.NewNamespace(p[1], map[string]int{"acme": 3, "other": 2}[p[1]])
	if err != nil {
		return subject
	}
	if p[2] == "in" {
		return ns.In(p[3])
	}
	return ns.Ctl(p[3])
}

// violated tells whether the server's last word was that this is not permitted. The client
// has noted it before it sees the answer to a ping behind it.
func violated(nc *nats.Conn, what, subject string) bool {
	err := nc.LastError()
	return errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), what+` to "`+subject+`"`)
}

// Subjects of our own: what each role publishes and hears, in its namespace and in another
// one of the account, mapped and unmapped.
func TestSubjectsAreDeniedButForWhatARoleNeeds(t *testing.T) {
	t.Parallel()
	g := embeddedtest.Guard(t, "acme", 3)
	ns, other := g.Namespace, namespace(t, "other", 2)
	if err := g.Server.Map(append(ns.Mappings(), other.Mappings()...)...); err != nil {
		t.Fatal(err)
	}
	of := func(ns subjects.Namespace) map[string]string {
		all := map[string]string{
			"public in": ns.PublicIn("s"), "in": ns.In("s"), "public ctl": ns.PublicCtl("s"), "ctl": ns.Ctl("s"), "log": ns.Log("s"), "fx": ns.Fx("s", "InputCompleted"),
			"dead": ns.Dead("s"), "timer": ns.Timer("s", "1"), "due": ns.Due("s"), "signal": ns.MobSignal("m", "RuntimeBound"), "live": ns.Live("s"),
			"query": ns.Query("s", "state"), "query of a session called in": ns.Query("in", "state"), "exec": ns.Exec("p"), "probe": ns.Probe("w"), "control": ns.Control("w"),
			"blob": "$O." + ns.BlobsBucket() + ".C.x", "blob record": "$O." + ns.BlobsBucket() + ".M.x",
			"ack": "$JS.ACK." + ns.InStream(0) + ".kalahari-activation.1.1.1.1.1",
		}
		for _, b := range []string{ns.WorkersBucket(), ns.OwnersBucket(), ns.SnapshotsBucket(), ns.DirectoryBucket()} {
			all["key of "+strings.TrimPrefix(b, "kalahari_"+ns.Name()+"_")] = subjects.KVSubject(b, "0.s")
		}
		return all
	}
	sends := map[subjects.Role][]string{
		subjects.RoleProducer:   {"public in", "in", "public ctl", "ctl"},
		subjects.RoleSubscriber: {"query", "query of a session called in"},
		subjects.RoleGateway:    {"public in", "in", "public ctl", "ctl", "query", "query of a session called in", "blob", "blob record"},
		subjects.RoleWorker: {
			"public in", "in", "public ctl", "ctl", "log", "fx", "dead", "timer", "due", "signal", "live", "query", "query of a session called in", "exec", "probe", "control",
			"blob", "blob record", "ack", "key of workers", "key of owners", "key of snapshots", "key of directory",
		},
	}
	hears := map[subjects.Role][]string{
		subjects.RoleSubscriber: {"live", "fx", "signal"},
		subjects.RoleGateway:    {"live", "fx", "signal"},
		subjects.RoleWorker:     {"live", "query", "query of a session called in", "probe", "control"},
	}
	for role, own := range sends {
		t.Run(string(role), func(t *testing.T) {
			nc, _, _ := g.As(t, string(role))
			for what, subject := range of(ns) {
				if got, want := possible(t, nc, subject), slices.Contains(own, what); got != want {
					t.Errorf("publishing %s: possible %v, want %v", what, got, want)
				}
				sub, err := nc.SubscribeSync(subject)
				if err == nil {
					err = nc.Flush()
				}
				if err != nil {
					t.Fatal(err)
				}
				heard := !violated(nc, "Subscription", subject)
				_ = sub.Unsubscribe() // a refused one is gone already
				if want := slices.Contains(hears[role], what); heard != want {
					t.Errorf("hearing %s: possible %v, want %v", what, heard, want)
				}
			}
			for what, subject := range of(other) {
				if possible(t, nc, subject) {
					t.Errorf("publishing %s of another namespace is possible", what)
				}
			}
		})
	}
}

// A publish names the subject of its acknowledgement, and the server sends it there, whoever
// asked: in one account a producer can have it stored on any subject. A producer in an
// account of its own, with the mailboxes imported, cannot: there the name is its account's.
func TestAcknowledgementsStayInTheProducersAccount(t *testing.T) {
	t.Parallel()
	ns := namespace(t, "acme", 2)
	producer, err := ns.Permissions(subjects.RoleProducer, "_IN_producer")
	if err != nil {
		t.Fatal(err)
	}
	var conf strings.Builder
	mailboxes := slices.Concat(ns.EachShard(ns.InShard), ns.EachShard(ns.CtlShard))
	conf.WriteString("accounts {\n  KALAHARI {\n    jetstream: enabled\n    users: [{user: root, password: p}]\n    exports: [\n")
	for _, m := range mailboxes {
		fmt.Fprintf(&conf, "      {service: %q, accounts: [PRODUCERS]}\n", m)
	}
	fmt.Fprintf(&conf, "    ]\n  }\n  PRODUCERS {\n    users: [{user: producer, password: p\n%s}]\n    imports: [\n", producer.Config("      "))
	for _, m := range mailboxes {
		fmt.Fprintf(&conf, "      {service: {account: KALAHARI, subject: %q}}\n", m)
	}
	conf.WriteString("    ]\n    mappings = {\n") // of the account that publishes
	for _, m := range ns.Mappings() {
		fmt.Fprintf(&conf, "      %q: %q\n", m.Source, m.Destination)
	}
	conf.WriteString("    }\n  }\n}\n")
	file := filepath.Join(t.TempDir(), "nats.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	parsed, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, conf.String())
	}
	g := &embeddedtest.Guarded{Namespace: ns, Server: embeddedtest.Run(t, embeddedtest.With(func(o *embedded.Options) {
		o.Adjust = func(opts *server.Options) { opts.Users, opts.Accounts = parsed.Users, parsed.Accounts }
	}))}
	_, root, _ := g.As(t, "root")
	if err := subjects.Provision(t.Context(), root, ns, subjects.Settings{}); err != nil {
		t.Fatal(err)
	}
	nc, _, _ := g.As(t, "producer")
	// It publishes and is acknowledged, on the public subjects and on the sharded ones.
	for i, subject := range []string{ns.PublicIn("s"), ns.In("s"), ns.PublicCtl("s"), ns.Ctl("s")} {
		m, err := nc.Request(subject, []byte("x"), 5*time.Second)
		if err != nil || !strings.Contains(string(m.Data), fmt.Sprintf(`"seq":%d`, i+1)) {
			t.Errorf("%d, %s: %v", i, subject, err)
		}
	}
	targets := map[string]string{
		ns.LogStream(ns.Shard("s")): ns.Log("s"), ns.FxStream(ns.Shard("s")): ns.Fx("s", "X"), ns.DeadStream(): ns.Dead("s"), ns.MobStream(): ns.MobSignal("m", "X"),
		subjects.KVStream(ns.OwnersBucket()): subjects.KVSubject(ns.OwnersBucket(), ns.SessionKey("s")),
	}
	for _, reply := range targets {
		if err := nc.PublishRequest(ns.In("s"), reply, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	// Its own acknowledgement comes behind all of those.
	if _, err := nc.Request(ns.In("s"), []byte("x"), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	for stream, subject := range targets {
		st, err := root.Stream(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		if n := st.CachedInfo().State.LastSeq; n != 0 {
			t.Errorf("an acknowledgement is stored on %s", subject)
		}
	}
	for what, subject := range map[string]string{"the log": ns.Log("s"), "a query": ns.Query("s", "state"), "an effect": ns.Fx("s", "X")} {
		if possible(t, nc, subject) {
			t.Errorf("publishing %s is possible", what)
		}
	}
}
