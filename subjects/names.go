package subjects

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Root is the first token of every subject of ours.
const Root = "kalahari"

// DefaultShards is the number of shards of a namespace nobody said more about.
const DefaultShards = 8

// MaxShards bounds a namespace: each shard is three streams, and the streams
// that serve all shards list their subjects shard by shard.
const MaxShards = 256

// Namespace spells the names of one tenant. It is a small comparable value;
// make one with [NewNamespace] or [Discover].
//
// # Subjects
//
// Pattern beside wildcard. The wildcards over all shards are for people and for
// core subscriptions; streams and grants list the shards one by one
// ([Namespace.EachShard]), because `kalahari.<ns>.*.due.*` would also match
// `kalahari.<ns>.q.due.state`, the query of a session that is called "due".
//
//	kalahari.<ns>.in.<session>                 PublicIn   PublicInAll  kalahari.<ns>.in.*
//	kalahari.<ns>.ctl.<session>                PublicCtl  PublicCtlAll kalahari.<ns>.ctl.*
//	kalahari.<ns>.<shard>.in.<session>         In         InShard      kalahari.<ns>.<shard>.in.*
//	kalahari.<ns>.<shard>.ctl.<session>        Ctl        CtlShard     kalahari.<ns>.<shard>.ctl.*
//	                                                      Mailbox      kalahari.<ns>.<shard>.*.<session>
//	kalahari.<ns>.<shard>.log.<session>        Log        LogShard     kalahari.<ns>.<shard>.log.*
//	kalahari.<ns>.<shard>.fx.<session>.<Name>  Fx         FxShard      kalahari.<ns>.<shard>.fx.*.*
//	                                                      FxSession    kalahari.<ns>.<shard>.fx.<session>.*
//	                                                      FxName       kalahari.<ns>.<shard>.fx.*.<Name>
//	kalahari.<ns>.<shard>.dead.<session>       Dead       DeadShard    kalahari.<ns>.<shard>.dead.*
//	kalahari.<ns>.<shard>.timer.<session>.<id> Timer      TimerShard   kalahari.<ns>.<shard>.timer.*.*
//	                                                      TimerSession kalahari.<ns>.<shard>.timer.<session>.*
//	kalahari.<ns>.<shard>.due.<session>        Due        DueShard     kalahari.<ns>.<shard>.due.*
//	kalahari.<ns>.mob.<mob>.signal.<Name>      MobSignal  MobSignals   kalahari.<ns>.mob.<mob>.signal.*
//	                                                      MobAll       kalahari.<ns>.mob.*.signal.*
//	kalahari.<ns>.live.<session>               Live       LiveAll      kalahari.<ns>.live.*
//	kalahari.<ns>.q.<session>.<query>          Query      QueryAll     kalahari.<ns>.q.*.*
//	kalahari.<ns>.exec.<profile>               Exec       ExecAll      kalahari.<ns>.exec.*
//
// Internal, between workers:
//
//	kalahari.<ns>.worker.<incarnation>.probe   Probe      ProbeAll     kalahari.<ns>.worker.*.probe
//	kalahari.<ns>.worker.<incarnation>.control Control    ControlAll   kalahari.<ns>.worker.*.control
type Namespace struct {
	name   string
	shards int
}

// NewNamespace names a namespace of n shards, 1 to [MaxShards].
func NewNamespace(name string, shards int) (Namespace, error) {
	if err := CheckToken("namespace", name); err != nil {
		return Namespace{}, err
	}
	if shards < 1 || shards > MaxShards {
		return Namespace{}, fmt.Errorf("namespace %q: %d shards, 1 to %d are possible", name, shards, MaxShards)
	}
	return Namespace{name: name, shards: shards}, nil
}

// Name is the namespace's token.
func (n Namespace) Name() string { return n.name }

// Shards is N, fixed for the life of the namespace.
func (n Namespace) Shards() int { return n.shards }

// String is for logs: "name/N".
func (n Namespace) String() string { return n.name + "/" + strconv.Itoa(n.shards) }

// Shard tells where a session lives: FNV-1a 32 of its token mod N, as the
// server's {{partition(N,1)}} computes it.
func (n Namespace) Shard(session string) int {
	const offset, prime = 2166136261, 16777619
	h := uint32(offset)
	for i := range len(session) {
		h = (h ^ uint32(session[i])) * prime
	}
	return int(h % uint32(n.shards))
}

