//go:build unix

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/subjects"
)

// cluster starts three servers, each on its host, where every stream has three replicas. A
// server syncs its disk as JetStream does by itself, every two minutes: what is acknowledged
// is in the memory of two machines at least.
func cluster(t *testing.T, shards int, test *host, hosts [3]*host) *world {
	t.Helper()
	w := newWorld(t, shards)
	w.on = test
	routes := make([]string, len(hosts))
	var addrs, urls []string
	for i, h := range hosts {
		routes[i] = h.freeAddress(t, "6222")
		urls = append(urls, fmt.Sprintf("%q", "nats://"+routes[i]))
		n := &node{w: w, on: h, name: fmt.Sprintf("n%d", i+1), addr: h.freeAddress(t, "4222"), store: t.TempDir()}
		w.nodes = append(w.nodes, n)
		addrs = append(addrs, n.addr)
	}
	w.addr = strings.Join(addrs, ",")
	for i, n := range w.nodes {
		n.configure(`
			jetstream: {store_dir: %q}
			ping_interval: "2s"
			cluster: {name: "kalahari", listen: %q, routes: [%s], ping_interval: "2s"}`,
			n.store, routes[i], strings.Join(urls, ", "))
		n.serve()
	}
	w.open(subjects.Settings{Replicas: 3})
	return w
}

// leader is the server that leads a stream.
func (w *world) leader(stream string) (leader *node) {
	w.t.Helper()
	w.until(30*time.Second, stream+" has a leader", func() bool {
		ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Second)
		defer cancel()
		s, err := w.js.Stream(ctx, stream)
		if err != nil || s.CachedInfo().Cluster == nil {
			return false
		}
		for _, n := range w.nodes {
			if n.name == s.CachedInfo().Cluster.Leader {
				leader = n
			}
		}
		return leader != nil
	})
	return leader
}

// whole waits until every stream has all its replicas, and they are up to date.
func (w *world) whole() {
	w.t.Helper()
	w.until(time.Minute, "every stream is whole", func() bool {
		for _, def := range w.ns.Definitions(subjects.Settings{}) {
			ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Second)
			s, err := w.js.Stream(ctx, def.Name)
			cancel()
			if err != nil || s.CachedInfo().Cluster == nil || len(s.CachedInfo().Cluster.Replicas) != 2 {
				return false
			}
			for _, peer := range s.CachedInfo().Cluster.Replicas {
				if peer.Offline || !peer.Current {
					return false
				}
			}
		}
		return true
	})
}

// Two crashes that must not show: a server that leads, and a worker with work at hand.
func TestAClusterLosesALeaderAndAWorkerUnderLoad(t *testing.T) {
	w := cluster(t, 2, nil, [3]*host{})
	workers := []*process{w.worker("a"), w.worker("b")}
	w.ready(workers...)
	h, l, heard := w.follow(), w.ledger(), w.witness()
	sessions := names("s", 24)
	stop := l.flow(l.publish, sessions, 100*time.Millisecond)
	progress := func(what string) (took time.Duration) {
		t.Helper()
		since := time.Now()
		w.until(40*time.Second, what, func() bool {
			_, missing := h.gaps(since, sessions, nil)
			return len(missing) == 0
		})
		return time.Since(since).Round(time.Millisecond)
	}
	progress("every session is at work")
	leader := w.leader(w.ns.LogStream(w.ns.Shard(sessions[0])))
	leader.kill()
	server := progress("every session goes on without a server")
	leader.serve()
	busy := workers[0]
	if len(ownedBy(h, sessions, workers[1])) > len(ownedBy(h, sessions, busy)) {
		busy = workers[1]
	}
	owned := len(ownedBy(h, sessions, busy))
	busy.kill()
	worker := progress("every session goes on without a worker")
	w.whole()
	stop()
	w.until(40*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
	r := l.verify()
	h.check(r)
	heard.check(r)
	if r.claims < len(sessions)+owned {
		t.Errorf("%d claims: the %d sessions of the worker killed were not taken over", r.claims, owned)
	}
	t.Logf("%s; %d publications were repeated; every session went on %s after the kill of a leading server, and %s after that of the worker of %d",
		r, l.retried, server, worker, owned)
}
