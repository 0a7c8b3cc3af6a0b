package embeddedtest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// Below the ports that systems give to outgoing connections and to listeners that ask for
// any (from 32768 on Linux): such a one could be somebody else's by the time the server
// starts, or starts again.
const (
	firstPort = 20_000
	ports     = 10_000
)

// port goes on from a place of its own in every test program, as several run at once.
var port atomic.Uint32

func init() { port.Store(rand.Uint32N(ports)) }

// Port is a port of the loopback for a server that is to be found there again after a
// restart. No two calls in one program get the same, and nobody listens there.
func Port(t testing.TB) int {
	t.Helper()
	for range ports {
		p := firstPort + int(port.Add(1)%ports)
		if l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p))); err == nil {
			_ = l.Close()
			return p
		}
	}
	t.Fatal("embeddedtest: no port of the loopback is free")
	return 0
}