// EachShard lists what f says of every shard, in order.
func (n Namespace) EachShard(f func(shard int) string) []string {
	all := make([]string, n.shards)
	for s := range all {
		all[s] = f(s)
	}
	return all
}

func (n Namespace) plain(tokens ...string) string {
	return Root + "." + n.name + "." + strings.Join(tokens, ".")
}

func (n Namespace) sharded(shard int, rest string) string {
	return Root + "." + n.name + "." + strconv.Itoa(shard) + "." + rest
}

// In is where inputs and commands of a session are stored.
func (n Namespace) In(session string) string { return n.sharded(n.Shard(session), "in."+session) }

// InShard is every mailbox of one shard.
func (n Namespace) InShard(shard int) string { return n.sharded(shard, "in.*") }

// PublicIn is the form of [Namespace.In] that needs no knowledge of shards; the
// account mapping ([Namespace.Mappings]) turns it into the other.
func (n Namespace) PublicIn(session string) string { return n.plain("in", session) }

// PublicInAll is every unsharded mailbox subject.
func (n Namespace) PublicInAll() string { return n.plain("in", "*") }

// Ctl is where commands go that must not wait behind a full mailbox.
func (n Namespace) Ctl(session string) string { return n.sharded(n.Shard(session), "ctl."+session) }

// Mailbox is both subjects of a session's mailbox, [Namespace.In] and [Namespace.Ctl], in
// one wildcard. It is meant as a filter on the IN stream, which holds nothing else under
// it: a server finds the next message of one wildcard faster than of two subjects.
func (n Namespace) Mailbox(session string) string {
	return n.sharded(n.Shard(session), "*."+session)
}

// CtlShard is every control subject of one shard.
func (n Namespace) CtlShard(shard int) string { return n.sharded(shard, "ctl.*") }

// PublicCtl is the unsharded form of [Namespace.Ctl].
func (n Namespace) PublicCtl(session string) string { return n.plain("ctl", session) }

// PublicCtlAll is every unsharded control subject.
func (n Namespace) PublicCtlAll() string { return n.plain("ctl", "*") }

// Log is the session's commits: its feed.
func (n Namespace) Log(session string) string { return n.sharded(n.Shard(session), "log."+session) }

// LogShard is every feed of one shard.
func (n Namespace) LogShard(shard int) string { return n.sharded(shard, "log.*") }

// Fx is where an event of the published set goes; name is its PascalCase name.
func (n Namespace) Fx(session, name string) string {
	return n.sharded(n.Shard(session), "fx."+session+"."+name)
}

// FxShard is every published event of one shard.
func (n Namespace) FxShard(shard int) string { return n.sharded(shard, "fx.*.*") }

// FxSession is every published event of one session.
func (n Namespace) FxSession(session string) string { return n.Fx(session, "*") }

// FxName is one kind of published event over the sessions of one shard.
func (n Namespace) FxName(shard int, name string) string { return n.sharded(shard, "fx.*."+name) }

// Dead is where refused events of a session go, with the reason. A token that
// came in on a mailbox subject may be used although it is illegal: it is a
// subject token all the same.
func (n Namespace) Dead(session string) string { return n.sharded(n.Shard(session), "dead."+session) }

// DeadShard is every refused event of one shard.
func (n Namespace) DeadShard(shard int) string { return n.sharded(shard, "dead.*") }

// Timer holds one pending schedule of a session.
func (n Namespace) Timer(session, id string) string {
	return n.sharded(n.Shard(session), "timer."+session+"."+id)
}

// TimerShard is every pending schedule of one shard.
func (n Namespace) TimerShard(shard int) string { return n.sharded(shard, "timer.*.*") }

// TimerSession is every pending schedule of one session.
func (n Namespace) TimerSession(session string) string { return n.Timer(session, "*") }

// Due is what a schedule fires onto.
func (n Namespace) Due(session string) string { return n.sharded(n.Shard(session), "due."+session) }

// DueShard is every fired schedule of one shard.
func (n Namespace) DueShard(shard int) string { return n.sharded(shard, "due.*") }

// MobSignal carries a lifecycle signal to a mob; name is RuntimeBound,
// RuntimeRetired or RuntimeDestroyed.
func (n Namespace) MobSignal(mob, name string) string { return n.plain("mob", mob, "signal", name) }

