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
func cluster(t *testing.T, shards int, hosts [3]*host) *world {
	t.Helper()
	w := newWorld(t, shards)
	routes := make([]string, len(hosts))
	var addrs, urls []string
	for i, h := range hosts {
		routes[i] = h.freeAddress(t, "6222")
		urls = append(urls, fmt.Sprintf("%q", "nats://"+routes[i]))
		n := &node{w: w, on: h, name: fmt.Sprintf("n%d", i+1), addr: h.freeAddress(t, "4222"), store: t.TempDir()}
		if h != nil {
			n.disk(diskSize)
		}
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
	var lacks string
	defer func() {
		if lacks != "" {
			w.t.Log(lacks)
		}
	}()
	w.until(time.Minute, "every stream is whole", func() bool {
		lacks = w.lacking()
		return lacks == ""
	})
}

// lacking names a stream that is not whole, and says why.
func (w *world) lacking() string {
	for _, def := range w.ns.Definitions(subjects.Settings{}) {
		ctx, cancel := context.WithTimeout(w.t.Context(), 2*time.Second)
		s, err := w.js.Stream(ctx, def.Name)
		cancel()
		if err != nil {
			return fmt.Sprintf("%s: %v", def.Name, err)
		}
		c := s.CachedInfo().Cluster
		if c == nil || len(c.Replicas) != len(w.nodes)-1 {
			return def.Name + " is not replicated"
		}
		for _, peer := range c.Replicas {
			if peer.Offline || !peer.Current {
				return fmt.Sprintf("%s, led by %s: %+v", def.Name, c.Leader, *peer)
			}
		}
	}
	return ""
}

// Two crashes that must not show: a server that leads, and a worker with work at hand.
func TestAClusterLosesALeaderAndAWorkerUnderLoad(t *testing.T) {
	w := cluster(t, 2, [3]*host{})
	s := w.siege(names("s", 24), nil, nil, "a", "b")
	s.flow(100 * time.Millisecond)
	s.phase("no fault", func() {})
	s.phase("a server that leads is killed", func() {
		leader := w.leader(w.ns.LogStream(0))
		leader.kill()
		s.progress("every session goes on without a server")
		leader.serve()
	})
	s.phase("the busiest worker is killed", func() {
		busy := s.busiest()
		owned := ownedBy(s.h, s.sessions, busy)
		killed := time.Now()
		busy.kill()
		w.until(time.Minute, "its sessions go on elsewhere", func() bool {
			_, missing := s.h.gaps(killed, owned, busy)
			return len(owned) > 0 && len(missing) == 0
		})
	})
	s.end()
}
