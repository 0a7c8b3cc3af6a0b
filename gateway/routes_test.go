package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

func TestWrongMethods(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{})
	for _, c := range []struct{ method, path, allow string }{
		{"GET", base + "/events", "POST"},
		{"POST", base + "/effects", "GET, HEAD"},
		{"DELETE", base, "GET, HEAD"},
		{"PUT", "/v1/namespaces/default/sessions", "GET, HEAD"},
		{"POST", "/", "GET, HEAD"},
		{"POST", "/openapi.json", "GET, HEAD"},
	} {
		status, v, h := s.do(c.method, c.path, "", nil)
		if status != http.StatusMethodNotAllowed || h.Get("Allow") != c.allow || v["code"] != "method_not_allowed" || h.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d %v %v", c.method, c.path, status, v, h)
		}
	}
}

func TestParametersAreNamed(t *testing.T) {
	s, fleet := play(t, gateway.Config{})
	trimmed(t, fleet, "s1")
	const sessions = "/v1/namespaces/default/sessions"
	for _, c := range []struct{ path, last, field string }{
		{base + "/effects?types=Nonsense", "", "types"},
		{base + "/effects?types=InputCompleted,Nonsense", "", "types"},
		{base + "/effects?after=abc", "", "after"},
		{base + "/effects?after=900.0", "", "after"},
		{base + "/effects", "abc", "Last-Event-ID"},
		{base + "/history?types=Nonsense", "", "types"},
		{base + "/history?after=abc", "", "after"},
		{base + "/history?limit=0", "", "limit"},
		{base + "/inputs/%ff", "", "id"},
		{sessions + "?cursor=abc", "", "cursor"},
		{sessions + "?limit=many", "", "limit"},
	} {
		h := map[string]string{}
		if c.last != "" {
			h["Last-Event-ID"] = c.last
		}
		status, v, _ := s.do("GET", c.path, "", h)
		if status != http.StatusBadRequest || v["code"] != "bad_request" || v["field"] != c.field {
			t.Errorf("%s: %d %v", c.path, status, v)
		}
	}
}

// The page speaks with the namespace that is served.
func TestThePageKnowsItsNamespace(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{})
	status, raw, _ := s.raw("GET", "/", "", nil)
	if status != 200 || !strings.Contains(string(raw), `content="default"`) || strings.Contains(string(raw), "{{") {
		t.Errorf("%d %s", status, raw)
	}
}
