package subjects

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrNotProvisioned is returned by [Discover] for a namespace that does not
// exist, or whose provisioning never came to its end.
var ErrNotProvisioned = errors.New("namespace is not provisioned")

// Drift is one setting that is not as it must be.
type Drift struct {
	Stream string // the stream, or the one behind the bucket
	Field  string
	Have   string
	Want   string
}

// DriftError lists what stands in the way of provisioning: settings that carry
// the protocol's promises, found different, and not ours to change silently.
type DriftError struct {
	Namespace string
	Drifts    []Drift
}

func (e *DriftError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "namespace %s: %d settings differ from what is required and are not changed silently:", e.Namespace, len(e.Drifts))
	for _, d := range e.Drifts {
		fmt.Fprintf(&b, "\n  %s: %s is %s, must be %s", d.Stream, d.Field, d.Have, d.Want)
	}
	return b.String()
}

// Provision makes the streams, buckets and object store of a namespace. It may
// be run again, and by several processes at once.
//
// What is missing is created. What exists is brought to the settings: a field
// that is zero in settings keeps the value the namespace already has. Anything
// the protocol relies on and settings do not govern (the shard count, subjects,
// storage, retention, discard policy, direct reads, ...) is not touched:
// differences there come back as one [*DriftError], before anything is changed.
func Provision(ctx context.Context, js jetstream.JetStream, ns Namespace, settings Settings) error {
	have, settings, err := survey(ctx, js, ns, settings)
	if err != nil {
		return fmt.Errorf("provision %s: %w", ns.name, err)
	}
	for _, want := range ns.Definitions(settings) {
		if err := ensure(ctx, js, ns, have[want.Name], want); err != nil {
			return fmt.Errorf("provision %s: stream %s: %w", ns.name, want.Name, err)
		}
	}
	// The record comes last: while it is missing, Discover finds no namespace.
	if err := writeRecord(ctx, js, ns, settings); err != nil {
		return fmt.Errorf("provision %s: record: %w", ns.name, err)
	}
	return nil
}

// Discover finds an existing namespace: its shard count and its settings. It
// asks the stream leader, not a replica. [ErrNotProvisioned] if there is none.
func Discover(ctx context.Context, js jetstream.JetStream, name string) (Namespace, Settings, error) {
	if err := CheckToken("namespace", name); err != nil {
		return Namespace{}, Settings{}, err
	}
	ns, settings, err := readRecord(ctx, js, name)
	if err != nil {
		return Namespace{}, Settings{}, fmt.Errorf("namespace %s: %w", name, err)
	}
	return ns, settings, nil
}

// Verify compares an existing namespace with what it must be, changing nothing.
// It returns a [*DriftError] if something differs, settings included, or is
// missing.
func Verify(ctx context.Context, js jetstream.JetStream, ns Namespace, settings Settings) error {
	have, settings, err := survey(ctx, js, ns, settings)
	if err != nil {
		return fmt.Errorf("verify %s: %w", ns.name, err)
	}
	var drifts []Drift
	for _, want := range ns.Definitions(settings) {
		got, ok := have[want.Name]
		if !ok {
			drifts = append(drifts, Drift{want.Name, "stream", "missing", "present"})
			continue
		}
		drifts = append(drifts, governedDrift(got, want)...)
	}
	if len(drifts) > 0 {
		return fmt.Errorf("verify %s: %w", ns.name, &DriftError{Namespace: ns.name, Drifts: drifts})
	}
	return nil
}

// survey reads what exists, merges the recorded settings into the zero fields of
// settings, and returns the protocol's drift as an error.
func survey(ctx context.Context, js jetstream.JetStream, ns Namespace, settings Settings) (map[string]jetstream.StreamConfig, Settings, error) {
	recorded, old, err := readRecord(ctx, js, ns.name)
	switch {
	case errors.Is(err, ErrNotProvisioned):
	case err != nil:
		return nil, settings, err
	case recorded.shards != ns.shards:
		return nil, settings, &DriftError{Namespace: ns.name, Drifts: []Drift{{
			KVStream(ns.DirectoryBucket()), "shards", strconv.Itoa(recorded.shards), strconv.Itoa(ns.shards),
		}}}
	default:
		settings = settings.over(old)
	}
	settings = settings.WithDefaults()
	if err := settings.check(); err != nil {
		return nil, settings, err
	}
	have := map[string]jetstream.StreamConfig{}
	var drifts []Drift
	for _, want := range ns.Definitions(settings) {
		s, err := js.Stream(ctx, want.Name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			continue
		}
		if err != nil {
			return nil, settings, fmt.Errorf("stream %s: %w", want.Name, err)
		}
		got := s.CachedInfo().Config
		have[want.Name] = got
		drifts = append(drifts, fixedDrift(got, want)...)
	}
	if len(drifts) > 0 {
		return nil, settings, &DriftError{Namespace: ns.name, Drifts: drifts}
	}
	return have, settings, nil
}

