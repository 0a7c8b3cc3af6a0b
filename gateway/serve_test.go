package gateway_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

// A connection beyond the bound waits until one of the others is closed, whatever it was
// for, and is then served.
func TestConnectionsAreBounded(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{MaxConnections: 1})
	ws, _, err := websocket.Dial(t.Context(), s.url+base+"/effects", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	second := s.knock()
	second.waits()
	if err := ws.CloseNow(); err != nil {
		t.Fatal(err)
	}
	second.isServed()
	third := s.knock()
	third.waits()
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	third.isServed()
}

func TestFewerConnectionsThanNone(t *testing.T) {
	if _, err := gateway.New(nil, gateway.Config{MaxConnections: -1}); err == nil {
		t.Error("it is possible")
	}
}

// caller is a connection of its own, with one request sent.
type caller struct {
	net.Conn
	s *site
}

func (s *site) knock() caller {
	s.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Write([]byte("GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		s.Fatal(err)
	}
	return caller{conn, s}
}

// waits checks that no answer comes.
func (c caller) waits() {
	c.s.Helper()
	if err := c.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		c.s.Fatal(err)
	}
	if n, err := c.Read(make([]byte, 1)); n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		c.s.Errorf("it does not wait: %d bytes, %v", n, err)
	}
}

// isServed checks that the answer comes. The connection stays open.
func (c caller) isServed() {
	c.s.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		c.s.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		c.s.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		c.s.Errorf("%v", resp)
	}
}
