package subjects

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// SchemaVersion is the version of the definitions in this file. It stands in
// the metadata of everything provisioned.
const SchemaVersion = 1

// Metadata keys on every stream, bucket and object store of a namespace.
const (
	MetaNamespace = "kalahari.namespace"
	MetaShards    = "kalahari.shards"
	MetaSchema    = "kalahari.schema"
	MetaKind      = "kalahari.kind"  // in, log, fx, mob, time, dead, workers, owners, snapshots, directory, blobs
	MetaShard     = "kalahari.shard" // on the streams of one shard
)

// NamespaceKey is the key of the directory bucket that holds the namespace's
// own record: shard count and settings. Session keys have a dot, this has none.
const NamespaceKey = "namespace"

// HoldKey is the key of the directory bucket that says whether the runs of the whole
// namespace are held.
const HoldKey = "hold"

// MarkerTTL is how long the workers bucket keeps the marker of an expired key: a
// watcher that was away for less than that still learns of the expiry.
const MarkerTTL = time.Hour

// Defaults of [Settings].
const (
	DefaultReplicas     = 1
	DefaultMailboxLimit = 10_000
	DefaultMaxConsumers = 65_536
	DefaultMaxInput     = 256 << 10
	DefaultMaxCommit    = 1 << 20
	DefaultDuplicates   = 2 * time.Minute
	DefaultFxAge        = 7 * 24 * time.Hour
	DefaultMobAge       = 7 * 24 * time.Hour
	DefaultDeadAge      = 30 * 24 * time.Hour

	// Unlimited is the explicit "no limit" of a setting in bytes or messages.
	Unlimited = -1
)

// MaxInlineCommit is the largest commit body that travels in its message; a larger one goes
// to the object store (PROTOCOL 7). MinCommit has room for it and the headers.
const (
	MaxInlineCommit = 512 << 10
	MinCommit       = MaxInlineCommit + 64<<10
)

// Settings is what an operator may choose for a namespace. The zero value of a
// field means: what the namespace already has, and for a new one the default.
// Storage alone cannot be changed afterwards; all else follows [Provision].
type Settings struct {
	// Replicas of every stream, bucket and object store. Default 1; 3 on a
	// cluster of three or more.
	Replicas int

	// Storage is file (the zero value) or memory. Memory is for tests.
	Storage jetstream.StorageType

	// MailboxLimit bounds the messages one session may have waiting, inputs and
	// control counted apart. A full mailbox refuses the producer. Default 10,000.
	MailboxLimit int64

	// MailboxBytes bounds the mailboxes of one shard together. Default Unlimited.
	MailboxBytes int64

	// MaxConsumers per stream. Each active session has a consumer on its IN
	// stream; leave room for three times as many. Default 65,536. (Without an
	// explicit number the server refuses the 1,001st.)
	MaxConsumers int

	// MaxInput is the largest input in bytes, headers included. It must stay well
	// under MaxCommit, since a commit carries what it consumed. Default 256 KiB.
	MaxInput int32

	// MaxCommit is the largest commit, and no larger than the server's
	// max_payload; at least [MinCommit]. Default 1 MiB, the server's own default.
	MaxCommit int32

	// LogBytes bounds the log of one shard. A full log refuses commits and so
	// stops its sessions; it never forgets. Default Unlimited.
	LogBytes int64

	// FxAge and FxBytes say how long published events can be read back.
	// Defaults 7 days and Unlimited.
	FxAge   time.Duration
	FxBytes int64

	// MobAge and MobBytes are the same for signals to mobs. 7 days, Unlimited.
	MobAge   time.Duration
	MobBytes int64

	// DeadAge and DeadBytes are the same for refused events. 30 days, Unlimited.
	DeadAge   time.Duration
	DeadBytes int64

	// Duplicates is the window in which the server drops a message whose
	// Nats-Msg-Id it has seen. Default 2 minutes.
	Duplicates time.Duration

	// Published is the set of events that get a message of their own on fx.
	// Default [PublishLifecycle].
	Published PublishedSet
}

func or[T comparable](v ...T) (zero T) {
	for _, x := range v {
		if x != zero {
			return x
		}
	}
	return zero
}

// over fills the zero fields of s from base.
func (s Settings) over(base Settings) Settings {
	return Settings{
		Replicas:     or(s.Replicas, base.Replicas),
		Storage:      or(s.Storage, base.Storage),
		MailboxLimit: or(s.MailboxLimit, base.MailboxLimit),
		MailboxBytes: or(s.MailboxBytes, base.MailboxBytes),
		MaxConsumers: or(s.MaxConsumers, base.MaxConsumers),
		MaxInput:     or(s.MaxInput, base.MaxInput),
		MaxCommit:    or(s.MaxCommit, base.MaxCommit),
		LogBytes:     or(s.LogBytes, base.LogBytes),
		FxAge:        or(s.FxAge, base.FxAge),
		FxBytes:      or(s.FxBytes, base.FxBytes),
		MobAge:       or(s.MobAge, base.MobAge),
		MobBytes:     or(s.MobBytes, base.MobBytes),
		DeadAge:      or(s.DeadAge, base.DeadAge),
		DeadBytes:    or(s.DeadBytes, base.DeadBytes),
		Duplicates:   or(s.Duplicates, base.Duplicates),
		Published:    or(s.Published, base.Published),
	}
}

