//go:build unix

package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kalahari-run/kalahari/subjects"
)

// A full mailbox refuses the producer, who repeats; a command still gets through.
func TestAFullMailboxRefusesAndLosesNothing(t *testing.T) {
	t.Parallel()
	const limit = 20
	w := begin(t, 1, subjects.Settings{MailboxLimit: limit})
	l := w.ledger()
	// Nobody is there yet: the mailbox fills.
	for i := range limit {
		if err := l.publish(t.Context(), "s", prompt(fmt.Sprintf("p-%03d", i), "x")); err != nil {
			t.Fatal(err)
		}
	}
	over := w.message(w.ns.In("s"), "s", prompt("p-over", "x"))
	if _, err := w.js.PublishMsg(t.Context(), over, jetstream.WithRetryAttempts(0)); !mailboxFull(err) {
		t.Fatalf("one input more than fits: got %v, want JetStream error 10077", err)
	}
	stop := command("stop", "interrupt_current_run", "{}")
	if _, err := w.js.PublishMsg(t.Context(), w.message(w.ns.Ctl("s"), "s", stop)); err != nil {
		t.Fatalf("a command while the mailbox is full: %v", err)
	}

	h := w.follow()
	w.ready(w.worker("a", "--executor-delay=20ms"))
	// The producer goes on, is refused now and then, and repeats.
	for i := limit; i < 6*limit; i++ {
		if err := l.publish(t.Context(), "s", prompt(fmt.Sprintf("p-%03d", i), "x")); err != nil {
			t.Fatal(err)
		}
	}
	w.until(30*time.Second, "every input ends", func() bool { return h.completed() >= l.total() })
	w.until(10*time.Second, "the command is answered", func() bool {
		return len(h.facts("s", "CommandApplied", "CommandRejected")) == 1
	})
	r := l.verify()
	if l.refused == 0 {
		t.Error("no publication was refused: the mailbox never was full")
	}
	t.Logf("%s; %d publications were refused and repeated", r, l.refused)
}

