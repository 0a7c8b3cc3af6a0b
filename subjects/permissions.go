package subjects

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Role is what a NATS user is allowed to be in a namespace.
type Role string

// The roles.
const (
	// RoleProducer publishes inputs and commands and gets acknowledgements. It stores no
	// blobs: the names of objects are encoded and their chunks have ids of their own, so a
	// grant cannot be confined to a session, and whoever may store one blob may overwrite
	// all. Producers of large payloads go through the gateway, or are gateways.
	RoleProducer Role = "producer"
	// RoleSubscriber reads feeds, published events, signals and deltas, and asks
	// queries. It publishes nothing.
	RoleSubscriber Role = "subscriber"
	// RoleGateway is producer and subscriber, reads the directory and the fleet,
	// and puts and gets blobs.
	RoleGateway Role = "gateway"
	// RoleWorker hosts sessions.
	RoleWorker Role = "worker"
	// RoleOperator provisions the namespace, and may do anything in it.
	RoleOperator Role = "operator"
)

// Roles lists all roles.
func Roles() []Role {
	return []Role{RoleProducer, RoleSubscriber, RoleGateway, RoleWorker, RoleOperator}
}

// DefaultInbox is the inbox prefix of NATS clients that set none.
const DefaultInbox = "_INBOX"

// Permissions is what a NATS user may publish and subscribe to. There are allow
// lists only.
type Permissions struct {
	Publish   []string
	Subscribe []string
	// Responses, if not zero, is how long the user may answer a request it got,
	// on whatever subject the request names for the answer.
	Responses time.Duration
}

// Permissions is the template for a role. inbox is the user's inbox prefix
// (nats.CustomInboxPrefix); "" is [DefaultInbox]. Users that must not read each
// other's answers need a prefix each.
//
// Grants are written on mapped, sharded subjects, one by one: the server checks
// a publish after mapping, so a grant on the public form alone would be useless,
// and one on `kalahari.<ns>.*.in.*` would reach the queries of a session called
// "in".
//
// What grants cannot express: whoever may publish to a stream names the subject of
// the acknowledgement, and the server sends it there without asking for a
// permission: onto a session's log, or an owner's key, where it is stored, and no
// session with such a log can go on. And whoever may create a consumer may have
// what it reads pushed to any subject of the account that somebody listens on, a
// worker's control subject for one. Producers and subscribers that are not trusted
// belong into accounts of their own, with the sharded mailboxes imported as
// services, the mappings installed there, and the feeds imported: replies then
// stay in their account (TestAcknowledgementsStayInTheProducersAccount).
func (n Namespace) Permissions(role Role, inbox string) (Permissions, error) {
	if inbox == "" {
		inbox = DefaultInbox
	}
	g := grants{ns: n}
	g.subscribe(inbox + ".>")
	switch role {
	case RoleProducer:
		g.producer()
	case RoleSubscriber:
		g.subscriber()
	case RoleGateway:
		g.producer()
		g.subscriber()
		g.gateway()
	case RoleWorker:
		g.worker()
	case RoleOperator:
		g.operator()
	default:
		return Permissions{}, fmt.Errorf("role %q: want one of %v", role, Roles())
	}
	slices.Sort(g.p.Publish)
	slices.Sort(g.p.Subscribe)
	g.p.Publish, g.p.Subscribe = slices.Compact(g.p.Publish), slices.Compact(g.p.Subscribe)
	return g.p, nil
}

type grants struct {
	ns Namespace
	p  Permissions
}

func (g *grants) publish(subjects ...string)   { g.p.Publish = append(g.p.Publish, subjects...) }
func (g *grants) subscribe(subjects ...string) { g.p.Subscribe = append(g.p.Subscribe, subjects...) }

func (g *grants) producer() {
	g.publish(g.ns.EachShard(g.ns.InShard)...)
	g.publish(g.ns.EachShard(g.ns.CtlShard)...)
}

func (g *grants) subscriber() {
	g.publish(g.ns.QueryAll(), "$JS.API.INFO", "$JS.FC.>")
	g.subscribe(g.ns.LiveAll(), g.ns.MobAll())
	// Only what is stored is published on fx, so that waiting for an outcome may be a plain
	// subscription.
	g.subscribe(g.ns.EachShard(g.ns.FxShard)...)
	g.read(g.ns.EachShard(g.ns.LogStream)...)
	g.read(g.ns.EachShard(g.ns.FxStream)...)
	g.read(g.ns.MobStream())
	g.publish("$JS.API.STREAM.MSG.GET." + KVStream(g.ns.DirectoryBucket())) // Discover
}

func (g *grants) gateway() {
	g.read(KVStream(g.ns.DirectoryBucket()), KVStream(g.ns.WorkersBucket()), ObjectStream(g.ns.BlobsBucket()))
	for _, bucket := range []string{g.ns.OwnersBucket(), g.ns.SnapshotsBucket()} {
		g.publish("$JS.API.STREAM.INFO." + KVStream(bucket)) // that they are there
	}
	g.blobs()
}

