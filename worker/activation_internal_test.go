package worker

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/embedded/embeddedtest"
)

// A consumer begins where everything before it was acked, if the stream is still the one in
// which that was. One that is there stays what it is: an older worker's is in a file.
func TestWhereActivationBegins(t *testing.T) {
	env := embeddedtest.Provisioned(t, "test", 1)
	in := env.Namespace.InStream(0)
	for range 3 {
		if _, err := env.JS.Publish(t.Context(), env.Namespace.In("one"), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	l := &life{Worker: &Worker{js: env.JS, ns: env.Namespace}}
	for _, c := range []struct {
		name    string
		present *jetstream.ConsumerConfig
		acked   uint64
		pending uint64
		memory  bool
	}{
		{"nothing is known", nil, 0, 3, true},
		{"two are acked", nil, 2, 1, true},
		{"all are acked", nil, 3, 0, true},
		{"the stream is another", nil, 4, 3, true},
		{"another worker was here", &jetstream.ConsumerConfig{
			MemoryStorage: true, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: 3,
		}, 1, 1, true},
		{"an older worker was here", &jetstream.ConsumerConfig{}, 2, 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.present != nil {
				c.present.Durable, c.present.AckPolicy, c.present.HeadersOnly = activationDurable, jetstream.AckExplicitPolicy, true
				if _, err := env.JS.CreateConsumer(t.Context(), in, *c.present); err != nil {
					t.Fatal(err)
				}
			}
			got, err := l.activationConsumer(t.Context(), 0, c.acked)
			if err != nil {
				t.Fatal(err)
			}
			if info := got.CachedInfo(); info.NumPending != c.pending || info.Config.MemoryStorage != c.memory {
				t.Errorf("%d messages to come, in memory %t; want %d, %t",
					info.NumPending, info.Config.MemoryStorage, c.pending, c.memory)
			}
			if err := env.JS.DeleteConsumer(t.Context(), in, activationDurable); err != nil {
				t.Fatal(err)
			}
		})
	}
}