// What cannot be taken is filed with the reason, and the session goes on behind it.
func TestWhatCannotBeTakenIsFiledAndTheSessionGoesOn(t *testing.T) {
	t.Parallel()
	w := begin(t, 1, subjects.Settings{MaxInput: 64 << 10})
	large := w.message(w.ns.In("s"), "s", prompt("large", strings.Repeat("x", 20<<10)))
	if _, err := w.js.PublishMsg(t.Context(), large); err != nil {
		t.Fatal(err)
	}
	w.provision(subjects.Settings{MaxInput: 8 << 10}) // the operator lowers it while that one waits
	h, l := w.follow(), w.ledger()
	w.ready(w.worker("a"))
	good := func(id string) {
		t.Helper()
		if err := l.publish(t.Context(), "s", prompt(id, "x")); err != nil {
			t.Fatal(err)
		}
	}
	header := func(pairs ...string) nats.Header {
		h := nats.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	ce := func(pairs ...string) nats.Header {
		return header(append([]string{
			"ce-specversion", "1.0", "ce-id", "x", "ce-source", "/t", "ce-type", subjects.InputType("prompt"),
		}, pairs...)...)
	}
	bad := []struct {
		name, subject string
		header        nats.Header
		data          string
		reason        string // it names the field
	}{
		{"no event at all", w.ns.In("s"), nil, "hello", "specversion"},
		{"no id", w.ns.In("s"), ce("ce-id", ""), "{}", "id"},
		{"an unknown version", w.ns.In("s"), ce("ce-specversion", "9.9"), "{}", "specversion"},
		{"structured mode, not JSON", w.ns.In("s"), header("Content-Type", "application/cloudevents+json"), "{", "JSON"},
		{"an attribute too long", w.ns.In("s"), ce("ce-correlationid", strings.Repeat("x", subjects.MaxAttribute+1)), "{}", "correlationid"},
		{"a prompt on the control subject", w.ns.Ctl("s"), ce("ce-id", "on-ctl"), `{"text":"x"}`, "type"},
	}
	good("p-0")
	for i, b := range bad {
		if _, err := w.js.PublishMsg(t.Context(), &nats.Msg{Subject: b.subject, Header: b.header, Data: []byte(b.data)}); err != nil {
			t.Fatalf("%s: %v", b.name, err)
		}
		good(fmt.Sprint("p-", i+1))
	}
	// One larger than allowed is refused where it is published; the mailbox never has it.
	big := w.message(w.ns.In("s"), "s", prompt("p-big", strings.Repeat("x", 9<<10)))
	var api *jetstream.APIError
	if _, err := w.js.PublishMsg(t.Context(), big); !errors.As(err, &api) || api.ErrorCode != jetstream.JSErrCodeStreamMessageExceedsMaximum {
		t.Errorf("an oversized input: got %v, want JetStream error %d", err, jetstream.JSErrCodeStreamMessageExceedsMaximum)
	}

	w.until(20*time.Second, "every good input ends", func() bool { return h.completed() >= l.total() })
	l.verify()
	var letters []jetstream.Msg
	if err := w.read(w.ns.DeadStream(), func(m jetstream.Msg) error { letters = append(letters, m); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(letters) != 1+len(bad) {
		t.Fatalf("%d dead letters, want %d", len(letters), 1+len(bad))
	}
	if m := letters[0]; !strings.Contains(m.Headers().Get("Kalahari-Reason"), "8192 are the most") || m.Headers().Get("ce-id") != "large" {
		t.Errorf("the oversized input was filed as %v", m.Headers())
	}
	for i, m := range letters[1:] {
		b, h := bad[i], m.Headers()
		if reason := h.Get("Kalahari-Reason"); !strings.Contains(reason, b.reason) {
			t.Errorf("%s: the reason is %q and does not name %q", b.name, reason, b.reason)
		}
		if m.Subject() != w.ns.Dead("s") || h.Get("Kalahari-Subject") != b.subject || string(m.Data()) != b.data {
			t.Errorf("%s: filed as %s from %q with data %q", b.name, m.Subject(), h.Get("Kalahari-Subject"), m.Data())
		}
		if _, err := strconv.ParseUint(h.Get("Kalahari-Sequence"), 10, 64); err != nil {
			t.Errorf("%s: Kalahari-Sequence: %v", b.name, err)
		}
	}
}

// A NATS client that knows nothing of Kalahari: core NATS request to the public subject,
// a type of its own, no SDK, no message id.
func TestAPlainClientWithItsOwnTypeIsAnswered(t *testing.T) {
	t.Parallel()
	w := begin(t, 4, subjects.Settings{})
	h := w.follow()
	w.ready(w.worker("a"))
	fx, err := w.nc.SubscribeSync("kalahari.test.*.fx.orders-7.InputCompleted")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := w.nc.RequestMsg(&nats.Msg{
		Subject: "kalahari.test.in.orders-7",
		Header: nats.Header{
			"ce-specversion": {"1.0"}, "ce-id": {"o-1"}, "ce-source": {"/shop"}, "ce-type": {"com.example.order.placed"},
			"content-type": {"application/json"},
		},
		Data: []byte(`{"order":7}`),
	}, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var ack struct {
		Stream string
		Error  any
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil || ack.Error != nil || ack.Stream != w.ns.InStream(w.ns.Shard("orders-7")) {
		t.Fatalf("the ack is %s", answer.Data)
	}
	m, err := fx.NextMsg(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(m.Data), `"Completed"`) || !strings.Contains(string(m.Data), `"o-1"`) {
		t.Errorf("the outcome is %s", m.Data)
	}
	// Who reads the log may hear of it later than who reads fx.
	w.until(10*time.Second, "the log tells of its end", func() bool { return len(h.facts("orders-7", "InputCompleted")) > 0 })
	accepted := h.facts("orders-7", "InputAccepted")
	if len(accepted) != 1 || accepted[0].Fields.InputID != "o-1" {
		t.Errorf("accepted: %v", accepted)
	}
}
