package gateway_test

import (
	"net/http"
	"testing"

	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

// A browser sends for a page of another site neither events nor blobs; it does for ours, and
// for one that is trusted. Clients that are no browsers say nothing of where they come from.
func TestPagesOfOtherSites(t *testing.T) {
	s := alone(t, subjects.Settings{}, gateway.Config{Origins: []string{"https://app.example.com"}})
	const none = ""
	for _, c := range []struct {
		what, site, origin string
		forbidden          bool
	}{
		{"no browser", none, none, false},
		{"the gateway's own page", "same-origin", s.url, false},
		{"its own page in an old browser", none, s.url, false},
		{"who typed the address", "none", none, false},
		{"another site", "cross-site", "https://evil.example.com", true},
		{"another port of this machine", "same-site", "http://127.0.0.1:1", true},
		{"another site in an old browser", none, "https://evil.example.com", true},
		{"a sandboxed page", none, "null", true},
		{"a trusted site", "cross-site", "https://app.example.com", false},
	} {
		h := map[string]string{"content-type": "text/plain"}
		if c.site != none {
			h["sec-fetch-site"] = c.site
		}
		if c.origin != none {
			h["origin"] = c.origin
		}
		event := with(binary(c.what, promptType), "sec-fetch-site", h["sec-fetch-site"], "origin", h["origin"])
		for path, send := range map[string]func() (int, map[string]any, http.Header){
			"/blobs":  func() (int, map[string]any, http.Header) { return s.do("POST", base+"/blobs", "x", h) },
			"/events": func() (int, map[string]any, http.Header) { return s.do("POST", base+"/events", `{"text":"x"}`, event) },
		} {
			status, v, answer := send()
			if (status == http.StatusForbidden) != c.forbidden || !c.forbidden && status/100 != 2 {
				t.Errorf("%s of %s: %d %v", path, c.what, status, v)
			}
			if c.forbidden && (v["code"] != "cross_origin" || answer.Get("Content-Type") != "application/problem+json") {
				t.Errorf("%s of %s: no problem document: %v", path, c.what, v)
			}
		}
		if status, _, _ := s.do("GET", "/livez", "", h); status != http.StatusOK {
			t.Errorf("asking, of %s: %d", c.what, status)
		}
	}
}

func TestAnOriginThatIsNone(t *testing.T) {
	if _, err := gateway.New(nil, gateway.Config{Origins: []string{"app.example.com"}}); err == nil {
		t.Error("it is taken")
	}
}
