package gateway_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/kalahari-run/kalahari/embedded"
	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
	"github.com/kalahari-run/kalahari/executor"
	"github.com/kalahari-run/kalahari/gateway"
	"github.com/kalahari-run/kalahari/subjects"
	"github.com/kalahari-run/kalahari/worker"
)

// What the fleet refuses by a code that HTTP has no word for keeps its code: an answer that
// is too large is nothing that trying again would mend.
func TestAQueryThatFailsKeepsItsCode(t *testing.T) {
	// A page of history is larger than this server's largest message.
	env := embeddedtest.Provisioned(t, "default", 1, embeddedtest.With(func(o *embedded.Options) { o.MaxPayload = 32 << 10 }))
	nc, _ := embeddedtest.Connect(t, env.Server)
	w, err := worker.New(nc, env.Namespace, worker.Config{Name: "w", Executor: executor.Echo{}, DrainTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	run(t, w.Run)
	s := open(t, env, gateway.Config{})
	for i := range 8 {
		if status, v := s.post(fmt.Sprint("e", i), `{"text":"`+strings.Repeat("x", 4<<10)+`"}`, "10"); status != http.StatusOK {
			t.Fatalf("%d %v", status, v)
		}
	}
	if status, v, _ := s.do("GET", base+"/queries/history", "", nil); status != http.StatusInternalServerError || v["code"] != "answer_too_large" {
		t.Errorf("%d %.300v", status, v)
	}
}

// The members of a message come in one order, so that who reads a feed twice reads the same.
func TestMessagesAreTheSameBytes(t *testing.T) {
	s := serve(t, 1, subjects.Settings{})
	const inputs = 4
	for i := range inputs {
		s.post(fmt.Sprint("e", i), `{"text":"x"}`, "10")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	read := func() (all string) {
		conn, _, err := websocket.Dial(ctx, s.url+base+"/effects?after=0", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		for strings.Count(all, `"name":"InputCompleted"`) < inputs {
			_, data, err := conn.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			all += string(data) + "\n"
		}
		return all
	}
	if one, two := read(), read(); one != two {
		t.Errorf("read twice:\n%s\n%s", one, two)
	}
}
