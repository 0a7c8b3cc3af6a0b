package gateway_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
)

// answers are the statuses a request without a fleet may get.
var answers = []int{
	http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound,
	http.StatusMethodNotAllowed, http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests,
	http.StatusServiceUnavailable,
}

// Whatever a request has, its answer is one of those documented: JSON, and what goes wrong
// a problem with a code. Nothing panics, nothing is answered 500.
func FuzzRequests(f *testing.F) {
	env := embeddedtest.Provisioned(f, "default", 2)
	g, err := gateway.New(env.Conn, gateway.Config{MaxWait: time.Millisecond, Timeout: 2 * time.Second, MaxBody: 8 << 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(g.Close)
	base := "/v1/namespaces/default/sessions"
	f.Add("POST", base+"/s/events", "", "application/json", "wait=1", "", "", `{"text":"x"}`)
	f.Add("POST", base+"/s/events", "", "text/plain", "wait=NaN, respond-async", "ce-id", "a%20b", "\xff")
	f.Add("POST", base+"/s/events", "", subjects.MediaStructured, `wait="1e9"`, "traceparent", "00-x", `{"specversion":"1.0","id":"a","source":"b","type":"c","data_base64":1}`)
	f.Add("POST", base+"/s/events", "", subjects.MediaBatch, "wait=-1", "", "", `[{"specversion":"1.0","id":"a","source":"b","type":"c","data":{}},{}]`)
	f.Add("POST", base+"/s/events", "", subjects.MediaBatch, "", "", "", strings.Repeat("[", 20_000))
	f.Add("GET", base+"/s/effects", "after=1.2&types=A,B&latest", "", "", "Last-Event-ID", "18446744073709551616.0", "")
	f.Add("GET", base+"/s/effects", "types=%ff,,&after=-1.-1", "", "", "Upgrade", "websocket", "")
	f.Add("GET", base+"/s/history", "after=x&limit=99999999999999999999", "", "", "", "", "")
	f.Add("GET", base, "cursor=%00%ff&limit=-1", "", "", "", "", "")
	f.Add("GET", base+"/s/inputs/a%2Fb%00", "", "", "", "", "", "")
	f.Add("GET", base+"/s/inputs/%ff", "", "", "wait=1", "", "", "")
	f.Add("GET", base+"/s/blobs/sha256:zz", "", "", "", "", "", "")
	f.Add("POST", base+"/"+strings.Repeat("s", 200)+"/blobs", "", "", "", "", "", "x")
	f.Add("DELETE", "//x/../"+base, "%", "", "", "Host", "x", "")
	f.Fuzz(func(t *testing.T, method, path, query, media, prefer, name, value, body string) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // a feed has no end
		defer cancel()
		if !strings.HasPrefix(path, "/") {
			path = "/" + path
		}
		where, err := url.ParseRequestURI(path)
		if err != nil {
			t.Skip("no path")
		}
		where.RawQuery = query
		req, err := http.NewRequestWithContext(ctx, method, "http://gateway/", bytes.NewReader([]byte(body)))
		if err != nil {
			t.Skip("no method")
		}
		req.URL.Path, req.URL.RawPath, req.URL.RawQuery = where.Path, where.RawPath, query
		for n, v := range map[string]string{"Content-Type": media, "Prefer": prefer, name: value} {
			if n != "" && v != "" {
				req.Header[http.CanonicalHeaderKey(n)] = []string{v}
			}
		}
		if strings.HasSuffix(path, "/events") && req.Header.Get("ce-id") != "" {
			req.Header["Ce-Source"], req.Header["Ce-Specversion"], req.Header["Ce-Type"] = []string{"/f"}, []string{"1.0"}, []string{"x"}
		}
		w := httptest.NewRecorder()
		g.Handler().ServeHTTP(w, req)
		if ctx.Err() != nil {
			return // whatever it was about to say, nobody listens
		}
		switch contentType := w.Header().Get("Content-Type"); {
		case !slices.Contains(answers, w.Code) && w.Code != http.StatusUpgradeRequired && w.Code != http.StatusNotImplemented:
			t.Errorf("%d: %s", w.Code, w.Body)
		case method == http.MethodHead:
		case w.Code >= 400 && contentType == "application/problem+json":
			var problem struct {
				Code, Type, Title string
				Status            int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &problem); err != nil || problem.Code == "" || problem.Status != w.Code || len(w.Body.Bytes()) > 64<<10 {
				t.Errorf("%d: no problem document: %s %v", w.Code, w.Body, err)
			}
		case contentType == "application/json" && !json.Valid(w.Body.Bytes()):
			t.Errorf("%d: no JSON: %s", w.Code, w.Body)
		}
	})
}