func (g *grants) worker() {
	ns := g.ns
	for _, shard := range []func(int) string{
		ns.InShard, ns.CtlShard, ns.LogShard, ns.FxShard, ns.DeadShard, ns.TimerShard, ns.DueShard,
	} {
		g.publish(ns.EachShard(shard)...)
	}
	g.publish(ns.MobAll(), ns.LiveAll(), ns.QueryAll(), ns.ExecAll(), ns.ProbeAll(), ns.ControlAll(), "$JS.API.INFO", "$JS.FC.>")
	g.subscribe(ns.QueryAll(), ns.ProbeAll(), ns.ControlAll(), ns.LiveAll(), "$SRV.>")
	for _, bucket := range ns.buckets() {
		g.publish(KVSubject(bucket, ">"))
	}
	g.blobs()
	for _, stream := range ns.streams() {
		g.read(stream)
		g.publish("$JS.API.CONSUMER.DURABLE.CREATE."+stream+".*", "$JS.ACK."+stream+".>")
	}
	purge := append(ns.EachShard(ns.InStream), ns.EachShard(ns.LogStream)...)
	for _, stream := range append(purge, ns.TimeStream()) {
		g.publish("$JS.API.STREAM.PURGE."+stream, "$JS.API.STREAM.MSG.DELETE."+stream)
	}
	g.p.Responses = 2 * time.Minute
}

func (g *grants) operator() {
	ns := g.ns
	g.publish(ns.plain(">"), "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.FC.>", "$SRV.>")
	g.subscribe(ns.plain(">"), "$SRV.>")
	for _, bucket := range ns.buckets() {
		g.publish(KVSubject(bucket, ">"))
		g.subscribe(KVSubject(bucket, ">"))
	}
	g.blobs()
	for _, stream := range ns.streams() {
		g.read(stream)
		g.publish(
			"$JS.API.STREAM.*."+stream, "$JS.API.STREAM.*.*."+stream, "$JS.API.CONSUMER.*."+stream, "$JS.API.CONSUMER.*."+stream+".>",
			"$JS.API.CONSUMER.DURABLE.CREATE."+stream+".*", "$JS.ACK."+stream+".>",
		)
	}
	g.p.Responses = 2 * time.Minute
}

// read is reading a stream in every way: consumers, single messages, its state.
func (g *grants) read(streams ...string) {
	for _, s := range streams {
		g.publish(
			"$JS.API.STREAM.INFO."+s, "$JS.API.STREAM.MSG.GET."+s, "$JS.API.DIRECT.GET."+s, "$JS.API.DIRECT.GET."+s+".>",
			"$JS.API.CONSUMER.CREATE."+s, "$JS.API.CONSUMER.CREATE."+s+".>", "$JS.API.CONSUMER.INFO."+s+".*",
			"$JS.API.CONSUMER.DELETE."+s+".*", "$JS.API.CONSUMER.MSG.NEXT."+s+".*",
		)
	}
}

// blobs is writing and removing objects.
func (g *grants) blobs() {
	bucket := g.ns.BlobsBucket()
	g.publish("$O."+bucket+".>", "$JS.API.STREAM.PURGE."+ObjectStream(bucket))
}

func (n Namespace) buckets() []string {
	return []string{n.WorkersBucket(), n.OwnersBucket(), n.SnapshotsBucket(), n.DirectoryBucket()}
}

// streams is every stream of the namespace.
func (n Namespace) streams() []string {
	var all []string
	for _, d := range n.Definitions(Settings{}) {
		all = append(all, d.Name)
	}
	return all
}

// Config renders the permissions as the block of a nats-server configuration,
// each line indented by indent.
func (p Permissions) Config(indent string) string {
	var b strings.Builder
	list := func(name string, subjects []string) {
		if len(subjects) == 0 { // an empty allow list would allow everything
			fmt.Fprintf(&b, "%s  %s: { deny: [\">\"] }\n", indent, name)
			return
		}
		fmt.Fprintf(&b, "%s  %s: {\n%s    allow: [\n", indent, name, indent)
		for _, s := range subjects {
			fmt.Fprintf(&b, "%s      %q\n", indent, s)
		}
		fmt.Fprintf(&b, "%s    ]\n%s  }\n", indent, indent)
	}
	fmt.Fprintf(&b, "%spermissions: {\n", indent)
	list("publish", p.Publish)
	list("subscribe", p.Subscribe)
	if p.Responses > 0 {
		fmt.Fprintf(&b, "%s  allow_responses: { max: 1, expires: %q }\n", indent, p.Responses)
	}
	fmt.Fprintf(&b, "%s}\n", indent)
	return b.String()
}