// ensure creates want, or updates what exists. Between looking and creating
// another process may have been faster; then its work is judged like any other.
func ensure(ctx context.Context, js jetstream.JetStream, ns Namespace, have, want jetstream.StreamConfig) error {
	if have.Name == "" {
		_, err := js.CreateStream(ctx, want)
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return err
		}
		s, err := js.Stream(ctx, want.Name)
		if err != nil {
			return err
		}
		have = s.CachedInfo().Config
		if drifts := fixedDrift(have, want); len(drifts) > 0 {
			return &DriftError{Namespace: ns.name, Drifts: drifts}
		}
	}
	if len(governedDrift(have, want)) == 0 {
		return nil
	}
	_, err := js.UpdateStream(ctx, govern(have, want))
	return err
}

// field is one setting of a stream and how to read it for comparison.
type field struct {
	name string
	of   func(*jetstream.StreamConfig) any
}

func metadata(key string) field {
	return field{"metadata " + key, func(c *jetstream.StreamConfig) any { return c.Metadata[key] }}
}

// fixed are the settings the protocol relies on.
var fixed = []field{
	metadata(MetaNamespace), metadata(MetaShards), metadata(MetaSchema), metadata(MetaKind), metadata(MetaShard),
	{"subjects", func(c *jetstream.StreamConfig) any {
		return strings.Join(slices.Sorted(slices.Values(c.Subjects)), " ")
	}},
	{"storage", func(c *jetstream.StreamConfig) any { return c.Storage }},
	{"retention", func(c *jetstream.StreamConfig) any { return c.Retention }},
	{"discard", func(c *jetstream.StreamConfig) any { return c.Discard }},
	{"discard_new_per_subject", func(c *jetstream.StreamConfig) any { return c.DiscardNewPerSubject }},
	{"max_msgs", func(c *jetstream.StreamConfig) any { return c.MaxMsgs }},
	{"no_ack", func(c *jetstream.StreamConfig) any { return c.NoAck }},
	{"sealed", func(c *jetstream.StreamConfig) any { return c.Sealed }},
	{"deny_delete", func(c *jetstream.StreamConfig) any { return c.DenyDelete }},
	{"deny_purge", func(c *jetstream.StreamConfig) any { return c.DenyPurge }},
	{"allow_direct", func(c *jetstream.StreamConfig) any { return c.AllowDirect }},
	{"allow_rollup_hdrs", func(c *jetstream.StreamConfig) any { return c.AllowRollup }},
	{"allow_msg_ttl", func(c *jetstream.StreamConfig) any { return c.AllowMsgTTL }},
	{"allow_msg_schedules", func(c *jetstream.StreamConfig) any { return c.AllowMsgSchedules }},
	{"allow_batched", func(c *jetstream.StreamConfig) any { return c.AllowBatchPublish }},
	{"subject_delete_marker_ttl", func(c *jetstream.StreamConfig) any { return c.SubjectDeleteMarkerTTL }},
	{"persist_mode", func(c *jetstream.StreamConfig) any { return c.PersistMode }},
	{"mirror", func(c *jetstream.StreamConfig) any { return c.Mirror != nil }},
	{"sources", func(c *jetstream.StreamConfig) any { return len(c.Sources) > 0 }},
	{"subject_transform", func(c *jetstream.StreamConfig) any { return c.SubjectTransform != nil }},
}

// ageless adds max_age to the fixed settings where nothing may be forgotten.
var ageless = field{"max_age", func(c *jetstream.StreamConfig) any { return c.MaxAge }}

// onePerKey adds max_msgs_per_subject where it is not a mailbox bound.
var onePerKey = field{"max_msgs_per_subject", func(c *jetstream.StreamConfig) any { return c.MaxMsgsPerSubject }}