// MobSignals is every signal of one mob.
func (n Namespace) MobSignals(mob string) string { return n.MobSignal(mob, "*") }

// MobAll is every signal of every mob.
func (n Namespace) MobAll() string { return n.MobSignal("*", "*") }

// Live carries the output deltas of a run in progress. Core NATS: not stored.
func (n Namespace) Live(session string) string { return n.plain("live", session) }

// LiveAll is the deltas of every session.
func (n Namespace) LiveAll() string { return n.plain("live", "*") }

// Query is where a question about a session is asked.
func (n Namespace) Query(session, query string) string { return n.plain("q", session, query) }

// QueryAll is every question.
func (n Namespace) QueryAll() string { return n.Query("*", "*") }

// Exec is where the remote executors of a profile listen.
func (n Namespace) Exec(profile string) string { return n.plain("exec", profile) }

// ExecAll is every profile.
func (n Namespace) ExecAll() string { return n.Exec("*") }

// Probe is the private subject a worker answers its ring neighbours on. That
// nobody listens there is a hint that the worker is gone, never a proof.
func (n Namespace) Probe(incarnation string) string { return n.plain("worker", incarnation, "probe") }

// ProbeAll is the probe subject of every worker.
func (n Namespace) ProbeAll() string { return n.Probe("*") }

// Control is where one worker is addressed by others: forwarded queries, drain.
func (n Namespace) Control(incarnation string) string {
	return n.plain("worker", incarnation, "control")
}

// ControlAll is the control subject of every worker.
func (n Namespace) ControlAll() string { return n.Control("*") }

// Mapping is one subject mapping of the account.
type Mapping struct{ Source, Destination string }

// Mappings are the account mappings that make the unsharded subjects work.
func (n Namespace) Mappings() []Mapping {
	partition := fmt.Sprintf("{{partition(%d,1)}}", n.shards)
	return []Mapping{
		{n.PublicInAll(), n.plain(partition, "in", "{{wildcard(1)}}")},
		{n.PublicCtlAll(), n.plain(partition, "ctl", "{{wildcard(1)}}")},
	}
}

// ---- streams, buckets, keys ----

func (n Namespace) stream(kind string) string { return "KALAHARI_" + n.name + "_" + kind }

// InStream holds the mailboxes (in and ctl) of one shard.
func (n Namespace) InStream(shard int) string { return n.stream("IN_" + strconv.Itoa(shard)) }

// LogStream holds the commits of one shard.
func (n Namespace) LogStream(shard int) string { return n.stream("LOG_" + strconv.Itoa(shard)) }

// FxStream holds the published events of one shard.
func (n Namespace) FxStream(shard int) string { return n.stream("FX_" + strconv.Itoa(shard)) }

// MobStream holds the signals to mobs.
func (n Namespace) MobStream() string { return n.stream("MOB") }

// TimeStream holds pending and fired schedules.
func (n Namespace) TimeStream() string { return n.stream("TIME") }

// DeadStream holds refused events.
func (n Namespace) DeadStream() string { return n.stream("DEAD") }

func (n Namespace) bucket(kind string) string { return Root + "_" + n.name + "_" + kind }

// WorkersBucket has one leased key per worker incarnation.
func (n Namespace) WorkersBucket() string { return n.bucket("workers") }

// OwnersBucket has one key per owned session; its revision is the fence token.
func (n Namespace) OwnersBucket() string { return n.bucket("owners") }

// SnapshotsBucket has the latest snapshot of each session.
func (n Namespace) SnapshotsBucket() string { return n.bucket("snapshots") }

// DirectoryBucket says which sessions exist, and what the namespace is
// ([NamespaceKey]).
func (n Namespace) DirectoryBucket() string { return n.bucket("directory") }

// BlobsBucket is the object store for what is too large for a message.
func (n Namespace) BlobsBucket() string { return n.bucket("blobs") }

// KVStream is the stream behind a bucket.
func KVStream(bucket string) string { return "KV_" + bucket }

// KVSubject is the subject behind a key of a bucket.
func KVSubject(bucket, key string) string { return "$KV." + bucket + "." + key }

// ObjectStream is the stream behind an object store.
func ObjectStream(bucket string) string { return "OBJ_" + bucket }

