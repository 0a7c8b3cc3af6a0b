//go:build unix

package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// apartVariable tells the test binary that it runs in namespaces of its own, and where the
// programs under test are.
const apartVariable = "KALAHARI_INTEGRATION_APART"

// isLong tells whether the long tests are asked for.
func isLong() bool { return os.Getenv("KALAHARI_LONG") != "" }

// long skips a long test that is not asked for.
func long(t *testing.T) {
	t.Helper()
	if !isLong() {
		t.Skip("takes minutes; KALAHARI_LONG=1 runs it (docs/testing.md)")
	}
}

// network is a switch with hosts, each of which is a network namespace. The test itself is
// one of them, with the test's own interface.
type network struct {
	t     *testing.T
	hosts []*host
}

// host is a machine on the network, as far as a network can tell. Its nil is this machine,
// with its loopback interface.
type host struct {
	net      *network
	name, ip string
	inside   string // its interface
}

// lackedByNetworks says which program is missing, if one is.
func lackedByNetworks() string {
	for _, tool := range []string{"ip", "tc"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "needs " + tool + " (Debian's iproute2)"
		}
	}
	return ""
}

// newNetwork skips the test where there can be no networks.
func newNetwork(t *testing.T) *network {
	t.Helper()
	if why := lackedByNetworks(); why != "" {
		t.Skip(why)
	}
	if _, apart := os.LookupEnv(apartVariable); !apart {
		t.Skip("needs network namespaces of its own: Linux, and root")
	}
	n := &network{t: t}
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := mount("/run/netns", "1m"); err != nil {
		t.Fatal(err)
	}
	for side := range sides {
		n.ip("link add side%d type bridge", side)
		n.ip("link set side%d up", side)
	}
	t.Cleanup(func() {
		defer func() { _ = unmount("/run/netns") }() // the namespaces go in any case
		for _, h := range n.hosts {
			n.ip("link delete port-%s", h.name)
			if h.inside == "eth0" {
				n.ip("netns delete %s", h.name)
			}
		}
		for side := range sides {
			n.ip("link delete side%d", side)
		}
	})
	return n
}

// sides is into how many parts the network can be split.
const sides = 4

// host adds a machine.
func (n *network) host(name string) *host {
	n.t.Helper()
	h := n.add(name, "eth0")
	n.ip("netns add %s", name)
	n.ip("link set eth-%s netns %s name eth0", name, name)
	n.ip("-n %s link set lo up", name)
	n.ip("-n %s address add %s/24 dev eth0", name, h.ip)
	n.ip("-n %s link set eth0 up", name)
	return h
}

// here makes the test itself a machine of the network.
func (n *network) here() *host {
	n.t.Helper()
	h := n.add("test", "eth-test")
	n.ip("address add %s/24 dev eth-test", h.ip)
	n.ip("link set eth-test up")
	return h
}

func (n *network) add(name, inside string) *host {
	n.t.Helper()
	h := &host{net: n, name: name, inside: inside, ip: fmt.Sprintf("198.18.0.%d", len(n.hosts)+1)}
	n.hosts = append(n.hosts, h)
	n.ip("link add port-%s type veth peer name eth-%s", name, name)
	n.ip("link set port-%s master side0 up", name)
	return h
}

// split parts the network: each group can talk only among itself, and those that are not
// named only with one another. What is under way is lost without a word, and connections
// stay open: nobody is told.
func (n *network) split(groups ...[]*host) {
	n.t.Helper()
	for side, group := range groups {
		for _, h := range group {
			n.ip("link set port-%s master side%d", h.name, side+1)
		}
	}
}

// heal lets everybody talk with everybody.
func (n *network) heal() {
	n.t.Helper()
	for _, h := range n.hosts {
		n.ip("link set port-%s master side0", h.name)
	}
}

// slow gives a machine a line of a rate, in both directions, behind a queue of 200 ms that
// fills under load; what does not fit is dropped.
func (h *host) slow(rate string) {
	h.net.t.Helper()
	h.net.run("tc", "qdisc replace dev port-%s root tbf rate %s burst 16kb latency 200ms", h.name, rate)
	h.net.run("tc", "-n %s qdisc replace dev eth0 root tbf rate %s burst 16kb latency 200ms", h.name, rate)
}

// fast takes that back.
func (h *host) fast() {
	h.net.t.Helper()
	h.net.run("tc", "qdisc delete dev port-%s root", h.name)
	h.net.run("tc", "-n %s qdisc delete dev eth0 root", h.name)
}

func (n *network) ip(format string, args ...any) {
	n.t.Helper()
	n.run("ip", format, args...)
}

func (n *network) run(tool, format string, args ...any) {
	n.t.Helper()
	line := fmt.Sprintf(format, args...)
	if out, err := exec.Command(tool, strings.Fields(line)...).CombinedOutput(); err != nil {
		n.t.Errorf("%s %s: %v: %s", tool, line, err, out)
	}
}

// command is a program on the host.
func (h *host) command(program string, args ...string) *exec.Cmd {
	if h == nil || h.inside != "eth0" {
		return exec.Command(program, args...)
	}
	return exec.Command("ip", append([]string{"netns", "exec", h.name, program}, args...)...)
}

// address is one of the host's.
func (h *host) address(port string) string {
	if h == nil {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return net.JoinHostPort(h.ip, port)
}

// freeAddress has a port that nobody uses.
func (h *host) freeAddress(t *testing.T, port string) string {
	t.Helper()
	if h == nil {
		return freeAddress(t)
	}
	return h.address(port)
}