// governed are the settings Settings govern, and how to carry them over.
var governed = []struct {
	field
	set func(to, from *jetstream.StreamConfig)
}{
	{
		field{"description", func(c *jetstream.StreamConfig) any { return c.Description }},
		func(to, from *jetstream.StreamConfig) { to.Description = from.Description },
	},
	{
		field{"num_replicas", func(c *jetstream.StreamConfig) any { return c.Replicas }},
		func(to, from *jetstream.StreamConfig) { to.Replicas = from.Replicas },
	},
	{
		field{"max_consumers", func(c *jetstream.StreamConfig) any { return c.MaxConsumers }},
		func(to, from *jetstream.StreamConfig) { to.MaxConsumers = from.MaxConsumers },
	},
	{
		field{"max_bytes", func(c *jetstream.StreamConfig) any { return c.MaxBytes }},
		func(to, from *jetstream.StreamConfig) { to.MaxBytes = from.MaxBytes },
	},
	{
		ageless,
		func(to, from *jetstream.StreamConfig) { to.MaxAge = from.MaxAge },
	},
	{
		onePerKey,
		func(to, from *jetstream.StreamConfig) { to.MaxMsgsPerSubject = from.MaxMsgsPerSubject },
	},
	{
		// Members do without it where a namespace was provisioned before there was a use for it.
		field{"allow_atomic", func(c *jetstream.StreamConfig) any { return c.AllowAtomicPublish }},
		func(to, from *jetstream.StreamConfig) { to.AllowAtomicPublish = from.AllowAtomicPublish },
	},
	{
		field{"max_msg_size", func(c *jetstream.StreamConfig) any { return c.MaxMsgSize }},
		func(to, from *jetstream.StreamConfig) { to.MaxMsgSize = from.MaxMsgSize },
	},
	{
		field{"duplicate_window", func(c *jetstream.StreamConfig) any { return c.Duplicates }},
		func(to, from *jetstream.StreamConfig) { to.Duplicates = from.Duplicates },
	},
}

func diff(have, want jetstream.StreamConfig, f field) []Drift {
	h, w := f.of(&have), f.of(&want)
	if h == w {
		return nil
	}
	return []Drift{{Stream: want.Name, Field: f.name, Have: show(h), Want: show(w)}}
}

func show(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(v)
}

func fixedDrift(have, want jetstream.StreamConfig) (drifts []Drift) {
	for _, f := range fixed {
		drifts = append(drifts, diff(have, want, f)...)
	}
	if want.MaxAge == 0 {
		drifts = append(drifts, diff(have, want, ageless)...)
	}
	if !want.DiscardNewPerSubject {
		drifts = append(drifts, diff(have, want, onePerKey)...)
	}
	return drifts
}

func governedDrift(have, want jetstream.StreamConfig) (drifts []Drift) {
	for _, g := range governed {
		drifts = append(drifts, diff(have, want, g.field)...)
	}
	return drifts
}

// govern is have with what the settings govern taken from want. Whatever an
// operator added besides (placement, compression, republish, metadata) stays.
func govern(have, want jetstream.StreamConfig) jetstream.StreamConfig {
	have.Metadata = maps.Clone(have.Metadata)
	for _, g := range governed {
		g.set(&have, &want)
	}
	return have
}

// ---- the namespace's own record ----

// record is the value of [NamespaceKey]. Members read it, people too.
type record struct {
	Schema       int    `json:"schema"`
	Namespace    string `json:"namespace"`
	Shards       int    `json:"shards"`
	Replicas     int    `json:"replicas"`
	Storage      string `json:"storage"`
	MailboxLimit int64  `json:"mailbox_limit"`
	MailboxBytes int64  `json:"mailbox_bytes"`
	MaxConsumers int    `json:"max_consumers"`
	MaxInput     int32  `json:"max_input"`
	MaxCommit    int32  `json:"max_commit"`
	LogBytes     int64  `json:"log_bytes"`
	FxAge        string `json:"fx_age"`
	FxBytes      int64  `json:"fx_bytes"`
	MobAge       string `json:"mob_age"`
	MobBytes     int64  `json:"mob_bytes"`
	DeadAge      string `json:"dead_age"`
	DeadBytes    int64  `json:"dead_bytes"`
	Duplicates   string `json:"duplicates"`
	Published    string `json:"published"`
}

