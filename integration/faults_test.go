//go:build unix

package integration

import (
	"syscall"
	"testing"
	"time"
)

// hasteLease is one that runs out within a test, and still is longer than an election.
var hasteLease = []string{"--lease-ttl=12s", "--heartbeat=1s", "--self-fence=9s"}

// All that may happen to a cluster, one thing after the other, to one fleet at work.
func TestAClusterUnderFaults(t *testing.T) {
	long(t)
	network := newNetwork(t)
	network.here()
	servers := [3]*host{network.host("n1"), network.host("n2"), network.host("n3")}
	hosts := map[string]*host{"a": network.host("a"), "b": network.host("b"), "c": network.host("c")}
	gatewayHost := network.host("gw")
	w := cluster(t, 2, servers)
	s := w.siege(names("s", 24), hosts, hasteLease, "a", "b", "c")
	gateway, url := w.gateway(gatewayHost)
	s.flow(250 * time.Millisecond)
	s.post(url, names("g", 6), 250*time.Millisecond)
	leader := func() *node { return w.leader(w.ns.LogStream(0)) }

	s.phase("no fault", func() { time.Sleep(5 * time.Second) })
	s.phase("a server that leads is killed", func() {
		n := leader()
		n.kill()
		s.progress("every session goes on without a server")
		n.serve()
	})
	s.phase("the busiest worker is killed", func() {
		busy := s.busiest()
		busy.kill()
		s.progress("every session goes on without a worker")
		w.ready(s.worker(busy.name))
	})
	s.phase("a server that leads and a worker are cut off together", func() {
		network.split([]*host{leader().on, hosts[s.busiest().name]})
		s.progress("every session goes on with the majority")
		network.heal()
	})
	s.phase("no server can talk to another", func() {
		network.split([]*host{servers[0], hosts["a"]}, []*host{servers[1], hosts["b"]}, []*host{servers[2], hosts["c"]})
		for _, n := range w.nodes { // nor the test with them, which is on the fourth side
			if n.answers() {
				t.Errorf("%s is not cut off: a split does not separate", n.name)
			}
		}
		time.Sleep(7 * time.Second)
		network.heal()
	})
	s.phase("the busiest worker is cut off", func() {
		network.split([]*host{hosts[s.busiest().name]})
		s.progress("every session goes on without a worker")
		network.heal()
	})
	s.phase("all servers have slow lines", func() {
		for _, h := range servers {
			h.slow("4mbit")
		}
		s.progress("every session goes on over slow lines")
		time.Sleep(5 * time.Second)
		for _, h := range servers {
			h.fast()
		}
	})
	s.phase("a server that leads hangs", func() {
		n := leader()
		n.signal(syscall.SIGSTOP)
		s.progress("every session goes on without a server")
		n.signal(syscall.SIGCONT)
	})
	s.phase("the busiest worker hangs", func() {
		busy := s.busiest()
		busy.signal(syscall.SIGSTOP)
		s.progress("every session goes on without a worker")
		busy.signal(syscall.SIGCONT)
	})
	s.phase("the disk of a server that leads is full", func() {
		n := leader()
		empty := n.fill()
		s.progress("every session goes on with two disks")
		empty()
		restart(t, n)
	})
	s.phase("a server that leads loses its disk", func() {
		n := leader()
		n.kill()
		n.wipe()
		n.serve()
	})
	s.phase("everything is killed at once", func() {
		for _, p := range append(s.workers, gateway) {
			p.kill()
		}
		for _, n := range w.nodes {
			n.kill()
		}
		for _, n := range w.nodes {
			n.serve()
		}
		for name := range hosts {
			s.worker(name)
		}
		w.gateway(gatewayHost)
	})
	s.end()
}

// restart ends a server as its operator would, and starts it again.
func restart(t *testing.T, n *node) {
	t.Helper()
	n.signal(syscall.SIGTERM)
	select {
	case <-n.exited:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s does not end", n.name)
	}
	n.serve()
}

// An upgrade: every worker, then every server, one after the other.
func TestARollingRestartLosesAndRepeatsNothing(t *testing.T) {
	long(t)
	w := cluster(t, 2, [3]*host{})
	s := w.siege(names("s", 30), nil, nil, "a", "b", "c")
	s.flow(150 * time.Millisecond)
	s.phase("nothing is restarted", func() { time.Sleep(5 * time.Second) })
	s.phase("every worker is restarted", func() {
		for _, name := range []string{"a", "b", "c"} {
			for _, p := range s.workers {
				if p.name != name {
					continue
				}
				p.signal(syscall.SIGTERM)
				select {
				case <-p.exited:
				case <-time.After(40 * time.Second):
					t.Fatalf("%s does not end", name)
				}
				if code := p.cmd.ProcessState.ExitCode(); code != 0 {
					t.Errorf("%s left with exit code %d", name, code)
				}
			}
			w.ready(s.worker(name))
		}
	})
	s.phase("every server is restarted", func() {
		for _, n := range w.nodes {
			restart(t, n)
			w.whole()
		}
	})
	s.end()
}