// SessionKey is the session's key in the owners, snapshots and directory
// buckets: "<shard>.<session>".
func (n Namespace) SessionKey(session string) string {
	return strconv.Itoa(n.Shard(session)) + "." + session
}

// SessionKeys is the wildcard over the keys of one shard.
func (n Namespace) SessionKeys(shard int) string { return strconv.Itoa(shard) + ".*" }

// ParseSessionKey reads a key made by [Namespace.SessionKey] and checks it as
// [Namespace.ParseSession] does.
func (n Namespace) ParseSessionKey(key string) (shard int, session string, err error) {
	s, session, ok := strings.Cut(key, ".")
	if !ok {
		return 0, "", &SubjectError{Subject: key, Reason: "not <shard>.<session>"}
	}
	return n.place(key, s, session)
}

// BlobName names an object in [Namespace.BlobsBucket]: blobs belong to one
// session, so nobody has to count references across writers.
func BlobName(session, hash string) string { return session + "/" + hash }

// ---- parsing ----

// Kind is the family of a sharded subject.
type Kind string

// The families [Namespace.ParseSession] knows.
const (
	KindIn    Kind = "in"
	KindCtl   Kind = "ctl"
	KindLog   Kind = "log"
	KindFx    Kind = "fx"
	KindDead  Kind = "dead"
	KindTimer Kind = "timer"
	KindDue   Kind = "due"
)

// ErrSubject is what every [*SubjectError] is, for errors.Is.
var ErrSubject = errors.New("not a subject of this namespace")

// ErrWrongShard marks a session that stands under another shard than its own.
var ErrWrongShard = errors.New("wrong shard")

// SubjectError tells why a subject or key is not one of the namespace's.
type SubjectError struct {
	Subject string
	Reason  string
	Cause   error // ErrWrongShard, a *TokenError, or nil
}

func (e *SubjectError) Error() string { return fmt.Sprintf("subject %q: %s", e.Subject, e.Reason) }

// Is makes errors.Is(err, ErrSubject) hold.
func (e *SubjectError) Is(target error) bool { return target == ErrSubject }

func (e *SubjectError) Unwrap() error { return e.Cause }

// ParseSession takes the subject of a stored or delivered message apart. The
// error is a [*SubjectError]: the subject is foreign, the session is no legal
// token (errors.Is [ErrToken]), or it stands on a shard that is not its own
// ([ErrWrongShard]). In the last two cases kind, shard and session are returned
// as they stand in the subject, so that the event can be filed under DEAD.
func (n Namespace) ParseSession(subject string) (kind Kind, shard int, session string, err error) {
	rest, ok := strings.CutPrefix(subject, Root+".")
	if ok {
		rest, ok = strings.CutPrefix(rest, n.name+".")
	}
	if !ok {
		return "", 0, "", &SubjectError{Subject: subject, Reason: "not under " + n.plain(">")}
	}
	s, rest, _ := strings.Cut(rest, ".")
	k, rest, _ := strings.Cut(rest, ".")
	kind = Kind(k)
	session, tail, more := strings.Cut(rest, ".")
	switch kind {
	case KindIn, KindCtl, KindLog, KindDead, KindDue:
		ok = !more
	case KindFx, KindTimer:
		ok = more && tail != "" && !strings.Contains(tail, ".")
	default:
		ok = false
	}
	if !ok {
		return "", 0, "", &SubjectError{Subject: subject, Reason: "not <shard>.<kind>.<session> of a known kind"}
	}
	shard, session, err = n.place(subject, s, session)
	return kind, shard, session, err
}

// Tail is the last token of a subject: the name of an fx event or a mob signal,
// the id of a timer.
func Tail(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

func (n Namespace) place(subject, s, session string) (int, string, error) {
	shard, err := strconv.Atoi(s)
	if err != nil || shard < 0 || shard >= n.shards || strconv.Itoa(shard) != s {
		return 0, "", &SubjectError{Subject: subject, Reason: fmt.Sprintf("shard %q is not 0..%d", s, n.shards-1)}
	}
	if err := CheckToken("session", session); err != nil {
		return shard, session, &SubjectError{Subject: subject, Reason: err.Error(), Cause: err}
	}
	if home := n.Shard(session); home != shard {
		return shard, session, &SubjectError{
			Subject: subject, Cause: ErrWrongShard,
			Reason: fmt.Sprintf("session %q lives on shard %d", session, home),
		}
	}
	return shard, session, nil
}