func writeRecord(ctx context.Context, js jetstream.JetStream, ns Namespace, s Settings) error {
	value, err := json.Marshal(record{
		Schema: SchemaVersion, Namespace: ns.name, Shards: ns.shards,
		Replicas: s.Replicas, Storage: strings.ToLower(s.Storage.String()),
		MailboxLimit: s.MailboxLimit, MailboxBytes: s.MailboxBytes, MaxConsumers: s.MaxConsumers,
		MaxInput: s.MaxInput, MaxCommit: s.MaxCommit, LogBytes: s.LogBytes,
		FxAge: s.FxAge.String(), FxBytes: s.FxBytes,
		MobAge: s.MobAge.String(), MobBytes: s.MobBytes,
		DeadAge: s.DeadAge.String(), DeadBytes: s.DeadBytes,
		Duplicates: s.Duplicates.String(), Published: string(s.Published),
	})
	if err != nil {
		return err
	}
	bucket := ns.DirectoryBucket()
	old, err := leaderGet(ctx, js, KVStream(bucket), KVSubject(bucket, NamespaceKey))
	if err == nil && string(old) == string(value) {
		return nil
	}
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	_, err = js.Publish(ctx, KVSubject(bucket, NamespaceKey), value)
	return err
}

func readRecord(ctx context.Context, js jetstream.JetStream, name string) (Namespace, Settings, error) {
	bucket := Namespace{name: name}.DirectoryBucket()
	value, err := leaderGet(ctx, js, KVStream(bucket), KVSubject(bucket, NamespaceKey))
	if errors.Is(err, jetstream.ErrMsgNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
		return Namespace{}, Settings{}, ErrNotProvisioned
	}
	if err != nil {
		return Namespace{}, Settings{}, err
	}
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return Namespace{}, Settings{}, fmt.Errorf("record: %w", err)
	}
	if r.Schema != SchemaVersion || r.Namespace != name {
		return Namespace{}, Settings{}, fmt.Errorf("record is of namespace %q, schema %d; want %q, %d",
			r.Namespace, r.Schema, name, SchemaVersion)
	}
	ns, err := NewNamespace(name, r.Shards)
	if err != nil {
		return Namespace{}, Settings{}, fmt.Errorf("record: %w", err)
	}
	s := Settings{
		Replicas: r.Replicas, MailboxLimit: r.MailboxLimit, MailboxBytes: r.MailboxBytes,
		MaxConsumers: r.MaxConsumers, MaxInput: r.MaxInput, MaxCommit: r.MaxCommit,
		LogBytes: r.LogBytes, FxBytes: r.FxBytes, MobBytes: r.MobBytes, DeadBytes: r.DeadBytes,
	}
	if r.Storage == "memory" {
		s.Storage = jetstream.MemoryStorage
	}
	for _, d := range []struct {
		to   *time.Duration
		from string
	}{{&s.FxAge, r.FxAge}, {&s.MobAge, r.MobAge}, {&s.DeadAge, r.DeadAge}, {&s.Duplicates, r.Duplicates}} {
		if *d.to, err = time.ParseDuration(d.from); err != nil {
			return Namespace{}, Settings{}, fmt.Errorf("record: %w", err)
		}
	}
	if s.Published, err = ParsePublishedSet(r.Published); err != nil {
		return Namespace{}, Settings{}, fmt.Errorf("record: %w", err)
	}
	return ns, s, nil
}

// leaderGet reads the last message of a subject from the stream's leader
// (STREAM.MSG.GET), which a bucket's Get does not promise: that one may be
// answered by a replica that lags behind an acknowledged write.
func leaderGet(ctx context.Context, js jetstream.JetStream, stream, subject string) ([]byte, error) {
	prefix := "$JS.API."
	switch o := js.Options(); {
	case o.APIPrefix != "":
		prefix = strings.TrimSuffix(o.APIPrefix, ".") + "."
	case o.Domain != "":
		prefix = "$JS." + o.Domain + ".API."
	}
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
	}
	msg := nats.NewMsg(prefix + "STREAM.MSG.GET." + stream)
	msg.Data = fmt.Appendf(nil, `{"last_by_subj":%q}`, subject)
	reply, err := js.Conn().RequestMsgWithContext(ctx, msg)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Error   *jetstream.APIError `json:"error"`
		Message struct {
			Data string `json:"data"`
		} `json:"message"`
	}
	if err := json.Unmarshal(reply.Data, &answer); err != nil {
		return nil, fmt.Errorf("answer of %s: %w", msg.Subject, err)
	}
	switch {
	case answer.Error == nil:
		return base64.StdEncoding.DecodeString(answer.Message.Data)
	case answer.Error.ErrorCode == jetstream.JSErrCodeMessageNotFound:
		return nil, jetstream.ErrMsgNotFound
	case answer.Error.ErrorCode == jetstream.JSErrCodeStreamNotFound:
		return nil, jetstream.ErrStreamNotFound
	}
	return nil, answer.Error
}
