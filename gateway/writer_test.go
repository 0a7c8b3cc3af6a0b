package gateway_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/kv"
)

// A client that asks for a large blob and never reads holds neither the blob nor the request.
func TestAClientThatDoesNotReadItsAnswer(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 2)
	g, err := gateway.New(env.Conn, gateway.Config{BodyTimeout: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	ended := make(chan struct{}, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.Handler().ServeHTTP(w, r)
		ended <- struct{}{}
	}))
	defer server.Close()
	blob := strings.Repeat("x", 8<<20) // more than sockets buffer
	up := httptest.NewRecorder()
	g.Handler().ServeHTTP(up, httptest.NewRequestWithContext(t.Context(), "POST", base+"/blobs", strings.NewReader(blob)))
	if up.Code != http.StatusCreated {
		t.Fatalf("%d %s", up.Code, up.Body)
	}
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(8 << 10); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET %s/blobs/%s HTTP/1.1\r\nHost: x\r\n\r\n", base, kv.Ref([]byte(blob))); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the request goes on")
	}
}

// A large answer may take long as long as it gets on, and what comes next on the connection
// does not find a deadline there.
func TestAnAnswerHasItsTimePartByPart(t *testing.T) {
	env := embeddedtest.Provisioned(t, "default", 2)
	g, err := gateway.New(env.Conn, gateway.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	const size = 3 << 20
	blob := strings.Repeat("x", size)
	up := &deadlines{ResponseRecorder: httptest.NewRecorder(), written: func() {}}
	g.Handler().ServeHTTP(up, httptest.NewRequestWithContext(t.Context(), "POST", base+"/blobs", strings.NewReader(blob)))
	if up.Code != http.StatusCreated || len(up.all) < 2 || !up.all[0].IsZero() || up.last.IsZero() {
		t.Fatalf("%d %s, the deadlines were %v", up.Code, up.Body, up.all)
	}
	down := &deadlines{ResponseRecorder: httptest.NewRecorder(), written: func() {}}
	g.Handler().ServeHTTP(down, httptest.NewRequestWithContext(t.Context(), "GET", up.Header().Get("Location"), nil))
	if down.Code != http.StatusOK || down.Body.String() != blob || len(down.all) < size/(256<<10) {
		t.Errorf("%d, %d bytes, %d deadlines", down.Code, down.Body.Len(), len(down.all))
	}
}
