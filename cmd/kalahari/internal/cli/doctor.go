package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// Doctor is the command doctor.
type Doctor struct{ Target }

// finding is what one check came to.
type finding struct {
	Check  string `json:"check"`
	Result string `json:"result"`
	Detail string `json:"detail"`
}

// The results of checks. Only a failure makes the command fail.
const (
	fine   = "ok"
	notice = "note"
	failed = "FAIL"
)

const doctorTimeout = 30 * time.Second

// Run checks one thing after the other, as far as the one before lets it. Nothing is
// changed, and no session hears of it.
func (c Doctor) Run(e *Env) error {
	ctx, cancel := context.WithTimeout(e.Context, doctorTimeout)
	defer cancel()
	d := &diagnosis{name: c.Namespace.Namespace}
	nc, err := c.NATS.Dial("kalahari-cli/doctor")
	if err != nil {
		d.fail("connection", "%v", err)
		return d.tell(e)
	}
	defer nc.Close()
	d.examine(ctx, nc)
	return d.tell(e)
}

type diagnosis struct {
	name     string
	findings []finding
}

func (d *diagnosis) found(check, result, format string, args ...any) {
	d.findings = append(d.findings, finding{check, result, fmt.Sprintf(format, args...)})
}

func (d *diagnosis) ok(check, format string, args ...any) { d.found(check, fine, format, args...) }

func (d *diagnosis) note(check, format string, args ...any) { d.found(check, notice, format, args...) }

func (d *diagnosis) fail(check, format string, args ...any) { d.found(check, failed, format, args...) }

func (d *diagnosis) tell(e *Env) error {
	bad := slices.ContainsFunc(d.findings, func(f finding) bool { return f.Result == failed })
	if e.JSON {
		if err := e.print(map[string]any{"ok": !bad, "findings": d.findings}); err != nil {
			return err
		}
	} else {
		rows := [][]string{{"CHECK", "RESULT", "DETAIL"}}
		for _, f := range d.findings {
			for i, line := range strings.Split(f.Detail, "\n") {
				if i == 0 {
					rows = append(rows, []string{f.Check, f.Result, line})
				} else {
					rows = append(rows, []string{"", "", strings.TrimSpace(line)})
				}
			}
		}
		if err := e.table(rows); err != nil {
			return err
		}
	}
	if bad {
		return ErrSaid
	}
	return nil
}

func (d *diagnosis) examine(ctx context.Context, nc *nats.Conn) {
	rtt, err := nc.RTT()
	if err != nil {
		d.fail("connection", "%v", err)
		return
	}
	d.ok("connection", "%s, nats-server %s, %s away, messages up to %d KiB",
		nc.ConnectedUrlRedacted(), nc.ConnectedServerVersion(), rtt.Round(time.Microsecond), nc.MaxPayload()>>10)
	js, err := jetstream.New(nc)
	if err == nil {
		_, err = js.AccountInfo(ctx)
	}
	if err != nil {
		d.fail("jetstream", "%v", err)
		return
	}
	ns, settings, err := subjects.Discover(ctx, js, d.name)
	if err != nil {
		d.fail("namespace", "%v; `worker --provision` creates one", err)
		return
	}
	d.ok("namespace", "%s: %d shards, %d replicas, published set %s", ns.Name(), ns.Shards(), settings.Replicas, settings.Published)
	if most := nc.MaxPayload(); int64(settings.MaxCommit) > most {
		d.fail("max_payload", "this server takes messages of at most %d bytes, and commits may have %d: a session whose commit is larger does not get on", most, settings.MaxCommit)
	}
	d.streams(ctx, js, ns)
	d.mappings(ctx, nc, ns)
	d.fleet(ctx, js, ns)
	d.letters(ctx, js, ns)
}

// streams looks for drift of settings and for streams without their replicas.
func (d *diagnosis) streams(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) {
	err := subjects.Verify(ctx, js, ns, subjects.Settings{})
	var drift *subjects.DriftError
	switch {
	case errors.As(err, &drift):
		lines := []string{fmt.Sprintf("%d settings are not as they must be", len(drift.Drifts))}
		for _, f := range drift.Drifts {
			lines = append(lines, fmt.Sprintf("%s: %s is %s, must be %s", f.Stream, f.Field, f.Have, f.Want))
		}
		d.fail("streams", "%s", strings.Join(lines, "\n"))
		return
	case err != nil:
		d.fail("streams", "%v", err)
		return
	}
	all, wrong := ns.Definitions(subjects.Settings{}), []string(nil)
	for _, def := range all {
		s, err := js.Stream(ctx, def.Name)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: %v", def.Name, err))
			continue
		}
		cluster := s.CachedInfo().Cluster
		if cluster == nil {
			continue
		}
		if cluster.Leader == "" {
			wrong = append(wrong, def.Name+" has no leader")
		}
		for _, r := range cluster.Replicas {
			if r.Offline || !r.Current {
				wrong = append(wrong, fmt.Sprintf("%s: the replica on %s is behind or offline", def.Name, r.Name))
			}
		}
	}
	if wrong != nil {
		d.fail("streams", "%s", strings.Join(wrong, "\n"))
		return
	}
	d.ok("streams", "%d streams and buckets are as they must be", len(all))
}

