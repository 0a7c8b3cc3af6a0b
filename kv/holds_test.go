package kv

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
)

// A hold keeps the time it began, and has its own if the one before ended meanwhile.
func TestAHoldKnowsWhenItBegan(t *testing.T) {
	t.Parallel()
	env := embeddedtest.Provisioned(t, "test", 1)
	s, m := between(t, env)
	direct := open(t, env.JS, env.Namespace)
	first := time.Now().UTC()
	must[Hold](t)(direct.Holds.Put(t.Context(), Hold{Reason: "a", Since: first}))
	if again := must[Hold](t)(s.Holds.Put(t.Context(), Hold{Reason: "b", Since: first.Add(time.Hour)})); again != (Hold{"b", first}) {
		t.Errorf("it was changed to %+v", again)
	}
	m.inject("$KV.", 1, func(forward func() *nats.Msg) *nats.Msg {
		if err := direct.Holds.Clear(t.Context()); err != nil {
			t.Error(err)
		}
		return forward()
	})
	second := first.Add(2 * time.Hour)
	must[Hold](t)(s.Holds.Put(t.Context(), Hold{Reason: "c", Since: second}))
	if got := must[*Hold](t)(direct.Holds.Get(t.Context())); got == nil || *got != (Hold{"c", second}) {
		t.Errorf("what stands is %+v", got)
	}
}
