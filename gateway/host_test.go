package gateway_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

func TestHosts(t *testing.T) {
	nc, _ := embeddedtest.Connect(t, embeddedtest.Provisioned(t, "default", 2).Server)
	g, err := gateway.New(nc, gateway.Config{Hosts: []string{"kalahari.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	ours := []string{
		"127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "[::1]", "[::ffff:127.0.0.1]:8080", "localhost:8080", "LocalHost", "localhost.",
		"Kalahari.example.com:443", "",
	}
	foreign := []string{
		"evil.example.com:8080", "evil.example.com", "localhost.example.com", "127.0.0.1.example.com", "www.kalahari.example.com",
		"10.0.0.1:8080", "0.0.0.0:8080", "[::1].example.com",
	}
	ask := func(on, host string) *httptest.ResponseRecorder {
		addr, err := net.ResolveTCPAddr("tcp", on)
		if err != nil {
			t.Fatal(err)
		}
		r, w := httptest.NewRequestWithContext(t.Context(), "GET", "/livez", nil), httptest.NewRecorder()
		r.Host = host
		g.HandlerOn(addr).ServeHTTP(w, r)
		return w
	}
	for _, on := range []string{"127.0.0.1:8080", "127.0.0.2:1", "[::1]:8080"} {
		for _, host := range ours {
			if w := ask(on, host); w.Code != http.StatusOK {
				t.Errorf("%q on %s: %d %s", host, on, w.Code, w.Body)
			}
		}
		for _, host := range foreign {
			w := ask(on, host)
			var problem struct {
				Code   string `json:"code"`
				Detail string `json:"detail"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || w.Code != http.StatusMisdirectedRequest ||
				problem.Code != "host_not_served" || !strings.Contains(problem.Detail, host) {
				t.Errorf("%q on %s: %d %s %v", host, on, w.Code, w.Body, err)
			}
		}
	}
	for _, on := range []string{"0.0.0.0:8080", "[::]:8080", "10.0.0.1:8080"} {
		for _, host := range append(ours, foreign...) {
			if w := ask(on, host); w.Code != http.StatusOK {
				t.Errorf("%q on %s: %d %s", host, on, w.Code, w.Body)
			}
		}
	}
}

// A page whose name was made to point to the loopback is of the same site to its browser.
func TestARebindingPage(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	body := `{"text":"x"}`
	if _, err := fmt.Fprintf(conn, "POST %s/events HTTP/1.1\r\nHost: evil.example.com\r\nOrigin: http://evil.example.com\r\nSec-Fetch-Site: same-origin\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", base, len(body), body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusMisdirectedRequest || s.stored() != 0 {
		t.Errorf("%v, %d events are stored", resp, s.stored())
	}
}