// mappings sends every shard a message on the unsharded subject that no stream stores: it
// expects a last sequence that cannot be. So the refusal tells that it came to the right
// stream, and nothing else happens.
func (d *diagnosis) mappings(ctx context.Context, nc *nats.Conn, ns subjects.Namespace) {
	sessions := make([]string, ns.Shards())
	for i, left := 0, ns.Shards(); left > 0; i++ {
		session := "doctor-" + strconv.Itoa(i)
		if shard := ns.Shard(session); sessions[shard] == "" {
			sessions[shard] = session
			left--
		}
	}
	js, err := jetstream.New(nc)
	if err != nil {
		d.fail("mapping", "%v", err)
		return
	}
	for shard, session := range sessions {
		for _, subject := range []string{ns.PublicIn(session), ns.PublicCtl(session)} {
			_, err := js.Publish(ctx, subject, nil, jetstream.WithRetryAttempts(0),
				jetstream.WithExpectStream(ns.InStream(shard)), jetstream.WithExpectLastSequence(math.MaxUint64))
			var api *jetstream.APIError
			switch {
			case errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence:
			case errors.Is(err, jetstream.ErrNoStreamResponse):
				d.fail("mapping", "%s leads nowhere: plain NATS clients cannot publish; `kalahari config mappings --shards %d` prints what the account needs", subject, ns.Shards())
				return
			default:
				d.fail("mapping", "%s does not lead to %s: %v; `kalahari config mappings --shards %d` prints what the account needs", subject, ns.InStream(shard), err, ns.Shards())
				return
			}
		}
	}
	d.ok("mapping", "%s and %s lead to the right one of %d shards", ns.PublicInAll(), ns.PublicCtlAll(), ns.Shards())
}

// fleet reads the buckets, and with them who is there.
func (d *diagnosis) fleet(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) {
	store, err := kv.Open(ctx, js, ns)
	if err != nil {
		d.fail("buckets", "%v", err)
		return
	}
	if _, err := store.Directory.List(ctx, "", 1); err != nil {
		d.fail("buckets", "%v", err)
		return
	}
	members, err := store.Members.Watch(ctx)
	if err != nil {
		d.fail("buckets", "%v", err)
		return
	}
	defer members.Close()
	owners, err := store.Owners.Watch(ctx)
	if err != nil {
		d.fail("buckets", "%v", err)
		return
	}
	defer owners.Close()
	hold, err := store.Holds.Get(ctx)
	if err != nil {
		d.fail("buckets", "%v", err)
		return
	}
	d.ok("buckets", "workers, owners, snapshots, directory and blobs can be read")

	versions, stuck, orphans, draining := []string{}, 0, owners.Len(), 0
	all := members.All()
	for _, m := range all {
		versions = append(versions, m.Version)
		stuck += m.Stuck
		orphans -= len(owners.ByIncarnation(m.Incarnation))
		if m.Draining {
			draining++
		}
	}
	slices.Sort(versions)
	if len(all) == draining {
		d.fail("workers", "none takes sessions: inputs are stored and wait")
	} else {
		d.ok("workers", "%d, %d of them draining; %d sessions in memory", len(all), draining, owners.Len())
	}
	if versions = slices.Compact(versions); len(versions) > 1 {
		d.note("versions", "the workers run %s", strings.Join(versions, ", "))
	}
	if orphans > 0 {
		d.note("orphans", "%d sessions are owned by workers that are gone; they are to be taken over", orphans)
	}
	if stuck > 0 {
		d.note("sessions", "%d do not get on; `kalahari fleet --stuck` says why", stuck)
	}
	if hold != nil {
		d.note("hold", "all sessions are paused since %s: %s", moment(hold.Since), hold.Reason)
	}
}

// letters counts the events that could not be taken.
func (d *diagnosis) letters(ctx context.Context, js jetstream.JetStream, ns subjects.Namespace) {
	s, err := js.Stream(ctx, ns.DeadStream())
	if err != nil {
		d.fail("dead letters", "%v", err)
		return
	}
	if n := s.CachedInfo().State.Msgs; n > 0 {
		d.note("dead letters", "%d; the header %s of each says why", n, subjects.HeaderReason)
		return
	}
	d.ok("dead letters", "none")
}