// WithDefaults is s with every zero field at its default.
func (s Settings) WithDefaults() Settings {
	return s.over(Settings{
		Replicas:     DefaultReplicas,
		MailboxLimit: DefaultMailboxLimit,
		MailboxBytes: Unlimited,
		MaxConsumers: DefaultMaxConsumers,
		MaxInput:     DefaultMaxInput,
		MaxCommit:    DefaultMaxCommit,
		LogBytes:     Unlimited,
		FxAge:        DefaultFxAge,
		FxBytes:      Unlimited,
		MobAge:       DefaultMobAge,
		MobBytes:     Unlimited,
		DeadAge:      DefaultDeadAge,
		DeadBytes:    Unlimited,
		Duplicates:   DefaultDuplicates,
		Published:    PublishLifecycle,
	})
}

// check expects defaults filled in.
func (s Settings) check() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(s.Replicas < 1 || s.Replicas > 5, "Replicas %d: 1 to 5 are possible", s.Replicas)
	refuse(s.MailboxLimit < 1, "MailboxLimit %d: a mailbox must be bounded, and hold at least one message", s.MailboxLimit)
	refuse(s.MaxConsumers < 1, "MaxConsumers %d: must be positive", s.MaxConsumers)
	refuse(s.MaxInput < 1024, "MaxInput %d: at least 1024 bytes", s.MaxInput)
	refuse(s.MaxCommit < MinCommit, "MaxCommit %d: at least %d bytes", s.MaxCommit, MinCommit)
	refuse(s.MaxCommit < 2*s.MaxInput, "MaxCommit %d: a commit carries what it consumed, so at least twice MaxInput (%d)", s.MaxCommit, s.MaxInput)
	for _, age := range []struct {
		name string
		d    time.Duration
	}{{"FxAge", s.FxAge}, {"MobAge", s.MobAge}, {"DeadAge", s.DeadAge}} {
		refuse(age.d < s.Duplicates, "%s %s: not shorter than Duplicates (%s)", age.name, age.d, s.Duplicates)
	}
	refuse(s.Duplicates < 100*time.Millisecond, "Duplicates %s: at least 100ms", s.Duplicates)
	if _, err := ParsePublishedSet(string(s.Published)); err != nil {
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	return nil
}

// Definitions are the streams of the namespace, those behind buckets and the
// object store included, with every setting spelled out. The directory bucket
// comes first: its creation decides the shard count between two processes that
// provision at once.
func (n Namespace) Definitions(s Settings) []jetstream.StreamConfig {
	s = s.WithDefaults()
	defs := []jetstream.StreamConfig{
		n.bucketDefinition(s, n.DirectoryBucket(), "directory", "which sessions exist, and the namespace's own record"),
		n.workersDefinition(s),
		n.ownersDefinition(s),
		n.bucketDefinition(s, n.SnapshotsBucket(), "snapshots", "latest snapshot of each session; key <shard>.<session>"),
		n.blobsDefinition(s),
	}
	for shard := range n.shards {
		defs = append(defs, n.inDefinition(s, shard), n.logDefinition(s, shard), n.fxDefinition(s, shard))
	}
	return append(defs, n.mobDefinition(s), n.timeDefinition(s), n.deadDefinition(s))
}

// base spells out what all definitions share.
func (n Namespace) base(s Settings, name, kind, description string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              name,
		Description:       fmt.Sprintf("Kalahari %s: %s", n.name, description),
		Retention:         jetstream.LimitsPolicy,
		Storage:           s.Storage,
		Replicas:          s.Replicas,
		MaxConsumers:      s.MaxConsumers,
		MaxMsgs:           Unlimited,
		MaxBytes:          Unlimited,
		MaxMsgsPerSubject: Unlimited,
		MaxMsgSize:        Unlimited,
		Duplicates:        s.Duplicates,
		Metadata: map[string]string{
			MetaNamespace: n.name,
			MetaShards:    strconv.Itoa(n.shards),
			MetaSchema:    strconv.Itoa(SchemaVersion),
			MetaKind:      kind,
		},
	}
}

func (n Namespace) ofShard(s Settings, shard int, name, kind, description string) jetstream.StreamConfig {
	c := n.base(s, name, kind, fmt.Sprintf("%s, shard %d of %d", description, shard, n.shards))
	c.Metadata[MetaShard] = strconv.Itoa(shard)
	return c
}

// inDefinition: the bound is per subject and refuses the newest, so a full
// mailbox is an error to the producer, and never a loss. in and ctl are two
// subjects and so have a bound each, in one stream order. No direct reads: a
// replica that lags would hide an input from the sweeper.
func (n Namespace) inDefinition(s Settings, shard int) jetstream.StreamConfig {
	c := n.ofShard(s, shard, n.InStream(shard), "in", "mailboxes: inputs not yet committed")
	c.Subjects = []string{n.InShard(shard), n.CtlShard(shard)}
	c.MaxMsgsPerSubject = s.MailboxLimit
	c.Discard = jetstream.DiscardNew
	c.DiscardNewPerSubject = true
	c.MaxBytes = s.MailboxBytes
	c.MaxMsgSize = s.MaxInput
	return c
}

