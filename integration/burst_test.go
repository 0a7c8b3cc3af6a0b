//go:build linux

package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// hasty is [begin] with a server that syncs every two minutes, as JetStream does by itself:
// what is measured here is not the disk.
func hasty(t *testing.T, shards int) *world {
	t.Helper()
	w := newWorld(t, shards)
	n := &node{w: w, name: "nats-server", addr: freeAddress(t), store: t.TempDir()}
	n.configure(`jetstream: {store_dir: %q}`, n.store)
	w.nodes, w.addr = []*node{n}, n.addr
	n.serve()
	w.open(subjects.Settings{})
	return w
}

// flood publishes one event to each of n subjects, as fast as they are stored. A mailbox
// that is full is tried again.
func (w *world) flood(n int, eventType, body string, session func(int) string) (refused int) {
	w.t.Helper()
	const window = 2000
	type try struct {
		msg    *nats.Msg
		future jetstream.PubAckFuture
	}
	var under []try
	publish := func(m *nats.Msg) {
		f, err := w.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0), jetstream.WithStallWait(time.Minute))
		if err != nil {
			w.t.Fatal(err)
		}
		under = append(under, try{m, f})
	}
	settle := func(keep int) {
		for len(under) > keep {
			t := under[0]
			under = under[1:]
			select {
			case <-t.future.Ok():
			case err := <-t.future.Err():
				var api *jetstream.APIError
				if !errors.As(err, &api) || api.ErrorCode != 10077 {
					w.t.Fatal(err)
				}
				refused++
				if refused%100 == 1 { // all that were under way are refused together
					time.Sleep(20 * time.Millisecond)
				}
				publish(&nats.Msg{Subject: t.msg.Subject, Header: t.msg.Header, Data: t.msg.Data})
			}
		}
	}
	for i := range n {
		id := session(i)
		publish(&nats.Msg{Subject: w.ns.In(id), Data: []byte(body), Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-id": {"e" + strconv.Itoa(i)}, "ce-source": {"/flood"}, "ce-type": {eventType},
		}})
		settle(window)
	}
	settle(0)
	return refused
}

// ended counts the terminal outcomes published so far.
func (w *world) ended() (n uint64) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 30*time.Second)
	defer cancel()
	for shard := range w.ns.Shards() {
		cons, err := w.js.CreateConsumer(ctx, w.ns.FxStream(shard), jetstream.ConsumerConfig{
			FilterSubject: w.ns.FxName(shard, "InputCompleted"), MemoryStorage: true, InactiveThreshold: 10 * time.Second,
		})
		if err != nil {
			w.t.Fatal(err)
		}
		n += cons.CachedInfo().NumPending
		_ = w.js.DeleteConsumer(ctx, w.ns.FxStream(shard), cons.CachedInfo().Name) // or it expires
	}
	return n
}

// memory is the resident set of a process now and at its peak, in MiB.
func (p *process) memory() (now, peak int) {
	p.t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	field := func(name string) int {
		for line := range strings.Lines(string(data)) {
			if rest, ok := strings.CutPrefix(line, name+":"); ok {
				kib, _ := strconv.Atoi(strings.Fields(rest)[0])
				return kib >> 10
			}
		}
		return 0
	}
	return field("VmRSS"), field("VmHWM")
}

func (w *world) report(what string, took time.Duration, worker *process) (peak int) {
	w.t.Helper()
	now, peak := worker.memory()
	serverNow, serverPeak := w.nodes[0].process.memory()
	w.t.Logf("%s took %s; worker %d MiB, at its peak %d; server %d MiB, %d", what, took.Round(time.Millisecond), now, peak, serverNow, serverPeak)
	return peak
}

// One session takes everything that one producer throws at it: the producer is slowed down
// by the mailbox, every input ends, the worker does not grow with their number, and the
// next worker has the session back in no more time than a small one.
func TestAFloodIntoOneSession(t *testing.T) {
	inputs := 20_000
	switch {
	case isLong():
		inputs = 1_000_000
	case testing.Short():
		inputs = 5_000 // under the race detector, which changes what is measured anyway
	}
	w := hasty(t, 1)
	w.provision(subjects.Settings{MailboxLimit: min(subjects.DefaultMailboxLimit, int64(inputs/4))})
	a := w.worker("a")
	w.ready(a)
	started := time.Now()
	refused := w.flood(inputs, "com.example.flood", `{"n":1}`, func(int) string { return "flooded" })
	stored := time.Since(started)
	w.until(10*time.Minute, "every input ends", func() bool { return w.ended() == uint64(inputs) })
	took := time.Since(started)
	t.Logf("stored in %s, the mailbox was full %d times", stored.Round(time.Millisecond), refused)
	if refused == 0 {
		t.Error("the mailbox never was full")
	}
	if peak := w.report(fmt.Sprintf("%d inputs to one session", inputs), took, a); peak > 512 {
		t.Errorf("the worker took %d MiB", peak)
	}
	snapshots, err := w.js.Stream(t.Context(), subjects.KVStream(w.ns.SnapshotsBucket()))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := snapshots.GetLastMsgForSubject(t.Context(), subjects.KVSubject(w.ns.SnapshotsBucket(), w.ns.SessionKey("flooded"))); err == nil {
		t.Logf("its snapshot has %d KiB", len(m.Data)>>10)
	}
	a.kill()
	b := w.worker("b")
	w.ready(b)
	started = time.Now()
	w.flood(1, subjects.InputType("prompt"), `{"text":"still there"}`, func(int) string { return "flooded" })
	w.until(2*time.Minute, "the next worker answers", func() bool { return w.ended() == uint64(inputs)+1 })
	w.report("recovery behind the loss of a worker, detection included", time.Since(started), b)
}

// Very many sessions come into being at once, more than the worker is willing to host:
// all are answered, as fast as others go to rest.
func TestABurstOfNewSessions(t *testing.T) {
	sessions, capacity := 1_500, 500
	switch {
	case isLong():
		sessions, capacity = 100_000, 20_000
	case testing.Short():
		sessions, capacity = 450, 150
	}
	w := hasty(t, 8)
	a := w.worker("a", "--capacity="+strconv.Itoa(capacity), "--hibernate-after=500ms")
	w.ready(a)
	started := time.Now()
	w.flood(sessions, subjects.InputType("prompt"), `{"text":"hello"}`, func(i int) string { return "s" + strconv.Itoa(i) })
	t.Logf("stored in %s", time.Since(started).Round(time.Millisecond))
	w.until(30*time.Minute, "every session answers", func() bool {
		time.Sleep(50 * time.Millisecond) // counting is work for the server too
		return w.ended() == uint64(sessions)
	})
	if peak := w.report(fmt.Sprintf("%d sessions from nothing", sessions), time.Since(started), a); peak > 2048 {
		t.Errorf("the worker took %d MiB", peak)
	}
	if lost := a.lines("worker starts over"); len(lost) > 0 {
		t.Errorf("the worker lost its lease: %v", lost[0])
	}
}
