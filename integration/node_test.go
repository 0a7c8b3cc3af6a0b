//go:build unix

package integration

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
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
	n.w.until(20*time.Second, n.name+" takes connections", func() bool {
		c, err := net.Dial("tcp", n.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// freePort is an address that was free just now.
func freePort(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = free.Close() }()
	return free.Addr().String()
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