// logDefinition: never truncated by age or count. No direct reads: the tail
// decides whether a commit is stored.
func (n Namespace) logDefinition(s Settings, shard int) jetstream.StreamConfig {
	c := n.ofShard(s, shard, n.LogStream(shard), "log", "commits, the feed of each session")
	c.Subjects = []string{n.LogShard(shard)}
	c.Discard = jetstream.DiscardNew
	c.MaxBytes = s.LogBytes
	c.MaxMsgSize = s.MaxCommit
	return c
}

func (n Namespace) fxDefinition(s Settings, shard int) jetstream.StreamConfig {
	c := n.ofShard(s, shard, n.FxStream(shard), "fx", "published effects and outcomes")
	c.Subjects = []string{n.FxShard(shard)}
	c.MaxAge = s.FxAge
	c.MaxBytes = s.FxBytes
	c.AllowDirect = true
	c.AllowBatchPublish = true
	c.AllowAtomicPublish = true
	return c
}

func (n Namespace) mobDefinition(s Settings) jetstream.StreamConfig {
	c := n.base(s, n.MobStream(), "mob", "lifecycle signals to mobs")
	c.Subjects = []string{n.MobAll()}
	c.MaxAge = s.MobAge
	c.MaxBytes = s.MobBytes
	c.AllowDirect = true
	return c
}

// timeDefinition: schedules need discard-old (the server refuses them in a
// stream with discard-new), so nothing here may ever discard: no age, no count,
// no bytes. Fired messages bring a TTL of their own.
func (n Namespace) timeDefinition(s Settings) jetstream.StreamConfig {
	c := n.base(s, n.TimeStream(), "time", "pending and fired timers")
	c.Subjects = append(n.EachShard(n.TimerShard), n.EachShard(n.DueShard)...)
	c.AllowMsgSchedules = true
	c.AllowMsgTTL = true
	c.AllowRollup = true // comes with schedules
	return c
}

func (n Namespace) deadDefinition(s Settings) jetstream.StreamConfig {
	c := n.base(s, n.DeadStream(), "dead", "refused events, with the reason")
	c.Subjects = n.EachShard(n.DeadShard)
	c.MaxAge = s.DeadAge
	c.MaxBytes = s.DeadBytes
	c.AllowDirect = true
	return c
}

// bucketDefinition is what nats.go makes of a key-value bucket, with one value
// a key, and with a consumer limit of its own: each watcher is a consumer, and a
// fleet may have more than a thousand.
func (n Namespace) bucketDefinition(s Settings, bucket, kind, description string) jetstream.StreamConfig {
	c := n.base(s, KVStream(bucket), kind, description)
	c.Subjects = []string{KVSubject(bucket, ">")}
	c.MaxMsgsPerSubject = 1
	c.Discard = jetstream.DiscardNew
	c.AllowRollup = true
	c.DenyDelete = true
	c.AllowDirect = true
	return c
}

// workersDefinition: leases are TTLs of single keys; the bucket has none.
func (n Namespace) workersDefinition(s Settings) jetstream.StreamConfig {
	c := n.bucketDefinition(s, n.WorkersBucket(), "workers", "fleet members: one leased key per incarnation")
	c.AllowMsgTTL = true
	c.SubjectDeleteMarkerTTL = MarkerTTL
	return c
}

// ownersDefinition: keys never expire. Message TTLs are allowed for the markers
// that a release leaves behind, and for nothing else.
func (n Namespace) ownersDefinition(s Settings) jetstream.StreamConfig {
	c := n.bucketDefinition(s, n.OwnersBucket(), "owners", "who owns which session; key <shard>.<session>, the revision is the fence")
	c.AllowMsgTTL = true
	return c
}

// blobsDefinition is what nats.go makes of an object store. Each read is a
// consumer, hence the limit of its own.
func (n Namespace) blobsDefinition(s Settings) jetstream.StreamConfig {
	c := n.base(s, ObjectStream(n.BlobsBucket()), "blobs", "payloads, records and snapshots too large for a message; <session>/<hash>")
	c.Subjects = []string{"$O." + n.BlobsBucket() + ".C.>", "$O." + n.BlobsBucket() + ".M.>"}
	c.Discard = jetstream.DiscardNew
	c.AllowRollup = true
	c.AllowDirect = true
	return c
}

// APIPrefix stands before every request to JetStream: where the client was told to find
// it, with the dot at its end.
func APIPrefix(o jetstream.JetStreamOptions) string {
	switch {
	case o.APIPrefix != "":
		return strings.TrimSuffix(o.APIPrefix, ".") + "."
	case o.Domain != "":
		return "$JS." + o.Domain + ".API."
	}
	return jetstream.DefaultAPIPrefix
}
