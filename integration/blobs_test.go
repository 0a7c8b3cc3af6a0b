//go:build unix

package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kalahari-run/kalahari/client"
	"github.com/kalahari-run/kalahari/kv"
	"github.com/kalahari-run/kalahari/subjects"
)

// A worker dies during a run of a large prompt with an image. The next one reads both again,
// and the waiter gets the large answer.
func TestALargePromptSurvivesItsWorker(t *testing.T) {
	t.Parallel()
	w := begin(t, 1, subjects.Settings{})
	h := w.follow()
	a := w.worker("a")
	w.ready(a)
	c, err := client.New(w.nc, w.ns.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	image, err := c.PutBlob(t.Context(), "s", []byte(strings.Repeat("\x00", 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("long ", 100<<10)
	ev := newEvent("p", subjects.InputType("prompt"), fmt.Sprintf(
		`{"echo":{"delay":"2s"},"content":[{"type":"text","text":%q},{"type":"image","blob":%q}]}`, text, image))
	type answer struct {
		out *client.Outcome
		err error
	}
	waited := make(chan answer, 1)
	go func() {
		out, err := c.PublishAndWait(t.Context(), "s", ev)
		waited <- answer{out, err}
	}()
	w.until(20*time.Second, "the run is under way", func() bool { return len(h.facts("s", "InputStaged")) == 1 })
	b := w.worker("b")
	w.ready(b)
	a.kill()
	got := <-waited
	if got.err != nil {
		t.Fatal(got.err)
	}
	var result struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(got.out.Result, &result); err != nil || result.Text != text || got.out.ResultRef != kv.Ref(got.out.Result) {
		t.Errorf("the answer has %d bytes, reference %q, %v", len(got.out.Result), got.out.ResultRef, err)
	}
	ends := func() (n int) {
		for _, f := range h.facts("s", "InputCompleted") {
			if f.Fields.InputID == "p" {
				n++
			}
		}
		return n
	}
	w.until(10*time.Second, "the log tells of its end", func() bool { return ends() > 0 })
	if n := ends(); n != 1 {
		t.Errorf("%d terminal outcomes", n)
	}
	if !b.of(h.owner("s")) {
		t.Errorf("the run ended at %s", h.owner("s"))
	}
}
