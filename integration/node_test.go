//go:build unix

package integration

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
)

// node is a nats-server that can be killed and started again on its port and its data.
type node struct {
	*process
	w                 *world
	on                *host
	name, addr, store string
	conf              string // the file
}

// configure writes the configuration: a port, the mappings of the namespace, and what else
// is said here.
func (n *node) configure(format string, args ...any) {
	n.w.t.Helper()
	conf := fmt.Sprintf("server_name: %q\nlisten: %q\nmappings: {\n", n.name, n.addr)
	for _, m := range n.w.ns.Mappings() {
		conf += fmt.Sprintf("  %q: %q\n", m.Source, m.Destination)
	}
	if n.conf == "" {
		n.conf = filepath.Join(n.w.t.TempDir(), "nats.conf")
	}
	if err := os.WriteFile(n.conf, fmt.Appendf([]byte(conf+"}\n"), format+"\n", args...), 0o600); err != nil {
		n.w.t.Fatal(err)
	}
}

// serve starts the server and waits until it takes connections.
func (n *node) serve() {
	n.w.t.Helper()
	n.process = run(n.w.t, n.on, n.name, "nats-server", "-c", n.conf)
	n.w.until(20*time.Second, n.name+" takes connections", n.answers)
}

// answers says whether this server greets who connects. That somebody listens is not enough.
func (n *node) answers() bool {
	select {
	case <-n.exited:
		n.w.t.Fatalf("%s ended", n.name)
	default:
	}
	c, err := net.DialTimeout("tcp", n.addr, time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	if err := c.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return false
	}
	greeting, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && strings.HasPrefix(greeting, "INFO ") && strings.Contains(greeting, fmt.Sprintf(`"server_name":%q`, n.name))
}

// freeAddress is one of this machine's where nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(embeddedtest.Port(t)))
}

// diskSize is what a server's disk holds, where it has one of its own.
const diskSize = "1g"

// disk gives the server a disk of its own.
func (n *node) disk(size string) {
	n.w.t.Helper()
	if err := mount(n.store, size); err != nil {
		n.w.t.Fatal(err)
	}
	n.w.t.Cleanup(func() {
		if err := unmount(n.store); err != nil {
			n.w.t.Error(err)
		}
	})
}

// fill leaves no room on the server's disk; the function returned makes room again.
func (n *node) fill() (empty func()) {
	n.w.t.Helper()
	ballast := filepath.Join(n.store, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		n.w.t.Fatal(err)
	}
	for block := make([]byte, 1<<20); err == nil; {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		n.w.t.Fatal(err)
	}
	_ = f.Close() // it is full, as it should be
	return func() {
		if err := os.Remove(ballast); err != nil {
			n.w.t.Error(err)
		}
	}
}

// wipe removes everything from the disk of a server that does not run.
func (n *node) wipe() {
	n.w.t.Helper()
	files, err := filepath.Glob(filepath.Join(n.store, "*"))
	if err != nil || len(files) == 0 {
		n.w.t.Fatal("nothing is on the disk: ", err)
	}
	for _, file := range files {
		if err := os.RemoveAll(file); err != nil {
			n.w.t.Fatal(err)
		}
	}
}
