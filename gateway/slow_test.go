package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// A reader that does not read is cut off, its place is given back, and it goes on behind
// the last event it has read, with nothing missing.
func TestAReaderThatDoesNotRead(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 2)
	nc, _ := embeddedtest.Connect(t, env.Server)
	w, err := worker.New(nc, env.Namespace, worker.Config{Name: "w", Executor: executor.Echo{}, DrainTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	run(t, w.Run)
	s := open(t, env, gateway.Config{MaxStreams: 1, SlowReader: 200 * time.Millisecond})
	// Far more than sockets buffer.
	const inputs = 120
	long := strings.Repeat("x", 50<<10)
	for i := range inputs {
		header := binary(fmt.Sprint("e", i), subjects.InputType("prompt"))
		if i == inputs-1 {
			header = with(header, "prefer", "wait=20")
		}
		if status, v, _ := s.do("POST", base+"/events", `{"text":"`+long+`"}`, header); status >= 300 {
			t.Fatalf("%d %v", status, v)
		}
	}
	const last = 3 * inputs // at least: accepted, output, completed
	var whole []string
	t.Run("none", func(t *testing.T) { whole = ids(s.in(t).stream("", "")(last)) })

	t.Run("server-sent events", func(t *testing.T) {
		s := s.in(t)
		conn, lines := s.narrow(base + "/effects")
		defer conn.Close()
		read, at := []string{}, ""
		for len(read) < 5 {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if id, ok := strings.CutPrefix(line, "id: "); ok {
				at = strings.TrimSpace(id)
			} else if strings.HasPrefix(line, "event: ") {
				read = append(read, at)
			}
		}
		// Another stream has a place only once this one is cut off.
		ahead := ids(s.stream("", read[4])(last - 5))
		if got := slices.Concat(read, ahead); !slices.Equal(got, whole) {
			t.Errorf("read and resumed: %d events, not the %d there are", len(got), len(whole))
		}
	})

	t.Run("WebSocket", func(t *testing.T) {
		s := s.in(t)
		for range 1000 {
			ws, _, err := websocket.Dial(t.Context(), s.url+base+"/effects", nil)
			if err != nil {
				time.Sleep(10 * time.Millisecond)
				continue
			}
			defer func() { _ = ws.CloseNow() }()
			if _, _, err := ws.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := ids(s.stream("", whole[0])(last - 1)); !slices.Equal(got, whole[1:]) {
				t.Errorf("resumed: %d events, not the %d there are", len(got), len(whole)-1)
			}
			return
		}
		t.Fatal("no place for it")
	})
}

// narrow asks for a stream over a connection of its own that buffers little, again and again
// while the place of the stream before is not given back.
func (s *site) narrow(path string) (net.Conn, *bufio.Reader) {
	s.Helper()
	for range 1000 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			s.Fatal(err)
		}
		if err := conn.(*net.TCPConn).SetReadBuffer(8 << 10); err != nil {
			s.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path); err != nil {
			s.Fatal(err)
		}
		lines := bufio.NewReader(conn)
		status, err := lines.ReadString('\n')
		if err != nil {
			s.Fatal(err)
		}
		if strings.Contains(status, " 200 ") {
			return conn, lines
		}
		_ = conn.Close()
		time.Sleep(10 * time.Millisecond)
	}
	s.Fatal("no place for it")
	return nil, nil
}

// in is the site for a part of a test.
func (s *site) in(t *testing.T) *site {
	part := *s
	part.T = t
	return &part
}
