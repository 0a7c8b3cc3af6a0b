package gateway_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// An image is uploaded, named in a prompt, and read back.
func TestAnImageInAPrompt(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	image := "\x89PNG\r\n" + strings.Repeat("\x00\xff", 100<<10)
	status, up, h := s.do("POST", base+"/blobs", image, nil)
	ref := kv.Ref([]byte(image))
	if status != 201 || up["blob"] != ref || up["size"] != float64(len(image)) || h.Get("Location") != base+"/blobs/"+ref {
		t.Fatalf("the upload: %d %v %v", status, up, h)
	}
	status, out, _ := s.do("POST", base+"/events", fmt.Sprintf(`{"content":[{"type":"text","text":"what is it?"},{"type":"image","blob":%q}]}`, ref),
		map[string]string{"content-type": "application/json", "prefer": "wait=20"})
	if status != 200 || out["terminal_outcome"] != "Completed" {
		t.Errorf("the prompt: %d %v", status, out)
	}
	for _, path := range []string{h.Get("Location"), base + "/blobs/" + ref[len("sha256:"):]} {
		status, raw, h := s.raw("GET", path, "", nil)
		if status != 200 || !bytes.Equal(raw, []byte(image)) || h.Get("Content-Type") != "application/octet-stream" || h.Get("ETag") != `"`+ref+`"` {
			t.Errorf("%s: %d, %d bytes, %v", path, status, len(raw), h)
		}
	}
}

func TestBlobProblems(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	none := kv.Ref([]byte("none"))
	for what, c := range map[string]struct {
		method, path, body string
		status             int
		code, names        string
	}{
		"a blob that is not there":    {"GET", base + "/blobs/" + none, "", 404, "blob_not_found", none},
		"no reference":                {"GET", base + "/blobs/x", "", 400, "bad_request", "sha256:x"},
		"another session's":           {"GET", base + "2/blobs/" + none, "", 404, "blob_not_found", none},
		"too large":                   {"POST", base + "/blobs", strings.Repeat("x", subjects.MaxBlob+1), 413, "too_large", "too large"},
		"a prompt with a missing one": {"POST", base + "/events", fmt.Sprintf(`{"content":[{"type":"image","blob":%q}]}`, none), 409, "refused", none},
		"a prompt with a misspelt one": {
			"POST", base + "/events", `{"content":[{"type":"text"},{"type":"image","blob":"cat.png"}]}`, 409, "refused", "data.content.1.blob",
		},
	} {
		status, p, _ := s.do(c.method, c.path, c.body, map[string]string{"content-type": "application/json", "prefer": "wait=20"})
		if status != c.status || p["code"] != c.code || !strings.Contains(fmt.Sprint(p["detail"]), c.names) {
			t.Errorf("%s: %d %v", what, status, p)
		}
	}
}

// Large data travel as a blob, and come back as they were.
func TestALargePromptAndItsLargeAnswer(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	text := strings.Repeat("long ", 200<<10)
	status, out, _ := s.do("POST", base+"/events", fmt.Sprintf(`{"text":%q}`, text),
		map[string]string{"content-type": "application/json", "prefer": "wait=20"})
	result, _ := out["result"].(map[string]any)
	if status != 200 || out["terminal_outcome"] != "Completed" || result["text"] != text {
		t.Fatalf("%d %.300v", status, out)
	}
	ref, _ := out["result_ref"].(string)
	if status, raw, _ := s.raw("GET", base+"/blobs/"+ref, "", nil); status != 200 || len(raw) != len(text)+len(`{"text":""}`) {
		t.Errorf("the result: %d, %d bytes", status, len(raw))
	}
}
